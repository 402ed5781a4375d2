"""The states of alarms and health checks from one evaluation to the next, without I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from resiliency.failover_model.alarm_evaluation import AlarmState, evaluate, point
from resiliency.failover_model.graph import (
    Alarm,
    AlarmCheck,
    BasicHealthCheck,
    CalculatedCheck,
    EndpointCheck,
    HealthCheck,
    Pair,
)
from resiliency.failover_model.route53 import (
    Role,
    alarm_health,
    answer,
    status,
    unhealthy_checkers_needed,
)
from resiliency.failover_model.simulation import status_function

Statistics = Sequence[float | None]
"""A statistic for each period of an evaluation range, oldest first; None where it is missing."""


class Alarms:
    """The states of alarms; new ones have insufficient data."""

    def __init__(self, alarms: Sequence[Alarm]) -> None:
        self.states = {alarm.name: AlarmState.INSUFFICIENT_DATA for alarm in alarms}
        self._alarms = alarms

    def evaluate(
        self, statistics: Mapping[str, Statistics]
    ) -> Iterator[tuple[Alarm, AlarmState, AlarmState]]:
        """Evaluate the alarms with data; yield each that changed, with its former and new state."""
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
    """One Route 53 health checker, and its view of an endpoint."""

    failure_threshold: int
    healthy: bool = True
    _against: int = field(default=0)

    def count(self, answered: bool) -> None:
        """Count one more request, answered or not."""
        self._against = 0 if answered is self.healthy else self._against + 1
        if self._against >= self.failure_threshold:
            self.healthy, self._against = answered, 0


class HealthChecks:
    """The statuses of the health checks of a pair; new ones are healthy."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        checks = dict.fromkeys([*pair.primary.checks, *pair.secondary.checks])
        self.basic_checks: Sequence[BasicHealthCheck] = list(checks)
        self._last_known: dict[BasicHealthCheck, bool] = {}
        self._place = {check: number for number, check in enumerate(self.basic_checks)}
        self._statuses = [
            status(True, inverted=check.inverted, disabled=check.disabled)
            for check in self.basic_checks
        ]

    def read(self, check: AlarmCheck, statistics: Statistics) -> bool:
        """Return the status that an alarm's data stream results in; ``apply`` sets it."""
        alarm = check.alarm
        healthy = alarm_health(
            [point(each, alarm.comparison, alarm.threshold) for each in statistics],
            evaluation_periods=alarm.evaluation_periods,
            insufficient_data=check.insufficient_data,
            last_known=self._last_known.get(check),
        )
        self._last_known[check] = healthy
        return status(healthy, inverted=check.inverted, disabled=check.disabled)

    @staticmethod
    def counted(check: EndpointCheck, checkers: Sequence[Checker]) -> bool:
        """Return the status of an endpoint's health check, from the views of its checkers."""
        unhealthy = sum(not each.healthy for each in checkers)
        healthy = unhealthy < unhealthy_checkers_needed(len(checkers))
        return status(healthy, inverted=check.inverted, disabled=check.disabled)

    def apply(self, check: BasicHealthCheck, healthy: bool) -> None:
        """Apply a health check's new status."""
        self._statuses[self._place[check]] = healthy

    def role(self) -> Role:
        """Return the role of the record that answers."""
        return answer(
            self._health(self._pair.primary.health_check),
            self._health(self._pair.secondary.health_check),
        )

    def statuses(self) -> Iterator[tuple[str, bool]]:
        """Yield label and status of every health check of the pair, calculated ones too."""
        for check in (self._pair.primary.health_check, self._pair.secondary.health_check):
            yield from self._statuses_below(check)

    def _statuses_below(self, check: HealthCheck | None) -> Iterator[tuple[str, bool]]:
        if check is None:
            return
        yield check.label, self._health(check) is not False
        if isinstance(check, CalculatedCheck):
            for child in check.children:
                yield from self._statuses_below(child)

    def _health(self, check: HealthCheck | None) -> bool | None:
        return status_function(check, self._place)(self._statuses)
