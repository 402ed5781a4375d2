"""Rules on dependencies that fail over by themselves: their names, their targets, who decides."""

from collections.abc import Callable, Iterator
from typing import Final

from resiliency.service_file.drill_rules import drill_names
from resiliency.service_file.errors import Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import aws_ids, limits, names, network_names, validation
from staged_resiliency.shared.validation import shown

_TARGETS: Final = ("primary", "secondary")


def fails_over(env: PartialDocument) -> Iterator[tuple[str, PartialDocument]]:
    """Yield the name of each dependency with a failover, and its part of the file."""
    for name, dependency in env.members("dependencies"):
        if isinstance(dependency.within("failover").raw, dict):
            yield name, dependency


def decided_by_hosts(env: PartialDocument) -> Iterator[str]:
    """Yield the names of the dependencies whose failover the hosts decide."""
    for name, dependency in fails_over(env):
        if dependency.text("failover", "decided_by") == "hosts":
            yield name


def _its_name_can_have_the_records(env: PartialDocument) -> Iterator[Problem]:
    zone = env.text("hosted_zone", "name")
    for _, dependency in fails_over(env):
        host = dependency.text("host")
        if not host:
            continue
        if network_names.is_address(host):
            yield dependency.problem(
                f"{shown(host)} is an address, and only a name can fail over; give a name in the "
                "hosted zone",
                "host",
            )
            continue
        if not zone:
            continue
        try:
            record = network_names.record_in_zone(host, zone)
        except ValueError as error:
            yield dependency.problem(f"{error}, as its failover needs records of that name", "host")
            continue
        alias = dependency.has("failover", "primary", "hosted_zone_id")
        if record == network_names.domain_name(zone) and not alias:
            yield dependency.problem(
                f"{record} is the zone's own name, which can't be a CNAME record; give primary and "
                "secondary a hosted_zone_id, or the dependency another name",
                "host",
            )


def _targets_can_answer(env: PartialDocument) -> Iterator[Problem]:
    for _, dependency in fails_over(env):
        host = dependency.text("host")
        for role in _TARGETS:
            target = dependency.within("failover", role)
            name = target.text("dns_name")
            if not name:
                continue
            if host and not network_names.is_address(host):
                own = network_names.domain_name(host)
                if network_names.domain_name(name) == own:
                    yield target.problem(
                        f"{shown(name)} is the dependency's own name; give the name of what "
                        "answers for it",
                        "dns_name",
                    )
                yield from _bucket_problems(dependency, target, name, own)
            yield from _zone_problems(target, name)
            checked = role == "primary" and dependency.text("failover", "decided_by") != "hosts"
            if checked:
                yield from _website_problems(dependency, target, name)
            if checked and network_names.is_internal_balancer(name):
                yield target.problem(
                    f"{shown(name)} can't be reached by Route 53 health checkers, which decide "
                    "here; give decided_by: hosts",
                    "dns_name",
                )


def _bucket_problems(
    dependency: PartialDocument, target: PartialDocument, name: str, own: str
) -> Iterator[Problem]:
    """Refuse a bucket that can't answer for a name: S3 finds it by the name that is asked for.

    Sources: AmazonS3/latest/userguide/VirtualHosting.html and, of aliases,
    Route53/latest/APIReference/API_AliasTarget.html
    """
    bucket = network_names.s3_bucket(name)
    if bucket is None:
        return
    if target.has("hosted_zone_id") and (bucket or not network_names.is_s3_website(name)):
        yield target.problem(
            "can't be the target of an alias: Route 53 takes the website endpoint of a region, "
            "without a bucket; give one like s3-website-us-west-2.amazonaws.com",
            "dns_name",
        )
    elif bucket not in ("", own):
        yield target.problem(
            f"is the bucket {shown(bucket)}, and Amazon S3 finds buckets by the name that clients "
            f"ask for; give one named {own}",
            "dns_name",
        )
    elif dependency.text("check", "protocol") in ("https", "tls"):
        yield target.problem(
            f"is a bucket, and Amazon S3 has no certificate for {own}, which the dependency's "
            "check asks for; put a load balancer or another CDN before it, or check by http",
            "dns_name",
        )


def _website_problems(
    dependency: PartialDocument, target: PartialDocument, name: str
) -> Iterator[Problem]:
    """Refuse websites of Amazon S3 that Route 53's health checkers would never find healthy.

    Source: AmazonS3/latest/userguide/WebsiteEndpoints.html
    """
    protocol = dependency.text("failover", "check", "protocol") or "https"
    if not network_names.is_s3_website(name) or protocol == "tcp":
        return
    if network_names.s3_bucket(name) == "":
        yield target.problem(
            "names no bucket, and Route 53 health checkers, which decide here, ask by this name; "
            "give decided_by: hosts",
            "dns_name",
        )
    elif protocol == "https":
        yield target.problem(
            "is a website endpoint of Amazon S3, which has no https; give failover.check: "
            "{ protocol: http }",
            "dns_name",
        )


def _zone_problems(target: PartialDocument, name: str) -> Iterator[Problem]:
    zone_id, cloudfront = target.text("hosted_zone_id"), network_names.cloudfront_zone(name)
    if not zone_id:
        return
    zone_id = aws_ids.hosted_zone_id(zone_id)
    if cloudfront is not None and zone_id != cloudfront:
        yield target.problem(
            f"{zone_id} is not the zone of aliases to CloudFront; give {cloudfront}",
            "hosted_zone_id",
        )
    elif cloudfront is None and zone_id in limits.CLOUDFRONT_ZONES.values():
        yield target.problem(
            f"{zone_id} is the zone of CloudFront, and {shown(name)} is no distribution; give the "
            "zone of the target",
            "hosted_zone_id",
        )


def _targets_are_a_pair(env: PartialDocument) -> Iterator[Problem]:
    for _, dependency in fails_over(env):
        failover = dependency.within("failover")
        primary, secondary = (failover.text(role, "dns_name") for role in _TARGETS)
        if not primary or not secondary:
            continue
        primary, secondary = map(network_names.domain_name, (primary, secondary))
        if primary == secondary:
            yield failover.problem(
                f"{secondary} is also the primary; give another target", "secondary", "dns_name"
            )
        elif network_names.cloudfront_zone(primary) and network_names.cloudfront_zone(secondary):
            yield failover.problem(
                f"{secondary} is a CloudFront distribution as the primary is, and only one "
                "distribution can have the dependency's name as an alternate domain name; give a "
                "bucket, a load balancer or another CDN",
                *("secondary", "dns_name"),
            )
        aliases = [role for role in _TARGETS if failover.has(role, "hosted_zone_id")]
        if len(aliases) == 1:
            (given,) = aliases
            (other,) = (role for role in _TARGETS if role != given)
            yield failover.problem(
                f"has no hosted_zone_id, and {given} has one: a CNAME record and an alias can't "
                "be a failover pair; give one to both, or to neither",
                other,
            )


def _aliases_exist_in_the_zone(env: PartialDocument) -> Iterator[Problem]:
    """Refuse aliases in a private zone of GovCloud, and those to CloudFront in any private zone.

    GovCloud has no CloudFront, so its public zones have no aliases to it either. Sources:
    govcloud-us/latest/UserGuide/govcloud-r53.html and
    Route53/latest/APIReference/API_AliasTarget.html
    """
    region = env.text("region") or ""
    govcloud = bool(region) and limits.partition_of(region) == "aws-us-gov"
    private = env.get("hosted_zone", "private") is True
    if not govcloud and not private:
        return
    where = " in ".join([*(["a private zone"] if private else []), *([region] if govcloud else [])])
    for _, dependency in fails_over(env):
        for role in _TARGETS:
            target = dependency.within("failover", role)
            name = target.text("dns_name")
            cloudfront = bool(name) and network_names.cloudfront_zone(name or "") is not None
            if target.has("hosted_zone_id") and (cloudfront or (govcloud and private)):
                yield target.problem(
                    f"makes an alias, which Route 53 does not have in {where}; remove it from both "
                    "targets",
                    "hosted_zone_id",
                )


def _the_decision_is_possible(env: PartialDocument) -> Iterator[Problem]:
    for name, dependency in fails_over(env):
        failover = dependency.within("failover")
        decided_by, check = failover.text("decided_by"), failover.within("check")
        if dependency.text("check", "protocol") == "dns":
            yield dependency.problem(
                "applies to a dependency that hosts connect to, and protocol dns only resolves "
                "its name; remove one of them",
                "failover",
            )
        if decided_by == "hosts" and failover.has("check"):
            yield failover.problem(
                "applies where primary decides, and decided_by is hosts, whose probes make the "
                "dependency's own check; remove one of them",
                "check",
            )
        elif check.text("protocol") == "tcp":
            for key in ("path", "search_text"):
                if check.has(key):
                    yield check.problem(
                        "does not apply to protocol tcp; give protocol http or https, or remove it",
                        key,
                    )
        primary = names.primary_of(name)
        if decided_by == "hosts" and len(primary) > validation.MAX_SLUG_CHARACTERS >= len(name):
            yield failover.problem(
                f"hosts check the primary as {primary!r}, which has {len(primary)} characters, and "
                f"at most {validation.MAX_SLUG_CHARACTERS} are allowed; give the dependency a "
                "shorter name, or let primary decide",
                "decided_by",
            )
        if decided_by == "hosts" and primary in [*env.names("dependencies"), *env.names("alarms")]:
            yield failover.problem(
                f"hosts check the primary as {primary!r}, which is the name of a dependency or an "
                "alarm; rename that one",
                "decided_by",
            )
        if decided_by == "hosts" and env.get("probe", "state") == "absent":
            yield failover.problem(
                "is hosts, and probe.state is absent: without data from both hosts, clients would "
                "move to the secondary; give primary, or remove the failover first",
                "decided_by",
            )


def _drills_do_not_depend_on_the_addresses(env: PartialDocument) -> Iterator[Problem]:
    deciding = list(decided_by_hosts(env))
    for drill in drill_names(env):
        settings = env.within("drills", drill)
        dependency = settings.text("dependency")
        if (
            settings.text("fault") == "blackhole"
            and settings.text("scope") == "dependency"
            and dependency in deciding
        ):
            yield settings.problem(
                f"cuts off the addresses of {dependency}, and hosts check its primary by another "
                "name, whose addresses may be the same or others; give scope: port",
                *(("scope",) if settings.has("scope") else ()),
            )


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _its_name_can_have_the_records,
    _targets_can_answer,
    _targets_are_a_pair,
    _aliases_exist_in_the_zone,
    _the_decision_is_possible,
    _drills_do_not_depend_on_the_addresses,
)
