"""The terminal, which shows whatever journals, plans and AWS hold and obeys none of it.

Nothing is markup, and control characters are shown, not sent: a journal must not be able to
clear a screen, to forge a line or to reorder one.
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
"""How a verdict or an alarm's state looks; the word is always there too."""


class Screen(Console):
    """A console that takes every text literally.

    Args:
        file: Where to write; standard output unless given.
        stderr: Write to standard error.
        width: Columns; those of the terminal unless given.
        record: Whether what is written can be exported.
    """

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
        """A text with what is hidden made visible."""
        return super().render_str(visible(text), **options)

    def say(self, text: str = "", style: str | None = None) -> None:
        """Print a text as it is, however long, so that it can be copied from the terminal."""
        self.print(text, style=style, soft_wrap=True)


def word(text: str) -> Text:
    """A word in the style of what it says; what is added to it is not."""
    return Text().append(visible(text), STYLES.get(text, ""))


def visible(text: str, most: int = _MOST_CHARACTERS) -> str:
    """A text whose hidden characters, but for ends of lines, are written as escapes."""
    if len(text) > most:
        text = f"{text[: most - 3]}..."
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        repr(each)[1:-1] if each != "\n" and unicodedata.category(each) in _HIDDEN else each
        for each in text
    )


def one_line(text: str) -> str:
    """A text on one line, without hidden characters."""
    return visible(" ".join(text.split()))


def document(text: str) -> object:
    """What JSON holds, with each of its texts on one line and visible.

    Raises:
        ValueError: It is no JSON, or nested too deeply; the message says which.
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
