"""What CloudFormation would do about two versions of an application, resource by resource.

A property listed as create-only in the resource type's schema makes an update a replacement.
The schemas are CloudFormation's own, as cfn-lint ships them.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.support import Template, records_of

_CREATE_ONLY = "createOnlyProperties"
_SOMETIMES_CREATE_ONLY = "conditionalCreateOnlyProperties"


def changes(before: Mapping[str, Template], after: Mapping[str, Template]) -> set[str]:
    """Each change as a line: ``<action> <label of the resource>``.

    Actions are add, remove, modify and replace. A resource of a stack that is new or gone is
    added or removed; names of stacks are left out unless two stacks share a label.
    """
    return {
        change
        for stack in {**before, **after}
        for change in _stack_changes(before.get(stack, {}), after.get(stack, {}))
    }


def lost_answers(before: Mapping[str, Template], after: Mapping[str, Template]) -> set[str]:
    """Records that have an answer before and none after, as ``<name> <type> <identifier>``.

    A renamed record is a record that is only modified, though its old name has no answer then.
    """
    return _answers(before) - _answers(after)


def _answers(templates: Mapping[str, Template]) -> set[str]:
    return {
        f"{record['Name']} {record['Type']} {record['SetIdentifier']}"
        for template in templates.values()
        for record in records_of(template)
    }


def _stack_changes(before: Template, after: Template) -> Iterator[str]:
    old, new = before.get("Resources", {}), after.get("Resources", {})
    for logical_id in sorted({*old, *new}):
        if logical_id not in old:
            yield f"add {label(new[logical_id])}"
        elif logical_id not in new:
            yield f"remove {label(old[logical_id])}"
        elif old[logical_id] != new[logical_id]:
            action = "replace" if _is_replaced(old[logical_id], new[logical_id]) else "modify"
            yield f"{action} {label(old[logical_id])}"


def _is_replaced(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    assert old["Type"] == new["Type"], "CloudFormation refuses another type for a logical id"
    return any(
        _at(old.get("Properties"), pointer) != _at(new.get("Properties"), pointer)
        for pointer in _replacing(new)
    )


def _replacing(resource: Mapping[str, Any]) -> list[str]:
    """A document says by a property of its own whether another content is another document."""
    pointers = create_only(resource["Type"])
    if resource.get("Properties", {}).get("UpdateMethod") == "Replace":
        pointers = [*pointers, *create_only(resource["Type"], _SOMETIMES_CREATE_ONLY)]
    return pointers


def create_only(resource_type: str, kind: str = _CREATE_ONLY) -> list[str]:
    """JSON pointers of the properties whose change replaces a resource."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-west-2", resource_type).schema
    pointers: list[str] = schema.get(kind, [])
    return pointers


def _at(properties: Any, pointer: str) -> Any:
    for part in pointer.split("/")[2:]:
        properties = properties.get(part) if isinstance(properties, dict) else None
    return json.dumps(properties, sort_keys=True)


def label(resource: Mapping[str, Any]) -> str:
    """What ops call a resource."""
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::CloudWatch::Alarm":
            return f"alarm {properties['AlarmName']}"
        case "AWS::Route53::HealthCheck":
            tags = {tag["Key"]: tag["Value"] for tag in properties["HealthCheckTags"]}
            return f"health check {tags['Name']}"
        case "AWS::Route53::RecordSet":
            role, kind = properties["Failover"].lower(), properties["Type"]
            return f"{role} {kind} record {properties['Name']}"
        case "AWS::SSM::Document":
            return "document of the probe"
        case "AWS::SSM::Association":
            return f"association {properties['AssociationName']}"
        case "AWS::IAM::ManagedPolicy":
            return "policy of the probe"
        case "AWS::CloudWatch::Dashboard":
            return f"dashboard {properties['DashboardName']}"
        case "AWS::StepFunctions::StateMachine":
            return f"machine {properties['StateMachineName']}"
        case "AWS::FIS::ExperimentTemplate":
            return f"fault {properties['Tags']['Name']}"
        case "AWS::Scheduler::Schedule":
            return f"schedule: {properties['Description']}"
        case "AWS::IAM::Role":
            return f"role: {properties['Description']}"
        case "AWS::Lambda::Function":
            return f"function: {properties['Description']}"
        case "AWS::SNS::Topic":
            return f"topic {properties['TopicName']}"
        case "AWS::SNS::Subscription":
            return f"subscription {properties['Endpoint']}"
        case other:
            return str(other)
