"""`resiliency status`: each thing that can be wrong is a finding, and says what to do."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from resiliency import cli
from resiliency.account import account
from resiliency.account.readers import COPIED_SETTINGS
from tests import journals
from tests.fake_aws import plans
from tests.fake_aws.command import GROUP, NOW, SharedSession
from tests.fake_aws.simulation import ApiError
from tests.resiliency.conftest import Resiliency
from tests.resiliency.status.conftest import findings
from tests.resiliency.status.deployment import ASSOCIATION, Deployment

pytestmark = pytest.mark.slow

DAY = 86_400.0
CHECK = "b2c1e5a0-0000-4000-8000-000000000001"
ON_ALARM = f"{CHECK} on {plans.STATUS_ALARM}"
BLUE, GREEN = plans.INSTANCE, "i-0123456789abcdef0"


def _script(**changes: object) -> Callable[[Deployment], None]:
    def edit(made: Deployment) -> None:
        for key, value in changes.items():
            setattr(made.account.service.script, key, value)

    return edit


def _stale(made: Deployment) -> None:
    made.alarms[plans.STATUS_ALARM]["Threshold"] = 2.0
    made.alarms[plans.STATUS_ALARM]["Dimensions"] = [{"Name": "InstanceId", "Value": GREEN}]


def _calculated(made: Deployment) -> None:
    child = made.checks[CHECK]
    made.checks["sum"] = {
        "Id": "sum",
        "CallerReference": "sum",
        "HealthCheckVersion": 1,
        "HealthCheckConfig": {
            "Type": "CALCULATED",
            "ChildHealthChecks": [CHECK, "gone"],
            "HealthThreshold": 1,
            "Inverted": True,
        },
    }
    made.checks[CHECK] = {
        **child,
        "HealthCheckConfig": {**child["HealthCheckConfig"], "Disabled": True},
    }
    made.health |= {"sum": 1.0}
    made.records[0]["HealthCheckId"] = "sum"


def _endpoint(made: Deployment) -> None:
    made.checks[CHECK] = {
        "Id": CHECK,
        "CallerReference": "x",
        "HealthCheckVersion": 1,
        "HealthCheckConfig": {
            "Type": "HTTP",
            "IPAddress": plans.BLUE_ADDRESS,
            "ResourcePath": "/version/",
        },
    }
    made.observers = ["Success: HTTP Status Code 200, OK", "Failure: Connection timed out"]
    made.health[CHECK] = 0.0


def _unconfirmed(made: Deployment) -> None:
    pending = {
        "SubscriptionArn": "PendingConfirmation",
        "Protocol": "email",
        "TopicArn": made.topic,
        "Endpoint": "ops@example.com",
        "Owner": "123456789012",
    }
    made.account.answers["sns", "ListSubscriptionsByTopic"] = lambda _: {"Subscriptions": [pending]}


def _late_drill(made: Deployment) -> None:
    run = {**journals.run_of(journals.LATE, injected_at=NOW - DAY), "experiment": "shutdown"}
    made.account.record(run, "run-1")


def _switched_off(made: Deployment) -> None:
    scheduler = made.account.client("scheduler")
    old = scheduler.get_schedule(Name="Schedule-shutdown", GroupName=GROUP)
    keys = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{key: old[key] for key in keys}, State="DISABLED")


def _old_pass(made: Deployment) -> None:
    run = {**journals.run_of(journals.STOPPED, injected_at=NOW - 40 * DAY)}
    made.account.record({**run, "experiment": "shutdown"}, "run-0")


def _tight(made: Deployment) -> None:
    made.templates[made.stack("failover")]["Metadata"]["RecoveryTimeSeconds"] = 60


def _alarm(**changes: object) -> Callable[[Deployment], None]:
    return lambda made: made.alarms[plans.DB_ALARM].update(changes)


def _association(**changes: object) -> Callable[[Deployment], None]:
    return lambda made: made.associations[BLUE].update(changes)


def _value(role: int, address: str) -> Callable[[Deployment], None]:
    def edit(made: Deployment) -> None:
        made.records[role]["ResourceRecords"] = [{"Value": address}]

    return edit


def _other_resolver(made: Deployment) -> None:
    answer = {
        "Nameserver": "ns",
        "RecordName": plans.RECORD,
        "RecordType": "A",
        "RecordData": [plans.BLUE_ADDRESS],
        "ResponseCode": "NOERROR",
        "Protocol": "UDP",
    }
    made.account.answers["route53", "TestDNSAnswer"] = lambda _: answer
    made.account.service.script.dns = (plans.GREEN_ADDRESS,)


def _with_the_cloudwatch_agent(made: Deployment) -> None:
    made.stacks["bookstore-production-cloudwatch-agent"] = [
        ("Association", "AWS::SSM::Association", "agents-association")
    ]


TABLE: dict[str, tuple[Callable[[Deployment], Any], list[str]]] = {
    "clients on the standby": (
        _script(dns=(plans.GREEN_ADDRESS,)),
        [
            f"who is served: clients of {plans.RECORD} are sent to {plans.GREEN}, the standby",
        ],
    ),
    "an address of neither host": (
        _script(dns=("192.0.2.7",)),
        [
            f"who is served: Route 53 answers 192.0.2.7 for {plans.RECORD}, the address of neither",
            f"who is served: clients of {plans.RECORD} get no answer from 192.0.2.7: no whole",
        ],
    ),
    "a resolver that answers something else": (
        _other_resolver,
        [
            f"who is served: this machine resolves {plans.RECORD} to {plans.GREEN_ADDRESS}, Route "
            f"53 answers {plans.BLUE_ADDRESS}",
        ],
    ),
    "a host with the name of the other": (
        lambda made: setattr(made.account.service, "ask", lambda *_: plans.GREEN),
        [
            f"who is served: '{plans.GREEN}' answers at {plans.BLUE_ADDRESS}, the address of "
            f"{plans.BLUE}",
        ],
    ),
    "no answer of the host": (
        _script(active_answers=False),
        [f"who is served: clients of {plans.RECORD} get no answer from {plans.BLUE_ADDRESS}:"],
    ),
    "a record that does not exist": (
        lambda made: made.records.pop(),
        [f"records: there is no record {plans.RECORD} A SECONDARY"],
    ),
    "an edited value": (
        _value(1, "192.0.2.9"),
        [f"records: {plans.RECORD} A SECONDARY has 192.0.2.9; {plans.GREEN_ADDRESS} was deployed"],
    ),
    "a record without its health check": (
        lambda made: made.records[0].pop("HealthCheckId"),
        [f"records: {plans.RECORD} A PRIMARY has no health check, so clients are never sent"],
    ),
    "a calculated check of somebody else": (
        _calculated,
        [
            f"records: {plans.RECORD} A PRIMARY follows the health check sum, which the stack",
            f"health checks: the health check gone of {plans.RECORD} PRIMARY does not exist",
            "health checks: health check sum calculated from 2 is inverted: it counts as healthy",
            f"health checks: health check {ON_ALARM} is disabled: Route 53 counts it as healthy",
        ],
    ),
    "an unhealthy check": (
        lambda made: made.health.update({CHECK: 0.0}),
        [f"health checks: health check {ON_ALARM} is unhealthy"],
    ),
    "an unhealthy endpoint": (
        _endpoint,
        [
            f"health checks: health check {CHECK} on HTTP {plans.BLUE_ADDRESS}/version/ is "
            "unhealthy (1 of 2 health checkers get an answer; others: Failure: Connection timed",
        ],
    ),
    "a stale copy": (
        _stale,
        [
            f"health checks: health check {CHECK} no longer follows its alarm "
            f'{plans.STATUS_ALARM}: it has Dimensions [["InstanceId", "{BLUE}"]] where the alarm '
            f'has [["InstanceId", "{GREEN}"]]; Threshold 1.0 where the alarm has 2.0',
        ],
    ),
    "an alarm that was deleted": (
        lambda made: made.alarms.pop(plans.STATUS_ALARM),
        [
            f"health checks: the alarm {plans.STATUS_ALARM} in us-west-2, from which health check",
            f"alarms: the alarm {plans.STATUS_ALARM} does not exist",
        ],
    ),
    "an alarm that is on": (
        _alarm(StateValue="ALARM", StateReason="3 datapoints"),
        [f"alarms: {plans.DB_ALARM} is in ALARM since 2026-09-04 19:30 UTC: 3 datapoints"],
    ),
    "an alarm without data": (
        _alarm(StateValue="INSUFFICIENT_DATA"),
        [f"alarms: {plans.DB_ALARM} is in INSUFFICIENT_DATA"],
    ),
    "an alarm that is switched off": (
        _alarm(ActionsEnabled=False),
        [f"alarms: {plans.DB_ALARM} is switched off, so nobody is notified"],
    ),
    "an alarm without actions": (
        _alarm(AlarmActions=[]),
        [f"alarms: {plans.DB_ALARM} has no actions, so nobody is notified"],
    ),
    "a topic whose subscriber did not confirm": (
        _unconfirmed,
        [
            "topics: no subscriber of arn:aws:sns:us-west-2:123456789012:PingPublicationsSNS has "
            "confirmed, so alarms reach nobody (1 asked)",
        ],
    ),
    "a topic that was deleted": (
        lambda made: made.account.client("sns").delete_topic(TopicArn=made.topic),
        ["topics: the topic arn:aws:sns:us-west-2:123456789012:PingPublicationsSNS does not exist"],
    ),
    "a silent probe": (
        lambda made: made.beats.update({plans.BLUE: 200.0, plans.GREEN: None}),
        [
            f"agents: the probe of {plans.BLUE} has been silent for 200 s",
            f"agents: the probe of {plans.GREEN} has been silent for over 15 minutes",
        ],
    ),
    "two instances of a name": (
        lambda made: made.instances.update({"i-2": plans.BLUE}),
        [f"agents: 2 instances have the Name tag {plans.BLUE}; the probe goes to all of them"],
    ),
    "no instance of a name": (
        lambda made: made.instances.pop(BLUE),
        [f"agents: 0 instances have the Name tag {plans.BLUE}"],
    ),
    "an agent of Systems Manager that is lost": (
        lambda made: made.pings.update({BLUE: "ConnectionLost"}),
        [f"agents: Systems Manager's agent on {plans.BLUE} ({BLUE}) is ConnectionLost"],
    ),
    "an instance that Systems Manager does not know": (
        lambda made: (made.pings.pop(BLUE), made.associations.pop(BLUE)),
        [
            f"agents: Systems Manager's agent on {plans.BLUE} ({BLUE}) is unknown to Systems",
            f"agents: the probe's association on {plans.BLUE} ({BLUE}): never ran",
        ],
    ),
    "an association that failed": (
        _association(Status="Failed", ExecutionSummary="1 out of 4 plugins processed"),
        [
            f"agents: the probe's association on {plans.BLUE} ({BLUE}): Failed, 1 out of 4 plugins "
            "processed",
        ],
    ),
    "an association of an older version": (
        _association(AssociationVersion="2"),
        [f"agents: {plans.BLUE} ({BLUE}) has version 2 of the probe's association, 3 is deployed"],
    ),
    "a CloudWatch agent that was never installed": (
        _with_the_cloudwatch_agent,
        [
            f"agents: the CloudWatch agent's association on {name} ({instance}): never ran"
            for name, instance in ((plans.BLUE, BLUE), (plans.GREEN, GREEN))
        ],
    ),
    "a drill that failed": (_late_drill, ["drills: drill shutdown failed on 2026-11-02"]),
    "a drill that is overdue": (_old_pass, ["drills: drill shutdown has not passed for 39 days"]),
    "a schedule that is switched off": (
        _switched_off,
        ["drills: drill shutdown switched off: cron(0 10 ? * TUE#1 *)"],
    ),
    "a stack that failed": (
        lambda made: made.status.update({made.stack("probe"): "UPDATE_ROLLBACK_FAILED"}),
        ["stacks: bookstore-production-probe is in UPDATE_ROLLBACK_FAILED"],
    ),
    "an objective that is missed": (
        _tight,
        [
            f"objective: {plans.RECORD} A: host stopped: 95 of 100 within",
            f"objective: {plans.RECORD} A: host impaired: 95 of 100 within",
        ],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_is_wrong_is_found_and_nothing_else(
    name: str, made: Deployment, status: Resiliency
) -> None:
    edit, expected = TABLE[name]
    edit(made)
    document = json.loads(status("--json", status=1).out)
    found = findings(document)
    assert len(found) == len(expected), found
    for each, start in zip(found, expected, strict=True):
        assert each.startswith(start), each
    assert all(each["mend"] for each in document["findings"])
    assert document["not_asked"] == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({}, []),
        (
            {"dns": (plans.GREEN_ADDRESS,)},
            [f"clients of {plans.RECORD} are sent to {plans.GREEN}, the standby"],
        ),
        (
            {"dns": ("192.0.2.7",)},
            [
                f"the resolver of the VPC answers 192.0.2.7 for {plans.RECORD}, the address of "
                "neither host",
                f"clients of {plans.RECORD} get no answer: 192.0.2.7: no whole answer within 4 s",
            ],
        ),
        (
            {"active_answers": False},
            [
                f"clients of {plans.RECORD} get no answer: {plans.BLUE_ADDRESS}: no whole answer "
                "within 4 s"
            ],
        ),
    ],
)
def test_clients_of_private_hosts_are_observed_in_their_vpc(
    made: Deployment, status: Resiliency, script: dict[str, Any], expected: list[str]
) -> None:
    made.account.deploy(replace(plans.IN_VPC, drill="private"), "rate(1 day)")
    _script(**script)(made)
    printed = status("--json", status=1 if expected else 0)
    found = [each for each in findings(json.loads(printed.out)) if "served" in each]
    assert found == [f"who is served: {each}" for each in expected]
    assert ("route53", "TestDNSAnswer") not in made.account.calls


def _alias(made: Deployment) -> None:
    """Both records become aliases of load balancers."""
    resources = made.templates[made.stack("failover")]["Resources"].values()
    pair = [each["Properties"] for each in resources if each["Type"] == "AWS::Route53::RecordSet"]
    for properties, record, color in zip(pair, made.records, ("blue", "green"), strict=True):
        name = f"{color}.us-west-2.elb.amazonaws.com"
        target = {"HostedZoneId": "Z1H1FL5HABSF5", "EvaluateTargetHealth": True}
        for each in (properties, record):
            for key in ("ResourceRecords", "TTL"):
                each.pop(key)
        properties["AliasTarget"] = {**target, "DNSName": f"dualstack.{name}"}
        record["AliasTarget"] = {**target, "DNSName": f"dualstack.{name}."}
    made.templates[made.stack("failover")]["Metadata"]["Hosts"] = {
        plans.BLUE: ["dualstack.blue.us-west-2.elb.amazonaws.com"],
        plans.GREEN: ["dualstack.green.us-west-2.elb.amazonaws.com"],
    }
    addresses = {"dualstack.blue": plans.BLUE_ADDRESS, "dualstack.green": plans.GREEN_ADDRESS}
    real = made.account.service.resolve

    def resolve(name: str) -> Sequence[str]:
        own = [each for start, each in addresses.items() if name.startswith(start)]
        return own or real(name)

    made.account.service.resolve = resolve  # type: ignore[method-assign]


def test_an_alias_is_the_host_behind_its_load_balancer(
    made: Deployment, status: Resiliency
) -> None:
    _alias(made)
    rows = json.loads(status("--json").out)["sections"][0]["rows"]
    assert [each["state"] for each in rows] == [plans.BLUE, "", plans.BLUE]
    made.account.service.script.dns = (plans.GREEN_ADDRESS,)
    (found,) = findings(json.loads(status("--json", status=1).out))
    assert found.startswith(f"who is served: clients of {plans.RECORD} are sent to {plans.GREEN}")


def test_drift_is_looked_for_on_request(made: Deployment, status: Resiliency) -> None:
    detect = ("cloudformation", "DetectStackDrift")
    status()
    assert detect not in made.account.calls
    made.drifted[made.stack("failover")] = [
        {
            "StackId": "arn",
            "LogicalResourceId": "Alarm",
            "PhysicalResourceId": plans.STATUS_ALARM,
            "ResourceType": "AWS::CloudWatch::Alarm",
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [
                {
                    "PropertyPath": "/Threshold",
                    "ExpectedValue": "1",
                    "ActualValue": "2",
                    "DifferenceType": "NOT_EQUAL",
                }
            ],
            "Timestamp": made.alarms[plans.STATUS_ALARM]["StateUpdatedTimestamp"],
        }
    ]
    deleted = {**made.drifted[made.stack("failover")][0], "StackResourceDriftStatus": "DELETED"}
    del deleted["PropertyDifferences"]
    made.drifted[made.stack("failover")].append({**deleted, "PhysicalResourceId": plans.DB_ALARM})
    found, gone = findings(json.loads(status("--drift", "--json", status=1).out))
    assert found == (
        f"drift: {plans.STATUS_ALARM} of bookstore-production-failover was modified outside "
        "CloudFormation: /Threshold is 2, 1 was deployed"
    )
    assert gone == (
        f"drift: {plans.DB_ALARM} of bookstore-production-failover was deleted outside "
        "CloudFormation"
    )


def test_a_detection_of_drift_that_fails_or_never_ends_is_said(
    made: Deployment, status: Resiliency
) -> None:
    made.detection = "DETECTION_IN_PROGRESS"
    not_asked = json.loads(status("--drift", "--json", status=3).out)["not_asked"]
    assert not_asked[0] == "drift of bookstore-production-failover: it takes too long"
    assert len(not_asked) == 4


def test_a_part_that_can_not_be_asked_leaves_the_others(
    made: Deployment, status: Resiliency
) -> None:
    made.account.refuse("ssm", "DescribeAssociation", ApiError("AccessDeniedException"))
    made.account.put("journals/shutdown/run-1.json", "{")
    out = status(status=3).out
    assert "All is well" not in out
    assert (
        "? could not be asked: arn:aws:sts::123456789012:user/moto may not ssm:DescribeAss" in out
    )
    assert "docs/status.md has the policy that it needs" in out
    assert "run-1.json: is not JSON" in out
    assert "bookstore-production-clients-on-standby" in out


def test_the_cloudwatch_agent_may_be_there_without_a_probe(
    made: Deployment, status: Resiliency
) -> None:
    _with_the_cloudwatch_agent(made)
    del made.stacks[made.stack("probe")]
    for instance in made.instances:
        made.associations[instance]["AssociationId"] = "agents-association"
    made.instances.popitem()
    document = json.loads(status("--json", status=1).out)
    assert [each for each in findings(document) if each.startswith("agents")] == [
        f"agents: 0 instances have the Name tag {plans.GREEN}; the CloudWatch agent goes to all of "
        "them"
    ]
    (rows,) = (each["rows"] for each in document["sections"] if each["title"] == "agents")
    assert rows[0]["name"] == "no probe"
    assert rows[1]["text"].startswith("CloudWatch agent, ")


def test_without_drills_and_probe_it_says_so(made: Deployment, status: Resiliency) -> None:
    del made.stacks[made.stack("drills")], made.stacks[made.stack("probe")]
    sections = json.loads(status("--json").out)["sections"]
    rows = {each["title"]: each["rows"] for each in sections}
    assert rows["drills"][0]["name"] == "no drills"
    assert rows["agents"][0]["name"] == "no probe"


@pytest.mark.parametrize(
    ("region", "of_health_checks"), [("us-west-2", "us-east-1"), ("us-gov-east-1", "us-gov-west-1")]
)
def test_health_checks_are_read_in_the_region_of_their_partition(
    made: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    region: str,
    of_health_checks: str,
) -> None:
    asked = []

    def session(profile: str | None, region: str | None) -> SharedSession:
        asked.append(region)
        return SharedSession(region)

    monkeypatch.setattr(account, "session", session)
    cli.main(["status", "bookstore", "production", "--region", region])
    assert asked[:2] == [region, of_health_checks]


def test_what_is_not_deployed_can_not_be_asked(made: Deployment, status: Resiliency) -> None:
    made.stacks.clear()
    assert status(status=3).err.startswith("no stack bookstore-production-failover in account")


def test_the_eight_settings_are_those_of_route_53(made: Deployment) -> None:
    shape = made.account.client("route53").meta.service_model.shape_for(
        "CloudWatchAlarmConfiguration"
    )
    assert set(shape.members) == set(COPIED_SETTINGS)
    assert ASSOCIATION in {each["AssociationId"] for each in made.associations.values()}
