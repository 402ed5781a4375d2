"""The changes between two sets of stacks, resource by resource, as CloudFormation would make them.

CloudFormation's resource schemas, which cfn-lint ships, decide what is an update and what a
replacement.
"""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Final

from resiliency.cloud_assembly import SynthesizedStack
from staged_resiliency.experiment.json_codec import JsonObject

_METADATA: Final = "AWS::CDK::Metadata"
"""The type of a resource that the CDK adds for itself, and that is nothing in the account."""

_SCHEMA_REGION: Final = "us-east-1"


class Action(Enum):
    """An action of CloudFormation on a resource."""

    ADD = "add"
    IMPORT = "import"
    MODIFY = "modify"
    MAY_REPLACE = "may replace"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one resource.

    Attributes:
        stack: The stack after the change.
        before: The resource as in the template before; None where it is new.
        after: The resource as in the template after; None where it is removed.
        properties: Names of the properties and other attributes that change.
    """

    stack: SynthesizedStack
    logical_id: str
    action: Action
    before: JsonObject | None
    after: JsonObject | None
    properties: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The type of the resource."""
        return str((self.after or self.before or {}).get("Type"))

    @property
    def label(self) -> str:
        """The type and name of the resource, with both names where the name changes."""
        labels = [label(self.logical_id, each) for each in (self.before, self.after) if each]
        first, last = labels[0], labels[-1]
        return first if first == last else f"{first} → {name_of(self.logical_id, self.after or {})}"

    def values(self, name: str) -> tuple[Any, Any]:
        """Return a property before and after; None where the resource does not have it."""
        before, after = (properties(each).get(name) for each in (self.before, self.after))
        return before, after

    @property
    def is_new(self) -> bool:
        """Whether another physical resource than before results."""
        return self.action in (Action.ADD, Action.REPLACE)


def properties(resource: JsonObject | None) -> JsonObject:
    """Return the properties of a resource, an empty object without a resource."""
    return object_of((resource or {}).get("Properties"))


def text_of(value: object) -> str:
    """Return a value of a template as short text; references stay as ``${LogicalId}``."""
    match value:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(map(text_of, parts))
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(map(text_of, value))
        case Mapping():
            return ", ".join(f"{key} {text_of(each)}" for key, each in value.items())
    return str(value)


def items_of(value: object) -> Sequence[object]:
    """Return a value of a template if it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def object_of(value: object) -> JsonObject:
    """Return a value of a template if it is an object, else an empty object."""
    return value if isinstance(value, Mapping) else {}


def label(logical_id: str, resource: JsonObject) -> str:
    """Return the type of a resource without its service, and its name."""
    kind = str(resource.get("Type")).rpartition("::")[2]
    return f"{kind} {name_of(logical_id, resource)}"


def name_of(logical_id: str, resource: JsonObject) -> str:
    """Return the name of a resource: its physical name, its Name tag, or else the logical id."""
    given = properties(resource)
    kind = str(resource.get("Type")).rpartition("::")[2]
    for key in (f"{kind}Name", "Name"):
        if isinstance(given.get(key), str):
            return str(given[key])
    for tags in (given.get("Tags"), given.get(f"{kind}Tags")):
        listed_tags = {
            str(tag.get("Key")): tag.get("Value") for tag in map(object_of, items_of(tags))
        }
        if isinstance(name := {**listed_tags, **object_of(tags)}.get("Name"), str):
            return name
    if kind == "Subscription" and isinstance(given.get("Endpoint"), str):
        return str(given["Endpoint"])
    return logical_id


def labels(changes: Sequence[Change]) -> str:
    """Return the labels of changes as in a sentence, with the type once where they share it."""
    texts = [each.label for each in changes]
    if len({each.kind for each in changes}) == 1 and len(texts) > 1:
        kind = texts[0].partition(" ")[0]
        return f"{kind}s {listed([each.removeprefix(f'{kind} ') for each in texts])}"
    return listed(texts)


def listed(names: Sequence[str]) -> str:
    """Join names as in a sentence."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def same_stack(one: SynthesizedStack, other: SynthesizedStack) -> bool:
    """Whether two stacks are one in the account; an unknown environment matches any."""
    return one.name == other.name and same_environment(one, other)


def same_environment(one: SynthesizedStack, other: SynthesizedStack) -> bool:
    """Whether two stacks are in one account and region, as far as that is known."""
    return all(
        mine == theirs or not mine or not theirs
        for mine, theirs in ((one.account, other.account), (one.region, other.region))
    )


def counterpart(
    stack: SynthesizedStack, among: Sequence[SynthesizedStack]
) -> SynthesizedStack | None:
    """Return the stack's counterpart among other stacks; None if it has no counterpart."""
    return next((each for each in among if same_stack(stack, each)), None)


def changes_between(
    before: Sequence[SynthesizedStack], after: Sequence[SynthesizedStack]
) -> Sequence[Change]:
    """Return the changes that a deployment of the later stacks makes.

    A stack that only the first side has stays deployed as it is.
    """
    return [each for stack in after for each in _of_stack(counterpart(stack, before), stack)]


def _of_stack(before: SynthesizedStack | None, after: SynthesizedStack) -> Sequence[Change]:
    """Compare until no further replacement follows from a replacement.

    What refers to a replaced resource changes too, and may be replaced for it.
    """
    old = before.resources if before else {}
    replaced: Set[str] = set()
    while True:
        found = list(_compared(old, after, replaced))
        now = {each.logical_id for each in found if each.action is Action.REPLACE}
        if now == replaced:
            return found
        replaced = now


def _compared(
    old: Mapping[str, JsonObject], after: SynthesizedStack, replaced: Set[str]
) -> Iterator[Change]:
    for logical_id in sorted({*old, *after.resources}):
        one, other = old.get(logical_id), after.resources.get(logical_id)
        if _METADATA in ((one or {}).get("Type"), (other or {}).get("Type")):
            continue
        if one is None:
            yield Change(after, logical_id, Action.ADD, None, other)
        elif other is None:
            yield Change(after, logical_id, Action.REMOVE, one, None)
        elif names := _differing(one, renewed := _renewed(other, replaced)):
            yield Change(after, logical_id, _action(one, renewed), one, other, names)


def _renewed(value: Any, replaced: Set[str]) -> Any:
    """Return a value in which references to replaced resources differ from those before."""
    if not replaced:
        return value
    match value:
        case {"Ref": str(name)} if name in replaced:
            return {"Ref": f"{name} (new)"}
        case {"Fn::GetAtt": [str(name), attribute]} if name in replaced:
            return {"Fn::GetAtt": [f"{name} (new)", attribute]}
        case {"Fn::Sub": _}:
            text = json.dumps(value)
            for name in replaced:
                for end in "}.":
                    text = text.replace(f"${{{name}{end}", f"${{{name} (new){end}")
            return json.loads(text)
        case dict():
            return {key: _renewed(each, replaced) for key, each in value.items()}
        case list():
            return [_renewed(each, replaced) for each in value]
    return value


def _differing(before: JsonObject, after: JsonObject) -> tuple[str, ...]:
    one, other = properties(before), properties(after)
    names = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    others = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return (*names, *(key for key in others if key != "Properties"))


def _action(before: JsonObject, after: JsonObject) -> Action:
    if before.get("Type") != after.get("Type"):
        return Action.REPLACE  # which CloudFormation refuses
    schema = _schema(str(after.get("Type")))
    if schema is None:
        return Action.MAY_REPLACE  # a custom resource decides it itself
    one, other = properties(before), properties(after)

    def changes(pointers: Sequence[str]) -> bool:
        return any(_at(one, pointer) != _at(other, pointer) for pointer in pointers)

    if changes(schema.get("createOnlyProperties", ())):
        return Action.REPLACE
    conditional = [*schema.get("conditionalCreateOnlyProperties", ()), *_given_identifier(schema)]
    if not changes(conditional):
        return Action.MODIFY
    # A document of Systems Manager says by a property whether another content is another document.
    decided = {"Replace": Action.REPLACE, "NewVersion": Action.MODIFY}
    return decided.get(str(other.get("UpdateMethod")), Action.MAY_REPLACE)


def _given_identifier(schema: JsonObject) -> Sequence[str]:
    """Return the pointers of the identifier's properties that a template gives."""
    read_only = schema.get("readOnlyProperties", ())
    return [each for each in schema.get("primaryIdentifier", ()) if each not in read_only]


def physical_name(resource: JsonObject) -> str | None:
    """Return the name that two resources of a type can't share; None where AWS chooses it."""
    schema = _schema(str(resource.get("Type")))
    if schema is None:
        return None
    kind = str(resource["Type"]).rpartition("::")[2]
    pointers = _given_identifier(schema) or [
        each
        for each in schema.get("createOnlyProperties", ())
        if each in (f"/properties/{kind}Name", "/properties/Name")
    ]
    values = [_at(properties(resource), pointer) for pointer in pointers]
    if not values or not all(isinstance(each, str) for each in values):
        return None
    return " ".join(values)


def _at(value: Any, pointer: str) -> Any:
    for part in pointer.split("/")[2:]:
        if part == "*":
            break  # of a list, all items are compared
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


@cache
def _schema(kind: str) -> JsonObject | None:
    # It takes most of a second to load, and two equal sides need none of it.
    from cfnlint.schema import ResourceNotFoundError
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    try:
        found: JsonObject = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_SCHEMA_REGION, kind).schema
    except ResourceNotFoundError:
        return None
    return found
