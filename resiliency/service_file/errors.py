"""Problems of a service file: where each one is, what was found, and how to mend it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from resiliency.errors import UserError
from staged_resiliency.shared.validation import nearest, shown

Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[\w-]{1,60}")


def dotted(path: Path) -> str:
    """Format a path in the file: ``environments.production.failover_on[0]``.

    Keys that could be mistaken for something else, or that a terminal would not show as they are,
    are quoted.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _PLAIN_KEY.fullmatch(part) else shown(part)
            text += f".{key}" if text else key
    return text


def suggestion(found: str, allowed: Sequence[str]) -> str:
    """Suggest the allowed name that a wrong one most resembles, or list the allowed ones."""
    near = nearest(found, allowed)
    if near:
        return f"did you mean {near}?"
    return f"allowed: {', '.join(allowed)}" if allowed else "there are none"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file, and where it is.

    Attributes:
        file: The file as the user named it.
        line: Line in the file, from 1; None when the problem is not at a line.
        where: Path of the value; empty when the problem is the file's.
        message: The value that was found, what is allowed, and how to mend it.
    """

    file: str
    line: int | None
    where: Path
    message: str

    @property
    def path(self) -> str:
        """Dotted path of the value; empty when the problem is the file's."""
        return dotted(self.where)

    def __str__(self) -> str:
        """Format as one line: file, line, path, message."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ServiceFileError(UserError):
    """Service files that can't be used; ``problems`` holds every reason."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Sort the problems by file and line."""
        self.problems: Sequence[Problem] = tuple(
            sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.path, p.message))
        )
        super().__init__(*(str(problem) for problem in self.problems))
