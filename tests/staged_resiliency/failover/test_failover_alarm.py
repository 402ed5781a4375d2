"""The alarm that fires while clients are sent to the standby."""

import json
from pathlib import Path

from aws_cdk import App, Environment, Stack

from resiliency.cloud_assembly import read_assembly
from staged_resiliency import (
    EndpointHealthCheck,
    FailoverAlarm,
    HealthCheck,
    HttpRequest,
)
from tests.staged_resiliency.support import refused
from tests.support import Template, only

TOPIC = "arn:aws:sns:us-east-1:111111111111:ops"


def a_check(stack: Stack, path: str = "/") -> HealthCheck:
    return EndpointHealthCheck(
        stack, "Check", address="52.11.79.8", request=HttpRequest(path=path), label="shop-blue"
    )


def an_alarm(stack: Stack, check: HealthCheck) -> FailoverAlarm:
    return FailoverAlarm(
        stack,
        "Alarm",
        health_check=check,
        alarm_name="shop-clients-on-standby",
        description="Clients of shop.example.com are being sent to shop-green.",
        topic=TOPIC,
    )


def stack_of(app: App, name: str, region: str) -> Stack:
    return Stack(app, name, env=Environment(account="1" * 12, region=region))


def templates(folder: Path, path: str = "/") -> tuple[Template, Template]:
    """The templates of a health check in one region, and of its alarm in us-east-1."""
    app = App(outdir=str(folder))
    an_alarm(stack_of(app, "Alarm", "us-east-1"), a_check(stack_of(app, "Shop", "eu-west-1"), path))
    app.synth()
    found = {stack.name: stack for stack in read_assembly(folder)}
    assert found["Alarm"].depends_on == ["Shop"]
    return found["Shop"].template, found["Alarm"].template


def test_it_fires_while_the_health_check_is_unhealthy_and_notifies_of_both(tmp_path: Path) -> None:
    shop, template = templates(tmp_path)
    (output_name,) = [name for name in shop["Outputs"] if "Check" in name]
    alarm = only(template, "AWS::CloudWatch::Alarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Route53", "HealthCheckStatus")
    assert alarm["Dimensions"] == [
        {
            "Name": "HealthCheckId",
            "Value": {
                "Fn::GetStackOutput": {
                    "StackName": "Shop",
                    "OutputName": output_name,
                    "Region": "eu-west-1",
                }
            },
        }
    ]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Minimum",
        "LessThanThreshold",
        1,
    )
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 1)
    assert alarm["TreatMissingData"] == "ignore"
    assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC]


def test_another_health_check_is_another_template(tmp_path: Path) -> None:
    """A stack that reads an output is not updated unless its own template changes."""
    _, before = templates(tmp_path / "before")
    _, after = templates(tmp_path / "after", path="/health")
    assert json.dumps(before) != json.dumps(after)


def test_in_the_same_stack_it_refers_to_the_health_check() -> None:
    stack = stack_of(App(), "Shop", "us-east-1")
    alarm = an_alarm(stack, check := a_check(stack))
    assert stack.resolve(alarm.resource.dimensions) == [
        {"name": "HealthCheckId", "value": {"Ref": stack.resolve(check.resource.logical_id)}}
    ]


def test_it_is_refused_where_there_are_no_such_metrics() -> None:
    stack = stack_of(App(), "Shop", "eu-west-1")
    with refused(
        "FailoverAlarm: its stack is in eu-west-1; metrics of health checks exist in us-east-1 "
        "alone, so create it in a stack of that region"
    ):
        an_alarm(stack, a_check(stack))
