"""One object of the configuration: its values read one by one, and what is wrong with them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from typing import Any, Callable

from .values import plain, quoted

_MOST_TOLD = 60


class Object(dict[str, Any]):
    """A JSON object that knows which of its keys stand more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice: list[str] = []
        if len(self) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            self.twice = [key for key, count in counts.items() if count > 1]


class Section:
    """A JSON object, read key by key; problems are collected, not raised.

    Args:
        content: What stands there.
        path: Where, for messages; empty for the whole file.
        problems: Where problems are collected.
    """

    def __init__(self, content: object, path: str, problems: list[str]) -> None:
        self.path = path
        self.problems = problems
        self._content: dict[str, Any] = content if isinstance(content, dict) else {}
        self._known: list[str] = []
        self._wrong: set[str] = set()
        self._readable = isinstance(content, dict)
        if not self._readable:
            self._say(path, f"is {_kind(content)} where an object {{...}} is expected")
        for key in getattr(content, "twice", ()):
            self.problem(key, "stands more than once; give it once")

    def names(self) -> Sequence[str]:
        """The keys that are there."""
        return list(self._content)

    def wrong(self, *keys: str) -> bool:
        """Whether a problem of one of the keys was told."""
        return any(key in self._wrong for key in keys)

    def problem(self, key: str, message: str) -> None:
        """Tell a problem of a key; what is no object at all has no keys to tell of."""
        self._wrong.add(key)
        if self._readable:
            self._say(self._at(key), message)

    def text(
        self, key: str, check: Callable[[str], object], default: str = "", *, required: bool = False
    ) -> str:
        """A text that passes a check, or the default."""
        value = self._value(key, required)
        if value is None:
            return default
        if not isinstance(value, str):
            self.problem(key, f"is {_kind(value)} where a text is expected")
            return default
        return value if self._passes(key, check, value) else default

    def number(self, key: str, default: float, check: Callable[[float], object]) -> float:
        """A number that passes a check, or the default."""
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.problem(key, f"is {_kind(value)} where a number is expected")
            return default
        return value if self._passes(key, check, value) else default

    def choice(self, key: str, allowed: Sequence[str], default: str) -> str:
        """One of some texts, or the default."""

        def check(value: str) -> None:
            if value not in allowed:
                raise ValueError(f"{quoted(value)} is not allowed here{_near(value, allowed)}")

        return self.text(key, check, default)

    def numbers(self, key: str, check: Callable[[float], object]) -> tuple[int, ...]:
        """Whole numbers that pass a check; none unless given."""
        value = self._value(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not value:
            told = f"is {_kind(value)} where a list of whole numbers is expected"
            self.problem(key, f"{told}; give one like [200]")
            return ()
        found = []
        for number, each in enumerate(value):
            if type(each) is not int:
                at = f"{key}[{number}]"
                self.problem(at, f"is {_kind(each)} where a whole number is expected")
            elif self._passes(f"{key}[{number}]", check, each):
                found.append(each)
        return tuple(found)

    def sections(self, key: str) -> list[Section]:
        """A list of objects."""
        value = self._value(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(key, f"is {_kind(value)} where a list [...] is expected")
            return []
        at = self._at(key)
        return [Section(each, f"{at}[{n}]", self.problems) for n, each in enumerate(value)]

    def section(self, key: str) -> Section | None:
        """An object; None where it is not given."""
        value = self._value(key)
        return None if value is None else Section(value, self._at(key), self.problems)

    def nothing_else(self) -> None:
        """Tell the keys that mean nothing here."""
        for key in self._content:
            if key not in self._known:
                self.problem(key, f"is not a key here{_near(key, self._known)}")

    def _value(self, key: str, required: bool = False) -> Any:
        self._known.append(key)
        value = self._content.get(key)
        if value is None and (required or key in self._content):
            told = "is empty" if key in self._content else "is missing"
            self.problem(key, f"{told}; give it a value" + ("" if required else " or leave it out"))
        return value

    def _passes(self, key: str, check: Callable[[Any], object], value: object) -> bool:
        try:
            check(value)
        except ValueError as error:
            self.problem(key, str(error))
            return False
        return True

    def _at(self, key: str) -> str:
        shown = plain(key) if 0 < len(key) <= _MOST_TOLD else quoted(key, _MOST_TOLD)
        return f"{self.path}.{shown}" if self.path else shown

    def _say(self, path: str, message: str) -> None:
        self.problems.append(f"{path}: {message}" if path else message)


def _near(word: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(word[:_MOST_TOLD].lower(), allowed, n=1)
    return f"; did you mean {near[0]}?" if near else f"; allowed: {', '.join(allowed)}"


def _kind(value: object) -> str:
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "an object"
