"""`resiliency drill preview`."""

import io
import json
from dataclasses import replace

import pytest

from resiliency.drill_cli import dispatch
from staged_resiliency.drills.runtime import lock
from staged_resiliency.drills.runtime.fault_settings import GremlinAttack
from staged_resiliency.drills.runtime.network import name_in
from staged_resiliency.drills.runtime.store import live_key
from staged_resiliency.experiment.expectations import AlarmFires, ClientsStay
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.account import Parameters
from tests.fake_aws.origin import FORMER, OriginService
from tests.fake_aws.simulation import ApiError
from tests.resiliency.conftest import Printed
from tests.resiliency.drill_cli.conftest import Drill

_ALARM = (AlarmFires(plans.DB_ALARM, 240),)


def test_a_preview_shows_everything_that_a_shutdown_depends_on(drill: Drill) -> None:
    out = drill("preview", "shutdown").text
    for expected in (
        "stops bookstore-api-blue (active) for 10 min",
        f"{plans.INSTANCE}: running",
        f"aws:ec2:stop-instances on arn:aws:ec2:us-west-2:123456789012:instance/{plans.INSTANCE}",
        "Serving now bookstore-api-blue (at 54.213.54.171)",
        "Asked /version/ by http on port 80; 'environment' in its JSON answer shows the host",
        "Objective 6 min",
        "TUE 09:00 to 17:00 America/Los_Angeles",
        "about 1.00 US dollars",
        f"clients of {plans.RECORD} reach bookstore-api-green, within 360 s of the fault",
        "The failover-time model says 160 to 380 s, 95 % of outages up to 335 s.",
        f"OK {plans.STATUS_ALARM} must fire",
        f"OK {plans.GUARD_ALARM} guard: stops the drill",
        f"OK {plans.DB_ALARM} may fire",
        f"OK {plans.GREEN}-db-connectivity-failed must stay quiet",
        "aws fis stop-experiment --id EXPERIMENT_ID --region us-west-2",
        f"aws ec2 start-instances --instance-ids {plans.INSTANCE} --region us-west-2",
        "It would start now, as far as this computer can check.",
    ):
        assert expected in out, expected


def test_a_drill_with_gremlin_shows_its_attack_and_reads_no_key(drill: Drill) -> None:
    args = ("-l", "300", "-h", "^api.gremlin.com,db.example.com", "-p", "^53")
    attack = GremlinAttack("team-1", "arn:secret", "blackhole", args, {}, {})
    dry = replace(plans.DRY_BLACKHOLE, drill="db-lost", experiment_template_id="")
    drill.aws.deploy(replace(dry, gremlin=attack))
    out = drill("preview", "db-lost").text
    assert (
        "Gremlin blackhole -l 300 -h ^api.gremlin.com,db.example.com -p ^53, team team-1; not asked"
    ) in out
    assert "halt the experiment in Gremlin's web application" in out
    assert "SSM agent" not in out
    assert "fis" not in out
    assert "secretsmanager" not in {service for service, _ in drill.aws.calls}


@pytest.mark.slow
def test_an_origin_that_is_denied_shows_its_distribution_and_how_to_end_it(drill: Drill) -> None:
    s3 = drill.aws.client("s3")
    s3.create_bucket(
        Bucket=plans.ORIGIN_BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    s3.put_bucket_policy(Bucket=plans.ORIGIN_BUCKET, Policy=json.dumps(FORMER))
    drill.aws.service = OriginService(plans.SHUTDOWN)
    drill.aws.deploy(plans.DENY_ORIGIN)
    drill.aws.put(live_key("images-failover"), "{}")
    out = drill("preview", "images-failover").text
    for expected in (
        "denies CloudFront distribution E1PA6795UKMFR9 its origin, the bucket bookstore-images "
        "(images), for up to 10 min",
        f"Target distribution E1PA6795UKMFR9, {plans.PRIMARY}",
        "Injected by a statement in the policy of the bucket bookstore-images",
        f"clients of {plans.IMAGES} reach {plans.SECONDARY}, within 360 s of the fault",
        f"No answer from {plans.PRIMARY} until DNS answers with {plans.SECONDARY}, within 6 min",
        f"They are back on {plans.PRIMARY} some minutes after the fault's end.",
        f"Clients of {plans.RECORD} stay on bookstore-api-blue and are served all the time",
        f"OK {plans.ON_SECONDARY} must fire",
        "aws s3api get-bucket-policy --bucket bookstore-images --query Policy --output text",
        "It would start now, as far as this computer can check.",
    ):
        assert expected in out, expected
    assert " fis " not in out


def test_a_blackhole_that_runs_dry_shows_its_port_and_its_agent(drill: Drill) -> None:
    out = drill("preview", "db-blackhole").text
    assert "drops what bookstore-api-blue (active) sends to" in out
    assert "sends to db.bookstore.pingpublications.com (db) for 5 min" in out
    assert "yes: injects no fault" in out
    assert "SSM agent Online" in out
    assert "Nothing: it is a dry run." in out
    assert "start-instances" not in out


def test_the_pause_after_the_last_drill_is_shown(drill: Drill) -> None:
    last = f"{plans.EXECUTION}-of-another-service"
    assert lock.take(plans.SHUTDOWN, last, drill.aws.context) == ""
    printed = drill("preview", "shutdown")
    assert f"{plans.INSTANCE}: another drill is running: {last}" in (" ".join(printed.out.split()))
    lock.release(plans.SHUTDOWN.instances, last, drill.aws.service.now + 900, drill.aws.context)
    out = drill("preview", "shutdown").text
    assert f"the last drill, {last}, ended only just now; start the next one after 19:45" in out
    drill.aws.service.now += 901
    assert "It would start now" in drill("preview", "shutdown").out


def test_private_hosts_are_asked_from_within_their_vpc(drill: Drill) -> None:
    drill.aws.deploy(replace(plans.IN_VPC, drill="private"))
    assert "Serving now bookstore-api-blue" in drill("preview", "private").text
    assert drill.aws.calls.count(("lambda", "Invoke")) == 2
    failed = {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(b"timed out")}
    drill.aws.answers["lambda", "Invoke"] = lambda _: failed
    error = drill("preview", "private", status=1).err
    assert f"private: the function in the VPC failed: Unhandled: {plans.CLIENT_FUNCTION}" in error


def test_days_calendars_and_the_announcement_are_shown(drill: Drill) -> None:
    calendar = "arn:aws:ssm:us-west-2:123456789012:document/freeze"
    dated = replace(
        plans.SHUTDOWN,
        drill="dated",
        blackout=("2026-11-03", "2026-12-20/2027-01-04"),
        change_calendars=(calendar,),
        notice_seconds=1800,
    )
    drill.aws.deploy(dated)
    drill.aws.service.script.calendars_closed = (calendar,)
    out = drill("preview", "dated").text
    for expected in (
        "Not on 2026-11-03, 2026-12-20/2027-01-04",
        f"Obeys change calendars {calendar}",
        "Announced 30 min before the fault, where a fault is injected",
        "It would not start now: 2026-11-03 is excluded by blackout_dates "
        f"change calendar {calendar} is closed",
    ):
        assert expected in out, expected


def test_a_shutdown_of_the_standby_leaves_clients_where_they_are(drill: Drill) -> None:
    drill.aws.deploy(replace(plans.STANDBY_SHUTDOWN, fault_seconds=5400))
    out = drill("preview", "standby-shutdown").out
    assert "stops bookstore-api-green (standby) for 1 h 30 min" in out
    assert "They stay on bookstore-api-blue and are served all the time." in out


def test_a_blackhole_that_moves_nobody_says_what_fails_meanwhile(drill: Drill) -> None:
    stay = (ClientsStay(plans.RECORD, plans.BLUE), *_ALARM)
    drill.aws.deploy(replace(plans.BLACKHOLE, drill="enabled", hypothesis=stay))
    drill.aws.deploy(replace(plans.BLACKHOLE, drill="unasked", hypothesis=_ALARM))
    out = drill("preview", "enabled").text
    assert "They stay on bookstore-api-blue; what needs db fails there meanwhile." in out
    assert "cancels the fault; the host itself ends it after 5 min at the latest" in out
    assert "The hypothesis has no expectation of clients." in drill("preview", "unasked").out


def test_a_degraded_dependency_is_slower_meanwhile(drill: Drill) -> None:
    drill.aws.deploy(replace(plans.DEGRADE, drill="slow"))
    out = drill("preview", "slow").text
    assert "delays what bookstore-api-blue (active) sends to" in out
    assert "by 300 ms (db) for 5 min" in out
    assert "They stay on bookstore-api-blue and are served all the time" in out
    assert "what needs db is slower there meanwhile." in out
    assert "come within 0.8 s, during the fault" in out


def test_a_database_that_fails_over_is_lost_on_both_hosts_meanwhile(drill: Drill) -> None:
    drill.aws.deploy(plans.RDS_FAILOVER)
    drill.aws.service.script.aim = plans.DATABASE_ARN
    out = drill("preview", "db-failover").text
    for expected in (
        "Fault makes DB instance shop-db fail over (db), which takes up to 2 min as a rule",
        "Target DB instance shop-db: available",
        f"aws:rds:reboot-db-instances on {plans.DATABASE_ARN}",
        f"clients of {plans.RECORD} are served again, within 360 s of the fault",
        "They stay on bookstore-api-blue; what needs db fails on both hosts until it has failed "
        "over. All of them are served again within 6 min.",
        f"OK {plans.GREEN_DB_ALARM} may fire",
        "ends the experiment; a failover that has begun goes on, and can't be undone",
        "about 0.20 US dollars",
        "It would not start now: the first run with a fault needs an approval:",
    ):
        assert expected in out, expected
    drill.aws.service.script.database = {"MultiAZ": False}
    drill.aws.service.script.aim = f"{plans.DATABASE_ARN}-2"
    lost, _, elsewhere = reasons(drill("preview", "db-failover"))
    assert lost.startswith("DB instance shop-db is not Multi-AZ and has no standby")
    assert elsewhere == (
        f"the FIS template targets {plans.DATABASE_ARN}-2, not DB instance shop-db alone"
    )


def test_a_preview_says_what_it_got_of_a_host_that_does_not_name_itself(drill: Drill) -> None:
    answer = b'HTTP/1.1 200 OK\r\n\r\n{"status": "fine"}'
    drill.aws.context = replace(drill.aws.context, ask=lambda *_: name_in(answer, "environment"))
    out = drill("preview", "shutdown").text
    got = """JSON without a name as 'environment': b'{"status": "fine"}'"""
    assert f"Standby {plans.GREEN_ADDRESS}: no answer ({plans.GREEN_ADDRESS}: {got})" in out
    assert f"Serving now no answer ({plans.BLUE_ADDRESS}: {got})" in out
    assert f"the standby {plans.GREEN} does not answer ({plans.GREEN_ADDRESS}: {got})" in out
    assert f"{plans.BLUE} does not serve clients, so a run ends before its fault" in out


def reasons(printed: Printed) -> list[str]:
    """Why the drill would not begin."""
    head, found, rest = printed.out.partition("It would not start now:\n")
    assert found, head
    return [line.strip() for line in rest.splitlines()]


def test_all_reasons_to_refuse_a_run_are_shown_and_nothing_else(drill: Drill) -> None:
    drill.aws.service.script.alarms_on = (plans.DB_ALARM,)
    drill.aws.service.script.alarms_missing = (plans.GUARD_ALARM,)
    drill.aws.service.sleep(8 * 3600)
    other = drill.aws.begin("db-blackhole", "run-1").arn
    assert reasons(drill("preview", "shutdown")) == [
        "outside the allowed window (TUE 09:00 to 17:00 America/Los_Angeles)",
        f"alarm {plans.DB_ALARM} is already in ALARM",
        f"alarm {plans.GUARD_ALARM} does not exist",
        f"drill db-blackhole is running: {other}",
    ]


def test_a_template_that_is_gone_is_a_reason_to_refuse(drill: Drill) -> None:
    drill.aws.refuse("fis", "GetExperimentTemplate", ApiError("ResourceNotFoundException"))
    assert reasons(drill("preview", "shutdown")) == [
        f"FIS has no template {plans.TEMPLATE}; deploy the drills again"
    ]


@cases(
    ("targets", "aim"),
    {
        "nothing": ({}, "nothing"),
        "all with a tag": ({"resourceTags": {"role": "web"}}, "all with the tag role=web"),
        "another host": (
            {"resourceArns": ["arn:aws:ec2:us-west-2:123456789012:instance/i-0"]},
            "arn:aws:ec2:us-west-2:123456789012:instance/i-0",
        ),
    },
)
def test_a_template_with_other_targets_or_without_guards_is_a_reason_to_refuse(
    targets: dict[str, object],
    aim: str,
    drill: Drill,
) -> None:
    def template(_: Parameters) -> dict[str, object]:
        return {
            "experimentTemplate": {
                "targets": {"Host": {"resourceType": "aws:ec2:instance", **targets}},
                "actions": {"Fault": {"actionId": "aws:ec2:stop-instances"}},
                "stopConditions": [{"source": "none"}],
            }
        }

    drill.aws.answers["fis", "GetExperimentTemplate"] = template
    assert reasons(drill("preview", "shutdown")) == [
        f"the FIS template targets {aim}, not bookstore-api-blue alone",
        "no alarm stops the FIS template: deploy the drills again",
    ]


def test_a_name_that_does_not_resolve_is_shown(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = replace(drill.aws.context, resolve=lambda name: ())
    monkeypatch.setattr(dispatch, "local_context", lambda aws: replace(context, aws=aws))
    out = drill("preview", "shutdown").out
    assert f"no answer ({plans.RECORD} can't be resolved)" in out
    assert "the standby bookstore-api-green does not answer" in out
