"""Decides whether a run may start, and whether it may still inject its fault."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final
from zoneinfo import ZoneInfo

from staged_resiliency.drills.runtime import fault
from staged_resiliency.drills.runtime.client_view import alarm_states, serving_host
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.plan import FaultKind, Plan, Window
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.drills.runtime.store import Store, has_journal, holds_lock, take_lock
from staged_resiliency.experiment.observations import NO_ANSWER

PASSED: Final = "all checks passed"

_OK: Final = "OK"
_ALARM: Final = "ALARM"
_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True, slots=True)
class Findings:
    """What the preflight found.

    Attributes:
        alarms: State of each alarm that exists.
        standby: The host that answers at the standby's own address, or ``no answer``.
        reason: Why there was no answer.
        instance_state: EC2 state of the target instance; empty where it does not exist.
        agent: Ping status of its Systems Manager agent; empty where it was not asked for.
        experiments: IDs of the running experiments of the service's other drills.
    """

    in_window: bool
    alarms: Mapping[str, str]
    standby: str
    reason: str
    instance_state: str
    agent: str
    experiments: Sequence[str]


def refusals(plan: Plan, found: Findings) -> Sequence[str]:
    """Return the reasons to refuse a run; empty where it may start."""
    reasons = []
    if not found.in_window:
        reasons.append(f"outside the allowed window ({plan.window})")
    for name in _alarms(plan):
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
    if plan.fault is FaultKind.BLACKHOLE and found.agent != "Online":
        reasons.append(
            f"the SSM agent of {plan.target} is {found.agent or 'unknown'}, not Online: the fault "
            "needs it"
        )
    if found.experiments:
        reasons.append(f"experiment {', '.join(found.experiments)} of the service is still running")
    return reasons


def inspect(plan: Plan, execution: str, context: Context) -> Findings:
    """Collect everything for which a run may be refused; change nothing."""
    states = alarm_states(_alarms(plan), context)
    addresses = context.resolve(plan.standby.reached_at)
    standby, reason = NO_ANSWER, f"{plan.standby.reached_at} can't be resolved"
    if addresses:
        standby, reason = serving_host(plan, context, addresses[0])
    return Findings(
        in_window=is_open(plan.window, context.clock()),
        alarms={name: state for name, (state, _) in states.items()},
        standby=standby,
        reason=reason,
        instance_state=fault.instance_state(plan, context),
        agent=_agent(plan, context) if plan.fault is FaultKind.BLACKHOLE else "",
        experiments=fault.other_active_experiments(plan, execution, context),
    )


def check(plan: Plan, execution: str, context: Context) -> Sequence[str]:
    """Return the reasons to refuse a run; where there are none, take the lock."""
    reasons = refusals(plan, inspect(plan, execution, context))
    if reasons:
        return reasons
    holder = take_lock(Store(context.aws, plan.journal_bucket), execution, context)
    return [f"another drill of {plan.service} is running: {holder}"] if holder else []


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
    if not holds_lock(store, run.execution):
        reasons.append(f"it does not hold the lock of {plan.service}'s drills")
    return reasons


def is_open(window: Window, at: float) -> bool:
    """Whether a drill may start at a time, by the local clock of the window's time zone.

    An hour that daylight saving time skips never comes; one that it repeats is allowed twice.

    Raises:
        ValueError: The time zone is unknown.
    """
    local = datetime.fromtimestamp(at, timezone.utc).astimezone(ZoneInfo(window.timezone))
    in_hours = window.from_hour <= local.hour < window.to_hour
    return _DAYS[local.weekday()] in window.days and in_hours


def _alarms(plan: Plan) -> Sequence[str]:
    return tuple(dict.fromkeys((*plan.alarms, *plan.guard_alarms, *plan.expected_alarms)))


def _agent(plan: Plan, context: Context) -> str:
    answer = context.aws(
        "ssm",
        "DescribeInstanceInformation",
        Filters=[{"Key": "InstanceIds", "Values": [plan.target_host.instance_id or ""]}],
    )
    for each in answer["InstanceInformationList"]:
        return str(each["PingStatus"])
    return ""
