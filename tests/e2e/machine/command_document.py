"""A Command document and its parameters, resolved to steps as the Systems Manager agent does.

What is not known for certain, or not done here, is refused and never guessed.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tests.e2e.machine import re2

MAX_BYTES: Final = 65_536
"""The largest size of a document with its parameters (Systems Manager quotas)."""

DEFAULT_TIMEOUT_SECONDS: Final = 3600
TIMEOUT_SECONDS: Final = range(5, 172_801)
"""The agent silently uses its default for timeouts outside this range."""

Value: TypeAlias = str | list[str]
Given: TypeAlias = Mapping[str, str | Sequence[str]]

_NAME: Final = re.compile(r"[a-zA-Z0-9]+")
_STEP_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_REFERENCE: Final = re.compile(r"{{\s*([\w.:/-]+)\s*}}", re.ASCII)


class DocumentError(Exception):
    """Systems Manager would refuse the document or its parameters, or it is not supported here."""


@dataclass(frozen=True)
class Argument:
    """An argument of a precondition, before and after parameters are inserted."""

    written: str
    resolved: str


@dataclass(frozen=True)
class Step:
    """A step, with its parameters inserted.

    Attributes:
        name: Its name.
        action: What runs it, such as ``aws:runShellScript``.
        script: Its commands, as they are written to a file.
        timeout_seconds: When it is killed.
        working_directory: Where it runs; None where it does not say.
        environment: What it is handed besides the agent's environment.
        exits_on_failure: Whether its failure ends the document.
        exits_on_success: Whether its success ends the document.
        is_final: Whether it says that it runs in any case, which only the last one does.
        preconditions: Arguments of each operator; all must hold.
    """

    name: str
    action: str
    script: str
    timeout_seconds: int
    working_directory: str | None
    environment: Mapping[str, str]
    exits_on_failure: bool
    exits_on_success: bool
    is_final: bool
    preconditions: Mapping[str, tuple[Argument, ...]]


def resolved(
    document: Mapping[str, Any], given: Given | None = None, *, env_vars: bool = True
) -> list[Step]:
    """Return the steps of a document.

    Args:
        document: Its content, of schema 2.2.
        given: Values of its parameters; an association gives each as a list.
        env_vars: Whether the agent knows ``interpolationType: ENV_VAR`` (from 3.3.2746.0 on).
            An older one pastes such parameters as all others. What a newer one makes of a
            reference to one is not documented; it is left as it is written.

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
    declared = document.get("parameters", {})
    values = _values(declared, given)
    handed = {
        name: value
        for name, value in values.items()
        if env_vars and declared[name].get("interpolationType") == "ENV_VAR"
    }
    steps = [_step(step, values, handed) for step in document.get("mainSteps", [])]
    names = [step.name for step in steps]
    if not steps or len(set(names)) != len(names):
        raise DocumentError(f"mainSteps: {names}; steps are needed, each with a name of its own")
    return steps


def _values(declared: Mapping[str, Any], given: Given) -> dict[str, Value]:
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise DocumentError(f"parameters {unknown} are not declared")
    values: dict[str, Value] = {}
    for name, definition in declared.items():
        if not _NAME.fullmatch(name):
            raise DocumentError(f"parameter {name!r}: only letters and digits")
        if name not in given and "default" not in definition:
            raise DocumentError(f"parameter {name} has no default and is not given")
        kind = definition.get("type")
        value = given.get(name, definition.get("default"))
        if kind == "String" and isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        values[name] = _checked(name, definition, value)
    return values


def _checked(name: str, definition: Mapping[str, Any], value: Any) -> Value:
    kind = definition.get("type")
    if kind == "String" and isinstance(value, str):
        each = [value]
    elif kind == "StringList" and isinstance(value, list | tuple):
        each = [str(one) for one in value]
    else:
        raise DocumentError(f"parameter {name}: {value!r} for type {kind}, which is not run here")
    allowed = definition.get("allowedValues")
    pattern = definition.get("allowedPattern")
    for one in each:
        if allowed is not None and one not in allowed:
            raise DocumentError(f"parameter {name}: {one!r} is not among {allowed}")
        if pattern and not re2.found(pattern, one):
            raise DocumentError(f"parameter {name}: {one!r} does not match {pattern}")
        least, most = int(definition.get("minChars", 0)), int(definition.get("maxChars", MAX_BYTES))
        if not least <= len(one) <= most:
            raise DocumentError(
                f"parameter {name}: {len(one)} characters; allowed: {least} to {most}"
            )
    return value if isinstance(value, str) else each


def _step(
    step: Mapping[str, Any], values: Mapping[str, Value], handed: Mapping[str, Value]
) -> Step:
    name = step.get("name", "")
    if not _STEP_NAME.fullmatch(name):
        raise DocumentError(f"step {name!r}: only letters, digits, - and _")
    pasted = {key: value for key, value in values.items() if key not in handed}
    inputs = {
        key: _put_in(value, pasted, set(handed)) for key, value in step.get("inputs", {}).items()
    }
    commands = inputs.get("runCommand", [])
    if not isinstance(commands, list):
        raise DocumentError(f"step {name}: runCommand is no list")
    return Step(
        name=name,
        action=step.get("action", ""),
        script="\n".join(commands) + "\n",
        timeout_seconds=_timeout(inputs.get("timeoutSeconds")),
        working_directory=inputs.get("workingDirectory"),
        environment={f"SSM_{key}": _as_text(value) for key, value in handed.items()},
        exits_on_failure=_modifier(name, inputs, "onFailure"),
        exits_on_success=_modifier(name, inputs, "onSuccess"),
        is_final=str(inputs.get("finallyStep", "")).lower() == "true",
        preconditions={
            operator: tuple(
                Argument(one, _as_text(_put_in(one, pasted, set(handed)))) for one in arguments
            )
            for operator, arguments in step.get("precondition", {}).items()
        },
    )


def _modifier(step: str, inputs: Mapping[str, Any], name: str) -> bool:
    """Return whether ``onFailure`` or ``onSuccess`` in the inputs is ``exit``."""
    value = inputs.get(name)
    if value not in (None, "exit"):
        raise DocumentError(f"step {step}: {name}: {value!r} is not run here; only exit")
    return value == "exit"


def _timeout(value: Any) -> int:
    try:
        seconds = int(float(value))
    except (TypeError, ValueError):
        return DEFAULT_TIMEOUT_SECONDS
    return seconds if seconds in TIMEOUT_SECONDS else DEFAULT_TIMEOUT_SECONDS


def _put_in(written: Any, values: Mapping[str, Value], left: set[str]) -> Any:
    """Replace each ``{{ Name }}`` by its value, as text and unquoted.

    A text that is one reference and nothing else becomes the value itself, be it a list.
    """
    if isinstance(written, list):
        return [_as_text(_put_in(one, values, left)) for one in written]
    if not isinstance(written, str):
        return written
    whole = _REFERENCE.fullmatch(written)
    if whole and whole[1] in values:
        return values[whole[1]]

    def value_of(reference: re.Match[str]) -> str:
        name = reference[1]
        if name in left:
            return reference[0]
        if name not in values:
            raise DocumentError(f"{reference[0]}: no such parameter")
        # The agent has taken $$ for $ since it once needed that spelling.
        return _as_text(values[name]).replace("$$", "$")

    return _REFERENCE.sub(value_of, written)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
