"""The CloudWatch agent of a service file: what is deployed, and alarms on what it publishes."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from resiliency.service_file.mapping import guards_of, hypothesis_of
from resiliency.service_file.model.service import Environment
from staged_resiliency.experiment.expectations import AlarmQuiet
from tests.staged_resiliency.probe.cloudwatch_agent import published
from tests.staged_resiliency.support import ALARM, ASSOCIATION
from tests.support import ROOT, Data, Template, example, only, resources_of, synthesize

BLUE, GREEN = "bookstore-api-blue", "bookstore-api-green"
INSTANCES = {BLUE: "i-0ab55a49288f1da24", GREEN: "i-0123456789abcdef0"}
STACK = "bookstore-production-cloudwatch-agent"
FAILOVER = "bookstore-production-failover"


def measured(env: Data) -> None:
    env["hosts"]["green"]["instance_id"] = INSTANCES[GREEN]
    env["cloudwatch_agent"] = {
        "memory_percent": 90,
        "disk_percent": {"/": 85, "/var/lib": 80},
        "processes": {
            "web": {"name": "java"},
            "worker": {"command": "celery worker", "at_least": 2},
        },
    }
    env["failover_on"] = ["status", "process-web"]
    env["probe"] = {"roles": ["bookstore-api"]}


@pytest.fixture(scope="module")
def templates() -> Mapping[str, Template]:
    return synthesize([example(measured)])


def alarms_of(template: Template) -> dict[str, Data]:
    """The alarms on metrics of the agent, by name."""
    alarms = [each["Properties"] for each in resources_of(template, ALARM).values()]
    return {each["AlarmName"]: each for each in alarms if each["Namespace"] == "CWAgent"}


@pytest.mark.slow
def test_alarms_watch_exactly_the_metrics_that_agents_publish(
    templates: Mapping[str, Template],
) -> None:
    configuration = json.loads(only(templates[STACK], "AWS::SSM::Parameter")["Value"])
    watched = {
        (
            alarm["Namespace"],
            alarm["MetricName"],
            frozenset((each["Name"], each["Value"]) for each in alarm["Dimensions"]),
        )
        for alarm in alarms_of(templates[FAILOVER]).values()
    }
    of_agents = [published(configuration, instance) for instance in INSTANCES.values()]
    assert watched == set().union(*of_agents)
    assert len(watched) == 10


@pytest.mark.slow
def test_each_alarm_has_its_threshold_and_a_sentence(templates: Mapping[str, Template]) -> None:
    alarms = alarms_of(templates[FAILOVER])
    found = {
        name.removeprefix(f"{BLUE}-"): (
            alarm["AlarmDescription"],
            alarm["Statistic"],
            alarm["ComparisonOperator"],
            alarm["Threshold"],
            alarm["EvaluationPeriods"],
        )
        for name, alarm in alarms.items()
        if name.startswith(BLUE)
    }
    at_least, below = "GreaterThanOrEqualToThreshold", "LessThanThreshold"
    text = ": Bookstore API (Blue)."
    assert found == {
        "memory": (f"Memory is 90 % used{text}", "Average", at_least, 90, 5),
        "disk-root": (f"Disk / is 85 % used{text}", "Average", at_least, 85, 5),
        "disk-var-lib": (f"Disk /var/lib is 80 % used{text}", "Average", at_least, 80, 5),
        "process-web": (f"No process web runs{text}", "Minimum", below, 1, 2),
        "process-worker": (f"Fewer than 2 processes worker run{text}", "Minimum", below, 2, 2),
    }
    assert all("TreatMissingData" not in alarm for alarm in alarms.values())


@pytest.mark.slow
def test_a_process_may_decide_the_failover(templates: Mapping[str, Template]) -> None:
    checks = [
        each["Properties"]["HealthCheckConfig"]
        for each in resources_of(templates[FAILOVER], "AWS::Route53::HealthCheck").values()
    ]
    followed = [each["AlarmIdentifier"]["Name"] for each in checks if "AlarmIdentifier" in each]
    assert followed == [f"{BLUE}-StatusCheckFailed", f"{BLUE}-process-web"]


@pytest.mark.slow
def test_it_is_on_both_hosts_by_the_roles_of_the_probe(templates: Mapping[str, Template]) -> None:
    association = only(templates[STACK], ASSOCIATION)
    assert association["Targets"] == [{"Key": "tag:Name", "Values": [BLUE, GREEN]}]
    assert association["AssociationName"] == STACK
    assert only(templates[STACK], "AWS::IAM::ManagedPolicy")["Roles"] == ["bookstore-api"]


@pytest.mark.slow
def test_a_service_that_does_not_ask_for_it_has_the_same_templates() -> None:
    def without(env: Data) -> None:
        measured(env)
        del env["cloudwatch_agent"]
        env["failover_on"] = ["status"]

    def with_it(env: Data) -> None:
        measured(env)
        env["failover_on"] = ["status"]

    before, after = synthesize([example(without)]), synthesize([example(with_it)])
    assert set(after) - set(before) == {STACK}
    for name, template in before.items():
        if name == FAILOVER:
            added = set(after[name]["Resources"]) - set(template["Resources"])
            assert len(added) == 10
            kept = {key: after[name]["Resources"][key] for key in template["Resources"]}
            assert kept == template["Resources"]
        else:
            assert after[name] == template


@pytest.mark.slow
def test_the_dashboard_and_the_state_of_drills_have_its_alarms() -> None:
    templates = synthesize([example(measured, whole=True)])
    dashboards = resources_of(templates[FAILOVER], "AWS::CloudWatch::Dashboard").values()
    assert all(f"alarm:{GREEN}-process-web" in str(each) for each in dashboards)
    listed = templates[FAILOVER]["Outputs"]["AlarmNames"]["Value"].split(",")
    assert {f"{BLUE}-memory", f"{GREEN}-disk-root"} <= set(listed)
    assert f"{GREEN}-disk-var-lib" in str(templates["bookstore-production-drills"])


def environment_of(edit: Data | None = None, **more: Any) -> Environment:
    """The production environment, with an edited agent or other keys."""

    def edited(env: Data) -> None:
        measured(env)
        env["cloudwatch_agent"].update(edit or {})
        env.update(more)

    return example(edited, whole=True).environments["production"]


def test_an_alarm_of_the_same_name_takes_its_place() -> None:
    own: Data = {
        "memory": {
            "label": "Memory is nearly full",
            "metric": {
                "namespace": "CWAgent",
                "name": "mem_used_percent",
                "dimensions": {"InstanceId": "{instance_id}"},
            },
            "at_least": 95,
        }
    }
    alarms = environment_of(alarms=own).all_alarms
    assert alarms["memory"].threshold == 95
    assert len(alarms) == 5


def test_an_agent_without_its_configuration_has_no_alarms() -> None:
    alarms = environment_of({"state": "absent"}, failover_on=["status"]).all_alarms
    assert alarms == {}


def quiet_in(environment: Environment, drill: str) -> set[str]:
    assert environment.drills is not None
    found = hypothesis_of(environment, environment.drills.by_name[drill])
    return {each.alarm for each in found if isinstance(each, AlarmQuiet)}


def test_drills_expect_its_alarms_to_stay_quiet_but_on_the_host_that_stops() -> None:
    environment = environment_of(failover_on=["status"])
    own = {f"{host}-{name}" for host in INSTANCES for name in ("memory", "process-web")}
    assert own <= quiet_in(environment, "db-blackhole")
    assert quiet_in(environment, "shutdown") & own == {each for each in own if GREEN in each}


def test_its_alarms_may_guard_drills() -> None:
    environment = environment_of({"in_drills": "guard"}, failover_on=["status"])
    assert environment.drills is not None
    guards = guards_of(environment, environment.drills.by_name["db-blackhole"])
    assert f"{GREEN}-memory" in guards


PAGE = (ROOT / "docs" / "cloudwatch-agent.md").read_text(encoding="utf-8")


def test_the_samples_of_the_page_are_valid() -> None:
    agent, alarms = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
    environment = environment_of(agent["cloudwatch_agent"], **alarms)
    assert environment.cloudwatch_agent is not None
    named = set(re.findall(r"<host>-([a-z-]+)", PAGE.partition("```\n")[0]))
    assert named | {"process-worker"} == set(environment.cloudwatch_agent.alarms)
    assert environment.all_alarms["memory"].label == "Memory is nearly full"
    own, made = (
        alarms_of["memory"].metric
        for alarms_of in (environment.all_alarms, environment.cloudwatch_agent.alarms)
    )
    assert own == made


def test_the_page_has_each_metric_with_its_dimensions() -> None:
    agent = environment_of().cloudwatch_agent
    assert agent is not None
    rows = {
        row.split("|")[1].strip(" `"): row for row in PAGE.splitlines() if row.startswith("| `")
    }
    for metric in agent.configuration.metrics:
        row = rows[metric.name].replace("\\|", "|")
        assert all(f"`{name}`" in row for name in metric.dimensions(""))
    assert agent.processes["web"].counted.selector[1] in PAGE.replace("\\|", "|")
