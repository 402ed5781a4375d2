"""Numbers, bounds and verdicts in words."""

from collections.abc import Sequence

import pytest

from resiliency.report import wording
from resiliency.report.journal_reader import parse_journal
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    Expectation,
    UnknownExpectation,
    describe,
)
from staged_resiliency.experiment.journal import Journal
from staged_resiliency.experiment.verdict import Judgement, Status
from tests.journals import (
    BLUE,
    RECORD,
    REHEARSALS,
    STATUS,
    STOPPED,
    aborted_run,
    run_of,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 s"),
        (0.04, "0 s"),
        (1, "1 s"),
        (4.25, "4.2 s"),
        (9.96, "10 s"),
        (268.4, "268 s"),
        (-45, "\N{MINUS SIGN}45 s"),
        (12345.6, "12,346 s"),
    ],
)
def test_durations(number: float | None, text: str) -> None:
    assert wording.seconds(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 %"),
        (1, "100 %"),
        (0.999999, "99.99 %"),
        (0.000001, "0.01 %"),
        (0.5581, "55.81 %"),
        (0.5, "50 %"),
    ],
)
def test_all_and_none_are_said_of_all_and_none_alone(number: float | None, text: str) -> None:
    assert wording.share(number) == text


def judged(expectation: Expectation, status: Status, seconds: float | None) -> Judgement:
    return Judgement(expectation, status, seconds, "message")


FIRES = AlarmFires(STATUS, 300)
QUIET = AlarmQuiet(STATUS)


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (judged(FIRES, Status.PASSED, 187), "after 187 s"),
        (judged(FIRES, Status.FAILED, 400), "after 400 s"),
        (judged(FIRES, Status.FAILED, None), "never"),
        (judged(QUIET, Status.PASSED, None), "throughout"),
        (judged(QUIET, Status.FAILED, 12), "not so after 12 s"),
        (judged(QUIET, Status.FAILED, None), "not observed"),
    ],
)
def test_what_was_measured_of_an_expectation(finding: Judgement, text: str) -> None:
    assert wording.measured(finding) == text


def test_every_kind_of_expectation_has_words() -> None:
    found = {
        each.expectation.expects: describe(each.expectation)
        for script in REHEARSALS
        for each in parse_journal(run_of(script), "it").verdict.judgements
    }
    assert len(found) == 7
    assert found["clients stay"] == f"clients of {RECORD} stay on {BLUE}"
    assert not [each for each in found.values() if "None" in each]
    assert not set(found) & set(found.values())
    later = UnknownExpectation("queue drains")
    assert (describe(later), wording.bound(later, None)) == ("queue drains", "throughout")


def run_with(status: str, text: str, judgements: Sequence[object]) -> Journal:
    verdict = {"status": status, "message": text, "judgements": judgements}
    return parse_journal({**run_of(STOPPED), "verdict": verdict}, "it")


def test_the_verdict_is_a_sentence() -> None:
    judgements = run_of(STOPPED)["verdict"]["judgements"]
    assert wording.result(run_with("passed", "x", judgements)) == "All 5 expectations met."
    assert wording.result(run_with("passed", "x", judgements[:1])) == "The one expectation was met."
    assert wording.result(run_with("passed", "it is well", [])) == "Passed: it is well"
    assert wording.result(run_with("failed", "it is not", [])) == "Failed: it is not"
    assert wording.result(run_with("aborted", "the guard", judgements)) == "Aborted: the guard"


def test_the_worst_run_decides() -> None:
    passed, refused = parse_journal(run_of(STOPPED), "it"), parse_journal(aborted_run(), "it")
    failed = run_with("failed", "x", [])
    assert wording.verdict_of([passed]) is Status.PASSED
    assert wording.verdict_of([passed, refused]) is Status.ABORTED
    assert wording.verdict_of([refused, passed, failed]) is Status.FAILED
    assert wording.verdict_of([]) is Status.ABORTED
    assert wording.tally([passed, failed, failed, refused]) == "1 of 4 passed, 2 failed, 1 aborted"
