"""The timeline of a run as a picture: lanes along a time axis, and the moments that count."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from resiliency.report.axis import Scale, tick_label, time_ticks
from resiliency.report.svg_shapes import (
    BOLD_SIZE,
    Group,
    Line,
    Mark,
    Picture,
    Rect,
    Shape,
    Text,
    rows_of,
    shortened,
    text_width,
)
from resiliency.report.timeline_data import (
    Bar,
    Lane,
    Tone,
    clock_of,
    lanes_of,
    merged,
    span_of,
    without_quiet,
)
from resiliency.report.wording import seconds
from staged_resiliency.experiment.journal import Journal


@dataclass(frozen=True, slots=True)
class Format:
    """How a timeline is laid out, in pixels.

    Attributes:
        width: Of the whole picture.
        gutter: Of the column of names; 0 puts each name above its bars.
        label_row: Height of a line of text above the bars.
    """

    width: float
    gutter: float
    label_row: float = 16.0


WIDE: Final = Format(1180, 300)
"""For desktops and paper."""
NARROW: Final = Format(358, 0)
"""For phones."""

_BAR: Final = 17.0
_LANE: Final = 22.0
_HEADING: Final = 24.0
_AXIS: Final = 24.0
_EDGE: Final = 6.0
_THINNEST: Final = 2.0
_MOST_LANES: Final = 8


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that counts.

    Attributes:
        at: Seconds of the service since the fault.
        label: What it says above the lanes.
        style: Class of the style sheet.
    """

    at: float
    label: str
    style: str


def moments_of(journal: Journal) -> Sequence[Moment]:
    """What is marked on the timeline of a run: the fault, what followed, what was asked for."""
    if journal.injected_at is None:
        return []
    numbers, clock = journal.numbers, clock_of(journal)
    found = [Moment(0, "fault", "fault")]
    ended = None
    if journal.fault_ended_at is not None:
        ended = clock.seconds(journal.fault_ended_at)
        found.append(Moment(ended, f"fault ended {seconds(ended)}", "fault"))
    if numbers.detect_seconds is not None:
        found.append(Moment(numbers.detect_seconds, f"alarm {seconds(numbers.detect_seconds)}", ""))
    if numbers.failover_seconds is not None:
        told = f"failover {seconds(numbers.failover_seconds)}"
        found.append(Moment(numbers.failover_seconds, told, "failover"))
    if numbers.failback_seconds is not None and ended is not None:
        told = f"failback {seconds(numbers.failback_seconds)} after the fault's end"
        found.append(Moment(ended + numbers.failback_seconds, told, "failover"))
    if journal.objective_seconds is not None:
        told = f"objective {seconds(journal.objective_seconds)}"
        found.append(Moment(journal.objective_seconds, told, "objective"))
    return found


def timeline(journal: Journal, layout: Format) -> Picture:
    """The timeline of a run, at one width."""
    span = span_of(journal)
    left = layout.gutter + _EDGE
    scale = Scale(span, left, layout.width - _EDGE)
    labels, top = _labels(journal, scale, layout)
    lanes = without_quiet(lanes_of(journal, span), _MOST_LANES)
    drawn, texts, bottom = _drawn(lanes, scale, layout, top)
    shapes: list[Shape] = [*_band(journal, scale, top, bottom)]
    shapes += _axis(scale, top, bottom, injected=journal.injected_at is not None)
    shapes += drawn
    shapes += _lines(journal, scale, top, bottom)
    shapes += texts
    shapes += labels
    return Picture(
        layout.width,
        bottom + _AXIS + layout.label_row,
        f"Timeline of {journal.experiment}",
        told(journal, lanes),
        shapes,
        scale,
    )


def told(journal: Journal, lanes: Sequence[Lane]) -> str:
    """The timeline in words, for those who do not see it; the table of transitions has it all."""
    parts = [each.label for each in moments_of(journal)]
    clients = [each for each in lanes if each.group == "What the client saw"]
    for lane in clients[:1]:
        states = [f"{bar.value} from {seconds(bar.began)}" for bar in lane.bars[:12]]
        parts.append(f"clients of {lane.name} saw {', '.join(states)}")
    parts.append(f"{len(lanes)} lanes")
    return "; ".join(parts) + "."


def _band(journal: Journal, scale: Scale, top: float, bottom: float) -> Sequence[Shape]:
    """The span of the prediction, behind everything."""
    predicted = journal.predicted_seconds
    if journal.injected_at is None or "best" not in predicted or "worst" not in predicted:
        return []
    best, worst = (scale.span.clipped(predicted[key]) for key in ("best", "worst"))
    if best >= scale.span.end or worst <= scale.span.start:
        return []
    told = f"predicted: {_predicted(journal)}"
    width = max(scale.at(worst) - scale.at(best), _THINNEST)
    return [Rect(scale.at(best), top, width, bottom - top, "band", told)]


def _predicted(journal: Journal) -> str:
    return ", ".join(f"{key} {seconds(each)}" for key, each in journal.predicted_seconds.items())


def _labels(journal: Journal, scale: Scale, layout: Format) -> tuple[Sequence[Shape], float]:
    """The labels above the lanes, in rows that do not overlap, and where the lanes begin."""
    wanted = [(each.at, each.label, each.style) for each in moments_of(journal)]
    predicted = journal.predicted_seconds
    if journal.injected_at is not None and "best" in predicted and "worst" in predicted:
        told = f"predicted {predicted['best']:,.0f} to {seconds(predicted['worst'])}"
        wanted.append((predicted["best"], told, "predicted"))
    texts, places = [], []
    for at, label, style in wanted:
        beyond = at > scale.span.end
        text = shortened(f"{label} →" if beyond else label, layout.width - 2 * _EDGE, BOLD_SIZE)
        width = text_width(text, BOLD_SIZE)
        x = scale.at(at)
        places.append((max(0.0, min(x - 3, layout.width - width)), width))
        texts.append((text, style))
    rows = rows_of(places)
    shapes = [
        Text(left, (row + 0.75) * layout.label_row, text, f"moment-label {style}".strip())
        for (text, style), (left, _), row in zip(texts, places, rows, strict=True)
    ]
    return shapes, (max(rows, default=-1) + 1) * layout.label_row + 4


def _lines(journal: Journal, scale: Scale, top: float, bottom: float) -> Sequence[Shape]:
    return [
        Line(scale.at(each.at), top, scale.at(each.at), bottom, f"moment {each.style}".strip())
        for each in moments_of(journal)
        if scale.span.start <= each.at <= scale.span.end
    ]


def _axis(scale: Scale, top: float, bottom: float, *, injected: bool) -> Sequence[Shape]:
    most = max(2, int((scale.right - scale.left) / 68))
    ticks = time_ticks(scale.span, most)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    shapes: list[Shape] = []
    for tick in ticks:
        x, text = scale.at(tick), tick_label(tick, step)
        half = text_width(text) / 2
        middle = min(max(x, half), scale.right + _EDGE - half)
        shapes.append(Line(x, top, x, bottom + 4, "grid"))
        shapes.append(Text(middle, bottom + 17, text, "tick", "middle"))
    what = "since the fault was injected" if injected else "since the run began"
    unit = f"time of the service {what}"
    shapes.append(Text(scale.right, bottom + 33, unit, "tick", "end"))
    return shapes


def _drawn(
    lanes: Sequence[Lane], scale: Scale, layout: Format, top: float
) -> tuple[Sequence[Shape], Sequence[Shape], float]:
    """The lanes below their headings, the texts that lie above all lines, and where it ends."""
    shapes: list[Shape] = []
    texts: list[Shape] = []
    y = top
    for group, members in groupby(lanes, key=lambda each: each.group):
        shapes.append(Line(0, y + 4, layout.width, y + 4, "divider"))
        texts.append(Text(0, y + 18, group, "heading"))
        y += _HEADING
        for lane in members:
            if layout.gutter:
                name = shortened(lane.name, layout.gutter - 20)
                texts.append(Text(12, y + 13, name, "name", told=lane.name))
            else:
                name = shortened(lane.name, layout.width - 2 * _EDGE)
                texts.append(Text(_EDGE, y + 12, name, "name", told=lane.name))
                y += layout.label_row
            drawn = [*_bars(lane, scale, y), *_marks(lane, scale, y)]
            below = [each for each in drawn if not isinstance(each, Text)]
            shapes.append(Group("lane", f"{lane.group}: {lane.name}", below))
            texts += [each for each in drawn if isinstance(each, Text)]
            y += _LANE
    if not lanes:
        texts.append(Text(scale.left, y + 18, "Nothing was seen.", "text"))
        y += _HEADING
    return shapes, texts, y + 4


def _bars(lane: Lane, scale: Scale, y: float) -> Sequence[Shape]:
    shapes: list[Shape] = [Rect(scale.left, y, scale.right - scale.left, _BAR, "track")]
    per_pixel = (scale.span.end - scale.span.start) / (scale.right - scale.left)
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
    shapes: list[Shape] = [Rect(x, y, width, _BAR, f"bar {bar.tone.value}", _told(bar))]
    text = bar.value if text_width(bar.value) <= width - 8 else ""
    if not text and width > 60:
        text = shortened(bar.value, width - 8)
    if text:
        shapes.append(Text(x + 4, y + 12.5, text, f"bar-label {bar.tone.value}"))
    return shapes


def _mark(mark: Bar, scale: Scale, y: float, until: float) -> Sequence[Shape]:
    x = min(max(scale.at(mark.began), scale.left + 5), scale.right - 5)
    sign = "dot" if mark.tone is Tone.BAD else "ring"
    shapes: list[Shape] = [Mark(x, y + _BAR / 2, sign, f"message {mark.tone.value}", _told(mark))]
    if text_width(mark.value) + 12 <= until - x:
        shapes.append(Text(x + 9, y + 12.5, mark.value, "text"))
    elif until >= scale.right and text_width(mark.value) + 12 <= x - scale.left:
        shapes.append(Text(x - 9, y + 12.5, mark.value, "text", "end"))
    return shapes


def _told(bar: Bar) -> str:
    when = seconds(bar.began)
    if bar.ended > bar.began:
        when = f"{when} to {seconds(bar.ended)}"
    return f"{bar.value}, {when}" + (f": {bar.detail}" if bar.detail else "")
