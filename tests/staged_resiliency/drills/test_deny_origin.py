"""The fault that denies a distribution its origin, as a construct library has it."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack

from staged_resiliency import ClientsMove, ClientsReturn, DenyOrigin, DrillNetwork, GremlinEngine
from staged_resiliency.drills.alarm_effects import AlarmEffect, AlarmKind, WatchedAlarm
from staged_resiliency.drills.faults import Place
from staged_resiliency.drills.runtime.network import name_in
from tests.staged_resiliency.drills.test_drill import BLUE, GUARD, a_drill, a_group
from tests.staged_resiliency.support import refused, synthesized
from tests.support import resources_of

IMAGES, PRIMARY = "images.example.com", "d111111abcdef8.cloudfront.net"
SECONDARY = "images.example.net"


def denied(**changes: Any) -> DenyOrigin:
    """The fault, with fields changed."""
    usual: dict[str, Any] = {
        "record_name": IMAGES,
        "primary": PRIMARY,
        "secondary": SECONDARY,
        "distribution_id": "E1PA6795UKMFR9",
        "bucket": "shop-images",
        "duration_minutes": 10,
    }
    return DenyOrigin(**{**usual, **changes})


EXPECTED = [ClientsMove(IMAGES, SECONDARY), ClientsReturn(IMAGES, PRIMARY, 400)]


def watched(address: str | None, host: str = BLUE) -> WatchedAlarm:
    """An alarm on what a host asks at an address."""
    return WatchedAlarm("alarm", AlarmKind.DEPENDENCY, host, address=address)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"distribution_id": PRIMARY},
            f"DenyOrigin: distribution_id: '{PRIMARY}' is not the ID of a CloudFront distribution "
            "(E and capital letters or digits); give one like E1PA6795UKMFR9",
        ),
        (
            {"bucket": "a..b"},
            "DenyOrigin: bucket: 'a..b' is not the name of an S3 bucket (3 to 63 lower-case "
            "letters, digits, '-' and '.'); give one like shop-images",
        ),
        (
            {"duration_minutes": 0},
            "DenyOrigin: duration_minutes: 0 minutes is out of range; allowed: 1 to 720",
        ),
    ],
)
def test_what_aws_would_refuse_is_refused_before(changes: Any, message: str) -> None:
    with refused(message):
        denied(**changes)


def test_what_asks_the_primary_fails_and_what_asks_the_name_may() -> None:
    fault = denied(alarm_name="images-on-secondary")
    (own,) = fault.own_alarms
    assert fault.effect_on(own) is AlarmEffect.FAILS
    assert fault.effect_on(watched(PRIMARY)) is AlarmEffect.FAILS
    assert fault.effect_on(watched(IMAGES)) is AlarmEffect.MAY_FAIL
    assert fault.effect_on(watched("db.example.com")) is AlarmEffect.NONE
    assert not fault.breaks(BLUE)
    assert denied().own_alarms == ()


def test_alarms_are_read_in_another_region_only_where_there_is_one() -> None:
    def sids(fault: DenyOrigin, region: str) -> list[object]:
        found = fault.permissions(Place("aws", region, "111111111111"))
        return [each["Sid"] for each in found["end"]]

    usual = ["PolicyOfTheOrigin", "Distribution"]
    assert sids(denied(), "eu-west-1") == usual
    assert sids(denied(alarm_name="a"), "us-east-1") == usual
    assert sids(denied(alarm_name="a"), "eu-west-1") == [*usual, "AlarmsOfHealthChecks"]


@pytest.mark.slow
def test_two_drills_of_one_origin_share_the_policies_of_the_functions() -> None:
    def build(stack: Stack) -> None:
        group = a_group(stack)
        for name in ("first", "second"):
            drill = a_drill(stack, group, name=name, fault=denied(), hypothesis=EXPECTED)
            assert drill.experiment is None
            assert drill.plan.origin is not None
            assert drill.plan.primary == PRIMARY

    assert len(resources_of(synthesized(build), "AWS::IAM::Policy")) == 3


def in_a_vpc(stack: Stack) -> object:
    network = DrillNetwork(["subnet-0ab55a49288f1da24"], ["sg-0123456789abcdef0"])
    return a_group(stack, network=network)


def by_gremlin(stack: Stack) -> object:
    engine = GremlinEngine(
        team_id="9676868b-60d2-5ebe-aa66-c1de8162ff9d",
        secret_arn="arn:aws:secretsmanager:eu-west-1:111111111111:secret:gremlin-AbC123",
    )
    return a_group(stack, engine=engine)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "message"),
    [
        (
            in_a_vpc,
            "Drill: fault: the clients of a distribution are observed over the internet, and "
            "DrillGroup has a network; leave the drill out",
        ),
        (
            by_gremlin,
            "GremlinEngine: Gremlin has no attack for DenyOrigin; leave the engine out",
        ),
    ],
)
def test_where_it_can_not_be_observed_or_injected_it_is_refused(
    group: Callable[[Stack], Any], message: str
) -> None:
    stack = Stack()
    made = group(stack)
    with refused(message):
        a_drill(stack, made, name="images", fault=denied(), hypothesis=EXPECTED, guards=[GUARD])


@pytest.mark.parametrize(
    ("header", "via"),
    [
        (b"Via: 1.1 f00.cloudfront.net (CloudFront)\r\n", "1.1 f00.cloudfront.net (CloudFront)"),
        (b"", ""),
    ],
)
def test_an_answer_without_a_name_shows_its_proxies(header: bytes, via: str) -> None:
    raw = b"HTTP/1.1 200 OK\r\n" + header + b"Content-Length: 2\r\n\r\nok"
    assert name_in(raw, None) == via
