"""When a health check that measures something itself changes, around one fault."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor, inf
from typing import Final, TypeAlias

from resiliency.failover_model.alarm_evaluation import Comparison, Point, point
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Effect
from resiliency.failover_model.graph import Alarm, AlarmCheck, EndpointCheck, Leaf
from resiliency.failover_model.metric_stream import MINUTE, Piece, Stream, steps_of, stream_of
from resiliency.failover_model.route53 import (
    InsufficientData,
    alarm_health,
    status,
    unhealthy_checkers_needed,
)

CONNECT_SECONDS: Final = 4
"""Until a health checker gives up on a connection.

Source: Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

CONNECT_SECONDS_TCP: Final = 10
"""The same for TCP health checks."""


_MISSING: Final = Point.MISSING.value
_POINTS_PER_MINUTE: Final = 100
_MANY_PERIODS: Final = 20
_POINTS: Final = {each.value: each for each in Point}


@dataclass(frozen=True, slots=True)
class StatusTimeline:
    """The status of a health check around one fault.

    Attributes:
        before: Its status before the fault.
        changes: When it changes, and to what, in order; seconds since the beginning of the
            minute of the fault.
        evident: When the fault first shows in what it reads; infinite if it never does.
    """

    before: bool
    changes: Sequence[tuple[float, bool]]
    evident: float


def work_of(alarm: Alarm, assumptions: Assumptions) -> int:
    """How much work one fault is for an alarm: what each minute takes, as points that are read.

    Args:
        alarm: The alarm.
        assumptions: What no template tells.
    """
    wanted = alarm.evaluation_periods + ceil(assumptions.extra_periods.high)
    minutes = wanted * alarm.period_seconds // MINUTE
    return minutes * (wanted + _POINTS_PER_MINUTE)


def course_of(
    leaf: Leaf,
    effect: Effect,
    *,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> StatusTimeline:
    """The status of a health check around one fault, with phases and delays drawn by chance.

    Args:
        leaf: The health check.
        effect: What its signal shows of the fault.
        fault_at: When the fault begins, in seconds since the beginning of its minute.
        assumptions: What no template tells.
        chance: Where phases and delays come from.
    """
    if leaf.disabled:
        return StatusTimeline(status(True, inverted=leaf.inverted, disabled=True), (), inf)
    if effect is Effect.UNKNOWN:
        # Not even what is well is known of it; so it is taken to be well, always.
        return StatusTimeline(status(True, inverted=leaf.inverted), (), inf)
    if isinstance(leaf, EndpointCheck):
        return _endpoint(leaf, effect, fault_at, assumptions, chance)
    return _alarm(leaf, effect, fault_at, assumptions, chance)


def _endpoint(
    leaf: EndpointCheck,
    effect: Effect,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> StatusTimeline:
    before = status(True, inverted=leaf.inverted)
    if effect not in (Effect.UNANSWERED, Effect.REFUSED):
        return StatusTimeline(before, (), inf)
    deadline = CONNECT_SECONDS_TCP if leaf.kind == "TCP" else CONNECT_SECONDS
    answered = fault_at + (deadline if effect is Effect.UNANSWERED else 0)
    checkers = round(assumptions.checkers.draw(chance))
    # Health checkers don't coordinate with one another, so each has a phase of its own. The
    # interval runs from an answer to the next request, so a deadline that passes stretches it.
    phases = sorted(chance.random() * leaf.interval_seconds for _ in range(checkers))
    gap = leaf.interval_seconds + (answered - fault_at)
    last = phases[unhealthy_checkers_needed(checkers) - 1]
    found = answered + last + (leaf.failure_threshold - 1) * gap
    at = found + assumptions.health_check_uptake.draw(chance)
    return StatusTimeline(before, ((at, not before),), answered + phases[0])


def _alarm(
    leaf: AlarmCheck,
    effect: Effect,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> StatusTimeline:
    alarm = leaf.alarm
    wanted = alarm.evaluation_periods + round(assumptions.extra_periods.draw(chance))
    width = alarm.period_seconds // MINUTE
    before = ceil(assumptions.evaluation_interval.high / MINUTE)
    # Without a fault in it a signal stays as it is, so one reading says all.
    settled = 0 if effect is Effect.NONE else wanted * width + _minutes_of_delay(assumptions)
    stream = stream_of(
        alarm.metric,
        effect,
        fault_at=fault_at,
        minutes=range(-wanted * width - before, settled + 1),
        assumptions=assumptions,
        chance=chance,
    )
    periods = _periods(alarm, stream)
    first, late, settled_signs = min(periods), wanted * width, ""
    if wanted > _MANY_PERIODS:
        # A period is settled once nothing of it is still under way; few of many are not.
        late = _latest(stream)
        settled_signs = "".join([steps[-1][1] if steps else _MISSING for steps in periods.values()])
    interval = assumptions.evaluation_interval.draw(chance)
    uptake = assumptions.health_check_uptake.draw(chance)
    # The reading before the one that could see anything says how things were.
    at = interval * chance.random() - interval
    healthy: bool | None = None
    former = ""
    changes: list[tuple[float, bool]] = []
    states: list[bool] = []
    while at < MINUTE * settled:
        last = floor(at / MINUTE)
        oldest = last - (wanted - 1) * width
        fresh = [end for end in range(last, last - late, -width) if end >= oldest][::-1]
        before_fresh = fresh[0] if fresh else last + 1
        signs = settled_signs[oldest - first : before_fresh - first : width]
        signs += "".join([_sign_at(periods[end], at) for end in fresh])
        if signs != former:  # the same points say what they said
            former = signs
            healthy = _health(signs, alarm.evaluation_periods, leaf.insufficient_data, healthy)
            now = status(healthy, inverted=leaf.inverted)
            if states and now is not states[-1]:
                changes.append((at + uptake, now))
            states.append(now)
        at += interval
    return StatusTimeline(states[0], changes, stream.evident)


def _periods(alarm: Alarm, stream: Stream) -> dict[int, Sequence[tuple[float, str]]]:
    """What data make of each period, by the number of the minute after it: when, and which sign.

    Periods end with the last whole minute, whatever their length: an alarm is evaluated each
    minute on the periods until then (CloudWatch User Guide, "Evaluating an alarm"). A period is
    read several times, so this is found out once.
    """
    width = alarm.period_seconds // MINUTE
    rule = (alarm.statistic, alarm.comparison, alarm.threshold)
    minutes = sorted(stream.minutes)
    runs = _runs(stream) if width > 1 else []
    late = _latest(stream) if width > 1 else 0
    found: dict[int, Sequence[tuple[float, str]]] = {}
    for end in range(minutes[0] + width, minutes[-1] + 2):
        pieces = stream.minutes[end - 1]
        if width > 1:
            begin = end - width - 1
            while runs[0][1] <= begin:
                del runs[0]
            if end - 1 in found and runs[0][0] <= begin and end <= runs[0][1]:
                found[end] = [(known + MINUTE, sign) for known, sign in found[end - 1]]
                continue
            fresh = max(end - width, end - late)
            pieces = [
                *_settled(runs, end - width, fresh),
                *(each for minute in range(fresh, end) for each in stream.minutes[minute]),
            ]
        if not pieces:
            found[end] = ()
        elif len(pieces) == 1:  # as nearly always
            ((known, count, total, low, high),) = pieces
            found[end] = ((known, _sign_of_one(count, total, low, high, *rule)),)
        else:
            found[end] = [
                (known, point(value, alarm.comparison, alarm.threshold).value)
                for known, value in steps_of(pieces, alarm.statistic)
            ]
    return found


_Run: TypeAlias = tuple[int, int, tuple[Piece, ...]]
"""Minutes that hold the same: the first, the one after the last, and what each of them holds.

When a piece can be read counts from the beginning of its minute.
"""


def _runs(stream: Stream) -> list[_Run]:
    """A stream as minutes that hold the same; few, as it changes only around the fault."""
    found: list[_Run] = []
    for minute in sorted(stream.minutes):
        holds = tuple(
            (round(known - MINUTE * minute, 6), count, total, low, high)
            for known, count, total, low, high in stream.minutes[minute]
        )
        if found and found[-1][2] == holds:
            found[-1] = (found[-1][0], minute + 1, holds)
        else:
            found.append((minute, minute + 1, holds))
    return found


def _latest(stream: Stream) -> int:
    """How many minutes before a moment hold pieces that may not be known by then."""
    lateness = (
        piece[0] - MINUTE * minute for minute, pieces in stream.minutes.items() for piece in pieces
    )
    return max(0, ceil(max(lateness, default=0) / MINUTE))


def _settled(runs: Sequence[_Run], begin: int, end: int) -> Iterator[Piece]:
    """What minutes hold of which everything is known, as few pieces."""
    for first, after, holds in runs:
        minutes = min(after, end) - max(first, begin)
        if minutes > 0:
            for _, count, total, low, high in holds:
                yield (-inf, minutes * count, minutes * total, low, high)


@lru_cache(maxsize=4096)
def _sign_of_one(
    count: int,
    total: float,
    low: float,
    high: float,
    statistic: str,
    comparison: Comparison,
    threshold: float,
) -> str:
    """The sign of a period that is one piece; few different ones occur."""
    ((_, value),) = steps_of([(0.0, count, total, low, high)], statistic)
    return point(value, comparison, threshold).value


def _sign_at(period: Sequence[tuple[float, str]], at: float) -> str:
    """The sign of a period as it can be read at a time."""
    shown = _MISSING
    for known, sign in period:
        if known > at:
            break
        shown = sign
    return shown


@lru_cache(maxsize=4096)
def _health(
    signs: str, evaluation_periods: int, insufficient_data: InsufficientData, known: bool | None
) -> bool:
    """What a data stream says; few combinations of points occur, again and again."""
    return alarm_health(
        [_POINTS[sign] for sign in signs],
        evaluation_periods=evaluation_periods,
        insufficient_data=insufficient_data,
        last_known=known,
    )


def _minutes_of_delay(assumptions: Assumptions) -> int:
    """Whole minutes after which nothing of the minute of the fault is still under way."""
    delays = (
        assumptions.status_check,
        assumptions.status_metric_delay,
        assumptions.custom_metric_delay,
        assumptions.probe_timeout,
        assumptions.probe_batch,
    )
    return 3 + ceil(sum(each.high for each in delays) / MINUTE)
