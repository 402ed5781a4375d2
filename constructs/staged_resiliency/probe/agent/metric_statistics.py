"""CloudWatch statistic sets: the samples of a series in one minute, aggregated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

Dimensions = tuple[tuple[str, str], ...]

MAX_VALUES = 150  # of one metric in a request (AmazonCloudWatch API reference, PutMetricData)


class Series(NamedTuple):
    """A metric with its dimensions."""

    metric: str
    dimensions: Dimensions


class Datum(NamedTuple):
    """A statistic set of one series in one minute, perhaps with its values.

    CloudWatch merges the sets of a minute, so a minute may be published in parts.
    """

    series: Series
    minute: int
    samples: int
    total: float
    lowest: float
    highest: float
    values: tuple[tuple[float, float], ...] = ()  # each with its count, for percentiles


def merged(data: Iterable[Datum]) -> list[Datum]:
    """Merge the sets of the same series and minute, unless they have too many values together."""
    full: list[Datum] = []
    sets: dict[tuple[Series, int], Datum] = {}
    for datum in data:
        former = sets.get((datum.series, datum.minute))
        if former is not None and len(former.values) + len(datum.values) > MAX_VALUES:
            full.append(former)
        elif former is not None:
            datum = datum._replace(
                samples=former.samples + datum.samples,
                total=former.total + datum.total,
                lowest=min(former.lowest, datum.lowest),
                highest=max(former.highest, datum.highest),
                values=former.values + datum.values,
            )
        sets[datum.series, datum.minute] = datum
    return [*full, *sets.values()]


class MetricStatistics:
    """Aggregates values by series and minute until they are taken."""

    def __init__(self) -> None:
        self._sets: dict[tuple[Series, int], list[float]] = {}
        self._values: dict[tuple[Series, int], list[float]] = {}
        self._failing: dict[Series, int] = {}

    def add(self, series: Series, minute: int, value: float) -> bool:
        """Add a value, and return whether it is the first 0 of its minute.

        A first 0 must be published at once: it takes the minute's average below 1, and a minute
        that has just begun would have no data for the alarm without it.
        """
        found = self._sets.get((series, minute))
        if found is None:
            self._sets[series, minute] = [1, value, value, value]
        else:
            found[0] += 1
            found[1] += value
            if value < found[2]:
                found[2] = value
            if value > found[3]:
                found[3] = value
        if value or self._failing.get(series) == minute:
            return False
        self._failing[series] = minute
        return True

    def add_single(self, series: Series, minute: int, value: float) -> None:
        """Add a value that is published by itself too, so that percentiles are known."""
        self.add(series, minute, value)
        self._values.setdefault((series, minute), []).append(value)

    def take(self) -> list[Datum]:
        """Remove and return all sets, oldest first; later values of a minute make another set."""
        taken = [
            Datum(
                *(series, minute, int(count), total, lowest, highest),
                values=tuple(Counter(self._values.get((series, minute), ())).items()),
            )
            for (series, minute), (count, total, lowest, highest) in self._sets.items()
        ]
        self._sets.clear()
        self._values.clear()
        return sorted(taken, key=lambda datum: datum.minute)
