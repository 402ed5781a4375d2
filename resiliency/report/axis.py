"""Axes: where a number stands between two edges, and the round numbers to write there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MINUS: Final = "\N{MINUS SIGN}"

STEPS_OF_TIME: Final = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10800, 21600, 43200, 86400),
)
"""Seconds between two ticks of an axis of time."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one number to a greater one."""

    start: float
    end: float

    def clipped(self, number: float) -> float:
        """The number, or the edge that it lies beyond."""
        return min(max(number, self.start), self.end)


@dataclass(frozen=True, slots=True)
class Scale:
    """A span drawn between two edges, in pixels; ``left`` may be the greater one."""

    span: Span
    left: float
    right: float

    def at(self, number: float) -> float:
        """Where a number stands; beyond the edges for one that is beyond the span."""
        share = (number - self.span.start) / (self.span.end - self.span.start)
        return self.left + share * (self.right - self.left)


def time_ticks(span: Span, most: int) -> Sequence[float]:
    """Round moments of a span, in seconds.

    Args:
        span: What the axis shows.
        most: At most so many ticks, at least 2.
    """
    length = span.end - span.start
    step = next((step for step in STEPS_OF_TIME if length / step <= most - 1), None)
    if step is None:
        step = math.ceil(length / (most - 1) / 86400) * 86400
    return _multiples(span, step)


def number_ticks(span: Span, most: int) -> Sequence[float]:
    """Round numbers of a span, 1, 2 or 5 by a power of ten apart.

    Args:
        span: What the axis shows.
        most: At most so many ticks, at least 2.
    """
    length = span.end - span.start
    power: float = 10.0 ** math.floor(math.log10(length / (most - 1)))
    step = next(power * each for each in (1, 2, 5, 10, 20) if length / (power * each) <= most - 1)
    return _multiples(span, step)


def _multiples(span: Span, step: float) -> Sequence[float]:
    first, last = math.ceil(span.start / step - 1e-9), math.floor(span.end / step + 1e-9)
    return [round(number * step, 6) + 0.0 for number in range(first, last + 1)]


def tick_label(seconds: float, step: float) -> str:
    """A moment of an axis, in the unit that its step asks for."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if step >= length and step % length == 0:
            return _signed(seconds / length, unit)
    return _signed(seconds, "s")


def _signed(number: float, unit: str) -> str:
    sign = MINUS if number < 0 else ""
    return f"{sign}{abs(number):,g} {unit}" if number else "0"
