"""Ends the fault of a run, even if the run failed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from staged_resiliency.drills.runtime import database
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.durations import RULE_LATE_SECONDS
from staged_resiliency.drills.runtime.ending import Ending, FaultToEnd
from staged_resiliency.drills.runtime.fault_settings import Database, FaultKind
from staged_resiliency.drills.runtime.fis import (
    Experiment,
    experiments_of_run,
    get_experiment,
    stop_experiment,
)
from staged_resiliency.drills.runtime.keys import (
    BLACKHOLE_DOCUMENT,
)
from staged_resiliency.experiment.json_codec import JsonObject

SETTLE_SECONDS: Final = 60.0
"""How long an experiment that the run doesn't know of is looked for: FIS's list may lag behind."""

CLEANUP_SETTLE_SECONDS: Final = 180.0
"""The same after an abort, which does not stop a function that is just starting an experiment."""

LATE_SECONDS: Final = 60.0
"""How long after the fault's time FIS is waited for."""

TIME_OVER: Final = "the time of the fault is over"
RULE_REMOVED: Final = "the rule on the host is removed"
_COMMAND_RUNS: Final = ("Pending", "InProgress", "Delayed", "Cancelling")


@dataclass(frozen=True, slots=True)
class FaultEndStatus:
    """The progress of ending a fault.

    Attributes:
        over: Whether it is over, as far as can be found out.
        experiment: ID of the run's experiment; None where there is none.
        fault_ended_at: When the fault was over; None while it is not.
        acting_since: When the experiment began to act; None where it did not.
    """

    over: bool
    experiment: str | None
    message: str
    fault_ended_at: float | None = None
    acting_since: float | None = None


def advance_fault_end(to_end: FaultToEnd, context: Context) -> FaultEndStatus:
    """Take the next step to end the fault, and return how far ending it has come.

    Once the fault's time is over a stopped host is started even where FIS can't be asked.

    Raises:
        AwsError: FIS or EC2 can't be asked.
    """
    try:
        found = _stop_experiments(to_end, context)
    except AwsError as error:
        if not is_late(to_end.plan, to_end.begun, context):
            raise
        context.log("FIS can't be asked", error=str(error))
        return _end_without_fis(to_end, context)
    if not found:
        return FaultEndStatus(True, None, "no experiment was started")
    began = min((each.acting_since for each in found if each.acting_since), default=None)
    status = _status(to_end, found, began if to_end.begun is None else to_end.begun, context)
    return replace(status, acting_since=began)


def describe_instance(instance_id: str, context: Context) -> JsonObject:
    """Return EC2's description of an instance; an empty object where it does not exist."""
    answer = context.aws(
        "ec2",
        "DescribeInstances",
        Filters=[{"Name": "instance-id", "Values": [instance_id]}],
    )
    found: list[JsonObject] = [
        instance for each in answer["Reservations"] for instance in each["Instances"]
    ]
    return found[0] if found else {}


def state_of(instance: JsonObject) -> str:
    """Return the state in EC2's description of an instance; empty where there is none."""
    return str(instance["State"]["Name"]) if instance else ""


def is_over(plan: Ending, context: Context) -> bool:
    """Whether the fault of an old run is over, without taking any step to end it."""
    if not plan.enabled or plan.fault is not FaultKind.STOP_INSTANCE:
        return True  # it ended by itself
    state = state_of(describe_instance(plan.instance_id, context))
    return state in ("running", "shutting-down", "terminated", "")


def _stop_experiments(to_end: FaultToEnd, context: Context) -> Sequence[Experiment]:
    """Stop the experiments of a run; return them as they were before."""
    known = to_end.experiment
    ids = [known] if known else experiments_of_run(to_end.plan, to_end.execution, context)
    found = [get_experiment(each, context) for each in ids]
    for each in found:
        if each.stoppable:
            context.log("stopping the experiment", experiment=each.id, status=each.status)
            stop_experiment(each.id, context)
    return found


def is_late(plan: Ending, begun: float | None, context: Context) -> bool:
    """Whether the fault is well past the time at which it should have ended by itself."""
    return begun is not None and context.clock() >= begun + plan.fault_seconds + LATE_SECONDS


def _end_without_fis(to_end: FaultToEnd, context: Context) -> FaultEndStatus:
    plan, known, begun = to_end.plan, to_end.experiment, to_end.begun
    if plan.enabled and plan.database is not None:
        return _failover_status(plan, plan.database, known, begun, context)
    if plan.enabled and plan.fault is FaultKind.STOP_INSTANCE:
        return start_instance(plan, known, context)
    lasting = "" if not plan.enabled else _why_rule_may_last(plan, begun, context)
    if lasting:
        return FaultEndStatus(False, known, lasting)
    return FaultEndStatus(True, known, TIME_OVER, context.clock())


def _status(
    to_end: FaultToEnd, found: Sequence[Experiment], begun: float | None, context: Context
) -> FaultEndStatus:
    plan = to_end.plan
    active = [each for each in found if each.active]
    last = found[-1]
    if active:
        message = f"experiment {active[0].id} is {active[0].status}"
        stopped = plan.enabled and plan.fault is FaultKind.STOP_INSTANCE
        if stopped and is_late(plan, begun, context):
            message = f"{message}; {start_instance(plan, last.id, context).message}"
        return FaultEndStatus(False, last.id, message)
    if not plan.enabled:
        message = f"experiment {last.id} is {last.status}"
        return FaultEndStatus(True, last.id, message, context.clock())
    if plan.database is not None:
        return _failover_status(plan, plan.database, last.id, begun, context)
    if plan.fault is FaultKind.STOP_INSTANCE:
        return start_instance(plan, last.id, context)
    return _rule_status(plan, last, to_end.injected_at, context)


def _failover_status(
    plan: Ending,
    failing_over: Database,
    experiment: str | None,
    begun: float | None,
    context: Context,
) -> FaultEndStatus:
    """Return how far a failover of a database has come, which nothing stops once it has begun.

    RDS may not report at once that it has begun, so the database counts as lost at least for the
    time that a failover usually takes. One that can't be described counts as lost for longer.
    """
    now = context.clock()
    usual = now if begun is None else begun + plan.fault_seconds
    try:
        status = database.status_of(database.describe(failing_over, context))
    except AwsError as error:
        if now < usual + RULE_LATE_SECONDS:
            message = f"{failing_over} can't be described: {error}"
            return FaultEndStatus(False, experiment, message)
        return FaultEndStatus(True, experiment, TIME_OVER, now)
    if status != database.AVAILABLE:
        return FaultEndStatus(False, experiment, f"{failing_over} is {status or 'not found'}")
    if now < usual:
        message = f"{failing_over} may fail over for another {usual - now:.0f} s"
        return FaultEndStatus(False, experiment, message)
    return FaultEndStatus(True, experiment, f"{failing_over} is available", now)


def start_instance(plan: Ending, experiment: str | None, context: Context) -> FaultEndStatus:
    """Start the target instance where nothing else has started it."""
    state = state_of(describe_instance(plan.instance_id, context))
    if state == "running":
        message = f"instance {plan.instance_id} is running"
        return FaultEndStatus(True, experiment, message, context.clock())
    if state == "stopped":
        context.log("starting the instance", instance=plan.instance_id)
        try:
            context.aws("ec2", "StartInstances", InstanceIds=[plan.instance_id])
        except AwsError as error:
            # The next poll tries again; the verdict reports it if it never succeeds.
            context.log("the instance can't be started", error=str(error))
            return FaultEndStatus(False, experiment, f"{plan.host} can't be started: {error}")
    return FaultEndStatus(
        False, experiment, f"instance {plan.instance_id} is {state or 'not found'}"
    )


def _rule_status(
    plan: Ending, experiment: Experiment, injected_at: float | None, context: Context
) -> FaultEndStatus:
    """Return how far ending a rule on the host has come; the host removes it after the duration.

    The rule lasts as long as the command on the host, which begins with the installation of what
    it needs. FIS completes its action after the action's own time, whether the command has ended
    or not. So the end of the command counts; where it ended otherwise than by success, the time of
    the fault.
    """
    now = context.clock()
    began = injected_at if injected_at is not None else experiment.acting_since
    lasting = _why_rule_may_last(plan, began, context)
    if lasting:
        return FaultEndStatus(False, experiment.id, lasting)
    if experiment.status == "completed":
        # Of a command that outlasts FIS's action only this poll shows the end.
        ended = experiment.ended_at
        at = ended if ended is not None and now < ended + LATE_SECONDS else now
        return FaultEndStatus(True, experiment.id, RULE_REMOVED, at)
    if began is not None and now < began + plan.fault_seconds:
        left = began + plan.fault_seconds - now
        return FaultEndStatus(False, experiment.id, f"{plan.host} removes the rule in {left:.0f} s")
    return FaultEndStatus(True, experiment.id, TIME_OVER, now)


def _why_rule_may_last(plan: Ending, began: float | None, context: Context) -> str:
    """Return why the rule of a blackhole may still be there; empty where it is not.

    A command that runs is waited for: Systems Manager ends it in time. One that can't be followed
    is waited for until the rule can no longer be there.
    """
    document = BLACKHOLE_DOCUMENT if plan.command is None else plan.command.document
    try:
        answer = context.aws(
            "ssm",
            "ListCommandInvocations",
            InstanceId=plan.instance_id,
            Filters=[{"key": "DocumentName", "value": document}],
        )
    except AwsError as error:
        late = began is None or context.clock() >= rule_gone_at(began, plan.fault_seconds)
        return "" if late else f"the command on {plan.host} can't be followed: {error}"
    for each in answer["CommandInvocations"]:
        if each["Status"] in _COMMAND_RUNS:
            return f"command {each['CommandId']} is {each['Status']} on {plan.host}"
    return ""


def rule_gone_at(began: float, fault_seconds: float) -> float:
    """Return when the rule of a blackhole is certain to be gone, however it ended."""
    return began + fault_seconds + RULE_LATE_SECONDS
