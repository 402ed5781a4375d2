"""The JSON Schema of journals accepts what is written, and refuses what the reader refuses."""

import copy
import functools
import json
import operator
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from resiliency.report import JournalError
from resiliency.report.journal_reader import parse_journal
from resiliency.report.journal_schema import journal_schema
from staged_resiliency.experiment.expectations import Expectation
from staged_resiliency.experiment.journal import SCHEMA_VERSION
from staged_resiliency.experiment.observations import Source
from staged_resiliency.experiment.verdict import Status
from tests.journals import STOPPED, Data, aborted_run, drill_runs, rehearsals, run_of
from tests.support import ROOT

FILE = ROOT / "resiliency/report/journal.schema.json"
SCHEMA: Data = json.loads(FILE.read_text(encoding="utf-8"))


def closed(part: Any) -> Any:
    """A schema that also refuses keys that it does not name."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {key: closed(each) for key, each in part.items()}
    return {**made, "additionalProperties": False} if "properties" in part else made


VALIDATOR = Draft202012Validator(SCHEMA)
CLOSED = Draft202012Validator(closed(SCHEMA))


def test_the_schema_is_current() -> None:
    assert journal_schema() == SCHEMA, "run `make schema`"


def test_the_schema_is_valid_by_its_own_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_every_journal_is_sound_by_the_schema_and_holds_no_other_key() -> None:
    journals = [*rehearsals(), aborted_run(), *drill_runs(3)]
    assert [
        f"{error.json_path}: {error.message}"
        for journal in journals
        for error in CLOSED.iter_errors(journal)
    ] == []


def test_the_schema_knows_this_version_and_every_word_of_the_journal() -> None:
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert SCHEMA["$defs"]["source"]["enum"] == [each.value for each in Source]
    assert SCHEMA["$defs"]["status"]["enum"] == [each.value for each in Status]
    *known, later = SCHEMA["$defs"]["expectation"]["anyOf"]
    kinds = [each["properties"]["expects"]["const"] for each in known]
    assert later["properties"]["expects"]["not"]["enum"] == kinds
    classes = [each.__name__.lower() for each in Expectation.__args__]
    assert [each.replace(" ", "") for each in kinds] == classes


def parts(part: Any, path: str = "") -> Iterator[tuple[str, Data]]:
    if isinstance(part, dict):
        for name, each in part.get("properties", {}).items():
            yield f"{path}.{name}", each
        for name, each in part.items():
            yield from parts(each, f"{path}.{name}")
    elif isinstance(part, list):
        for number, each in enumerate(part):
            yield from parts(each, f"{path}[{number}]")


def test_every_key_is_described() -> None:
    assert [
        path
        for path, part in parts(SCHEMA)
        if not part.get("description") and "$ref" not in part and path.split(".")[-1] != "expects"
    ] == []


GONE = object()
"""In place of a value that is removed."""

MOMENT = "must be a moment like 2026-11-03T10:00:00.000Z"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("schema_version",), GONE, "is not a journal: it has no schema_version"),
        (
            ("schema_version",),
            2,
            "schema_version: 2 is newer than this release, which reads up to 1; use the release "
            "that wrote it, or a later one",
        ),
        (("schema_version",), "1", "schema_version: found '1'; must be a whole number, up to 1"),
        (("verdict",), GONE, "verdict is missing"),
        (("transitions", 3, "value"), GONE, "transitions[3].value is missing"),
        (("kind",), "exercise", "kind: found 'exercise'; must be rehearsal or drill"),
        (
            ("verdict", "status"),
            "held",
            "verdict.status: found 'held'; must be passed, failed, not covered, aborted or dry run",
        ),
        (
            ("injected_at",),
            "2026-11-03T10:00:00+01:00",
            f"injected_at: found '2026-11-03T10:00:00+01:00'; {MOMENT}",
        ),
        (("injected_at",), 1793700000, f"injected_at: found 1793700000; {MOMENT}"),
        (("time_scale",), 0, "time_scale: found 0; must be more than 0"),
        (
            ("measures", "availability"),
            55.8,
            "measures.availability: found 55.8; must be at most 1",
        ),
        (
            ("measures", "failover_seconds"),
            "268",
            "measures.failover_seconds: found '268'; must be a number",
        ),
        (
            ("measures", "detect_seconds"),
            True,
            "measures.detect_seconds: found true; must be a number",
        ),
        (("predicted_seconds", "p95"), -1, "predicted_seconds.p95: found -1; must be at least 0"),
        (("phases",), {}, "phases: found {}; must be a list"),
        (("verdict",), [], "verdict: found []; must be an object"),
        (("predicted_seconds",), None, "predicted_seconds: found null; must be an object"),
        (("hypothesis", 0, "expects"), 7, "hypothesis[0].expects: found 7; must be a text"),
    ],
)
def test_what_the_schema_refuses_the_page_refuses_in_words(
    place: tuple[str | int, ...], value: object, message: str
) -> None:
    journal: Any = copy.deepcopy(dict(run_of(STOPPED)))
    *above, last = place
    target = functools.reduce(operator.getitem, above, journal)
    if value is GONE:
        del target[last]
    else:
        target[last] = value
    assert not VALIDATOR.is_valid(journal)
    with pytest.raises(JournalError) as refused:
        parse_journal(journal, "out/blue.json")
    assert str(refused.value) == f"out/blue.json: {message}"


def test_a_fault_without_an_end_of_observation_is_refused() -> None:
    with pytest.raises(JournalError, match=r"^b: observed_until: is null, though injected_at is"):
        parse_journal({**run_of(STOPPED), "observed_until": None}, "b")


def test_a_key_of_a_later_release_is_passed_over() -> None:
    journal = copy.deepcopy(dict(run_of(STOPPED)))
    journal["new"] = journal["measures"]["new"] = 1
    assert VALIDATOR.is_valid(journal)
    assert parse_journal(journal, "blue.json") == parse_journal(run_of(STOPPED), "blue.json")
