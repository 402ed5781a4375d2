"""Failover times of a service file, by the failover-time model and without synthesis.

The graph made here equals the one read from the synthesized templates; a test compares the two for
any sound service file.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from resiliency.failover_model.alarm_evaluation import Missing
from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.graph import (
    ALIAS_TTL_SECONDS,
    DEFAULT_REGIONS,
    Alarm,
    AlarmCheck,
    BasicHealthCheck,
    CalculatedCheck,
    EndpointCheck,
    FailoverGraph,
    HealthCheck,
    Metric,
    Pair,
    Probe,
    Record,
)
from resiliency.failover_model.probe_settings import slowest_pace
from resiliency.failover_model.route53 import InsufficientData
from resiliency.failover_model.simulation import failover_times
from resiliency.service_file.alarms import AlarmDescription, alarms_of
from resiliency.service_file.mapping import (
    fault_of,
    pair_of,
    probe_configuration,
    watched_alarms,
)
from resiliency.service_file.model.alarms import MissingDataName, OwnAlarm
from resiliency.service_file.model.dependencies import DependencyFailover, DependencyTarget
from resiliency.service_file.model.drills import DrillSettings
from resiliency.service_file.model.endpoint import CheckerSettings
from resiliency.service_file.model.hosts import Host
from resiliency.service_file.model.service import Environment, Service
from staged_resiliency.drills.alarm_effects import AlarmKind
from staged_resiliency.drills.hypothesis import moves_clients
from staged_resiliency.drills.runtime.plan import Predicted
from staged_resiliency.shared import names, network_names
from staged_resiliency.shared.hosts import COLORS, Color, other

_MISSING: Final[Mapping[MissingDataName, Missing]] = {
    "cloudwatch_default": Missing.MISSING,
    "breaching": Missing.BREACHING,
    "not_breaching": Missing.NOT_BREACHING,
    "ignore": Missing.IGNORE,
}
# How the library's health checks treat the missing data of their alarms.
_SILENCE: Final[Mapping[Missing, InsufficientData]] = {
    Missing.MISSING: InsufficientData.UNHEALTHY,
    Missing.BREACHING: InsufficientData.UNHEALTHY,
    Missing.NOT_BREACHING: InsufficientData.HEALTHY,
    Missing.IGNORE: InsufficientData.LAST_KNOWN_STATUS,
}


def deciding_graph(service: Service, environment: Environment) -> FailoverGraph:
    """Return the records, health checks and alarms that decide a service's failover."""
    check = _deciding(service, environment)
    active, standby = environment.active, other(environment.active)
    primary = _values(environment.hosts.of(active))
    secondary = _values(environment.hosts.of(standby))
    pairs = [
        Pair(
            network_names.domain_name(record),
            kind,
            _record(environment, active, value, check),
            _record(environment, standby, secondary[kind], None),
            environment.assumptions.given,
        )
        for record in (environment.endpoint.record, *environment.endpoint.more_records)
        for kind, value in primary.items()
    ]
    pairs += _dependency_pairs(service, environment)
    alarms = [
        _alarm(service, environment, alarm)
        for alarm in alarms_of(environment)
        # A percentile decides nothing, and the model has no statistics of samples.
        if not isinstance(alarm.settings, OwnAlarm) or not alarm.settings.is_percentile
    ]
    return FailoverGraph(pairs, alarms, list(_probes(service, environment)))


def deciding_pair(service: Service, environment: Environment) -> FailoverGraph:
    """Return the graph of one record pair alone, as all pairs of a service fail over together."""
    graph = deciding_graph(service, environment)
    return FailoverGraph(graph.pairs[:1], graph.alarms, graph.probes)


def predicted(service: Service, environment: Environment, drill: DrillSettings) -> Predicted | None:
    """Predict in whole seconds how soon clients reach the standby; None if they don't move.

    Where an origin is denied, how soon those of the dependency reach the secondary.
    """
    if drill.fault == "deny_origin":
        return _predicted(deciding_graph(service, environment), FaultKind.PRIMARY_LOST, drill)
    if not moves_clients(
        fault_of(environment, drill), pair_of(environment), watched_alarms(environment)
    ):
        return None
    kind = FaultKind.HOST_STOPPED
    if drill.fault == "blackhole":
        kind = FaultKind.DEPENDENCY_BLACKHOLED
    return _predicted(deciding_pair(service, environment), kind, drill)


def _predicted(graph: FailoverGraph, kind: FaultKind, drill: DrillSettings) -> Predicted | None:
    fault = Fault(kind, drill.dependency)
    (verdict,) = failover_times(graph, only=[fault])
    if verdict.total is None:
        return None
    total = verdict.total
    return Predicted(round(total.best), round(total.median), round(total.p95), round(total.worst))


def _dependency_pairs(service: Service, environment: Environment) -> Iterator[Pair]:
    for name, dependency in environment.dependencies.items():
        given = dependency.failover
        if given is None:
            continue
        label = f"{service.service}-{names.primary_of(name)}"
        check: HealthCheck
        if given.decided_by == "hosts":
            alarms = [
                _alarm(service, environment, described)
                for described in alarms_of(environment)
                if described.dependency == names.primary_of(name)
            ]
            check = CalculatedCheck(
                f"{label}-for-any-host",
                tuple(AlarmCheck(each.name, each, InsufficientData.UNHEALTHY) for each in alarms),
                1,
            )
        else:
            check = _endpoint(label, network_names.domain_name(given.primary.dns_name), given.check)
        yield Pair(
            network_names.domain_name(dependency.host),
            "A" if given.is_alias else "CNAME",
            _target(given, given.primary, check),
            _target(given, given.secondary, None),
            environment.assumptions.given,
            name,
        )


def _target(
    given: DependencyFailover, target: DependencyTarget, check: HealthCheck | None
) -> Record:
    name = network_names.domain_name(target.dns_name)
    if not given.is_alias:
        return Record((name,), given.ttl_seconds, check)
    evaluates = network_names.cloudfront_zone(name) is None
    return Record((name,), ALIAS_TTL_SECONDS, check, evaluates_target=evaluates)


def _deciding(service: Service, environment: Environment) -> HealthCheck:
    """Return the deciding health check: the only signal's, or one that combines all signals."""
    signals = [_signal(service, environment, name) for name in environment.failover_on]
    if len(signals) == 1:
        return signals[0]
    active = environment.hosts.of(environment.active)
    return CalculatedCheck(f"{active.name}-all-signals", tuple(signals), len(signals))


def _signal(service: Service, environment: Environment, name: str) -> BasicHealthCheck:
    if name == "endpoint":
        host = environment.hosts.of(environment.active)
        address = next(iter(_values(host).values()))
        return _endpoint(f"{host.name}-endpoint", address, environment.endpoint.check)
    (described,) = (
        alarm
        for alarm in alarms_of(environment)
        if alarm.color == environment.active and alarm.signal == name
    )
    alarm = _alarm(service, environment, described)
    return AlarmCheck(alarm.name, alarm, _SILENCE[alarm.missing])


def _endpoint(label: str, address: str, check: CheckerSettings) -> EndpointCheck:
    kind = check.protocol.upper()
    return EndpointCheck(
        label,
        kind if check.search_text is None else f"{kind}_STR_MATCH",
        address,
        check.interval_seconds,
        check.failure_threshold,
        regions=len(check.regions or ()) or DEFAULT_REGIONS,
    )


def _alarm(service: Service, environment: Environment, described: AlarmDescription) -> Alarm:
    settings, protocol = described.settings, environment.endpoint.check.protocol
    of_aws = described.kind is AlarmKind.STATUS
    namespace = "AWS/EC2" if of_aws else described.namespace or service.metric_namespace
    return Alarm(
        name=described.name,
        metric=Metric(namespace, described.metric, described.dimensions),
        statistic=settings.statistic,
        comparison="LessThanThreshold"
        if described.fires_below
        else "GreaterThanOrEqualToThreshold",
        threshold=float(settings.threshold),
        period_seconds=settings.period_seconds,
        evaluation_periods=settings.evaluation_periods,
        # A rule refuses fewer, as Route 53 can't follow them.
        datapoints_to_alarm=settings.evaluation_periods,
        missing=_MISSING[described.missing_data],
        connects_only=described.kind is AlarmKind.PEER and protocol == "tcp",
    )


def _record(
    environment: Environment, color: Color, value: str, check: HealthCheck | None
) -> Record:
    if environment.hosts.of(color).alias:
        return Record((value,), ALIAS_TTL_SECONDS, check, evaluates_target=True)
    return Record((value,), environment.endpoint.ttl_seconds, check)


def _values(host: Host) -> Mapping[str, str]:
    if host.alias is not None:
        name = network_names.domain_name(host.alias.dns_name)
        return {"A": name, "AAAA": name} if host.alias.ipv6 else {"A": name}
    addresses = [
        network_names.ip_address(each) for each in (host.address, host.ipv6_address) if each
    ]
    return {"AAAA" if network_names.is_ipv6(each) else "A": each for each in addresses}


def _probes(service: Service, environment: Environment) -> Iterator[Probe]:
    probe = environment.probe
    if environment.has_probe and probe.state == "present":
        pace = slowest_pace(probe_configuration(service, environment).rendered())
        assert pace is not None  # noqa: S101 - the model has checked them
        connects_only = environment.has_peers and environment.endpoint.check.protocol == "tcp"
        hosts = sorted(host.name for host in map(environment.hosts.of, COLORS))
        yield Probe(service.metric_namespace, *pace, tuple(hosts) if connects_only else ())
