"""Rules that look at several values of a service file at once.

A rule is a function from the draft of an environment to problems. It speaks only when every
value it needs is sound, so that one mistake gives one message.
"""

from collections.abc import Callable, Iterator
from typing import Final

from resiliency.service_file import (
    drill_rules,
    notification_rules,
    objective_rules,
    probe_rules,
    stack_rules,
)
from resiliency.service_file.errors import Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import validation
from staged_resiliency.shared.hosts import COLORS

# Signals that are not a dependency's name; a dependency can't take these names.
BUILT_IN_SIGNALS: Final = ("status", "endpoint", "peer")

# What tells two hosts apart, and the form in which it is compared.
_CANONICAL: Final[dict[str, Callable[[str], str]]] = {
    "name": str.lower,
    "instance_id": str.lower,
    "address": validation.ip_address,
    "ipv6_address": validation.ip_address,
    "peer_address": validation.dns_name_or_address,
}


def problems_of(draft: PartialDocument) -> Iterator[Problem]:
    """Every problem between values of one file."""
    for name in draft.names("environments"):
        environment = draft.within("environments", name)
        for rule in _RULES:
            yield from rule(environment)


def _record_is_in_the_zone(env: PartialDocument) -> Iterator[Problem]:
    record, zone = env.text("endpoint", "record"), env.text("hosted_zone", "name")
    if record and zone:
        try:
            validation.record_in_zone(record, zone)
        except ValueError as error:
            yield env.problem(str(error), "endpoint", "record")


def _hosts_differ(env: PartialDocument) -> Iterator[Problem]:
    for key, canonical in _CANONICAL.items():
        blue, green = env.text("hosts", "blue", key), env.text("hosts", "green", key)
        if blue and green and canonical(blue) == canonical(green):
            yield env.problem(
                f"{validation.shown(green)} is blue's {key} too; a pair needs two different hosts",
                "hosts",
                "green",
                key,
            )
    blue, green = (env.text("hosts", color, "alias", "dns_name") for color in COLORS)
    if blue and green and validation.domain_name(blue) == validation.domain_name(green):
        yield env.problem(
            f"{validation.shown(green)} is blue's alias too; a pair needs two different hosts",
            "hosts",
            "green",
            "alias",
            "dns_name",
        )


def _hosts_have_one_kind_of_target(env: PartialDocument) -> Iterator[Problem]:
    for color in COLORS:
        host = env.within("hosts", color)
        if not isinstance(host.raw, dict):
            continue
        addresses = [key for key in ("address", "ipv6_address") if host.has(key)]
        if host.has("alias") and addresses:
            yield host.problem(
                f"stands beside alias; give either {addresses[0]} or alias", addresses[0]
            )
        elif not host.has("alias") and not addresses:
            yield host.problem("has neither address nor alias; give one like address: 52.11.79.9")
        elif addresses == ["ipv6_address"]:
            yield host.problem(
                "stands alone; give it as address (ipv6_address goes beside an IPv4 address)",
                "ipv6_address",
            )
        elif len(addresses) == 2 and ":" in (host.text("address") or ""):
            yield host.problem(
                "stands beside an IPv6 address; give the IPv4 one as address", "ipv6_address"
            )


def _hosts_serve_the_same_families(env: PartialDocument) -> Iterator[Problem]:
    families = {color: _families(env.within("hosts", color)) for color in COLORS}
    blue, green = families["blue"], families["green"]
    if blue and green and blue != green:
        yield env.problem(
            f"blue serves {_spoken(blue)} records and green {_spoken(green)}; both hosts need the "
            "same, or a record would have no second one to fail over to",
            "hosts",
        )


def _families(host: PartialDocument) -> tuple[str, ...]:
    """The record types a host can serve; empty when that can't be told."""
    address, ipv6_address = host.text("address"), host.text("ipv6_address")
    if host.has("alias"):
        if host.has("address") or host.has("ipv6_address"):
            return ()
        ipv6 = host.get("alias", "ipv6")
        return () if host.get("alias") is None else (("A", "AAAA") if ipv6 is True else ("A",))
    if not address or ipv6_address is None or (ipv6_address and ":" in address):
        return ()
    families = {"AAAA" if ":" in address else "A"} | ({"AAAA"} if ipv6_address else set())
    return tuple(sorted(families))


def _spoken(families: tuple[str, ...]) -> str:
    return " and ".join(families)


def _signals_exist(env: PartialDocument) -> Iterator[Problem]:
    dependencies = list(env.names("dependencies"))
    known = isinstance(env.within("dependencies").raw, dict) or not env.has("dependencies")
    available = [*BUILT_IN_SIGNALS, *dependencies]
    seen: set[str] = set()
    for index, signal in enumerate(env.items("failover_on")):
        if not isinstance(signal, str):
            continue
        if signal not in available and known:
            near = validation.nearest(signal, available)
            hint = f"did you mean {near}?" if near else f"allowed: {', '.join(available)}"
            yield env.problem(
                f"{validation.shown(signal)} is neither a built-in signal nor a dependency; {hint}",
                "failover_on",
                index,
            )
        elif signal in seen:
            yield env.problem(
                f"{validation.shown(signal)} stands twice; once is enough", "failover_on", index
            )
        seen.add(signal)


def _dependencies_keep_clear_of_signals(env: PartialDocument) -> Iterator[Problem]:
    for name in env.names("dependencies"):
        if name in BUILT_IN_SIGNALS:
            yield env.problem(
                f"{name!r} is the name of a built-in signal; give the dependency another one",
                "dependencies",
                name,
            )


def _status_needs_an_instance(env: PartialDocument) -> Iterator[Problem]:
    active = env.text("active")
    signals = env.items("failover_on") if env.has("failover_on") else ["status"]
    if (
        active in COLORS
        and "status" in signals
        and env.has("hosts", active)
        and not env.has("hosts", active, "instance_id")
    ):
        yield env.problem(
            f"the active host {active} has no instance_id, which the signal 'status' watches; "
            "give one like instance_id: i-0ab55a49288f1da24",
            "hosts",
            active,
        )


def _endpoint_is_reachable(env: PartialDocument) -> Iterator[Problem]:
    if "endpoint" not in env.items("failover_on"):
        return
    for color in COLORS:
        address = env.text("hosts", color, "address")
        if address and not validation.is_public(address):
            yield env.problem(
                f"{validation.shown(address)} can't be reached by Route 53's checkers, which the "
                "signal 'endpoint' needs; give a public address or take 'endpoint' out",
                "hosts",
                color,
                "address",
            )
    if env.has("endpoint", "check", "host") and env.has("hosts", "blue", "alias"):
        yield env.problem(
            "goes with hosts at an address; load balancers are asked for their own name",
            "endpoint",
            "check",
            "host",
        )
    if env.text("endpoint", "check", "protocol") == "tcp":
        for key in ("host", "search_text"):
            if env.has("endpoint", "check", key):
                yield env.problem(
                    "means nothing to a connection alone; give protocol http or https, or take "
                    "it out",
                    "endpoint",
                    "check",
                    key,
                )


_RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _record_is_in_the_zone,
    _hosts_differ,
    _hosts_have_one_kind_of_target,
    _hosts_serve_the_same_families,
    _signals_exist,
    _dependencies_keep_clear_of_signals,
    _status_needs_an_instance,
    _endpoint_is_reachable,
    *probe_rules.RULES,
    *drill_rules.RULES,
    *notification_rules.RULES,
    *objective_rules.RULES,
    *stack_rules.RULES,
)
