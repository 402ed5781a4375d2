"""`resiliency drill report`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from staged_resiliency.experiment.journal import RunResult, journal_json, journal_of
from staged_resiliency.experiment.verdict import Status, Verdict
from tests import journals
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.command import NOW
from tests.resiliency.drill_cli.conftest import Drill

DAY = 86_400.0


@pytest.fixture
def runs(drill: Drill) -> None:
    """Three months of drills."""
    for each in journals.drill_runs(3):
        drill.aws.record(each, each["run_id"])


def dry_run() -> dict[str, object]:
    script = replace(journals.STOPPED, experiment="shutdown", kind="drill")
    expected = "no fault was injected: would be aimed at i-0"
    finding = RunResult(
        None, script.hypothesis, Verdict(Status.DRY_RUN, expected, ()), None, [], []
    )
    return journals.as_read(journal_json(journal_of(journals.subject_of(script, NOW), finding)))


@pytest.mark.usefixtures("runs")
def test_each_drill_has_a_table_of_its_last_runs(drill: Drill) -> None:
    out = drill("report").out
    assert out.count("All 5 expectations met.") == 3
    assert out.count("All 6 expectations met.") == 3
    latest = journals.drill_runs(3)[-3]
    first = next(line for line in out.splitlines() if "All 5" in line).split()
    assert first[:5] == ["2026-10-06", "09:59:00", "passed", "187", "s"]
    assert int(first[5]) == round(latest["measures"]["failover_seconds"])


@pytest.mark.usefixtures("runs")
def test_fewer_runs_and_one_drill_alone_can_be_asked_for(drill: Drill) -> None:
    out = drill("report", "shutdown", "--last", "2").out
    assert out.count("passed") == 2
    assert "db-blackhole" not in out


@pytest.mark.usefixtures("runs")
def test_json_holds_the_journals_as_they_are(drill: Drill) -> None:
    done = drill("report", "shutdown", "--json", "--last", "1")
    (only,) = json.loads(done.out)
    assert only == next(
        each for each in reversed(journals.drill_runs(3)) if each["experiment"] == "shutdown"
    )


@pytest.mark.usefixtures("runs")
def test_a_page_is_written_and_its_name_stays_out_of_the_json(drill: Drill, tmp_path: Path) -> None:
    printed = drill("report", "--json", "--html", "drills.html")
    assert len(json.loads(printed.out)) == 6
    assert printed.err == "drills.html: written\n"
    page = (tmp_path / "drills.html").read_text(encoding="utf-8")
    assert "Drills of bookstore in production" in page
    assert page.count("<svg") > 4


def test_a_dry_run_has_its_place_in_table_and_page(drill: Drill, tmp_path: Path) -> None:
    drill.aws.record(dry_run(), "run-1")
    assert "dry run" in drill("report", "shutdown", "--html", "drills.html").out
    page = (tmp_path / "drills.html").read_text(encoding="utf-8")
    assert "Dry run: no fault was injected: would be aimed at i-0" in page
    assert "0 of 1 passed, 1 dry run (shutdown)" in page


def test_drills_that_never_ran_are_shown_and_give_no_page(drill: Drill, tmp_path: Path) -> None:
    assert drill("report").out.count("no run is recorded") == len(drill.aws.machines)
    done = drill("report", "--html", "drills.html", status=1)
    assert done.err == "drills.html: is not written, as no run is recorded\n"
    assert not (tmp_path / "drills.html").exists()


@pytest.mark.usefixtures("runs")
def test_a_page_that_cannot_be_written_is_shown_in_a_line(drill: Drill) -> None:
    done = drill("report", "--html", "no/such/folder.html", status=1)
    assert done.err == "no/such/folder.html: can't be written: No such file or directory\n"


@cases(
    ("content", "expected"),
    {
        "empty": (b"", "is not JSON"),
        "not UTF-8": (b"\xff\xfe", "is not UTF-8"),
        "a list": (b"[]", "is no journal: it is no JSON object"),
        "half a journal": (b'{"schema_version": 1}', "kind is missing"),
        "not a number": (b'{"schema_version": NaN}', "NaN is no number of JSON"),
        "infinity": (b'{"schema_version": 1e999}', "1e999 is no number"),
        "a tower": (b"[" * 100_000, "it is nested too deeply"),
        "a huge number": (b"1" * 10_000, "is not JSON"),
    },
)
def test_an_unreadable_journal_is_one_line_beside_the_others(
    content: bytes, expected: str, drill: Drill
) -> None:
    drill.aws.record(dry_run(), "run-1")
    drill.aws.put("journals/shutdown/run-2.json", content)
    printed = drill("report", "shutdown", status=1)
    assert "dry run" in printed.out
    (line,) = printed.err.splitlines()
    where = f"can't be read: s3://{plans.BUCKET}/journals/shutdown/run-2.json: "
    assert line.startswith(where)
    assert expected in line


@pytest.mark.parametrize("number", ["0", "-1", "few"])
def test_a_number_of_runs_is_one_or_more(number: str, drill: Drill) -> None:
    printed = drill("report", "--last", number, status=2)
    expected = f"argument --last: {number!r} is not a whole number of 1 or more\n"
    assert printed.err.endswith(expected)
