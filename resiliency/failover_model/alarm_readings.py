"""The data that CloudWatch and Route 53 read from an alarm's metric around a fault.

Both evaluate an alarm's periods about once a minute. Here the phases and delays of one fault are
drawn; what the readings mean for an alarm and for a health check, their callers decide.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor, inf
from typing import Final, TypeAlias

from resiliency.failover_model.alarm_evaluation import Comparison, Point, point
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Effect
from resiliency.failover_model.graph import Alarm
from resiliency.failover_model.metric_stream import (
    Piece,
    Stream,
    metric_stream,
    statistic_over_time,
)
from staged_resiliency.shared.time_limits import MINUTE

_MISSING: Final = Point.MISSING.value
_POINTS_PER_MINUTE: Final = 100
_POINTS: Final = {each.value: each for each in Point}


def points_of(signs: str) -> Sequence[Point]:
    """Convert a reading's text, one character for each period, to data points."""
    return [_POINTS[sign] for sign in signs]


def draw_periods_read(alarm: Alarm, assumptions: Assumptions, chance: random.Random) -> int:
    """Draw the number of periods that CloudWatch reads in each evaluation of an alarm."""
    beyond = assumptions.periods_beyond(alarm.period_seconds)
    return alarm.evaluation_periods + beyond.draw_whole(chance)


def evaluation_cost(alarm: Alarm, assumptions: Assumptions) -> int:
    """Estimate the work of simulating an alarm around one fault, as the number of points read."""
    beyond = assumptions.periods_beyond(alarm.period_seconds)
    periods = alarm.evaluation_periods + round(beyond.high)
    minutes = periods * _width(alarm)
    return minutes * (periods + _POINTS_PER_MINUTE)


@dataclass(frozen=True, slots=True)
class AlarmReadings:
    """The readings of an alarm's metric around one fault.

    Attributes:
        interval: Seconds between two readings.
        evident: When the fault first shows in the metric; infinite if it never does.
    """

    interval: float
    evident: float
    _periods: Mapping[int, Sequence[tuple[float, str]]]
    _periods_read: int
    _width: int
    _end: float
    _late: int

    def starting(self, at: float) -> Iterator[tuple[float, str]]:
        """Yield the time of each reading, and its text, with one character for each period.

        The first is made ``at``, at most one interval before the minute of the fault.
        """
        periods, width = self._periods, self._width
        reach = (self._periods_read - 1) * width
        # Only the newest periods may still get data; what the others hold is settled.
        fresh = (min(self._periods_read, max(1, ceil(self._late / width))) - 1) * width
        first, settled = floor(at / MINUTE) - reach, ""
        while at < self._end:
            last = floor(at / MINUTE)
            newest = last - fresh
            for end in range(first + len(settled), newest):
                steps = periods[end]
                settled += steps[-1][1] if steps else _MISSING
            signs = settled[last - reach - first : newest - first : width]
            for end in range(newest, last + 1, width):
                signs += _sign_at(periods[end], at)
            yield at, signs
            at += self.interval


def alarm_readings(
    alarm: Alarm,
    effect: Effect,
    *,
    periods_read: int,
    fault_at: float,
    assumptions: Assumptions,
    chance: random.Random,
) -> AlarmReadings:
    """Draw the readings of a metric around a fault ``fault_at`` seconds into its minute."""
    width = _width(alarm)
    before = ceil(assumptions.evaluation_interval.high / MINUTE)
    # Without a fault in it a signal stays as it is, so one reading is enough.
    settled = 0 if effect is Effect.NONE else periods_read * width + _minutes_of_delay(assumptions)
    stream = metric_stream(
        alarm.metric, effect, fault_at=fault_at, assumptions=assumptions, chance=chance
    )
    periods: Mapping[int, Sequence[tuple[float, str]]] = _PeriodsOfAMinute(alarm, stream)
    if width > 1:
        periods = _periods(alarm, stream, range(-periods_read * width - before, settled + 1))
    return AlarmReadings(
        interval=assumptions.evaluation_interval.draw(chance),
        evident=stream.evident,
        _periods=periods,
        _periods_read=periods_read,
        _width=width,
        _end=MINUTE * settled,
        _late=ceil(stream.lateness / MINUTE),
    )


class _PeriodsOfAMinute(dict[int, Sequence[tuple[float, str]]]):
    """Periods as ``_periods`` has them, each evaluated when it is first read."""

    def __init__(self, alarm: Alarm, stream: Stream) -> None:
        super().__init__()
        self._alarm, self._stream = alarm, stream

    def __missing__(self, end: int) -> Sequence[tuple[float, str]]:
        found = self[end] = _steps(self._alarm, self._stream.pieces(end - 1))
        return found


def _steps(alarm: Alarm, pieces: Sequence[Piece]) -> Sequence[tuple[float, str]]:
    """Return when a period of some pieces gets which sign."""
    if not pieces:
        return ()
    if len(pieces) == 1:  # as nearly always
        ((known, count, total, low, high),) = pieces
        rule = (alarm.statistic, alarm.comparison, alarm.threshold)
        return ((known, _sign_of_one(count, total, low, high, *rule)),)
    return [
        (known, point(value, alarm.comparison, alarm.threshold).value)
        for known, value in statistic_over_time(pieces, alarm.statistic)
    ]


def _width(alarm: Alarm) -> int:
    """The minutes of a period; data are published once a minute, so it has at least one."""
    return max(1, alarm.period_seconds // MINUTE)


def _periods(
    alarm: Alarm, stream: Stream, minutes: range
) -> dict[int, Sequence[tuple[float, str]]]:
    """Evaluate each period, by the number of the minute after it: when it gets which sign.

    Periods end with the last whole minute, whatever their length: an alarm is evaluated each
    minute on the periods until then (CloudWatch User Guide, "Evaluating an alarm"). A period is
    read several times, so this is computed once.
    """
    width = _width(alarm)
    pieces_of = {minute: stream.pieces(minute) for minute in minutes}
    runs, late = _runs(pieces_of), ceil(stream.lateness / MINUTE)
    found: dict[int, Sequence[tuple[float, str]]] = {}
    for end in range(minutes[0] + width, minutes[-1] + 2):
        begin = end - width - 1
        while runs[0][1] <= begin:
            del runs[0]
        if end - 1 in found and runs[0][0] <= begin and end <= runs[0][1]:
            found[end] = [(known + MINUTE, sign) for known, sign in found[end - 1]]
            continue
        fresh = max(end - width, end - late)
        pieces = [
            *_settled(runs, end - width, fresh),
            *(each for minute in range(fresh, end) for each in pieces_of[minute]),
        ]
        found[end] = _steps(alarm, pieces)
    return found


_Run: TypeAlias = tuple[int, int, tuple[Piece, ...]]
"""Minutes with equal pieces: the first, the one after the last, and the pieces of each.

The time at which a piece can be read counts from the beginning of its minute.
"""


def _runs(pieces_of: Mapping[int, Sequence[Piece]]) -> list[_Run]:
    """Group minutes with equal pieces; a stream changes only at the fault."""
    found: list[_Run] = []
    for minute, pieces in sorted(pieces_of.items()):
        holds = tuple(
            (round(known - MINUTE * minute, 6), count, total, low, high)
            for known, count, total, low, high in pieces
        )
        if found and found[-1][2] == holds:
            found[-1] = (found[-1][0], minute + 1, holds)
        else:
            found.append((minute, minute + 1, holds))
    return found


def _settled(runs: Sequence[_Run], begin: int, end: int) -> Iterator[Piece]:
    """Combine minutes whose pieces have all arrived into few pieces."""
    for first, after, holds in runs:
        minutes = min(after, end) - max(first, begin)
        if minutes > 0:
            for _, count, total, low, high in holds:
                yield (-inf, minutes * count, minutes * total, low, high)


@lru_cache(maxsize=4096)
def _sign_of_one(
    count: int,
    total: float,
    low: float,
    high: float,
    statistic: str,
    comparison: Comparison,
    threshold: float,
) -> str:
    """Return the sign of a period with one piece; cached, since few different ones occur."""
    ((_, value),) = statistic_over_time([(0.0, count, total, low, high)], statistic)
    return point(value, comparison, threshold).value


def _sign_at(period: Sequence[tuple[float, str]], at: float) -> str:
    """Return the sign of a period as it can be read at a time."""
    shown = _MISSING
    for known, sign in period:
        if known > at:
            break
        shown = sign
    return shown


def _minutes_of_delay(assumptions: Assumptions) -> int:
    """Count the minutes until all data of the minute of the fault have arrived."""
    delays = (
        assumptions.status_check,
        assumptions.status_metric_delay,
        assumptions.custom_metric_delay,
        assumptions.probe_timeout,
        assumptions.probe_batch,
    )
    return 3 + ceil(sum(each.high for each in delays) / MINUTE)
