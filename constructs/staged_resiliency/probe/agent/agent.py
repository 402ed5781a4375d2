"""The agent as a systemd service: identity, reload, restart, shutdown and watchdog."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .attempt import Tools
from .cloudwatch import CloudWatch
from .config import Config, ConfigError, load
from .identity import Identity, IdentityError, identify, save_identity, saved_identity
from .journal import Journal
from .measuring import Measuring
from .metadata import Metadata
from .outbox import Outbox
from .publisher import Publisher, Transport
from .spool import Spool
from .systemd import ServiceManager

FLUSH_SECONDS = 4.0  # of the 5 in which the agent ends
STUCK_SECONDS = 120.0  # a publisher that takes longer over one request is stuck
RETENTION_MINUTES = 120
MIN_RETAINED = 10_000
RETRY_SECONDS = (1, 2, 5, 10, 30)
WAITING = "waiting:"  # begins the status until the agent samples; the installation reads it
REMEMBERED_SECONDS = 300.0  # the last known name may have changed
IDENTITY_SECONDS = 3600.0  # the Name tag may change while the agent runs


class Agent:
    """The running agent, until ``end`` or a restart with another configuration or identity.

    ``state`` is the spool's folder; without one the spool is in memory only. ``machine`` is what
    ``this_machine`` returns. ``transport`` makes the transport of data: CloudWatch unless given.
    ``next_config`` is the configuration to restart with; None after ``end``.
    """

    def __init__(
        self,
        file: Path,
        config: Config,
        state: Path | None,
        tools: Tools,
        metadata: Metadata,
        journal: Journal,
        manager: ServiceManager,
        machine: str = "",
        transport: Callable[[Config, Identity], Transport] | None = None,
    ) -> None:
        self.next_config: Config | None = None
        self._file = file
        self._config = config
        self._state = state
        self._tools = tools
        self._loop = tools.loop
        self._metadata = metadata
        self._journal = journal
        self._manager = manager
        self._machine = machine
        self._transport = transport or self._cloudwatch
        self._host = ""
        self._spool: Spool | None = None
        self._publisher: Publisher | None = None
        self._measuring: Measuring | None = None
        self._is_stopping = False
        self._is_ending = False
        self._identity_is_due = threading.Event()

    def run(self) -> None:
        """Determine the identity, then sample and publish until ``end``.

        The service is ready before it has an identity, which takes the network: a boot that waits
        for it would otherwise wait for the network.
        """
        self._manager.notify("READY=1", f"STATUS={WAITING} this host's name is not known yet")
        self._feed_watchdog()
        threading.Thread(target=self._identify, name="identity", daemon=True).start()
        self._loop.run()

    def begin(self, identity: Identity) -> None:
        """Sample and publish with this identity."""
        if self._is_stopping:
            return
        self._host = identity.host
        max_data = max_spooled(self._config)
        spool = Spool(self._state, max_data, self._config.namespace, self._journal.warning)
        self._spool = spool
        if len(spool):
            self._journal.info(f"{len(spool)} data of the last run are published first")
        transport = self._transport(self._config, identity)
        outbox = Outbox(spool, self._tools.wall)
        self._publisher = Publisher(outbox, transport, self._journal.warning)
        self._publisher.start()
        self._measuring = Measuring(identity, self._tools, self._journal, self._publisher)
        self._measuring.start(self._config)
        settle()
        self._report("ready")

    def reload(self) -> None:
        """Read the configuration again; go on with the current one when the new one is invalid."""
        try:
            config = load(self._file)
        except ConfigError as error:
            self._journal.warning(f"the new configuration is refused: {error}")
            return
        former, self._config = self._config, config
        self._identity_is_due.set()
        self._journal.every_sample = config.journal == "samples"
        if _identity_settings(config) != _identity_settings(former):
            self._journal.info("restarting, for another host, region, namespace or endpoint")
            self._restart(config)
        elif self._measuring is not None and self._spool is not None:
            self._spool.max_data = max_spooled(config)
            self._measuring.apply(config)
            self._report("reloaded")

    def end(self) -> None:
        """Publish all data, or spool them for the next run; within 5 seconds."""
        self._is_ending = True
        self.next_config = None  # also when a restart has begun
        self._manager.notify("STOPPING=1")
        self._stop()

    def _stop(self) -> None:
        if self._is_stopping:
            return
        self._is_stopping = True
        self._identity_is_due.set()
        if self._measuring is not None:
            self._measuring.stop()
        if self._publisher is not None:
            self._publisher.stop(FLUSH_SECONDS)
        self._loop.stop()

    def _cloudwatch(self, config: Config, identity: Identity) -> Transport:
        return CloudWatch(config.namespace, identity.region, self._metadata, config.endpoint_url)

    def _identify(self) -> None:
        """Determine the identity again and again, in a thread, as the metadata service may hang."""
        known: Identity | None = None
        problem, attempt = "", 0
        while not self._is_stopping:
            try:
                identity = identify(self._config, self._metadata)
            except IdentityError as error:
                if str(error) != problem:
                    problem = str(error)
                    self._loop.call_soon(self._report_no_identity, problem)
                if known is None and not self._config.host:
                    known = saved_identity(self._state, self._machine)
                    if known is not None:
                        known = known._replace(region=self._config.region or known.region)
                        self._loop.call_soon(self.begin, known)
            else:
                problem = ""
                if identity != known:
                    begin = self.begin if known is None else self._restart_as
                    self._loop.call_soon(begin, identity)
                    known = identity
                    if not self._config.host:  # only a name that comes from the instance
                        save_identity(self._state, identity, self._machine)
            pause = IDENTITY_SECONDS
            if problem:
                pause = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
                pause = max(pause, REMEMBERED_SECONDS if known else 0)
            attempt += 1
            self._identity_is_due.wait(pause)
            self._identity_is_due.clear()

    def _report_no_identity(self, problem: str) -> None:
        line = f"this host's name can't be determined: {problem}"
        self._journal.warning(line)
        if self._measuring is None:
            self._manager.notify(f"STATUS={WAITING} {line}")

    def _restart_as(self, identity: Identity) -> None:
        """Restart with another identity, as every metric has it among its dimensions."""
        self._journal.warning(f"restarting, as this host is now {identity.host}")
        self._restart(self._config)

    def _restart(self, config: Config) -> None:
        if not self._is_ending:
            self.next_config = config
            self._stop()

    def _report(self, event: str) -> None:
        summary = (
            f"{len(self._measuring or ())} targets every {self._config.interval_seconds} s, "
            f"namespace {self._config.namespace}, host {self._host}"
        )
        self._journal.info(f"{event}: {summary}")
        self._manager.notify(f"STATUS={summary}")

    def _feed_watchdog(self) -> None:
        """Notify systemd's watchdog regularly unless the publisher is stuck."""
        seconds = self._manager.watchdog_seconds
        if seconds is None:
            return
        publisher = self._publisher
        since = publisher.busy_since if publisher else None
        is_stuck = since is not None and time.monotonic() - since >= STUCK_SECONDS
        if publisher is None or (publisher.is_alive() and not is_stuck):
            self._manager.notify("WATCHDOG=1")
        self._loop.call_at(self._loop.clock() + seconds / 3, self._feed_watchdog)


def settle() -> None:
    """Exempt objects that live as long as the agent from garbage collection."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def max_spooled(config: Config) -> int:
    """Return how many data the spool holds: two hours of them, even if all targets fail.

    Then each target has two series a minute, each in up to four parts: one per attempt to publish,
    of which there are some three a minute. Those of the application are published once a minute.
    """
    series = 4 * (2 * (len(config.targets) + len(config.peers)) + 2)
    if config.statsd is not None:
        series += config.statsd.max_metrics + 3
    return max(MIN_RETAINED, RETENTION_MINUTES * series)


def _identity_settings(config: Config) -> tuple[str, ...]:
    return (config.namespace, config.host, config.region, config.endpoint_url)
