"""Expectations of an experiment, as data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from staged_resiliency.experiment.json_codec import Seconds

FAULT: Final = "the fault"
FAULT_END: Final = "the fault's end"


@dataclass(frozen=True, slots=True)
class ClientsMove:
    """Clients move to another host within a time after the fault, and stay there until its end.

    Attributes:
        record: DNS name that clients use.
        to: Name of the host that must serve them, as ``/version/`` returns it.
        within_seconds: At most so long after the fault was injected; None for the objective of
            the run.
    """

    expects: ClassVar[str] = "clients move"
    words: ClassVar[str] = "clients of {0.record} reach {0.to}"
    after: ClassVar[str] = FAULT

    record: str
    to: str
    within_seconds: Seconds | None = None


@dataclass(frozen=True, slots=True)
class ClientsReturn:
    """Clients are served by the former host within a time after the fault's end.

    Attributes:
        record: DNS name that clients use.
        to: Name of the host that served before.
        within_seconds: At most so long after the fault ended.
    """

    expects: ClassVar[str] = "clients return"
    words: ClassVar[str] = "clients of {0.record} are back on {0.to}"
    after: ClassVar[str] = FAULT_END

    record: str
    to: str
    within_seconds: Seconds


@dataclass(frozen=True, slots=True)
class ClientsStay:
    """No client is ever served by another host, from the fault until the end.

    Clients may go unserved: a fault that no deciding signal shows leaves them where they are.

    Attributes:
        record: DNS name that clients use.
        on: Name of the host that serves.
    """

    expects: ClassVar[str] = "clients stay"
    words: ClassVar[str] = "clients of {0.record} stay on {0.on}"

    record: str
    on: str


@dataclass(frozen=True, slots=True)
class ClientsServed:
    """Clients are served, from the fault until the end.

    One request between two that are answered may be lost on its way, once.

    Attributes:
        record: DNS name that clients use.
    """

    expects: ClassVar[str] = "clients served"
    words: ClassVar[str] = "clients of {0.record} are served"

    record: str


@dataclass(frozen=True, slots=True)
class ClientsServedAgain:
    """Within a time after the fault clients are served, by whichever host, and stay served.

    One request between two that are answered may be lost on its way, once.

    Attributes:
        record: DNS name that clients use.
        within_seconds: At most so long after the fault was injected; None for the objective of
            the run.
    """

    expects: ClassVar[str] = "clients served again"
    words: ClassVar[str] = "clients of {0.record} are served again"
    after: ClassVar[str] = FAULT

    record: str
    within_seconds: Seconds | None = None


@dataclass(frozen=True, slots=True)
class ClientsFast:
    """95 of 100 answers to clients during the fault come within a time.

    Attributes:
        record: DNS name that clients use.
        within_seconds: The most that an answer may take.
    """

    expects: ClassVar[str] = "clients fast"
    words: ClassVar[str] = (
        "95 of 100 answers to clients of {0.record} come within {0.within_seconds:g} s"
    )

    record: str
    within_seconds: Seconds


@dataclass(frozen=True, slots=True)
class AlarmFires:
    """An alarm goes into ALARM within a time after the fault.

    Attributes:
        alarm: Name of the alarm.
        within_seconds: At most so long after the fault was injected.
    """

    expects: ClassVar[str] = "alarm fires"
    words: ClassVar[str] = "{0.alarm} fires"
    after: ClassVar[str] = FAULT

    alarm: str
    within_seconds: Seconds


@dataclass(frozen=True, slots=True)
class AlarmRecovers:
    """An alarm is OK again within a time after the fault's end.

    Attributes:
        alarm: Name of the alarm.
        within_seconds: At most so long after the fault ended.
    """

    expects: ClassVar[str] = "alarm recovers"
    words: ClassVar[str] = "{0.alarm} is OK again"
    after: ClassVar[str] = FAULT_END

    alarm: str
    within_seconds: Seconds


@dataclass(frozen=True, slots=True)
class AlarmQuiet:
    """An alarm exists and is never in ALARM, from the fault until the end.

    Attributes:
        alarm: Name of the alarm.
    """

    expects: ClassVar[str] = "alarm quiet"
    words: ClassVar[str] = "{0.alarm} stays quiet"

    alarm: str


Expectation: TypeAlias = (
    ClientsMove
    | ClientsReturn
    | ClientsStay
    | ClientsServed
    | ClientsServedAgain
    | ClientsFast
    | AlarmFires
    | AlarmRecovers
    | AlarmQuiet
)
"""One expectation; ``expects`` names its kind in documents, ``words`` describe it."""

TimedExpectation: TypeAlias = (
    ClientsMove | ClientsReturn | ClientsServedAgain | AlarmFires | AlarmRecovers
)
"""An expectation with a time limit, which runs from ``after``: the fault or its end."""

Hypothesis: TypeAlias = Sequence[Expectation]
"""All expectations of an experiment, which passes when each of them does."""


@dataclass(frozen=True, slots=True)
class UnknownExpectation:
    """An expectation of a kind that this release doesn't know, in a journal of a later release.

    Attributes:
        expects: Its kind.
    """

    expects: str


def during_fault(hypothesis: Iterable[Expectation]) -> Sequence[TimedExpectation]:
    """Select the expectations of what happens while the fault lasts."""
    return [each for each in hypothesis if isinstance(each, (ClientsMove, AlarmFires))]


def after_fault(hypothesis: Iterable[Expectation]) -> Sequence[TimedExpectation]:
    """Select the expectations of what happens once the fault is over."""
    kinds = (ClientsReturn, ClientsServedAgain, AlarmRecovers)
    return [each for each in hypothesis if isinstance(each, kinds)]


def time_limit(expectation: TimedExpectation, objective_seconds: float | None) -> float:
    """Return the time limit of an expectation, which may be the objective of the run.

    Raises:
        ValueError: It has none, and the run has no objective.
    """
    limit = expectation.within_seconds
    if limit is None:
        limit = objective_seconds
    if limit is None:
        raise ValueError(f"{describe(expectation)}: has no time limit, and the run no objective")
    return limit


def describe(expectation: Expectation | UnknownExpectation) -> str:
    """Describe an expectation, without its time limit: ``clients of NAME reach HOST``.

    Verdicts, journals, pages and terminals all use these words.
    """
    if isinstance(expectation, UnknownExpectation):
        return expectation.expects
    return expectation.words.format(expectation)
