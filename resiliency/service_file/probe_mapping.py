"""From a service file to what its probe measures."""

from collections.abc import Callable, Mapping
from typing import Final

from resiliency.service_file.model import Dependency, Endpoint, Environment, Service
from staged_resiliency.probe.configuration import ProbeConfiguration
from staged_resiliency.probe.target_checks import (
    DnsCheck,
    HttpCheck,
    HttpsCheck,
    TargetCheck,
    TcpCheck,
    TlsCheck,
)
from staged_resiliency.shared.hosts import COLORS


def probe_configuration(service: Service, environment: Environment) -> ProbeConfiguration:
    """What the probe of a service measures in an environment that has one."""
    probe = environment.probe
    peers = {
        host.name: _peer_check(environment.endpoint, host.asked_at)
        for host in map(environment.hosts.of, COLORS)
    }
    return ProbeConfiguration(
        service=service.service,
        namespace=service.metric_namespace,
        dependencies={
            name: _CHECKS[dependency.check.protocol](dependency)
            for name, dependency in environment.dependencies.items()
        },
        peers=peers if environment.has_peers else {},
        interval_seconds=probe.interval_seconds,
        timeout_seconds=probe.timeout_seconds,
        journal=probe.journal,
    )


def _peer_check(endpoint: Endpoint, host: str) -> TargetCheck:
    """A host is asked as clients ask it: on its port, for the record's name."""
    check, port = endpoint.check, endpoint.serving_port
    name = check.host or endpoint.record
    if check.protocol == "tcp":
        return TcpCheck(host, port)
    path, text = endpoint.version_path, check.search_text
    if check.protocol == "http":
        return HttpCheck(host, port, path, name, text=text)
    return HttpsCheck(host, port, path, name, text=text, server_name=name)


def _tcp(dependency: Dependency) -> TargetCheck:
    return TcpCheck(dependency.host, dependency.port or 0, dependency.check.family)


def _tls(dependency: Dependency) -> TargetCheck:
    check = dependency.check
    return TlsCheck(
        dependency.host,
        dependency.port or 0,
        check.server_name,
        check.days_to_expiry,
        check.family,
    )


def _http(dependency: Dependency) -> TargetCheck:
    check = dependency.check
    return HttpCheck(
        dependency.host,
        dependency.port or 80,
        check.path,
        check.host_header,
        check.status or (),
        check.text,
        check.family,
    )


def _https(dependency: Dependency) -> TargetCheck:
    check = dependency.check
    return HttpsCheck(
        dependency.host,
        dependency.port or 443,
        check.path,
        check.host_header,
        check.status or (),
        check.text,
        check.server_name,
        check.days_to_expiry,
        check.family,
    )


def _dns(dependency: Dependency) -> TargetCheck:
    check = dependency.check
    return DnsCheck(dependency.host, check.type, check.answer, check.server, dependency.port or 53)


_CHECKS: Final[Mapping[str, Callable[[Dependency], TargetCheck]]] = {
    "tcp": _tcp,
    "tls": _tls,
    "http": _http,
    "https": _https,
    "dns": _dns,
}
