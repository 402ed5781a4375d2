"""Journals as they are read: checked, and with moments as seconds since the epoch.

``experiment/journal.schema.json`` says the same to other programs. Keys that are not known are
passed over, since a later release may add some without raising ``schema_version``.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError
from pydantic_core import ErrorDetails

from resiliency.errors import UserError
from resiliency.service_file.errors import dotted
from staged_resiliency.experiment.journal import SCHEMA_VERSION, JsonObject
from staged_resiliency.experiment.observations import Source
from staged_resiliency.experiment.verdict import Status
from staged_resiliency.shared.validation import shown


class JournalError(UserError):
    """A journal that can't be shown; the message says which, what was found, what is allowed."""


_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def _moment(value: object) -> float:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("no moment")
    return datetime.fromisoformat(f"{value[:-1]}+00:00").timestamp()


Moment = Annotated[float, BeforeValidator(_moment)]
"""Seconds since the epoch; in journals ISO 8601 in UTC with milliseconds."""

_Seconds = Annotated[FiniteFloat, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Expected(_Part):
    """One expectation: its kind in words, and what it is about."""

    expects: str
    record: str | None = None
    alarm: str | None = None
    to: str | None = None
    on: str | None = None
    within_seconds: _Seconds | None = None


class Judged(_Part):
    """What became of one expectation."""

    expectation: Expected
    status: Annotated[Status, Field(strict=False)]
    seconds: FiniteFloat | None
    message: str


class JudgedRun(_Part):
    """What became of a run."""

    status: Annotated[Status, Field(strict=False)]
    message: str
    judgements: list[Judged]


class Measured(_Part):
    """Numbers of a run, as in ``experiment.measures``."""

    detect_seconds: FiniteFloat | None = None
    failover_seconds: FiniteFloat | None = None
    failback_seconds: FiniteFloat | None = None
    outage_seconds: FiniteFloat | None = None
    availability: Annotated[FiniteFloat, Field(ge=0, le=1)] | None = None


class Step(_Part):
    """One phase of a run."""

    name: str
    began_at: Moment
    ended_at: Moment | None
    outcome: str


class Transition(_Part):
    """A moment at which something was seen to change."""

    at: Moment
    source: Annotated[Source, Field(strict=False)]
    subject: str
    value: str
    detail: str


class Journal(_Part):
    """A journal; ``experiment.journal`` says what each key holds."""

    schema_version: int
    kind: Literal["rehearsal", "drill"]
    run_id: str
    service: str
    environment: str
    experiment: str
    fault: str
    host: str
    dependency: str | None
    record: str
    active: str
    standby: str
    objective_seconds: _Seconds | None
    time_scale: Annotated[FiniteFloat, Field(gt=0)]
    injected_at: Moment | None
    fault_ended_at: Moment | None
    observed_until: Moment | None
    hypothesis: list[Expected]
    verdict: JudgedRun
    measures: Measured | None
    predicted_seconds: dict[str, _Seconds]
    phases: list[Step]
    transitions: list[Transition]

    @property
    def began_at(self) -> float | None:
        """When the run began, or else the fault; None where nothing tells it."""
        began = [each.began_at for each in self.phases]
        if self.injected_at is not None:
            began.append(self.injected_at)
        return min(began, default=None)

    @property
    def numbers(self) -> Measured:
        """Its measures; each of them None where no fault was injected."""
        return self.measures or Measured()


def read_journal(path: Path) -> JsonObject:
    """The journal in a file.

    Args:
        path: A file that holds one journal as JSON.

    Raises:
        JournalError: It can't be read, or holds no journal that this release understands.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JournalError(f"{path}: is not there") from None
    except OSError as error:
        raise JournalError(f"{path}: can't be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise JournalError(f"{path}: is not JSON in UTF-8 ({error})") from None
    parsed(content, str(path))
    journal: JsonObject = content
    return journal


def parsed(content: object, name: str) -> Journal:
    """A journal, checked.

    Args:
        content: What ``json.loads`` gave.
        name: What the error calls it.

    Raises:
        JournalError: It is no journal that this release understands; the first problem alone.
    """
    if not isinstance(content, Mapping):
        raise JournalError(f"{name}: is no journal: {_found(content)} is not an object")
    version = content.get("schema_version")
    if "schema_version" not in content:
        raise JournalError(f"{name}: is no journal: it has no schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise JournalError(
            f"{name}: schema_version: {_found(version)} is not allowed here; it is a whole number, "
            f"up to {SCHEMA_VERSION}"
        )
    if version > SCHEMA_VERSION:
        raise JournalError(
            f"{name}: schema_version: {version} is newer than this release, which reads up to "
            f"{SCHEMA_VERSION}; use the release that wrote it, or a later one"
        )
    try:
        journal = Journal.model_validate(dict(content))
    except ValidationError as error:
        raise JournalError(f"{name}: {_told(error.errors(include_url=False)[0])}") from None
    if journal.injected_at is not None and journal.observed_until is None:
        raise JournalError(f"{name}: observed_until: is null, though injected_at is not; give both")
    return journal


_WANTED: Final[Mapping[str, str]] = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "value_error": "a moment like 2026-11-03T10:00:00.000Z",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
    "enum": "{expected}",
    "literal_error": "{expected}",
}


def _told(error: ErrorDetails) -> str:
    path = dotted(error["loc"])
    if error["type"] == "missing":
        return f"{path}: is missing"
    context: Mapping[str, Any] = error.get("ctx", {})
    wanted = _WANTED.get(error["type"], "another value").format(**context)
    return f"{path}: {_found(error['input'])} is not allowed here; it is {wanted}"


def _found(value: object) -> str:
    """A value as JSON writes it, where Python's way would look strange."""
    return json.dumps(value) if value is None or isinstance(value, bool) else shown(value)
