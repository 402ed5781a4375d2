"""Time that passes faster, the same in all processes of a rehearsal."""

import asyncio
import json
import selectors
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

_SPREAD_SECONDS: Final = 7200
"""Rehearsed time begins so long ago, so that it does not run far ahead of the clock on the wall."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns the time of this machine into that of the rehearsed service, and back.

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
        """A clock that begins now."""
        wall = time.time()
        return cls(scale, time.monotonic(), wall, (wall - _SPREAD_SECONDS) // 60 * 60)

    @classmethod
    def from_json(cls, text: str) -> "Clock":
        """The clock that another process told."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """The clock, for another process."""
        return json.dumps(asdict(self))

    def now(self) -> float:
        """The service's seconds since the epoch."""
        return self.service + self._elapsed() * self.scale

    def stamp(self) -> float:
        """This machine's seconds since the epoch, which observations carry."""
        return self.wall + self._elapsed()

    def stamp_of(self, moment: float) -> float:
        """The stamp of a moment of the service."""
        return self.wall + (moment - self.service) / self.scale

    def real(self, seconds: float) -> float:
        """How long seconds of the service take here."""
        return seconds / self.scale

    async def until(self, moment: float) -> None:
        """Wait for a moment of the service."""
        await asyncio.sleep(max(0.0, self.real(moment - self.now())))

    def _elapsed(self) -> float:
        return time.monotonic() - self.monotonic


class ScaledSelector(selectors.BaseSelector):
    """A selector whose timeouts are seconds of the service.

    Args:
        scale: Seconds of the service that pass in one second here.
    """

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._selector = selectors.DefaultSelector()

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        """As ``selectors`` has it."""
        return self._selector.register(fileobj, events, data)

    def unregister(self, fileobj: "FileDescriptorLike") -> selectors.SelectorKey:
        """As ``selectors`` has it."""
        return self._selector.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As ``selectors`` has it, but for the unit of the timeout."""
        return self._selector.select(None if timeout is None else timeout / self._scale)

    def close(self) -> None:
        """As ``selectors`` has it."""
        self._selector.close()

    def get_map(self) -> "Mapping[FileDescriptorLike, selectors.SelectorKey]":
        """As ``selectors`` has it."""
        return self._selector.get_map()
