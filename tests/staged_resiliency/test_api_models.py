"""What the constructs render is what the services' APIs take, by AWS's own models."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk import Stack

from staged_resiliency import (
    AddressTarget,
    AlarmSignal,
    AlarmTopic,
    AliasTarget,
    CloudWatchAgent,
    CloudWatchAgentConfiguration,
    EndpointHealthCheck,
    EndpointSignal,
    FailoverHost,
    HttpRequest,
    HttpsRequest,
    InstancesById,
    InstancesByName,
    MissingData,
    ProbeAgent,
    ProbeConfiguration,
    ProbeSilentAlarm,
    StatusSignal,
    TcpCheck,
    TcpConnect,
)
from tests.cases import cases
from tests.staged_resiliency.api_model import problems_of
from tests.staged_resiliency.support import (
    ALARM,
    ASSOCIATION,
    DOCUMENT,
    HEALTH_CHECK,
    INSTANCE_ID,
    POLICY,
    RECORD,
    ZONE_ID,
    a_connectivity_alarm,
    a_failover,
    a_peer_alarm,
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
    a_connectivity_alarm(stack, "Database", topic=topic, notify_recovery=True)
    database = a_connectivity_alarm(
        stack, "Green", host_name="shop-green", missing_data=MissingData.NOT_BREACHING, topic=topic
    )
    an_alarm(stack, topic=topic, missing_data=MissingData.IGNORE)
    a_failover(
        stack,
        "Addresses",
        blue=FailoverHost("shop-blue", AddressTarget("52.11.79.8", "2600:1f14::8"), INSTANCE_ID),
        green=FailoverHost(
            "shop-green", AddressTarget("52.11.79.9", "2600:1f14::9"), an_instance(stack)
        ),
        active="green",
        topic=topic,
        failover_on=[
            StatusSignal(),
            EndpointSignal(HttpRequest(search_text="shop"), interval_seconds=10),
            AlarmSignal("db", {"green": database}),
        ],
        ttl_seconds=0,
    )
    a_failover(
        stack,
        "Aliases",
        service="aliases",
        blue=FailoverHost("a-blue", AliasTarget("blue.elb.example.com", ZONE_ID, ipv6=True)),
        green=FailoverHost("a-green", AliasTarget("green.elb.example.com", ZONE_ID, ipv6=True)),
        record_name="alias.example.com",
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
    a_peer_alarm(stack, "Peer")
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
    CloudWatchAgent(
        stack,
        "CloudWatchAgent",
        name="shop-cw",
        configuration=CloudWatchAgentConfiguration(memory=True, disks=["/"]),
        instances=InstancesByName(["shop-blue"]),
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


def policy_request(properties: Data) -> Data:
    """The request CreatePolicy that CloudFormation makes of a resource, under a made-up name."""
    return {
        "PolicyName": "Test-ProbePublishPolicy-1A2B3C4D5E6F",
        "Description": properties["Description"],
        "PolicyDocument": json.dumps(properties["PolicyDocument"]),
    }


KINDS: Mapping[str, tuple[str, str, Callable[[Data], Data]]] = {
    ALARM: ("cloudwatch", "PutMetricAlarm", dict),
    HEALTH_CHECK: ("route53", "CreateHealthCheck", health_check_request),
    RECORD: ("route53", "ChangeResourceRecordSets", record_request),
    DOCUMENT: ("ssm", "CreateDocument", document_request),
    ASSOCIATION: ("ssm", "CreateAssociation", dict),
    "AWS::SSM::Parameter": ("ssm", "PutParameter", dict),
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
        "documents": (DOCUMENT, 3),
        "associations": (ASSOCIATION, 3),
        "parameters": ("AWS::SSM::Parameter", 1),
        "policies": (POLICY, 3),
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
    ("operation", "request_", "problem"),
    {
        "too short": ("DeleteAlarms", {"AlarmNames": [""]}, "valid min length: 1"),
        "too long": ("DeleteAlarms", {"AlarmNames": ["a" * 256]}, "256 is more than 255"),
        "too many": ("DeleteAlarms", {"AlarmNames": ["a"] * 101}, "101 is more than 100"),
        "too large": ("DescribeAlarms", {"MaxRecords": 101}, "101 is more than 100"),
        "text for a number": ("DescribeAlarms", {"MaxRecords": "1"}, "type: <class 'str'>"),
        "not allowed": ("DescribeAlarms", {"StateValue": "RED"}, "'RED' is not one of"),
        "unknown": ("DescribeAlarms", {"Colour": "red"}, "Unknown parameter"),
        "left out": ("DeleteAlarms", {}, "Missing required parameter"),
        "not of the pattern": ("DisableInsightRules", {"RuleNames": ["ü"]}, "'ü' does not match"),
    },
)
def test_the_models_find_what_is(operation: str, request_: Data, problem: str) -> None:
    (found,) = problems_of("cloudwatch", operation, request_)
    assert problem in found
