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
    """What the services of one account and region want of topics.

    Attributes:
        made: Names of topics to make, with their subscribers.
        adopted: ARNs of existing topics, with the subscribers to add.
    """

    made: dict[str, list[str]] = field(default_factory=dict)
    adopted: dict[str, list[str]] = field(default_factory=dict)


def topics_by_place(services: Iterable[Service]) -> Mapping[Place, TopicRequests]:
    """The topics to make and the subscribers to add, for each account and region."""
    wishes: dict[Place, TopicRequests] = {}
    for service in services:
        for environment in service.environments.values():
            wanted = environment.notifications
            if wanted.topic_name is None and not wanted.subscriptions:
                continue  # an adopted topic with nothing to add
            place = wishes.setdefault((environment.account, environment.region), TopicRequests())
            if wanted.topic_name is not None:
                subscribers = place.made.setdefault(wanted.topic_name, [])
            else:
                subscribers = place.adopted.setdefault(str(wanted.topic_arn), [])
            subscribers += (s for s in wanted.subscriptions if s not in subscribers)
    return wishes


class NotificationsStack(Stack):
    """Makes the topics and subscriptions of one account and region.

    Topics live here and not in the services' stacks, so that a second service that uses one, or
    the removal of the first, does not move it.
    """

    def __init__(self, app: App, place: Place, wishes: TopicRequests) -> None:
        account, region = place
        super().__init__(
            app,
            names.notifications_stack(account, region),
            env=Environment(account=account, region=region),
            description=f"SNS topics that the alarms of services in {region} notify.",
        )
        self._wishes = wishes
        if wishes.made:
            key = AlarmKey(self, "Key")
            for name, subscribers in wishes.made.items():
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
        for arn, subscribers in wishes.adopted.items():
            adopted = AlarmTopic.from_topic_arn(self, f"Adopted-{arn.rpartition(':')[2]}", arn)
            for subscriber in subscribers:
                adopted.subscribe(subscription_of(subscriber))

    def serves(self, environment: ServiceEnvironment) -> bool:
        """Whether the topic of an environment is made here."""
        return environment.notifications.topic_name in self._wishes.made


def subscription_of(subscriber: str) -> Subscription:
    """A subscriber in a service file is known by its form, which its model has checked."""
    if subscriber.startswith("arn:"):
        return QueueSubscription(subscriber)
    if subscriber.startswith("https://"):
        return HttpsSubscription(subscriber)
    return EmailSubscription(subscriber)
