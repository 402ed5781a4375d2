"""Finds alarms, notifications, guards and stop conditions that a change removes."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from resiliency.review.changes import (
    Action,
    Change,
    items_of,
    labels,
    listed,
    object_of,
    properties,
    text_of,
)
from resiliency.review.drills import plan_of
from resiliency.review.findings import Finding, Level, Topic, explaining
from resiliency.review.sides import Sides

ALARM: Final = "AWS::CloudWatch::Alarm"
_ALARMS: Final = (ALARM, "AWS::CloudWatch::CompositeAlarm")
_MACHINE: Final = "AWS::StepFunctions::StateMachine"
_EXPERIMENT: Final = "AWS::FIS::ExperimentTemplate"
_SUBSCRIPTION: Final = "AWS::SNS::Subscription"
_TOPIC: Final = "AWS::SNS::Topic"
_SCHEDULES: Final = ("AWS::Scheduler::Schedule", "AWS::Events::Rule")
_ACTIONS: Final = ("AlarmActions", "OKActions", "InsufficientDataActions")


_finding = partial(explaining, Topic.PROTECTION)


def protection_findings(sides: Sides) -> Iterator[Finding]:
    """Find what protects or notifies before a change and not after it."""
    yield from _alarms_gone(sides)
    yield from _notified(sides)
    yield from _weakened(sides)
    for change in sides.of(_SUBSCRIPTION):
        if change.action is Action.REMOVE:
            kept = (change.before or {}).get("DeletionPolicy") == "Retain"
            name = text_of(change.values("Endpoint")[0])
            text = f"{name} is no longer subscribed by the stack"
            text += "; SNS keeps the subscription (Retain)" if kept else ""
            yield _finding([change], text)
    for change in sides.of(_TOPIC):
        if change.action is Action.REMOVE:
            yield _finding([change], f"{change.label} is removed, with its subscriptions")
    yield from _guards(sides)
    for change in sides.of(*_SCHEDULES):
        before, after = change.values("State")
        if change.action is Action.REMOVE or (before != "DISABLED" and after == "DISABLED"):
            verb = "is removed" if change.action is Action.REMOVE else "is disabled"
            described = properties(change.before or change.after).get("Description")
            yield _finding([change], f"{change.label} {verb}: {described or change.logical_id}")


def _alarms_gone(sides: Sides) -> Iterator[Finding]:
    watched = {
        _watched(resource)
        for stack in sides.after
        for resource in stack.resources.values()
        if resource.get("Type") == ALARM
    }
    alike: dict[tuple[str, bool], list[Change]] = {}
    for change in sides.of(*_ALARMS):
        if change.action is Action.REMOVE:
            replaced = change.kind == ALARM and _watched(change.before) in watched
            alike.setdefault((change.stack.name, replaced), []).append(change)
    for (_, replaced), changes in alike.items():
        verb = "is" if len(changes) == 1 else "are"
        if replaced:
            text = f"{labels(changes)} {verb} removed; another alarm watches the metric"
            yield _finding(changes, text, level=Level.NOTE)
        else:
            text = f"{labels(changes)} {verb} removed, and nothing else watches the metric"
            yield _finding(changes, text)


def _watched(alarm: object) -> str:
    given = properties(object_of(alarm))
    return json.dumps(
        [given.get(key) for key in ("Namespace", "MetricName", "Dimensions", "Metrics")]
    )


def _notified(sides: Sides) -> Iterator[Finding]:
    """Find alarms that notify others; alike ones are one finding."""
    alike: dict[tuple[str, str], list[Change]] = {}
    for change in sides.of(*_ALARMS):
        if change.before is None or change.after is None:
            continue
        lost, gained = _actions(change, gone=True), _actions(change, gone=False)
        enabled = change.values("ActionsEnabled")
        if enabled[0] is not False and enabled[1] is False:
            text = "no longer notifies anybody (ActionsEnabled false)"
        elif lost:
            text = f"no longer notifies {listed(lost)}"
            text += f", but {listed(gained)}" if gained else ""
        else:
            continue
        alike.setdefault((change.stack.name, text), []).append(change)
    for (_, text), changes in alike.items():
        said = text if len(changes) == 1 else text.replace("notifies", "notify")
        yield _finding(changes, f"{labels(changes)} {said}")


def _actions(change: Change, *, gone: bool) -> Sequence[str]:
    found: dict[str, None] = {}
    for key in _ACTIONS:
        before, after = (items_of(each) for each in change.values(key))
        one, other = (before, after) if gone else (after, before)
        word = {"OKActions": " of recovery", "InsufficientDataActions": " of missing data"}
        for each in one:
            if each not in other:
                found[text_of(each) + word.get(key, "")] = None
    return list(found)


def _weakened(sides: Sides) -> Iterator[Finding]:
    for change in sides.of(ALARM):
        before, after = change.values("TreatMissingData")
        if change.before and change.after and before == "breaching" and after != "breaching":
            text = f"{change.label} no longer fires when its data is missing"
            yield _finding([change], text)
        old, new = change.values("Dimensions")
        of_health_check = properties(change.after).get("Namespace") == "AWS/Route53"
        if change.action is Action.MODIFY and old != new and of_health_check:
            yield _finding(
                [change],
                f"{change.label} watches the former health check until this stack is updated too: "
                "nobody is notified of a failover in between",
                "update this stack right after the failover stack",
            )


def _guards(sides: Sides) -> Iterator[Finding]:
    """Find drills that fewer alarms stop; a guard is a stop condition of the experiment too."""
    found: dict[tuple[str, str], list[Change]] = {}
    for change in sides.of(_MACHINE, _EXPERIMENT):
        if change.action is not Action.REMOVE:
            found.setdefault((change.stack.name, change.label.partition(" ")[2]), []).append(change)
        elif change.kind == _MACHINE:
            yield _finding([change], f"{change.label} is removed: the drill no longer runs")
    for (_, name), changes in found.items():
        before, after = (
            dict.fromkeys(alarm for each in changes for alarm in _stopped_by(each, side))
            for side in (0, 1)
        )
        lost = [each for each in before if each not in after]
        gained = [each for each in after if each not in before]
        if lost:
            text = f"{listed(lost)} no longer {'stop' if len(lost) > 1 else 'stops'} {name}"
            text += f", but {listed(gained)}" if gained else ""
            yield _finding(changes, text)


def _stopped_by(change: Change, side: int) -> Sequence[str]:
    """Return the names of the alarms that stop a drill, before or after a change."""
    if change.kind == _MACHINE:
        plan = plan_of((change.before, change.after)[side])
        return [text_of(each) for each in items_of(plan.get("guard_alarms"))]
    values = [
        object_of(each).get("Value") for each in items_of(change.values("StopConditions")[side])
    ]
    return [text_of(each).rpartition(":alarm:")[2] for each in values if each is not None]
