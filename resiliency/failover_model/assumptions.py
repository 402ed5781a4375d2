"""The numbers of the model that no template contains, each with its range and its source."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final, cast

from staged_resiliency.shared import time_limits

_USER_GUIDE: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/"


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two bounds; each outage draws one, with equal chances.

    Attributes:
        about: The quantity, with its unit.
        basis: A source, or the word *assumed* and why.
        bounds: Of a default: beyond them what replaces it can't be simulated in any time one would
            wait for.
    """

    low: float
    high: float
    about: str
    basis: str
    bounds: tuple[float, float] = (0, 3600)

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"{self.low:g} to {self.high:g} is not a range; give 0 <= low <= high")

    @property
    def assumed(self) -> bool:
        """Whether the range has no source."""
        return self.basis.startswith("assumed")

    def draw(self, chance: random.Random) -> float:
        """Draw a number of the range."""
        return self.low + (self.high - self.low) * chance.random()

    def draw_whole(self, chance: random.Random) -> int:
        """Draw a whole number of the range, each with equal chances."""
        low, high = round(self.low), round(self.high)
        return low + int((high - low + 1) * chance.random())


def extra_periods_name(period_seconds: int) -> str:
    """Return the name of the assumption on the periods that CloudWatch reads for an alarm."""
    long = period_seconds >= time_limits.LONG_PERIOD_SECONDS
    return "extra_long_periods" if long else "extra_periods"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The numbers that the model assumes, in seconds unless stated otherwise.

    Replace one with ``dataclasses.replace``; a single number is a range with equal bounds.

    Raises:
        ValueError: A range that can't be simulated, such as no time between two evaluations.

    Example:
        >>> [each.about for _, each in Assumptions().ranges() if not each.assumed][0]
        'seconds between two evaluations of an alarm'
    """

    extra_periods: Range = Range(
        2,
        time_limits.EXTRA_PERIODS,
        "periods that CloudWatch reads beyond the evaluation periods, if shorter than 300 s",
        "assumed; published events of alarms with 60 s show 5, and AWS publishes 2 for 300 s",
        bounds=(0, 100),
    )
    extra_long_periods: Range = Range(
        time_limits.EXTRA_LONG_PERIODS,
        time_limits.EXTRA_LONG_PERIODS,
        "the same for periods of 300 s or more",
        "assumed for all; AWS publishes 5 for 3 evaluation periods",
        bounds=(0, 100),
    )
    evaluation_interval: Range = Range(
        time_limits.EVALUATION_INTERVAL_SECONDS,
        time_limits.EVALUATION_INTERVAL_SECONDS,
        "seconds between two evaluations of an alarm",
        f"{_USER_GUIDE}AlarmThatSendsEmail.html; assumed to hold for Route 53's reading too",
        bounds=(1, 3600),
    )
    status_check: Range = Range(
        60,
        time_limits.STATUS_CHECK_SECONDS,
        "seconds until EC2's status checks report an impaired host",
        "assumed",
    )
    status_metric_delay: Range = Range(
        15,
        time_limits.STATUS_METRIC_DELAY_SECONDS,
        "seconds from a status check to its data point in CloudWatch",
        "assumed",
    )
    custom_metric_delay: Range = Range(
        1,
        time_limits.CUSTOM_METRIC_DELAY_SECONDS,
        "seconds from a request of the probe to its data points in CloudWatch",
        "assumed",
    )
    probe_interval: Range = Range(
        10, 10, "seconds between two samples of a target", "the probe's default", bounds=(1, 60)
    )
    probe_timeout: Range = Range(
        5,
        5,
        "seconds until a sample without an answer fails",
        "the probe's default",
        bounds=(0, 60),
    )
    probe_batch: Range = Range(
        1,
        time_limits.PROBE_BATCH_SECONDS,
        "seconds from the end of a minute to the probe's request for it",
        "the probe's code: a second, and up to ten more by its host's name",
    )
    checkers: Range = Range(
        15,
        15,
        "Route 53 health checkers in the eight regions that are used unless others are given",
        "assumed: a request every two seconds at an interval of 30 s",
        bounds=(1, 1000),
    )
    health_check_uptake: Range = Range(
        0,
        time_limits.HEALTH_CHECK_UPTAKE_SECONDS,
        "seconds from data that decide to Route 53's new status",
        "assumed",
    )
    health_metric_delay: Range = Range(
        0,
        60,
        "seconds from a minute's end to the data point of a health check in CloudWatch",
        "assumed",
    )
    dns_propagation: Range = Range(
        0,
        time_limits.DNS_PROPAGATION_SECONDS,
        "seconds from a new status to the answers of all DNS servers",
        "assumed",
        bounds=(0, 86400),
    )
    resolver_floor: Range = Range(
        0,
        time_limits.RESOLVER_FLOOR_SECONDS,
        "seconds that a resolver caches an answer even if its TTL is shorter",
        "assumed",
        bounds=(0, 604800),
    )
    client_cache: Range = Range(
        0,
        0,
        "seconds that a client caches an address; what is left of them counts",
        "assumed: none",
        bounds=(0, 604800),
    )
    stretching_share: Range = Range(
        0,
        0,
        "share of clients, 0 to 1, whose resolvers keep answers longer than the TTL",
        "assumed: none; a study found 0.087 of the resolvers (PAM 2023, Bhowmick et al.)",
        bounds=(0, 1),
    )
    stretched_ttl: Range = Range(
        300,
        3600,
        "seconds that the resolvers of those clients keep an answer",
        "assumed",
        bounds=(0, 604800),
    )

    def __post_init__(self) -> None:
        """Raise if a range is beyond what can be simulated."""
        for each in fields(self):
            given: Range = getattr(self, each.name)
            least, most = cast(Range, each.default).bounds
            if given.low < least or given.high > most:
                found = f"{each.name} of {given.low:g} to {given.high:g}"
                raise ValueError(f"{found}; allowed: {least:g} to {most:g}")

    def periods_beyond(self, period_seconds: int) -> Range:
        """Return how many periods CloudWatch reads beyond the evaluation periods."""
        given: Range = getattr(self, extra_periods_name(period_seconds))
        return given

    def ranges(self) -> Iterator[tuple[str, Range]]:
        """Yield the name and the range of each assumption."""
        for each in fields(self):
            yield each.name, getattr(self, each.name)
