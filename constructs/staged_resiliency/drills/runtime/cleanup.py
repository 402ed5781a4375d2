"""Cleans up after runs that were aborted, timed out or failed: ends faults, records verdicts.

Step Functions runs no Catch of an execution that ends as a whole. So the cleanup is called with
the event that EventBridge delivers of it, and by a schedule: such events are delivered on a
best-effort basis (https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html), and a
fault may last longer than one call of a function.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime import fault, phases, recorder, states
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.plan import DrillSchedules, Plan, WatchedDrill
from staged_resiliency.drills.runtime.states import PhaseInput, PhaseResult, RunName
from staged_resiliency.drills.runtime.store import Store, done_folder, has_journal
from staged_resiliency.experiment.json_codec import DataError

ABNORMAL_ENDS: Final = ("FAILED", "TIMED_OUT", "ABORTED")
"""Step Functions' statuses of executions that need a cleanup."""

CALL_SECONDS: Final = 780.0
"""How long one call waits for the end of the fault; Lambda's own limit is 900."""

EVENT_SECONDS: Final = 900.0
"""How long after its end a run is left to its event; the schedule cleans it up after that."""

MAX_AGE_SECONDS: Final = 172_800.0
"""How long after its end a run is cleaned up; later its host may have been stopped on purpose."""


class FaultNotOverError(Exception):
    """The fault may still be in effect after its duration, or its state is unknown.

    Lambda calls the cleanup again, as after any failure.
    """


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that was aborted, timed out or failed; ``at`` is in seconds since the epoch."""

    run: RunName
    status: str
    at: float


def clean_up(event: object, context: Context) -> None:
    """End the faults of runs, and record their verdicts where they are not recorded.

    The event is EventBridge's of one run; or ``DrillSchedules.to_json``, for all runs whose event
    was lost or whose fault outlasted the call.

    Raises:
        FaultNotOverError: A fault may still be in effect after its duration.
    """
    deadline = context.clock() + CALL_SECONDS
    if not isinstance(event, dict) or "drills" not in event:
        _clean_up_run(_ended_run(event, context), deadline, context)
        return
    missed: list[EndedRun] = []
    failed: list[str] = []
    for drill in DrillSchedules.from_json(event).drills:
        try:
            missed += _missed_runs(drill, context)
        except AwsError as error:
            context.log("runs can't be listed", drill=drill.name, error=str(error))
            failed.append(str(error))
    for number, ended in enumerate(missed):
        now = context.clock()
        try:
            share = (deadline - now) / (len(missed) - number)
            _clean_up_run(ended, now + share, context)
        except Exception as error:  # one run that fails must not hold up the next
            context.log("the cleanup failed", run=ended.run.name, error=repr(error))
            failed.append(str(error))
    if failed:
        raise FaultNotOverError("; ".join(failed))


def _clean_up_run(ended: EndedRun, deadline: float, context: Context) -> None:
    """Clean up one run; if its fault has not ended by the deadline, a later call continues."""
    run = ended.run
    plan = _plan(run, context)
    if _is_clean(plan, run, context):
        context.log("nothing to clean up", run=run.name)
        return
    # A function of the run may still be about to start the experiment, as an abort does not stop
    # it. So an experiment that is not known yet is waited for, from the run's end on.
    last = PhaseResult(False, True, ended.at, None, "")
    while True:
        results = {states.RESULT_KEYS[states.END_FAULT]: last}
        errors = {states.RESULT_KEYS[states.INJECT]: ended.status}
        call = PhaseInput(states.CLEANUP, plan, run, results, errors)
        last = phases.end_fault(call, context)
        if not last.again or context.clock() >= deadline:
            break
    if last.again and context.clock() < ended.at + plan.timeouts.end:
        # No verdict yet: to report that the fault may still be in effect would soon be wrong.
        context.log("the cleanup continues later", run=run.name, message=last.message)
        return
    recorded = recorder.record(plan, run, {}, f"the run was {ended.status}", context)
    if recorded.fault_may_last:
        raise FaultNotOverError(f"{run.execution}: {last.message}")
    Store(context.aws, plan.journal_bucket).put_new(_mark(plan, run), "{}")


def _missed_runs(drill: WatchedDrill, context: Context) -> Iterator[EndedRun]:
    """Find runs whose event was lost, or whose fault had not ended when a call returned."""
    now = context.clock()
    for status in ABNORMAL_ENDS:
        # The newest come first, so the runs in question are on the first page:
        # https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
        listed = context.aws(
            "stepfunctions",
            "ListExecutions",
            stateMachineArn=drill.state_machine_arn,
            statusFilter=status,
            maxResults=100,
        )
        for each in listed["executions"]:
            at = each["stopDate"].timestamp()
            if EVENT_SECONDS <= now - at <= MAX_AGE_SECONDS:
                run = RunName(str(each["executionArn"]), str(each["name"]))
                yield EndedRun(run, _in_words(status), at)


def _mark(plan: Plan, run: RunName) -> str:
    """The key that marks a run as cleaned up."""
    return f"{done_folder(plan.drill, run.name)}cleanup"


def _is_clean(plan: Plan, run: RunName, context: Context) -> bool:
    store = Store(context.aws, plan.journal_bucket)
    try:
        if store.keys(_mark(plan, run)):
            return True
        recorded = has_journal(store, plan.drill, run)
        return recorded and not fault.experiments_of_run(plan, run.execution, context)
    except AwsError as error:
        context.log("cleaning up without knowing the run's state", run=run.name, error=str(error))
        return False


def _ended_run(event: object, context: Context) -> EndedRun:
    detail = event.get("detail") if isinstance(event, dict) else None
    if not isinstance(detail, dict):
        raise DataError("event: must be an object with an object 'detail'")
    try:
        run = RunName(str(detail["executionArn"]), str(detail["name"]))
        status = _in_words(str(detail["status"]))
    except KeyError as error:
        raise DataError(f"event: detail: {error} is missing") from None
    stopped = detail.get("stopDate")  # in milliseconds
    return EndedRun(run, status, stopped / 1000 if isinstance(stopped, int) else context.clock())


def _in_words(status: str) -> str:
    return status.lower().replace("_", " ")


def _plan(run: RunName, context: Context) -> Plan:
    """Read the plan that the run was started with, even if another was deployed since."""
    answer = context.aws(
        "stepfunctions", "DescribeStateMachineForExecution", executionArn=run.execution
    )
    state = json.loads(answer["definition"])["States"][states.PLAN]
    return Plan.from_json(state["Result"]["plan"])
