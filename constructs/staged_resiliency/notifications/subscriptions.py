"""Subscriptions to a topic: e-mail, HTTPS, SQS, Lambda and SMS."""

from dataclasses import dataclass
from typing import ClassVar

from staged_resiliency.shared import validation
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

    def __post_init__(self) -> None:
        """Refuse the base class."""
        raise InvalidInputError(
            "Subscription: has no protocol; use EmailSubscription, HttpsSubscription, "
            "LambdaSubscription, QueueSubscription or SmsSubscription"
        )


@dataclass(frozen=True, slots=True)
class EmailSubscription(Subscription):
    """An e-mail address, which receives messages once its owner confirms the subscription."""

    protocol: ClassVar[str] = "email"

    def __post_init__(self) -> None:
        """Refuse an invalid e-mail address."""
        checked("EmailSubscription", "endpoint", self.endpoint, validation.email_address)


@dataclass(frozen=True, slots=True)
class HttpsSubscription(Subscription):
    """An https URL, which receives messages once it confirms the subscription."""

    protocol: ClassVar[str] = "https"

    def __post_init__(self) -> None:
        """Refuse an invalid URL, or one with a password."""
        checked("HttpsSubscription", "endpoint", self.endpoint, validation.https_url)


@dataclass(frozen=True, slots=True)
class QueueSubscription(Subscription):
    """The ARN of an SQS queue, whose policy must let the topic send messages to it."""

    protocol: ClassVar[str] = "sqs"

    def __post_init__(self) -> None:
        """Refuse an invalid ARN."""
        checked("QueueSubscription", "endpoint", self.endpoint, validation.queue_arn)


@dataclass(frozen=True, slots=True)
class LambdaSubscription(Subscription):
    """The ARN of a Lambda function, whose policy must let the topic invoke it."""

    protocol: ClassVar[str] = "lambda"

    def __post_init__(self) -> None:
        """Refuse an invalid ARN."""
        checked("LambdaSubscription", "endpoint", self.endpoint, validation.function_arn)


@dataclass(frozen=True, slots=True)
class SmsSubscription(Subscription):
    """A phone number; the account must be able to send SMS from the topic's region."""

    protocol: ClassVar[str] = "sms"

    def __post_init__(self) -> None:
        """Refuse an invalid number."""
        checked("SmsSubscription", "endpoint", self.endpoint, validation.phone_number)
