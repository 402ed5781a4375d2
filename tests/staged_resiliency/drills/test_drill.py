"""Drills that can't be written, and those that can."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2

from staged_resiliency import (
    AlarmFires,
    AlarmRecovers,
    BlackholeDependency,
    BlackholePort,
    ClientsMove,
    DegradeDependency,
    Drill,
    DrillGroup,
    DrillHost,
    DrillNetwork,
    DrillSchedule,
    DrillTarget,
    DrillWindow,
    ServiceDashboard,
    StopInstance,
)
from staged_resiliency.drills.experiment import FaultExperiment
from tests.cases import cases
from tests.staged_resiliency.support import (
    HERE,
    INSTANCE_ID,
    TOPIC_ARN,
    ZONE_ID,
    an_alarm,
    an_instance,
    refused,
    synthesized,
    text_parameter,
)
from tests.support import only, resources_of

BLUE, GREEN = "shop-blue", "shop-green"
STATUS = f"{BLUE}-StatusCheckFailed"
GUARD = f"{GREEN}-StatusCheckFailed"
MACHINE = "AWS::StepFunctions::StateMachine"
SUBNET, SECURITY_GROUP = "subnet-0ab55a49288f1da24", "sg-0123456789abcdef0"


def wrongly(value: object) -> Any:
    """A value of a type that a type checker would refuse."""
    return value


def a_service(**changes: Any) -> DrillTarget:
    """A service, with fields changed."""
    usual: dict[str, Any] = {
        "name": "shop",
        "environment": "production",
        "namespace": "Shop",
        "active": DrillHost(BLUE, "192.0.2.1", instance=INSTANCE_ID),
        "standby": DrillHost(GREEN, "192.0.2.2"),
        "record_name": "shop.example.com",
        "hosted_zone_id": ZONE_ID,
        "alarms": [STATUS, GUARD],
        "objective_seconds": 360,
    }
    return DrillTarget(**{**usual, **changes})


def a_stop(**changes: Any) -> StopInstance:
    """A fault, with fields changed."""
    return StopInstance(
        **{"host_name": BLUE, "instance": INSTANCE_ID, "duration_minutes": 10, **changes}
    )


def a_drill(stack: Stack, group: DrillGroup | None = None, **changes: Any) -> Drill:
    """A drill, with arguments changed."""
    usual: dict[str, Any] = {
        "name": "shutdown",
        "fault": a_stop(),
        "guards": [GUARD],
        "hypothesis": [
            ClientsMove("shop.example.com", GREEN),
            AlarmFires(STATUS, 360),
            AlarmRecovers(STATUS, 680),
        ],
        "schedule": DrillSchedule("cron(0 10 ? * TUE#1 *)"),
    }
    given = {**usual, **changes}
    group = group or a_group(stack)
    return Drill(stack, f"Drill-{given['name']}", group=group, **given)


def a_group(stack: Stack, **changes: Any) -> DrillGroup:
    """A group of drills, with arguments changed."""
    usual: dict[str, Any] = {"service": a_service(), "topic": TOPIC_ARN}
    return DrillGroup(stack, "Drills", **{**usual, **changes})


@pytest.fixture(scope="module")
def shared() -> DrillGroup:
    """A group that refused drills may name; making one takes a while."""
    return a_group(Stack())


@cases(
    ("changes", "message"),
    {
        "no guard": (
            {"guards": []},
            "Drill: guards: no alarm would stop the fault; give one that shows whether the "
            "other host is healthy, such as its status alarm",
        ),
        "its own alarm as guard": (
            {"guards": [GUARD, STATUS]},
            f"Drill: guards: '{STATUS}' is expected to fire during the fault, so it "
            "would stop the fault; give an alarm of the other host",
        ),
        "too many guards": (
            {"guards": [f"guard-{number}" for number in range(6)]},
            "Drill: guards: 6 are given; AWS FIS takes at most 5",
        ),
        "guard twice": (
            {"guards": [GUARD, GUARD]},
            f"Drill: guards: {GUARD!r} is a duplicate; name each alarm once",
        ),
        "guard without a name": (
            {"guards": [""]},
            "Drill: guards: '' is not an alarm name (printable ASCII)",
        ),
        "no hypothesis": (
            {"hypothesis": []},
            "Drill: hypothesis: a drill that expects nothing can't fail; give at least one "
            "expectation, such as ClientsMove",
        ),
        "too seldom": (
            {"schedule": DrillSchedule("cron(0 10 ? * TUE#5 *)")},
            "Drill: schedule: 'cron(0 10 ? * TUE#5 *)' leaves up to 119 days between two runs; at "
            "most 35 are allowed",
        ),
        "host of another service": (
            {"fault": a_stop(host_name="shop-red")},
            "Drill: fault: 'shop-red' is no host of the service; allowed: shop-blue, shop-green",
        ),
        "another instance": (
            {"fault": a_stop(instance="i-0fedcba9876543210")},
            f"Drill: fault: shop-blue has instance {INSTANCE_ID} in the service, and "
            "i-0fedcba9876543210 here; give the same",
        ),
        "host whose instance the service does not have": (
            {"fault": a_stop(host_name=GREEN)},
            f"Drill: fault: shop-green has instance none in the service, and {INSTANCE_ID} here; "
            "give the same",
        ),
        "outside the window's hours": (
            {"schedule": DrillSchedule("cron(0 18 ? * TUE#1 *)")},
            "Drill: schedule: 'cron(0 18 ? * TUE#1 *)' starts at 18:00, outside the window from "
            "09:00 to 17:00; its runs would be refused; change the schedule or the window",
        ),
        "outside the window's days": (
            {"schedule": DrillSchedule("cron(0 10 ? * * *)")},
            "Drill: schedule: 'cron(0 10 ? * * *)' also runs on SUN, SAT, outside the window on "
            "MON, TUE, WED, THU, FRI; these runs would be refused; change the schedule or the "
            "window",
        ),
        "a rate, with a window": (
            {"schedule": DrillSchedule("rate(7 days)")},
            "Drill: schedule: 'rate(7 days)' starts when it is deployed, which may be outside the "
            "window; give cron(...)",
        ),
        "fault shorter than the objective": (
            {"fault": a_stop(duration_minutes=5)},
            "Drill: fault: may end after 300 s, before clients of shop.example.com reach "
            "shop-green, which may take 360 s; give more duration_minutes",
        ),
        "fault shorter than an alarm": (
            {"fault": a_stop(duration_minutes=5), "hypothesis": [AlarmFires(STATUS, 301)]},
            "Drill: fault: may end after 300 s, before shop-blue-StatusCheckFailed fires, which "
            "may take 301 s; give more duration_minutes",
        ),
        "another record": (
            {"hypothesis": [ClientsMove("www.example.com", GREEN)]},
            "Drill: hypothesis: clients of www.example.com reach shop-green: 'www.example.com' is "
            "not the record of the service; give shop.example.com",
        ),
        "another host": (
            {"hypothesis": [ClientsMove("shop.example.com", "shop-red")]},
            "Drill: hypothesis: clients of shop.example.com reach shop-red: 'shop-red' is no host "
            "of the service; allowed: shop-blue, shop-green",
        ),
        "another alarm": (
            {"hypothesis": [AlarmFires("orders", 360)]},
            "Drill: hypothesis: orders fires: it is no alarm of the service, so it would not be "
            "observed; add it to DrillTarget(alarms=...)",
        ),
        "guards that are no list": (
            {"guards": "guard"},
            "Drill: guards: 'guard' is of type str; give a list",
        ),
        "expectation of a wrong type": (
            {"hypothesis": ["ClientsMove"]},
            "Drill: hypothesis: 'ClientsMove' is of type str; give expectations, such as "
            "ClientsMove(...)",
        ),
        "schedule of a wrong type": (
            {"schedule": "cron(0 10 ? * TUE#1 *)"},
            "Drill: schedule: 'cron(0 10 ? * TUE#1 *)' is of type str; give a DrillSchedule",
        ),
        "fault of a wrong type": (
            {"fault": "stop"},
            "Drill: fault: 'stop' is of type str; give a fault, such as StopInstance(...)",
        ),
        "guard of a wrong type": (
            {"guards": [7]},
            "Drill: guards: 7 is of type int; give an alarm or its name",
        ),
        "name": (
            {"name": "Shutdown"},
            "Drill: name: 'Shutdown' is not a name (lower-case letters, digits and single hyphens, "
            "a letter first, at most 40); give one like bookstore",
        ),
    },
)
def test_a_drill_that_is_unsafe_or_shows_nothing_can_not_be_written(
    changes: dict[str, Any], message: str, shared: DrillGroup
) -> None:
    with refused(message):
        a_drill(Stack(), shared, **changes)


def test_two_drills_of_a_service_have_two_names() -> None:
    stack = Stack()
    group = a_group(stack)
    a_drill(stack, group)
    with refused(
        "Drill: name: 'shutdown' is already the name of a drill of the service; give another one"
    ):
        Drill(
            stack,
            "Again",
            group=group,
            name="shutdown",
            fault=a_stop(),
            guards=[GUARD],
            hypothesis=[AlarmFires(STATUS, 360)],
            schedule=DrillSchedule("cron(0 10 ? * TUE#2 *)"),
        )


def test_a_name_too_long_for_a_state_machine_is_refused() -> None:
    stack = Stack()
    group = a_group(
        stack, service=a_service(name="a-shop-with-a-name-of-forty-letters", environment="staging")
    )
    name = "a-drill-with-a-name-of-forty-letters-too"
    with refused(
        f"Drill: name: the state machine 'a-shop-with-a-name-of-forty-letters-staging-drill-{name}'"
        " has 90 characters; at most 80 fit"
    ):
        a_drill(stack, group, name=name)


def test_an_experiment_alone_needs_a_guard_too(shared: DrillGroup) -> None:
    with refused(
        "FaultExperiment: guards: no alarm would stop the fault; give one that shows whether "
        "the other host is healthy, such as its status alarm"
    ):
        FaultExperiment(
            Stack(),
            "E",
            name="e",
            fault=a_stop(),
            guards=[],
            log_group_arn="arn:of:log:*",
            role_arn="arn:of:role",
            tags={},
        )


@pytest.mark.parametrize(
    ("minutes", "reason", "accepted"),
    [(21, None, True), (22, None, False), (22, "", False), (720, "Sessions last 12 h.", True)],
)
def test_a_fault_that_lasts_longer_than_needed_has_a_reason(
    minutes: int, reason: str | None, accepted: bool
) -> None:
    def build(stack: Stack) -> None:
        a_drill(stack, fault=a_stop(duration_minutes=minutes), duration_reason=reason)

    if accepted:
        (machine,) = resources_of(synthesized(build), MACHINE).values()
        assert machine["Metadata"]["Description"].endswith(
            f"injects nothing.{f' Its duration: {reason}' if reason else ''}"
        )
        return
    with refused(
        "Drill: fault: duration_minutes: 22 is more than the 21 that the drill may need; give "
        "less, or a duration_reason"
    ):
        build(Stack())


def test_the_time_limit_of_a_drill_is_the_objective_alone() -> None:
    moves = ClientsMove("shop.example.com", GREEN, 300)
    with refused(
        "Drill: hypothesis: ClientsMove: within_seconds: found 300; the time limit of a drill is "
        "the objective_seconds of its DrillTarget; leave it out here"
    ):
        a_drill(Stack(), hypothesis=[moves])


@cases(
    ("make", "message"),
    {
        "nothing": (
            lambda: a_stop(duration_minutes=0),
            "StopInstance: duration_minutes: 0 minutes is out of range; allowed: 1 to 720",
        ),
        "too long": (
            lambda: a_stop(duration_minutes=721),
            "StopInstance: duration_minutes: 721 minutes is out of range; allowed: 1 to 720",
        ),
        "no instance": (
            lambda: a_stop(instance="shop-blue"),
            "StopInstance: instance: 'shop-blue' is not an EC2 instance id; give one like "
            "i-0ab55a49288f1da24",
        ),
        "key by its alias": (
            lambda: a_group(Stack(), volume_keys=["alias/shop"]),
            "DrillGroup: volume_keys: 'alias/shop' is not the ARN of a KMS key; give one like "
            "arn:aws:kms:us-west-2:532151327118:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ),
        "no port": (
            lambda: BlackholePort(BLUE, INSTANCE_ID, 5, destination_port=0),
            "BlackholePort: destination_port: 0 is not a TCP port; allowed: 1 to 65535",
        ),
        "DNS": (
            lambda: BlackholePort(BLUE, INSTANCE_ID, 5, destination_port=53),
            "BlackholePort: destination_port: 53 is DNS, without which the host resolves no names, "
            "not even those of AWS; give the port of a dependency",
        ),
        "neither delay nor loss": (
            lambda: DegradeDependency(BLUE, INSTANCE_ID, 5, "db.example.com"),
            "DegradeDependency: give either delay_milliseconds or loss_percent, one of them",
        ),
        "delay and loss": (
            lambda: DegradeDependency(BLUE, INSTANCE_ID, 5, "db.example.com", 9, 0, 9),
            "DegradeDependency: give either delay_milliseconds or loss_percent, one of them",
        ),
        "long delay": (
            lambda: DegradeDependency(BLUE, INSTANCE_ID, 5, "db.example.com", 60_001),
            "DegradeDependency: delay_milliseconds: 60001 is out of range; allowed: 1 to 60000",
        ),
        "more jitter than delay": (
            lambda: DegradeDependency(BLUE, INSTANCE_ID, 5, "db.example.com", 100, 101),
            "DegradeDependency: jitter_milliseconds: 101 is out of range; at most the delay, 100, "
            "is allowed",
        ),
        "loss of everything": (
            lambda: DegradeDependency(BLUE, INSTANCE_ID, 5, "db.example.com", loss_percent=100),
            "DegradeDependency: loss_percent: 100 is out of range; allowed: 1 to 99",
        ),
        "blackhole of an IPv6 address": (
            lambda: BlackholeDependency(BLUE, INSTANCE_ID, 5, "2600:1f14::5"),
            "BlackholeDependency: destination: '2600:1f14::5' is an IPv6 address, and AWS FIS "
            "takes IPv4 addresses and names only; give one of these",
        ),
        "blackhole of a name with a port": (
            lambda: BlackholeDependency(BLUE, INSTANCE_ID, 5, "db.example.com:5432"),
            "BlackholeDependency: destination: 'db.example.com:5432' is neither a DNS name nor an "
            "IP address (a port has a key of its own); give one like db.example.com",
        ),
        "nowhere": (
            lambda: DrillHost(BLUE),
            "DrillHost: shop-blue: give either the address that clients reach it at, or the "
            "alias of the load balancer in front of it",
        ),
        "address and alias": (
            lambda: DrillHost(BLUE, "192.0.2.1", "blue.elb.example.com"),
            "DrillHost: shop-blue: give either the address that clients reach it at, or the "
            "alias of the load balancer in front of it",
        ),
        "one host": (
            lambda: a_service(standby=DrillHost(BLUE, "192.0.2.2")),
            "DrillTarget: standby: 'shop-blue' is the active host too; a pair needs two "
            "different hosts",
        ),
        "no alarm": (
            lambda: a_service(alarms=[]),
            "DrillTarget: alarms: none is given; name those of the service, so that no drill "
            "begins while one of them is on",
        ),
        "window that closes first": (
            lambda: DrillWindow(from_hour=17, to_hour=9),
            "DrillWindow: MON, TUE, WED, THU, FRI from 17 to 9 never opens; give days, and hours "
            "from 0 to 24 in their order",
        ),
        "alarm of a wrong type": (
            lambda: a_service(alarms=[7]),
            "DrillTarget: alarms: 7 is of type int; give its name, such as alarm.alarm_name",
        ),
        "topic of another region": (
            lambda: a_group(Stack(env=HERE), topic="arn:aws:sns:us-east-1:111111111111:ops"),
            "Topic: arn:aws:sns:us-east-1:111111111111:ops is in us-east-1, the alarm in "
            "eu-west-1; CloudWatch alarms notify only topics of their own region, so give one in "
            "eu-west-1",
        ),
        "region without FIS": (
            lambda: a_group(Stack(env=Environment(region="cn-north-1"))),
            "DrillGroup: cn-north-1 has no AWS FIS, so drills can't run there",
        ),
        "no subnet": (
            lambda: DrillNetwork([], [SECURITY_GROUP]),
            "DrillNetwork: subnets: 0 are given; allowed: 1 to 16",
        ),
        "too many security groups": (
            lambda: DrillNetwork([SUBNET], [f"sg-0000000{number}" for number in range(6)]),
            "DrillNetwork: security_groups: 6 are given; allowed: 1 to 5",
        ),
        "one subnet twice": (
            lambda: DrillNetwork([SUBNET, SUBNET], [SECURITY_GROUP]),
            f"DrillNetwork: subnets: {SUBNET} is given twice",
        ),
        "subnet by its name": (
            lambda: DrillNetwork(["private-a"], [SECURITY_GROUP]),
            "DrillNetwork: subnets: 'private-a' is not a subnet id; give one like "
            "subnet-0ab55a49288f1da24",
        ),
        "subnet in place of a security group": (
            lambda: DrillNetwork([SUBNET], [SUBNET]),
            f"DrillNetwork: security_groups: '{SUBNET}' is not a security group id; give one like "
            "sg-0123456789abcdef0",
        ),
        "one subnet that is no list": (
            lambda: DrillNetwork(wrongly(SUBNET), [SECURITY_GROUP]),
            f"DrillNetwork: subnets: '{SUBNET}' is of type str; give a list",
        ),
        "number in place of a security group": (
            lambda: DrillNetwork([SUBNET], wrongly([7])),
            "DrillNetwork: security_groups: 7 is of type int; give security_groups or their ids",
        ),
        "network by a subnet": (
            lambda: a_group(Stack(), network=SUBNET),
            f"DrillGroup: network: '{SUBNET}' is of type str; give a DrillNetwork",
        ),
        "no date": (
            lambda: a_group(Stack(), blackout=["Christmas"]),
            "DrillGroup: blackout: 'Christmas' is no date; give one like 2026-12-24, or "
            "2026-12-20/2027-01-04",
        ),
        "calendar by its name": (
            lambda: a_group(Stack(), change_calendars=["freeze"]),
            "DrillGroup: change_calendars: 'freeze' is not the ARN of a change calendar; give one "
            "like arn:aws:ssm:us-west-2:532151327118:document/freeze",
        ),
        "calendar of another region": (
            lambda: a_group(
                Stack(env=HERE),
                change_calendars=["arn:aws:ssm:us-east-1:111111111111:document/freeze"],
            ),
            "DrillGroup: change_calendars: arn:aws:ssm:us-east-1:111111111111:document/freeze is "
            "in us-east-1; give one of eu-west-1",
        ),
        "notice after the fact": (
            lambda: a_group(Stack(), notify_before_minutes=-1),
            "DrillGroup: notify_before_minutes: -1 is out of range; allowed: 0 to 1440",
        ),
        "misspelt day": (
            lambda: DrillWindow(days=["TUESDAY"]),
            "DrillWindow: days: 'TUESDAY' is not allowed; allowed: SUN, MON, TUE, WED, THU, FRI, "
            "SAT",
        ),
        "window without days": (
            lambda: DrillWindow(days=[]),
            "DrillWindow: no day from 9 to 17 never opens; give days, and hours from 0 to 24 in "
            "their order",
        ),
        "dashboard of nothing": (
            lambda: ServiceDashboard(
                Stack(), "D", service=a_service(), dashboard_name="shop", drills=[], enabled=True
            ),
            "ServiceDashboard: drills: is empty; name the drills whose results are shown",
        ),
        "dashboard's name": (
            lambda: ServiceDashboard(
                Stack(), "D", service=a_service(), dashboard_name="a b", drills=["a"], enabled=True
            ),
            "ServiceDashboard: dashboard_name: 'a b' is not a dashboard's name (letters, digits, "
            "'_' and '-', at most 255); give one like bookstore-production",
        ),
    },
)
def test_what_aws_would_refuse_is_refused_before(make: Callable[[], object], message: str) -> None:
    with refused(message):
        make()


def test_a_fault_after_the_window_is_refused(stack: Stack) -> None:
    """A run that announces itself is checked again before its fault."""
    group = a_group(stack, notify_before_minutes=420)
    with refused(
        "Drill: schedule: 'cron(0 10 ? * TUE#1 *)' starts at 10:00, and its fault 420 minutes "
        "later, outside the window from 09:00 to 17:00; its runs would be refused; change the "
        "schedule, the window or notify_before_minutes"
    ):
        a_drill(stack, group)
    always = DrillWindow(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"], 0, 24)
    a_drill(stack, group, schedule=DrillSchedule("cron(0 23 ? * TUE#1 *)"), window=always)


def test_a_guard_may_be_an_alarm(stack: Stack) -> None:
    guard = an_alarm(stack, alarm_name=GUARD)
    own = cloudwatch.Alarm.from_alarm_name(stack, "Own", "orders")
    assert a_drill(stack, guards=[guard, own]).guards == (GUARD, "orders")


def test_every_fault_ends_by_itself() -> None:
    def build(stack: Stack) -> None:
        group = a_group(stack)
        a_drill(stack, group)
        hole = BlackholePort(BLUE, INSTANCE_ID, 5, destination_port=5432)
        a_drill(stack, group, name="db", fault=hole, hypothesis=[AlarmFires(STATUS, 350)])

    found = resources_of(synthesized(build), "AWS::FIS::ExperimentTemplate").values()
    parameters = [each["Properties"]["Actions"]["Fault"]["Parameters"] for each in found]
    assert parameters[0] == {"startInstancesAfterDuration": "PT10M"}
    assert json.loads(parameters[1]["documentParameters"])["DurationSeconds"] == "300"
    assert parameters[1]["duration"] == "PT6M"


def test_a_drill_on_an_instance_of_the_same_stack_names_it_by_reference() -> None:
    def build(stack: Stack) -> None:
        instance = an_instance(stack)
        address = text_parameter(stack, "Address")
        active = DrillHost(BLUE, address, instance=instance)
        group = a_group(stack, service=a_service(active=active))
        a_drill(stack, group, fault=a_stop(instance=instance))

    template = synthesized(build)
    (instance_id,) = resources_of(template, "AWS::EC2::Instance")
    experiment = json.dumps(only(template, "AWS::FIS::ExperimentTemplate"))
    definition = json.dumps(only(template, MACHINE)["DefinitionString"])
    assert json.dumps({"Ref": instance_id}) in experiment
    assert json.dumps({"Ref": instance_id}) in definition
    assert json.dumps({"Ref": "Address"}) in definition


def test_the_settings_of_the_group_are_in_every_plan() -> None:
    def build(stack: Stack) -> None:
        group = a_group(
            stack, enabled=True, notify_passed=False, runbook="https://wiki.example.com/shop"
        )
        a_drill(stack, group, window=DrillWindow(["TUE"], 10, 12))

    text = json.dumps(only(synthesized(build), MACHINE)["DefinitionString"]).replace('\\"', '"')
    for part in (
        '"enabled":true',
        '"notify_passed":false',
        '"runbook":"https://wiki.example.com/shop"',
        '"window":{"days":["TUE"],"from_hour":10,"to_hour":12,"timezone":"UTC"}',
    ):
        assert part in text


def test_a_host_behind_a_load_balancer_is_asked_there() -> None:
    host = DrillHost(BLUE, alias="blue.elb.example.com", instance=INSTANCE_ID).planned
    assert (host.addresses, host.reached_at) == ((), "blue.elb.example.com")


def test_an_alarm_and_a_metric_of_a_drill_have_its_name() -> None:
    drill = a_drill(Stack())
    assert drill.overdue.alarm_name == "shop-production-drill-shutdown-overdue"
    assert drill.overdue.rule.dimensions == {
        "Service": "shop",
        "Environment": "production",
        "Drill": "shutdown",
    }
    metric = drill.metric("drill-failover-seconds")
    assert (metric.namespace, metric.dimensions) == ("Shop", drill.overdue.rule.dimensions)
    assert metric.period.to_days() == 1
    with refused(
        "Drill: metric_name: 'passed' is not allowed; allowed: drill-passed, "
        "drill-detect-seconds, drill-failover-seconds, drill-failback-seconds, "
        "drill-outage-seconds, drill-availability-percent, drill-days-since-passed, drill-score"
    ):
        drill.metric("passed")


@pytest.mark.slow
def test_a_network_takes_subnets_and_security_groups_of_the_cdk() -> None:
    def build(stack: Stack) -> None:
        subnet = ec2.Subnet.from_subnet_id(stack, "Subnet", SUBNET)
        made = ec2.CfnSecurityGroup(stack, "Observer", group_description="Asks the hosts.")
        group = ec2.SecurityGroup.from_security_group_id(stack, "Group", made.attr_group_id)
        a_group(stack, network=DrillNetwork([subnet], [group, SECURITY_GROUP]))

    functions = resources_of(synthesized(build, env=HERE), "AWS::Lambda::Function").values()
    (attached,) = (each["Properties"] for each in functions if "VpcConfig" in each["Properties"])
    assert attached["Handler"].endswith(".client")
    assert attached["VpcConfig"] == {
        "SubnetIds": [SUBNET],
        "SecurityGroupIds": [{"Fn::GetAtt": ["Observer", "GroupId"]}, SECURITY_GROUP],
    }
