"""How faults affect the alarms of a service, and how soon each alarm fires and recovers."""

import math
from dataclasses import dataclass
from enum import Enum

from staged_resiliency.shared import time_limits


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
    OTHER = "other"
    """A metric of the team's own, or of AWS, which no fault is expected to affect."""


class AlarmEffect(Enum):
    """How a fault affects an alarm's metric."""

    NONE = "none"
    FAILS = "fails"
    MAY_FAIL = "may fail"
    """For a short time, so that the alarm may fire or not."""
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class WatchedAlarm:
    """One alarm of a service.

    Attributes:
        host: Name of the host that is unhealthy when it fires; empty for an alarm on neither.
        dependency: Name of the dependency, for one that watches that.
        port: Port on which the dependency, or the other host, is asked.
        address: Name or address at which it is asked; None where it is a DNS server.
        decides: Whether clients leave the host when it fires.
        fires_on_silence: Whether missing data count as failure.
        silence_is_health: Whether a health check takes missing data for health.
        evaluation_periods: Periods that are evaluated; that all of them breach makes it fire.
        good_periods: Good periods among them after which it is OK.
        is_guard: Whether it stops drills, for an alarm on a metric of another kind.
        sample_seconds: From a fault until the first sample has failed.
    """

    name: str
    watches: AlarmKind
    host: str
    dependency: str | None = None
    port: int | None = None
    address: str | None = None
    decides: bool = False
    fires_on_silence: bool = False
    silence_is_health: bool = False
    period_seconds: int = 60
    evaluation_periods: int = 1
    sample_seconds: float = 15
    good_periods: int = 1
    is_guard: bool = False

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

    def may_fire_within(self, outage_seconds: float) -> int | None:
        """Return within how many seconds an outage may fire the alarm; None if it is too short."""
        if self.periods_of(outage_seconds) < self.evaluation_periods - self.good_periods + 1:
            return None
        return self.fires_within(AlarmEffect.FAILS)

    def periods_of(self, outage_seconds: float) -> int:
        """Return how many periods, at most, have a failed sample because of an outage."""
        return math.ceil((outage_seconds + self.sample_seconds) / self.period_seconds) + 1

    def moves_clients(self, effect: AlarmEffect) -> bool:
        """Whether an effect on the alarm's metric makes Route 53 move clients off its host."""
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
