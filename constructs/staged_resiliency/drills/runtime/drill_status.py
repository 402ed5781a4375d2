"""The status of a drill: days since it passed, and its score; published daily by the watchdog."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from staged_resiliency.drills.runtime import metrics
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.durations import EXPIRY_DAYS
from staged_resiliency.drills.runtime.scheduled_tasks import DrillSchedules, WatchedDrill
from staged_resiliency.drills.runtime.store import Store, journal_folder
from staged_resiliency.experiment.verdict import Status

MAX_JOURNALS: Final = 500
"""Number of journals of a drill that are read, newest first: a drill a day for over a year."""

_DAY: Final = 86_400.0


class StatusUnavailableError(Exception):
    """The status of some drills could not be determined; that of the others was published."""


class Score(IntEnum):
    """The score of a drill, by its last run that passed or failed."""

    PASSED = 100
    EXPIRED = 75
    """It passed, more than ``EXPIRY_DAYS`` ago."""
    FAILED = 50
    NEVER_RUN = 0


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The verdict's status of one run, and when the run ended, in seconds since the epoch."""

    status: str
    at: float


@dataclass(frozen=True, slots=True)
class DrillStatus:
    """The status of a drill.

    Attributes:
        days_since_passed: Whole days since its last passed run, or since deployment if it never
            passed. Whole days, so that a drill that passes every 35 days is not overdue: a run
            takes its time, and five weeks in which daylight saving time ends have an hour more.
        score: Aborted runs and dry runs do not change it.
    """

    days_since_passed: int
    score: Score


def drill_status(outcomes: Iterable[RunOutcome], *, deployed_at: float, now: float) -> DrillStatus:
    """Derive the status of a drill from its runs in any order; times in seconds since the epoch."""
    judged = [
        each for each in outcomes if each.status in (Status.PASSED.value, Status.FAILED.value)
    ]
    passed = [each.at for each in judged if each.status == Status.PASSED.value]
    days = max(0, int((now - max(passed, default=deployed_at)) // _DAY))
    # Of two runs at the same moment the failed one counts.
    last = max(judged, key=lambda each: (each.at, each.status != Status.PASSED.value), default=None)
    if last is None:
        return DrillStatus(days, Score.NEVER_RUN)
    if last.status == Status.FAILED.value:
        return DrillStatus(days, Score.FAILED)
    return DrillStatus(days, Score.EXPIRED if days > EXPIRY_DAYS else Score.PASSED)


def publish(event: object, context: Context) -> None:
    """Publish days since the last passed run, and the score, of each drill.

    One drill whose status can't be found out keeps no other from being published. It raises, so
    that Lambda retries; if that does not help, the drill's own alarm fires.

    It also keeps the client in the VPC active, where there is one.

    The event is ``DrillSchedules.to_json``.
    """
    schedules = DrillSchedules.from_json(event)
    data: list[Mapping[str, object]] = []
    failed = []
    for drill in schedules.drills:
        try:
            data += _data_points(schedules, drill, context)
        except AwsError as error:
            failed.append(f"{drill.name}: {error}")
    if data:
        context.aws("cloudwatch", "PutMetricData", Namespace=schedules.namespace, MetricData=data)
    if schedules.client_function is not None:
        try:
            context.aws(
                "lambda",
                "Invoke",
                FunctionName=schedules.client_function,
                InvocationType="Event",
                Payload=b"{}",
            )
        except AwsError as error:
            failed.append(f"the client in the VPC: {error}")
    if failed:
        raise StatusUnavailableError("; ".join(failed))


def _data_points(
    schedules: DrillSchedules, drill: WatchedDrill, context: Context
) -> Sequence[Mapping[str, object]]:
    now = context.clock()
    answer = context.aws(
        "stepfunctions", "DescribeStateMachine", stateMachineArn=drill.state_machine_arn
    )
    status = drill_status(
        outcomes(schedules, drill, context),
        deployed_at=answer["creationDate"].timestamp(),
        now=now,
    )
    values = {
        metrics.DAYS_SINCE_PASSED: status.days_since_passed,
        metrics.SCORE: status.score.value,
    }
    context.log("drill status", drill=drill.name, **values)
    return metrics.data_points(values, now, schedules.service, schedules.environment, drill.name)


def outcomes(
    schedules: DrillSchedules, drill: WatchedDrill, context: Context
) -> Iterator[RunOutcome]:
    """Read the outcomes of a drill's runs, newest first, back to the last passed one."""
    store = Store(context.aws, schedules.journal_bucket)
    journals = store.objects(journal_folder(drill.name))
    newest_first = sorted(journals, key=lambda each: each.written_at, reverse=True)
    for each in newest_first[:MAX_JOURNALS]:
        try:
            status = str(json.loads(store.get(each.key))["verdict"]["status"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            context.log("not a journal", key=each.key, error=repr(error))
            continue
        yield RunOutcome(status, each.written_at)
        if status == Status.PASSED.value:
            return
