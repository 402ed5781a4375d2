"""Pictures as lists of shapes; ``templates/picture.svg.j2`` writes them as SVG.

Coordinates are CSS pixels from the upper left corner, at the picture's own size.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from resiliency.report.axis import Scale

FONT_SIZE: Final = 12.0
"""Pixels; the style sheet sets the same one for every text of a picture."""

BOLD_SIZE: Final = FONT_SIZE * 1.17
"""The size by which to measure bold text, which is wider."""

_NARROW: Final = frozenset("iljft.,:;'|!()[]{}I /-")
_WIDE: Final = frozenset("mwMW@%_ABCDEGHKNOPQRSUVXYZ&+=<>~")


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle.

    Attributes:
        style: Classes of the style sheet.
        told: What pointing at it says; nothing where empty.
    """

    x: float
    y: float
    width: float
    height: float
    style: str
    told: str = ""
    shape: str = "rect"


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    style: str
    shape: str = "line"


@dataclass(frozen=True, slots=True)
class Mark:
    """A small sign around a point: ``dot``, ``ring``, ``cross`` or ``diamond``."""

    x: float
    y: float
    sign: str
    style: str
    told: str = ""
    shape: str = "mark"


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; ``anchor`` is what ``x`` is of it: start, middle or end."""

    x: float
    y: float
    text: str
    style: str = "text"
    anchor: str = "start"
    told: str = ""
    shape: str = "text"


@dataclass(frozen=True, slots=True)
class Path:
    """An open polygon through points."""

    points: Sequence[tuple[float, float]]
    style: str
    shape: str = "path"


@dataclass(frozen=True, slots=True)
class Group:
    """Shapes that belong together, such as a lane."""

    style: str
    name: str
    shapes: Sequence["Shape"]
    shape: str = "group"


Shape: TypeAlias = Rect | Line | Mark | Text | Path | Group
"""What a picture is made of; later ones lie above earlier ones."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        title: What it is, for those who do not see it.
        told: What it shows, for the same.
        scale: Its time axis, if it has one, for the script that follows the pointer.
    """

    width: float
    height: float
    title: str
    told: str
    shapes: Sequence[Shape]
    scale: Scale | None = None


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """About how wide a text is in the page's sans-serif fonts, rather too wide than too narrow."""
    return sum(_ems(letter) for letter in text) * size


def _ems(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in ("W", "F") or letter in _WIDE:
        return 1.0 if letter not in _WIDE or letter in "mwMW@%" else 0.75
    return 0.36 if letter in _NARROW else 0.6


def shortened(text: str, width: float, size: float = FONT_SIZE) -> str:
    """A text that fits a width: itself, or with an ellipsis for its middle; empty if none fits.

    Names of AWS resources begin and end with what tells them apart, so the middle goes.
    """
    if text_width(text, size) <= width:
        return text
    for kept in range(min(len(text) - 1, math.ceil(width / size / 0.3)), 2, -1):
        head = kept // 2
        short = f"{text[:head]}…{text[head - kept :]}"
        if text_width(short, size) <= width:
            return short
    return ""


def rows_of(places: Sequence[tuple[float, float]], gap: float = 8.0) -> Sequence[int]:
    """Rows in which labels do not overlap, from 0, each the lowest that is free.

    Args:
        places: Left edge and width of each label.
        gap: Pixels between two labels of a row.
    """
    ends: list[float] = []
    rows = [0] * len(places)
    for index in sorted(range(len(places)), key=lambda each: places[each]):
        left, width = places[index]
        row = next((row for row, end in enumerate(ends) if end + gap <= left), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = left + width
        rows[index] = row
    return rows
