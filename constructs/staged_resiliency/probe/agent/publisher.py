"""The thread that sends the outbox's requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Callable, Protocol

from .cloudwatch import SendError
from .metric_statistics import Datum
from .outbox import Outbox


class Transport(Protocol):
    """Sends data in one request."""

    def send(self, data: Sequence[Datum]) -> None:
        """Send data; raises ``SendError``."""


class Publisher:
    """Sends from a separate thread, so that a slow CloudWatch delays no sample.

    Logs a line when publishing begins to fail, fails differently, and works again.
    """

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        log: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._transport = transport
        self._log = log
        self._clock = clock
        self._changed = threading.Condition()
        self._stopping = False
        self._ended = False
        self._error_kind = ""
        self._failing_since = 0.0
        self.busy_since: float | None = None  # when the request in progress began
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Start the thread, which first sends the data that the last run left in the spool."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Return whether the thread runs."""
        return self._thread.is_alive()

    def put(self, data: Sequence[Datum]) -> None:
        """Add data to be sent now."""
        with self._changed:
            self._outbox.put(data)
            self._changed.notify()

    def take_dropped(self, *, ending: bool = False) -> int:
        """Return the number of data dropped since the last call.

        While publishing fails, 0 is returned unless the agent ends: a count would itself be
        spooled, and might be dropped.
        """
        with self._changed:
            return 0 if self._error_kind and not ending else self._outbox.take_dropped()

    def stop(self, seconds: float) -> None:
        """Send all data within the time given; spool for the next run what is not sent."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(seconds)
        with self._changed:
            self._outbox.spool_all()
            self._ended = True

    def _run(self) -> None:
        while not self._ended:
            with self._changed:
                data = self._outbox.request(self._clock())
                if not data:
                    if self._stopping:
                        return
                    self._changed.wait(self._outbox.pause(self._clock()))
                    continue
                self.busy_since = self._clock()
            error = self._send(data)
            with self._changed:
                self.busy_since = None
                self._finish(error)
                if error is not None and self._stopping:
                    return

    def _send(self, data: Sequence[Datum]) -> SendError | None:
        try:
            self._transport.send(data)
        except SendError as error:
            return error
        except Exception as error:  # whatever a library raises fails this request, not the thread
            return SendError(type(error).__name__, str(error))
        return None

    def _finish(self, error: SendError | None) -> None:
        if error is None:
            self._outbox.accepted()
            if self._error_kind:
                seconds = self._clock() - self._failing_since
                waiting = self._outbox.waiting()
                self._log(f"publishing works again after {seconds:.0f} s; {waiting} data wait")
                self._error_kind = ""
            return
        if error.permanent:
            self._outbox.rejected(self._clock())
        else:
            self._outbox.failed(self._clock(), answered=error.answered)
        if error.kind != self._error_kind:
            if not self._error_kind:
                self._failing_since = self._clock()
            self._error_kind = error.kind
            fate = (
                "data that CloudWatch rejects are dropped" if error.permanent else "data are kept"
            )
            self._log(f"publishing fails, {fate}: {error}")
