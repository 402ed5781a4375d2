"""Reads change sets as `aws cloudformation describe-change-set` prints them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.errors import UserError, reason_of
from resiliency.review.changes import Action, Change, items_of, object_of
from staged_resiliency.experiment.json_codec import JsonObject

_COMMAND: Final = "aws cloudformation describe-change-set --include-property-values"
_KNOWN_LATER: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"
_ACTIONS: Final[Mapping[str, Action]] = {
    "Add": Action.ADD,
    "Import": Action.IMPORT,
    "Remove": Action.REMOVE,
    "Dynamic": Action.MAY_REPLACE,  # a nested stack, whose own change set shows more
}
_MODIFICATIONS: Final[Mapping[object, Action]] = {
    "True": Action.REPLACE,
    "Conditional": Action.MAY_REPLACE,
}


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set of one stack, with its resource changes by logical id."""

    file: Path
    stack: str
    account: str
    region: str
    resources: Mapping[str, JsonObject]


def read_change_set(file: Path) -> ChangeSet:
    """Read a change set.

    Raises:
        UserError: The file can't be read, or is not the whole output of the command.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        changes = [each["ResourceChange"] for each in document["Changes"]]
        resources = {str(each["LogicalResourceId"]): each for each in changes}
        stack, arn = str(document["StackName"]), str(document["StackId"]).split(":")
    except OSError as error:
        raise UserError(f"{file}: can't be read ({reason_of(error)})") from None
    except (ValueError, LookupError, TypeError, RecursionError):
        raise UserError(f"{file}: is not what `{_COMMAND}` prints as JSON") from None
    if document.get("NextToken"):
        raise UserError(f"{file}: has only the first changes; print all pages of the change set")
    region, account = (arn[3], arn[4]) if len(arn) > 4 else ("", "")
    return ChangeSet(file, stack, account, region, resources)


def stacks_before(
    after: Sequence[SynthesizedStack], change_sets: Sequence[ChangeSet]
) -> tuple[Sequence[SynthesizedStack], Sequence[SynthesizedStack]]:
    """Return the stacks of change sets, before and after them, from their templates.

    Raises:
        UserError: A change set is of none of the templates, or has no property values.
    """
    before, concerned = [], []
    for each in change_sets:
        named = (known for known in after if known.name == each.stack)
        stack = next((known for known in named if known.region in ("", each.region)), None)
        if stack is None:
            known = ", ".join(other.name for other in after) or "none"
            raise UserError(
                f"{each.file}: is of the stack {each.stack}, which the templates do not have "
                f"({known}); give the folder from which the change set was made"
            )
        concerned.append(stack)
        resources = _resources_before(stack, each)
        before.append(replace(stack, template={**stack.template, "Resources": resources}))
    unchanged = [each for each in after if each not in concerned]
    return [*unchanged, *before], [*unchanged, *concerned]


def with_actions(
    changes: Sequence[Change],
    after: Sequence[SynthesizedStack],
    change_sets: Sequence[ChangeSet],
) -> Sequence[Change]:
    """Return the changes with each one's action from the change set: update or replacement."""
    known = {(each.stack.name, each.logical_id): each for each in changes}
    stacks = {each.name: each for each in after}
    return [
        _as_answered(stacks[change_set.stack], logical_id, resource, known)
        for change_set in change_sets
        for logical_id, resource in change_set.resources.items()
        if resource.get("Action") != "SyncWithActual"
    ]


def _as_answered(
    stack: SynthesizedStack,
    logical_id: str,
    resource: JsonObject,
    known: Mapping[tuple[str, str], Change],
) -> Change:
    action = _ACTIONS.get(str(resource.get("Action")))
    action = action or _MODIFICATIONS.get(resource.get("Replacement"), Action.MODIFY)
    same = stack.resources.get(logical_id)  # a change of tags, or of a value that is known later
    change = known.get(
        (stack.name, logical_id), Change(stack, logical_id, Action.MODIFY, same, same)
    )
    details = map(object_of, items_of(resource.get("Details")))
    targets = [object_of(each.get("Target")) for each in details]
    names = [str(each.get("Name") or each.get("Attribute")) for each in targets]
    return replace(
        change, action=action, properties=change.properties or tuple(dict.fromkeys(names))
    )


def _resources_before(stack: SynthesizedStack, change_set: ChangeSet) -> Mapping[str, JsonObject]:
    ids: dict[str, JsonObject] = {
        str(each["PhysicalResourceId"]): {"Ref": logical_id}
        for logical_id, each in change_set.resources.items()
        if each.get("PhysicalResourceId")
    }
    for logical_id, resource in change_set.resources.items():
        if logical_id in stack.resources and "AfterContext" in resource:
            after = _context(resource, "AfterContext", f"{change_set.file}: {logical_id}")
            ids.update(_references(stack.resources[logical_id], after, stack.resources))
    found = dict(stack.resources)
    for logical_id, resource in change_set.resources.items():
        where = f"{change_set.file}: {logical_id}"
        action = resource.get("Action")
        if (logical_id in found) == (action == "Remove"):
            raise UserError(
                f"{where}: {action}, which does not fit the template of {stack.name}; give the "
                "folder from which the change set was made"
            )
        if action in ("Add", "Import"):
            del found[logical_id]
            continue
        if action in ("SyncWithActual", "Dynamic"):
            continue
        before = _context(resource, "BeforeContext", where)
        # An alarm's id is its name, which is no reference to itself.
        others = {each: known for each, known in ids.items() if known != {"Ref": logical_id}}
        if action == "Remove":
            found[logical_id] = {"Type": resource.get("ResourceType"), **_referring(before, others)}
        else:
            after = _context(resource, "AfterContext", where)
            found[logical_id] = _undone(found[logical_id], before, after, others)
    return found


def _context(resource: JsonObject, key: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(resource[key])
    except LookupError:
        raise UserError(
            f"{where}: has no {key}; print the change set with --include-property-values"
        ) from None
    except (ValueError, TypeError, RecursionError):
        raise UserError(f"{where}: {key}: is not JSON") from None
    if not isinstance(found, dict):
        raise UserError(f"{where}: {key}: is not a JSON object")
    return found


def _undone(template: Any, before: Any, after: Any, ids: Mapping[str, JsonObject]) -> Any:
    """Return a value of a template as it was before.

    In a change set references are resolved, so what does not change is taken from the template.
    """
    if before == after:
        return template
    if isinstance(template, dict) and isinstance(before, dict) and isinstance(after, dict):
        kept = {key: each for key, each in template.items() if key not in {**before, **after}}
        changed = {
            key: _undone(template.get(key), each, after.get(key), ids)
            for key, each in before.items()
        }
        return {**kept, **changed}
    if (
        isinstance(template, list)
        and isinstance(before, list)
        and isinstance(after, list)
        and len(template) == len(after)
    ):
        if len(before) == len(after):
            return [_undone(*each, ids) for each in zip(template, before, after, strict=True)]
        return [
            template[after.index(each)] if each in after else _referring(each, ids)
            for each in before
        ]
    return _referring(before, ids)


def _references(
    template: Any, resolved: Any, resources: Mapping[str, object]
) -> Iterator[tuple[str, JsonObject]]:
    """Yield what references of a template are resolved to, also to resources that stay."""
    match template, resolved:
        case (({"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}), str(text)):
            if name in resources and text != _KNOWN_LATER:
                yield text, template
        case dict(), dict():
            for key in template.keys() & resolved.keys():
                yield from _references(template[key], resolved[key], resources)
        case list(), list():
            for each in zip(template, resolved, strict=False):
                yield from _references(*each, resources)


def _referring(value: Any, ids: Mapping[str, JsonObject]) -> Any:
    """Return a value of a change set with references to resources in place of physical ids."""
    if isinstance(value, dict):
        return {key: _referring(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [_referring(each, ids) for each in value]
    return ids.get(value, value) if isinstance(value, str) else value
