"""Failover times as a picture: one SVG file that needs nothing else."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resiliency.errors import UserError
from resiliency.failover_model.faults import Fault
from resiliency.failover_model.simulation import PARTS, Percentiles, Verdict

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
_MOST_TICKS: Final = 7
_MOST_CHARACTERS: Final = 48
_STEPS: Final = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Design:
    """What a chart shows of one design.

    Attributes:
        label: What its bars are called; empty where there is one design.
        verdicts: What ``failover_times`` gave for it.
    """

    label: str
    verdicts: Sequence[Verdict]


def write_chart(file: Path, designs: Sequence[Design], objective: int | None = None) -> None:
    """Write a chart as SVG: a bar for each fault, designs below one another.

    Args:
        file: Where; the name must end in ``.svg``.
        designs: What it shows.
        objective: Seconds at which a line is drawn; none unless given.

    Raises:
        UserError: The file has another name, or can't be written.
    """
    if file.suffix.lower() != ".svg":
        raise UserError(f"{file}: is no name of a chart; give one that ends in .svg")
    text = chart(designs, objective)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file}: can't be written ({error.strerror})") from None


def chart(designs: Sequence[Design], objective: int | None = None) -> str:
    """The chart itself.

    A bar is as long as the median outage, split in the ratio of its parts' medians; the line goes
    on to the worst.

    Args:
        designs: What it shows.
        objective: Seconds at which a line is drawn; none unless given.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("resiliency.failover_model", "."),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=lambda value: _NO_XML.sub("\ufffd", value) if isinstance(value, str) else value,
    )
    longest = max(
        [each.total.worst for design in designs for each in design.verdicts if each.total]
        + [float(objective or 0), 60.0]
    )
    scale = _Scale(longest)
    panels = list(_panels(designs, objective, scale))
    return environment.get_template("chart.svg.jinja").render(
        width=_WIDTH,
        height=panels[-1].bottom + _AXIS_HEIGHT - 10,
        left=_LEFT,
        right=_RIGHT,
        about="; ".join(_spoken(design, each) for design in designs for each in design.verdicts),
        legend=[{"name": part, "x": x} for part, x in zip(PARTS, _LEGEND, strict=True)],
        objective={"seconds": objective, "x": scale(objective)} if objective else None,
        ticks=list(scale.ticks()),
        panels=panels,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From seconds to a place."""

    longest: float

    def __call__(self, seconds: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * seconds / (self.longest * 1.02), 1)

    def ticks(self) -> Iterator[Mapping[str, object]]:
        fitting = (step for step in _STEPS if self.longest / step < _MOST_TICKS)
        step = next(fitting, int(self.longest))
        for seconds in range(0, int(self.longest) + 1, step):
            anchor = "middle" if seconds else "start"
            label = f"{seconds:,}" if seconds else "0 s"
            yield {"x": self(seconds), "label": label, "anchor": anchor}


@dataclass(frozen=True, slots=True)
class _Segment:
    """One part of a bar."""

    name: str
    x: float
    width: float
    seconds: str


@dataclass(frozen=True, slots=True)
class _Row:
    """One bar, with the fault's name above the first of several."""

    fault: str
    fault_y: int
    label: str
    numbers: str
    over: bool
    y: int
    segments: Sequence[_Segment]
    end: float
    p95: float
    worst: float


@dataclass(frozen=True, slots=True)
class _Panel:
    """The bars of one pair."""

    name: str
    y: int
    top: int
    bottom: int
    rows: Sequence[_Row]


def _panels(designs: Sequence[Design], objective: int | None, scale: _Scale) -> Iterator[_Panel]:
    single = all(len({each.pair.name for each in design.verdicts}) == 1 for design in designs)
    faults: dict[tuple[str, str], dict[Fault, list[tuple[Design, Verdict]]]] = {}
    for design in designs:
        for verdict in design.verdicts:
            # Designs of one name each are held against each other whatever the names.
            key = ("" if single else verdict.pair.name, verdict.pair.record_type)
            of_pair = faults.setdefault(key, {})
            of_pair.setdefault(verdict.fault, []).append((design, verdict))
    y = _TOP
    for of_pair in faults.values():
        pair = next(iter(of_pair.values()))[-1][1].pair
        top = y + _PAIR_HEIGHT
        rows: list[_Row] = []
        bottom = top
        for fault, bars in of_pair.items():
            for number, (design, verdict) in enumerate(bars):
                height = _ROW_HEIGHT + (0 if number else _FAULT_HEIGHT)
                heading = "" if number else _shortened(str(fault))
                rows.append(_row(verdict, heading, design.label, bottom, height, objective, scale))
                bottom += height
        yield _Panel(
            _shortened(f"{pair.name} {pair.record_type}"), y + 14, top - 4, bottom + 4, rows
        )
        y = bottom + _AXIS_HEIGHT


def _row(
    verdict: Verdict,
    heading: str,
    label: str,
    top: int,
    height: int,
    objective: int | None,
    scale: _Scale,
) -> _Row:
    total = verdict.total
    y = top + height - 16
    if total is None:
        stays = "never moves clients" if verdict.fault.hurts else "clients stay, as they should"
        over = objective is not None and verdict.fault.hurts
        return _Row(heading, top + 20, label, stays, over, y, (), 0, 0, 0)
    numbers = f"median {total.median:.0f}, p95 {total.p95:.0f}, worst {total.worst:.0f} s"
    return _Row(
        fault=heading,
        fault_y=top + 20,
        label=label,
        numbers=numbers if verdict.fault.hurts else f"moved though served: {numbers}",
        over=objective is not None and total.p95 > objective and verdict.fault.hurts,
        y=y,
        segments=list(_segments(verdict, total, scale)),
        end=scale(total.median),
        p95=scale(total.p95),
        worst=scale(total.worst),
    )


def _segments(verdict: Verdict, total: Percentiles, scale: _Scale) -> Iterator[_Segment]:
    medians = [verdict.parts[part].median for part in PARTS]
    # The parts' medians do not add up to that of the whole, but nearly.
    ratio = total.median / sum(medians)
    begin = 0.0
    for part, median in zip(PARTS, medians, strict=True):
        x, end = scale(begin), scale(begin + median * ratio)
        yield _Segment(part, x, round(end - x, 1), f"{median:.0f}")
        begin += median * ratio


def _shortened(text: str) -> str:
    """What fits into the width; the whole stands in the description."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _spoken(design: Design, verdict: Verdict) -> str:
    fault = f"{verdict.pair.name} {design.label} {verdict.fault}"
    if verdict.total is None:
        return f"{fault}: never"
    return f"{fault}: median {verdict.total.median:.0f} s, p95 {verdict.total.p95:.0f} s"
