"""Judges a hypothesis by observations; the order of their arrival makes no difference.

Seconds are those of the service: where an experiment runs faster than time, ``Run.time_scale`` says
how many of them pass in one second of the clock that stamps observations.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    TimedExpectation,
    UnknownExpectation,
    describe,
)
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source, of, ordered

ALARM: Final = "ALARM"
OK: Final = "OK"


class Status(Enum):
    """The result of an expectation, or of a whole run.

    Attributes:
        PASSED: Everything happened as expected.
        FAILED: It did not, or no observation shows that it did: silence is no success.
        NOT_COVERED: Clients lost the service by a fault that the design does not cover, and all
            else happened as expected. Rehearsals alone have it.
        ABORTED: The run ended before it could be judged: refused, stopped by a guard, or by hand.
        DRY_RUN: Everything was prepared and checked; no fault was injected, as configured.
    """

    PASSED = "passed"
    FAILED = "failed"
    NOT_COVERED = "not covered"
    ABORTED = "aborted"
    DRY_RUN = "dry run"


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
    """The result of one expectation.

    Attributes:
        expectation: What was expected.
        status: ``passed``, ``failed`` or ``not covered``.
        seconds: How long it took, where it has a time limit and happened at all.
        message: The result in one line.
    """

    expectation: Expectation | UnknownExpectation
    status: Status
    seconds: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a run.

    Attributes:
        status: Passed only when every expectation did.
        message: The verdict in one line.
        judgements: One for each expectation, in their order; empty where the run was aborted or a
            dry run.
    """

    status: Status
    message: str
    judgements: Sequence[Judgement]


def aborted(reason: str) -> Verdict:
    """Return the verdict of a run that ended before it could be judged."""
    return Verdict(Status.ABORTED, reason, ())


def judge(
    hypothesis: Hypothesis,
    observations: Iterable[Observation],
    run: Run,
    not_covered: Mapping[Expectation, str] | None = None,
) -> Verdict:
    """Judge each expectation by what was observed.

    Args:
        hypothesis: At least one expectation.
        observations: In any order; some may be there twice.
        run: The times of the experiment.
        not_covered: Why the design does not meet an expectation; such an expectation is not
            covered where it would fail otherwise.

    Raises:
        ValueError: There is no expectation that could fail.
    """
    if not hypothesis:
        raise ValueError("a hypothesis without expectations can't fail; give at least one")
    seen = ordered(each for each in observations if each.at <= run.until)
    reasons = not_covered or {}
    judgements = [
        _unless_covered(_judge(each, seen, run), reasons.get(each)) for each in hypothesis
    ]
    for status in (Status.FAILED, Status.NOT_COVERED):
        found = [each.message for each in judgements if each.status is status]
        if found:
            return Verdict(status, "; ".join(found), judgements)
    return Verdict(Status.PASSED, "; ".join(each.message for each in judgements), judgements)


def _unless_covered(judgement: Judgement, reason: str | None) -> Judgement:
    """Return a judgement as not covered, for a reason; what was not observed fails all the same."""
    if reason is None or judgement.status is Status.PASSED or judgement.seconds is None:
        return judgement
    return replace(judgement, status=Status.NOT_COVERED, message=f"{judgement.message}; {reason}")


def _judge(expectation: Expectation, seen: Sequence[Observation], run: Run) -> Judgement:
    match expectation:
        case ClientsMove():
            clients = of(seen, Source.CLIENT, expectation.record)
            return _change(expectation, clients, expectation.to, run)
        case AlarmFires():
            states = of(seen, Source.ALARM, expectation.alarm)
            return _change(expectation, states, ALARM, run)
        case ClientsReturn():
            clients = of(seen, Source.CLIENT, expectation.record)
            at = _for_good(clients, expectation.to, run.ended_at)
            return _timed(expectation, at, run.ended_at, run)
        case AlarmRecovers():
            states = of(seen, Source.ALARM, expectation.alarm)
            at = _for_good(states, OK, run.ended_at)
            return _timed(expectation, at, run.ended_at, run)
        case _:
            return _throughout(expectation, seen, run)


def _change(
    expectation: ClientsMove | AlarmFires, seen: Sequence[Observation], value: str, run: Run
) -> Judgement:
    """Judge a change to a value, which must not be there before the fault."""
    before = [each for each in seen if each.at < run.injected_at]
    if before and before[-1].value == value:
        message = f"{describe(expectation)} even before the fault"
        return Judgement(expectation, Status.FAILED, None, message)
    after = [each.at for each in seen if each.at >= run.injected_at and each.value == value]
    return _timed(expectation, after[0] if after else None, run.injected_at, run)


def _for_good(seen: Sequence[Observation], value: str, since: float | None) -> float | None:
    """Return when a value came to stay; None where the last observation has another value."""
    if since is None or not seen or seen[-1].value != value:
        return None
    start = seen[-1].at
    for each in reversed(seen):
        if each.value != value:
            break
        start = each.at
    # Where it had this value all along it was there at once, unless nothing was observed since.
    return max(start, since) if seen[-1].at >= since else None


def _timed(
    expectation: TimedExpectation, at: float | None, since: float | None, run: Run
) -> Judgement:
    what, after, allowed = describe(expectation), expectation.after, expectation.within_seconds
    if since is None:
        message = f"{what}: can't be judged, as the fault never ended"
        return Judgement(expectation, Status.FAILED, None, message)
    if at is None:
        waited = max(0.0, run.until - since) * run.time_scale
        message = f"{what}: not within {waited:.0f} s of {after}; expected within {allowed:g} s"
        return Judgement(expectation, Status.FAILED, None, message)
    seconds = (at - since) * run.time_scale
    status = Status.PASSED if seconds <= allowed else Status.FAILED
    # What is just too late must not read as if it were in time.
    digits = 0 if f"{seconds:.0f}" != f"{allowed:.0f}" or seconds == allowed else 3
    message = f"{what} {seconds:.{digits}f} s after {after}; expected within {allowed:g} s"
    return Judgement(expectation, status, seconds, message)


def _unserved(requests: Sequence[Observation]) -> list[Observation]:
    """Return the unanswered requests, except single ones between two answered requests.

    One request is lost on its way now and then, and shows nothing of the service.
    """
    answered = [each.value != NO_ANSWER for each in requests]
    before, after = [True, *answered], [*answered[1:], False]
    return [
        each
        for each, well, *around in zip(requests, answered, before, after, strict=False)
        if not well and not all(around)
    ]


def _throughout(
    expectation: ClientsStay | ClientsServed | AlarmQuiet, seen: Sequence[Observation], run: Run
) -> Judgement:
    what = describe(expectation)
    if isinstance(expectation, AlarmQuiet):
        found = of(seen, Source.ALARM, expectation.alarm)
        wrong = [each for each in found if each.value == ALARM]
    elif isinstance(expectation, ClientsStay):
        found = of(seen, Source.CLIENT, expectation.record)
        wrong = [each for each in found if each.value not in (expectation.on, NO_ANSWER)]
    else:
        found = of(seen, Source.CLIENT, expectation.record)
        wrong = _unserved([each for each in found if each.at >= run.injected_at])
    before = []
    if isinstance(expectation, AlarmQuiet):
        # An alarm's state is stamped when it changes, so the last one before the fault holds on.
        # A client that was served before says nothing of those who ask later.
        before = [each for each in found if each.at < run.injected_at][-1:]
    if not [*before, *(each for each in found if each.at >= run.injected_at)]:
        return Judgement(expectation, Status.FAILED, None, f"{what}: not observed")
    wrong = [each for each in wrong if each.at >= run.injected_at or each in before]
    if wrong:
        seconds = max(0.0, (wrong[0].at - run.injected_at) * run.time_scale)
        message = f"{what}: not so {seconds:.0f} s after the fault ({wrong[0].value})"
        return Judgement(expectation, Status.FAILED, seconds, message)
    return Judgement(expectation, Status.PASSED, None, what)
