"""Health checks and the alarms that they follow are read from templates, or refused."""

from collections.abc import Mapping, Sequence
from typing import Any

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
    Data,
    changed,
    edited,
    hand_written,
    refusal,
)
from tests.support import example, synthesize

ENDPOINT, CALCULATED = "EndpointCheck.HealthCheckConfig", "Both.HealthCheckConfig"


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
