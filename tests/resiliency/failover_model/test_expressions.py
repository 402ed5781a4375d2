"""References, conditions and mappings of templates are followed, or refused with the reason."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from resiliency.failover_model.expressions import TemplateError
from resiliency.failover_model.graph import AlarmCheck
from resiliency.failover_model.template_reader import read_graph
from tests.cases import cases
from tests.resiliency.failover_model.support import Data, edited, hand_written, refusal

NOTHING = {"Ref": "AWS::NoValue"}


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

    assert len(read_graph(edited(rename)).pairs[0].primary.checks) == 2


def test_what_refers_to_no_value_is_not_there() -> None:
    def absent(resources: Data) -> None:
        resources["Status"]["Properties"] |= {"TreatMissingData": NOTHING, "Metrics": NOTHING}
        config = resources["StatusCheck"]["Properties"]["HealthCheckConfig"]
        config |= {"InsufficientDataHealthStatus": NOTHING, "Inverted": NOTHING}
        resources["Www"]["Properties"]["Failover"] = NOTHING

    assert read_graph(edited(absent)) == read_graph({"site": hand_written()})


def with_records_apart(reference: Data) -> Mapping[str, Data]:
    """The pair, whose records' template names the health check of another one by a reference."""
    checks = hand_written()
    records = {name: checks["Resources"].pop(name) for name in ("First", "Second")}
    checks["Outputs"] = {"Id": {"Value": {"Ref": "Both"}, "Export": {"Name": "health"}}}
    records["First"]["Properties"] |= {"HealthCheckId": reference, "TTL": 30}
    return {"records": {"Resources": records}, "checks": checks}


def stack_output(name: str) -> Data:
    output = {"StackName": "checks", "OutputName": name, "Region": "eu-west-1"}
    return {"Fn::GetStackOutput": output}


@pytest.mark.parametrize("reference", [{"Fn::ImportValue": "health"}, stack_output("Id")])
def test_what_another_template_exports_or_has_as_an_output_is_followed(reference: Data) -> None:
    (pair,) = read_graph(with_records_apart(reference)).pairs
    assert len(pair.primary.checks) == 2


def test_an_output_that_no_template_has_is_refused() -> None:
    assert refusal(with_records_apart(stack_output("Other"))).endswith(
        "HealthCheckId: reads the output 'Other' of the stack 'checks', which none of the "
        "templates has; also give the template of that stack"
    )


def own_name(resources: Data) -> None:
    resources["Status"]["Properties"]["AlarmName"] = {"Ref": "Status"}


def deep(resources: Data) -> None:
    value: Any = "x"
    for _ in range(5_000):
        value = {"Fn::Join": ["", [value]]}
    resources["First"]["Properties"]["Name"] = value


@pytest.mark.parametrize("edit", [own_name, deep])
def test_what_refers_to_itself_or_has_no_end_is_refused(edit: Callable[[Data], None]) -> None:
    assert refusal(edited(edit)) == "site: a value refers to itself, or is nested too deeply"


def test_an_export_that_imports_itself_is_refused() -> None:
    template = hand_written()
    import_it = {"Fn::ImportValue": "health"}
    template["Outputs"] = {"Id": {"Value": import_it, "Export": {"Name": "health"}}}
    template["Resources"]["First"]["Properties"]["HealthCheckId"] = import_it
    assert "refers to itself" in refusal({"site": template})


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
    assert "has no PRIMARY record" in refusal(template)
    (pair,) = read_graph(template, {"Stage": "production"}).pairs
    assert pair.primary.ttl_seconds == 10


def test_a_condition_on_what_only_the_deployment_knows_is_given_as_a_parameter() -> None:
    template = conditional("production")
    template["Resources"]["Status"]["Condition"] = "Unknown"
    with pytest.raises(TemplateError, match="has the condition Unknown, which only the deployment"):
        read_graph({"site": template})
    assert read_graph({"site": template}, {"AWS::Region": "eu-west-1"}).pairs
