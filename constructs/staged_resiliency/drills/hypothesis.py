"""The hypothesis of a drill, derived from its fault and the alarms of the service."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from staged_resiliency.drills.alarm_effects import FaultEffect, WatchedAlarm, firing
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
    Expectation,
    Hypothesis,
    time_limit,
)
from staged_resiliency.shared import time_limits

SPARE_MINUTES: Final = 15
"""How much longer than a drill needs its fault may last without a reason."""


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


def moves_clients(fault: FaultEffect, pair: Pair, alarms: Sequence[WatchedAlarm]) -> bool:
    """Whether a deciding signal shows the active host unhealthy, so clients move to the standby."""
    if fault.kind == "stop_instance" and fault.host == pair.active and pair.endpoint_decides:
        return True
    return any(
        alarm.host == pair.active and alarm.moves_clients(fault.effect_on(alarm))
        for alarm in alarms
    )


def contradiction(
    fault: FaultEffect, pair: Pair, alarms: Sequence[WatchedAlarm]
) -> tuple[Literal["host", "fault"], str] | None:
    """Why a drill would show nothing of the failover: what of it is wrong, and the reason."""
    moves = moves_clients(fault, pair, alarms)
    if moves and fault.host == pair.standby:
        return "host", (
            "breaks the standby but moves clients to it: the standby checks the active host on "
            f"the same port {fault.port}, and failover_on has 'peer'; break the active host"
        )
    if fault.kind == "stop_instance" and fault.host == pair.active and not moves:
        return "fault", (
            "would stop the active host while no signal of failover_on treats missing data as "
            "failure, so clients would stay with it; add 'status' to failover_on"
        )
    return None


def hypothesis(fault: FaultEffect, pair: Pair, alarms: Sequence[WatchedAlarm]) -> Hypothesis:
    """Derive all expectations of a drill.

    For a stopped host: clients reach the standby within the objective, or stay where they are if
    the standby was stopped. For a blackhole: the alarms on what is cut off fire within their time
    limits, on that host only, and recover; clients move where one of these alarms decides, and are
    served throughout where none does.
    Every other alarm stays quiet, except those of a stopped host, which may or may not fire while
    it starts again.
    """
    return tuple(_expectations(fault, pair, alarms))


def _expectations(
    fault: FaultEffect, pair: Pair, alarms: Sequence[WatchedAlarm]
) -> Iterator[Expectation]:
    fires = dict(firing(fault, alarms))
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
        # A blackhole leaves the way from clients to the host open.
        if fault.host != pair.active or fault.kind == "blackhole":
            yield ClientsServed(pair.record)
    for alarm, within in fires.items():
        yield AlarmFires(alarm.name, within)
        yield AlarmRecovers(alarm.name, alarm.recovers_within(fault.start_seconds))
    for alarm in alarms:
        comes_up = fault.kind == "stop_instance" and alarm.host == fault.host
        if alarm not in fires and not comes_up:
            yield AlarmQuiet(alarm.name)


def observed_seconds(fault: FaultEffect, alarms: Sequence[WatchedAlarm]) -> int:
    """The seconds that the fault must last so that every alarm expected to fire has fired."""
    slowest = max((within for _, within in firing(fault, alarms)), default=0)
    return max(0, slowest - fault.set_up_seconds)


def longest_minutes(expected: Iterable[Expectation], objective_seconds: float) -> int:
    """The minutes that a fault may last without a reason: what the drill needs, and some more."""
    limits = [
        time_limit(each, objective_seconds)
        for each in expected
        if isinstance(each, (ClientsMove, AlarmFires))
    ]
    return math.ceil(max(limits, default=0) / 60) + SPARE_MINUTES
