"""Drills that are unsafe, or would show nothing, in a service whose values are sound."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from resiliency.service_file.drill_mapping import (
    alarms_of,
    fault_of,
    guards_of,
    hypothesis_of,
    objective_of,
    pair_of,
)
from resiliency.service_file.drill_model import Drills, DrillSettings
from resiliency.service_file.errors import Problem
from resiliency.service_file.model import Environment, Service
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.drills.hypothesis import moves_clients, observed_seconds
from staged_resiliency.drills.runtime.plan import Timeouts
from staged_resiliency.drills.schedule import DrillSchedule
from staged_resiliency.shared.hosts import other

_RUNS_COMPARED_YEARS: Final = 3


def sense_problems(service: Service, draft: PartialDocument) -> Iterator[Problem]:
    """Drills that are unsafe, or would show nothing, in a service whose values are sound.

    Not rules on a draft: what a fault does to alarms is only known of a whole service.
    """
    for name, environment in service.environments.items():
        if environment.drills is not None:
            at = draft.within("environments", name, "drills")
            for drill_name, drill in environment.drills.by_name.items():
                yield from _makes_sense(environment, drill, at.within(drill_name))
            yield from _are_apart(environment, environment.drills, at)


def _makes_sense(
    environment: Environment, drill: DrillSettings, at: PartialDocument
) -> Iterator[Problem]:
    assert environment.drills is not None  # noqa: S101 - the caller's loop
    objective = objective_of(environment)
    fault, alarms = fault_of(environment, drill), alarms_of(environment)
    pair = pair_of(environment)
    moves = moves_clients(fault, pair, alarms)
    seconds, needed = drill.duration_minutes * 60, observed_seconds(fault, alarms)
    if not guards_of(environment, drill):
        color = other(environment.active) if drill.host == "active" else environment.active
        yield at.problem(
            f"nothing would stop it, as no alarm tells whether {color} is well; give {color} an "
            "instance_id, or the service a dependency, so that its probe is watched",
        )
    elif moves and drill.host == "standby":
        yield at.problem(
            f"breaks the standby, but moves clients to it: port {fault.port} is also the one on "
            "which the standby asks the active host, and 'peer' decides",
            "host",
        )
    elif drill.fault == "stop_instance" and drill.host == "active" and not moves:
        yield at.problem(
            "would stop the active host while no signal of failover_on takes silence for failure, "
            "so clients would stay with it; add 'status' to failover_on",
            "fault",
        )
    elif moves and seconds < objective:
        yield at.problem(
            f"{drill.duration_minutes} is less than objective_seconds {objective}, so the fault "
            f"could end before clients must have moved; give {_minutes(objective)} or more",
            "duration_minutes",
        )
    elif seconds < needed:
        yield at.problem(
            f"{drill.duration_minutes} is too short: the alarm that it is meant to fire may take "
            f"{needed} s; give {_minutes(needed)} or more",
            "duration_minutes",
        )


def _are_apart(environment: Environment, drills: Drills, at: PartialDocument) -> Iterator[Problem]:
    """One drill at a time: a run that begins while another one goes on is refused."""
    runs = {
        name: DrillSchedule(drill.schedule, drill.timezone).runs(_RUNS_COMPARED_YEARS)
        for name, drill in drills.by_name.items()
    }
    for first, second in itertools.combinations(drills.by_name, 2):
        for rated, one in ((second, first), (first, second)):
            if not runs[rated]:
                yield at.problem(
                    f"{drills.by_name[rated].schedule!r} starts when it is deployed, so it may run "
                    f"at the time of {one}; give cron(...)",
                    *(rated, "schedule"),
                )
                break
        else:
            lasts = {
                name: run_seconds(environment, drills.by_name[name]) for name in (first, second)
            }
            met = _meeting(runs, lasts, first, second)
            if met is not None:
                yield at.problem(
                    f"starts on {met:%Y-%m-%d} at {met:%H:%M} UTC, too near to {first}: one drill "
                    f"at a time, and a run may take {max(lasts.values())} s; put other days "
                    "between them",
                    *(second, "schedule"),
                )


def run_seconds(environment: Environment, drill: DrillSettings) -> int:
    """How long a run of a drill may take."""
    expected = hypothesis_of(environment, drill)
    fault = fault_of(environment, drill)
    return Timeouts.of(drill.duration_minutes * 60 + fault.set_up_seconds, expected).run


def _meeting(
    runs: Mapping[str, Sequence[datetime]], lasts: Mapping[str, int], first: str, second: str
) -> datetime | None:
    """The first run of the second drill that one of the first could meet."""
    ordered = sorted((at, name) for name in (first, second) for at in runs[name])
    for (earlier, name), (later, next_name) in itertools.pairwise(ordered):
        if name != next_name and later - earlier < timedelta(seconds=lasts[name]):
            return later if next_name == second else earlier
    return None


def _minutes(seconds: float) -> int:
    return int(-(-seconds // 60))
