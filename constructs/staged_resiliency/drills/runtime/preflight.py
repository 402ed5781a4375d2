"""Whether a run may begin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime import experiments, run_lock
from staged_resiliency.drills.runtime.client_view import alarm_states, served_by
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.messages import RunName
from staged_resiliency.drills.runtime.plan import FaultKind, Plan
from staged_resiliency.drills.runtime.recorder import is_recorded
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.drills.runtime.time_window import allowed
from staged_resiliency.experiment.observations import NO_ANSWER

_OK: Final = "OK"
_ALARM: Final = "ALARM"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found before a run.

    Attributes:
        in_window: Whether a drill may begin now.
        alarms: State of each alarm that there is.
        standby: Who answers at the standby's own address, or ``no answer``.
        why: Why there was no answer.
        instance_state: EC2's word for the host that is to be broken; empty where there is none.
        agent: Systems Manager's word for its agent; empty where it was not asked.
        experiments: Experiments of the service's drills that go on.
    """

    in_window: bool
    alarms: Mapping[str, str]
    standby: str
    why: str
    instance_state: str
    agent: str
    experiments: Sequence[str]


def refusals(plan: Plan, found: Findings) -> Sequence[str]:
    """Why the run may not begin; empty where it may."""
    reasons = []
    window = plan.window
    if not found.in_window and window is not None:
        reasons.append(
            f"outside the allowed window ({', '.join(window.days)} {window.start} to {window.end} "
            f"{window.timezone})"
        )
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
        reasons.append(f"the standby {plan.standby.name} does not answer ({found.why})")
    elif found.standby != plan.standby.name:
        reasons.append(f"{found.standby} answers at the address of {plan.standby.name}")
    if found.instance_state != "running":
        state = found.instance_state or "not found"
        reasons.append(f"instance {plan.broken_host.instance_id} is {state}, not running")
    if plan.fault is FaultKind.BLACKHOLE and found.agent != "Online":
        reasons.append(
            f"the SSM agent of {plan.broken} is {found.agent or 'unknown'}, not Online: the fault "
            "needs it"
        )
    if found.experiments:
        reasons.append(f"experiment {', '.join(found.experiments)} of the service still runs")
    return reasons


def find(plan: Plan, execution: str, world: Context) -> Findings:
    """Look at all that may speak against a run."""
    states = alarm_states(_alarms(plan), world)
    addresses = world.resolve(plan.standby.reached_at)
    standby, why = NO_ANSWER, f"{plan.standby.reached_at} can't be resolved"
    if addresses:
        standby, why = served_by(plan, world, addresses[0])
    return Findings(
        in_window=allowed(plan.window, world.clock()),
        alarms={name: state for name, (state, _) in states.items()},
        standby=standby,
        why=why,
        instance_state=instance_state(plan, world),
        agent=_agent(plan, world) if plan.fault is FaultKind.BLACKHOLE else "",
        experiments=experiments.active_of_others(plan, execution, world),
    )


def reasons_against(plan: Plan, execution: str, world: Context) -> Sequence[str]:
    """Why a run may not begin. Where nothing else speaks against it, it takes the lock."""
    reasons = refusals(plan, find(plan, execution, world))
    if reasons:
        return reasons
    holder = run_lock.take(Store(world.aws, plan.journal), execution, world)
    return [f"another drill of {plan.service} runs: {holder}"] if holder else []


def reasons_against_injection(
    plan: Plan, run: RunName, checked_at: float | None, world: Context
) -> Sequence[str]:
    """Why a run that passed its preflight must not inject its fault all the same.

    A run that ended badly can be redriven for 14 days, and goes on where it was; of all that its
    preflight found nothing may be so any more:
    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html

    Args:
        plan: The drill.
        run: The run.
        checked_at: When its preflight passed; None where nobody knows.
        world: Everything outside.
    """
    store = Store(world.aws, plan.journal)
    reasons = []
    if checked_at is None or world.clock() > checked_at + plan.timeouts.fresh:
        reasons.append("its preflight was too long ago")
    if is_recorded(plan, run, world):
        reasons.append("its verdict is recorded")
    if not run_lock.held(store, run.execution):
        reasons.append(f"it does not hold the lock of {plan.service}'s drills")
    return reasons


def instance_state(plan: Plan, world: Context) -> str:
    """EC2's word for the host that is broken; empty where there is no such instance."""
    answer = world.aws(
        "ec2",
        "DescribeInstances",
        Filters=[{"Name": "instance-id", "Values": [plan.broken_host.instance_id or ""]}],
    )
    for reservation in answer["Reservations"]:
        for instance in reservation["Instances"]:
            return str(instance["State"]["Name"])
    return ""


def _alarms(plan: Plan) -> Sequence[str]:
    return tuple(dict.fromkeys((*plan.alarms, *plan.guard_alarms, *plan.expected_alarms)))


def _agent(plan: Plan, world: Context) -> str:
    answer = world.aws(
        "ssm",
        "DescribeInstanceInformation",
        Filters=[{"Key": "InstanceIds", "Values": [plan.broken_host.instance_id or ""]}],
    )
    for each in answer["InstanceInformationList"]:
        return str(each["PingStatus"])
    return ""
