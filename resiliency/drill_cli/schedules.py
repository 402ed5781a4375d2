"""When drills run next, from EventBridge Scheduler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

from resiliency.drill_cli.aws import Aws, JsonObject
from resiliency.drill_cli.permissions import SCHEDULE
from resiliency.drill_cli.safe_console import one_line
from resiliency.drill_cli.stack import DrillsStack
from staged_resiliency.drills.schedule import DrillSchedule

_YEARS: Final = 28


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A schedule that starts a drill.

    Attributes:
        expression: As Scheduler has it, such as ``cron(0 10 ? * TUE#1 *)``.
        zone: IANA name of its time zone.
        enabled: False for one that is switched off.
    """

    expression: str
    zone: str
    enabled: bool

    def told(self, now: float) -> str:
        """When it runs next, as far as that can be told, and else its expression."""
        if not self.enabled:
            return f"switched off: {self.expression}"
        found = next_run(self.expression, self.zone, now)
        if found is None:
            return self.expression
        days = (found.timestamp() - now) / 86400
        return f"{found:%Y-%m-%d %H:%M} UTC, in {days:.0f} d"


def schedules_of(aws: Aws, stack: DrillsStack) -> Mapping[str, Scheduled]:
    """The schedule of each drill that has one, by the drill's name."""
    read = [aws(*SCHEDULE, Name=name, GroupName=stack.schedule_group) for name in stack.schedules]
    found = {}
    for drill in stack.drills:
        for each in read:
            if drill.arn in _started(each):
                found[drill.name] = Scheduled(
                    one_line(each["ScheduleExpression"]),
                    one_line(each.get("ScheduleExpressionTimezone", "UTC")),
                    each.get("State", "ENABLED") == "ENABLED",
                )
    return found


def next_run(expression: str, zone: str, now: float) -> datetime | None:
    """The next moment of a schedule in UTC; None where its expression does not tell it.

    A rate counts from the day on which it was deployed, and AWS does not tell when it ran last.
    """
    at = datetime.fromtimestamp(now, timezone.utc)
    try:
        runs = DrillSchedule(expression, zone).runs(_YEARS)
    except ValueError:
        return None
    return next((each for each in runs if each > at), None)


def _started(schedule: JsonObject) -> Sequence[str]:
    """ARNs that a schedule may start: its target, and those in the target's input."""
    target = schedule.get("Target", {})
    return [str(target.get("Arn", "")), *str(target.get("Input", "")).split('"')]
