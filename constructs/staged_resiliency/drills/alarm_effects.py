"""How a fault affects each alarm of a service, and how soon."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from staged_resiliency.shared import time_limits

HTTPS_PORT: Final = 443
"""Hosts reach CloudWatch and Systems Manager on it, too; without it they publish nothing."""


class AlarmKind(Enum):
    """The signal that an alarm watches."""

    STATUS = "status"
    """EC2's status checks of the host, which EC2 itself publishes."""
    DEPENDENCY = "dependency"
    """The host's connections to one dependency, which its probe publishes."""
    PEER = "peer"
    """The host's answers to the other host, whose probe publishes them."""
    PROBE = "probe"
    """The heartbeat of the host's probe."""


class AlarmEffect(Enum):
    """How a fault affects an alarm's metric."""

    NONE = "none"
    FAILS = "fails"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class WatchedAlarm:
    """One alarm of a service.

    Attributes:
        host: Name of the host that is unhealthy when it fires.
        dependency: Name of the dependency, for one that watches that.
        port: Port on which the dependency, or the other host, is asked.
        decides: Whether clients leave the host when it fires.
        fires_on_silence: Whether missing data count as failure.
        silence_is_health: Whether a health check takes missing data for health.
        evaluation_periods: Periods that are evaluated; that all of them breach makes it fire.
        good_periods: Good periods among them after which it is OK.
        sample_seconds: From a fault until the first sample has failed.
    """

    name: str
    watches: AlarmKind
    host: str
    dependency: str | None = None
    port: int | None = None
    decides: bool = False
    fires_on_silence: bool = False
    silence_is_health: bool = False
    period_seconds: int = 60
    evaluation_periods: int = 1
    sample_seconds: float = 15
    good_periods: int = 1

    @property
    def delay_seconds(self) -> float:
        """The longest time from the end of a period until its data are in CloudWatch."""
        if self.watches is AlarmKind.STATUS:
            return time_limits.STATUS_METRIC_DELAY_SECONDS
        return time_limits.CUSTOM_METRIC_DELAY_SECONDS + time_limits.PROBE_BATCH_SECONDS

    def fires_within(self, effect: AlarmEffect) -> int | None:
        """The most seconds from the fault until the alarm fires; None if it does not fire."""
        if effect is AlarmEffect.FAILS:
            return time_limits.fires_by_failing(
                self.period_seconds,
                self.evaluation_periods,
                sample_seconds=self.sample_seconds,
                delay_seconds=self.delay_seconds,
            )
        if effect is AlarmEffect.SILENT and self.fires_on_silence:
            return time_limits.fires_by_silence(
                self.period_seconds, self.evaluation_periods, delay_seconds=self.delay_seconds
            )
        return None

    def moves_clients(self, effect: AlarmEffect) -> bool:
        """Whether Route 53 moves clients away from the alarm's host, as its metric decides."""
        if effect is AlarmEffect.SILENT:
            return self.decides and not self.silence_is_health
        return self.decides and effect is AlarmEffect.FAILS

    def recovers_within(self, start_seconds: float) -> int:
        """The most seconds from the fault's end until the alarm is OK again.

        Args:
            start_seconds: Until the host is as it was.
        """
        return time_limits.recovers(
            self.period_seconds,
            start_seconds=start_seconds
            + self.sample_seconds
            + (self.good_periods - 1) * self.period_seconds,
            delay_seconds=self.delay_seconds,
        )


FaultKind = Literal["stop_instance", "blackhole"]


@dataclass(frozen=True, slots=True)
class FaultEffect:
    """The fault, as alarms observe it: a stopped host, or one that sends nothing out to a port."""

    kind: FaultKind
    host: str
    port: int | None = None

    @property
    def start_seconds(self) -> float:
        """The longest time from the fault's end until the host is as before."""
        return time_limits.INSTANCE_START_SECONDS if self.kind == "stop_instance" else 0

    @property
    def set_up_seconds(self) -> int:
        """The longest time from the start of FIS's action until the fault begins."""
        return time_limits.SET_UP_SECONDS if self.kind == "blackhole" else 0

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """How the fault affects the metric of an alarm."""
        if self.kind == "stop_instance":
            return self._of_a_stop(alarm)
        if self.port == HTTPS_PORT:
            # The probe's requests to CloudWatch are cut off with everything else.
            return AlarmEffect.SILENT if self._published_here(alarm) else AlarmEffect.NONE
        asks = alarm.watches in (AlarmKind.DEPENDENCY, AlarmKind.PEER)
        cut_off = asks and self._published_here(alarm) and alarm.port == self.port
        return AlarmEffect.FAILS if cut_off else AlarmEffect.NONE

    def _of_a_stop(self, alarm: WatchedAlarm) -> AlarmEffect:
        if alarm.watches is AlarmKind.PEER:
            # The one that asks is the other host: it sees the failure, or is the one that stopped.
            return AlarmEffect.FAILS if alarm.host == self.host else AlarmEffect.SILENT
        return AlarmEffect.SILENT if alarm.host == self.host else AlarmEffect.NONE

    def _published_here(self, alarm: WatchedAlarm) -> bool:
        """Whether the probe of the broken host publishes the alarm's metric."""
        if alarm.watches is AlarmKind.PEER:
            return alarm.host != self.host
        return alarm.watches is not AlarmKind.STATUS and alarm.host == self.host


def firing(
    fault: FaultEffect, alarms: Iterable[WatchedAlarm]
) -> Iterator[tuple[WatchedAlarm, int]]:
    """The alarms that the fault is expected to fire, each with the most seconds that it takes.

    Seconds count from the start of FIS's action, as in a drill.
    """
    for alarm in alarms:
        within = alarm.fires_within(fault.effect_on(alarm))
        if within is not None:
            yield alarm, fault.set_up_seconds + within


def guards(fault: FaultEffect, alarms: Sequence[WatchedAlarm], most: int) -> Sequence[WatchedAlarm]:
    """The alarms, ``most`` at most, that stop the fault: those that show the other host's health.

    First those on the host itself (its status checks, its probe), then those on what the fault
    cuts off, then those on the dependencies that decide failover. Never one that the fault is
    expected to fire, and none on the peer, which the broken host itself would have to publish.
    """
    meant = {alarm.name for alarm, _ in firing(fault, alarms)}
    well = [
        (rank, alarm)
        for alarm in alarms
        if alarm.host != fault.host and alarm.name not in meant
        for rank in [_rank(fault, alarm)]
        if rank is not None
    ]
    return [alarm for _, alarm in sorted(well, key=lambda each: each[0])][:most]


def _rank(fault: FaultEffect, alarm: WatchedAlarm) -> int | None:
    if alarm.watches in (AlarmKind.STATUS, AlarmKind.PROBE):
        return 0
    if alarm.watches is AlarmKind.DEPENDENCY:
        if fault.kind == "blackhole" and alarm.port == fault.port:
            return 1
        return 2 if alarm.decides else None
    return None
