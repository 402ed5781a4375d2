"""Templates are followed from records to signals, whoever made them, or refused with the reason."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from resiliency.failover_model.alarm_evaluation import Missing
from resiliency.failover_model.expressions import TemplateError
from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.graph import (
    AlarmCheck,
    BasicHealthCheck,
    CalculatedCheck,
    EndpointCheck,
    Metric,
)
from resiliency.failover_model.route53 import InsufficientData
from resiliency.failover_model.simulation import failover_times
from resiliency.failover_model.template_reader import read_graph
from tests.cases import cases
from tests.resiliency.failover_model.support import Data, edited, hand_written
from tests.support import Template, example, synthesize


def deciding(templates: Mapping[str, Any]) -> Sequence[BasicHealthCheck]:
    """The health checks that decide about the one pair."""
    return read_graph(templates).pairs[0].primary.checks


def test_the_example_is_one_signal_that_decides_about_one_pair(
    example_templates: Mapping[str, Template],
) -> None:
    graph = read_graph(example_templates)
    (pair,) = graph.pairs
    assert (pair.name, pair.record_type) == ("bookstore.pingpublications.com", "A")
    assert pair.primary.values == ("54.213.54.171",)
    assert pair.secondary.values == ("52.11.79.9",)
    assert pair.primary.ttl_seconds == 60
    check = pair.primary.health_check
    assert isinstance(check, AlarmCheck)
    assert check.insufficient_data is InsufficientData.UNHEALTHY
    assert check.alarm.metric == Metric(
        "AWS/EC2", "StatusCheckFailed", (("InstanceId", "i-0ab55a49288f1da24"),)
    )
    assert check.alarm.missing is Missing.BREACHING
    assert pair.secondary.health_check is None
    assert len([alarm for alarm in graph.alarms if "-drill" not in str(alarm.name)]) == 8
    assert len(graph.alarms) == 13


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


def test_a_pair_of_both_address_families_is_two_pairs() -> None:
    def both(environment: Data) -> None:
        for color, number in (("blue", 1), ("green", 2)):
            environment["hosts"][color]["ipv6_address"] = f"2600:1f14::{number}"

    pairs = read_graph(synthesize([example(both)])).pairs
    assert [pair.record_type for pair in pairs] == ["A", "AAAA"]


def test_single_records_with_references_of_several_kinds_are_followed() -> None:
    (pair,) = read_graph({"site": hand_written()}).pairs
    assert pair.name == "shop.example.com"
    assert pair.primary.ttl_seconds == 30
    check = pair.primary.health_check
    assert isinstance(check, CalculatedCheck)
    status, endpoint = check.children
    assert isinstance(status, AlarmCheck)
    assert status.alarm.metric.dimensions == (("InstanceId", "${Instance}"),)
    assert status.alarm.datapoints_to_alarm == 3
    assert status.insufficient_data is InsufficientData.LAST_KNOWN_STATUS
    assert endpoint == EndpointCheck("EndpointCheck", "TCP", "192.0.2.1", 10, 2)


def test_defaults_of_health_checks_are_route_53s() -> None:
    def plain(resources: Data) -> None:
        config = {"Type": "HTTPS", "FullyQualifiedDomainName": "blue.example.com"}
        resources["EndpointCheck"]["Properties"]["HealthCheckConfig"] = config

    assert deciding(edited(plain))[1] == EndpointCheck(
        "EndpointCheck", "HTTPS", "blue.example.com", 30, 3
    )


@cases(
    ("given", "named"),
    {
        "text": ("a-b", "a-b"),
        "Sub": ({"Fn::Sub": "${AWS::StackName}-b"}, {"Fn::Sub": "${AWS::StackName}-b"}),
        "Join and Sub that say the same": (
            {"Fn::Join": ["-", [{"Ref": "Instance"}, "b"]]},
            {"Fn::Sub": "${Instance}-b"},
        ),
        "a parameter's default": ({"Fn::Sub": "${Ttl}-b"}, "30-b"),
        "a reference to a named alarm": ("a-b", {"Ref": "Status"}),
        "Sub with variables and a literal": (
            {"Fn::Sub": ["${Color}-${Instance}-${!x}", {"Color": "a"}]},
            {"Fn::Join": ["-", ["a", {"Ref": "Instance"}, "${x}"]]},
        ),
    },
)
def test_an_alarm_is_found_by_its_name_however_it_is_written(given: Any, named: Any) -> None:
    def rename(resources: Data) -> None:
        resources["Status"]["Properties"]["AlarmName"] = given
        config = resources["StatusCheck"]["Properties"]["HealthCheckConfig"]
        config["AlarmIdentifier"]["Name"] = named

    assert len(deciding(edited(rename))) == 2


NOTHING = {"Ref": "AWS::NoValue"}


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


def test_what_refers_to_no_value_is_not_there() -> None:
    def absent(resources: Data) -> None:
        resources["Status"]["Properties"] |= {"TreatMissingData": NOTHING, "Metrics": NOTHING}
        config = resources["StatusCheck"]["Properties"]["HealthCheckConfig"]
        config |= {"InsufficientDataHealthStatus": NOTHING, "Inverted": NOTHING}
        resources["Www"]["Properties"]["Failover"] = NOTHING

    assert read_graph(edited(absent)) == read_graph({"site": hand_written()})


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

    read_graph(edited(twice))  # a reference says which
    named = edited(twice)
    named["site"]["Resources"]["StatusCheck"]["Properties"]["HealthCheckConfig"]["AlarmIdentifier"][
        "Name"
    ] = "a-b"
    assert refusal(named) == (
        "site: StatusCheck: HealthCheckConfig: AlarmIdentifier: a-b: is the name of several alarms "
        "(site: Status, site: Again)"
    )


def test_what_another_template_exports_is_followed() -> None:
    template = hand_written()
    records = {name: template["Resources"].pop(name) for name in ("First", "Second")}
    template["Outputs"] = {"Id": {"Value": {"Ref": "Both"}, "Export": {"Name": "health"}}}
    records["First"]["Properties"]["HealthCheckId"] = {"Fn::ImportValue": "health"}
    records["First"]["Properties"]["TTL"] = 30
    assert len(deciding({"records": {"Resources": records}, "checks": template})) == 2


def test_an_output_that_another_template_reads_is_followed() -> None:
    template = hand_written()
    records = {name: template["Resources"].pop(name) for name in ("First", "Second")}
    template["Outputs"] = {"Id": {"Value": {"Ref": "Both"}}}
    output = {"StackName": "checks", "OutputName": "Id", "Region": "eu-west-1"}
    records["First"]["Properties"]["HealthCheckId"] = {"Fn::GetStackOutput": output}
    records["First"]["Properties"]["TTL"] = 30
    templates = {"records": {"Resources": records}, "checks": template}
    assert len(deciding(templates)) == 2
    output["OutputName"] = "Other"
    assert refusal(templates).endswith(
        "HealthCheckId: reads the output 'Other' of the stack 'checks', which none of the "
        "templates has; also give the template of that stack"
    )


def test_an_alias_has_the_lifetime_of_a_load_balancers_records() -> None:
    def alias(resources: Data) -> None:
        for name in ("First", "Second"):
            del resources[name]["Properties"]["ResourceRecords"]
            resources[name]["Properties"]["AliasTarget"] = {
                "DNSName": f"{name}.elb.example.com",
                "HostedZoneId": "Z2",
                "EvaluateTargetHealth": True,
            }

    pair = read_graph(edited(alias)).pairs[0]
    assert pair.primary.ttl_seconds == 60
    assert pair.primary.values == ("First.elb.example.com",)
    assert pair.primary.evaluates_target


def test_a_health_check_that_two_count_is_read_once_and_counted_once_below_both() -> None:
    def twice(resources: Data) -> None:
        config = resources["Both"]["Properties"]["HealthCheckConfig"]
        config["ChildHealthChecks"].append({"Ref": "StatusCheck"})

    assert len(deciding(edited(twice))) == 2


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


def _set(resource: str, *path: str, to: Any) -> Callable[[Data], None]:
    def edit(resources: Data) -> None:
        place = resources[resource]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return edit


def _drop(resource: str, *path: str) -> Callable[[Data], None]:
    def edit(resources: Data) -> None:
        if not path:
            del resources[resource]
            return
        place = resources[resource]
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return edit


def _nested(resources: Data) -> None:
    config = {"Type": "CALCULATED", "ChildHealthChecks": [{"Ref": "Both"}], "HealthThreshold": 1}
    resources["Outer"] = {
        "Type": "AWS::Route53::HealthCheck",
        "Properties": {"HealthCheckConfig": config},
    }
    resources["First"]["Properties"]["HealthCheckId"] = {"Ref": "Outer"}


def _own_record(resources: Data) -> None:
    config = resources["EndpointCheck"]["Properties"]["HealthCheckConfig"]
    del config["IPAddress"]
    config["FullyQualifiedDomainName"] = "Shop.example.com."


P, C = "Properties", "HealthCheckConfig"

REFUSED = {
    "no record of a pair": (
        lambda resources: (resources.pop("First"), resources.pop("Second")),
        "site: no failover records there; give the templates that define the pair",
    ),
    "no secondary": (
        _drop("Second"),
        "shop.example.com A: has no SECONDARY record; give the template that defines it too",
    ),
    "two primaries": (
        _set("Second", P, "Failover", to="PRIMARY"),
        "site: Second: is a second PRIMARY of shop.example.com A; a pair has one",
    ),
    "a role that is none": (
        _set("Second", P, "Failover", to="STANDBY"),
        "site: Second: Failover: 'STANDBY' is not among PRIMARY, SECONDARY",
    ),
    "no zone": (_drop("First", P, "HostedZoneId"), "site: First: names no hosted zone"),
    "no name": (_drop("First", P, "Name"), "site: First: Name: is missing"),
    "no values": (
        _drop("First", P, "ResourceRecords"),
        "site: First: ResourceRecords: is no list of values",
    ),
    "no TTL": (_drop("First", P, "TTL"), "site: First: TTL: is missing"),
    "a TTL in words": (
        _set("First", P, "TTL", to="soon"),
        "site: First: TTL: 'soon' is no number known before the deployment",
    ),
    "half a second of TTL": (
        _set("First", P, "TTL", to=0.5),
        "site: First: TTL: 0.5 is no whole number from 0 on",
    ),
    "an endless TTL": (
        _set("First", P, "TTL", to="inf"),
        "site: First: TTL: inf is no whole number from 0 on",
    ),
    "a TTL that only the deployment knows": (
        _set("First", P, "TTL", to={"Ref": "Instance"}),
        "site: First: TTL: '${Instance}' is no number known before the deployment",
    ),
    "a condition in a value": (
        _set("First", P, "TTL", to={"Fn::If": ["Fast", 10, 60]}),
        "site: First: TTL: depends on a condition, which only the deployment knows; "
        "`resiliency timing --parameter NAME=VALUE` gives a parameter's value",
    ),
    "a record on condition": (
        _set("First", "Condition", to="Fast"),
        "site: First: has the condition Fast, which only the deployment knows; "
        "`resiliency timing --parameter NAME=VALUE` gives a parameter's value",
    ),
    "a health check of somewhere else": (
        _set("First", P, "HealthCheckId", to="abcdef11-2222-3333-4444-555555fedcba"),
        "site: First: HealthCheckId: names a health check that none of the templates "
        "defines; also give the template that defines it",
    ),
    "a health check that is another thing": (
        _set("First", P, "HealthCheckId", to={"Ref": "Status"}),
        "site: First: HealthCheckId: names a health check that none of the templates "
        "defines; also give the template that defines it",
    ),
    "an import from nowhere": (
        _set("First", P, "HealthCheckId", to={"Fn::ImportValue": "health"}),
        "site: First: HealthCheckId: imports 'health', which none of the templates "
        "exports; also give the template that exports it",
    ),
    "a function that is not followed": (
        _set("First", P, "HealthCheckId", to={"Fn::FindInMap": ["A", "B", "C"]}),
        "site: First: HealthCheckId: Fn::FindInMap: there is no A; "
        "`resiliency timing --parameter NAME=VALUE` gives a parameter's value",
    ),
    "another function that is not followed": (
        _set("First", P, "HealthCheckId", to={"Fn::Select": [0, ["A", "B"]]}),
        "site: First: HealthCheckId: uses Fn::Select in a way that is not followed here",
    ),
    "an interval that Route 53 refuses": (
        _set("EndpointCheck", P, C, "RequestInterval", to=20),
        "site: EndpointCheck: HealthCheckConfig: RequestInterval: Route 53 refuses 20; allowed: "
        "10 or 30",
    ),
    "a threshold that Route 53 refuses": (
        _set("EndpointCheck", P, C, "FailureThreshold", to=11),
        "site: EndpointCheck: HealthCheckConfig: FailureThreshold: AWS refuses 11; allowed: 1 to "
        "10",
    ),
    "two regions of health checkers": (
        _set("EndpointCheck", P, C, "Regions", to=["us-east-1", "eu-west-1"]),
        "site: EndpointCheck: HealthCheckConfig: Regions: Route 53 refuses 2; give 3 or more",
    ),
    "an address that no health checker reaches": (
        _set("EndpointCheck", P, C, "IPAddress", to="10.0.0.1"),
        "site: EndpointCheck: HealthCheckConfig: IPAddress: Route 53 refuses 10.0.0.1, as its "
        "health checkers can't reach it over the internet",
    ),
    "calculated health checks in one another": (
        _nested,
        "site: Outer: HealthCheckConfig: ChildHealthChecks: Both is calculated itself, which "
        "Route 53 refuses; name the health checks that it counts",
    ),
    "a check of the record's own name": (
        _own_record,
        "shop.example.com A: EndpointCheck of the PRIMARY record checks the record's own name, "
        "for which AWS calls the results unpredictable; check the host's address or a name of "
        "its own",
    ),
    "a list for a text": (
        _set("First", P, "HealthCheckId", to=["Both"]),
        "site: First: HealthCheckId: is neither text nor number nor a reference, but list",
    ),
    "a health check without a configuration": (
        _drop("Both", P, C),
        "site: Both: HealthCheckConfig: is missing",
    ),
    "a kind that is not modelled": (
        _set("EndpointCheck", P, C, "Type", to="RECOVERY_CONTROL"),
        "site: EndpointCheck: HealthCheckConfig: Type: RECOVERY_CONTROL health checks are "
        "not modelled",
    ),
    "a calculated one without children": (
        _drop("Both", P, C, "ChildHealthChecks"),
        "site: Both: HealthCheckConfig: ChildHealthChecks: is no list of health checks",
    ),
    "a calculated one that counts itself": (
        _set("Both", P, C, "ChildHealthChecks", to=[{"Ref": "Both"}]),
        "site: Both: HealthCheckConfig: ChildHealthChecks[0]: a calculated health check "
        "counts itself",
    ),
    "a child of somewhere else": (
        _set("Both", P, C, "ChildHealthChecks", to=[{"Ref": "Gone"}]),
        "site: Both: HealthCheckConfig: ChildHealthChecks[0]: names a health check that "
        "none of the templates defines; also give the template that defines it",
    ),
    "no threshold": (
        _drop("Both", P, C, "HealthThreshold"),
        "site: Both: HealthCheckConfig: HealthThreshold: is missing",
    ),
    "an endpoint without an address": (
        _drop("EndpointCheck", P, C, "IPAddress"),
        "site: EndpointCheck: HealthCheckConfig: FullyQualifiedDomainName: is missing",
    ),
    "an interval of nothing": (
        _set("EndpointCheck", P, C, "RequestInterval", to=0),
        "site: EndpointCheck: HealthCheckConfig: RequestInterval: 0 is no whole number from 1 on",
    ),
    "a flag that is none": (
        _set("EndpointCheck", P, C, "Inverted", to="perhaps"),
        "site: EndpointCheck: HealthCheckConfig: Inverted: 'perhaps' is not among false, true",
    ),
    "no alarm named": (
        _drop("StatusCheck", P, C, "AlarmIdentifier"),
        "site: StatusCheck: HealthCheckConfig: AlarmIdentifier: is missing",
    ),
    "an alarm of somewhere else": (
        _set("StatusCheck", P, C, "AlarmIdentifier", "Name", to="other"),
        "site: StatusCheck: HealthCheckConfig: AlarmIdentifier: other: is an alarm that "
        "none of the templates defines; also give the template that defines it",
    ),
    "a composite alarm": (
        lambda resources: (
            resources.update(Any={"Type": "AWS::CloudWatch::CompositeAlarm", P: {}}),
            _set("StatusCheck", P, C, "AlarmIdentifier", "Name", to={"Ref": "Any"})(resources),
        ),
        "site: StatusCheck: HealthCheckConfig: AlarmIdentifier: ${Any}: is a composite alarm, "
        "which Route 53 can't follow",
    ),
    "an alarm of another region": (
        _set("Status", P, "AlarmActions", to=["arn:aws:sns:us-east-1:123456789012:Oncall"]),
        "site: StatusCheck: HealthCheckConfig: AlarmIdentifier: Region: is eu-west-1, but the "
        "alarm's topics are in us-east-1, and so is it",
    ),
    "a status for too little data that is none": (
        _set("StatusCheck", P, C, "InsufficientDataHealthStatus", to="Ill"),
        "site: StatusCheck: HealthCheckConfig: InsufficientDataHealthStatus: 'Ill' is not "
        "among Healthy, Unhealthy, LastKnownStatus",
    ),
    "M out of N": (
        _set("Status", P, "DatapointsToAlarm", to=2),
        "site: StatusCheck: HealthCheckConfig: AlarmIdentifier: ${Status}: is an M out of "
        "N alarm (2 of 3), which Route 53 can't follow",
    ),
    "high resolution": (
        _set("Status", P, "Period", to=10),
        "site: StatusCheck: HealthCheckConfig: AlarmIdentifier: ${Status}: has periods of "
        "10 s; Route 53 can't follow any under 60 s",
    ),
    "a period of a minute and a half": (
        _set("Status", P, "Period", to=90),
        "site: Status: Period: 90 is no multiple of 60",
    ),
    "a window that CloudWatch refuses": (
        _set("Status", P, "EvaluationPeriods", to=1441),
        "site: Status: looks back over 1441 periods of 60 s; CloudWatch allows 86400 s in all for "
        "periods of that length",
    ),
    "a window of more than a week": (
        lambda resources: resources["Status"][P].update(Period=86_400, EvaluationPeriods=8),
        "site: Status: looks back over 8 periods of 86400 s; CloudWatch allows 604800 s in all for "
        "periods of that length",
    ),
    "metric math": (
        _set("Status", P, "Metrics", to=[]),
        "site: Status: Metrics: metric math, which Route 53 can't follow",
    ),
    "a percentile": (
        _set("Status", P, "ExtendedStatistic", to="p99"),
        "site: Status: ExtendedStatistic: a percentile or another extended statistic, "
        "which Route 53 can't follow",
    ),
    "no statistic": (_drop("Status", P, "Statistic"), "site: Status: Statistic: is missing"),
    "a comparison that is none": (
        _set("Status", P, "ComparisonOperator", to="Above"),
        "site: Status: ComparisonOperator: 'Above' is not among "
        "GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanOrEqualToThreshold, "
        "LessThanThreshold",
    ),
    "no threshold of an alarm": (
        _drop("Status", P, "Threshold"),
        "site: Status: Threshold: is missing",
    ),
    "dimensions that are no list": (
        _set("Status", P, "Dimensions", to={"InstanceId": "i-1"}),
        "site: Status: Dimensions: is no list",
    ),
    "a dimension that is none": (
        _set("Status", P, "Dimensions", to=["InstanceId"]),
        "site: Status: Dimensions[0]: is no object",
    ),
    "a treatment of missing data that is none": (
        _set("Status", P, "TreatMissingData", to="bad"),
        "site: Status: TreatMissingData: 'bad' is not among missing, ignore, breaching, "
        "notBreaching",
    ),
    "properties that are none": (_set("First", P, to=[]), "site: First: Properties: is no object"),
}


def refusal(templates: Mapping[str, Any]) -> str:
    """Why templates are refused."""
    with pytest.raises(TemplateError) as raised:
        read_graph(templates)
    return str(raised.value)


@cases(("edit", "message"), REFUSED)
def test_what_can_not_be_followed_is_refused_with_its_place_and_reason(
    edit: Callable[[Data], object], message: str
) -> None:
    assert refusal(edited(edit)) == message


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ([], "site: is no template: it is not an object"),
        ({}, "site: is no template: it has no Resources"),
        ({"Resources": []}, "site: Resources: is no object of objects"),
        ({"Resources": {"A": "b"}}, "site: Resources: A: is no object, but str"),
        ({"Resources": {"A": None}}, "site: Resources: A: is empty"),
        (
            {"Resources": {"Fn::ForEach::Hosts": ["Host", ["a"], {}]}},
            "site: Resources: Fn::ForEach::Hosts: is not followed here; give the template that "
            "CloudFormation makes of it (aws cloudformation get-template --template-stage "
            "Processed)",
        ),
        (
            {"Resources": {"R": {"Type": "AWS::Route53::RecordSetGroup"}}},
            "site: R: RecordSets: is no list of records",
        ),
        (
            {"Resources": {"R": {"Type": "x"}}, "Outputs": {"O": {"Export": {"Name": []}}}},
            "site: Outputs: Export: is neither text nor number nor a reference, but list",
        ),
    ],
)
def test_what_is_no_template_is_refused(template: Any, message: str) -> None:
    assert refusal({"site": template}) == message


def _own_name(resources: Data) -> None:
    resources["Status"]["Properties"]["AlarmName"] = {"Ref": "Status"}


def _deep(resources: Data) -> None:
    value: Any = "x"
    for _ in range(5_000):
        value = {"Fn::Join": ["", [value]]}
    resources["First"]["Properties"]["Name"] = value


@pytest.mark.parametrize("edit", [_own_name, _deep])
def test_what_refers_to_itself_or_has_no_end_is_refused(edit: Callable[[Data], None]) -> None:
    assert refusal(edited(edit)) == "site: a value refers to itself, or is nested too deeply"


def test_an_export_that_imports_itself_is_refused() -> None:
    template = hand_written()
    import_it = {"Fn::ImportValue": "health"}
    template["Outputs"] = {"Id": {"Value": import_it, "Export": {"Name": "health"}}}
    template["Resources"]["First"]["Properties"]["HealthCheckId"] = import_it
    with pytest.raises(TemplateError, match="refers to itself"):
        read_graph({"site": template})


def test_regions_change_the_number_of_health_checkers() -> None:
    few = edited(_set("EndpointCheck", P, C, "Regions", to=["us-east-1", "eu-west-1", "a"]))
    assert [each.regions for each in deciding(few) if isinstance(each, EndpointCheck)]


def conditional(stage: str) -> Data:
    """A template as for several stages: conditions, mappings, and a value that is not there."""
    template = hand_written()
    template["Parameters"]["Stage"] = {"Type": "String", "Default": stage}
    template["Mappings"] = {"Times": {"production": {"Ttl": "10"}, "test": {"Ttl": "300"}}}
    template["Conditions"] = {
        "Production": {"Fn::Equals": [{"Ref": "Stage"}, "production"]},
        "Never": {
            "Fn::And": [{"Condition": "Production"}, {"Fn::Not": [{"Condition": "Production"}]}]
        },
        "Either": {"Fn::Or": [{"Condition": "Never"}, {"Condition": "Production"}]},
        "Unknown": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
    }
    resources = template["Resources"]
    first = resources["First"]
    first["Condition"] = "Either"
    zone = {"Fn::If": ["Unknown", "Z1", {"Ref": "Instance"}]}
    for name in ("First", "Second"):
        resources[name]["Properties"]["HostedZoneId"] = zone
    first["Properties"]["TTL"] = {"Fn::FindInMap": ["Times", {"Ref": "Stage"}, "Ttl"]}
    first["Properties"]["ResourceRecords"] = [
        "192.0.2.1",
        {"Fn::If": ["Never", "192.0.2.7", {"Ref": "AWS::NoValue"}]},
    ]
    resources["Status"]["Properties"]["EvaluationPeriods"] = {"Fn::If": ["Production", 3, 1]}
    resources["Twice"] = copy.deepcopy(first) | {"Condition": "Never"}
    return template


def test_conditions_and_mappings_are_followed_where_parameters_decide_them() -> None:
    pair = read_graph({"site": conditional("production")}).pairs[0]
    assert pair.primary.ttl_seconds == 10
    assert pair.primary.values == ("192.0.2.1",)
    (status, _) = pair.primary.checks
    assert isinstance(status, AlarmCheck)
    assert status.alarm.evaluation_periods == 3


def test_a_parameter_that_is_given_replaces_its_default() -> None:
    template = {"site": conditional("test")}
    with pytest.raises(TemplateError, match="has no PRIMARY record"):
        read_graph(template)
    (pair,) = read_graph(template, {"Stage": "production"}).pairs
    assert pair.primary.ttl_seconds == 10


def test_a_condition_on_what_only_the_deployment_knows_is_given_as_a_parameter() -> None:
    template = conditional("production")
    template["Resources"]["Status"]["Condition"] = "Unknown"
    with pytest.raises(TemplateError, match="has the condition Unknown, which only the deployment"):
        read_graph({"site": template})
    assert read_graph({"site": template}, {"AWS::Region": "eu-west-1"}).pairs


def test_a_pair_that_can_not_be_read_does_not_hide_the_others() -> None:
    template = hand_written()
    resources = template["Resources"]
    for name in ("First", "Second"):
        record = copy.deepcopy(resources[name])
        record["Properties"]["Name"] = "books.example.com"
        resources[f"Books{name}"] = record
    resources["BooksFirst"]["Properties"]["TTL"] = 0.5
    graph = read_graph({"site": template})
    assert [pair.name for pair in graph.pairs] == ["shop.example.com"]
    (refused,) = graph.refused
    assert (refused.name, refused.record_type) == ("books.example.com", "A")
    assert refused.reason == "site: BooksFirst: TTL: 0.5 is no whole number from 0 on"


def balanced(**group: object) -> Mapping[str, Data]:
    """A pair of aliases to load balancers, of which the template has the primary's."""
    template = hand_written()
    resources = template["Resources"]
    elb = "AWS::ElasticLoadBalancingV2"
    resources["Balancer"] = {"Type": f"{elb}::LoadBalancer", "Properties": {}}
    resources["Group"] = {
        "Type": f"{elb}::TargetGroup",
        "Properties": {"Protocol": "HTTP", "Port": 80, **group},
    }
    resources["Listener"] = {
        "Type": f"{elb}::Listener",
        "Properties": {
            "LoadBalancerArn": {"Ref": "Balancer"},
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}],
        },
    }
    name: Any = {"Fn::Join": ["", ["dualstack.", {"Fn::GetAtt": ["Balancer", "DNSName"]}]]}
    for role, target in (("First", name), ("Second", "green.elb.amazonaws.com")):
        properties = resources[role]["Properties"]
        for key in ("TTL", "ResourceRecords", "HealthCheckId"):
            properties.pop(key, None)
        properties["AliasTarget"] = {
            "DNSName": target,
            "HostedZoneId": "Z1H1FL5HABSF5",
            "EvaluateTargetHealth": True,
        }
    return {"site": template}


def test_a_pair_that_its_targets_health_decides_is_read_from_the_target_group() -> None:
    (pair,) = read_graph(balanced(HealthCheckIntervalSeconds=10)).pairs
    target = "dualstack.${Balancer.DNSName}"
    assert pair.primary.health_check == EndpointCheck(
        "Group", "HTTP", target, 10, 2, timeout_seconds=5
    )
    assert not pair.primary.evaluates_target
    assert pair.secondary.evaluates_target
    verdicts = failover_times(read_graph(balanced()), outages=200)
    moved = {str(each.fault): each.total for each in verdicts if each.total is not None}
    assert list(moved) == ["host stopped", "host impaired", "endpoint dead", "endpoint hangs"]
    # One more check 30 s after the first; Route 53, its servers and caches may take 120 s.
    assert 30 < moved["endpoint dead"].best < moved["endpoint dead"].worst < 30 + 30 + 120


def in_two_templates(zone: object) -> dict[str, Template]:
    """The pair, with the secondary in a template of its own that names the zone otherwise."""
    template = hand_written()
    secondary = template["Resources"].pop("Second")
    secondary["Properties"]["HostedZoneId"] = zone
    template["Resources"]["First"]["Properties"]["HostedZoneId"] = {"Ref": "Zone"}
    template["Resources"]["Zone"] = {"Type": "AWS::Route53::HostedZone", "Properties": {}}
    parameters = {"HostedZoneId": {"Type": "String"}}
    other = {"Resources": {"Second": secondary}, "Parameters": parameters}
    return {"far": other, "near": template}


@pytest.mark.parametrize("zone", [{"Ref": "HostedZoneId"}, "Z2EHK3FAEUNRMI"])
def test_a_pair_of_two_regions_whose_templates_name_the_zone_differently_is_one(
    zone: object,
) -> None:
    (pair,) = read_graph(in_two_templates(zone)).pairs
    assert (pair.name, pair.secondary.values) == ("shop.example.com", ("192.0.2.2",))


def test_two_zones_that_are_known_to_differ_make_no_pair() -> None:
    templates = in_two_templates("Z2EHK3FAEUNRMI")
    templates["near"]["Resources"]["First"]["Properties"]["HostedZoneId"] = "Z1H1FL5HABSF5"
    with pytest.raises(TemplateError, match=r"has no (PRIMARY|SECONDARY) record"):
        read_graph(templates)


def test_one_template_that_is_deployed_in_two_regions_is_a_pair_of_two_hosts() -> None:
    regions = {}
    for stack, role in (("near", "First"), ("far", "Second")):
        template = balanced()["site"]
        resources = template["Resources"]
        failover = resources[role]["Properties"]["Failover"]
        for other in ("First", "Second"):
            resources.pop(other)
        check = {
            "Type": "HTTP",
            "FullyQualifiedDomainName": {"Fn::GetAtt": ["Balancer", "DNSName"]},
        }
        resources["Check"] = {
            "Type": "AWS::Route53::HealthCheck",
            "Properties": {"HealthCheckConfig": check},
        }
        resources["Record"] = {
            "Type": "AWS::Route53::RecordSet",
            "Properties": {
                **{"HostedZoneId": "Z1", "Name": "shop.example.com", "Type": "A"},
                **{"SetIdentifier": role, "Failover": failover, "HealthCheckId": {"Ref": "Check"}},
                "AliasTarget": {
                    "DNSName": {"Fn::GetAtt": ["Balancer", "DNSName"]},
                    "HostedZoneId": "Z1H1FL5HABSF5",
                    "EvaluateTargetHealth": True,
                },
            },
        }
        regions[stack] = template
    dead = [Fault(FaultKind.ENDPOINT_DEAD)]
    graph = read_graph(regions)
    (verdict,) = failover_times(graph, outages=10, only=dead)
    assert verdict.moved == 10
    (pair,) = graph.pairs
    labels = [[each.label for each in record.checks] for record in (pair.primary, pair.secondary)]
    assert labels == [["Check", "Group"], ["Check (far)", "Group (far)"]]


def test_no_message_is_promised_where_the_health_of_targets_decides() -> None:
    dead = [Fault(FaultKind.ENDPOINT_DEAD)]
    (verdict,) = failover_times(read_graph(balanced()), outages=10, only=dead)
    assert verdict.total is not None
    assert verdict.message is None


def test_a_classic_load_balancer_is_followed_where_it_has_a_health_check() -> None:
    templates = balanced()
    resources = templates["site"]["Resources"]
    check = {
        "Target": "HTTP:80/health",
        "Interval": "10",
        "UnhealthyThreshold": "3",
        "Timeout": "4",
    }
    properties: Data = {"HealthCheck": {**check, "HealthyThreshold": "2"}}
    resources["Balancer"] = {
        "Type": "AWS::ElasticLoadBalancing::LoadBalancer",
        "Properties": properties,
    }
    del resources["Listener"]
    (pair,) = read_graph(templates).pairs
    assert pair.primary.health_check == EndpointCheck(
        "Balancer", "HTTP", "dualstack.${Balancer.DNSName}", 10, 3, timeout_seconds=4
    )
    assert not pair.primary.evaluates_target
    del properties["HealthCheck"]
    (pair,) = read_graph(templates).pairs
    assert pair.primary.evaluates_target


@pytest.mark.parametrize(
    ("group", "kind", "timeout"),
    [
        ({"Protocol": "TCP"}, "TCP", 10),
        ({"Protocol": "TCP", "HealthCheckProtocol": "HTTP"}, "HTTP", 6),
        ({"HealthCheckTimeoutSeconds": 3}, "HTTP", 3),
    ],
)
def test_defaults_of_target_groups_are_those_of_elastic_load_balancing(
    group: Data, kind: str, timeout: int
) -> None:
    check = read_graph(balanced(**group)).pairs[0].primary.health_check
    assert isinstance(check, EndpointCheck)
    assert (check.kind, check.timeout_seconds) == (kind, timeout)


def test_the_records_own_health_check_decides_too() -> None:
    template = balanced()
    template["site"]["Resources"]["First"]["Properties"]["HealthCheckId"] = {"Ref": "StatusCheck"}
    (pair,) = read_graph(template).pairs
    assert isinstance(pair.primary.health_check, CalculatedCheck)
    labels = [each.label for each in pair.primary.checks]
    assert labels == ["StatusCheck", "Group"]
    assert pair.primary.health_check.threshold == 2
