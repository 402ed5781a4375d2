"""`resiliency drill approve` writes the approval that the first run with a fault needs."""

import json

import pytest

from staged_resiliency.drills.runtime import preflight
from staged_resiliency.drills.runtime.store import live_key
from tests.fake_aws import plans
from tests.fake_aws.command import CommandAccount
from tests.resiliency.conftest import Resiliency

DAY = 86_400.0


def test_an_approval_is_valid_for_its_days_and_names_who_gave_it(
    made: CommandAccount, drill: Resiliency
) -> None:
    made.client("s3").delete_object(Bucket=plans.BUCKET, Key=live_key("shutdown"))
    missing, _ = preflight.approval_of(plans.SHUTDOWN, made.context)
    assert missing == (
        "the first run with a fault needs an approval: resiliency drill approve bookstore "
        "production shutdown"
    )
    assert "approved the first run of shutdown with a fault, until 2026-11-05" in (
        " ".join(drill("approve", "shutdown", "--days", "2").out.split())
    )
    missing, approval = preflight.approval_of(plans.SHUTDOWN, made.context)
    assert missing == ""
    assert approval.startswith("first run with a fault, approved by arn:aws:")
    assert approval.endswith(" until 2026-11-05T19:30:00.000Z")
    made.service.now += 2 * DAY
    assert preflight.approval_of(plans.SHUTDOWN, made.context)[0]


def test_an_approval_of_one_drill_is_not_one_of_another(
    made: CommandAccount, drill: Resiliency
) -> None:
    made.client("s3").delete_object(Bucket=plans.BUCKET, Key=live_key("shutdown"))
    drill("approve", "db-blackhole")
    assert preflight.approval_of(plans.SHUTDOWN, made.context)[0]


@pytest.mark.parametrize("days", ["0", "32", "x"])
def test_days_are_a_number_up_to_a_month(days: str, drill: Resiliency) -> None:
    assert "--days" in drill("approve", "shutdown", "--days", days, status=2).err


def test_one_valid_approval_is_enough_and_one_of_the_future_is_none(made: CommandAccount) -> None:
    made.client("s3").delete_object(Bucket=plans.BUCKET, Key=live_key("shutdown"))
    of_days = {
        "1": ("2026-10-01", "2026-10-08"),  # now it is 2026-11-03
        "3": ("2026-11-04", "2026-11-11"),
    }
    for number, days in of_days.items():
        approved_at, expires_at = (f"{day}T00:00:00.000Z" for day in days)
        approval = {"approved_by": "ops", "approved_at": approved_at, "expires_at": expires_at}
        made.put(f"approvals/shutdown/{number}.json", json.dumps(approval))
    assert preflight.approval_of(plans.SHUTDOWN, made.context)[0]
    approval = {
        "approved_by": "ops",
        "approved_at": "2026-11-01T00:00:00.000Z",
        "expires_at": "2026-11-08T00:00:00.000Z",
    }
    made.put("approvals/shutdown/2.json", json.dumps(approval))
    assert preflight.approval_of(plans.SHUTDOWN, made.context)[0] == ""


def test_what_is_no_approval_approves_nothing(made: CommandAccount) -> None:
    made.client("s3").delete_object(Bucket=plans.BUCKET, Key=live_key("shutdown"))
    for number, content in enumerate(("", "[]", json.dumps({"approved_by": "me"}))):
        made.put(f"approvals/shutdown/{number}.json", content)
    assert preflight.approval_of(plans.SHUTDOWN, made.context)[0]
