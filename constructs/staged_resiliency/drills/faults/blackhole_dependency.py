"""The fault that cuts off one dependency of a host."""

from collections.abc import Mapping
from dataclasses import dataclass

from staged_resiliency.drills.alarm_effects import AlarmEffect, WatchedAlarm
from staged_resiliency.drills.faults.document_fault import (
    ALL,
    READS_OF_SOURCES,
    DocumentFault,
    ipv4_or_name,
)
from staged_resiliency.drills.faults.fault import is_at
from staged_resiliency.drills.runtime.fault_settings import Command, FaultKind
from staged_resiliency.drills.runtime.keys import (
    PACKET_LOSS_DOCUMENT,
)
from staged_resiliency.shared.literals import checked


@dataclass(frozen=True, slots=True)
class BlackholeDependency(DocumentFault):
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
    ec2_reads = READS_OF_SOURCES

    destination: str

    def _check(self) -> None:
        checked("BlackholeDependency", "destination", self.destination, ipv4_or_name)

    @property
    def command(self) -> Command:
        """The command that drops the packets."""
        return Command(
            PACKET_LOSS_DOCUMENT, f"drops what {self.host_name} sends to {self.destination}"
        )

    def _parameters(self) -> Mapping[str, str]:
        return {"LossPercent": str(ALL), "Sources": self.destination}

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on an alarm's metric: the host's requests to the dependency fail."""
        fails = self._asks(alarm) and self.reaches(alarm)
        return AlarmEffect.FAILS if fails else AlarmEffect.NONE

    def reaches(self, alarm: WatchedAlarm) -> bool:
        """Whether an alarm watches the dependency, on either host."""
        return is_at(alarm, self.destination)
