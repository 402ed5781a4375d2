"""From a service file to what decides its failover, without synthesizing.

The graph is the one that the synthesized templates say; a test holds the two together for any
sound service file.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from resiliency.failover_model.alarm_evaluation import Comparison, Missing
from resiliency.failover_model.graph import (
    ALIAS_TTL_SECONDS,
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
from resiliency.failover_model.route53 import InsufficientData
from resiliency.service_file.model import (
    ConnectivityAlarmSettings,
    Environment,
    Host,
    MissingDataName,
    PeerAlarmSettings,
    Service,
    StatusAlarmSettings,
)
from staged_resiliency.shared import names, validation
from staged_resiliency.shared.hosts import COLORS, Color, other

_MISSING: Final[Mapping[MissingDataName, Missing]] = {
    "cloudwatch_default": Missing.MISSING,
    "breaching": Missing.BREACHING,
    "not_breaching": Missing.NOT_BREACHING,
    "ignore": Missing.IGNORE,
}
# As the library's health checks take the silence of their alarms.
_SILENCE: Final[Mapping[Missing, InsufficientData]] = {
    Missing.MISSING: InsufficientData.UNHEALTHY,
    Missing.BREACHING: InsufficientData.UNHEALTHY,
    Missing.NOT_BREACHING: InsufficientData.HEALTHY,
    Missing.IGNORE: InsufficientData.LAST_KNOWN_STATUS,
}
_SILENT_PERIODS: Final = 3


def deciding_graph(service: Service, environment: Environment) -> FailoverGraph:
    """What decides the failover of a service in an environment.

    Args:
        service: The service.
        environment: One of its environments, as it is or as it might be.
    """
    check = _deciding(service, environment)
    active, standby = environment.active, other(environment.active)
    primary = _values(environment.hosts.of(active))
    secondary = _values(environment.hosts.of(standby))
    pairs = [
        Pair(
            validation.domain_name(environment.endpoint.record),
            kind,
            _record(environment, active, value, check),
            _record(environment, standby, secondary[kind], None),
        )
        for kind, value in primary.items()
    ]
    return FailoverGraph(
        pairs, list(_alarms(service, environment)), list(_probes(service, environment))
    )


def deciding_pair(service: Service, environment: Environment) -> FailoverGraph:
    """The same of one record pair alone, as all of a service decide alike."""
    graph = deciding_graph(service, environment)
    return FailoverGraph(graph.pairs[:1], graph.alarms, graph.probes)


def _deciding(service: Service, environment: Environment) -> HealthCheck:
    """One signal decides by itself; several must all be well."""
    signals = [_signal(service, environment, name) for name in environment.failover_on]
    if len(signals) == 1:
        return signals[0]
    return CalculatedCheck(f"{service.service}-all-signals", tuple(signals), len(signals))


def _signal(service: Service, environment: Environment, name: str) -> BasicHealthCheck:
    if name == "endpoint":
        return _endpoint(environment)
    if name == "status":
        alarm = _status_alarm(environment, environment.active)
    elif name == "peer":
        alarm = _peer_alarm(service, environment, environment.active)
    else:
        alarm = _connectivity_alarm(service, environment, name, environment.active)
    return AlarmCheck(alarm.name, alarm, _SILENCE[alarm.missing])


def _endpoint(environment: Environment) -> EndpointCheck:
    check = environment.endpoint.check
    host = environment.hosts.of(environment.active)
    kind = check.protocol.upper()
    return EndpointCheck(
        f"{host.name}-endpoint",
        kind if check.search_text is None else f"{kind}_STR_MATCH",
        validation.domain_name(host.alias.dns_name)
        if host.alias
        else validation.ip_address(host.address or ""),
        check.interval_seconds,
        check.failure_threshold,
    )


def _alarms(service: Service, environment: Environment) -> Iterator[Alarm]:
    """All alarms of its stacks, in their order."""
    if environment.has_probe and environment.probe.state == "present":
        for color in COLORS:
            yield _silent_alarm(service, environment, color)
    for name in environment.dependencies:
        for color in COLORS:
            yield _connectivity_alarm(service, environment, name, color)
    if environment.has_peers:
        for color in COLORS:
            yield _peer_alarm(service, environment, color)
    for color in COLORS:
        if environment.hosts.of(color).instance_id is not None:
            yield _status_alarm(environment, color)


def _status_alarm(environment: Environment, color: Color) -> Alarm:
    host = environment.hosts.of(color)
    return _alarm(
        names.status_alarm(host.name),
        Metric("AWS/EC2", "StatusCheckFailed", (("InstanceId", host.instance_id or ""),)),
        environment.status_alarm,
        "GreaterThanOrEqualToThreshold",
        Missing.BREACHING,
    )


def _connectivity_alarm(
    service: Service, environment: Environment, dependency: str, color: Color
) -> Alarm:
    host = environment.hosts.of(color).name
    settings = environment.dependencies[dependency].alarm
    return _alarm(
        names.connectivity_alarm(host, dependency),
        Metric(service.metric_namespace, names.connectivity_metric(dependency), (("Host", host),)),
        settings,
        "LessThanThreshold",
        _MISSING[settings.missing_data],
    )


def _peer_alarm(service: Service, environment: Environment, color: Color) -> Alarm:
    host, observer = (environment.hosts.of(each).name for each in (color, other(color)))
    return _alarm(
        names.peer_alarm(host),
        Metric(
            service.metric_namespace, names.PEER_METRIC, (("Host", host), ("Observer", observer))
        ),
        environment.peer_alarm,
        "LessThanThreshold",
        Missing.NOT_BREACHING,
    )


def _silent_alarm(service: Service, environment: Environment, color: Color) -> Alarm:
    host = environment.hosts.of(color).name
    return _alarm(
        names.probe_silent_alarm(host),
        Metric(service.metric_namespace, names.HEARTBEAT_METRIC, (("Host", host),)),
        StatusAlarmSettings(statistic="Sum", evaluation_periods=_SILENT_PERIODS),
        "LessThanThreshold",
        Missing.BREACHING,
    )


def _alarm(
    name: str,
    metric: Metric,
    settings: StatusAlarmSettings | ConnectivityAlarmSettings | PeerAlarmSettings,
    comparison: Comparison,
    missing: Missing,
) -> Alarm:
    return Alarm(
        name=name,
        metric=metric,
        statistic=settings.statistic,
        comparison=comparison,
        threshold=float(settings.threshold),
        period_seconds=settings.period_seconds,
        evaluation_periods=settings.evaluation_periods,
        # Fewer are refused, as Route 53 could not follow.
        datapoints_to_alarm=settings.evaluation_periods,
        missing=missing,
    )


def _record(
    environment: Environment, color: Color, value: str, check: HealthCheck | None
) -> Record:
    if environment.hosts.of(color).alias:
        return Record((value,), ALIAS_TTL_SECONDS, check, evaluates_target=True)
    return Record((value,), environment.endpoint.ttl_seconds, check)


def _values(host: Host) -> Mapping[str, str]:
    """What its records hold, by their type."""
    if host.alias is not None:
        name = validation.domain_name(host.alias.dns_name)
        return {"A": name, "AAAA": name} if host.alias.ipv6 else {"A": name}
    addresses = [validation.ip_address(each) for each in (host.address, host.ipv6_address) if each]
    return {"AAAA" if ":" in each else "A": each for each in addresses}


def _probes(service: Service, environment: Environment) -> Iterator[Probe]:
    probe = environment.probe
    if environment.has_probe and probe.state == "present":
        yield Probe(
            service.metric_namespace, float(probe.interval_seconds), float(probe.timeout_seconds)
        )
