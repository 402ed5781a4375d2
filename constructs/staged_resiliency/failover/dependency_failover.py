"""A dependency that fails over by itself: failover records for its own name."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_route53 as route53
from constructs import Construct

from staged_resiliency.failover.alarms import SignalAlarm
from staged_resiliency.failover.endpoint_health_check import (
    EndpointHealthCheck,
    HttpsRequest,
    TcpConnect,
)
from staged_resiliency.failover.health_checks import (
    AlarmHealthCheck,
    CalculatedHealthCheck,
    HealthCheck,
    InsufficientData,
)
from staged_resiliency.failover.records import (
    AliasTarget,
    FailoverRecords,
    HostedZone,
    NameTarget,
)
from staged_resiliency.failover.signals import AlarmSignal, EndpointSignal
from staged_resiliency.shared import limits, names, network_names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal, wrong_type


class DependencyFailover(Construct):
    """Failover of a dependency such as a CDN: DNS answers its name with one of two targets.

    Creates failover records for the dependency's name, and a health check that decides which of
    them answers: on the primary itself, or on what all hosts reach of it.

    The secondary has no part in the decision. With a health check that requires both, as published
    recipes have it, a failure of the secondary alone would send all clients there.

    Args:
        service: Short name of the service; part of the records' identifiers.
        dependency: Short name of the dependency, such as ``cdn``.
        hosted_zone: The zone, as the CDK's own type, as ``HostedZone`` or as its id.
        record_name: DNS name of the dependency that clients and hosts use, in the zone.
        primary: The target that is served while it is healthy: ``NameTarget`` for a CNAME record,
            or ``AliasTarget``.
        secondary: The target that is served otherwise, of the same kind. It must answer for the
            dependency's name; a second CloudFront distribution can't.
        decided_by: An ``EndpointSignal``, whose request Route 53's health checkers send to the
            primary's own name; or an ``AlarmSignal`` with an alarm for each host on whether it
            reaches the primary, by the primary's own name: the primary counts as healthy while any
            host reaches it, and a host without data does not. A signal's name is not used.
        ttl_seconds: TTL in seconds or as a ``Duration``; 60 unless given. Aliases have none.

    Raises:
        InvalidInputError: A value that Route 53 would refuse, targets that are equal, of two kinds,
            or both of CloudFront, a bucket that can't answer for the name, no alarm, or an alarm on
            the dependency's own name, which would recover by the failover that it decides.

    Attributes:
        health_check: The health check of the primary record.
        records: The failover records.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import HttpsRequest
        >>> failover = DependencyFailover(
        ...     Stack(App(), "Shop"),
        ...     "Images",
        ...     service="shop",
        ...     dependency="images",
        ...     hosted_zone=HostedZone("example.com", "Z2EHK3FAEUNRMI"),
        ...     record_name="images.example.com",
        ...     primary=NameTarget("d111111abcdef8.cloudfront.net"),
        ...     secondary=NameTarget("images.example.com.s3-website-eu-west-1.amazonaws.com"),
        ...     decided_by=EndpointSignal(HttpsRequest(path="/status.txt", search_text="ok")),
        ... )
        >>> failover.records.record_name
        'images.example.com'

    See https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: str,
        dependency: str,
        hosted_zone: route53.IHostedZone | HostedZone | str,
        record_name: str,
        primary: NameTarget | AliasTarget,
        secondary: NameTarget | AliasTarget,
        decided_by: EndpointSignal | AlarmSignal,
        ttl_seconds: int | Duration = limits.RECOMMENDED_TTL_SECONDS,
    ) -> None:
        owner = "DependencyFailover"
        checked(owner, "service", service, validation.slug)
        checked(owner, "dependency", dependency, validation.slug)
        for name, target in (("primary", primary), ("secondary", secondary)):
            if not isinstance(target, NameTarget | AliasTarget):
                raise wrong_type(owner, name, target, "NameTarget(...) or AliasTarget(...)")
            if target.dns_name == record_name.lower().removesuffix("."):
                raise InvalidInputError(
                    f"{owner}: {name}: {target.dns_name} is the dependency's own name; give the "
                    "name of what answers for it"
                )
        if primary.dns_name == secondary.dns_name:
            raise InvalidInputError(
                f"{owner}: primary and secondary are both {primary.dns_name}; give two targets"
            )
        if not isinstance(decided_by, EndpointSignal | AlarmSignal):
            allowed = "EndpointSignal(...) or AlarmSignal(...)"
            raise wrong_type(owner, "decided_by", decided_by, allowed)
        for name, target in (("primary", primary), ("secondary", secondary)):
            _require_answering_bucket(name, target, record_name)
        if isinstance(decided_by, AlarmSignal):
            _require_alarms_on_the_primary(decided_by, dependency)
        else:
            _require_website_over_http(primary, decided_by)
        super().__init__(scope, construct_id)
        label = f"{service}-{names.primary_of(dependency)}"
        self.health_check: Final[HealthCheck] = (
            self._on_endpoint(decided_by, primary, label)
            if isinstance(decided_by, EndpointSignal)
            else self._on_any_host(decided_by, label)
        )
        self.records: Final = FailoverRecords(
            self,
            "Records",
            hosted_zone=hosted_zone,
            record_name=record_name,
            identifier=service,
            primary=primary,
            secondary=secondary,
            health_check=self.health_check,
            ttl_seconds=ttl_seconds,
            dependency=dependency,
        )

    def _on_endpoint(
        self, signal: EndpointSignal, primary: NameTarget | AliasTarget, label: str
    ) -> HealthCheck:
        made = EndpointHealthCheck(
            self,
            "HealthCheck",
            request=signal.request,
            domain_name=primary.dns_name,
            interval_seconds=signal.interval_seconds,
            failure_threshold=signal.failure_threshold,
            regions=signal.regions,
            label=label,
        )
        description = "Route 53's checkers ask the primary over the internet, by its own name."
        made.resource.add_metadata("Description", description)
        return made

    def _on_any_host(self, signal: AlarmSignal, label: str) -> HealthCheck:
        return CalculatedHealthCheck(
            self,
            "AnyHost",
            children=[
                AlarmHealthCheck(
                    self,
                    f"HealthCheck-{color}",
                    alarm=alarm,
                    # A host that was silent when the primary failed must not keep it healthy.
                    insufficient_data=InsufficientData.UNHEALTHY,
                )
                for color, alarm in signal.alarms.items()
            ],
            healthy_at_least=1,
            label=f"{label}-for-any-host",
        )


def _require_answering_bucket(
    name: str, target: NameTarget | AliasTarget, record_name: str
) -> None:
    """Refuse a bucket that can't answer for a name: S3 finds it by the name that is asked for.

    Sources: AmazonS3/latest/userguide/VirtualHosting.html and, of aliases,
    Route53/latest/APIReference/API_AliasTarget.html
    """
    if not is_literal(target.dns_name) or not is_literal(record_name):
        return
    bucket = network_names.s3_bucket(target.dns_name)
    if bucket is None:
        return
    website = network_names.is_s3_website(target.dns_name)
    if isinstance(target, AliasTarget) and (bucket or not website):
        raise InvalidInputError(
            f"DependencyFailover: {name}: {target.dns_name} can't be the target of an alias: Route "
            "53 takes the website endpoint of a region, without a bucket; give one like "
            "s3-website-us-west-2.amazonaws.com"
        )
    own = network_names.domain_name(record_name)
    if bucket not in ("", own):
        raise InvalidInputError(
            f"DependencyFailover: {name}: {target.dns_name} is the bucket {bucket}, and Amazon S3 "
            f"finds buckets by the name that clients ask for; give one named {own}"
        )


def _require_website_over_http(primary: NameTarget | AliasTarget, signal: EndpointSignal) -> None:
    """Refuse a website of Amazon S3 that Route 53's health checkers would never find healthy.

    Source: AmazonS3/latest/userguide/WebsiteEndpoints.html
    """
    if not is_literal(primary.dns_name) or not network_names.is_s3_website(primary.dns_name):
        return
    if isinstance(signal.request, TcpConnect):
        return
    if network_names.s3_bucket(primary.dns_name) == "":
        raise InvalidInputError(
            f"DependencyFailover: primary: {primary.dns_name} names no bucket, and Route 53 health "
            "checkers ask by this name; let hosts decide, with an AlarmSignal"
        )
    if isinstance(signal.request, HttpsRequest):
        raise InvalidInputError(
            f"DependencyFailover: primary: {primary.dns_name} is a website endpoint of Amazon S3, "
            "which has no https; give EndpointSignal an HttpRequest"
        )


def _require_alarms_on_the_primary(signal: AlarmSignal, dependency: str) -> None:
    if not signal.alarms:
        raise InvalidInputError(
            "DependencyFailover: decided_by: has no alarms; give one for each host"
        )
    own_metric = names.connectivity_metric(dependency)
    for alarm in signal.alarms.values():
        if isinstance(alarm, SignalAlarm) and alarm.rule.metric_name == own_metric:
            raise InvalidInputError(
                f"DependencyFailover: decided_by: {alarm.alarm_name} is on the dependency's own "
                "name, so it would recover by the failover that it decides, and clients would go "
                "to and fro; let the probes check the primary's own name, as a dependency "
                f"{names.primary_of(dependency)}"
            )
