"""Rules about the hosts, and about the record and the zone by which clients reach them."""

from collections.abc import Callable, Iterator
from typing import Final

from resiliency.service_file.cross_file_rules import record_places
from resiliency.service_file.errors import Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import limits, network_names
from staged_resiliency.shared.hosts import COLORS
from staged_resiliency.shared.validation import shown

# The values in which two hosts must differ, and the form in which they are compared.
_CANONICAL: Final[dict[str, Callable[[str], str]]] = {
    "name": str.lower,
    "instance_id": str.lower,
    "address": network_names.ip_address,
    "ipv6_address": network_names.ip_address,
    "peer_address": network_names.dns_name_or_address,
}


def _record_is_in_the_zone(env: PartialDocument) -> Iterator[Problem]:
    zone = env.text("hosted_zone", "name")
    for place in record_places(env):
        record = env.text(*place)
        if record and zone:
            try:
                network_names.record_in_zone(record, zone)
            except ValueError as error:
                yield env.problem(str(error), *place)


def _private_zone_has_an_id(env: PartialDocument) -> Iterator[Problem]:
    zone = env.within("hosted_zone")
    if zone.get("private") is True and not zone.has("id"):
        yield zone.problem(
            "is missing: zones are looked up among public ones; give the private zone's id", "id"
        )


def _targets_exist_in_govcloud(env: PartialDocument) -> Iterator[Problem]:
    """Refuse what Route 53 does not have in private zones of AWS GovCloud (US).

    Source: govcloud-us/latest/UserGuide/govcloud-r53.html
    """
    region = env.text("region")
    if not region or limits.partition_of(region) != "aws-us-gov":
        return
    if env.get("hosted_zone", "private") is not True:
        return
    for color in COLORS:
        if env.has("hosts", color, "alias"):
            yield env.problem(
                f"can't be served from a private zone in {region}, where Route 53 has no alias "
                "records of load balancers; give address",
                *("hosts", color, "alias"),
            )


def _hosts_differ(env: PartialDocument) -> Iterator[Problem]:
    for key, canonical in _CANONICAL.items():
        blue, green = env.text("hosts", "blue", key), env.text("hosts", "green", key)
        if blue and green and canonical(blue) == canonical(green):
            yield env.problem(
                f"{shown(green)} is also blue's {key}; a pair needs two different hosts",
                *("hosts", "green", key),
            )
    blue, green = (env.text("hosts", color, "alias", "dns_name") for color in COLORS)
    if blue and green and network_names.domain_name(blue) == network_names.domain_name(green):
        yield env.problem(
            f"{shown(green)} is also blue's alias; a pair needs two different hosts",
            *("hosts", "green", "alias", "dns_name"),
        )


def _hosts_have_one_kind_of_target(env: PartialDocument) -> Iterator[Problem]:
    for color in COLORS:
        host = env.within("hosts", color)
        if not isinstance(host.raw, dict):
            continue
        addresses = [key for key in ("address", "ipv6_address") if host.has(key)]
        if host.has("alias") and addresses:
            yield host.problem(
                f"is given together with alias; give either {addresses[0]} or alias", addresses[0]
            )
        elif not host.has("alias") and not addresses:
            yield host.problem("has neither address nor alias; give one like address: 52.11.79.9")
        elif addresses == ["ipv6_address"]:
            yield host.problem(
                "is given without an IPv4 address; give it as address (ipv6_address is for hosts "
                "that have both)",
                "ipv6_address",
            )
        elif len(addresses) == 2 and network_names.is_ipv6(host.text("address") or ""):
            yield host.problem(
                "is given together with an IPv6 address; give the IPv4 one as address",
                "ipv6_address",
            )


def _hosts_serve_the_same_families(env: PartialDocument) -> Iterator[Problem]:
    families = {color: _families(env.within("hosts", color)) for color in COLORS}
    blue, green = families["blue"], families["green"]
    if blue and green and blue != green:
        yield env.problem(
            f"blue serves {' and '.join(blue)} records and green {' and '.join(green)}; both hosts "
            "need the same, since each primary record needs a secondary one",
            "hosts",
        )


def _families(host: PartialDocument) -> tuple[str, ...]:
    """Return the record types that a host can serve; none when its values are wrong."""
    address, ipv6_address = host.text("address"), host.text("ipv6_address")
    if host.has("alias"):
        if host.has("address") or host.has("ipv6_address") or host.get("alias") is None:
            return ()
        return ("A", "AAAA") if host.get("alias", "ipv6") is True else ("A",)
    if not address or ipv6_address is None or (ipv6_address and network_names.is_ipv6(address)):
        return ()
    if network_names.is_ipv6(address):
        return ("AAAA",)
    return ("A", "AAAA") if ipv6_address else ("A",)


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _record_is_in_the_zone,
    _private_zone_has_an_id,
    _targets_exist_in_govcloud,
    _hosts_differ,
    _hosts_have_one_kind_of_target,
    _hosts_serve_the_same_families,
)
