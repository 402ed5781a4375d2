"""The topic that alarms notify: who may publish, and under which key."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match

from staged_resiliency import AlarmKey, AlarmTopic
from tests.cases import cases
from tests.staged_resiliency.support import (
    ACCOUNT,
    ALARM,
    NO_TOPIC_ARN,
    REGION,
    TOPIC_ARN,
    an_alarm,
    only_id,
    refused,
    synthesized,
)
from tests.support import Data, Template, only, resources_of

TOPIC = "AWS::SNS::Topic"
POLICY = "AWS::SNS::TopicPolicy"
KEY = "AWS::KMS::Key"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
USED_BY_ALARMS = {
    "Sid": "UsedByAlarmsOfThisAccount",
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
}


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesized(lambda stack: AlarmTopic(stack, "Topic", topic_name="ops"))


def types_of(template: Template) -> Counter[str]:
    """How many resources of each type a template has."""
    return Counter(resource["Type"] for resource in template.get("Resources", {}).values())


def test_a_topic_brings_its_policy_and_key_and_nothing_else(template: Template) -> None:
    assert types_of(template) == {TOPIC: 1, POLICY: 1, KEY: 1}


def test_a_topic_is_encrypted_with_its_key(template: Template) -> None:
    assert only(template, TOPIC) == {
        "TopicName": "ops",
        "KmsMasterKeyId": {"Fn::GetAtt": [only_id(template, KEY), "Arn"]},
    }


def test_the_key_rotates_and_is_deleted_a_month_after_its_removal(template: Template) -> None:
    key = resources_of(template, KEY)[only_id(template, KEY)]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["Properties"]["PendingWindowInDays"] == 30
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("Delete", "Delete")


def test_the_key_serves_the_accounts_alarms_and_its_administrators_alone(
    template: Template,
) -> None:
    assert only(template, KEY)["KeyPolicy"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AdministeredByTheAccount",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            USED_BY_ALARMS,
        ],
    }


def test_the_accounts_alarms_alone_may_publish_and_over_tls_only(template: Template) -> None:
    topic = {"Ref": only_id(template, TOPIC)}
    assert only(template, POLICY) == {
        "Topics": [topic],
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "AllowAlarmsOfThisAccount",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudwatch.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": topic,
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": ACCOUNT},
                        "ArnLike": {
                            "aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"
                        },
                    },
                },
                {
                    "Sid": "DenyWithoutTls",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "sns:Publish",
                    "Resource": topic,
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
            ],
        },
    }


def _joined(*parts: Any) -> Data:
    return {"Fn::Join": ["", list(parts)]}


def test_in_any_account_the_topic_and_its_key_serve_those_of_the_deployment() -> None:
    anywhere = synthesized(lambda stack: AlarmTopic(stack, "Topic"), env=None)
    account, partition = {"Ref": "AWS::AccountId"}, {"Ref": "AWS::Partition"}
    of_the_account = {"aws:SourceAccount": account}
    administered, used = only(anywhere, KEY)["KeyPolicy"]["Statement"]
    assert administered["Principal"] == {
        "AWS": _joined("arn:", partition, ":iam::", account, ":root")
    }
    assert used["Condition"] == {"StringEquals": of_the_account}
    allowed, _ = only(anywhere, POLICY)["PolicyDocument"]["Statement"]
    region = {"Ref": "AWS::Region"}
    alarms = _joined("arn:", partition, ":cloudwatch:", region, ":", account, ":alarm:*")
    assert allowed["Condition"] == {
        "StringEquals": of_the_account,
        "ArnLike": {"aws:SourceArn": alarms},
    }


def test_a_topic_without_a_name_leaves_it_to_cloudformation() -> None:
    unnamed = synthesized(lambda stack: AlarmTopic(stack, "Topic"))
    assert "TopicName" not in only(unnamed, TOPIC)


def test_one_key_can_serve_several_topics() -> None:
    def build(stack: Stack) -> None:
        key = AlarmKey(stack, "Key")
        AlarmTopic(stack, "One", encryption_key=key)
        AlarmTopic(stack, "Two", encryption_key=key)

    template = synthesized(build)
    key_arn = {"Fn::GetAtt": [only_id(template, KEY), "Arn"]}
    topics = resources_of(template, TOPIC).values()
    assert [topic["Properties"]["KmsMasterKeyId"] for topic in topics] == [key_arn, key_arn]


def test_a_key_of_the_cdk_encrypts_the_topic_and_is_opened_to_alarms() -> None:
    def build(stack: Stack) -> None:
        AlarmTopic(stack, "Topic", encryption_key=kms.Key(stack, "Key"))
        assert _warnings_of(stack) == []

    template = synthesized(build)
    assert only(template, TOPIC)["KmsMasterKeyId"] == {
        "Fn::GetAtt": [only_id(template, KEY), "Arn"]
    }
    statements = only(template, KEY)["KeyPolicy"]["Statement"]
    assert [each for each in statements if "Service" in each["Principal"]] == [USED_BY_ALARMS]


def test_an_imported_key_that_cant_be_opened_brings_a_warning() -> None:
    def build(stack: Stack) -> None:
        key = kms.Key.from_key_arn(stack, "Key", KEY_ARN)
        AlarmTopic(stack, "Topic", encryption_key=key)
        assert _warnings_of(stack) == [
            "The key's policy can't be changed from here; it must allow cloudwatch.amazonaws.com "
            "kms:Decrypt and kms:GenerateDataKey*, or alarms can't publish. "
            "[ack: staged-resiliency:imported-key]"
        ]

    assert only(synthesized(build), TOPIC)["KmsMasterKeyId"] == KEY_ARN


def _warnings_of(stack: Stack) -> list[str]:
    found = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    return [str(message.entry.data) for message in found]


def test_an_alarm_notifies_several_topics_each_once() -> None:
    other = TOPIC_ARN.replace(ACCOUNT, "2" * 12)
    alarm = only(
        synthesized(lambda stack: an_alarm(stack, topic=[TOPIC_ARN, other, TOPIC_ARN])), ALARM
    )
    assert alarm["AlarmActions"] == [TOPIC_ARN, other]


@pytest.mark.parametrize("count", [0, 6])
def test_an_alarm_notifies_one_to_five_topics(count: int, stack: Stack) -> None:
    with refused(f"Topic: {count} topics are given; an alarm notifies 1 to 5"):
        an_alarm(stack, topic=[f"{TOPIC_ARN}{number}" for number in range(count)])


@cases(
    ("build", "message"),
    {
        "name with a blank": (
            lambda stack: AlarmTopic(stack, "Topic", topic_name="my topic"),
            "topic_name: 'my topic' is not an SNS topic name (letters, digits, '_' and '-', at "
            "most 256); give one like PingPublicationsSNS",
        ),
        "empty name": (
            lambda stack: AlarmTopic(stack, "Topic", topic_name=""),
            "topic_name: '' is not an SNS topic name (letters, digits, '_' and '-', at most 256); "
            "give one like PingPublicationsSNS",
        ),
        "FIFO": (
            lambda stack: AlarmTopic(stack, "Topic", topic_name="ops.fifo"),
            "topic_name: 'ops.fifo' is not an SNS topic name (letters, digits, '_' and '-', at "
            "most 256); give one like PingPublicationsSNS",
        ),
        "adopted by name": (
            lambda stack: AlarmTopic.from_topic_arn(stack, "Topic", "ops"),
            f"topic_arn: 'ops' {NO_TOPIC_ARN}",
        ),
        "adopted queue": (
            lambda stack: AlarmTopic.from_topic_arn(
                stack, "Topic", f"arn:aws:sqs:{REGION}:{ACCOUNT}:ops"
            ),
            f"topic_arn: 'arn:aws:sqs:{REGION}:{ACCOUNT}:ops' {NO_TOPIC_ARN}",
        ),
    },
)
def test_a_topic_refuses(build: Callable[[Stack], object], message: str, stack: Stack) -> None:
    with refused(f"AlarmTopic: {message}"):
        build(stack)


@cases(
    ("encryption_key", "actions"),
    {
        "the topic's": (lambda _: None, ["kms:Decrypt", "kms:GenerateDataKey*"]),
        "one of the CDK": (
            lambda stack: kms.Key(stack, "Key"),
            ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        ),
    },
)
def test_a_role_may_publish_and_use_the_key(
    encryption_key: Callable[[Stack], kms.Key | None], actions: list[str]
) -> None:
    def build(stack: Stack) -> None:
        role = iam.Role.from_role_name(stack, "Role", "reporter")
        AlarmTopic(stack, "Topic", encryption_key=encryption_key(stack)).grant_publish(role)

    template = synthesized(build)
    publish, use = only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert (publish["Action"], publish["Resource"]) == (
        "sns:Publish",
        {"Ref": only_id(template, TOPIC)},
    )
    assert (sorted(use["Action"]), use["Resource"]) == (
        actions,
        {"Fn::GetAtt": [only_id(template, KEY), "Arn"]},
    )
