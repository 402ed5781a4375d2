"""The alarm on an instance's EC2 status checks."""

from typing import Any

import pytest
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
from tests.support import Template, only


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


@cases(
    ("changes", "rendered"),
    {
        "period": ({"period_seconds": 300}, {"Period": 300}),
        "evaluation periods": (
            {"evaluation_periods": 4},
            {"EvaluationPeriods": 4, "DatapointsToAlarm": 4},
        ),
        "statistic": ({"statistic": "Average"}, {"Statistic": "Average"}),
        "threshold": ({"threshold": 0.5}, {"Threshold": 0.5}),
        "recovery": ({"notify_recovery": True}, {"OKActions": [TOPIC_ARN]}),
    },
)
def test_a_setting_changes_its_property_and_no_other(
    changes: dict[str, Any], rendered: dict[str, Any]
) -> None:
    usual = only(synthesized(a_status_alarm), ALARM)
    changed = only(synthesized(lambda stack: a_status_alarm(stack, **changes)), ALARM)
    assert changed == {**usual, **rendered}


@pytest.fixture(scope="module")
def with_an_instance_of_the_stack() -> Template:
    return synthesized(lambda stack: a_status_alarm(stack, instance=an_instance(stack)))


def test_an_instance_of_the_stack_is_watched_by_reference(
    with_an_instance_of_the_stack: Template,
) -> None:
    reference = {"Ref": only_id(with_an_instance_of_the_stack, INSTANCE)}
    dimensions = only(with_an_instance_of_the_stack, ALARM)["Dimensions"]
    assert dimensions == [{"Name": "InstanceId", "Value": reference}]


def test_the_name_carries_an_instance_of_the_stack(with_an_instance_of_the_stack: Template) -> None:
    reference = {"Ref": only_id(with_an_instance_of_the_stack, INSTANCE)}
    assert only(with_an_instance_of_the_stack, ALARM)["AlarmName"] == {
        "Fn::Join": ["", ["shop-blue-", reference, "-StatusCheckFailed"]]
    }


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
        "rule": (
            {"evaluation_periods": -1},
            "AlarmRule: evaluation_periods: -1 periods can't be evaluated; give 1 or more",
        ),
    },
)
def test_a_status_alarm_refuses(changes: dict[str, Any], message: str, stack: Stack) -> None:
    with refused(message):
        a_status_alarm(stack, **changes)
