"""The folder of a report: whole, or as it was before."""

import json
import os
from pathlib import Path

import pytest

from resiliency.errors import UserError
from resiliency.rehearsal.output_files import require_writable, write_report

RECORD = "shop.example.com"
JOURNALS = [
    {"experiment": "host-stops", "kind": "rehearsal", "record": RECORD},
    {"experiment": "both-stop", "record": RECORD},
]


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def refusal(folder: Path) -> str:
    """Why a report can't go to a folder."""
    with pytest.raises(UserError) as refused:
        require_writable(folder)
    return str(refused.value)


def test_a_report_is_a_journal_for_each_scenario_and_a_page(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "rehearsal"
    written = write_report(folder, JOURNALS, "<p>Rehearsal")
    assert names(folder) == {"host-stops.json", "both-stop.json", "index.html"}
    assert set(written) == {folder / name for name in names(folder)}
    assert json.loads((folder / "host-stops.json").read_text()) == JOURNALS[0]
    assert (folder / "index.html").read_text() == "<p>Rehearsal"


def test_a_new_report_takes_the_place_of_the_former_one(tmp_path: Path) -> None:
    folder = tmp_path / "rehearsal"
    write_report(folder, JOURNALS, "former")
    require_writable(folder)
    write_report(folder, JOURNALS[:1], "new")
    assert names(folder) == {"host-stops.json", "index.html"}
    assert names(tmp_path) == {"rehearsal"}


def test_what_can_t_be_written_leaves_the_former_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "rehearsal"
    write_report(folder, JOURNALS, "former")

    def refuse(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(UserError) as refused:
        write_report(folder, JOURNALS[:1], "new")
    assert str(refused.value) == f"{folder}: can't be written (No space left on device)"
    assert (folder / "index.html").read_text() == "former"


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert refusal(tmp_path) == (
        f"{tmp_path}: holds thesis.txt, which is no part of a rehearsal's report; "
        "name another folder: --out FOLDER"
    )


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert refusal(file) == f"{file}: is no folder; name another one: --out FOLDER"


def test_looking_whether_folders_can_be_made_leaves_none_behind(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b" / "c")
    assert names(tmp_path) == set()


def test_where_a_link_leads_is_written_each_time(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to("real")
    for page in ("first", "second"):
        require_writable(link)
        write_report(link, JOURNALS, page)
        assert (tmp_path / "real" / "index.html").read_text() == page
    assert link.is_symlink()
    assert names(tmp_path) == {"real", "link"}


def test_the_current_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as refused:
        require_writable(Path())
    message = ".: is the current folder; name one within it: --out FOLDER"
    assert str(refused.value) == message


@pytest.mark.parametrize("folder", ["/proc/x", "/proc/x/y", "/"])
def test_what_can_not_be_written_is_reported_before_anything_runs(folder: str) -> None:
    assert refusal(Path(folder)).startswith(f"{folder}: ")


def test_a_link_that_leads_to_itself_is_reported(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("link")
    with pytest.raises(UserError, match="can't be written"):
        require_writable(link)


@pytest.mark.parametrize("what", ["new", "old"])
def test_links_that_stand_in_the_way_go_and_what_they_lead_to_stays(
    tmp_path: Path, what: str
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "thesis.txt").write_text("years of work")
    (tmp_path / f".report.{os.getpid()}.{what}").symlink_to("kept")
    write_report(tmp_path / "report", JOURNALS, "page")
    assert (kept / "thesis.txt").exists()
    assert names(tmp_path) == {"kept", "report"}


def test_journals_of_several_pairs_have_names_of_their_own(tmp_path: Path) -> None:
    other = {**JOURNALS[0], "record": "api.example.com"}
    write_report(tmp_path / "out", [JOURNALS[0], other], "page")
    assert names(tmp_path / "out") == {
        "shop.example.com-host-stops.json",
        "api.example.com-host-stops.json",
        "index.html",
    }
