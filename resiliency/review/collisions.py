"""Finds resources that are replaced, and new resources whose names are already in use."""

from collections.abc import Iterator, Sequence
from typing import Final

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.review.changes import (
    Action,
    Change,
    label,
    labels,
    listed,
    physical_name,
    same_environment,
    same_stack,
)
from resiliency.review.findings import Finding, Level, Topic, explaining
from resiliency.review.records import GROUP, RECORD, Answer, records_of
from resiliency.review.sides import Sides

_RECORDS: Final = (RECORD, GROUP)
_HERE: Final = "this stack"
_REPLACED: Final = (Action.REPLACE, Action.MAY_REPLACE)


def name_findings(sides: Sides) -> Iterator[Finding]:
    """Find resources that are replaced, and new resources whose names are already in use."""
    yield from _records_in_use(sides)
    yield from _names_in_use(sides)
    for each in sides.changes:
        if each.before and each.after and each.before.get("Type") != each.after.get("Type"):
            text = f"{each.logical_id} gets another type, which CloudFormation refuses"
            advice = "give the new resource another logical id"
            yield explaining(Topic.NAMES, [each], text, advice, Level.DANGER)
    for action in _REPLACED:
        found = [each for each in sides.changes if each.action is action]
        for kind in dict.fromkeys(each.kind for each in found):
            for stack in dict.fromkeys(each.stack.name for each in found if each.kind == kind):
                alike = [each for each in found if (each.kind, each.stack.name) == (kind, stack)]
                yield _replaced(action, alike)


def _replaced(action: Action, changes: Sequence[Change]) -> Finding:
    verb = "may be replaced" if action is Action.MAY_REPLACE else "is replaced"
    if len(changes) > 1:
        verb = verb.replace("is", "are")
    text = f"{labels(changes)} {verb}"
    causes = dict.fromkeys(name for each in changes for name in each.properties)
    text += f", as {listed(list(causes))} changes" if len(causes) == 1 else ""
    kept = any((each.before or {}).get("UpdateReplacePolicy") == "Retain" for each in changes)
    if kept and action is Action.REPLACE:
        text += "; the old one stays in the account (Retain)"
    records = any(each.kind in _RECORDS for each in changes)
    level = Level.DANGER if records and action is Action.REPLACE else Level.WARNING
    return explaining(Topic.NAMES, changes, text, level=level)


def _records_in_use(sides: Sides) -> Iterator[Finding]:
    """Find records that another resource has: Route 53 refuses the second one."""
    before, left = records_of(sides.before), records_of(sides.left)
    found: dict[Answer, Finding] = {}
    for key, owner in records_of(sides.after).items():
        same_answer = (each for other, each in left.items() if other.answer == key.answer)
        former = before.get(key) or next(same_answer, None)
        if former is None or (
            former.logical_id == owner.logical_id and same_stack(former.stack, owner.stack)
        ):
            continue
        text = (
            f"{key.name} {key.record_type} exists already, as {former.logical_id} of "
            f"{_where(former.stack, owner.stack)}: Route 53 refuses a second record of one name, "
            "type and role, and the update fails"
        )
        advice = "keep the resource and its logical id, or move the name in two steps"
        ids = (owner.logical_id,)
        finding = Finding(Level.DANGER, Topic.NAMES, owner.stack.name, text, advice, ids)
        found.setdefault(key.answer, finding)
    yield from found.values()


def _where(former: SynthesizedStack, stack: SynthesizedStack) -> str:
    if same_stack(former, stack):
        return _HERE
    if former.name != stack.name:
        return former.name
    return f"{former.name} in {former.account} {former.region}"


def _names_in_use(sides: Sides) -> Iterator[Finding]:
    """Find new resources with names of others: CloudFormation creates before it deletes."""
    new = {
        (each.stack.name, each.logical_id): (each, physical_name(each.after or {}))
        for each in sides.changes
        if each.is_new and each.kind not in _RECORDS
    }
    kinds = {each.kind for each, name in new.values() if name is not None}
    taken = [
        (str(resource["Type"]), other, stack)
        for stack in sides.before
        for resource in stack.resources.values()
        if resource.get("Type") in kinds and (other := physical_name(resource)) is not None
    ]
    found: dict[tuple[str, str], dict[str, str]] = {}
    for change, name in new.values():
        for kind, other, former in taken:
            if (kind, other) == (change.kind, name) and same_environment(former, change.stack):
                names = found.setdefault((change.stack.name, _where(former, change.stack)), {})
                names[change.logical_id] = label(change.logical_id, change.after or {})
    for (stack, where), names in found.items():
        count = "1 name is" if len(names) == 1 else f"{len(names)} names are"
        outcome = "the update fails, or takes over what belongs to the other stack"
        if where == _HERE:
            outcome = (
                "CloudFormation creates before it deletes, so the update fails, or the new "
                "resource goes when the old one is deleted"
            )
        yield Finding(
            Level.DANGER,
            Topic.NAMES,
            stack,
            f"{count} in use by other resources of {where}, {listed(list(names.values()))}: "
            f"{outcome}",
            "give other names, or free the names by a deployment of their own first",
            tuple(names),
        )
