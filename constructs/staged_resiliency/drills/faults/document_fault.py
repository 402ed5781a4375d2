"""The base class of faults that a Systems Manager document of AWS FIS injects on the host."""

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from staged_resiliency.drills.alarm_effects import AlarmKind, WatchedAlarm
from staged_resiliency.drills.faults.fault import (
    Action,
    HostFault,
    PairOfHosts,
    Place,
    Statement,
    instance_arns,
)
from staged_resiliency.drills.runtime.durations import RULE_LATE_SECONDS
from staged_resiliency.drills.runtime.fault_settings import Command
from staged_resiliency.shared import limits, network_names, time_limits, validation

ALL: Final = 100
# Which the documents need that take names, addresses and Availability Zones.
READS_OF_SOURCES: Final = ("ec2:DescribeSubnets",)


class DocumentFault(HostFault):
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


def _document_arn(document: str, place: Place) -> str:
    return f"arn:{place.partition}:ssm:{place.region}::document/{document}"


def ipv4_or_name(destination: str) -> str:
    """Validate the DNS name or IPv4 address of a dependency that a fault is aimed at."""
    found = network_names.dns_name_or_address(destination)
    if network_names.is_ipv6(found):
        raise ValueError(
            f"{validation.shown(destination)} is an IPv6 address, and AWS FIS takes IPv4 "
            "addresses and names only; give one of these"
        )
    return found
