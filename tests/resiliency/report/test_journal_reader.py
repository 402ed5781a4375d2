"""Journals from files: one clear message for one that can't be used."""

import json
from pathlib import Path

import pytest

from resiliency.report import JournalError, read_journal
from resiliency.report.journal_reader import parse_journal
from tests.journals import BEGAN_AT, STOPPED, aborted_run, run_of


def refused(path: Path) -> str:
    with pytest.raises(JournalError) as error:
        read_journal(path)
    return str(error.value)


def test_a_journal_comes_back_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "blue.json"
    file.write_text(json.dumps(run_of(STOPPED)), encoding="utf-8")
    assert read_journal(file) == run_of(STOPPED)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{", "is not JSON in UTF-8 (Expecting property name"),
        (b'{"schema_version": 1', "is not JSON in UTF-8 (Expecting ',' delimiter"),
        (b"", "is not JSON in UTF-8 (Expecting value"),
        (b'"\xff"', "is not JSON in UTF-8 ('utf-8' codec"),
        (b"[" * 100_000, "is not JSON in UTF-8 (maximum recursion"),
        (b"[1]", "is not a journal: found [1]; must be an object"),
        (b"null", "is not a journal: found null; must be an object"),
        (b"{}", "is not a journal: it has no schema_version"),
        (b'{"schema_version": true}', "schema_version: found true; must be"),
        (b'{"schema_version": 0}', "schema_version: found 0; must be"),
    ],
)
def test_what_is_no_journal_is_named(content: bytes, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    message = refused(file)
    assert message.startswith(f"{file}: {expected}")
    assert "\n" not in message


def test_a_file_that_is_not_there_or_not_a_file_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.json") == f"{tmp_path / 'gone.json'}: is not there"
    assert refused(tmp_path) == f"{tmp_path}: can't be read (Is a directory)"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("time_scale", 10**400, "must be a finite number"),
        ("time_scale", float("nan"), "time_scale: found nan; must be a finite number"),
        ("time_scale", float("inf"), "time_scale: found inf; must be a finite number"),
        ("injected_at", "2026-13-03T10:00:00.000Z", "must be a moment like"),
        ("injected_at", "٢٠٢٦-11-03T10:00:00.000Z", "must be a moment like"),
    ],
)
def test_odd_values_are_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(JournalError, match=message):
        parse_journal({**run_of(STOPPED), key: value}, "odd.json")


def test_a_run_began_with_its_first_phase_or_else_its_fault() -> None:
    assert parse_journal(run_of(STOPPED), "a").began_at == BEGAN_AT - 60
    assert parse_journal({**run_of(STOPPED), "phases": []}, "a").began_at == BEGAN_AT
    assert parse_journal({**aborted_run(), "phases": []}, "a").began_at is None
