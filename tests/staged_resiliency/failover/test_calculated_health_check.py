"""A health check that is calculated from others."""

from collections.abc import Sequence
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_route53 as route53

from staged_resiliency import CalculatedHealthCheck, HealthCheck
from tests.staged_resiliency.support import (
    HEALTH_CHECK,
    a_health_check,
    number_parameter,
    refused,
    synthesized,
)
from tests.support import Data, Template, resources_of

IMPORTED_ID = "abcdef11-2222-3333-4444-555555fedcba"


def calculated(stack: Stack, children: int, **more: Any) -> CalculatedHealthCheck:
    """A calculated health check with so many children."""
    checks = [a_health_check(stack, f"Child{number}") for number in range(children)]
    return CalculatedHealthCheck(stack, "All", children=checks, label="shop-all", **more)


def the_calculated(template: Template) -> Data:
    """The one calculated health check of a template."""
    (found,) = (
        resource
        for resource in resources_of(template, HEALTH_CHECK).values()
        if resource["Properties"]["HealthCheckConfig"]["Type"] == "CALCULATED"
    )
    return found


def test_all_children_must_be_healthy_unless_said_otherwise() -> None:
    template = synthesized(lambda stack: calculated(stack, 3))
    children = [
        {"Ref": logical_id}
        for logical_id, check in resources_of(template, HEALTH_CHECK).items()
        if check["Properties"]["HealthCheckConfig"]["Type"] == "TCP"
    ]
    assert the_calculated(template)["Properties"] == {
        "HealthCheckConfig": {
            "Type": "CALCULATED",
            "ChildHealthChecks": children,
            "HealthThreshold": 3,
            "Inverted": False,
        },
        "HealthCheckTags": [{"Key": "Name", "Value": "shop-all"}],
    }


@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_fewer_children_can_be_enough(threshold: int) -> None:
    template = synthesized(lambda stack: calculated(stack, 3, healthy_at_least=threshold))
    found = the_calculated(template)
    assert found["Properties"]["HealthCheckConfig"]["HealthThreshold"] == threshold
    assert found["Metadata"]["Description"] == (
        f"Healthy while at least {threshold} of 3 signals are."
    )


def test_a_threshold_that_the_deployment_knows_is_rendered_by_reference() -> None:
    def build(stack: Stack) -> None:
        calculated(stack, 2, healthy_at_least=number_parameter(stack, "Enough"))

    config = the_calculated(synthesized(build))["Properties"]["HealthCheckConfig"]
    assert config["HealthThreshold"] == {"Ref": "Enough"}


def test_a_health_check_of_the_cdk_can_be_a_child() -> None:
    def build(stack: Stack) -> None:
        imported = route53.HealthCheck.from_health_check_id(stack, "Imported", IMPORTED_ID)
        CalculatedHealthCheck(stack, "All", children=[imported], label="shop-all")

    config = the_calculated(synthesized(build))["Properties"]["HealthCheckConfig"]
    assert config["ChildHealthChecks"] == [IMPORTED_ID]


@pytest.mark.parametrize("count", [0, 256])
def test_no_children_and_too_many_are_refused(count: int, stack: Stack) -> None:
    children: Sequence[HealthCheck] = [a_health_check(stack)] * count
    with refused(f"CalculatedHealthCheck: children: {count} are given; allowed: 1 to 255"):
        CalculatedHealthCheck(stack, "All", children=children, label="shop-all")


@pytest.mark.parametrize("threshold", [-1, 0, 3])
def test_a_threshold_that_decides_nothing_is_refused(threshold: int, stack: Stack) -> None:
    with refused(
        f"CalculatedHealthCheck: healthy_at_least: {threshold} of 2 would always or never "
        "be reached; allowed: 1 to 2"
    ):
        calculated(stack, 2, healthy_at_least=threshold)
