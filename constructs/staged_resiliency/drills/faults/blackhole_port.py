"""The fault that cuts off a TCP port of a host."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.alarm_effects import AlarmEffect, AlarmKind, WatchedAlarm
from staged_resiliency.drills.faults.document_fault import DocumentFault
from staged_resiliency.drills.runtime.fault_settings import Command, FaultKind
from staged_resiliency.drills.runtime.keys import (
    BLACKHOLE_DOCUMENT,
)
from staged_resiliency.shared import network_names
from staged_resiliency.shared.literals import checked

_DNS_PORT: Final = 53
_HTTPS_PORT: Final = 443  # of CloudWatch and Systems Manager too


@dataclass(frozen=True, slots=True)
class BlackholePort(DocumentFault):
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

    destination_port: int

    def _check(self) -> None:
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
        """Whether the host can't publish metrics: the port is that of CloudWatch's API."""
        return self.destination_port == _HTTPS_PORT

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on an alarm's metric: the host's requests to the port fail."""
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


def _cut_off(port: int) -> int:
    if network_names.port(port) == _DNS_PORT:
        raise ValueError(
            "53 is DNS, without which the host resolves no names, not even those of AWS; give the "
            "port of a dependency"
        )
    return port
