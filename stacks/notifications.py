"""The topics that alarms notify, each in a stack of its own, and the subscriptions to them."""

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack

from resiliency.service_file import Environment
from resiliency.service_file.alarms import alarms_of
from staged_resiliency import (
    AlarmTopic,
    EmailSubscription,
    HttpsSubscription,
    LambdaSubscription,
    QueueSubscription,
    SmsSubscription,
    Subscription,
)
from staged_resiliency.shared import names

from .service_stack import ServiceStack


class NotificationsStack(ServiceStack):
    """A topic that services share, with its key.

    Its template depends on the topic's name and place alone. So it does not matter which service
    files are loaded, or which of several repositories deploys it: docs/adr/0013.
    """

    def __init__(self, app: App, environment: Environment, region: str) -> None:
        given = environment.notifications
        name = str(given.topic_name)
        super().__init__(
            app,
            names.notifications_stack(environment.account, region, name),
            environment,
            region=region,
            description=f"The SNS topic {name}, which alarms in {region} notify.",
            tags=given.tags,
            # Services of other files and repositories may use the topic.
            termination_protection=True,
        )
        topic = AlarmTopic(self, "Topic", topic_name=name)
        CfnOutput(self, "TopicArn", value=topic.topic_arn, description=f"ARN of the topic {name}.")


def notifies_in(environment: Environment, region: str) -> bool:
    """Whether anything of an environment publishes to topics of a region."""
    if region == environment.failover_region and environment.failover_topics:
        return True
    if region != environment.region:
        return False
    return bool(alarms_of(environment)) or environment.drills is not None


def add_subscriptions(stack: Stack, environment: Environment) -> None:
    """Subscribe an environment's subscribers to its topic in the region of a stack.

    A topic has one subscription for each subscriber, whichever services ask for it. So one stays
    when it leaves a template: it may be that of another service.
    """
    given = environment.notifications
    arn = environment.created_topic_in(stack.region) or given.topic_arn
    if arn is None or not given.subscriptions or arn not in environment.topics_in(stack.region):
        return
    topic = AlarmTopic.from_topic_arn(stack, "Topic", arn)
    for subscriber in given.subscriptions:
        made = topic.subscribe(subscription_of(subscriber))
        made.apply_removal_policy(RemovalPolicy.RETAIN)


def subscription_of(subscriber: str) -> Subscription:
    """Return the subscription for a subscriber; the subscriber's form shows its protocol."""
    if subscriber.startswith("arn:"):
        service = subscriber.split(":")[2]
        return (LambdaSubscription if service == "lambda" else QueueSubscription)(subscriber)
    if subscriber.startswith("https://"):
        return HttpsSubscription(subscriber)
    return (SmsSubscription if subscriber.startswith("+") else EmailSubscription)(subscriber)
