"""Change sets as `aws cloudformation describe-change-set --include-property-values` prints them.

Made from two versions of a stack, as CloudFormation answers: all values are texts, references are
resolved, and what only the deployment knows has a mark of its own.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.review.changes import Action, Change, changes_between, properties

KNOWN_LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"
_REPLACEMENTS = {Action.REPLACE: "True", Action.MAY_REPLACE: "Conditional", Action.MODIFY: "False"}


def described(before: SynthesizedStack, after: SynthesizedStack) -> dict[str, Any]:
    """The change set that turns one version of a stack into the other."""
    changes = changes_between([before], [after])
    ids = {"AWS::Partition": "aws", "AWS::Region": after.region} | {
        logical_id: _id(logical_id, resource)
        for stack in (after, before)
        for logical_id, resource in stack.resources.items()
    }
    new = {each.logical_id for each in changes if each.is_new}
    arn = f"arn:aws:cloudformation:{after.region}:{after.account}"
    return {
        "ChangeSetName": "review",
        "ChangeSetId": f"{arn}:changeSet/review/6f2c",
        "StackId": f"{arn}:stack/{after.name}/0d1e",
        "StackName": after.name,
        "CreationTime": "2026-11-26T12:00:00.000000+00:00",
        "ExecutionStatus": "AVAILABLE",
        "Status": "CREATE_COMPLETE",
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": [],
        "Changes": [
            {"Type": "Resource", "ResourceChange": dict(_resource_change(each, ids, new))}
            for each in changes
        ],
        "IncludeNestedStacks": False,
    }


def _resource_change(
    change: Change, ids: Mapping[str, str], new: set[str]
) -> Iterator[tuple[str, Any]]:
    modified = change.before is not None and change.after is not None
    yield "Action", "Modify" if modified else change.action.value.capitalize()
    yield "LogicalResourceId", change.logical_id
    if change.before is not None:
        yield "PhysicalResourceId", ids[change.logical_id]
    yield "ResourceType", change.kind
    if modified:
        yield "Replacement", _REPLACEMENTS[change.action]
    yield "Scope", ["Properties"] if modified else []
    yield "Details", list(_details(change)) if modified else []
    if change.before is not None:
        yield "BeforeContext", _context(change.before, ids)
    if change.after is not None:
        yield "AfterContext", _context(change.after, {**ids, **dict.fromkeys(new, KNOWN_LATER)})


def _details(change: Change) -> Iterator[Mapping[str, Any]]:
    for name in change.properties:
        if name in {**properties(change.before), **properties(change.after)}:
            target = {
                "Attribute": "Properties",
                "Name": name,
                "RequiresRecreation": "Always" if change.action is Action.REPLACE else "Never",
                "Path": f"/Properties/{name}",
                "AttributeChangeType": "Modify",
            }
            yield {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}


def _context(resource: Mapping[str, Any], ids: Mapping[str, str]) -> str:
    fields = {key: each for key, each in resource.items() if key not in ("Type", "DependsOn")}
    return json.dumps(_resolved(fields, ids), separators=(",", ":"))


def _resolved(value: Any, ids: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": str(name)}:
            return ids[name]
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return KNOWN_LATER if ids[name] == KNOWN_LATER else f"{ids[name]}.{attribute}"
        case {"Fn::Join": [str(separator), list(parts)]}:
            texts = [_resolved(part, ids) for part in parts]
            return KNOWN_LATER if KNOWN_LATER in texts else separator.join(texts)
        case {"Fn::GetStackOutput": dict(output)}:
            return f"output-{output['Region']}-{output['OutputName']}"
        case dict():
            return {key: _resolved(each, ids) for key, each in value.items()}
        case list():
            return [_resolved(each, ids) for each in value]
        case bool():
            return str(value).lower()
    return str(value)


def _id(logical_id: str, resource: Mapping[str, Any]) -> str:
    """The physical id: of an alarm its name, of other resources what AWS chooses."""
    return str(properties(resource).get("AlarmName", f"physical-{logical_id}"))
