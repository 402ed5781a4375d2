"""Records a run's result: one journal, then its metrics and its message, each at least once.

The journal is written only if there is none, so of two that write it at the same time one
succeeds. Any later attempt takes the verdict of the existing journal, and delivers what is not
marked as done. Metrics or message may be delivered twice, where the mark could not be written or
two attempts overlap: better a message twice than never. A repeated message has the same text, and
repeated metrics have the same timestamp, so that minimum, maximum and average stay as they are.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Final

from staged_resiliency.drills.runtime import fault, lock, metrics
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.durations import COOL_DOWN_SECONDS
from staged_resiliency.drills.runtime.ending import Ending
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.run_result import (
    conclude,
    fault_may_last,
    fault_times,
    run_info,
)
from staged_resiliency.drills.runtime.states import PhaseResult, RunName
from staged_resiliency.drills.runtime.store import (
    PhaseRecord,
    Store,
    done_folder,
    journal_key,
    load_records,
)
from staged_resiliency.drills.runtime.wording import stop_commands
from staged_resiliency.experiment.journal import journal_json, journal_of
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.experiment.verdict import Status

_MAX_SUBJECT_CHARACTERS: Final = 100  # of SNS


def record(
    plan: Plan, run: RunName, errors: Mapping[str, str], interrupted: str, context: Context
) -> PhaseResult:
    """Record the result of a run, as far as it is not recorded yet, and release its lock.

    The result is to go on unless the fault may last; its message is the verdict in one line.

    The lock is released first, unless the fault may still be there: that a message can't be sent
    must not keep other drills from running.

    The errors are those that failed phases ended with, by ``states.RESULT_KEYS``; ``interrupted``
    says why the run did not complete, and is empty where it did.
    """
    store, began_at = Store(context.aws, plan.journal_bucket), context.clock()
    records = load_records(store, plan.drill, run.name)
    may_last = fault_may_last(records, errors)
    if not may_last:
        free_from = _free_from(plan, records, context.clock())
        lock.release(plan.instances, run.execution, free_from, context)
    result = conclude(plan, records, errors, interrupted, context.clock())
    key = journal_key(plan.drill, run.name)
    document = journal_json(journal_of(run_info(plan, run), result))
    if not store.put_new(key, json.dumps(document, indent=1)):
        document = json.loads(store.get(key))
    status = str(document["verdict"]["status"])
    message = str(document["verdict"]["message"])
    marks = done_folder(plan.drill, run.name)
    done = store.keys(marks)
    if f"{marks}metrics" not in done:
        data = metric_data(plan, document)
        if data:
            context.aws("cloudwatch", "PutMetricData", Namespace=plan.namespace, MetricData=data)
        store.put_new(f"{marks}metrics", "{}")
    notifies = plan.notify_passed or status not in (Status.PASSED.value, Status.DRY_RUN.value)
    for number, topic_arn in enumerate(plan.topic_arns):
        # Each has a mark, so that one that refuses the message does not make others repeat it.
        mark = f"{marks}message-{number}" if number else f"{marks}message"
        if mark in done:
            continue
        if notifies:
            body = message_body(plan, run, document)
            _send(topic_arn, message_subject(plan, status), body, context)
        store.put_new(mark, "{}")
    context.log("verdict", drill=plan.drill, run=run.name, status=status, message=message)
    return PhaseResult(not may_last, False, began_at, None, f"{status}: {message}"[:500])


def _free_from(plan: Plan, records: Sequence[PhaseRecord], now: float) -> float:
    """Return from when on other runs may take the lock.

    Nobody knows whether the host noticed that the command of a blackhole was cancelled, so the
    lock is held until its rule can no longer be there.
    """
    if not plan.enabled:
        return 0.0
    injected, _ = fault_times(each for record in records for each in record.observations)
    calm = now + COOL_DOWN_SECONDS
    if not plan.fault.runs_on_host or injected is None:
        return calm
    return max(calm, fault.rule_gone_at(injected, plan.fault_seconds))


def report_unread(ending: Ending, run: RunName, reason: str, context: Context) -> None:
    """Send the message that a run has no verdict, since its plan can't be read."""
    if not ending.topic_arn:
        context.log("no message", run=run.name, reason=reason)
        return
    subject = message_subject(ending, "aborted")
    lines = [
        f"{subject}: the fault is over, and the run has no verdict, as its plan is of a release "
        f"that the deployed one can't read: {reason}",
        f"execution: {run.execution}",
    ]
    _send(ending.topic_arn, subject, "\n".join(lines), context)


def announce(plan: Plan, run: RunName, context: Context) -> None:
    """Send the message that a run will inject its fault in some minutes, and how to stop it."""
    at = datetime.fromtimestamp(context.clock() + plan.notice_seconds, timezone.utc)
    minutes = -(-plan.fault_seconds // 60)
    stop = stop_commands(plan, run.execution, None).items()
    lines = [
        f"At {at:%Y-%m-%d %H:%M} UTC {_name(plan)} {plan.effect}, for up to {minutes} min.",
        "It checks before that whether the service is healthy, and runs only if it is.",
        "",
        "To stop it by hand, before or during the fault:",
        *(line for command, effect in stop for line in (f"  {command}", f"    {effect}")),
        *([f"Runbook: {plan.runbook}"] if plan.runbook else []),
    ]
    subject = message_subject(plan, f"in {plan.notice_seconds // 60} min")
    for topic_arn in plan.topic_arns:
        _send(topic_arn, subject, "\n".join(lines), context)


def metric_data(plan: Plan, document: JsonObject) -> Sequence[Mapping[str, object]]:
    """Return the data points of a run that passed or failed; none for any other run."""
    status = document["verdict"]["status"]
    if status not in (Status.PASSED.value, Status.FAILED.value):
        return []
    measures: Mapping[str, Any] = document["measures"] or {}
    availability = measures.get("availability")
    values = {
        metrics.PASSED: float(status == Status.PASSED.value),
        metrics.DETECT_SECONDS: measures.get("detect_seconds"),
        metrics.FAILOVER_SECONDS: measures.get("failover_seconds"),
        metrics.FAILBACK_SECONDS: measures.get("failback_seconds"),
        metrics.OUTAGE_SECONDS: measures.get("outage_seconds"),
        metrics.AVAILABILITY_PERCENT: None if availability is None else availability * 100,
    }
    # The same timestamp in every attempt, so that a repeated one only repeats the data points.
    at = str(document["observed_until"] or document["phases"][-1]["began_at"])
    moment = datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()
    return metrics.data_points(values, moment, plan.service, plan.environment, plan.drill)


def message_subject(plan: Plan | Ending, status: str) -> str:
    """Return the subject of a message on a drill, no longer than SNS allows."""
    return f"{status.upper()}: {_name(plan)}"[:_MAX_SUBJECT_CHARACTERS]


def _name(plan: Plan | Ending) -> str:
    return f"drill {plan.drill} of {plan.service} in {plan.environment}"


def _send(topic_arn: str, subject: str, message: str, context: Context) -> None:
    context.aws("sns", "Publish", TopicArn=topic_arn, Subject=subject, Message=message)


def message_body(plan: Plan, run: RunName, document: JsonObject) -> str:
    """Return the message: the verdict in its first line, then judgements, measures and links."""
    verdict = document["verdict"]
    status = str(verdict["status"])
    lines = [f"{message_subject(plan, status)}: {verdict['message']}", ""]
    lines += [f"- {each['status']}: {each['message']}" for each in verdict["judgements"]]
    for key, value in (document["measures"] or {}).items():
        lines.append(f"{key.replace('_', ' ')}: {'not observed' if value is None else value}")
    lines += [
        f"objective seconds: {plan.objective_seconds:g}",
        f"journal: s3://{plan.journal_bucket}/{journal_key(plan.drill, run.name)}",
        f"execution: {run.execution}",
        *([f"runbook: {plan.runbook}"] if plan.runbook else []),
    ]
    return "\n".join(lines)
