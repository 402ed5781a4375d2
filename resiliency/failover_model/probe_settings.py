"""Reads the configuration of probes from the associations that install them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resiliency.failover_model.expressions import Reference, TemplateError, Templates
from resiliency.failover_model.graph import Probe
from staged_resiliency.probe.configuration import decoded


@dataclass(frozen=True, slots=True)
class Installation:
    """An association that installs a probe; its configuration is ``encoded`` as JSON in base64."""

    templates: Templates
    reference: Reference
    encoded: object

    def configuration(self) -> object:
        """Decode the configuration; TemplateError if it can't be read before the deployment."""
        where = f"{self.reference}: Parameters"
        text = self.templates.text(self.reference.stack, self.encoded, where)
        try:
            return decoded(text)
        except (ValueError, RecursionError) as error:
            raise TemplateError(
                f"{where}: Configuration: can't be read ({error}); a configuration that only the "
                "deployment knows can't be rehearsed"
            ) from None


def installations(templates: Templates) -> Iterator[Installation]:
    """Find the associations that install a probe, and ignore all others."""
    for reference, properties in templates.resources("AWS::SSM::Association"):
        match properties:
            # The document's Action is Install by default.
            case {"Parameters": {"Configuration": [encoded], **others}} if others.get(
                "Action", ["Install"]
            ) == ["Install"]:
                yield Installation(templates, reference, encoded)


def read_probes(templates: Templates) -> Sequence[Probe]:
    """Read the interval at which each probe samples its targets.

    A configuration that can't be read gives none: then the numbers stay those of ``Assumptions``,
    and the report says so.
    """
    found = []
    for installation in installations(templates):
        try:
            probe = _probe(installation.configuration())
        except TemplateError:
            continue
        if probe is not None:
            found.append(probe)
    return found


def _probe(configuration: Any) -> Probe | None:
    if not isinstance(configuration, Mapping):
        return None
    namespace = configuration.get("namespace")
    pace = slowest_pace(configuration)
    if not isinstance(namespace, str) or pace is None:
        return None
    return Probe(namespace, *pace, _connecting_peers(configuration.get("peers")))


def slowest_pace(configuration: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return interval and timeout, in seconds, of the target whose failure is noticed last.

    The model takes them for all targets. None where the agent would refuse them.
    """
    names = ("interval_seconds", "timeout_seconds")
    usual = {name: configuration.get(name) for name in names}
    paces = []
    for target in (usual, *(configuration.get("targets") or ())):
        given = {**usual, **target} if isinstance(target, Mapping) else usual
        interval, timeout = (_seconds(given[name]) for name in names)
        if interval is None or timeout is None:
            return None
        paces.append((interval, timeout))
    return max(paces, key=sum)


def _connecting_peers(peers: object) -> tuple[str, ...]:
    checks = peers.items() if isinstance(peers, Mapping) else ()
    return tuple(
        str(host)
        for host, check in checks
        if isinstance(check, Mapping) and check.get("check") == "tcp"
    )


def _seconds(value: object) -> float | None:
    """Return an interval or a deadline if the agent would accept it."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 60:
        return float(value)
    return None
