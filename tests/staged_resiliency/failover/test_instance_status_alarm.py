"""The alarm on an instance's EC2 status checks."""

from typing import Any

from aws_cdk import Stack

from tests.cases import cases
from tests.staged_resiliency.support import (
    ALARM,
    INSTANCE,
    INSTANCE_ID,
    NO_INSTANCE_ID,
    NO_NAME_TAG,
    TOPIC_ARN,
    a_status_alarm,
    an_instance,
    only_id,
    refused,
    synthesized,
)
from tests.support import only


def test_a_status_alarm_fires_on_one_failed_or_missing_check_within_a_minute() -> None:
    assert only(synthesized(a_status_alarm), ALARM) == {
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC_ARN],
        "AlarmDescription": "Shop (Blue) instance failure.",
        "AlarmName": "shop-blue-StatusCheckFailed",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "DatapointsToAlarm": 1,
        "Dimensions": [{"Name": "InstanceId", "Value": INSTANCE_ID}],
        "EvaluationPeriods": 1,
        "MetricName": "StatusCheckFailed",
        "Namespace": "AWS/EC2",
        "Period": 60,
        "Statistic": "Maximum",
        "Threshold": 1,
        "TreatMissingData": "breaching",
    }


def test_an_instance_of_the_stack_is_watched_by_reference_and_in_the_alarms_name() -> None:
    template = synthesized(lambda stack: a_status_alarm(stack, instance=an_instance(stack)))
    reference = {"Ref": only_id(template, INSTANCE)}
    alarm = only(template, ALARM)
    assert alarm["Dimensions"] == [{"Name": "InstanceId", "Value": reference}]
    assert alarm["AlarmName"] == {"Fn::Join": ["", ["shop-blue-", reference, "-StatusCheckFailed"]]}


@cases(
    ("changes", "message"),
    {
        "instance id": (
            {"instance": "i-123"},
            f"InstanceStatusAlarm: instance: 'i-123' {NO_INSTANCE_ID}",
        ),
        "host name": (
            {"host_name": "shop#blue"},
            f"InstanceStatusAlarm: host_name: 'shop#blue' {NO_NAME_TAG}",
        ),
        "description": (
            {"description": "d" * 1025},
            f"InstanceStatusAlarm: description: the description '{'d' * 56}... has 1025 "
            "characters; at most 1024 fit",
        ),
    },
)
def test_a_status_alarm_refuses(changes: dict[str, Any], message: str, stack: Stack) -> None:
    with refused(message):
        a_status_alarm(stack, **changes)
