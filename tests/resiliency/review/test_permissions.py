"""What a review says of wider permissions."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.resiliency.review.stacks import ALLOW, policy, resource, reviewed, texts


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
