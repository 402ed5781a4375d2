"""The drill of a service file that denies a distribution its origin: its plan and permissions."""

import pytest

from staged_resiliency import (
    AlarmFires,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
)
from staged_resiliency.drills.runtime.fault_settings import FaultKind, Origin
from staged_resiliency.drills.runtime.hosts import Endpoint
from tests.stacks.deployed_drills import (
    ACCOUNT,
    BLUE,
    EXPERIMENT,
    GREEN,
    by_drill,
    plans_of,
    statements_of,
)
from tests.support import Data, Template, example, resources_of, synthesize

pytestmark = pytest.mark.slow

CDN = "cdn.bookstore.pingpublications.com"
PRIMARY, SECONDARY = "d111111abcdef8.cloudfront.net", "cdn.example.com"
DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1PA6795UKMFR9"
ELSEWHERE = (
    ["cloudwatch:DescribeAlarms"],
    ["*"],
    {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
)


def denies(env: Data) -> None:
    env["notifications"]["more_topics"] = [f"arn:aws:sns:us-east-1:{ACCOUNT}:failovers"]
    env["dependencies"]["cdn"] |= {
        "check": {"protocol": "http"},
        "failover": {
            "primary": {"dns_name": PRIMARY},
            "secondary": {"dns_name": SECONDARY},
            "check": {"path": "/status.txt"},
        },
    }
    del env["drills"]["cdn-blackhole"]
    env["drills"]["db-blackhole"] = {
        "fault": "deny_origin",
        "dependency": "cdn",
        "distribution_id": "E1PA6795UKMFR9",
        "origin_bucket": "bookstore-images",
        "duration_minutes": 12,
        "schedule": "cron(0 10 ? * TUE#2 *)",
    }


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesize([example(denies, whole=True)])["bookstore-production-drills"]


def test_the_plan_has_the_pair_of_the_name_and_the_alarm_on_its_failover(
    template: Template,
) -> None:
    plan = plans_of(template)["db-blackhole"]
    alarm = "bookstore-production-cdn-on-secondary"
    assert plan.fault is FaultKind.DENY_ORIGIN
    assert plan.origin == Origin(
        distribution_arn=DISTRIBUTION,
        bucket="bookstore-images",
        record=CDN,
        primary=PRIMARY,
        secondary=SECONDARY,
        endpoint=Endpoint("http", 80, "/status.txt", None),
        alarm=alarm,
        alarm_region="us-east-1",
    )
    assert (plan.target, plan.dependency, plan.experiment_template_id) == (BLUE, "cdn", "")
    assert plan.hypothesis[:5] == (
        ClientsMove(CDN, SECONDARY),
        ClientsReturn(CDN, PRIMARY, 360),
        ClientsStay("bookstore.pingpublications.com", BLUE),
        ClientsServed("bookstore.pingpublications.com"),
        AlarmFires(alarm, 480),
    )
    assert plan.expected_alarms == (alarm,)
    assert f"{GREEN}-probe-silent" in plan.guard_alarms
    assert f"{BLUE}-probe-silent" in plan.guard_alarms
    assert plan.predicted is not None
    assert 60 < plan.predicted.median < plan.predicted.worst < 540


def test_no_experiment_of_fis_is_made_and_no_role_for_one(template: Template) -> None:
    assert set(by_drill(template, EXPERIMENT)) == {"shutdown"}
    roles = resources_of(template, "AWS::IAM::Role")
    assert not any("Blackhole" in name for name in roles)


def test_each_function_may_do_its_part_on_that_bucket_and_that_distribution_alone(
    template: Template,
) -> None:
    found = {
        policy["Properties"]["Roles"][0]["Ref"][:-8]: sorted(
            map(repr, statements_of({"Policies": [policy["Properties"]]}))
        )
        for policy in resources_of(template, "AWS::IAM::Policy").values()
    }
    bucket = ["arn:aws:s3:::bookstore-images"]
    invalidates = (["cloudfront:CreateInvalidation"], [DISTRIBUTION], None)
    wanted = {
        "DrillsObserveRole": [
            (["s3:GetBucketPolicy"], bucket, None),
            (["cloudfront:GetDistributionConfig"], [DISTRIBUTION], None),
            ELSEWHERE,
        ],
        "DrillsInjectRole": [
            (["s3:GetBucketPolicy", "s3:PutBucketPolicy"], bucket, None),
            invalidates,
            ELSEWHERE,
        ],
        "DrillsEndRole": [
            (
                ["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"],
                bucket,
                None,
            ),
            invalidates,
            ELSEWHERE,
        ],
    }
    assert found == {name: sorted(map(repr, each)) for name, each in wanted.items()}
