"""The two hosts of a blue/green pair."""

from typing import Final, Literal

Color = Literal["blue", "green"]
"""The name of a host in its pair."""

COLORS: Final[tuple[Color, Color]] = ("blue", "green")


def other(color: Color) -> Color:
    """Return the colour of the other host of the pair."""
    return "green" if color == "blue" else "blue"
