"""All alarms of an environment, each described once: what it measures, and when it fires."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from resiliency.service_file.model.alarms import (
    AlarmSettings,
    MissingDataName,
    OwnAlarm,
    StatusAlarmSettings,
)
from resiliency.service_file.model.service import Environment
from staged_resiliency.drills.alarm_effects import AlarmKind
from staged_resiliency.probe.configuration import DEFAULT_SILENT_PERIODS
from staged_resiliency.shared import names, network_names
from staged_resiliency.shared.hosts import COLORS, Color, other

_SILENCE: Final = StatusAlarmSettings(statistic="Sum", evaluation_periods=DEFAULT_SILENT_PERIODS)


@dataclass(frozen=True, slots=True)
class AlarmDescription:
    """One alarm of an environment.

    Attributes:
        color: The host that is unhealthy when it fires; the active one for an alarm on neither.
        host: Its name; empty for an alarm on neither.
        metric: Name of the metric.
        namespace: Of the metric; None for the service's, in which the probe publishes.
        dimensions: Pairs of name and value.
        fires_below: Whether values below the threshold breach; else those at or above it.
        settings: Statistic, threshold, period and evaluation periods.
        missing_data: How a period without data is treated.
        signal: Its name in failover_on; None for the alarm on a silent probe, which is no signal.
        decides: Whether failover_on has the signal, so that clients leave the host when it fires.
        port: The port that the probe connects to, for connectivity and peer alarms.
        address: The name or address that it connects to; None where it queries DNS.
    """

    kind: AlarmKind
    color: Color
    host: str
    name: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    fires_below: bool
    settings: AlarmSettings | OwnAlarm
    missing_data: MissingDataName
    signal: str | None = None
    decides: bool = False
    port: int | None = None
    address: str | None = None
    namespace: str | None = None

    @property
    def dependency(self) -> str | None:
        """Short name of the dependency; None for an alarm of another kind."""
        return self.signal if self.kind is AlarmKind.DEPENDENCY else None


def alarms_of(environment: Environment) -> Sequence[AlarmDescription]:
    """Return the alarms of all stacks of an environment, in a fixed order."""
    return [
        *(alarm for color in COLORS for alarm in _alarms_on(environment, color)),
        *(alarm for name in environment.all_alarms for alarm in own_alarms(environment, name)),
    ]


def own_alarms(environment: Environment, name: str) -> Iterator[AlarmDescription]:
    """Yield the alarms that an entry of ``all_alarms`` makes: one for each host, or one."""
    own = environment.all_alarms[name]
    for color in COLORS if own.metric.of_each_host else (environment.active,):
        host = environment.hosts.of(color) if own.metric.of_each_host else None
        dimensions = {
            key: value.replace("{host}", host.name).replace("{instance_id}", host.instance_id or "")
            if host
            else value
            for key, value in own.metric.dimensions.items()
        }
        yield AlarmDescription(
            AlarmKind.OTHER,
            color,
            host.name if host else "",
            names.own_alarm(host.name if host else environment.endpoint.record, name),
            own.metric.name,
            tuple(dimensions.items()),
            fires_below=own.below is not None,
            settings=own,
            missing_data=own.missing_data,
            signal=name,
            decides=name in environment.failover_on,
            namespace=own.metric.namespace,
        )


def _alarms_on(environment: Environment, color: Color) -> Iterator[AlarmDescription]:
    described, deciding = environment.hosts.of(color), environment.failover_on
    host = described.name
    if described.instance_id is not None:
        yield AlarmDescription(
            AlarmKind.STATUS,
            color,
            host,
            names.status_alarm(host),
            "StatusCheckFailed",
            (("InstanceId", described.instance_id),),
            fires_below=False,
            settings=environment.status_alarm,
            missing_data="breaching",
            signal="status",
            decides="status" in deciding,
        )
    for name, dependency in environment.measured.items():
        yield AlarmDescription(
            AlarmKind.DEPENDENCY,
            color,
            host,
            names.connectivity_alarm(host, name),
            names.connectivity_metric(name),
            (("Host", host),),
            fires_below=True,
            settings=dependency.alarm,
            missing_data=dependency.alarm.missing_data,
            signal=name,
            decides=name in deciding,
            port=dependency.checked_port,
            address=dependency.checked_address,
        )
    if environment.has_peers:
        observer = environment.hosts.of(other(color)).name
        yield AlarmDescription(
            AlarmKind.PEER,
            color,
            host,
            names.peer_alarm(host),
            names.PEER_METRIC,
            (("Host", host), ("Observer", observer)),
            fires_below=True,
            settings=environment.peer_alarm,
            missing_data="not_breaching",
            signal="peer",
            decides="peer" in deciding,
            port=environment.endpoint.serving_port,
            address=network_names.dns_name_or_address(described.peer_check_address),
        )
    if environment.has_probe and environment.probe.state == "present":
        yield AlarmDescription(
            AlarmKind.PROBE,
            color,
            host,
            names.probe_silent_alarm(host),
            names.HEARTBEAT_METRIC,
            (("Host", host),),
            fires_below=True,
            settings=_SILENCE,
            missing_data="breaching",
        )
