"""From a service file to what its drills break, expect and are stopped by."""

from collections.abc import Iterator, Sequence

from resiliency.service_file.drill_model import DrillSettings
from resiliency.service_file.model import Dependency, Environment, Host
from staged_resiliency.drills.alarm_effects import AlarmKind, FaultEffect, WatchedAlarm, guards
from staged_resiliency.drills.hypothesis import Pair, hypothesis
from staged_resiliency.experiment.expectations import Hypothesis
from staged_resiliency.shared import limits, names
from staged_resiliency.shared.hosts import COLORS, Color, other

# What the probe's alarms on its own silence are made with.
_SILENT_PERIODS = 3
_STANDARD_PORTS = {"http": 80, "https": 443, "dns": 53}


def port_of(dependency: Dependency) -> int:
    """The port at which a dependency is asked."""
    return dependency.port or _STANDARD_PORTS.get(dependency.check.protocol, 0)


def broken_color(environment: Environment, drill: DrillSettings) -> Color:
    """The colour of the host that a drill breaks."""
    active = environment.active
    return active if drill.host == "active" else other(active)


def broken_host(environment: Environment, drill: DrillSettings) -> Host:
    """The host that a drill breaks."""
    return environment.hosts.of(broken_color(environment, drill))


def fault_of(environment: Environment, drill: DrillSettings) -> FaultEffect:
    """What a drill breaks, as far as alarms show it."""
    port = None
    if drill.dependency is not None:
        port = port_of(environment.dependencies[drill.dependency])
    return FaultEffect(drill.fault, broken_host(environment, drill).name, port)


def objective_of(environment: Environment) -> int:
    """Within how many seconds drills expect clients on the standby."""
    own = environment.drills.objective_seconds if environment.drills is not None else None
    if own is not None:
        return own
    assert environment.objective is not None  # noqa: S101 - a rule asks for one of both
    return environment.objective.recovery_time_seconds


def pair_of(environment: Environment) -> Pair:
    """Who serves clients, in an environment with drills."""
    hosts, active = environment.hosts, environment.active
    return Pair(
        record=environment.endpoint.record,
        active=hosts.of(active).name,
        standby=hosts.of(other(active)).name,
        ttl_seconds=environment.endpoint.ttl_seconds,
        objective_seconds=objective_of(environment),
        endpoint_decides="endpoint" in environment.failover_on,
    )


def alarms_of(environment: Environment) -> Sequence[WatchedAlarm]:
    """The alarms of an environment, as drills see them."""
    return [alarm for color in COLORS for alarm in _alarms_on(environment, color)]


def _alarms_on(environment: Environment, color: Color) -> Iterator[WatchedAlarm]:
    host = environment.hosts.of(color)
    deciding = environment.failover_on
    sample_seconds = environment.probe.interval_seconds + environment.probe.timeout_seconds
    if host.instance_id is not None:
        status = environment.status_alarm
        yield WatchedAlarm(
            names.status_alarm(host.name),
            AlarmKind.STATUS,
            host.name,
            decides="status" in deciding,
            fires_on_silence=True,
            period_seconds=status.period_seconds,
            evaluation_periods=status.evaluation_periods,
        )
    for name, dependency in environment.dependencies.items():
        settings = dependency.alarm
        yield WatchedAlarm(
            names.connectivity_alarm(host.name, name),
            AlarmKind.DEPENDENCY,
            host.name,
            dependency=name,
            port=port_of(dependency),
            decides=name in deciding,
            fires_on_silence=settings.missing_data == "breaching",
            silence_is_health=settings.missing_data in ("not_breaching", "ignore"),
            period_seconds=settings.period_seconds,
            evaluation_periods=settings.evaluation_periods,
            sample_seconds=sample_seconds,
        )
    if environment.has_peers:
        yield WatchedAlarm(
            names.peer_alarm(host.name),
            AlarmKind.PEER,
            host.name,
            port=environment.endpoint.serving_port,
            decides="peer" in deciding,
            silence_is_health=True,
            period_seconds=environment.peer_alarm.period_seconds,
            evaluation_periods=environment.peer_alarm.evaluation_periods,
            sample_seconds=sample_seconds,
        )
    if environment.has_probe and environment.probe.state == "present":
        yield WatchedAlarm(
            names.probe_silent_alarm(host.name),
            AlarmKind.PROBE,
            host.name,
            fires_on_silence=True,
            evaluation_periods=_SILENT_PERIODS,
        )


def guards_of(environment: Environment, drill: DrillSettings) -> Sequence[str]:
    """Names of the alarms that stop a drill; none where the other host is not watched."""
    found = guards(fault_of(environment, drill), alarms_of(environment), limits.MAX_STOP_CONDITIONS)
    return [alarm.name for alarm in found]


def hypothesis_of(environment: Environment, drill: DrillSettings) -> Hypothesis:
    """All that is expected of a drill."""
    return hypothesis(
        fault_of(environment, drill),
        pair_of(environment),
        alarms_of(environment),
    )
