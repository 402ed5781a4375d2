"""Records a run's verdict: one journal, then its metrics and its message, each at least once.

The journal is written unless there is one, so that of two who would write it one does. Whoever
comes later takes the verdict that is there, and does what is not marked as done. What was done may
be done again where the mark could not be left, or where two come at the same time: better a
message twice than never. A second one has the same text; the same metrics have the same moment, so
that minimum, maximum and average stay as they are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from staged_resiliency.drills.runtime import metrics
from staged_resiliency.drills.runtime.context import Context, JsonObject
from staged_resiliency.drills.runtime.messages import RunName
from staged_resiliency.drills.runtime.phase_records import folder, load
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.run_result import conclude, fault_may_last, subject
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.experiment.journal import journal_json, journal_of
from staged_resiliency.experiment.verdict import Status

_MAX_SUBJECT: Final = 100  # characters, of SNS


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is recorded of a run.

    Attributes:
        status: The verdict's.
        told: The verdict in a line.
        fault_may_last: Whether somebody must still end the fault.
    """

    status: str
    told: str
    fault_may_last: bool


def journal_key(drill: str, run_name: str) -> str:
    """Below the journal's prefix, where the journal of a run is."""
    return f"journals/{drill}/{run_name}.json"


def is_recorded(plan: Plan, run: RunName, world: Context) -> bool:
    """Whether a run has its verdict."""
    key = journal_key(plan.drill, run.name)
    return key in Store(world.aws, plan.journal).keys(key)


def record(
    plan: Plan, run: RunName, errors: Mapping[str, str], interrupted: str, world: Context
) -> Recorded:
    """Record the verdict of a run, as far as it is not recorded.

    Args:
        plan: The drill.
        run: The run.
        errors: What phases failed with in the end, by name.
        interrupted: Why the run did not come to its own end; empty where it did.
        world: Everything outside.
    """
    store = Store(world.aws, plan.journal)
    chunks = load(store, plan, run.name)
    finding = conclude(plan, chunks, errors, interrupted, world.clock())
    key = journal_key(plan.drill, run.name)
    document = journal_json(journal_of(subject(plan, run), finding))
    if not store.put_new(key, json.dumps(document, indent=1)):
        document = json.loads(store.get(key))
    status = str(document["verdict"]["status"])
    told = str(document["verdict"]["message"])
    marks = f"{folder(plan, run.name)}done/"
    done = store.keys(marks)
    if f"{marks}metrics" not in done:
        data = metric_data(plan, document)
        if data:
            world.aws("cloudwatch", "PutMetricData", Namespace=plan.namespace, MetricData=data)
        store.put_new(f"{marks}metrics", "{}")
    if f"{marks}message" not in done:
        if plan.notify_on_pass or status not in (Status.PASSED.value, Status.DRY_RUN.value):
            world.aws(
                "sns",
                "Publish",
                TopicArn=plan.topic_arn,
                Subject=subject_line(plan, status),
                Message=message(plan, run, document),
            )
        store.put_new(f"{marks}message", "{}")
    world.log("verdict", drill=plan.drill, run=run.name, status=status, told=told)
    return Recorded(status, told, fault_may_last(chunks, errors))


def metric_data(plan: Plan, document: JsonObject) -> Sequence[JsonObject]:
    """The metrics of a run that passed or failed; none of any other.

    Args:
        plan: The drill.
        document: The run's journal.
    """
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
    # The same moment at every attempt, so that a second one only writes the same point again.
    at = until or document["phases"][-1]["began_at"]
    return [
        {
            "MetricName": name,
            "Dimensions": dimensions(plan.service, plan.environment, plan.drill),
            "Timestamp": datetime.fromisoformat(str(at).replace("Z", "+00:00")).astimezone(
                timezone.utc
            ),
            "Value": value,
        }
        for name, value in values.items()
        if value is not None
    ]


def dimensions(service: str, environment: str, drill: str) -> Sequence[Mapping[str, str]]:
    """Those of all metrics of a drill."""
    named = {"Service": service, "Environment": environment, "Drill": drill}
    return [{"Name": name, "Value": value} for name, value in named.items()]


def subject_line(plan: Plan, status: str) -> str:
    """The subject of the message, as SNS takes it."""
    text = f"{status.upper()}: drill {plan.drill} of {plan.service} in {plan.environment}"
    return text[:_MAX_SUBJECT]


def message(plan: Plan, run: RunName, document: JsonObject) -> str:
    """The message: the verdict in its first line, then what it rests on."""
    verdict = document["verdict"]
    status = str(verdict["status"])
    lines = [f"{subject_line(plan, status)}: {verdict['message']}", ""]
    lines += [f"- {each['status']}: {each['message']}" for each in verdict["judgements"]]
    for key, value in (document["measures"] or {}).items():
        lines.append(f"{key.replace('_', ' ')}: {'not seen' if value is None else value}")
    bucket, key = plan.journal.bucket, journal_key(plan.drill, run.name)
    lines += [
        f"objective seconds: {plan.objective_seconds:g}",
        f"journal: s3://{bucket}/{plan.journal.prefix}{key}",
        f"execution: {run.execution}",
        *([f"runbook: {plan.runbook}"] if plan.runbook else []),
    ]
    return "\n".join(lines)
