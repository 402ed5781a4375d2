"""The resources of a rehearsal: hosts, records, alarms and their topics, the probe."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from resiliency.failover_model.graph import Alarm, FailoverGraph, Pair
from staged_resiliency.shared import names

STATUS_METRICS: Final = (
    "StatusCheckFailed",
    "StatusCheckFailed_Instance",
    "StatusCheckFailed_System",
)
"""EC2's metrics of an instance's status checks."""

HEALTH_METRIC: Final = "HealthCheckStatus"
"""Route 53's metric of a health check: 1 while it is healthy, else 0."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the pair.

    Attributes:
        name: Its Name tag.
        address: Its value in the record: an address, or an alias target's name.
        instance_id: EC2 instance id, None where no alarm names it.
    """

    name: str
    address: str
    instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """The failover of one service, as templates describe it.

    Attributes:
        environment: Short name of the environment; empty where the templates contain none.
        stack: Name of the record pair's stack or template, without its ending ``-failover``.
        actions: Names of the topics that each alarm's states notify, by alarm and state.
        probe: Content of the probe's configuration file, None without a probe.
        path: Where clients ask the service.
        objective_seconds: Recovery time objective, None where the templates contain none.
        failover_alarms: Names of the alarms on the status of the primary's health check.
        observers: The hosts whose probes decide, for the pair of a dependency's own name; its
            ``hosts`` are its primary and its secondary.
    """

    service: str
    environment: str
    region: str
    account: str
    graph: FailoverGraph
    pair: Pair
    active: Host
    standby: Host
    actions: Mapping[str, Mapping[str, Sequence[str]]]
    probe: Mapping[str, Any] | None
    path: str
    objective_seconds: float | None
    failover_alarms: frozenset[str] = frozenset()
    stack: str = ""
    observers: tuple[Host, ...] = ()

    @property
    def dependency(self) -> str | None:
        """Short name of the dependency whose own name is rehearsed; None for a pair of hosts."""
        return self.pair.dependency

    @property
    def address_type(self) -> str:
        """The record type that clients ask for: a CNAME leads them to an IPv4 address."""
        return "A" if self.pair.record_type == "CNAME" else self.pair.record_type

    @property
    def label(self) -> str:
        """The record's name; with its type where it has IPv6 addresses."""
        pair = self.pair
        return pair.name if self.address_type == "A" else f"{pair.name} {pair.record_type}"

    @property
    def hosts(self) -> Sequence[Host]:
        """The active host and the standby."""
        return (self.active, self.standby)

    @property
    def dependencies(self) -> Sequence[str]:
        """The dependencies that the probe measures and an alarm of the active host watches."""
        if self.dependency is not None:
            return []
        measured = [each["metric"] for each in (self.probe or {}).get("targets", ())]
        primaries = [
            names.primary_of(each.dependency) for each in self.graph.pairs if each.dependency
        ]
        watched = [
            alarm.metric.name.removesuffix(names.connectivity_metric(""))
            for alarm in self.graph.alarms
            if alarm.metric.name in measured and alarm.metric.dimension("Host") == self.active.name
        ]
        return [name for name in dict.fromkeys(watched) if name not in primaries]

    def check_of(self, dependency: str) -> str:
        """Return how the probe checks a dependency, such as ``tcp``."""
        metric = names.connectivity_metric(dependency)
        targets = (self.probe or {}).get("targets", ())
        return next((str(each["check"]) for each in targets if each["metric"] == metric), "")

    def is_measured(self, alarm: Alarm) -> bool:
        """Whether the rehearsal publishes the metric of an alarm; others count as healthy."""
        metric = alarm.metric
        if alarm.name in self.failover_alarms:
            return True
        if metric.namespace == "AWS/EC2":
            return metric.name in STATUS_METRICS and self.host_of(alarm) is not None
        if self.probe is None or metric.namespace != self.probe["namespace"]:
            return False
        published = {each["metric"] for each in self.probe.get("targets", ())}
        if "peers" in self.probe:
            published.add(names.PEER_METRIC)
        return (
            metric.name in {*published, names.HEARTBEAT_METRIC} and self.host_of(alarm) is not None
        )

    @property
    def alarms(self) -> Sequence[Alarm]:
        """The alarms whose metrics the rehearsal publishes."""
        return [alarm for alarm in self.graph.alarms if self.is_measured(alarm)]

    def host_of(self, alarm: Alarm) -> Host | None:
        """Return the host that an alarm watches; None if it watches none of them."""
        for host in (*self.hosts, *self.observers):
            if host.name == alarm.metric.dimension("Host"):
                return host
            instance = alarm.metric.dimension("InstanceId")
            if instance is not None and host.instance_id == instance:
                return host
        return None


def answer_address(host: Host, record_type: str, number: int) -> str:
    """Return the address that DNS answers for a host; of an alias, one made for documentation."""
    try:
        return str(ipaddress.ip_address(host.address))
    except ValueError:
        # RFC 5737 and RFC 3849
        return f"192.0.2.{number}" if record_type == "A" else f"2001:db8::{number}"
