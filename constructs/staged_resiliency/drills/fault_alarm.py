"""The alarm that is on while a run has ended but its fault may still be in effect."""

from constructs import Construct

from staged_resiliency.drills.runtime import metrics
from staged_resiliency.drills.target import DrillTarget
from staged_resiliency.failover.alarm_rule import AlarmRule
from staged_resiliency.failover.alarms import MissingData, SignalAlarm
from staged_resiliency.notifications.topics import Topics
from staged_resiliency.shared import names

_HALF_AN_HOUR_SECONDS = 1_800  # the cleanup publishes twice in it
_WARM_UP_MINUTES = 60


class FaultNotEndedAlarm(SignalAlarm):
    """Fires when a run has ended and its fault may last, and stays on until the fault is over.

    The cleanup publishes the number of such runs every 15 minutes. Missing data are breaching: a
    cleanup that no longer runs ends no fault.

    Args:
        service: The service that the drills are run on.
        topic: Where the alarm sends its notifications.
        notify_recovery: Also send the return to OK; not sent unless given.

    Attributes are those of ``SignalAlarm``. The alarm is named
    ``<service>-<environment>-drills-fault-not-ended``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        service: DrillTarget,
        topic: Topics,
        *,
        notify_recovery: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            rule=AlarmRule(
                namespace=service.namespace,
                metric_name=metrics.FAULTS_NOT_ENDED,
                dimensions={"Service": service.name, "Environment": service.environment},
                statistic="Maximum",
                comparison="GreaterThanThreshold",
                threshold=0,
                period_seconds=_HALF_AN_HOUR_SECONDS,
            ),
            alarm_name=names.drill_fault_alarm(service.name, service.environment),
            description=names.drill_fault_description(service.title),
            missing_data=MissingData.BREACHING,
            topic=topic,
            notify_recovery=notify_recovery,
        )
        # Not by a property of the CDK, which has it since 2.268.0.
        self.resource.add_property_override(
            "WarmUpConfiguration", {"WarmUpPeriodDurationInMinutes": _WARM_UP_MINUTES}
        )
