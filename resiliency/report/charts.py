"""Small charts: results of an experiment over time, and prediction beside measurement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from resiliency.report.wording import RESULTS, css_class, day, run_name, seconds, tally
from resiliency.svg import (
    Drawing,
    Interval,
    Label,
    Line,
    Mark,
    Polyline,
    Rect,
    Scale,
    Shape,
    number_ticks,
    shortened,
    text_width,
    tick_label,
    time_ticks,
)
from staged_resiliency.experiment.journal import Journal
from staged_resiliency.experiment.verdict import Status

_WIDTH: Final = 358.0
_HEIGHT: Final = 190.0
_TOP: Final = 16.0
_LEFT: Final = 46.0
_RIGHT: Final = 350.0
_BOTTOM: Final = 150.0

_COMPARISON_WIDTH: Final = 200.0
_COMPARISON_HEIGHT: Final = 22.0
_COMPARISON_EDGE: Final = 7.0

_LONG: Final = 3600.0
"""From so many seconds on, the axis is in minutes, hours or days."""

Drill = tuple[str, str, str, str]
"""Service, environment, record and experiment."""

SIGNS: Final = {
    Status.PASSED: "dot",
    Status.FAILED: "cross",
    Status.NOT_COVERED: "ring",
    Status.ABORTED: "ring",
    Status.DRY_RUN: "ring",
}
"""The mark of a run, so that its color is not the only sign."""


@dataclass(frozen=True, slots=True)
class History:
    """The runs of one experiment.

    Where runs of several services are shown, ``name`` has service and environment. The chart shows
    the seconds of ``measure``: ``failover`` or ``detect``.
    """

    name: str
    tally: str
    measure: str
    drawing: Drawing


def by_drill(journals: Sequence[Journal]) -> Mapping[Drill, Sequence[Journal]]:
    """Group runs by experiment, each from the oldest to the newest."""
    runs_by_drill: dict[Drill, list[Journal]] = {}
    for each in sorted(journals, key=_when):
        drill = (each.service, each.environment, each.record, each.experiment)
        runs_by_drill.setdefault(drill, []).append(each)
    return dict(sorted(runs_by_drill.items()))


def newest(journals: Sequence[Journal]) -> Sequence[Journal]:
    """Select the newest run of each experiment."""
    return [runs[-1] for runs in by_drill(journals).values()]


def _when(journal: Journal) -> tuple[float, str]:
    return journal.began_at or 0.0, journal.run_id


def histories(journals: Sequence[Journal]) -> Sequence[History]:
    """Draw the results over time of each experiment that was run more than once."""
    name_of = run_name(journals)
    drawn = []
    for runs in by_drill(journals).values():
        if len(runs) < 2:
            continue
        name = name_of(runs[0])
        moved = any(each.numbers.failover_seconds is not None for each in runs)
        measure = "failover" if moved else "detect"
        drawn.append(History(name, tally(runs), measure, _chart(name, measure, runs)))
    return drawn


def _chart(name: str, measure: str, runs: Sequence[Journal]) -> Drawing:
    numbers = [each.numbers for each in runs]
    values = [
        each.failover_seconds if measure == "failover" else each.detect_seconds for each in numbers
    ]
    # The objective is about clients, so it is shown with failover alone.
    objectives = [each.objective_seconds if measure == "failover" else None for each in runs]
    highest = max([1.0, *(each for each in (*values, *objectives) if each is not None)])
    across = Scale(_span(runs), _LEFT + 8, _RIGHT - 8)
    up = Scale(Interval(0, highest * 1.08), _BOTTOM, _TOP)
    shapes: list[Shape] = []
    for tick, label in _levels(up.interval):
        y = up.at(tick)
        shapes.append(Line(_LEFT, y, _RIGHT, y, "grid"))
        shapes.append(Label(_LEFT - 6, y + 4, label, "tick", "end"))
    places = [(across.at(_when(each)[0]), each) for each in runs]
    shapes += _objective(places, objectives, up)
    line = [
        (x, up.at(value)) for (x, _), value in zip(places, values, strict=True) if value is not None
    ]
    if len(line) > 1:
        shapes.append(Polyline(line, "trend"))
    for (x, each), value in zip(places, values, strict=True):
        # A run without a number is marked below the axis, so that it can't be taken for 0 s.
        y = _BOTTOM + 9 if value is None else up.at(value)
        result = RESULTS[each.verdict.status]
        tooltip = f"{day(_when(each)[0])}: {result}, {measure} {seconds(value)}"
        shapes.append(
            Mark(x, y, SIGNS[each.verdict.status], f"run {css_class(each.verdict.status)}", tooltip)
        )
    shapes += _days(runs, across)
    description = (
        f"{tally(runs)}; {measure} seconds from the oldest to the newest run: "
        + ", ".join(seconds(each) for each in values)
    )
    return Drawing(_WIDTH, _HEIGHT, f"{name}: {measure} over time", f"{description}.", shapes)


def _levels(interval: Interval) -> Sequence[tuple[float, str]]:
    """Return ticks and their labels: seconds, as in tables, unless these are many."""
    if interval.end < _LONG:
        return [(tick, f"{tick:g} s") for tick in number_ticks(interval, 5)]
    ticks = time_ticks(interval, 5)
    return [(tick, shortened(tick_label(tick, ticks[1] - ticks[0]), _LEFT - 6)) for tick in ticks]


def _span(runs: Sequence[Journal]) -> Interval:
    first, last = _when(runs[0])[0], _when(runs[-1])[0]
    return Interval(first, last) if last > first else Interval(first - 1, last + 1)


def _objective(
    places: Sequence[tuple[float, Journal]], objectives: Sequence[float | None], up: Scale
) -> Sequence[Shape]:
    """Draw the objective of each run, level until the next one, since it may have changed."""
    shapes: list[Shape] = []
    edges = [_LEFT, *(x for x, _ in places[1:]), _RIGHT]
    steps = zip(pairwise(edges), objectives, strict=True)
    for objective, level in groupby(steps, key=lambda each: each[1]):
        spans = [interval for interval, _ in level]
        if objective is not None:
            y = up.at(objective)
            shapes.append(Line(spans[0][0], y, spans[-1][1], y, "moment objective"))
    last = next((each for each in reversed(objectives) if each is not None), None)
    if last is not None:
        label = f"objective {seconds(last)}"
        shapes.append(Label(_RIGHT, up.at(last) - 4, label, "moment-label objective", "end"))
    return shapes


def _days(runs: Sequence[Journal], across: Scale) -> Sequence[Shape]:
    first, last = day(_when(runs[0])[0]), day(_when(runs[-1])[0])
    y = _HEIGHT - 10
    if first == last:
        return [Label((_LEFT + _RIGHT) / 2, y, first, "tick", "middle")]
    room = (across.right - across.left) / 2
    return [
        Label(_LEFT, y, shortened(first, room), "tick"),
        Label(_RIGHT, y, last if text_width(last) < room else "", "tick", "end"),
    ]


def common_interval(journals: Sequence[Journal]) -> Interval:
    """Return an interval from 0 to the longest prediction, measurement or objective of all rows."""
    numbers = [1.0]
    for each in journals:
        numbers += each.predicted_seconds.values()
        numbers += [each.numbers.failover_seconds or 0.0, each.objective_seconds or 0.0]
    return Interval(0, max(numbers))


def comparison(journal: Journal, interval: Interval) -> Drawing | None:
    """Draw the prediction as a band, the measurement as a diamond, the objective as a line.

    Takes the ``common_interval`` of all rows. Returns None where there is nothing to show.
    """
    scale = Scale(interval, _COMPARISON_EDGE, _COMPARISON_WIDTH - _COMPARISON_EDGE)
    predicted, measured = journal.predicted_seconds, journal.numbers.failover_seconds
    middle = _COMPARISON_HEIGHT / 2
    if measured is None and not predicted:
        return None
    shapes: list[Shape] = []
    if "best" in predicted and "worst" in predicted:
        best, worst = scale.at(predicted["best"]), scale.at(predicted["worst"])
        shapes.append(Rect(best, middle - 5, max(worst - best, 2), 10, "band"))
        for key in ("median", "p95"):
            if key in predicted:
                x = scale.at(predicted[key])
                shapes.append(Line(x, middle - 5, x, middle + 5, f"predicted {key}"))
    if journal.objective_seconds is not None:
        x = scale.at(journal.objective_seconds)
        shapes.append(Line(x, 1, x, _COMPARISON_HEIGHT - 1, "moment objective"))
    if measured is not None:
        shapes.append(Mark(scale.at(measured), middle, "diamond", "measured"))
    track = Line(scale.left, middle, scale.right, middle, "grid")
    return Drawing(_COMPARISON_WIDTH, _COMPARISON_HEIGHT, "", "", [track, *shapes])
