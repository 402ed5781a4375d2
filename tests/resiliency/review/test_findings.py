"""Each kind of finding, on the smallest stacks that have it."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from resiliency.review.changes import changes_between
from resiliency.review.findings import Level
from resiliency.review.review import review
from resiliency.review.sides import Sides
from tests.resiliency.review.stacks import (
    NOW,
    OUTAGES,
    alarm,
    pair,
    resource,
    reviewed,
    stack,
    texts,
)

TOPIC = "arn:aws:sns:us-west-2:532151327118:pager"


def changed(resources: Mapping[str, Any], logical_id: str, **changes: Any) -> dict[str, Any]:
    """Resources of which one has other properties; None takes a property away."""
    known = resources[logical_id]
    given = {**known["Properties"], **changes}
    kept = {key: value for key, value in given.items() if value is not None}
    return {**resources, logical_id: {**known, "Properties": kept}}


def configured(resources: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Resources of which the health check has another configuration."""
    config = resources["Check"]["Properties"]["HealthCheckConfig"]
    return changed(resources, "Check", HealthCheckConfig={**config, **changes})


def without(resources: Mapping[str, Any], *logical_ids: str) -> dict[str, Any]:
    """Resources without some of them."""
    return {key: each for key, each in resources.items() if key not in logical_ids}


# Clients


def test_a_record_that_goes_leaves_its_name_without_an_answer() -> None:
    found = reviewed(pair(), without(pair(), "Primary", "Secondary"))
    assert texts(found, "clients") == [
        "danger site.example.com A has no answer any more in zone Z1"
    ]


def test_another_identifier_is_another_record() -> None:
    found = reviewed(pair(), changed(pair(), "Primary", SetIdentifier="other"))
    assert texts(found, "clients")[0] == (
        "danger a record of site.example.com A is deleted, and another one is created"
    )


def test_another_zone_leaves_the_former_one_without_an_answer() -> None:
    found = reviewed(pair(), pair(HostedZoneId="Z2"))
    assert "danger site.example.com A has no answer any more in zone Z1" in texts(found, "clients")
    (replaced,) = texts(found, "names")
    assert replaced.startswith("danger RecordSets site.example.com. and site.example.com. are repl")


def test_a_signal_without_data_sends_clients_to_the_standby() -> None:
    before = {**pair(), "Alarm": alarm(Namespace="Former")}
    after = {**pair(), "New": pair()["Check"]}
    after = changed(without(after, "Check"), "Primary", HealthCheckId={"Ref": "New"})
    found = texts(reviewed(before, after), "clients")
    assert found[0] == (
        "danger down decides the failover of site.example.com, and its metric Site "
        "db-connectivity site-blue has no data yet, which counts as unhealthy: clients are sent to "
        "the standby until the metric has data"
    )
    assert "no longer publishes it" in found[1]


def test_a_signal_that_is_healthy_without_data_protects_nobody_until_it_has_data() -> None:
    healthy = {"InsufficientDataHealthStatus": "Healthy"}
    before = configured({**pair(), "Alarm": alarm(Namespace="Former")}, **healthy)
    after = configured(pair(), **healthy)
    (found,) = [each for each in texts(reviewed(before, after), "clients") if "no data" in each]
    assert found.startswith("warning down decides")
    assert found.endswith("its failures move no clients until the metric has data")


def test_a_new_pair_without_data_is_a_warning_as_nobody_uses_it_yet() -> None:
    (found,) = texts(reviewed({}, pair()), "clients")
    assert found.startswith("warning down decides the failover of site.example.com")


def test_metrics_of_aws_have_data() -> None:
    after = {**pair(), "Alarm": alarm(Namespace="AWS/EC2")}
    assert texts(reviewed({}, after), "clients") == []


def test_a_pair_without_a_health_check_never_moves_clients() -> None:
    found = reviewed(pair(), changed(pair(), "Primary", HealthCheckId=None))
    assert texts(found, "clients") == [
        "danger site.example.com A has no health check any more: no failure moves clients to the "
        "standby"
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"Disabled": True}, "db-connectivity decides by another rule: disabled"),
        ({"Inverted": True}, "db-connectivity decides by another rule: inverted"),
        (
            {"InsufficientDataHealthStatus": "Healthy"},
            "db-connectivity decides by another rule: without data Unhealthy → Healthy",
        ),
    ],
)
def test_another_configuration_of_a_health_check_is_another_rule(
    changes: Mapping[str, Any], text: str
) -> None:
    assert texts(reviewed(pair(), configured(pair(), **changes)), "clients") == [f"warning {text}"]


def test_a_health_check_keeps_the_former_rule_of_an_alarm() -> None:
    found = reviewed(pair(), {**pair(), "Alarm": alarm(Threshold=0.5)})
    assert (
        "danger the health check Check keeps the former rule of down (threshold 1.0 → 0.5): "
        "Route 53 read it when the health check was made"
    ) in texts(found, "clients")


def test_a_health_check_that_is_updated_reads_the_rule_again() -> None:
    after = configured({**pair(), "Alarm": alarm(Threshold=0.5)}, Inverted=False)
    assert "keeps" not in " ".join(texts(reviewed(pair(), after), "clients"))


def test_exchanged_hosts_and_another_standby_differ() -> None:
    swapped = changed(pair(), "Primary", ResourceRecords=["192.0.2.2"])
    swapped = changed(swapped, "Secondary", ResourceRecords=["192.0.2.1"])
    assert texts(reviewed(pair(), swapped), "clients") == [
        "warning clients of site.example.com A are sent to 192.0.2.2 in place of 192.0.2.1 (the "
        "hosts exchange their roles): within 60 s, where resolvers honor the TTL"
    ]
    moved = changed(pair(), "Secondary", ResourceRecords=["192.0.2.9"])
    assert texts(reviewed(pair(), moved), "clients") == [
        "note the standby of site.example.com A is 192.0.2.9"
    ]


def endpoint(**changes: Any) -> dict[str, Any]:
    """A pair that an endpoint decides."""
    config = {"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80, **changes}
    return changed(pair(), "Check", HealthCheckConfig=config)


def test_an_endpoint_is_checked_by_another_rule() -> None:
    found = texts(reviewed(endpoint(), endpoint(FailureThreshold=5)), "clients")
    assert found == ["warning the endpoint decides by another rule: failure threshold 3 → 5"]


def test_other_signals_that_decide_are_named() -> None:
    assert texts(reviewed(pair(), endpoint()), "clients") == [
        "warning db-connectivity no longer decides the failover of site.example.com: it moves no "
        "clients",
        "warning the endpoint decides the failover of site.example.com too: its failure moves all "
        "clients",
    ]


def test_more_healthy_signals_may_be_needed() -> None:
    def calculated(threshold: int) -> dict[str, Any]:
        config = {
            "Type": "CALCULATED",
            "ChildHealthChecks": [{"Ref": "Check"}],
            "HealthThreshold": threshold,
        }
        return {
            **pair(check="All"),
            "All": resource("Route53::HealthCheck", HealthCheckConfig=config),
        }

    assert texts(reviewed(calculated(1), calculated(0)), "clients") == [
        "warning of 1 healthy signals, 0 must be healthy where 1 had to be before"
    ]


def test_a_failover_that_cant_be_followed_is_said() -> None:
    unknown = changed(pair(), "Primary", HealthCheckId="0123-4567")
    found = texts(reviewed(unknown, pair()), "clients")
    assert found[0].startswith("warning the failover can't be followed before the change: site: ")


# Names


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
    sides = Sides([before], [after], changes_between([before], [after]), NOW)
    assert texts(review(sides, outages=OUTAGES), "names") == [
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


# Permissions


def policy(*statements: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"P": resource("IAM::ManagedPolicy", PolicyDocument=document, **more)}


ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["a", "b"]}


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


# Protection


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            {"A": alarm("a"), "B": alarm("b", MetricName="other")},
            {},
            ["warning Alarms a and b are removed, and nothing else watches the metric"],
        ),
        (
            {"A": alarm("a")},
            {"B": alarm("b")},
            ["note Alarm a is removed; another alarm watches the metric"],
        ),
        (
            {"A": alarm("a"), "B": alarm("b")},
            {"A": alarm("a", AlarmActions=["new"]), "B": alarm("b", AlarmActions=["new"])},
            [f"warning Alarms a and b no longer notify {TOPIC}, but new"],
        ),
        (
            {"A": alarm("a", OKActions=[TOPIC])},
            {"A": alarm("a")},
            [f"warning Alarm a no longer notifies {TOPIC} of recovery"],
        ),
        (
            {"A": alarm("a")},
            {"A": alarm("a", ActionsEnabled=False)},
            ["warning Alarm a no longer notifies anybody (ActionsEnabled false)"],
        ),
        ({"A": alarm("a")}, {"A": alarm("a", AlarmActions=[TOPIC, "more"])}, []),
        (
            {"A": alarm("a")},
            {"A": alarm("a", TreatMissingData="ignore")},
            ["warning Alarm a no longer fires when its data is missing"],
        ),
        (
            {"S": resource("SNS::Subscription", {"DeletionPolicy": "Retain"}, Endpoint="ops@x")},
            {},
            [
                "warning ops@x is no longer subscribed by the stack; SNS keeps the subscription "
                "(Retain)"
            ],
        ),
        (
            {"T": resource("SNS::Topic", TopicName="pager")},
            {},
            ["warning Topic pager is removed, with its subscriptions"],
        ),
        (
            {"R": resource("Events::Rule", State="ENABLED", Description="Ends faults.")},
            {"R": resource("Events::Rule", State="DISABLED", Description="Ends faults.")},
            ["warning Rule R is disabled: Ends faults."],
        ),
        (
            {"S": resource("Scheduler::Schedule", Name="daily")},
            {},
            ["warning Schedule daily is removed: S"],
        ),
    ],
)
def test_protection_goes_away(
    before: Mapping[str, Any], after: Mapping[str, Any], expected: list[str]
) -> None:
    assert texts(reviewed(before, after), "protection") == expected


def fault(*alarms: str) -> Any:
    """An experiment template with stop conditions."""
    arn = "arn:aws:cloudwatch:us-west-2:532151327118:alarm:"
    conditions = [{"Source": "aws:cloudwatch:alarm", "Value": arn + each} for each in alarms]
    return resource("FIS::ExperimentTemplate", StopConditions=conditions, Tags={"Name": "drill"})


def test_a_drill_without_one_of_its_stop_conditions() -> None:
    found = reviewed({"F": fault("one", "two")}, {"F": fault("two", "three")})
    assert texts(found, "protection") == ["warning one no longer stops drill, but three"]


# Hosts


def association(**changes: Any) -> dict[str, Any]:
    """An association that installs a probe on two hosts."""
    configuration = {"namespace": "Site", "targets": [{"metric": "db-connectivity", "port": 1}]}
    encoded = base64.b64encode(json.dumps(configuration).encode()).decode()
    given = {
        "AssociationName": "probe",
        "Name": {"Ref": "Document"},
        "Parameters": {"Action": ["Install"], "Configuration": [encoded]},
        "Targets": [{"Key": "tag:Name", "Values": ["site-blue", "site-green"]}],
        "MaxConcurrency": "1",
        "MaxErrors": "0",
        **changes,
    }
    return {"Association": resource("SSM::Association", **given)}


ORDER = "one after the other, in an order that Systems Manager chooses, until one fails"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"MaxConcurrency": "50%", "MaxErrors": "2"},
            "on site-blue and site-green: 50% at a time, in an order that Systems Manager chooses, "
            "until more than 2 have failed; changed: MaxConcurrency 1 → 50%, MaxErrors 0 → 2",
        ),
        (
            {"Targets": [{"Key": "tag:Name", "Values": ["site-green"]}]},
            f"on site-green: {ORDER}; no longer among its hosts: site-blue, where what is "
            "installed stays as it is",
        ),
        (
            {"Parameters": {"Action": ["Uninstall"], "Configuration": ["not base64!"]}},
            f"on site-blue and site-green: {ORDER}; changed: Action Install → Uninstall, "
            "namespace Site → absent, db-connectivity port 1 → absent, Configuration absent → not "
            "base64!",
        ),
        ({"Name": "other"}, f"on site-blue and site-green: {ORDER}; changed: the document"),
        ({"Targets": None}, f"on hosts that its template does not name: {ORDER}; no longer among "
         "its hosts: site-blue and site-green, where what is installed stays as it is"),
    ],
)  # fmt: skip
def test_an_association_runs_its_document_on_hosts(
    changes: Mapping[str, Any], expected: str
) -> None:
    after = changed(association(), "Association", **changes)
    assert texts(reviewed(association(), after), "hosts") == [
        f"warning Association probe runs its document at once {expected}"
    ]


def test_a_removed_association_leaves_what_it_installed() -> None:
    assert texts(reviewed(association(), {}), "hosts") == [
        "warning Association probe is removed: what it installed stays on site-blue and site-green "
        "as it is, and is no longer repaired"
    ]


def test_another_document_is_explained_by_the_association_that_runs_it() -> None:
    def of(text: str) -> dict[str, Any]:
        content = {"Content": {"description": text}, "UpdateMethod": "NewVersion"}
        return {**association(MaxErrors=text), "Document": resource("SSM::Document", **content)}

    found = reviewed(of("1"), of("2"))
    assert [each.resources for each in found.findings if each.topic.value == "hosts"] == [
        ("Association", "Document")
    ]
    assert texts(found, "rest") == []


def test_metadata_of_an_association_runs_nothing() -> None:
    after = {"Association": {**association()["Association"], "Metadata": {"a": 1}}}
    assert texts(reviewed(association(), after), "hosts") == []


# Time and cost


def test_an_objective_that_a_change_misses_is_a_danger() -> None:
    before, after = stack(pair()), stack(pair(TTL="3600"))
    after = replace(after, template={**after.template, "Metadata": {"RecoveryTimeSeconds": 600}})
    sides = [before], [after]
    found = review(Sides(*sides, changes_between(*sides), NOW), outages=OUTAGES)
    dangers = [each for each in found.findings if each.level is Level.DANGER]
    assert dangers
    assert all("which misses the objective of 600 s" in each.text for each in dangers)


def test_a_fault_after_which_clients_no_longer_move_is_a_danger() -> None:
    found = texts(reviewed(pair(), configured(pair(), Disabled=True)), "time")
    assert any(each.startswith("danger") and "clients no longer move" in each for each in found)


def test_an_alarm_on_failovers_follows_the_former_health_check_for_a_while() -> None:
    def of(check: str) -> dict[str, Any]:
        dimensions = [{"Name": "HealthCheckId", "Value": check}]
        return {"A": alarm("standby", Namespace="AWS/Route53", Dimensions=dimensions)}

    (found,) = texts(reviewed(of("one"), of("two")), "protection")
    assert found.startswith("warning Alarm standby watches the former health check until this")


def test_what_a_month_costs_more() -> None:
    assert texts(reviewed({}, {"A": alarm("a")}), "cost") == [
        "note +0.40 US dollars a month at list prices, 0.40 in all (alarms +0.10, custom metrics "
        "of probes, and one of all drills of a service +0.30)"
    ]
    assert texts(reviewed({"A": alarm("a")}, {"A": alarm("b")}), "cost") == []


# Messages


def test_a_new_subscriber_gets_an_email() -> None:
    mail = {"S": resource("SNS::Subscription", Protocol="email", Endpoint="ops@example.com")}
    queue = {"Q": resource("SNS::Subscription", Protocol="sqs", Endpoint="arn:aws:sqs:r:a:q")}
    assert texts(reviewed({}, {**mail, **queue}), "messages") == [
        "warning ops@example.com gets an e-mail of SNS, and no alarm until its link is followed"
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["warning until the metric has data, people are notified of Alarm new"]),
        ({"TreatMissingData": "ignore"}, []),
        ({"WarmUpConfiguration": {}}, []),
        ({"Namespace": "AWS/EC2"}, []),
        ({"ActionsEnabled": False}, []),
        ({"AlarmActions": []}, []),
        (
            {"OKActions": [TOPIC], "TreatMissingData": "ignore"},
            ["note once created, people are notified of the OK of Alarm new"],
        ),
    ],
)
def test_a_new_alarm_fires_until_its_metric_has_data(
    changes: Mapping[str, Any], expected: list[str]
) -> None:
    new = alarm("new", MetricName="probe-heartbeat", **changes)
    assert texts(reviewed(pair(), {**pair(), "New": new}), "messages") == expected


# Drills


def machine(
    *, enabled: bool = False, instance: str = "i-1", guards: list[str] | None = None
) -> Any:
    """A drill's state machine."""
    plan = {
        "drill": "shutdown",
        "enabled": enabled,
        "target": "site-blue",
        "active": {"name": "site-blue", "instance_id": instance},
        "standby": {"name": "site-green", "instance_id": "i-2"},
        "guard_alarms": guards or [],
    }
    definition = {"States": {"Plan": {"Result": {"plan": plan}}}, "TimeoutSeconds": 3600}
    return resource(
        "StepFunctions::StateMachine",
        StateMachineName="drill",
        DefinitionString={"Fn::Join": ["", [json.dumps(definition)]]},
    )


def drill(given: Any, **schedule: Any) -> dict[str, Any]:
    """A drill with its schedule: the first Tuesday of a month, at 10:00."""
    arn = {"Fn::GetAtt": ["Machine", "Arn"]}
    return {
        "Machine": given,
        "Schedule": resource(
            "Scheduler::Schedule",
            **{
                "ScheduleExpression": "cron(0 10 ? * TUE#1 *)",
                "Target": {"Input": {"Fn::Join": ["", ["{", arn, "}"]]}},
                **schedule,
            },
        ),
    }


BY_HAND = "note a drill may also have been started by hand, which templates do not show"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-26T12:00", ["note next runs: shutdown 2026-12-01 10:00 UTC", BY_HAND]),
        (
            "2026-11-30T12:00",
            [
                "warning the drill shutdown starts at 2026-12-01 10:00 UTC: an update may end its "
                "fault",
                BY_HAND,
            ],
        ),
        (
            "2026-12-01T10:59",
            [
                "warning the drill shutdown may still run: it started at 2026-12-01 10:00 UTC: an "
                "update may end its fault",
                BY_HAND,
            ],
        ),
        ("2026-12-01T11:01", ["note next runs: shutdown 2027-01-05 10:00 UTC", BY_HAND]),
    ],
)
def test_a_drill_may_run_while_its_stack_is_updated(now: str, expected: list[str]) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=timezone.utc)
    found = reviewed(drill(machine()), drill(machine(guards=["a"])), now=at)
    assert texts(found, "drills") == expected


def test_a_drill_that_runs_is_a_danger() -> None:
    sides = drill(machine()), drill(machine(guards=["a"]))
    found = reviewed(*sides, running={("site", "Machine"): "run-1"})
    assert texts(found, "drills") == [
        "danger the drill shutdown is running (run-1): an update may end its fault"
    ]
    found = reviewed(*sides, running={})
    assert texts(found, "drills") == ["note next runs: shutdown 2026-12-01 10:00 UTC"]


def test_a_drill_that_runs_while_other_stacks_change_is_a_warning() -> None:
    drills = [stack(drill(machine()), "drills")]
    before, after = ([stack({"A": alarm(each)}), *drills] for each in ("a", "b"))
    running = {("drills", "Machine"): "run-1"}
    sides = Sides(before, after, changes_between(before, after), NOW, running)
    assert texts(review(sides, outages=OUTAGES), "drills") == [
        "warning the drill shutdown is running (run-1): its verdict is about the update too"
    ]


def test_drills_without_a_schedule_that_can_be_read_only_run_by_hand() -> None:
    for schedule in (
        {"State": "DISABLED"},
        {"ScheduleExpressionTimezone": "nowhere"},
        {"Target": {"Input": "another machine"}},
    ):
        sides = (drill(each, **schedule) for each in (machine(), machine(guards=["a"])))
        assert texts(reviewed(*sides), "drills") == [BY_HAND]


def test_a_new_drills_stack_interrupts_no_drill() -> None:
    assert texts(reviewed({}, drill(machine())), "drills") == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (
            machine(enabled=True),
            "warning the drill shutdown is enabled: it injects its fault from the next run on",
        ),
        (
            machine(instance="i-9"),
            "warning the drill shutdown breaks site-blue i-9 in place of site-blue i-1",
        ),
    ],
)
def test_a_drill_breaks_something_else(after: Any, expected: str) -> None:
    assert expected in texts(reviewed(drill(machine()), drill(after)), "drills")


def test_a_drill_without_one_of_its_guards() -> None:
    found = reviewed(drill(machine(guards=["a", "b"])), drill(machine(guards=["b"])))
    assert texts(found, "protection") == ["warning a no longer stops drill"]


def test_a_removed_drill_no_longer_runs() -> None:
    found = texts(reviewed(drill(machine()), {}), "protection")
    assert found[0] == "warning StateMachine drill is removed: the drill no longer runs"


# The rest


def test_the_rest_is_short() -> None:
    before = {
        "A": alarm("a"),
        "B": resource("KMS::Key", Description="one"),
        "D": resource("S3::Bucket", {"DeletionPolicy": "Retain"}),
    }
    after = {
        "A": alarm(
            "a", AlarmDescription="b", Threshold=2, Period=120, Unit="Count", Statistic="Sum"
        ),
        "B": resource("KMS::Key", Description="two"),
        "C": resource("KMS::Key"),
    }
    assert texts(reviewed(before, after), "rest") == [
        "note modify Alarm a (Statistic, Threshold, Period, AlarmDescription...), Key B "
        "(Description)",
        "note add Key C",
        "note remove Bucket D (stays in the account: Retain)",
    ]


def test_stacks_that_are_left_stay_deployed() -> None:
    before, after = [stack({"A": alarm()}, "old")], [stack({"K": resource("KMS::Key")}, "new")]
    found = review(Sides(before, after, changes_between(before, after), NOW), outages=OUTAGES)
    assert texts(found, "rest")[0] == (
        "warning not among the later stacks, so that they stay deployed as they are: old"
    )


def test_equal_sides_have_no_findings() -> None:
    found = reviewed(pair(), pair())
    assert (list(found.findings), list(found.changes)) == ([], [])
