"""Paths and bytes that hold no service file are refused with the way to mend them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from resiliency import cli
from resiliency.service_file.yaml_source import MAX_FILE_BYTES
from tests.cases import cases
from tests.resiliency.conftest import Resiliency
from tests.support import EXAMPLE_FILE

EXAMPLE = EXAMPLE_FILE.read_bytes()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def message_of(path: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command tells of a path it refuses."""
    assert cli.main(["check", path]) == 1
    return capsys.readouterr().err


@cases(
    ("content", "message"),
    {
        "Latin-1": (
            EXAMPLE.replace(b"Bookstore API", "Bücherladen".encode("latin-1")),
            "bookstore.yaml:3: byte 0xfc is not UTF-8; save the file as UTF-8\n",
        ),
        "UTF-16": (
            EXAMPLE.decode().encode("utf-16"),
            "bookstore.yaml:1: byte 0xff is not UTF-8; save the file as UTF-8\n",
        ),
        "NUL": (
            EXAMPLE.replace(b"Bookstore API", b"Bookstore\0API"),
            "bookstore.yaml:3: contains U+0000, which YAML does not allow; remove that character\n",
        ),
        "escape character": (
            EXAMPLE.replace(b"us-west-2", b"us-\x1b[1mwest-2"),
            "bookstore.yaml:8: contains U+001B, which YAML does not allow; remove that character\n",
        ),
        "not a character": (
            EXAMPLE.replace(b"us-west-2", "us-west-2\ufffe".encode()),
            "bookstore.yaml:8: contains U+FFFE, which YAML does not allow; remove that character\n",
        ),
        "too large": (
            EXAMPLE + b"#" * MAX_FILE_BYTES,
            "bookstore.yaml: has more than the 1000000 bytes that are allowed; "
            "one file holds one service\n",
        ),
        "no byte": (b"", "bookstore.yaml:1: is empty; it must describe one service\n"),
    },
)
def test_bytes_that_are_no_text_are_refused(
    content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bookstore.yaml").write_bytes(content)
    assert message_of("bookstore.yaml", capsys) == message


def test_the_largest_file_is_still_read(resiliency: Resiliency) -> None:
    Path("bookstore.yaml").write_bytes(EXAMPLE + b"#" * (MAX_FILE_BYTES - len(EXAMPLE)))
    assert resiliency("check", "bookstore.yaml").out.startswith("bookstore: valid")


def nothing() -> None:
    pass


def empty_folder() -> None:
    Path("services").mkdir()


def folder_of_other_files() -> None:
    empty_folder()
    Path("services/README.md").write_bytes(EXAMPLE)


def folder_named_like_a_file() -> None:
    empty_folder()
    Path("services/bookstore.yaml").mkdir()


def link_that_leads_nowhere() -> None:
    empty_folder()
    Path("services/bookstore.yaml").symlink_to("elsewhere.yaml")


NO_FILE = "services: has no service file; add one like bookstore.yaml\n"


@cases(
    ("make", "path", "message"),
    {
        "missing file": (
            nothing,
            "services/bookshop.yaml",
            "services/bookshop.yaml: does not exist; give a service file or a folder of them\n",
        ),
        "missing folder": (
            nothing,
            "services",
            "services: does not exist; give a service file or a folder of them\n",
        ),
        "empty folder": (empty_folder, "services", NO_FILE),
        "folder of other files": (folder_of_other_files, "services", NO_FILE),
        "folder for a file": (folder_named_like_a_file, "services", NO_FILE),
        "folder named like a file": (
            folder_named_like_a_file,
            "services/bookstore.yaml",
            "services/bookstore.yaml: has no service file; add one like bookstore.yaml\n",
        ),
        "link that leads nowhere": (
            link_that_leads_nowhere,
            "services",
            "services/bookstore.yaml: can't be read: No such file or directory\n",
        ),
        "neither file nor folder": (
            nothing,
            "/dev/null",
            "/dev/null: can't be read: Not a directory\n",
        ),
        "name too long": (nothing, "s" * 300, f"{'s' * 300}: can't be read: File name too long\n"),
    },
)
def test_paths_without_service_files_are_refused(
    make: Callable[[], None], path: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make()
    assert message_of(path, capsys) == message


def test_one_unreadable_file_does_not_hide_the_problems_of_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    link_that_leads_nowhere()
    Path("services/shop.yaml").write_bytes(EXAMPLE.replace(b"active: blue", b"active: red"))
    assert message_of("services", capsys).splitlines() == [
        "services/bookstore.yaml: can't be read: No such file or directory",
        "services/shop.yaml:12: environments.production.active: 'red' is not one of the values "
        "allowed here; allowed: blue, green",
    ]
