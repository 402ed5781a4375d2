"""The prediction of a scenario by the failover-time model: alarms, failover and recovery."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from resiliency.failover_model.alarm_evaluation import AlarmState, Missing, evaluate
from resiliency.failover_model.alarm_readings import (
    alarm_readings,
    draw_periods_read,
    evaluation_cost,
    points_of,
)
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Effect, Fault, FaultKind, metric_effect
from resiliency.failover_model.faults import effect as effect_of_fault
from resiliency.failover_model.graph import (
    Alarm,
    AlarmCheck,
    BasicHealthCheck,
    EndpointCheck,
    FailoverGraph,
)
from resiliency.failover_model.overrides import assumptions_for_pair, with_probe_settings
from resiliency.failover_model.probe_settings import slowest_pace
from resiliency.failover_model.simulation import Percentiles, Verdict, failover_times
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.scenarios import DATABASE_CHECKS, Action, Scenario
from staged_resiliency.shared import time_limits
from staged_resiliency.shared.time_limits import MINUTE

FIRINGS: Final = 300
"""How many faults are simulated for each alarm."""

_LEAST_FIRINGS: Final = 20
_MOST_COST: Final = 3_000_000

OUTAGES: Final = 2_000
"""How many outages are simulated for clients."""

_STRENGTH: Final = (
    Effect.NONE,
    Effect.UNKNOWN,
    Effect.REFUSED,
    Effect.UNRESPONSIVE,
    Effect.INTERRUPTED,
    Effect.UNANSWERED,
    Effect.IMPAIRED,
    Effect.SILENT,
)


@dataclass(frozen=True, slots=True)
class Firing:
    """How often and how soon an alarm fires after a fault.

    ``share`` is from 0 to 1; ``seconds`` is None where it never fires.
    """

    share: float
    seconds: Percentiles | None


def assumptions_for(deployment: Deployment) -> Assumptions:
    """Return the model's assumptions, with the values of the templates."""
    alone = FailoverGraph([deployment.pair], deployment.graph.alarms)
    assumptions = assumptions_for_pair(alone, deployment.pair, Assumptions())
    pace = slowest_pace(deployment.probe) if deployment.probe is not None else None
    return assumptions if pace is None else with_probe_settings(assumptions, *pace)


def fault_of(scenario: Scenario) -> Fault:
    """Return the model's fault for a scenario."""
    return {
        Action.STOP: Fault(FaultKind.HOST_STOPPED),
        Action.HANG: Fault(FaultKind.ENDPOINT_HANGS),
        Action.BLACKHOLE: Fault(FaultKind.DEPENDENCY_BLACKHOLED, scenario.dependency),
        # A sample that gets no answer ends at the same deadline as one that gets no connection.
        Action.HANG_DEPENDENCY: Fault(FaultKind.DEPENDENCY_BLACKHOLED, scenario.dependency),
        Action.DEGRADE: Fault(FaultKind.DEPENDENCY_DEGRADED, scenario.dependency),
        Action.FAIL_OVER: Fault(FaultKind.DATABASE_FAILED_OVER, scenario.dependency),
        Action.LOSE_PRIMARY: Fault(FaultKind.PRIMARY_LOST, scenario.dependency),
        Action.LOSE_SECONDARY: Fault(FaultKind.SECONDARY_LOST, scenario.dependency),
        Action.KILL_PROBE: Fault(FaultKind.PROBE_DEAD),
    }[scenario.action]


def is_hidden(deployment: Deployment, scenario: Scenario) -> bool:
    """Whether the probe can't notice a fault: a dependency hangs, and the probe only connects."""
    hangs = scenario.action is Action.HANG_DEPENDENCY
    return hangs and deployment.check_of(scenario.dependency or "") == "tcp"


def predict_failovers(
    deployment: Deployment, assumptions: Assumptions, seed: int, *, outages: int = OUTAGES
) -> Mapping[Fault, Verdict]:
    """Predict when clients move, for each fault of the primary's host that the model knows."""
    alone = FailoverGraph([deployment.pair], deployment.graph.alarms)
    databases = [
        Fault(FaultKind.DATABASE_FAILED_OVER, name)
        for name in deployment.dependencies
        if deployment.check_of(name) in DATABASE_CHECKS
    ]
    verdicts = failover_times(
        alone, outages=outages, seed=seed, assumptions=assumptions, also=databases
    )
    return {verdict.fault: verdict for verdict in verdicts}


def effect_on(deployment: Deployment, scenario: Scenario, alarm: Alarm) -> Effect:
    """Return the effect of a scenario on an alarm's metric; the worst if several hosts break."""
    if is_hidden(deployment, scenario):
        return Effect.NONE
    if deployment.dependency is not None:
        check, pair = AlarmCheck(alarm.name, alarm), deployment.pair
        return effect_of_fault(fault_of(scenario), check, pair, of_primary=True)
    effects = []
    for host in scenario.hosts:
        about = deployment.host_of(alarm)
        effect = metric_effect(
            fault_of(scenario),
            alarm,
            host=host.name,
            watches_host=about is not None and about.name == host.name,
        )
        effects.append(effect)
    return max(effects, key=_STRENGTH.index)


@lru_cache(maxsize=256)
def predict_firing(alarm: Alarm, effect: Effect, assumptions: Assumptions, seed: int) -> Firing:
    """Predict when an alarm fires after a fault, simulated at many moments of a minute."""
    chance = random.Random(f"{seed} {alarm.name} {effect}")  # noqa: S311 - no secret
    # Fewer for an alarm that looks back over hours, as each takes long.
    faults = min(FIRINGS, max(_LEAST_FIRINGS, _MOST_COST // evaluation_cost(alarm, assumptions)))
    times = [_seconds_to_alarm(alarm, effect, assumptions, chance) for _ in range(faults)]
    fired = [seconds for seconds in times if seconds is not None]
    return Firing(len(fired) / len(times), Percentiles.of(fired) if fired else None)


def recovery_seconds(alarm: Alarm, assumptions: Assumptions) -> float:
    """Return within how many seconds after a fault's end an alarm is OK: the worst case.

    The minute of the fault's end may still be bad. After it there must be as many good periods as
    leave fewer than M bad ones among N, the last of them must be published, and read.
    """
    good_periods = alarm.evaluation_periods - alarm.datapoints_to_alarm + 1
    return time_limits.alarm_recovery_seconds(
        bad_seconds=MINUTE,
        good_seconds=good_periods * alarm.period_seconds,
        publication_seconds=_publication_seconds(alarm, assumptions),
        evaluation_seconds=assumptions.evaluation_interval.high,
    )


def return_seconds(deployment: Deployment, assumptions: Assumptions) -> float:
    """Return within how many seconds after a fault's end clients are back: the worst case."""
    primary = deployment.pair.primary
    healthy = max(
        (_healthy_again(check, assumptions) for check in primary.checks),
        default=0.0,
    )
    return time_limits.client_return_seconds(
        healthy,
        primary.ttl_seconds,
        uptake_seconds=assumptions.health_check_uptake.high,
        propagation_seconds=assumptions.dns_propagation.high,
        resolver_floor_seconds=assumptions.resolver_floor.high,
        client_cache_seconds=assumptions.client_cache.high,
    )


def _healthy_again(check: BasicHealthCheck, assumptions: Assumptions) -> float:
    if isinstance(check, EndpointCheck):
        # A request that hangs when the fault ends, then answers in a row.
        return (check.failure_threshold + 1) * check.interval_seconds
    assert isinstance(check, AlarmCheck)  # noqa: S101 - there is no other kind
    every_one = replace(check.alarm, datapoints_to_alarm=check.alarm.evaluation_periods)
    return recovery_seconds(every_one, assumptions)


def _publication_seconds(alarm: Alarm, assumptions: Assumptions) -> float:
    if alarm.metric.namespace.startswith("AWS/"):
        return assumptions.status_metric_delay.high
    return (
        assumptions.probe_batch.high
        + assumptions.custom_metric_delay.high
        + assumptions.probe_timeout.high
    )


def _seconds_to_alarm(
    alarm: Alarm, effect: Effect, assumptions: Assumptions, chance: random.Random
) -> float | None:
    """Simulate one fault until the alarm fires; None where it does not."""
    periods_read = draw_periods_read(alarm, assumptions, chance)
    fault_at = MINUTE * chance.random()
    readings = alarm_readings(
        alarm,
        effect,
        periods_read=periods_read,
        fault_at=fault_at,
        assumptions=assumptions,
        chance=chance,
    )
    state = AlarmState.INSUFFICIENT_DATA
    for at, signs in readings.starting(readings.interval * (chance.random() - 1)):
        state = _state(
            signs, alarm.evaluation_periods, alarm.datapoints_to_alarm, alarm.missing, state
        )
        if state is AlarmState.ALARM:
            return max(0.0, at - fault_at)
    return None


@lru_cache(maxsize=4096)
def _state(
    signs: str,
    evaluation_periods: int,
    datapoints_to_alarm: int,
    missing: Missing,
    former: AlarmState,
) -> AlarmState:
    """Evaluate an alarm; few combinations of points occur, again and again."""
    return evaluate(
        points_of(signs),
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=datapoints_to_alarm,
        missing=missing,
        former=former,
    )
