"""Samples one target at fixed times."""

from __future__ import annotations

import zlib
from functools import partial
from typing import Any, Callable, NamedTuple

from .attempt import TIMEOUT, Attempt, Failure, Tools
from .checks import Check
from .loop import Expired
from .metric_statistics import Series


class Result(NamedTuple):
    """A sample's result."""

    sampler: Sampler
    minute: int  # in which the sample began: its start, in seconds since 1970
    seconds: float  # until the answer, or until the sample failed
    answer: str
    failure: Failure | None  # why the value is 0; None when it is 1
    certificate_days: int | None = None  # for which the target's certificate is still valid


class Sampler:
    """Takes the k-th sample of a target at start + phase + k * interval.

    The phase is a hash of the series: it differs between targets and stays the same over restarts.
    A slow sample delays no other. Samples that were due while the host was suspended are skipped.
    Interval and timeout are in seconds.
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
        self.skipped = 0
        self.passes: bool | None = None  # the last sample; None before the first
        self.passes_since = 0.0  # of the loop's clock, when that last changed
        self._tools = tools
        self._record = record
        self._running = True
        self._first = 0.0
        self._number = 0

    def start(self) -> None:
        """Schedule the first sample."""
        phase = zlib.crc32(repr(self.series).encode()) / 2**32 * self.interval
        self._first = self._tools.loop.clock() + phase
        self._tools.loop.call_at(self._first, self._due)

    def stop(self) -> None:
        """Take no more samples; one in progress is still recorded."""
        self._running = False

    def _due(self) -> None:
        if not self._running:
            return
        loop = self._tools.loop
        late = int((loop.clock() - self._first) / self.interval) - self._number
        if late > 0:
            self.skipped += late
            self._number += late
        self._number += 1
        loop.call_at(self._first + self._number * self.interval, self._due)
        self.take()

    def take(self) -> None:
        """Take one sample now."""
        attempt = Attempt(self._tools)
        done = partial(self._done, attempt)
        self._tools.loop.start(self.check.run(attempt), self.timeout, done)

    def _done(self, attempt: Attempt, answer: Any, error: Exception | None) -> None:
        seconds = (attempt.answered or self._tools.loop.clock()) - attempt.began
        failure = None
        if isinstance(error, Expired):
            failure = Failure(TIMEOUT, f"{attempt.stage}: no answer within {self.timeout:g} s")
        elif error is not None:
            failure = Failure.from_error(error)
        days = attempt.certificate_days
        self._record(Result(self, attempt.minute, seconds, str(answer), failure, days))
