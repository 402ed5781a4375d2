"""What is expected of a drill, from its fault and the alarms of the service."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from staged_resiliency.drills import bounds
from staged_resiliency.drills.watched import FaultOf, WatchedAlarm, firing
from staged_resiliency.experiment.hypothesis import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
    Expectation,
    Hypothesis,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Who serves clients, and how fast they must be served again.

    Attributes:
        record: DNS name that clients use.
        active: Name of the host that serves while all is well.
        standby: Name of the other one.
        ttl_seconds: TTL of the record.
        objective_seconds: Clients reach the standby within so many seconds.
        moves_on_stop: Whether any deciding signal shows that the active host stopped.
    """

    record: str
    active: str
    standby: str
    ttl_seconds: int
    objective_seconds: float
    moves_on_stop: bool = True


def moves_clients(fault: FaultOf, pair: Pair, alarms: Sequence[WatchedAlarm]) -> bool:
    """Whether the fault is one at which clients go to the standby.

    A signal that decides and falls silent counts as unhealthy, whether its alarm fires or not, so
    a stopped host moves clients whatever decides.
    """
    if fault.host != pair.active:
        return any(alarm.decides for alarm, _ in firing(fault, alarms))
    if fault.kind == "stop_instance":
        return pair.moves_on_stop
    return any(
        alarm.decides and fault.effect_on(alarm).value != "none" and alarm.host == fault.host
        for alarm in alarms
    )


def hypothesis(fault: FaultOf, pair: Pair, alarms: Sequence[WatchedAlarm]) -> Hypothesis:
    """All that is expected of a drill.

    Of a stopped host: clients reach the standby within the objective, or stay where they are if
    it was the standby that stopped. Of a blackhole: the alarms that watch what is cut off fire
    within their bounds, on that host only, and recover; clients move where one of them decides.
    Every other alarm stays quiet, but for those of a stopped host, which may fire or not
    while it comes up again.
    """
    return tuple(_expectations(fault, pair, alarms))


def _expectations(
    fault: FaultOf, pair: Pair, alarms: Sequence[WatchedAlarm]
) -> Iterator[Expectation]:
    fires = dict(firing(fault, alarms))
    if moves_clients(fault, pair, alarms):
        deciding = [alarm for alarm in alarms if alarm.decides and alarm.host == fault.host]
        slowest = max(
            (alarm.recovers_within(fault.start_seconds) for alarm in deciding),
            default=bounds.recovers(60, start_seconds=fault.start_seconds),
        )
        yield ClientsMove(pair.record, pair.standby, pair.objective_seconds)
        yield ClientsReturn(
            pair.record, pair.active, bounds.clients_return(slowest, pair.ttl_seconds)
        )
    else:
        yield ClientsStay(pair.record, pair.active)
        if fault.host != pair.active:
            yield ClientsServed(pair.record)
    for alarm, within in fires.items():
        yield AlarmFires(alarm.name, within)
        yield AlarmRecovers(alarm.name, alarm.recovers_within(fault.start_seconds))
    for alarm in alarms:
        comes_up = fault.kind == "stop_instance" and alarm.host == fault.host
        if alarm not in fires and not comes_up:
            yield AlarmQuiet(alarm.name)


def observed_seconds(fault: FaultOf, alarms: Sequence[WatchedAlarm]) -> int:
    """How long the fault must last for every alarm that it is meant to fire to have fired."""
    return max((within for _, within in firing(fault, alarms)), default=0)
