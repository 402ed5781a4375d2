"""Alarms on a silent probe, and on a host that no longer answers another one."""

import re
from typing import Any

import pytest
from aws_cdk import Duration, Stack

from staged_resiliency import AlarmHealthCheck, CertificateAlarm, LatencyAlarm, ProbeSilentAlarm
from tests.cases import cases
from tests.staged_resiliency.support import (
    ALARM,
    HEALTH_CHECK,
    NAMESPACE_OF_AWS,
    NO_NAME_TAG,
    TOPIC_ARN,
    a_peer_alarm,
    refused,
    synthesized,
)
from tests.support import Data, only


def silent(stack: Stack, **changes: Any) -> ProbeSilentAlarm:
    """An alarm on silence, with arguments changed."""
    usual: Data = {
        "namespace": "Shop",
        "host_name": "shop-blue",
        "description": "The probe of shop-blue is silent.",
        "topic": TOPIC_ARN,
    }
    return ProbeSilentAlarm(stack, "Alarm", **{**usual, **changes})


def test_an_alarm_on_silence_has_exactly_these_properties() -> None:
    assert only(synthesized(silent), ALARM) == {
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC_ARN],
        "AlarmDescription": "The probe of shop-blue is silent.",
        "AlarmName": "shop-blue-probe-silent",
        "ComparisonOperator": "LessThanThreshold",
        "DatapointsToAlarm": 3,
        "Dimensions": [{"Name": "Host", "Value": "shop-blue"}],
        "EvaluationPeriods": 3,
        "MetricName": "probe-heartbeat",
        "Namespace": "Shop",
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 1,
        "TreatMissingData": "breaching",
    }


def test_an_alarm_on_a_peer_has_exactly_these_properties() -> None:
    assert only(synthesized(a_peer_alarm), ALARM) == {
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC_ARN],
        "AlarmDescription": "shop-blue does not answer shop-green.",
        "AlarmName": "shop-blue-peer-connectivity-failed",
        "ComparisonOperator": "LessThanThreshold",
        "DatapointsToAlarm": 2,
        "Dimensions": [
            {"Name": "Host", "Value": "shop-blue"},
            {"Name": "Observer", "Value": "shop-green"},
        ],
        "EvaluationPeriods": 2,
        "MetricName": "peer-connectivity",
        "Namespace": "Shop",
        "Period": 60,
        "Statistic": "Average",
        "Threshold": 1,
        "TreatMissingData": "notBreaching",
    }


def test_a_silent_observer_never_moves_clients() -> None:
    template = synthesized(
        lambda stack: AlarmHealthCheck(stack, "Check", alarm=a_peer_alarm(stack))
    )
    config = only(template, HEALTH_CHECK)["HealthCheckConfig"]
    assert config["InsufficientDataHealthStatus"] == "Healthy"


def test_patience_with_silence_can_be_set() -> None:
    alarm = only(synthesized(lambda stack: silent(stack, evaluation_periods=10)), ALARM)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (10, 10)


def test_the_rule_of_a_peer_can_be_set() -> None:
    template = synthesized(
        lambda stack: a_peer_alarm(
            stack,
            period_seconds=300,
            evaluation_periods=1,
            statistic="Maximum",
            threshold=0.5,
            notify_recovery=True,
        )
    )
    alarm = only(template, ALARM)
    keys = ("Period", "EvaluationPeriods", "Statistic", "Threshold", "OKActions")
    assert [alarm[key] for key in keys] == [300, 1, "Maximum", 0.5, [TOPIC_ARN]]


@cases(
    ("changes", "message"),
    {
        "namespace": ({"namespace": "AWS/Shop"}, f"namespace: 'AWS/Shop' {NAMESPACE_OF_AWS}"),
        "host": ({"host_name": "shop#blue"}, f"host_name: 'shop#blue' {NO_NAME_TAG}"),
    },
)
def test_both_refuse(changes: Data, message: str, stack: Stack) -> None:
    with refused(f"ProbeSilentAlarm: {message}"):
        silent(stack, **changes)
    with refused(f"PeerAlarm: {message}"):
        a_peer_alarm(stack, **changes)


@cases(
    ("changes", "message"),
    {
        "observer": ({"observer": "shop#green"}, f"observer: 'shop#green' {NO_NAME_TAG}"),
        "one host": (
            {"observer": "shop-blue"},
            "observer: 'shop-blue' is the observed host itself; give the other one",
        ),
        "threshold": (
            {"threshold": 2},
            "threshold: 2 would never or always breach, as the metric is 0 or 1; allowed for "
            "Average: above 0, at most 1",
        ),
    },
)
def test_an_alarm_on_a_peer_refuses(changes: Data, message: str, stack: Stack) -> None:
    with refused(f"PeerAlarm: {message}"):
        a_peer_alarm(stack, **changes)


def latency(stack: Stack, construct_id: str = "Alarm", **changes: Any) -> LatencyAlarm:
    """An alarm on a latency, with arguments changed."""
    usual: Data = {
        "namespace": "Shop",
        "host_name": "shop-blue",
        "dependency": "db",
        "above_milliseconds": 250,
        "description": "The database is slow.",
        "topic": TOPIC_ARN,
    }
    return LatencyAlarm(stack, construct_id, **{**usual, **changes})


def test_an_alarm_on_a_latency_has_exactly_these_properties() -> None:
    assert only(synthesized(latency), ALARM) == {
        "AlarmActions": [TOPIC_ARN],
        "AlarmDescription": "The database is slow.",
        "AlarmName": "shop-blue-db-latency-high",
        "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{"Name": "Host", "Value": "shop-blue"}],
        "EvaluationPeriods": 5,
        "MetricName": "db-latency",
        "Namespace": "Shop",
        "Period": 60,
        "Statistic": "Average",
        "Threshold": 250,
        "TreatMissingData": "notBreaching",
    }


def test_a_latency_can_be_watched_by_a_percentile() -> None:
    alarm = only(synthesized(lambda stack: latency(stack, statistic="p99.9")), ALARM)
    assert alarm["ExtendedStatistic"] == "p99.9"
    assert "Statistic" not in alarm


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"above_milliseconds": 0}, "LatencyAlarm: above_milliseconds: 0 is not a number of "),
        ({"statistic": "p100"}, "LatencyAlarm: statistic: 'p100' is not a statistic of a latency"),
        ({"dependency": "DB"}, "LatencyAlarm: dependency: 'DB' is not "),
        ({"description": "x" * 1025}, "LatencyAlarm: description: the description 'xxx"),
        ({"evaluation_periods": 0}, "AlarmRule: evaluation_periods: 0 periods can't be evaluated"),
        ({"period_seconds": 61}, "AlarmRule: period_seconds: 61 s is not a multiple of 60"),
    ],
)
def test_an_alarm_on_a_latency_refuses(changes: Data, message: str, stack: Stack) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        latency(stack, **changes)


def test_a_second_alarm_on_the_same_latency_is_refused(stack: Stack) -> None:
    latency(stack)
    with pytest.raises(ValueError, match="LatencyAlarm: alarm_name: the stack has an alarm"):
        latency(stack, "Other")


def test_the_period_of_a_latency_may_be_a_duration() -> None:
    made = synthesized(lambda stack: latency(stack, period_seconds=Duration.minutes(5)))
    assert only(made, ALARM)["Period"] == 300


def test_an_alarm_on_a_certificate_fires_below_the_days() -> None:
    made = synthesized(
        lambda stack: CertificateAlarm(
            stack,
            "Alarm",
            namespace="Shop",
            host_name="shop-blue",
            dependency="db",
            days=14,
            description="The certificate expires.",
            topic=TOPIC_ARN,
        )
    )
    alarm = only(made, ALARM)
    assert alarm["AlarmName"] == "shop-blue-db-certificate-expires"
    assert (alarm["MetricName"], alarm["Statistic"]) == ("db-certificate-days", "Minimum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 14)
    assert alarm["TreatMissingData"] == "notBreaching"
