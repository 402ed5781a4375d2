"""Who receives the messages of a topic."""

from dataclasses import dataclass
from typing import ClassVar

from staged_resiliency.shared import validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked


@dataclass(frozen=True, slots=True)
class Subscription:
    """Someone who receives a topic's messages; use one of the kinds below.

    Attributes:
        endpoint: Where messages are sent, in the form that the kind asks for.
        protocol: The kind, as SNS names it.

    Raises:
        InvalidInputError: An endpoint that is not of the kind.
    """

    endpoint: str
    protocol: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Refuse what is of no kind."""
        raise InvalidInputError(
            "Subscription: has no protocol; use EmailSubscription, HttpsSubscription or "
            "QueueSubscription"
        )


@dataclass(frozen=True, slots=True)
class EmailSubscription(Subscription):
    """An e-mail address; it receives messages once its owner followed the link SNS sends."""

    protocol: ClassVar[str] = "email"

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        checked("EmailSubscription", "endpoint", self.endpoint, validation.email_address)


@dataclass(frozen=True, slots=True)
class HttpsSubscription(Subscription):
    """An https URL; it receives messages once it confirmed the subscription."""

    protocol: ClassVar[str] = "https"

    def __post_init__(self) -> None:
        """Refuse what is no https URL, or holds a password."""
        checked("HttpsSubscription", "endpoint", self.endpoint, validation.https_url)


@dataclass(frozen=True, slots=True)
class QueueSubscription(Subscription):
    """The ARN of an SQS queue, whose own policy must let the topic send to it."""

    protocol: ClassVar[str] = "sqs"

    def __post_init__(self) -> None:
        """Refuse what is no queue."""
        checked("QueueSubscription", "endpoint", self.endpoint, validation.queue_arn)
