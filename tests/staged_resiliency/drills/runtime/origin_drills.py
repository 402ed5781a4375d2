"""Drills that deny a distribution its origin, in an account with the bucket and its policy."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from staged_resiliency.drills.runtime.plan import Plan
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.origin import ALLOW, FORMER, OriginService
from tests.fake_aws.simulation import START, Script

PLAN = replace(plans.DENY_ORIGIN, sample_seconds=25, call_seconds=200)
SID = "StagedResiliencyDrillrun1"
THEIRS = {**ALLOW, "Sid": "Theirs", "Effect": "Allow"}


@contextmanager
def drilled(plan: Plan = PLAN, policy: Any = FORMER, **given: Any) -> Iterator[Account]:
    """An account with the bucket, in which a policy is written unless it is None."""
    service = OriginService(plan, Script(detect=None, clients_move=None), START, **given)
    with account(plan, service=service) as made:
        s3 = made.client("s3")
        s3.create_bucket(
            Bucket=plans.ORIGIN_BUCKET,
            CreateBucketConfiguration={"LocationConstraint": "us-west-2"},
        )
        if policy is not None:
            write(made, policy)
        yield made


def write(made: Account, policy: Any) -> None:
    """Change the bucket's policy, as its owner."""
    made.client("s3").put_bucket_policy(Bucket=plans.ORIGIN_BUCKET, Policy=json.dumps(policy))


def images(made: Account) -> OriginService:
    """The service of an account."""
    assert isinstance(made.service, OriginService)
    return made.service


def sids(made: Account) -> list[str]:
    """The ids of the statements of the bucket's policy."""
    policy = images(made).policy
    return [] if policy is None else [each["Sid"] for each in policy["Statement"]]


def calls(made: Account, operation: str) -> int:
    """How often an operation was called."""
    return [each for _, each in made.calls].count(operation)
