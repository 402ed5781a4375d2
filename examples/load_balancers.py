"""A pair behind two load balancers: aliases, and a target group's metric that decides failover.

Each host has a load balancer of its own, which ends TLS. Clients move when no target behind the
active one is healthy.
"""

from typing import Literal

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53

from staged_resiliency import (
    AlarmRule,
    AlarmSignal,
    AlarmTopic,
    AliasTarget,
    FailoverHost,
    InstanceFailover,
    SignalAlarm,
)

app = App()
stack = Stack(app, "shop-failover", env=Environment(account="111111111111", region="eu-west-1"))
zone = route53.PublicHostedZone(stack, "Zone", zone_name="example.com")
topic = AlarmTopic(stack, "Topic")
vpc = ec2.Vpc(stack, "Network", max_azs=2, nat_gateways=0)


def host_and_alarm(color: Literal["blue", "green"]) -> tuple[FailoverHost, SignalAlarm]:
    """Make a load balancer with a target group, and the alarm on its healthy targets."""
    balancer = elbv2.ApplicationLoadBalancer(
        stack, f"Balancer-{color}", vpc=vpc, internet_facing=True
    )
    targets = elbv2.ApplicationTargetGroup(
        stack, f"Targets-{color}", vpc=vpc, port=80, target_type=elbv2.TargetType.INSTANCE
    )
    balancer.add_listener("Http", port=80, default_target_groups=[targets])
    alarm = SignalAlarm(
        stack,
        f"NoHealthyTarget-{color}",
        rule=AlarmRule.on_metric(
            targets.metrics.healthy_host_count(statistic="Minimum", period=Duration.minutes(1)),
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            threshold=1,
        ),
        description=f"No healthy target behind the load balancer of shop ({color}).",
        missing_data=cloudwatch.TreatMissingData.BREACHING,
        topic=topic,
    )
    return FailoverHost(f"shop-{color}", AliasTarget.to_load_balancer(balancer)), alarm


blue, blue_alarm = host_and_alarm("blue")
green, green_alarm = host_and_alarm("green")
InstanceFailover(
    stack,
    "Failover",
    service="shop",
    blue=blue,
    green=green,
    active="blue",
    hosted_zone=zone,
    record_name="shop.example.com",
    topic=topic,
    failover_on=[AlarmSignal("targets", {"blue": blue_alarm, "green": green_alarm})],
)
app.synth()
