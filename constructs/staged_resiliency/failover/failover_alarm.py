"""The alarm that fires while DNS sends clients to the standby."""

from typing import Final

from aws_cdk import CfnOutput, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from staged_resiliency.failover.alarms import MissingData
from staged_resiliency.failover.health_checks import HealthCheck
from staged_resiliency.notifications.topics import Topics, arns_of, require_topics_in
from staged_resiliency.shared import alarm_settings, limits
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal


class FailoverAlarm(Construct):
    """An alarm that fires while the health check of the primary record is unhealthy.

    Route 53 then answers with the secondary record. So the alarm notifies of every failover that a
    health check decides, whatever its signals are, and of the return. What it does not show: a
    load balancer without healthy targets, for which an alias record moves clients without its
    health check (``EvaluateTargetHealth``).

    Metrics of health checks exist in us-east-1 alone (or one region of another partition), and an
    alarm must be in the region of its metric and of its topics: create it in a stack there. Where
    the health check is in another stack, its id is read from an output of that stack
    (``Fn::GetStackOutput``, which also works across regions), which is added there. The output's
    name changes with the health check, so an update of the alarm's stack always finds the current
    one (docs/adr/0013).

    Data that are missing keep the state, so that neither a new health check nor a gap sends a
    message.

    Args:
        health_check: The health check of the primary record, in this stack or in another one.
        alarm_name: Physical name.
        description: Text of the notification.
        topic: Where both changes, to ALARM and to OK, are sent: one topic, or up to five.

    Raises:
        InvalidInputError: The stack is in another region, or a value that AWS would refuse.

    Attributes:
        alarm_name: The physical name.
        resource: The ``CfnAlarm``.

    Example:
        >>> from aws_cdk import App, Environment, Stack
        >>> from staged_resiliency import EndpointHealthCheck, HttpRequest
        >>> app, account = App(), "111111111111"
        >>> europe = Stack(app, "Shop", env=Environment(account=account, region="eu-west-1"))
        >>> virginia = Stack(app, "ShopAlarm", env=Environment(account=account, region="us-east-1"))
        >>> alarm = FailoverAlarm(
        ...     virginia,
        ...     "FailoverAlarm",
        ...     health_check=EndpointHealthCheck(
        ...         europe, "Check", address="52.11.79.8", request=HttpRequest(), label="shop-blue"
        ...     ),
        ...     alarm_name="shop-clients-on-standby",
        ...     description="Clients of shop.example.com are being sent to shop-green.",
        ...     topic="arn:aws:sns:us-east-1:111111111111:ops",
        ... )
        >>> alarm.resource.metric_name
        'HealthCheckStatus'

    See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        health_check: HealthCheck,
        alarm_name: str,
        description: str,
        topic: Topics,
    ) -> None:
        stack = Stack.of(scope)
        region = limits.health_check_metrics_region(stack.region)
        if is_literal(stack.region) and stack.region != region:
            raise InvalidInputError(
                f"FailoverAlarm: its stack is in {stack.region}; metrics of health checks exist in "
                f"{region} alone, so create it in a stack of that region"
            )
        checked("FailoverAlarm", "alarm_name", alarm_name, alarm_settings.alarm_name)
        topic_arns = arns_of(topic)
        require_topics_in(stack.region, topic_arns)
        super().__init__(scope, construct_id)
        self.alarm_name: Final = alarm_name
        self.resource: Final = cloudwatch.CfnAlarm(
            self,
            "Resource",
            alarm_name=alarm_name,
            alarm_description=description,
            actions_enabled=True,
            alarm_actions=topic_arns,
            ok_actions=topic_arns,
            namespace="AWS/Route53",
            metric_name="HealthCheckStatus",
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(
                    name="HealthCheckId", value=_id_in(stack, health_check)
                )
            ],
            statistic="Minimum",
            period=60,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            threshold=1,
            comparison_operator="LessThanThreshold",
            treat_missing_data=MissingData.IGNORE.value,
        )


def _id_in(stack: Stack, health_check: HealthCheck) -> str:
    """Return the id of a health check for use in a stack, and make the stack depend on it."""
    owner = Stack.of(health_check)
    if owner is stack:
        return health_check.health_check_id
    output = CfnOutput(
        health_check,
        f"Id{health_check.content_digest}",
        value=health_check.health_check_id,
        description=f"The health check, for the alarm of the stack {stack.stack_name}.",
    )
    stack.node.add_dependency(owner)
    read = {"StackName": owner.stack_name, "OutputName": owner.resolve(output.logical_id)}
    if is_literal(owner.region):
        read["Region"] = owner.region
    # Not by `Fn.get_stack_output`, which the CDK has since 2.253.0.
    return Token.as_string({"Fn::GetStackOutput": read})
