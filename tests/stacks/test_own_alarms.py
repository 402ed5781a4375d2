"""Alarms on any metric, from a service file: what they watch, decide, and stop."""

from typing import Any

import pytest

from resiliency.service_file.mapping import guards_of, hypothesis_of
from resiliency.service_file.model.service import Environment
from staged_resiliency.experiment.expectations import AlarmQuiet, ClientsMove
from tests.support import Data, Template, example, resources_of, synthesize

BLUE, GREEN = "bookstore-api-blue", "bookstore-api-green"
ONCE = "bookstore.pingpublications.com-queue"
ERRORS = {
    "label": "Too many errors",
    "metric": {"namespace": "Shop", "name": "errors", "dimensions": {"Host": "{host}"}},
    "statistic": "Sum",
    "at_least": 5,
}
BUSY = {
    "label": "Busy",
    "metric": {
        "namespace": "AWS/EC2",
        "name": "CPUUtilization",
        "dimensions": {"InstanceId": "{instance_id}"},
    },
    "statistic": "p99.9",
    "at_least": 90,
    "evaluation_periods": 5,
    "datapoints_to_alarm": 3,
    "missing_data": "not_breaching",
}
QUEUE = {
    "label": "Orders wait",
    "metric": {
        "namespace": "AWS/SQS",
        "name": "ApproximateAgeOfOldestMessage",
        "dimensions": {"QueueName": "orders"},
    },
    "below": 1,
}


def with_alarms(env: Data, **more: Any) -> None:
    env["hosts"]["green"]["instance_id"] = "i-0123456789abcdef0"
    env["alarms"] = {"errors": {**ERRORS, **more}, "busy": BUSY, "queue": {**QUEUE, **more}}


def deciding(env: Data) -> None:
    with_alarms(env)
    env["failover_on"] = ["status", "errors"]


@pytest.fixture(scope="module")
def failover() -> Template:
    return synthesize([example(deciding)])["bookstore-production-failover"]


def own(template: Template) -> dict[str, Data]:
    """The alarms that the service file has, by name."""
    alarms = [
        each["Properties"] for each in resources_of(template, "AWS::CloudWatch::Alarm").values()
    ]
    names = ("-errors", "-busy", "-queue")
    return {each["AlarmName"]: each for each in alarms if each["AlarmName"].endswith(names)}


@pytest.mark.slow
def test_an_alarm_is_made_for_each_host_whose_placeholder_it_has_or_once(
    failover: Template,
) -> None:
    dimensions = {
        name: [(each["Name"], each["Value"]) for each in alarm["Dimensions"]]
        for name, alarm in own(failover).items()
    }
    assert dimensions == {
        f"{BLUE}-errors": [("Host", BLUE)],
        f"{GREEN}-errors": [("Host", GREEN)],
        f"{BLUE}-busy": [("InstanceId", "i-0ab55a49288f1da24")],
        f"{GREEN}-busy": [("InstanceId", "i-0123456789abcdef0")],
        ONCE: [("QueueName", "orders")],
    }


@pytest.mark.slow
def test_an_alarm_is_what_the_file_asks_for(failover: Template) -> None:
    alarms = own(failover)
    errors, busy, queue = alarms[f"{BLUE}-errors"], alarms[f"{BLUE}-busy"], alarms[ONCE]
    assert errors["AlarmDescription"] == "Too many errors: Bookstore API (Blue)."
    assert queue["AlarmDescription"] == "Orders wait: Bookstore API."
    assert (errors["Statistic"], errors["Threshold"], errors["EvaluationPeriods"]) == ("Sum", 5, 2)
    assert errors["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert queue["ComparisonOperator"] == "LessThanThreshold"
    assert (busy["ExtendedStatistic"], busy.get("Statistic")) == ("p99.9", None)
    assert (busy["DatapointsToAlarm"], busy["EvaluationPeriods"]) == (3, 5)
    assert busy["TreatMissingData"] == "notBreaching"
    assert busy["AlarmActions"] == errors["AlarmActions"] == queue["AlarmActions"]


@pytest.mark.slow
def test_an_alarm_whose_statistic_changes_stays_the_same_resource() -> None:
    def average(env: Data) -> None:
        with_alarms(env)
        env["alarms"]["busy"] = {**BUSY, "statistic": "Average"}

    found = [
        {
            alarm["Properties"]["AlarmName"]: logical_id
            for logical_id, alarm in resources_of(
                synthesize([example(edit)])["bookstore-production-failover"],
                "AWS::CloudWatch::Alarm",
            ).items()
        }
        for edit in (with_alarms, average)
    ]
    assert found[0] == found[1]


@pytest.mark.slow
def test_an_alarm_of_each_host_may_decide_the_failover(failover: Template) -> None:
    checks = [
        each["Properties"]["HealthCheckConfig"]
        for each in resources_of(failover, "AWS::Route53::HealthCheck").values()
    ]
    followed = [each["AlarmIdentifier"]["Name"] for each in checks if "AlarmIdentifier" in each]
    assert followed == [f"{BLUE}-StatusCheckFailed", f"{BLUE}-errors"]


@pytest.mark.slow
def test_outputs_and_dashboard_name_the_alarms() -> None:
    template = synthesize([example(with_alarms, whole=True)])["bookstore-production-failover"]
    listed = template["Outputs"]["AlarmNames"]["Value"].split(",")
    assert {f"{BLUE}-errors", f"{GREEN}-busy", ONCE} <= set(listed)
    dashboards = resources_of(template, "AWS::CloudWatch::Dashboard")
    assert all(f"alarm:{ONCE}" in str(each) for each in dashboards.values())
    assert dashboards


def drilled(edit: Any) -> Environment:
    return example(edit, whole=True).environments["production"]


def quiet_in(environment: Environment, drill: str) -> set[str]:
    assert environment.drills is not None
    found = hypothesis_of(environment, environment.drills.by_name[drill])
    return {each.alarm for each in found if isinstance(each, AlarmQuiet)}


def test_an_alarm_must_stay_quiet_in_drills_but_on_the_host_that_stops() -> None:
    environment = drilled(with_alarms)
    names = {f"{host}-{name}" for host in (BLUE, GREEN) for name in ("errors", "busy")} | {ONCE}
    assert names <= quiet_in(environment, "db-blackhole")
    assert quiet_in(environment, "shutdown") & names == {f"{GREEN}-errors", f"{GREEN}-busy", ONCE}


def test_what_a_host_without_the_port_of_cloudwatch_publishes_is_not_judged() -> None:
    def edit(env: Data) -> None:
        with_alarms(env)
        env["dependencies"]["cdn"]["port"] = 443
        env["drills"]["cdn-blackhole"].update(scope="port", duration_minutes=12)

    quiet = quiet_in(drilled(edit), "cdn-blackhole")
    assert {f"{GREEN}-errors", ONCE} <= quiet
    assert f"{BLUE}-errors" not in quiet


def test_a_guard_stops_drills_of_the_other_host_and_one_of_neither_host_all() -> None:
    environment = drilled(lambda env: with_alarms(env, in_drills="guard"))
    assert environment.drills is not None
    guards = guards_of(environment, environment.drills.by_name["db-blackhole"])
    assert guards == [
        f"{GREEN}-StatusCheckFailed",
        f"{GREEN}-probe-silent",
        f"{GREEN}-errors",
        ONCE,
        f"{GREEN}-db-connectivity-failed",
    ]


@pytest.mark.slow
def test_drills_leave_an_alarm_alone_that_they_are_to_ignore() -> None:
    def edit(env: Data) -> None:
        with_alarms(env, in_drills="ignored")

    templates = synthesize([example(edit, whole=True)])
    drills = str(templates["bookstore-production-drills"])
    assert f"{GREEN}-busy" in drills
    assert f"{GREEN}-errors" not in drills
    assert ONCE not in drills


def test_a_host_that_stops_moves_clients_whatever_else_decides() -> None:
    environment = drilled(deciding)
    assert environment.drills is not None
    found = hypothesis_of(environment, environment.drills.by_name["shutdown"])
    assert isinstance(found[0], ClientsMove)
