"""The hypothesis of a drill, derived from its fault and the alarms of the service."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from staged_resiliency.drills.alarm_effects import AlarmEffect, AlarmKind, WatchedAlarm
from staged_resiliency.drills.faults import DegradeDependency, DenyOrigin, Fault
from staged_resiliency.drills.runtime.fault_settings import FaultKind
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsFast,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsServedAgain,
    ClientsStay,
    Expectation,
    Hypothesis,
    during_fault,
    time_limit,
)
from staged_resiliency.shared import time_limits

SPARE_MINUTES: Final = 15
"""How much longer than a drill needs its fault may last without a reason."""

UNKNOWN_ALARM_SECONDS: Final = time_limits.fires_by_failing(60, 2, sample_seconds=15)
"""How long after a failover of a database its alarms may fire, where only their names are known."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two hosts behind the failover record.

    Attributes:
        active: Name of the host that serves while all is well.
        endpoint_decides: Whether Route 53's own checkers ask the active host.
    """

    record: str
    active: str
    standby: str
    ttl_seconds: int
    endpoint_decides: bool = False


def moves_clients(fault: Fault, pair: Pair, alarms: Sequence[WatchedAlarm]) -> bool:
    """Whether a deciding signal shows the active host unhealthy, so clients move to the standby."""
    if (
        fault.kind is FaultKind.STOP_INSTANCE
        and fault.host_name == pair.active
        and pair.endpoint_decides
    ):
        return True
    return any(
        alarm.host == pair.active and alarm.moves_clients(fault.effect_on(alarm))
        for alarm in alarms
    )


def contradiction(
    fault: Fault, pair: Pair, alarms: Sequence[WatchedAlarm]
) -> tuple[Literal["host", "fault"], str] | None:
    """The setting (host or fault) for which a drill can't test the failover, and the reason."""
    moves = moves_clients(fault, pair, alarms)
    if moves and fault.host_name == pair.standby:
        return "host", (
            "breaks the standby but moves clients to it: the standby checks the active host "
            f"{'at the same address' if fault.port is None else f'on the same port {fault.port}'}, "
            "and failover_on has 'peer'; break the active host"
        )
    if fault.kind is FaultKind.STOP_INSTANCE and fault.host_name == pair.active and not moves:
        return "fault", (
            "would stop the active host while no signal of failover_on treats missing data as "
            "failure, so clients would stay with it; add 'status' to failover_on"
        )
    lost = fault.lost_by_both
    for alarm in alarms:
        decides = bool(lost) and alarm.decides and alarm.host == pair.active
        if decides and fault.reaches(alarm) and alarm.may_fire_within(fault.seconds) is not None:
            reason = (
                f"would send clients to {pair.standby}, which loses {lost} too: {alarm.name} "
                "decides the failover, and may fire in the "
            )
            remove = f"remove {alarm.dependency or 'it'} from failover_on"
            if fault.database is None:
                return "fault", f"{reason}{fault.seconds} s of the fault; {remove}"
            return "fault", (
                f"{reason}{fault.seconds} s that a failover of the database may take; {remove}, or "
                f"let the alarm wait with evaluation_periods: {alarm.periods_of(fault.seconds) + 1}"
            )
    return None


def hypothesis(fault: Fault, pair: Pair, alarms: Sequence[WatchedAlarm]) -> Hypothesis:
    """Derive all expectations of a drill.

    For a stopped host: clients reach the standby within the objective, or stay where they are if
    the standby was stopped. For a blackhole: the alarms on what is cut off fire within their time
    limits, on that host only, and recover; clients move where one of these alarms decides, and are
    served throughout where none does. For a database that fails over: clients stay, and are served
    again within the objective; alarms that may fire on either host recover. For a distribution
    without its origin: its clients reach the secondary within the objective and return, and those
    of the service stay and are served.
    Every other alarm stays quiet, except those of a stopped host, which may or may not fire while
    it starts again.
    """
    return tuple(_expectations(fault, pair, alarms))


def _expectations(
    fault: Fault, pair: Pair, alarms: Sequence[WatchedAlarm]
) -> Iterator[Expectation]:
    fires = dict(firing(fault, alarms))
    if isinstance(fault, DenyOrigin):
        yield ClientsMove(fault.record_name, fault.secondary)
        yield ClientsReturn(fault.record_name, fault.primary, fault.returns_within)
    if moves_clients(fault, pair, alarms):
        deciding = [alarm for alarm in alarms if alarm.decides and alarm.host == pair.active]
        slowest = max(
            (alarm.recovers_within(fault.start_seconds) for alarm in deciding),
            default=time_limits.recovers(60, start_seconds=fault.start_seconds),
        )
        yield ClientsMove(pair.record, pair.standby)
        yield ClientsReturn(
            pair.record, pair.active, time_limits.clients_return(slowest, pair.ttl_seconds)
        )
    else:
        yield ClientsStay(pair.record, pair.active)
        if fault.database is not None:
            yield ClientsServedAgain(pair.record)
        # What cuts off a dependency leaves the way from clients to the host open.
        elif fault.host_name != pair.active or fault.kind is not FaultKind.STOP_INSTANCE:
            yield ClientsServed(pair.record)
        if isinstance(fault, DegradeDependency):
            yield ClientsFast(pair.record, fault.response_milliseconds / 1000)
    for alarm, within in fires.items():
        yield AlarmFires(alarm.name, within)
        yield AlarmRecovers(alarm.name, alarm.recovers_within(fault.start_seconds))
    for alarm in alarms:
        mine = alarm.host == fault.host_name
        comes_up = mine and fault.kind is FaultKind.STOP_INSTANCE
        # Without the port of CloudWatch a metric that the host itself publishes falls silent.
        unknown = mine and alarm.watches is AlarmKind.OTHER and fault.silences
        if fault.effect_on(alarm) is AlarmEffect.MAY_FAIL:
            yield AlarmRecovers(alarm.name, alarm.recovers_within(fault.start_seconds))
        elif alarm not in fires and not comes_up and not unknown:
            yield AlarmQuiet(alarm.name)


def observed_seconds(fault: Fault, alarms: Sequence[WatchedAlarm]) -> int:
    """The seconds that the fault must last so that every alarm expected to fire has fired.

    Where a dependency is degraded, so that its alarms would have fired if its checks had failed.
    """
    slowest = max((within for _, within in firing(fault, alarms)), default=0)
    quiet = [
        alarm.fires_within(AlarmEffect.FAILS) or 0
        for alarm in alarms
        if isinstance(fault, DegradeDependency) and alarm.host == fault.host_name
        if fault.reaches(alarm)
    ]
    return max(0, slowest - fault.set_up_seconds, *quiet)


def alarms_seconds(fault: Fault, alarms: Iterable[WatchedAlarm]) -> int:
    """The seconds from a fault within which alarms fire that it may, but need not, fire."""
    found = [
        alarm.may_fire_within(fault.seconds) or 0
        for alarm in alarms
        if fault.effect_on(alarm) is AlarmEffect.MAY_FAIL
    ]
    return max(found, default=UNKNOWN_ALARM_SECONDS)


def longest_minutes(expected: Iterable[Expectation], objective_seconds: float) -> int:
    """The minutes that a fault may last without a reason: what the drill needs, and a margin."""
    limits = [time_limit(each, objective_seconds) for each in during_fault(expected)]
    return math.ceil(max(limits, default=0) / 60) + SPARE_MINUTES


def firing(fault: Fault, alarms: Iterable[WatchedAlarm]) -> Iterator[tuple[WatchedAlarm, int]]:
    """The alarms that the fault is expected to fire, each with the most seconds that it takes.

    Seconds count from the start of FIS's action, as in a drill.
    """
    for alarm in (*alarms, *fault.own_alarms):
        within = alarm.fires_within(fault.effect_on(alarm))
        if within is not None:
            yield alarm, fault.set_up_seconds + within


def guards(fault: Fault, alarms: Sequence[WatchedAlarm], most: int) -> Sequence[WatchedAlarm]:
    """The alarms, ``most`` at most, that stop the fault: those that show the other host's health.

    First those on the host itself (its status checks, its probe), or on both hosts where a database
    fails over, then whether it answers the
    broken host, where that can still ask and publish, then those on what the fault cuts off, then
    those on the dependencies that decide failover. Never one that the fault is expected to fire,
    and none whose data it stops.
    """
    meant = {alarm.name for alarm, _ in firing(fault, alarms)}
    well = [
        (rank, alarm)
        for alarm in alarms
        if not fault.breaks(alarm.host) and alarm.name not in meant
        for rank in [_rank(fault, alarm)]
        if rank is not None
    ]
    return [alarm for _, alarm in sorted(well, key=lambda each: each[0])][:most]


def _rank(fault: Fault, alarm: WatchedAlarm) -> int | None:
    if fault.effect_on(alarm) is not AlarmEffect.NONE:
        return None
    if alarm.watches in (AlarmKind.STATUS, AlarmKind.PROBE):
        return 0
    if alarm.watches is AlarmKind.PEER or alarm.is_guard:
        return 1
    if fault.reaches(alarm):
        return 2
    return 3 if alarm.decides else None
