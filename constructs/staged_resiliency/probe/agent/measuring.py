"""Samples all targets, and hands the statistics of each minute to the publisher."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .attempt import Tools
from .config import DROPPED_METRIC, HEARTBEAT_METRIC, PEER_METRIC, Config, Target
from .identity import Identity
from .journal import Journal
from .metric_statistics import Datum, MetricStatistics, Series
from .publisher import Publisher
from .sampler import Result, Sampler

if TYPE_CHECKING:
    from .statsd import Receiver

CHANGE_PAUSE_SECONDS = 1.0  # between two requests for changes of state
# After this time without a success, zeros go with the minute's request: no alarm waits for them.
STEADY_SECONDS = 300.0
EARLY_SECONDS = 1.0  # a timer may fire this early and still be the minute's
CLOCK_STEP_SECONDS = 2.0  # smaller steps of the wall clock are not reported


class Measuring:
    """Samples all targets, and publishes each minute and on each change of state."""

    def __init__(
        self, identity: Identity, tools: Tools, journal: Journal, publisher: Publisher
    ) -> None:
        self._host = identity.host
        self._own_dimensions = (("Host", identity.host),)
        self._tools = tools
        self._loop = tools.loop
        self._journal = journal
        self._publisher = publisher
        self._statistics = MetricStatistics()
        self._samplers: list[Sampler] = []
        self._targets: dict[Series, Target] = {}
        self._statsd: Receiver | None = None
        self._change_is_due = False
        self._changes_published = float("-inf")
        self._clock_offset = self._offset()
        self._running = True

    def __len__(self) -> int:
        return len(self._samplers)

    def start(self, config: Config) -> None:
        """Begin to sample and publish."""
        self.apply(config)
        self._publish_minute()
        self._schedule_minute()

    def apply(self, config: Config) -> None:
        """Sample a configuration's targets; those that are unchanged keep schedule and state."""
        wanted = {Series(each.metric, self._own_dimensions): each for each in config.targets}
        if config.peers and self._host not in config.peers:
            self._journal.warning(f"this host, {self._host}, is not a peer, and checks no peers")
        if self._host in config.peers:
            for peer, check in config.peers.items():
                if peer != self._host:
                    series = Series(PEER_METRIC, (("Host", peer), ("Observer", self._host)))
                    wanted[series] = Target(PEER_METRIC, check)
        self._targets = wanted
        former = {(sampler.series, sampler.check): sampler for sampler in self._samplers}
        self._samplers = []
        for series, target in wanted.items():
            pace, check = config.pace_of(target), target.check
            same = former.get((series, check))
            if same is not None and (same.interval, same.timeout) == pace:
                self._samplers.append(former.pop((series, check)))
                continue
            sampler = Sampler(self._tools, series, check, *pace, self._record)
            if same is not None:
                sampler.passes, sampler.passes_since = same.passes, same.passes_since
            sampler.start()
            self._samplers.append(sampler)
        for sampler in former.values():
            sampler.stop()
        if config.statsd != (self._statsd and self._statsd.settings):
            self._publish(self._take_statsd(ending=True))
            self._statsd = None
            if config.statsd is not None:
                from .statsd import Aggregation, Receiver  # only where it is asked for

                given = (config.statsd, self._own_dimensions, self._tools.wall, self._journal)
                aggregation = Aggregation(*given)
                self._statsd = Receiver(config.statsd, aggregation, self._loop, self._journal)
                self._statsd.open()

    def stop(self) -> None:
        """Take no more samples, and publish those taken."""
        self._running = False
        for sampler in self._samplers:
            sampler.stop()
        self._count_dropped(ending=True)
        self._publish(self._take_statsd(ending=True))

    def _record(self, result: Result) -> None:
        sampler, failure = result.sampler, result.failure
        passes = failure is None
        changed, sampler.passes = sampler.passes is not passes, passes
        now = self._loop.clock()
        if changed:
            sampler.passes_since = now
        is_steady = now - sampler.passes_since >= STEADY_SECONDS
        first_zero = self._statistics.add(sampler.series, result.minute, float(passes))
        if failure is not None:
            metric, dimensions = sampler.series
            failures = Series(f"{metric}-failures", (*dimensions, ("Class", failure.kind)))
            self._statistics.add(failures, result.minute, 1.0)
        self._add_measures(result)
        self._journal.result(result, changed=changed)
        if changed or (first_zero and not is_steady):
            self._publish_soon()

    def _add_measures(self, result: Result) -> None:
        """Add the latency and the certificate's days, where the target asks for them."""
        target = self._targets.get(result.sampler.series)
        if target is None:  # it was removed during the sample
            return
        if target.latency and result.failure is None:
            milliseconds = round(result.seconds * 1000, 1)
            series = Series(f"{_short(target)}-latency", self._own_dimensions)
            if target.latency == "values":
                self._statistics.add_single(series, result.minute, milliseconds)
            else:
                self._statistics.add(series, result.minute, milliseconds)
        if target.certificate and result.certificate_days is not None:
            series = Series(f"{_short(target)}-certificate-days", self._own_dimensions)
            self._statistics.add(series, result.minute, float(result.certificate_days))

    def _publish_soon(self) -> None:
        """Publish in the loop's next iteration, together with all changes until then."""
        if not self._change_is_due:
            self._change_is_due = True
            earliest = self._changes_published + CHANGE_PAUSE_SECONDS
            self._loop.call_at(max(self._loop.clock(), earliest), self._publish_changes)

    def _publish_changes(self) -> None:
        self._change_is_due = False
        self._changes_published = self._loop.clock()
        self._publish()

    def _publish(self, more: Sequence[Datum] = ()) -> None:
        data = [*self._statistics.take(), *more]
        if data:
            self._publisher.put(data)

    def _take_statsd(self, *, ending: bool = False) -> Sequence[Datum]:
        return self._statsd.take(ending=ending) if self._statsd is not None else ()

    def _schedule_minute(self) -> None:
        """Schedule a little after the minute's end, at another second on each host."""
        after = 1 + zlib.crc32(self._host.encode()) % 10_000 / 1000
        wait = 60 - (self._tools.wall() - after) % 60
        if wait < EARLY_SECONDS:
            wait += 60
        self._loop.call_at(self._loop.clock() + wait, self._minute)

    def _minute(self) -> None:
        if self._running:
            self._report_disturbances()
            self._publish_minute()
            self._schedule_minute()

    def _publish_minute(self) -> None:
        """Publish the heartbeat of the minute that has begun, with all samples taken."""
        self._statistics.add(
            Series(HEARTBEAT_METRIC, self._own_dimensions), self._this_minute(), 1.0
        )
        self._count_dropped()
        self._publish(self._take_statsd())

    def _count_dropped(self, *, ending: bool = False) -> None:
        dropped = self._publisher.take_dropped(ending=ending)
        if dropped:
            self._journal.warning(f"{dropped} data were dropped")
            self._statistics.add(
                Series(DROPPED_METRIC, self._own_dimensions), self._this_minute(), float(dropped)
            )

    def _this_minute(self) -> int:
        return int(self._tools.wall() // 60) * 60

    def _report_disturbances(self) -> None:
        """Write to the journal that the clock was set, or that samples were skipped."""
        offset = self._offset()
        step = offset - self._clock_offset
        if abs(step) > CLOCK_STEP_SECONDS:
            direction = "forward" if step > 0 else "back"
            self._journal.warning(f"the clock was set {direction} by {abs(step):.0f} s")
        self._clock_offset = offset
        skipped = sum(sampler.skipped for sampler in self._samplers)
        if skipped:
            self._journal.warning(f"the host was suspended: {skipped} samples were skipped")
        for sampler in self._samplers:
            sampler.skipped = 0

    def _offset(self) -> float:
        return self._tools.wall() - self._loop.clock()


def _short(target: Target) -> str:
    """Return the name of a target, whose metric is ``<name>-connectivity``."""
    suffix = "-connectivity"
    name = target.metric
    return name[: -len(suffix)] if name.endswith(suffix) else name
