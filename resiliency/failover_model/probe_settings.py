"""Finds in templates how often a probe asks; the rest of its configuration decides no time."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resiliency.failover_model.expressions import Templates
from resiliency.failover_model.graph import Probe


def read_probes(templates: Templates) -> Sequence[Probe]:
    """The probes whose configuration an association carries, as base64 of JSON.

    An association of something else, or with a configuration that only the deployment knows, is
    none of them: then the numbers stay those of ``Assumptions``, and the report says so.

    Args:
        templates: The templates that belong together.
    """
    found = (_probe(encoded) for encoded in _configurations(templates))
    return [probe for probe in found if probe is not None]


def _configurations(templates: Templates) -> Iterator[str]:
    for template in templates.by_stack.values():
        for resource in template["Resources"].values():
            match resource:
                case {
                    "Type": "AWS::SSM::Association",
                    "Properties": {
                        "Parameters": {"Action": ["Install"], "Configuration": [str(encoded)]}
                    },
                }:
                    yield encoded


def _probe(encoded: str) -> Probe | None:
    try:
        told: Any = json.loads(b64decode(encoded, validate=True))
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, Mapping):
        return None
    namespace = told.get("namespace")
    interval = _seconds(told.get("interval_seconds"))
    timeout = _seconds(told.get("timeout_seconds"))
    if not isinstance(namespace, str) or interval is None or timeout is None:
        return None
    return Probe(namespace, interval, timeout)


def _seconds(value: object) -> float | None:
    """What the agent would take for an interval or a deadline."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 60:
        return float(value)
    return None
