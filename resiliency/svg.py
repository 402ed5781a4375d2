"""Drawings as lists of shapes, their axes, and their SVG.

Coordinates are CSS pixels from the upper left corner, at the drawing's own size. A shape's
``style`` names classes of the style sheet.
"""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from markupsafe import Markup, escape

FONT_SIZE: Final = 12.0
"""Pixels; the style sheet of the report sets the same size for every text of a drawing."""

BOLD_SIZE: Final = FONT_SIZE * 1.17
"""The size by which to measure bold text, which is wider."""

_GAP: Final = 8.0
"""Pixels between two labels of a row, at least."""

MINUS: Final = "\N{MINUS SIGN}"

_TIME_STEPS: Final = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10800, 21600, 43200, 86400),
)
"""Seconds between two ticks of an axis of time."""

_NARROW: Final = frozenset("iljft.,:;'|!()[]{}I /-")
_WIDE: Final = frozenset("mwMW@%_ABCDEGHKNOPQRSUVXYZ&+=<>~")


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers from ``start`` to ``end``, which is greater."""

    start: float
    end: float

    def clipped(self, number: float) -> float:
        """Return the number, or the end of the interval that it lies beyond."""
        return min(max(number, self.start), self.end)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps an interval to pixels; ``left`` may be greater than ``right``."""

    interval: Interval
    left: float
    right: float

    def at(self, number: float) -> float:
        """Return the pixel of a number, which may lie beyond the interval."""
        share = (number - self.interval.start) / (self.interval.end - self.interval.start)
        return self.left + share * (self.right - self.left)


def time_ticks(interval: Interval, most: int) -> Sequence[float]:
    """Return at most ``most`` round moments of an interval, in seconds; ``most`` is 2 or more."""
    length = interval.end - interval.start
    step = next((step for step in _TIME_STEPS if length / step <= most - 1), None)
    if step is None:
        step = math.ceil(length / (most - 1) / 86400) * 86400
    return _multiples(interval, step)


def number_ticks(interval: Interval, most: int) -> Sequence[float]:
    """Return at most ``most`` round numbers of an interval; ``most`` is 2 or more.

    The step is 1, 2 or 5 times a power of ten.
    """
    length = interval.end - interval.start
    power: float = 10.0 ** math.floor(math.log10(length / (most - 1)))
    step = next(power * each for each in (1, 2, 5, 10, 20) if length / (power * each) <= most - 1)
    return _multiples(interval, step)


def _multiples(interval: Interval, step: float) -> Sequence[float]:
    first, last = math.ceil(interval.start / step - 1e-9), math.floor(interval.end / step + 1e-9)
    return [round(number * step, 6) + 0.0 for number in range(first, last + 1)]


def tick_label(seconds: float, step: float) -> str:
    """Label a moment of an axis, in the unit that suits the step between ticks."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if step >= length and step % length == 0:
            return _signed(seconds / length, unit)
    return _signed(seconds, "s")


def _signed(number: float, unit: str) -> str:
    sign = MINUS if number < 0 else ""
    return f"{sign}{abs(number):,g} {unit}" if number else "0"


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle, with a tooltip unless ``tooltip`` is empty."""

    x: float
    y: float
    width: float
    height: float
    style: str
    tooltip: str = ""
    radius: float = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    style: str


@dataclass(frozen=True, slots=True)
class Polyline:
    """Straight lines through points; a filled polygon where it is closed."""

    points: Sequence[tuple[float, float]]
    style: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign around a point, defined by the page: ``dot``, ``ring``, ``cross`` or ``diamond``."""

    x: float
    y: float
    sign: str
    style: str
    tooltip: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text; ``anchor`` says which part of it is at ``x``: start, middle or end."""

    x: float
    y: float
    text: str
    style: str = "text"
    anchor: str = "start"
    tooltip: str = ""


@dataclass(frozen=True, slots=True)
class ShapeGroup:
    """Shapes that belong together, such as a lane."""

    style: str
    name: str
    shapes: Sequence["Shape"]


Shape: TypeAlias = Rect | Line | Polyline | Mark | Label | ShapeGroup
"""A part of a drawing; later ones lie above earlier ones."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing: its size, its shapes, and its title and description for screen readers.

    Attributes:
        title: Its title, for screen readers; a drawing without one is hidden from them.
        description: A description of what it shows, for the same.
        scale: Its time axis, if it has one, for a script that follows the pointer.
    """

    width: float
    height: float
    title: str
    description: str
    shapes: Sequence[Shape]
    scale: Scale | None = None


def svg(drawing: Drawing, identity: str = "", style: str = "", style_sheet: str = "") -> Markup:
    """Write a drawing as an SVG element; ``identity`` begins the ids of title and description."""
    width, height = _number(drawing.width), _number(drawing.height)
    attributes = [
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
        f'class="{escape(style)}"' if style else "",
        f'role="img" aria-labelledby="{identity}-title {identity}-about"'
        if drawing.title
        else 'aria-hidden="true"',
    ]
    if drawing.scale is not None:
        scale = drawing.scale
        attributes += [
            f'data-left="{_number(scale.left)}" data-right="{_number(scale.right)}"',
            f'data-start="{_number(scale.interval.start, 3)}"',
            f'data-end="{_number(scale.interval.end, 3)}"',
        ]
    given = " ".join(each for each in attributes if each)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {given}>']
    if drawing.title:
        lines.append(f'<title id="{identity}-title">{_text(drawing.title)}</title>')
        lines.append(f'<desc id="{identity}-about">{_text(drawing.description)}</desc>')
    if style_sheet:
        lines.append(f"<style>\n{style_sheet}</style>")
    lines += [_shape(each) for each in drawing.shapes]
    # Every text in it was escaped.
    return Markup("\n".join([*lines, "</svg>"]))  # noqa: S704


def _shape(shape: Shape) -> str:
    style = f'class="{escape(shape.style)}"'
    match shape:
        case Rect():
            place = _attributes(x=shape.x, y=shape.y, width=shape.width, height=shape.height)
            corners = f' rx="{_number(shape.radius)}"' if shape.radius else ""
            return f"<rect {place}{corners} {style}>{_tooltip(shape.tooltip)}</rect>"
        case Line():
            place = _attributes(x1=shape.x1, y1=shape.y1, x2=shape.x2, y2=shape.y2)
            return f"<line {place} {style}/>"
        case Polyline():
            points = " ".join(f"{_number(x)},{_number(y)}" for x, y in shape.points)
            return f'<{"polygon" if shape.closed else "polyline"} points="{points}" {style}/>'
        case Mark():
            place = _attributes(x=shape.x, y=shape.y)
            tooltip = _tooltip(shape.tooltip)
            return f'<use href="#sign-{escape(shape.sign)}" {place} {style}>{tooltip}</use>'
        case Label():
            place = _attributes(x=shape.x, y=shape.y)
            anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
            text = f"{_tooltip(shape.tooltip)}{_text(shape.text)}"
            return f"<text {place}{anchor} {style}>{text}</text>"
        case ShapeGroup():
            inner = "\n".join(_shape(each) for each in shape.shapes)
            return f'<g {style} data-name="{_text(shape.name)}">\n{inner}\n</g>'


def _attributes(**numbers: float) -> str:
    return " ".join(f'{name}="{_number(number)}"' for name, number in numbers.items())


def _number(number: float, digits: int = 1) -> str:
    return f"{round(number, digits) + 0.0:.{digits}f}".rstrip("0").rstrip(".")


def _tooltip(text: str) -> str:
    return f"<title>{_text(text)}</title>" if text else ""


def _text(text: str) -> str:
    return str(escape(printable(text)))


_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
    "\ufffe\uffff]"
)
"""Control characters, those that turn the direction of writing, and what is no character."""


def printable(text: str) -> str:
    """Replace characters that could hide a part of a name or reverse the direction of a line."""
    return _UNPRINTABLE.sub("\ufffd", text)


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Estimate the width of a text in sans-serif fonts, rather too wide than too narrow."""
    return sum(_ems(letter) for letter in text) * size


def _ems(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in ("W", "F") or letter in _WIDE:
        return 1.0 if letter not in _WIDE or letter in "mwMW@%" else 0.75
    return 0.36 if letter in _NARROW else 0.6


def shortened(text: str, width: float, size: float = FONT_SIZE) -> str:
    """Shorten a text to a width, with an ellipsis for its middle; empty if nothing fits.

    Names of AWS resources begin and end with what distinguishes them, so the middle goes.
    """
    if text_width(text, size) <= width:
        return text
    for kept in range(min(len(text) - 1, math.ceil(width / size / 0.3)), 2, -1):
        head = kept // 2
        short = f"{text[:head]}…{text[head - kept :]}"
        if text_width(short, size) <= width:
            return short
    return ""


def rows_of(places: Sequence[tuple[float, float]]) -> Sequence[int]:
    """Assign labels to rows in which they do not overlap, from 0, each the lowest that is free.

    A place is the left edge and the width of a label.
    """
    ends: list[float] = []
    rows = [0] * len(places)
    for index in sorted(range(len(places)), key=lambda each: places[each]):
        left, width = places[index]
        row = next((row for row, end in enumerate(ends) if end + _GAP <= left), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = left + width
        rows[index] = row
    return rows
