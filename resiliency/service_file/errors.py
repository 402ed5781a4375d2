"""What is wrong with a service file, said so that the reader can mend it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from resiliency.errors import UserError
from staged_resiliency.shared.validation import shown

Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[\w-]{1,60}")


def dotted(path: Path) -> str:
    """A path in the file as people write it: ``environments.production.failover_on[0]``.

    Keys that could be taken for something else, or that a terminal would not show as they are,
    stand in quotes.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _PLAIN_KEY.fullmatch(part) else shown(part)
            text += f".{key}" if text else key
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where.

    Attributes:
        file: The file as the user named it.
        line: Line in the file, from 1; None when the problem is not at a line.
        where: Path of the value; empty when the problem is the file's.
        message: What was found, what is allowed, how to mend it.
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
        """One line: file, line, path, message."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ServiceFileError(UserError):
    """The service files can't be used; ``problems`` holds every reason."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems in the order of the files and lines."""
        self.problems: Sequence[Problem] = tuple(
            sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.path, p.message))
        )
        super().__init__(*(str(problem) for problem in self.problems))
