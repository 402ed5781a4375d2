"""Why a fault never moves clients to the secondary."""

from collections.abc import Mapping

from resiliency.failover_model.faults import Effect, Fault, metric_effect, watched_host
from resiliency.failover_model.graph import (
    AlarmCheck,
    FailoverGraph,
    HealthCheck,
    Leaf,
    Pair,
    leaves,
)
from resiliency.failover_model.route53 import InsufficientData


def why_never(
    graph: FailoverGraph, pair: Pair, fault: Fault, effects: Mapping[Leaf, Effect]
) -> str:
    """The reason, as one line.

    Args:
        graph: What decides, with the alarms that don't.
        pair: The pair that stays with its primary.
        fault: What breaks.
        effects: What each health check of the pair shows of it.
    """
    check = pair.primary.health_check
    if check is None:
        if pair.primary.evaluates_target:
            return "the primary follows its alias target's health, which no template tells"
        return "the primary has no health check, so it always answers"
    if check.disabled:
        return f"{check.label} is disabled, which counts as healthy"
    shown = {leaf: effects[leaf] for leaf in leaves(check) if effects[leaf] is not Effect.NONE}
    if not shown:
        return _unseen(graph, pair, fault, check)
    unknown = [leaf.label for leaf, what in shown.items() if what is Effect.UNKNOWN]
    if len(unknown) == len(shown):
        return f"what {', '.join(unknown)} shows of it is not known to the model"
    return "; ".join(
        _unmoved(leaf, what) for leaf, what in shown.items() if what is not Effect.UNKNOWN
    )


def _unseen(graph: FailoverGraph, pair: Pair, fault: Fault, check: HealthCheck) -> str:
    deciding = ", ".join(leaf.label for leaf in leaves(check))
    host = watched_host(pair)
    seeing = [
        alarm.name
        for alarm in graph.alarms
        if host is not None
        and alarm.metric.dimension("Host") == host
        and metric_effect(fault, alarm, host=host) is not Effect.NONE
    ]
    if seeing:
        return f"only {', '.join(seeing)} would show it, which decides nothing ({deciding} does)"
    return f"no signal that decides ({deciding}) shows it"


def _unmoved(leaf: Leaf, shown: Effect) -> str:
    if leaf.disabled:
        return f"{leaf.label} {shown.value}, but is disabled"
    if leaf.inverted:
        return f"{leaf.label} {shown.value}, but is inverted"
    if (
        shown is Effect.SILENT
        and isinstance(leaf, AlarmCheck)
        and leaf.insufficient_data is not InsufficientData.UNHEALTHY
    ):
        silence = leaf.insufficient_data.value
        return f"{leaf.label} {shown.value}, and too little data counts as {silence}"
    return f"{leaf.label} {shown.value}, which is not enough to move the answer"
