"""What decides failover, as data: signal, alarm, health check, record pair."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from resiliency.failover_model.alarm_evaluation import Comparison, Missing
from resiliency.failover_model.route53 import InsufficientData

ALIAS_TTL_SECONDS: Final = 60
"""How long resolvers keep an alias to a load balancer; it has no TTL of its own.

Source: Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured.

    Attributes:
        namespace: CloudWatch namespace.
        name: Name of the metric.
        dimensions: Pairs of name and value. What only the deployment knows stands there as
            ``${LogicalId}``.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    def dimension(self, name: str) -> str | None:
        """The value of a dimension, None without one of that name."""
        return dict(self.dimensions).get(name)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A metric alarm.

    Attributes:
        name: Name of the alarm.
        metric: What it watches.
        statistic: Average, Maximum, Minimum, SampleCount or Sum.
        comparison: How the statistic is compared.
        threshold: What with, in the metric's unit.
        period_seconds: Length of a period.
        evaluation_periods: N.
        datapoints_to_alarm: M.
        missing: What the alarm takes missing data for. Route 53 does not look at it.
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


@dataclass(frozen=True, slots=True)
class AlarmCheck:
    """A health check that reads the data stream of an alarm.

    Attributes:
        label: How a report names it.
        alarm: The alarm whose rule Route 53 copied.
        insufficient_data: What too little data counts as.
        inverted: The opposite is its status.
        disabled: It is healthy without being looked at.
    """

    label: str
    alarm: Alarm
    insufficient_data: InsufficientData = InsufficientData.LAST_KNOWN_STATUS
    inverted: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class EndpointCheck:
    """A health check that asks an endpoint.

    Attributes:
        label: How a report names it.
        kind: HTTP, HTTPS, either with _STR_MATCH, or TCP.
        address: IP address or domain name that is asked.
        interval_seconds: Time between two requests of one health checker.
        failure_threshold: Failures in a row until a health checker finds it unhealthy.
        inverted: The opposite is its status.
        disabled: It is healthy without being asked.
    """

    label: str
    kind: str
    address: str
    interval_seconds: int = 30
    failure_threshold: int = 3
    inverted: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class CalculatedCheck:
    """A health check that counts healthy ones among others.

    Attributes:
        label: How a report names it.
        children: Those counted.
        threshold: How many must be healthy.
        inverted: The opposite is its status.
        disabled: It is healthy without counting.
    """

    label: str
    children: tuple["HealthCheck", ...]
    threshold: int
    inverted: bool = False
    disabled: bool = False


HealthCheck: TypeAlias = AlarmCheck | EndpointCheck | CalculatedCheck
"""A health check of any kind."""

Leaf: TypeAlias = AlarmCheck | EndpointCheck
"""A health check that measures something itself."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a failover pair.

    Attributes:
        values: Addresses or names, or the alias's target.
        ttl_seconds: How long resolvers keep it.
        health_check: What decides about it; always healthy without one.
        evaluates_target: It is an alias that also follows its target's health.
    """

    values: tuple[str, ...]
    ttl_seconds: int
    health_check: HealthCheck | None = None
    evaluates_target: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """A failover pair.

    Attributes:
        name: DNS name without the dot at its end.
        record_type: A, AAAA or another one.
        primary: Answers while it is healthy.
        secondary: Answers while the primary is not.
    """

    name: str
    record_type: str
    primary: Record
    secondary: Record


@dataclass(frozen=True, slots=True)
class Probe:
    """How often a probe asks, as its configuration in the templates says.

    Attributes:
        namespace: CloudWatch namespace that it publishes to.
        interval_seconds: Time between two samples of a target.
        timeout_seconds: Deadline of a sample.
    """

    namespace: str
    interval_seconds: float
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class FailoverGraph:
    """All that the templates say.

    Attributes:
        pairs: The failover pairs, in the order of the templates.
        alarms: The metric alarms, those too that no health check reads.
        probes: The probes whose configuration is there.
    """

    pairs: Sequence[Pair]
    alarms: Sequence[Alarm]
    probes: Sequence[Probe] = ()


def leaves(check: HealthCheck | None) -> Iterator[Leaf]:
    """The health checks below one that measure something themselves, each once."""
    seen: set[Leaf] = set()
    for leaf in _leaves(check):
        if leaf not in seen:
            seen.add(leaf)
            yield leaf


def _leaves(check: HealthCheck | None) -> Iterator[Leaf]:
    if isinstance(check, CalculatedCheck):
        for child in check.children:
            yield from _leaves(child)
    elif check is not None:
        yield check
