"""The clock of a rehearsal: time that passes faster, equal in all its processes."""

import asyncio
import json
import selectors
import time
from dataclasses import asdict, dataclass
from typing import Final

_SPREAD_SECONDS: Final = 7200
"""Rehearsed time begins so long ago, so that it does not run far ahead of real time."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Converts the time of this machine into that of the rehearsed service, and back.

    Every process of a rehearsal has the same three numbers. CLOCK_MONOTONIC counts alike in all
    of them, and no step of the wall clock moves it.

    Attributes:
        scale: Seconds of the service that pass in one second here.
        monotonic: This machine's monotonic seconds at the beginning.
        wall: Its seconds since the epoch at the beginning.
        service: The service's seconds since the epoch at the beginning, a whole minute.
    """

    scale: float
    monotonic: float
    wall: float
    service: float

    @classmethod
    def starting(cls, scale: float) -> "Clock":
        """Create a clock that starts now."""
        wall = time.time()
        return cls(scale, time.monotonic(), wall, (wall - _SPREAD_SECONDS) // 60 * 60)

    @classmethod
    def from_json(cls, text: str) -> "Clock":
        """Decode a clock that another process encoded."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Encode the clock for another process."""
        return json.dumps(asdict(self))

    def now(self) -> float:
        """Return the simulated time, in seconds since the epoch."""
        return self.service + self._elapsed() * self.scale

    def stamp(self) -> float:
        """Return this machine's seconds since the epoch, the timestamp of observations."""
        return self.wall + self._elapsed()

    def real(self, seconds: float) -> float:
        """Convert simulated seconds into real seconds on this machine."""
        return seconds / self.scale

    async def until(self, moment: float) -> None:
        """Wait for a moment of simulated time."""
        await asyncio.sleep(max(0.0, self.real(moment - self.now())))

    def _elapsed(self) -> float:
        return time.monotonic() - self.monotonic


class ScaledSelector(selectors.DefaultSelector):
    """A selector whose timeouts are simulated seconds."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self._scale = scale

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Behave as in ``selectors``, with the timeout in simulated seconds."""
        return super().select(None if timeout is None else timeout / self._scale)
