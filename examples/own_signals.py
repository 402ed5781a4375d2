"""Failover of instances of the same stack, decided also by an alarm on a metric of your own.

The instances' ids are known only at deployment, so the status alarms' names contain them. A
custom metric decides failover by an alarm for each host, of a kind that Route 53 can follow.
"""

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53 as route53

from staged_resiliency import (
    AddressTarget,
    AlarmRule,
    AlarmSignal,
    AlarmTopic,
    EmailSubscription,
    EndpointSignal,
    FailoverHost,
    InstanceFailover,
    MissingData,
    SignalAlarm,
    StatusSignal,
)

app = App()
stack = Stack(app, "shop-failover", env=Environment(account="111111111111", region="eu-west-1"))
zone = route53.PublicHostedZone(stack, "Zone", zone_name="example.com")
topic = AlarmTopic(stack, "Topic", subscriptions=[EmailSubscription("ops@example.com")])
vpc = ec2.Vpc(stack, "Network", max_azs=2, nat_gateways=0)


def host(color: str) -> FailoverHost:
    """Make an instance with an Elastic IP address."""
    instance = ec2.Instance(
        stack,
        f"Instance-{color}",
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=ec2.MachineImage.latest_amazon_linux2023(
            cpu_type=ec2.AmazonLinuxCpuType.ARM_64
        ),
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
    )
    address = ec2.CfnEIP(stack, f"Address-{color}", instance_id=instance.instance_id)
    return FailoverHost(f"shop-{color}", AddressTarget(ipv4=address.attr_public_ip), instance)


def queue_alarm(color: str) -> SignalAlarm:
    """Make an alarm that fires when too much work waits on a host."""
    metric = cloudwatch.Metric(
        namespace="Shop",
        metric_name="queue-depth",
        dimensions_map={"Host": f"shop-{color}"},
        statistic="Maximum",
        label="dropped, since the CDK would render metric math, which Route 53 refuses",
    )
    return SignalAlarm(
        stack,
        f"QueueDepth-{color}",
        rule=AlarmRule.on_metric(
            metric, comparison="GreaterThanThreshold", threshold=1000, evaluation_periods=3
        ),
        alarm_name=f"shop-{color}-queue-depth",
        description=f"Too much work waits on shop ({color}).",
        missing_data=MissingData.NOT_BREACHING,
        topic=topic,
    )


InstanceFailover(
    stack,
    "Failover",
    service="shop",
    blue=host("blue"),
    green=host("green"),
    active="blue",
    hosted_zone=zone,
    record_name="shop.example.com",
    topic=topic,
    failover_on=[
        StatusSignal(),
        EndpointSignal(interval_seconds=10),
        AlarmSignal("queue", {"blue": queue_alarm("blue"), "green": queue_alarm("green")}),
    ],
)
app.synth()
