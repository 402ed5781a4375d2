"""The probe on instances of the same stack, and a failover that its measurements decide.

The instances' ids and addresses, known only at deployment, are in the probe's configuration. The
hosts send requests to each other's private addresses. A fleet, found by a tag, gets the same agent.
"""

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53 as route53

from staged_resiliency import (
    AddressTarget,
    AlarmSignal,
    AlarmTopic,
    ConnectivityAlarm,
    DnsCheck,
    FailoverHost,
    HttpCheck,
    HttpsCheck,
    InstanceFailover,
    InstancesById,
    InstancesByTag,
    MissingData,
    PeerAlarm,
    PostgresqlCheck,
    ProbeAgent,
    ProbeConfiguration,
    ProbeSilentAlarm,
    StatusSignal,
)

app = App()
stack = Stack(app, "shop-failover", env=Environment(account="111111111111", region="eu-west-1"))
zone = route53.PublicHostedZone(stack, "Zone", zone_name="example.com")
topic = AlarmTopic(stack, "Topic")
vpc = ec2.Vpc(stack, "Network", max_azs=2, nat_gateways=0)
instances = {
    color: ec2.Instance(
        stack,
        f"Instance-{color}",
        instance_name=f"shop-{color}",
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=ec2.MachineImage.latest_amazon_linux2023(
            cpu_type=ec2.AmazonLinuxCpuType.ARM_64
        ),
        # Adds AmazonSSMManagedInstanceCore, by which Systems Manager installs the probe.
        ssm_session_permissions=True,
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
    )
    for color in ("blue", "green")
}

probe = ProbeAgent(
    stack,
    "Probe",
    configuration=ProbeConfiguration(
        service="shop",
        namespace="Shop",
        dependencies={
            "db": PostgresqlCheck("db.example.com"),
            "search": HttpsCheck("search.example.com", path="/health", days_to_expiry=14),
            "dns": DnsCheck("db.example.com"),
        },
        peers={
            f"shop-{color}": HttpCheck(instance.instance_private_ip, path="/version/")
            for color, instance in instances.items()
        },
    ),
    instances=InstancesById(list(instances.values())),
)
for instance in instances.values():
    probe.grant_publish(instance)

# A fleet gets the same agent, a tenth of the hosts at a time; an error stops the rest.
ProbeAgent(
    stack,
    "BatchProbe",
    configuration=ProbeConfiguration(
        service="batch", namespace="Batch", dependencies={"db": PostgresqlCheck("db.example.com")}
    ),
    instances=InstancesByTag("aws:autoscaling:groupName", ["batch"]),
    roles=["batch-instances"],
    max_concurrency="10%",
)


def database_alarm(color: str) -> ConnectivityAlarm:
    """Make an alarm that fires when the host does not reach the database."""
    return ConnectivityAlarm(
        stack,
        f"Database-{color}",
        namespace="Shop",
        host_name=f"shop-{color}",
        dependency="db",
        description=f"Shop ({color}) does not reach the database.",
        missing_data=MissingData.BREACHING,
        topic=topic,
    )


def peer_alarm(color: str, observer: str) -> PeerAlarm:
    """Make an alarm that fires when the host does not answer the other host."""
    return PeerAlarm(
        stack,
        f"Peer-{color}",
        namespace="Shop",
        host_name=f"shop-{color}",
        observer=f"shop-{observer}",
        description=f"Shop ({color}) does not answer {observer}.",
        topic=topic,
    )


for color in instances:
    ProbeSilentAlarm(
        stack,
        f"Silent-{color}",
        namespace="Shop",
        host_name=f"shop-{color}",
        description=f"The probe of shop ({color}) is silent.",
        topic=topic,
    )
InstanceFailover(
    stack,
    "Failover",
    service="shop",
    blue=FailoverHost(
        "shop-blue", AddressTarget(ipv4=instances["blue"].instance_public_ip), instances["blue"]
    ),
    green=FailoverHost(
        "shop-green", AddressTarget(ipv4=instances["green"].instance_public_ip), instances["green"]
    ),
    active="blue",
    hosted_zone=zone,
    record_name="shop.example.com",
    topic=topic,
    failover_on=[
        StatusSignal(),
        AlarmSignal("db", {"blue": database_alarm("blue"), "green": database_alarm("green")}),
        AlarmSignal(
            "peer", {"blue": peer_alarm("blue", "green"), "green": peer_alarm("green", "blue")}
        ),
    ],
)
app.synth()
