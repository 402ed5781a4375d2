"""The data points of a metric in CloudWatch, minute by minute, around a fault.

Times are seconds since the beginning of the minute in which the fault falls; that minute has
number 0. Before the fault all is well.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Final

from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.faults import Effect
from resiliency.failover_model.graph import Metric
from staged_resiliency.drills.database_faults import DATABASE_FAILOVER_MINUTES
from staged_resiliency.shared import names
from staged_resiliency.shared.time_limits import MINUTE

_OF_AWS: Final = "AWS/"
PROBE_STEADY_SECONDS: Final = 300.0
"""After failing for this long, a target's failures go with the minute: the agent's own constant."""

DATABASE_FAILOVER_SECONDS: Final = Range(
    60,
    DATABASE_FAILOVER_MINUTES * 60,
    "how long a database that fails over is lost, in seconds",
    "AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html",
)
"""Without what large transactions and a lengthy recovery add."""

Piece = tuple[float, int, float, float, float]
"""One statistic set: when it can be read, number of samples, sum, minimum and maximum."""


def kind_of(metric: Metric) -> Metric:
    """Reduce a metric to the fields that determine its data around a fault."""
    return Metric(
        _OF_AWS if metric.namespace.startswith(_OF_AWS) else "",
        metric.name if metric.name == names.HEARTBEAT_METRIC else "",
    )


@dataclass(frozen=True, slots=True)
class Stream:
    """The data of a metric around one fault.

    Attributes:
        pieces: Return what a minute has.
        evident: When the first data point that shows the fault can be read, or is due and missing;
            infinite if none ever does.
        lateness: The most seconds from the beginning of a minute until all of it can be read.
    """

    pieces: Callable[[int], Sequence[Piece]]
    evident: float
    lateness: float


def metric_stream(
    metric: Metric,
    effect: Effect,
    *,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> Stream:
    """Simulate a metric around one fault, with random phases and delays."""
    if metric.namespace.startswith(_OF_AWS):
        return _status(effect, fault_at, assumptions, chance)
    if metric.name == names.HEARTBEAT_METRIC:
        return _heartbeats(effect, fault_at, assumptions, chance)
    return _probe(effect, fault_at, assumptions, chance)


def _status(
    effect: Effect, fault_at: float, assumptions: Assumptions, chance: random.Random
) -> Stream:
    """Simulate EC2's status check: one value a minute, 1 for failure, while the instance runs.

    Source: AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
    """
    phase = MINUTE * chance.random()
    delay = phase + assumptions.status_metric_delay.draw(chance)
    silent_from = fault_at if effect is Effect.SILENT else inf
    failed_from = inf
    if effect is Effect.IMPAIRED:
        failed_from = fault_at + assumptions.status_check.draw(chance)

    def pieces(minute: int) -> Sequence[Piece]:
        at = MINUTE * minute + phase
        if at >= silent_from:
            return ()
        value = 1.0 if at >= failed_from else 0.0
        return ((MINUTE * minute + delay, 1, value, value, value),)

    first = min(silent_from, failed_from)
    evident = inf if first == inf else MINUTE * ceil((first - phase) / MINUTE) + delay
    return Stream(pieces, evident, delay)


def _probe(
    effect: Effect, fault_at: float, assumptions: Assumptions, chance: random.Random
) -> Stream:
    """Simulate the probe: samples with a random offset, 1 for success, published once a minute.

    The first failure of a minute is sent at once, with the samples before it; the others follow
    with the minute, and so do all when the target has failed for long (docs/probe.md).
    """
    interval = assumptions.probe_interval.draw(chance)
    phase = interval * chance.random()
    delay = assumptions.custom_metric_delay.draw(chance)
    batch = assumptions.probe_batch.draw(chance)
    waits = effect in (Effect.UNANSWERED, Effect.UNRESPONSIVE, Effect.INTERRUPTED)
    latency = assumptions.probe_timeout.draw(chance) if waits else 0.0
    fails = waits or effect is Effect.REFUSED
    silent = effect is Effect.SILENT
    ended_at = inf
    if effect is Effect.INTERRUPTED:
        ended_at = fault_at + DATABASE_FAILOVER_SECONDS.draw(chance)
    count = ceil((MINUTE - phase) / interval)

    evident = inf
    if silent:
        lost = ceil((fault_at - MINUTE - batch) / MINUTE)
        evident = MINUTE * (lost + 1) + batch + delay
    elif fails:
        evident = phase + interval * max(0, ceil((fault_at - phase) / interval)) + latency + delay
        if evident - latency - delay >= MINUTE:  # the first sample of the next minute
            evident = MINUTE + phase + latency + delay

    def pieces(minute: int) -> Sequence[Piece]:
        begin = MINUTE * minute
        sent = begin + MINUTE + batch
        if silent and sent >= fault_at:
            return ()  # data that the probe had not sent yet are lost with it
        good = count
        if fails or silent:
            good = min(count, max(0, ceil((fault_at - begin - phase) / interval)))
        again = 0
        if ended_at < begin + MINUTE:
            again = count - max(good, min(count, ceil((ended_at - begin - phase) / interval)))
        bad = 0 if silent else count - good - again
        if not bad:
            good += again
            return ((sent + delay, good, float(good), 1.0, 1.0),)
        known = begin + phase + good * interval + latency + delay
        if known - evident >= PROBE_STEADY_SECONDS:
            return ((sent + delay, bad, 0.0, 0.0, 0.0),)
        first: Piece = (known, good + 1, float(good), 0.0, 1.0 if good else 0.0)
        late, best = max(sent, known - delay) + delay, 1.0 if again else 0.0
        worst = 0.0 if bad > 1 else 1.0
        rest: Piece = (late, bad - 1 + again, float(again), worst, best)
        return (first, rest) if bad + again > 1 else (first,)

    return Stream(pieces, evident, MINUTE + max(batch, latency) + delay)


def _heartbeats(
    effect: Effect, fault_at: float, assumptions: Assumptions, chance: random.Random
) -> Stream:
    """Simulate the probe's heartbeat: a 1 a minute, sent at the beginning of its minute.

    Other data are sent some seconds after their minute; the heartbeat that long into its minute.
    """
    batch = assumptions.probe_batch.draw(chance)
    delay = assumptions.custom_metric_delay.draw(chance)
    silent_from = fault_at if effect is Effect.SILENT else inf

    def pieces(minute: int) -> Sequence[Piece]:
        sent = MINUTE * minute + batch
        return () if sent >= silent_from else ((sent + delay, 1, 1.0, 1.0, 1.0),)

    evident = inf
    if silent_from != inf:
        evident = MINUTE * ceil((silent_from - batch) / MINUTE) + batch + delay
    return Stream(pieces, evident, batch + delay)


def statistic_over_time(pieces: Sequence[Piece], name: str) -> Sequence[tuple[float, float]]:
    """Compute when a period's statistic changes as its data arrive, and the new values.

    Before the first piece there are no data.
    """
    count, total, least, most = 0, 0.0, inf, -inf
    found = []
    for known, more, added, low, high in sorted(pieces):
        count += more
        total += added
        least = low if low < least else least
        most = high if high > most else most
        if name == "Average":
            value = total / count
        elif name == "Maximum":
            value = most
        elif name == "Minimum":
            value = least
        else:
            value = total if name == "Sum" else float(count)
        found.append((known, value))
    return found
