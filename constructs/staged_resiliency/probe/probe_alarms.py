"""Alarms on the probe's own heartbeat and on its checks of other hosts."""

from aws_cdk import Duration
from constructs import Construct

from staged_resiliency.failover.alarm_rule import AlarmRule
from staged_resiliency.failover.alarms import MissingData, SignalAlarm, separates_0_from_1
from staged_resiliency.notifications.topics import Topics
from staged_resiliency.probe.configuration import DEFAULT_SILENT_PERIODS
from staged_resiliency.shared import names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, in_seconds


class ProbeSilentAlarm(SignalAlarm):
    """Fires when a host's probe sends no data: it is not installed, stopped, or can't publish.

    The probe publishes 1 once a minute as metric ``probe-heartbeat`` with the dimension ``Host``,
    never 0. So only missing data can breach, and it always does. CloudWatch retrieves more periods
    than it evaluates, 5 for 3 of them, and evaluates data points in that range in place of missing
    ones. So with 3 periods about five minutes without data fire; a restart of the probe or of its
    host does not.

    Until the probe is installed for the first time, this alarm is in ALARM.

    Args:
        scope: The parent.
        construct_id: Id below the parent.
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
        checked("ProbeSilentAlarm", "namespace", namespace, validation.namespace)
        checked("ProbeSilentAlarm", "host_name", host_name, validation.host_name)
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
        scope: The parent.
        construct_id: Id below the parent.
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
    ) -> None:
        owner = "PeerAlarm"
        checked(owner, "namespace", namespace, validation.namespace)
        checked(owner, "host_name", host_name, validation.host_name)
        checked(owner, "observer", observer, validation.host_name)
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
        )
