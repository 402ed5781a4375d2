"""Encrypted SNS topics to which the alarms of the account, and nothing else, may publish."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, cast

from aws_cdk import Annotations, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from staged_resiliency.notifications.subscriptions import Subscription
from staged_resiliency.shared import aws_ids, limits
from staged_resiliency.shared.digest import digest
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal, wrong_type

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam  # loaded where grants are made

# CloudWatch publishes an alarm's message with a data key of the topic's KMS key:
# https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
_ALARM_SERVICE: Final = "cloudwatch.amazonaws.com"
_ALARM_KEY_ACTIONS: Final = ("kms:Decrypt", "kms:GenerateDataKey*")
_KEY_DELETION_DAYS: Final = 30


class CdkSubscription(Protocol):
    """A subscription of ``aws_sns_subscriptions``.

    ``sns.ITopicSubscription`` names the parameter of ``bind``, which the CDK's own classes name
    otherwise, so that pyright takes none of them for it (docs/adr/0015).
    """

    def bind(self, topic: sns.ITopic, /) -> sns.TopicSubscriptionConfig:
        """Return the subscription's settings for a topic."""


class AlarmKey(Construct):
    """A customer managed KMS key, rotated yearly, that CloudWatch alarms may use.

    ``alias/aws/sns`` can't serve here: its policy can't be changed, so alarms could not publish.
    One key can serve all topics of a stack.

    Attributes:
        key_arn: ARN of the key.
        resource: The ``CfnKey``. When it is removed, KMS deletes the key after 30 days: a topic
            keeps no messages that would have to be read later.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        account = stack.account
        self.resource: Final = kms.CfnKey(
            self,
            "Resource",
            description="Encrypts the messages of alarm topics; CloudWatch alarms may use it.",
            enable_key_rotation=True,
            pending_window_in_days=_KEY_DELETION_DAYS,
            key_policy={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        # In a key's policy "*" is the key itself. Without this statement nobody
                        # could administer the key:
                        # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
                        "Sid": "AdministeredByTheAccount",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:{stack.partition}:iam::{account}:root"},
                        "Action": "kms:*",
                        "Resource": "*",
                    },
                    _alarm_key_statement(account),
                ],
            },
        )
        self.resource.apply_removal_policy(RemovalPolicy.DESTROY)
        self.key_arn: Final = self.resource.attr_arn


class AlarmTopicBase(Construct):
    """Base class of ``AlarmTopic`` and ``AdoptedAlarmTopic``."""

    topic_arn: str

    @cached_property
    def topic(self) -> sns.ITopic:
        """The topic as the CDK's type ``ITopic``."""
        return sns.Topic.from_topic_arn(self, "Imported", self.topic_arn)

    def subscribe(self, subscription: Subscription | CdkSubscription) -> sns.CfnSubscription:
        """Send the topic's messages to a subscriber.

        The subscription's construct id comes from protocol and endpoint, so the order of
        subscribers does not matter. A subscription of the CDK, of ``aws_sns_subscriptions``, is
        made by the CDK, which also lets the topic send to the queue or call the function.

        Args:
            subscription: Who receives the messages.

        Returns:
            The ``CfnSubscription``, for example to give it a filter.

        Raises:
            InvalidInputError: Not a subscription.
        """
        if not isinstance(subscription, Subscription):
            if not hasattr(subscription, "bind"):
                raise wrong_type(
                    "AlarmTopic",
                    "subscriptions",
                    subscription,
                    'a subscription such as EmailSubscription("ops@example.com")',
                )
            made = self.topic.add_subscription(cast(sns.ITopicSubscription, subscription))
            return cast(sns.CfnSubscription, made.node.default_child)
        receiver = f"{subscription.protocol} {subscription.endpoint}"
        resource = sns.CfnSubscription(
            self,
            f"Subscription{digest(subscription.protocol, subscription.endpoint)}",
            topic_arn=self.topic_arn,
            protocol=subscription.protocol,
            endpoint=subscription.endpoint,
        )
        resource.add_metadata("Description", f"Sends alarm messages to {receiver}.")
        return resource


class AlarmTopic(AlarmTopicBase):
    """An encrypted SNS topic that accepts messages from this account's alarms, over TLS only.

    Creates the topic, its policy, its subscriptions and, unless one is given, an ``AlarmKey``.

    Args:
        topic_name: Physical name; CloudFormation makes one up unless given.
        encryption_key: The key that encrypts messages: an ``AlarmKey`` or a ``kms.IKey``, which
            is then opened to CloudWatch. A new ``AlarmKey`` unless given.
        subscriptions: Who receives the messages, as the classes of this library or as those of
            ``aws_sns_subscriptions``; nobody unless given.

    Raises:
        InvalidInputError: A name that SNS would refuse, or not a subscription.

    Attributes:
        topic_arn: ARN of the topic.
        encryption_key: The key that encrypts messages.
        resource: The ``CfnTopic``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import EmailSubscription
        >>> topic = AlarmTopic(
        ...     Stack(App(), "Shop"),
        ...     "Alarms",
        ...     topic_name="shop-alarms",
        ...     subscriptions=[EmailSubscription("ops@example.com")],
        ... )
        >>> topic.resource.topic_name
        'shop-alarms'

    See https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic_name: str | None = None,
        encryption_key: AlarmKey | kms.IKey | kms.Key | None = None,
        subscriptions: Sequence[Subscription | CdkSubscription] = (),
    ) -> None:
        if topic_name is not None:
            checked("AlarmTopic", "topic_name", topic_name, aws_ids.topic_name)
        super().__init__(scope, construct_id)
        self.encryption_key: Final = encryption_key or AlarmKey(self, "Key")
        if not isinstance(self.encryption_key, AlarmKey):
            self._open_to_alarms(self.encryption_key)
        self.resource: Final = sns.CfnTopic(
            self,
            "Resource",
            topic_name=topic_name,
            kms_master_key_id=self.encryption_key.key_arn,
        )
        self.resource.add_metadata("Description", "Receives the state changes of alarms.")
        self.topic_arn = self.resource.ref
        self._add_policy()
        for subscription in dict.fromkeys(subscriptions):
            self.subscribe(subscription)

    def grant_publish(self, grantee: "iam.IGrantable") -> "iam.Grant":
        """Permit a publisher other than an alarm to publish to the topic and to use its key.

        Args:
            grantee: Who publishes: a role, or a function or instance with one.
        """
        from aws_cdk import aws_iam as iam

        grant = iam.Grant.add_to_principal(
            grantee=grantee, actions=["sns:Publish"], resource_arns=[self.topic_arn]
        )
        key = self.encryption_key
        # The policy of an AlarmKey leaves it to IAM who of the account may use it.
        use = (
            iam.Grant.add_to_principal(
                grantee=grantee, actions=list(_ALARM_KEY_ACTIONS), resource_arns=[key.key_arn]
            )
            if isinstance(key, AlarmKey)
            else key.grant_encrypt_decrypt(grantee)
        )
        return grant.combine(use)

    @staticmethod
    def from_topic_arn(scope: Construct, construct_id: str, topic_arn: str) -> "AdoptedAlarmTopic":
        """Use the topic with an ARN, whose policy and key must already let alarms publish.

        Raises:
            InvalidInputError: Not the ARN of a standard topic.
        """
        return AdoptedAlarmTopic(scope, construct_id, topic_arn=topic_arn)

    def _open_to_alarms(self, key: kms.IKey | kms.Key) -> None:
        from aws_cdk import aws_iam as iam  # only needed for keys that are not made here

        statement = iam.PolicyStatement.from_json(_alarm_key_statement(Stack.of(self).account))
        if not key.add_to_resource_policy(statement).statement_added:
            Annotations.of(self).add_warning_v2(
                "staged-resiliency:imported-key",
                "The key's policy can't be changed from here; it must allow "
                f"{_ALARM_SERVICE} {' and '.join(_ALARM_KEY_ACTIONS)}, or alarms can't publish.",
            )

    def _add_policy(self) -> None:
        stack = Stack.of(self)
        account, region, partition = stack.account, stack.region, stack.partition
        policy = sns.CfnTopicPolicy(
            self,
            "Policy",
            topics=[self.topic_arn],
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "AllowAlarmsOfThisAccount",
                        "Effect": "Allow",
                        "Principal": {"Service": _ALARM_SERVICE},
                        "Action": "sns:Publish",
                        "Resource": self.topic_arn,
                        "Condition": {
                            "StringEquals": {"aws:SourceAccount": account},
                            "ArnLike": {
                                "aws:SourceArn": (
                                    f"arn:{partition}:cloudwatch:{region}:{account}:alarm:*"
                                )
                            },
                        },
                    },
                    {
                        "Sid": "DenyWithoutTls",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "sns:Publish",
                        "Resource": self.topic_arn,
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    },
                ],
            },
        )
        policy.add_metadata("Description", "Lets this account's alarms publish, over TLS only.")


class AdoptedAlarmTopic(AlarmTopicBase):
    """An existing topic; creates only the subscriptions that are added to it.

    Its policy must let CloudWatch alarms publish and, if the topic is encrypted, its key must let
    CloudWatch use it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, topic_arn: str) -> None:
        checked("AlarmTopic", "topic_arn", topic_arn, aws_ids.topic_arn)
        super().__init__(scope, construct_id)
        self.topic_arn = topic_arn


Topic: TypeAlias = AlarmTopicBase | sns.ITopic | sns.Topic | str
"""A topic that alarms notify: an ``AlarmTopic``, a topic of the CDK, or an ARN."""


Topics: TypeAlias = Topic | Sequence[Topic]
"""One topic, or up to five that an alarm notifies."""


def arns_of(topics: Topics) -> list[str]:
    """Return the ARNs of topics, without duplicates.

    Raises:
        InvalidInputError: An ARN is invalid, or there is no topic or more than an alarm can notify.
    """
    found = topics if isinstance(topics, Sequence) and not isinstance(topics, str) else [topics]
    arns = list(dict.fromkeys(_arn_of(topic) for topic in found))
    if not 1 <= len(arns) <= limits.MAX_ALARM_ACTIONS:
        raise InvalidInputError(
            f"Topic: {len(arns)} topics are given; an alarm notifies 1 to "
            f"{limits.MAX_ALARM_ACTIONS}"
        )
    return arns


def _arn_of(topic: Topic) -> str:
    if isinstance(topic, str):
        return checked("Topic", "topic_arn", topic, aws_ids.topic_arn)
    if not hasattr(topic, "topic_arn"):
        raise wrong_type("Topic", "topic", topic, "an AlarmTopic, a topic of the CDK or an ARN")
    return topic.topic_arn


def require_topics_in(region: str, topic_arns: Sequence[str]) -> None:
    """Refuse topics of another region than the alarms that notify them."""
    for topic_arn in topic_arns:
        topic_region = topic_arn.split(":")[3] if is_literal(topic_arn) else region
        if topic_region != region and is_literal(region):
            raise InvalidInputError(
                f"Topic: {topic_arn} is in {topic_region}, the alarm in {region}; CloudWatch "
                f"alarms notify only topics of their own region, so give one in {region}"
            )


def _alarm_key_statement(account: str) -> Mapping[str, object]:
    # aws:SourceAccount is not supported here for EventBridge, but is for alarms:
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    return {
        "Sid": "UsedByAlarmsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": _ALARM_SERVICE},
        "Action": list(_ALARM_KEY_ACTIONS),
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
