"""Computes the measures of a run: numbers to follow over time, such as seconds to failover."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from staged_resiliency.experiment.json_codec import Bounds
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source, of, ordered
from staged_resiliency.experiment.verdict import (
    ALARM,
    Run,
    moved_at,
    outage_seconds,
    response_seconds,
)


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of a run, in seconds (of a rehearsal simulated ones); null if it did not happen.

    Attributes:
        detect_seconds: From the fault until the first alarm of the service fired.
        failover_seconds: From the fault until clients were served by another host, and stayed
            there until the fault's end.
        failback_seconds: From the fault's end until clients were served by the former host for
            good.
        outage_seconds: How long clients were not served, from the fault until the end.
        availability: Share of a client's requests that were served in that time, from 0 to 1.
        response_seconds: How long 95 of 100 answers to clients took at the most, from the fault
            until its end; null where that was not measured.
    """

    detect_seconds: float | None = None
    failover_seconds: float | None = None
    failback_seconds: float | None = None
    outage_seconds: float | None = None
    availability: Annotated[float, Bounds(at_least=0, at_most=1)] | None = None
    response_seconds: float | None = None


def measure(observations: Iterable[Observation], run: Run, *, record: str, active: str) -> Measures:
    """Compute the measures of a run.

    Args:
        observations: In any order. They must include all of a client's requests, not only those
            whose answer changed.
        run: The times of the experiment.
        record: DNS name that clients use.
        active: Name of the host that served before.
    """
    observations = ordered(observations)
    seen = [each for each in observations if run.injected_at <= each.at <= run.until]
    clients = of(seen, Source.CLIENT, record)
    fired = _fired(observations, run)
    moved = moved_at(clients, run, lambda value: value not in (active, NO_ANSWER))
    failback = None
    if (
        any(each.value not in (active, NO_ANSWER) for each in clients)
        and run.ended_at is not None
        and clients[-1].value == active
    ):
        back = clients[-1].at
        for each in reversed(clients):
            if each.value != active:
                break
            back = each.at
        failback = max(0.0, run.seconds(back, run.ended_at))
    served = sum(each.value != NO_ANSWER for each in clients)
    return Measures(
        detect_seconds=run.seconds(min(fired), run.injected_at) if fired else None,
        failover_seconds=None if moved is None else run.seconds(moved, run.injected_at),
        failback_seconds=failback,
        outage_seconds=outage_seconds(clients, run),
        availability=served / len(clients) if clients else None,
        response_seconds=response_seconds(clients, run),
    )


def _fired(observations: Sequence[Observation], run: Run) -> list[float]:
    """Return when alarms went into ALARM after the fault; none for those that already were."""
    last: dict[str, str] = {}
    fired = []
    for each in of(observations, Source.ALARM):
        came = each.value == ALARM and last.get(each.subject) != ALARM
        if came and run.injected_at <= each.at <= run.until:
            fired.append(each.at)
        last[each.subject] = each.value
    return fired
