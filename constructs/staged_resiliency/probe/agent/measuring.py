"""What a running agent does: samples into minutes, minutes to the publisher."""

from __future__ import annotations

import zlib

from .attempt import Tools
from .config import Config
from .identity import Identity
from .journal import Journal
from .metric_statistics import MetricStatistics, Series
from .publisher import Publisher
from .sampler import Result, Sampler

HURRY_SECONDS = 1.0  # between two requests for changes of state
EARLY_SECONDS = 1.0  # by which a minute's turn may come too early and be that minute's
STEP_SECONDS = 2.0  # by which the clock may differ without a word
PEER, HEARTBEAT, DROPPED = "peer-connectivity", "probe-heartbeat", "probe-dropped"


class Measuring:
    """Takes the samples of all targets and publishes them: each minute, and on each change.

    Args:
        identity: This host.
        tools: Loop, resolver and wall clock.
        journal: Told each result.
        publisher: Given the data.
    """

    def __init__(
        self, identity: Identity, tools: Tools, journal: Journal, publisher: Publisher
    ) -> None:
        self._host = identity.host
        self._here = (("Host", identity.host),)
        self._tools = tools
        self._loop = tools.loop
        self._journal = journal
        self._publisher = publisher
        self._measurements = MetricStatistics()
        self._samplers: list[Sampler] = []
        self._hurrying = False
        self._hurried = float("-inf")
        self._clock_offset = self._offset()
        self._running = True

    def __len__(self) -> int:
        """How many targets there are."""
        return len(self._samplers)

    def start(self, config: Config) -> None:
        """Sample what a configuration says, and begin the minutes."""
        self.take(config)
        self._beat()
        self._next_minute()

    def take(self, config: Config) -> None:
        """Sample what a configuration says; a target that stays keeps its clock and its state."""
        asked = [(Series(metric, self._here), check) for metric, check in config.targets]
        if config.peers and self._host not in config.peers:
            told = f"this host, {self._host}, is none of the peers, and asks none of them"
            self._journal.warning(told)
        if self._host in config.peers:
            asked += [
                (Series(PEER, (("Host", peer), ("Observer", self._host))), check)
                for peer, check in config.peers.items()
                if peer != self._host
            ]
        pace = config.interval_seconds, config.timeout_seconds
        former = {(sampler.series, sampler.check): sampler for sampler in self._samplers}
        self._samplers = []
        for series, check in asked:
            there = former.get((series, check))
            if there is not None and (there.interval, there.timeout) == pace:
                self._samplers.append(former.pop((series, check)))
                continue
            sampler = Sampler(self._tools, series, check, *pace, self._record)
            sampler.well = there.well if there is not None else None
            sampler.start()
            self._samplers.append(sampler)
        for gone in former.values():
            gone.stop()

    def stop(self) -> None:
        """Take no more samples, and hand over what was measured."""
        self._running = False
        for sampler in self._samplers:
            sampler.stop()
        self._measure_dropped(ending=True)
        self._publish()

    def _record(self, result: Result) -> None:
        sampler, failure = result.sampler, result.failure
        well = failure is None
        changed, sampler.well = sampler.well is not well, well
        first_zero = self._measurements.add(sampler.series, result.minute, float(well))
        if failure is not None:
            metric, dimensions = sampler.series
            failures = Series(f"{metric}-failures", (*dimensions, ("Class", failure.kind)))
            self._measurements.add(failures, result.minute, 1.0)
        self._journal.result(result, changed=changed)
        if changed or first_zero:
            self._hurry()

    def _hurry(self) -> None:
        """Publish now, with whatever else changes in this turn of the loop."""
        if not self._hurrying:
            self._hurrying = True
            now = self._loop.clock()
            self._loop.at(max(now, self._hurried + HURRY_SECONDS), self._publish_change)

    def _publish_change(self) -> None:
        self._hurrying = False
        self._hurried = self._loop.clock()
        self._publish()

    def _publish(self) -> None:
        data = self._measurements.take()
        if data:
            self._publisher.put(data)

    def _next_minute(self) -> None:
        """A little after the minute's end, and not on all hosts at once."""
        after = 1 + zlib.crc32(self._host.encode()) % 10_000 / 1000
        wait = 60 - (self._tools.wall() - after) % 60
        if wait < EARLY_SECONDS:
            wait += 60
        self._loop.at(self._loop.clock() + wait, self._minute)

    def _minute(self) -> None:
        if self._running:
            self._watch_the_clock()
            self._beat()
            self._next_minute()

    def _beat(self) -> None:
        """The heartbeat of the minute that has begun, with all that was measured."""
        self._measurements.add(Series(HEARTBEAT, self._here), self._this_minute(), 1.0)
        self._measure_dropped()
        self._publish()

    def _measure_dropped(self, *, ending: bool = False) -> None:
        dropped = self._publisher.take_dropped(ending=ending)
        if dropped:
            self._journal.warning(f"{dropped} data were dropped")
            self._measurements.add(Series(DROPPED, self._here), self._this_minute(), float(dropped))

    def _this_minute(self) -> int:
        return int(self._tools.wall() // 60) * 60

    def _watch_the_clock(self) -> None:
        offset = self._offset()
        step = offset - self._clock_offset
        if abs(step) > STEP_SECONDS:
            way = "forward" if step > 0 else "back"
            self._journal.warning(f"the clock was set {way} by {abs(step):.0f} s")
        self._clock_offset = offset
        missed = sum(sampler.missed for sampler in self._samplers)
        if missed:
            self._journal.warning(f"the host stood still: {missed} samples were left out")
        for sampler in self._samplers:
            sampler.missed = 0

    def _offset(self) -> float:
        return self._tools.wall() - self._loop.clock()
