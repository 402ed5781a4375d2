"""Convert a service file to the inputs of the probe's and the drills' constructs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from resiliency.service_file.alarms import AlarmDescription, alarms_of
from resiliency.service_file.model.alarms import OwnAlarm
from resiliency.service_file.model.dependencies import Dependency
from resiliency.service_file.model.drills import DrillSettings
from resiliency.service_file.model.endpoint import Endpoint
from resiliency.service_file.model.hosts import Host
from resiliency.service_file.model.service import Environment, Service
from staged_resiliency.drills.alarm_effects import AlarmEffect, AlarmKind, WatchedAlarm
from staged_resiliency.drills.database_faults import FailOverDbCluster, FailOverDbInstance
from staged_resiliency.drills.faults import (
    MAX_RESPONSE_MILLISECONDS,
    BlackholeDependency,
    BlackholePort,
    DegradeDependency,
    DenyOrigin,
    Fault,
    StopInstance,
)
from staged_resiliency.drills.hypothesis import Pair, guards, hypothesis
from staged_resiliency.experiment.expectations import Hypothesis
from staged_resiliency.probe.configuration import ProbeConfiguration, StatsdMetrics
from staged_resiliency.probe.target_checks import (
    DnsCheck,
    ExchangeCheck,
    HttpCheck,
    HttpsCheck,
    MysqlCheck,
    PostgresqlCheck,
    RedisCheck,
    Step,
    TargetCheck,
    TcpCheck,
    TlsCheck,
)
from staged_resiliency.shared import limits, network_names
from staged_resiliency.shared.hosts import COLORS, Color, other

# Drills


def broken_color(environment: Environment, drill: DrillSettings) -> Color:
    """Return the color of the host that a drill breaks; the active one's for a database."""
    active = environment.active
    return other(active) if drill.host == "standby" else active


def broken_host(environment: Environment, drill: DrillSettings) -> Host:
    """Return the host that a drill breaks."""
    return environment.hosts.of(broken_color(environment, drill))


def fault_of(
    environment: Environment, drill: DrillSettings, on_secondary: str = "on-secondary"
) -> Fault:
    """Return the fault of a drill.

    ``on_secondary`` is the name of the alarm on the failover of its dependency, which no other
    value depends on.
    """
    host = broken_host(environment, drill)
    instance = host.instance_id or ""  # a rule requires it
    if drill.dependency is None:
        return StopInstance(host.name, instance, drill.minutes)
    dependency = environment.dependencies[drill.dependency]
    if drill.fault == "rds_failover":
        destination = network_names.dns_name_or_address(dependency.host)
        if drill.db_instance is not None:
            return FailOverDbInstance(drill.db_instance, destination)
        return FailOverDbCluster(drill.db_cluster or "", destination)  # a rule requires one
    if drill.fault == "deny_origin":
        return _deny_origin(environment, drill, dependency, on_secondary)
    if drill.scope == "port":
        return BlackholePort(host.name, instance, drill.minutes, dependency.checked_port)
    destination = network_names.dns_name_or_address(dependency.host)
    if drill.fault == "blackhole":
        return BlackholeDependency(host.name, instance, drill.minutes, destination)
    return DegradeDependency(
        host.name,
        instance,
        drill.minutes,
        destination,
        drill.delay_milliseconds,
        drill.jitter_milliseconds,
        drill.loss_percent,
        drill.response_milliseconds or MAX_RESPONSE_MILLISECONDS,  # a rule requires it
    )


def _deny_origin(
    environment: Environment, drill: DrillSettings, dependency: Dependency, on_secondary: str
) -> DenyOrigin:
    """Return the fault of a distribution; rules require what it needs."""
    failover, check = dependency.failover, dependency.check
    assert failover is not None  # noqa: S101 - a rule requires it
    path, decided = (
        check.path,
        failover.check.interval_seconds * (failover.check.failure_threshold + 1),
    )
    if failover.decided_by == "primary":
        path = failover.check.path
    else:
        primary = network_names.domain_name(failover.primary.dns_name)
        fires = [
            each.fires_within(AlarmEffect.FAILS) or 0
            for each in watched_alarms(environment)
            if each.address == primary
        ]
        decided = max(fires, default=decided)
    return DenyOrigin(
        record_name=network_names.domain_name(dependency.host),
        primary=network_names.domain_name(failover.primary.dns_name),
        secondary=network_names.domain_name(failover.secondary.dns_name),
        distribution_id=drill.distribution_id or "",
        bucket=drill.origin_bucket or "",
        duration_minutes=drill.minutes,
        path=path,
        scheme="https" if check.protocol == "https" else "http",
        decided_seconds=decided,
        ttl_seconds=failover.ttl_seconds,
        alarm_name=on_secondary if environment.failover_topics else None,
    )


def objective_of(environment: Environment) -> int:
    """Return the seconds within which drills expect clients on the standby."""
    own = environment.drills.objective_seconds if environment.drills is not None else None
    if own is not None:
        return own
    assert environment.objective is not None  # noqa: S101 - a rule asks for one of both
    return environment.objective.recovery_time_seconds


def pair_of(environment: Environment) -> Pair:
    """Return the pair of hosts that serve clients, in an environment with drills."""
    hosts, active = environment.hosts, environment.active
    return Pair(
        record=environment.endpoint.record,
        active=hosts.of(active).name,
        standby=hosts.of(other(active)).name,
        ttl_seconds=environment.endpoint.ttl_seconds,
        endpoint_decides="endpoint" in environment.failover_on,
    )


def watched_alarms(environment: Environment) -> Sequence[WatchedAlarm]:
    """Describe the alarms of an environment in the form that drills take."""
    return [
        _watched(environment, alarm)
        for alarm in alarms_of(environment)
        if not isinstance(alarm.settings, OwnAlarm) or alarm.settings.in_drills != "ignored"
    ]


def _watched(environment: Environment, alarm: AlarmDescription) -> WatchedAlarm:
    watched = WatchedAlarm(
        alarm.name,
        alarm.kind,
        alarm.host,
        dependency=alarm.dependency,
        port=alarm.port,
        address=alarm.address,
        decides=alarm.decides,
        fires_on_silence=alarm.missing_data == "breaching",
        silence_is_health=alarm.missing_data in ("not_breaching", "ignore"),
        period_seconds=alarm.settings.period_seconds,
        evaluation_periods=alarm.settings.evaluation_periods,
        good_periods=alarm.settings.evaluation_periods - alarm.settings.datapoints + 1,
        is_guard=isinstance(alarm.settings, OwnAlarm) and alarm.settings.in_drills == "guard",
    )
    if alarm.kind in (AlarmKind.DEPENDENCY, AlarmKind.PEER):
        return replace(watched, sample_seconds=sum(pace_of(environment, alarm.dependency)))
    return watched


def guards_of(environment: Environment, drill: DrillSettings) -> Sequence[str]:
    """Return the names of the alarms that stop a drill; none if no alarm covers the other host."""
    alarms = watched_alarms(environment)
    found = guards(fault_of(environment, drill), alarms, limits.MAX_STOP_CONDITIONS)
    return [alarm.name for alarm in found]


def hypothesis_of(environment: Environment, drill: DrillSettings) -> Hypothesis:
    """Return everything that is expected of a drill."""
    alarms = watched_alarms(environment)
    return hypothesis(fault_of(environment, drill), pair_of(environment), alarms)


# The probe


def pace_of(environment: Environment, dependency: str | None) -> tuple[int, float]:
    """Return interval and timeout, in seconds, of a dependency's samples, or of the peer's."""
    probe = environment.probe
    check = environment.measured[dependency].check if dependency is not None else None
    return (
        (check and check.interval_seconds) or probe.interval_seconds,
        (check and check.timeout_seconds) or probe.timeout_seconds,
    )


def probe_configuration(service: Service, environment: Environment) -> ProbeConfiguration:
    """Return what the probe of a service measures, in an environment that has a probe."""
    probe = environment.probe
    peers = {
        host.name: _peer_check(environment.endpoint, host.peer_check_address)
        for host in map(environment.hosts.of, COLORS)
    }
    return ProbeConfiguration(
        service=service.service,
        namespace=service.metric_namespace,
        dependencies={
            name: _check(dependency) for name, dependency in environment.measured.items()
        },
        peers=peers if environment.has_peers else {},
        interval_seconds=probe.interval_seconds,
        timeout_seconds=probe.timeout_seconds,
        journal=probe.journal,
        statsd=StatsdMetrics(**probe.statsd.model_dump()) if probe.statsd is not None else None,
    )


def _peer_check(endpoint: Endpoint, host: str) -> TargetCheck:
    """Return the peer check of a host, which connects as clients do: same port and name."""
    check, port = endpoint.check, endpoint.serving_port
    name = check.host or endpoint.record
    if check.protocol == "tcp":
        return TcpCheck(host, port)
    path, text = endpoint.health_path, check.search_text
    if check.protocol == "http":
        return HttpCheck(host, port, path, name, text=text)
    return HttpsCheck(host, port, path, name, text=text, server_name=name)


def _check(dependency: Dependency) -> TargetCheck:
    """Return the check of a dependency, from the keys that its protocol has."""
    given, protocol = dependency.check, dependency.check.protocol
    settings: dict[str, object] = {
        key: value
        for key, protocols in CHECK_KEYS.items()
        if protocol in protocols and (value := getattr(given, key)) is not None
    }
    if "type" in settings:
        settings["record_type"] = settings.pop("type")
    if given.steps is not None:
        settings["steps"] = [Step(step.send, step.expect, step.starttls) for step in given.steps]
    if dependency.latency is not None:
        settings["latency"] = "values" if dependency.latency.percentiles else "statistics"
    if dependency.certificate is not None:
        settings["certificate"] = True
    return _CHECKS[protocol](host=dependency.host, port=dependency.checked_port, **settings)


_CHECKS: Final[Mapping[str, Callable[..., TargetCheck]]] = {
    "tcp": TcpCheck,
    "tls": TlsCheck,
    "http": HttpCheck,
    "https": HttpsCheck,
    "mysql": MysqlCheck,
    "postgresql": PostgresqlCheck,
    "redis": RedisCheck,
    "exchange": ExchangeCheck,
    "dns": DnsCheck,
}
_HTTP: Final = ("http", "https")
_SERVERS: Final = ("mysql", "postgresql", "redis", "exchange")
_WITH_TLS: Final = ("tls", "https", *_SERVERS)

# The protocols that a key of a dependency's check applies to.
CHECK_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "interval_seconds": tuple(_CHECKS),
    "timeout_seconds": tuple(_CHECKS),
    "path": _HTTP,
    "status": _HTTP,
    "text": _HTTP,
    "host_header": _HTTP,
    "method": _HTTP,
    "headers": _HTTP,
    "user": ("mysql", "postgresql"),
    "database": ("postgresql",),
    "steps": ("exchange",),
    "tls": _SERVERS,
    "server_name": _WITH_TLS,
    "days_to_expiry": _WITH_TLS,
    "ca_file": _WITH_TLS,
    "type": ("dns",),
    "answer": ("dns",),
    "server": ("dns",),
    "family": tuple(protocol for protocol in _CHECKS if protocol != "dns"),
}
