"""Accounts in moto with set-ups that teams made by hand."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import boto3
import moto
import pytest

from resiliency.account.account import Account
from tests.fake_aws.health_checks import keep_settings

REGION = "us-west-2"
ZONE = "pingpublications.com"
RECORD = f"bookstore.{ZONE}"
Data = dict[str, Any]


@functools.cache
def _client(service: str) -> Any:
    """A client; making one takes longer than what tests do with it."""
    return boto3.client(service, region_name=REGION)


class HandMade:
    """An account in which things are made one by one, as the recipe makes them."""

    def __init__(self) -> None:
        self.ec2 = _client("ec2")
        self.route53 = _client("route53")
        self.cloudwatch = _client("cloudwatch")
        self.sns = _client("sns")
        self.elb = _client("elbv2")

    def zone(self, name: str = ZONE, *, private: bool = False) -> str:
        """Create a hosted zone."""
        number = len(self.route53.list_hosted_zones()["HostedZones"])
        more: Data = {"HostedZoneConfig": {"PrivateZone": True}} if private else {}
        if private:
            vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
            more["VPC"] = {"VPCRegion": REGION, "VPCId": vpc}
        made = self.route53.create_hosted_zone(Name=name, CallerReference=str(number), **more)
        zone_id: str = made["HostedZone"]["Id"].removeprefix("/hostedzone/")
        return zone_id

    def instance(self, name: str) -> tuple[str, str]:
        """Start an instance with a Name tag; return its id and address."""
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        (made,) = self.ec2.run_instances(
            ImageId="ami-1", MinCount=1, MaxCount=1, TagSpecifications=tags
        )["Instances"]
        return made["InstanceId"], made["PublicIpAddress"]

    def topic(self, name: str = "PingPublicationsSNS", *, subscriber: bool = True) -> str:
        """Create a topic, with a confirmed subscriber."""
        arn: str = self.sns.create_topic(Name=name)["TopicArn"]
        if subscriber:
            self.sns.subscribe(TopicArn=arn, Protocol="sms", Endpoint="+15555550100")
        return arn

    def status_alarm(self, host: str, instance: str, topic: str | None, **changes: Any) -> str:
        """Create the recipe's status alarm."""
        given: Data = {
            "AlarmName": f"{host}-StatusCheckFailed",
            "AlarmDescription": "Bookstore API (Blue) instance failure.",
            "Namespace": "AWS/EC2",
            "MetricName": "StatusCheckFailed",
            "Dimensions": [{"Name": "InstanceId", "Value": instance}],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "breaching",
            "AlarmActions": [topic] if topic else [],
            **changes,
        }
        self.cloudwatch.put_metric_alarm(
            **{key: value for key, value in given.items() if value is not None}
        )
        name: str = given["AlarmName"]
        return name

    def connectivity_alarms(
        self,
        dependency: str,
        topic: str,
        label: str,
        *,
        hosts: str = "bookstore-api",
        **changes: Any,
    ) -> None:
        """Create the recipe's connectivity alarms of a dependency, one for each host."""
        for color in ("Blue", "Green"):
            host = f"{hosts}-{color.lower()}"
            text = f"{label} Connectivity failure for Bookstore API ({color})."
            self.cloudwatch.put_metric_alarm(
                **{
                    "AlarmName": f"{host}-{dependency}-connectivity-failed",
                    "AlarmDescription": text,
                    "Namespace": "Bookstore",
                    "MetricName": f"{dependency}-connectivity",
                    "Dimensions": [{"Name": "Host", "Value": host}],
                    "Statistic": "Average",
                    "Period": 60,
                    "EvaluationPeriods": 2,
                    "Threshold": 1,
                    "ComparisonOperator": "LessThanThreshold",
                    "AlarmActions": [topic],
                    **changes,
                }
            )

    def health_check(self, alarm: str, **changes: Any) -> str:
        """Create a health check on an alarm."""
        config = {
            "Type": "CLOUDWATCH_METRIC",
            "AlarmIdentifier": {"Region": REGION, "Name": alarm},
            "InsufficientDataHealthStatus": "Unhealthy",
            "Inverted": False,
            **changes,
        }
        return self.check(config)

    def check(self, config: Data) -> str:
        """Create a health check."""
        number = len(self.route53.list_health_checks()["HealthChecks"])
        made = self.route53.create_health_check(
            CallerReference=str(number), HealthCheckConfig=config
        )
        check_id: str = made["HealthCheck"]["Id"]
        return check_id

    def records(self, zone: str, *records: Mapping[str, Any], action: str = "CREATE") -> None:
        """Create or change records in one change batch."""
        changes = [{"Action": action, "ResourceRecordSet": each} for each in records]
        self.route53.change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": changes}
        )


def pair(
    primary: str,
    secondary: str,
    check: str | None,
    *,
    name: str = RECORD,
    service: str = "bookstore",
    ttl: int = 60,
) -> Sequence[Data]:
    """The two records of the recipe."""
    made = []
    for role, value in (("PRIMARY", primary), ("SECONDARY", secondary)):
        made.append(
            {
                "Name": f"{name}.",
                "Type": "A",
                "SetIdentifier": f"{service}-{role.title()}",
                "Failover": role,
                "TTL": ttl,
                "ResourceRecords": [{"Value": value}],
            }
        )
    if check:
        made[0]["HealthCheckId"] = check
    return made


def alias(role: str, dns_name: str, *, evaluated: bool = True) -> Data:
    """A failover record that is an alias of a load balancer."""
    return {
        "Name": f"{RECORD}.",
        "Type": "A",
        "SetIdentifier": f"bookstore-{role.title()}",
        "Failover": role,
        "AliasTarget": {
            "DNSName": f"{dns_name}.",
            "HostedZoneId": "Z1H1FL5HABSF5",
            "EvaluateTargetHealth": evaluated,
        },
    }


class Hosts(NamedTuple):
    """A zone, and the instances of blue and of green with their addresses."""

    zone: str
    blue: str
    blue_address: str
    green: str
    green_address: str


def zone_and_hosts(made: HandMade) -> Hosts:
    """Create a zone and the two hosts of the recipe."""
    zone = made.zone()
    return Hosts(zone, *made.instance("bookstore-api-blue"), *made.instance("bookstore-api-green"))


def recipe(made: HandMade, *, subscriber: bool = True) -> tuple[str, str]:
    """Build the recipe; return the zone and the health check."""
    zone, blue, blue_address, _, green_address = zone_and_hosts(made)
    topic = made.topic(subscriber=subscriber)
    alarm = made.status_alarm("bookstore-api-blue", blue, topic)
    made.connectivity_alarms("db", topic, "Database")
    made.connectivity_alarms("cdn", topic, "CDN")
    check = made.health_check(alarm)
    made.records(zone, *pair(blue_address, green_address, check))
    return zone, check


@contextmanager
def hand_made() -> Iterator[HandMade]:
    """An empty account."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # they take longer than most tests
        keep_settings(patch)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        with moto.mock_aws():
            yield HandMade()


@functools.cache
def shared_account(region: str | None, profile: str | None, *, permissions: str) -> Account:
    """An account whose clients all tests use."""
    return Account(region, profile, permissions=permissions)
