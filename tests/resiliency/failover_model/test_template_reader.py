"""Pairs of failover records are read from templates, whoever made them, or refused."""

import copy
from collections.abc import Mapping
from pathlib import Path

import pytest

from resiliency.failover_model.alarm_evaluation import Missing
from resiliency.failover_model.graph import AlarmCheck, CalculatedCheck, EndpointCheck, Metric
from resiliency.failover_model.route53 import InsufficientData
from resiliency.failover_model.template_files import parse_template
from resiliency.failover_model.template_reader import read_graph
from tests.resiliency.failover_model.support import PAIR, Data, edited, hand_written, refusal
from tests.resiliency.service_file.bad_input.cases import Case, cases_of
from tests.support import Template, example, synthesize


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


def test_a_pair_that_can_not_be_read_does_not_hide_the_others() -> None:
    def two_pairs(resources: Data) -> None:
        for name in ("First", "Second"):
            resources[f"Books{name}"] = copy.deepcopy(resources[name])
            resources[f"Books{name}"]["Properties"]["Name"] = "books.example.com"
        resources["BooksFirst"]["Properties"]["TTL"] = 0.5

    graph = read_graph(edited(two_pairs))
    assert [pair.name for pair in graph.pairs] == ["shop.example.com"]
    (refused,) = graph.refused
    assert (refused.name, refused.record_type) == ("books.example.com", "A")
    assert refused.reason == "site: BooksFirst: TTL: 0.5 is no whole number from 0 on"


def in_two_templates(zone: object) -> dict[str, Template]:
    """The pair, with the secondary in a template of its own that names the zone otherwise."""
    template = hand_written()
    secondary = template["Resources"].pop("Second")
    secondary["Properties"]["HostedZoneId"] = zone
    template["Resources"]["First"]["Properties"]["HostedZoneId"] = {"Ref": "Zone"}
    template["Resources"]["Zone"] = {"Type": "AWS::Route53::HostedZone", "Properties": {}}
    parameters = {"HostedZoneId": {"Type": "String"}}
    return {"far": {"Resources": {"Second": secondary}, "Parameters": parameters}, "near": template}


@pytest.mark.parametrize("zone", [{"Ref": "HostedZoneId"}, "Z2EHK3FAEUNRMI"])
def test_a_pair_of_two_regions_whose_templates_name_the_zone_differently_is_one(
    zone: object,
) -> None:
    (pair,) = read_graph(in_two_templates(zone)).pairs
    assert (pair.name, pair.secondary.values) == ("shop.example.com", ("192.0.2.2",))


def test_two_zones_that_are_known_to_differ_make_no_pair() -> None:
    templates = in_two_templates("Z2EHK3FAEUNRMI")
    templates["near"]["Resources"]["First"]["Properties"]["HostedZoneId"] = "Z1H1FL5HABSF5"
    assert "shop.example.com A: has no PRIMARY record" in refusal(templates)


REFUSED = cases_of(Path(__file__).parent / "tables" / "refused_templates.txt", PAIR)


@pytest.mark.parametrize("case", [*REFUSED], ids=lambda case: case.name)
def test_what_can_not_be_followed_is_refused_with_its_place_and_reason(case: Case) -> None:
    assert refusal({"site": parse_template(case.content, "site")}) == "".join(case.problems)


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
def test_what_is_no_template_is_refused(template: object, message: str) -> None:
    assert refusal({"site": template}) == message
