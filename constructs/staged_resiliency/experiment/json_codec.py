"""Converts dataclasses to JSON and back, and checks that each key is there with the right type.

Fields are of str, int, float, bool, literals, enumerations, dataclasses, sequences and mappings of
any of these, and any of these or None. For a union of dataclasses the key ``expects`` names the one
that a document holds; its value is a class variable of that name.
"""

import dataclasses
import functools
import math
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    _T = TypeVar("_T", bound=DataclassInstance)
else:
    _T = TypeVar("_T")

JsonObject = Mapping[str, Any]
"""A JSON object, as ``json.dumps`` takes it."""

TAG: Final = "expects"
"""The key that names the dataclass of an object, where it may be one of several."""


class DataError(ValueError):
    """A JSON document does not have the expected form."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of a number, as an annotation of its type; None for no bound."""

    more_than: float | None = None
    at_least: float | None = None
    at_most: float | None = None


MOMENT_PATTERN: Final = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z"

Moment: TypeAlias = Annotated[float, "moment"]
"""Seconds since the epoch; in documents ISO 8601 in UTC with milliseconds."""

Seconds: TypeAlias = Annotated[float, Bounds(at_least=0)]
"""A duration, at least 0."""

_MOMENTS: Final = (Moment, Moment | None)


def as_json(value: object) -> Any:
    """Convert dataclasses, enumerations and collections to values that ``json.dumps`` takes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints, tag = field_types(type(value)), tag_of(type(value))
        return {
            **({} if tag is None else {TAG: tag}),
            **{name: _written(getattr(value, name), hint) for name, hint in hints.items()},
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [as_json(each) for each in value]
    return value


def _written(value: Any, hint: object) -> object:
    return timestamp(value) if hint in _MOMENTS else as_json(value)


def without_none(document: JsonObject, *keys: str) -> JsonObject:
    """Return an object without the given keys where they are null."""
    return {key: value for key, value in document.items() if key not in keys or value is not None}


def timestamp(at: float | None) -> str | None:
    """Format a moment for a document; None for None."""
    if at is None:
        return None
    moment = datetime.fromtimestamp(at, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(kind: type[_T], document: object, where: str) -> _T:
    """Read a dataclass from what ``json.loads`` returned; messages name the document ``where``.

    Documents of other releases can be read: keys that the dataclass doesn't have are ignored, and
    missing ones take its defaults.

    Raises:
        DataError: A key without a default is missing, or a value is of another type.
    """
    return _DocumentReader(where).read(kind, document, "")


@functools.cache
def field_types(kind: type) -> Mapping[str, Any]:
    """Return the types of a dataclass's fields, with their annotations."""
    # A run reads thousands of observations; resolving annotations would take most of the time.
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@functools.cache
def _with_default(kind: type) -> frozenset[str]:
    fields = dataclasses.fields(kind)
    return frozenset(each.name for each in fields if each.default is not dataclasses.MISSING)


def tag_of(kind: type) -> str | None:
    """Return the tag by which JSON names a dataclass of a union; None if it has no tag."""
    tag = getattr(kind, TAG, None)
    return tag if isinstance(tag, str) else None


@dataclass(frozen=True, slots=True)
class _DocumentReader:
    where: str

    def read(self, kind: type[_T], document: object, path: str) -> _T:
        if not isinstance(document, Mapping):
            raise self._wrong(path, document, "an object")
        values = {}
        for name, hint in field_types(kind).items():
            inner = f"{path}.{name}" if path else name
            if name in document:
                values[name] = self._value(hint, document[name], inner)
            elif name not in _with_default(kind):
                raise DataError(f"{self.where}: {inner} is missing")
        return kind(**values)

    def _value(self, hint: Any, value: object, path: str) -> object:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._annotated(arguments[0], arguments[1], value, path)
        if origin in (Union, types.UnionType):
            return self._union(arguments, value, path)
        if origin is Literal:
            if not isinstance(value, str) or value not in arguments:
                raise self._wrong(path, value, one_of(arguments))
            return value
        if origin in (tuple, Sequence):
            if not isinstance(value, list):
                raise self._wrong(path, value, "a list")
            items = enumerate(value)
            return tuple(self._value(arguments[0], each, f"{path}[{n}]") for n, each in items)
        if origin is Mapping:
            if not isinstance(value, dict):
                raise self._wrong(path, value, "an object")
            return {
                key: self._value(arguments[1], each, f"{path}.{key}") for key, each in value.items()
            }
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self.read(hint, value, path)
        if issubclass(hint, Enum):
            known = {each.value: each for each in hint}
            if not isinstance(value, str) or value not in known:
                raise self._wrong(path, value, one_of(known))
            return known[value]
        return self._plain(hint, value, path)

    def _annotated(self, kind: Any, annotation: object, value: object, path: str) -> object:
        if not isinstance(annotation, Bounds):
            return self._moment(value, path)
        number = self._plain(kind, value, path)
        assert isinstance(number, (int, float))  # noqa: S101 - bounds are of numbers
        if annotation.more_than is not None and not number > annotation.more_than:
            raise self._wrong(path, value, f"more than {annotation.more_than:g}")
        if annotation.at_least is not None and not number >= annotation.at_least:
            raise self._wrong(path, value, f"at least {annotation.at_least:g}")
        if annotation.at_most is not None and not number <= annotation.at_most:
            raise self._wrong(path, value, f"at most {annotation.at_most:g}")
        return number

    def _moment(self, value: object, path: str) -> float:
        if isinstance(value, str) and re.fullmatch(MOMENT_PATTERN, value, re.ASCII):
            try:
                return datetime.fromisoformat(f"{value[:-1]}+00:00").timestamp()
            except ValueError:
                pass
        raise self._wrong(path, value, "a moment like 2026-11-03T10:00:00.000Z")

    def _union(self, members: Sequence[Any], value: object, path: str) -> object:
        if value is None and types.NoneType in members:
            return None
        kinds = [each for each in members if each is not types.NoneType]
        if len(kinds) == 1:
            return self._value(kinds[0], value, path)
        if not isinstance(value, Mapping):
            raise self._wrong(path, value, "an object")
        tagged = {tag: each for each in kinds if (tag := tag_of(each)) is not None}
        name = value.get(TAG)
        kind = tagged.get(name) if isinstance(name, str) else None
        untagged = [each for each in kinds if tag_of(each) is None]
        if kind is None and not untagged:
            raise self._wrong(f"{path}.{TAG}", name, one_of(tagged))
        return self.read(kind or untagged[0], value, path)

    def _plain(self, kind: Any, value: object, path: str) -> object:
        allowed, wanted = _PLAIN[kind]
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
            raise self._wrong(path, value, wanted)
        if kind is not float or not isinstance(value, (int, float)):
            return value
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self._wrong(path, value, "a finite number")
        return number

    def _wrong(self, path: str, value: object, wanted: str) -> DataError:
        at = f"{self.where}: {path}" if path else self.where
        return DataError(f"{at}: found {shown(value)}; must be {wanted}")


_PLAIN: Final[dict[type, tuple[tuple[type, ...], str]]] = {
    str: ((str,), "a text"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
}

_JSON_NAMES: Final = {None: "null", True: "true", False: "false"}


def one_of(names: Sequence[str] | Mapping[str, object]) -> str:
    """List the allowed names: ``a, b or c``."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def shown(value: object) -> str:
    """Format a value for a message: null, true and false as in JSON, and long values cut."""
    if value is None or isinstance(value, bool):
        return _JSON_NAMES[value]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
