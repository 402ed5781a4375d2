"""A rule holds only what Route 53 can follow, and says what it can't."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from staged_resiliency import AlarmRule
from tests.cases import cases
from tests.staged_resiliency.support import (
    ALARM,
    NO_STATISTIC,
    a_rule,
    an_alarm,
    number_parameter,
    refused,
    synthesized,
)
from tests.support import Data, only

METRIC: dict[str, Any] = {"namespace": "Shop", "metric_name": "queue-depth"}


def on(metric: cloudwatch.IMetric) -> AlarmRule:
    """A rule on a metric."""
    return AlarmRule.on_metric(metric, comparison="LessThanThreshold", threshold=2)


@cases(
    ("changes", "message"),
    {
        "percentile": ({"statistic": "p99"}, f"statistic: 'p99' {NO_STATISTIC}"),
        "statistic in lower case": (
            {"statistic": "maximum"},
            "statistic: 'maximum' is a statistic that Route 53 health checks can't follow "
            "(percentiles and other extended statistics are not supported); did you mean Maximum?",
        ),
        "anomaly detection": (
            {"comparison": "LessThanLowerOrGreaterThanUpperThreshold"},
            "comparison: 'LessThanLowerOrGreaterThanUpperThreshold' is a comparison that Route 53 "
            "health checks can't follow; allowed: GreaterThanOrEqualToThreshold, "
            "GreaterThanThreshold, LessThanOrEqualToThreshold, LessThanThreshold",
        ),
        "high resolution": (
            {"period_seconds": 10},
            "period_seconds: 10 s makes a high-resolution alarm, which Route 53 health checks "
            "can't follow; give 60 or a multiple of it",
        ),
        "period between two minutes": (
            {"period_seconds": 90},
            "period_seconds: 90 s is not a multiple of 60, which CloudWatch asks for",
        ),
        "no period": (
            {"evaluation_periods": 0},
            "evaluation_periods: 0 periods can't be evaluated; give 1 or more",
        ),
        "more than a day of short periods": (
            {"period_seconds": 60, "evaluation_periods": 1441},
            "evaluation_periods: 1441 periods of 60 s look back 86460 s; CloudWatch takes at most "
            "86400 s for this period",
        ),
        "more than a week of long periods": (
            {"period_seconds": 3600, "evaluation_periods": 169},
            "evaluation_periods: 169 periods of 3600 s look back 608400 s; CloudWatch takes at "
            "most 604800 s for this period",
        ),
        "too many dimensions": (
            {"dimensions": {f"D{number}": "x" for number in range(31)}},
            "dimensions: 31 are given; CloudWatch takes at most 30",
        ),
        "empty namespace": (
            {"namespace": ""},
            "namespace: an empty text is given; give 1 to 255 characters",
        ),
        "too long metric name": (
            {"metric_name": "m" * 256},
            f"metric_name: the text '{'m' * 56}... has 256 characters; at most 255 fit",
        ),
        "empty dimension name": (
            {"dimensions": {"": "x"}},
            "dimensions: an empty text is given; give 1 to 255 characters",
        ),
        "too long dimension value": (
            {"dimensions": {"Host": "v" * 1025}},
            f"dimensions: the text '{'v' * 56}... has 1025 characters; at most 1024 fit",
        ),
        "threshold that is no number": (
            {"threshold": float("nan")},
            "threshold: nan is not a number to compare with; give one like 1",
        ),
        "infinite threshold": (
            {"threshold": float("-inf")},
            "threshold: -inf is not a number to compare with; give one like 1",
        ),
    },
)
def test_a_rule_refuses(changes: dict[str, Any], message: str) -> None:
    with refused(f"AlarmRule: {message}"):
        a_rule(**changes)


@cases(
    "changes",
    {
        "a day": {"period_seconds": 60, "evaluation_periods": 1440},
        "a week": {"period_seconds": 3600, "evaluation_periods": 168},
        "30 dimensions": {"dimensions": {f"D{n}": "x" for n in range(30)}},
        "no dimensions": {"dimensions": {}},
        "longest dimension": {"dimensions": {"d" * 255: "v" * 1024}},
        "longest names": {"namespace": "n" * 255, "metric_name": "m" * 255},
        "large negative threshold": {"threshold": -1e30},
    },
)
def test_a_rule_takes_the_utmost_that_cloudwatch_takes(changes: dict[str, Any]) -> None:
    rule = a_rule(**changes)
    assert {name: getattr(rule, name) for name in changes} == changes


def test_numbers_that_the_deployment_knows_reach_the_alarm_as_references() -> None:
    def build(stack: Stack) -> None:
        rule = a_rule(
            threshold=number_parameter(stack, "Threshold"),
            period_seconds=number_parameter(stack, "Period"),
            evaluation_periods=number_parameter(stack, "Periods"),
        )
        an_alarm(stack, rule=rule)

    alarm = only(synthesized(build), ALARM)
    keys = ("Threshold", "Period", "EvaluationPeriods", "DatapointsToAlarm")
    names = ("Threshold", "Period", "Periods", "Periods")
    assert [alarm[key] for key in keys] == [{"Ref": name} for name in names]


def test_a_rule_on_a_metric_takes_its_name_statistic_and_period() -> None:
    metric = cloudwatch.Metric(
        **METRIC,
        dimensions_map={"Host": "shop-blue"},
        statistic="Sum",
        period=Duration.minutes(2),
    )
    rule = AlarmRule.on_metric(
        metric, comparison="GreaterThanThreshold", threshold=7, evaluation_periods=4
    )
    assert rule == a_rule(
        dimensions={"Host": "shop-blue"}, statistic="Sum", threshold=7, evaluation_periods=4
    )


def test_a_rule_on_a_metric_without_dimensions_has_none() -> None:
    assert on(cloudwatch.Metric(**METRIC)).dimensions == {}


def test_a_labelled_metric_makes_a_plain_alarm_and_not_metric_math() -> None:
    def build(stack: Stack) -> None:
        labelled = cloudwatch.Metric(**METRIC, label="Depth", color="#ff0000")
        an_alarm(stack, rule=on(labelled))

    alarm = only(synthesized(build), ALARM)
    assert alarm["MetricName"] == "queue-depth"
    assert "Metrics" not in alarm


@cases(
    ("metric", "message"),
    {
        "filtered by unit": (
            cloudwatch.Metric(**METRIC, unit=cloudwatch.Unit.SECONDS),
            "is filtered by the unit SECONDS, which Route 53 does not copy, so it would read other "
            "data than the alarm; leave unit out",
        ),
        "math": (
            cloudwatch.MathExpression(
                expression="depth * 2", using_metrics={"depth": cloudwatch.Metric(**METRIC)}
            ),
            "a metric math expression can't be followed by a Route 53 health check; publish its "
            "result as a metric and give that",
        ),
    },
)
def test_a_rule_refuses_a_metric(metric: cloudwatch.IMetric, message: str) -> None:
    with refused(f"AlarmRule: metric: {message}"):
        on(metric)


@cases(
    ("pinned", "message"),
    {
        "account": ({"account": "222222222222"}, "of 222222222222, the alarm of 111111111111"),
        "region": ({"region": "us-east-1"}, "of us-east-1, the alarm of eu-west-1"),
    },
)
def test_an_alarm_refuses_a_metric_of_another(stack: Stack, pinned: Data, message: str) -> None:
    with refused(
        f"SignalAlarm: rule: the metric is {message}; Route 53 follows only alarms on metrics of "
        "their own account and region"
    ):
        an_alarm(stack, rule=on(cloudwatch.Metric(**METRIC, **pinned)))


def test_an_alarm_takes_the_metric_of_a_resource_of_its_stack() -> None:
    def build(stack: Stack) -> None:
        an_alarm(stack, rule=on(sqs.Queue(stack, "Queue").metric_number_of_messages_sent()))

    alarm = only(synthesized(build), ALARM)
    assert alarm["MetricName"] == "NumberOfMessagesSent"
    assert "Metrics" not in alarm
