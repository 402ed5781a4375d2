"""Converts dataclasses to JSON and back, strictly: keys and types must match exactly."""

import dataclasses
import functools
import types
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    _T = TypeVar("_T", bound=DataclassInstance)
else:
    _T = TypeVar("_T")

JsonObject = Mapping[str, Any]
"""A JSON object, as ``json.dumps`` takes it."""


class DataError(ValueError):
    """A JSON document does not have the expected form."""


def as_json(value: object) -> Any:
    """Convert dataclasses, enumerations and sequences to values that ``json.dumps`` takes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [as_json(each) for each in value]
    return value


def read(
    kind: type[_T], document: object, where: str, given: Mapping[str, object] | None = None
) -> _T:
    """Read a dataclass from a JSON object.

    Args:
        kind: The dataclass. Its fields are of str, int, float, bool, enumerations, dataclasses,
            tuples of any of these, and any of these or None.
        document: The object, as ``json.loads`` returns it.
        where: Name of the document in messages.
        given: Values of fields that are not read from the document.

    Raises:
        DataError: A key is unknown or missing, or a value is of another type.
    """
    if not isinstance(document, Mapping):
        raise DataError(f"{where}: found {_shown(document)}; must be an object")
    values = dict(given or {})
    fields = [field.name for field in dataclasses.fields(kind) if field.name not in values]
    for key in document:
        if key not in fields:
            raise DataError(f"{where}: unknown key {_shown(key)}; known are {', '.join(fields)}")
    hints = _hints(kind)
    for name in fields:
        if name not in document:
            raise DataError(f"{where}: {name} is missing")
        values[name] = _value(hints[name], document[name], f"{where}: {name}")
    return kind(**values)


def _value(kind: Any, value: object, where: str) -> object:
    if get_origin(kind) in (Union, types.UnionType):
        if value is None:
            return None
        (kind,) = (each for each in get_args(kind) if each is not types.NoneType)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise DataError(f"{where}: found {_shown(value)}; must be a list")
        (kind, _) = get_args(kind)
        return tuple(_value(kind, each, f"{where}[{index}]") for index, each in enumerate(value))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return read(kind, value, where)
    if issubclass(kind, Enum):
        known = {each.value: each for each in kind}
        if not isinstance(value, str) or value not in known:
            raise DataError(f"{where}: found {_shown(value)}; must be {' or '.join(known)}")
        return known[value]
    allowed, wanted = _PLAIN[kind]
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
        raise DataError(f"{where}: found {_shown(value)}; must be {wanted}")
    return float(value) if kind is float and isinstance(value, int) else value


_PLAIN: dict[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
}


@functools.cache
def _hints(kind: type) -> Mapping[str, Any]:
    # A run reads thousands of observations; resolving annotations would take most of the time.
    return get_type_hints(kind)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
