"""What CloudWatch and Route 53 make of data, evaluation by evaluation: state without I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from resiliency.failover_model.alarm_evaluation import AlarmState, evaluate, point
from resiliency.failover_model.graph import (
    Alarm,
    AlarmCheck,
    CalculatedCheck,
    EndpointCheck,
    HealthCheck,
    Leaf,
    Pair,
    leaves,
)
from resiliency.failover_model.route53 import (
    Role,
    alarm_health,
    answer,
    calculated_health,
    status,
    unhealthy_checkers_needed,
)

Statistics = Sequence[float | None]
"""A statistic for each period of an evaluation range, oldest first; None where it is missing."""


class Alarms:
    """The states of alarms; new ones have too little data.

    Args:
        alarms: The alarms.
    """

    def __init__(self, alarms: Sequence[Alarm]) -> None:
        self.states = {alarm.name: AlarmState.INSUFFICIENT_DATA for alarm in alarms}
        self._alarms = alarms

    def evaluate(
        self, statistics: Mapping[str, Statistics]
    ) -> Iterator[tuple[Alarm, AlarmState, AlarmState]]:
        """Evaluate those that data are given for; each that changed, with its former state.

        Args:
            statistics: The evaluation range of each alarm, by its name.
        """
        for alarm in self._alarms:
            if alarm.name not in statistics:
                continue
            former = self.states[alarm.name]
            now = evaluate(
                [point(each, alarm.comparison, alarm.threshold) for each in statistics[alarm.name]],
                evaluation_periods=alarm.evaluation_periods,
                datapoints_to_alarm=alarm.datapoints_to_alarm,
                missing=alarm.missing,
                former=former,
            )
            self.states[alarm.name] = now
            if now is not former:
                yield alarm, former, now


@dataclass(slots=True)
class Checker:
    """One health checker of Route 53, and what it found of an endpoint.

    Attributes:
        failure_threshold: How many answers in a row change its mind.
        healthy: What it finds.
    """

    failure_threshold: int
    healthy: bool = True
    _against: int = field(default=0)

    def take(self, answered: bool) -> None:
        """Take one more answer, or its lack."""
        self._against = 0 if answered is self.healthy else self._against + 1
        if self._against >= self.failure_threshold:
            self.healthy, self._against = answered, 0


class HealthChecks:
    """The statuses of the health checks of a pair; new ones are healthy.

    Args:
        pair: The pair.
    """

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self.leaves: Sequence[Leaf] = list(
            dict.fromkeys(
                [*leaves(pair.primary.health_check), *leaves(pair.secondary.health_check)]
            )
        )
        self._said: dict[Leaf, bool] = {}
        self._statuses = {
            leaf: status(True, inverted=leaf.inverted, disabled=leaf.disabled)
            for leaf in self.leaves
        }

    def read(self, leaf: AlarmCheck, statistics: Statistics) -> bool:
        """The status that the data stream of an alarm gives; it counts once ``take`` has it."""
        alarm = leaf.alarm
        said = alarm_health(
            [point(each, alarm.comparison, alarm.threshold) for each in statistics],
            evaluation_periods=alarm.evaluation_periods,
            insufficient_data=leaf.insufficient_data,
            last_known=self._said.get(leaf),
        )
        self._said[leaf] = said
        return status(said, inverted=leaf.inverted, disabled=leaf.disabled)

    @staticmethod
    def counted(leaf: EndpointCheck, checkers: Sequence[Checker]) -> bool:
        """The status that its checkers give an endpoint."""
        unhealthy = sum(not each.healthy for each in checkers)
        healthy = unhealthy < unhealthy_checkers_needed(len(checkers))
        return status(healthy, inverted=leaf.inverted, disabled=leaf.disabled)

    def take(self, leaf: Leaf, healthy: bool) -> None:
        """Let a status count."""
        self._statuses[leaf] = healthy

    def role(self) -> Role:
        """Which record answers."""
        return answer(
            self._health(self._pair.primary.health_check),
            self._health(self._pair.secondary.health_check),
        )

    def shown(self) -> Iterator[tuple[str, bool]]:
        """Label and status of every health check of the pair, calculated ones too."""
        for check in (self._pair.primary.health_check, self._pair.secondary.health_check):
            yield from self._shown(check)

    def _shown(self, check: HealthCheck | None) -> Iterator[tuple[str, bool]]:
        if check is None:
            return
        yield check.label, self._health(check) is not False
        if isinstance(check, CalculatedCheck):
            for child in check.children:
                yield from self._shown(child)

    def _health(self, check: HealthCheck | None) -> bool | None:
        if check is None:
            return None
        if not isinstance(check, CalculatedCheck):
            return self._statuses[check]
        children = [self._health(child) is not False for child in check.children]
        healthy = calculated_health(children, check.threshold)
        return status(healthy, inverted=check.inverted, disabled=check.disabled)
