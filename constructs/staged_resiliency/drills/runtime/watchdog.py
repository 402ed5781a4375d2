"""Publishes once a day how each drill of a service stands."""

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Final

from staged_resiliency.drills.runtime import metrics
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.drill_score import Outcome, standing
from staged_resiliency.drills.runtime.plan import DrillSchedules, WatchedDrill
from staged_resiliency.drills.runtime.recorder import dimensions, journal_key
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.experiment.verdict import Status

MOST_JOURNALS: Final = 500
"""That are read of one drill, from the newest on; a drill a day for more than a year."""


class StatusUnavailableError(Exception):
    """How some drills stand can't be told; what can of the others was published."""


def watch(event: object, world: Context) -> None:
    """Publish days since the last passed run, and the score, of each drill.

    A drill whose standing can't be told silences no other. It is told by an error, after which
    Lambda calls again, and if it stays so by the drill's own alarm.

    Args:
        event: ``DrillSchedules.to_json``.
        world: Everything outside.

    Raises:
        DataError: It is no such event.
        UntoldError: How a drill stands could not be found out.
    """
    watched = DrillSchedules.from_json(event)
    data: list[dict[str, object]] = []
    untold = []
    for drill in watched.drills:
        try:
            data += _standing(watched, drill, world)
        except AwsError as error:
            untold.append(f"{drill.name}: {error}")
    if data:
        world.aws("cloudwatch", "PutMetricData", Namespace=watched.namespace, MetricData=data)
    if untold:
        raise StatusUnavailableError("; ".join(untold))


def _standing(
    watched: DrillSchedules, drill: WatchedDrill, world: Context
) -> list[dict[str, object]]:
    """How a drill stands, as data points."""
    now = world.clock()
    answer = world.aws(
        "stepfunctions", "DescribeStateMachine", stateMachineArn=drill.state_machine_arn
    )
    stands = standing(
        outcomes(watched, drill, world),
        deployed_at=answer["creationDate"].timestamp(),
        now=now,
        expiry_days=watched.expiry_days,
    )
    values = {
        metrics.DAYS_SINCE_PASSED: float(stands.days_since_passed),
        metrics.SCORE: float(stands.score),
    }
    world.log("standing", drill=drill.name, **values)
    return [
        {
            "MetricName": name,
            "Dimensions": dimensions(watched.service, watched.environment, drill.name),
            "Timestamp": datetime.fromtimestamp(now, timezone.utc),
            "Value": value,
        }
        for name, value in values.items()
    ]


def outcomes(watched: DrillSchedules, drill: WatchedDrill, world: Context) -> Iterator[Outcome]:
    """What became of the runs of a drill, the newest first, back to the last passed one."""
    store = Store(world.aws, watched.journal)
    listed = store.listed(journal_key(drill.name, "").removesuffix(".json"))
    newest_first = sorted(listed, key=lambda each: each.written_at, reverse=True)
    for each in newest_first[:MOST_JOURNALS]:
        try:
            status = str(json.loads(store.get(each.key))["verdict"]["status"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            world.log("no journal", key=each.key, error=repr(error))
            continue
        yield Outcome(status, each.written_at)
        if status == Status.PASSED.value:
            return
