"""A Command document and its parameters, resolved to steps as the Systems Manager agent does.

It knows what the documents of this repository use; all else is refused, and never guessed.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

MAX_BYTES: Final = 65_536
"""The largest size of a document with its parameters (Systems Manager quotas)."""

DEFAULT_TIMEOUT_SECONDS: Final = 3600
TIMEOUT_SECONDS: Final = range(5, 172_801)
"""The agent silently uses its default for timeouts outside this range."""

ON_LINUX: Final = {"StringEquals": ["platformType", "Linux"]}

Given: TypeAlias = Mapping[str, str | Sequence[str]]

_REFERENCE: Final = re.compile(r"{{\s*([\w.:/-]+)\s*}}", re.ASCII)


class DocumentError(Exception):
    """Systems Manager would refuse the document or its parameters, or it is not supported here."""


@dataclass(frozen=True)
class Step:
    """A step that runs a shell script on Linux, with its parameters inserted.

    Attributes:
        name: Its name.
        script: Its commands, as they are written to a file.
        timeout_seconds: When it is killed.
        exits_on_failure: Whether its failure ends the document.
    """

    name: str
    script: str
    timeout_seconds: int
    exits_on_failure: bool


def resolved(document: Mapping[str, Any], given: Given | None = None) -> list[Step]:
    """Return the steps of a document.

    Args:
        document: Its content, of schema 2.2.
        given: Values of its parameters; an association gives each as a list.

    Raises:
        DocumentError: The document or a parameter is not as it must be.
    """
    given = given or {}
    if document.get("schemaVersion") != "2.2":
        raise DocumentError(
            f"schemaVersion: {document.get('schemaVersion')!r}; only 2.2 is run here"
        )
    size = len(json.dumps(document).encode()) + len(json.dumps(dict(given)).encode())
    if size > MAX_BYTES:
        raise DocumentError(f"{size} bytes with parameters; allowed: {MAX_BYTES}")
    values = _values(document.get("parameters", {}), given)
    steps = [_step(step, values) for step in document.get("mainSteps", [])]
    names = [step.name for step in steps]
    if not steps or len(set(names)) != len(names):
        raise DocumentError(f"mainSteps: {names}; steps are needed, each with a name of its own")
    return steps


def _values(declared: Mapping[str, Any], given: Given) -> dict[str, str]:
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise DocumentError(f"parameters {unknown} are not declared")
    values = {}
    for name, definition in declared.items():
        if name not in given and "default" not in definition:
            raise DocumentError(f"parameter {name} has no default and is not given")
        value = given.get(name, definition.get("default"))
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        if definition.get("type") != "String" or not isinstance(value, str):
            raise DocumentError(f"parameter {name}: {value!r}: only one String is run here")
        values[name] = _checked(name, definition, value)
    return values


def _checked(name: str, definition: Mapping[str, Any], value: str) -> str:
    allowed = definition.get("allowedValues")
    if allowed is not None and value not in allowed:
        raise DocumentError(f"parameter {name}: {value!r} is not among {allowed}")
    pattern = definition.get("allowedPattern")
    if pattern is not None:
        if not (pattern.startswith("^") and pattern.endswith("$")):
            raise DocumentError(f"parameter {name}: {pattern} also finds a part of a value")
        # RE2's $ is the end of the text; Python's also matches before a last newline.
        if not re.search(rf"{pattern[:-1]}\Z", value, re.ASCII):
            raise DocumentError(f"parameter {name}: {value!r} does not match {pattern}")
    least, most = definition.get("minChars", 0), definition.get("maxChars", MAX_BYTES)
    if not least <= len(value) <= most:
        raise DocumentError(
            f"parameter {name}: {len(value)} characters; allowed: {least} to {most}"
        )
    return value


def _step(step: Mapping[str, Any], values: Mapping[str, str]) -> Step:
    name, inputs = step.get("name", ""), step["inputs"]
    if step.get("action") != "aws:runShellScript" or step.get("precondition") != ON_LINUX:
        raise DocumentError(f"step {name}: only aws:runShellScript on Linux is run here")
    unknown = sorted(set(inputs) - {"runCommand", "timeoutSeconds", "onFailure"})
    if unknown or inputs.get("onFailure", "exit") != "exit":
        raise DocumentError(f"step {name}: {unknown or 'onFailure'}: is not run here")
    return Step(
        name=name,
        script="".join(f"{_pasted(line, values)}\n" for line in inputs["runCommand"]),
        timeout_seconds=_timeout(inputs.get("timeoutSeconds")),
        exits_on_failure="onFailure" in inputs,
    )


def _timeout(value: Any) -> int:
    try:
        seconds = int(float(value))
    except (TypeError, ValueError):
        return DEFAULT_TIMEOUT_SECONDS
    return seconds if seconds in TIMEOUT_SECONDS else DEFAULT_TIMEOUT_SECONDS


def _pasted(line: str, values: Mapping[str, str]) -> str:
    """Replace each ``{{ Name }}`` by its value, as text and unquoted."""

    def value_of(reference: re.Match[str]) -> str:
        if reference[1] not in values:
            raise DocumentError(f"{reference[0]}: no such parameter")
        return values[reference[1]]

    return _REFERENCE.sub(value_of, line)
