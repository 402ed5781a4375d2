"""A value that a resource type does not have is no reason for a traceback."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from resiliency.review.output import markdown_of
from tests.resiliency.review.stacks import pair, resource, reviewed
from tests.resiliency.review.test_findings import ALLOW, association, drill, fault, machine, policy

RESOURCES = {
    **pair(),
    **association(),
    **drill(machine(guards=["a"])),
    **policy(ALLOW, Roles=["a"]),
    "Fault": fault("one"),
    "Topic": resource("SNS::Topic", Tags=[{"Key": "Name", "Value": "pager"}]),
    "Mail": resource("SNS::Subscription", Protocol="email", Endpoint="ops@example.com"),
}
ODD: tuple[Any, ...] = (
    None,
    1,
    "",
    [],
    {},
    [None],
    {"Ref": 1},
    {"Fn::Join": ["", [1]]},
    {"Key": {}},
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in keys:
        yield from _paths(value[key], (*path, key))


@pytest.mark.slow
@pytest.mark.parametrize("logical_id", RESOURCES)
def test_any_value_may_be_odd(logical_id: str) -> None:
    for path in [each for each in _paths(RESOURCES[logical_id]["Properties"]) if each]:
        for odd in ODD:
            resources = copy.deepcopy(RESOURCES)
            inner: Any = resources[logical_id]["Properties"]
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = odd
            for sides in ((RESOURCES, resources), (resources, RESOURCES)):
                found = reviewed(*sides)
                assert json.dumps(found.to_json())
                assert markdown_of(found)
