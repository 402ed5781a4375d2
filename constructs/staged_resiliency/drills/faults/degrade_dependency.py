"""The fault that slows down one dependency of a host, or loses a part of its packets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

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
    LATENCY_DOCUMENT,
    PACKET_LOSS_DOCUMENT,
)
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked

MAX_DELAY_MILLISECONDS: Final = 60_000
MAX_RESPONSE_MILLISECONDS: Final = 4_000  # a drill waits no longer for an answer


@dataclass(frozen=True, slots=True)
class DegradeDependency(DocumentFault):
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
    ec2_reads = READS_OF_SOURCES

    destination: str
    delay_milliseconds: int | None = None
    jitter_milliseconds: int = 0
    loss_percent: int | None = None
    response_milliseconds: int = MAX_RESPONSE_MILLISECONDS

    def _check(self) -> None:
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
    if not 1 <= percent < ALL:
        raise ValueError(f"{percent} is out of range; allowed: 1 to {ALL - 1}")
    return percent
