"""The settings of alarms, and alarms of the team's own."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from resiliency.service_file.model.values import Line, Section
from staged_resiliency.shared import alarm_settings, limits

MissingDataName = Literal["cloudwatch_default", "breaching", "not_breaching", "ignore"]
Statistic = Annotated[
    str,
    AfterValidator(alarm_settings.failover_statistic),
    WithJsonSchema({"type": "string", "enum": list(limits.FAILOVER_STATISTICS)}),
]


class AlarmSettings(Section):
    """Settings that every alarm has, limited to what Route 53 can follow."""

    period_seconds: Annotated[int, AfterValidator(alarm_settings.failover_period_seconds)] = Field(
        default=60, description="Seconds per period: 60 or a multiple."
    )
    datapoints_to_alarm: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Periods out of evaluation_periods that must breach: all of them unless given, "
        "and for status and signals of failover_on, since Route 53 can't follow fewer.",
    )
    threshold: float = Field(
        default=1.0, description="The value that the statistic is compared with."
    )
    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=2, description="Consecutive periods that must breach."
    )
    statistic: Statistic = Field(default="Average", description="Statistic over a period.")

    @property
    def datapoints(self) -> int:
        """The number of periods that must breach."""
        return self.datapoints_to_alarm or self.evaluation_periods


class StatusAlarmSettings(AlarmSettings):
    """The EC2 status alarm. Missing data always counts as failure: a stopped host sends none."""

    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=1, description="Consecutive periods that must breach."
    )
    statistic: Statistic = Field(default="Maximum", description="Statistic over a period.")


class ConnectivityAlarmSettings(AlarmSettings):
    """The alarm on one dependency's connectivity, for both hosts."""

    missing_data: MissingDataName = Field(
        default="cloudwatch_default",
        description="How a period without samples is treated. With cloudwatch_default the alarm "
        "goes to INSUFFICIENT_DATA and a health check on it counts as unhealthy.",
    )


class PeerAlarmSettings(AlarmSettings):
    """The alarms on the hosts' checks of each other. Missing data is never breaching."""


InDrills = Literal["quiet", "guard", "ignored"]
DimensionName = Annotated[str, Field(min_length=1, max_length=limits.MAX_DIMENSION_NAME_CHARACTERS)]
DimensionValue = Annotated[str, AfterValidator(alarm_settings.dimension_value)]


class AlarmMetric(Section):
    """A CloudWatch metric of any namespace, AWS's own included."""

    namespace: Annotated[str, Field(min_length=1, max_length=limits.MAX_NAMESPACE_CHARACTERS)] = (
        Field(description="Its namespace.", examples=["AWS/EC2"])
    )
    name: Annotated[str, Field(min_length=1, max_length=limits.MAX_METRIC_NAME_CHARACTERS)] = Field(
        description="Its name.", examples=["CPUUtilization"]
    )
    dimensions: dict[DimensionName, DimensionValue] = Field(
        default={},
        description="All of its dimensions. {host} is the host's name, {instance_id} that of its "
        "instance; with one of them there is an alarm for each host.",
        examples=[{"InstanceId": "{instance_id}"}],
    )

    @property
    def of_each_host(self) -> bool:
        """Whether each host has a metric of its own."""
        values = self.dimensions.values()
        return any(each in value for value in values for each in alarm_settings.HOST_PLACEHOLDERS)


class OwnAlarm(Section):
    """An alarm on any metric, on each host or once."""

    label: Line = Field(
        description="What is wrong when it fires, in its text.", examples=["Too many errors"]
    )
    metric: AlarmMetric = Field(description="What it watches.")
    statistic: Annotated[str, AfterValidator(alarm_settings.statistic)] = Field(
        default="Average",
        description="Statistic over a period; in failover_on no percentile, since Route 53 can't "
        "follow it.",
    )
    at_least: float | None = Field(
        default=None, description="Values at or above it breach.", examples=[90]
    )
    below: float | None = Field(
        default=None, description="Values below it breach, in place of at_least.", examples=[1]
    )
    period_seconds: Annotated[int, AfterValidator(alarm_settings.failover_period_seconds)] = Field(
        default=60, description="Seconds per period: 60 or a multiple."
    )
    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=2, description="Consecutive periods that must breach."
    )
    datapoints_to_alarm: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Periods out of evaluation_periods that must breach: all of them unless given, "
        "and in failover_on, since Route 53 can't follow fewer.",
    )
    missing_data: MissingDataName = Field(
        default="cloudwatch_default", description="How a period without data is treated."
    )
    in_drills: InDrills = Field(
        default="quiet",
        description="quiet: no drill begins while it is in ALARM, and it must not fire in one; "
        "guard: it also stops drills; ignored: drills leave it alone.",
    )

    @property
    def datapoints(self) -> int:
        """The number of periods that must breach."""
        return self.datapoints_to_alarm or self.evaluation_periods

    @property
    def threshold(self) -> float:
        """The value that the statistic is compared with."""
        return (self.at_least if self.below is None else self.below) or 0.0

    @property
    def is_percentile(self) -> bool:
        """Whether the statistic is one that Route 53 can't follow."""
        return self.statistic not in limits.FAILOVER_STATISTICS
