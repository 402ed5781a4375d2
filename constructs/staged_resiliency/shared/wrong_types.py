"""Name the argument of a wrong type where a constructor fails because of it.

Constructors check plain values themselves. They use objects and collections without a check, so a
wrong one ends in an error from inside a constructor, or from Node. Only then are the arguments
compared with their annotations, so that sound arguments cost nothing.
"""

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from types import SimpleNamespace, UnionType
from typing import Final, Literal, Union, get_args, get_origin, get_type_hints

from staged_resiliency.shared.literals import wrong_type

_MODULES: Final = re.compile(r"(\w+\.)+")
_PLAIN: Final = (str, int, float, list, tuple, dict, set, frozenset, type(None))


def names_wrong_types(of: type) -> None:
    """Make a class's constructor name the argument of a wrong type because of which it fails."""
    original: Callable[..., None] = inspect.getattr_static(of, "__init__")

    @functools.wraps(original)
    def init(self: object, *values: object, **named: object) -> None:
        try:
            original(self, *values, **named)
        except (AttributeError, RuntimeError, TypeError) as error:
            wrong = _wrong_argument(original, {**_named(original, self, values), **named})
            if wrong is None:
                raise
            name, value, annotation = wrong
            allowed = _MODULES.sub("", inspect.formatannotation(annotation))
            raise wrong_type(type(self).__name__, name, value, allowed) from error

    type.__setattr__(of, "__init__", init)


class _NamesForCheckersAlone(dict[str, object]):
    """Names in annotations that modules import for type checkers alone: those of the CDK."""

    def __missing__(self, name: str) -> object:
        cdk = import_module("aws_cdk")
        for each in (name, f"aws_{name}"):
            if hasattr(cdk, each):
                return getattr(cdk, each)
        raise KeyError(name)  # it may be a builtin


def _named(
    function: Callable[..., None], self: object, values: Sequence[object]
) -> Mapping[str, object]:
    return dict(zip(inspect.signature(function).parameters, (self, *values), strict=False))


def _wrong_argument(
    function: Callable[..., None], arguments: Mapping[str, object]
) -> tuple[str, object, object] | None:
    for name, value in arguments.items():
        annotation = _annotation(function, name)
        if annotation is not None and not _fits(value, annotation):
            return name, value, annotation
    return None


def _annotation(function: Callable[..., None], name: str) -> object:
    """Return the type of an argument; None if it is not known while the program runs."""
    written = inspect.get_annotations(inspect.unwrap(function))
    if name not in written:
        return None
    names = vars(sys.modules[function.__module__])
    try:
        holder = SimpleNamespace(__annotations__={name: written[name]})
        return get_type_hints(holder, names, _NamesForCheckersAlone(names)).get(name)
    except (AttributeError, NameError, TypeError):
        return None


def _fits(value: object, annotation: object) -> bool:
    """Whether a value may have a type; True where that can't be decided."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in arguments)
    if origin is Literal:
        return isinstance(value, str) or value in arguments
    if origin is Mapping or origin is dict:
        return isinstance(value, Mapping) and all(
            _fits(each, arguments[1]) for each in value.values()
        )
    if origin is Sequence or origin is Iterable:
        return isinstance(value, Iterable) and all(_fits(each, arguments[0]) for each in value)
    if annotation in (int, float) and isinstance(value, bool):
        return False
    if annotation is float:
        return isinstance(value, int | float)
    if not isinstance(annotation, type):
        return True
    if getattr(annotation, "_is_protocol", False):  # an interface of the CDK
        return not isinstance(value, _PLAIN) and hasattr(type(value), "__jsii_type__")
    return isinstance(value, annotation)
