"""The topics of one account and region, shared by the services that name them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from aws_cdk import App, CfnOutput, Environment, Stack

from resiliency.service_file import Environment as ServiceEnvironment
from resiliency.service_file import Service
from staged_resiliency import (
    AlarmKey,
    AlarmTopic,
    EmailSubscription,
    HttpsSubscription,
    QueueSubscription,
    Subscription,
)
from staged_resiliency.shared import names

Place: TypeAlias = tuple[str, str]
"""Account and region."""


@dataclass(slots=True)
class TopicRequests:
    """The topics that the services of one account and region ask for.

    Attributes:
        created: Names of topics to create, with their subscribers.
        existing: ARNs of existing topics, with the subscribers to add.
    """

    created: dict[str, list[str]] = field(default_factory=dict)
    existing: dict[str, list[str]] = field(default_factory=dict)


def topics_by_place(services: Iterable[Service]) -> Mapping[Place, TopicRequests]:
    """Return the topics to create and the subscribers to add, for each account and region."""
    requests: dict[Place, TopicRequests] = {}
    for service in services:
        for environment in service.environments.values():
            wanted = environment.notifications
            if wanted.topic_name is None and not wanted.subscriptions:
                continue  # an existing topic without subscribers to add
            place = requests.setdefault((environment.account, environment.region), TopicRequests())
            if wanted.topic_name is not None:
                subscribers = place.created.setdefault(wanted.topic_name, [])
            else:
                subscribers = place.existing.setdefault(str(wanted.topic_arn), [])
            subscribers += (s for s in wanted.subscriptions if s not in subscribers)
    return requests


class NotificationsStack(Stack):
    """The topics and subscriptions of one account and region.

    Topics are not in the services' stacks, so that several services can use one and none of them
    takes it along when it is removed.
    """

    def __init__(self, app: App, place: Place, requests: TopicRequests) -> None:
        account, region = place
        super().__init__(
            app,
            names.notifications_stack(account, region),
            env=Environment(account=account, region=region),
            description=f"SNS topics that the alarms of services in {region} notify.",
        )
        self._requests = requests
        if requests.created:
            key = AlarmKey(self, "Key")
            for name, subscribers in requests.created.items():
                topic = AlarmTopic(
                    self,
                    f"Topic-{name}",
                    topic_name=name,
                    encryption_key=key,
                    subscriptions=[subscription_of(s) for s in subscribers],
                )
                CfnOutput(
                    topic,
                    "TopicArn",
                    value=topic.topic_arn,
                    description=f"ARN of the topic {name}.",
                )
        for arn, subscribers in requests.existing.items():
            adopted = AlarmTopic.from_topic_arn(self, f"Adopted-{arn.rpartition(':')[2]}", arn)
            for subscriber in subscribers:
                adopted.subscribe(subscription_of(subscriber))

    def serves(self, environment: ServiceEnvironment) -> bool:
        """Whether this stack creates the topic of an environment."""
        return environment.notifications.topic_name in self._requests.created


def subscription_of(subscriber: str) -> Subscription:
    """Return the subscription of a subscriber: an email address, a URL or a queue's ARN."""
    if subscriber.startswith("arn:"):
        return QueueSubscription(subscriber)
    if subscriber.startswith("https://"):
        return HttpsSubscription(subscriber)
    return EmailSubscription(subscriber)
