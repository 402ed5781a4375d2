"""Assumptions as given: by the templates, and on the command line."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Final

from resiliency.errors import UserError
from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.faults import watched_host
from resiliency.failover_model.graph import AlarmCheck, FailoverGraph, Pair, Probe, leaves

_DEFAULTS: Final = Assumptions()
FROM_TEMPLATES: Final = "the probe's configuration in the templates"
_ON_THE_COMMAND_LINE: Final = "given with --assume"


def assumptions_given(words: Sequence[str]) -> Assumptions:
    """The assumptions, with those that somebody gives as ``NAME=NUMBER`` or ``NAME=LOW:HIGH``.

    Args:
        words: What is given.

    Raises:
        UserError: A name that is none or stands twice, or what is no span for it.

    Example:
        >>> assumptions_given(["client_cache=0:300"]).client_cache.high
        300.0
    """
    given: dict[str, Range] = {}
    for word in words:
        name, equals, extent = word.partition("=")
        known = {each.name for each in fields(Assumptions)}
        if not equals:
            raise UserError(
                f"--assume {word}: is no assumption; give one like resolver_floor=0:300"
            )
        if name not in known:
            raise UserError(
                f"--assume {word}: {name!r} is no assumption; known: {', '.join(sorted(known))}"
            )
        if name in given:
            raise UserError(f"--assume {word}: {name} is given twice; once is enough")
        low, colon, high = extent.partition(":")
        span: Range = getattr(_DEFAULTS, name)
        try:
            given[name] = replace(
                span,
                low=float(low),
                high=float(high if colon else low),
                basis=_ON_THE_COMMAND_LINE,
            )
            replace(_DEFAULTS, **{name: given[name]})
        except ValueError as error:
            said = f"{extent!r} is neither a number nor two like 0:300"
            reason = said if "could not convert" in str(error) else str(error)
            raise UserError(f"--assume {word}: {reason}") from None
    return replace(_DEFAULTS, **given)


def told_by_templates(graph: FailoverGraph, pair: Pair, assumptions: Assumptions) -> Assumptions:
    """The assumptions about one pair, with what the templates tell in place of defaults.

    A number that somebody gave stays: who gives one wants to know what it would do.

    Args:
        graph: What the templates say.
        pair: The pair.
        assumptions: What is assumed of all.
    """
    probe = _probe_of(graph, pair)
    if probe is None:
        return assumptions
    changes = {
        name: replace(span, low=seconds, high=seconds, basis=FROM_TEMPLATES)
        for name, span, seconds in (
            ("probe_interval", assumptions.probe_interval, probe.interval_seconds),
            ("probe_timeout", assumptions.probe_timeout, probe.timeout_seconds),
        )
        if span == getattr(_DEFAULTS, name)
    }
    return replace(assumptions, **changes)


def _probe_of(graph: FailoverGraph, pair: Pair) -> Probe | None:
    """The probe that publishes what decides about a pair, or else what watches its host."""
    namespaces = {
        leaf.alarm.metric.namespace
        for record in (pair.primary, pair.secondary)
        for leaf in leaves(record.health_check)
        if isinstance(leaf, AlarmCheck)
    }
    host = watched_host(pair)
    namespaces |= {
        alarm.metric.namespace
        for alarm in graph.alarms
        if host is not None and alarm.metric.dimension("Host") == host
    }
    return next((probe for probe in graph.probes if probe.namespace in namespaces), None)
