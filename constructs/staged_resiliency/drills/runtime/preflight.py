"""Decides whether a run may start, and whether it may still inject its fault."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Final
from zoneinfo import ZoneInfo

from staged_resiliency.drills.runtime import (
    database,
    fault,
    fis,
    gremlin_fault,
    lock,
    origin_fault,
    traps,
)
from staged_resiliency.drills.runtime.client_view import ask_for, watched_states
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.plan import Plan, Window
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.drills.runtime.store import (
    Store,
    has_journal,
    live_key,
    valid_approval,
)
from staged_resiliency.experiment.json_codec import timestamp
from staged_resiliency.experiment.observations import NO_ANSWER

PASSED: Final = "all checks passed"

_OK: Final = "OK"
_ALARM: Final = "ALARM"
_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True, slots=True)
class Findings:
    """The facts for which a run may be refused.

    Attributes:
        alarms: State of each alarm that exists.
        standby: The host that answers at the standby's own address, or ``no answer``.
        reason: Why there was no answer.
        instance_state: EC2 state of the target instance; empty where it does not exist.
        agent: Ping status of its Systems Manager agent; empty where it was not asked for.
        experiments: IDs of the running experiments of the service's other drills.
        traps: Why the host would not come back as it was, or the fault would not take effect.
        database: Status of the database that is to fail over; empty where there is none.
        closed: The change calendars that are closed.
        deploying: The stack that is being changed, and its status; empty where it is not.
    """

    in_window: bool
    alarms: Mapping[str, str]
    standby: str
    reason: str
    instance_state: str
    agent: str
    experiments: Sequence[str]
    traps: Sequence[str] = ()
    blackout: str = ""
    closed: Sequence[str] = ()
    deploying: str = ""
    database: str = ""


def refusals(plan: Plan, found: Findings) -> Sequence[str]:
    """Return the reasons to refuse a run; empty where it may start."""
    reasons = []
    if not found.in_window:
        reasons.append(f"outside the allowed window ({plan.window})")
    if found.blackout:
        reasons.append(f"{found.blackout} is excluded by blackout_dates")
    reasons += [f"change calendar {each} is closed" for each in found.closed]
    reasons += [found.deploying] if found.deploying else []
    for name in plan.watched_alarms:
        state = found.alarms.get(name)
        needed = name in plan.guard_alarms or name in plan.expected_alarms
        if state is None:
            reasons.append(f"alarm {name} does not exist")
        elif state == _ALARM:
            reasons.append(f"alarm {name} is already in ALARM")
        elif state != _OK and needed:
            reasons.append(
                f"alarm {name} is in {state}; it must be OK to guard or to show the fault"
            )
    if found.standby == NO_ANSWER:
        reasons.append(f"the standby {plan.standby.name} does not answer ({found.reason})")
    elif found.standby != plan.standby.name:
        reasons.append(f"{found.standby} answers at the address of {plan.standby.name}")
    if found.instance_state != "running":
        state = found.instance_state or "not found"
        reasons.append(f"instance {plan.target_host.instance_id} is {state}, not running")
    if _needs_ssm(plan) and found.agent != "Online":
        reasons.append(
            f"the SSM agent of {plan.target} is {found.agent or 'unknown'}, not Online: the fault "
            "needs it"
        )
    if found.experiments:
        reasons.append(f"experiment {', '.join(found.experiments)} of the service is still running")
    return [*reasons, *found.traps]


def inspect(plan: Plan, execution: str, context: Context, *, ask_gremlin: bool = True) -> Findings:
    """Collect all facts for which a run may be refused; change nothing.

    ``ask_gremlin`` is false for people, who need not be able to read the key of its API.
    """
    states = watched_states(plan, context)
    standby = ask_for(plan, plan.standby.reached_at, context)
    instance = fault.describe_instance(plan.target_host.instance_id or "", context)
    agent = traps.describe_agent(plan, context) if _needs_ssm(plan) else {}
    asked = plan.gremlin is not None and ask_gremlin
    described = {} if plan.database is None else database.describe(plan.database, context)
    return Findings(
        in_window=is_open(plan.window, context.clock()),
        alarms={name: state for name, (state, _) in states.items()},
        standby=standby.host,
        reason=standby.reason,
        instance_state=fault.state_of(instance),
        agent=str(agent.get("PingStatus", "")),
        experiments=fis.other_active_experiments(plan, execution, context),
        traps=[
            *traps.of_instance(plan, instance, context),
            *traps.of_agent(plan, agent),
            *([] if plan.database is None else database.traps_of(plan.database, described)),
            *(gremlin_fault.refusals(plan, execution, context) if asked else ()),
            *([] if plan.origin is None else origin_fault.traps_of(plan.origin, context)),
        ],
        database=database.status_of(described),
        blackout=blackout_day(plan, context.clock()),
        closed=[each for each in plan.change_calendars if _is_closed(each, context)],
        deploying=deployment_of(plan, context),
    )


def _needs_ssm(plan: Plan) -> bool:
    return plan.fault.runs_on_host and plan.gremlin is None


def check(plan: Plan, execution: str, context: Context) -> tuple[Sequence[str], str]:
    """Return the reasons to refuse a run; where there are none, take the lock.

    The second value describes the approval of a first run with a fault; empty for any other run.
    """
    reasons = list(refusals(plan, inspect(plan, execution, context)))
    missing, approval = approval_of(plan, context)
    if missing:
        reasons.append(missing)
    if not reasons:
        held = lock.take(plan, execution, context)
        reasons += [held] if held else []
    return reasons, approval


def approval_of(plan: Plan, context: Context) -> tuple[str, str]:
    """Return why a run lacks an approval, and otherwise the approval that it has, if it needs one.

    The first run of a drill that injects its fault needs one.
    """
    store = Store(context.aws, plan.journal_bucket)
    if not plan.enabled or store.keys(live_key(plan.drill)):
        return "", ""
    found = valid_approval(store, plan.drill, context.clock())
    if found is None:
        command = f"resiliency drill approve {plan.service} {plan.environment} {plan.drill}"
        return f"the first run with a fault needs an approval: {command}", ""
    until = timestamp(found.expires_at)
    return "", f"first run with a fault, approved by {found.approved_by} until {until}"


def check_injection(
    plan: Plan, run: RunName, checked_at: float | None, context: Context
) -> Sequence[str]:
    """Return the reasons why a run that passed its preflight must no longer inject its fault.

    A failed run can be redriven for 14 days, and continues where it failed; by then nothing that
    its preflight checked may be true any more:
    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html

    ``checked_at`` is when its preflight passed; None where that is unknown.
    """
    store = Store(context.aws, plan.journal_bucket)
    reasons = []
    if checked_at is None or context.clock() > checked_at + plan.timeouts.preflight_valid:
        reasons.append("its preflight was too long ago")
    if has_journal(store, plan.drill, run):
        reasons.append("its verdict is recorded")
    if not lock.holds(plan, run.execution, context):
        reasons.append("it does not hold the lock of its instances")
    deploying = deployment_of(plan, context)
    return [*reasons, deploying] if deploying else reasons


def deployment_of(plan: Plan, context: Context) -> str:
    """Return a message if a deployment changes records and alarms now, else an empty text."""
    if not plan.stack:
        return ""
    (stack,) = context.aws("cloudformation", "DescribeStacks", StackName=plan.stack)["Stacks"]
    status = str(stack["StackStatus"])
    changing = status.endswith("_IN_PROGRESS")
    return f"a deployment runs: stack {plan.stack} is in {status}" if changing else ""


def is_open(window: Window, at: float) -> bool:
    """Whether a drill may start at a time, by the local clock of the window's time zone.

    An hour that daylight saving time skips never comes; one that it repeats is allowed twice.

    Raises:
        ValueError: The time zone is unknown.
    """
    local = datetime.fromtimestamp(at, timezone.utc).astimezone(ZoneInfo(window.timezone))
    in_hours = window.from_hour <= local.hour < window.to_hour
    return _DAYS[local.weekday()] in window.days and in_hours


def blackout_day(plan: Plan, at: float) -> str:
    """Return the local date of a time if no drill may start on it; empty otherwise."""
    zone = ZoneInfo(plan.window.timezone)
    today = datetime.fromtimestamp(at, timezone.utc).astimezone(zone).date()
    for each in plan.blackout:
        first, _, last = each.partition("/")
        if date.fromisoformat(first) <= today <= date.fromisoformat(last or first):
            return str(today)
    return ""


def _is_closed(calendar: str, context: Context) -> bool:
    answer = context.aws("ssm", "GetCalendarState", CalendarNames=[calendar])
    return str(answer["State"]) != "OPEN"
