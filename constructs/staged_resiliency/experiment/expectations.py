"""What is expected of an experiment, as data that can be judged from what was seen."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, get_args


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
    """Clients are served, from the fault until the end.

    One request between two that are answered may be lost on its way.

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


def expects(kind: type[Expectation]) -> str:
    """What a kind of expectation is called in documents: its class's name in words."""
    words = "".join(f" {each.lower()}" if each.isupper() else each for each in kind.__name__)
    return words.strip()


def expectation_json(expectation: Expectation) -> Mapping[str, str | float]:
    """An expectation as a JSON object: ``expects`` names its kind, beside its fields."""
    return {"expects": expects(type(expectation)), **dataclasses.asdict(expectation)}


def expectation_from_json(document: object) -> Expectation:
    """The expectation that ``expectation_json`` wrote.

    Raises:
        ValueError: It is no such object: of no known kind, or with other fields.
    """
    if not isinstance(document, Mapping):
        raise ValueError(f"an expectation must be an object; found {document!r}")
    kinds = {expects(each): each for each in get_args(Expectation)}
    kind = kinds.get(str(document.get("expects")))
    if kind is None:
        raise ValueError(
            f"expects: found {document.get('expects')!r}; must be one of {', '.join(kinds)}"
        )
    types = {field.name: field.type for field in dataclasses.fields(kind)}
    given = {key: value for key, value in document.items() if key != "expects"}
    if given.keys() != types.keys():
        raise ValueError(
            f"{expects(kind)}: found {', '.join(sorted(map(str, given)))}; must have "
            f"{', '.join(types)}"
        )
    for name, value in given.items():
        allowed = (int, float) if types[name] is float else (str,)
        if not isinstance(value, allowed) or isinstance(value, bool):
            wanted = "a number" if types[name] is float else "a text"
            raise ValueError(f"{expects(kind)}: {name}: found {value!r}; must be {wanted}")
    expectation: Expectation = kind(**given)
    return expectation
