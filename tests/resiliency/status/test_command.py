"""`resiliency status`: what it prints, its exit status, what it asks AWS for."""

import json
from pathlib import Path

import pytest

from resiliency.drill_cli.aws import action
from resiliency.errors import UserError
from resiliency.status import command
from resiliency.status.checks import CHECKS
from tests.fake_aws import plans
from tests.fake_aws.simulation import ApiError
from tests.iam_findings import POLICIES, actions_of, findings_above_low
from tests.resiliency.conftest import Resiliency
from tests.resiliency.status.deployment import Deployment
from tests.resiliency.status.test_findings import TABLE
from tests.support import EXAMPLE_FILE, ROOT


def test_where_all_is_well_it_says_so_then_all_that_it_found(
    made: Deployment, status: Resiliency
) -> None:
    out = status().out
    lines = [each.rstrip() for each in out.splitlines()]
    assert lines[:3] == ["bookstore in production, 2026-11-03 19:30:00 UTC", "All is well.", ""]
    assert [each for each in lines if each in CHECKS] == list(CHECKS)
    text = " ".join(out.split())
    for each in (
        "bookstore-api-blue Route 53 answers (A) 54.213.54.171",
        "bookstore-api-blue /version/ at 54.213.54.171 answered",
        "healthy b2c1e5a0-0000-4000-8000-000000000001 on bookstore-api-blue-StatusCheckFailed",
        "OK bookstore-production-clients-on-standby",
        "1 subscribed arn:aws:sns:us-west-2:123456789012:PingPublicationsSNS email",
        "publishes bookstore-api-green last sample 30 s ago",
        "passed shutdown passed 3 d ago; last run on 2026-10-31; next: 2026-12-01 18:00 UTC",
        "db-blackhole never passed; dry runs, which inject no fault",
        "meets bookstore.pingpublications.com A: host stopped 95 of 100 within",
        "not covered bookstore.pingpublications.com A: endpoint dead",
    ):
        assert each in text, each


def test_findings_come_first_each_with_what_to_do_in_sixty_columns(
    made: Deployment, status: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    made.beats[plans.BLUE] = None
    made.alarms[plans.DB_ALARM]["StateReason"] = "\x1b[2Jno\nlines"
    made.alarms[plans.DB_ALARM]["StateValue"] = "ALARM"
    out = status(status=1).out
    assert "\x1b" not in out
    lines = [each.rstrip() for each in out.splitlines()]
    # What to do can be copied in one piece.
    assert all(len(each) <= 60 for each in lines if not each.startswith("  -> "))
    assert lines[1].startswith("! alarms: bookstore-api-blue-db-connectivity-failed")
    assert any(each.startswith("! agents: the probe of bookstore-api-blue") for each in lines)
    assert "  -> on the host: systemctl status, and docs/probe.md" in lines
    assert lines.index("who is served") > lines.index(
        "  -> on the host: systemctl status, and docs/probe.md"
    )


def test_watch_reads_again_until_ctrl_c(
    made: Deployment, status: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = []
    real = made.account.service.sleep

    def pause(seconds: float) -> None:
        real(seconds)
        pauses.append(seconds)
        if len(pauses) == 1:
            made.account.refuse("cloudformation", "DescribeStacks", ApiError("Throttling"))
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(made.account.service, "sleep", pause)
    out = status("--watch").out
    assert pauses == [command.WATCH_SECONDS] * 2
    assert "All is well." in out
    assert "AWS throttles cloudformation:DescribeStacks" in " ".join(out.split())


@pytest.mark.slow
def test_on_a_terminal_the_page_renews_itself(
    made: Deployment,
    status: Resiliency,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    shown = []

    def pause(seconds: float) -> None:
        shown.append(capsys.readouterr().out)
        if len(shown) == 2:
            raise KeyboardInterrupt
        made.account.service.script.dns = (plans.GREEN_ADDRESS,)

    monkeypatch.setattr(made.account.service, "sleep", pause)
    status("--watch", status=1)
    first, second = shown
    assert "All is well." in first
    assert "All is well." not in second
    assert "the standby" in second
    assert "\x1b[2K" in second  # the former page is erased


def test_what_excludes_each_other_is_usage(
    made: Deployment, status: Resiliency, resiliency: Resiliency
) -> None:
    assert status("--watch", "--json", status=2).err.startswith(
        "--watch: redraws its output again and again"
    )
    resiliency("status", "x", "y", "--services", EXAMPLE_FILE, status=2)


@pytest.mark.slow
def test_the_service_file_says_how_hosts_are_asked_where_there_are_no_drills(
    made: Deployment, resiliency: Resiliency, tmp_path: Path
) -> None:
    del made.stacks[made.stack("drills")]
    text = EXAMPLE_FILE.read_text("utf-8").replace('"532151327118"', '"123456789012"')
    file = tmp_path / "bookstore.yaml"
    file.write_text(text.replace("version_path: /version/", "version_path: /who/"))
    printed = resiliency("status", "bookstore", "production", "--services", file)
    path = "/who/" if "version_path: /version/" in text else "/version/"
    assert f"{path} at 54.213.54.171" in printed.out


@pytest.mark.slow
def test_a_copy_or_an_alarm_that_route_53_does_not_return_is_said(
    made: Deployment, status: Resiliency
) -> None:
    del made.checks[made.check]["CloudWatchAlarmConfiguration"]
    (first,) = json.loads(status("--json", status=3).out)["not_asked"]
    assert first == f"health check {made.check}: Route 53 returns no copy of its alarm"
    made.checks[made.check]["HealthCheckConfig"] = {"Type": "CLOUDWATCH_METRIC"}
    (second,) = json.loads(status("--json", status=3).out)["not_asked"]
    assert second == f"health check {made.check}: Route 53 does not return its alarm"


@pytest.mark.slow
def test_credentials_of_another_account_are_refused(
    made: Deployment, resiliency: Resiliency
) -> None:
    words = ["status", "bookstore", "production", "--services", str(EXAMPLE_FILE)]
    assert "the credentials are those of account 123456789012" in resiliency(*words, status=3).err


@pytest.mark.slow
def test_drills_of_another_release_leave_the_rest(
    made: Deployment, status: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(aws: object, location: object) -> None:
        raise UserError("arn: this release can't read its plan")

    monkeypatch.setattr("resiliency.status.deployed.find_stack", unreadable)
    document = json.loads(status("--json", status=3).out)
    assert document["not_asked"] == ["arn: this release can't read its plan"]
    assert document["findings"] == []


@pytest.mark.slow
def test_the_policies_have_exactly_what_is_called(made: Deployment, status: Resiliency) -> None:
    edit, _ = TABLE["an unhealthy endpoint"]
    edit(made)
    status(status=1)
    identity = ("sts", "GetCallerIdentity")  # needs no permission
    called = {action(*each) for each in made.account.calls if each != identity}
    assert called == actions_of("status.json")
    status("--drift", status=1)
    called = {action(*each) for each in made.account.calls if each != identity}
    # AWS asks for the permission on each resource with the call on the stack.
    implied = {"cloudformation:DetectStackResourceDrift"}
    assert called | implied == actions_of("status.json", "status-drift.json")


@pytest.mark.slow
@pytest.mark.parametrize("policy", sorted(POLICIES.glob("*.json")), ids=lambda each: each.name)
def test_the_policies_are_sound(policy: Path) -> None:
    replaced = (
        policy.read_text("utf-8")
        .replace("JOURNAL_BUCKET", "journals")
        .replace("HOSTED_ZONE_ID", "Z2EHK3FAEUNRMI")
        .replace("TOPIC_NAME", "alarms")
    )
    assert findings_above_low(json.loads(replaced)) == []


@pytest.mark.slow
def test_the_document_shows_the_commands_own_output(
    made: Deployment, status: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.alarms[plans.STATUS_ALARM]["Threshold"] = 2.0
    monkeypatch.setenv("COLUMNS", "96")
    findings, _, sections = status(status=1).out.partition("\n\n")
    top = [*findings.splitlines(), "", *sections.splitlines()[:4]]
    document = (ROOT / "docs" / "status.md").read_text("utf-8")
    shown = "\n".join(each.rstrip() for each in top)
    assert f"```\n{shown}\n...\n```" in document, shown
