"""The preflight refuses what would not come back, and days on which nothing may break."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime import states
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.preflight import PASSED, inspect, refusals
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.simulation import EBS_KEY, Script

OWN_KEY = "arn:aws:kms:us-west-2:123456789012:key/own"


def instance_with(owner: str, address: str = plans.BLUE_ADDRESS) -> Mapping[str, Any]:
    """An instance with a public address of some owner."""
    return {
        "NetworkInterfaces": [{"Association": {"IpOwnerId": owner, "PublicIp": address}}],
        "Tags": [{"Key": "Name", "Value": plans.BLUE}],
    }


def found(plan: Plan, **script: Any) -> list[str]:
    """The reasons to refuse a run."""
    with account(plan, Script(**script)) as made:
        return list(refusals(plan, inspect(plan, "arn", made.context)))


TRAPS: Mapping[str, tuple[Plan, Mapping[str, Any], str]] = {
    "no Elastic IP": (
        plans.SHUTDOWN,
        {"instance": instance_with("amazon")},
        "54.213.54.171 of bookstore-api-blue is no Elastic IP, so the instance would lose it when "
        "it stops; associate an Elastic IP, and give that as the address",
    ),
    "an Auto Scaling group": (
        plans.SHUTDOWN,
        {"instance": {"Tags": [{"Key": "aws:autoscaling:groupName", "Value": "web"}]}},
        "bookstore-api-blue is in the Auto Scaling group web, which would replace it while it is "
        "stopped; take it out of the group",
    ),
    "a customer key": (
        plans.SHUTDOWN,
        {"volume_keys": (EBS_KEY, OWN_KEY)},
        f"a volume of bookstore-api-blue is encrypted with {OWN_KEY}, which volume_keys does not "
        "name, so the instance might not start again; add the key",
    ),
    "an operating system": (
        plans.BLACKHOLE,
        {"system": "Microsoft Windows Server 2022 Datacenter", "system_version": "10.0.20348"},
        "bookstore-api-blue runs Microsoft Windows Server 2022 Datacenter 10.0.20348, on which AWS "
        "does not support the document that drops its packets; drill a host with Amazon Linux 2 or "
        "2023, CentOS 9, Red Hat Enterprise Linux 8 or 9, or Ubuntu",
    ),
    "an agent": (
        plans.BLACKHOLE,
        {"agent": "ConnectionLost"},
        "the SSM agent of bookstore-api-blue is ConnectionLost, not Online: the fault needs it",
    ),
}


@pytest.mark.parametrize("enabled", [True, False], ids=["live", "dry run"])
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_refuses_the_run_and_the_dry_run(trap: str, enabled: bool) -> None:
    plan, script, reason = TRAPS[trap]
    assert found(replace(plan, enabled=enabled), **script) == [reason]


@pytest.mark.parametrize(
    ("plan", "script"),
    [
        (plans.SHUTDOWN, {"instance": instance_with("123456789012")}),
        (plans.SHUTDOWN, {"instance": instance_with("amazon", "203.0.113.9")}),
        (plans.SHUTDOWN, {"volume_keys": (EBS_KEY,)}),
        (replace(plans.SHUTDOWN, volume_keys=(OWN_KEY,)), {"volume_keys": (OWN_KEY,)}),
        (plans.BLACKHOLE, {"instance": instance_with("amazon"), "volume_keys": (OWN_KEY,)}),
    ],
)
def test_what_is_no_trap_refuses_nothing(plan: Plan, script: Mapping[str, Any]) -> None:
    assert found(plan, **script) == []


# As Systems Manager reports them; AWS supports its documents on "Amazon Linux 2023, Amazon Linux 2;
# Ubuntu; RHEL 8, 9; CentOS 9".
@pytest.mark.parametrize(
    ("system", "version", "supported"),
    [
        ("Amazon Linux", "2023", True),
        ("Amazon Linux", "2", True),
        ("Amazon Linux AMI", "2018.03", False),
        ("Ubuntu", "24.04", True),
        ("Ubuntu", "26.04", True),
        ("Red Hat Enterprise Linux Server", "7.9", False),
        ("Red Hat Enterprise Linux", "8.10", True),
        ("Red Hat Enterprise Linux", "9.4", True),
        ("Red Hat Enterprise Linux", "10.0", False),
        ("CentOS Linux", "7.6.2004", False),
        ("CentOS Stream", "9", True),
        ("Fedora Linux", "41", False),
        ("Debian GNU/Linux", "13", False),
        ("Rocky Linux", "9.5", False),
    ],
)
def test_a_blackhole_needs_a_system_that_aws_supports(
    system: str, version: str, supported: bool
) -> None:
    reasons = found(plans.BLACKHOLE, system=system, system_version=version)
    assert [f"runs {system} {version}, on which" in each for each in reasons] == [True] * (
        not supported
    )


def test_a_stop_needs_no_supported_system() -> None:
    assert found(plans.SHUTDOWN, system="Debian GNU/Linux", system_version="13") == []


def test_a_key_that_can_not_be_described_counts_as_one_of_the_customer() -> None:
    with account(plans.SHUTDOWN, Script(volume_keys=(EBS_KEY,))) as made:
        made.service.errors["DescribeKey"] = ["AccessDeniedException"]
        (reason,) = refusals(plans.SHUTDOWN, inspect(plans.SHUTDOWN, "arn", made.context))
    assert "which volume_keys does not name" in reason


@pytest.mark.parametrize(
    ("blackout", "day"),
    [
        ("2026-11-03", "2026-11-03"),
        ("2026-11-01/2026-11-03", "2026-11-03"),
        ("2026-11-03/2026-11-30", "2026-11-03"),
        ("2026-11-02", ""),
        ("2026-11-04/2026-11-05", ""),
    ],
)
def test_no_run_starts_on_a_blackout_date_of_its_time_zone(blackout: str, day: str) -> None:
    reasons = [f"{day} is excluded by blackout_dates"] if day else []
    assert found(replace(plans.SHUTDOWN, blackout=("2025-01-01", blackout))) == reasons


def test_no_run_starts_while_a_change_calendar_is_closed() -> None:
    plan = replace(plans.SHUTDOWN, change_calendars=("arn:open", "arn:freeze"))
    assert found(plan) == []
    closed = found(plan, calendars_closed=("arn:freeze",))
    assert closed == ["change calendar arn:freeze is closed"]


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_no_run_starts_while_the_failover_is_deployed(status: str) -> None:
    reasons = found(plans.SHUTDOWN, stack_status=status)
    assert reasons == [f"a deployment runs: stack bookstore-production-failover is in {status}"]
    assert found(replace(plans.SHUTDOWN, stack=""), stack_status=status) == []


def test_a_deployment_that_begins_after_the_preflight_keeps_the_fault_from_being_injected() -> None:
    with account() as made:
        script = made.service.script
        made.before_phase(
            states.STEADY_STATE, lambda: setattr(script, "stack_status", "UPDATE_IN_PROGRESS")
        )
        verdict = ran(made)
        assert made.service.experiments == []
    assert verdict["status"] == "aborted"
    assert "a deployment runs: stack bookstore-production-failover" in verdict["message"]


def ran(made: Account) -> Mapping[str, Any]:
    """The verdict of a run."""
    made.run()
    found: Mapping[str, Any] = made.journal()["verdict"]
    return found


def test_a_run_whose_calendar_can_not_be_read_injects_nothing() -> None:
    plan = replace(plans.SHUTDOWN, change_calendars=("arn:freeze",), sample_seconds=20)
    with account(plan) as made:
        made.service.errors["GetCalendarState"] = ["AccessDeniedException"] * 99
        assert ran(made)["status"] == "aborted"
        assert made.service.experiments == []


@pytest.mark.slow
def test_a_run_announces_itself_waits_and_checks_everything_again() -> None:
    plan = replace(plans.SHUTDOWN, notice_seconds=1, sample_seconds=20, call_seconds=200)
    with account(plan) as made:
        assert ran(made)["status"] == "passed"
        announced, verdict = made.messages()
        names = [each["name"] for each in made.journal()["phases"]]
    assert sorted(names[:2]) == ["announce", "preflight"]  # at the same moment here
    assert names[2:4] == ["preflight again", "steady state"]
    assert announced["Subject"] == "IN 0 MIN: drill shutdown of bookstore in production"
    lines = announced["Message"].splitlines()
    assert lines[0] == (
        "At 2026-11-03 18:00 UTC drill shutdown of bookstore in production stops "
        "bookstore-api-blue, for up to 10 min."
    )
    for command in ("stop-execution", "fis stop-experiment", "fis update-safety-lever-state"):
        assert any(command in line for line in lines), command
    assert verdict["Message"].startswith("PASSED")


@pytest.mark.slow
def test_an_alarm_that_fires_after_the_announcement_refuses_the_run() -> None:
    plan = replace(plans.SHUTDOWN, notice_seconds=1)
    with account(plan) as made:
        on = (plans.DB_ALARM,)
        made.before_phase(
            states.PREFLIGHT_AGAIN, lambda: setattr(made.service.script, "alarms_on", on)
        )
        assert f"{plans.DB_ALARM} is already in ALARM" in ran(made)["message"]
        assert made.service.experiments == []


@pytest.mark.slow
def test_the_first_run_with_a_fault_names_who_approved_it() -> None:
    plan = replace(plans.SHUTDOWN, drill="never-run", sample_seconds=20, call_seconds=200)
    with account(plan) as made:
        made.client("s3").delete_object(Bucket=plans.BUCKET, Key="live/never-run.json")
        refused = ran(made)
        assert "the first run with a fault needs an approval" in refused["message"]
        approval = {
            "approved_by": "arn:aws:iam::123456789012:user/ops",
            "approved_at": "2026-11-03T17:00:00.000Z",
            "expires_at": "2026-11-10T17:00:00.000Z",
        }
        made.put("approvals/never-run/1.json", json.dumps(approval))
        made.run("run-2")
        assert made.journal("run-2")["verdict"]["status"] == "passed"
        assert made.journal("run-2")["phases"][0]["outcome"] == (
            f"{PASSED}; first run with a fault, approved by "
            "arn:aws:iam::123456789012:user/ops until 2026-11-10T17:00:00.000Z"
        )
        assert "live/never-run.json" in made.objects()
