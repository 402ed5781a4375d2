"""The properties of an alarm that a health check can follow."""

from collections.abc import Callable
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns

from staged_resiliency import AlarmTopic, MissingData
from tests.cases import cases
from tests.staged_resiliency.support import (
    ALARM,
    NO_TOPIC_ARN,
    TOPIC_ARN,
    an_alarm,
    only_id,
    refused,
    synthesized,
)
from tests.support import Template, only


def alarm_with(**changes: Any) -> dict[str, Any]:
    """The properties of the alarm made with these arguments."""
    return only(synthesized(lambda stack: an_alarm(stack, **changes)), ALARM)


def test_an_alarm_has_exactly_these_properties() -> None:
    assert alarm_with(notify_recovery=True) == {
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC_ARN],
        "AlarmDescription": "Orders pile up.",
        "AlarmName": "shop-blue-queue-depth",
        "ComparisonOperator": "GreaterThanThreshold",
        "DatapointsToAlarm": 3,
        "Dimensions": [
            {"Name": "Host", "Value": "shop-blue"},
            {"Name": "Queue", "Value": "orders"},
        ],
        "EvaluationPeriods": 3,
        "MetricName": "queue-depth",
        "Namespace": "Shop",
        "OKActions": [TOPIC_ARN],
        "Period": 120,
        "Statistic": "Maximum",
        "Threshold": 100,
        "TreatMissingData": "breaching",
    }


@cases(
    ("missing_data", "rendered"),
    {
        "breaching": (MissingData.BREACHING, "breaching"),
        "not breaching": (MissingData.NOT_BREACHING, "notBreaching"),
        "ignore": (MissingData.IGNORE, "ignore"),
    },
)
def test_missing_data_is_rendered_as_chosen(missing_data: MissingData, rendered: str) -> None:
    assert alarm_with(missing_data=missing_data)["TreatMissingData"] == rendered


REFERENCE = {"Ref": "a topic"}


@cases(
    ("topic", "action"),
    {
        "ours": (lambda stack: AlarmTopic(stack, "Topic"), REFERENCE),
        "ours as the CDK's own type": (lambda stack: AlarmTopic(stack, "Topic").topic, REFERENCE),
        "the CDK's": (lambda stack: sns.Topic(stack, "Topic"), REFERENCE),
        "an ARN": (lambda _: TOPIC_ARN, TOPIC_ARN),
        "adopted": (
            lambda stack: AlarmTopic.from_topic_arn(stack, "Topic", TOPIC_ARN),
            TOPIC_ARN,
        ),
        "imported": (
            lambda stack: sns.Topic.from_topic_arn(stack, "Topic", TOPIC_ARN),
            TOPIC_ARN,
        ),
    },
)
def test_an_alarm_notifies_a_topic_by_reference_or_arn(
    topic: Callable[[Stack], AlarmTopic | sns.ITopic | str], action: object
) -> None:
    template = synthesized(lambda stack: an_alarm(stack, topic=topic(stack)))
    if action is REFERENCE:
        action = {"Ref": only_id(template, "AWS::SNS::Topic")}
    assert only(template, ALARM)["AlarmActions"] == [action]


@cases(
    ("changes", "message"),
    {
        "name with an umlaut": (
            {"alarm_name": "shöp"},
            "SignalAlarm: alarm_name: 'shöp' is not an alarm name (printable ASCII)",
        ),
        "too long name": (
            {"alarm_name": "a" * 256},
            f"SignalAlarm: alarm_name: the alarm name '{'a' * 56}... has 256 characters; "
            "at most 255 fit",
        ),
        "too long description": (
            {"description": "d" * 1025},
            f"SignalAlarm: description: the description '{'d' * 56}... has 1025 characters; "
            "at most 1024 fit",
        ),
        "topic by its name": ({"topic": "ops"}, f"Topic: topic_arn: 'ops' {NO_TOPIC_ARN}"),
        "FIFO topic, which alarms can't notify": (
            {"topic": f"{TOPIC_ARN}.fifo"},
            f"Topic: topic_arn: '{TOPIC_ARN}.fifo' {NO_TOPIC_ARN}",
        ),
    },
)
def test_an_alarm_refuses(changes: dict[str, Any], message: str, stack: Stack) -> None:
    with refused(message):
        an_alarm(stack, **changes)


def test_a_refused_alarm_leaves_nothing_behind(stack: Stack) -> None:
    with refused("SignalAlarm: alarm_name: '' is not an alarm name (printable ASCII)"):
        an_alarm(stack, alarm_name="")
    assert an_alarm(stack).alarm_name == "shop-blue-queue-depth"


def test_an_alarms_metric_can_be_drawn(stack: Stack) -> None:
    alarm = an_alarm(stack)
    graph = cloudwatch.GraphWidget(left=[alarm.metric])
    (widget,) = stack.resolve(graph.to_json())
    assert widget["properties"]["metrics"] == [
        [
            "Shop",
            "queue-depth",
            "Host",
            "shop-blue",
            "Queue",
            "orders",
            {"period": 120, "stat": "Maximum"},
        ]
    ]


def test_an_alarm_can_be_part_of_a_composite_alarm_of_the_cdk() -> None:
    def build(stack: Stack) -> None:
        alarm = an_alarm(stack)
        rule = cloudwatch.AlarmRule.from_alarm(alarm.alarm, cloudwatch.AlarmState.ALARM)
        cloudwatch.CompositeAlarm(stack, "Composite", alarm_rule=rule)

    template: Template = synthesized(build)
    arn = {"Fn::GetAtt": [only_id(template, ALARM), "Arn"]}
    assert only(template, "AWS::CloudWatch::CompositeAlarm")["AlarmRule"] == {
        "Fn::Join": ["", ['ALARM("', arn, '")']]
    }
