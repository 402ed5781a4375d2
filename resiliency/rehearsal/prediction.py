"""What the failover-time model says of a scenario: when alarms fire, and by when all is well."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from resiliency.failover_model.alarm_evaluation import AlarmState, Point, evaluate, point
from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.faults import Effect, Fault, FaultKind, metric_effect
from resiliency.failover_model.graph import (
    Alarm,
    AlarmCheck,
    EndpointCheck,
    FailoverGraph,
    Leaf,
    leaves,
)
from resiliency.failover_model.health_check_timeline import work_of
from resiliency.failover_model.metric_stream import MINUTE, Stream, stream_of
from resiliency.failover_model.simulation import Percentiles, Verdict, failover_times
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.scenarios import Action, Scenario

FIRINGS: Final = 300
"""How many faults are played through for each alarm."""

_LEAST_FIRINGS: Final = 20
_MOST_WORK: Final = 3_000_000

OUTAGES: Final = 2_000
"""How many are for clients."""

_STRENGTH: Final = (
    Effect.NONE,
    Effect.UNKNOWN,
    Effect.REFUSED,
    Effect.UNANSWERED,
    Effect.IMPAIRED,
    Effect.SILENT,
)


@dataclass(frozen=True, slots=True)
class Firing:
    """How an alarm takes a fault.

    Attributes:
        share: Share of faults at which it fires, from 0 to 1.
        seconds: How long that takes, None where it never does.
    """

    share: float
    seconds: Percentiles | None


def assumptions_for(world: Deployment) -> Assumptions:
    """The model's assumptions, with what the probe's configuration tells."""
    assumed = Assumptions()
    if world.probe is None:
        return assumed
    interval, timeout = world.probe["interval_seconds"], world.probe["timeout_seconds"]
    configured = "the probe's configuration"
    return replace(
        assumed,
        probe_interval=Range(interval, interval, assumed.probe_interval.about, configured),
        probe_timeout=Range(timeout, timeout, assumed.probe_timeout.about, configured),
    )


def fault_of(scenario: Scenario) -> Fault:
    """The model's fault for a scenario; an endpoint that hangs is as one that is dead, later."""
    return {
        Action.STOP: Fault(FaultKind.HOST_STOPPED),
        Action.HANG: Fault(FaultKind.ENDPOINT_DEAD),
        Action.BLACKHOLE: Fault(FaultKind.DEPENDENCY_BLACKHOLED, scenario.dependency),
        Action.KILL_PROBE: Fault(FaultKind.PROBE_DEAD),
    }[scenario.action]


def failovers_of(
    world: Deployment, assumptions: Assumptions, seed: int, *, outages: int = OUTAGES
) -> Mapping[Fault, Verdict]:
    """What the model says of clients, for each fault of the primary's host that it knows."""
    alone = FailoverGraph([world.pair], world.graph.alarms)
    verdicts = failover_times(alone, outages=outages, seed=seed, assumptions=assumptions)
    return {verdict.fault: verdict for verdict in verdicts}


def effect_on(world: Deployment, scenario: Scenario, alarm: Alarm) -> Effect:
    """What an alarm's metric shows of a scenario; the strongest where several hosts break."""
    shown = []
    for host in scenario.hosts:
        about = world.host_of(alarm)
        found = metric_effect(
            fault_of(scenario),
            alarm,
            host=host.name,
            watches_host=about is not None and about.name == host.name,
        )
        if scenario.action is Action.HANG and found is Effect.REFUSED:
            found = Effect.UNANSWERED
        shown.append(found)
    return max(shown, key=_STRENGTH.index)


@lru_cache(maxsize=256)
def firing_of(alarm: Alarm, effect: Effect, assumptions: Assumptions, seed: int) -> Firing:
    """When an alarm fires after a fault, played through at many moments of a minute.

    Args:
        alarm: The alarm.
        effect: What its metric shows of the fault.
        assumptions: Delays and intervals.
        seed: The same seed gives the same numbers.
    """
    chance = random.Random(f"{seed} {alarm.name} {effect}")  # noqa: S311 - no secret
    # Of an alarm that looks back over hours fewer, as each takes long.
    faults = min(FIRINGS, max(_LEAST_FIRINGS, _MOST_WORK // work_of(alarm, assumptions)))
    found = [_fires(alarm, effect, assumptions, chance) for _ in range(faults)]
    fired = [seconds for seconds in found if seconds is not None]
    return Firing(len(fired) / len(found), Percentiles.of(fired) if fired else None)


def recovery_seconds(alarm: Alarm, assumptions: Assumptions) -> float:
    """Within how long after a fault's end an alarm is OK: the worst case.

    The minute of the fault's end may still be bad. After it there must be as many good periods as
    leave fewer than M bad ones among N, the last of them must be published, and read.
    """
    periods = alarm.evaluation_periods - alarm.datapoints_to_alarm + 1
    return (
        MINUTE
        + periods * alarm.period_seconds
        + _publication_seconds(alarm, assumptions)
        + assumptions.evaluation_interval.high
    )


def return_seconds(world: Deployment, assumptions: Assumptions) -> float:
    """Within how long after a fault's end clients are back on the active host: the worst case."""
    deciding = max(
        (_healthy_again(leaf, assumptions) for leaf in leaves(world.pair.primary.health_check)),
        default=0.0,
    )
    kept = max(world.pair.primary.ttl_seconds, assumptions.resolver_floor.high)
    return (
        deciding
        + assumptions.health_check_uptake.high
        + assumptions.dns_propagation.high
        + kept
        + assumptions.client_cache.high
    )


def _healthy_again(leaf: Leaf, assumptions: Assumptions) -> float:
    if isinstance(leaf, EndpointCheck):
        # A request that hangs when the fault ends, then answers in a row.
        return (leaf.failure_threshold + 1) * leaf.interval_seconds
    assert isinstance(leaf, AlarmCheck)  # noqa: S101 - there is no other kind
    every_one = replace(leaf.alarm, datapoints_to_alarm=leaf.alarm.evaluation_periods)
    return recovery_seconds(every_one, assumptions)


def _publication_seconds(alarm: Alarm, assumptions: Assumptions) -> float:
    if alarm.metric.namespace.startswith("AWS/"):
        return assumptions.status_metric_delay.high
    return (
        assumptions.probe_batch.high
        + assumptions.custom_metric_delay.high
        + assumptions.probe_timeout.high
    )


def _fires(
    alarm: Alarm, effect: Effect, assumptions: Assumptions, chance: random.Random
) -> float | None:
    """Seconds from one fault until the alarm fires; None where it does not."""
    wanted = alarm.evaluation_periods + round(assumptions.extra_periods.draw(chance))
    width = alarm.period_seconds // MINUTE
    fault_at = MINUTE * chance.random()
    last = 2 * wanted * width + 6
    minutes = range(-wanted * width - 1, last + 1)
    stream = stream_of(
        alarm.metric,
        effect,
        fault_at=fault_at,
        minutes=minutes,
        assumptions=assumptions,
        chance=chance,
    )
    interval = assumptions.evaluation_interval.draw(chance)
    at = interval * (chance.random() - 1)
    state = AlarmState.INSUFFICIENT_DATA
    while at < MINUTE * last:
        end = int(at // MINUTE)
        points = [
            _point(alarm, stream, range(end - (back + 1) * width, end - back * width), at)
            for back in range(wanted - 1, -1, -1)
        ]
        state = evaluate(
            points,
            evaluation_periods=alarm.evaluation_periods,
            datapoints_to_alarm=alarm.datapoints_to_alarm,
            missing=alarm.missing,
            former=state,
        )
        if state is AlarmState.ALARM:
            return max(0.0, at - fault_at)
        at += interval
    return None


def _point(alarm: Alarm, stream: Stream, minutes: range, at: float) -> Point:
    """A period as it can be read at a moment."""
    pieces = [
        piece for minute in minutes for piece in stream.minutes.get(minute, ()) if piece[0] <= at
    ]
    if not pieces:
        return Point.MISSING
    _, counts, totals, least, most = zip(*pieces, strict=True)
    value = {
        "Average": sum(totals) / sum(counts),
        "Maximum": max(most),
        "Minimum": min(least),
        "SampleCount": float(sum(counts)),
        "Sum": sum(totals),
    }[alarm.statistic]
    return point(value, alarm.comparison, alarm.threshold)
