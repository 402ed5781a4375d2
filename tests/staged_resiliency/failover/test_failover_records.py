"""The record pair: roles, identifiers, values, and who decides."""

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53

from staged_resiliency import AddressTarget, AliasTarget, FailoverRecords, HostedZone
from tests.cases import cases
from tests.staged_resiliency.support import (
    HEALTH_CHECK,
    NO_DNS_NAME,
    NO_NAME,
    NO_ZONE_ID,
    RECORD,
    ZONE_ID,
    a_health_check,
    number_parameter,
    only_id,
    refused,
    synthesized,
    text_parameter,
)
from tests.support import Data, records_of, resources_of

BLUE = AddressTarget(ipv4="52.11.79.8")
GREEN = AddressTarget(ipv4="52.11.79.9")
BOTH = {
    "primary": AddressTarget("52.11.79.8", "2600:1f14::8"),
    "secondary": AddressTarget("52.11.79.9", "2600:1F14:0::9"),
}
LOAD_BALANCER = "blue-1234567890.eu-west-1.elb.amazonaws.com"
ALIAS = AliasTarget(LOAD_BALANCER, "Z32O12XQLNTSW2")


def records(stack: Stack, **changes: Any) -> FailoverRecords:
    """A record pair, with arguments changed."""
    usual: Data = {
        "hosted_zone": HostedZone("example.com", ZONE_ID),
        "record_name": "shop.example.com",
        "identifier": "shop",
        "primary": BLUE,
        "secondary": GREEN,
    }
    usual.update(changes)
    usual.setdefault("health_check", a_health_check(stack))
    return FailoverRecords(stack, "Records", **usual)


def record_sets(**changes: Any) -> list[Data]:
    return records_of(synthesized(lambda stack: records(stack, **changes)))


def test_a_pair_is_two_records_whose_primary_alone_has_a_health_check() -> None:
    template = synthesized(records)
    assert records_of(template) == [
        {
            "Comment": "shop: the active host, served while it is healthy.",
            "Failover": "PRIMARY",
            "HealthCheckId": {"Ref": only_id(template, HEALTH_CHECK)},
            "HostedZoneId": ZONE_ID,
            "Name": "shop.example.com.",
            "ResourceRecords": ["52.11.79.8"],
            "SetIdentifier": "shop-Primary",
            "TTL": "60",
            "Type": "A",
        },
        {
            "Comment": "shop: the standby, served while the active host is unhealthy.",
            "Failover": "SECONDARY",
            "HostedZoneId": ZONE_ID,
            "Name": "shop.example.com.",
            "ResourceRecords": ["52.11.79.9"],
            "SetIdentifier": "shop-Secondary",
            "TTL": "60",
            "Type": "A",
        },
    ]


def test_each_address_family_has_its_pair_of_which_the_secondary_is_updated_last() -> None:
    template = synthesized(lambda stack: records(stack, **BOTH))
    found = resources_of(template, RECORD)
    (a, aaaa) = (each for each in found if found[each]["Properties"]["Failover"] == "PRIMARY")
    values = ("Failover", "Type", "SetIdentifier", "ResourceRecords")
    assert [
        (*(each["Properties"][key] for key in values), each.get("DependsOn"))
        for each in found.values()
    ] == [
        ("PRIMARY", "A", "shop-Primary", ["52.11.79.8"], None),
        ("SECONDARY", "A", "shop-Secondary", ["52.11.79.9"], [a]),
        ("PRIMARY", "AAAA", "shop-Primary", ["2600:1f14::8"], None),
        ("SECONDARY", "AAAA", "shop-Secondary", ["2600:1f14::9"], [aaaa]),
    ]


def test_ipv6_alone_has_a_pair() -> None:
    sets = record_sets(
        primary=AddressTarget(ipv6="2600:1f14::8"), secondary=AddressTarget(ipv6="2600:1f14::9")
    )
    assert [each["Type"] for each in sets] == ["AAAA", "AAAA"]


def test_an_alias_evaluates_its_target_and_has_no_ttl() -> None:
    primary, secondary = record_sets(primary=ALIAS)
    assert primary["AliasTarget"] == {
        "DNSName": LOAD_BALANCER,
        "EvaluateTargetHealth": True,
        "HostedZoneId": "Z32O12XQLNTSW2",
    }
    assert {"TTL", "ResourceRecords"}.isdisjoint(primary)
    assert secondary["ResourceRecords"] == ["52.11.79.9"]


def test_a_dual_stack_alias_has_both_families() -> None:
    dual = AliasTarget(LOAD_BALANCER, "Z32O12XQLNTSW2", ipv6=True)
    sets = record_sets(**{**BOTH, "primary": dual})
    aliases = [each["Type"] for each in sets if "AliasTarget" in each]
    assert aliases == ["A", "AAAA"]


def test_a_load_balancer_of_the_stack_is_reached_by_reference() -> None:
    def build(stack: Stack) -> None:
        public = ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)
        vpc = ec2.Vpc(
            stack,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[public],
        )
        balancer = elbv2.ApplicationLoadBalancer(stack, "Balancer", vpc=vpc, internet_facing=True)
        records(stack, primary=AliasTarget.to_load_balancer(balancer))

    template = synthesized(build)
    balancer_id = only_id(template, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    primary, _ = records_of(template)
    assert primary["AliasTarget"] == {
        "DNSName": {"Fn::GetAtt": [balancer_id, "DNSName"]},
        "EvaluateTargetHealth": True,
        "HostedZoneId": {"Fn::GetAtt": [balancer_id, "CanonicalHostedZoneID"]},
    }
    assert primary["Type"] == "A"


def test_a_zone_of_the_stack_is_referred_to() -> None:
    def build(stack: Stack) -> None:
        zone = route53.PublicHostedZone(stack, "Zone", zone_name="example.com")
        records(stack, hosted_zone=zone)

    template = synthesized(build)
    zone_id = only_id(template, "AWS::Route53::HostedZone")
    assert [each["HostedZoneId"] for each in records_of(template)] == [{"Ref": zone_id}] * 2


def test_a_zone_known_at_deployment_holds_any_record() -> None:
    def build(stack: Stack) -> None:
        zone = HostedZone(text_parameter(stack, "ZoneName"), text_parameter(stack, "ZoneId"))
        records(stack, hosted_zone=zone)

    zones = [each["HostedZoneId"] for each in records_of(synthesized(build))]
    assert zones == [{"Ref": "ZoneId"}] * 2


def test_a_health_check_of_the_cdk_can_decide() -> None:
    def build(stack: Stack) -> None:
        check = route53.HealthCheck.from_health_check_id(stack, "Check", "abcdef11-2222-3333")
        records(stack, health_check=check)

    primary, _ = records_of(synthesized(build))
    assert primary["HealthCheckId"] == "abcdef11-2222-3333"


@cases(
    ("given", "name"),
    {
        "other spelling": ("Shop.Example.COM.", "shop.example.com."),
        "name of the zone": ("example.com", "example.com."),
    },
)
def test_a_record_is_named_in_full(given: str, name: str) -> None:
    assert {each["Name"] for each in record_sets(record_name=given)} == {name}


def test_the_canonical_name_can_be_asked_for(stack: Stack) -> None:
    assert records(stack, record_name="Shop.Example.COM.").record_name == "shop.example.com"


@pytest.mark.parametrize("ttl", [0, 300, 2_147_483_647])
def test_the_ttl_can_be_chosen(ttl: int) -> None:
    assert {each["TTL"] for each in record_sets(ttl_seconds=ttl)} == {str(ttl)}


def test_a_ttl_that_the_deployment_knows_is_rendered_by_reference() -> None:
    template = synthesized(lambda stack: records(stack, ttl_seconds=number_parameter(stack, "T")))
    assert [each["TTL"] for each in records_of(template)] == [{"Ref": "T"}] * 2


@cases(
    ("changes", "message"),
    {
        "record name": ({"record_name": "shop"}, f"record_name: 'shop' {NO_DNS_NAME}"),
        "record outside the zone": (
            {"record_name": "shop.example.org"},
            "record_name: 'shop.example.org' is outside the hosted zone 'example.com'; give a "
            "name that ends in .example.com",
        ),
        "record that only ends like the zone": (
            {"record_name": "myexample.com"},
            "record_name: 'myexample.com' is outside the hosted zone 'example.com'; give a name "
            "that ends in .example.com",
        ),
        "identifier": ({"identifier": "Shop!"}, f"identifier: 'Shop!' {NO_NAME}"),
        "TTL": (
            {"ttl_seconds": -1},
            "ttl_seconds: -1 s is not a TTL; allowed: 0 to 2147483647, give 60 or less",
        ),
        "zone id": (
            {"hosted_zone": HostedZone("example.com", "zone")},
            f"hosted_zone: 'zone' {NO_ZONE_ID}",
        ),
        "zone name": (
            {"hosted_zone": HostedZone("my zone", ZONE_ID)},
            f"hosted_zone: 'my zone' {NO_DNS_NAME}",
        ),
        "other family": (
            {"secondary": AddressTarget(ipv6="2600:1f14::9")},
            "primary serves A records, secondary AAAA; both need the same, since each primary "
            "record needs a secondary one",
        ),
        "one family more": (
            {"primary": BOTH["primary"]},
            "primary serves A and AAAA records, secondary A; both need the same, since each "
            "primary record needs a secondary one",
        ),
    },
)
def test_a_pair_refuses(changes: Data, message: str, stack: Stack) -> None:
    with refused(f"FailoverRecords: {message}"):
        records(stack, **changes)
