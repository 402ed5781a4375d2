"""Alarms on the probe's heartbeat, its checks of the other host, latencies and certificates."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from staged_resiliency.failover.alarm_rule import AlarmRule
from staged_resiliency.failover.alarms import (
    MissingData,
    SignalAlarm,
    alarm_description,
    require_new_name,
    separates_0_from_1,
)
from staged_resiliency.notifications.topics import Topics, arns_of, require_topics_in
from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.configuration import DEFAULT_SILENT_PERIODS
from staged_resiliency.shared import alarm_settings, aws_ids, names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, in_seconds
from staged_resiliency.shared.stacks import region_of, stack_of


class ProbeSilentAlarm(SignalAlarm):
    """Fires when a host's probe sends no data: it is not installed, stopped, or can't publish.

    The probe publishes 1 once a minute as metric ``probe-heartbeat`` with the dimension ``Host``,
    never 0. So only missing data can breach, and it always does. CloudWatch retrieves more periods
    than it evaluates, 5 for 3 of them, and evaluates data points in that range in place of missing
    ones. So with 3 periods about five minutes without data fire; a restart of the probe or of its
    host does not.

    Until the probe is installed for the first time, this alarm is in ALARM.

    Args:
        namespace: CloudWatch namespace of the probe's metrics; not one of AWS's own.
        host_name: The host that the probe runs on: its Name tag.
        description: What a reader of the notification must know; at most 1,024 characters.
        topic: Where the change to ALARM is sent: one topic, or up to five.
        evaluation_periods: Minutes in a row without a heartbeat; 3 unless given.
        notify_recovery: Also send the return to OK; not sent unless given.

    Raises:
        InvalidInputError: A value that AWS would refuse.

    Attributes are those of ``SignalAlarm``. The alarm is named ``<host_name>-probe-silent``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> alarm = ProbeSilentAlarm(
        ...     Stack(App(), "Shop"),
        ...     "ProbeSilent",
        ...     namespace="Shop",
        ...     host_name="shop-blue",
        ...     description="The probe of shop-blue is silent.",
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> alarm.alarm_name
        'shop-blue-probe-silent'

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        namespace: str,
        host_name: str,
        description: str,
        topic: Topics,
        evaluation_periods: int = DEFAULT_SILENT_PERIODS,
        notify_recovery: bool = False,
    ) -> None:
        checked("ProbeSilentAlarm", "namespace", namespace, alarm_settings.namespace)
        checked("ProbeSilentAlarm", "host_name", host_name, aws_ids.host_name)
        super().__init__(
            scope,
            construct_id,
            rule=AlarmRule(
                namespace=namespace,
                metric_name=names.HEARTBEAT_METRIC,
                dimensions={"Host": host_name},
                statistic="Sum",
                comparison="LessThanThreshold",
                threshold=1,
                period_seconds=60,
                evaluation_periods=evaluation_periods,
            ),
            alarm_name=names.probe_silent_alarm(host_name),
            description=description,
            missing_data=MissingData.BREACHING,
            topic=topic,
            notify_recovery=notify_recovery,
        )


class PeerAlarm(SignalAlarm):
    """Fires when a host no longer answers another host's probe, the observer.

    So another host publishes a 0 for a dead host, whose own metrics would only be missing. The
    observer's probe publishes 1 or 0 as metric ``peer-connectivity`` with the dimensions ``Host``
    (the observed host) and ``Observer``.

    Missing data is always not breaching, and a health check on this alarm treats insufficient data
    as healthy: when the *observer* dies, the state of the observed host is unknown, and clients
    must not be moved to the dead host. The observer's ``ProbeSilentAlarm`` reports its failure.

    Args:
        namespace: CloudWatch namespace of the probe's metrics; not one of AWS's own.
        host_name: The observed host: its Name tag.
        observer: The host whose probe checks it: its Name tag.
        description: What a reader of the notification must know; at most 1,024 characters.
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
        InvalidInputError: A value that AWS would refuse or Route 53 could not follow, or a host
            that observes itself.

    Attributes are those of ``SignalAlarm``. The alarm is named
    ``<host_name>-peer-connectivity-failed``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> alarm = PeerAlarm(
        ...     Stack(App(), "Shop"),
        ...     "BluePeer",
        ...     namespace="Shop",
        ...     host_name="shop-blue",
        ...     observer="shop-green",
        ...     description="shop-blue does not answer shop-green.",
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> alarm.alarm_name
        'shop-blue-peer-connectivity-failed'
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        namespace: str,
        host_name: str,
        observer: str,
        description: str,
        topic: Topics,
        period_seconds: int | Duration = 60,
        evaluation_periods: int = 2,
        statistic: str = "Average",
        threshold: float = 1,
        notify_recovery: bool = False,
        datapoints_to_alarm: int | None = None,
    ) -> None:
        owner = "PeerAlarm"
        checked(owner, "namespace", namespace, alarm_settings.namespace)
        checked(owner, "host_name", host_name, aws_ids.host_name)
        checked(owner, "observer", observer, aws_ids.host_name)
        if observer == host_name:
            raise InvalidInputError(
                f"{owner}: observer: {validation.shown(observer)} is the observed host itself; "
                "give the other one"
            )
        checked(owner, "threshold", threshold, separates_0_from_1(statistic))
        super().__init__(
            scope,
            construct_id,
            rule=AlarmRule(
                namespace=namespace,
                metric_name=names.PEER_METRIC,
                dimensions={"Host": host_name, "Observer": observer},
                statistic=statistic,
                comparison="LessThanThreshold",
                threshold=threshold,
                period_seconds=in_seconds(period_seconds),
                evaluation_periods=evaluation_periods,
            ),
            alarm_name=names.peer_alarm(host_name),
            description=description,
            missing_data=MissingData.NOT_BREACHING,
            topic=topic,
            notify_recovery=notify_recovery,
            datapoints_to_alarm=datapoints_to_alarm,
        )


class LatencyAlarm(Construct):
    """Fires when a dependency's successful samples take too long. It can't decide a failover.

    The probe publishes the metric ``<dependency>-latency`` in milliseconds where the check has
    ``latency``. Missing data is not breaching: samples that fail have no latency.

    Args:
        namespace: CloudWatch namespace of the probe's metrics; not one of AWS's own.
        host_name: The host that the probe runs on: its Name tag.
        dependency: Short name of the dependency, for example ``db``.
        above_milliseconds: A period above it breaches.
        description: Text of the notification; at most 1,024 characters.
        topic: Where the change to ALARM is sent.
        statistic: Statistic over a period: Average, Maximum, Minimum, or a percentile such as
            ``p95``, for which the check needs ``latency="values"``; Average unless given.
        period_seconds: Length of a period in seconds, a multiple of 60; 60 unless given.
        evaluation_periods: Periods in a row that must breach; 5 unless given.
        notify_recovery: Also send the return to OK; not sent unless given.

    Raises:
        InvalidInputError: A value that AWS would refuse.

    Attributes:
        alarm_name: ``<host_name>-<dependency>-latency-high``.
        resource: The ``CfnAlarm``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> alarm = LatencyAlarm(
        ...     Stack(App(), "Shop"),
        ...     "DatabaseLatency",
        ...     namespace="Shop",
        ...     host_name="shop-blue",
        ...     dependency="db",
        ...     above_milliseconds=250,
        ...     description="The database answers shop-blue slowly.",
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> alarm.alarm_name
        'shop-blue-db-latency-high'

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        namespace: str,
        host_name: str,
        dependency: str,
        above_milliseconds: float,
        description: str,
        topic: Topics,
        statistic: str = "Average",
        period_seconds: int | Duration = 60,
        evaluation_periods: int = 5,
        notify_recovery: bool = False,
    ) -> None:
        owner = "LatencyAlarm"
        checked(owner, "namespace", namespace, alarm_settings.namespace)
        checked(owner, "host_name", host_name, aws_ids.host_name)
        checked(owner, "dependency", dependency, validation.slug)
        checked(owner, "above_milliseconds", above_milliseconds, _above_0)
        checked(owner, "statistic", statistic, _latency_statistic)
        checked(owner, "description", description, alarm_description)
        is_percentile = statistic.startswith("p")
        rule = AlarmRule(
            namespace=namespace,
            metric_name=names.latency_metric(dependency),
            dimensions={"Host": host_name},
            # A rule is what Route 53 can follow, which no percentile is.
            statistic="Average" if is_percentile else statistic,
            comparison="GreaterThanThreshold",
            threshold=above_milliseconds,
            period_seconds=in_seconds(period_seconds),
            evaluation_periods=evaluation_periods,
        )
        super().__init__(scope, construct_id)
        topic_arns = arns_of(topic)
        require_topics_in(region_of(scope), topic_arns)
        self.alarm_name: Final = names.latency_alarm(host_name, dependency)
        require_new_name(owner, self.alarm_name, stack_of(scope))
        self.resource: Final = cloudwatch.CfnAlarm(
            self,
            "Resource",
            alarm_name=self.alarm_name,
            alarm_description=description,
            alarm_actions=topic_arns,
            ok_actions=topic_arns if notify_recovery else None,
            namespace=rule.namespace,
            metric_name=rule.metric_name,
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="Host", value=host_name)],
            statistic=None if is_percentile else statistic,
            extended_statistic=statistic if is_percentile else None,
            period=rule.period_seconds,
            evaluation_periods=rule.evaluation_periods,
            threshold=above_milliseconds,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data=MissingData.NOT_BREACHING.value,
        )


class CertificateAlarm(SignalAlarm):
    """Fires when a dependency's certificate is about to expire. It should decide no failover.

    The probe publishes the metric ``<dependency>-certificate-days`` where the check has
    ``certificate``. Missing data is not breaching: a certificate that is not trusted, or no longer
    valid, makes the check fail instead.

    Args:
        namespace: CloudWatch namespace of the probe's metrics; not one of AWS's own.
        host_name: The host that the probe runs on: its Name tag.
        dependency: Short name of the dependency, for example ``db``.
        days: Fewest days without an alarm.
        description: Text of the notification; at most 1,024 characters.
        topic: Where the change to ALARM is sent.
        notify_recovery: Also send the return to OK; not sent unless given.

    Raises:
        InvalidInputError: A value that AWS would refuse.

    Attributes are those of ``SignalAlarm``. The alarm is named
    ``<host_name>-<dependency>-certificate-expires``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> alarm = CertificateAlarm(
        ...     Stack(App(), "Shop"),
        ...     "DatabaseCertificate",
        ...     namespace="Shop",
        ...     host_name="shop-blue",
        ...     dependency="db",
        ...     days=14,
        ...     description="The database's certificate expires.",
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> alarm.alarm_name
        'shop-blue-db-certificate-expires'
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        namespace: str,
        host_name: str,
        dependency: str,
        days: int,
        description: str,
        topic: Topics,
        notify_recovery: bool = False,
    ) -> None:
        checked("CertificateAlarm", "namespace", namespace, alarm_settings.namespace)
        checked("CertificateAlarm", "host_name", host_name, aws_ids.host_name)
        checked("CertificateAlarm", "dependency", dependency, validation.slug)
        checked("CertificateAlarm", "days", days, probe_validation.days_to_expiry)
        super().__init__(
            scope,
            construct_id,
            rule=AlarmRule(
                namespace=namespace,
                metric_name=names.certificate_metric(dependency),
                dimensions={"Host": host_name},
                statistic="Minimum",
                comparison="LessThanThreshold",
                threshold=days,
                period_seconds=3600,
            ),
            alarm_name=names.certificate_alarm(host_name, dependency),
            description=description,
            missing_data=MissingData.NOT_BREACHING,
            topic=topic,
            notify_recovery=notify_recovery,
        )


def _above_0(value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError(f"{value} is not a number of milliseconds above 0; give one like 250")
    return value


_latency_statistic = validation.by_pattern(
    r"Average|Maximum|Minimum|p([1-9][0-9]?)(\.[0-9]{1,2})?",
    "a statistic of a latency (Average, Maximum, Minimum or a percentile)",
    "p95",
)
