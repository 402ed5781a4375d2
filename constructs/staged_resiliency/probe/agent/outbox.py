"""What is published next, and when: a state machine without threads, network or clock.

Fresh data go first, since alarms wait for them; then the backlog, oldest first.
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
# So long late data of a peer wait: an alarm of two periods of a minute looks back over some five.
PEER_SECONDS = 15 * 60
# A host whose requests are answered is not cut off, even when they are refused; but not for ever.
ANSWERED_SECONDS = 2 * 60
HELD_PAUSE_SECONDS = 60.0


class Outbox:
    """Decides what is sent; somebody else sends it and tells how it went.

    Args:
        spool: Where data wait that could not be sent.
        wall: Seconds since 1970.
        chance: A number from 0 to 1, by which pauses differ between hosts.
    """

    def __init__(
        self,
        spool: Spool,
        wall: Callable[[], float],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.spool = spool
        self.dropped = 0
        self._wall = wall
        self._chance = chance
        self._fresh: deque[Datum] = deque()
        self._sending: Sequence[Datum] = []
        self._entries: Sequence[Entry] = []  # where they are from, unless they are fresh
        self._misdated = 0  # how many more were with them, which CloudWatch would refuse
        self._failures = 0
        self._failing_since = 0.0  # while there are failures
        self._doubtful_before = spool.next  # entries of a time when this host may have been cut off
        self._not_before = 0.0
        self._backlog_not_before = 0.0

    def put(self, data: Sequence[Datum]) -> None:
        """Take data that were just measured."""
        self._fresh.extend(data)

    def kept(self) -> int:
        """How many data wait."""
        return len(self._fresh) + len(self._sending) + len(self.spool)

    def pause(self, now: float) -> float | None:
        """Seconds until ``request`` has something; None while there is nothing."""
        if self._fresh:
            return max(0.0, self._not_before - now)
        if len(self.spool):
            return max(0.0, self._not_before - now, self._backlog_not_before - now)
        return None

    def request(self, now: float) -> Sequence[Datum]:
        """The data of the next request; empty when nothing is to be sent now."""
        if self._sending:
            raise ValueError("the former request is still under way")
        while not self._sending and self.pause(now) == 0.0:
            data: Sequence[Datum]
            if self._fresh:
                data = self._next_fresh()
            else:
                self._entries, data = self.spool.oldest(Room().takes, self._is_held)
                if not self._entries and len(self.spool):
                    self._backlog_not_before = now + HELD_PAUSE_SECONDS
            self._sending = self._of_accepted_age(data)
            self._misdated = len(data) - len(self._sending)
            if not self._sending:
                self._let_go()
        return self._sending

    def accepted(self) -> None:
        """The request was accepted."""
        self._let_go()
        self._failures = 0
        self._not_before = 0.0

    def failed(self, now: float, *, answered: bool = False) -> float:
        """The request failed and may work later; returns the pause in seconds.

        All that waits goes to the spool, which is bounded and outlives this process.

        Args:
            now: Monotonic seconds.
            answered: Whether CloudWatch itself refused it, so that this host is not cut off.
        """
        self.put_away()
        if not self._failures:
            self._failing_since = now
        if not answered or now - self._failing_since >= ANSWERED_SECONDS:
            self._doubtful_before = self.spool.next
        self._backlog_not_before = 0.0  # what was just put away may not be held back
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 10))
        pause *= 0.5 + self._chance() / 2
        self._failures += 1
        self._not_before = now + pause
        return pause

    def rejected(self, now: float) -> None:
        """The request will never be accepted: its halves may, and a datum alone is dropped.

        The halves wait a little and are sent by themselves, while fresh data go on.
        """
        data = self._sending
        self._let_go()
        self._failures = 0
        self._backlog_not_before = now + REJECTED_PAUSE_SECONDS
        if len(data) == 1:
            self.dropped += 1
            return
        middle = len(data) // 2
        self.spool.append(data[:middle], alone=True)
        self.spool.append(data[middle:], alone=True)

    def put_away(self) -> None:
        """Write everything to the spool: nobody will send any more for now."""
        if self._entries:  # what comes from the spool is still there
            self._sending, self._entries, self._misdated = [], [], 0
        data = merged([*self._sending, *self._fresh])
        self._let_go()
        for about_peers in (False, True):  # apart, since the latter may be held back
            self._fresh = deque(datum for datum in data if is_of_peer(datum) is about_peers)
            while self._fresh:
                self.spool.append(self._next_fresh())
        self.spool.settle()

    def take_dropped(self) -> int:
        """How many data were dropped since this was asked last."""
        dropped = self.dropped + self.spool.dropped
        self.dropped = self.spool.dropped = 0
        return dropped

    def _next_fresh(self) -> list[Datum]:
        data: list[Datum] = []
        room = Room()
        while self._fresh and (room.takes([self._fresh[0]]) or not data):
            data.append(self._fresh.popleft())
        return data

    def _of_accepted_age(self, data: Sequence[Datum]) -> list[Datum]:
        """Without what CloudWatch would refuse for its age, and all of the request with it."""
        now = self._wall()
        return [d for d in data if now - OLDEST_SECONDS <= d.minute <= now + NEWEST_SECONDS]

    def _is_held(self, entry: Entry, data: Sequence[Datum]) -> bool:
        """Whether old news of a peer would be taken for new.

        Zeros of a time in which this host itself was cut off would have the peer condemned
        when they arrive at last; so they wait until no alarm looks that far back. What is of
        the minute that still runs is news, and so is what CloudWatch only refused for a moment.
        """
        if entry.number >= self._doubtful_before:
            return False
        now = self._wall()
        past = range(int(now - PEER_SECONDS), int(now // 60 * 60))
        return any(datum.minute in past and is_of_peer(datum) for datum in data)

    def _let_go(self) -> None:
        """Forget what the request held, and count what was left out of it."""
        self.spool.remove(self._entries)
        self.dropped += self._misdated
        self._sending, self._entries, self._misdated = [], [], 0


def is_of_peer(datum: Datum) -> bool:
    """Whether a datum is of another host, as this one saw it."""
    return any(name == "Observer" for name, _ in datum.series.dimensions)


class Room:
    """What still fits into one request, in the wordiest of CloudWatch's protocols."""

    def __init__(self) -> None:
        self._data = MAX_DATA_PER_REQUEST
        self._bytes = MAX_BYTES_PER_REQUEST

    def takes(self, data: Sequence[Datum]) -> bool:
        """Add data; whether all that was added fits."""
        self._data -= len(data)
        self._bytes -= sum(map(_bytes, data))
        return self._data >= 0 and self._bytes >= 0


def _bytes(datum: Datum) -> int:
    """What a datum takes at most: each value has its whole path before it, and is escaped."""
    size = 400 + 3 * len(datum.series.metric)
    for name, value in datum.series.dimensions:
        size += 110 + 3 * (len(name) + len(value))
    return size
