"""Effects of a change on drills, and drills that may run while it is deployed."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from resiliency.review.changes import Change, object_of, properties, text_of
from resiliency.review.findings import Finding, Level, Topic, explaining
from resiliency.review.sides import Sides
from staged_resiliency.drills.runtime import states
from staged_resiliency.drills.schedule import DrillSchedule
from staged_resiliency.experiment.json_codec import JsonObject

_MACHINE: Final = "AWS::StepFunctions::StateMachine"
_SCHEDULE: Final = "AWS::Scheduler::Schedule"
_SOON: Final = timedelta(hours=24)
_LONGEST: Final = timedelta(hours=12)
_MINUTE: Final = "%Y-%m-%d %H:%M UTC"
_FIRST_YEAR: Final = 2026


def drill_findings(sides: Sides) -> Iterator[Finding]:
    """Find changes of what drills break, and drills that may run during the update."""
    for change in sides.of(_MACHINE):
        yield from _plan_changes(change)
    for stack in sides.after:
        changed = [each for each in sides.changes if each.stack is stack and each.before]
        drills = [
            logical_id
            for logical_id, resource in stack.resources.items()
            if resource.get("Type") == _MACHINE and plan_of(resource)
        ]
        if changed and drills:
            yield from _running(stack.name, stack.resources, drills, sides)
        elif sides.changes:
            for logical_id in drills:
                if run := (sides.running or {}).get((stack.name, logical_id)):
                    name = plan_of(stack.resources[logical_id]).get("drill")
                    text = (
                        f"the drill {name} is running ({run}): its verdict is about the update too"
                    )
                    advice = "wait for its verdict: resiliency drill follow"
                    yield Finding(Level.WARNING, Topic.DRILLS, stack.name, text, advice)


def plan_of(resource: JsonObject | None) -> Mapping[str, Any]:
    """Return the plan in a drill's state machine; empty for other state machines."""
    try:
        definition = json.loads(text_of(properties(resource).get("DefinitionString", "{}")))
        found = definition["States"][states.PLAN]["Result"]["plan"]
    except (ValueError, LookupError, TypeError):
        return {}
    return object_of(found)


def _plan_changes(change: Change) -> Iterator[Finding]:
    before, after = plan_of(change.before), plan_of(change.after)
    name = after.get("drill")
    if not after:
        return
    if after.get("enabled") and not before.get("enabled"):
        text = f"the drill {name} is enabled: it injects its fault from the next run on"
        yield explaining(Topic.DRILLS, [change], text)
    engines = ["Gremlin" if each.get("gremlin") else "AWS FIS" for each in (before, after)]
    if before and engines[0] != engines[1]:
        text = f"{engines[1]} injects the fault of the drill {name} in place of {engines[0]}"
        yield explaining(Topic.DRILLS, [change], text)
    old, new = (_breaks(each) for each in (before, after))
    if before and old[1:] != new[1:]:
        text = f"the drill {name} breaks {' '.join(new)} in place of {' '.join(old)}"
        yield explaining(Topic.DRILLS, [change], text)


def _breaks(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the host that a drill breaks, its instance, and the dependency that it cuts off.

    Or the database that it makes fail over, or the bucket that it denies a distribution, in place
    of host and instance.
    """
    dependency = [f"for {plan['dependency']}"] if plan.get("dependency") else []
    if database := object_of(plan.get("database")):
        return ("the database", text_of(database.get("identifier")), *dependency)
    if origin := object_of(plan.get("origin")):
        return ("the origin", text_of(origin.get("bucket")), *dependency)
    target = text_of(plan.get("target"))
    hosts = [object_of(plan.get(role)) for role in ("active", "standby")]
    instances = [text_of(each["instance_id"]) for each in hosts if each.get("name") == target]
    return (target, *(instances or [target]), *dependency)


def _running(
    stack: str, resources: Mapping[str, JsonObject], drills: list[str], sides: Sides
) -> Iterator[Finding]:
    """Find drills of a stack that run now, or that a schedule starts soon."""
    later: dict[str, datetime] = {}
    for logical_id in drills:
        name = str(plan_of(resources[logical_id]).get("drill"))
        if sides.running is not None and (stack, logical_id) in sides.running:
            run = sides.running[stack, logical_id]
            text = f"the drill {name} is running ({run}): an update may end its fault"
            advice = "wait for its verdict: resiliency drill follow"
            yield Finding(Level.DANGER, Topic.DRILLS, stack, text, advice)
            continue
        starts = min(_times(resources, logical_id, sides.now), default=None)
        if starts is None or starts > sides.now + _SOON:
            later |= {name: starts} if starts else {}
            continue
        verb = "starts" if starts > sides.now else "may still run: it started"
        text = f"the drill {name} {verb} at {starts:{_MINUTE}}: an update may end its fault"
        advice = (
            "do not update the stack while it runs: resiliency drill list shows whether it does"
        )
        yield Finding(Level.WARNING, Topic.DRILLS, stack, text, advice)
    if later:
        runs = [f"{name} {starts:{_MINUTE}}" for name, starts in later.items()]
        yield Finding(Level.NOTE, Topic.DRILLS, stack, f"next runs: {', '.join(runs)}")
    if sides.running is None:
        text = "a drill may also have been started by hand, which templates do not show"
        advice = "check that none runs: resiliency drill list"
        yield Finding(Level.NOTE, Topic.DRILLS, stack, text, advice)


def _times(resources: Mapping[str, JsonObject], machine: str, now: datetime) -> Iterator[datetime]:
    """Yield the next start by each schedule of a state machine, or one that may still run."""
    timeout = _timeout(resources[machine])
    for resource in resources.values():
        given = properties(resource)
        if resource.get("Type") != _SCHEDULE or given.get("State") == "DISABLED":
            continue
        if f"${{{machine}." not in text_of(given.get("Target")):
            continue
        try:
            schedule = DrillSchedule(
                str(given.get("ScheduleExpression")),
                str(given.get("ScheduleExpressionTimezone", "UTC")),
            )
        except ValueError:
            continue
        runs = schedule.runs(now.year + 2 - _FIRST_YEAR)
        yield from (each for each in runs if each > now - timeout)


def _timeout(machine: JsonObject) -> timedelta:
    try:
        definition = json.loads(text_of(properties(machine).get("DefinitionString", "{}")))
        return timedelta(seconds=int(definition["TimeoutSeconds"]))
    except (ValueError, LookupError, TypeError):
        return _LONGEST
