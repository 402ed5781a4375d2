"""Lines for the journal: standard output, with the priority that journald reads."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from .sampler import Result


class Journal:
    """Writes lines to the journal: each sample, or only those at which a target's state changes."""

    def __init__(
        self, write: Callable[[str], None] | None = None, *, every_sample: bool = True
    ) -> None:
        self._write = write or _to_stdout
        self.every_sample = every_sample

    def info(self, line: str) -> None:
        """Write a line of priority info."""
        self._write(f"<6>{line}")

    def warning(self, line: str) -> None:
        """Write a line of priority warning."""
        self._write(f"<4>{line}")

    def result(self, result: Result, *, changed: bool) -> None:
        """Write a sample, such as ``db-connectivity db.example.com:5432 succeeded in 3 ms``."""
        if not (changed or self.every_sample):
            return
        metric = result.sampler.series.metric
        label = result.sampler.check.label
        milliseconds = f"{result.seconds * 1000:.0f} ms"
        if result.failure is None:
            self.info(f"{metric} {label} succeeded in {milliseconds}")
        else:
            self.warning(f"{metric} {label} failed after {milliseconds}: {result.failure}")


def printable(text: object, max_length: int = 160) -> str:
    """Make text from outside fit for the journal: one line of printable ASCII, shortened."""
    line = "".join(c if " " <= c <= "~" else "?" for c in str(text)[: max_length + 1])
    return line if len(line) <= max_length else f"{line[: max_length - 3]}..."


def _to_stdout(line: str) -> None:
    with contextlib.suppress(OSError):  # journald restarts, or the disk is full
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
