"""Render the picture in README.md for GitHub's light and dark theme: `make picture`."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined

FOLDER: Final = Path(__file__).parent
THEMES: Final = {
    "light": {
        "text": "#1f2328",
        "quiet": "#59636e",
        "box_fill": "#f6f8fa",
        "line": "#818b98",
        "failover": "#0969da",
        "drill": "#bc4c00",
    },
    "dark": {
        "text": "#f0f6fc",
        "quiet": "#9198a1",
        "box_fill": "#151b23",
        "line": "#656c76",
        "failover": "#4493f8",
        "drill": "#db6d28",
    },
}


def render(theme: str) -> str:
    """Return the SVG in the colours of a theme."""
    source = (FOLDER / "architecture.svg.jinja").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=True).from_string(source)
    colors = THEMES[theme]
    arrows = {name: colors[name] for name in ("line", "failover", "drill")}
    return template.render(**colors, colors=arrows) + "\n"


if __name__ == "__main__":
    for name in THEMES:
        (FOLDER / f"{name}.svg").write_text(render(name), encoding="utf-8")
