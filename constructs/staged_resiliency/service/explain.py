"""Turns pydantic's findings into sentences that name the line and the way to mend it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from staged_resiliency.checks import nearest, shown
from staged_resiliency.service.model import Service
from staged_resiliency.service.problems import Path, Problem, dotted
from staged_resiliency.service.yaml_source import Document

_KEY: Final = "[key]"  # pydantic's mark for an error in the key of a mapping, not its value


def problems_of(error: ValidationError, document: Document) -> Iterator[Problem]:
    """Every finding of a validation, as a problem in the file."""
    details = error.errors(include_url=False)
    misspelt = {_meant(detail["loc"]) for detail in details if detail["type"] == "extra_forbidden"}
    for detail in details:
        if detail["type"] == "missing" and detail["loc"] in misspelt:
            continue  # told once, at the misspelt key
        path = tuple(part for part in detail["loc"] if part != _KEY)
        message = _SENTENCES.get(detail["type"], _plain)(detail, path)
        yield Problem(document.file, document.line_of(path), dotted(path), message)


def _kind(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return f"{str(value).lower()}, true or false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {shown(value)}"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def _expected(what: str) -> Callable[[ErrorDetails, Path], str]:
    def sentence(detail: ErrorDetails, path: Path) -> str:
        value = detail["input"]
        hint = _like(path)
        if what == "a text" and isinstance(value, int | float) and not isinstance(value, bool):
            hint = "put it in quotes"
        return f"is {_kind(value)} where {what} is expected{f'; {hint}' if hint else ''}"

    return sentence


def _missing(detail: ErrorDetails, path: Path) -> str:
    hint = _like(path)
    return f"is missing; {hint}" if hint else "is missing; add it"


def _unknown(detail: ErrorDetails, path: Path) -> str:
    name = str(path[-1])
    section = _section_at(path[:-1])
    allowed = list(section.model_fields) if section else []
    near = nearest(name, allowed)
    if near:
        return f"is not a key here; did you mean {near}?"
    return f"is not a key here; allowed: {', '.join(allowed)}"


def _meant(path: Path) -> Path:
    """The path that a misspelt key probably stands for."""
    section = _section_at(path[:-1])
    return (*path[:-1], nearest(str(path[-1]), section.model_fields if section else ()) or "")


def _choice(detail: ErrorDetails, path: Path) -> str:
    field = _field_at(path)
    allowed = [str(choice) for choice in _choices(field.annotation)] if field else []
    found = detail["input"]
    near = nearest(found, allowed) if isinstance(found, str) else None
    hint = f"did you mean {near}?" if near else f"allowed: {', '.join(allowed)}"
    return f"{shown(found)} is not one of the values allowed here; {hint}"


def _bound(words: str, key: str) -> Callable[[ErrorDetails, Path], str]:
    def sentence(detail: ErrorDetails, path: Path) -> str:
        return f"{shown(detail['input'])} is out of range; {words} {detail['ctx'][key]} is allowed"

    return sentence


def _too_short(detail: ErrorDetails, path: Path) -> str:
    return f"is empty; {_like(path) or 'give at least one'}"


def _too_long(detail: ErrorDetails, path: Path) -> str:
    most = detail["ctx"]["max_length"]
    return f"has {len(detail['input'])} characters; at most {most} are allowed"


def _own(detail: ErrorDetails, path: Path) -> str:
    """Our checks' sentences stand as they are."""
    return str(detail["ctx"]["error"])


def _plain(detail: ErrorDetails, path: Path) -> str:
    return f"{shown(detail['input'])}: {detail['msg']}"


_SENTENCES: Final[Mapping[str, Callable[[ErrorDetails, Path], str]]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "string_type": _expected("a text"),
    "int_type": _expected("a whole number"),
    "float_type": _expected("a number"),
    "finite_number": _expected("a finite number"),
    "bool_type": _expected("true or false"),
    "dict_type": _expected("a mapping"),
    "model_type": _expected("a mapping"),
    "list_type": _expected("a list"),
    "literal_error": _choice,
    "greater_than_equal": _bound("at least", "ge"),
    "less_than_equal": _bound("at most", "le"),
    "too_short": _too_short,
    "string_too_short": _too_short,
    "string_too_long": _too_long,
    "value_error": _own,
}


def _like(path: Path) -> str | None:
    """An example to copy, from the field's documentation."""
    field = _field_at(path)
    if field is None:
        return None
    if field.examples:
        return f"give one like {path[-1]}: {_yaml(field.examples[0])}"
    choices = _choices(field.annotation)
    if choices:
        return f"allowed: {', '.join(str(choice) for choice in choices)}"
    section = _as_section(field.annotation)
    if section:
        return f"a mapping with {', '.join(section.model_fields)}"
    return None


def _yaml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_yaml(item) for item in value)}]"
    text = str(value)
    return f'"{text}"' if isinstance(value, str) and text.isdigit() else text


# Walking the model along a path. Annotations are typing's own objects, which have no better
# static type than Any.


def _section_at(path: Path) -> type[BaseModel] | None:
    annotation: Any = Service
    for part in path:
        annotation = _step(annotation, part)
    return _as_section(annotation)


def _field_at(path: Path) -> FieldInfo | None:
    section = _section_at(path[:-1]) if path else None
    return section.model_fields.get(str(path[-1])) if section else None


def _step(annotation: Any, part: str | int) -> Any:
    section = _as_section(annotation)
    if section is not None:
        field = section.model_fields.get(str(part))
        return field.annotation if field else None
    origin = get_origin(annotation)
    if origin is dict:
        return get_args(annotation)[1]
    return get_args(annotation)[0] if origin is list else None


def _as_section(annotation: Any) -> type[BaseModel] | None:
    """The model of an annotation that is one, also when it is optional."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate if get_origin(annotation) is not dict else None
    return None


def _choices(annotation: Any) -> tuple[object, ...]:
    for candidate in (annotation, *get_args(annotation)):
        if get_origin(candidate) is Literal:
            return get_args(candidate)
    return ()
