"""Explains verdicts: why clients never move, and which assumptions affect their times."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from resiliency.failover_model.assumptions import Assumptions, extra_periods_name
from resiliency.failover_model.faults import Effect, Fault, FaultKind, metric_effect, watched_host
from resiliency.failover_model.graph import (
    AlarmCheck,
    BasicHealthCheck,
    EndpointCheck,
    FailoverGraph,
    Pair,
)
from resiliency.failover_model.route53 import InsufficientData
from staged_resiliency.shared import names

LEFT_OUT: Final = (
    "EvaluateTargetHealth of the primary's alias is left out, as the templates do not describe its "
    "target"
)


UNKNOWN: Final = "the model does not know how the fault shows in"
"""Begins the explanation where the metrics that decide are somebody else's."""


def explain_no_failover(
    graph: FailoverGraph, pair: Pair, fault: Fault, effects: Mapping[BasicHealthCheck, Effect]
) -> str:
    """Explain in one line why a fault never moves clients to the secondary."""
    check = pair.primary.health_check
    if check is None:
        if pair.primary.evaluates_target:
            return f"{LEFT_OUT}, and nothing else decides"
        return "the primary has no health check, so it always answers"
    if check.disabled:
        return f"{check.label} is disabled, which counts as healthy"
    shown = {
        each: effects[each] for each in pair.primary.checks if effects[each] is not Effect.NONE
    }
    if not shown:
        return _unseen(graph, pair, fault)
    unknown = [each.label for each, effect in shown.items() if effect is Effect.UNKNOWN]
    if len(unknown) == len(shown):
        return f"{UNKNOWN} {', '.join(unknown)}"
    return "; ".join(
        _unmoved(each, effect) for each, effect in shown.items() if effect is not Effect.UNKNOWN
    )


def _unseen(graph: FailoverGraph, pair: Pair, fault: Fault) -> str:
    connecting = [each.label for each in pair.primary.checks if each.connects_only]
    if fault.kind is FaultKind.ENDPOINT_HANGS and connecting:
        return (
            f"{', '.join(connecting)} only connects, and the system accepts connections until its "
            "queue is full"
        )
    deciding = ", ".join(each.label for each in pair.primary.checks)
    # Behind a dependency's own name there is no host of which other alarms could show the fault.
    host = watched_host(pair) if pair.dependency is None else None
    seeing = [
        alarm.name
        for alarm in graph.alarms
        if host is not None
        and alarm.metric.dimension("Host") == host
        and metric_effect(fault, alarm, host=host) is not Effect.NONE
    ]
    if seeing:
        return f"only {', '.join(seeing)} would show it, which does not decide ({deciding} does)"
    return f"no deciding signal ({deciding}) shows it"


def _unmoved(check: BasicHealthCheck, shown: Effect) -> str:
    if check.disabled:
        return f"{check.label} {shown.value}, but is disabled"
    if check.inverted:
        return f"{check.label} {shown.value}, but is inverted"
    if (
        shown is Effect.SILENT
        and isinstance(check, AlarmCheck)
        and check.insufficient_data is not InsufficientData.UNHEALTHY
    ):
        silence = check.insufficient_data.value
        return f"{check.label} {shown.value}, and insufficient data counts as {silence}"
    return f"{check.label} {shown.value}, which is not enough to change the answer"


def sensitive_to(
    pair: Pair, effects: Mapping[BasicHealthCheck, Effect], assumptions: Assumptions
) -> Sequence[str]:
    """Return the names of the assumptions that affect a failover's time, in their order."""
    affecting = {
        name
        for check, shown in effects.items()
        if shown not in (Effect.NONE, Effect.UNKNOWN) and not check.disabled
        for name in _of_signal(check, shown)
    }
    affecting |= {"dns_propagation", "client_cache"}
    if assumptions.resolver_floor.high > pair.primary.ttl_seconds:
        affecting.add("resolver_floor")
    if assumptions.stretching_share.high:
        affecting |= {"stretching_share", "stretched_ttl"}
    return [name for name, _ in assumptions.ranges() if name in affecting]


def _of_signal(check: BasicHealthCheck, shown: Effect) -> Iterator[str]:
    yield "health_check_uptake"
    if isinstance(check, EndpointCheck):
        if check.timeout_seconds is None:
            yield "checkers"
        return
    yield "evaluation_interval"
    if shown is Effect.SILENT:
        yield extra_periods_name(check.alarm.period_seconds)
    if check.alarm.metric.namespace.startswith("AWS/"):
        yield "status_metric_delay"
        if shown is Effect.IMPAIRED:
            yield "status_check"
    else:
        yield from ("custom_metric_delay", "probe_batch")
        if check.alarm.metric.name != names.HEARTBEAT_METRIC:
            yield "probe_interval"
        if shown in (Effect.UNANSWERED, Effect.UNRESPONSIVE, Effect.INTERRUPTED):
            yield "probe_timeout"
