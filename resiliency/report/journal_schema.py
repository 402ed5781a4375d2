"""The JSON Schema of journals, for other programs; ``make schema`` writes journal.schema.json."""

import inspect
import json
import re
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from staged_resiliency.experiment.expectations import Expectation, UnknownExpectation
from staged_resiliency.experiment.journal import SCHEMA_VERSION, Journal
from staged_resiliency.experiment.json_codec import MOMENT_PATTERN, TAG, Bounds, field_types, tag_of
from staged_resiliency.experiment.observations import Source
from staged_resiliency.experiment.verdict import Status

Schema = Mapping[str, Any]

_PLAIN: Final = {str: "string", int: "integer", float: "number", bool: "boolean"}
_EXPECTATIONS: Final = get_args(Expectation)


def journal_schema() -> Schema:
    """Make the schema from the dataclasses of ``experiment/journal.py`` and their docstrings."""
    schema = _object(Journal)
    version = {
        "description": "Raised when a reader of the former version would misread a journal.",
        "const": SCHEMA_VERSION,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Journal of a rehearsal or drill",
        **schema,
        "description": f"{schema['description']} Keys may be added without raising "
        "schema_version, so readers ignore those that they do not know.",
        "required": ["schema_version", *schema["required"]],
        "properties": {"schema_version": version, **schema["properties"]},
        "$defs": {
            "moment": {
                "description": "ISO 8601 in UTC with milliseconds.",
                "type": "string",
                "pattern": f"^{MOMENT_PATTERN}$",
            },
            **{each.__name__.lower(): _enumeration(each) for each in (Status, Source)},
            "expectation": {
                "description": "One expectation.",
                "anyOf": [*map(_object, _EXPECTATIONS), _unknown_expectation()],
            },
        },
    }


def _unknown_expectation() -> Schema:
    schema = _object(UnknownExpectation)
    known = {"enum": [each.expects for each in _EXPECTATIONS]}
    return {**schema, "properties": {TAG: {**schema["properties"][TAG], "not": known}}}


def _object(kind: type) -> Schema:
    texts, tag = _attribute_texts(kind), tag_of(kind)
    properties: dict[str, Schema] = {} if tag is None else {TAG: {"const": tag}}
    for name, hint in field_types(kind).items():
        properties[name] = {"description": texts[name], **_schema(hint)}
    return {
        "description": _plain((inspect.getdoc(kind) or "").split("\n\n")[0]),
        "type": "object",
        "required": list(properties),
        "properties": properties,
    }


def _schema(hint: Any) -> Schema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(*arguments)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is Sequence:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _schema(arguments[1])}
    if issubclass(hint, Enum):
        return {"$ref": f"#/$defs/{hint.__name__.lower()}"}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    return _object(hint)


def _enumeration(kind: type[Enum]) -> Schema:
    texts = _attribute_texts(kind)
    meanings = " ".join(f"{each.value}: {texts[each.name]}" for each in kind)
    return {"description": meanings, "enum": [each.value for each in kind]}


def _annotated(kind: type, annotation: object) -> Schema:
    if not isinstance(annotation, Bounds):
        return {"$ref": "#/$defs/moment"}
    bounds = {
        "exclusiveMinimum": annotation.more_than,
        "minimum": annotation.at_least,
        "maximum": annotation.at_most,
    }
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return {"type": _PLAIN[kind], **given}


def _union(members: Sequence[Any]) -> Schema:
    if UnknownExpectation in members:
        return {"$ref": "#/$defs/expectation"}
    (kind,) = (each for each in members if each is not types.NoneType)
    schema = _schema(kind)
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _attribute_texts(kind: type) -> Mapping[str, str]:
    """Return the description of each attribute from the docstrings of a class and its bases."""
    texts: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        section = (each.__doc__ or "").partition("Attributes:\n")[2]
        for name, text in re.findall(r"^ {8}(\w+): (.*?)(?=^ {0,8}\S|\Z)", section, re.M | re.S):
            texts[name] = _plain(text)
    return texts


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "").split())


if __name__ == "__main__":
    print(json.dumps(journal_schema(), indent=2))
