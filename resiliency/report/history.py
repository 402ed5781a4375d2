"""Results of the same experiment over time, as a small chart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from resiliency.report.axis import Scale, Span, number_ticks, tick_label, time_ticks
from resiliency.report.journal_reader import Journal
from resiliency.report.svg_shapes import (
    Line,
    Mark,
    Path,
    Picture,
    Shape,
    Text,
    shortened,
    text_width,
)
from resiliency.report.wording import RESULTS, day, seconds, tally
from staged_resiliency.experiment.verdict import Status

_WIDTH: Final = 358.0
_HEIGHT: Final = 190.0
_TOP: Final = 16.0
_LEFT: Final = 46.0
_RIGHT: Final = 350.0
_BOTTOM: Final = 150.0

_LONG: Final = 3600.0
"""Seconds from which on they are told in minutes, hours or days."""

Drill = tuple[str, str, str]
"""Service, environment and experiment."""

SIGNS: Final = {
    Status.PASSED: "dot",
    Status.FAILED: "cross",
    Status.ABORTED: "ring",
    Status.DRY_RUN: "ring",
}
"""How a run looks: not by its colour alone."""


@dataclass(frozen=True, slots=True)
class History:
    """The runs of one experiment.

    Attributes:
        name: Of the experiment; with service and environment where runs of several are shown.
        told: How many held.
        measure: What the chart shows.
        picture: The chart.
    """

    name: str
    told: str
    measure: str
    picture: Picture


def by_drill(journals: Sequence[Journal]) -> Mapping[Drill, Sequence[Journal]]:
    """The runs of each experiment, from the oldest to the newest."""
    found: dict[Drill, list[Journal]] = {}
    for each in sorted(journals, key=_when):
        found.setdefault((each.service, each.environment, each.experiment), []).append(each)
    return dict(sorted(found.items()))


def newest(journals: Sequence[Journal]) -> Sequence[Journal]:
    """The newest run of each experiment."""
    return [runs[-1] for runs in by_drill(journals).values()]


def _when(journal: Journal) -> tuple[float, str]:
    return journal.began_at or 0.0, journal.run_id


def histories(journals: Sequence[Journal]) -> Sequence[History]:
    """The results over time of each experiment that was run more than once."""
    drills = by_drill(journals)
    of_one_service = len({drill[:2] for drill in drills}) == 1
    found = []
    for (service, environment, experiment), runs in drills.items():
        if len(runs) < 2:
            continue
        name = experiment if of_one_service else f"{service} {environment}: {experiment}"
        moved = any(each.numbers.failover_seconds is not None for each in runs)
        measure = "failover" if moved else "detect"
        found.append(History(name, tally(runs), measure, _chart(name, measure, runs)))
    return found


def _value(journal: Journal, measure: str) -> float | None:
    numbers = journal.numbers
    return numbers.failover_seconds if measure == "failover" else numbers.detect_seconds


def _chart(name: str, measure: str, runs: Sequence[Journal]) -> Picture:
    values = [_value(each, measure) for each in runs]
    # The objective is about clients, so it stands beside failover alone.
    objectives = [each.objective_seconds if measure == "failover" else None for each in runs]
    highest = max([1.0, *(each for each in (*values, *objectives) if each is not None)])
    across = Scale(_span(runs), _LEFT + 8, _RIGHT - 8)
    up = Scale(Span(0, highest * 1.08), _BOTTOM, _TOP)
    shapes: list[Shape] = []
    for tick, label in _levels(up.span):
        y = up.at(tick)
        shapes.append(Line(_LEFT, y, _RIGHT, y, "grid"))
        shapes.append(Text(_LEFT - 6, y + 4, label, "tick", "end"))
    places = [(across.at(_when(each)[0]), each) for each in runs]
    shapes += _objective(places, objectives, up)
    line = [
        (x, up.at(value)) for (x, _), value in zip(places, values, strict=True) if value is not None
    ]
    if len(line) > 1:
        shapes.append(Path(line, "trend"))
    for (x, each), value in zip(places, values, strict=True):
        # What has no number stands below the axis, so that it can't be taken for 0 s.
        y = _BOTTOM + 9 if value is None else up.at(value)
        result = RESULTS[each.verdict.status]
        told = f"{day(_when(each)[0])}: {result}, {measure} {seconds(value)}"
        shapes.append(
            Mark(x, y, SIGNS[each.verdict.status], f"run {each.verdict.status.value}", told)
        )
    shapes += _days(runs, across)
    told = f"{tally(runs)}; {measure} seconds from the oldest to the newest run: " + ", ".join(
        seconds(each) for each in values
    )
    return Picture(_WIDTH, _HEIGHT, f"{name}: {measure} over time", f"{told}.", shapes)


def _levels(span: Span) -> Sequence[tuple[float, str]]:
    """Durations to write beside the chart; in seconds, as in tables, while these are short."""
    if span.end < _LONG:
        return [(tick, f"{tick:g} s") for tick in number_ticks(span, 5)]
    ticks = time_ticks(span, 5)
    return [(tick, shortened(tick_label(tick, ticks[1] - ticks[0]), _LEFT - 6)) for tick in ticks]


def _span(runs: Sequence[Journal]) -> Span:
    first, last = _when(runs[0])[0], _when(runs[-1])[0]
    return Span(first, last) if last > first else Span(first - 1, last + 1)


def _objective(
    places: Sequence[tuple[float, Journal]], objectives: Sequence[float | None], up: Scale
) -> Sequence[Shape]:
    """The objective of each run, level until the next one, since it may have changed."""
    shapes: list[Shape] = []
    edges = [_LEFT, *(x for x, _ in places[1:]), _RIGHT]
    steps = zip(pairwise(edges), objectives, strict=True)
    for objective, level in groupby(steps, key=lambda each: each[1]):
        spans = [span for span, _ in level]
        if objective is not None:
            y = up.at(objective)
            shapes.append(Line(spans[0][0], y, spans[-1][1], y, "moment objective"))
    last = next((each for each in reversed(objectives) if each is not None), None)
    if last is not None:
        label = f"objective {seconds(last)}"
        shapes.append(Text(_RIGHT, up.at(last) - 4, label, "moment-label objective", "end"))
    return shapes


def _days(runs: Sequence[Journal], across: Scale) -> Sequence[Shape]:
    first, last = day(_when(runs[0])[0]), day(_when(runs[-1])[0])
    y = _HEIGHT - 10
    if first == last:
        return [Text((_LEFT + _RIGHT) / 2, y, first, "tick", "middle")]
    room = (across.right - across.left) / 2
    return [
        Text(_LEFT, y, shortened(first, room), "tick"),
        Text(_RIGHT, y, last if text_width(last) < room else "", "tick", "end"),
    ]
