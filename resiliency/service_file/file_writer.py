"""Write a service file with comments, as a person would."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from resiliency.service_file.errors import Path

_SCHEMA: Final = "service.schema.json"
_PLAIN: Final = re.compile(
    r"[A-Za-z/][A-Za-z0-9_./@*-]*( [A-Za-z0-9_./()-]+)*"
    r"|[0-9]{1,3}(\.[0-9]{1,3}){3}"  # with so many dots it is no number
)
# Texts that YAML, or one of its versions, reads as something else.
_RESERVED: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", "none"})
_MOST_COLUMNS: Final = 100


def service_file(data: Mapping[str, Any], comments: Mapping[Path, str]) -> str:
    """Return the text of a service file.

    Args:
        data: The content.
        comments: What stands behind the key of a value, by the value's path.
    """
    # In an application of `resiliency init --app`, else as in this repository.
    place = _SCHEMA if FilePath(_SCHEMA).exists() else f"resiliency/service_file/{_SCHEMA}"
    schema = f"# yaml-language-server: $schema=../{place}"
    return "\n".join((schema, *_lines(data, comments, (), ""))) + "\n"


def _lines(
    data: Mapping[str, Any], comments: Mapping[Path, str], at: Path, indent: str
) -> Iterator[str]:
    for key, value in data.items():
        path = (*at, key)
        comment = f"  # {comments[path]}" if path in comments else ""
        if isinstance(value, Mapping):
            short = f"{indent}{scalar(key)}: {_flow(value)}"
            nested = any(isinstance(each, Mapping) for each in value.values())
            below = any(each[: len(path)] == path and each != path for each in comments)
            if not below and len(short + comment) <= _MOST_COLUMNS and not nested:
                yield short + comment
            else:
                yield f"{indent}{scalar(key)}:{comment}"
                yield from _lines(value, comments, path, f"{indent}  ")
        else:
            yield f"{indent}{scalar(key)}: {_flow(value)}{comment}"


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{scalar(key)}: {_flow(each)}" for key, each in value.items()) + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return scalar(value)


def scalar(value: object) -> str:
    """Return a scalar as YAML; a text is quoted unless it can only be a text."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        # A JSON text is a YAML text in double quotes.
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
