"""The resources that decide failover: metrics, alarms, health checks, and record pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from resiliency.failover_model.alarm_evaluation import Comparison, Missing
from resiliency.failover_model.expressions import Reference
from resiliency.failover_model.route53 import InsufficientData

TCP: Final = "TCP"
"""The kind of a health check that only connects."""

DEFAULT_REGIONS: Final = 8
"""The regions of Route 53's health checkers, unless a health check names some of them."""

ALIAS_TTL_SECONDS: Final = 60
"""How long resolvers cache an alias to a load balancer, which has no TTL of its own.

Source: Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """A CloudWatch metric; a dimension that only the deployment knows is ``${LogicalId}``."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    def dimension(self, name: str) -> str | None:
        """Return the value of a dimension; None if the metric does not have it."""
        return dict(self.dimensions).get(name)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A metric alarm.

    Attributes:
        statistic: Average, Maximum, Minimum, SampleCount or Sum.
        missing: How the alarm treats missing data; Route 53 ignores that.
        connects_only: Whether its metric is of a peer that is checked by a TCP connection alone.
    """

    name: str
    metric: Metric
    statistic: str
    comparison: Comparison
    threshold: float
    period_seconds: int
    evaluation_periods: int
    datapoints_to_alarm: int
    missing: Missing = Missing.MISSING
    connects_only: bool = False


@dataclass(frozen=True, slots=True)
class AlarmCheck:
    """A health check on the data stream of an alarm."""

    label: str
    alarm: Alarm
    insufficient_data: InsufficientData = InsufficientData.LAST_KNOWN_STATUS
    inverted: bool = False
    disabled: bool = False

    @property
    def connects_only(self) -> bool:
        """Whether the alarm is on a check of a peer that only opens a TCP connection."""
        return self.alarm.connects_only


@dataclass(frozen=True, slots=True)
class EndpointCheck:
    """A health check on an endpoint.

    Attributes:
        kind: HTTP, HTTPS, either with _STR_MATCH, or TCP.
        address: IP address or domain name of the endpoint.
        interval_seconds: Time between two requests of one health checker.
        failure_threshold: Failures in a row until a health checker finds the endpoint unhealthy.
        regions: How many regions the health checkers are in.
        timeout_seconds: Deadline of a check of a load balancer's target group, which the load
            balancer itself makes; None for health checkers of Route 53.
    """

    label: str
    kind: str
    address: str
    interval_seconds: int = 30
    failure_threshold: int = 3
    inverted: bool = False
    disabled: bool = False
    regions: int = DEFAULT_REGIONS
    timeout_seconds: int | None = None

    @property
    def connects_only(self) -> bool:
        """Whether the health check only opens a TCP connection."""
        return self.kind == TCP


@dataclass(frozen=True, slots=True)
class CalculatedCheck:
    """A calculated health check: ``threshold`` of its children must be healthy."""

    label: str
    children: tuple["HealthCheck", ...]
    threshold: int
    inverted: bool = False
    disabled: bool = False


HealthCheck: TypeAlias = AlarmCheck | EndpointCheck | CalculatedCheck
"""Any health check; reports show its label, and a disabled one is healthy whatever happens."""

BasicHealthCheck: TypeAlias = AlarmCheck | EndpointCheck
"""A health check that measures something itself."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a failover pair.

    Attributes:
        values: Addresses or names, or the alias's target.
        health_check: The health check of the record; always healthy without one.
        evaluates_target: Whether it is an alias that also follows the health of a target that the
            templates do not describe, which is left out.
        check_reference: The resource of its health check, where templates have it.
    """

    values: tuple[str, ...]
    ttl_seconds: int
    health_check: HealthCheck | None = None
    evaluates_target: bool = False
    check_reference: Reference | None = field(default=None, compare=False, repr=False)

    @property
    def checks(self) -> Sequence[BasicHealthCheck]:
        """The health checks that decide, without calculated ones and without duplicates."""
        return list(dict.fromkeys(_below(self.health_check)))

    @property
    def alarms(self) -> Sequence[Alarm]:
        """The alarms that the deciding health checks follow."""
        return [check.alarm for check in self.checks if isinstance(check, AlarmCheck)]


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair of failover records.

    Attributes:
        name: DNS name, without a dot at its end.
        known: What its service file gives in place of assumptions: name, least and most.
        dependency: Short name of the dependency whose own name it is; None for a service's pair,
            behind whose records are hosts.
        stack: Name of the template that defines its primary.
    """

    name: str
    record_type: str
    primary: Record
    secondary: Record
    known: tuple[tuple[str, float, float], ...] = ()
    dependency: str | None = None
    stack: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RefusedPair:
    """A pair that has no failover time, since AWS refuses it or the model can't follow it.

    Attributes:
        name: DNS name of the pair, or else where its record is.
    """

    name: str
    record_type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Probe:
    """The sampling settings in a probe's configuration.

    Attributes:
        connecting_peers: Hosts to which their peers only connect, by TCP.
    """

    namespace: str
    interval_seconds: float
    timeout_seconds: float
    connecting_peers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailoverGraph:
    """The resources that decide failover in a set of templates.

    The alarms include those that no health check follows.
    """

    pairs: Sequence[Pair]
    alarms: Sequence[Alarm]
    probes: Sequence[Probe] = ()
    refused: Sequence[RefusedPair] = ()


def _below(check: HealthCheck | None) -> Iterator[BasicHealthCheck]:
    if isinstance(check, CalculatedCheck):
        for child in check.children:
            yield from _below(child)
    elif check is not None:
        yield check
