"""The service that drills are run on: its hosts, its record, its alarms."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from staged_resiliency.drills.alarm_effects import AlarmKind, WatchedAlarm
from staged_resiliency.drills.faults import Fault
from staged_resiliency.drills.hypothesis import (
    Pair,
    alarms_seconds,
    contradiction,
    guards,
    hypothesis,
)
from staged_resiliency.drills.runtime.fault_settings import Database
from staged_resiliency.drills.runtime.hosts import Endpoint, Host, Record
from staged_resiliency.experiment.expectations import Hypothesis
from staged_resiliency.shared import alarm_settings, aws_ids, limits, network_names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.hosts import other
from staged_resiliency.shared.literals import checked, wrong_type

if TYPE_CHECKING:  # a module of two megabytes, needed for annotations only
    from aws_cdk import aws_ec2 as ec2

    from staged_resiliency.drills.watched import AnyAlarm
    from staged_resiliency.failover.instance_failover import InstanceFailover
    from staged_resiliency.failover.signals import FailoverHost
    from staged_resiliency.probe.configuration import ProbeConfiguration

# The id that the CDK gives a zone before it has asked Route 53 for it.
_NOT_LOOKED_UP_YET: Final = "DUMMY"


@dataclass(frozen=True, slots=True)
class DrillHost:
    """One host of a failover pair, blue or green.

    Attributes:
        name: The Name tag.
        address: IPv4 address that clients are given while it serves; None where the record is an
            alias.
        alias: DNS name of the load balancer in front of it, instead of an address.
        instance: The EC2 instance or its id; needed for a host that is a drill's target.

    Raises:
        InvalidInputError: Neither address nor alias, or both, or an invalid value.
    """

    name: str
    address: str | None = None
    alias: str | None = None
    instance: "ec2.IInstance | str | None" = None

    def __post_init__(self) -> None:
        """Check the values."""
        checked("DrillHost", "name", self.name, aws_ids.host_name)
        if (self.address is None) == (self.alias is None):
            raise InvalidInputError(
                f"DrillHost: {self.name}: give either the address that clients reach it at, or "
                "the alias of the load balancer in front of it"
            )
        if self.address is not None:
            checked("DrillHost", "address", self.address, network_names.ip_address)
        if self.alias is not None:
            checked("DrillHost", "alias", self.alias, network_names.domain_name)

    @property
    def planned(self) -> Host:
        """The host as a drill's plan contains it."""
        given = self.instance
        instance_id = given if given is None or isinstance(given, str) else given.instance_id
        addresses = () if self.address is None else (self.address,)
        return Host(self.name, instance_id, addresses, self.address or self.alias or "")


@dataclass(frozen=True, slots=True)
class DrillTarget:
    """The service that drills are run on: two hosts behind a Route 53 failover record.

    Attributes:
        name: Short name of the service, like ``shop``.
        environment: Short name of the environment, like ``production``.
        namespace: CloudWatch namespace of the results.
        active: The host that serves while it is healthy.
        standby: The other host.
        record_name: DNS name that clients use.
        hosted_zone_id: Id of its hosted zone.
        alarms: All alarms of the service, metric and composite ones, by their names or, for
            drills that derive guards and hypothesis, as ``of`` describes them; while one of them
            is in ALARM, no drill begins.
        objective_seconds: Recovery time objective.
        display_name: The service's name in texts; the short name unless given.
        scheme: Of requests to the hosts: ``http`` or ``https``; ``http`` unless given.
        port: Of requests to the hosts; 80 unless given.
        version_path: Path that a host answers with status 200 and a JSON object with its Name tag;
            ``/version/`` unless given.
        version_field: Key of the Name tag in that object; ``environment`` unless given. None where
            the hosts have no such path, only one for their health: then the address shows which
            host answers, and any status from 200 to 299 is an answer.
        ttl_seconds: TTL of the record, on which derived time limits depend; 60 unless given.
        endpoint_decides: Whether Route 53's own checkers ask the active host; no unless given.
        stack: Name of the CloudFormation stack with the records and alarms, in the drills' account
            and region; while it is being changed no drill begins, and none injects its fault. Not
            checked unless given.

    Raises:
        InvalidInputError: A name that AWS would refuse, the same host twice, or no alarm.

    Example:
        >>> DrillTarget(
        ...     name="shop",
        ...     environment="production",
        ...     namespace="Shop",
        ...     active=DrillHost("shop-blue", "192.0.2.1", instance="i-0123456789abcdef0"),
        ...     standby=DrillHost("shop-green", "192.0.2.2"),
        ...     record_name="shop.example.com",
        ...     hosted_zone_id="Z2EHK3FAEUNRMI",
        ...     alarms=["shop-blue-StatusCheckFailed"],
        ...     objective_seconds=360,
        ... ).title
        'shop'
    """

    name: str
    environment: str
    namespace: str
    active: DrillHost
    standby: DrillHost
    record_name: str
    hosted_zone_id: str
    alarms: Sequence[str | WatchedAlarm]
    objective_seconds: float
    display_name: str | None = None
    scheme: Literal["http", "https"] = "http"
    port: int = 80
    version_path: str = "/version/"
    version_field: str | None = "environment"
    ttl_seconds: int = limits.RECOMMENDED_TTL_SECONDS
    endpoint_decides: bool = False
    stack: str | None = None

    @classmethod
    def of(
        cls,
        failover: "InstanceFailover",
        *,
        environment: str,
        namespace: str,
        objective_seconds: float,
        alarms: "Sequence[AnyAlarm]" = (),
        probe: "ProbeConfiguration | None" = None,
        display_name: str | None = None,
        scheme: Literal["http", "https"] = "http",
        port: int = 80,
        version_path: str = "/version/",
        version_field: str | None = "environment",
    ) -> "DrillTarget":
        """Make the target of drills on a failover; drills derive guards and hypothesis from it.

        Args:
            failover: The failover: its hosts, record, signals and status alarms.
            environment: Short name of the environment, like ``production``.
            namespace: CloudWatch namespace of the results.
            objective_seconds: Recovery time objective.
            alarms: The other alarms of the service: on dependencies, peers and the probe. Of
                others it is only known that no drill begins while one of them is in ALARM.
            probe: What the probe measures, which drills that cut off a port need.
            display_name: The service's name in texts; the short name unless given.
            scheme: Of requests to the hosts: ``http`` or ``https``; ``http`` unless given.
            port: Of requests to the hosts; 80 unless given.
            version_path: Path that a host answers with its Name tag; ``/version/`` unless given.
            version_field: Key of the Name tag in the answer; ``environment`` unless given. None
                where answers name no host.

        Raises:
            InvalidInputError: A host without IPv4 address, an alarm on another host, or a signal
                of which it is not known how a fault affects it.
        """
        # Loaded only here: the dashboard of an application needs no constructs of the failover.
        from aws_cdk import Stack

        from staged_resiliency.drills.watched import watched_alarms
        from staged_resiliency.failover.instance_failover import InstanceFailover
        from staged_resiliency.failover.signals import EndpointSignal

        if not isinstance(failover, InstanceFailover):
            raise wrong_type("DrillTarget", "failover", failover, "an InstanceFailover")
        hosts = failover.hosts
        return cls(
            name=failover.service,
            environment=environment,
            namespace=namespace,
            active=_drill_host(hosts[failover.active]),
            standby=_drill_host(hosts[other(failover.active)]),
            record_name=failover.records.record_name,
            hosted_zone_id=failover.records.hosted_zone_id,
            alarms=watched_alarms(failover, alarms, probe),
            objective_seconds=objective_seconds,
            display_name=display_name,
            scheme=scheme,
            port=port,
            version_path=version_path,
            version_field=version_field,
            ttl_seconds=failover.records.ttl_seconds,
            endpoint_decides=any(isinstance(each, EndpointSignal) for each in failover.signals),
            stack=Stack.of(failover).stack_name,
        )

    def __post_init__(self) -> None:
        """Check the values."""
        owner = "DrillTarget"
        checked(owner, "name", self.name, validation.slug)
        checked(owner, "environment", self.environment, validation.slug)
        checked(owner, "namespace", self.namespace, alarm_settings.namespace)
        checked(owner, "record_name", self.record_name, network_names.domain_name)
        if self.hosted_zone_id != _NOT_LOOKED_UP_YET:
            checked(owner, "hosted_zone_id", self.hosted_zone_id, aws_ids.hosted_zone_id)
        checked(owner, "port", self.port, network_names.port)
        checked(owner, "version_path", self.version_path, network_names.url_path)
        if self.version_field is not None:
            checked(owner, "version_field", self.version_field, validation.version_field)
        if self.stack is not None:
            checked(owner, "stack", self.stack, aws_ids.stack_name)
        if self.active.name == self.standby.name:
            raise InvalidInputError(
                f"{owner}: standby: {validation.shown(self.standby.name)} is the active host "
                "too; a "
                "pair needs two different hosts"
            )
        if not self.alarms:
            raise InvalidInputError(
                f"{owner}: alarms: none is given; name those of the service, so that no drill "
                "begins while one of them is on"
            )
        for alarm in self.alarms:
            if not isinstance(alarm, str | WatchedAlarm):
                raise wrong_type(owner, "alarms", alarm, "its name, such as alarm.alarm_name")

    @property
    def title(self) -> str:
        """The display name; the short name where none is given."""
        return self.display_name or self.name

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """The names of all alarms."""
        return tuple(each if isinstance(each, str) else each.name for each in self.alarms)

    @property
    def watched_alarms(self) -> Sequence[WatchedAlarm]:
        """The alarms for which the effect of each fault is known."""
        return [each for each in self.alarms if isinstance(each, WatchedAlarm)]

    @property
    def pair(self) -> Pair:
        """The pair of hosts, in the form from which a drill's hypothesis is derived."""
        return Pair(
            record=self.record_name,
            active=self.active.name,
            standby=self.standby.name,
            ttl_seconds=self.ttl_seconds,
            endpoint_decides=self.endpoint_decides,
        )

    def guards(self, fault: Fault) -> Sequence[str]:
        """Derive the names of the alarms that stop a drill: those on the health of the other host.

        Raises:
            InvalidInputError: Too little is known of the alarms.
        """
        alarms = self._known_alarms(fault, "guards")
        found = guards(fault, alarms, limits.MAX_STOP_CONDITIONS)
        return [alarm.name for alarm in found]

    def hypothesis(self, fault: Fault) -> Hypothesis:
        """Derive what is expected of a drill.

        Raises:
            InvalidInputError: Too little is known of the alarms, or the drill would show nothing.
        """
        alarms = self._known_alarms(fault, "hypothesis")
        contradicted = contradiction(fault, self.pair, alarms)
        if contradicted is not None:
            raise InvalidInputError(f"Drill: fault: {contradicted[1]}")
        return hypothesis(fault, self.pair, alarms)

    def database(self, fault: Fault) -> Database | None:
        """The database that a fault makes fail over, and how long its alarms may fire after it."""
        if fault.database is None:
            return None
        seconds = alarms_seconds(fault, self.watched_alarms)
        return replace(fault.database, alarms_seconds=seconds)

    def _known_alarms(self, fault: Fault, argument: str) -> Sequence[WatchedAlarm]:
        """The alarms from which an argument of a drill is derived."""
        alarms = self.watched_alarms
        if not alarms:
            raise InvalidInputError(
                f"Drill: {argument}: is not given, and the DrillTarget has only names of alarms; "
                "give it, or make the target by DrillTarget.of(...)"
            )
        for alarm in alarms:
            asks = alarm.watches in (AlarmKind.DEPENDENCY, AlarmKind.PEER)
            aimed = fault.command is not None or bool(fault.lost_by_both)
            if aimed and asks and alarm.port is None:
                raise InvalidInputError(
                    f"Drill: {argument}: is not given, and the port that {alarm.name} "
                    "watches is not known; give DrillTarget.of(probe=...) the probe's configuration"
                )
        return alarms

    def dimensions_of(self, drill: str) -> dict[str, str]:
        """The dimensions of a drill's metrics.

        Args:
            drill: Short name of the drill.
        """
        return {"Service": self.name, "Environment": self.environment, "Drill": drill}

    @property
    def record(self) -> Record:
        """The record as a drill's plan contains it."""
        return Record(self.record_name, self.hosted_zone_id)

    @property
    def endpoint(self) -> Endpoint:
        """The URL that identifies the serving host, as a drill's plan contains it."""
        return Endpoint(self.scheme, self.port, self.version_path, self.version_field)


def _drill_host(host: "FailoverHost") -> DrillHost:
    alias = getattr(host.target, "dns_name", None)
    address = getattr(host.target, "ipv4", None)
    if alias is None and address is None:
        raise InvalidInputError(
            f"DrillTarget: failover: {host.name} has no IPv4 address, and drills send their "
            "requests to hosts over IPv4; give AddressTarget(ipv4=...)"
        )
    return DrillHost(host.name, address=address, alias=alias, instance=host.instance)
