"""On which of the numbers that no template tells the time of a failover rests."""

from collections.abc import Iterator, Mapping, Sequence

from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Effect
from resiliency.failover_model.graph import EndpointCheck, Leaf, Pair
from staged_resiliency.shared import names


def rests_on(pair: Pair, effects: Mapping[Leaf, Effect], assumptions: Assumptions) -> Sequence[str]:
    """The names of the numbers that a failover's time depends on, in the order of ``Assumptions``.

    Args:
        pair: The pair.
        effects: What each health check that measures something shows of the fault.
        assumptions: The numbers.
    """
    names = {
        name
        for leaf, shown in effects.items()
        if shown not in (Effect.NONE, Effect.UNKNOWN) and not leaf.disabled
        for name in _of_signal(leaf, shown)
    }
    names |= {"dns_propagation", "client_cache"}
    if assumptions.resolver_floor.high > pair.primary.ttl_seconds:
        names.add("resolver_floor")
    return [name for name, _ in assumptions.spans() if name in names]


def _of_signal(leaf: Leaf, shown: Effect) -> Iterator[str]:
    yield "health_check_uptake"
    if isinstance(leaf, EndpointCheck):
        yield "checkers"
        return
    yield from ("extra_periods", "evaluation_interval")
    if leaf.alarm.metric.namespace.startswith("AWS/"):
        yield "status_metric_delay"
        if shown is Effect.IMPAIRED:
            yield "status_check"
    else:
        yield from ("custom_metric_delay", "probe_batch")
        if leaf.alarm.metric.name != names.HEARTBEAT_METRIC:
            yield "probe_interval"
        if shown is Effect.UNANSWERED:
            yield "probe_timeout"
