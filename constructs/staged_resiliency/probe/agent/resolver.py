"""Looks up names as the host's programs do, without blocking the loop."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from typing import Any, Callable, cast

from .loop import Future, Loop, result_of

Addresses = list[tuple[int, str]]
"""Address family and address, in the order in which they are tried."""


class Resolver:
    """The system's own resolver (hosts file, search domains, caches), in threads.

    One lookup per name and family is in progress at most; all who ask meanwhile get its answer.
    So a resolver that hangs takes one thread per name, and delays no other name.
    """

    def __init__(self, loop: Loop, lookup: Callable[..., Any] = socket.getaddrinfo) -> None:
        self._loop = loop
        self._lookup = lookup
        self._futures: dict[tuple[str, int], Future] = {}
        self._queue: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._threads = 0

    async def addresses(self, name: str, family: int) -> Addresses:
        """Look up the addresses of a name; raises what ``getaddrinfo`` raises."""
        future = self._futures.get((name, family))
        if future is None:
            future = self._futures[name, family] = Future()
            self._queue.put((name, family))
        if len(self._futures) > self._threads:
            with contextlib.suppress(RuntimeError):  # no thread to be had; the next lookup retries
                threading.Thread(target=self._serve, name="resolver", daemon=True).start()
                self._threads += 1
        found = await result_of(future)
        if isinstance(found, Exception):
            raise found
        return cast(Addresses, found)

    def _serve(self) -> None:
        while True:
            name, family = self._queue.get()
            found: Addresses | Exception
            try:
                answers = self._lookup(name, None, family, socket.SOCK_STREAM)
                found = [(answer[0], answer[4][0]) for answer in answers]
            except (OSError, ValueError) as error:  # ValueError: a name that can't be encoded
                found = error
            self._loop.call_soon(self._resolve, name, family, found)

    def _resolve(self, name: str, family: int, found: Addresses | Exception) -> None:
        self._loop.resolve(self._futures.pop((name, family)), found)
