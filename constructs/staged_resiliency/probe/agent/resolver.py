"""Looks names up as the host's programs do, without waiting for any of them."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from typing import Any, Callable, cast

from .loop import Loop, Promise, kept

Addresses = list[tuple[int, str]]
"""Address family and address, in the order in which they are tried."""


class Resolver:
    """The system's own resolver (hosts file, search domains, caches), in threads.

    One lookup per name and family is under way at most; whoever asks meanwhile gets its answer.
    So a resolver that hangs holds one thread per name, and delays no other name.

    Args:
        loop: Where answers are told.
        lookup: Stands for ``socket.getaddrinfo``.
    """

    def __init__(self, loop: Loop, lookup: Callable[..., Any] = socket.getaddrinfo) -> None:
        self._loop = loop
        self._lookup = lookup
        self._promises: dict[tuple[str, int], Promise] = {}
        self._work: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._threads = 0

    async def addresses(self, name: str, family: int) -> Addresses:
        """The addresses of a name; raises what ``getaddrinfo`` raises."""
        promise = self._promises.get((name, family))
        if promise is None:
            promise = self._promises[name, family] = Promise()
            self._work.put((name, family))
        if len(self._promises) > self._threads:
            with contextlib.suppress(RuntimeError):  # no thread can be had now; the next asks again
                threading.Thread(target=self._serve, name="resolver", daemon=True).start()
                self._threads += 1
        found = await kept(promise)
        if isinstance(found, Exception):
            raise found
        return cast(Addresses, found)

    def _serve(self) -> None:
        while True:
            name, family = self._work.get()
            found: Addresses | Exception
            try:
                answers = self._lookup(name, None, family, socket.SOCK_STREAM)
                found = [(answer[0], answer[4][0]) for answer in answers]
            except (OSError, ValueError) as error:  # ValueError: a name that can't be encoded
                found = error
            self._loop.soon(self._tell, name, family, found)

    def _tell(self, name: str, family: int, found: Addresses | Exception) -> None:
        self._loop.keep(self._promises.pop((name, family)), found)
