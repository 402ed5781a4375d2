"""Turn pydantic's errors into problems, each with its line and a correction."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from resiliency.service_file.errors import Path, Problem
from resiliency.service_file.model.alarms import AlarmSettings, OwnAlarm
from resiliency.service_file.partial_document import (
    PartialDocument,
    annotation_at,
    annotation_below,
    as_section,
    field_at,
    named_members,
    section_at,
)
from resiliency.service_file.yaml_source import Document
from staged_resiliency.shared.validation import nearest, shown

_KEY: Final = "[key]"  # how pydantic marks an error in the key of a mapping, not its value
_METRIC_MATH: Final = ("expression", "metrics", "metric_math")
_NUMBERS: Final = {"a whole number": r"-?[0-9]{1,30}", "a number": r"-?[0-9]{1,30}(\.[0-9]+)?"}


def problems_of(
    error: ValidationError, document: Document, *, complete: bool = True
) -> Iterator[Problem]:
    """Yield every error of a validation as a problem of the file.

    Unless it is complete, a missing value is no problem.
    """
    details = error.errors(include_url=False)
    misspelt = misspelt_keys(error, document)
    meant = set(misspelt.values())
    misnamed = {d["loc"] for d in details if d["type"] == "value_error"}
    for detail in details:
        path = detail["loc"]
        if detail["type"] == "missing" and (path in meant or not complete):
            continue  # a misspelt key is reported once, at the key
        if detail["type"] == "model_type" and path in misnamed:
            continue  # a member with a wrong name is reported for its name
        if detail["type"] == "extra_forbidden" or path in misspelt:
            message = _unknown(path, misspelt.get(path))
        else:
            path = path[:-1] if path[-1] == _KEY else path
            message = _SENTENCES.get(detail["type"], _plain)(detail, path)
        yield Problem(document.file, document.line_of(path), path, message)


def misspelt_keys(error: ValidationError, document: Document) -> Mapping[Path, Path]:
    """Return for each unknown key that resembles a missing key the path of the missing key."""
    unknown = [d["loc"] for d in error.errors(include_url=False) if _may_be_a_key(d)]
    free: dict[Path, list[str]] = {}
    for section in {path[:-1] for path in unknown}:
        given = set(PartialDocument(document).names(*section))
        free[section] = [key for key in _keys_at(section) if key not in given]
    meant = {path: nearest(str(path[-1]), free[path[:-1]]) for path in unknown}
    return {path: (*path[:-1], key) for path, key in meant.items() if key}


def _may_be_a_key(detail: ErrorDetails) -> bool:
    """Whether an error is at an unknown key, or at a member that may be a misspelt key.

    Drills are members of the same mapping as the settings of all drills, so a member that is not a
    mapping was probably meant to be a setting.
    """
    path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return True
    section = section_at(path[:-1])
    if section is None or named_members(section) is None or path[-1] in section.model_fields:
        return False
    return detail["type"] in ("model_type", "value_error") and not isinstance(
        detail["input"], Mapping
    )


def _kind(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {shown(value)}"
        case str():
            return f"the text {shown(value)}"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def _expected(what: str) -> Callable[[ErrorDetails, Path], str]:
    def sentence(detail: ErrorDetails, path: Path) -> str:
        value = detail["input"]
        field = field_at(path)
        hint = _like(path)
        if what == "a text" and isinstance(value, int | float):
            hint = "put it in quotes"
        elif what in _NUMBERS and isinstance(value, str) and re.fullmatch(_NUMBERS[what], value):
            hint = "remove the quotes"
        elif value is None and field and not field.is_required():
            hint = "give it a value or remove it"
        return f"is {_kind(value)} where {what} is expected{f'; {hint}' if hint else ''}"

    return sentence


def _missing(detail: ErrorDetails, path: Path) -> str:
    hint = _like(path)
    return f"is missing; {hint}" if hint else "is missing; add it"


def _unknown(path: Path, meant: Path | None) -> str:
    section = section_at(path[:-1])
    if section and issubclass(section, AlarmSettings | OwnAlarm) and path[-1] in _METRIC_MATH:
        return (
            "is metric math, which Route 53 health checks can't follow; let the probe publish the "
            "result as a metric and remove this"
        )
    if meant:
        return f"is not a key here; did you mean {meant[-1]}?"
    return f"is not a key here; allowed: {', '.join(_keys_at(path[:-1]))}"


def _choice(detail: ErrorDetails, path: Path) -> str:
    allowed = [str(choice) for choice in _choices(annotation_at(path))]
    found = detail["input"]
    near = nearest(found, allowed) if isinstance(found, str) else None
    hint = f"did you mean {near}?" if near else f"allowed: {', '.join(allowed)}"
    if isinstance(found, str):
        return f"{shown(found)} is not one of the values allowed here; {hint}"
    return f"is {_kind(found)}; {hint}"


def _bound(phrase: str, key: str) -> Callable[[ErrorDetails, Path], str]:
    def sentence(detail: ErrorDetails, path: Path) -> str:
        return f"{shown(detail['input'])} is out of range; {phrase} {detail['ctx'][key]} is allowed"

    return sentence


def _too_short(detail: ErrorDetails, path: Path) -> str:
    like, given = _like(path), detail["input"]
    if not given or "min_length" not in detail["ctx"]:
        return f"is empty; {like or 'give at least one'}"
    found = f"has {len(given)} items; at least {detail['ctx']['min_length']} are needed"
    return f"{found}; {like}" if like else found


def _too_long(detail: ErrorDetails, path: Path) -> str:
    most = detail["ctx"]["max_length"]
    return f"has {len(detail['input'])} characters; at most {most} are allowed"


def _too_many(detail: ErrorDetails, path: Path) -> str:
    return f"has {len(detail['input'])} items; at most {detail['ctx']['max_length']} are allowed"


def _own(detail: ErrorDetails, path: Path) -> str:
    """Use the messages of this package's checks unchanged."""
    return str(detail["ctx"]["error"])


def _plain(detail: ErrorDetails, path: Path) -> str:
    return f"{shown(detail['input'])}: {detail['msg']}"


_SENTENCES: Final[Mapping[str, Callable[[ErrorDetails, Path], str]]] = {
    "missing": _missing,
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
    "too_long": _too_many,
    "value_error": _own,
}


def _like(path: Path) -> str | None:
    """Suggest an example to copy, from the field's documentation."""
    field = field_at(path)
    if field is None:
        return _give_mapping(section_at(path))
    if field.examples:
        return f"give one like {path[-1]}: {_yaml(field.examples[0])}"
    choices = _choices(field.annotation)
    if choices:
        return f"allowed: {', '.join(str(choice) for choice in choices)}"
    section = as_section(field.annotation)
    member = None if section else as_section(annotation_below(field.annotation, ""))
    if member:
        return f"give a mapping of names, each with {', '.join(member.model_fields)}"
    if type(field.default) in (int, float, str):
        return f"give one like {path[-1]}: {field.default}"
    return _give_mapping(section)


def _give_mapping(section: type[BaseModel] | None) -> str | None:
    return f"give a mapping with {', '.join(section.model_fields)}" if section else None


def _yaml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_yaml(item) for item in value)}]"
    text = str(value)
    return f'"{text}"' if isinstance(value, str) and text.isdigit() else text


def _keys_at(path: Path) -> list[str]:
    section = section_at(path)
    return list(section.model_fields) if section else []


# Annotations are typing's own objects, which have no better static type than Any.
def _choices(annotation: Any) -> tuple[object, ...]:
    for candidate in (annotation, *get_args(annotation)):
        if get_origin(candidate) is Literal:
            return get_args(candidate)
    return ()
