"""What stacks would cost, and how the whole is shown to people."""

import json
from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from io import StringIO

from rich.console import Console

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.cost_estimate import CostItem, monthly_costs
from resiliency.synth_summary import print_summary
from tests.cases import cases
from tests.support import Template

Resource = Mapping[str, object]


def stack(
    *resources: Resource, name: str = "site", account: str = "532151327118", warnings: str = ""
) -> SynthesizedStack:
    return SynthesizedStack(
        name=name,
        account=account,
        region="us-west-2",
        template={"Resources": {f"R{number}": each for number, each in enumerate(resources)}},
        depends_on=["topics"] if name == "site" else [],
        warnings=warnings.splitlines(),
    )


def resource(kind: str, **properties: object) -> Resource:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def alarm(namespace: str, metric: str = "db-connectivity", **more: object) -> Resource:
    dimensions = [{"Name": "Host", "Value": "blue"}]
    return resource(
        "CloudWatch::Alarm",
        **{"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions, **more},
    )


def health_check(kind: str, **config: object) -> Resource:
    return resource("Route53::HealthCheck", HealthCheckConfig={"Type": kind, **config})


ASSUMED = "health checks on alarms or calculated (price assumed)"
ENDPOINTS = "health checks of endpoints"
OPTIONS = "health check options (HTTPS, text search, 10 s)"
METRICS = "custom metrics of probes, and one of all drills of a service"
APPLICATIONS = "custom metrics that applications may create by StatsD, at most"
KEYS = "KMS keys ($1 more after each of the first two yearly rotations)"
DAILY_METRICS = "custom metrics that the watchdog of drills publishes"
FAULT_MINUTES = "minutes of AWS FIS, as drills are scheduled (none in dry runs)"
DASHBOARDS = "dashboards (three of an account are free)"
REQUESTS = "requests of one host's probe to CloudWatch"
AGENT_METRICS = "custom metrics of CloudWatch agents"
AGENT_REQUESTS = "requests of one host's CloudWatch agent to CloudWatch"


def association(key: str, *values: str, **parameters: str) -> Resource:
    """An association that installs the probe, or what its parameters say."""
    return resource(
        "SSM::Association",
        Targets=[{"Key": key, "Values": list(values)}],
        Parameters={name: [each] for name, each in (parameters or {"Action": "Install"}).items()},
    )


CONFIGURATION = {
    "namespace": "Books",
    "targets": [
        {"metric": "db-connectivity", "latency": "values", "certificate": True},
        {"metric": "cdn-connectivity"},
    ],
}


def probes(configuration: object, *names: str) -> Resource:
    """An association that installs the probe on hosts with these Name tags."""
    encoded = b64encode(json.dumps(configuration).encode()).decode()
    return association("tag:Name", *names, Action="Install", Configuration=encoded)


def fault(drill: str = "", /, **parameters: str) -> Resource:
    actions = {"Fault": {"Parameters": parameters}}
    return resource("FIS::ExperimentTemplate", Tags={"Name": drill}, Actions=actions)


STATSD = {"metrics": ["errors", "orders.*"], "tags": [], "max_metrics": 5, "port": 8125}
SENT = {"namespace": "Books", "statsd": STATSD}


@cases(
    ("resources", "counts"),
    {
        "metrics of an application": (
            [probes(SENT, "blue", "green"), alarm("Books", "errors"), alarm("Books", "logins")],
            # The heartbeats and logins; errors are among the five of blue.
            {"alarms": 2, METRICS: 3, APPLICATIONS: 10, REQUESTS: 2},
        ),
        "one metric of an application, by its name": (
            [probes({**SENT, "statsd": {**STATSD, "metrics": ["errors"]}}, "blue")],
            {METRICS: 1, APPLICATIONS: 1, REQUESTS: 1},
        ),
        "metrics of an application with another version of the probe": (
            [probes({**SENT, "statsd": {"metrics": [], "other": 1}}, "blue")],
            {METRICS: 1, REQUESTS: 1},
        ),
        "nothing": ([], {}),
        "what costs nothing": ([resource("SNS::Topic")], {}),
        "alarm on a metric of AWS": ([alarm("AWS/EC2")], {"alarms": 1}),
        "alarm on a custom metric": ([alarm("Books")], {"alarms": 1, METRICS: 1}),
        "namespace that begins alike": ([alarm("AWSome")], {"alarms": 1, METRICS: 1}),
        "two alarms on one metric": (
            [alarm("Books"), alarm("Books", Threshold=2)],
            {"alarms": 2, METRICS: 1},
        ),
        "metrics of other names and dimensions": (
            [alarm("Books"), alarm("Books", "cdn-connectivity"), alarm("Books", Dimensions=[])],
            {"alarms": 3, METRICS: 3},
        ),
        "key": ([resource("KMS::Key")], {KEYS: 1}),
        "alarm on a drill's cadence": (
            [alarm("Books", "drill-days-since-passed")],
            {"alarms": 1, DAILY_METRICS: 2},
        ),
        "faults": (
            [fault(startInstancesAfterDuration="PT10M"), fault(duration="PT5M"), fault(), fault()],
            {FAULT_MINUTES: 15},
        ),
        "dashboard": ([resource("CloudWatch::Dashboard")], {DASHBOARDS: 1}),
        "probes": ([association("tag:Name", "blue", "green")], {REQUESTS: 2}),
        "probe by id": ([association("InstanceIds", "i-1")], {REQUESTS: 1}),
        "metrics that no alarm watches": (
            [probes(CONFIGURATION, "blue", "green")],
            {REQUESTS: 2, METRICS: 10},
        ),
        "metrics that some alarms watch": (
            [probes(CONFIGURATION, "blue"), alarm("Books"), alarm("Books", "db-latency")],
            {REQUESTS: 1, METRICS: 5, "alarms": 2},
        ),
        "peers": (
            [probes({"namespace": "Books", "peers": {"blue": {}, "green": {}}}, "blue", "green")],
            {REQUESTS: 2, METRICS: 4},
        ),
        "CloudWatch agents": (
            [
                association(
                    "tag:Name", "blue", "green", Parameter="AmazonCloudWatch-a", Digest="0"
                ),
                alarm("CWAgent", "mem_used_percent"),
                alarm("Books"),
            ],
            {"alarms": 2, METRICS: 1, AGENT_METRICS: 1, AGENT_REQUESTS: 2},
        ),
        "configuration of another form": ([probes([], "blue")], {REQUESTS: 1}),
        "probes of an unknown number": ([association("tag:Fleet", "web")], {}),
        "probe taken away": ([association("tag:Name", "blue", Action="Uninstall")], {}),
        "association of something else": ([resource("SSM::Association")], {}),
        "check on an alarm": ([health_check("CLOUDWATCH_METRIC")], {ASSUMED: 1}),
        "calculated check": ([health_check("CALCULATED")], {ASSUMED: 1}),
        "HTTP": ([health_check("HTTP")], {ENDPOINTS: 1}),
        "TCP": ([health_check("TCP", RequestInterval=30)], {ENDPOINTS: 1}),
        "HTTPS": ([health_check("HTTPS")], {ENDPOINTS: 1, OPTIONS: 1}),
        "text search": ([health_check("HTTP_STR_MATCH")], {ENDPOINTS: 1, OPTIONS: 1}),
        "every option": (
            [health_check("HTTPS_STR_MATCH", RequestInterval=10)],
            {ENDPOINTS: 1, OPTIONS: 3},
        ),
    },
)
def test_what_is_paid_for_is_counted(resources: list[Resource], counts: dict[str, int]) -> None:
    assert {item.what: item.count for item in monthly_costs([stack(*resources)])} == counts


@cases(
    ("other", "paid"),
    {
        "in two accounts": (stack(alarm("Books"), account="111111111111"), 2),
        "in two stacks of an account": (stack(alarm("Books"), name="other"), 1),
    },
)
def test_one_metric_is_paid_once_in_an_account(other: SynthesizedStack, paid: int) -> None:
    items = monthly_costs([stack(alarm("Books")), other])
    assert {item.what: item.count for item in items} == {"alarms": 2, METRICS: paid}


def test_a_line_costs_its_count_times_its_price() -> None:
    assert CostItem("alarms", 3, Decimal("0.10")).monthly == Decimal("0.30")


def test_prices_are_the_documented_ones() -> None:
    everything = stack(
        alarm("Books"),
        association("tag:Name", "blue"),
        alarm("Books", "drill-days-since-passed"),
        fault(duration="PT5M"),
        resource("CloudWatch::Dashboard"),
        resource("KMS::Key"),
        health_check("CALCULATED"),
        health_check("HTTPS"),
    )
    assert {item.what: str(item.each) for item in monthly_costs([everything])} == {
        "alarms": "0.10",
        METRICS: "0.30",
        REQUESTS: "0.438",
        DAILY_METRICS: "0.0125",
        FAULT_MINUTES: "0.10",
        DASHBOARDS: "3.00",
        KEYS: "1.00",
        ASSUMED: "0.50",
        ENDPOINTS: "0.75",
        OPTIONS: "2.00",
    }


def stack_of(template: Template) -> SynthesizedStack:
    return SynthesizedStack("x", "532151327118", "us-west-2", template)


def test_the_example_costs_what_its_resources_cost(
    example_templates: Mapping[str, Template],
) -> None:
    items = monthly_costs(stack_of(template) for template in example_templates.values())
    assert {item.what: item.count for item in items} == {
        "alarms": 13,
        METRICS: 7,
        REQUESTS: 2,
        DAILY_METRICS: 6,
        FAULT_MINUTES: 24,
        DASHBOARDS: 1,
        KEYS: 2,
        ASSUMED: 1,
    }


@cases(
    ("schedule", "minutes"),
    {
        "monthly": ("cron(0 10 ? * TUE#1 *)", 10),
        "weekly: 4.35 runs a month": ("cron(0 10 ? * TUE *)", 44),
        "daily": ("cron(0 10 ? * * *)", 305),
        "by a rate": ("rate(7 days)", 44),
        "not a drill's schedule": ("at(2026-01-01T00:00:00)", 10),
    },
)
def test_faults_cost_as_often_as_their_drill_runs(schedule: str, minutes: int) -> None:
    template = {
        "Resources": {
            "Machine": resource("StepFunctions::StateMachine", StateMachineName="drill-a"),
            "Fault": fault("drill-a", duration="PT10M"),
            "Schedule": resource(
                "Scheduler::Schedule",
                ScheduleExpression=schedule,
                Target={"Input": {"Fn::Join": ["", [{"Fn::GetAtt": ["Machine", "Arn"]}]]}},
            ),
        }
    }
    (item,) = monthly_costs([stack_of(template)])
    assert (item.what, item.count) == (FAULT_MINUTES, minutes)


def test_the_summary_shows_what_dry_runs_cost_apart() -> None:
    lines = summary_of(stack(alarm("AWS/EC2"), fault(duration="PT10M"))).splitlines()
    (total,) = [at for at, line in enumerate(lines) if "Total" in line]
    assert lines[total].split()[-2] == "1.10"
    assert "while the drills are dry runs" in lines[total + 1]
    assert lines[total + 1].split()[-2] == "0.10"


def summary_of(*stacks: SynthesizedStack) -> str:
    text = StringIO()
    print_summary(stacks, Console(file=text, width=100, color_system=None))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def test_the_summary_shows_stacks_costs_and_what_to_do_next() -> None:
    topics = stack(resource("SNS::Topic"), resource("KMS::Key"), name="topics")
    site = stack(alarm("AWS/EC2"), alarm("Books"), health_check("CLOUDWATCH_METRIC"))
    assert summary_of(topics, site) == EXPECTED.strip("\n")


EXPECTED = """
What would be deployed
┏━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ Stack        ┃ Where        ┃ Resources              ┃
┡━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━┩
│ topics       │ 532151327118 │ 2 in all               │
│              │ us-west-2    │ 1 KMS::Key             │
│              │              │ 1 SNS::Topic           │
├──────────────┼──────────────┼────────────────────────┤
│ site         │ 532151327118 │ 3 in all               │
│ after topics │ us-west-2    │ 2 CloudWatch::Alarm    │
│              │              │ 1 Route53::HealthCheck │
└──────────────┴──────────────┴────────────────────────┘
Estimated monthly cost (US dollars, list prices; verify before relying on it)
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━┳━━━━━━┳━━━━━━━┓
┃ For                                                             ┃ Count ┃ Each ┃ Month ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━╇━━━━━━╇━━━━━━━┩
│ alarms                                                          │     2 │ 0.10 │  0.20 │
│ custom metrics of probes, and one of all drills of a service    │     1 │ 0.30 │  0.30 │
│ KMS keys ($1 more after each of the first two yearly rotations) │     1 │ 1.00 │  1.00 │
│ health checks on alarms or calculated (price assumed)           │     1 │ 0.50 │  0.50 │
├─────────────────────────────────────────────────────────────────┼───────┼──────┼───────┤
│ Total                                                           │       │      │  2.00 │
└─────────────────────────────────────────────────────────────────┴───────┴──────┴───────┘
No warnings.

Nothing was deployed. With credentials, activate the environment and go on:
  . .venv/bin/activate
  npx cdk diff
  npx cdk deploy --all --method prepare-change-set   (docs/reviewing-change-sets.md)
"""


def test_the_summary_shows_warnings_as_they_are() -> None:
    message = summary_of(stack(warnings="failover_on: [db] is slow\nhosts[0]: [/red] and more"))
    assert "warning site: failover_on: [db] is slow\n" in message
    assert "warning site: hosts[0]: [/red] and more\n" in message
    assert "No warnings." not in message


def test_a_long_warning_stays_on_one_line() -> None:
    assert f"warning site: {'word ' * 40}" in summary_of(stack(warnings="word " * 40 + "end"))


def test_names_are_shown_as_they_are() -> None:
    assert "[bold]site" in summary_of(stack(name="[bold]site"))
