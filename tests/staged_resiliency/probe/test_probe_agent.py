"""The probe on instances: document, association and permission."""

import json
from base64 import b64decode
from collections import Counter
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from staged_resiliency import (
    HttpCheck,
    InstancesByName,
    InstancesByTag,
    ProbeAgent,
    ProbeConfiguration,
    TcpCheck,
)
from staged_resiliency.probe.document import command_document
from tests.cases import cases
from tests.staged_resiliency.support import (
    ASSOCIATION,
    DOCUMENT,
    POLICY,
    nag_findings,
    number_parameter,
    only_id,
    refused,
    synthesized,
    text_parameter,
)
from tests.support import Data, Template, app_as_by_the_cli, only, resources_of

DB = TcpCheck("db.example.com", 5432)
CONFIGURATION = ProbeConfiguration("shop", "Shop", dependencies={"db": DB})
HOSTS = InstancesByName(["shop-blue", "shop-green"])
PUBLISH: Data = {
    "Sid": "PublishToTheNamespace",
    "Effect": "Allow",
    "Action": "cloudwatch:PutMetricData",
    "Resource": "*",
    "Condition": {"StringEquals": {"cloudwatch:namespace": "Shop"}},
}
READ_NAME: Data = {
    "Sid": "ReadTheNameTag",
    "Effect": "Allow",
    "Action": "ec2:DescribeTags",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
}


def a_probe(stack: Stack, **changes: Any) -> ProbeAgent:
    """A probe, with arguments changed."""
    usual: Data = {"configuration": CONFIGURATION, "instances": HOSTS}
    return ProbeAgent(stack, "Probe", **{**usual, **changes})


def template_of(**changes: Any) -> Template:
    return synthesized(lambda stack: a_probe(stack, **changes))


@pytest.fixture(scope="module")
def usual() -> Template:
    return template_of()


def test_a_probe_is_a_document_an_association_and_a_policy(usual: Template) -> None:
    types = Counter(resource["Type"] for resource in usual["Resources"].values())
    assert types == {DOCUMENT: 1, ASSOCIATION: 1, POLICY: 1}


def test_the_document_carries_the_agent_and_is_replaced_as_a_whole(usual: Template) -> None:
    assert only(usual, DOCUMENT) == {
        "Content": json.loads(json.dumps(command_document())),
        "DocumentType": "Command",
        "DocumentFormat": "JSON",
        "UpdateMethod": "Replace",
    }


def test_the_document_is_the_same_for_every_service(usual: Template) -> None:
    other = ProbeConfiguration("cafe", "Cafe", dependencies={"web": HttpCheck("10.0.0.5")})
    template = template_of(configuration=other, instances=InstancesByTag("fleet", ["web"]))
    assert only(template, DOCUMENT) == only(usual, DOCUMENT)


def test_the_association_changes_one_host_at_a_time_and_stops_at_the_first_error(
    usual: Template,
) -> None:
    properties = only(usual, ASSOCIATION)
    assert properties == {
        "Name": {"Ref": only_id(usual, DOCUMENT)},
        "DocumentVersion": "1",
        "Targets": [{"Key": "tag:Name", "Values": ["shop-blue", "shop-green"]}],
        "Parameters": properties["Parameters"],
        "ScheduleExpression": "rate(1 day)",
        "MaxConcurrency": "1",
        "MaxErrors": "0",
        "ComplianceSeverity": "HIGH",
        "SyncCompliance": "AUTO",
    }


def test_the_association_hands_over_the_configuration(usual: Template) -> None:
    parameters = only(usual, ASSOCIATION)["Parameters"]
    (content,) = parameters["Configuration"]
    assert parameters == {"Action": ["Install"], "Service": ["shop"], "Configuration": [content]}
    assert json.loads(b64decode(content)) == CONFIGURATION.rendered()


def test_the_document_knows_every_parameter_that_it_is_given(usual: Template) -> None:
    known = only(usual, DOCUMENT)["Content"]["parameters"]
    assert {*only(usual, ASSOCIATION)["Parameters"], "Platforms"} == set(known)


def test_platforms_that_a_team_adds_reach_the_document(stack: Stack) -> None:
    parameters = a_probe(stack, platforms=["almalinux-9", "sles-15.6"]).association.parameters
    assert isinstance(parameters, dict)
    assert parameters["Platforms"] == ["almalinux-9,sles-15.6"]


def test_reviewers_can_read_the_configuration(usual: Template) -> None:
    (association,) = resources_of(usual, ASSOCIATION).values()
    assert association["Metadata"]["Configuration"] == CONFIGURATION.rendered()


def test_the_policy_is_there_before_agents_start_and_until_they_are_gone(usual: Template) -> None:
    (association,) = resources_of(usual, ASSOCIATION).values()
    assert association["DependsOn"] == [only_id(usual, POLICY)]


@pytest.mark.parametrize(("state", "action"), [("present", "Install"), ("absent", "Uninstall")])
def test_the_state_is_what_the_document_does(state: str, action: str) -> None:
    assert only(template_of(state=state), ASSOCIATION)["Parameters"]["Action"] == [action]


def test_a_fleet_can_be_changed_in_larger_steps() -> None:
    association = only(
        template_of(
            instances=InstancesByTag("fleet", ["web"]),
            association_name="shop-probe",
            max_concurrency="10%",
            max_errors="5",
        ),
        ASSOCIATION,
    )
    keys = ("AssociationName", "MaxConcurrency", "MaxErrors", "Targets")
    assert [association[key] for key in keys] == [
        "shop-probe",
        "10%",
        "5",
        [{"Key": "tag:fleet", "Values": ["web"]}],
    ]


def test_the_output_of_runs_goes_to_a_bucket_and_the_role_may_write_it_there() -> None:
    template = template_of(output_bucket="run-output", schedule_expression="cron(0 3 ? * * *)")
    association = only(template, ASSOCIATION)
    assert association["OutputLocation"] == {
        "S3Location": {
            "OutputS3BucketName": "run-output",
            "OutputS3KeyPrefix": "resiliency-probe/shop",
        }
    }
    assert association["ScheduleExpression"] == "cron(0 3 ? * * *)"
    *_, statement = only(template, POLICY)["PolicyDocument"]["Statement"]
    assert statement == {
        "Sid": "WriteTheOutputOfRuns",
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": {
            "Fn::Join": [
                "",
                ["arn:", {"Ref": "AWS::Partition"}, ":s3:::run-output/resiliency-probe/shop/*"],
            ]
        },
    }


def test_what_only_the_deployment_knows_is_encoded_by_it() -> None:
    def build(stack: Stack) -> None:
        check = TcpCheck(text_parameter(stack, "Host"), number_parameter(stack, "Port"))
        a_probe(stack, configuration=ProbeConfiguration("shop", "Shop", dependencies={"db": check}))

    template = synthesized(build)
    (content,) = only(template, ASSOCIATION)["Parameters"]["Configuration"]
    separator, parts = content["Fn::Base64"]["Fn::Join"]
    deployed = {"Host": "db.internal", "Port": "5432"}
    text = separator.join(
        part if isinstance(part, str) else deployed[part["Ref"]] for part in parts
    )
    known = TcpCheck("db.internal", 5432)
    expected = ProbeConfiguration("shop", "Shop", dependencies={"db": known})
    assert json.loads(text) == expected.rendered()
    (association,) = resources_of(template, ASSOCIATION).values()
    assert "Configuration" not in association["Metadata"]


def test_the_policy_lets_publish_to_the_namespace_and_read_the_name(usual: Template) -> None:
    assert only(usual, POLICY) == {
        "Description": "Lets the probe of shop publish its metrics and read its host's Name tag.",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [PUBLISH, READ_NAME]},
    }


def test_the_policy_is_attached_to_roles() -> None:
    def build(stack: Stack) -> None:
        role = iam.Role.from_role_name(stack, "Role", "batch")
        a_probe(stack, roles=["shop-instances", role])

    assert only(synthesized(build), POLICY)["Roles"] == ["shop-instances", "batch"]


def test_the_region_of_the_permission_is_the_deployments_where_it_is_not_known() -> None:
    policy = only(synthesized(a_probe, env=None), POLICY)
    _, read_name = policy["PolicyDocument"]["Statement"]
    assert read_name["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}
    }


def test_the_policys_arn_is_for_others(stack: Stack) -> None:
    reference = stack.resolve(a_probe(stack).policy_arn)
    assert reference["Ref"].startswith("ProbePublishPolicy")


def test_a_role_can_be_let_publish() -> None:
    def build(stack: Stack) -> None:
        principal = iam.ServicePrincipal("ec2.amazonaws.com")
        role = iam.Role(stack, "Role", assumed_by=principal)
        grant = a_probe(stack).grant_publish(role)
        assert grant.success
        assert len(grant.principal_statements) == 2

    without_sid = [
        {key: value for key, value in statement.items() if key != "Sid"}
        for statement in (PUBLISH, READ_NAME)
    ]
    policy = only(synthesized(build), "AWS::IAM::Policy")
    assert policy["PolicyDocument"]["Statement"] == without_sid


@pytest.mark.parametrize("changes", [{}, {"output_bucket": "run-output"}])
def test_cdk_nag_takes_the_reason_for_any_resource(changes: Data) -> None:
    app = app_as_by_the_cli()
    a_probe(Stack(app, "Test"), **changes)
    assert nag_findings(app) == []


@cases(
    ("changes", "message"),
    {
        "role by its ARN": (
            {"roles": ["arn:aws:iam::111111111111:role/shop"]},
            "roles: 'arn:aws:iam::111111111111:role/shop' is an ARN; give the role's name alone, "
            "which is shop",
        ),
        "state": ({"state": "gone"}, "state: 'gone' is not allowed; allowed: present, absent"),
        "name of the association": (
            {"association_name": "a b"},
            "association_name: 'a b' is not the name of an association (letters, digits, '_', '.' "
            "and '-', 3 to 128); give one like shop-probe",
        ),
        "no instance at a time": (
            {"max_concurrency": "0"},
            "max_concurrency: '0' is not a number or share of instances; give one like 1 or 10%",
        ),
        "errors": (
            {"max_errors": "none"},
            "max_errors: 'none' is not a number or share of instances; give one like 0 or 10%",
        ),
        "bucket": (
            {"output_bucket": "s3://run-output"},
            "output_bucket: 's3://run-output' is not the name of an S3 bucket (lower-case "
            "letters, digits, '.' and '-', 3 to 63); give one like example-run-output",
        ),
        "platform": (
            {"platforms": ["AlmaLinux 9"]},
            "platforms: 'AlmaLinux 9' is not a platform (ID-VERSION_ID of /etc/os-release); give "
            "one like almalinux-9",
        ),
        "schedule": (
            {"schedule_expression": "daily"},
            "schedule_expression: 'daily' is not a schedule of State Manager; give one like "
            "rate(1 day) or, in UTC, cron(0 3 ? * * *)",
        ),
    },
)
def test_a_probe_refuses(changes: Data, message: str, stack: Stack) -> None:
    with refused(f"ProbeAgent: {message}"):
        a_probe(stack, **changes)
    assert stack.node.children == []


def test_more_targets_than_a_document_carries_are_refused(stack: Stack) -> None:
    many = ProbeConfiguration(
        "shop", "Shop", dependencies={f"d{number}": DB for number in range(5000)}
    )
    with pytest.raises(ValueError, match=r"^ProbeAgent: configuration: 5000 targets make "):
        a_probe(stack, configuration=many)
