"""Whom alarms notify."""

from typing import Annotated

from pydantic import AfterValidator, Field

from resiliency.service_file.model.values import Section, TagKey, TagValue
from staged_resiliency.shared import aws_ids, limits, network_names, validation


def _subscription(value: str) -> str:
    if value.startswith("arn:") and value.split(":")[2:3] == ["lambda"]:
        return aws_ids.function_arn(value)
    if value.startswith("arn:"):
        return aws_ids.queue_arn(value)
    if "://" in value:
        return network_names.https_url(value)
    if value.startswith("+"):
        return validation.phone_number(value)
    if "@" in value:
        return network_names.email_address(value)
    raise ValueError(
        f"{validation.shown(value)} is not a subscriber; give an e-mail address, an https URL, "
        "the ARN of an SQS queue or a Lambda function, or a phone number like +15555550100"
    )


class Notifications(Section):
    """Where alarms are sent: a topic to create, or an existing one."""

    topic_name: Annotated[str, AfterValidator(aws_ids.topic_name)] | None = Field(
        default=None,
        description="Name of the SNS topics to create: one in the environment's region for its "
        "alarms, and one in us-east-1 for the alarm on failovers. Services that give the same name "
        "in the same account and region share the topic.",
        examples=["PingPublicationsSNS"],
    )
    topic_arn: Annotated[str, AfterValidator(aws_ids.topic_arn)] | None = Field(
        default=None,
        description="ARN of an existing topic, instead of topic_name. Its policy and key must "
        "allow CloudWatch to publish.",
        examples=["arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS"],
    )
    more_topics: Annotated[
        list[Annotated[str, AfterValidator(aws_ids.topic_arn)]],
        Field(max_length=limits.MAX_ALARM_ACTIONS - 1),
    ] = Field(
        default=[],
        description="ARNs of more existing topics, of this account or another one: alarms notify "
        "those of their own region. The alarm on failovers is in us-east-1.",
        examples=[["arn:aws:sns:us-east-1:210987654321:operations"]],
    )
    subscriptions: list[Annotated[str, AfterValidator(_subscription)]] = Field(
        default=[],
        description="Who receives the messages of topic_name or topic_arn: e-mail addresses, "
        "https URLs, ARNs of SQS queues and Lambda functions, phone numbers.",
        examples=[["ops@example.com"]],
    )
    recovery: bool = Field(
        default=False,
        description="Also send a message when an alarm returns to OK. The alarm on failovers "
        "always does.",
    )
    tags: dict[TagKey, TagValue] = Field(
        default={},
        description="Tags of the stacks of topic_name; equal where services share it.",
    )
