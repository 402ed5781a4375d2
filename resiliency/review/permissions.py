"""Permissions that a change widens: statements, policies and their principals."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from resiliency.review.changes import Change, items_of, listed, properties, text_of
from resiliency.review.findings import Finding, Topic, explaining
from resiliency.review.sides import Sides

_ATTACHED: Final = ("ManagedPolicyArns", "Roles", "Users", "Groups")
_LAMBDA: Final = "AWS::Lambda::Permission"

_Grant = tuple[str, str, str, str]
"""Effect, principal, resource and condition of a statement."""


def permission_findings(sides: Sides) -> Iterator[Finding]:
    """Find what may be done after a change and not before."""
    for change in sides.changes:
        widened = list(_widened(change))
        if widened and change.after is not None:
            text = f"{change.label}: {'; '.join(widened)}"
            yield explaining(Topic.PERMISSIONS, [change], text)


def _widened(change: Change) -> Iterator[str]:
    before, after = (_granted(properties(each)) for each in (change.before, change.after))
    for grant, actions in after.items():
        new = [each for each in actions if each not in before.get(grant, ())]
        if new and grant[0] == "Allow":
            yield f"allows {_shown(grant, new)}"
    for grant, actions in before.items():
        gone = [each for each in actions if each not in after.get(grant, ())]
        if gone and grant[0] == "Deny":
            yield f"no longer denies {_shown(grant, gone)}"
    for key in _ATTACHED:
        old, new_items = (items_of(each) for each in change.values(key))
        if added := [text_of(each) for each in new_items if each not in old]:
            what = "has the policies" if key == "ManagedPolicyArns" else "is attached to"
            yield f"{what} {listed(added)}"
    if change.kind == _LAMBDA and change.action.value != "remove":
        given = properties(change.after)
        yield f"{text_of(given.get('Principal'))} may invoke {text_of(given.get('FunctionName'))}"


def _granted(value: Any) -> dict[_Grant, list[str]]:
    """Return the actions of all statements below a value, by what they are granted on."""
    found: dict[_Grant, list[str]] = {}
    for statement in _statements(value):
        actions = statement.get("Action", [])
        names = [str(each) for each in (actions if isinstance(actions, list) else [actions])]
        if "NotAction" in statement:
            names.append(f"all but {text_of(statement['NotAction'])}")
        effect, condition = str(statement.get("Effect")), _json(statement, "Condition")
        principal = _json(statement, "Principal", "NotPrincipal")
        for resource in _resources(statement):
            found.setdefault((effect, principal, resource, condition), []).extend(names)
    return found


def _resources(statement: Mapping[str, Any]) -> Iterator[str]:
    resources = statement.get("Resource")
    for each in resources if isinstance(resources, list) else ():
        yield _json({"Resource": each}, "Resource")
    if not isinstance(resources, list):
        yield _json(statement, "Resource", "NotResource")


def _statements(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        statements = value.get("Statement")
        if statements is not None:
            for each in statements if isinstance(statements, list) else [statements]:
                if isinstance(each, Mapping):
                    yield each
        else:
            for each in value.values():
                yield from _statements(each)
    elif isinstance(value, list):
        for each in value:
            yield from _statements(each)


def _json(statement: Mapping[str, Any], *keys: str) -> str:
    return json.dumps({key: statement[key] for key in keys if key in statement}, sort_keys=True)


def _shown(grant: _Grant, actions: list[str]) -> str:
    _, principal, resource, condition = grant
    text = listed(sorted(actions))
    for content, word in ((resource, "on"), (principal, "to"), (condition, "if")):
        for key, value in json.loads(content).items():
            said = f"{word} all but" if key.startswith("Not") else word
            text += f" {said} {text_of(value)}"
    return text
