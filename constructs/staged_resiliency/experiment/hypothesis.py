"""What is expected of an experiment, as data that can be judged from what was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ClientsMove:
    """Clients are served by another host within a time after the fault.

    Attributes:
        record: DNS name that clients use.
        to: Name of the host that must serve them, as ``/version/`` tells it.
        within_seconds: At most so long after the fault was injected.
    """

    record: str
    to: str
    within_seconds: float


@dataclass(frozen=True, slots=True)
class ClientsReturn:
    """Clients are served by the former host within a time after the fault's end.

    Attributes:
        record: DNS name that clients use.
        to: Name of the host that served before.
        within_seconds: At most so long after the fault ended.
    """

    record: str
    to: str
    within_seconds: float


@dataclass(frozen=True, slots=True)
class ClientsStay:
    """No client is ever served by another host, from the fault until the end.

    Whether they are served at all is not said: a fault that no deciding signal shows leaves them
    where they are.

    Attributes:
        record: DNS name that clients use.
        on: Name of the host that serves.
    """

    record: str
    on: str


@dataclass(frozen=True, slots=True)
class ClientsServed:
    """Every client is served, from the fault until the end.

    Attributes:
        record: DNS name that clients use.
    """

    record: str


@dataclass(frozen=True, slots=True)
class AlarmFires:
    """An alarm goes into ALARM within a time after the fault.

    Attributes:
        alarm: Name of the alarm.
        within_seconds: At most so long after the fault was injected.
    """

    alarm: str
    within_seconds: float


@dataclass(frozen=True, slots=True)
class AlarmRecovers:
    """An alarm is OK again within a time after the fault's end.

    Attributes:
        alarm: Name of the alarm.
        within_seconds: At most so long after the fault ended.
    """

    alarm: str
    within_seconds: float


@dataclass(frozen=True, slots=True)
class AlarmQuiet:
    """An alarm is never in ALARM, from the fault until the end.

    Attributes:
        alarm: Name of the alarm.
    """

    alarm: str


Expectation: TypeAlias = (
    ClientsMove
    | ClientsReturn
    | ClientsStay
    | ClientsServed
    | AlarmFires
    | AlarmRecovers
    | AlarmQuiet
)
"""One thing that is expected."""

Hypothesis: TypeAlias = Sequence[Expectation]
"""All that is expected; it holds when each of its expectations does."""
