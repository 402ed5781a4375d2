"""The alarm on a host's connectivity to a dependency, as the probe reports it."""

from typing import Any

from aws_cdk import Stack

from staged_resiliency import MissingData
from tests.cases import cases
from tests.staged_resiliency.support import (
    ALARM,
    NAMESPACE_OF_AWS,
    NO_NAME,
    NO_NAME_TAG,
    TOPIC_ARN,
    a_connectivity_alarm,
    refused,
    synthesized,
)
from tests.support import only


def test_a_connectivity_alarm_fires_when_two_minutes_each_have_a_failed_sample() -> None:
    assert only(synthesized(a_connectivity_alarm), ALARM) == {
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC_ARN],
        "AlarmDescription": "Database Connectivity failure for Shop (Blue).",
        "AlarmName": "shop-blue-db-connectivity-failed",
        "ComparisonOperator": "LessThanThreshold",
        "DatapointsToAlarm": 2,
        "Dimensions": [{"Name": "Host", "Value": "shop-blue"}],
        "EvaluationPeriods": 2,
        "MetricName": "db-connectivity",
        "Namespace": "Shop",
        "Period": 60,
        "Statistic": "Average",
        "Threshold": 1,
    }


@cases(
    ("changes", "rendered"),
    {
        "namespace": ({"namespace": "Other"}, {"Namespace": "Other"}),
        "period": ({"period_seconds": 300}, {"Period": 300}),
        "evaluation periods": (
            {"evaluation_periods": 5},
            {"EvaluationPeriods": 5, "DatapointsToAlarm": 5},
        ),
        "statistic": ({"statistic": "Minimum"}, {"Statistic": "Minimum"}),
        "threshold": ({"threshold": 0.5}, {"Threshold": 0.5}),
        "missing data": (
            {"missing_data": MissingData.BREACHING},
            {"TreatMissingData": "breaching"},
        ),
        "recovery": ({"notify_recovery": True}, {"OKActions": [TOPIC_ARN]}),
        "dependency": (
            {"dependency": "cdn"},
            {"MetricName": "cdn-connectivity", "AlarmName": "shop-blue-cdn-connectivity-failed"},
        ),
        "host": (
            {"host_name": "shop-green"},
            {
                "Dimensions": [{"Name": "Host", "Value": "shop-green"}],
                "AlarmName": "shop-green-db-connectivity-failed",
            },
        ),
    },
)
def test_a_setting_changes_its_properties_and_no_other(
    changes: dict[str, Any], rendered: dict[str, Any]
) -> None:
    usual = only(synthesized(a_connectivity_alarm), ALARM)
    changed = only(synthesized(lambda stack: a_connectivity_alarm(stack, **changes)), ALARM)
    assert changed == {**usual, **rendered}


@cases(
    ("changes", "message"),
    {
        "namespace of AWS": (
            {"namespace": "AWS/EC2"},
            f"ConnectivityAlarm: namespace: 'AWS/EC2' {NAMESPACE_OF_AWS}",
        ),
        "empty namespace": (
            {"namespace": ""},
            "ConnectivityAlarm: namespace: '' is not a CloudWatch namespace (letters, digits and "
            ". - _ / # : space, at most 255); give one like Bookstore",
        ),
        "host name": (
            {"host_name": "-blue"},
            f"ConnectivityAlarm: host_name: '-blue' {NO_NAME_TAG}",
        ),
        "dependency": (
            {"dependency": "Data Base"},
            f"ConnectivityAlarm: dependency: 'Data Base' {NO_NAME}",
        ),
        "description": (
            {"description": "d" * 1025},
            f"ConnectivityAlarm: description: the description '{'d' * 56}... has 1025 "
            "characters; at most 1024 fit",
        ),
    },
)
def test_a_connectivity_alarm_refuses(changes: dict[str, Any], message: str, stack: Stack) -> None:
    with refused(message):
        a_connectivity_alarm(stack, **changes)
