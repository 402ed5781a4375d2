"""A service file under examination: values that passed their own checks, and nothing else.

Rules that compare values must run even when other values of the file are wrong, so that every
problem is told at once. A draft hands out a value only where it is present and nothing is
wrong with it or beneath it; a rule that needs a value that is not to be had says nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from resiliency.service_file.errors import Path, Problem
from resiliency.service_file.yaml_source import Document, Value

_T = TypeVar("_T")


@dataclass(frozen=True)
class PartialDocument:
    """A place in the file, the top unless ``at`` says otherwise.

    Attributes:
        document: The file.
        unsound: Paths of the values with a problem in them or beneath them.
        misspelt: Paths that values under misspelt keys were probably meant for: they are in the
            file, but can't be used.
        at: The place.
    """

    document: Document
    unsound: frozenset[Path] = frozenset()
    misspelt: frozenset[Path] = frozenset()
    at: Path = ()

    @classmethod
    def of(
        cls, document: Document, wrong: Iterable[Path], misspelt: frozenset[Path]
    ) -> "PartialDocument":
        """The draft of a file with what is known to be wrong in it."""
        paths = (*wrong, *misspelt)
        unsound = {path[:length] for path in paths for length in range(1, len(path) + 1)}
        return cls(document, frozenset(unsound), misspelt)

    def within(self, *path: str | int) -> "PartialDocument":
        """The draft of a part of this one."""
        return PartialDocument(self.document, self.unsound, self.misspelt, (*self.at, *path))

    @cached_property
    def raw(self) -> Value:
        """The value as it stands in the file, sound or not; None when it is absent."""
        value: Value = self.document.data
        for part in self.at:
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def get(self, *path: str | int) -> Value:
        """The value if it is present and sound, else None."""
        part = self.within(*path)
        return None if part.at in self.unsound else part.raw

    def text(self, *path: str | int, default: str = "") -> str | None:
        """A text: the default when it is absent, None when it is unusable."""
        return self._typed(str, default, path)

    def number(self, *path: str | int, default: int) -> int | None:
        """A whole number: the default when it is absent, None when it is unusable."""
        return self._typed(int, default, path)

    def _typed(self, kind: type[_T], default: _T, path: Path) -> _T | None:
        part = self.within(*path)
        if part.at in self.unsound:
            return None
        value = part.raw
        if value is None:
            return default
        return value if isinstance(value, kind) else None

    def has(self, *path: str | int) -> bool:
        """Whether the file gives the value at all, sound or not."""
        part = self.within(*path)
        return part.raw is not None or part.at in self.misspelt

    def names(self, *path: str | int) -> Iterator[str]:
        """The keys of a mapping."""
        value = self.within(*path).raw
        if isinstance(value, dict):
            yield from value

    def items(self, *path: str | int) -> list[Value]:
        """The items of a list."""
        value = self.within(*path).raw
        return value if isinstance(value, list) else []

    def problem(self, message: str, *path: str | int) -> Problem:
        """A problem at a place below this one."""
        where = (*self.at, *path)
        return Problem(self.document.file, self.document.line_of(where), where, message)
