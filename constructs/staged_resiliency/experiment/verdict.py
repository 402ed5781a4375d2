"""Whether a hypothesis holds, judged from what was seen; the same for every order of arrival.

Seconds are those of the service: where an experiment runs faster than time, ``Run.time_scale`` says
how many of them pass in one second of the clock that stamps observations.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
    Expectation,
    Hypothesis,
)
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source, of, ordered

ALARM: Final = "ALARM"
OK: Final = "OK"


class Status(Enum):
    """What became of an expectation, or of a whole run."""

    PASSED = "passed"
    """It held."""
    FAILED = "failed"
    """It did not hold, or there is no evidence that it did: silence is no success."""
    ABORTED = "aborted"
    """The run ended before it could be told: refused, stopped by a guard, or by hand."""
    LEASHED = "leashed"
    """All was made ready and nothing was injected, as was asked for."""


@dataclass(frozen=True, slots=True)
class Run:
    """The times of an experiment, in seconds since the epoch of the observations' clock.

    Attributes:
        injected_at: When the fault began.
        ended_at: When the fault ended; None while it has not.
        until: When observation ended.
        time_scale: Seconds of the service per second of that clock; 1 in production.
    """

    injected_at: float
    ended_at: float | None
    until: float
    time_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one expectation.

    Attributes:
        expectation: What was expected.
        status: Whether it held.
        seconds: How long it took, where it is about a time and happened at all.
        told: The finding as one line.
    """

    expectation: Expectation
    status: Status
    seconds: float | None
    told: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run.

    Attributes:
        status: Passed only when every expectation did.
        told: The verdict as one line.
        judgements: One for each expectation, in their order.
    """

    status: Status
    told: str
    judgements: Sequence[Judgement]


def aborted(reason: str) -> Verdict:
    """The verdict of a run that ended before it could be judged."""
    return Verdict(Status.ABORTED, reason, ())


def judge(hypothesis: Hypothesis, observations: Iterable[Observation], run: Run) -> Verdict:
    """Whether each expectation held.

    Args:
        hypothesis: At least one expectation.
        observations: What was seen, in any order; some may be there twice.
        run: The times of the experiment.

    Raises:
        ValueError: There is nothing that could fail.
    """
    if not hypothesis:
        raise ValueError("a hypothesis without expectations can't fail; give at least one")
    seen = ordered(each for each in observations if each.at <= run.until)
    judgements = [_judged(each, seen, run) for each in hypothesis]
    failed = [each for each in judgements if each.status is not Status.PASSED]
    if failed:
        return Verdict(Status.FAILED, "; ".join(each.told for each in failed), judgements)
    told = "; ".join(each.told for each in judgements)
    return Verdict(Status.PASSED, told, judgements)


def _judged(expectation: Expectation, seen: Sequence[Observation], run: Run) -> Judgement:
    if isinstance(expectation, ClientsMove):
        clients = of(seen, Source.CLIENT, expectation.record)
        what = f"clients of {expectation.record} reach {expectation.to}"
        before = [each for each in clients if each.at < run.injected_at]
        if before and before[-1].value == expectation.to:
            return Judgement(expectation, Status.FAILED, None, f"{what} even before the fault")
        at = _first(clients, expectation.to, run.injected_at)
        return _timed(expectation, what, at, run.injected_at, "the fault", run)
    if isinstance(expectation, AlarmFires):
        states = of(seen, Source.ALARM, expectation.alarm)
        what = f"{expectation.alarm} fires"
        before = [each for each in states if each.at < run.injected_at]
        if before and before[-1].value == ALARM:
            return Judgement(expectation, Status.FAILED, None, f"{what} even before the fault")
        at = _first(states, ALARM, run.injected_at)
        return _timed(expectation, what, at, run.injected_at, "the fault", run)
    if isinstance(expectation, ClientsReturn):
        clients = of(seen, Source.CLIENT, expectation.record)
        what = f"clients of {expectation.record} are back on {expectation.to}"
        at = _for_good(clients, expectation.to, run.ended_at)
        return _timed(expectation, what, at, run.ended_at, "the fault's end", run)
    if isinstance(expectation, AlarmRecovers):
        states = of(seen, Source.ALARM, expectation.alarm)
        what = f"{expectation.alarm} is OK again"
        at = _for_good(states, OK, run.ended_at)
        return _timed(expectation, what, at, run.ended_at, "the fault's end", run)
    return _throughout(expectation, seen, run)


def _first(seen: Sequence[Observation], value: str, since: float) -> float | None:
    """When a value was first seen."""
    return next((each.at for each in seen if each.at >= since and each.value == value), None)


def _for_good(seen: Sequence[Observation], value: str, since: float | None) -> float | None:
    """From when on a value was seen and no other; None where the last one is another."""
    if since is None or not seen or seen[-1].value != value:
        return None
    start = seen[-1].at
    for each in reversed(seen):
        if each.value != value:
            break
        start = each.at
    # Where it had this value all along it was there at once, unless nobody looked since.
    return max(start, since) if seen[-1].at >= since else None


def _timed(
    expectation: ClientsMove | ClientsReturn | AlarmFires | AlarmRecovers,
    what: str,
    at: float | None,
    since: float | None,
    since_what: str,
    run: Run,
) -> Judgement:
    allowed = expectation.within_seconds
    if since is None:
        told = f"{what}: can't be told, as the fault never ended"
        return Judgement(expectation, Status.FAILED, None, told)
    if at is None:
        waited = max(0.0, run.until - since) * run.time_scale
        told = f"{what}: not within {waited:.0f} s of {since_what}; expected within {allowed:g} s"
        return Judgement(expectation, Status.FAILED, None, told)
    seconds = (at - since) * run.time_scale
    status = Status.PASSED if seconds <= allowed else Status.FAILED
    # What is just too late must not read as if it were in time.
    digits = 0 if f"{seconds:.0f}" != f"{allowed:.0f}" or seconds == allowed else 3
    told = f"{what} {seconds:.{digits}f} s after {since_what}; expected within {allowed:g} s"
    return Judgement(expectation, status, seconds, told)


def _unserved(looked: Sequence[Observation]) -> list[Observation]:
    """Looks that nobody answered, but for those between two that somebody did.

    One request is lost on its way now and then, and shows nothing of the service.
    """
    answered = [each.value != NO_ANSWER for each in looked]
    before, after = [True, *answered], [*answered[1:], False]
    return [
        each
        for each, well, *around in zip(looked, answered, before, after, strict=False)
        if not well and not all(around)
    ]


def _throughout(
    expectation: ClientsStay | ClientsServed | AlarmQuiet, seen: Sequence[Observation], run: Run
) -> Judgement:
    if isinstance(expectation, AlarmQuiet):
        what = f"{expectation.alarm} stays quiet"
        looked = of(seen, Source.ALARM, expectation.alarm)
        wrong = [each for each in looked if each.value == ALARM]
    elif isinstance(expectation, ClientsStay):
        what = f"clients of {expectation.record} stay on {expectation.on}"
        looked = of(seen, Source.CLIENT, expectation.record)
        wrong = [each for each in looked if each.value not in (expectation.on, NO_ANSWER)]
    else:
        what = f"clients of {expectation.record} are served"
        looked = of(seen, Source.CLIENT, expectation.record)
        wrong = _unserved([each for each in looked if each.at >= run.injected_at])
    before = []
    if isinstance(expectation, AlarmQuiet):
        # An alarm's state is stamped when it changes, so the last one before the fault holds on.
        # A client that was served before says nothing of those who ask later.
        before = [each for each in looked if each.at < run.injected_at][-1:]
    if not [*before, *(each for each in looked if each.at >= run.injected_at)]:
        return Judgement(expectation, Status.FAILED, None, f"{what}: nobody looked")
    wrong = [each for each in wrong if each.at >= run.injected_at or each in before]
    if wrong:
        seconds = max(0.0, (wrong[0].at - run.injected_at) * run.time_scale)
        told = f"{what}: not so {seconds:.0f} s after the fault ({wrong[0].value})"
        return Judgement(expectation, Status.FAILED, seconds, told)
    return Judgement(expectation, Status.PASSED, None, what)
