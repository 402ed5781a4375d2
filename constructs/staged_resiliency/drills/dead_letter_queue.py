"""The dead-letter queue for calls that start drills or the cleanup, with an alarm."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from staged_resiliency.drills.iam import place_of
from staged_resiliency.failover.alarm_rule import AlarmRule
from staged_resiliency.failover.alarms import MissingData, SignalAlarm
from staged_resiliency.notifications.topics import Topics
from staged_resiliency.shared import names
from staged_resiliency.shared.acknowledge import acknowledge
from staged_resiliency.shared.stacks import set_stack_of

_TWO_WEEKS_SECONDS: Final = 1_209_600
_WHY_NO_QUEUE_BEHIND: Final = "It is itself the dead-letter queue; a message in it fires an alarm."


class DeadLetterQueue(Construct):
    """A dead-letter queue for calls that start drills or the cleanup, with an alarm.

    Creates an ``AWS::SQS::Queue`` (encrypted, TLS only), its policy, and an
    ``AWS::CloudWatch::Alarm`` that fires as soon as the queue holds a
    message.

    Args:
        service: Short name of the service.
        environment: Short name of the environment.
        display_name: The service's name in the alarm's text.
        topic: Where the alarm sends its notifications.
        notify_recovery: Also send the return to OK; not sent unless given.
        key: ARN of a customer-managed KMS key; SQS's own keys unless given.

    Attributes:
        alarm: The ``SignalAlarm``.
        resource: The ``CfnQueue``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: str,
        environment: str,
        display_name: str,
        topic: Topics,
        notify_recovery: bool = False,
        key: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        set_stack_of(self, scope)
        self.resource: Final = sqs.CfnQueue(
            self,
            "Resource",
            message_retention_period=_TWO_WEEKS_SECONDS,
            sqs_managed_sse_enabled=True if key is None else None,
            kms_master_key_id=key,
        )
        self.resource.apply_removal_policy(RemovalPolicy.DESTROY)
        self.resource.add_metadata(
            "Description",
            "Holds starts of drills and calls of the cleanup that were not delivered.",
        )
        acknowledge(self.resource, {"AwsSolutions-SQS3": _WHY_NO_QUEUE_BEHIND})
        self.queue_arn: Final = self.resource.attr_arn
        self.alarm: Final = SignalAlarm(
            self,
            "Alarm",
            rule=AlarmRule(
                namespace="AWS/SQS",
                metric_name="ApproximateNumberOfMessagesVisible",
                dimensions={"QueueName": self.resource.attr_queue_name},
                statistic="Maximum",
                comparison="GreaterThanThreshold",
                threshold=0,
            ),
            alarm_name=names.drill_undelivered_alarm(service, environment),
            description=names.drill_undelivered_description(display_name),
            # SQS publishes no metrics of a queue that has been empty for hours.
            missing_data=MissingData.NOT_BREACHING,
            topic=topic,
            notify_recovery=notify_recovery,
        )

    def let_rule_send(self, rule_arn: str) -> None:
        """Add the queue's policy, which lets an EventBridge rule send undelivered events.

        Call it once: a queue has one policy.
        """
        policy = sqs.CfnQueuePolicy(
            self,
            "Policy",
            queues=[self.resource.ref],
            policy_document={"Version": "2012-10-17", "Statement": self._statements(rule_arn)},
        )
        policy.add_metadata(
            "Description", "Lets the rule of this stack send, and denies access without TLS."
        )

    def _statements(self, rule_arn: str) -> list[Mapping[str, object]]:
        account = place_of(self).account
        return [
            {
                "Sid": "RulesSend",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": self.queue_arn,
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnEquals": {"aws:SourceArn": [rule_arn]},
                },
            },
            {
                "Sid": "DenyWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": self.queue_arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ]
