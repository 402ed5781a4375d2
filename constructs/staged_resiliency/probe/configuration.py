"""What the probe of a service measures, as data: the agent's configuration file."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from staged_resiliency.probe import values
from staged_resiliency.probe.document import PARAMETER_BYTES
from staged_resiliency.probe.target_checks import TargetCheck
from staged_resiliency.shared import names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal

Journal = Literal["samples", "changes"]
"""What the agent writes to its host's journal."""

DEFAULT_INTERVAL_SECONDS: Final = 10
DEFAULT_TIMEOUT_SECONDS: Final = 5.0
DEFAULT_SILENT_PERIODS: Final = 3  # minutes without a heartbeat until the alarm fires
_FEWEST_PEERS: Final = 2


@dataclass(frozen=True, slots=True)
class ProbeConfiguration:
    """What the probe of a service measures; the same for all its hosts.

    Attributes:
        service: Short name of the service; on a host it names the agent's files and unit.
        namespace: CloudWatch namespace of all metrics; not one of AWS's own.
        dependencies: How each dependency is asked, by its short name, such as ``db``; the metric
            is ``<name>-connectivity`` with the dimension ``Host``. ``peer`` is no name for one.
        peers: How each host is asked by the others, by its Name tag; two or more, or none. The
            metric is ``peer-connectivity`` with the dimensions ``Host`` (the one that is asked)
            and ``Observer`` (the one that asks).
        interval_seconds: Seconds between two samples of a target, a divisor of 60; 10 unless
            given.
        timeout_seconds: Deadline of a sample in seconds, below the interval; 5 unless given.
        journal: ``samples`` writes a line for each sample, ``changes`` one when a target's state
            changes; ``samples`` unless given.

    Raises:
        InvalidInputError: A value that the agent would refuse, or nothing to measure.

    Example:
        >>> from staged_resiliency import TcpCheck
        >>> configuration = ProbeConfiguration(
        ...     service="shop", namespace="Shop", dependencies={"db": TcpCheck("10.0.0.5", 5432)}
        ... )
        >>> configuration.rendered()["targets"]
        [{'metric': 'db-connectivity', 'check': 'tcp', 'host': '10.0.0.5', 'port': 5432}]
    """

    service: str
    namespace: str
    dependencies: Mapping[str, TargetCheck] = field(default_factory=dict)
    peers: Mapping[str, TargetCheck] = field(default_factory=dict)
    interval_seconds: int = DEFAULT_INTERVAL_SECONDS
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    journal: Journal = "samples"

    def __post_init__(self) -> None:
        """Refuse what the agent would refuse."""
        owner = "ProbeConfiguration"
        checked(owner, "service", self.service, validation.slug)
        checked(owner, "namespace", self.namespace, validation.namespace)
        checked(owner, "interval_seconds", self.interval_seconds, values.interval_seconds)
        checked(owner, "timeout_seconds", self.timeout_seconds, self._within_the_interval)
        for name in self.dependencies:
            checked(owner, "dependencies", name, _dependency)
        for name in self.peers:
            checked(owner, "peers", name, validation.host_name)
        if 0 < len(self.peers) < _FEWEST_PEERS:
            raise InvalidInputError(
                f"{owner}: peers: names one host; a host is asked by others, so give two or more"
            )
        if not self.dependencies and not self.peers:
            raise InvalidInputError(
                f"{owner}: has neither dependencies nor peers: there is nothing to measure"
            )
        if self.journal not in ("samples", "changes"):
            raise InvalidInputError(
                f"{owner}: journal: {validation.shown(self.journal)} is nothing the agent writes; "
                "allowed: samples, changes"
            )

    def _within_the_interval(self, timeout: float) -> float:
        return values.timeout_seconds(timeout, self.interval_seconds)

    def rendered(self) -> Mapping[str, object]:
        """The content of the agent's configuration file; its order does not depend on the names'.

        Every setting is written out, so that hosts keep what was deployed when an agent to come
        has other defaults.
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
        }

    @property
    def is_literal(self) -> bool:
        """Whether all of it is known before the deployment."""
        return _is_literal(self.rendered())

    def encoded(self) -> str:
        """The file's content in base64, as the document's parameter takes it."""
        content = json.dumps(self.rendered(), separators=(",", ":"), ensure_ascii=False)
        return b64encode(content.encode()).decode()

    def require_fit(self) -> None:
        """Refuse more than one run of the document can carry.

        Raises:
            ValueError: The parameters leave no room for the document that carries the agent, as
                Systems Manager counts both together.
        """
        size = len(json.dumps(run_parameters("Uninstall", self.service, self.encoded())))
        if size > PARAMETER_BYTES:
            count = len(self.dependencies) + len(self.peers)
            raise ValueError(
                f"{count} targets make parameters of {size} bytes; beside the agent there is room "
                f"for {PARAMETER_BYTES}, so about {count * PARAMETER_BYTES // size} targets like "
                "these fit"
            )


def run_parameters(action: str, service: str, configuration: str) -> Mapping[str, list[str]]:
    """The document's parameters for one run."""
    return {"Action": [action], "Service": [service], "Configuration": [configuration]}


def _dependency(name: str) -> str:
    if names.connectivity_metric(name) == names.PEER_METRIC:
        raise ValueError(f"{name!r} would have the metric of the peers; give it another name")
    return validation.slug(name)


def _short(number: float) -> float:
    """5 and not 5.0."""
    return int(number) if is_literal(number) and number == int(number) else number


def _is_literal(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_literal(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return all(_is_literal(each) for each in value)
    return is_literal(value) if isinstance(value, str | int | float) else True
