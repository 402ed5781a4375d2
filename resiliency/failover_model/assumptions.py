"""The numbers of the model that no template tells, each with its range and what it rests on."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Final

from resiliency.failover_model.alarm_evaluation import ASSUMED_EXTRA_PERIODS

_USER_GUIDE: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/"


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two bounds; every outage draws one, all alike likely.

    Attributes:
        low: The least.
        high: The most.
        about: What it is, with its unit.
        basis: A source, or the word *assumed* and why.
    """

    low: float
    high: float
    about: str
    basis: str

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"{self.low:g} to {self.high:g} is no span; give 0 <= low <= high")

    @property
    def assumed(self) -> bool:
        """Whether it rests on no source."""
        return self.basis.startswith("assumed")

    def draw(self, chance: random.Random) -> float:
        """One number of the span."""
        return self.low + (self.high - self.low) * chance.random()


# Beyond these there is nothing to play through, or not in any time one would wait for.
_BOUNDS: Final = (
    ("extra_periods", 0, 100),
    ("evaluation_interval", 1, 3600),
    ("status_check", 0, 3600),
    ("status_metric_delay", 0, 3600),
    ("custom_metric_delay", 0, 3600),
    ("probe_interval", 1, 60),
    ("probe_timeout", 0, 60),
    ("probe_batch", 0, 3600),
    ("checkers", 1, 1000),
    ("health_check_uptake", 0, 3600),
    ("dns_propagation", 0, 86400),
    ("resolver_floor", 0, 604800),
    ("client_cache", 0, 604800),
)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the model takes for given, in seconds unless said otherwise.

    Replace one by ``dataclasses.replace``; a number alone is a span whose bounds are the same.

    Raises:
        ValueError: A span that nothing could be played through with, such as no time at all
            between two evaluations.

    Example:
        >>> [span.about for _, span in Assumptions().spans() if not span.assumed][0]
        'seconds between two evaluations of an alarm'
    """

    extra_periods: Range = field(
        default=Range(
            ASSUMED_EXTRA_PERIODS,
            ASSUMED_EXTRA_PERIODS,
            "periods that CloudWatch looks back beyond the evaluation periods",
            "assumed for all; AWS publishes 5 for 3 evaluation periods",
        )
    )
    evaluation_interval: Range = field(
        default=Range(
            60,
            60,
            "seconds between two evaluations of an alarm",
            f"{_USER_GUIDE}AlarmThatSendsEmail.html; assumed to hold for Route 53's reading too",
        )
    )
    status_check: Range = field(
        default=Range(
            60, 120, "seconds until EC2's status checks say that a host is impaired", "assumed"
        )
    )
    status_metric_delay: Range = field(
        default=Range(
            15, 60, "seconds from a status check to its data point in CloudWatch", "assumed"
        )
    )
    custom_metric_delay: Range = field(
        default=Range(
            1, 15, "seconds from a request of the probe to its data points in CloudWatch", "assumed"
        )
    )
    probe_interval: Range = field(
        default=Range(10, 10, "seconds between two samples of a target", "the probe's default")
    )
    probe_timeout: Range = field(
        default=Range(5, 5, "seconds until a sample without an answer fails", "the probe's default")
    )
    probe_batch: Range = field(
        default=Range(
            1,
            11,
            "seconds from the end of a minute to the probe's request for it",
            "the probe's code: a second, and up to ten more by its host's name",
        )
    )
    checkers: Range = field(
        default=Range(
            16,
            16,
            "health checkers of Route 53 that ask an endpoint",
            "assumed; AWS names no number",
        )
    )
    health_check_uptake: Range = field(
        default=Range(0, 30, "seconds from data that decide to Route 53's new status", "assumed")
    )
    dns_propagation: Range = field(
        default=Range(0, 30, "seconds from a new status to all DNS servers' answers", "assumed")
    )
    resolver_floor: Range = field(
        default=Range(
            0, 30, "seconds that a resolver keeps an answer at least, whatever its TTL", "assumed"
        )
    )
    client_cache: Range = field(
        default=Range(
            0, 0, "seconds that a client keeps an address beyond its resolver", "assumed: none"
        )
    )

    def __post_init__(self) -> None:
        """Refuse what nothing could be played through with."""
        for name, least, most in _BOUNDS:
            span: Range = getattr(self, name)
            if span.low < least or span.high > most:
                raise ValueError(
                    f"{name} of {span.low:g} to {span.high:g}; allowed: {least:g} to {most:g}"
                )

    def spans(self) -> Iterator[tuple[str, Range]]:
        """All of them by name."""
        for each in fields(self):
            yield each.name, getattr(self, each.name)
