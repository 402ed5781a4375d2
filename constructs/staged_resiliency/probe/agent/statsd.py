"""Metrics of the application, which sends them by StatsD to this host's loopback addresses.

The protocol is that of https://github.com/statsd/statsd/blob/master/docs/metric_types.md, with the
tags and packed values of DogStatsD.
"""

from __future__ import annotations

import contextlib
import errno
import math
import re
import socket
import struct
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Callable

from .config import DROPPED_LINES_METRIC, Statsd
from .journal import Journal, printable
from .loop import Loop
from .metric_statistics import MAX_VALUES, Datum, Dimensions, Series

ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
TURN_BYTES = 65_536  # received before the loop does anything else
MAX_DATAGRAM_BYTES = 65_536
MAX_MEMBERS = 100_000  # of all sets in a minute
MAX_NUMBER = 1e18  # CloudWatch takes sums up to 2 ** 360
MAX_IGNORED_NAMES = 100  # in the journal
IDLE_SECONDS = 3600  # CloudWatch charges for a metric by the hour
FIRST_WIDTH = 0.1  # of the logarithms of values that count as one
_SO_MEMINFO, _DROPPED = 55, 8  # of Linux: what a socket uses and has dropped
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)
_NAME = re.compile(r"[!-9;-{}~]{1,255}")

MALFORMED, LIMIT, OVERFLOW = "malformed", "limit", "overflow"
_WHY = {
    MALFORMED: "that are malformed",
    LIMIT: "beyond max_metrics, or of a set with too many members",
    OVERFLOW: "or more, which came faster than they could be received",
}


class Values:
    """The values of a minute with their counts, of a timer, histogram or distribution.

    When more than ``MAX_VALUES`` differ, similar ones count as one: within 5 % as long as they span
    less than six powers of ten.
    """

    minute = 0  # in which it was last sent

    def __init__(self, most_members: int) -> None:
        self._most = most_members  # of a set
        self._counts: dict[float, float] = {}
        self._width = 0.0

    def add(self, text: str, number: float, rate: float) -> bool:
        """Add what was sent, sampled at a rate; return whether there is room for it."""
        self._count(number, 1 / rate)
        return True

    def take(self) -> Mapping[float, float]:
        """Return the minute's values with their counts, and begin another minute."""
        counts, self._counts, self._width = self._counts, {}, 0.0
        return counts

    def _count(self, value: float, count: float) -> None:
        value = self._rounded(value)
        self._counts[value] = self._counts.get(value, 0.0) + count
        while len(self._counts) > MAX_VALUES:
            self._width = 2 * self._width or FIRST_WIDTH
            former, self._counts = self._counts, {}
            for each, its_count in former.items():
                rounded = self._rounded(each)
                self._counts[rounded] = self._counts.get(rounded, 0.0) + its_count

    def _rounded(self, value: float) -> float:
        if not self._width or not value:
            return value
        width = self._width
        return math.copysign(math.exp(round(math.log(abs(value)) / width) * width), value)


class Gauge(Values):
    """A value that stays until another is sent, or a change with a sign."""

    _value = 0.0

    def add(self, text: str, number: float, rate: float) -> bool:
        """Set or change the value."""
        self._value = self._value + number if text[0] in "+-" else number
        self._count(self._value, 1.0)
        return True


class Counter(Values):
    """The sum of a minute."""

    _sum: float | None = None

    def add(self, text: str, number: float, rate: float) -> bool:
        """Add to the sum."""
        self._sum = (self._sum or 0.0) + number / rate
        return True

    def take(self) -> Mapping[float, float]:
        """Return the sum, and begin another minute."""
        found, self._sum = self._sum, None
        return {} if found is None else {found: 1.0}


class Members(Values):
    """Counts the different texts that were sent for a set in a minute."""

    def __init__(self, most_members: int) -> None:
        super().__init__(most_members)
        self._members: set[int] = set()

    def add(self, text: str, number: float, rate: float) -> bool:
        """Add a member."""
        member = hash(text)
        if len(self._members) >= self._most and member not in self._members:
            return False
        self._members.add(member)
        return True

    def take(self) -> Mapping[float, float]:
        """Return the number of members, and begin another minute."""
        members, self._members = self._members, set()
        return {float(len(members)): 1.0} if members else {}


_KINDS = {"c": Counter, "g": Gauge, "ms": Values, "h": Values, "d": Values, "s": Members}


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    number = float(text)
    if abs(number) > MAX_NUMBER:
        raise ValueError(text)
    return number if abs(number) > 1 / MAX_NUMBER else 0.0


class Aggregation:
    """The application's metrics of the current minute, and of minutes not yet published.

    Memory is bounded: by ``max_metrics``, ``MAX_VALUES`` of each and ``MAX_MEMBERS`` of all sets.
    """

    def __init__(
        self, settings: Statsd, host: Dimensions, wall: Callable[[], float], journal: Journal
    ) -> None:
        self._settings = settings
        self._host = host
        self._wall = wall
        self._journal = journal
        self._names = frozenset(settings.metrics)
        self._beginnings = tuple(each[:-1] for each in settings.metrics if each.endswith("*"))
        self._minute = 0
        self._metrics: dict[Series, Values] = {}
        self._finished: list[Datum] = []
        self._dropped: dict[str, tuple[int, str]] = {}
        self._ignored: set[str] = set()

    def receive(self, datagram: bytes) -> None:
        """Add the metrics of a datagram, one in each line."""
        self._begin(int(self._wall() // 60) * 60)
        for line in datagram.decode("utf-8", "replace").split("\n"):
            line = line.rstrip("\r")
            if line:
                try:
                    self._add(line)
                except ValueError:
                    self.drop(MALFORMED, 1, line)

    def drop(self, why: str, count: int, example: str = "") -> None:
        """Count lines that are not published."""
        former, first = self._dropped.get(why, (0, example))
        self._dropped[why] = former + count, first

    def take(self, *, ending: bool = False) -> list[Datum]:
        """Remove and return the data of past minutes; with ``ending`` of the current one, too."""
        now = int(self._wall() // 60) * 60
        self._begin(0 if ending else now)
        for why, (count, example) in self._dropped.items():
            shown = f", such as {printable(example, 100)}" if example else ""
            self._journal.warning(f"statsd: dropped {count} lines {_WHY[why]}{shown}")
            series = Series(DROPPED_LINES_METRIC, (*self._host, ("Class", why)))
            total = float(count)
            self._finished.append(Datum(series, now, 1, total, total, total))
        self._dropped.clear()
        finished, self._finished = self._finished, []
        return finished

    def _begin(self, minute: int) -> None:
        if minute == self._minute:
            return
        for series, metric in self._metrics.items():
            taken = metric.take()
            if taken:
                total = sum(value * count for value, count in taken.items())
                statistics = (int(sum(taken.values())), total, min(taken), max(taken))
                pairs = tuple(taken.items())
                self._finished.append(Datum(series, self._minute, *statistics, pairs))
        self._minute = minute

    def _add(self, line: str) -> None:
        """Add a line, such as ``orders.placed:1|c|@0.5|#shop:books``; ValueError if malformed."""
        name, _, rest = line.partition(":")
        packed, letters, *fields = rest.split("|")
        kind = _KINDS.get(letters)
        if not _NAME.fullmatch(name) or kind is None or not packed:
            raise ValueError(line)
        texts = [packed] if kind is Members else packed.split(":")
        numbers = [0.0 if kind is Members else _number(text) for text in texts]
        rate, tags = 1.0, ""
        for field in fields:
            if field.startswith("@"):
                rate = _number(field[1:])
            elif field.startswith("#"):
                tags = field[1:]
            elif not field[:1].isalpha():  # DogStatsD's other fields begin with a letter
                raise ValueError(line)
        if not 1e-6 <= rate <= 1:
            raise ValueError(line)
        if name not in self._names and not name.startswith(self._beginnings):
            self._ignore(name)
            return
        metric = self._metric(Series(name, (*self._host, *self._dimensions(tags))), kind)
        if metric is None:
            self.drop(LIMIT, 1, line)
            return
        if type(metric) is not kind:
            raise ValueError(line)
        metric.minute = self._minute
        for text, number in zip(texts, numbers):
            if not metric.add(text, number, rate):
                self.drop(LIMIT, 1, line)

    def _dimensions(self, tags: str) -> Iterable[tuple[str, str]]:
        """Yield the tags that are dimensions, in the order of the settings."""
        if not tags or not self._settings.tags:
            return
        given: dict[str, str] = {}
        for tag in tags.split(","):
            key, _, value = tag.partition(":")
            value = printable(value, 255).strip(" :")
            if value:
                given.setdefault(key, value)
        for key in self._settings.tags:
            if key in given:
                yield key, given[key]

    def _metric(self, series: Series, kind: type[Values]) -> Values | None:
        """Return the metric of a series; None if there are as many as allowed.

        One that was not sent for an hour gives up its place.
        """
        found = self._metrics.get(series)
        if found is None:
            if len(self._metrics) >= self._settings.max_metrics:
                oldest = min(self._metrics, key=lambda each: self._metrics[each].minute)
                if self._minute - self._metrics[oldest].minute < IDLE_SECONDS:
                    return None
                del self._metrics[oldest]
            most_members = MAX_MEMBERS // self._settings.max_metrics
            found = self._metrics[series] = kind(most_members)
        return found

    def _ignore(self, name: str) -> None:
        if name not in self._ignored and len(self._ignored) < MAX_IGNORED_NAMES:
            self._ignored.add(name)
            self._journal.info(f"statsd: {name} is ignored, as no pattern allows it")


class Receiver:
    """Receives StatsD on the loopback addresses, and retries while the port is in use."""

    def __init__(
        self, settings: Statsd, aggregation: Aggregation, loop: Loop, journal: Journal
    ) -> None:
        self.settings = settings
        self._aggregation = aggregation
        self._loop = loop
        self._journal = journal
        self._sockets: dict[str, socket.socket] = {}
        self._overflows: dict[str, int] = {}
        self._problem = ""

    def open(self) -> None:
        """Listen on each address on which this agent does not listen yet."""
        problem = ""
        for family, address in ADDRESSES:
            if address in self._sockets:
                continue
            try:
                sock = socket.socket(family, socket.SOCK_DGRAM)
            except OSError:  # a host without IPv6
                continue
            try:
                sock.setblocking(False)
                sock.bind((address, self.settings.port))
            except OSError as error:
                sock.close()
                if family == socket.AF_INET or error.errno != errno.EADDRNOTAVAIL:
                    problem = f"{address}:{self.settings.port}: {error.strerror}"
                continue
            self._sockets[address] = sock
            self._loop.watch(sock, partial(self._receive, sock))
            self._journal.info(f"statsd: listening on {address}:{self.settings.port}")
        if problem != self._problem:
            self._problem = problem
            if problem:
                self._journal.warning(f"statsd: can't listen on {problem}; trying each minute")

    def take(self, *, ending: bool = False) -> list[Datum]:
        """Return the metrics to publish; with ``ending`` all of them, and stop listening."""
        for address, sock in self._sockets.items():
            with contextlib.suppress(OSError, struct.error):
                used = struct.unpack("9I", sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36))
                lost = used[_DROPPED] - self._overflows.get(address, 0)
                self._overflows[address] = used[_DROPPED]
                if lost > 0:
                    self._aggregation.drop(OVERFLOW, lost)
        if ending:
            for sock in self._sockets.values():
                self._receive(sock)
                self._loop.unwatch(sock)
                sock.close()
            self._sockets.clear()
        else:
            self.open()
        return self._aggregation.take(ending=ending)

    def _receive(self, sock: socket.socket) -> None:
        received = 0
        with contextlib.suppress(OSError):  # no more for now
            while received < TURN_BYTES:
                datagram = sock.recv(MAX_DATAGRAM_BYTES)
                received += len(datagram) + 1
                self._aggregation.receive(datagram)
