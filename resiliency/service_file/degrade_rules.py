"""Whether the probe's checks of a dependency succeed while it is degraded.

A drill that degrades a dependency expects every alarm to stay quiet, so a delay or a loss by which
an alarm might fire is refused. The bounds are on the safe side.
"""

from collections.abc import Iterator
from math import comb
from typing import Final

from resiliency.service_file.alarms import AlarmDescription, alarms_of
from resiliency.service_file.errors import Problem
from resiliency.service_file.mapping import fault_of, pace_of
from resiliency.service_file.model.dependencies import DependencyCheck
from resiliency.service_file.model.drills import DrillSettings
from resiliency.service_file.model.service import Environment
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.drills.alarm_effects import AlarmKind
from staged_resiliency.drills.faults import DegradeDependency
from staged_resiliency.shared.validation import shown

MAX_CHANCE: Final = 0.01
"""The chance, in a run, that a loss of packets fires an alarm, up to which the drill is allowed."""

# What the host sends, one after the other, until a check has succeeded; at most. An exchange
# begins a connection, and sends a text in each step at the most.
_SENDS: Final = {
    "tcp": 1,
    "tls": 3,
    "http": 2,
    "https": 4,
    "mysql": 4,
    "postgresql": 4,
    "redis": 2,
}
_SENDS_FOR_TLS: Final = 2  # within the protocol of a server
# When Linux sends a packet that begins a connection, in seconds from the first; others come sooner.
_ATTEMPTS_SECONDS: Final = (0, 1, 3, 7, 15, 31)
# A sample may take half of its time for the delay, and has the other half without it.
_SHARE_FOR_DELAY: Final = 0.5


def problems_of(
    environment: Environment, drill: DrillSettings, at: PartialDocument
) -> Iterator[Problem]:
    """Yield a problem for each alarm that a drill might fire by degrading a dependency."""
    fault = fault_of(environment, drill)
    if not isinstance(fault, DegradeDependency):
        return
    for alarm in alarms_of(environment):
        mine = alarm.host == fault.host_name and alarm.kind is AlarmKind.DEPENDENCY
        if not mine or alarm.address != fault.destination:
            continue
        if drill.delay_milliseconds is not None:
            yield from _too_slow(environment, drill, alarm, at)
        else:
            yield from _too_lossy(environment, drill, alarm, at)


def _too_slow(
    environment: Environment, drill: DrillSettings, alarm: AlarmDescription, at: PartialDocument
) -> Iterator[Problem]:
    sends = _sends(environment.dependencies[alarm.signal or ""].check)
    _, timeout = pace_of(environment, alarm.dependency)
    slowest = (drill.delay_milliseconds or 0) + drill.jitter_milliseconds
    allowed = timeout * 1000 * _SHARE_FOR_DELAY
    if sends * slowest > allowed:
        most = int(allowed / sends) - drill.jitter_milliseconds
        yield at.problem(
            f"{drill.delay_milliseconds} delays a check of {alarm.signal} by up to "
            f"{sends * slowest} ms, which is more than half of its timeout of {timeout:g} s, so "
            f"{alarm.name} might fire; give {max(1, most)} or less",
            "delay_milliseconds",
        )


def _too_lossy(
    environment: Environment, drill: DrillSettings, alarm: AlarmDescription, at: PartialDocument
) -> Iterator[Problem]:
    percent = drill.loss_percent or 0
    chance = chance_of_alarm(environment, drill, alarm, percent)
    if chance > MAX_CHANCE:
        less = range(percent - 1, 0, -1)
        chances = ((each, chance_of_alarm(environment, drill, alarm, each)) for each in less)
        most = next((each for each, found in chances if found <= MAX_CHANCE), None)
        hint = f"give {most} or less" if most else "the alarm is too sensitive for this fault"
        yield at.problem(
            f"{shown(percent)} of 100 packets lost would fire {alarm.name} by chance in up to "
            f"{chance:.0%} of the runs, and it is expected to stay quiet; {hint}",
            "loss_percent",
        )


def chance_of_alarm(
    environment: Environment, drill: DrillSettings, alarm: AlarmDescription, loss_percent: int
) -> float:
    """Return an upper bound of the chance that lost packets fire an alarm in a run.

    Any failed sample of a period is taken to breach.
    """
    interval, timeout = pace_of(environment, alarm.dependency)
    sends = _sends(environment.dependencies[alarm.signal or ""].check)
    attempts = sum(each < timeout for each in _ATTEMPTS_SECONDS)
    fails = min(1.0, sends * (loss_percent / 100) ** attempts)
    settings = alarm.settings
    breaches: float = 1 - (1 - fails) ** (settings.period_seconds // interval)
    periods = drill.minutes * 60 / settings.period_seconds + settings.evaluation_periods
    ways = comb(settings.evaluation_periods, settings.datapoints)
    return min(1.0, periods * ways * breaches**settings.datapoints)


def _sends(check: DependencyCheck) -> int:
    sends = _SENDS.get(check.protocol, 1 + len(check.steps or ()))
    return sends + (_SENDS_FOR_TLS if check.tls else 0)
