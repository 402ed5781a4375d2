"""Types of the CDK work where its own constructs take them; other types are refused by name."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from staged_resiliency import (
    AddressTarget,
    AlarmHealthCheck,
    AlarmRule,
    AlarmSignal,
    EndpointHealthCheck,
    FailoverHost,
    HttpRequest,
    MissingData,
    StatusSignal,
)
from tests.cases import cases
from tests.staged_resiliency.support import (
    ALARM,
    HEALTH_CHECK,
    NO_ZONE_ID,
    ZONE_ID,
    a_failover,
    an_alarm,
    refused,
    synthesized,
)
from tests.support import only, records_of, resources_of

ORDERS = cloudwatch.Metric(
    namespace="Shop", metric_name="orders", statistic="Sum", period=Duration.minutes(1)
)
WRONG: Any = "wrong"
WRONG_NUMBER: Any = 7
WITHOUT_INSTANCE = FailoverHost("shop-blue", AddressTarget(ipv4="52.11.79.8"))
TWO_FAILOVERS = (
    "InstanceFailover: the stack has a failover of 'shop-blue' already; rename the host (a second "
    "DNS name for a pair is a second FailoverRecords)"
)
RULE = AlarmRule.on_metric(
    ORDERS, comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD, threshold=1
)


@pytest.mark.parametrize("given", cloudwatch.TreatMissingData)
def test_missing_data_may_be_given_as_the_cdk_has_it(
    given: cloudwatch.TreatMissingData, stack: Stack
) -> None:
    alarm = an_alarm(stack, missing_data=given)
    ours = "CLOUDWATCH_DEFAULT" if given.name == "MISSING" else given.name
    assert alarm.missing_data is MissingData[ours]
    assert alarm.resource.treat_missing_data == MissingData[ours].value


def test_every_comparison_of_the_cdk_is_converted_or_refused() -> None:
    for comparison in cloudwatch.ComparisonOperator:
        if "THAN_LOWER" in comparison.name or "THAN_UPPER" in comparison.name:
            with pytest.raises(ValueError, match="comparison that Route 53 health checks can't"):
                AlarmRule.on_metric(ORDERS, comparison=comparison, threshold=1)
        else:
            rule = AlarmRule.on_metric(ORDERS, comparison=comparison, threshold=1)
            assert str(rule.comparison).upper() == comparison.name.replace("_", "")


def test_times_may_be_durations() -> None:
    def build(stack: Stack) -> None:
        a_failover(
            stack, ttl_seconds=Duration.minutes(1), status_period_seconds=Duration.minutes(2)
        )
        EndpointHealthCheck(
            stack,
            "Check",
            address="52.11.79.8",
            request=HttpRequest(),
            label="shop",
            interval_seconds=Duration.seconds(10),
        )

    template = synthesized(build)
    assert {record["TTL"] for record in records_of(template)} == {"60"}
    alarms = resources_of(template, ALARM).values()
    assert {each["Properties"]["Period"] for each in alarms} == {120}
    checks = [each["Properties"] for each in resources_of(template, HEALTH_CHECK).values()]
    assert 10 in [each["HealthCheckConfig"].get("RequestInterval") for each in checks]


def test_signals_may_be_given_by_name_and_the_zone_by_its_id() -> None:
    def build(stack: Stack) -> None:
        a_failover(stack, failover_on=["status", "endpoint"], hosted_zone=ZONE_ID)

    template = synthesized(build)
    kinds = [
        each["Properties"]["HealthCheckConfig"]["Type"]
        for each in resources_of(template, HEALTH_CHECK).values()
    ]
    assert sorted(kinds) == ["CALCULATED", "CLOUDWATCH_METRIC", "HTTP"]
    assert {record["HostedZoneId"] for record in records_of(template)} == {ZONE_ID}


def test_an_alarm_of_the_cdk_decides_failover_and_its_edit_makes_a_new_health_check() -> None:
    def build(threshold: float) -> Callable[[Stack], None]:
        def alarm_decides(stack: Stack) -> None:
            alarm = cloudwatch.Alarm(
                stack,
                "Orders",
                metric=ORDERS,
                threshold=threshold,
                evaluation_periods=2,
                comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            a_failover(stack, failover_on=[AlarmSignal("orders", {"blue": alarm})])

        return alarm_decides

    first, second = (synthesized(build(threshold)) for threshold in (1, 2))
    for template in (first, second):
        check = only(template, HEALTH_CHECK)
        (name,) = (key for key in resources_of(template, ALARM) if key.startswith("Orders"))
        config = check["HealthCheckConfig"]
        assert config["AlarmIdentifier"]["Name"] == {"Ref": name}
        assert config["InsufficientDataHealthStatus"] == "Healthy"
        assert next(iter(resources_of(template, HEALTH_CHECK).values()))["DependsOn"] == [name]
    assert set(resources_of(first, HEALTH_CHECK)).isdisjoint(resources_of(second, HEALTH_CHECK))


def cdk_alarm(stack: Stack, metric: cloudwatch.IMetric = ORDERS, **changes: Any) -> Any:
    return cloudwatch.Alarm(
        stack, "Own", metric=metric, threshold=1, evaluation_periods=2, **changes
    )


@cases(
    ("alarm", "message"),
    {
        "M of N": (
            lambda stack: cdk_alarm(stack, datapoints_to_alarm=1),
            "fires at 1 of 2 datapoints, which Route 53 health checks can't follow",
        ),
        "percentile": (
            lambda stack: cdk_alarm(stack, ORDERS.with_(statistic="p99")),
            "has the statistic p99, which Route 53 health checks can't follow",
        ),
        "unit": (
            lambda stack: cdk_alarm(stack, ORDERS.with_(unit=cloudwatch.Unit.COUNT)),
            "is filtered by the unit Count, which Route 53 health checks can't follow",
        ),
        "label": (
            lambda stack: cdk_alarm(stack, ORDERS.with_(label="Orders")),
            "has metric math, a label, or a metric of another account or region, which Route 53 "
            "health checks can't follow",
        ),
        "imported": (
            lambda stack: cloudwatch.Alarm.from_alarm_name(stack, "Imported", "orders"),
            "an imported or composite alarm can't be followed by a Route 53 health check from "
            "here, as its rule is not known; give an alarm of this application on a single metric",
        ),
        "dimension known at deployment": (
            lambda stack: cdk_alarm(
                stack, ORDERS.with_(dimensions_map={"Stack": stack.stack_id}), alarm_name="orders"
            ),
            "its metric has a value that is known only at deployment and is no part of the alarm's "
            "name, so the health check could not follow a change of it; give a SignalAlarm without "
            "alarm_name, whose name contains it",
        ),
        "its name": (
            lambda _: "orders",
            "'orders' is of type str; give a SignalAlarm or an Alarm of the CDK",
        ),
    },
)
def test_an_alarm_that_route_53_can_not_follow_is_refused(
    alarm: Callable[[Stack], Any], message: str, stack: Stack
) -> None:
    with refused(f"AlarmHealthCheck: alarm: {message}"):
        AlarmHealthCheck(stack, "Check", alarm=alarm(stack))


@cases(
    ("build", "message"),
    {
        "topic": (
            lambda stack: an_alarm(stack, topic=None),
            "Topic: topic: None is of type NoneType; give an AlarmTopic, a topic of the CDK or an "
            "ARN",
        ),
        "rule": (
            lambda stack: an_alarm(stack, rule={}),
            "SignalAlarm: rule: {} is of type dict; give an AlarmRule",
        ),
        "missing data": (
            lambda stack: an_alarm(stack, missing_data="nothing"),
            "SignalAlarm: missing_data: 'nothing' is of type str; give a member of MissingData or "
            "TreatMissingData",
        ),
        "datapoints": (
            lambda stack: an_alarm(stack, rule=RULE, datapoints_to_alarm=2),
            "SignalAlarm: datapoints_to_alarm: 2 out of 1 can't breach; allowed: 1 to 1",
        ),
        "description": (
            lambda stack: an_alarm(stack, description=7),
            "SignalAlarm: description: 7 is of type int; give a text",
        ),
        "threshold": (
            lambda _: AlarmRule("Shop", "orders", {}, "Sum", "LessThanThreshold", cast(float, "1")),
            "AlarmRule: threshold: '1' is of type str; give a number",
        ),
        "metric": (
            lambda _: AlarmRule.on_metric(WRONG, comparison="LessThanThreshold", threshold=1),
            "AlarmRule: metric: 'wrong' is of type str; give a Metric of the CDK",
        ),
        "signal": (
            lambda stack: a_failover(stack, failover_on=["db"]),
            'InstanceFailover: failover_on: \'db\' is of type str; give "status", "endpoint", or '
            "a signal such as AlarmSignal(...)",
        ),
        "host": (
            lambda stack: a_failover(stack, blue="shop-blue"),
            "InstanceFailover: blue: 'shop-blue' is of type str; give a FailoverHost",
        ),
        "zone": (
            lambda stack: a_failover(stack, hosted_zone=7),
            "FailoverRecords: hosted_zone: 7 is of type int; give a zone or its id",
        ),
        "name of a zone": (
            lambda stack: a_failover(stack, hosted_zone="example.com"),
            f"FailoverRecords: hosted_zone: 'example.com' {NO_ZONE_ID}",
        ),
        "TTL": (
            lambda stack: a_failover(stack, ttl_seconds="60"),
            "FailoverRecords: ttl_seconds: '60' is of type str; give a whole number",
        ),
        "target": (
            lambda _: FailoverHost("shop-blue", WRONG),
            "FailoverHost: target: 'wrong' is of type str; give AddressTarget(...) or "
            "AliasTarget(...)",
        ),
        "instance": (
            lambda _: FailoverHost("shop-blue", AddressTarget(ipv4="52.11.79.8"), WRONG_NUMBER),
            "FailoverHost: instance: 7 is of type int; give the instance or its id",
        ),
        "request": (
            lambda stack: EndpointHealthCheck(
                stack, "Check", address="52.11.79.8", request=WRONG, label="shop"
            ),
            "EndpointHealthCheck: request: 'wrong' is of type str; give HttpRequest(...), "
            "HttpsRequest(...) or TcpConnect(...)",
        ),
        "topic of another region": (
            lambda stack: a_failover(stack, topic="arn:aws:sns:us-east-1:111111111111:ops"),
            "Topic: arn:aws:sns:us-east-1:111111111111:ops is in us-east-1, the alarm in "
            "eu-west-1; CloudWatch alarms notify only topics of their own region, so give one in "
            "eu-west-1",
        ),
        "two failovers of one pair in a stack": (
            lambda stack: [a_failover(stack), a_failover(stack, "Second")],
            TWO_FAILOVERS,
        ),
        "two failovers of one pair without alarms": (
            lambda stack: [
                a_failover(stack, each, blue=WITHOUT_INSTANCE, failover_on=["endpoint"])
                for each in ("First", "Second")
            ],
            TWO_FAILOVERS,
        ),
    },
)
def test_what_can_not_work_is_refused_with_the_name_of_the_argument(
    build: Callable[[Stack], object], message: str, stack: Stack
) -> None:
    with refused(message):
        build(stack)


def test_a_single_signal_needs_no_list(stack: Stack) -> None:
    assert len(a_failover(stack, failover_on=StatusSignal()).signal_health_checks) == 1
