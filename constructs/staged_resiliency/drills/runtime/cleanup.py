"""What becomes of a run that was aborted, timed out or failed: nothing of its own runs any more.

Step Functions runs no Catch of an execution that ends as a whole. This is called with the event by
which EventBridge tells it, and by a schedule: such events are delivered on a best-effort basis
(https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html), and a fault may last
longer than one call.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime import experiments, phases, recorder, states
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.messages import PhaseInput, Result, RunName
from staged_resiliency.drills.runtime.phase_records import folder
from staged_resiliency.drills.runtime.plan import DrillSchedules, Plan, WatchedDrill
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.experiment.json_codec import DataError

ENDS: Final = ("FAILED", "TIMED_OUT", "ABORTED")
"""How a run ends that did not come to its own end, in the words of Step Functions."""

PATIENCE_SECONDS: Final = 780.0
"""How long one call waits for the end of the fault; Lambda's own limit is 900."""

LEFT_SECONDS: Final = 900.0
"""So long after a run's end its event has been swept, or was lost."""

FORGOTTEN_SECONDS: Final = 172_800.0
"""A run that ended so long ago is left alone: by now its host may be stopped on purpose."""


class FaultNotOverError(Exception):
    """The fault may still be there though its time is over, or nobody can tell.

    Lambda calls the sweep again, as it does after any failure.
    """


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that did not come to its own end.

    Attributes:
        run: The run.
        status: How it ended, in words.
        at: When, in seconds since the epoch.
    """

    run: RunName
    status: str
    at: float


def sweep(event: object, world: Context) -> None:
    """End the faults of runs, and record their verdicts if nobody did.

    Args:
        event: EventBridge's, of one run; or ``DrillSchedules.to_json``, for all that were left.
        world: Everything outside.

    Raises:
        FaultNotOverError: A fault may still be there though its time is over.
        DataError: It is no such event.
    """
    until = world.clock() + PATIENCE_SECONDS
    if not isinstance(event, dict) or "drills" not in event:
        _sweep(_told(event, world), until, world)
        return
    left: list[Ended] = []
    failed: list[str] = []
    for drill in DrillSchedules.from_json(event).drills:
        try:
            left += _left(drill, world)
        except AwsError as error:
            world.log("runs can't be listed", drill=drill.name, error=str(error))
            failed.append(str(error))
    for number, ended in enumerate(left):
        now = world.clock()
        try:
            _sweep(ended, now + (until - now) / (len(left) - number), world)
        except Exception as error:  # whatever holds up one run must not hold up the next
            world.log("not swept", run=ended.run.name, error=repr(error))
            failed.append(str(error))
    if failed:
        raise FaultNotOverError("; ".join(failed))


def _sweep(ended: Ended, until: float, world: Context) -> None:
    """Sweep one run; where its fault lasts longer than that, a later call goes on."""
    run = ended.run
    plan = _plan(run, world)
    if _nothing_to_do(plan, run, world):
        world.log("nothing to sweep", run=run.name)
        return
    # A function of the run may still be about to start the experiment: that it was aborted does
    # not stop it. So one that nobody heard of is waited for, from the run's end on.
    last = Result(False, True, ended.at, None, "")
    while True:
        call = PhaseInput(states.SWEEP, plan, run, {"end": last}, {"inject": ended.status})
        last = phases.end_fault(call, world)
        if not last.again or world.clock() >= until:
            break
    if last.again and world.clock() < ended.at + plan.timeouts.end:
        # No verdict yet: that the fault may still be there would be wrong before long.
        world.log("the sweep goes on later", run=run.name, told=last.told)
        return
    found = recorder.record(plan, run, {}, f"the run was {ended.status}", world)
    if found.fault_may_last:
        raise FaultNotOverError(f"{run.execution}: {last.told}")
    Store(world.aws, plan.journal).put_new(_mark(plan, run), "{}")


def _left(drill: WatchedDrill, world: Context) -> Iterator[Ended]:
    """Runs whose event was lost, or whose fault outlasted the call that it made."""
    now = world.clock()
    for status in ENDS:
        # The newest come first, so those that are left are on the first page:
        # https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
        listed = world.aws(
            "stepfunctions",
            "ListExecutions",
            stateMachineArn=drill.state_machine_arn,
            statusFilter=status,
            maxResults=100,
        )
        for each in listed["executions"]:
            at = each["stopDate"].timestamp()
            if LEFT_SECONDS <= now - at <= FORGOTTEN_SECONDS:
                run = RunName(str(each["executionArn"]), str(each["name"]))
                yield Ended(run, _words(status), at)


def _mark(plan: Plan, run: RunName) -> str:
    """Key of what says that a run is swept."""
    return f"{folder(plan, run.name)}done/swept"


def _nothing_to_do(plan: Plan, run: RunName, world: Context) -> bool:
    try:
        if Store(world.aws, plan.journal).keys(_mark(plan, run)):
            return True
        recorded = recorder.is_recorded(plan, run, world)
        return recorded and not experiments.of_run(plan, run.execution, world)
    except AwsError as error:
        world.log("sweeping anyway", run=run.name, error=str(error))
        return False


def _told(event: object, world: Context) -> Ended:
    detail = event.get("detail") if isinstance(event, dict) else None
    if not isinstance(detail, dict):
        raise DataError("event: must be an object with an object 'detail'")
    try:
        run = RunName(str(detail["executionArn"]), str(detail["name"]))
        status = _words(str(detail["status"]))
    except KeyError as error:
        raise DataError(f"event: detail: {error} is missing") from None
    stopped = detail.get("stopDate")  # in milliseconds
    return Ended(run, status, stopped / 1000 if isinstance(stopped, int) else world.clock())


def _words(status: str) -> str:
    return status.lower().replace("_", " ")


def _plan(run: RunName, world: Context) -> Plan:
    """The plan that the run was made with, whatever was deployed since."""
    answer = world.aws(
        "stepfunctions", "DescribeStateMachineForExecution", executionArn=run.execution
    )
    states = json.loads(answer["definition"])["States"]
    return Plan.from_json(states[states.PLAN]["Result"]["plan"])
