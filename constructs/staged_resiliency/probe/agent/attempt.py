"""One attempt at one target."""

from __future__ import annotations

import ssl
import time
from typing import Callable

from .loop import Loop
from .resolver import Resolver

TLS_SECONDS = 3600.0


class Tools:
    """What checks work with; tests give others.

    Args:
        loop: The loop that runs the samples.
        resolver: Looks names up.
        wall: Seconds since 1970.
        tls: Makes the context of TLS connections; the system's trusted authorities unless given.
    """

    def __init__(
        self,
        loop: Loop,
        resolver: Resolver | None = None,
        wall: Callable[[], float] = time.time,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self.loop = loop
        self.resolver = resolver or Resolver(loop)
        self.wall = wall
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._tls_made = 0.0

    @property
    def tls(self) -> ssl.SSLContext:
        """One context for all connections, since reading the authorities takes 20 ms.

        They are read again each hour: the host's may change.
        """
        now = self.loop.clock()
        if self._tls is None or now - self._tls_made > TLS_SECONDS:
            self._tls, self._tls_made = self._make_tls(), now
        return self._tls


class Attempt:
    """One attempt: when it began, and how far it got.

    Attributes:
        tools: What it works with.
        began: Seconds of the loop's clock.
        minute: Start of the minute in which it began, in seconds since 1970.
        stage: What is being waited for, for the journal.
    """

    __slots__ = ("began", "minute", "stage", "tools")

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.began = tools.loop.clock()
        self.minute = int(tools.wall() // 60) * 60
        self.stage = ""
