"""A value that a resource type does not have is no reason for a traceback."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from resiliency.review.output import markdown_of
from tests.resiliency.review.stacks import (
    ALLOW,
    Resources,
    association,
    drill,
    fault,
    machine,
    pair,
    policy,
    resource,
    reviewed,
)

FAILOVER = {**pair(), **association()}
OTHERS = {
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
@pytest.mark.parametrize(
    ("resources", "logical_id"),
    [(each, logical_id) for each in (FAILOVER, OTHERS) for logical_id in each],
    ids=[*FAILOVER, *OTHERS],
)
def test_any_value_may_be_odd(resources: Resources, logical_id: str) -> None:
    for path in [each for each in _paths(resources[logical_id]["Properties"]) if each]:
        for odd in ODD:
            changed = copy.deepcopy(resources[logical_id])
            inner: Any = changed["Properties"]
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = odd
            other = {**resources, logical_id: changed}
            for sides in ((resources, other), (other, resources)):
                found = reviewed(*sides, outages=1)
                assert json.dumps(found.to_json())
                assert markdown_of(found)
