"""Describes a failover's alarms for drills: what each watches, and whether it decides."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from aws_cdk import aws_cloudwatch as cloudwatch

from staged_resiliency.drills.alarm_effects import AlarmKind, WatchedAlarm
from staged_resiliency.failover.alarms import (
    ConnectivityAlarm,
    InstanceStatusAlarm,
    MissingData,
    SignalAlarm,
)
from staged_resiliency.failover.health_checks import STATUS_WITHOUT_DATA, InsufficientData
from staged_resiliency.failover.instance_failover import InstanceFailover
from staged_resiliency.failover.signals import AlarmSignal, EndpointSignal, StatusSignal
from staged_resiliency.probe.configuration import ProbeConfiguration
from staged_resiliency.probe.probe_alarms import LatencyAlarm, PeerAlarm, ProbeSilentAlarm
from staged_resiliency.probe.target_checks import DnsCheck
from staged_resiliency.shared import names
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.hosts import COLORS
from staged_resiliency.shared.literals import wrong_type

AnyAlarm: TypeAlias = SignalAlarm | LatencyAlarm | cloudwatch.IAlarm
"""An alarm of a service: one of this package, or one of the CDK."""

_BY_HAND: Final = "use DrillTarget(...) itself, and give each Drill its guards and hypothesis"


def watched_alarms(
    failover: InstanceFailover, others: Sequence[AnyAlarm], probe: ProbeConfiguration | None
) -> Sequence[WatchedAlarm | str]:
    """The alarms of a failover, and others of the same service.

    Of an alarm of which nobody knows how a fault affects it the name alone is returned.

    Raises:
        InvalidInputError: It is not known how a fault affects a signal; or an alarm is on another
            host, or on what the probe does not measure.
    """
    deciding = dict(_deciding(failover))
    alarms = {id(each): each for each in (*failover.status_alarms.values(), *deciding, *others)}
    found: list[WatchedAlarm | str] = []
    for alarm in alarms.values():
        if not hasattr(alarm, "alarm_name"):
            raise wrong_type("DrillTarget", "alarms", alarm, "alarms, such as a ConnectivityAlarm")
        watched = _watched(failover, alarm, probe)
        status = deciding.get(alarm)
        if status is not None and watched is None:
            raise InvalidInputError(
                f"DrillTarget: failover: {alarm.alarm_name} decides the failover, but how a fault "
                f"affects it is not known; {_BY_HAND}"
            )
        if status is not None and watched is not None:
            is_health = status is not InsufficientData.UNHEALTHY
            watched = replace(watched, decides=True, silence_is_health=is_health)
        found.append(alarm.alarm_name if watched is None else watched)
    return found


def _deciding(failover: InstanceFailover) -> Iterator[tuple[AnyAlarm, InsufficientData]]:
    """Yield the alarms of the signals, each with the status of a health check without its data."""
    for signal in failover.signals:
        match signal:
            case StatusSignal():
                for alarm in failover.status_alarms.values():
                    yield alarm, InsufficientData.UNHEALTHY
            case AlarmSignal():
                for each in (signal.alarms[color] for color in COLORS if color in signal.alarms):
                    missing = getattr(each, "missing_data", MissingData.CLOUDWATCH_DEFAULT)
                    yield each, signal.insufficient_data or STATUS_WITHOUT_DATA[missing]
            case EndpointSignal():
                pass  # it has no alarm
            case _:
                raise InvalidInputError(
                    f"DrillTarget: failover: how a fault affects the signal {signal.name!r} is not "
                    f"known; {_BY_HAND}"
                )


def _watched(
    failover: InstanceFailover, alarm: AnyAlarm, probe: ProbeConfiguration | None
) -> WatchedAlarm | None:
    """Describe an alarm; None where it is not known how a fault affects it."""
    match alarm:
        case InstanceStatusAlarm():
            own = [each for each, found in failover.status_alarms.items() if found is alarm]
            host, kind = (failover.hosts[own[0]].name if own else None), AlarmKind.STATUS
        case ConnectivityAlarm():
            host, kind = alarm.rule.dimensions["Host"], AlarmKind.DEPENDENCY
        case PeerAlarm():
            host, kind = alarm.rule.dimensions["Host"], AlarmKind.PEER
        case ProbeSilentAlarm():
            host, kind = alarm.rule.dimensions["Host"], AlarmKind.PROBE
        case _:
            return None
    hosts = [each.name for each in failover.hosts.values()]
    if host not in hosts:
        raise InvalidInputError(
            f"DrillTarget: alarms: {alarm.alarm_name} is on {host or 'another instance'}, which is "
            f"no host of the failover; give alarms on {' and '.join(hosts)}"
        )
    watched = WatchedAlarm(
        alarm.alarm_name,
        kind,
        host,
        fires_on_silence=alarm.missing_data is MissingData.BREACHING,
        period_seconds=alarm.rule.period_seconds,
        evaluation_periods=alarm.rule.evaluation_periods,
        good_periods=alarm.rule.evaluation_periods - alarm.datapoints_to_alarm + 1,
    )
    return _measured(watched, alarm.rule.metric_name, probe)


def _measured(watched: WatchedAlarm, metric: str, probe: ProbeConfiguration | None) -> WatchedAlarm:
    """Add what the probe's configuration says of the samples that an alarm evaluates."""
    if probe is None or watched.watches in (AlarmKind.STATUS, AlarmKind.PROBE):
        return watched
    checks = {names.connectivity_metric(name): name for name in probe.dependencies}
    name = checks.get(metric)
    check = probe.peers.get(watched.host) if name is None else probe.dependencies[name]
    if check is None:
        raise InvalidInputError(
            f"DrillTarget: probe: it does not measure what {watched.name} watches; give the "
            "configuration of the probe on these hosts"
        )
    interval = check.interval_seconds or probe.interval_seconds
    timeout = check.timeout_seconds or probe.timeout_seconds
    return replace(
        watched,
        dependency=name,
        port=getattr(check, "port", None),
        address=None if isinstance(check, DnsCheck) else getattr(check, "host", None),
        sample_seconds=interval + timeout,
    )
