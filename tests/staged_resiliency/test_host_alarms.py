"""The alarms on a host: its status, connections, peer and probe, latencies and certificates."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration, Stack

from staged_resiliency import (
    AlarmHealthCheck,
    CertificateAlarm,
    ConnectivityAlarm,
    InstanceStatusAlarm,
    LatencyAlarm,
    MissingData,
    PeerAlarm,
    ProbeSilentAlarm,
    SignalAlarm,
)
from tests.cases import cases
from tests.staged_resiliency.support import (
    ALARM,
    HEALTH_CHECK,
    INSTANCE,
    INSTANCE_ID,
    NAMESPACE_OF_AWS,
    NO_INSTANCE_ID,
    NO_NAME,
    NO_NAME_TAG,
    TOPIC_ARN,
    a_connectivity_alarm,
    a_peer_alarm,
    a_status_alarm,
    an_instance,
    only_id,
    refused,
    synthesized,
)
from tests.support import Data, only

Make = Callable[..., SignalAlarm | LatencyAlarm | CertificateAlarm]


def of_the_probe(kind: Callable[..., Any], **arguments: Any) -> Make:
    """An alarm on what the probe of blue measures, with arguments changed."""
    usual: Data = {
        "namespace": "Shop",
        "host_name": "shop-blue",
        "description": "What happened.",
        "topic": TOPIC_ARN,
        **arguments,
    }
    return lambda stack, construct_id="Alarm", **changes: kind(
        stack, construct_id, **{**usual, **changes}
    )


a_silence_alarm = of_the_probe(ProbeSilentAlarm)
a_latency_alarm = of_the_probe(LatencyAlarm, dependency="db", above_milliseconds=250)
a_certificate_alarm = of_the_probe(CertificateAlarm, dependency="db", days=14)


def properties_of(make: Make, **changes: Any) -> Data:
    """The properties of an alarm, with arguments changed."""
    return only(synthesized(lambda stack: make(stack, **changes)), ALARM)


@cases(
    ("make", "expected"),
    {
        "two minutes each have a failed sample": (
            a_connectivity_alarm,
            {
                "ActionsEnabled": True,
                "AlarmDescription": "Database Connectivity failure for Shop (Blue).",
                "AlarmName": "shop-blue-db-connectivity-failed",
                "DatapointsToAlarm": 2,
                "EvaluationPeriods": 2,
                "MetricName": "db-connectivity",
            },
        ),
        "one status check fails, or none is reported": (
            a_status_alarm,
            {
                "ActionsEnabled": True,
                "AlarmDescription": "Shop (Blue) instance failure.",
                "AlarmName": "shop-blue-StatusCheckFailed",
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "DatapointsToAlarm": 1,
                "Dimensions": [{"Name": "InstanceId", "Value": INSTANCE_ID}],
                "EvaluationPeriods": 1,
                "MetricName": "StatusCheckFailed",
                "Namespace": "AWS/EC2",
                "Statistic": "Maximum",
                "TreatMissingData": "breaching",
            },
        ),
        "the probe is silent for three minutes": (
            a_silence_alarm,
            {
                "ActionsEnabled": True,
                "AlarmName": "shop-blue-probe-silent",
                "DatapointsToAlarm": 3,
                "EvaluationPeriods": 3,
                "MetricName": "probe-heartbeat",
                "Statistic": "Sum",
                "TreatMissingData": "breaching",
            },
        ),
        "another host gets no answer in two minutes": (
            a_peer_alarm,
            {
                "ActionsEnabled": True,
                "AlarmDescription": "shop-blue does not answer shop-green.",
                "AlarmName": "shop-blue-peer-connectivity-failed",
                "DatapointsToAlarm": 2,
                "Dimensions": [
                    {"Name": "Host", "Value": "shop-blue"},
                    {"Name": "Observer", "Value": "shop-green"},
                ],
                "EvaluationPeriods": 2,
                "MetricName": "peer-connectivity",
                "TreatMissingData": "notBreaching",
            },
        ),
        "answers take long for five minutes": (
            a_latency_alarm,
            {
                "AlarmName": "shop-blue-db-latency-high",
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 5,
                "MetricName": "db-latency",
                "Threshold": 250,
                "TreatMissingData": "notBreaching",
            },
        ),
        "a certificate expires soon": (
            a_certificate_alarm,
            {
                "ActionsEnabled": True,
                "AlarmName": "shop-blue-db-certificate-expires",
                "DatapointsToAlarm": 1,
                "EvaluationPeriods": 1,
                "MetricName": "db-certificate-days",
                "Period": 3600,
                "Statistic": "Minimum",
                "Threshold": 14,
                "TreatMissingData": "notBreaching",
            },
        ),
    },
)
def test_an_alarm_has_exactly_these_properties_to_fire_when(make: Make, expected: Data) -> None:
    usual = {
        "AlarmActions": [TOPIC_ARN],
        "AlarmDescription": "What happened.",
        "ComparisonOperator": "LessThanThreshold",
        "Dimensions": [{"Name": "Host", "Value": "shop-blue"}],
        "Namespace": "Shop",
        "Period": 60,
        "Statistic": "Average",
        "Threshold": 1,
    }
    assert properties_of(make) == usual | expected


@pytest.mark.parametrize("make", [a_connectivity_alarm, a_status_alarm, a_peer_alarm])
@cases(
    ("changes", "rendered"),
    {
        "period": ({"period_seconds": 300}, {"Period": 300}),
        "evaluation periods": (
            {"evaluation_periods": 5},
            {"EvaluationPeriods": 5, "DatapointsToAlarm": 5},
        ),
        "statistic": ({"statistic": "Minimum"}, {"Statistic": "Minimum"}),
        "threshold": ({"threshold": 0.5}, {"Threshold": 0.5}),
        "recovery": ({"notify_recovery": True}, {"OKActions": [TOPIC_ARN]}),
    },
)
def test_a_setting_changes_its_properties_and_no_other(
    make: Make, changes: Data, rendered: Data
) -> None:
    assert properties_of(make, **changes) == properties_of(make) | rendered


@cases(
    ("make", "changes", "rendered"),
    {
        "namespace": (a_connectivity_alarm, {"namespace": "Other"}, {"Namespace": "Other"}),
        "missing data": (
            a_connectivity_alarm,
            {"missing_data": MissingData.BREACHING},
            {"TreatMissingData": "breaching"},
        ),
        "dependency": (
            a_connectivity_alarm,
            {"dependency": "cdn"},
            {"MetricName": "cdn-connectivity", "AlarmName": "shop-blue-cdn-connectivity-failed"},
        ),
        "host": (
            a_connectivity_alarm,
            {"host_name": "shop-green"},
            {
                "Dimensions": [{"Name": "Host", "Value": "shop-green"}],
                "AlarmName": "shop-green-db-connectivity-failed",
            },
        ),
        "patience with silence": (
            a_silence_alarm,
            {"evaluation_periods": 10},
            {"EvaluationPeriods": 10, "DatapointsToAlarm": 10},
        ),
        "period of a latency": (
            a_latency_alarm,
            {"period_seconds": Duration.minutes(5)},
            {"Period": 300},
        ),
    },
)
def test_a_setting_of_one_alarm_changes_its_properties_and_no_other(
    make: Make, changes: Data, rendered: Data
) -> None:
    assert properties_of(make, **changes) == properties_of(make) | rendered


def test_a_latency_can_be_watched_by_a_percentile() -> None:
    usual = properties_of(a_latency_alarm)
    assert properties_of(a_latency_alarm, statistic="p99.9") == {
        "ExtendedStatistic": "p99.9",
        **{key: value for key, value in usual.items() if key != "Statistic"},
    }


def test_an_instance_of_the_stack_is_watched_by_reference_and_in_the_alarms_name() -> None:
    template = synthesized(lambda stack: a_status_alarm(stack, instance=an_instance(stack)))
    reference = {"Ref": only_id(template, INSTANCE)}
    alarm = only(template, ALARM)
    assert alarm["Dimensions"] == [{"Name": "InstanceId", "Value": reference}]
    assert alarm["AlarmName"] == {"Fn::Join": ["", ["shop-blue-", reference, "-StatusCheckFailed"]]}


def test_a_silent_observer_never_moves_clients() -> None:
    template = synthesized(
        lambda stack: AlarmHealthCheck(stack, "Check", alarm=a_peer_alarm(stack))
    )
    config = only(template, HEALTH_CHECK)["HealthCheckConfig"]
    assert config["InsufficientDataHealthStatus"] == "Healthy"


KINDS: dict[type[object], Make] = {
    ConnectivityAlarm: a_connectivity_alarm,
    InstanceStatusAlarm: a_status_alarm,
    ProbeSilentAlarm: a_silence_alarm,
    PeerAlarm: a_peer_alarm,
}


@pytest.mark.parametrize("kind", [ConnectivityAlarm, ProbeSilentAlarm, PeerAlarm])
def test_a_namespace_of_aws_is_refused(kind: type[object], stack: Stack) -> None:
    with refused(f"{kind.__name__}: namespace: 'AWS/Shop' {NAMESPACE_OF_AWS}"):
        KINDS[kind](stack, namespace="AWS/Shop")


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_is_no_name_tag_is_refused(kind: type[object], stack: Stack) -> None:
    with refused(f"{kind.__name__}: host_name: 'shop#blue' {NO_NAME_TAG}"):
        KINDS[kind](stack, host_name="shop#blue")


@cases(
    ("kind", "changes", "message"),
    {
        "empty namespace": (
            ConnectivityAlarm,
            {"namespace": ""},
            "namespace: '' is not a CloudWatch namespace (letters, digits and . - _ / # : space, "
            "at most 255); give one like Bookstore",
        ),
        "dependency": (
            ConnectivityAlarm,
            {"dependency": "Data Base"},
            f"dependency: 'Data Base' {NO_NAME}",
        ),
        "description of a connection": (
            ConnectivityAlarm,
            {"description": "d" * 1025},
            f"description: the description '{'d' * 56}... has 1025 characters; at most 1024 fit",
        ),
        "description of a status": (
            InstanceStatusAlarm,
            {"description": "d" * 1025},
            f"description: the description '{'d' * 56}... has 1025 characters; at most 1024 fit",
        ),
        "instance": (
            InstanceStatusAlarm,
            {"instance": "i-123"},
            f"instance: 'i-123' {NO_INSTANCE_ID}",
        ),
        "observer": (PeerAlarm, {"observer": "a#b"}, f"observer: 'a#b' {NO_NAME_TAG}"),
        "one host": (
            PeerAlarm,
            {"observer": "shop-blue"},
            "observer: 'shop-blue' is the observed host itself; give the other one",
        ),
        "threshold": (
            PeerAlarm,
            {"threshold": 2},
            "threshold: 2 would never or always breach, as the metric is 0 or 1; allowed for "
            "Average: above 0, at most 1",
        ),
    },
)
def test_an_alarm_refuses(kind: type[object], changes: Data, message: str, stack: Stack) -> None:
    with refused(f"{kind.__name__}: {message}"):
        KINDS[kind](stack, **changes)


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
        a_latency_alarm(stack, **changes)


def test_a_second_alarm_on_the_same_latency_is_refused(stack: Stack) -> None:
    a_latency_alarm(stack)
    with pytest.raises(ValueError, match="LatencyAlarm: alarm_name: the stack has an alarm"):
        a_latency_alarm(stack, "Other")
