"""Alarms of the CDK that a Route 53 health check can follow."""

from dataclasses import dataclass
from typing import Final, cast

from aws_cdk import aws_cloudwatch as cloudwatch

from staged_resiliency.failover.alarm_rule import AlarmRule, Comparison
from staged_resiliency.failover.alarms import MissingData
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import wrong_type

_OWNER: Final = "AlarmHealthCheck"


@dataclass(frozen=True, slots=True)
class FollowedAlarm:
    """An ``Alarm`` of the CDK, with the settings that a health check copies from it.

    Attributes:
        alarm_name: The physical name.
        rule: What is measured and when it breaches.
        missing_data: How a period without data is treated.
        resource: The ``CfnAlarm``.
    """

    alarm_name: str
    rule: AlarmRule
    missing_data: MissingData
    resource: cloudwatch.CfnAlarm


def followed_alarm(alarm: cloudwatch.IAlarm) -> FollowedAlarm:
    """Read the rule of an alarm of the CDK.

    Raises:
        InvalidInputError: Route 53 can't follow it: it is imported or composite, or has metric
            math, a percentile, a unit, or datapoints to alarm below its evaluation periods.
    """
    if isinstance(alarm, str) or not hasattr(alarm, "alarm_name"):
        raise wrong_type(_OWNER, "alarm", alarm, "a SignalAlarm or an Alarm of the CDK")
    resource = alarm.node.default_child
    if not isinstance(resource, cloudwatch.CfnAlarm):
        raise InvalidInputError(
            f"{_OWNER}: alarm: an imported or composite alarm can't be followed by a Route 53 "
            "health check from here, as its rule is not known; give an alarm of this application "
            "on a single metric"
        )
    refusal = _refusal(resource)
    if refusal is not None:
        raise InvalidInputError(
            f"{_OWNER}: alarm: {refusal}, which Route 53 health checks can't follow"
        )
    dimensions = resource.dimensions if isinstance(resource.dimensions, list) else []
    rule = AlarmRule(
        namespace=resource.namespace or "",
        metric_name=resource.metric_name or "",
        dimensions={
            each.name: each.value
            for each in dimensions
            if isinstance(each, cloudwatch.CfnAlarm.DimensionProperty)
        },
        statistic=resource.statistic or "",
        comparison=cast(Comparison, resource.comparison_operator),
        threshold=resource.threshold or 0,
        period_seconds=int(resource.period or 0),
        evaluation_periods=int(resource.evaluation_periods or 0),
    )
    missing_data = MissingData(resource.treat_missing_data)
    return FollowedAlarm(alarm.alarm_name, rule, missing_data, resource)


def _refusal(resource: cloudwatch.CfnAlarm) -> str | None:
    if resource.metrics is not None:
        return "has metric math, a label, or a metric of another account or region"
    if resource.extended_statistic is not None:
        return f"has the statistic {resource.extended_statistic}"
    if resource.unit is not None:
        return f"is filtered by the unit {resource.unit}"
    needed = resource.datapoints_to_alarm
    if needed is not None and needed != resource.evaluation_periods:
        return f"fires at {needed:g} of {resource.evaluation_periods:g} datapoints"
    return None
