"""What CloudFormation does with each resource, and with what refers to it."""

from collections.abc import Mapping
from typing import Any

import pytest

from resiliency.review.changes import Action, changes_between, labels, physical_name
from tests.resiliency.review.stacks import Resources, alarm, resource, stack


def actions(before: Resources, after: Resources) -> Mapping[str, Action]:
    """The action on each resource that changes."""
    found = changes_between([stack(before)], [stack(after)])
    return {each.logical_id: each.action for each in found}


def test_resources_are_added_modified_replaced_and_removed() -> None:
    before = {"A": alarm("a"), "B": alarm("b"), "C": alarm("c"), "Same": alarm("d")}
    after = {"A": alarm("a", Threshold=2), "B": alarm("bb"), "D": alarm("e"), "Same": alarm("d")}
    assert actions(before, after) == {
        "A": Action.MODIFY,
        "B": Action.REPLACE,
        "C": Action.REMOVE,
        "D": Action.ADD,
    }


def test_the_metadata_of_the_cdk_are_no_change() -> None:
    before, after = ({"Meta": resource("CDK::Metadata", Analytics=each)} for each in "ab")
    assert actions(before, after) == {}


def test_attributes_beside_the_properties_are_changes_too() -> None:
    (found,) = changes_between(
        [stack({"A": alarm("a")})], [stack({"A": alarm("a", {"DeletionPolicy": "Retain"})})]
    )
    assert (found.action, found.properties) == (Action.MODIFY, ("DeletionPolicy",))


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "Topic"},
        {"Fn::GetAtt": ["Topic", "TopicArn"]},
        {"Fn::Sub": "${Topic}"},
        {"Fn::Sub": "${Topic.TopicArn}"},
        {"Fn::Join": ["", ["a", {"Ref": "Topic"}]]},
    ],
)
def test_what_refers_to_a_replaced_resource_changes_too(reference: object) -> None:
    def of(name: str) -> dict[str, Any]:
        return {
            "Topic": resource("SNS::Topic", TopicName=name),
            "Subscription": resource("SNS::Subscription", TopicArn=reference, Protocol="email"),
            "Alarm": alarm("a", AlarmActions=[reference]),
            "Other": alarm("b", AlarmActions=[{"Ref": "Elsewhere"}]),
        }

    assert actions(of("one"), of("two")) == {
        "Topic": Action.REPLACE,
        "Subscription": Action.REPLACE,  # its TopicArn can't be updated
        "Alarm": Action.MODIFY,
    }


@pytest.mark.parametrize(
    ("method", "expected"),
    [("Replace", Action.REPLACE), ("NewVersion", Action.MODIFY), (None, Action.MAY_REPLACE)],
)
def test_a_document_says_whether_another_content_is_another_document(
    method: str | None, expected: Action
) -> None:
    def of(text: str) -> dict[str, Any]:
        given = {"Content": {"description": text}} | ({"UpdateMethod": method} if method else {})
        return {"Document": resource("SSM::Document", **given)}

    assert actions(of("one"), of("two")) == {"Document": expected}


@pytest.mark.parametrize(
    ("kind", "one", "other", "expected"),
    [
        # An identifier that is not among the properties that replace: its guide and schema differ.
        ("Route53::RecordSet", {"Name": "a."}, {"Name": "b."}, Action.MAY_REPLACE),
        ("Route53::RecordSet", {"HostedZoneId": "A"}, {"HostedZoneId": "B"}, Action.REPLACE),
        (
            "Route53::HealthCheck",
            {"HealthCheckConfig": {"Type": "TCP"}},
            {"HealthCheckConfig": {"Type": "HTTP"}},
            Action.REPLACE,
        ),
        (
            "Route53::HealthCheck",
            {"HealthCheckConfig": {"Port": 1}},
            {"HealthCheckConfig": {"Port": 2}},
            Action.MODIFY,
        ),
        ("Unknown::Kind", {"A": 1}, {"A": 2}, Action.MAY_REPLACE),
        ("CloudFormation::CustomResource", {"ServiceToken": "a"}, {"ServiceToken": "b"}, None),
    ],
)
def test_the_schema_of_a_type_decides(
    kind: str, one: Mapping[str, Any], other: Mapping[str, Any], expected: Action | None
) -> None:
    found = actions({"A": resource(kind, **one)}, {"A": resource(kind, **other)})
    assert found["A"] in ([expected] if expected else list(Action))


def test_stacks_of_another_region_are_other_stacks() -> None:
    one, other = stack({"A": alarm()}), stack({"A": alarm()}, region="eu-west-1")
    (found,) = changes_between([one], [other])
    assert found.action is Action.ADD
    assert list(changes_between([stack({"A": alarm()}, region="")], [one])) == []


def test_labels_name_resources_as_ops_know_them() -> None:
    tag = [{"Key": "Name", "Value": "checks blue"}]
    before = {
        "A": alarm("a"),
        "B": alarm("b"),
        "Check": resource("Route53::HealthCheck", HealthCheckTags=tag),
        "Key": resource("KMS::Key"),
        "Fault": resource("FIS::ExperimentTemplate", Tags={"Name": "drill"}),
        "Mail": resource("SNS::Subscription", Endpoint="ops@example.com"),
    }
    found = changes_between([stack(before)], [stack({"A": alarm("c"), "B": alarm("d")})])
    assert [each.label for each in found] == [
        "Alarm a → c",
        "Alarm b → d",
        "HealthCheck checks blue",
        "ExperimentTemplate drill",
        "Key Key",
        "Subscription ops@example.com",
    ]
    assert labels(found[:2]) == "Alarms a → c and b → d"
    assert labels(found[1:3]) == "Alarm b → d and HealthCheck checks blue"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (alarm("a"), "a"),
        (alarm(**{"AlarmName": {"Ref": "Name"}}), None),
        (resource("SNS::Topic", TopicName="pager"), "pager"),
        (resource("Scheduler::Schedule"), None),
        (resource("KMS::Key"), None),
        (resource("Unknown::Kind", Name="a"), None),
    ],
)
def test_a_physical_name_is_one_that_a_template_gives(
    given: Mapping[str, Any], expected: str | None
) -> None:
    assert physical_name(given) == expected
