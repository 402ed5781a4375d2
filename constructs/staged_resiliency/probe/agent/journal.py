"""Lines for the journal: standard output, with the priority that journald reads."""

from __future__ import annotations

import contextlib
import sys
from typing import Callable

from .sampler import Result


class Journal:
    """Writes lines; samples as the configuration wants them.

    Args:
        write: Writes a line; standard output unless given.
        every_sample: Tell each sample; else only when the state of a target changes.
    """

    def __init__(
        self, write: Callable[[str], None] | None = None, *, every_sample: bool = True
    ) -> None:
        self._write = write or _to_stdout
        self.every_sample = every_sample

    def info(self, line: str) -> None:
        """Something to know."""
        self._write(f"<6>{line}")

    def warning(self, line: str) -> None:
        """Something to look at."""
        self._write(f"<4>{line}")

    def result(self, result: Result, *, changed: bool) -> None:
        """A sample, in the form ``db-connectivity db.example.com:5432 succeeded in 3 ms``."""
        if not (changed or self.every_sample):
            return
        metric = result.sampler.series.metric
        place = result.sampler.check.place
        milliseconds = f"{result.seconds * 1000:.0f} ms"
        if result.failure is None:
            self.info(f"{metric} {place} succeeded in {milliseconds}")
        else:
            self.warning(f"{metric} {place} failed after {milliseconds}: {result.failure}")


def _to_stdout(line: str) -> None:
    with contextlib.suppress(OSError):  # a journal that restarts, a disk that is full
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
