"""One thread that runs many samples at once, each within its deadline.

A loop of its own because asyncio costs more than twice as much for each connection (some 210
microseconds against 90), and the clock and the selector can be given, so that tests run days in
a moment.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import socket
import time
import types
from collections import deque
from collections.abc import Coroutine, Generator
from typing import Any, Callable, Optional

LATE_SECONDS, LATE_ROUNDS = 0.1, 10

Done = Callable[[Any, Optional[Exception]], None]


class Expired(Exception):  # noqa: N818 - an outcome, not an error of this program
    """The deadline of a task has passed; thrown into it where it waits."""


class Task:
    """A coroutine that the loop runs, and what it waits for."""

    __slots__ = ("coroutine", "done", "ended", "patience", "promise", "socket")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], done: Done) -> None:
        self.coroutine = coroutine
        self.done = done
        self.ended = False
        self.socket: socket.socket | None = None
        self.promise: Promise | None = None
        self.patience = 0  # numbers the waits, so that a timer of a former one means nothing


class Promise:
    """A value that comes later, from another thread; tasks wait for it."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: dict[Task, None] = {}


@types.coroutine
def readable(sock: socket.socket, seconds: float | None = None) -> Generator[Any, Any, bool]:
    """Wait until a socket can be read; False when that took longer than ``seconds``."""
    ready: bool = yield sock, selectors.EVENT_READ, seconds
    return ready


@types.coroutine
def writable(sock: socket.socket) -> Generator[Any, Any, bool]:
    """Wait until a socket can be written, or its connection stands."""
    ready: bool = yield sock, selectors.EVENT_WRITE, None
    return ready


@types.coroutine
def kept(promise: Promise) -> Generator[Any, Any, Any]:
    """Wait for a promise and return its value."""
    return (yield promise)


class Loop:
    """Timers, sockets and messages of other threads, in one thread.

    Args:
        clock: Monotonic seconds.
        selector: Where sockets are waited for.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        selector: selectors.BaseSelector | None = None,
    ) -> None:
        self.clock = clock
        self._selector = selector or selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()
        self._messages: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ, None)
        self._running = True

    @property
    def bell(self) -> int:
        """A file number to which anything is written to wake the loop."""
        return self._bell.fileno()

    def at(self, when: float, callback: Callable[..., None], *args: Any) -> None:
        """Call back at a time of the clock."""
        heapq.heappush(self._timers, (when, next(self._numbers), callback, args))

    def soon(self, callback: Callable[..., None], *args: Any) -> None:
        """Call back in the loop's thread; for other threads and signal handlers."""
        self._messages.append((callback, args))
        with contextlib.suppress(OSError):  # full: the loop will wake up anyway
            self._bell.send(b"!")

    def start(self, coroutine: Coroutine[Any, Any, Any], seconds: float, done: Done) -> None:
        """Run a coroutine for at most ``seconds``, then tell its value or its exception."""
        task = Task(coroutine, done)
        self.at(self.clock() + seconds, self._expire, task)
        self._step(task, None)

    def keep(self, promise: Promise, value: Any) -> None:
        """Give a promise its value; in the loop's thread."""
        waiting, promise.waiting = promise.waiting, {}
        for task in waiting:
            self._step(task, value)

    def run(self) -> None:
        """Run until ``stop``."""
        while self._running:
            self.turn()

    def stop(self) -> None:
        """End ``run`` after this turn."""
        self._running = False

    def turn(self) -> None:
        """Do what is due, then wait for what comes next and do that."""
        timers = self._timers
        if timers and timers[0][0] < self.clock() - LATE_SECONDS:
            for _ in range(LATE_ROUNDS):  # what came while nothing turned counts before deadlines
                if not self._listen(0):
                    break
        while timers and timers[0][0] <= self.clock():
            _, _, callback, args = heapq.heappop(timers)
            callback(*args)
        while timers and timers[0][2] == self._expire and timers[0][3][0].ended:
            heapq.heappop(timers)  # no waking up for samples that are long over
        wait = max(0.0, timers[0][0] - self.clock()) if timers else None
        if self._messages or not self._running:
            wait = 0
        self._listen(wait)

    def _listen(self, wait: float | None) -> bool:
        """Take what sockets and other threads say; whether there was anything."""
        ready = self._selector.select(wait)
        for key, _ in ready:
            if key.data is None:
                self._hear()
            elif key.data.socket is key.fileobj:
                self._step(key.data, True)
        while self._messages:
            callback, args = self._messages.popleft()
            callback(*args)
        return bool(ready)

    def close(self) -> None:
        """Give the loop's own sockets back."""
        self._selector.close()
        self._bell.close()
        self._ear.close()

    def _hear(self) -> None:
        try:
            while self._ear.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _expire(self, task: Task) -> None:
        if not task.ended:
            self._step(task, None, Expired())

    def _lose_patience(self, task: Task, patience: int) -> None:
        if not task.ended and task.socket is not None and task.patience == patience:
            self._step(task, False)

    def _step(self, task: Task, value: Any, error: Exception | None = None) -> None:
        """Let a task go on until it waits again or ends."""
        if task.socket is not None:
            self._selector.unregister(task.socket)
            task.socket = None
        elif task.promise is not None:  # one that is never kept holds nobody
            task.promise.waiting.pop(task, None)
            task.promise = None
        try:
            if error is not None:
                awaited = task.coroutine.throw(error)
            else:
                awaited = task.coroutine.send(value)
            self._wait(task, awaited)
        except StopIteration as stop:
            task.ended = True
            task.done(stop.value, None)
        except Exception as raised:  # whatever a check raises ends this sample, not the agent
            task.ended = True
            task.coroutine.close()
            task.done(None, raised)

    def _wait(self, task: Task, awaited: Any) -> None:
        if type(awaited) is tuple:
            sock, events, seconds = awaited
            self._selector.register(sock, events, task)
            task.socket = sock
            if seconds is not None:
                task.patience += 1
                self.at(self.clock() + seconds, self._lose_patience, task, task.patience)
        else:
            task.promise = awaited
            awaited.waiting[task] = None
