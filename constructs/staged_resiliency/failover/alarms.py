"""CloudWatch alarms that a Route 53 health check can follow."""

from collections.abc import Callable
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from staged_resiliency.failover.alarm_rule import AlarmRule
from staged_resiliency.notifications.topics import Topics, arns_of, require_topics_in
from staged_resiliency.shared import alarm_settings, aws_ids, limits, names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, in_seconds, is_literal, wrong_type
from staged_resiliency.shared.stacks import region_of, stack_of

if TYPE_CHECKING:  # a module of two megabytes, needed for annotations only
    from aws_cdk import aws_ec2 as ec2


class MissingData(Enum):
    """How an alarm treats a period without data points.

    It must always be given, since CloudWatch's default hides a metric source that died:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """

    CLOUDWATCH_DEFAULT = None
    """Not in the template: the alarm goes to INSUFFICIENT_DATA ("missing")."""
    BREACHING = "breaching"
    """The period breaches."""
    NOT_BREACHING = "notBreaching"
    """The period does not breach."""
    IGNORE = "ignore"
    """The alarm keeps its state."""

    @classmethod
    def _missing_(cls, value: object) -> "MissingData | None":
        """Convert the CDK's ``TreatMissingData``, whose ``MISSING`` is CloudWatch's default."""
        if value in ("missing", cloudwatch.TreatMissingData.MISSING):
            return cls.CLOUDWATCH_DEFAULT
        if isinstance(value, cloudwatch.TreatMissingData):
            return cls[value.name]
        return None


class SignalAlarm(Construct):
    """A CloudWatch alarm that a Route 53 health check can follow; base class of the alarms below.

    Creates one ``AWS::CloudWatch::Alarm``. It has no arguments for metric math, percentiles and
    high resolution, because Route 53 can't follow them. Nor can it follow M out of N, which is
    for alarms that decide nothing.

    Args:
        rule: What is measured and when it breaches.
        alarm_name: Physical name; the health check finds the alarm by it. Printable ASCII, at
            most 255 characters. The metric's name and the values of its dimensions unless given,
            so that it changes with what only the deployment knows (docs/adr/0003), such as the
            name of a target group in the same stack.
        description: Text of the notification; at most 1,024 characters.
        missing_data: How a period without data is treated, as ``MissingData`` or as the CDK's
            ``TreatMissingData``.
        topic: Where the change to ALARM is sent: one topic, or up to five.
        notify_recovery: Also send the return to OK; not sent unless given.
        datapoints_to_alarm: How many of the rule's evaluation periods must breach; all unless
            given. With fewer no health check can follow the alarm.

    Raises:
        InvalidInputError: A name, description, number or topic that AWS would refuse.

    Attributes:
        alarm_name: The physical name.
        rule: What is measured and when it breaches.
        missing_data: How a period without data is treated.
        datapoints_to_alarm: How many of the rule's evaluation periods must breach.
        resource: The ``CfnAlarm``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        rule: AlarmRule,
        description: str,
        missing_data: MissingData | cloudwatch.TreatMissingData,
        topic: Topics,
        alarm_name: str | None = None,
        notify_recovery: bool = False,
        datapoints_to_alarm: int | None = None,
    ) -> None:
        owner = type(self).__name__
        if not isinstance(rule, AlarmRule):
            raise wrong_type(owner, "rule", rule, "an AlarmRule")
        if alarm_name is None:
            alarm_name = rule.alarm_name
        checked(owner, "alarm_name", alarm_name, alarm_settings.alarm_name)
        checked(owner, "description", description, alarm_description)
        self.datapoints_to_alarm: Final = checked(
            owner,
            "datapoints_to_alarm",
            rule.evaluation_periods if datapoints_to_alarm is None else datapoints_to_alarm,
            lambda given: alarm_settings.some_datapoints(given, rule.evaluation_periods),
        )
        try:
            self.missing_data: Final = MissingData(missing_data)
        except ValueError:
            allowed = "a member of MissingData or TreatMissingData"
            raise wrong_type(owner, "missing_data", missing_data, allowed) from None
        super().__init__(scope, construct_id)
        self._require_metric_here(rule)
        self.alarm_name: Final = alarm_name
        self.rule: Final = rule
        require_new_name(owner, alarm_name, stack_of(scope))
        topic_arns = arns_of(topic)
        require_topics_in(region_of(scope), topic_arns)
        self.resource: Final = cloudwatch.CfnAlarm(
            self,
            "Resource",
            alarm_name=alarm_name,
            alarm_description=description,
            actions_enabled=True,
            alarm_actions=topic_arns,
            ok_actions=topic_arns if notify_recovery else None,
            namespace=rule.namespace,
            metric_name=rule.metric_name,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
                for name, value in rule.dimensions.items()
            ],
            statistic=rule.statistic,
            period=rule.period_seconds,
            evaluation_periods=rule.evaluation_periods,
            datapoints_to_alarm=self.datapoints_to_alarm,
            threshold=rule.threshold,
            comparison_operator=str(rule.comparison),
            treat_missing_data=self.missing_data.value,
        )

    def _require_metric_here(self, rule: AlarmRule) -> None:
        """Refuse a metric of another account or region, which Route 53 would not follow."""
        if rule.metric_account is None and rule.metric_region is None:
            return
        stack = stack_of(self)
        for pinned, here in (
            (rule.metric_account, stack.account),
            (rule.metric_region, stack.region),
        ):
            if pinned is not None and pinned != here and is_literal(pinned) and is_literal(here):
                raise InvalidInputError(
                    f"{type(self).__name__}: rule: the metric is of {pinned}, the alarm of {here}; "
                    "Route 53 follows only alarms on metrics of their own account and region"
                )

    @cached_property
    def metric(self) -> cloudwatch.Metric:
        """The metric of the alarm, for dashboards."""
        return cloudwatch.Metric(
            namespace=self.rule.namespace,
            metric_name=self.rule.metric_name,
            dimensions_map=dict(self.rule.dimensions),
            statistic=self.rule.statistic,
            period=Duration.seconds(self.rule.period_seconds),
        )

    @cached_property
    def alarm(self) -> cloudwatch.IAlarm:
        """The alarm as the CDK's type ``IAlarm``, for widgets and composite alarms."""
        return cloudwatch.Alarm.from_alarm_arn(self, "Imported", self.resource.attr_arn)


class InstanceStatusAlarm(SignalAlarm):
    """An alarm that fires when an EC2 instance fails its status checks or is stopped.

    Missing data is always breaching, since a stopped or terminated instance sends no data.

    Args:
        instance: The instance, or its id.
        host_name: The host, as the alarm's name has it.
        description: Text of the notification; at most 1,024 characters.
        topic: Where the change to ALARM is sent: one topic, or up to five.
        period_seconds: Length of a period, a multiple of 60 seconds; 60 unless given, as EC2
            checks each minute. Seconds, or a ``Duration``.
        evaluation_periods: Periods in a row that must breach; 1 unless given.
        statistic: Statistic over a period; Maximum unless given.
        threshold: At or above it the period breaches; 1 (a failed check) unless given.
        notify_recovery: Also send the return to OK; not sent unless given.

    Raises:
        InvalidInputError: A value that AWS would refuse or Route 53 could not follow.

    Attributes are those of ``SignalAlarm``. The alarm is named ``<host_name>-StatusCheckFailed``.
    Where the instance's id is known only at deployment, the name carries it, so that everything
    that refers to the alarm follows the instance (docs/adr/0003).

    Example:
        >>> from aws_cdk import App, Stack
        >>> alarm = InstanceStatusAlarm(
        ...     Stack(App(), "Shop"),
        ...     "StatusAlarm",
        ...     instance="i-0123456789abcdef0",
        ...     host_name="shop-blue",
        ...     description="Shop (Blue) instance failure.",
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> alarm.alarm_name
        'shop-blue-StatusCheckFailed'

    See https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        instance: "ec2.IInstance | str",
        host_name: str,
        description: str,
        topic: Topics,
        period_seconds: int | Duration = 60,
        evaluation_periods: int = 1,
        statistic: str = "Maximum",
        threshold: float = 1,
        notify_recovery: bool = False,
    ) -> None:
        instance_id = instance_id_of("InstanceStatusAlarm", instance)
        checked("InstanceStatusAlarm", "instance", instance_id, aws_ids.instance_id)
        checked("InstanceStatusAlarm", "host_name", host_name, aws_ids.host_name)
        checked("InstanceStatusAlarm", "threshold", threshold, separates_0_from_1(statistic))
        named = host_name if is_literal(instance_id) else f"{host_name}-{instance_id}"
        super().__init__(
            scope,
            construct_id,
            rule=AlarmRule(
                namespace="AWS/EC2",
                metric_name="StatusCheckFailed",
                dimensions={"InstanceId": instance_id},
                statistic=statistic,
                comparison="GreaterThanOrEqualToThreshold",
                threshold=threshold,
                period_seconds=in_seconds(period_seconds),
                evaluation_periods=evaluation_periods,
            ),
            alarm_name=names.status_alarm(named),
            description=description,
            missing_data=MissingData.BREACHING,
            topic=topic,
            notify_recovery=notify_recovery,
        )


class ConnectivityAlarm(SignalAlarm):
    """An alarm that fires when the probe on a host no longer reaches a dependency.

    The probe publishes the metric ``<dependency>-connectivity`` with the dimension ``Host``: 1 when
    it connected, 0 when it did not.

    Args:
        namespace: CloudWatch namespace of the probe's metrics; not one of AWS's own.
        host_name: The host that the probe runs on: its Name tag.
        dependency: Short name of the dependency, for example ``db``.
        description: Text of the notification; at most 1,024 characters.
        missing_data: How a period without samples is treated, as ``MissingData`` or as the
            CDK's ``TreatMissingData``.
        topic: Where the change to ALARM is sent: one topic, or up to five.
        period_seconds: Length of a period, a multiple of 60 seconds; 60 unless given. Seconds,
            or a ``Duration``.
        evaluation_periods: Periods in a row that must breach; 2 unless given.
        statistic: Statistic over a period; Average unless given.
        threshold: Below it the period breaches; 1 unless given, so one failed sample counts.
        notify_recovery: Also send the return to OK; not sent unless given.
        datapoints_to_alarm: How many of the evaluation periods must breach; all unless given.
            With fewer no health check can follow the alarm.

    Raises:
        InvalidInputError: A value that AWS would refuse or Route 53 could not follow.

    Attributes are those of ``SignalAlarm``. The alarm is named
    ``<host_name>-<dependency>-connectivity-failed``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> alarm = ConnectivityAlarm(
        ...     Stack(App(), "Shop"),
        ...     "DatabaseAlarm",
        ...     namespace="Shop",
        ...     host_name="shop-blue",
        ...     dependency="db",
        ...     description="Database Connectivity failure for Shop (Blue).",
        ...     missing_data=MissingData.BREACHING,
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> alarm.alarm_name
        'shop-blue-db-connectivity-failed'
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        namespace: str,
        host_name: str,
        dependency: str,
        description: str,
        missing_data: MissingData | cloudwatch.TreatMissingData,
        topic: Topics,
        period_seconds: int | Duration = 60,
        evaluation_periods: int = 2,
        statistic: str = "Average",
        threshold: float = 1,
        notify_recovery: bool = False,
        datapoints_to_alarm: int | None = None,
    ) -> None:
        checked("ConnectivityAlarm", "namespace", namespace, alarm_settings.namespace)
        checked("ConnectivityAlarm", "host_name", host_name, aws_ids.host_name)
        checked("ConnectivityAlarm", "dependency", dependency, validation.slug)
        checked("ConnectivityAlarm", "threshold", threshold, separates_0_from_1(statistic))
        super().__init__(
            scope,
            construct_id,
            rule=AlarmRule(
                namespace=namespace,
                metric_name=names.connectivity_metric(dependency),
                dimensions={"Host": host_name},
                statistic=statistic,
                comparison="LessThanThreshold",
                threshold=threshold,
                period_seconds=in_seconds(period_seconds),
                evaluation_periods=evaluation_periods,
            ),
            alarm_name=names.connectivity_alarm(host_name, dependency),
            description=description,
            missing_data=missing_data,
            topic=topic,
            notify_recovery=notify_recovery,
            datapoints_to_alarm=datapoints_to_alarm,
        )


_names_of_stacks: Final[WeakKeyDictionary[Stack, set[str]]] = WeakKeyDictionary()


def require_new_name(owner: str, alarm_name: str, stack: Stack) -> None:
    """Refuse a second alarm of one name in a stack, which could not be deployed."""
    used = _names_of_stacks.setdefault(stack, set())
    if alarm_name in used:
        raise InvalidInputError(
            f"{owner}: alarm_name: the stack has an alarm {validation.shown(alarm_name)} already; "
            "rename a host or a dependency (a second DNS name for a pair is a second "
            "FailoverRecords)"
        )
    used.add(alarm_name)


def instance_id_of(owner: str, instance: "ec2.IInstance | str") -> str:
    """Return the id of an instance; raise for another type."""
    if isinstance(instance, str):
        return instance
    if not hasattr(instance, "instance_id"):
        raise wrong_type(owner, "instance", instance, "the instance or its id")
    return instance.instance_id


def alarm_description(value: str) -> str:
    """Validate the description of an alarm."""
    return validation.at_most(value, limits.MAX_ALARM_DESCRIPTION_CHARACTERS, "the description")


def separates_0_from_1(statistic: str) -> Callable[[float], float]:
    """Return a function that validates a threshold for a statistic of a metric that is 0 or 1."""
    return lambda threshold: alarm_settings.threshold_between_0_and_1(threshold, statistic)
