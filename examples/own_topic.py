"""A topic with a key of your own, and subscribers of the CDK: a queue and a mail address.

The CDK lets the topic send to the queue. The key is opened to CloudWatch's alarms.
"""

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from staged_resiliency import (
    AddressTarget,
    AlarmTopic,
    FailoverHost,
    HostedZone,
    InstanceFailover,
)

app = App()
stack = Stack(app, "shop-failover", env=Environment(account="111111111111", region="eu-west-1"))
queue = sqs.Queue(stack, "Alerts", enforce_ssl=True)
topic = AlarmTopic(
    stack,
    "Topic",
    topic_name="shop-alarms",
    encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
    subscriptions=[
        subscriptions.SqsSubscription(queue, raw_message_delivery=True),
        subscriptions.EmailSubscription("ops@example.com"),
    ],
)
InstanceFailover(
    stack,
    "Failover",
    service="shop",
    blue=FailoverHost("shop-blue", AddressTarget(ipv4="52.11.79.8"), "i-0123456789abcdef0"),
    green=FailoverHost("shop-green", AddressTarget(ipv4="52.11.79.9"), "i-0123456789abcdef1"),
    active="blue",
    hosted_zone=HostedZone("example.com", "Z2EHK3FAEUNRMI"),
    record_name="shop.example.com",
    topic=topic,
)
app.synth()
