"""The thread that sends what the outbox has."""

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
        """Send, or raise ``SendError``."""


class Publisher:
    """Sends from a thread of its own, so that a slow CloudWatch delays no sample.

    Args:
        outbox: What is sent, and when.
        transport: How.
        log: Told when publishing begins to fail, fails differently, and works again.
        clock: Monotonic seconds.
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
        self._trouble = ""
        self._trouble_since = 0.0
        self.busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Start the thread; it first sends what a former run left in the spool."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def put(self, data: Sequence[Datum]) -> None:
        """Take data to be sent now."""
        with self._changed:
            self._outbox.put(data)
            self._changed.notify()

    def take_dropped(self, *, ending: bool = False) -> int:
        """How many data were dropped since this was asked last.

        While publishing fails it is not told, unless the agent ends: the count would wait in the
        spool and could itself be dropped.
        """
        with self._changed:
            return 0 if self._trouble and not ending else self._outbox.take_dropped()

    def stop(self, seconds: float) -> None:
        """Send what there is if it works at once; keep what is not sent for the next run."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(seconds)
        with self._changed:
            self._outbox.put_away()
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
            trouble = self._exchange(data)
            with self._changed:
                self.busy_since = None
                self._settle(trouble)
                if trouble is not None and self._stopping:
                    return

    def _exchange(self, data: Sequence[Datum]) -> SendError | None:
        """Send data; what went wrong, if anything did."""
        try:
            self._transport.send(data)
        except SendError as error:
            return error
        except Exception as error:  # whatever a library raises fails this request, not the thread
            return SendError(type(error).__name__, str(error))
        return None

    def _settle(self, trouble: SendError | None) -> None:
        if trouble is None:
            self._outbox.accepted()
            if self._trouble:
                seconds = self._clock() - self._trouble_since
                left = self._outbox.kept()
                self._log(f"publishing works again after {seconds:.0f} s; {left} data still wait")
                self._trouble = ""
            return
        if trouble.never:
            self._outbox.rejected(self._clock())
        else:
            self._outbox.failed(self._clock(), answered=trouble.answered)
        if trouble.kind != self._trouble:
            if not self._trouble:
                self._trouble_since = self._clock()
            self._trouble = trouble.kind
            fate = "what CloudWatch refuses is dropped" if trouble.never else "data are kept"
            self._log(f"publishing fails, {fate}: {trouble}")
