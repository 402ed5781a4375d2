"""Files that can't be read, or are not JSON, are refused in one line."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from staged_resiliency.probe.agent.config import MAX_BYTES
from staged_resiliency.probe.agent.main import main
from tests.cases import cases
from tests.staged_resiliency.probe.agent.bad_configurations.cases import SOUND


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal_of(path: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints about a path that it refuses."""
    assert main(["--configuration", path, "--check-config"]) == 2
    message = capsys.readouterr()
    assert message.out == ""
    return message.err


@cases(
    ("content", "problem"),
    {
        "no byte": (b"", "Expecting value: line 1 column 1 (char 0)"),
        "Latin-1": (
            SOUND.replace("db.example.com", "bücher.example.com").encode("latin-1"),
            f"'utf-8' codec can't decode byte 0xfc in position {SOUND.index('b.example')}: "
            "invalid start byte",
        ),
        "UTF-16": (
            SOUND.encode("utf-16"),
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        "byte order mark": (
            SOUND.encode("utf-8-sig"),
            "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
        ),
        "NUL": (
            SOUND.encode() + b"\0",
            f"Extra data: line {SOUND.count(chr(10)) + 1} column 1 (char {len(SOUND)})",
        ),
        "zeros of a crash": (b"\0" * 512, "Expecting value: line 1 column 1 (char 0)"),
        "cut within a character": (
            SOUND.encode()[:900] + b"\xe2\x82",
            "'utf-8' codec can't decode bytes in position 900-901: unexpected end of data",
        ),
    },
)
def test_bytes_that_are_not_json_are_refused(
    content: bytes, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("probe.json").write_bytes(content)
    assert refusal_of("probe.json", capsys) == f"probe.json: is not JSON in UTF-8: {problem}\n"


@cases(
    ("content", "problem"),
    {
        "deep lists": (b"[" * 100_000, "is nested too deeply"),
        "deep objects": (b'{"a":' * 100_000, "is nested too deeply"),
        "too large": (SOUND.encode() + b" " * MAX_BYTES, "must have at most 4000000 bytes"),
        "integer of 10,000 digits": (
            SOUND.replace("5432", "9" * 10_000).encode(),
            "targets[0].port: must be a whole number from 1 to 65535, not Infinity",
        ),
    },
)
def test_content_that_takes_too_much_is_refused(
    content: bytes, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("probe.json").write_bytes(content)
    assert refusal_of("probe.json", capsys) == f"probe.json: {problem}\n"


def nothing() -> None:
    pass


def folder() -> None:
    Path("probe.json").mkdir()


def link_that_leads_nowhere() -> None:
    Path("probe.json").symlink_to("elsewhere.json")


def link_to_itself() -> None:
    Path("probe.json").symlink_to("probe.json")


@cases(
    ("make", "path", "message"),
    {
        "missing": (nothing, "probe.json", "No such file or directory"),
        "folder": (folder, "probe.json", "Is a directory"),
        "broken link": (link_that_leads_nowhere, "probe.json", "No such file or directory"),
        "circular link": (link_to_itself, "probe.json", "Too many levels of symbolic links"),
        "name too long": (nothing, "p" * 300, "File name too long"),
    },
)
def test_paths_without_a_configuration_are_refused(
    make: Callable[[], None], path: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make()
    assert refusal_of(path, capsys) == f"{path}: can't be read: {message}\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_of_somebody_else_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("probe.json").write_text(SOUND)
    Path("probe.json").chmod(0)
    assert refusal_of("probe.json", capsys) == ("probe.json: can't be read: Permission denied\n")


def test_a_file_that_the_system_fails_to_read_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert refusal_of("/proc/self/mem", capsys) == (
        "/proc/self/mem: can't be read: Input/output error\n"
    )


def test_a_file_without_an_end_is_read_no_further_than_the_limit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert refusal_of("/dev/zero", capsys) == ("/dev/zero: must have at most 4000000 bytes\n")


def test_a_file_name_can_t_smuggle_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal_of("a\n\x1b[31mb\u202e.json", capsys) == (
        "a??[31mb?.json: can't be read: No such file or directory\n"
    )
