"""Rules about the drills of a sound service: whether they are safe, and don't overlap."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from resiliency.service_file import degrade_rules
from resiliency.service_file.errors import Problem
from resiliency.service_file.mapping import (
    fault_of,
    guards_of,
    hypothesis_of,
    objective_of,
    pair_of,
    watched_alarms,
)
from resiliency.service_file.model.drills import DrillSettings
from resiliency.service_file.model.service import Environment, Service
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.drills.faults import DenyOrigin
from staged_resiliency.drills.hypothesis import (
    alarms_seconds,
    contradiction,
    longest_minutes,
    moves_clients,
    observed_seconds,
)
from staged_resiliency.drills.runtime.durations import COOL_DOWN_SECONDS, Timeouts
from staged_resiliency.drills.schedule import DrillSchedule
from staged_resiliency.shared.hosts import COLORS, other

_RUNS_COMPARED_YEARS: Final = 3


def safety_problems(service: Service, partial: PartialDocument) -> Iterator[Problem]:
    """Yield a problem for each drill of a sound service that is unsafe or can't show anything."""
    for name, environment in service.environments.items():
        if environment.drills is not None:
            at = partial.within("environments", name, "drills")
            for drill_name, drill in environment.drills.by_name.items():
                yield from _is_safe(environment, drill, at.within(drill_name))
            yield from _are_apart(_planned(environment, at))


def _is_safe(
    environment: Environment, drill: DrillSettings, at: PartialDocument
) -> Iterator[Problem]:
    objective = objective_of(environment)
    fault, alarms = fault_of(environment, drill), watched_alarms(environment)
    pair = pair_of(environment)
    moves = moves_clients(fault, pair, alarms) or isinstance(fault, DenyOrigin)
    contradicted = contradiction(fault, pair, alarms)
    seconds, needed = drill.minutes * 60, observed_seconds(fault, alarms)
    longest = longest_minutes(hypothesis_of(environment, drill), objective)
    if not guards_of(environment, drill):
        color = environment.active if drill.host == "standby" else other(environment.active)
        yield at.problem(
            f"has no stop condition, as no alarm covers {color}; give {color} an instance_id, or "
            "the service a dependency, so that its probe has an alarm",
        )
    elif contradicted is not None:
        key, reason = contradicted
        yield at.problem(reason, key)
    elif fault.database is not None:
        if objective < fault.seconds:
            yield at.problem(
                f"the database may take {fault.seconds} s to fail over, in which clients may not "
                f"be served, and the objective of drills is {objective} s; give drills an "
                f"objective_seconds of {fault.seconds} or more, or remove the drill",
                "fault",
            )
    elif moves and seconds < objective:
        yield at.problem(
            f"{drill.minutes} is less than objective_seconds {objective}, so the fault "
            f"could end before clients must have moved; give {_minutes(objective)} or more",
            "duration_minutes",
        )
    elif seconds < needed:
        meant = (
            "in a shorter time an alarm would stay quiet anyway, which may take"
            if drill.fault == "degrade"
            else "the alarm that should fire may take"
        )
        yield at.problem(
            f"{drill.minutes} is too short: {meant} {needed} s; give {_minutes(needed)} or more",
            "duration_minutes",
        )
    elif drill.minutes > longest and not drill.duration_reason:
        yield at.problem(
            f"{drill.minutes} is more than the {longest} that the drill may need; give "
            "less, or say why in duration_reason",
            "duration_minutes",
        )
    else:
        yield from degrade_rules.problems_of(environment, drill, at)


def minutes_needed(environment: Environment, drill: DrillSettings) -> int:
    """Return how long the fault of a drill must last, so that all that it expects can happen."""
    fault, alarms = fault_of(environment, drill), watched_alarms(environment)
    moves = moves_clients(fault, pair_of(environment), alarms) or isinstance(fault, DenyOrigin)
    objective = objective_of(environment) if moves else 0
    return _minutes(max(objective, observed_seconds(fault, alarms)))


def _minutes(seconds: float) -> int:
    return int(-(-seconds // 60))


@dataclass(frozen=True, slots=True)
class _Planned:
    """A drill with its coming runs; none if they start with the deployment.

    Attributes:
        seconds: How long a run may take, with the pause that follows it.
    """

    name: str
    at: PartialDocument
    schedule: str
    runs: Sequence[datetime]
    seconds: int


def _planned(environment: Environment, at: PartialDocument) -> Sequence[_Planned]:
    found = []
    drills = environment.drills
    for name, drill in drills.by_name.items() if drills is not None else ():
        fault, alarms = fault_of(environment, drill), watched_alarms(environment)
        timeouts = Timeouts.of(
            fault.seconds,
            hypothesis_of(environment, drill),
            objective_of(environment),
            late_seconds=fault.late_seconds,
            notice_seconds=drills.notify_before_minutes * 60 if drills is not None else 0,
            alarms_seconds=0 if fault.database is None else alarms_seconds(fault, alarms),
        )
        runs = DrillSchedule(drill.schedule, drill.timezone).runs(_RUNS_COMPARED_YEARS)
        seconds = timeouts.run + COOL_DOWN_SECONDS
        found.append(_Planned(name, at.within(name), drill.schedule, runs, seconds))
    return found


def _are_apart(drills: Sequence[_Planned]) -> Iterator[Problem]:
    """Report drills whose runs could overlap, as a run is refused while another one goes on."""
    for first, second in itertools.combinations(drills, 2):
        if not first.runs or not second.runs:
            rated, one = (first, second) if second.runs else (second, first)
            yield rated.at.problem(
                f"{rated.schedule!r} starts when it is deployed, so it may overlap with "
                f"{one.name}; give cron(...)",
                "schedule",
            )
        elif (met := _first_overlap(first, second)) is not None:
            yield second.at.problem(
                f"starts on {met:%Y-%m-%d} at {met:%H:%M} UTC, too close to {first.name}: drills "
                f"must not overlap, and a run may take {max(first.seconds, second.seconds)} s; "
                "give one of them another day",
                "schedule",
            )


def shared_instance_problems(
    services: Iterable[tuple[Service, PartialDocument]],
) -> Iterator[Problem]:
    """Report drills of several services on one instance whose runs could overlap.

    A run holds the lock of both instances of its pair.
    """
    users: dict[tuple[str, str, str], list[tuple[str, Environment, PartialDocument]]] = {}
    for service, partial in services:
        for name, environment in service.environments.items():
            if environment.drills is None:
                continue
            at = partial.within("environments", name, "drills")
            for color in COLORS:
                instance = environment.hosts.of(color).instance_id
                if instance is not None:
                    key = (environment.account, environment.region, instance)
                    user = (f"{service.service} in {name}", environment, at)
                    users.setdefault(key, []).append(user)
    for (_, _, instance), sharing in users.items():
        for one, another in itertools.combinations(sharing, 2):
            (owner, environment, at), (other_owner, other_environment, other_at) = one, another
            if owner == other_owner:
                continue
            for second, first in itertools.product(
                _planned(other_environment, other_at), _planned(environment, at)
            ):
                if (met := _first_overlap(first, second)) is not None:
                    yield second.at.problem(
                        f"starts on {met:%Y-%m-%d} at {met:%H:%M} UTC, too close to {first.name} "
                        f"of {owner}, which has the instance {instance} too: drills on one "
                        "instance must not overlap, and a run may take "
                        f"{max(first.seconds, second.seconds)} s; give one of them another day",
                        "schedule",
                    )


def _first_overlap(first: _Planned, second: _Planned) -> datetime | None:
    """Return the first run of the second drill that could overlap with one of the first."""
    ordered = sorted((at, drill is second) for drill in (first, second) for at in drill.runs)
    for (earlier, of_second), (later, next_of_second) in itertools.pairwise(ordered):
        lasts = timedelta(seconds=(second if of_second else first).seconds)
        if of_second != next_of_second and later - earlier < lasts:
            return later if next_of_second else earlier
    return None
