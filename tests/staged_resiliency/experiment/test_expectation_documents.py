"""Expectations as documents, and back."""

import json

import pytest

from staged_resiliency.experiment.expectations import (
    Expectation,
    expectation_from_json,
    expectation_json,
)
from tests.staged_resiliency.experiment.observing import EXPECTATIONS


@pytest.mark.parametrize("expectation", EXPECTATIONS, ids=lambda each: type(each).__name__)
def test_an_expectation_comes_back_as_it_was(expectation: Expectation) -> None:
    document = json.loads(json.dumps(expectation_json(expectation)))
    assert expectation_from_json(document) == expectation


BAD = (
    (7, "an expectation must be an object; found 7"),
    ({"record": "a"}, "expects: found None; must be one of clients move, clients return"),
    ({"expects": "miracles"}, "expects: found 'miracles'; must be one of"),
    ({"expects": "alarm quiet"}, "alarm quiet: found ; must have alarm"),
    ({"expects": "alarm quiet", "alarm": "a", "b": 1}, "alarm quiet: found alarm, b; must have"),
    ({"expects": "alarm quiet", "alarm": 7}, "alarm quiet: alarm: found 7; must be a text"),
    (
        {"expects": "alarm fires", "alarm": "a", "within_seconds": "9"},
        "alarm fires: within_seconds: found '9'; must be a number",
    ),
    (
        {"expects": "alarm fires", "alarm": "a", "within_seconds": True},
        "alarm fires: within_seconds: found True; must be a number",
    ),
)


@pytest.mark.parametrize(("document", "told"), BAD, ids=[row[1] for row in BAD])
def test_what_is_no_expectation_is_told(document: object, told: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        expectation_from_json(document)
    assert str(raised.value).startswith(told)
