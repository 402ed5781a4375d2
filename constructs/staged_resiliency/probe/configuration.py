"""The agent's configuration file: the targets of a service's probe, and how they are sampled."""

import bz2
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.document import PARAMETER_BYTES
from staged_resiliency.probe.target_checks import Latency, TargetCheck
from staged_resiliency.shared import alarm_settings, aws_ids, names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal, require_one_of

Journal = Literal["samples", "changes"]
"""Which samples the agent writes to its host's journal."""

DEFAULT_INTERVAL_SECONDS: Final = 10
DEFAULT_TIMEOUT_SECONDS: Final = 5.0
DEFAULT_SILENT_PERIODS: Final = 3  # minutes without a heartbeat until the alarm fires
_FEWEST_PEERS: Final = 2
_BZIP2: Final = b"BZh"  # how compressed content begins; JSON does not


DEFAULT_STATSD_PORT: Final = 8125
DEFAULT_STATSD_METRICS: Final = 10


@dataclass(frozen=True, slots=True)
class StatsdMetrics:
    """What an application may send by StatsD to the loopback addresses of its host.

    The metrics are published by the minute, in the namespace of the probe, with the dimension
    ``Host``. Anything else that is sent is ignored.

    Attributes:
        metrics: Names of metrics; with a ``*`` as its end, all names that begin so.
        tags: Tags that are published as further dimensions, so that each of their values makes a
            metric of its own; others are ignored. None unless given.
        max_metrics: How many metrics a host may create, 1 to 100, each of which costs about $0.30 a
            month; 10 unless given.
        port: The UDP port, from 1024; 8125 unless given.

    Raises:
        InvalidInputError: A value that the agent would refuse.

    Example:
        >>> StatsdMetrics(["errors", "orders.*"]).most_metrics
        10
        >>> StatsdMetrics(["errors"]).most_metrics
        1
    """

    metrics: Sequence[str]
    tags: Sequence[str] = ()
    max_metrics: int = DEFAULT_STATSD_METRICS
    port: int = DEFAULT_STATSD_PORT

    def __post_init__(self) -> None:
        owner = "StatsdMetrics"
        if not self.metrics:
            raise InvalidInputError(f"{owner}: metrics: is empty, so no metric is allowed")
        for pattern in self.metrics:
            checked(owner, "metrics", pattern, probe_validation.statsd_pattern)
        for tag in self.tags:
            checked(owner, "tags", tag, probe_validation.statsd_tag)
        if len(self.tags) > probe_validation.MAX_STATSD_TAGS:
            raise InvalidInputError(
                f"{owner}: tags: has {len(self.tags)}; allowed: {probe_validation.MAX_STATSD_TAGS}"
            )
        for name, values in (("metrics", self.metrics), ("tags", self.tags)):
            if len(set(values)) < len(values):
                raise InvalidInputError(f"{owner}: {name}: has a value twice; give each once")
        checked(owner, "max_metrics", self.max_metrics, probe_validation.statsd_metrics)
        checked(owner, "port", self.port, probe_validation.statsd_port)

    def allows(self, metric: str) -> bool:
        """Return whether a metric may be sent."""
        return any(names.allowed_by(pattern, metric) for pattern in self.metrics)

    @property
    def most_metrics(self) -> int:
        """How many metrics a host can create at most."""
        if self.tags or any(pattern.endswith("*") for pattern in self.metrics):
            return self.max_metrics
        return min(self.max_metrics, len(set(self.metrics)))

    def rendered(self) -> Mapping[str, object]:
        """Return the agent's settings."""
        return {
            "metrics": list(self.metrics),
            "tags": list(self.tags),
            "max_metrics": self.max_metrics,
            "port": self.port,
        }


@dataclass(frozen=True, slots=True)
class ProbeConfiguration:
    """The targets of a service's probe, and how they are sampled; the same for all its hosts.

    Attributes:
        service: Short name of the service; on a host it names the agent's files and unit.
        namespace: CloudWatch namespace of all metrics; not one of AWS's own.
        dependencies: The check of each dependency, by its short name, such as ``db``; the metric
            is ``<name>-connectivity`` with the dimension ``Host``. ``peer`` is reserved.
        peers: How each host is checked by the others, by its Name tag; two or more, or none. The
            metric is ``peer-connectivity`` with the dimensions ``Host`` (the checked host) and
            ``Observer`` (the host that checks it).
        interval_seconds: Seconds between two samples of a target, a divisor of 60; 10 unless
            given.
        timeout_seconds: Deadline of a sample in seconds, below the interval; 5 unless given.
        journal: ``samples`` writes a line for each sample, ``changes`` one when a target's state
            changes; ``samples`` unless given.
        statsd: What the application may send by StatsD; nothing is received unless given.

    Raises:
        InvalidInputError: A value that the agent would refuse, or nothing to measure.

    Example:
        >>> from staged_resiliency import PostgresqlCheck
        >>> configuration = ProbeConfiguration(
        ...     service="shop", namespace="Shop", dependencies={"db": PostgresqlCheck("10.0.0.5")}
        ... )
        >>> configuration.rendered()["targets"]
        [{'metric': 'db-connectivity', 'check': 'postgresql', 'host': '10.0.0.5', 'port': 5432}]
    """

    service: str
    namespace: str
    dependencies: Mapping[str, TargetCheck] = field(default_factory=dict)
    peers: Mapping[str, TargetCheck] = field(default_factory=dict)
    interval_seconds: int = DEFAULT_INTERVAL_SECONDS
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    journal: Journal = "samples"
    statsd: StatsdMetrics | None = None

    def __post_init__(self) -> None:
        owner = "ProbeConfiguration"
        checked(owner, "service", self.service, validation.slug)
        checked(owner, "namespace", self.namespace, alarm_settings.namespace)
        checked(owner, "interval_seconds", self.interval_seconds, probe_validation.interval_seconds)
        checked(owner, "timeout_seconds", self.timeout_seconds, self._within_the_interval)
        for name in self.dependencies:
            checked(owner, "dependencies", name, _dependency)
        for name, check in self.dependencies.items():
            self._check_pace(name, check)
        for name, check in self.peers.items():
            checked(owner, "peers", name, aws_ids.host_name)
            if check.publishes_more:
                raise InvalidInputError(
                    f"{owner}: peers: {name}: interval_seconds, timeout_seconds, latency and "
                    "certificate apply to dependencies; leave them out"
                )
        if 0 < len(self.peers) < _FEWEST_PEERS:
            raise InvalidInputError(
                f"{owner}: peers: names one host; hosts check each other, so give two or more"
            )
        if not self.dependencies and not self.peers and self.statsd is None:
            raise InvalidInputError(
                f"{owner}: has neither dependencies nor peers: there is nothing to measure"
            )
        for metric in names.probe_metrics(self.dependencies):
            if self.statsd is not None and self.statsd.allows(metric):
                raise InvalidInputError(
                    f"{owner}: statsd: metrics: allows {metric}, which the probe publishes itself; "
                    "change the pattern"
                )
        require_one_of(owner, "journal", self.journal, get_args(Journal))

    def _check_pace(self, name: str, check: TargetCheck) -> None:
        owner = f"ProbeConfiguration: dependencies: {name}"
        interval = check.interval_seconds
        if interval is not None:
            checked(owner, "interval_seconds", interval, probe_validation.interval_seconds)
        timeout = check.timeout_seconds
        if interval is not None or timeout is not None:
            checked(
                *(owner, "timeout_seconds", timeout or self.timeout_seconds),
                lambda each: probe_validation.timeout_seconds(
                    each, interval or self.interval_seconds
                ),
            )
        if check.latency is not None:
            require_one_of(owner, "latency", check.latency, get_args(Latency))

    def _within_the_interval(self, timeout: float) -> float:
        return probe_validation.timeout_seconds(timeout, self.interval_seconds)

    def rendered(self) -> Mapping[str, object]:
        """Return the configuration file's content, sorted by name.

        Defaults are written out, so that an agent with other defaults measures the same.
        """
        targets = [
            {"metric": names.connectivity_metric(name), **check.rendered()}
            for name, check in sorted(self.dependencies.items())
        ]
        peers = {name: dict(check.rendered()) for name, check in sorted(self.peers.items())}
        return {
            "service": self.service,
            "namespace": self.namespace,
            "interval_seconds": self.interval_seconds,
            "timeout_seconds": _short(self.timeout_seconds),
            "journal": self.journal,
            "targets": targets,
            **({"peers": peers} if peers else {}),
            **({"statsd": dict(self.statsd.rendered())} if self.statsd is not None else {}),
        }

    @property
    def is_literal(self) -> bool:
        """Whether no value is a CDK token."""
        return _is_literal(self.rendered())

    def encoded(self) -> str:
        """Return the file's content in base64, compressed where it would not fit otherwise.

        See ``decoded``, which returns the content.
        """
        content = json.dumps(self.rendered(), separators=(",", ":"), ensure_ascii=False).encode()
        plain = b64encode(content).decode()
        if self._parameter_bytes(plain) <= PARAMETER_BYTES:
            return plain
        return b64encode(bz2.compress(content)).decode()

    def _parameter_bytes(self, encoded: str) -> int:
        """Count the bytes of a run's parameters, of which those to uninstall are the longest."""
        return len(json.dumps(run_parameters("Uninstall", self.service, encoded)))

    def require_fit(self) -> None:
        """Raise if the parameters exceed the document's size limit.

        Systems Manager counts the document, which carries the agent, and its parameters together.

        Raises:
            ValueError: The parameters are too large.
        """
        size = self._parameter_bytes(self.encoded())
        if size > PARAMETER_BYTES:
            count = len(self.dependencies) + len(self.peers)
            raise ValueError(
                f"{count} targets make parameters of {size} bytes, compressed; beside the agent "
                f"there is room for {PARAMETER_BYTES}, so about "
                f"{count * PARAMETER_BYTES // size} targets like these fit"
            )


def decoded(text: str) -> object:
    """Return the configuration in a document's parameter; see ``ProbeConfiguration.encoded``.

    Raises:
        ValueError: The text is not what ``encoded`` returns.

    >>> decoded("eyJzZXJ2aWNlIjogInNob3AifQ==")
    {'service': 'shop'}
    """
    content = b64decode(text, validate=True)
    try:
        return json.loads(bz2.decompress(content) if content.startswith(_BZIP2) else content)
    except OSError as error:
        raise ValueError(str(error)) from None


def run_parameters(
    action: str, service: str, configuration: str, platforms: Sequence[str] = ()
) -> Mapping[str, list[str]]:
    """Return the document's parameters for one run."""
    parameters = {"Action": [action], "Service": [service], "Configuration": [configuration]}
    return {**parameters, "Platforms": [",".join(platforms)]} if platforms else parameters


def _dependency(name: str) -> str:
    if names.connectivity_metric(name) == names.PEER_METRIC:
        raise ValueError(f"{name!r} is reserved for the peer metric; give it another name")
    return validation.slug(name)


def _short(number: float) -> float:
    return int(number) if is_literal(number) and number == int(number) else number


def _is_literal(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_literal(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return all(_is_literal(each) for each in value)
    return is_literal(value) if isinstance(value, str | int | float) else True
