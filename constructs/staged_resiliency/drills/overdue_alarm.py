"""The alarm on a drill that has not passed for over 35 days."""

from typing import Final

from constructs import Construct

from staged_resiliency.drills.drill_group import DrillGroup
from staged_resiliency.drills.runtime import metrics
from staged_resiliency.drills.runtime.durations import EXPIRY_DAYS
from staged_resiliency.failover.alarm_rule import AlarmRule
from staged_resiliency.failover.alarms import MissingData, SignalAlarm
from staged_resiliency.shared import names

_DAY_SECONDS: Final = 86_400
_WARM_UP_MINUTES: Final = 2 * 24 * 60  # the most that CloudWatch takes


class DrillOverdueAlarm(SignalAlarm):
    """Fires when a drill has not passed for over 35 days, or its watchdog stopped reporting.

    Whole days are counted, so a drill that passes every 35 days, the most that a schedule may leave
    between two runs, does not fire it.

    The watchdog publishes the days once a day. Missing data are breaching, so the alarm also fires
    some three days after the last data: CloudWatch looks back two periods more than it evaluates.
    A new alarm waits for its first data, two days at most, since a drill that is added later may be
    counted for the first time a day after it was deployed:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-warm-up.html

    A dry run never passes, so a drill that is not enabled fires it like any other.

    Args:
        group: The service's ``DrillGroup``.
        drill: Short name of the drill.

    Attributes are those of ``SignalAlarm``. The alarm is named
    ``<service>-<environment>-drill-<drill>-overdue``.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, group: DrillGroup, drill: str
    ) -> None:
        service = group.service
        super().__init__(
            scope,
            construct_id,
            rule=AlarmRule(
                namespace=service.namespace,
                metric_name=metrics.DAYS_SINCE_PASSED,
                dimensions=service.dimensions_of(drill),
                statistic="Maximum",
                comparison="GreaterThanThreshold",
                threshold=EXPIRY_DAYS,
                period_seconds=_DAY_SECONDS,
            ),
            alarm_name=names.drill_overdue_alarm(service.name, service.environment, drill),
            description=names.drill_overdue_description(service.title, drill),
            missing_data=MissingData.BREACHING,
            topic=group.topic_arns,
            notify_recovery=group.notify_recovery,
        )
        # Not by a property of the CDK, which has it since 2.268.0.
        self.resource.add_property_override(
            "WarmUpConfiguration", {"WarmUpPeriodDurationInMinutes": _WARM_UP_MINUTES}
        )
