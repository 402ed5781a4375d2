"""All of a blue/green pair's failover as one construct."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal
from weakref import WeakKeyDictionary

from aws_cdk import Duration, Stack
from aws_cdk import aws_route53 as route53
from constructs import Construct

from staged_resiliency.failover.alarms import InstanceStatusAlarm
from staged_resiliency.failover.health_checks import CalculatedHealthCheck, HealthCheck
from staged_resiliency.failover.records import AddressTarget, FailoverRecords, HostedZone
from staged_resiliency.failover.signals import (
    EndpointSignal,
    FailoverHost,
    Signal,
    StatusSignal,
    WatchedHost,
)
from staged_resiliency.notifications.topics import Topics
from staged_resiliency.shared import limits, names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.hosts import Color, other
from staged_resiliency.shared.literals import checked, wrong_type
from staged_resiliency.shared.stacks import stack_of


class InstanceFailover(Construct):
    """Failover of a pair: clients reach the active host while it is healthy, else the standby.

    Creates a status alarm for each host with an instance, a health check for each signal of the
    active host, where there are several signals one more that requires all of them, and the
    failover records.

    Args:
        service: Short name of the service; part of the records' identifiers.
        display_name: Name of the service in alarm texts; the short name unless given.
        blue: The blue host.
        green: The green host.
        active: The host that serves while it is healthy.
        hosted_zone: The zone of the record, as the CDK's own type, as ``HostedZone`` or as its
            id.
        record_name: DNS name that clients use.
        topic: Where the status alarms' change to ALARM is sent: one topic, or up to five.
        failover_on: Signals that must all be healthy; the EC2 status checks unless given.
            ``"status"`` is short for ``StatusSignal()``, ``"endpoint"`` for ``EndpointSignal()``.
        ttl_seconds: TTL of the records in seconds or as a ``Duration``; 60 unless given.
        status_period_seconds: Period of the status alarms, a multiple of 60 seconds; 60 unless
            given. Seconds, or a ``Duration``.
        status_evaluation_periods: Periods in a row that must breach; 1 unless given.
        status_statistic: Statistic of the status alarms; Maximum unless given.
        status_threshold: Threshold of the status alarms; 1 unless given.
        notify_recovery: Also send the return to OK; not sent unless given.

    Raises:
        InvalidInputError: A value that AWS would refuse, two hosts with the same name, instance
            or address, a host that another failover of the stack has, no signal, or a signal that
            the active host does not have.

    Attributes:
        service: Short name of the service.
        hosts: The hosts, by colour.
        active: The colour of the host that serves while it is healthy.
        signals: The signals, as ``failover_on`` has them.
        status_alarms: The status alarm of each host that has one, by colour.
        signal_health_checks: One health check per signal, in the order of ``failover_on``.
        health_check: The health check of the primary record.
        records: The failover records.

    Example:
        >>> from aws_cdk import App, Environment, Stack
        >>> from staged_resiliency import AddressTarget
        >>> stack = Stack(App(), "Shop", env=Environment(account="1" * 12, region="eu-west-1"))
        >>> failover = InstanceFailover(
        ...     stack,
        ...     "Failover",
        ...     service="shop",
        ...     blue=FailoverHost(
        ...         "shop-blue", AddressTarget(ipv4="52.11.79.8"), "i-0123456789abcdef0"
        ...     ),
        ...     green=FailoverHost("shop-green", AddressTarget(ipv4="52.11.79.9")),
        ...     active="blue",
        ...     hosted_zone=HostedZone("example.com", "Z2EHK3FAEUNRMI"),
        ...     record_name="shop.example.com",
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> failover.status_alarms["blue"].alarm_name
        'shop-blue-StatusCheckFailed'
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: str,
        blue: FailoverHost,
        green: FailoverHost,
        active: Color,
        hosted_zone: route53.IHostedZone | HostedZone | str,
        record_name: str,
        topic: Topics,
        display_name: str | None = None,
        failover_on: Sequence[Signal | Literal["status", "endpoint"]] = ("status",),
        ttl_seconds: int | Duration = limits.RECOMMENDED_TTL_SECONDS,
        status_period_seconds: int | Duration = 60,
        status_evaluation_periods: int = 1,
        status_statistic: str = "Maximum",
        status_threshold: float = 1,
        notify_recovery: bool = False,
    ) -> None:
        hosts: Mapping[Color, FailoverHost] = {"blue": blue, "green": green}
        for color, host in hosts.items():
            if not isinstance(host, FailoverHost):
                raise wrong_type("InstanceFailover", color, host, "a FailoverHost")
        for what, same in _shared_properties(blue, green):
            if same:
                raise InvalidInputError(
                    f"InstanceFailover: blue and green have the same {what}; "
                    "a pair needs two different hosts"
                )
        if active not in hosts:
            raise InvalidInputError(
                f"InstanceFailover: active: {active!r} is not a host; allowed: blue, green"
            )
        if not failover_on:
            raise InvalidInputError(
                "InstanceFailover: failover_on: is empty; without a signal the primary would "
                "always be served; give StatusSignal()"
            )
        signals = _signals(failover_on)
        signal_names = [
            checked("InstanceFailover", "failover_on", signal.name, validation.slug)
            for signal in signals
        ]
        if twice := {name for name in signal_names if signal_names.count(name) > 1}:
            raise InvalidInputError(
                f"InstanceFailover: failover_on: several signals are named {min(twice)!r}; "
                "give each a different name"
            )
        super().__init__(scope, construct_id)
        _require_new_hosts(hosts.values(), stack_of(self))
        self.service: Final = service
        self.hosts: Final = hosts
        self.active: Final = active
        self.signals: Final = signals
        self.status_alarms: Final[Mapping[Color, InstanceStatusAlarm]] = {
            color: InstanceStatusAlarm(
                self,
                f"{color.title()}StatusAlarm",
                instance=host.instance,
                host_name=host.name,
                description=names.status_description(display_name or service, color),
                topic=topic,
                period_seconds=status_period_seconds,
                evaluation_periods=status_evaluation_periods,
                statistic=status_statistic,
                threshold=status_threshold,
                notify_recovery=notify_recovery,
            )
            for color, host in hosts.items()
            if host.instance is not None
        }
        watched = WatchedHost(
            color=active,
            host=hosts[active],
            status_alarm=self.status_alarms.get(active),
            record_name=record_name,
        )
        self.signal_health_checks: Final[Sequence[HealthCheck]] = [
            signal.health_check(self, watched) for signal in signals
        ]
        self.health_check: Final = self._health_check_of_record(hosts[active].name)
        self.records: Final = FailoverRecords(
            self,
            "Records",
            hosted_zone=hosted_zone,
            record_name=record_name,
            identifier=service,
            primary=hosts[active].target,
            secondary=hosts[other(active)].target,
            health_check=self.health_check,
            ttl_seconds=ttl_seconds,
        )

    def _health_check_of_record(self, active_host: str) -> HealthCheck:
        """The health check of the only signal, or one that requires all signals."""
        if len(self.signal_health_checks) == 1:
            return self.signal_health_checks[0]
        return CalculatedHealthCheck(
            self,
            "AllSignals",
            children=self.signal_health_checks,
            label=f"{active_host}-all-signals",
        )


_hosts_of_stacks: Final[WeakKeyDictionary[Stack, set[str]]] = WeakKeyDictionary()


def _require_new_hosts(hosts: Iterable[FailoverHost], stack: Stack) -> None:
    """Refuse a second failover of one host in a stack: their alarms and metrics have one name."""
    used = _hosts_of_stacks.setdefault(stack, set())
    for host in hosts:
        if host.name in used:
            raise InvalidInputError(
                f"InstanceFailover: the stack has a failover of {validation.shown(host.name)} "
                "already; rename the host (a second DNS name for a pair is a second "
                "FailoverRecords)"
            )
        used.add(host.name)


def _signals(failover_on: Sequence[Signal | str]) -> Sequence[Signal]:
    short: Mapping[str, Callable[[], Signal]] = {"status": StatusSignal, "endpoint": EndpointSignal}
    given = [failover_on] if isinstance(failover_on, Signal | str) else failover_on
    found = [
        short[signal]() if isinstance(signal, str) and signal in short else signal
        for signal in given
    ]
    for signal in found:
        if not isinstance(signal, Signal):
            raise wrong_type(
                "InstanceFailover",
                "failover_on",
                signal,
                '"status", "endpoint", or a signal such as AlarmSignal(...)',
            )
    return [signal for signal in found if isinstance(signal, Signal)]


def _shared_properties(blue: FailoverHost, green: FailoverHost) -> Iterator[tuple[str, bool]]:
    """Yield each property that two hosts must not share, and whether they share it."""
    yield "name", blue.name == green.name
    yield "instance", blue.instance is not None and blue.instance == green.instance
    yield "target", blue.target == green.target
    if isinstance(blue.target, AddressTarget) and isinstance(green.target, AddressTarget):
        for family in ("ipv4", "ipv6"):
            mine, theirs = getattr(blue.target, family), getattr(green.target, family)
            yield f"{family} address", mine is not None and mine == theirs
