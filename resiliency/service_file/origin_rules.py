"""Rules about drills that deny a CloudFront distribution its origin."""

from collections.abc import Iterator
from typing import Final

from resiliency.service_file.errors import Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import network_names
from staged_resiliency.shared.validation import shown

_PORTS: Final = {"http": 80, "https": 443}
_REQUIRED: Final = {
    "distribution_id": "give one like distribution_id: E1PA6795UKMFR9",
    "origin_bucket": "give one like origin_bucket: shop-images",
}


def problems_of(env: PartialDocument, drill: PartialDocument) -> Iterator[Problem]:
    """Yield a problem for each key that keeps a drill from denying the origin with an effect."""
    if drill.has("host"):
        yield drill.problem(
            "does not apply to deny_origin: both hosts lose the dependency; remove it", "host"
        )
    for key, how in _REQUIRED.items():
        if not drill.has(key):
            yield drill.problem(f"is missing; {how}", key)
    if env.has("drills", "network") or env.get("hosted_zone", "private") is True:
        yield drill.problem(
            "needs clients on the internet, and those of this environment are in a VPC; remove the "
            "drill",
            "fault",
        )
    name = drill.text("dependency")
    dependency = env.within("dependencies", name or "")
    if name not in list(env.names("dependencies")):
        return
    if not isinstance(dependency.within("failover").raw, dict):
        yield drill.problem(
            f"{shown(name)} has no failover, so nothing would answer for it; name a dependency "
            "with one",
            "dependency",
        )
        return
    yield from _problems_of_target(drill, dependency, name or "")


def _problems_of_target(
    drill: PartialDocument, dependency: PartialDocument, name: str
) -> Iterator[Problem]:
    failover = dependency.within("failover")
    primary = failover.text("primary", "dns_name")
    if primary and network_names.cloudfront_zone(primary) is None:
        yield drill.problem(
            f"the primary of {name} is {shown(primary)}, which is no CloudFront distribution; "
            "remove the drill",
            "dependency",
        )
    protocol = dependency.text("check", "protocol") or "tcp"
    if protocol not in _PORTS:
        yield drill.problem(
            f"{shown(name)} is checked by {protocol}, and clients of a CDN ask by http or https; "
            "give the dependency check: { protocol: https }",
            "dependency",
        )
    elif dependency.number("port") not in (None, _PORTS[protocol]):
        yield drill.problem(
            f"{shown(name)} is at port {dependency.number('port')}, and CloudFront answers "
            f"{protocol} at port {_PORTS[protocol]}; remove the dependency's port",
            "dependency",
        )
    decided_by = failover.text("decided_by") or "primary"
    if decided_by == "primary" and failover.text("check", "protocol") == "tcp":
        yield drill.problem(
            f"the failover of {name} is decided by a TCP connection, which CloudFront accepts "
            "without its origin too; give failover.check a protocol of http or https",
            "dependency",
        )
