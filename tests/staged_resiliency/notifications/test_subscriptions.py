"""Who receives the messages of a topic."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Stack
from aws_cdk import aws_sns_subscriptions as sns_subscriptions
from aws_cdk import aws_sqs as sqs

from staged_resiliency import (
    AlarmTopic,
    EmailSubscription,
    HttpsSubscription,
    LambdaSubscription,
    QueueSubscription,
    SmsSubscription,
    Subscription,
)
from tests.cases import cases
from tests.staged_resiliency.support import (
    ACCOUNT,
    REGION,
    TOPIC_ARN,
    only_id,
    refused,
    synthesized,
    text_parameter,
)
from tests.support import Template, only, resources_of

SUBSCRIPTION = "AWS::SNS::Subscription"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:alerts"
MAIL = EmailSubscription("ops@example.com")
URL = HttpsSubscription("https://alerts.example.com/sns")
QUEUE = QueueSubscription(QUEUE_ARN)
NO_QUEUE_ARN = (
    "is not the ARN of a standard SQS queue; give one like "
    "arn:aws:sqs:us-west-2:532151327118:alerts"
)
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:alerts"


def with_subscribers(*subscribers: Subscription) -> Template:
    """The template of a topic with these subscribers."""
    return synthesized(lambda stack: AlarmTopic(stack, "Topic", subscriptions=subscribers))


@cases(
    ("subscriber", "protocol", "endpoint"),
    {
        "e-mail": (MAIL, "email", "ops@example.com"),
        "https": (URL, "https", "https://alerts.example.com/sns"),
        "queue": (QUEUE, "sqs", QUEUE_ARN),
        "function": (LambdaSubscription(FUNCTION_ARN), "lambda", FUNCTION_ARN),
        "phone": (SmsSubscription("+15555550100"), "sms", "+15555550100"),
    },
)
def test_a_subscriber_receives_the_topics_messages(
    subscriber: Subscription, protocol: str, endpoint: str
) -> None:
    template = with_subscribers(subscriber)
    assert only(template, SUBSCRIPTION) == {
        "TopicArn": {"Ref": only_id(template, "AWS::SNS::Topic")},
        "Protocol": protocol,
        "Endpoint": endpoint,
    }


def test_a_subscription_says_whom_it_serves() -> None:
    (subscription,) = resources_of(with_subscribers(MAIL), SUBSCRIPTION).values()
    assert subscription["Metadata"] == {
        "Description": "Sends alarm messages to email ops@example.com."
    }


def _endpoints_by_id(template: Template) -> dict[str, str]:
    return {
        logical_id: subscription["Properties"]["Endpoint"]
        for logical_id, subscription in resources_of(template, SUBSCRIPTION).items()
    }


@cases("order", {"reversed": (QUEUE, URL, MAIL), "first two exchanged": (URL, MAIL, QUEUE)})
def test_the_order_of_subscribers_does_not_matter(order: Sequence[Subscription]) -> None:
    usual = _endpoints_by_id(with_subscribers(MAIL, URL, QUEUE))
    assert len(usual) == 3
    assert _endpoints_by_id(with_subscribers(*order)) == usual


def test_a_new_subscriber_leaves_the_others_where_they_are() -> None:
    before, after = (_endpoints_by_id(with_subscribers(*s)) for s in [(URL,), (MAIL, URL)])
    assert before.items() < after.items()


def test_the_same_text_as_another_kind_of_endpoint_is_another_subscription() -> None:
    def ids_of(protocol_kind: type[Subscription]) -> set[str]:
        def build(stack: Stack) -> None:
            endpoint = text_parameter(stack, "Endpoint")
            AlarmTopic(stack, "Topic", subscriptions=[protocol_kind(endpoint)])

        return set(resources_of(synthesized(build), SUBSCRIPTION))

    assert ids_of(EmailSubscription).isdisjoint(ids_of(HttpsSubscription))


def test_an_adopted_topic_makes_nothing_but_subscriptions() -> None:
    def build(stack: Stack) -> None:
        AlarmTopic.from_topic_arn(stack, "Topic", TOPIC_ARN).subscribe(MAIL)

    template = synthesized(build)
    assert only(template, SUBSCRIPTION)["TopicArn"] == TOPIC_ARN
    assert len(template["Resources"]) == 1


def test_a_made_subscription_is_returned(stack: Stack) -> None:
    topic = AlarmTopic(stack, "Topic")
    assert topic.subscribe(MAIL).endpoint == "ops@example.com"


@cases(
    ("kind", "endpoint", "message"),
    {
        "name of a function": (
            LambdaSubscription,
            "alerts",
            "'alerts' is not the ARN of a Lambda function; give one like "
            "arn:aws:lambda:us-west-2:532151327118:function:alerts",
        ),
        "no country code": (
            SmsSubscription,
            "555 0100",
            "'555 0100' is not a phone number (a plus sign, the country code and digits alone); "
            "give one like +15555550100",
        ),
        "no e-mail address": (
            EmailSubscription,
            "ops",
            "'ops' is not an e-mail address; give one like ops@example.com",
        ),
        "http URL": (
            HttpsSubscription,
            "http://alerts.example.com/sns",
            "'http://alerts.example.com/sns' is not an https URL; give one like "
            "https://alerts.example.com/sns",
        ),
        "URL with a password": (
            HttpsSubscription,
            "https://ops:secret@alerts.example.com/sns",
            "the URL carries a user name or password, which the template would show; leave them "
            "out and let the receiver verify SNS's signature",
        ),
        "queue by its name": (QueueSubscription, "alerts", f"'alerts' {NO_QUEUE_ARN}"),
        "FIFO queue": (
            QueueSubscription,
            f"{QUEUE_ARN}.fifo",
            f"'{QUEUE_ARN}.fifo' {NO_QUEUE_ARN}",
        ),
    },
)
def test_an_endpoint_of_another_kind_is_refused(
    kind: type[Subscription], endpoint: str, message: str
) -> None:
    with refused(f"{kind.__name__}: endpoint: {message}"):
        kind(endpoint)


def test_a_subscriber_given_twice_subscribes_once() -> None:
    assert len(resources_of(with_subscribers(MAIL, URL, MAIL), SUBSCRIPTION)) == 2


def test_a_subscription_of_no_kind_is_refused() -> None:
    with refused(
        "Subscription: has no protocol; use EmailSubscription, HttpsSubscription, "
        "LambdaSubscription, QueueSubscription or SmsSubscription"
    ):
        Subscription("ops@example.com")


def test_a_subscription_of_the_cdk_lets_the_topic_send_to_the_queue() -> None:
    def build(stack: Stack) -> None:
        made = AlarmTopic(
            stack,
            "Topic",
            subscriptions=[sns_subscriptions.SqsSubscription(sqs.Queue(stack, "Queue"))],
        )
        assert made.subscribe(sns_subscriptions.EmailSubscription("ops@example.com")).protocol == (
            "email"
        )

    template = synthesized(build)
    subscribed = resources_of(template, SUBSCRIPTION).values()
    assert {each["Properties"]["Protocol"] for each in subscribed} == {"sqs", "email"}
    (statement,) = only(template, "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sqs:SendMessage"
    topic = {"Ref": only_id(template, "AWS::SNS::Topic")}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": topic}}


def test_what_is_no_subscription_is_refused_by_its_name(stack: Stack) -> None:
    wrong = cast(Subscription, "ops@example.com")
    with refused(
        "AlarmTopic: subscriptions: 'ops@example.com' is of type str; give a subscription such as "
        'EmailSubscription("ops@example.com")'
    ):
        AlarmTopic(stack, "Topic", subscriptions=[wrong])
