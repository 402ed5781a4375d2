"""Takes the samples of one target, on a clock that nothing delays."""

from __future__ import annotations

import zlib
from functools import partial
from typing import Any, Callable, NamedTuple

from .attempt import Attempt, Tools
from .checks import Check
from .failure import TIMEOUT, Failure, of_error
from .loop import Expired
from .metric_statistics import Series


class Result(NamedTuple):
    """What one sample found.

    Attributes:
        sampler: Of which target.
        minute: The minute in which it began, in seconds since 1970.
        seconds: How long it took.
        answer: What was seen.
        failure: Why it is a 0; None when it is a 1.
    """

    sampler: Sampler
    minute: int
    seconds: float
    answer: str
    failure: Failure | None


class Sampler:
    """One target's fixed clock: the k-th sample is due at start + phase + k * interval.

    The phase differs between targets and stays the same over restarts and on every host, as it
    comes from the series. A slow sample delays no other; slots that passed while the
    host itself stood still are left out, not made up for.

    Args:
        tools: Loop and resolver.
        series: Metric and dimensions of the samples.
        check: How the target is asked.
        interval: Seconds between two samples.
        timeout: Seconds that one may take.
        record: Told each result.
    """

    def __init__(
        self,
        tools: Tools,
        series: Series,
        check: Check,
        interval: float,
        timeout: float,
        record: Callable[[Result], None],
    ) -> None:
        self.series = series
        self.check = check
        self.interval = interval
        self.timeout = timeout
        self.missed = 0
        self.well: bool | None = None
        self._tools = tools
        self._record = record
        self._running = True
        self._first = 0.0
        self._number = 0

    def start(self) -> None:
        """Begin the clock."""
        phase = zlib.crc32(repr(self.series).encode()) / 2**32 * self.interval
        self._first = self._tools.loop.clock() + phase
        self._tools.loop.at(self._first, self._due)

    def stop(self) -> None:
        """Take no more samples; one that is under way is still told."""
        self._running = False

    def _due(self) -> None:
        if not self._running:
            return
        loop = self._tools.loop
        late = int((loop.clock() - self._first) / self.interval) - self._number
        if late > 0:
            self.missed += late
            self._number += late
        self._number += 1
        loop.at(self._first + self._number * self.interval, self._due)
        self.take()

    def take(self) -> None:
        """Take one sample now."""
        sample = Attempt(self._tools)
        self._tools.loop.start(self.check.run(sample), self.timeout, partial(self._done, sample))

    def _done(self, sample: Attempt, answer: Any, error: Exception | None) -> None:
        seconds = self._tools.loop.clock() - sample.began
        failure = None
        if isinstance(error, Expired):
            failure = Failure(TIMEOUT, f"{sample.stage}: no answer within {self.timeout:g} s")
        elif error is not None:
            failure = of_error(error)
        self._record(Result(self, sample.minute, seconds, str(answer), failure))
