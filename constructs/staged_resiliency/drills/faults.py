"""The faults that drills inject with AWS FIS, a class for each; every fault ends by itself."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from staged_resiliency.drills.alarm_effects import FaultEffect
from staged_resiliency.drills.runtime.keys import BLACKHOLE_DOCUMENT
from staged_resiliency.drills.runtime.plan import FaultKind
from staged_resiliency.shared import limits, time_limits, validation
from staged_resiliency.shared.literals import checked, is_literal

if TYPE_CHECKING:  # a module of two megabytes, needed for annotations only
    from aws_cdk import aws_ec2 as ec2

TARGET: Final = "Host"
"""Name of the one target of an experiment."""

_DNS_PORT: Final = 53


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


class Fault(ABC):
    """A fault that AWS FIS injects into one instance and that ends by itself; use a subclass.

    Attributes:
        kind: The kind of the fault.
        host_name: The host: its Name tag.
        instance: The instance, or its id.
        duration_minutes: How long the fault lasts, 1 to 720.
    """

    kind: FaultKind
    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int

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
    def effect(self) -> FaultEffect:
        """The fault, as alarms observe it."""
        kind: Literal["stop_instance", "blackhole"] = (
            "stop_instance" if self.kind is FaultKind.STOP_INSTANCE else "blackhole"
        )
        return FaultEffect(kind, self.host_name, self.port)

    def instance_arn(self, place: Place) -> str:
        """The ARN of the instance."""
        (arn,) = instance_arns([self.instance_id], place)
        return arn

    @abstractmethod
    def action(self, place: Place) -> Action:
        """The action of the experiment template."""


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

    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int

    kind = FaultKind.STOP_INSTANCE

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


@dataclass(frozen=True, slots=True)
class BlackholePort(Fault):
    """Drops all packets that an instance sends to a TCP port, for a fixed time, with AWS FIS.

    A Systems Manager document adds and removes the rule on the host, so the fault ends even where
    it cuts off AWS itself (port 443). All traffic to the port is dropped: that to other
    dependencies too, and with port 80 requests for instance metadata.

    FIS considers its action completed after the action's own duration, even if the document still
    runs, and then no longer stops it. The document runs longer than the rule lasts, since it first
    installs what it needs: so the action gets a minute more than the rule.

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

    host_name: str
    instance: "ec2.IInstance | str"
    duration_minutes: int
    destination_port: int

    kind = FaultKind.BLACKHOLE

    def __post_init__(self) -> None:
        """Check the values."""
        self._check()
        checked("BlackholePort", "destination_port", self.destination_port, _cut_off)

    @property
    def port(self) -> int:
        """The port that is cut off."""
        return self.destination_port

    @property
    def seconds(self) -> int:
        """The longest time that the fault lasts, counted from the start of FIS's action."""
        longest = limits.MAX_FAULT_MINUTES * 60
        return min(self.duration_minutes * 60 + time_limits.SET_UP_SECONDS, longest)

    def action(self, place: Place) -> Action:
        """The action that runs the document, which ends by itself."""
        parameters = json.dumps(
            {
                "DurationSeconds": str(self.duration_minutes * 60),
                # What it needs (at, iptables, ...) comes from the host's package repositories.
                "InstallDependencies": "True",
                "Port": str(self.destination_port),
                "Protocol": "tcp",
                # The default, ingress, would cut off the host's clients, not its dependency.
                "TrafficType": "egress",
            },
            separators=(",", ":"),
        )
        return Action(
            "aws:ssm:send-command",
            f"Drops what {self.host_name} sends to TCP port {self.destination_port}.",
            {
                "documentArn": blackhole_document_arn(place),
                "documentParameters": parameters,
                "duration": f"PT{self.seconds // 60}M",
            },
        )


def blackhole_document_arn(place: Place) -> str:
    """The ARN of Systems Manager's document that drops packets."""
    return f"arn:{place.partition}:ssm:{place.region}::document/{BLACKHOLE_DOCUMENT}"


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
