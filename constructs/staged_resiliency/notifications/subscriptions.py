"""Subscriptions to a topic: e-mail, HTTPS, SQS, Lambda and SMS."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from staged_resiliency.shared import aws_ids, network_names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked


@dataclass(frozen=True, slots=True)
class Subscription:
    """Base class of the subscriptions below; not used by itself.

    Attributes:
        endpoint: Where messages are sent: an e-mail address, a URL, an ARN or a phone number.
        protocol: The protocol, as SNS names it.

    Raises:
        InvalidInputError: The endpoint does not fit the protocol.
    """

    endpoint: str
    protocol: ClassVar[str] = ""
    _check: ClassVar[Callable[[str], str]]

    def __post_init__(self) -> None:
        if not self.protocol:
            raise InvalidInputError(
                "Subscription: has no protocol; use EmailSubscription, HttpsSubscription, "
                "LambdaSubscription, QueueSubscription or SmsSubscription"
            )
        checked(type(self).__name__, "endpoint", self.endpoint, type(self)._check)


class EmailSubscription(Subscription):
    """An e-mail address, which receives messages once its owner confirms the subscription."""

    protocol = "email"
    _check = network_names.email_address


class HttpsSubscription(Subscription):
    """An https URL, which receives messages once it confirms the subscription."""

    protocol = "https"
    _check = network_names.https_url


class QueueSubscription(Subscription):
    """The ARN of an SQS queue, whose policy must let the topic send messages to it."""

    protocol = "sqs"
    _check = aws_ids.queue_arn


class LambdaSubscription(Subscription):
    """The ARN of a Lambda function, whose policy must let the topic invoke it."""

    protocol = "lambda"
    _check = aws_ids.function_arn


class SmsSubscription(Subscription):
    """A phone number; the account must be able to send SMS from the topic's region."""

    protocol = "sms"
    _check = validation.phone_number
