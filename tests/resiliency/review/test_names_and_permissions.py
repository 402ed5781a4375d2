"""Names that are in use, and permissions that widen, in a review."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.resiliency.review.stacks import (
    ALLOW,
    alarm,
    pair,
    policy,
    resource,
    reviewed,
    reviewed_stacks,
    stack,
    texts,
    without,
)


def test_a_record_can_have_one_owner_at_a_time() -> None:
    one = pair()
    records = [one[each]["Properties"] for each in ("Primary", "Secondary")]
    zone = {"HostedZoneId": "Z1"}
    group = resource("Route53::RecordSetGroup", RecordSets=records, **zone)
    found = reviewed({**without(one, "Primary", "Secondary"), "Group": group}, one)
    assert texts(found, "names") == [
        "danger site.example.com A exists already, as Group of this stack: Route 53 refuses a "
        "second record of one name, type and role, and the update fails"
    ]


def test_a_stack_of_another_region_has_the_record() -> None:
    before, after = stack(pair()), stack(pair(), region="eu-west-1")
    assert texts(reviewed_stacks([before], [after]), "names") == [
        "danger site.example.com A exists already, as Primary of site in 532151327118 us-west-2: "
        "Route 53 refuses a second record of one name, type and role, and the update fails"
    ]


def test_a_replacement_cant_have_the_name_of_what_it_replaces() -> None:
    def topic(*, fifo: bool) -> dict[str, Any]:
        return {"Topic": resource("SNS::Topic", TopicName="pager", FifoTopic=fifo)}

    found = texts(reviewed(topic(fifo=False), topic(fifo=True)), "names")
    assert found[0].startswith("danger 1 name is in use by other resources of this stack, Topic p")
    assert found[1] == "warning Topic pager is replaced, as FifoTopic changes"


def test_another_type_is_refused() -> None:
    found = reviewed({"A": alarm()}, {"A": resource("SNS::Topic")})
    assert texts(found, "names")[0] == ("danger A gets another type, which CloudFormation refuses")


def test_a_bucket_that_is_replaced_stays() -> None:
    kept = {"UpdateReplacePolicy": "Retain"}
    before, after = ({"B": resource("S3::Bucket", kept, BucketName=each)} for each in "ab")
    assert texts(reviewed(before, after), "names") == [
        "warning Bucket a → b is replaced, as BucketName changes; the old one stays in the account "
        "(Retain)"
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (policy(ALLOW), policy({**ALLOW, "Resource": "a"}), []),
        (policy(ALLOW), policy(ALLOW | {"Sid": "Renamed"}), []),
        (
            policy(ALLOW),
            policy({**ALLOW, "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["b"]}),
            ["allows s3:PutObject on b"],
        ),
        (
            policy({**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": True}}}),
            policy({**ALLOW, "Resource": "a"}),
            ["allows s3:GetObject on a"],
        ),
        (
            policy(),
            policy({"Effect": "Allow", "NotAction": "iam:*", "NotResource": {"Ref": "Topic"}}),
            ["allows all but iam:* on all but ${Topic}"],
        ),
        (
            policy({"Effect": "Deny", "Action": "*", "Resource": "*", "Principal": "*"}),
            policy(),
            ["no longer denies * on * to *"],
        ),
        (policy(Roles=["a"]), policy(Roles=["a", {"Ref": "Role"}]), ["is attached to ${Role}"]),
        (
            {"R": resource("IAM::Role")},
            {"R": resource("IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnly"])},
            ["has the policies arn:aws:iam::aws:policy/ReadOnly"],
        ),
        (
            {},
            {"L": resource("Lambda::Permission", Principal="s3.amazonaws.com", FunctionName="f")},
            ["s3.amazonaws.com may invoke f"],
        ),
        ({"L": resource("Lambda::Permission", Principal="s3", FunctionName="f")}, {}, []),
    ],
)
def test_permissions_widen(
    before: Mapping[str, Any], after: Mapping[str, Any], expected: list[str]
) -> None:
    found = texts(reviewed(before, after), "permissions")
    assert [each.partition(": ")[2] for each in found] == expected
