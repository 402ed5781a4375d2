"""What all faults have in common: parameters, action, permissions, effect on each alarm."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from staged_resiliency.drills.alarm_effects import AlarmEffect, WatchedAlarm
from staged_resiliency.drills.runtime.fault_settings import Command, Database, FaultKind
from staged_resiliency.shared import aws_ids, limits, network_names
from staged_resiliency.shared.literals import checked, is_literal

if TYPE_CHECKING:  # a module of two megabytes, needed for annotations only
    from aws_cdk import aws_ec2 as ec2


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
    """A fault of one instance, database or distribution, that ends by itself.

    Use a subclass.

    Attributes:
        kind: The kind of the fault.
        host_name: The host: its Name tag; empty where both hosts lose a dependency.
        instance: The instance, or its id; empty where both hosts lose a dependency.
        duration_minutes: How long the fault lasts, 1 to 720.
        start_seconds: The longest time from the fault's end until the host is as before.
        set_up_seconds: The longest time from the start of FIS's action until the fault begins.
        late_seconds: How much later than its time the fault may end.
    """

    kind: ClassVar[FaultKind]
    start_seconds: ClassVar[int] = 0
    set_up_seconds: ClassVar[int] = 0
    late_seconds: ClassVar[int] = 0

    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int

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

    @property
    def lost_by_both(self) -> str:
        """What both hosts lose, as messages name it; empty for a fault of one host."""
        return "" if self.database is None else "the database"

    @property
    def own_alarms(self) -> Sequence[WatchedAlarm]:
        """The alarms that only drills with this fault observe, besides those of the service."""
        return ()

    @abstractmethod
    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on the metric of an alarm."""

    @property
    def silences(self) -> bool:
        """Whether the fault keeps the host from publishing metrics."""
        return False

    def reaches(self, alarm: WatchedAlarm) -> bool:
        """Whether an alarm watches what the fault cuts off or slows down, on either host."""
        return False

    def breaks(self, host: str) -> bool:
        """Whether the fault breaks a host, whose alarms then must not stop the drill."""
        return host == self.host_name


class FisFault(Fault):
    """A fault that AWS FIS injects.

    Attributes:
        ec2_reads: What the role may describe in EC2 besides instances.
    """

    ec2_reads: ClassVar[Sequence[str]] = ()

    @property
    @abstractmethod
    def role_id(self) -> str:
        """Id of the role that AWS FIS assumes for the fault; faults with the same id share it."""

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


@dataclass(frozen=True, slots=True)
class HostFault(FisFault):
    """A fault of one host, for a time that its user gives."""

    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int

    def __post_init__(self) -> None:
        """Check the values."""
        owner = type(self).__name__
        checked(owner, "host_name", self.host_name, aws_ids.host_name)
        checked(owner, "instance", self.instance_id, aws_ids.instance_id)
        checked(owner, "duration_minutes", self.duration_minutes, duration)
        self._check()

    def _check(self) -> None:
        """Check what only faults of this class have."""


def is_at(alarm: WatchedAlarm, destination: str) -> bool:
    """Whether an alarm watches what is at a name or address, however both are written."""
    if alarm.address is None or not is_literal(destination):
        return alarm.address == destination
    canonical = network_names.dns_name_or_address
    return canonical(alarm.address) == canonical(destination)


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


def duration(minutes: int) -> int:
    """Validate the minutes that a fault lasts."""
    if is_literal(minutes) and not 1 <= minutes <= limits.MAX_FAULT_MINUTES:
        raise ValueError(
            f"{minutes} minutes is out of range; allowed: 1 to {limits.MAX_FAULT_MINUTES}"
        )
    return minutes
