"""Numbers, moments, expectations and verdicts as people read them."""

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Final

from resiliency.report.axis import MINUS
from resiliency.report.journal_reader import Expected, Journal, Judged
from staged_resiliency.experiment.verdict import Status

NOTHING: Final = "\N{EN DASH}"
"""Where there is no number."""

RESULTS: Final = {
    Status.PASSED: "Passed",
    Status.FAILED: "Failed",
    Status.ABORTED: "Aborted",
    Status.DRY_RUN: "Dry run",
}
"""What became of something, as its badge says it."""


def seconds(number: float | None) -> str:
    """A duration, in seconds: whole ones from ten on."""
    if number is None:
        return NOTHING
    digits = 0 if abs(number) >= 9.95 else 1
    return f"{number:,.{digits}f}".removesuffix(".0").replace("-", MINUS) + " s"


def share(number: float | None) -> str:
    """A share of requests in percent; 100 % only for all of them, 0 % only for none."""
    if number is None:
        return NOTHING
    percent = min(max(number * 100, 0.01), 99.99) if 0 < number < 1 else number * 100
    return f"{percent:.2f}".rstrip("0").rstrip(".") + " %"


def moment(at: float | None) -> str:
    """A moment in UTC, to the second."""
    if at is None:
        return NOTHING
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def day(at: float) -> str:
    """The day of a moment, in UTC."""
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d}"


def expectation(expected: Expected) -> str:
    """What was expected, without its bound."""
    clients = f"Clients of {expected.record}"
    known = {
        "clients move": f"{clients} reach {expected.to}",
        "clients return": f"{clients} are back on {expected.to}",
        "clients stay": f"{clients} stay on {expected.on}",
        "clients served": f"{clients} are served",
        "alarm fires": f"{expected.alarm} fires",
        "alarm recovers": f"{expected.alarm} is OK again",
        "alarm quiet": f"{expected.alarm} stays quiet",
    }
    return known.get(expected.expects, expected.expects)


def bound(expected: Expected) -> str:
    """The bound of an expectation."""
    if expected.within_seconds is None:
        return "throughout"
    ends = expected.expects in ("clients return", "alarm recovers")
    since = "the fault's end" if ends else "the fault"
    return f"within {seconds(expected.within_seconds)} of {since}"


def measured(judged: Judged) -> str:
    """What was measured of an expectation."""
    if judged.expectation.within_seconds is not None:
        return "never" if judged.seconds is None else f"after {seconds(judged.seconds)}"
    if judged.status is Status.PASSED:
        return "throughout"
    return "not observed" if judged.seconds is None else f"not so after {seconds(judged.seconds)}"


def result(journal: Journal) -> str:
    """The verdict of a run in a sentence."""
    judged = journal.verdict.judgements
    failed = [each for each in judged if each.status is not Status.PASSED]
    if journal.verdict.status in (Status.ABORTED, Status.DRY_RUN):
        return f"{RESULTS[journal.verdict.status]}: {journal.verdict.message}"
    if journal.verdict.status is Status.PASSED and judged:
        return (
            "The one expectation was met."
            if len(judged) == 1
            else f"All {len(judged)} expectations met."
        )
    if not failed:
        return f"{RESULTS[journal.verdict.status]}: {journal.verdict.message}"
    told = "; ".join(each.message for each in failed)
    return f"{len(failed)} of {_counted(len(judged), 'expectation')} failed: {told}"


def headline(journals: Sequence[Journal]) -> str:
    """How many runs held, and which did not: ``4 of 5 held, 1 failed (both hosts down)``."""
    if not journals:
        return "Nothing was run"
    return _tally(journals, named=True)


def tally(journals: Sequence[Journal]) -> str:
    """The same of runs of one experiment: ``22 of 24 held, 1 failed, 1 aborted``."""
    return _tally(journals, named=False)


def _tally(journals: Sequence[Journal], *, named: bool) -> str:
    held = sum(each.verdict.status is Status.PASSED for each in journals)
    parts = [f"{held} of {len(journals)} passed"]
    for status in (Status.FAILED, Status.ABORTED, Status.DRY_RUN):
        names = [each.experiment for each in journals if each.verdict.status is status]
        if names:
            told = f" ({', '.join(dict.fromkeys(names))})" if named else ""
            parts.append(f"{len(names)} {status.value}{told}")
    return ", ".join(parts)


def verdict_of(journals: Sequence[Journal]) -> Status:
    """What became of all of them: the worst."""
    found = {each.verdict.status for each in journals}
    for status in (Status.FAILED, Status.ABORTED, Status.DRY_RUN):
        if status in found:
            return status
    return Status.PASSED if found else Status.ABORTED


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
