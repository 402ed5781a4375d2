"""The CloudWatch agent: its configuration, and what the construct makes."""

import json
import re
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from jsonschema import Draft4Validator

from staged_resiliency import (
    AlarmRule,
    CloudWatchAgent,
    CloudWatchAgentConfiguration,
    InstancesByName,
    ProcessesByCommand,
    ProcessesByName,
)
from staged_resiliency.probe.cloudwatch_document import document_content
from tests.cases import cases
from tests.staged_resiliency.probe.cloudwatch_agent import published
from tests.staged_resiliency.support import (
    ASSOCIATION,
    DOCUMENT,
    INSTANCE_ID,
    POLICY,
    an_instance,
    only_id,
    refused,
    synthesized,
    text_parameter,
)
from tests.support import Data, Template, only, resources_of

JAVA, WORKER = ProcessesByName("java"), ProcessesByCommand("celery worker")
EVERYTHING = CloudWatchAgentConfiguration(
    memory=True, disks=["/", "/var/lib"], processes=[JAVA, WORKER]
)
HOSTS = InstancesByName(["shop-blue", "shop-green"])
PARAMETER = "AWS::SSM::Parameter"

# Configurations


SCHEMA = json.loads(
    Path(__file__).with_name("cloudwatch_agent_schema.json").read_text(encoding="utf-8")
)


def problems_of(configuration: Data) -> list[str]:
    """What the agent's own schema refuses of a configuration."""
    return [error.message for error in Draft4Validator(SCHEMA).iter_errors(configuration)]


@pytest.mark.parametrize(
    "configuration",
    [
        EVERYTHING,
        CloudWatchAgentConfiguration(memory=True),
        CloudWatchAgentConfiguration(disks=["/"]),
        CloudWatchAgentConfiguration(processes=[WORKER]),
        CloudWatchAgentConfiguration(
            processes=[ProcessesByName("a." * 32), ProcessesByCommand("/." * 50)]
        ),
    ],
)
def test_the_agents_own_schema_takes_a_configuration(
    configuration: CloudWatchAgentConfiguration,
) -> None:
    assert problems_of(json.loads(configuration.rendered())) == []


@pytest.mark.parametrize(
    "edit",
    [
        lambda metrics: metrics.update(namespaces="Shop"),
        lambda metrics: metrics.update(append_dimensions=["InstanceId"]),
        lambda metrics: metrics.update(aggregation_dimensions=["InstanceId", "path"]),
        lambda metrics: metrics["metrics_collected"]["mem"].pop("measurement"),
        lambda metrics: metrics["metrics_collected"]["disk"].update(resources="/"),
        lambda metrics: metrics["metrics_collected"]["procstat"][0].pop("exe"),
        lambda metrics: metrics["metrics_collected"].update(procstat={"exe": "java"}),
    ],
)
def test_the_schema_refuses_what_the_agent_would_not_take(edit: Callable[[Data], object]) -> None:
    configuration = json.loads(EVERYTHING.rendered())
    edit(configuration["metrics"])
    assert problems_of(configuration) != []


def test_the_metrics_of_a_configuration_are_exactly_those_that_an_agent_publishes() -> None:
    declared = {
        ("CWAgent", metric.name, frozenset(metric.dimensions(INSTANCE_ID).items()))
        for metric in EVERYTHING.metrics
    }
    assert published(json.loads(EVERYTHING.rendered()), INSTANCE_ID) == declared
    assert len(declared) == 5


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/usr/lib/jvm/java-17/bin/java", True),
        ("/usr/bin/java (deleted)", True),
        ("java", True),
        ("/usr/bin/javac", False),
        ("/opt/java/bin/keytool", False),
        ("/usr/bin/notjava", False),
    ],
)
def test_processes_are_found_by_the_file_name_of_their_executable(path: str, is_one: bool) -> None:
    key, pattern = JAVA.selector
    assert (key, re.search(pattern, path) is not None) == ("exe", is_one)


def test_a_command_is_no_pattern() -> None:
    key, pattern = ProcessesByCommand("shop.jar --port=8080").selector
    assert key == "pattern"
    assert re.search(pattern, "/usr/bin/java -jar shop.jar --port=8080 -v")
    assert not re.search(pattern, "/usr/bin/java -jar shopXjar --port=8080")


@cases(
    ("kind", "given", "message"),
    {
        "nothing": (
            CloudWatchAgentConfiguration,
            {},
            "has no memory, disks or processes: there is nothing to measure",
        ),
        "no path": (
            CloudWatchAgentConfiguration,
            {"disks": ["data"]},
            "disks: 'data' is not the path of a mounted file system (letters, digits and . _ - "
            "between slashes, at most 64); give one like /var/lib/shop",
        ),
        "a disk twice": (
            CloudWatchAgentConfiguration,
            {"disks": ["/", "/"]},
            "disks: has a value twice; give each once",
        ),
        "a process twice": (
            CloudWatchAgentConfiguration,
            {"processes": [JAVA, ProcessesByName("java")]},
            "processes: has a value twice; give each once",
        ),
        "Python": (
            ProcessesByName,
            {"name": "python3"},
            "name: 'python3' also runs the probe and system programs; select the process by its "
            "command line, such as command: shop.wsgi",
        ),
        "any command": (
            ProcessesByCommand,
            {"text": ""},
            "text: '' is not a text of a command line (letters, digits, spaces and . _ / : = @ , "
            "+ -, 3 to 100); give one like gunicorn shop.wsgi",
        ),
        "more than fits into a parameter": (
            CloudWatchAgentConfiguration,
            {"disks": [f"/{'x' * 60}/{number}" for number in range(60)]},
            "makes a parameter of 4304 characters; Systems Manager takes 4096, so give fewer disks "
            "and processes",
        ),
    },
)
def test_what_can_not_be_measured_is_refused(kind: type[Any], given: Data, message: str) -> None:
    with refused(f"{kind.__name__}: {message}"):
        kind(**given)


# The construct


def test_the_package_is_installed_before_the_configuration_is_added() -> None:
    steps = document_content("present")["mainSteps"]
    assert [(step["action"], step["inputs"]["onFailure"]) for step in steps] == [
        ("aws:configurePackage", "exit"),
        ("aws:runShellScript", "exit"),
    ]
    assert steps[0]["inputs"]["name"] == "AmazonCloudWatchAgent"
    assert [step["name"] for step in document_content("absent")["mainSteps"]] == ["Remove"]


def an_agent(stack: Stack, **changes: Any) -> CloudWatchAgent:
    usual: Data = {"name": "shop-cw", "configuration": EVERYTHING, "instances": HOSTS}
    return CloudWatchAgent(stack, "Agent", **{**usual, **changes})


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesized(lambda stack: an_agent(stack, roles=["shop-hosts"]))


def test_it_is_a_parameter_a_document_an_association_and_a_policy(template: Template) -> None:
    types = Counter(resource["Type"] for resource in template["Resources"].values())
    assert types == {PARAMETER: 1, DOCUMENT: 1, ASSOCIATION: 1, POLICY: 1}
    assert only(template, PARAMETER)["Name"] == "AmazonCloudWatch-shop-cw"
    assert only(template, PARAMETER)["Value"] == EVERYTHING.rendered()


def test_the_association_runs_when_the_configuration_changes_and_after_what_it_needs(
    template: Template,
) -> None:
    (association,) = resources_of(template, ASSOCIATION).values()
    assert association["Properties"]["Parameters"] == {
        "Parameter": ["AmazonCloudWatch-shop-cw"],
        "Digest": [sha256(only(template, PARAMETER)["Value"].encode()).hexdigest()],
    }
    assert set(association["DependsOn"]) == {
        only_id(template, PARAMETER),
        only_id(template, POLICY),
    }
    assert association["Properties"]["MaxConcurrency"] == "1"
    known = only(template, DOCUMENT)["Content"]["parameters"]
    assert set(known) == set(association["Properties"]["Parameters"])


def test_the_policy_has_the_two_permissions_that_the_agent_needs(template: Template) -> None:
    policy = only(template, POLICY)
    assert policy["Roles"] == ["shop-hosts"]
    assert [
        (each["Action"], each["Resource"], each.get("Condition"))
        for each in policy["PolicyDocument"]["Statement"]
    ] == [
        ("cloudwatch:PutMetricData", "*", {"StringEquals": {"cloudwatch:namespace": "CWAgent"}}),
        (
            "ssm:GetParameter",
            "arn:aws:ssm:eu-west-1:111111111111:parameter/AmazonCloudWatch-shop-cw",
            None,
        ),
    ]


def test_to_remove_it_no_digest_is_needed() -> None:
    template = synthesized(lambda stack: an_agent(stack, state="absent"))
    assert only(template, ASSOCIATION)["Parameters"] == {"Parameter": ["AmazonCloudWatch-shop-cw"]}
    assert set(only(template, DOCUMENT)["Content"]["parameters"]) == {"Parameter"}


def test_its_metrics_are_for_alarms(stack: Stack) -> None:
    agent = an_agent(stack)
    rules = [
        AlarmRule.on_metric(metric, comparison="GreaterThanThreshold", threshold=90)
        for metric in (
            agent.metric_memory(INSTANCE_ID),
            agent.metric_disk("/var/lib", INSTANCE_ID),
            agent.metric_processes(WORKER, INSTANCE_ID),
        )
    ]
    found = {(r.namespace, r.metric_name, frozenset(r.dimensions.items())) for r in rules}
    assert found < published(json.loads(EVERYTHING.rendered()), INSTANCE_ID)


@pytest.mark.slow  # it loads the CDK's module of EC2
def test_an_instance_of_the_same_stack_has_its_metrics(stack: Stack) -> None:
    instance = an_instance(stack)
    metric = an_agent(stack).metric_memory(instance)
    assert metric.dimensions == {"InstanceId": instance.instance_id}


def test_a_metric_that_nothing_publishes_is_refused(stack: Stack) -> None:
    agent = an_agent(stack, configuration=CloudWatchAgentConfiguration(disks=["/"]))
    with refused(
        "CloudWatchAgent: disk_used_percent {'path': '/var'} is not among the metrics of the "
        "configuration, so no instance publishes it; add it there"
    ):
        agent.metric_disk("/var", INSTANCE_ID)


@cases(
    ("changes", "message"),
    {
        "name": (
            {"name": "a b"},
            "name: 'a b' is not the name of an association (letters, digits, '_', '.' and '-', 3 "
            "to 100); give one like shop-production-cloudwatch-agent",
        ),
        "role": (
            {"roles": ["a b"]},
            "roles: 'a b' is not the name of an IAM role (letters, digits and + = , . @ _ -, at "
            "most 64); give one like bookstore-api",
        ),
        "state": ({"state": "gone"}, "state: 'gone' is not allowed; allowed: present, absent"),
    },
)
def test_a_wrong_argument_is_refused(stack: Stack, changes: Data, message: str) -> None:
    with refused(f"CloudWatchAgent: {message}"):
        an_agent(stack, **changes)


def test_a_path_that_only_the_deployment_knows_is_refused(stack: Stack) -> None:
    with refused(
        "CloudWatchAgentConfiguration: disks: is a token, which only the deployment knows; give a "
        "plain text"
    ):
        CloudWatchAgentConfiguration(disks=[text_parameter(stack, "Path")])
