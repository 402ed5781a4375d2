"""The alarms that a service file has under ``alarms``, or for its CloudWatch agent."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from resiliency.service_file import Environment, Service
from resiliency.service_file.alarms import AlarmDescription, own_alarms
from resiliency.service_file.model.alarms import OwnAlarm
from staged_resiliency import AlarmRule, MissingData, SignalAlarm
from staged_resiliency.failover.alarm_rule import Comparison
from staged_resiliency.shared.hosts import Color


def own_alarms_of(
    stack: Stack, service: Service, environment: Environment
) -> Mapping[str, Mapping[Color, SignalAlarm]]:
    """Add the alarms, and return those that may decide a failover, by name and color."""
    found: dict[str, dict[Color, SignalAlarm]] = {}
    for name, own in environment.all_alarms.items():
        for described in own_alarms(environment, name):
            alarm = _alarm(stack, service, environment, own, described)
            if described.host and alarm is not None:
                found.setdefault(name, {})[described.color] = alarm
    return found


def _alarm(
    stack: Stack,
    service: Service,
    environment: Environment,
    own: OwnAlarm,
    described: AlarmDescription,
) -> SignalAlarm | None:
    """Add an alarm; None for one that Route 53 can't follow."""
    notifications, color = environment.notifications, described.color.title()
    construct_id = f"{color if described.host else ''}Alarm-{described.signal}"
    where = f"{service.title} ({color})" if described.host else service.title
    comparison: Comparison = (
        "LessThanThreshold" if described.fires_below else "GreaterThanOrEqualToThreshold"
    )
    missing = MissingData[own.missing_data.upper()]
    if not own.is_percentile:
        return SignalAlarm(
            stack,
            construct_id,
            rule=AlarmRule(
                namespace=own.metric.namespace,
                metric_name=own.metric.name,
                dimensions=dict(described.dimensions),
                statistic=own.statistic,
                comparison=comparison,
                threshold=own.threshold,
                period_seconds=own.period_seconds,
                evaluation_periods=own.evaluation_periods,
            ),
            alarm_name=described.name,
            description=f"{own.label}: {where}.",
            missing_data=missing,
            topic=environment.topics,
            notify_recovery=notifications.recovery,
            datapoints_to_alarm=own.datapoints,
        )
    # Below a parent, as above: an alarm whose statistic changes stays the same resource.
    cloudwatch.CfnAlarm(
        Construct(stack, construct_id),
        "Resource",
        alarm_name=described.name,
        alarm_description=f"{own.label}: {where}.",
        alarm_actions=environment.topics,
        ok_actions=environment.topics if notifications.recovery else None,
        namespace=own.metric.namespace,
        metric_name=own.metric.name,
        dimensions=[
            cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
            for name, value in described.dimensions
        ],
        extended_statistic=own.statistic,
        comparison_operator=comparison,
        threshold=own.threshold,
        period=own.period_seconds,
        evaluation_periods=own.evaluation_periods,
        datapoints_to_alarm=own.datapoints if own.datapoints < own.evaluation_periods else None,
        treat_missing_data=missing.value,
    )
    return None
