"""The Route 53 failover records, and the targets they can point to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from aws_cdk import Duration
from aws_cdk import aws_route53 as route53
from constructs import Construct

from staged_resiliency.failover.health_checks import HealthCheck
from staged_resiliency.shared import aws_ids, limits, names, network_names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, in_seconds, is_literal, wrong_type

RecordType = Literal["A", "AAAA", "CNAME"]
Role = Literal["PRIMARY", "SECONDARY"]

_CLOUDFRONT_ZONES: Final = tuple(limits.CLOUDFRONT_ZONES.values())


@dataclass(frozen=True, slots=True)
class HostedZone:
    """A hosted zone by its name and id, where there is no construct for it.

    Attributes:
        zone_name: Name of the zone.
        hosted_zone_id: Id of the zone.
    """

    zone_name: str
    hosted_zone_id: str


@dataclass(frozen=True, slots=True)
class AddressTarget:
    """The addresses at which clients reach a host; give one or both.

    Attributes:
        ipv4: IPv4 address; makes an A record.
        ipv6: IPv6 address; makes an AAAA record. Kept in its short form.

    Raises:
        InvalidInputError: No address, or one that clients can't reach.
    """

    ipv4: str | None = None
    ipv6: str | None = None

    def __post_init__(self) -> None:
        if self.ipv4 is None and self.ipv6 is None:
            raise InvalidInputError("AddressTarget: give ipv4, ipv6 or both")
        if self.ipv4 is not None:
            checked("AddressTarget", "ipv4", self.ipv4, _ipv4_address)
        if self.ipv6 is not None:
            ipv6 = checked("AddressTarget", "ipv6", self.ipv6, network_names.ipv6_address)
            # One form, so that one address makes one record value and equal targets.
            object.__setattr__(self, "ipv6", ipv6)

    @property
    def record_types(self) -> tuple[RecordType, ...]:
        """The types of the records for this target."""
        if self.ipv4 and self.ipv6:
            return ("A", "AAAA")
        return ("A",) if self.ipv4 else ("AAAA",)

    @property
    def health_check_address(self) -> str:
        """The address to which Route 53's health checkers connect."""
        return self.ipv4 or self.ipv6 or ""

    def value_of(self, record_type: RecordType) -> str:
        """Return the record's value."""
        return (self.ipv4 if record_type == "A" else self.ipv6) or ""


class LoadBalancer(Protocol):
    """The properties of the CDK's load balancers that an alias record needs."""

    @property
    def load_balancer_dns_name(self) -> str:
        """DNS name of the load balancer."""

    @property
    def load_balancer_canonical_hosted_zone_id(self) -> str:
        """The load balancer's own hosted zone id."""


@dataclass(frozen=True, slots=True)
class NameTarget:
    """A DNS name that clients are sent to by a CNAME record, such as a CloudFront distribution.

    Attributes:
        dns_name: The name.

    Raises:
        InvalidInputError: A name that Route 53 would refuse.
    """

    dns_name: str

    def __post_init__(self) -> None:
        name = checked("NameTarget", "dns_name", self.dns_name, network_names.domain_name)
        object.__setattr__(self, "dns_name", name)  # one form, so that equal targets are equal

    @property
    def record_types(self) -> tuple[RecordType, ...]:
        """The types of the records for this target."""
        return ("CNAME",)

    def value_of(self, record_type: RecordType) -> str:
        """Return the record's value."""
        return self.dns_name


@dataclass(frozen=True, slots=True)
class AliasTarget:
    """What an alias record points to: a load balancer, a bucket or a CloudFront distribution.

    Attributes:
        dns_name: Its DNS name.
        hosted_zone_id: The hosted zone id of its kind or its own (canonical) one.
        ipv6: Also make the AAAA pair, for what is dual-stack; not made unless given.

    Raises:
        InvalidInputError: A name or id that Route 53 would refuse.
    """

    dns_name: str
    hosted_zone_id: str
    ipv6: bool = False

    def __post_init__(self) -> None:
        name = checked("AliasTarget", "dns_name", self.dns_name, network_names.domain_name)
        zone = checked("AliasTarget", "hosted_zone_id", self.hosted_zone_id, aws_ids.hosted_zone_id)
        # One form, so that one load balancer makes one record value and equal targets.
        object.__setattr__(self, "dns_name", name)
        object.__setattr__(self, "hosted_zone_id", zone)

    @classmethod
    def to_load_balancer(cls, load_balancer: LoadBalancer, *, ipv6: bool = False) -> "AliasTarget":
        """Make an alias to a load balancer of the CDK.

        Args:
            load_balancer: An application or network load balancer, made or looked up.
            ipv6: Also make the AAAA pair; not made unless given.
        """
        return cls(
            dns_name=load_balancer.load_balancer_dns_name,
            hosted_zone_id=load_balancer.load_balancer_canonical_hosted_zone_id,
            ipv6=ipv6,
        )

    @property
    def record_types(self) -> tuple[RecordType, ...]:
        """The types of the records for this target."""
        return ("A", "AAAA") if self.ipv6 else ("A",)


Target: TypeAlias = AddressTarget | AliasTarget
"""The place where clients reach a host: its addresses or its load balancer."""


class FailoverRecords(Construct):
    """Failover records: DNS answers with the primary while it is healthy, else the secondary.

    Creates two ``AWS::Route53::RecordSet`` for each address family, PRIMARY and SECONDARY. Roles
    and identifiers are fixed: which host is primary is a matter of values and health check, so
    that a swap never removes a record. The secondary depends on the primary, so that CloudFormation
    updates the primary first (docs/adr/0002). The secondary has no health check: it is always
    served while the primary is unhealthy (an alias also evaluates its load balancer's health; with
    both unhealthy the primary is served).

    Args:
        hosted_zone: The zone, as the CDK's own type, as ``HostedZone`` or as its id. Only an id
            leaves unchecked whether the record is in the zone.
        record_name: DNS name of the records, in the zone.
        identifier: Start of the records' set identifiers, ``<identifier>-Primary`` and
            ``<identifier>-Secondary``; lower-case letters, digits and hyphens.
        primary: The target that is served while it is healthy.
        secondary: The target that is served otherwise.
        health_check: Decides whether the primary is healthy.
        ttl_seconds: TTL in seconds or as a ``Duration``, for how long resolvers cache an answer;
            60 unless given. Aliases have no TTL of their own.
        dependency: Short name of the dependency whose own name the records have, part of the
            set identifiers too; they have a service's name unless given.

    Raises:
        InvalidInputError: A value that Route 53 would refuse, a record outside the zone, targets
            that do not serve the same address families, or two CloudFront distributions.

    Attributes:
        record_name: DNS name of the records, without the final dot.
        hosted_zone_id: Id of their zone.
        ttl_seconds: Their TTL.
        resources: The ``CfnRecordSet`` of each record, a primary before its secondary.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import EndpointHealthCheck, HttpRequest
        >>> stack = Stack(App(), "Shop")
        >>> records = FailoverRecords(
        ...     stack,
        ...     "Records",
        ...     hosted_zone=HostedZone("example.com", "Z2EHK3FAEUNRMI"),
        ...     record_name="Shop.example.com.",
        ...     identifier="shop",
        ...     primary=AddressTarget(ipv4="52.11.79.8"),
        ...     secondary=AddressTarget(ipv4="52.11.79.9"),
        ...     health_check=EndpointHealthCheck(
        ...         stack, "Check", address="52.11.79.8", request=HttpRequest(), label="shop-blue"
        ...     ),
        ... )
        >>> records.record_name
        'shop.example.com'

    See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-types.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        hosted_zone: route53.IHostedZone | HostedZone | str,
        record_name: str,
        identifier: str,
        primary: Target | NameTarget,
        secondary: Target | NameTarget,
        health_check: HealthCheck | route53.IHealthCheck,
        ttl_seconds: int | Duration = limits.RECOMMENDED_TTL_SECONDS,
        dependency: str | None = None,
    ) -> None:
        owner = "FailoverRecords"
        name = checked(owner, "record_name", record_name, network_names.domain_name)
        checked(owner, "identifier", identifier, validation.slug)
        if dependency is not None:
            checked(owner, "dependency", dependency, validation.slug)
            identifier = f"{identifier}-{dependency}"
        ttl = checked(owner, "ttl_seconds", in_seconds(ttl_seconds), network_names.ttl_seconds)
        zone_id = _zone_id(hosted_zone)
        if not isinstance(hosted_zone, str):
            _require_record_in_zone(name, hosted_zone.zone_name)
            if isinstance(primary, NameTarget) and name == hosted_zone.zone_name:
                raise InvalidInputError(
                    f"{owner}: record_name: {name} is the zone's own name, which can't be a CNAME "
                    "record; give AliasTarget(...) as primary and secondary"
                )
        if primary.record_types != secondary.record_types:
            raise InvalidInputError(
                f"{owner}: primary serves {' and '.join(primary.record_types)} records, secondary "
                f"{' and '.join(secondary.record_types)}; both need the same, since each "
                "primary record needs a secondary one"
            )
        if _is_cloudfront(primary) and _is_cloudfront(secondary):
            raise InvalidInputError(
                f"{owner}: primary and secondary are both CloudFront distributions, and only one "
                "distribution can have the records' name as an alternate domain name; give as "
                "secondary a bucket, a load balancer or another CDN"
            )
        super().__init__(scope, construct_id)
        self.record_name: Final = name
        self.hosted_zone_id: Final = zone_id
        self.ttl_seconds: Final = ttl
        records: list[route53.CfnRecordSet] = []
        for record_type in primary.record_types:
            served, standby = (
                route53.CfnRecordSet(
                    self,
                    f"{role.title()}{record_type}",
                    hosted_zone_id=zone_id,
                    comment=f"{identifier}: {purpose}",
                    name=f"{name}.",
                    type=record_type,
                    set_identifier=names.set_identifier(identifier, role),
                    failover=role,
                    health_check_id=health_check_id,
                    ttl=None if isinstance(target, AliasTarget) else str(ttl),
                    resource_records=_values(target, record_type),
                    alias_target=_alias(target),
                )
                for role, target, health_check_id, purpose in _pair(
                    primary, secondary, health_check.health_check_id, dependency
                )
            )
            if dependency is not None:
                # Without it a reader of the template could not see that no host is behind it.
                served.add_metadata(names.DEPENDENCY_METADATA, dependency)
            # The order of updates: a swap while the active host is down must never send clients
            # back to it, as the secondary would that has its new value before the primary.
            standby.node.add_dependency(served)
            records += (served, standby)
        self.resources: Final[Sequence[route53.CfnRecordSet]] = records


def _pair(
    primary: Target | NameTarget,
    secondary: Target | NameTarget,
    health_check_id: str,
    dependency: str | None,
) -> Iterator[tuple[Role, Target | NameTarget, str | None, str]]:
    first, second = ("active host", "standby") if dependency is None else ("primary", "secondary")
    yield "PRIMARY", primary, health_check_id, f"the {first}, served while it is healthy."
    yield "SECONDARY", secondary, None, f"the {second}, served while the {first} is unhealthy."


def _is_cloudfront(target: Target | NameTarget) -> bool:
    if isinstance(target, AliasTarget) and target.hosted_zone_id in _CLOUDFRONT_ZONES:
        return True
    name = "" if isinstance(target, AddressTarget) else target.dns_name
    return bool(name) and is_literal(name) and network_names.cloudfront_zone(name) is not None


def _zone_id(hosted_zone: route53.IHostedZone | HostedZone | str) -> str:
    if not isinstance(hosted_zone, str | HostedZone):
        if not hasattr(hosted_zone, "hosted_zone_id"):
            raise wrong_type("FailoverRecords", "hosted_zone", hosted_zone, "a zone or its id")
        return hosted_zone.hosted_zone_id  # the CDK may resolve it later
    given = hosted_zone if isinstance(hosted_zone, str) else hosted_zone.hosted_zone_id
    return checked("FailoverRecords", "hosted_zone", given, aws_ids.hosted_zone_id)


def _values(target: Target | NameTarget, record_type: RecordType) -> list[str] | None:
    return None if isinstance(target, AliasTarget) else [target.value_of(record_type)]


def _alias(target: Target | NameTarget) -> route53.CfnRecordSet.AliasTargetProperty | None:
    if not isinstance(target, AliasTarget):
        return None
    return route53.CfnRecordSet.AliasTargetProperty(
        dns_name=target.dns_name,
        hosted_zone_id=target.hosted_zone_id,
        # Failover alias records must have it, and one to CloudFront can't:
        # https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
        # https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
        evaluate_target_health=not _is_cloudfront(target),
    )


def _ipv4_address(value: str) -> str:
    address = network_names.ip_address(value)
    if network_names.is_ipv6(address):
        raise ValueError(f"{validation.shown(value)} is not an IPv4 address; give it as ipv6")
    return address


def _require_record_in_zone(record_name: str, zone_name: str) -> None:
    if not (is_literal(record_name) and is_literal(zone_name)):
        return
    zone = checked("FailoverRecords", "hosted_zone", zone_name, network_names.domain_name)
    checked(
        "FailoverRecords",
        "record_name",
        record_name,
        lambda name: network_names.record_in_zone(name, zone),
    )
