"""The journal of a run, and the page that explains it."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from staged_resiliency.experiment.journal import (
    SCHEMA_VERSION,
    Phase,
    RunInfo,
    RunResult,
    journal_from_json,
    journal_json,
    journal_of,
)
from staged_resiliency.experiment.json_codec import DataError, as_json, timestamp
from staged_resiliency.experiment.measures import measure
from staged_resiliency.experiment.observations import Source
from staged_resiliency.experiment.verdict import Status, aborted, judge
from tests.staged_resiliency.experiment.observing import (
    BLUE,
    EXPECTATIONS,
    GREEN,
    RECORD,
    RUN,
    alarm,
    client,
)

PAGE = Path(__file__).parents[3] / "docs" / "journal.md"
SUBJECT = RunInfo(
    kind="drill",
    run_id="run-1",
    service="shop",
    environment="production",
    experiment="shutdown",
    fault="host stopped",
    host=BLUE,
    dependency=None,
    record=RECORD,
    active=BLUE,
    standby=GREEN,
    objective_seconds=360.0,
)
SEEN = [
    client(90, BLUE),
    client(300, GREEN),
    client(301, GREEN),
    client(302, GREEN),
    alarm(220, "ALARM"),
]


def full() -> Mapping[str, Any]:
    """The journal of a run in which a fault was injected, as a reader gets it."""
    finding = RunResult(
        run=RUN,
        hypothesis=EXPECTATIONS,
        verdict=judge(EXPECTATIONS, SEEN, RUN),
        measures=measure(SEEN, RUN, record=RECORD, active=BLUE),
        phases=[Phase("observe", 100, None)],
        observations=SEEN,
        predicted={"median": 270.04},
    )
    document: Mapping[str, Any] = json.loads(json.dumps(journal_json(journal_of(SUBJECT, finding))))
    return document


def explained(section: str = "") -> set[str]:
    """Keys in the first column of the first table below a heading of the page."""
    text = PAGE.read_text()
    if section:
        text = text[text.index(f"\n## {section}\n") :]
    table = text[text.index("|---|") :].split("\n\n")[0]
    return set(re.findall(r"^\| `([a-z_ ]+)` \|", table, re.MULTILINE))


def test_the_page_explains_every_key_and_no_other() -> None:
    document = full()
    assert explained() == document.keys()
    assert explained("Verdict") == document["verdict"].keys()
    assert explained("Measures") == document["measures"].keys()
    assert explained("Transitions") == document["transitions"][0].keys()
    assert explained("Expectations") == {as_json(each)["expects"] for each in EXPECTATIONS}


def test_the_page_names_every_status_source_and_key_of_lists() -> None:
    text = PAGE.read_text()
    document = full()
    for each in (*Status, *Source):
        assert f"`{each.value}`" in text
    for key in (*document["phases"][0], *document["verdict"]["judgements"][0]):
        assert f"`{key}`" in text
    assert f"| `schema_version` | {SCHEMA_VERSION};" in text


def test_a_full_journal() -> None:
    document = full()
    assert document["injected_at"] == "1970-01-01T00:01:40.000Z"
    assert document["measures"]["failover_seconds"] == 200
    assert document["predicted_seconds"] == {"median": 270.0}
    assert [each["at"] for each in document["transitions"]] == [
        "1970-01-01T00:01:30.000Z",
        "1970-01-01T00:03:40.000Z",
        "1970-01-01T00:05:00.000Z",
    ]
    assert document["phases"][0]["ended_at"] is None
    assert document["verdict"]["judgements"][0]["expectation"] == as_json(EXPECTATIONS[0])


def test_a_journal_comes_back_as_it_was() -> None:
    journal = journal_from_json(full(), "it")
    assert journal_json(journal) == full()
    assert journal.hypothesis == EXPECTATIONS
    assert journal.verdict.judgements[0].expectation == EXPECTATIONS[0]
    assert journal.phases == (Phase("observe", 100, None),)
    assert [each.at for each in journal.transitions] == [90, 220, 300]


def test_a_journal_of_a_run_without_a_fault() -> None:
    finding = RunResult(None, EXPECTATIONS, aborted("refused"), None, [], [])
    document = journal_json(journal_of(SUBJECT, finding))
    assert document["verdict"] == {"status": "aborted", "message": "refused", "judgements": []}
    for key in ("injected_at", "fault_ended_at", "observed_until", "measures"):
        assert document[key] is None
    assert document["time_scale"] == 1.0
    assert document["transitions"] == []


def test_the_order_of_keys_is_that_of_the_page() -> None:
    text = PAGE.read_text()
    places = [text.index(f"\n| `{key}` |") for key in full()]
    assert places == sorted(places)


def test_timestamps_are_in_utc_with_milliseconds() -> None:
    assert timestamp(1_793_728_830.1239) == "2026-11-03T18:00:30.123Z"
    assert timestamp(None) is None


def test_a_journal_without_any_limit_for_clients_is_refused() -> None:
    hypothesis = [{"expects": "clients move", "record": RECORD, "to": GREEN}]
    document = {**full(), "hypothesis": [{**hypothesis[0], "within_seconds": None}]}
    assert journal_from_json(document, "it").objective_seconds == 360
    with pytest.raises(DataError, match="it: objective_seconds: is null, and so is within_seconds"):
        journal_from_json({**document, "objective_seconds": None}, "it")
