"""Draws the timeline of a run: lanes along a time axis, and the milestones."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from resiliency.report.timeline_data import (
    Bar,
    Lane,
    Tone,
    clock_of,
    interval_of,
    lanes_of,
    merged,
    without_quiet,
)
from resiliency.report.wording import seconds
from resiliency.svg import (
    BOLD_SIZE,
    Drawing,
    Label,
    Line,
    Mark,
    Rect,
    Scale,
    Shape,
    ShapeGroup,
    rows_of,
    shortened,
    text_width,
    tick_label,
    time_ticks,
)
from staged_resiliency.experiment.journal import Journal


@dataclass(frozen=True, slots=True)
class TimelineLayout:
    """The layout of a timeline, in pixels.

    A gutter of 0 puts each name above its bars, instead of in a column.
    """

    width: float
    gutter: float


WIDE: Final = TimelineLayout(1180, 300)
"""For desktops and paper."""
NARROW: Final = TimelineLayout(358, 0)
"""For phones."""

_LABEL_ROW: Final = 16.0
_BAR: Final = 17.0
_LANE: Final = 22.0
_HEADING: Final = 24.0
_AXIS: Final = 24.0
_EDGE: Final = 6.0
_THINNEST: Final = 2.0
_MOST_LANES: Final = 8


@dataclass(frozen=True, slots=True)
class Milestone:
    """A moment that is marked on the timeline, in seconds since the fault."""

    at: float
    label: str
    style: str


def milestones_of(journal: Journal) -> Sequence[Milestone]:
    """Return the milestones of a run: the fault, what followed, and the objective."""
    if journal.injected_at is None:
        return []
    numbers, clock = journal.numbers, clock_of(journal)
    milestones = [Milestone(0, "fault", "fault")]
    ended = None
    if journal.fault_ended_at is not None:
        ended = clock.seconds(journal.fault_ended_at)
        milestones.append(Milestone(ended, f"fault ended {seconds(ended)}", "fault"))
    if numbers.detect_seconds is not None:
        milestones.append(
            Milestone(numbers.detect_seconds, f"alarm {seconds(numbers.detect_seconds)}", "")
        )
    if numbers.failover_seconds is not None:
        label = f"failover {seconds(numbers.failover_seconds)}"
        milestones.append(Milestone(numbers.failover_seconds, label, "failover"))
    if numbers.failback_seconds is not None and ended is not None:
        label = f"failback {seconds(numbers.failback_seconds)} after the fault's end"
        milestones.append(Milestone(ended + numbers.failback_seconds, label, "failover"))
    if journal.objective_seconds is not None:
        label = f"objective {seconds(journal.objective_seconds)}"
        milestones.append(Milestone(journal.objective_seconds, label, "objective"))
    return milestones


def timeline(journal: Journal, layout: TimelineLayout) -> Drawing:
    """Draw the timeline of a run, at one width."""
    interval = interval_of(journal)
    left = layout.gutter + _EDGE
    scale = Scale(interval, left, layout.width - _EDGE)
    labels, top = _labels(journal, scale, layout)
    lanes = without_quiet(lanes_of(journal, interval), _MOST_LANES)
    drawn, texts, bottom = _drawn(lanes, scale, layout, top)
    shapes: list[Shape] = [*_band(journal, scale, top, bottom)]
    shapes += _axis(scale, top, bottom, injected=journal.injected_at is not None)
    shapes += drawn
    shapes += _lines(journal, scale, top, bottom)
    shapes += texts
    shapes += labels
    return Drawing(
        layout.width,
        bottom + _AXIS + _LABEL_ROW,
        f"Timeline of {journal.experiment}",
        describe_timeline(journal, lanes),
        shapes,
        scale,
    )


def describe_timeline(journal: Journal, lanes: Sequence[Lane]) -> str:
    """Describe the timeline for screen readers; the table of transitions has all of it."""
    parts = [each.label for each in milestones_of(journal)]
    clients = [each for each in lanes if each.group == "What the client saw"]
    for lane in clients[:1]:
        states = [f"{bar.value} from {seconds(bar.began)}" for bar in lane.bars[:12]]
        parts.append(f"clients of {lane.name} saw {', '.join(states)}")
    parts.append(f"{len(lanes)} lanes")
    return "; ".join(parts) + "."


def _band(journal: Journal, scale: Scale, top: float, bottom: float) -> Sequence[Shape]:
    """Draw the prediction as a band, behind everything."""
    predicted = journal.predicted_seconds
    if journal.injected_at is None or "best" not in predicted or "worst" not in predicted:
        return []
    best, worst = (scale.interval.clipped(predicted[key]) for key in ("best", "worst"))
    if best >= scale.interval.end or worst <= scale.interval.start:
        return []
    numbers = ", ".join(f"{key} {seconds(each)}" for key, each in predicted.items())
    tooltip = f"predicted: {numbers}"
    width = max(scale.at(worst) - scale.at(best), _THINNEST)
    return [Rect(scale.at(best), top, width, bottom - top, "band", tooltip)]


def _labels(
    journal: Journal, scale: Scale, layout: TimelineLayout
) -> tuple[Sequence[Shape], float]:
    """Draw the labels in rows that do not overlap, and return them with where the lanes begin."""
    wanted = [(each.at, each.label, each.style) for each in milestones_of(journal)]
    predicted = journal.predicted_seconds
    if journal.injected_at is not None and "best" in predicted and "worst" in predicted:
        label = f"predicted {predicted['best']:,.0f} to {seconds(predicted['worst'])}"
        wanted.append((predicted["best"], label, "predicted"))
    texts, places = [], []
    for at, label, style in wanted:
        beyond = at > scale.interval.end
        text = shortened(f"{label} →" if beyond else label, layout.width - 2 * _EDGE, BOLD_SIZE)
        width = text_width(text, BOLD_SIZE)
        x = scale.at(at)
        places.append((max(0.0, min(x - 3, layout.width - width)), width))
        texts.append((text, style))
    rows = rows_of(places)
    shapes = [
        Label(left, (row + 0.75) * _LABEL_ROW, text, f"moment-label {style}".strip())
        for (text, style), (left, _), row in zip(texts, places, rows, strict=True)
    ]
    return shapes, (max(rows, default=-1) + 1) * _LABEL_ROW + 4


def _lines(journal: Journal, scale: Scale, top: float, bottom: float) -> Sequence[Shape]:
    return [
        Line(scale.at(each.at), top, scale.at(each.at), bottom, f"moment {each.style}".strip())
        for each in milestones_of(journal)
        if scale.interval.start <= each.at <= scale.interval.end
    ]


def _axis(scale: Scale, top: float, bottom: float, *, injected: bool) -> Sequence[Shape]:
    most = max(2, int((scale.right - scale.left) / 68))
    ticks = time_ticks(scale.interval, most)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    shapes: list[Shape] = []
    for tick in ticks:
        x, text = scale.at(tick), tick_label(tick, step)
        half = text_width(text) / 2
        middle = min(max(x, half), scale.right + _EDGE - half)
        shapes.append(Line(x, top, x, bottom + 4, "grid"))
        shapes.append(Label(middle, bottom + 17, text, "tick", "middle"))
    what = "since the fault was injected" if injected else "since the run began"
    unit = f"time of the service {what}"
    shapes.append(Label(scale.right, bottom + 33, unit, "tick", "end"))
    return shapes


def _drawn(
    lanes: Sequence[Lane], scale: Scale, layout: TimelineLayout, top: float
) -> tuple[Sequence[Shape], Sequence[Shape], float]:
    """Draw the lanes below their headings; return shapes, the texts above them, and the end."""
    shapes: list[Shape] = []
    texts: list[Shape] = []
    y = top
    for group, members in groupby(lanes, key=lambda each: each.group):
        shapes.append(Line(0, y + 4, layout.width, y + 4, "divider"))
        texts.append(Label(0, y + 18, group, "heading"))
        y += _HEADING
        for lane in members:
            if layout.gutter:
                name = shortened(lane.name, layout.gutter - 20)
                texts.append(Label(12, y + 13, name, "name", tooltip=lane.name))
            else:
                name = shortened(lane.name, layout.width - 2 * _EDGE)
                texts.append(Label(_EDGE, y + 12, name, "name", tooltip=lane.name))
                y += _LABEL_ROW
            drawn = [*_bars(lane, scale, y), *_marks(lane, scale, y)]
            below = [each for each in drawn if not isinstance(each, Label)]
            shapes.append(ShapeGroup("lane", f"{lane.group}: {lane.name}", below))
            texts += [each for each in drawn if isinstance(each, Label)]
            y += _LANE
    if not lanes:
        texts.append(Label(scale.left, y + 18, "Nothing was observed.", "text"))
        y += _HEADING
    return shapes, texts, y + 4


def _bars(lane: Lane, scale: Scale, y: float) -> Sequence[Shape]:
    shapes: list[Shape] = [Rect(scale.left, y, scale.right - scale.left, _BAR, "track")]
    per_pixel = (scale.interval.end - scale.interval.start) / (scale.right - scale.left)
    bars = merged(lane.bars, 2 * _THINNEST * per_pixel)
    # Short ones last, so that no long neighbour hides them.
    for bar in sorted(bars, key=lambda each: each.began - each.ended):
        shapes += _bar(bar, scale, y)
    return shapes


def _marks(lane: Lane, scale: Scale, y: float) -> Sequence[Shape]:
    shapes: list[Shape] = []
    for mark, following in zip(lane.marks, [*lane.marks[1:], None], strict=False):
        until = scale.right if following is None else scale.at(following.began)
        shapes += _mark(mark, scale, y, until)
    return shapes


def _bar(bar: Bar, scale: Scale, y: float) -> Sequence[Shape]:
    width = max(scale.at(bar.ended) - scale.at(bar.began), _THINNEST)
    x = min(scale.at(bar.began), scale.right - width)
    shapes: list[Shape] = [Rect(x, y, width, _BAR, f"bar {bar.tone.value}", _tooltip(bar))]
    text = bar.value if text_width(bar.value) <= width - 8 else ""
    if not text and width > 60:
        text = shortened(bar.value, width - 8)
    if text:
        shapes.append(Label(x + 4, y + 12.5, text, f"bar-label {bar.tone.value}"))
    return shapes


def _mark(mark: Bar, scale: Scale, y: float, until: float) -> Sequence[Shape]:
    x = min(max(scale.at(mark.began), scale.left + 5), scale.right - 5)
    sign = "dot" if mark.tone is Tone.BAD else "ring"
    shapes: list[Shape] = [
        Mark(x, y + _BAR / 2, sign, f"message {mark.tone.value}", _tooltip(mark))
    ]
    if text_width(mark.value) + 12 <= until - x:
        shapes.append(Label(x + 9, y + 12.5, mark.value, "text"))
    elif until >= scale.right and text_width(mark.value) + 12 <= x - scale.left:
        shapes.append(Label(x - 9, y + 12.5, mark.value, "text", "end"))
    return shapes


def _tooltip(bar: Bar) -> str:
    when = seconds(bar.began)
    if bar.ended > bar.began:
        when = f"{when} to {seconds(bar.ended)}"
    return f"{bar.value}, {when}" + (f": {bar.detail}" if bar.detail else "")
