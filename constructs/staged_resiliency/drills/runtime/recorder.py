"""Records a run's result: one journal, then its metrics and its message, each at least once.

The journal is written only if there is none, so of two that write it at the same time one
succeeds. Any later attempt takes the verdict of the existing journal, and delivers what is not
marked as done. Metrics or message may be delivered twice, where the mark could not be written or
two attempts overlap: better a message twice than never. A repeated message has the same text, and
repeated metrics have the same timestamp, so that minimum, maximum and average stay as they are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from staged_resiliency.drills.runtime import fault, lock, metrics
from staged_resiliency.drills.runtime.context import Context, JsonObject
from staged_resiliency.drills.runtime.origin_fault import sid_of
from staged_resiliency.drills.runtime.plan import (
    COOL_DOWN_SECONDS,
    Ending,
    FaultKind,
    Plan,
)
from staged_resiliency.drills.runtime.run_result import (
    conclude,
    fault_may_last,
    fault_times,
    run_info,
)
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.drills.runtime.store import (
    PhaseRecord,
    Store,
    done_folder,
    journal_key,
    load_records,
)
from staged_resiliency.experiment.journal import journal_json, journal_of
from staged_resiliency.experiment.verdict import Status

_MAX_SUBJECT_CHARACTERS: Final = 100  # of SNS


@dataclass(frozen=True, slots=True)
class Recorded:
    """The recorded result of a run; ``message`` is its verdict in one line."""

    status: str
    message: str
    fault_may_last: bool


def record(
    plan: Plan, run: RunName, errors: Mapping[str, str], interrupted: str, context: Context
) -> Recorded:
    """Record the result of a run, as far as it is not recorded yet, and release its lock.

    The lock is released first, unless the fault may still be there: that a message can't be sent
    must not keep other drills from running.

    The errors are those that failed phases ended with, by ``states.RESULT_KEYS``; ``interrupted``
    says why the run did not complete, and is empty where it did.
    """
    store = Store(context.aws, plan.journal_bucket)
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
            context.aws(
                "sns",
                "Publish",
                TopicArn=topic_arn,
                Subject=message_subject(plan, status),
                Message=message_body(plan, run, document),
            )
        store.put_new(mark, "{}")
    context.log("verdict", drill=plan.drill, run=run.name, status=status, message=message)
    return Recorded(status, message, may_last)


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
    name = f"drill {ending.drill} of {ending.service} in {ending.environment}"
    lines = [
        f"ABORTED: {name}: the fault is over, and the run has no verdict, as its plan is of a "
        f"release that the deployed one can't read: {reason}",
        f"execution: {run.execution}",
    ]
    context.aws(
        "sns",
        "Publish",
        TopicArn=ending.topic_arn,
        Subject=f"ABORTED: {name}"[:_MAX_SUBJECT_CHARACTERS],
        Message="\n".join(lines),
    )


def announce(plan: Plan, run: RunName, context: Context) -> None:
    """Send the message that a run injects its fault in some time, and how to stop it."""
    at = datetime.fromtimestamp(context.clock() + plan.notice_seconds, timezone.utc)
    name = f"drill {plan.drill} of {plan.service} in {plan.environment}"
    minutes = -(-plan.fault_seconds // 60)
    lines = [
        f"At {at:%Y-%m-%d %H:%M} UTC {name} {plan.effect}, for up to {minutes} min.",
        "It checks before that whether the service is healthy, and runs only if it is.",
        "",
        *how_to_stop(plan, run.execution),
        *(["A failover that has begun goes on, and can't be undone."] if plan.database else []),
        *([f"Runbook: {plan.runbook}"] if plan.runbook else []),
    ]
    for topic_arn in plan.topic_arns:
        context.aws(
            "sns",
            "Publish",
            TopicArn=topic_arn,
            Subject=f"IN {plan.notice_seconds // 60} MIN: {name}"[:_MAX_SUBJECT_CHARACTERS],
            Message="\n".join(lines),
        )


def how_to_stop(plan: Plan, execution: str) -> Sequence[str]:
    """Return the lines that say how to stop a run by hand, from mild to drastic."""
    region = plan.region
    run = (
        "To stop it, before or during the fault (the cleanup then ends the fault):",
        f"  aws stepfunctions stop-execution --region {region} --execution-arn {execution}",
    )
    if plan.origin is not None:
        return (
            *run,
            f"To end the fault alone, remove the statement {sid_of(execution)} from the policy of "
            f"the bucket {plan.origin.bucket}; after {plan.fault_seconds // 60} min it has no "
            "effect.",
        )
    if plan.gremlin is None:
        return (
            *run,
            "To end the fault alone:",
            f"  aws fis list-experiments --region {region}"
            " --query \"experiments[?state.status=='running'].id\"",
            f"  aws fis stop-experiment --region {region} --id ID",
            "To stop all experiments of the account and refuse new ones (safety lever of FIS):",
            f"  aws fis update-safety-lever-state --region {region} --id default"
            " --state status=engaged,reason=REASON",
        )
    lines = [*run, "To end the fault alone, halt the experiment in Gremlin's web application."]
    if plan.fault is FaultKind.STOP_INSTANCE:
        instance = plan.target_host.instance_id
        lines += [
            "To start the host if it is still stopped:",
            f"  aws ec2 start-instances --region {region} --instance-ids {instance}",
        ]
    return lines


def metric_data(plan: Plan, document: JsonObject) -> Sequence[JsonObject]:
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
    until = document["observed_until"]
    # The same timestamp in every attempt, so that a repeated one only repeats the data points.
    at = until or document["phases"][-1]["began_at"]
    return [
        {
            "MetricName": name,
            "Dimensions": metrics.dimensions(plan.service, plan.environment, plan.drill),
            "Timestamp": datetime.fromisoformat(str(at).replace("Z", "+00:00")).astimezone(
                timezone.utc
            ),
            "Value": value,
        }
        for name, value in values.items()
        if value is not None
    ]


def message_subject(plan: Plan, status: str) -> str:
    """Return the subject of the message, no longer than SNS allows."""
    text = f"{status.upper()}: drill {plan.drill} of {plan.service} in {plan.environment}"
    return text[:_MAX_SUBJECT_CHARACTERS]


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
