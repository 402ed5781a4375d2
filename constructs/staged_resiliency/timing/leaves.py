"""When a health check that measures something itself changes, around one fault."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf
from typing import Final

from staged_resiliency.timing.assumptions import Assumptions
from staged_resiliency.timing.evaluation import Point, point
from staged_resiliency.timing.faults import Effect
from staged_resiliency.timing.graph import Alarm, AlarmCheck, EndpointCheck, Leaf
from staged_resiliency.timing.route53 import (
    alarm_health,
    status,
    unhealthy_checkers_needed,
)
from staged_resiliency.timing.signals import MINUTE, Stream, statistic, stream_of

CONNECT_SECONDS: Final = 4
"""Until a health checker gives up on a connection.

Source: Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

CONNECT_SECONDS_TCP: Final = 10
"""The same for TCP health checks."""


@dataclass(frozen=True, slots=True)
class Course:
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


def course_of(
    leaf: Leaf,
    effect: Effect,
    *,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> Course:
    """The status of a health check around one fault, with phases and delays drawn by chance.

    Args:
        leaf: The health check.
        effect: What its signal shows of the fault.
        fault_at: When the fault begins, in seconds since the beginning of its minute.
        assumptions: What no template tells.
        chance: Where phases and delays come from.
    """
    if leaf.disabled:
        return Course(status(True, inverted=leaf.inverted, disabled=True), (), inf)
    if effect is Effect.UNKNOWN:
        # Not even what is well is known of it; so it is taken to be well, always.
        return Course(status(True, inverted=leaf.inverted), (), inf)
    if isinstance(leaf, EndpointCheck):
        return _endpoint(leaf, effect, fault_at, assumptions, chance)
    return _alarm(leaf, effect, fault_at, assumptions, chance)


def _endpoint(
    leaf: EndpointCheck,
    effect: Effect,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> Course:
    before = status(True, inverted=leaf.inverted)
    if effect not in (Effect.UNANSWERED, Effect.REFUSED):
        return Course(before, (), inf)
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
    return Course(before, ((at, not before),), answered + phases[0])


def _alarm(
    leaf: AlarmCheck,
    effect: Effect,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> Course:
    alarm = leaf.alarm
    wanted = alarm.evaluation_periods + round(assumptions.extra_periods.draw(chance))
    width = alarm.period_seconds // MINUTE
    # Without a fault in it a signal stays as it is, so one reading says all.
    settled = 0 if effect is Effect.NONE else wanted * width + _minutes_of_delay(assumptions)
    stream = stream_of(
        alarm.metric,
        effect,
        fault_at=fault_at,
        minutes=range(-wanted * width - 1, settled + 1),
        assumptions=assumptions,
        chance=chance,
    )
    interval = assumptions.evaluation_interval.draw(chance)
    uptake = assumptions.health_check_uptake.draw(chance)
    # The reading before the one that could see anything says how things were.
    at = interval * chance.random() - interval
    healthy: bool | None = None
    changes: list[tuple[float, bool]] = []
    states: list[bool] = []
    while at < MINUTE * settled:
        healthy = alarm_health(
            _points(alarm, stream, at, wanted, width),
            evaluation_periods=alarm.evaluation_periods,
            insufficient_data=leaf.insufficient_data,
            last_known=healthy,
        )
        now = status(healthy, inverted=leaf.inverted)
        if states and now is not states[-1]:
            changes.append((at + uptake, now))
        states.append(now)
        at += interval
    return Course(states[0], changes, stream.evident)


def _points(alarm: Alarm, stream: Stream, at: float, wanted: int, width: int) -> list[Point]:
    """The evaluation range as it can be read at a time; periods end with the last whole minute.

    They end there whatever their length: an alarm is evaluated each minute on the periods until
    then (CloudWatch User Guide, "Evaluating an alarm").
    """
    end = floor(at / MINUTE)
    return [
        point(
            statistic(
                stream, range(end - (back + 1) * width, end - back * width), at, alarm.statistic
            ),
            alarm.comparison,
            alarm.threshold,
        )
        for back in range(wanted - 1, -1, -1)
    ]


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
