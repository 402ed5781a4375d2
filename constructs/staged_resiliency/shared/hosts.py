"""The two hosts of a pair."""

from typing import Final, Literal

Color = Literal["blue", "green"]
"""Which host of a pair."""

COLORS: Final[tuple[Color, Color]] = ("blue", "green")


def other(color: Color) -> Color:
    """The other host's colour."""
    return "green" if color == "blue" else "blue"
