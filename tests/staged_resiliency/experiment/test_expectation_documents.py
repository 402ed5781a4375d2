"""Expectations as documents, and back; their words."""

import json
from dataclasses import dataclass

import pytest

from staged_resiliency.experiment.expectations import Expectation, UnknownExpectation, describe
from staged_resiliency.experiment.json_codec import DataError, as_json, read
from tests.staged_resiliency.experiment.observing import ALARM_NAME, EXPECTATIONS, RECORD


@dataclass(frozen=True)
class Document:
    """A document that holds one expectation."""

    one: Expectation


@pytest.mark.parametrize("expectation", EXPECTATIONS, ids=lambda each: type(each).__name__)
def test_an_expectation_comes_back_as_it_was(expectation: Expectation) -> None:
    document = json.loads(json.dumps(as_json(Document(expectation))))
    assert read(Document, document, "it") == Document(expectation)


def test_a_document_names_the_kind_of_an_expectation_in_words() -> None:
    for each in EXPECTATIONS:
        assert as_json(each)["expects"].replace(" ", "") == type(each).__name__.lower()


BAD = (
    (7, "it: one: found 7; must be an object"),
    ({"record": "a"}, "it: one.expects: found null; must be clients move, clients return"),
    ({"expects": "miracles"}, "it: one.expects: found 'miracles'; must be clients move"),
    ({"expects": ["miracles"]}, "it: one.expects: found ['miracles']; must be clients move"),
    ({"expects": "alarm quiet"}, "it: one.alarm is missing"),
    ({"expects": "alarm quiet", "alarm": 7}, "it: one.alarm: found 7; must be a text"),
    (
        {"expects": "alarm fires", "alarm": "a", "within_seconds": True},
        "it: one.within_seconds: found true; must be a number",
    ),
    (
        {"expects": "alarm fires", "alarm": "a", "within_seconds": "5"},
        "it: one.within_seconds: found '5'; must be a number",
    ),
)


@pytest.mark.parametrize(("document", "message"), BAD, ids=[row[1] for row in BAD])
def test_an_object_of_another_form_is_refused(document: object, message: str) -> None:
    with pytest.raises(DataError) as raised:
        read(Document, {"one": document}, "it")
    assert str(raised.value).startswith(message)


def test_every_expectation_has_words_of_its_own() -> None:
    found = [describe(each) for each in EXPECTATIONS]
    assert len(set(found)) == len(EXPECTATIONS)
    assert found[0] == f"clients of {RECORD} reach green"
    assert f"{ALARM_NAME} stays quiet" in found
    assert describe(UnknownExpectation("queue drains")) == "queue drains"
