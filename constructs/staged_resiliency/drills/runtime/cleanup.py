"""Cleans up after runs that were aborted, timed out or failed: ends faults, records verdicts.

Step Functions runs no Catch of an execution that ends as a whole. So the cleanup is called with
the event that EventBridge delivers of it, and by a schedule: such events are delivered on a
best-effort basis (https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html), and a
fault may last longer than one call of a function.

The preflight records each run and its plan in the bucket before anything else. So the schedule
finds a run whose drill was removed meanwhile with its state machine. That a fault is over
is recorded by itself: a run whose message can't be sent is recorded again and again, but its host
is not started again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime import fault, lock, metrics, phases, recorder, states
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.ending import Ending
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.scheduled_tasks import DrillSchedules
from staged_resiliency.drills.runtime.states import PhaseInput, PhaseResult, RunName
from staged_resiliency.drills.runtime.store import (
    OpenRun,
    PhaseRecord,
    Store,
    end,
    ended_key,
    fault_over_key,
    open_runs,
    save_record,
)
from staged_resiliency.experiment.json_codec import DataError

CALL_SECONDS: Final = 780.0
"""How long one call waits for the end of the fault; Lambda's own limit is 900."""

EVENT_SECONDS: Final = 900.0
"""How long after its end a run is left to its event; the schedule cleans it up after that."""

MAX_AGE_SECONDS: Final = 172_800.0
"""How long after its end a run's host may be started; later it may have been stopped on purpose."""

_RUNNING: Final = "RUNNING"
_GONE: Final = ("ExecutionDoesNotExist", "StateMachineDoesNotExist")


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
    if not isinstance(event, dict) or "journal_bucket" not in event:
        ended = _ended_run(event, context)
        plan = _plan_of(ended.run, context)
        if plan is not None:
            _clean_up_run(ended, plan, deadline, context)
        return
    schedules = DrillSchedules.from_json(event)
    failed: list[str] = []
    may_last = 0
    missed = _missed_runs(Store(context.aws, schedules.journal_bucket), failed, context)
    for number, (ended, document) in enumerate(missed):
        now = context.clock()
        over = False
        try:
            share = (deadline - now) / (len(missed) - number)
            over = _clean_up_run(ended, document, now + share, context)
        except Exception as error:  # one run that fails must not hold up the next
            context.log("the cleanup failed", run=ended.run.name, error=repr(error))
            failed.append(str(error))
            over = _is_fault_over(ended.run, document, context)
        may_last += not over
    values = {metrics.FAULTS_NOT_ENDED: may_last}
    data = metrics.data_points(values, context.clock(), schedules.service, schedules.environment)
    context.aws("cloudwatch", "PutMetricData", Namespace=schedules.namespace, MetricData=data)
    if failed:
        raise FaultNotOverError("; ".join(failed))


def _clean_up_run(
    ended: EndedRun, document: Mapping[str, object], deadline: float, context: Context
) -> bool:
    """Clean up one run, and return whether its fault is over.

    If its fault has not ended by the deadline, a later call continues.
    """
    run, ending = ended.run, Ending.from_plan(document)
    if not ending.journal_bucket:
        context.log("left to the schedule, as its bucket is unknown", run=run.name)
        return False
    store = Store(context.aws, ending.journal_bucket)
    if _exists(store, ended_key(ending.drill, run.name), context):
        context.log("nothing to clean up", run=run.name)
        return True
    marked = _exists(store, fault_over_key(ending.drill, run.name), context)
    if not marked and context.clock() > ended.at + MAX_AGE_SECONDS:
        if not fault.is_over(ending, context):
            context.log("a fault of long ago may last", run=run.name, instance=ending.instance_id)
            return False
        _record_over(store, ending, run, context)
        marked = True
    try:
        plan = Plan.from_json(document)
    except DataError as error:
        return _clean_up_unread(ended, ending, str(error), deadline, context)
    if not marked:
        last = _end_fault(plan, ended, deadline, context)
        if last.again and context.clock() < ended.at + plan.timeouts.end:
            # No verdict yet: to report that the fault may still be in effect would soon be wrong.
            context.log("the cleanup continues later", run=run.name, message=last.message)
            return False
    result = recorder.record(plan, run, {}, f"the run was {ended.status}", context)
    if not result.go:
        raise FaultNotOverError(f"{run.execution}: the fault may still be there")
    end(store, ending.drill, run.name)
    return True


def _record_over(store: Store, ending: Ending, run: RunName, context: Context) -> None:
    """Record that the fault of a run of long ago is over, which nobody ended here."""
    now = context.clock()
    message = f"{ending.host} is as it should be"
    seen = PhaseRecord(states.CLEANUP, now, now, True, message, "", False, ())
    save_record(store, ending.drill, run.name, seen)
    phases.mark_fault_over(store, ending.drill, run.name)


def _end_fault(plan: Plan, ended: EndedRun, deadline: float, context: Context) -> PhaseResult:
    # A function of the run may still be about to start the experiment, as an abort does not stop
    # it. So an experiment that is not known yet is waited for, from the run's end on.
    last = PhaseResult(False, True, ended.at, None, "")
    while True:
        results = {states.RESULT_KEYS[states.END_FAULT]: last}
        errors = {states.RESULT_KEYS[states.INJECT]: ended.status}
        call = PhaseInput(states.CLEANUP, plan, ended.run, results, errors)
        last = phases.end_fault(call, context)
        if not last.again or context.clock() >= deadline:
            return last


def _clean_up_unread(
    ended: EndedRun, ending: Ending, reason: str, deadline: float, context: Context
) -> bool:
    """End the fault of a run whose plan can't be read, and send a message in place of a verdict."""
    run, store = ended.run, Store(context.aws, ending.journal_bucket)
    while not store.keys(fault_over_key(ending.drill, run.name)):
        phases.end_unread(ending, run, ended.at, context)
        if context.clock() >= deadline:
            context.log("the cleanup continues later", run=run.name, message=reason)
            return False
    free_from = fault.rule_gone_at(context.clock(), ending.fault_seconds)
    others = [each.lock for each in (ending.database, ending.origin) if each is not None]
    lock.release((ending.instance_id, *others), run.execution, free_from, context)
    recorder.report_unread(ending, run, reason, context)
    end(store, ending.drill, run.name)
    return True


def _missed_runs(
    store: Store, failed: list[str], context: Context
) -> list[tuple[EndedRun, Mapping[str, object]]]:
    """Find runs whose event was lost, or whose fault had not ended when a call returned."""
    found: list[tuple[EndedRun, Mapping[str, object]]] = []
    for each in open_runs(store):
        try:
            ended = _how_it_ended(each, context)
        except AwsError as error:
            context.log("a run can't be described", run=each.run.name, error=str(error))
            failed.append(str(error))
            continue
        if ended is not None and context.clock() - ended.at >= EVENT_SECONDS:
            # Where it was found is known even if its plan can't be read.
            plan = {**each.plan, "drill": each.drill, "journal_bucket": store.bucket}
            found.append((ended, plan))
    return found


def _how_it_ended(each: OpenRun, context: Context) -> EndedRun | None:
    execution = each.run.execution
    try:
        answer = context.aws("stepfunctions", "DescribeExecution", executionArn=execution)
    except AwsError as error:
        if error.code not in _GONE:
            raise
        # Its state machine was deleted, or it ended months ago.
        return EndedRun(each.run, "deleted", each.at)
    if answer["status"] == _RUNNING:
        return None
    return EndedRun(each.run, _in_words(str(answer["status"])), answer["stopDate"].timestamp())


def _exists(store: Store, key: str, context: Context) -> bool:
    try:
        return bool(store.keys(key))
    except AwsError as error:
        context.log("cleaning up without knowing the run's state", key=key, error=str(error))
        return False


def _is_fault_over(run: RunName, plan: Mapping[str, object], context: Context) -> bool:
    try:
        ending = Ending.from_plan(plan)
    except DataError:
        return False
    store = Store(context.aws, ending.journal_bucket)
    return _exists(store, fault_over_key(ending.drill, run.name), context)


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


def _plan_of(run: RunName, context: Context) -> Mapping[str, object] | None:
    """Read the plan that the run was started with, even if another was deployed since.

    Return None where the state machine was deleted: the schedule finds that run in the bucket.
    """
    try:
        answer = context.aws(
            "stepfunctions", "DescribeStateMachineForExecution", executionArn=run.execution
        )
    except AwsError as error:
        if error.code not in _GONE:
            raise
        context.log("left to the schedule", run=run.name, error=str(error))
        return None
    state = json.loads(answer["definition"])["States"][states.PLAN]
    found: Mapping[str, object] = state["Result"]["plan"]
    return found
