"""The status of a basic health check over time, around one fault."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Final

from resiliency.failover_model.alarm_readings import (
    alarm_readings,
    draw_periods_read,
    points_of,
)
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Effect
from resiliency.failover_model.graph import (
    DEFAULT_REGIONS,
    AlarmCheck,
    BasicHealthCheck,
    EndpointCheck,
)
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

RESPONSE_SECONDS: Final = 2
"""Until a health checker gives up on an HTTP response, after it connected; the same source."""


@dataclass(frozen=True, slots=True)
class StatusTimeline:
    """The status of a health check around one fault.

    Attributes:
        changes: When it changes, and to which status, in order; seconds since the beginning of
            the minute of the fault. Computed as they are read, and so only once.
        evident: When the fault first shows in what it reads; infinite if it never does.
    """

    before: bool
    changes: Iterable[tuple[float, bool]]
    evident: float


def status_timeline(
    check: BasicHealthCheck,
    effect: Effect,
    *,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> StatusTimeline:
    """Simulate the status of a health check around one fault, with random phases and delays.

    The fault begins ``fault_at`` seconds into its minute.
    """
    if check.disabled:
        return StatusTimeline(status(True, inverted=check.inverted, disabled=True), (), inf)
    if effect is Effect.UNKNOWN:
        # Not even its value without a fault is known, so it is taken to be healthy, always.
        return StatusTimeline(status(True, inverted=check.inverted), (), inf)
    if isinstance(check, EndpointCheck):
        return _endpoint(check, effect, fault_at, assumptions, chance)
    return _alarm(check, effect, fault_at, assumptions, chance)


def _endpoint(
    check: EndpointCheck,
    effect: Effect,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> StatusTimeline:
    before = status(True, inverted=check.inverted)
    if effect not in (Effect.UNANSWERED, Effect.REFUSED, Effect.UNRESPONSIVE):
        return StatusTimeline(before, (), inf)
    if check.timeout_seconds is not None:
        return _target_group(check, check.timeout_seconds, effect, fault_at, assumptions, chance)
    deadline = 0
    if effect is Effect.UNANSWERED:
        deadline = CONNECT_SECONDS_TCP if check.connects_only else CONNECT_SECONDS
    elif effect is Effect.UNRESPONSIVE:
        deadline = RESPONSE_SECONDS
    answered = fault_at + deadline
    checkers = max(1, round(assumptions.checkers.draw(chance) * check.regions / DEFAULT_REGIONS))
    # Health checkers don't coordinate with one another, so each starts at a random time. The
    # interval runs from an answer to the next request, so a deadline that passes stretches it.
    phases = sorted(chance.random() * check.interval_seconds for _ in range(checkers))
    gap = check.interval_seconds + (answered - fault_at)
    last = phases[unhealthy_checkers_needed(checkers) - 1]
    found = answered + last + (check.failure_threshold - 1) * gap
    at = found + assumptions.health_check_uptake.draw(chance)
    return StatusTimeline(before, ((at, not before),), answered + phases[0])


def _target_group(
    check: EndpointCheck,
    timeout_seconds: int,
    effect: Effect,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> StatusTimeline:
    """Simulate a target group whose only target fails; how soon Route 53 knows is *assumed*.

    Source: elasticloadbalancing/latest/application/target-group-health-checks.html: the time that a
    target takes to respond does not affect the interval.
    """
    before = status(True, inverted=check.inverted)
    deadline = 0 if effect is Effect.REFUSED else timeout_seconds
    first = fault_at + chance.random() * check.interval_seconds + deadline
    found = first + (check.failure_threshold - 1) * check.interval_seconds
    at = found + assumptions.health_check_uptake.draw(chance)
    return StatusTimeline(before, ((at, not before),), first)


def _alarm(
    check: AlarmCheck,
    effect: Effect,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> StatusTimeline:
    readings = alarm_readings(
        check.alarm,
        effect,
        periods_read=draw_periods_read(check.alarm, assumptions, chance),
        fault_at=fault_at,
        assumptions=assumptions,
        chance=chance,
    )
    uptake = assumptions.health_check_uptake.draw(chance)
    # The reading before the one that could show anything gives the status before the fault.
    begin = readings.interval * chance.random() - readings.interval
    statuses = _statuses(check, readings.starting(begin))
    _, before = next(statuses)
    return StatusTimeline(before, _changes(before, statuses, uptake), readings.evident)


def _statuses(
    check: AlarmCheck, readings: Iterator[tuple[float, str]]
) -> Iterator[tuple[float, bool]]:
    """Yield the status at each reading that differs from the one before."""
    healthy: bool | None = None
    former = ""
    for at, signs in readings:
        if signs != former:  # the same points mean the same
            former = signs
            healthy = _health(
                signs, check.alarm.evaluation_periods, check.insufficient_data, healthy
            )
            yield at, status(healthy, inverted=check.inverted)


def _changes(
    now: bool, statuses: Iterator[tuple[float, bool]], uptake: float
) -> Iterator[tuple[float, bool]]:
    for at, found in statuses:
        if found is not now:
            now = found
            yield at + uptake, now


@lru_cache(maxsize=4096)
def _health(
    signs: str, evaluation_periods: int, insufficient_data: InsufficientData, known: bool | None
) -> bool:
    """Evaluate a data stream; cached, since few combinations of points occur."""
    return alarm_health(
        points_of(signs),
        evaluation_periods=evaluation_periods,
        insufficient_data=insufficient_data,
        last_known=known,
    )
