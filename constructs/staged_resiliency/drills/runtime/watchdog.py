"""Publishes once a day how each drill of a service stands."""

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Final

from staged_resiliency.drills import metric_names
from staged_resiliency.drills.plan import Watch, WatchedDrill
from staged_resiliency.drills.runtime.recording import dimensions, journal_key
from staged_resiliency.drills.runtime.standing import Outcome, standing
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.drills.runtime.world import World
from staged_resiliency.experiment.verdict import Status

MOST_JOURNALS: Final = 500
"""That are read of one drill, from the newest on; a drill a day for more than a year."""


def watch(event: object, world: World) -> None:
    """Publish days since the last passed run, and the score, of each drill.

    Args:
        event: ``Watch.to_json``.
        world: Everything outside.

    Raises:
        DataError: It is no such event.
    """
    watched = Watch.from_json(event)
    now = world.clock()
    data: list[dict[str, object]] = []
    for drill in watched.drills:
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
            metric_names.DAYS_SINCE_PASSED: stands.days_since_passed,
            metric_names.SCORE: float(stands.score),
        }
        data += [
            {
                "MetricName": name,
                "Dimensions": dimensions(watched.service, watched.environment, drill.name),
                "Timestamp": datetime.fromtimestamp(now, timezone.utc),
                "Value": value,
            }
            for name, value in values.items()
        ]
        world.log("standing", drill=drill.name, **values)
    if data:
        world.aws("cloudwatch", "PutMetricData", Namespace=watched.namespace, MetricData=data)


def outcomes(watched: Watch, drill: WatchedDrill, world: World) -> Iterator[Outcome]:
    """What became of the runs of a drill, the newest first, back to the last passed one."""
    store = Store(world.aws, watched.journal)
    listed = store.listed(journal_key(drill.name, "").removesuffix(".json"))
    newest_first = sorted(listed, key=lambda each: each.written_at, reverse=True)
    for each in newest_first[:MOST_JOURNALS]:
        try:
            status = str(json.loads(store.get(each.key))["verdict"]["status"])
        except (ValueError, KeyError, TypeError) as error:
            world.log("no journal", key=each.key, error=repr(error))
            continue
        yield Outcome(status, each.written_at)
        if status == Status.PASSED.value:
            return
