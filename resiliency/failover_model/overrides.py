"""Replaces default assumptions: by values of the templates, and of the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Final

from resiliency.errors import UserError
from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.faults import watched_host
from resiliency.failover_model.graph import (
    FailoverGraph,
    Pair,
    Probe,
)
from staged_resiliency.experiment.json_codec import JsonObject

_DEFAULTS: Final = Assumptions()
_IN_THE_FILE: Final = "the service file"
FROM_TEMPLATES: Final = "the probe's configuration in the templates"
_ON_THE_COMMAND_LINE: Final = "given with --assume"


def parse_assumptions(words: Sequence[str]) -> Assumptions:
    """Return the assumptions, with those given as ``NAME=NUMBER`` or ``NAME=LOW:HIGH``.

    Raises:
        UserError: An unknown or repeated name, or a value out of range for it.

    Example:
        >>> parse_assumptions(["client_cache=0:300"]).client_cache.high
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
            raise UserError(f"--assume {word}: {name} is given twice; give it once")
        low, colon, high = extent.partition(":")
        default: Range = getattr(_DEFAULTS, name)
        try:
            given[name] = replace(
                default,
                low=float(low),
                high=float(high if colon else low),
                basis=_ON_THE_COMMAND_LINE,
            )
            replace(_DEFAULTS, **{name: given[name]})
        except ValueError as error:
            reason = str(error)
            if "could not convert" in reason:
                reason = f"{extent!r} is neither a number nor two like 0:300"
            raise UserError(f"--assume {word}: {reason}") from None
    return replace(_DEFAULTS, **given)


def parse_parameters(
    words: Sequence[str], designs: Sequence[Mapping[str, JsonObject]]
) -> Mapping[str, str]:
    """Return the template parameters given as ``NAME=VALUE``; each must be in some template.

    Raises:
        UserError: A word of another form, or a parameter that no template has.
    """
    given: dict[str, str] = {}
    known = {
        name
        for design in designs
        for template in design.values()
        for name in template.get("Parameters", {})
    }
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UserError(f"--parameter {word}: is no parameter; give one like Stage=production")
        if name not in known and not name.startswith("AWS::"):
            has = ", ".join(sorted(known)) or "none"
            raise UserError(f"--parameter {word}: no template has {name!r}; there are: {has}")
        given[name] = value
    return given


def assumptions_for_pair(graph: FailoverGraph, pair: Pair, assumptions: Assumptions) -> Assumptions:
    """Return the assumptions about one pair, with the templates' values in place of defaults."""
    assumptions = replace(
        assumptions,
        **{
            name: known(name, least, most)
            for name, least, most in pair.known
            if getattr(assumptions, name) == getattr(_DEFAULTS, name)
        },
    )
    probe = _probe_of(graph, pair)
    if probe is None:
        return assumptions
    return with_probe_settings(assumptions, probe.interval_seconds, probe.timeout_seconds)


def known(name: str, least: float, most: float) -> Range:
    """Return a range that a service file gives in place of an assumption.

    Raises:
        ValueError: It can't be simulated.
    """
    default: Range = getattr(_DEFAULTS, name)
    given = replace(default, low=least, high=most, basis=_IN_THE_FILE)
    replace(_DEFAULTS, **{name: given})
    return given


def with_probe_settings(
    assumptions: Assumptions, interval_seconds: float, timeout_seconds: float
) -> Assumptions:
    """Replace the assumptions about the probe by the values of the probe's configuration.

    A number given with ``--assume`` stays, as the user wants to see its effect.
    """
    changes = {
        name: replace(default, low=seconds, high=seconds, basis=FROM_TEMPLATES)
        for name, default, seconds in (
            ("probe_interval", _DEFAULTS.probe_interval, interval_seconds),
            ("probe_timeout", _DEFAULTS.probe_timeout, timeout_seconds),
        )
        if getattr(assumptions, name) == default
    }
    return replace(assumptions, **changes)


def _probe_of(graph: FailoverGraph, pair: Pair) -> Probe | None:
    """Find the probe whose metrics decide a pair's failover, or else watch its host."""
    host = watched_host(pair)
    alarms = [*pair.primary.alarms, *pair.secondary.alarms]
    if host is not None:
        alarms += [each for each in graph.alarms if each.metric.dimension("Host") == host]
    namespaces = {alarm.metric.namespace for alarm in alarms}
    return next((probe for probe in graph.probes if probe.namespace in namespaces), None)
