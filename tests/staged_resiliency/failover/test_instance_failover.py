"""The failover of a pair, in one statement."""

from collections import Counter
from typing import Any

import pytest
from aws_cdk import CfnParameter, Stack
from aws_cdk import aws_ec2 as ec2

from staged_resiliency import (
    AddressTarget,
    AlarmHealthCheck,
    AliasTarget,
    EndpointSignal,
    FailoverHost,
    HttpRequest,
    StatusSignal,
)
from tests.cases import cases
from tests.staged_resiliency.support import (
    ALARM,
    BLUE,
    GREEN,
    HEALTH_CHECK,
    INSTANCE_ID,
    RECORD,
    TOPIC_ARN,
    ZONE_ID,
    a_failover,
    only_id,
    refused,
    synthesized,
)
from tests.support import Data, Template, only, records_of, resources_of

BLUE_ADDRESS, GREEN_ADDRESS = BLUE.target, GREEN.target


def template_of(**changes: Any) -> Template:
    return synthesized(lambda stack: a_failover(stack, **changes))


def alarms_of(template: Template) -> dict[str, Data]:
    """The properties of the alarms, by name."""
    return {
        alarm["Properties"]["AlarmName"]: alarm["Properties"]
        for alarm in resources_of(template, ALARM).values()
    }


@pytest.fixture(scope="module")
def usual() -> Template:
    return template_of()


def test_one_statement_makes_alarms_health_check_and_record_pair(usual: Template) -> None:
    types = Counter(resource["Type"] for resource in usual["Resources"].values())
    assert types == {ALARM: 2, HEALTH_CHECK: 1, RECORD: 2}


def test_each_instance_has_a_status_alarm_that_names_its_colour(usual: Template) -> None:
    described = {name: alarm["AlarmDescription"] for name, alarm in alarms_of(usual).items()}
    assert described == {
        "shop-blue-StatusCheckFailed": "shop (Blue) instance failure.",
        "shop-green-StatusCheckFailed": "shop (Green) instance failure.",
    }


def test_the_status_of_the_active_host_decides_unless_said_otherwise(usual: Template) -> None:
    config = only(usual, HEALTH_CHECK)["HealthCheckConfig"]
    assert config["AlarmIdentifier"] == {
        "Name": "shop-blue-StatusCheckFailed",
        "Region": "eu-west-1",
    }


def _served(template: Template) -> list[tuple[str, list[Any], Data | None]]:
    return [
        (each["Failover"], each["ResourceRecords"], each.get("HealthCheckId"))
        for each in records_of(template)
    ]


def test_one_signals_health_check_decides_by_itself(usual: Template) -> None:
    assert _served(usual) == [
        ("PRIMARY", ["52.11.79.8"], {"Ref": only_id(usual, HEALTH_CHECK)}),
        ("SECONDARY", ["52.11.79.9"], None),
    ]


def test_several_signals_must_all_be_well() -> None:
    template = template_of(failover_on=[StatusSignal(), EndpointSignal()])
    checks = resources_of(template, HEALTH_CHECK)
    id_of = {
        check["Properties"]["HealthCheckConfig"]["Type"]: logical_id
        for logical_id, check in checks.items()
    }
    assert set(id_of) == {"CLOUDWATCH_METRIC", "HTTP", "CALCULATED"}
    assert checks[id_of["CALCULATED"]]["Properties"] == {
        "HealthCheckConfig": {
            "Type": "CALCULATED",
            "ChildHealthChecks": [{"Ref": id_of["CLOUDWATCH_METRIC"]}, {"Ref": id_of["HTTP"]}],
            "HealthThreshold": 2,
            "Inverted": False,
        },
        "HealthCheckTags": [{"Key": "Name", "Value": "shop-blue-all-signals"}],
    }
    assert _served(template)[0][2] == {"Ref": id_of["CALCULATED"]}


def test_a_swap_changes_nothing_but_the_record_pair_and_the_health_check(usual: Template) -> None:
    before, after = usual["Resources"], template_of(active="green")["Resources"]
    unchanged = [each for each in after if before.get(each) == after[each]]
    assert {after[each]["Type"] for each in unchanged} == {ALARM}
    assert {after[each]["Type"] for each in after.keys() - unchanged} == {RECORD, HEALTH_CHECK}
    assert len(after) == len(before)


def test_a_swap_exchanges_the_values_of_the_records_and_follows_the_other_host(
    usual: Template,
) -> None:
    swapped = template_of(active="green")
    assert list(resources_of(swapped, RECORD)) == list(resources_of(usual, RECORD))
    assert _served(swapped) == [
        ("PRIMARY", ["52.11.79.9"], {"Ref": only_id(swapped, HEALTH_CHECK)}),
        ("SECONDARY", ["52.11.79.8"], None),
    ]
    config = only(swapped, HEALTH_CHECK)["HealthCheckConfig"]
    assert config["AlarmIdentifier"]["Name"] == "shop-green-StatusCheckFailed"


def test_a_host_without_an_instance_has_no_status_alarm() -> None:
    template = template_of(green=FailoverHost("shop-green", GREEN_ADDRESS))
    assert set(alarms_of(template)) == {"shop-blue-StatusCheckFailed"}


def test_the_parts_can_be_asked_for(stack: Stack) -> None:
    made = a_failover(stack)
    names = {color: alarm.alarm_name for color, alarm in made.status_alarms.items()}
    assert names == {"blue": "shop-blue-StatusCheckFailed", "green": "shop-green-StatusCheckFailed"}
    assert made.records.record_name == "shop.example.com"
    assert list(made.signal_health_checks) == [made.health_check]
    assert isinstance(made.health_check, AlarmHealthCheck)


def test_the_signals_health_checks_stand_in_the_order_of_the_signals(stack: Stack) -> None:
    made = a_failover(stack, failover_on=[EndpointSignal(), StatusSignal()])
    kinds = [type(check).__name__ for check in made.signal_health_checks]
    assert kinds == ["EndpointHealthCheck", "AlarmHealthCheck"]
    assert made.health_check not in made.signal_health_checks


@cases(
    ("changes", "rendered"),
    {
        "period": ({"status_period_seconds": 120}, {"Period": 120}),
        "evaluation periods": (
            {"status_evaluation_periods": 3},
            {"EvaluationPeriods": 3, "DatapointsToAlarm": 3},
        ),
        "statistic": ({"status_statistic": "Sum"}, {"Statistic": "Sum"}),
        "threshold": ({"status_threshold": 0.5}, {"Threshold": 0.5}),
        "recovery": ({"notify_recovery": True}, {"OKActions": [TOPIC_ARN]}),
        "topic": ({"topic": f"{TOPIC_ARN}-2"}, {"AlarmActions": [f"{TOPIC_ARN}-2"]}),
    },
)
def test_a_setting_of_the_status_alarms_reaches_both(
    changes: Data, rendered: Data, usual: Template
) -> None:
    assert alarms_of(template_of(**changes)) == {
        name: {**alarm, **rendered} for name, alarm in alarms_of(usual).items()
    }


def test_the_display_name_is_in_alarm_texts() -> None:
    alarm = alarms_of(template_of(display_name="Web Shop"))["shop-blue-StatusCheckFailed"]
    assert alarm["AlarmDescription"] == "Web Shop (Blue) instance failure."


def test_the_ttl_reaches_the_records() -> None:
    sets = records_of(template_of(ttl_seconds=30))
    assert [each["TTL"] for each in sets] == ["30", "30"]


def test_elastic_ips_of_the_stack_are_referred_to() -> None:
    def build(stack: Stack) -> None:
        blue, green = (ec2.CfnEIP(stack, f"Eip{number}").attr_public_ip for number in (1, 2))
        a_failover(
            stack,
            blue=FailoverHost("shop-blue", AddressTarget(ipv4=blue), INSTANCE_ID),
            green=FailoverHost("shop-green", AddressTarget(ipv4=green)),
        )

    template = synthesized(build)
    assert [values for _, values, _ in _served(template)] == [
        [{"Fn::GetAtt": [eip, "PublicIp"]}] for eip in ("Eip1", "Eip2")
    ]


def test_an_instance_id_that_is_a_parameter_is_followed_by_its_value() -> None:
    def build(stack: Stack) -> None:
        instance_id = CfnParameter(stack, "BlueId").value_as_string
        a_failover(stack, blue=FailoverHost("shop-blue", BLUE_ADDRESS, instance_id))

    config = only(synthesized(build), HEALTH_CHECK)["HealthCheckConfig"]
    assert config["AlarmIdentifier"]["Name"] == {
        "Fn::Join": ["", ["shop-blue-", {"Ref": "BlueId"}, "-StatusCheckFailed"]]
    }


ALIKE = "InstanceFailover: blue and green have the same {}; a pair needs two different hosts"


@cases(
    ("changes", "message"),
    {
        "one host twice": ({"green": BLUE}, ALIKE.format("name")),
        "one name": ({"green": FailoverHost("shop-blue", GREEN_ADDRESS)}, ALIKE.format("name")),
        "one address": (
            {"green": FailoverHost("shop-green", BLUE_ADDRESS)},
            ALIKE.format("target"),
        ),
        "one load balancer in two spellings": (
            {
                "blue": FailoverHost("b", AliasTarget("Lb.example.com", ZONE_ID), INSTANCE_ID),
                "green": FailoverHost("g", AliasTarget("lb.example.com.", ZONE_ID)),
            },
            ALIKE.format("target"),
        ),
        "one instance": (
            {"green": FailoverHost("shop-green", GREEN_ADDRESS, INSTANCE_ID)},
            ALIKE.format("instance"),
        ),
        "one of two addresses": (
            {
                "blue": FailoverHost("b", AddressTarget("52.11.79.8", "2600:1f14::8"), INSTANCE_ID),
                "green": FailoverHost("g", AddressTarget("52.11.79.8", "2600:1f14::9")),
            },
            ALIKE.format("ipv4 address"),
        ),
        "colour": (
            {"active": "red"},
            "InstanceFailover: active: 'red' is not a host; allowed: blue, green",
        ),
        "no signal": (
            {"failover_on": []},
            "InstanceFailover: failover_on: is empty; without a signal the primary would "
            "always be served; give StatusSignal()",
        ),
        "status of a host without an instance": (
            {"active": "green", "green": FailoverHost("shop-green", GREEN_ADDRESS)},
            "StatusSignal: the active host 'shop-green' has no instance; "
            "give FailoverHost(instance=...)",
        ),
    },
)
def test_a_failover_refuses(changes: Data, message: str, stack: Stack) -> None:
    with refused(message):
        a_failover(stack, **changes)


def test_a_host_refuses_a_name_that_alarms_cant_have() -> None:
    with refused(
        "FailoverHost: name: 'shop#blue' is not a Name tag (letters, "
        "digits, spaces and _ . : / = + @ -, at most 128); give one like bookstore-api-blue"
    ):
        FailoverHost("shop#blue", BLUE_ADDRESS)


def test_two_signals_of_one_kind_get_along_by_their_names() -> None:
    template = template_of(
        failover_on=[
            EndpointSignal(HttpRequest(port=80), name="web"),
            EndpointSignal(HttpRequest(port=8080), name="api"),
        ]
    )
    ports = [
        check["Properties"]["HealthCheckConfig"].get("Port")
        for check in resources_of(template, HEALTH_CHECK).values()
    ]
    assert ports == [80, 8080, None]


def test_two_signals_of_one_name_are_refused(stack: Stack) -> None:
    with refused(
        "InstanceFailover: failover_on: several signals are named 'endpoint'; "
        "give each a different name"
    ):
        a_failover(stack, failover_on=[EndpointSignal(), EndpointSignal()])
