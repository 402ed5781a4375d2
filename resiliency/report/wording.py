"""Formats numbers, moments, time limits and verdicts."""

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Final

from resiliency.report.timeline_data import RunClock
from resiliency.svg import MINUS
from staged_resiliency.experiment.expectations import (
    ClientsFast,
    Expectation,
    TimedExpectation,
    UnknownExpectation,
    time_limit,
)
from staged_resiliency.experiment.journal import Journal, Phase
from staged_resiliency.experiment.verdict import Judgement, Status

NOTHING: Final = "\N{EN DASH}"
"""Shown where there is no number."""

RESULTS: Final = {
    Status.PASSED: "Passed",
    Status.FAILED: "Failed",
    Status.NOT_COVERED: "Not covered",
    Status.ABORTED: "Aborted",
    Status.DRY_RUN: "Dry run",
}
"""The result of a run or an expectation, as its badge shows it."""

_OTHERS: Final = (Status.FAILED, Status.ABORTED, Status.NOT_COVERED, Status.DRY_RUN)
"""The statuses of runs that did not pass, the worst first."""


def css_class(status: Status) -> str:
    """Return the class of the style sheet for a status."""
    return status.value.replace(" ", "-")


def seconds(number: float | None) -> str:
    """Format a duration in seconds, without decimals from ten on."""
    if number is None:
        return NOTHING
    digits = 0 if abs(number) >= 9.95 else 1
    return f"{number:,.{digits}f}".removesuffix(".0").replace("-", MINUS) + " s"


def share(number: float | None) -> str:
    """Format a share of requests in percent; 100 % only for all of them, 0 % only for none."""
    if number is None:
        return NOTHING
    percent = min(max(number * 100, 0.01), 99.99) if 0 < number < 1 else number * 100
    return f"{percent:.2f}".rstrip("0").rstrip(".") + " %"


def moment(at: float | None) -> str:
    """Format a moment in UTC, to the second."""
    if at is None:
        return NOTHING
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def day(at: float) -> str:
    """Format the day of a moment, in UTC."""
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d}"


def bound(expectation: Expectation | UnknownExpectation, objective_seconds: float | None) -> str:
    """Format the time limit of an expectation of a run with this objective."""
    if isinstance(expectation, ClientsFast):
        return "during the fault"
    if not isinstance(expectation, TimedExpectation):
        return "throughout"
    limit = time_limit(expectation, objective_seconds)
    return f"within {seconds(limit)} of {expectation.after}"


def measured(judgement: Judgement) -> str:
    """Format what was measured for an expectation, such as ``after 45 s``."""
    if isinstance(judgement.expectation, TimedExpectation):
        return "never" if judgement.seconds is None else f"after {seconds(judgement.seconds)}"
    if judgement.status is Status.PASSED and judgement.seconds is None:
        return "throughout"
    if judgement.seconds is None:
        return "not observed"
    if isinstance(judgement.expectation, ClientsFast):
        return f"in {judgement.seconds:.3f} s"
    return f"not so after {seconds(judgement.seconds)}"


def lasted(phase: Phase, clock: RunClock) -> str:
    """Format how long a phase lasted, and from when."""
    began = clock.seconds(phase.began_at)
    if phase.ended_at is None:
        return f"cut off, from {seconds(began)}"
    return f"{seconds(clock.seconds(phase.ended_at) - began)}, from {seconds(began)}"


def fault(journal: Journal) -> str:
    """Name the fault of a run, with the dependency that it cuts off."""
    return f"{journal.fault}: {journal.dependency}" if journal.dependency else journal.fault


def result(journal: Journal) -> str:
    """Format the verdict of a run as a sentence."""
    judged = journal.verdict.judgements
    failed = [each for each in judged if each.status is Status.FAILED]
    if journal.verdict.status in (Status.NOT_COVERED, Status.ABORTED, Status.DRY_RUN):
        return f"{RESULTS[journal.verdict.status]}: {journal.verdict.message}"
    if journal.verdict.status is Status.PASSED and judged:
        return (
            "The one expectation was met."
            if len(judged) == 1
            else f"All {len(judged)} expectations met."
        )
    if not failed:
        return f"{RESULTS[journal.verdict.status]}: {journal.verdict.message}"
    messages = "; ".join(each.message for each in failed)
    return f"{len(failed)} of {_counted(len(judged), 'expectation')} failed: {messages}"


def run_name(journals: Sequence[Journal]) -> Callable[[Journal], str]:
    """Return how to name a run among others: by service or record too, where these differ."""
    services = {(each.service, each.environment) for each in journals}
    records = {each.record for each in journals}

    def name(journal: Journal) -> str:
        if len(services) > 1:
            return f"{journal.service} {journal.environment}: {journal.experiment}"
        return f"{journal.record}: {journal.experiment}" if len(records) > 1 else journal.experiment

    return name


def headline(journals: Sequence[Journal]) -> str:
    """Count the runs that passed, and name the others.

    Such as ``4 of 5 passed, 1 failed (both hosts down)``.
    """
    if not journals:
        return "Nothing was run"
    return _tally(journals, named=True)


def tally(journals: Sequence[Journal]) -> str:
    """Count the runs of one experiment by status: ``22 of 24 passed, 1 failed, 1 aborted``."""
    return _tally(journals, named=False)


def _tally(journals: Sequence[Journal], *, named: bool) -> str:
    name = run_name(journals)
    passed = sum(each.verdict.status is Status.PASSED for each in journals)
    parts = [f"{passed} of {len(journals)} passed"]
    for status in _OTHERS:
        names = [name(each) for each in journals if each.verdict.status is status]
        if names:
            named_runs = f" ({', '.join(dict.fromkeys(names))})" if named else ""
            parts.append(f"{len(names)} {status.value}{named_runs}")
    return ", ".join(parts)


def verdict_of(journals: Sequence[Journal]) -> Status:
    """Return the worst status of all runs."""
    found = {each.verdict.status for each in journals}
    for status in _OTHERS:
        if status in found:
            return status
    return Status.PASSED if found else Status.ABORTED


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
