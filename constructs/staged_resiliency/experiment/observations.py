"""What was seen during an experiment, as one kind of record for every source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

NO_ANSWER: Final = "no answer"
"""Value of a client that was not served, and of a name that could not be resolved."""


class Source(Enum):
    """Who saw it."""

    FAULT = "fault"
    """The fault itself: subject its kind, value ``injected`` or ``ended``."""
    SIGNAL = "signal"
    """A metric: subject its name and host, value its latest statistic, or ``missing``."""
    ALARM = "alarm"
    """A CloudWatch alarm: subject its name, value OK, ALARM or INSUFFICIENT_DATA."""
    HEALTH_CHECK = "health check"
    """A Route 53 health check: subject its label, value ``healthy`` or ``unhealthy``."""
    DNS = "dns"
    """The authoritative answer: subject the record's name, value the addresses, comma-separated."""
    CLIENT = "client"
    """A client that resolves as clients do and asks ``/version/``: subject the record's name,
    value the ``environment`` in the answer, or ``no answer``."""
    MESSAGE = "message"
    """A notification that arrived: subject the alarm, value its new state."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing seen at one moment.

    Attributes:
        at: When, in seconds since the epoch.
        source: Who saw it.
        subject: What was looked at.
        value: What was found.
        detail: More for people, such as why there was no answer.
    """

    at: float
    source: Source
    subject: str
    value: str
    detail: str = ""


def ordered(observations: Iterable[Observation]) -> Sequence[Observation]:
    """The observations in the order of their time, without those that are there twice.

    What is gathered by several observers arrives out of order, and a step that is tried again
    delivers twice; neither may change a verdict.
    """
    unique = dict.fromkeys(observations)
    return sorted(
        unique, key=lambda each: (each.at, each.source.value, each.subject, each.value, each.detail)
    )


def of(
    observations: Iterable[Observation], source: Source, subject: str | None = None
) -> Sequence[Observation]:
    """Those of one source, and of one subject where it is given; in the order given."""
    return [
        each
        for each in observations
        if each.source is source and (subject is None or each.subject == subject)
    ]


def transitions(observations: Iterable[Observation]) -> Sequence[Observation]:
    """The first observation of each subject, and those that differ in value from the one before.

    Args:
        observations: In any order.
    """
    last: dict[tuple[Source, str], str] = {}
    found = []
    for each in ordered(observations):
        key = (each.source, each.subject)
        if last.get(key) != each.value:
            last[key] = each.value
            found.append(each)
    return found
