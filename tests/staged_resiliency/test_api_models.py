"""What the constructs render is what the services' APIs take, by AWS's own models."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

import pytest
from aws_cdk import Stack
from botocore.loaders import Loader
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from staged_resiliency import (
    AddressTarget,
    AlarmRule,
    AlarmSignal,
    AlarmTopic,
    AliasTarget,
    ConnectivityAlarm,
    EndpointHealthCheck,
    EndpointSignal,
    FailoverHost,
    HostedZone,
    HttpRequest,
    HttpsRequest,
    InstanceFailover,
    InstancesById,
    InstancesByName,
    InsufficientData,
    MissingData,
    PeerAlarm,
    ProbeAgent,
    ProbeConfiguration,
    ProbeSilentAlarm,
    StatusSignal,
    TcpCheck,
    TcpConnect,
)
from staged_resiliency.failover.alarm_rule import Comparison
from staged_resiliency.shared import limits
from tests.cases import cases
from tests.staged_resiliency.api_model import problems_of, service_model
from tests.staged_resiliency.support import (
    ALARM,
    ASSOCIATION,
    DOCUMENT,
    HEALTH_CHECK,
    INSTANCE_ID,
    POLICY,
    RECORD,
    ZONE_ID,
    an_alarm,
    an_instance,
    synthesized,
)
from tests.support import Data, Template, resources_of

# What a deployment would put in the place of a reference.
DEPLOYED = {
    ALARM: "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:shop",
    DOCUMENT: "Test-ProbeDocument-1A2B3C4D5E6F",
    HEALTH_CHECK: "abcdef11-2222-3333-4444-555555fedcba",
    "AWS::EC2::Instance": INSTANCE_ID,
    "AWS::SNS::Topic": "arn:aws:sns:eu-west-1:111111111111:Topic",
}


def everything(stack: Stack) -> None:
    """Each kind of alarm, health check and record, with short and long settings."""
    topic = AlarmTopic(stack, "Topic")
    database = {
        color: ConnectivityAlarm(
            stack,
            f"{color}Database",
            namespace="Shop",
            host_name=f"shop-{color}",
            dependency="db",
            description="Database Connectivity failure.",
            missing_data=missing_data,
            topic=topic,
            notify_recovery=True,
        )
        for color, missing_data in (
            ("blue", MissingData.CLOUDWATCH_DEFAULT),
            ("green", MissingData.NOT_BREACHING),
        )
    }
    an_alarm(stack, topic=topic, missing_data=MissingData.IGNORE)
    addresses = {"blue": ("52.11.79.8", "2600:1f14::8"), "green": ("52.11.79.9", "2600:1f14::9")}
    InstanceFailover(
        stack,
        "Addresses",
        service="addresses",
        blue=FailoverHost("shop-blue", AddressTarget(*addresses["blue"]), INSTANCE_ID),
        green=FailoverHost("shop-green", AddressTarget(*addresses["green"]), an_instance(stack)),
        active="green",
        hosted_zone=HostedZone("example.com", ZONE_ID),
        record_name="shop.example.com",
        topic=topic,
        failover_on=[
            StatusSignal(),
            EndpointSignal(HttpRequest(search_text="shop"), interval_seconds=10),
            AlarmSignal("db", {"green": database["green"]}),
        ],
        ttl_seconds=0,
    )
    InstanceFailover(
        stack,
        "Aliases",
        service="aliases",
        blue=FailoverHost("a-blue", AliasTarget("blue.elb.example.com", ZONE_ID, ipv6=True)),
        green=FailoverHost("a-green", AliasTarget("green.elb.example.com", ZONE_ID, ipv6=True)),
        active="blue",
        hosted_zone=HostedZone("example.com", ZONE_ID),
        record_name="alias.example.com",
        topic=topic,
        failover_on=[EndpointSignal(HttpsRequest(), failure_threshold=10)],
    )
    ProbeSilentAlarm(
        stack,
        "Silent",
        namespace="Shop",
        host_name="shop-blue",
        description="The probe is silent.",
        topic=topic,
    )
    PeerAlarm(
        stack,
        "Peer",
        namespace="Shop",
        host_name="shop-blue",
        observer="shop-green",
        description="Blue does not answer.",
        topic=topic,
    )
    check = TcpCheck("10.0.0.5", 5432)
    ProbeAgent(
        stack,
        "Probe",
        configuration=ProbeConfiguration("shop", "Shop", dependencies={"db": check}),
        instances=InstancesByName(["shop-blue", "shop-green"]),
        association_name="shop-probe",
    )
    ProbeAgent(
        stack,
        "OtherProbe",
        configuration=ProbeConfiguration("a", "A", peers={"a": check, "b": check}),
        instances=InstancesById([an_instance(stack, "Other"), INSTANCE_ID]),
        state="absent",
    )
    EndpointHealthCheck(stack, "Tcp", address="2600:1f14::8", request=TcpConnect(1), label="tcp")


def deployed(value: Any, template: Template) -> Any:
    """A value of a template as the deployment would make it."""
    if isinstance(value, list):
        return [deployed(each, template) for each in value]
    if not isinstance(value, Mapping):
        return value
    match dict(value):
        case {"Ref": logical_id}:
            return DEPLOYED[template["Resources"][logical_id]["Type"]]
        case {"Fn::Join": [separator, parts]}:
            return separator.join(deployed(parts, template))
        case {"Fn::GetStackOutput": {"OutputName": _}}:
            return DEPLOYED[HEALTH_CHECK]
    return {key: deployed(each, template) for key, each in value.items()}


def alarm_request(properties: Data) -> Data:
    """The request PutMetricAlarm that CloudFormation makes of a resource."""
    return properties


def health_check_request(properties: Data) -> Data:
    """The request CreateHealthCheck that CloudFormation makes of a resource."""
    return {"CallerReference": "once", "HealthCheckConfig": properties["HealthCheckConfig"]}


def record_request(properties: Data) -> Data:
    """The request ChangeResourceRecordSets that CloudFormation makes of a resource."""

    record = {
        key: value for key, value in properties.items() if key not in ("HostedZoneId", "Comment")
    }
    if "TTL" in record:
        record["TTL"] = int(record["TTL"])
        record["ResourceRecords"] = [{"Value": value} for value in record["ResourceRecords"]]
    return {
        "HostedZoneId": properties["HostedZoneId"],
        "ChangeBatch": {
            "Comment": properties["Comment"],
            "Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}],
        },
    }


def document_request(properties: Data) -> Data:
    """The request CreateDocument that CloudFormation makes of a resource, under a made-up name."""
    given = {key: value for key, value in properties.items() if key != "UpdateMethod"}
    return {**given, "Name": DEPLOYED[DOCUMENT], "Content": json.dumps(properties["Content"])}


def association_request(properties: Data) -> Data:
    """The request CreateAssociation that CloudFormation makes of a resource."""
    return properties


def policy_request(properties: Data) -> Data:
    """The request CreatePolicy that CloudFormation makes of a resource, under a made-up name."""
    return {
        "PolicyName": "Test-ProbePublishPolicy-1A2B3C4D5E6F",
        "Description": properties["Description"],
        "PolicyDocument": json.dumps(properties["PolicyDocument"]),
    }


KINDS = {
    ALARM: ("cloudwatch", "PutMetricAlarm", alarm_request),
    HEALTH_CHECK: ("route53", "CreateHealthCheck", health_check_request),
    RECORD: ("route53", "ChangeResourceRecordSets", record_request),
    DOCUMENT: ("ssm", "CreateDocument", document_request),
    ASSOCIATION: ("ssm", "CreateAssociation", association_request),
    POLICY: ("iam", "CreatePolicy", policy_request),
}


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesized(everything)


@cases(
    ("resource_type", "count"),
    {
        "alarms": (ALARM, 7),
        "health checks": (HEALTH_CHECK, 6),
        "records": (RECORD, 8),
        "documents": (DOCUMENT, 2),
        "associations": (ASSOCIATION, 2),
        "policies": (POLICY, 2),
    },
)
def test_the_apis_take_what_is_rendered(resource_type: str, count: int, template: Template) -> None:
    service, operation, request_of = KINDS[resource_type]
    found = resources_of(template, resource_type)
    problems = [
        f"{logical_id}: {problem}"
        for logical_id, resource in found.items()
        for problem in problems_of(
            service, operation, request_of(deployed(resource["Properties"], template))
        )
    ]
    assert problems == []
    assert len(found) == count


def test_every_type_of_health_check_is_among_them(template: Template) -> None:
    checks = resources_of(template, HEALTH_CHECK).values()
    assert {check["Properties"]["HealthCheckConfig"]["Type"] for check in checks} == {
        "CALCULATED",
        "CLOUDWATCH_METRIC",
        "HTTPS",
        "HTTP_STR_MATCH",
        "TCP",
    }


@cases(
    ("resource_type", "path", "value", "message"),
    {
        "too short": (ALARM, ("AlarmName",), "", "min length: 1"),
        "text for a number": (ALARM, ("Period",), "60", "type: <class 'str'>"),
        "unknown member": (ALARM, ("Colour",), "blue", "Unknown parameter"),
        "too long": (ALARM, ("AlarmName",), "a" * 256, "256 is more than 255"),
        "not allowed": (ALARM, ("Statistic",), "p99", "'p99' is not one of"),
        "member left out": (
            HEALTH_CHECK,
            ("HealthCheckConfig",),
            {},
            'Missing required parameter in HealthCheckConfig: "Type"',
        ),
        "not of the pattern": (
            HEALTH_CHECK,
            ("HealthCheckConfig", "IPAddress"),
            "blue",
            "'blue' does not match",
        ),
        "role not allowed": (RECORD, ("Failover",), "ACTIVE", "'ACTIVE' is not one of"),
        "too small": (RECORD, ("TTL",), "-1", "valid min value: 0"),
        "document": (DOCUMENT, ("DocumentType",), "Shell", "'Shell' is not one of"),
        "association": (ASSOCIATION, ("MaxErrors",), "few", "'few' does not match"),
        "policy": (POLICY, ("Description",), "a" * 1001, "1001 is more than"),
    },
)
def test_the_models_find_what_is_wrong(
    resource_type: str, path: tuple[str | int, ...], value: Any, message: str, template: Template
) -> None:
    service, operation, request_of = KINDS[resource_type]
    resource = next(iter(resources_of(template, resource_type).values()))
    properties = deployed(resource["Properties"], template)
    *parents, last = path
    parent = properties
    for part in parents:
        parent = parent[part]
    parent[last] = value
    (problem,) = problems_of(service, operation, request_of(properties))
    assert message in problem


def _enum(service: str, shape: str) -> set[str]:
    return set(service_model(service).shape_for(shape).enum)


def test_the_regions_are_those_that_route_53_can_read_alarms_of() -> None:
    assert set(limits.ALARM_REGIONS) == _enum("route53", "CloudWatchRegion")


def test_the_regions_without_fis_are_those_where_cloudformation_has_no_experiment() -> None:
    """cfn-lint has the resource types of each region, from CloudFormation's registry."""
    without = {
        region
        for region in limits.ALARM_REGIONS
        if "AWS::FIS::ExperimentTemplate" not in PROVIDER_SCHEMA_MANAGER.get_resource_types(region)
    }
    assert set(limits.REGIONS_WITHOUT_FIS) == without


def test_metrics_of_health_checks_are_where_route_53s_api_is() -> None:
    for partition in Loader().load_data("endpoints")["partitions"]:
        found = partition["services"].get("route53")
        if found is None:
            continue
        api = found["endpoints"][found["partitionEndpoint"]]["credentialScope"]["region"]
        for region in limits.ALARM_REGIONS:
            if limits.partition_of(region) == partition["partition"]:
                assert limits.health_check_metrics_region(region) == api


def test_the_checkers_are_in_the_regions_that_route_53_has() -> None:
    assert set(limits.CHECKER_REGIONS) == _enum("route53", "HealthCheckRegion")
    regions = service_model("route53").shape_for("HealthCheckRegionList")
    assert regions.metadata["min"] == limits.MIN_CHECKER_REGIONS


def test_the_statistics_are_those_that_route_53_copies() -> None:
    assert set(limits.FAILOVER_STATISTICS) == _enum("route53", "Statistic")


def test_the_comparisons_are_those_that_route_53_copies() -> None:
    assert set(get_args(Comparison)) == _enum("route53", "ComparisonOperator")


def test_the_choices_for_too_little_data_are_those_of_route_53() -> None:
    choices = {choice.value for choice in InsufficientData}
    assert choices == _enum("route53", "InsufficientDataHealthStatus")


def test_a_rule_has_exactly_the_fields_that_route_53_copies() -> None:
    named = {"comparison": "ComparisonOperator", "period_seconds": "Period"}
    ours = {
        named.get(field.name, field.name.title().replace("_", ""))
        for field in fields(AlarmRule)
        if field.compare
    }
    assert ours == set(service_model("route53").shape_for("CloudWatchAlarmConfiguration").members)
