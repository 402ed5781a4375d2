"""Judges a hypothesis by observations; the order of their arrival makes no difference.

Seconds are those of the service: where an experiment runs faster than time, ``Run.time_scale`` says
how many of them pass in one second of the clock that stamps observations.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsFast,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsServedAgain,
    ClientsStay,
    Expectation,
    Hypothesis,
    TimedExpectation,
    UnknownExpectation,
    describe,
    time_limit,
)
from staged_resiliency.experiment.observations import (
    MISSING,
    NO_ANSWER,
    Observation,
    Source,
    of,
    ordered,
)

ALARM: Final = "ALARM"
OK: Final = "OK"

STAYING_REQUESTS: Final = 3
"""Requests in a row that a host must serve before clients count as moved to it."""

EARLY_SECONDS: Final = 60.0
"""How long before the observed end of a fault it may have been over: a host removes the rule of a
blackhole up to a minute before FIS considers its action completed."""


_SHARE_OF_ANSWERS: Final = 0.95
_SERVED: Final = "served"


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
        objective_seconds: Recovery time objective; None where there is none.
    """

    injected_at: float
    ended_at: float | None
    until: float
    time_scale: float = 1.0
    objective_seconds: float | None = None

    def seconds(self, at: float, since: float) -> float:
        """Return the seconds between two times of the clock, in a rehearsal simulated ones."""
        return (at - since) * self.time_scale


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
        status: Passed only when every expectation did, and clients were not served for no longer
            than the objective.
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
    """Judge each expectation by the observations, and the clients' outage by the objective.

    Args:
        hypothesis: At least one expectation.
        observations: In any order; some may be there twice.
        run: The times of the experiment, and its objective.
        not_covered: Why the design does not meet an expectation; such an expectation is not
            covered where it would fail otherwise.

    Raises:
        ValueError: There is no expectation that could fail, or one without a time limit.
    """
    if not hypothesis:
        raise ValueError("a hypothesis without expectations can't fail; give at least one")
    seen = ordered(each for each in observations if each.at <= run.until)
    reasons = not_covered or {}
    judgements = [
        _unless_covered(_judge(each, seen, run), reasons.get(each)) for each in hypothesis
    ]
    over = outage_over_objective(seen, run)
    for status in (Status.FAILED, Status.NOT_COVERED):
        found = [each.message for each in judgements if each.status is status]
        if status is Status.FAILED and over:
            found.insert(0, over)
        if found:
            return Verdict(status, "; ".join(found), judgements)
    return Verdict(Status.PASSED, "; ".join(each.message for each in judgements), judgements)


def _unless_covered(judgement: Judgement, reason: str | None) -> Judgement:
    """Return a judgement as not covered, for a reason; what was not observed fails all the same."""
    if reason is None or judgement.status is Status.PASSED or judgement.seconds is None:
        return judgement
    return replace(judgement, status=Status.NOT_COVERED, message=f"{judgement.message}; {reason}")


def outage_seconds(requests: Iterable[Observation], run: Run) -> float | None:
    """Return how long clients were not served, from the fault until the end of observation.

    Each request speaks for the time until the next one, and the first also for the time since the
    fault. None where there is no request.
    """
    during = [each for each in ordered(requests) if run.injected_at <= each.at <= run.until]
    if not during:
        return None
    starts = [run.injected_at, *(each.at for each in during[1:])]
    ends = [*starts[1:], run.until]
    return sum(
        run.seconds(end, start)
        for each, start, end in zip(during, starts, ends, strict=True)
        if each.value == NO_ANSWER
    )


def longest_outage_seconds(observations: Iterable[Observation], run: Run) -> float | None:
    """Return ``outage_seconds`` for the DNS name whose clients had the longest outage."""
    clients = of(observations, Source.CLIENT)
    names = dict.fromkeys(each.subject for each in clients)
    found = [outage_seconds(of(clients, Source.CLIENT, name), run) for name in names]
    return max((each for each in found if each is not None), default=None)


def outage_over_objective(observations: Iterable[Observation], run: Run) -> str:
    """Return a message if the clients' outage exceeds the objective, else an empty text.

    Where a run observes the clients of several names, those of one of them.
    """
    outage = longest_outage_seconds(observations, run)
    if outage is None or run.objective_seconds is None or outage <= run.objective_seconds:
        return ""
    return (
        f"clients were not served for {_shown(outage, run.objective_seconds)} s; the objective is "
        f"{run.objective_seconds:g} s"
    )


def moved_at(
    requests: Iterable[Observation], run: Run, serves: Callable[[str], bool]
) -> float | None:
    """Return when clients moved to a host that serves them until the fault's end.

    It must serve ``STAYING_REQUESTS`` requests in a row, and from then on every request but one
    that is lost. None where no host did.

    Args:
        requests: Observations of clients, in the order of time.
        run: The times of the experiment.
        serves: Whether the value of an observation is the host that must serve.
    """
    requests = _without_a_lost_one([each for each in requests if each.at >= run.injected_at])
    ended_at = run.until if run.ended_at is None else run.ended_at
    row: list[Observation] = []
    moved = None
    for each in [each for each in requests if each.at <= run.until]:
        row = [*row, each] if serves(each.value) else []
        if len(row) == STAYING_REQUESTS and row[0].at <= ended_at:
            moved = row[0].at
    if moved is None:
        return None
    early = 0.0 if run.ended_at is None else EARLY_SECONDS / run.time_scale
    for each in requests:
        over = each.at > ended_at - (0.0 if each.value == NO_ANSWER else early)
        if each.at > moved and not over and not serves(each.value):
            return None
    return moved


def _judge(expectation: Expectation, seen: Sequence[Observation], run: Run) -> Judgement:
    match expectation:
        case ClientsMove():
            clients = of(seen, Source.CLIENT, expectation.record)
            at = moved_at(clients, run, lambda value: value == expectation.to)
            return _change(expectation, clients, expectation.to, at, run)
        case AlarmFires():
            states = of(seen, Source.ALARM, expectation.alarm)
            fired = [each.at for each in states if each.value == ALARM]
            at = min((each for each in fired if each >= run.injected_at), default=None)
            return _change(expectation, states, ALARM, at, run)
        case ClientsReturn():
            clients = _without_a_lost_one(of(seen, Source.CLIENT, expectation.record))
            at = _for_good(clients, expectation.to, run.ended_at, least=STAYING_REQUESTS)
            return _timed(expectation, at, run.ended_at, run)
        case ClientsServedAgain():
            clients = _without_a_lost_one(of(seen, Source.CLIENT, expectation.record))
            served = [
                each if each.value == NO_ANSWER else replace(each, value=_SERVED)
                for each in clients
            ]
            at = _for_good(served, _SERVED, run.injected_at, least=STAYING_REQUESTS)
            return _timed(expectation, at, run.injected_at, run)
        case AlarmRecovers():
            states = of(seen, Source.ALARM, expectation.alarm)
            at = _for_good(states, OK, run.ended_at)
            return _timed(expectation, at, run.ended_at, run)
        case ClientsFast():
            return _fast(expectation, of(seen, Source.CLIENT, expectation.record), run)
        case _:
            return _throughout(expectation, seen, run)


def _change(
    expectation: ClientsMove | AlarmFires,
    seen: Sequence[Observation],
    value: str,
    at: float | None,
    run: Run,
) -> Judgement:
    """Judge a change to a value, which must not be there before the fault."""
    before = [each for each in seen if each.at < run.injected_at]
    if before and before[-1].value == value:
        message = f"{describe(expectation)} even before the fault"
        return Judgement(expectation, Status.FAILED, None, message)
    return _timed(expectation, at, run.injected_at, run)


def _for_good(
    seen: Sequence[Observation], value: str, since: float | None, *, least: int = 1
) -> float | None:
    """Return when a value came to stay; None where it is not there, last and ``least`` times."""
    if since is None or not seen or {each.value for each in seen[-least:]} != {value}:
        return None
    if len(seen) < least:
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
    what, after = describe(expectation), expectation.after
    allowed = time_limit(expectation, run.objective_seconds)
    if since is None:
        message = f"{what}: can't be judged, as the fault never ended"
        return Judgement(expectation, Status.FAILED, None, message)
    if at is None:
        waited = max(0.0, run.seconds(run.until, since))
        message = f"{what}: not within {waited:.0f} s of {after}; expected within {allowed:g} s"
        return Judgement(expectation, Status.FAILED, None, message)
    seconds = run.seconds(at, since)
    status = Status.PASSED if seconds <= allowed else Status.FAILED
    message = f"{what} {_shown(seconds, allowed)} s after {after}; expected within {allowed:g} s"
    return Judgement(expectation, status, seconds, message)


def _fast(expectation: ClientsFast, seen: Sequence[Observation], run: Run) -> Judgement:
    what = describe(expectation)
    seconds = response_seconds(seen, run)
    if seconds is None:
        message = f"{what}: no answer was timed during the fault"
        return Judgement(expectation, Status.FAILED, None, message)
    if seconds <= expectation.within_seconds:
        return Judgement(expectation, Status.PASSED, seconds, f"{what}: in {seconds:.3f} s")
    return Judgement(expectation, Status.FAILED, seconds, f"{what}: not so, but in {seconds:.3f} s")


def response_seconds(requests: Iterable[Observation], run: Run) -> float | None:
    """Return the 95th percentile of the clients' response times, from the fault to its end.

    Requests without an answer do not count. None where no answer was timed.
    """
    ended_at = run.until if run.ended_at is None else run.ended_at
    took = sorted(
        each.seconds
        for each in requests
        if each.seconds is not None
        and each.value != NO_ANSWER
        and run.injected_at <= each.at <= ended_at
    )
    return took[math.ceil(len(took) * _SHARE_OF_ANSWERS) - 1] if took else None


def _shown(seconds: float, allowed: float) -> str:
    """Format seconds so that what is just too long does not read as if it were allowed."""
    return f"{seconds:.{0 if f'{seconds:.0f}' != f'{allowed:.0f}' or seconds == allowed else 3}f}"


def _without_a_lost_one(requests: Sequence[Observation]) -> Sequence[Observation]:
    """Return the requests without the first unanswered one that is between two answered ones.

    One request is lost on its way now and then, and shows nothing of the service; a second one
    does.
    """
    answered = [each.value != NO_ANSWER for each in requests]
    around = zip([True, *answered], answered, [*answered[1:], False], strict=False)
    for number, (before, well, after) in enumerate(around):
        if before and after and not well:
            return [*requests[:number], *requests[number + 1 :]]
    return requests


def _throughout(
    expectation: ClientsStay | ClientsServed | AlarmQuiet, seen: Sequence[Observation], run: Run
) -> Judgement:
    what = describe(expectation)
    if isinstance(expectation, AlarmQuiet):
        found = of(seen, Source.ALARM, expectation.alarm)
        # Its state is stamped when it changes, so the last one before the fault holds on.
        before = [each for each in found if each.at < run.injected_at][-1:]
        found = [*before, *(each for each in found if each.at >= run.injected_at)]
        wrong = [each for each in found if each.value in (ALARM, MISSING)]
    else:
        found = of(seen, Source.CLIENT, expectation.record)
        found = [each for each in found if each.at >= run.injected_at]
        if isinstance(expectation, ClientsStay):
            wrong = [each for each in found if each.value not in (expectation.on, NO_ANSWER)]
        else:
            wrong = [each for each in _without_a_lost_one(found) if each.value == NO_ANSWER]
    if wrong:
        seconds = max(0.0, run.seconds(wrong[0].at, run.injected_at))
        message = f"{what}: not so {seconds:.0f} s after the fault ({wrong[0].value})"
        return Judgement(expectation, Status.FAILED, seconds, message)
    # What was observed before the fault, or after its end, does not show what happened during it.
    ended_at = run.until if run.ended_at is None else run.ended_at
    if not any(run.injected_at <= each.at <= ended_at for each in found):
        message = f"{what}: not observed during the fault"
        return Judgement(expectation, Status.FAILED, None, message)
    return Judgement(expectation, Status.PASSED, None, what)
