"""Numbers of a run that people follow over time, from what was seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source, of, ordered
from staged_resiliency.experiment.verdict import ALARM, Run


@dataclass(frozen=True, slots=True)
class Measures:
    """What a run took; seconds are those of the service, None where it did not happen.

    Attributes:
        detect_seconds: From the fault until the first alarm of the service fired.
        failover_seconds: From the fault until a client was served by another host.
        failback_seconds: From the fault's end until clients were served by the former host for
            good.
        outage_seconds: How long clients were not served, from the fault until the end.
        availability: Share of a client's requests that were served in that time, from 0 to 1.
    """

    detect_seconds: float | None
    failover_seconds: float | None
    failback_seconds: float | None
    outage_seconds: float | None
    availability: float | None


def measure(observations: Iterable[Observation], run: Run, *, record: str, active: str) -> Measures:
    """The numbers of a run.

    Args:
        observations: What was seen, in any order. A client's requests must all be there, not
            only those whose answer changed.
        run: The times of the experiment.
        record: DNS name that clients use.
        active: Name of the host that served before.
    """
    observations = ordered(observations)
    seen = [each for each in observations if run.injected_at <= each.at <= run.until]
    clients = of(seen, Source.CLIENT, record)
    fired = _fired(observations, run)
    moved = [each.at for each in clients if each.value not in (active, NO_ANSWER)]

    def seconds(at: float, since: float) -> float:
        return (at - since) * run.time_scale

    failback = None
    if moved and run.ended_at is not None and clients[-1].value == active:
        back = clients[-1].at
        for each in reversed(clients):
            if each.value != active:
                break
            back = each.at
        failback = max(0.0, seconds(back, run.ended_at))
    outage = None
    if clients:
        ends = [*(each.at for each in clients[1:]), run.until]
        outage = sum(
            seconds(end, each.at)
            for each, end in zip(clients, ends, strict=True)
            if each.value == NO_ANSWER
        )
    served = sum(each.value != NO_ANSWER for each in clients)
    return Measures(
        detect_seconds=seconds(min(fired), run.injected_at) if fired else None,
        failover_seconds=seconds(min(moved), run.injected_at) if moved else None,
        failback_seconds=failback,
        outage_seconds=outage,
        availability=served / len(clients) if clients else None,
    )


def _fired(observations: Sequence[Observation], run: Run) -> list[float]:
    """When alarms went into ALARM after the fault; one that was there before shows nothing."""
    last: dict[str, str] = {}
    fired = []
    for each in of(observations, Source.ALARM):
        came = each.value == ALARM and last.get(each.subject) != ALARM
        if came and run.injected_at <= each.at <= run.until:
            fired.append(each.at)
        last[each.subject] = each.value
    return fired
