"""Whatever stands anywhere in a template, it is followed or refused in one line."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from resiliency.failover_model.expressions import TemplateError
from resiliency.failover_model.template_reader import read_graph
from tests.resiliency.failover_model.support import Data, hand_written

JUNK: dict[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "less than nothing": -1,
    "infinity": float("inf"),
    "no number": float("nan"),
    "a number of 400 digits": 10**400,
    "no text": "",
    "a text": "x",
    "a placeholder": "${A}",
    "a line break": "a\nb",
    "an empty list": [],
    "an empty object": {},
    "a list": [1],
    "an object": {"a": 1},
    "a reference to nothing": {"Ref": "Nope"},
    "a reference by number": {"Ref": 5},
    "a reference to a health check": {"Ref": "Both"},
    "a join of a text": {"Fn::Join": ["-", "x"]},
    "a join": {"Fn::Join": ["-", [{"Ref": "Status"}]]},
    "a substitution with variables": {"Fn::Sub": ["x", {}]},
    "half an attribute": {"Fn::GetAtt": ["A"]},
    "an attribute without its name": {"Fn::GetAtt": "A"},
    "an import": {"Fn::ImportValue": "health"},
    "an empty condition": {"Fn::If": []},
    "a choice": {"Fn::Select": [0, ["a"]]},
}


def template() -> Data:
    made = hand_written()
    made["Outputs"] = {"Id": {"Value": {"Ref": "Both"}, "Export": {"Name": "health"}}}
    return made


def places(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield from places(node[key], (*path, key))


def replaced(path: tuple[str | int, ...], value: object, whole: Data | None = None) -> Data:
    made = template() if whole is None else whole
    node: Any = made
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = copy.deepcopy(value)
    return made


def refusal(made: Data) -> str | None:
    """Why a template is refused, None where it is not."""
    try:
        read_graph({"site": made})
    except TemplateError as error:
        return str(error)
    return None


@pytest.mark.parametrize("junk", JUNK)
def test_junk_at_every_place_is_followed_or_refused_in_one_line(junk: str) -> None:
    results = [refusal(replaced(path, JUNK[junk])) for path in places(template())]
    refusals = [each for each in results if each is not None]
    assert len(refusals) > 10
    assert all(len(each.splitlines()) == 1 and each.isprintable() for each in refusals)
