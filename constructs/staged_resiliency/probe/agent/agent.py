"""The agent as a service: who it is, reloading, ending, and telling that it is alive."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .attempt import Tools
from .cloudwatch import CloudWatch
from .config import Config, ConfigError, load
from .identity import Identity, IdentityError, identify, remember, remembered
from .journal import Journal
from .measuring import Measuring
from .metadata import Metadata
from .outbox import Outbox
from .publisher import Publisher, Transport
from .spool import Spool
from .systemd import ServiceManager

FLUSH_SECONDS = 4.0  # of the 5 in which the agent ends
STUCK_SECONDS = 120.0  # a publisher that sends one request for so long is stuck
RETENTION_MINUTES = 120
LEAST_RETAINED = 10_000
RETRY_SECONDS = (1, 2, 5, 10, 30)
LOOK_AGAIN_SECONDS = 3600.0  # a Name tag may be changed while the agent runs


class Agent:
    """Runs until it is told to end.

    Args:
        file: The configuration's file, read again on ``reload``.
        config: What it holds now.
        state: Folder of the spool; in memory only when None.
        tools: Loop, resolver and wall clock.
        metadata: The metadata service.
        journal: Where lines go.
        manager: The service manager.
        transport: Makes what sends data; CloudWatch unless given.

    Attributes:
        successor: The configuration to start anew with, which a running agent can't take; None
            when it ended for good.
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
        transport: Callable[[Config, Identity], Transport] | None = None,
    ) -> None:
        self.successor: Config | None = None
        self._file = file
        self._config = config
        self._state = state
        self._tools = tools
        self._loop = tools.loop
        self._metadata = metadata
        self._journal = journal
        self._manager = manager
        self._transport = transport or self._cloudwatch
        self._host = ""
        self._spool: Spool | None = None
        self._publisher: Publisher | None = None
        self._observation: Measuring | None = None
        self._ending = False
        self._for_good = False
        self._look_again = threading.Event()

    def run(self) -> None:
        """Learn who this host is, then sample and publish until ``end``."""
        self._feed_watchdog()
        threading.Thread(target=self._identify, name="identity", daemon=True).start()
        self._loop.run()

    def begin(self, identity: Identity) -> None:
        """Sample and publish as this host."""
        if self._ending:
            return
        self._host = identity.host
        most = most_kept(self._config)
        spool = Spool(self._state, most, self._config.namespace, self._journal.warning)
        self._spool = spool
        if len(spool):
            self._journal.info(f"{len(spool)} data of a former run are published first")
        transport = self._transport(self._config, identity)
        outbox = Outbox(spool, self._tools.wall)
        self._publisher = Publisher(outbox, transport, self._journal.warning)
        self._publisher.start()
        self._observation = Measuring(identity, self._tools, self._journal, self._publisher)
        self._observation.start(self._config)
        gc.unfreeze()
        gc.collect()
        gc.freeze()  # what is there now stays
        self._tell("ready", "READY=1")

    def reload(self) -> None:
        """Read the configuration again; keep the one that runs when the new one is bad."""
        try:
            config = load(self._file)
        except ConfigError as error:
            for problem in error.problems:
                self._journal.warning(f"the configuration is not taken: {problem}")
            return
        former, self._config = self._config, config
        self._look_again.set()
        self._journal.every_sample = config.journal == "samples"
        if _who(config) != _who(former):
            self._journal.info("the configuration is another host's or namespace's: starting anew")
            self._start_anew(config)
        elif self._observation is not None and self._spool is not None:
            self._spool.most = most_kept(config)
            self._observation.take(config)
            self._tell("the configuration is taken")

    def end(self) -> None:
        """Publish what there is, or keep it for the next run; at most 5 seconds."""
        self._for_good = True
        self.successor = None  # also when a new configuration has begun to end this agent
        self._manager.tell("STOPPING=1")
        self._stop()

    def _stop(self) -> None:
        if self._ending:
            return
        self._ending = True
        self._look_again.set()
        if self._observation is not None:
            self._observation.stop()
        if self._publisher is not None:
            self._publisher.stop(FLUSH_SECONDS)
        self._loop.stop()

    def _cloudwatch(self, config: Config, identity: Identity) -> Transport:
        return CloudWatch(config.namespace, identity.region, self._metadata, config.endpoint_url)

    def _identify(self) -> None:
        """In a thread of its own, since the metadata service may hang; looks again now and then."""
        known: Identity | None = None
        told, attempt = "", 0
        while not self._ending:
            try:
                identity = identify(self._config, self._metadata)
            except IdentityError as error:
                if str(error) != told:
                    told = str(error)
                    line = f"this host's name can't be asked for: {told}"
                    self._loop.soon(self._journal.warning, line)
                if known is None and not self._config.host:
                    known = remembered(self._state, self._metadata)
                    if known is not None:
                        known = known._replace(region=self._config.region or known.region)
                        self._loop.soon(self.begin, known)
            else:
                told = ""
                if identity != known:
                    self._loop.soon(self.begin if known is None else self._become, identity)
                    known = identity
                    if not self._config.host:  # a name that was given is no memory of a tag
                        remember(self._state, identity, self._metadata)
            pause = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
            attempt += 1
            self._look_again.wait(pause if known is None else LOOK_AGAIN_SECONDS)
            self._look_again.clear()

    def _become(self, identity: Identity) -> None:
        """Start anew as another host: its metrics are other ones."""
        self._journal.warning(f"this host is {identity.host} now: starting anew")
        self._start_anew(self._config)

    def _start_anew(self, config: Config) -> None:
        if not self._for_good:
            self.successor = config
            self._stop()

    def _tell(self, what: str, *lines: str) -> None:
        """Tell the journal and the service manager what is running."""
        summary = (
            f"{len(self._observation or ())} targets every {self._config.interval_seconds} s, "
            f"namespace {self._config.namespace}, host {self._host}"
        )
        self._journal.info(f"{what}: {summary}")
        self._manager.tell(*lines, f"STATUS={summary}")

    def _feed_watchdog(self) -> None:
        """Only a loop that turns and a publisher that is not stuck are alive."""
        seconds = self._manager.watchdog_seconds
        if seconds is None:
            return
        publisher = self._publisher
        since = publisher.busy_since if publisher else None
        stuck = since is not None and time.monotonic() - since >= STUCK_SECONDS
        if publisher is None or (publisher.is_alive() and not stuck):
            self._manager.tell("WATCHDOG=1")
        self._loop.at(self._loop.clock() + seconds / 3, self._feed_watchdog)


def most_kept(config: Config) -> int:
    """Two hours of data, also when nothing at all can be reached and each target fails.

    Then each has two series in a minute, which is told in up to four parts: what is measured
    between two attempts to publish, of which there are some three a minute.
    """
    series = 2 * (len(config.targets) + len(config.peers)) + 2
    return max(LEAST_RETAINED, RETENTION_MINUTES * 4 * series)


def _who(config: Config) -> tuple[str, ...]:
    """What a running agent can't change."""
    return (config.namespace, config.host, config.region, config.endpoint_url)
