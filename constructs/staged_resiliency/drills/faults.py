"""The faults that drills inject with AWS FIS, a class for each; every fault ends by itself.

A class has the fault's parameters, its action, the permissions that the action needs, and its
effect on the metric of each alarm.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from staged_resiliency.drills.alarm_effects import AlarmEffect, AlarmKind, WatchedAlarm
from staged_resiliency.drills.runtime.keys import (
    BLACKHOLE_DOCUMENT,
    LATENCY_DOCUMENT,
    PACKET_LOSS_DOCUMENT,
)
from staged_resiliency.drills.runtime.plan import RULE_LATE_SECONDS, Command, Database, FaultKind
from staged_resiliency.shared import limits, time_limits, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal

if TYPE_CHECKING:  # a module of two megabytes, needed for annotations only
    from aws_cdk import aws_ec2 as ec2

_DNS_PORT: Final = 53
_HTTPS_PORT: Final = 443  # of CloudWatch and Systems Manager too
_ALL: Final = 100
MAX_DELAY_MILLISECONDS: Final = 60_000
MAX_RESPONSE_MILLISECONDS: Final = 4_000  # a drill waits no longer for an answer
# Which the documents need that take names, addresses and Availability Zones.
_READS_OF_SOURCES: Final = ("ec2:DescribeSubnets",)


@dataclass(frozen=True, slots=True)
class Place:
    """Partition, region and account of a stack, for ARNs; each may be a token."""

    partition: str
    region: str
    account: str


Statement = Mapping[str, object]
"""A statement of a policy, as IAM has it."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action of a FIS experiment template.

    Attributes:
        action_id: The id of the action, such as ``aws:ec2:stop-instances``.
        description: What it does, for people.
        parameters: Its parameters, all of them strings.
    """

    action_id: str
    description: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """The one target of an experiment.

    Attributes:
        name: Its name in the template.
        resource_type: Its type, as AWS FIS names it.
        arn: Its ARN.
        key: The key under which the action takes it.
    """

    name: str
    resource_type: str
    arn: str
    key: str


@dataclass(frozen=True, slots=True)
class PairOfHosts:
    """The hosts of a service, either of which a fault may break.

    Attributes:
        names: Names of the hosts.
        instances: IDs of their instances, as far as they are known.
        volume_keys: ARNs of the keys of their volumes.
    """

    place: Place
    names: Sequence[str]
    instances: Sequence[str]
    volume_keys: Sequence[str]


class Fault(ABC):
    """A fault that AWS FIS injects into one instance or database, and that ends by itself.

    Use a subclass.

    Attributes:
        kind: The kind of the fault.
        host_name: The host: its Name tag; empty where a database fails over.
        instance: The instance, or its id; empty where a database fails over.
        duration_minutes: How long the fault lasts, 1 to 720.
        start_seconds: The longest time from the fault's end until the host is as before.
        set_up_seconds: The longest time from the start of FIS's action until the fault begins.
        late_seconds: How much later than its time the fault may end.
        ec2_reads: What the role may describe in EC2 besides instances.
    """

    kind: ClassVar[FaultKind]
    start_seconds: ClassVar[int] = 0
    set_up_seconds: ClassVar[int] = 0
    late_seconds: ClassVar[int] = 0
    ec2_reads: ClassVar[Sequence[str]] = ()

    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int

    @property
    @abstractmethod
    def role_id(self) -> str:
        """Id of the role that AWS FIS assumes for the fault; faults with the same id share it."""

    def _check(self) -> None:
        owner = type(self).__name__
        checked(owner, "host_name", self.host_name, validation.host_name)
        checked(owner, "instance", self.instance_id, validation.instance_id)
        checked(owner, "duration_minutes", self.duration_minutes, _duration)

    @property
    def instance_id(self) -> str:
        """The id of the instance."""
        return self.instance if isinstance(self.instance, str) else self.instance.instance_id

    @property
    def seconds(self) -> int:
        """The longest time that the fault lasts, counted from the start of FIS's action."""
        return self.duration_minutes * 60

    @property
    def port(self) -> int | None:
        """The TCP port that is cut off; None for other faults."""
        return None

    @property
    def command(self) -> Command | None:
        """The command on the host that injects the fault; None where FIS itself does."""
        return None

    @property
    def database(self) -> Database | None:
        """The database that fails over; None for other faults."""
        return None

    def target(self, place: Place) -> Target:
        """The target of the experiment template."""
        (arn,) = instance_arns([self.instance_id], place)
        return Target("Host", "aws:ec2:instance", arn, "Instances")

    @abstractmethod
    def action(self, place: Place) -> Action:
        """The action of the experiment template."""

    @abstractmethod
    def statements(self, pair: PairOfHosts) -> list[Statement]:
        """The permissions of the role that FIS assumes, for either host of a pair."""

    @abstractmethod
    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on the metric of an alarm."""

    @property
    def silences(self) -> bool:
        """Whether the host can't publish metrics meanwhile."""
        return False

    def reaches(self, alarm: WatchedAlarm) -> bool:
        """Whether an alarm watches what the fault cuts off or slows down, on either host."""
        return False

    def breaks(self, host: str) -> bool:
        """Whether a host is broken, so that its alarms guard no drill."""
        return host == self.host_name


@dataclass(frozen=True, slots=True)
class StopInstance(Fault):
    """Stops an EC2 instance and starts it again after a fixed time, with AWS FIS.

    Attributes:
        host_name: The host: its Name tag.
        instance: The instance, or its id. It needs an Elastic IP: a stopped instance loses any
            other public address.
        duration_minutes: How long it is stopped, 1 to 720.

    Raises:
        InvalidInputError: A value that FIS would refuse.

    Example:
        >>> StopInstance("shop-blue", "i-0123456789abcdef0", duration_minutes=10).seconds
        600

    See https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
    """

    kind = FaultKind.STOP_INSTANCE
    role_id = "StopInstanceRole"
    start_seconds = time_limits.INSTANCE_START_SECONDS

    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int

    def __post_init__(self) -> None:
        """Check the values."""
        self._check()

    def action(self, place: Place) -> Action:
        """The action that stops the instance, and starts it after the fault's duration."""
        return Action(
            "aws:ec2:stop-instances",
            f"Stops {self.host_name}, and starts it again.",
            {"startInstancesAfterDuration": f"PT{self.duration_minutes}M"},
        )

    def statements(self, pair: PairOfHosts) -> list[Statement]:
        """The permissions to stop either host and to start it."""
        return [
            {
                "Sid": "StopTheHosts",
                "Effect": "Allow",
                "Action": "ec2:StopInstances",
                "Resource": instance_arns(pair.instances, pair.place),
            },
            *start_hosts(pair.names, pair.instances, pair.volume_keys, pair.place),
        ]

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on the metric of an alarm: the host sends and answers nothing."""
        mine = alarm.host == self.host_name
        if alarm.watches is AlarmKind.OTHER:
            return AlarmEffect.NONE  # nobody knows who publishes it
        if alarm.watches is AlarmKind.PEER:
            # Who asks is the other host: it sees the failure, or is the one that stopped.
            return AlarmEffect.FAILS if mine else AlarmEffect.SILENT
        return AlarmEffect.SILENT if mine else AlarmEffect.NONE


class _DocumentFault(Fault):
    """A fault that a Systems Manager document of AWS FIS injects on the host.

    The document adds and removes a rule on the host, so the fault ends even where it cuts off AWS
    itself.

    FIS considers its action completed after the action's own duration, even if the document still
    runs, and then no longer stops it. The document runs longer than the rule lasts, since it first
    installs what it needs: so the action gets a minute more than the rule.
    """

    set_up_seconds = time_limits.SET_UP_SECONDS
    late_seconds = RULE_LATE_SECONDS
    documents: ClassVar[Sequence[str]]

    @property
    def seconds(self) -> int:
        """The longest time that the fault lasts, counted from the start of FIS's action."""
        longest = limits.MAX_FAULT_MINUTES * 60
        return min(self.duration_minutes * 60 + time_limits.SET_UP_SECONDS, longest)

    @property
    @abstractmethod
    def command(self) -> Command:
        """The command on the host that injects the fault."""

    @abstractmethod
    def _parameters(self) -> Mapping[str, str]:
        """The parameters of the document besides those of all documents."""

    def action(self, place: Place) -> Action:
        """The action that runs the document, which ends by itself."""
        command = self.command
        parameters = {
            "DurationSeconds": str(self.duration_minutes * 60),
            # What it needs (at, iptables, tc, ...) comes from the host's package repositories.
            "InstallDependencies": "True",
            # The default, ingress, would cut off the host's clients, not its dependency.
            "TrafficType": "egress",
            **self._parameters(),
        }
        return Action(
            "aws:ssm:send-command",
            f"{command.effect[0].upper()}{command.effect[1:]}.",
            {
                "documentArn": _document_arn(command.document, place),
                "documentParameters": json.dumps(parameters, separators=(",", ":"), sort_keys=True),
                "duration": f"PT{self.seconds // 60}M",
            },
        )

    def statements(self, pair: PairOfHosts) -> list[Statement]:
        """The permissions to run the class's documents on either host."""
        documents = [_document_arn(each, pair.place) for each in self.documents]
        return [
            {
                "Sid": "RunTheDocumentOnTheHosts",
                "Effect": "Allow",
                "Action": "ssm:SendCommand",
                "Resource": [*documents, *instance_arns(pair.instances, pair.place)],
            },
            {
                # Neither takes a resource; both are about commands that this role has sent.
                "Sid": "FollowAndCancelCommands",
                "Effect": "Allow",
                "Action": ["ssm:CancelCommand", "ssm:ListCommands"],
                "Resource": "*",
            },
        ]

    def _asks(self, alarm: WatchedAlarm) -> bool:
        """Whether the alarm is on requests of the broken host, to a dependency or to a peer."""
        if alarm.watches is AlarmKind.PEER:
            return alarm.host != self.host_name
        return alarm.watches is AlarmKind.DEPENDENCY and alarm.host == self.host_name


@dataclass(frozen=True, slots=True)
class BlackholeDependency(_DocumentFault):
    """Drops all packets that an instance sends to one dependency, for a fixed time, with AWS FIS.

    The host resolves the dependency's name once, when the fault begins, and drops what it sends to
    the addresses that it gets, on any port. Other dependencies, instance metadata and AWS itself
    are reached as before.

    Attributes:
        host_name: The host: its Name tag.
        instance: The instance, or its id. Systems Manager must reach it.
        duration_minutes: How long, 1 to 720.
        destination: DNS name or IPv4 address of the dependency.

    Raises:
        InvalidInputError: A value that FIS would refuse.

    Example:
        >>> BlackholeDependency("shop-blue", "i-0123456789abcdef0", 5, "db.example.com").seconds
        360

    See https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html
    """

    kind = FaultKind.BLACKHOLE
    role_id = "BlackholeRole"
    documents = (PACKET_LOSS_DOCUMENT,)
    ec2_reads = _READS_OF_SOURCES

    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int
    destination: str

    def __post_init__(self) -> None:
        """Check the values."""
        self._check()
        checked("BlackholeDependency", "destination", self.destination, ipv4_or_name)

    @property
    def command(self) -> Command:
        """The command that drops the packets."""
        return Command(
            PACKET_LOSS_DOCUMENT, f"drops what {self.host_name} sends to {self.destination}"
        )

    def _parameters(self) -> Mapping[str, str]:
        return {"LossPercent": str(_ALL), "Sources": self.destination}

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on the metric of an alarm: what the host asks the dependency fails."""
        fails = self._asks(alarm) and self.reaches(alarm)
        return AlarmEffect.FAILS if fails else AlarmEffect.NONE

    def reaches(self, alarm: WatchedAlarm) -> bool:
        """Whether an alarm watches the dependency, on either host."""
        return is_at(alarm, self.destination)


@dataclass(frozen=True, slots=True)
class BlackholePort(_DocumentFault):
    """Drops all packets that an instance sends to a TCP port, for a fixed time, with AWS FIS.

    All traffic to the port is dropped: that to other dependencies too, with port 80 requests for
    instance metadata, and with port 443 those to CloudWatch and Systems Manager, so that the fault
    ends only when its time is over. ``BlackholeDependency`` cuts off one dependency alone.

    Attributes:
        host_name: The host: its Name tag.
        instance: The instance, or its id. Systems Manager must reach it.
        duration_minutes: How long, 1 to 720.
        destination_port: The TCP port of the dependency; not 53.

    Raises:
        InvalidInputError: A value that FIS would refuse, or DNS.

    Example:
        >>> BlackholePort("shop-blue", "i-0123456789abcdef0", 5, destination_port=5432).seconds
        360

    See https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html
    """

    kind = FaultKind.BLACKHOLE
    role_id = "BlackholePortRole"
    documents = (BLACKHOLE_DOCUMENT,)

    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int
    destination_port: int

    def __post_init__(self) -> None:
        """Check the values."""
        self._check()
        checked("BlackholePort", "destination_port", self.destination_port, _cut_off)

    @property
    def port(self) -> int:
        """The port that is cut off."""
        return self.destination_port

    @property
    def command(self) -> Command:
        """The command that drops the packets."""
        effect = f"drops what {self.host_name} sends to TCP port {self.destination_port}"
        return Command(BLACKHOLE_DOCUMENT, effect)

    def _parameters(self) -> Mapping[str, str]:
        return {"Port": str(self.destination_port), "Protocol": "tcp"}

    @property
    def silences(self) -> bool:
        """Whether the port is that of CloudWatch."""
        return self.destination_port == _HTTPS_PORT

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on the metric of an alarm: what the host asks on the port fails."""
        if self.silences:
            # The probe's requests to CloudWatch are cut off with everything else.
            heartbeat = alarm.watches is AlarmKind.PROBE and alarm.host == self.host_name
            silent = heartbeat or self._asks(alarm)
            return AlarmEffect.SILENT if silent else AlarmEffect.NONE
        fails = self._asks(alarm) and self.reaches(alarm)
        return AlarmEffect.FAILS if fails else AlarmEffect.NONE

    def reaches(self, alarm: WatchedAlarm) -> bool:
        """Whether an alarm watches something on the port, on either host."""
        return alarm.port == self.destination_port


@dataclass(frozen=True, slots=True)
class DegradeDependency(_DocumentFault):
    """Delays, or loses a part of, what an instance sends to one dependency, with AWS FIS.

    Either every packet is delayed, or a percentage of them is lost: the documents of AWS FIS can't
    run on an instance at the same time. As with ``BlackholeDependency`` the host resolves the name
    once.

    No alarm is expected to fire. Choose a delay that leaves the probe's checks time, and a loss
    that seldom fails one; what does not is a ``BlackholeDependency``.

    Attributes:
        host_name: The host: its Name tag.
        instance: The instance, or its id. Systems Manager must reach it.
        duration_minutes: How long, 1 to 720.
        destination: DNS name or IPv4 address of the dependency.
        delay_milliseconds: How long each packet is held back, 1 to 60,000; None to lose packets.
        jitter_milliseconds: By how much the delay varies, up or down; at most the delay.
        loss_percent: How many packets in 100 are lost, 1 to 99; None to delay packets.
        response_milliseconds: The most that 95 of 100 answers to clients may take meanwhile, up to
            4,000; drills that derive their hypothesis expect it.

    Raises:
        InvalidInputError: A value that FIS would refuse, or neither or both of delay and loss.

    Example:
        >>> fault = DegradeDependency(
        ...     "shop-blue", "i-0123456789abcdef0", 5, "db.example.com", delay_milliseconds=300
        ... )
        >>> fault.command.effect
        'delays what shop-blue sends to db.example.com by 300 ms'

    See https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html
    """

    kind = FaultKind.DEGRADE
    role_id = "DegradeRole"
    documents = (LATENCY_DOCUMENT, PACKET_LOSS_DOCUMENT)
    ec2_reads = _READS_OF_SOURCES

    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int
    destination: str
    delay_milliseconds: int | None = None
    jitter_milliseconds: int = 0
    loss_percent: int | None = None
    response_milliseconds: int = MAX_RESPONSE_MILLISECONDS

    def __post_init__(self) -> None:
        """Check the values."""
        self._check()
        owner = "DegradeDependency"
        checked(owner, "destination", self.destination, ipv4_or_name)
        if (self.delay_milliseconds is None) == (self.loss_percent is None):
            raise InvalidInputError(
                f"{owner}: give either delay_milliseconds or loss_percent, one of them"
            )
        if self.delay_milliseconds is not None:
            checked(owner, "delay_milliseconds", self.delay_milliseconds, _delay)
        if self.loss_percent is not None:
            checked(owner, "loss_percent", self.loss_percent, _loss)
        checked(owner, "response_milliseconds", self.response_milliseconds, _response)
        most = self.delay_milliseconds or 0
        if not 0 <= self.jitter_milliseconds <= most:
            raise InvalidInputError(
                f"{owner}: jitter_milliseconds: {self.jitter_milliseconds} is out of range; at "
                f"most the delay, {most}, is allowed"
            )

    @property
    def command(self) -> Command:
        """The command that delays or loses the packets."""
        what = f"{self.host_name} sends to {self.destination}"
        if self.delay_milliseconds is None:
            loses = f"loses {self.loss_percent} of 100 packets that {what}"
            return Command(PACKET_LOSS_DOCUMENT, loses)
        delays = f"delays what {what} by {self.delay_milliseconds} ms"
        if self.jitter_milliseconds:
            delays += f", give or take {self.jitter_milliseconds} ms"
        return Command(LATENCY_DOCUMENT, delays)

    def _parameters(self) -> Mapping[str, str]:
        if self.delay_milliseconds is None:
            return {"LossPercent": str(self.loss_percent), "Sources": self.destination}
        return {
            "DelayMilliseconds": str(self.delay_milliseconds),
            "JitterMilliseconds": str(self.jitter_milliseconds),
            "Sources": self.destination,
        }

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on the metric of an alarm: samples succeed as before."""
        return AlarmEffect.NONE

    def reaches(self, alarm: WatchedAlarm) -> bool:
        """Whether an alarm watches the dependency, on either host."""
        return is_at(alarm, self.destination)


def is_at(alarm: WatchedAlarm, destination: str) -> bool:
    """Whether an alarm watches what is at a name or address, however both are written."""
    if alarm.address is None or not is_literal(destination):
        return alarm.address == destination
    canonical = validation.dns_name_or_address
    return canonical(alarm.address) == canonical(destination)


def _document_arn(document: str, place: Place) -> str:
    return f"arn:{place.partition}:ssm:{place.region}::document/{document}"


def start_hosts(
    hosts: Sequence[str], instances: Sequence[str], volume_keys: Sequence[str], place: Place
) -> Iterator[Statement]:
    """The permissions to start the hosts of a pair, whichever of them is broken.

    They outlive an edit during a drill: both hosts are named, and an instance that the service
    no longer has is still known by its Name tag.
    """
    start = {"Effect": "Allow", "Action": "ec2:StartInstances"}
    if instances:
        yield {"Sid": "StartTheHosts", **start, "Resource": instance_arns(instances, place)}
    yield {
        "Sid": "StartReplacedHosts",
        **start,
        "Resource": instance_arns(["*"], place),
        "Condition": {"StringEquals": {"aws:ResourceTag/Name": list(hosts)}},
    }
    if volume_keys:
        # https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
        yield {
            "Sid": "StartWithEncryptedVolumes",
            "Effect": "Allow",
            "Action": "kms:CreateGrant",
            "Resource": list(dict.fromkeys(volume_keys)),
            "Condition": {
                "Bool": {"kms:GrantIsForAWSResource": "true"},
                "StringEquals": {"kms:ViaService": f"ec2.{place.region}.amazonaws.com"},
            },
        }


def instance_arns(instances: Sequence[str], place: Place) -> list[str]:
    """The ARNs of instances, from their IDs."""
    start = f"arn:{place.partition}:ec2:{place.region}:{place.account}:instance"
    return [f"{start}/{each}" for each in instances]


def _duration(minutes: int) -> int:
    if is_literal(minutes) and not 1 <= minutes <= limits.MAX_FAULT_MINUTES:
        raise ValueError(
            f"{minutes} minutes is out of range; FIS takes 1 to {limits.MAX_FAULT_MINUTES}"
        )
    return minutes


def _cut_off(port: int) -> int:
    if validation.port(port) == _DNS_PORT:
        raise ValueError(
            "53 is DNS, without which the host resolves no names, not even those of AWS; give the "
            "port of a dependency"
        )
    return port


def _delay(milliseconds: int) -> int:
    if not 1 <= milliseconds <= MAX_DELAY_MILLISECONDS:
        raise ValueError(f"{milliseconds} is out of range; allowed: 1 to {MAX_DELAY_MILLISECONDS}")
    return milliseconds


def _response(milliseconds: int) -> int:
    if not 1 <= milliseconds <= MAX_RESPONSE_MILLISECONDS:
        raise ValueError(
            f"{milliseconds} is out of range; allowed: 1 to {MAX_RESPONSE_MILLISECONDS}"
        )
    return milliseconds


def _loss(percent: int) -> int:
    if not 1 <= percent < _ALL:
        raise ValueError(f"{percent} is out of range; allowed: 1 to {_ALL - 1}")
    return percent


def ipv4_or_name(destination: str) -> str:
    """Validate the DNS name or IPv4 address of a dependency that a fault is aimed at."""
    found = validation.dns_name_or_address(destination)
    if ":" in found:
        raise ValueError(
            f"{validation.shown(destination)} is an IPv6 address, and AWS FIS takes IPv4 "
            "addresses and names only; give one of these"
        )
    return found
