"""A console that prints untrusted text with escape sequences neutralized.

Texts of journals, plans and AWS are never markup, and their control characters are printed as
escapes: a journal must not be able to clear the screen, to forge a line or to reorder one.
"""

import json
import math
import unicodedata
from collections.abc import Mapping
from typing import IO, Any, Final, NoReturn

from rich.console import Console
from rich.text import Text

_MOST_CHARACTERS: Final = 2000
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: control, format (such as marks that reorder a line), surrogates, others."""

STYLES: Final[Mapping[str, str]] = {
    "passed": "green",
    "failed": "bold red",
    "aborted": "yellow",
    "dry run": "cyan",
    "OK": "green",
    "ALARM": "bold red",
    "INSUFFICIENT_DATA": "yellow",
}
"""Styles of verdicts and alarm states; their names are always printed too."""


class SafeConsole(Console):
    """A console that prints every text literally, to standard output unless given another file."""

    def __init__(
        self,
        file: IO[str] | None = None,
        *,
        stderr: bool = False,
        width: int | None = None,
        record: bool = False,
    ) -> None:
        super().__init__(
            file=file,
            stderr=stderr,
            width=width,
            record=record,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a text, with hidden characters made visible."""
        return super().render_str(visible(text), **options)

    def say(self, text: str = "", style: str | None = None) -> None:
        """Print a text without wrapping, so that it can be copied from the terminal."""
        self.print(text, style=style, soft_wrap=True)


def styled(text: str) -> Text:
    """Return a status or state in its style, which does not apply to appended text."""
    return Text().append(visible(text), STYLES.get(text, ""))


def visible(text: str) -> str:
    """Replace hidden characters, except ends of lines, by escapes."""
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[: _MOST_CHARACTERS - 3]}..."
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        repr(each)[1:-1] if each != "\n" and unicodedata.category(each) in _HIDDEN else each
        for each in text
    )


def one_line(text: str) -> str:
    """Return a text on one line, without hidden characters."""
    return visible(" ".join(text.split()))


def parse_json(text: str) -> object:
    """Parse JSON, with each of its texts on one line and without hidden characters.

    Raises:
        ValueError: It is not JSON, or nested too deeply; the message says which.
    """
    try:
        return _cleaned(json.loads(text, parse_constant=_refuse, parse_float=_finite))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant[:20]} is no number of JSON")


def _finite(number: str) -> float:
    read = float(number)
    return read if math.isfinite(read) else _refuse(number)


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    if isinstance(value, dict):
        return {one_line(key): _cleaned(each) for key, each in value.items()}
    return value
