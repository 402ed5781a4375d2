"""Paths and bytes that hold no configuration are refused with the way to mend them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from staged_resiliency.probe.agent.config import MAX_BYTES
from staged_resiliency.probe.agent.main import main
from tests.staged_resiliency.probe.agent.bad_configurations.cases import SOUND

MEND = "give a file that this user may read"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told_of(path: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command tells of a path it refuses."""
    assert main(["--configuration", path, "--check-config"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    return told.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "is empty; it must hold a JSON object {...}", id="no byte"),
        pytest.param(
            SOUND.replace("db.example.com", "bücher.example.com").encode("latin-1"),
            f"byte {SOUND.index('b.example')} (0xfc) is not UTF-8; save it as UTF-8",
            id="Latin-1",
        ),
        pytest.param(
            SOUND.encode("utf-16"), "byte 0 (0xff) is not UTF-8; save it as UTF-8", id="UTF-16"
        ),
        pytest.param(
            SOUND.encode("utf-8-sig"),
            "begins with a byte order mark; save it as UTF-8 without one",
            id="byte order mark",
        ),
        pytest.param(
            SOUND.encode() + b"\0",
            f"is not JSON: Extra data at line {SOUND.count(chr(10)) + 1}, column 1",
            id="NUL",
        ),
        pytest.param(
            b"\0" * 512, "is not JSON: Expecting value at line 1, column 1", id="zeros of a crash"
        ),
        pytest.param(
            SOUND.encode()[:900] + b"\xe2\x82",
            "byte 900 (0xe2) is not UTF-8; save it as UTF-8",
            id="cut within a character",
        ),
        pytest.param(b"[" * 100_000, "is nested too deeply to be read", id="deep lists"),
        pytest.param(b'{"a":' * 100_000, "is nested too deeply to be read", id="deep objects"),
        pytest.param(
            SOUND.encode() + b" " * MAX_BYTES,
            "has more than 4000000 bytes, the most that is read",
            id="too large",
        ),
        pytest.param(
            SOUND.replace("5432", "9" * 10_000).encode(),
            "targets[0].port: inf is not a port; allowed: 1 to 65535",
            id="integer of 10,000 digits",
        ),
    ],
)
def test_bytes_that_are_no_configuration_are_refused(
    content: bytes, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("probe.json").write_bytes(content)
    assert told_of("probe.json", capsys) == f"probe.json: {told}\n"


def nothing() -> None:
    pass


def folder() -> None:
    Path("probe.json").mkdir()


def link_that_leads_nowhere() -> None:
    Path("probe.json").symlink_to("elsewhere.json")


def link_to_itself() -> None:
    Path("probe.json").symlink_to("probe.json")


@pytest.mark.parametrize(
    ("make", "path", "told"),
    [
        pytest.param(nothing, "probe.json", "No such file or directory", id="missing"),
        pytest.param(folder, "probe.json", "Is a directory", id="folder"),
        pytest.param(
            link_that_leads_nowhere, "probe.json", "No such file or directory", id="broken link"
        ),
        pytest.param(
            link_to_itself, "probe.json", "Too many levels of symbolic links", id="circular link"
        ),
        pytest.param(nothing, "p" * 300, "File name too long", id="name too long"),
    ],
)
def test_paths_without_a_configuration_are_refused(
    make: Callable[[], None], path: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make()
    assert told_of(path, capsys) == f"{path}: can't be read: {told}; {MEND}\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_of_somebody_else_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("probe.json").write_text(SOUND)
    Path("probe.json").chmod(0)
    assert told_of("probe.json", capsys) == (
        f"probe.json: can't be read: Permission denied; {MEND}\n"
    )


def test_a_file_that_the_system_fails_to_read_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told_of("/proc/self/mem", capsys) == (
        f"/proc/self/mem: can't be read: Input/output error; {MEND}\n"
    )


def test_a_file_without_an_end_is_read_no_further_than_the_limit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told_of("/dev/zero", capsys) == (
        "/dev/zero: has more than 4000000 bytes, the most that is read\n"
    )


def test_a_file_name_can_t_smuggle_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert told_of("a\n\x1b[31mb\u202e.json", capsys) == (
        "a\\n\\x1b[31mb\\u202e.json: can't be read: No such file or directory; "
        "give a file that this user may read\n"
    )
