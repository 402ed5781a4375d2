"""Where a host is reached: at addresses, or behind a load balancer."""

from aws_cdk import Stack

from staged_resiliency import AddressTarget, AliasTarget
from tests.cases import cases
from tests.staged_resiliency.support import NO_DNS_NAME, NO_ZONE_ID, refused, text_parameter
from tests.support import Data

NOT_REACHED = "is not the address of a host that clients can reach; give one like 52.11.79.9"
ZONE = "Z32O12XQLNTSW2"


@cases(
    ("addresses", "message"),
    {
        "none": ({}, "give ipv4, ipv6 or both"),
        "three numbers": (
            {"ipv4": "52.11.79"},
            "ipv4: '52.11.79' is not an IPv4 or IPv6 address; give one like 52.11.79.9",
        ),
        "IPv6 as IPv4": (
            {"ipv4": "2600:1f14::9"},
            "ipv4: '2600:1f14::9' is not an IPv4 address; give it as ipv6",
        ),
        "IPv4 as IPv6": (
            {"ipv6": "52.11.79.9"},
            "ipv6: '52.11.79.9' is not an IPv6 address; give one like 2600:1f14::9",
        ),
        "unspecified": ({"ipv4": "0.0.0.0"}, f"ipv4: '0.0.0.0' {NOT_REACHED}"),
        "multicast": ({"ipv4": "224.0.0.1"}, f"ipv4: '224.0.0.1' {NOT_REACHED}"),
    },
)
def test_addresses_are_refused(addresses: Data, message: str) -> None:
    with refused(f"AddressTarget: {message}"):
        AddressTarget(**addresses)


@cases(
    ("name", "zone", "message"),
    {
        "DNS name": ("balancer", ZONE, f"dns_name: 'balancer' {NO_DNS_NAME}"),
        "zone id": ("blue.elb.amazonaws.com", "zone", f"hosted_zone_id: 'zone' {NO_ZONE_ID}"),
    },
)
def test_aliases_are_refused(name: str, zone: str, message: str) -> None:
    with refused(f"AliasTarget: {message}"):
        AliasTarget(name, zone)


def test_one_address_in_two_spellings_is_one_target() -> None:
    assert AddressTarget(ipv6="2600:1F14:0:0::9") == AddressTarget(ipv6="2600:1f14::9")


def test_one_load_balancer_in_two_spellings_is_one_target() -> None:
    spelt = AliasTarget("Blue.ELB.amazonaws.com.", f"/hostedzone/{ZONE}")
    assert spelt == AliasTarget("blue.elb.amazonaws.com", ZONE)


def test_addresses_that_the_deployment_knows_are_kept(stack: Stack) -> None:
    address = text_parameter(stack, "Address")
    target = AddressTarget(ipv4=address)
    assert (target.ipv4, target.record_types) == (address, ("A",))


@cases(
    ("target", "asked"),
    {
        "IPv4": (AddressTarget("52.11.79.9"), "52.11.79.9"),
        "IPv6": (AddressTarget(ipv6="2600:1f14::9"), "2600:1f14::9"),
        "both": (AddressTarget("52.11.79.9", "2600:1f14::9"), "52.11.79.9"),
    },
)
def test_health_checkers_ask_the_ipv4_address_where_there_is_one(
    target: AddressTarget, asked: str
) -> None:
    assert target.health_check_address == asked
