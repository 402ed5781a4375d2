"""Documents that Systems Manager runs on hosts because of a change, and their order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from resiliency.review.changes import (
    Action,
    Change,
    items_of,
    listed,
    object_of,
    properties,
    text_of,
)
from resiliency.review.findings import Finding, Level, Topic
from resiliency.review.sides import Sides
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.probe.configuration import decoded

_ASSOCIATION: Final = "AWS::SSM::Association"
_DOCUMENT: Final = "AWS::SSM::Document"


def host_findings(sides: Sides) -> Iterator[Finding]:
    """Find associations that run because of a change."""
    documents = {(each.stack.name, each.logical_id): each for each in sides.of(_DOCUMENT)}
    for change in sides.of(_ASSOCIATION):
        if change.action is Action.REMOVE:
            text = (
                f"{change.label} is removed: what it installed stays on "
                f"{listed(_hosts(change.before))} as it is, and is no longer repaired"
            )
            advice = "deploy state: absent first, where it is to go"
        elif change.properties == ("Metadata",):
            continue
        else:
            text = _run(change)
            advice = "follow the runs: aws ssm describe-association-executions"
        document = object_of(object_of((change.after or {}).get("Properties")).get("Name"))
        ids = [change.logical_id]
        if (change.stack.name, str(document.get("Ref"))) in documents:
            ids.append(str(document["Ref"]))
        yield Finding(Level.WARNING, Topic.HOSTS, change.stack.name, text, advice, tuple(ids))


def _run(change: Change) -> str:
    given, hosts = properties(change.after), _hosts(change.after)
    at_once = text_of(given.get("MaxConcurrency", "50"))
    errors = text_of(given.get("MaxErrors", "50"))
    order = "one after the other" if at_once == "1" else f"{at_once} at a time"
    order += ", in an order that Systems Manager chooses"
    order += f", until {'one fails' if errors == '0' else f'more than {errors} have failed'}"
    text = f"{change.label} runs its document at once on {listed(hosts)}: {order}"
    if differing := _configured(change):
        text += f"; changed: {', '.join(differing)}"
    gone = [each for each in _hosts(change.before) if each not in hosts] if change.before else []
    if gone:
        text += (
            f"; no longer among its hosts: {listed(gone)}, where what is installed stays as it is"
        )
    return text


def _hosts(association: JsonObject | None) -> Sequence[str]:
    targets = items_of(properties(association).get("Targets"))
    values = [
        text_of(value) for each in targets for value in items_of(object_of(each).get("Values"))
    ]
    return values or ["hosts that its template does not name"]


def _configured(change: Change) -> Sequence[str]:
    """Return what differs of an association: the parameters, and keys of the configuration."""
    if change.before is None:
        return []
    before, after = (
        {
            **{
                key: text_of(value)
                for key, value in properties(each).items()
                if key != "Parameters"
            },
            **_parameters(object_of(properties(each).get("Parameters"))),
        }
        for each in (change.before, change.after)
    )
    return [
        f"{key} {before.get(key, 'absent')} → {after.get(key, 'absent')}"
        for key in {**before, **after}
        if before.get(key) != after.get(key) and key not in ("Name", "Targets")
    ] + (["the document"] if before.get("Name") != after.get("Name") else [])


def _parameters(given: JsonObject) -> Mapping[str, str]:
    found = {key: text_of(value) for key, value in given.items()}
    try:
        configuration = decoded(found.get("Configuration", ""))
    except (ValueError, RecursionError):
        return found
    found.pop("Configuration", None)
    for key, value in object_of(configuration).items():
        if key == "targets":
            for target in map(object_of, items_of(value)):
                rest = {name: each for name, each in target.items() if name != "metric"}
                found[text_of(target.get("metric"))] = text_of(rest)
        elif isinstance(value, Mapping):
            found.update({f"{key} {name}": text_of(each) for name, each in value.items()})
        else:
            found[key] = text_of(value)
    return found
