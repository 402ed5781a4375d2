"""Observations during an experiment, in the same form for every source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

NO_ANSWER: Final = "no answer"
"""Value of a client that was not served, and of a name that could not be resolved."""

MISSING: Final = "missing"
"""Value of an alarm that does not exist, and of a metric without data."""


class Source(Enum):
    """The source of an observation.

    Attributes:
        FAULT: The fault itself: subject its kind, value ``injected`` or ``ended``.
        SIGNAL: A metric: subject its name and host, value its latest statistic, or ``missing``.
        ALARM: A CloudWatch alarm: subject its name, value OK, ALARM, INSUFFICIENT_DATA or
            ``missing``.
        HEALTH_CHECK: A Route 53 health check: subject its label, value ``healthy`` or
            ``unhealthy``.
        DNS: The authoritative answer: subject the record's name, value the addresses,
            comma-separated.
        CLIENT: A client that resolves as clients do and requests ``/version/``: subject the
            record's name, value the ``environment`` in the answer, or ``no answer``.
        HOST: The host that the fault does not break, asked at its own address: subject its name,
            value its name or ``no answer``.
        MESSAGE: A notification that arrived: subject the alarm, value its new state.
    """

    FAULT = "fault"
    SIGNAL = "signal"
    ALARM = "alarm"
    HEALTH_CHECK = "health check"
    DNS = "dns"
    CLIENT = "client"
    HOST = "host"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Observation:
    """A value that one source had at one moment.

    Attributes:
        at: When, in seconds since the epoch.
        source: Who observed it.
        subject: What was observed, by source: kind of the fault, metric and host, alarm, health
            check, or record.
        value: The value that was found.
        detail: More for people, such as why there was no answer; often empty.
        seconds: How long the answer to a client took; None where that was not measured.
    """

    at: float
    source: Source
    subject: str
    value: str
    detail: str = ""
    seconds: float | None = None


def ordered(observations: Iterable[Observation]) -> Sequence[Observation]:
    """Sort observations by time, and drop duplicates.

    What is gathered by several observers arrives out of order, and a step that is tried again
    delivers twice; neither may change a verdict.
    """
    unique = dict.fromkeys(observations)
    return sorted(unique, key=_order)


def _order(each: Observation) -> tuple[float, str, str, str, str, float]:
    answered = -1 if each.seconds is None else each.seconds
    return each.at, each.source.value, each.subject, each.value, each.detail, answered


def of(
    observations: Iterable[Observation], source: Source, subject: str | None = None
) -> Sequence[Observation]:
    """Select the observations of one source, and of one subject where it is given."""
    return [
        each
        for each in observations
        if each.source is source and (subject is None or each.subject == subject)
    ]


def transitions(observations: Iterable[Observation]) -> Sequence[Observation]:
    """Select the first observation of each subject, and each whose value differs from the last.

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
