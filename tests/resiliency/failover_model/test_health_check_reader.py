"""Health checks and the alarms that they follow are read from templates, or refused."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from resiliency.failover_model.alarm_evaluation import Missing
from resiliency.failover_model.graph import (
    AlarmCheck,
    BasicHealthCheck,
    CalculatedCheck,
    EndpointCheck,
)
from resiliency.failover_model.route53 import InsufficientData
from resiliency.failover_model.template_reader import read_graph
from tests.resiliency.failover_model.support import (
    GONE,
    Data,
    changed,
    edited,
    hand_written,
    refusal,
)
from tests.support import example, synthesize

STATUS, ENDPOINT = "StatusCheck.HealthCheckConfig", "EndpointCheck.HealthCheckConfig"
CALCULATED = "Both.HealthCheckConfig"


def deciding(templates: Mapping[str, Any]) -> Sequence[BasicHealthCheck]:
    """The health checks that decide about the one pair."""
    return read_graph(templates).pairs[0].primary.checks


def test_all_signals_of_a_service_are_followed_through_the_calculated_health_check() -> None:
    def all_signals(environment: Data) -> None:
        environment["failover_on"] = ["status", "peer", "endpoint", "db"]

    graph = read_graph(synthesize([example(all_signals)]))
    check = graph.pairs[0].primary.health_check
    assert isinstance(check, CalculatedCheck)
    assert check.threshold == 4
    assert [leaf.label for leaf in graph.pairs[0].primary.checks] == [
        "bookstore-api-blue-StatusCheckFailed",
        "bookstore-api-blue-peer-connectivity-failed",
        "bookstore-api-blue-endpoint",
        "bookstore-api-blue-db-connectivity-failed",
    ]


def test_defaults_of_health_checks_are_route_53s() -> None:
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": "blue.example.com"}
    assert deciding(changed(ENDPOINT, config))[1] == EndpointCheck(
        "EndpointCheck", "HTTPS", "blue.example.com", 30, 3
    )


def test_the_regions_of_an_endpoint_check_are_counted() -> None:
    _, endpoint = deciding(changed(f"{ENDPOINT}.Regions", ["us-east-1", "eu-west-1", "a"]))
    assert isinstance(endpoint, EndpointCheck)
    assert endpoint.regions == 3


def test_words_of_a_list_are_followed_where_they_are_parameters() -> None:
    template = hand_written()
    words = {"Comparison": "LessThanThreshold", "Missing": "breaching", "Silence": "Unhealthy"}
    for name, word in words.items():
        template["Parameters"][name] = {"Type": "String", "Default": word}
    alarm = template["Resources"]["Status"]["Properties"]
    alarm |= {"ComparisonOperator": {"Ref": "Comparison"}, "TreatMissingData": {"Ref": "Missing"}}
    config = template["Resources"]["StatusCheck"]["Properties"]["HealthCheckConfig"]
    config["InsufficientDataHealthStatus"] = {"Ref": "Silence"}
    check = deciding({"site": template})[0]
    assert isinstance(check, AlarmCheck)
    assert check.alarm.comparison == "LessThanThreshold"
    assert check.alarm.missing is Missing.BREACHING
    assert check.insufficient_data is InsufficientData.UNHEALTHY


def test_of_alarms_of_one_logical_id_the_health_check_follows_its_own_templates() -> None:
    """Whatever the order of the templates is."""
    other = {"Resources": {"Status": hand_written()["Resources"]["Status"]}}
    other["Resources"]["Status"]["Properties"]["EvaluationPeriods"] = 7
    for templates in (
        {"other": other, "site": hand_written()},
        {"site": hand_written(), "other": other},
    ):
        graph = read_graph(templates)
        check = graph.pairs[0].primary.checks[0]
        assert isinstance(check, AlarmCheck)
        assert check.alarm.evaluation_periods == 3
        assert {alarm.name for alarm in graph.alarms} == {"${site.Status}", "${other.Status}"}


def test_an_alarm_name_that_several_have_is_refused() -> None:
    def twice(resources: Data) -> None:
        resources["Status"]["Properties"]["AlarmName"] = "a-b"
        resources["Again"] = resources["Status"]

    def named(resources: Data) -> None:
        twice(resources)
        config = resources["StatusCheck"]["Properties"]["HealthCheckConfig"]
        config["AlarmIdentifier"]["Name"] = "a-b"

    read_graph(edited(twice))  # a reference says which
    assert refusal(edited(named)) == (
        "site: StatusCheck: HealthCheckConfig: AlarmIdentifier: a-b: is the name of several alarms "
        "(site: Status, site: Again)"
    )


def test_a_health_check_that_two_count_is_read_once_and_counted_once_below_both() -> None:
    children = [{"Ref": each} for each in ("StatusCheck", "EndpointCheck", "StatusCheck")]
    assert len(deciding(changed(f"{CALCULATED}.ChildHealthChecks", children))) == 2


def test_what_decides_nothing_need_not_be_understood() -> None:
    def beside(resources: Data) -> None:
        status = resources.pop("Status")  # to stand behind the others
        resources["Math"] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": []}}
        resources["Cond"] = {
            "Type": "AWS::CloudWatch::Alarm",
            "Condition": "IsProduction",
            "Properties": {"AlarmName": {"Fn::If": ["A", "b", "c"]}},
        }
        resources["Status"] = status
        resources["EndpointCheck"]["Properties"]["HealthCheckTags"] = [
            "no tag",
            {"Key": "Team", "Value": "shop"},
            {"Key": "Name", "Value": {"Ref": "Instance"}},
        ]

    assert [alarm.name for alarm in read_graph(edited(beside)).alarms] == ["${Status}"]


NOT_DEFINED = (
    "names a health check that none of the templates defines; also give the template that defines "
    "it"
)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("First.HealthCheckId", "abcdef11-2222-3333-4444-555555fedcba", NOT_DEFINED),
        ("First.HealthCheckId", {"Ref": "Status"}, NOT_DEFINED),
        (CALCULATED, GONE, "is missing"),
        (f"{ENDPOINT}.Type", "RECOVERY_CONTROL", "RECOVERY_CONTROL health checks are not modelled"),
        (f"{ENDPOINT}.RequestInterval", 20, "Route 53 refuses 20; allowed: 10 or 30"),
        (f"{ENDPOINT}.RequestInterval", 0, "0 is no whole number from 1 on"),
        (f"{ENDPOINT}.FailureThreshold", 11, "AWS refuses 11; allowed: 1 to 10"),
        (f"{ENDPOINT}.Regions", ["us-east-1", "eu-west-1"], "Route 53 refuses 2; give 3 or more"),
        (
            f"{ENDPOINT}.IPAddress",
            "10.0.0.1",
            "Route 53 refuses 10.0.0.1, as its health checkers can't reach it over the internet",
        ),
        (f"{ENDPOINT}.Inverted", "perhaps", "'perhaps' is not among false, true"),
        (f"{CALCULATED}.ChildHealthChecks", GONE, "is no list of health checks"),
        (f"{CALCULATED}.HealthThreshold", GONE, "is missing"),
        (f"{STATUS}.AlarmIdentifier", GONE, "is missing"),
        (
            f"{STATUS}.InsufficientDataHealthStatus",
            "Ill",
            "'Ill' is not among Healthy, Unhealthy, LastKnownStatus",
        ),
        ("Status.Period", 90, "90 is no multiple of 60"),
        ("Status.Metrics", [], "metric math, which Route 53 can't follow"),
        (
            "Status.ExtendedStatistic",
            "p99",
            "a percentile or another extended statistic, which Route 53 can't follow",
        ),
        ("Status.Statistic", GONE, "is missing"),
        (
            "Status.ComparisonOperator",
            "Above",
            "'Above' is not among GreaterThanOrEqualToThreshold, GreaterThanThreshold, "
            "LessThanOrEqualToThreshold, LessThanThreshold",
        ),
        ("Status.Threshold", GONE, "is missing"),
        ("Status.Dimensions", {"InstanceId": "i-1"}, "is no list"),
        (
            "Status.TreatMissingData",
            "bad",
            "'bad' is not among missing, ignore, breaching, notBreaching",
        ),
    ],
)
def test_a_value_of_a_health_check_or_alarm_that_can_not_be_followed_is_refused_at_its_place(
    place: str, value: object, reason: str
) -> None:
    assert refusal(changed(place, value)) == f"site: {place.replace('.', ': ')}: {reason}"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            f"{CALCULATED}.ChildHealthChecks",
            [{"Ref": "Both"}],
            "Both: HealthCheckConfig: ChildHealthChecks[0]: a calculated health check counts "
            "itself",
        ),
        (
            f"{CALCULATED}.ChildHealthChecks",
            [{"Ref": "Gone"}],
            f"Both: HealthCheckConfig: ChildHealthChecks[0]: {NOT_DEFINED}",
        ),
        (
            f"{ENDPOINT}.IPAddress",
            GONE,
            "EndpointCheck: HealthCheckConfig: FullyQualifiedDomainName: is missing",
        ),
        (
            f"{STATUS}.AlarmIdentifier.Name",
            "other",
            "StatusCheck: HealthCheckConfig: AlarmIdentifier: other: is an alarm that none of the "
            "templates defines; also give the template that defines it",
        ),
        (
            "Status.AlarmActions",
            ["arn:aws:sns:us-east-1:123456789012:Oncall"],
            "StatusCheck: HealthCheckConfig: AlarmIdentifier: Region: is eu-west-1, but the "
            "alarm's topics are in us-east-1, and so is it",
        ),
        (
            "Status.DatapointsToAlarm",
            2,
            "StatusCheck: HealthCheckConfig: AlarmIdentifier: ${Status}: is an M out of N alarm "
            "(2 of 3), which Route 53 can't follow",
        ),
        (
            "Status.Period",
            10,
            "StatusCheck: HealthCheckConfig: AlarmIdentifier: ${Status}: has periods of 10 s; "
            "Route 53 can't follow any under 60 s",
        ),
        (
            "Status.EvaluationPeriods",
            1441,
            "Status: looks back over 1441 periods of 60 s; CloudWatch allows 86400 s in all for "
            "periods of that length",
        ),
        (
            "Status.Period",
            302_400,
            "Status: looks back over 3 periods of 302400 s; CloudWatch allows 604800 s in all for "
            "periods of that length",
        ),
        ("Status.Dimensions", ["InstanceId"], "Status: Dimensions[0]: is no object"),
    ],
)
def test_what_a_health_check_can_not_follow_is_refused_where_it_shows(
    place: str, value: object, message: str
) -> None:
    assert refusal(changed(place, value)) == f"site: {message}"


def nested(resources: Data) -> None:
    config = {"Type": "CALCULATED", "ChildHealthChecks": [{"Ref": "Both"}], "HealthThreshold": 1}
    resources["Outer"] = {
        "Type": "AWS::Route53::HealthCheck",
        "Properties": {"HealthCheckConfig": config},
    }
    resources["First"]["Properties"]["HealthCheckId"] = {"Ref": "Outer"}


def composite(resources: Data) -> None:
    resources["Any"] = {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {}}
    config = resources["StatusCheck"]["Properties"]["HealthCheckConfig"]
    config["AlarmIdentifier"]["Name"] = {"Ref": "Any"}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            nested,
            "site: Outer: HealthCheckConfig: ChildHealthChecks: Both is calculated itself, which "
            "Route 53 refuses; name the health checks that it counts",
        ),
        (
            composite,
            "site: StatusCheck: HealthCheckConfig: AlarmIdentifier: ${Any}: is a composite alarm, "
            "which Route 53 can't follow",
        ),
    ],
)
def test_what_route_53_does_not_follow_is_refused(
    edit: Callable[[Data], None], message: str
) -> None:
    assert refusal(edited(edit)) == message
