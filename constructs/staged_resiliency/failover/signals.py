"""Signals that decide a failover; each makes a health check for the active host."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from staged_resiliency.failover.alarms import InstanceStatusAlarm, SignalAlarm, instance_id_of
from staged_resiliency.failover.endpoint_health_check import (
    EndpointHealthCheck,
    HttpRequest,
    Request,
    TcpConnect,
)
from staged_resiliency.failover.health_checks import AlarmHealthCheck, HealthCheck, InsufficientData
from staged_resiliency.failover.records import AddressTarget, AliasTarget, Target
from staged_resiliency.shared import aws_ids
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.hosts import Color
from staged_resiliency.shared.literals import checked, wrong_type

if TYPE_CHECKING:  # a module of two megabytes, needed for annotations only
    from aws_cdk import aws_ec2 as ec2


@dataclass(frozen=True, slots=True)
class FailoverHost:
    """One host of a pair.

    Attributes:
        name: The instance's Name tag; alarm names start with it.
        target: Where clients reach the host: ``AddressTarget`` or ``AliasTarget``.
        instance: The EC2 instance or its id; a host with one gets a status alarm.

    Raises:
        InvalidInputError: A name that alarms can't have.
    """

    name: str
    target: Target
    instance: "ec2.IInstance | str | None" = None

    def __post_init__(self) -> None:
        checked("FailoverHost", "name", self.name, aws_ids.host_name)
        if not isinstance(self.target, AddressTarget | AliasTarget):
            raise wrong_type(
                "FailoverHost", "target", self.target, "AddressTarget(...) or AliasTarget(...)"
            )
        if self.instance is not None:
            instance_id_of("FailoverHost", self.instance)


@dataclass(frozen=True, slots=True)
class WatchedHost:
    """The host for which a signal makes its health check.

    Attributes:
        color: Blue or green.
        host: The host.
        status_alarm: Its EC2 status alarm; None for a host without instance.
        record_name: DNS name of the failover records.
    """

    color: Color
    host: FailoverHost
    status_alarm: InstanceStatusAlarm | None
    record_name: str


class Signal(ABC):
    """A condition of the active host; when it fails, clients move to the standby.

    Attributes:
        name: Short name, unique among the signals of one failover; part of the health check's
            construct id.
    """

    name: str

    @abstractmethod
    def health_check(self, scope: Construct, watched: WatchedHost) -> HealthCheck:
        """Make the health check for the signal of a host.

        Args:
            scope: The parent of the health check.
            watched: The active host.

        Raises:
            InvalidInputError: The host does not have this signal.
        """


@dataclass(frozen=True, slots=True)
class StatusSignal(Signal):
    """The host's EC2 status checks.

    Attributes:
        name: Short name; ``status`` unless given.
    """

    name: str = "status"

    def health_check(self, scope: Construct, watched: WatchedHost) -> HealthCheck:
        """Make a health check on the host's status alarm."""
        if watched.status_alarm is None:
            raise InvalidInputError(
                f"StatusSignal: the active host {watched.host.name!r} has no instance; "
                "give FailoverHost(instance=...)"
            )
        return AlarmHealthCheck(scope, f"HealthCheck-{self.name}", alarm=watched.status_alarm)


@dataclass(frozen=True, slots=True)
class EndpointSignal(Signal):
    """Requests of Route 53's health checkers to the host's endpoint.

    Attributes:
        request: The request; ``/version/`` over HTTP unless given. To a host with an address it
            is sent with the record's name as host header unless it has another one.
        interval_seconds: Seconds between two requests of one checker, or a ``Duration``: 30
            unless given, or 10 at extra cost.
        failure_threshold: Requests in a row, 1 to 10, that change the status; 3 unless given.
        regions: The regions of the checkers, three or more; all that Route 53 has unless given.
        name: Short name; ``endpoint`` unless given.
    """

    request: Request = field(default_factory=lambda: HttpRequest(path="/version/"))
    interval_seconds: Literal[10, 30] | Duration = 30
    failure_threshold: int = 3
    name: str = "endpoint"
    regions: Sequence[str] = ()

    def health_check(self, scope: Construct, watched: WatchedHost) -> HealthCheck:
        """Make a health check on the host's address, or on its load balancer."""
        target = watched.host.target
        address = target.health_check_address if isinstance(target, AddressTarget) else None
        domain_name = target.dns_name if isinstance(target, AliasTarget) else None
        request = self.request
        if address and not isinstance(request, TcpConnect) and request.host_header is None:
            request = replace(request, host_header=watched.record_name)
        return EndpointHealthCheck(
            scope,
            f"HealthCheck-{self.name}",
            request=request,
            address=address,
            domain_name=domain_name,
            interval_seconds=self.interval_seconds,
            failure_threshold=self.failure_threshold,
            regions=self.regions,
            label=f"{watched.host.name}-{self.name}",
        )


@dataclass(frozen=True, slots=True)
class AlarmSignal(Signal):
    """An alarm on each host, for example on its connectivity to a dependency.

    Attributes:
        name: Short name, for example of the dependency.
        alarms: The alarm of each host, by colour: a ``SignalAlarm``, or an ``Alarm`` of the CDK
            that Route 53 can follow.
        insufficient_data: The status while there is too little data; as the alarm treats missing
            data unless given.
    """

    name: str
    alarms: Mapping[Color, SignalAlarm | cloudwatch.IAlarm]
    insufficient_data: InsufficientData | None = None

    def health_check(self, scope: Construct, watched: WatchedHost) -> HealthCheck:
        """Make a health check on the active host's alarm."""
        alarm = self.alarms.get(watched.color)
        if alarm is None:
            raise InvalidInputError(
                f"AlarmSignal {self.name!r}: there is no alarm for the active host "
                f"{watched.color}; give one for blue and one for green"
            )
        return AlarmHealthCheck(
            scope,
            f"HealthCheck-{self.name}",
            alarm=alarm,
            insufficient_data=self.insufficient_data,
        )
