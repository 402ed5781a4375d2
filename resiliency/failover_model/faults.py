"""The faults of the model, and the effect of each on signals."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from resiliency.failover_model.graph import (
    Alarm,
    BasicHealthCheck,
    EndpointCheck,
    FailoverGraph,
    Metric,
    Pair,
)
from staged_resiliency.shared import names

_STATUS_METRICS: Final = ("StatusCheckFailed", "StatusCheckFailed_Instance")
_STATUS_PREFIX: Final = "StatusCheckFailed"


class FaultKind(Enum):
    """Kinds of faults of the primary's host."""

    HOST_STOPPED = "host stopped"
    """The instance is stopped: it sends nothing and answers nothing."""
    HOST_IMPAIRED = "host impaired"
    """The instance runs, but is unreachable and its status check fails."""
    ENDPOINT_DEAD = "endpoint dead"
    """The host is healthy, but its service refuses connections."""
    ENDPOINT_HANGS = "endpoint hangs"
    """The host is healthy, but its service accepts connections and never responds."""
    DEPENDENCY_BLACKHOLED = "dependency blackholed"
    """Whatever the host sends to a dependency is lost; its endpoint still answers."""
    DEPENDENCY_DEGRADED = "dependency degraded"
    """A dependency answers late, or after packets were sent again, and in time for the probe."""
    DATABASE_FAILED_OVER = "database failed over"
    """A dependency is a database that fails over; both hosts lose it for a minute or two."""
    PROBE_DEAD = "probe dead"
    """The host's probe publishes nothing; clients are served as before."""
    PRIMARY_LOST = "primary lost"
    """The primary of a dependency that fails over by itself answers nobody."""
    SECONDARY_LOST = "secondary lost"
    """Its secondary answers nobody; its primary serves as before."""
    HOST_CUT_OFF = "host cut off"
    """One host does not reach its primary, and all other clients do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the primary's host, or of a dependency that is named."""

    kind: FaultKind
    dependency: str | None = None

    @property
    def hurts(self) -> bool:
        """Whether clients lose the service where they are, so that a failover helps them."""
        return self.kind not in _HARMLESS

    def __str__(self) -> str:
        """Name the fault in reports."""
        return f"{self.kind.value}: {self.dependency}" if self.dependency else self.kind.value


class Effect(Enum):
    """The effect of a fault on a signal."""

    NONE = "is not affected"
    SILENT = "falls silent"
    IMPAIRED = "fails once EC2's check does"
    UNANSWERED = "fails after its deadline"
    REFUSED = "fails at once"
    UNRESPONSIVE = "connects and gets no response"
    INTERRUPTED = "fails for a minute or two"
    UNKNOWN = "is unknown to the model"


_OF_DEPENDENCIES: Final = (
    FaultKind.DEPENDENCY_BLACKHOLED,
    FaultKind.DEPENDENCY_DEGRADED,
    FaultKind.DATABASE_FAILED_OVER,
)
# Faults of the pair that has a dependency's own name; those of a pair of hosts are all others.
_OF_OWN_NAME: Final = (FaultKind.PRIMARY_LOST, FaultKind.SECONDARY_LOST, FaultKind.HOST_CUT_OFF)
# No clients of the pair's name lose the service, or no failover helps them.
_HARMLESS: Final = (
    FaultKind.DATABASE_FAILED_OVER,
    FaultKind.PROBE_DEAD,
    FaultKind.DEPENDENCY_DEGRADED,
    FaultKind.SECONDARY_LOST,
    FaultKind.HOST_CUT_OFF,
)
_UNREACHABLE: Final = (FaultKind.HOST_STOPPED, FaultKind.HOST_IMPAIRED)


def faults_of(graph: FailoverGraph, pair: Pair) -> Sequence[Fault]:
    """List the faults of a pair's primary host: each kind, and each measured dependency.

    A degraded dependency is left out, as it moves clients in no design, and one that fails over, as
    templates do not say which dependency is a database. The pair of a dependency's own name has
    faults of its own.
    """
    if pair.dependency is not None:
        seen_by_hosts = _hosts_that_decide(pair)
        return [
            Fault(kind, pair.dependency)
            for kind in _OF_OWN_NAME
            if kind is not FaultKind.HOST_CUT_OFF or seen_by_hosts
        ]
    primaries = [names.primary_of(each.dependency) for each in graph.pairs if each.dependency]
    host = watched_host(pair)
    dependencies = [
        name
        for alarm in graph.alarms
        if (name := dependency_of(alarm.metric))
        and name not in primaries
        and (host is None or alarm.metric.dimension("Host") == host)
    ]
    return [
        *(Fault(kind) for kind in FaultKind if kind not in (*_OF_DEPENDENCIES, *_OF_OWN_NAME)),
        *(Fault(FaultKind.DEPENDENCY_BLACKHOLED, name) for name in dict.fromkeys(dependencies)),
    ]


def dependency_of(metric: Metric) -> str | None:
    """Return the dependency that a probe's metric measures, None for other metrics."""
    if metric.name == names.PEER_METRIC or metric.dimension("Host") is None:
        return None
    name = metric.name.removesuffix(names.connectivity_metric(""))
    return name if name != metric.name else None


def watched_host(pair: Pair) -> str | None:
    """Return the host that the primary's signals watch, None where they do not name it."""
    for alarm in pair.primary.alarms:
        named = alarm.metric.dimension("Host")
        if named is not None:
            return named
        # The library's status alarms carry the host's name.
        host = alarm.name.removesuffix(names.status_alarm(""))
        if host != alarm.name:
            return host
    return None


def effect(fault: Fault, check: BasicHealthCheck, pair: Pair, *, of_primary: bool) -> Effect:
    """Return the effect of a fault of the primary's host on a health check.

    Signals below the primary's health check (``of_primary``) are *assumed* to watch the primary's
    host, except an endpoint with the secondary's address.
    """
    if pair.dependency is not None:
        return _effect_on_own_name(fault, check, pair, of_primary=of_primary)
    if isinstance(check, EndpointCheck):
        # Both records may have the same reference: one template, deployed in two regions.
        primarys = check.address in pair.primary.values
        ambiguous = primarys == (check.address in pair.secondary.values)
        mine = of_primary if ambiguous else primarys
        if fault.kind is FaultKind.ENDPOINT_HANGS and check.connects_only:
            return Effect.NONE  # the system accepts connections until its queue is full
        return _endpoint_effect(fault) if mine else Effect.NONE
    return metric_effect(fault, check.alarm, host=watched_host(pair), watches_host=of_primary)


def _effect_on_own_name(
    fault: Fault, check: BasicHealthCheck, pair: Pair, *, of_primary: bool
) -> Effect:
    if isinstance(check, EndpointCheck):
        values = pair.primary.values if of_primary else pair.secondary.values
        others = pair.secondary.values if of_primary else pair.primary.values
        # What has neither's name is about the record's own side, as far as one can know.
        mine = of_primary == (check.address in values or check.address not in others)
        lost = FaultKind.PRIMARY_LOST if mine else FaultKind.SECONDARY_LOST
        return Effect.UNANSWERED if fault.kind is lost else Effect.NONE
    measured = dependency_of(check.alarm.metric)
    if measured not in (pair.dependency, names.primary_of(pair.dependency or "")):
        return Effect.UNKNOWN
    cut_off = check.alarm.metric.dimension("Host") == _hosts_that_decide(pair)[-1]
    fails = fault.kind is FaultKind.PRIMARY_LOST or (
        fault.kind is FaultKind.HOST_CUT_OFF and cut_off
    )
    return Effect.UNANSWERED if fails else Effect.NONE


def _hosts_that_decide(pair: Pair) -> Sequence[str]:
    hosts = [alarm.metric.dimension("Host") for alarm in pair.primary.alarms]
    return [host for host in hosts if host]


def metric_effect(
    fault: Fault, alarm: Alarm, *, host: str | None, watches_host: bool = True
) -> Effect:
    """Return the effect of a fault on an alarm's metric; ``host`` is the affected one, if known."""
    metric = alarm.metric
    if metric.name == names.PEER_METRIC:
        if host is not None and metric.dimension("Observer") == host:
            gone = fault.kind in (*_UNREACHABLE, FaultKind.PROBE_DEAD)
            return Effect.SILENT if gone else Effect.NONE
        if fault.kind is FaultKind.ENDPOINT_HANGS and alarm.connects_only:
            return Effect.NONE
        return _endpoint_effect(fault) if watches_host else Effect.NONE
    status = metric.namespace == "AWS/EC2" and metric.name.startswith(_STATUS_PREFIX)
    dependency = dependency_of(metric)
    if not (status or dependency or metric.name == names.HEARTBEAT_METRIC):
        return Effect.UNKNOWN
    if fault.kind is FaultKind.DATABASE_FAILED_OVER:  # both hosts lose it
        mine = dependency is not None and fault.dependency == dependency
        return Effect.INTERRUPTED if mine else Effect.NONE
    if not watches_host:
        return Effect.NONE
    if status:
        if fault.kind is FaultKind.HOST_STOPPED:
            return Effect.SILENT
        impaired = fault.kind is FaultKind.HOST_IMPAIRED and metric.name in _STATUS_METRICS
        return Effect.IMPAIRED if impaired else Effect.NONE
    if fault.kind in (*_UNREACHABLE, FaultKind.PROBE_DEAD):
        return Effect.SILENT
    mine = fault.kind is FaultKind.DEPENDENCY_BLACKHOLED and fault.dependency == dependency
    return Effect.UNANSWERED if mine else Effect.NONE


def _endpoint_effect(fault: Fault) -> Effect:
    if fault.kind in _UNREACHABLE:
        return Effect.UNANSWERED
    if fault.kind is FaultKind.ENDPOINT_HANGS:
        return Effect.UNRESPONSIVE
    return Effect.REFUSED if fault.kind is FaultKind.ENDPOINT_DEAD else Effect.NONE
