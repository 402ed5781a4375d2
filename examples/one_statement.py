"""The failover of a pair with one construct, in an application of your own."""

from aws_cdk import App, Environment, Stack

from staged_resiliency import (
    AddressTarget,
    AlarmTopic,
    FailoverHost,
    HostedZone,
    InstanceFailover,
)

app = App()
stack = Stack(app, "shop-failover", env=Environment(account="111111111111", region="eu-west-1"))
InstanceFailover(
    stack,
    "Failover",
    service="shop",
    blue=FailoverHost("shop-blue", AddressTarget(ipv4="52.11.79.8"), "i-0123456789abcdef0"),
    green=FailoverHost("shop-green", AddressTarget(ipv4="52.11.79.9"), "i-0123456789abcdef1"),
    active="blue",
    hosted_zone=HostedZone("example.com", "Z2EHK3FAEUNRMI"),
    record_name="shop.example.com",
    topic=AlarmTopic(stack, "Topic"),
)
app.synth()
