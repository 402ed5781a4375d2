"""Several services of one account, which share a topic: a stack for each, from a list.

A second name of a service is one more pair of records with the same health check.
"""

from dataclasses import dataclass

from aws_cdk import App, Environment, Stack

from staged_resiliency import (
    AddressTarget,
    AlarmTopic,
    Color,
    EmailSubscription,
    FailoverHost,
    FailoverRecords,
    HostedZone,
    InstanceFailover,
)

ZONE = HostedZone("example.com", "Z2EHK3FAEUNRMI")


@dataclass(frozen=True)
class Service:
    """What differs between the services."""

    name: str
    active: Color
    blue: FailoverHost
    green: FailoverHost


def host(name: str, address: str, instance: str) -> FailoverHost:
    """Describe a host by its Name tag, its Elastic IP address and its instance."""
    return FailoverHost(name, AddressTarget(ipv4=address), instance)


SERVICES = [
    Service(
        "shop",
        "blue",
        host("shop-blue", "52.11.79.8", "i-0123456789abcdef0"),
        host("shop-green", "52.11.79.9", "i-0123456789abcdef1"),
    ),
    Service(
        "search",
        "green",
        host("search-blue", "52.11.79.18", "i-0123456789abcdef2"),
        host("search-green", "52.11.79.19", "i-0123456789abcdef3"),
    ),
]

app = App()
place = Environment(account="111111111111", region="eu-west-1")
shared = Stack(app, "alarms", env=place)
topic = AlarmTopic(
    shared,
    "Topic",
    topic_name="alarms",
    subscriptions=[EmailSubscription("ops@example.com")],
)
for service in SERVICES:
    stack = Stack(app, f"{service.name}-failover", env=place)
    failover = InstanceFailover(
        stack,
        "Failover",
        service=service.name,
        blue=service.blue,
        green=service.green,
        active=service.active,
        hosted_zone=ZONE,
        record_name=f"{service.name}.example.com",
        topic=topic,
    )
    if service.name == "shop":
        FailoverRecords(
            stack,
            "OldName",
            hosted_zone=ZONE,
            record_name="store.example.com",
            identifier="shop-old-name",
            primary=service.blue.target,
            secondary=service.green.target,
            health_check=failover.health_check,
        )
app.synth()
