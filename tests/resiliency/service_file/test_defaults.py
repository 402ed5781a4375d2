"""Values of all environments are written once, and each environment may give its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resiliency.service_file import defaults
from resiliency.service_file.model.service import Service
from resiliency.service_file.yaml_source import Document, Value, parse
from tests.properties import fewer_examples
from tests.resiliency.service_file.test_any_valid_service import SERVICES, through_yaml
from tests.support import Data


def merged(text: str) -> Data:
    document = Document("shop.yaml")
    parse(text, document)
    defaults.merge(document)
    environments = document.data["environments"]
    assert isinstance(environments, dict)
    return environments


@pytest.mark.parametrize(
    ("own", "environment"),
    [
        ("{}", {"a": 1, "b": {"c": [1, 2], "d": {"e": 3}}}),
        ("{ a: 2 }", {"a": 2, "b": {"c": [1, 2], "d": {"e": 3}}}),
        ("{ b: { f: 4 } }", {"a": 1, "b": {"c": [1, 2], "d": {"e": 3}, "f": 4}}),
        ("{ b: { d: { e: 5 } } }", {"a": 1, "b": {"c": [1, 2], "d": {"e": 5}}}),
        ("{ b: { c: [3] } }", {"a": 1, "b": {"c": [3], "d": {"e": 3}}}),
        ("{ b: null }", {"a": 1, "b": None}),
        ("text", "text"),
    ],
    ids=["none", "value", "new key", "deep", "list", "removed", "no mapping"],
)
def test_mappings_are_merged_key_by_key(own: str, environment: Value) -> None:
    text = (
        f"defaults: {{ a: 1, b: {{ c: [1, 2], d: {{ e: 3 }} }} }}\nenvironments: {{ one: {own} }}"
    )
    assert merged(text) == {"one": environment}


def test_each_environment_has_its_own_copy() -> None:
    environments = merged(
        "defaults: { a: { b: 1 } }\nenvironments: { one: {}, two: { a: { c: 2 } } }"
    )
    assert environments == {"one": {"a": {"b": 1}}, "two": {"a": {"b": 1, "c": 2}}}


@pytest.mark.slow
@fewer_examples(5)
@given(SERVICES, st.data())
def test_a_service_is_the_same_when_a_part_of_it_is_in_the_defaults(
    data: Data, draw: st.DataObject
) -> None:
    moved, own = dict[str, Value](), dict[str, Value]()
    name, environment = next(iter(data["environments"].items()))
    for key, value in environment.items():
        if isinstance(value, dict) and draw.draw(st.booleans()):
            inner = list(value)
            split = draw.draw(st.integers(0, len(inner)))
            moved[key] = {each: value[each] for each in inner[:split]}
            own[key] = {each: value[each] for each in inner[split:]}
        else:
            draw.draw(st.sampled_from([moved, own]))[key] = value
    whole = {**data, "environments": {name: environment}}
    examined = through_yaml({**whole, "defaults": moved, "environments": {name: own}})
    assert [str(problem) for problem in examined.problems] == []
    assert examined.service == Service.model_validate(whole)
