"""The dependencies of a service that fail over by themselves."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_route53 as route53

from resiliency.service_file import Environment, Service
from resiliency.service_file.model.dependencies import Dependency, DependencyTarget
from staged_resiliency import (
    AlarmSignal,
    AliasTarget,
    ConnectivityAlarm,
    DependencyFailover,
    EndpointSignal,
    HostedZone,
    HttpRequest,
    HttpsRequest,
    NameTarget,
    Request,
    TcpConnect,
)
from staged_resiliency.shared import names
from staged_resiliency.shared.hosts import Color


def dependency_failovers_of(
    stack: Stack,
    service: Service,
    environment: Environment,
    zone: HostedZone | route53.IHostedZone,
    alarms: Mapping[str, Mapping[Color, ConnectivityAlarm]],
) -> Mapping[str, DependencyFailover]:
    """Add the failover of each dependency that has one, by its name.

    ``alarms`` has those of each host, by what the host checks.
    """
    return {
        name: DependencyFailover(
            stack,
            f"Dependency-{name}",
            service=service.service,
            dependency=name,
            hosted_zone=zone,
            record_name=dependency.host,
            primary=_target(given.primary),
            secondary=_target(given.secondary),
            decided_by=(
                AlarmSignal(name, alarms[names.primary_of(name)])
                if given.decided_by == "hosts"
                else _endpoint(dependency)
            ),
            ttl_seconds=given.ttl_seconds,
        )
        for name, dependency in environment.dependencies.items()
        if (given := dependency.failover) is not None
    }


def _target(target: DependencyTarget) -> NameTarget | AliasTarget:
    if target.hosted_zone_id is None:
        return NameTarget(target.dns_name)
    return AliasTarget(target.dns_name, target.hosted_zone_id)


def _endpoint(dependency: Dependency) -> EndpointSignal:
    assert dependency.failover is not None  # noqa: S101 - it is asked only for one
    check = dependency.failover.check
    request: Request = TcpConnect(dependency.checked_port)
    if check.protocol != "tcp":
        kind = HttpRequest if check.protocol == "http" else HttpsRequest
        request = kind(path=check.path, search_text=check.search_text)
    return EndpointSignal(
        request,
        check.interval_seconds,
        check.failure_threshold,
        regions=check.regions or (),
    )
