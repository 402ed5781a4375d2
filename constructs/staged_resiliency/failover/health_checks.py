"""Route 53 health checks that follow an alarm, or are calculated from other health checks."""

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cached_property
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_route53 as route53
from constructs import Construct

from staged_resiliency.failover.alarm_rule import rule_digest
from staged_resiliency.failover.alarms import MissingData, SignalAlarm
from staged_resiliency.failover.followed_alarm import FollowedAlarm, followed_alarm
from staged_resiliency.shared import alarm_settings, aws_ids, limits
from staged_resiliency.shared.digest import digest, stable
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal


class InsufficientData(Enum):
    """The status of a health check on an alarm while CloudWatch has too little data."""

    UNHEALTHY = "Unhealthy"
    """The health check is unhealthy."""
    HEALTHY = "Healthy"
    """The health check is healthy."""
    LAST_KNOWN_STATUS = "LastKnownStatus"
    """The health check keeps its status; a new one starts healthy."""


# The health check treats missing data as the alarm does. Where the alarm has CloudWatch's default,
# missing data of the active host is a failure: the standby is there to be used.
STATUS_WITHOUT_DATA: Final[Mapping[MissingData, InsufficientData]] = {
    MissingData.BREACHING: InsufficientData.UNHEALTHY,
    MissingData.CLOUDWATCH_DEFAULT: InsufficientData.UNHEALTHY,
    MissingData.NOT_BREACHING: InsufficientData.HEALTHY,
    MissingData.IGNORE: InsufficientData.LAST_KNOWN_STATUS,
}


class HealthCheck(Construct):
    """Base class of the health checks here: creates one ``AWS::Route53::HealthCheck``.

    The logical id contains a digest of the settings that decide about health. A change of them
    therefore makes a new health check, and the records that refer to it move to the new one in
    one update (docs/adr/0003). Settings that are known only at deployment can't be in a digest; a
    change of them updates the health check in place.

    Args:
        content_digest: Digest of the deciding settings; a new one makes a new health check.
        config: The settings.
        label: Name tag of the health check. Route 53 shows it.
        description: Description in the template's metadata.

    Attributes:
        health_check_id: Id of the health check, known at deployment.
        content_digest: Digest of the deciding settings.
        resource: The ``CfnHealthCheck``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        content_digest: str,
        config: route53.CfnHealthCheck.HealthCheckConfigProperty,
        label: str,
        description: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.content_digest: Final = content_digest
        self.resource: Final = route53.CfnHealthCheck(
            self,
            content_digest,
            health_check_config=config,
            health_check_tags=[
                route53.CfnHealthCheck.HealthCheckTagProperty(key="Name", value=label)
            ],
        )
        self.resource.add_metadata("Description", description)
        self.health_check_id: Final = self.resource.ref

    def metric_health_check_status(
        self, *, period: Duration | None = None, statistic: str = "Minimum"
    ) -> cloudwatch.Metric:
        """Return the metric ``HealthCheckStatus``: 1 healthy, 0 unhealthy.

        It exists in one region of each partition only, us-east-1 in ``aws``, and the metric
        returned names that region; an alarm on it must be in a stack of that region.

        Args:
            period: Length of a period; one minute unless given.
            statistic: Statistic over a period; Minimum unless given.
        """
        return cloudwatch.Metric(
            namespace="AWS/Route53",
            metric_name="HealthCheckStatus",
            dimensions_map={"HealthCheckId": self.health_check_id},
            region=limits.health_check_metrics_region(Stack.of(self).region),
            period=period or Duration.minutes(1),
            statistic=statistic,
        )

    @cached_property
    def health_check(self) -> route53.IHealthCheck:
        """The health check as the CDK's type ``IHealthCheck``, for record sets."""
        return route53.HealthCheck.from_health_check_id(self, "Imported", self.health_check_id)


class AlarmHealthCheck(HealthCheck):
    """A health check that is healthy while an alarm's metric does not breach the alarm's rule.

    Route 53 copies eight fields of the alarm when the health check is made or updated, and never
    again by itself: an edited alarm leaves it on the old rule. So the logical id carries a
    digest of those fields. An edit that matters makes a new health check, which the record moves
    to; an edit that does not matter (description, actions, missing data) changes nothing. Where
    a field is known only at deployment, the alarm's name must carry it, so that the reference
    to the alarm changes with it (docs/adr/0003).

    Args:
        alarm: The alarm, of the same account; in this stack or in another of the app. A
            ``SignalAlarm`` or one below it, or an ``Alarm`` of the CDK that Route 53 can follow.
            (An instance of another stack would be an export in the alarm's name, which can't
            change while it is imported: make instance and alarm in one stack.)
        alarm_region: Region of the alarm; that of the alarm's stack unless given.
        insufficient_data: The status while there is too little data. Unless given it follows
            the alarm: breaching data and CloudWatch's default are unhealthy, not breaching is
            healthy, ignored data keeps the last known status.
        label: Name tag of the health check; the alarm's name unless given. Route 53 shows it.

    Raises:
        InvalidInputError: A field of the rule is known only at deployment and the alarm's name
            does not carry it, or Route 53 can't follow the alarm or alarms of the region.

    Attributes are those of ``HealthCheck``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import InstanceStatusAlarm
        >>> stack = Stack(App(), "Shop")
        >>> alarm = InstanceStatusAlarm(
        ...     stack,
        ...     "StatusAlarm",
        ...     instance="i-0123456789abcdef0",
        ...     host_name="shop-blue",
        ...     description="Shop (Blue) instance failure.",
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> health_check = AlarmHealthCheck(stack, "HealthCheck", alarm=alarm)
        >>> health_check.metric_health_check_status().region
        'us-east-1'

    See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-updating-cloudwatch-alarm-settings.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarm: SignalAlarm | cloudwatch.IAlarm,
        alarm_region: str | None = None,
        insufficient_data: InsufficientData | None = None,
        label: str | None = None,
    ) -> None:
        followed = alarm if isinstance(alarm, SignalAlarm) else followed_alarm(alarm)
        if isinstance(followed, SignalAlarm):
            checked(
                "AlarmHealthCheck",
                "alarm",
                followed.datapoints_to_alarm,
                lambda given: alarm_settings.all_datapoints(
                    given, followed.rule.evaluation_periods
                ),
            )
        _require_name_carries_what_deployment_decides(followed)
        region = alarm_region or Stack.of(alarm).region
        checked("AlarmHealthCheck", "alarm_region", region, aws_ids.region)
        status = insufficient_data or STATUS_WITHOUT_DATA[followed.missing_data]
        super().__init__(
            scope,
            construct_id,
            content_digest=rule_digest(followed.rule),
            config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                type="CLOUDWATCH_METRIC",
                alarm_identifier=route53.CfnHealthCheck.AlarmIdentifierProperty(
                    name=followed.alarm_name, region=region
                ),
                insufficient_data_health_status=status.value,
                inverted=False,
            ),
            label=label or followed.alarm_name,
            description="Follows the metric of an alarm. The logical id changes with the alarm's "
            "rule, because Route 53 reads the rule only once.",
        )
        # The alarm is named, not referred to, so CloudFormation needs an explicit dependency:
        # Route 53 reads the rule when the health check is made.
        self.resource.node.add_dependency(followed.resource)


def _require_name_carries_what_deployment_decides(alarm: SignalAlarm | FollowedAlarm) -> None:
    rule = alarm.rule
    for name, number in (
        ("period_seconds", rule.period_seconds),
        ("evaluation_periods", rule.evaluation_periods),
        ("threshold", rule.threshold),
    ):
        if not is_literal(number):
            raise InvalidInputError(
                f"AlarmHealthCheck: alarm: {name} is known only at deployment, so the health "
                "check could not follow a change of it; give a plain number"
            )
    for text in rule.known_at_deployment:
        if text not in alarm.alarm_name:
            raise InvalidInputError(
                "AlarmHealthCheck: alarm: its metric has a value that is known only at "
                "deployment and is no part of the alarm's name, so the health check could not "
                "follow a change of it; give a SignalAlarm without alarm_name, whose name "
                "contains it"
            )


class CalculatedHealthCheck(HealthCheck):
    """A health check that is healthy while enough other health checks are.

    Args:
        children: 1 to 255 health checks, of this package or the CDK's.
        healthy_at_least: How many children must be healthy; all of them unless given.
        label: Name tag of the health check. Route 53 shows it.

    Raises:
        InvalidInputError: No children, too many, or a threshold that can't decide anything.

    Attributes are those of ``HealthCheck``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import EndpointHealthCheck, TcpConnect
        >>> stack = Stack(App(), "Shop")
        >>> ports = [
        ...     EndpointHealthCheck(
        ...         stack,
        ...         f"Port{port}",
        ...         address="52.11.79.8",
        ...         request=TcpConnect(port),
        ...         label=f"shop-{port}",
        ...     )
        ...     for port in (80, 443)
        ... ]
        >>> either = CalculatedHealthCheck(
        ...     stack, "EitherPort", children=ports, healthy_at_least=1, label="shop-either-port"
        ... )
        >>> either.resource.health_check_config.health_threshold
        1
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        children: Sequence[HealthCheck | route53.IHealthCheck],
        label: str,
        healthy_at_least: int | None = None,
    ) -> None:
        most = limits.MAX_CHILD_HEALTH_CHECKS
        if not 1 <= len(children) <= most:
            raise InvalidInputError(
                f"CalculatedHealthCheck: children: {len(children)} are given; allowed: 1 to {most}"
            )
        threshold = len(children) if healthy_at_least is None else healthy_at_least
        if is_literal(threshold) and not 1 <= threshold <= len(children):
            raise InvalidInputError(
                f"CalculatedHealthCheck: healthy_at_least: {threshold} of {len(children)} would "
                f"always or never be reached; allowed: 1 to {len(children)}"
            )
        super().__init__(
            scope,
            construct_id,
            content_digest=digest([_identity(child) for child in children], stable(threshold)),
            config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                type="CALCULATED",
                child_health_checks=[child.health_check_id for child in children],
                health_threshold=threshold,
                inverted=False,
            ),
            label=label,
            description=f"Healthy while at least {threshold} of {len(children)} signals are.",
        )


def _identity(child: HealthCheck | route53.IHealthCheck) -> str | float | None:
    """Return a value that identifies the child at synthesis."""
    if isinstance(child, HealthCheck):
        return child.content_digest
    return stable(child.health_check_id)
