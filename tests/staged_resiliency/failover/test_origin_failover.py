"""Origin groups of CloudFront that ask the secondary origin within seconds."""

from typing import Any, cast

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_s3 as s3

from resiliency.failover_model.origin_groups import read_origin_groups
from staged_resiliency import OriginFailover
from tests.staged_resiliency.support import refused, synthesized
from tests.support import Data, Template, resources_of

pytestmark = pytest.mark.slow

MAIN, BACKUP = "main.example.com", "backup.example.com"


def distribution(stack: Stack, origin: OriginFailover) -> None:
    cloudfront.Distribution(
        stack, "Cdn", default_behavior=cloudfront.BehaviorOptions(origin=origin)
    )


def config_of(template: Template) -> Data:
    (found,) = resources_of(template, "AWS::CloudFront::Distribution").values()
    config: Data = found["Properties"]["DistributionConfig"]
    return config


def test_both_origins_are_given_up_within_seconds() -> None:
    template = synthesized(lambda stack: distribution(stack, OriginFailover(MAIN, BACKUP)))
    config = config_of(template)
    assert [
        (
            each["DomainName"],
            each["ConnectionAttempts"],
            each["ConnectionTimeout"],
            each["CustomOriginConfig"]["OriginReadTimeout"],
        )
        for each in config["Origins"]
    ] == [(MAIN, 2, 2, 5), (BACKUP, 2, 2, 5)]
    (group,) = config["OriginGroups"]["Items"]
    assert config["DefaultCacheBehavior"]["TargetOriginId"] == group["Id"]
    assert group["FailoverCriteria"]["StatusCodes"]["Items"] == [500, 502, 503, 504]
    assert [each["OriginId"] for each in group["Members"]["Items"]] == [
        each["Id"] for each in config["Origins"]
    ]


def test_the_model_reads_from_the_template_what_the_construct_promises() -> None:
    made = OriginFailover(
        MAIN,
        BACKUP,
        connection_attempts=3,
        connection_timeout_seconds=Duration.seconds(4),
        response_timeout_seconds=20,
        status_codes=[403, 503, 504],
    )
    (group,) = read_origin_groups({"cdn": synthesized(lambda stack: distribution(stack, made))})
    assert (made.unreachable_seconds, made.unresponsive_seconds) == (12, 72)
    assert (group.unreachable_seconds, group.unresponsive_seconds) == (12, 72)
    assert (group.primary, group.secondary) == (MAIN, BACKUP)


def test_a_bucket_lets_the_distribution_alone_read_it() -> None:
    origins = []

    def made(stack: Stack) -> None:
        buckets = [s3.Bucket(stack, name) for name in ("Main", "Backup")]
        origins.append(OriginFailover(*buckets))
        distribution(stack, origins[0])

    template = synthesized(made)
    assert all("OriginAccessControlId" in each for each in config_of(template)["Origins"])
    assert len(resources_of(template, "AWS::S3::BucketPolicy")) == 2
    (group,) = read_origin_groups({"cdn": template})
    assert (origins[0].unreachable_seconds, origins[0].unresponsive_seconds) == (4, None)
    assert (group.unreachable_seconds, group.unresponsive_seconds) == (4, 64)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"secondary": MAIN}, "primary and secondary are the same; give two origins"),
        ({"connection_attempts": 4}, "connection_attempts: 4 is out of range; allowed: 1 to 3"),
        (
            {"connection_timeout_seconds": 11},
            "connection_timeout_seconds: 11 is out of range; allowed: 1 to 10",
        ),
        (
            {"response_timeout_seconds": 0},
            "response_timeout_seconds: 0 is out of range; allowed: 1 to 120",
        ),
        (
            {"status_codes": [503, 504, 501]},
            "status_codes: 501 can't make CloudFront ask another origin; allowed: 400, 403, 404, "
            "416, 429, 500, 502, 503, 504",
        ),
        (
            {"status_codes": [403, 504]},
            "status_codes: lacks 503, without which CloudFront does not ask the secondary where "
            "the primary accepts no connection; add it",
        ),
        (
            {"status_codes": [503]},
            "status_codes: lacks 504, without which CloudFront does not ask the secondary where "
            "the primary does not respond in time; add it",
        ),
        ({"secondary": cast(str, 7)}, "secondary: 7 is of type int; give a DNS name or a bucket"),
    ],
)
def test_what_cloudfront_would_refuse_is_refused(changes: Data, message: str) -> None:
    given: dict[str, Any] = {"primary": MAIN, "secondary": BACKUP, **changes}
    with refused(f"OriginFailover: {message}"):
        OriginFailover(**given)
