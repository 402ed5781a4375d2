"""Helpers for tests of constructs: templates, refusals, and constructs with usual arguments."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import aws_cdk
import pytest
from aws_cdk import CfnParameter, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from staged_resiliency import (
    AddressTarget,
    AlarmRule,
    ConnectivityAlarm,
    EndpointHealthCheck,
    FailoverHost,
    HealthCheck,
    HostedZone,
    InstanceFailover,
    InstanceStatusAlarm,
    InvalidInputError,
    MissingData,
    PeerAlarm,
    SignalAlarm,
    TcpConnect,
)
from tests.support import Template, app_as_by_the_cli, resources_of, synth

ACCOUNT: Final = "111111111111"
REGION: Final = "eu-west-1"
HERE: Final = Environment(account=ACCOUNT, region=REGION)
TOPIC_ARN: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:ops"
INSTANCE_ID: Final = "i-0123456789abcdef0"
ZONE_ID: Final = "Z2EHK3FAEUNRMI"
BLUE: Final = FailoverHost("shop-blue", AddressTarget(ipv4="52.11.79.8"), INSTANCE_ID)
GREEN: Final = FailoverHost("shop-green", AddressTarget(ipv4="52.11.79.9"), "i-0123456789abcdef1")

ALARM: Final = "AWS::CloudWatch::Alarm"
HEALTH_CHECK: Final = "AWS::Route53::HealthCheck"
RECORD: Final = "AWS::Route53::RecordSet"
INSTANCE: Final = "AWS::EC2::Instance"
DOCUMENT: Final = "AWS::SSM::Document"
ASSOCIATION: Final = "AWS::SSM::Association"
POLICY: Final = "AWS::IAM::ManagedPolicy"

# What a refusal says of a value, after the value.
NO_NAME: Final = (
    "is not a name (lower-case letters, digits and single hyphens, a letter first, at most 40); "
    "give one like bookstore"
)
NO_NAME_TAG: Final = (
    "is not a Name tag (letters, digits, spaces and _ . : / = + @ -, at most 128); "
    "give one like bookstore-api-blue"
)
NO_DNS_NAME: Final = (
    "is not a DNS name (labels of letters, digits and hyphens with dots between them, "
    "at most 253 characters); give one like bookstore.example.com"
)
NO_ZONE_ID: Final = (
    "is not a Route 53 hosted zone id (Z and capital letters or digits); "
    "give one like Z2EHK3FAEUNRMI"
)
NO_TOPIC_ARN: Final = (
    "is not the ARN of an SNS topic; give one like "
    "arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS"
)
NO_INSTANCE_ID: Final = "is not an EC2 instance id; give one like i-0ab55a49288f1da24"
NO_STATISTIC: Final = (
    "is a statistic that Route 53 health checks can't follow (percentiles and other extended "
    "statistics are not supported); allowed: Average, Maximum, Minimum, SampleCount, Sum"
)
NAMESPACE_OF_AWS: Final = (
    "starts with AWS/, which CloudWatch keeps for AWS services; give one like Bookstore"
)


def synthesized(build: Callable[[Stack], object], env: Environment | None = HERE) -> Template:
    """The template of a stack with what ``build`` puts in it."""
    with tempfile.TemporaryDirectory() as folder:
        app = app_as_by_the_cli(folder)
        build(Stack(app, "Test", env=env))
        synth(app)
        template: Template = json.loads((Path(folder) / "Test.template.json").read_text("utf-8"))
        return template


def nag_findings(scope: IConstruct) -> list[str]:
    """The rules that cdk-nag finds broken; the oldest CDK of tests/e2e can't load it."""
    if not hasattr(aws_cdk, "Acknowledgment"):
        return []
    from cdk_nag import AwsSolutionsChecks

    violations = AwsSolutionsChecks(scope).validate_scope(scope).violations
    return [violation.rule_name for violation in violations]


def only_id(template: Template, resource_type: str) -> str:
    """The logical id of the one resource of a type."""
    (logical_id,) = resources_of(template, resource_type)
    return logical_id


@contextmanager
def refused(message: str) -> Iterator[None]:
    """Expect an InvalidInputError with exactly this message."""
    with pytest.raises(InvalidInputError) as error:
        yield
    assert str(error.value) == message


def number_parameter(stack: Stack, name: str) -> int:
    """A number known only at deployment: a parameter of the stack."""
    return cast(int, CfnParameter(stack, name, type="Number").value_as_number)


def text_parameter(stack: Stack, name: str) -> str:
    """A text known only at deployment: a parameter of the stack."""
    return CfnParameter(stack, name).value_as_string


def a_rule(**changes: Any) -> AlarmRule:
    """A rule, with fields changed."""
    usual: dict[str, Any] = {
        "namespace": "Shop",
        "metric_name": "queue-depth",
        "dimensions": {"Host": "shop-blue", "Queue": "orders"},
        "statistic": "Maximum",
        "comparison": "GreaterThanThreshold",
        "threshold": 100,
        "period_seconds": 120,
        "evaluation_periods": 3,
    }
    return AlarmRule(**{**usual, **changes})


def an_alarm(scope: Construct, construct_id: str = "Alarm", **changes: Any) -> SignalAlarm:
    """An alarm, with arguments changed."""
    usual: dict[str, Any] = {
        "rule": a_rule(),
        "alarm_name": "shop-blue-queue-depth",
        "description": "Orders pile up.",
        "missing_data": MissingData.BREACHING,
        "topic": TOPIC_ARN,
    }
    return SignalAlarm(scope, construct_id, **{**usual, **changes})


def a_connectivity_alarm(
    scope: Construct, construct_id: str = "Alarm", **changes: Any
) -> ConnectivityAlarm:
    """The alarm on the connections of blue to its database, with arguments changed."""
    usual: dict[str, Any] = {
        "namespace": "Shop",
        "host_name": "shop-blue",
        "dependency": "db",
        "description": "Database Connectivity failure for Shop (Blue).",
        "missing_data": MissingData.CLOUDWATCH_DEFAULT,
        "topic": TOPIC_ARN,
    }
    return ConnectivityAlarm(scope, construct_id, **{**usual, **changes})


def a_status_alarm(
    scope: Construct, construct_id: str = "Alarm", **changes: Any
) -> InstanceStatusAlarm:
    """The alarm on the status checks of blue, with arguments changed."""
    usual: dict[str, Any] = {
        "instance": INSTANCE_ID,
        "host_name": "shop-blue",
        "description": "Shop (Blue) instance failure.",
        "topic": TOPIC_ARN,
    }
    return InstanceStatusAlarm(scope, construct_id, **{**usual, **changes})


def a_peer_alarm(scope: Construct, construct_id: str = "Alarm", **changes: Any) -> PeerAlarm:
    """The alarm on what green observes of blue, with arguments changed."""
    usual: dict[str, Any] = {
        "namespace": "Shop",
        "host_name": "shop-blue",
        "observer": "shop-green",
        "description": "shop-blue does not answer shop-green.",
        "topic": TOPIC_ARN,
    }
    return PeerAlarm(scope, construct_id, **{**usual, **changes})


def a_failover(
    scope: Construct, construct_id: str = "Failover", **changes: Any
) -> InstanceFailover:
    """The failover of a pair with two instances, with arguments changed."""
    usual: dict[str, Any] = {
        "service": "shop",
        "blue": BLUE,
        "green": GREEN,
        "active": "blue",
        "hosted_zone": HostedZone("example.com", ZONE_ID),
        "record_name": "shop.example.com",
        "topic": TOPIC_ARN,
    }
    return InstanceFailover(scope, construct_id, **{**usual, **changes})


def a_health_check(scope: Construct, construct_id: str = "HealthCheck") -> HealthCheck:
    """Any health check."""
    return EndpointHealthCheck(
        scope, construct_id, address="52.11.79.8", request=TcpConnect(80), label="shop-blue"
    )


def an_instance(scope: Construct, construct_id: str = "Instance") -> ec2.Instance:
    """An EC2 instance of the same stack."""
    public = ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)
    return ec2.Instance(
        scope,
        construct_id,
        vpc=ec2.Vpc(
            scope,
            f"{construct_id}Vpc",
            max_azs=1,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[public],
        ),
        instance_type=ec2.InstanceType("t3.micro"),
        machine_image=ec2.MachineImage.from_ssm_parameter("/shop/image"),
    )
