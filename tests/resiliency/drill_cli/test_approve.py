"""`resiliency drill approve` writes the approval that the first run with a fault needs."""

import json

import pytest

from staged_resiliency.drills.runtime import preflight
from staged_resiliency.drills.runtime.store import live_key
from tests.fake_aws import plans
from tests.resiliency.drill_cli.conftest import Drill

DAY = 86_400.0


@pytest.fixture
def first(drill: Drill) -> Drill:
    """The command before the first run of the shutdown with a fault, on 2026-11-03."""
    drill.aws.client("s3").delete_object(Bucket=plans.BUCKET, Key=live_key("shutdown"))
    return drill


def missing(drill: Drill) -> str:
    """Why the shutdown may not run; empty where it may."""
    return preflight.approval_of(plans.SHUTDOWN, drill.aws.context)[0]


def test_an_approval_is_valid_for_its_days_and_names_who_gave_it(first: Drill) -> None:
    assert missing(first) == (
        "the first run with a fault needs an approval: resiliency drill approve bookstore "
        "production shutdown"
    )
    assert (
        "approved the first run of shutdown with a fault, until 2026-11-05"
        in first("approve", "shutdown", "--days", "2").text
    )
    assert missing(first) == ""
    _, approval = preflight.approval_of(plans.SHUTDOWN, first.aws.context)
    assert approval.startswith("first run with a fault, approved by arn:aws:")
    assert approval.endswith(" until 2026-11-05T19:30:00.000Z")
    first.aws.service.now += 2 * DAY
    assert missing(first)


def test_an_approval_of_one_drill_is_not_one_of_another(first: Drill) -> None:
    first("approve", "db-blackhole")
    assert missing(first)


@pytest.mark.parametrize("days", ["0", "32", "x"])
def test_days_are_a_number_up_to_a_month(days: str, drill: Drill) -> None:
    assert "--days" in drill("approve", "shutdown", "--days", days, status=2).err


def test_one_valid_approval_is_enough_and_one_of_the_past_or_future_is_none(first: Drill) -> None:
    for number, approved, expires, valid in (
        (1, "2026-10-01", "2026-10-08", False),
        (3, "2026-11-04", "2026-11-11", False),
        (2, "2026-11-01", "2026-11-08", True),
    ):
        approval = {
            "approved_by": "ops",
            "approved_at": f"{approved}T00:00:00.000Z",
            "expires_at": f"{expires}T00:00:00.000Z",
        }
        first.aws.put(f"approvals/shutdown/{number}.json", json.dumps(approval))
        assert (missing(first) == "") is valid


def test_what_is_no_approval_approves_nothing(first: Drill) -> None:
    for number, content in enumerate(("", "[]", json.dumps({"approved_by": "me"}))):
        first.aws.put(f"approvals/shutdown/{number}.json", content)
    assert missing(first)
