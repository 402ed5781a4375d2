"""Decides what is published next, and when; uses no threads, no network and no clock.

New data go first, since alarms wait for them; then the backlog in the spool, oldest first.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from typing import Callable

from .metric_statistics import Datum, merged
from .spool import Entry, Spool

# PutMetricData: 1,000 metrics and 1 MB a request (AmazonCloudWatch API reference).
MAX_DATA_PER_REQUEST = 1000
MAX_BYTES_PER_REQUEST = 900_000
# CloudWatch takes timestamps from two weeks back to two hours ahead.
OLDEST_SECONDS = 14 * 86_400 - 3_600
NEWEST_SECONDS = 2 * 3_600 - 60
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
REJECTED_PAUSE_SECONDS = 1.0
# Late data of a peer wait this long: an alarm of two periods of a minute looks back some five.
PEER_SECONDS = 15 * 60
# A host whose requests CloudWatch answers is not cut off; after this time it may be all the same.
ANSWERED_SECONDS = 2 * 60
HELD_BACK_PAUSE_SECONDS = 60.0


class Outbox:
    """Makes requests from data; the caller sends them, and reports how each ended.

    ``jitter`` returns a number from 0 to 1, by which pauses differ between hosts.
    """

    def __init__(
        self,
        spool: Spool,
        wall: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.spool = spool
        self.dropped = 0
        self._wall = wall
        self._jitter = jitter
        self._new: deque[Datum] = deque()
        self._sending: Sequence[Datum] = []
        self._entries: Sequence[Entry] = []  # that the request is made of; empty for new data
        self._too_old = 0  # data of the same entries that CloudWatch would reject for their age
        self._failures = 0
        self._failing_since = 0.0  # while there are failures
        self._doubtful_before = spool.next  # this host may have been cut off until that entry
        self._not_before = 0.0
        self._backlog_not_before = 0.0

    def put(self, data: Sequence[Datum]) -> None:
        """Add new data."""
        self._new.extend(data)

    def waiting(self) -> int:
        """Return how many data wait."""
        return len(self._new) + len(self._sending) + len(self.spool)

    def pause(self, now: float) -> float | None:
        """Return the seconds until the next request; None while no data wait."""
        if self._new:
            return max(0.0, self._not_before - now)
        if len(self.spool):
            return max(0.0, self._not_before - now, self._backlog_not_before - now)
        return None

    def request(self, now: float) -> Sequence[Datum]:
        """Return the data of the next request; empty when none is due now."""
        if self._sending:
            raise ValueError("the last request is still in progress")
        while not self._sending and self.pause(now) == 0.0:
            data: Sequence[Datum]
            if self._new:
                data = self._next_new()
            else:
                self._entries, data = self.spool.oldest(Room().add, self._is_held_back)
                if not self._entries and len(self.spool):
                    self._backlog_not_before = now + HELD_BACK_PAUSE_SECONDS
            self._sending = self._of_accepted_age(data)
            self._too_old = len(data) - len(self._sending)
            if not self._sending:
                self._end_request()
        return self._sending

    def accepted(self) -> None:
        """End the request, which CloudWatch accepted."""
        self._end_request()
        self._failures = 0
        self._not_before = 0.0

    def failed(self, now: float, *, answered: bool = False) -> float:
        """End the request, which failed and may work later; return the pause in seconds.

        All data go to the spool, which is bounded and outlives this process.
        ``answered`` means that CloudWatch answered, so that this host is not cut off.
        """
        self.spool_all()
        if not self._failures:
            self._failing_since = now
        if not answered or now - self._failing_since >= ANSWERED_SECONDS:
            self._doubtful_before = self.spool.next
        self._backlog_not_before = 0.0  # the data just spooled may not be held back
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 10))
        pause *= 0.5 + self._jitter() / 2
        self._failures += 1
        self._not_before = now + pause
        return pause

    def rejected(self, now: float) -> None:
        """Split a request that CloudWatch will never accept, or drop its only datum.

        The halves wait a little and are sent alone, while new data go first.
        """
        data = self._sending
        self._end_request()
        self._failures = 0
        self._backlog_not_before = now + REJECTED_PAUSE_SECONDS
        if len(data) == 1:
            self.dropped += 1
            return
        middle = len(data) // 2
        self.spool.append(data[:middle], alone=True)
        self.spool.append(data[middle:], alone=True)

    def spool_all(self) -> None:
        """Write all data to the spool, as none can be sent for now."""
        if self._entries:  # they are in the spool still
            self._sending, self._entries, self._too_old = [], [], 0
        data = merged([*self._sending, *self._new])
        self._end_request()
        for about_peers in (False, True):  # apart, since those of peers may be held back
            self._new = deque(datum for datum in data if is_of_peer(datum) is about_peers)
            while self._new:
                self.spool.append(self._next_new())
        self.spool.write_pending()

    def take_dropped(self) -> int:
        """Return the number of data dropped since the last call."""
        dropped = self.dropped + self.spool.dropped
        self.dropped = self.spool.dropped = 0
        return dropped

    def _next_new(self) -> list[Datum]:
        data: list[Datum] = []
        room = Room()
        while self._new and (room.add([self._new[0]]) or not data):
            data.append(self._new.popleft())
        return data

    def _of_accepted_age(self, data: Sequence[Datum]) -> list[Datum]:
        """Leave out data so old or so new that CloudWatch would reject the whole request."""
        now = self._wall()
        return [d for d in data if now - OLDEST_SECONDS <= d.minute <= now + NEWEST_SECONDS]

    def _is_held_back(self, entry: Entry, data: Sequence[Datum]) -> bool:
        """Return whether data must wait, as an alarm could take an old peer failure for a new one.

        While this host was cut off, it saw its peers fail. These zeros would raise the peers'
        alarms when they arrive late, so they wait until no alarm looks that far back. Data of the
        current minute do not wait, and neither do data that CloudWatch only throttled.
        """
        if entry.number >= self._doubtful_before:
            return False
        now = self._wall()
        past = range(int(now - PEER_SECONDS), int(now // 60 * 60))
        return any(datum.minute in past and is_of_peer(datum) for datum in data)

    def _end_request(self) -> None:
        """Remove the request's data from the spool, and count those that were too old."""
        self.spool.remove(self._entries)
        self.dropped += self._too_old
        self._sending, self._entries, self._too_old = [], [], 0


def is_of_peer(datum: Datum) -> bool:
    """Return whether a datum is about another host, as this one observed it."""
    return any(name == "Observer" for name, _ in datum.series.dimensions)


class Room:
    """The room left in one request, in the most verbose of CloudWatch's protocols."""

    def __init__(self) -> None:
        self._data = MAX_DATA_PER_REQUEST
        self._bytes = MAX_BYTES_PER_REQUEST

    def add(self, data: Sequence[Datum]) -> bool:
        """Add data, and return whether all that was added fits."""
        self._data -= len(data)
        self._bytes -= sum(map(_bytes, data))
        return self._data >= 0 and self._bytes >= 0


def _bytes(datum: Datum) -> int:
    """Return the most bytes a datum takes: each value is escaped, and its full path precedes it."""
    size = 400 + 3 * len(datum.series.metric) + 140 * len(datum.values)
    for name, value in datum.series.dimensions:
        size += 110 + 3 * (len(name) + len(value))
    return size
