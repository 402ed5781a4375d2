"""The chart of failover times: one self-contained SVG file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeAlias

from resiliency.errors import UserError
from resiliency.failover_model.faults import Fault
from resiliency.failover_model.simulation import PARTS, Percentiles, Verdict
from resiliency.svg import (
    Drawing,
    Interval,
    Label,
    Line,
    Polyline,
    Rect,
    Scale,
    Shape,
    svg,
    time_ticks,
)

# Narrow, so that a phone shows it without scaling the text away.
_WIDTH: Final = 420
_LEFT: Final = 12
_RIGHT: Final = _WIDTH - 12
_LEGEND: Final = (12, 92, 174, 278)
_TOP: Final = 66
_PAIR_HEIGHT: Final = 30
_FAULT_HEIGHT: Final = 26
_ROW_HEIGHT: Final = 38
_AXIS_HEIGHT: Final = 34
_MOST_TICKS: Final = 8
_MOST_CHARACTERS: Final = 48


@dataclass(frozen=True, slots=True)
class Design:
    """One design in a chart; ``label`` names its bars, and is empty where there is one design."""

    label: str
    verdicts: Sequence[Verdict]


def write_chart(file: Path, designs: Sequence[Design], objective: int | None = None) -> None:
    """Write a chart as SVG: a bar for each fault, designs below one another.

    The objective is in seconds. Raises UserError if the file's name does not end in ``.svg``, or it
    can't be written.
    """
    if file.suffix.lower() != ".svg":
        raise UserError(f"{file}: a chart is an SVG file; give a name that ends in .svg")
    text = chart(designs, objective)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file}: can't be written ({error.strerror})") from None


def chart(designs: Sequence[Design], objective: int | None = None) -> str:
    """Draw the chart, with a line at the objective in seconds.

    A bar is as long as the median outage, split in the ratio of its parts' medians; the line goes
    on to the worst.
    """
    longest = max(
        [each.total.worst for design in designs for each in design.verdicts if each.total]
        + [float(objective or 0), 60.0]
    )
    plot = _Plot(Scale(Interval(0, longest * 1.02), _LEFT, _RIGHT), longest, objective)
    shapes, bottom = _legend(objective), 0.0
    top = _TOP
    for rows in _panels(designs):
        bottom = plot.panel(shapes, rows, top)
        top = bottom + _AXIS_HEIGHT
    drawing = Drawing(
        _WIDTH,
        bottom + 4 + _AXIS_HEIGHT - 10,
        "Seconds until clients reach the secondary",
        "; ".join(_described(design, each) for design in designs for each in design.verdicts),
        shapes,
    )
    css = (files("resiliency.failover_model") / "chart.css").read_text(encoding="utf-8")
    return f"{svg(drawing, 'chart', style_sheet=css)}\n"


_FaultBars: TypeAlias = Mapping[Fault, Sequence[tuple[Design, Verdict]]]


def _panels(designs: Sequence[Design]) -> Sequence[_FaultBars]:
    single = all(len({each.pair.name for each in design.verdicts}) == 1 for design in designs)
    panels: dict[tuple[str, str], dict[Fault, list[tuple[Design, Verdict]]]] = {}
    for design in designs:
        for verdict in design.verdicts:
            # Designs of one name each are compared whatever the names.
            key = ("" if single else verdict.pair.name, verdict.pair.record_type)
            panels.setdefault(key, {}).setdefault(verdict.fault, []).append((design, verdict))
    return list(panels.values())


def _legend(objective: int | None) -> list[Shape]:
    shapes: list[Shape] = []
    for part, x in zip(PARTS, _LEGEND, strict=True):
        shapes += [Rect(x, 12, 11, 11, part, radius=2), Label(x + 16, 22, part)]
    about = "bar: median outage; line to the worst simulated; diamond: p95"
    shapes.append(Label(_LEFT, 41, about, "quiet"))
    if objective:
        shapes.append(Label(_LEFT, 57, f"dashed: the objective, {objective} s", "quiet over"))
    return shapes


@dataclass(frozen=True, slots=True)
class _Plot:
    """Draws bars on a common scale of seconds."""

    scale: Scale
    longest: float
    objective: int | None

    def panel(self, shapes: list[Shape], bars_of: _FaultBars, y: int) -> int:
        """Draw the bars of one record pair, and return where they end."""
        pair = next(iter(bars_of.values()))[-1][1].pair
        name = _shortened(f"{pair.name} {pair.record_type}")
        top = bottom = y + _PAIR_HEIGHT
        rows: list[Shape] = []
        for fault, bars in bars_of.items():
            rows.append(Label(_LEFT, bottom + 20, _shortened(str(fault)), "fault"))
            bottom += _FAULT_HEIGHT
            for design, verdict in bars:
                bottom += _ROW_HEIGHT
                rows += self._row(design.label, verdict, bottom - 16)
        shapes.append(Label(_LEFT, y + 14, name, "pair"))
        shapes += self._grid(top - 4, bottom + 4)
        shapes += rows
        return bottom

    def _grid(self, top: float, bottom: float) -> Iterator[Shape]:
        for seconds in time_ticks(Interval(0, self.longest), _MOST_TICKS):
            x = self.scale.at(seconds)
            label, anchor = (f"{seconds:,g}", "middle") if seconds else ("0 s", "start")
            yield Line(x, top, x, bottom, "grid")
            yield Label(x, bottom + 14, label, "quiet", anchor)
        if self.objective:
            x = self.scale.at(self.objective)
            yield Line(x, top, x, bottom, "objective")

    def _row(self, label: str, verdict: Verdict, y: float) -> Iterator[Shape]:
        """Draw one bar below the design's label and the numbers."""
        if label:
            yield Label(_LEFT, y - 5, label, "quiet")
        style = "quiet over" if self._is_over(verdict) else "quiet"
        x, anchor = (_RIGHT, "end") if label else (_LEFT, "start")
        numbers = _numbers(verdict)
        if self._is_over(verdict):
            numbers = f"misses: {numbers}"
        yield Label(x, y - 5, numbers, style, anchor)
        if verdict.total is None:
            yield Rect(_LEFT, y, _RIGHT - _LEFT, 14, "never", radius=2)
            return
        yield from self._segments(verdict, verdict.total, y)
        median, p95, worst = (
            self.scale.at(each)
            for each in (verdict.total.median, verdict.total.p95, verdict.total.worst)
        )
        yield Line(median, y + 7, worst, y + 7, "range")
        yield Line(worst, y + 2, worst, y + 12, "range")
        corners = [(p95, y + 2), (p95 + 5, y + 7), (p95, y + 12), (p95 - 5, y + 7)]
        yield Polyline(corners, "p95", closed=True)

    def _segments(self, verdict: Verdict, total: Percentiles, y: float) -> Iterator[Shape]:
        medians = [verdict.parts[part].median for part in PARTS]
        # The parts' medians do not add up to that of the whole, but nearly.
        ratio = total.median / sum(medians)
        begin = 0.0
        for part, median in zip(PARTS, medians, strict=True):
            x, end = self.scale.at(begin), self.scale.at(begin + median * ratio)
            yield Rect(x, y, end - x, 14, part, f"{part}: median {median:.0f} s")
            begin += median * ratio

    def _is_over(self, verdict: Verdict) -> bool:
        return self.objective is not None and verdict.meets(self.objective) is False


def _numbers(verdict: Verdict) -> str:
    total = verdict.total
    if total is None:
        return "never moves clients" if verdict.fault.hurts else "clients stay, as they should"
    numbers = f"median {total.median:.0f}, p95 {total.p95:.0f}, worst {total.worst:.0f} s"
    return numbers if verdict.fault.hurts else f"moved though served: {numbers}"


def _shortened(text: str) -> str:
    """Shorten a text to the chart's width; the description has the full text."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _described(design: Design, verdict: Verdict) -> str:
    fault = f"{verdict.pair.name} {design.label} {verdict.fault}"
    if verdict.total is None:
        return f"{fault}: never"
    return f"{fault}: median {verdict.total.median:.0f} s, p95 {verdict.total.p95:.0f} s"
