"""What CloudFormation would do about two versions of an application, as lines."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.review.changes import Action, changes_between, counterpart
from resiliency.review.records import records_of
from tests.support import Template


def changes(before: Mapping[str, Template], after: Mapping[str, Template]) -> set[str]:
    """Each change as a line; see ``changed``."""
    return changed(*([_stack(*each) for each in side.items()] for side in (before, after)))


def changed(before: Sequence[SynthesizedStack], after: Sequence[SynthesizedStack]) -> set[str]:
    """Each change as a line: ``<action> <label of the resource>``.

    Actions are add, remove, modify and replace. The resources of a stack that is gone are removed
    too. Names of stacks are left out unless two stacks share a label.
    """
    gone = [
        replace(stack, template={"Resources": {}})
        for stack in before
        if counterpart(stack, after) is None
    ]
    lines = set()
    for change in changes_between(before, [*after, *gone]):
        # A renamed record: see the guide.
        action = Action.MODIFY if change.action is Action.MAY_REPLACE else change.action
        lines.add(f"{action.value} {label(change.before or change.after or {})}")
    return lines


def _stack(name: str, template: Template) -> SynthesizedStack:
    return SynthesizedStack(name, "", "", template)


def lost_answers(before: Sequence[SynthesizedStack], after: Sequence[SynthesizedStack]) -> set[str]:
    """Records that have an answer before and none after, as ``<name> <type> <identifier>``.

    A renamed record is a record that is only modified, though its old name has no answer then.
    """
    left = [each for each in before if counterpart(each, after) is None]
    lost = records_of(before).keys() - records_of([*after, *left]).keys()
    return {f"{each.name}. {each.record_type} {each.identifier}" for each in lost}


def create_only(resource_type: str, kind: str = "createOnlyProperties") -> list[str]:
    """JSON pointers of the properties whose change replaces a resource."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-west-2", resource_type).schema
    pointers: list[str] = schema.get(kind, [])
    return pointers


def _agent(description: str) -> str:
    return "CloudWatch agent" if "CloudWatch" in description else "probe"


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
            return f"document of the {_agent(properties['Content']['description'])}"
        case "AWS::SSM::Association":
            return f"association {properties['AssociationName']}"
        case "AWS::IAM::ManagedPolicy":
            return f"policy of the {_agent(properties['Description'])}"
        case "AWS::SSM::Parameter":
            return f"parameter {properties['Name']}"
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
