"""`resiliency adopt`: what it makes of records of each kind, and which it refuses."""

from pathlib import Path

import pytest

from tests.resiliency.adopt.accounts import (
    RECORD,
    REGION,
    ZONE,
    HandMade,
    alias,
    pair,
    recipe,
    zone_and_hosts,
)
from tests.resiliency.adopt.conftest import Adopt, Refusal, actions, batch, commands, fields
from tests.support import Data

pytestmark = pytest.mark.slow


def with_standby(adopt: Adopt, found: Data) -> Data:
    """Give the address of the standby, which no record has, in the written file."""
    file = Path(found["service_file"])
    text = file.read_text(encoding="utf-8").replace("192.0.2.1", "52.11.79.9")
    file.write_text(text, encoding="utf-8")
    return adopt("--service-file", str(file))


def test_a_simple_record_becomes_the_pair_in_one_batch(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone()
    _, address = made.instance("shop-blue")
    made.records(
        zone,
        {"Name": f"{RECORD}.", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": address}]},
    )
    found = adopt("--service", "shop")
    assert found["name"] == "shop"
    assert f"{RECORD}: is a simple record, so clients are never moved" in found["findings"]
    assert "the address of the green host: no record has it" in found["unknown"]
    assert found["env"]["hosts"]["blue"]["address"] == address
    assert found["env"]["endpoint"]["ttl_seconds"] == 300
    # No plan sends clients to an address that nobody gave.
    (step,) = found["steps"]
    assert step["title"].startswith("Replace 192.0.2.1 in the service file")
    assert not Path(found["service_file"]).with_name("change-batch.json").exists()
    found = with_standby(adopt, found)
    assert batch(found) == [
        ("DELETE", "A", None),
        ("CREATE", "A", "PRIMARY"),
        ("CREATE", "A", "SECONDARY"),
    ]
    order = [
        "deploy notifications-",
        "put-metric-alarm",
        "create-health-check",
        "change-resource-record-sets",
        "cdk import",
    ]
    shown = commands(found)
    first = [next(i for i, each in enumerate(shown) if text in each) for text in order]
    assert first == sorted(set(first))
    assert any("cdk deploy" in each for each in shown[first[-1] + 1 :])


def test_a_cname_becomes_the_pair_of_the_addresses(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone()
    instance, address = made.instance("shop-blue")
    (reservation,) = made.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    name = reservation["Instances"][0]["PublicDnsName"]
    made.records(
        zone,
        {"Name": f"{RECORD}.", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": name}]},
    )
    found = adopt()
    assert found["env"]["hosts"]["blue"]["address"] == address
    found = with_standby(adopt, found)
    assert batch(found)[0] == ("DELETE", "CNAME", None)
    assert ("record", "Type") in fields(found)


def test_alias_records_are_hosts_behind_load_balancers(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone()
    subnets = [each["SubnetId"] for each in made.ec2.describe_subnets()["Subnets"]][:2]
    vpc = made.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    records = []
    for role, color in (("PRIMARY", "blue"), ("SECONDARY", "green")):
        balancer = made.elb.create_load_balancer(Name=color, Subnets=subnets)["LoadBalancers"][0]
        if color == "blue":
            instance, _ = made.instance("shop-blue")
            group = made.elb.create_target_group(Name="blue", Protocol="HTTP", Port=80, VpcId=vpc)[
                "TargetGroups"
            ][0]
            made.elb.register_targets(
                TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": instance}]
            )
            made.elb.create_listener(
                LoadBalancerArn=balancer["LoadBalancerArn"],
                Protocol="HTTP",
                Port=80,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
            )
        target = f"dualstack.{balancer['DNSName']}"
        record = alias(role, target, evaluated=color == "blue")
        records.append({**record, "SetIdentifier": color})
    made.records(zone, *records)
    found = adopt()
    hosts = found["env"]["hosts"]
    assert (hosts["blue"]["name"], hosts["blue"]["instance_id"]) == ("shop-blue", instance)
    assert hosts["blue"]["alias"]["dns_name"].startswith("dualstack.blue-")
    assert "address" not in hosts["green"]
    assert any("has 0 instances behind it" in each for each in found["unknown"])
    assert {("record", "AliasTarget"), ("record", "SetIdentifier")} <= fields(found)
    assert [action for action, _, _ in batch(found)] == ["DELETE", "DELETE", "CREATE", "CREATE"]


def test_other_pairs_of_the_zone_with_the_same_hosts_are_further_names(
    made: HandMade, adopt: Adopt
) -> None:
    zone, check = recipe(made)
    listed = made.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    blue, green = (
        each["ResourceRecords"][0]["Value"] for each in listed if each["Name"] == f"{RECORD}."
    )
    made.records(zone, *pair(blue, green, check, name=f"www.{ZONE}", service="www"))
    made.records(zone, *pair("192.0.2.7", "192.0.2.8", None, name=f"shop.{ZONE}", service="shop"))
    found = adopt()
    assert found["env"]["endpoint"]["more_records"] == [f"www.{ZONE}"]
    did = actions(found)
    assert did[f"{RECORD} A PRIMARY"] == "imported"
    assert did[f"www.{ZONE} A PRIMARY"] == "replaced without a gap"
    assert not any(f"shop.{ZONE}" in name for name in did)


def test_a_primary_that_points_to_green_is_active_green(made: HandMade, adopt: Adopt) -> None:
    zone, _, blue, _, green = zone_and_hosts(made)
    made.records(zone, *pair(green, blue, None))
    env = adopt()["env"]
    assert env["active"] == "green"
    assert env["hosts"]["green"] == {
        "name": "bookstore-api-green",
        "instance_id": env["hosts"]["green"]["instance_id"],
        "address": green,
    }


def test_hosts_that_no_instance_shows_have_the_names_of_their_alarms(
    made: HandMade, adopt: Adopt
) -> None:
    zone = made.zone()
    topic = made.topic()
    alarm = made.status_alarm("bookstore-api-blue", "i-0ab55a49288f1da24", topic)
    made.connectivity_alarms("db", topic, "Database")
    made.records(zone, *pair("54.213.54.171", "52.11.79.9", made.health_check(alarm)))
    found = adopt()
    assert {color: host["name"] for color, host in found["env"]["hosts"].items()} == {
        "blue": "bookstore-api-blue",
        "green": "bookstore-api-green",
    }
    assert any(
        "observes the instance i-0ab55a49288f1da24, which is gone" in each
        for each in found["findings"]
    )
    assert any(
        "bookstore-api-green is assumed, from its alarms" in each for each in found["unknown"]
    )


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            {"Type": "A", "TTL": 60, "SetIdentifier": "a", "Weight": 1},
            "is a weighted record; adopt takes simple records and failover pairs",
        ),
        (
            {"Type": "TXT", "TTL": 60},
            "has only records of the type TXT; give a name that leads to hosts",
        ),
        (
            {"Type": "A", "TTL": 60, "SetIdentifier": "a", "Failover": "SECONDARY"},
            "have a SECONDARY and no PRIMARY",
        ),
    ],
)
def test_other_records_are_refused(
    record: Data, message: str, made: HandMade, refusal: Refusal
) -> None:
    value = '"text"' if record["Type"] == "TXT" else "192.0.2.1"
    made.records(
        made.zone(), {"Name": f"{RECORD}.", "ResourceRecords": [{"Value": value}], **record}
    )
    assert message in refusal(RECORD)


def test_too_many_values_are_refused(made: HandMade, refusal: Refusal) -> None:
    values = [{"Value": f"192.0.2.{number}"} for number in range(1, 4)]
    simple = {"Name": f"{RECORD}.", "Type": "A", "TTL": 60, "ResourceRecords": values}
    zone = made.zone()
    made.records(zone, simple)
    assert "has 3 values; a pair has two hosts" in refusal(RECORD)
    primary, secondary = pair("192.0.2.1", "192.0.2.2", None, name=f"other.{ZONE}")
    made.records(zone, {**primary, "ResourceRecords": values}, secondary)
    assert "the PRIMARY record has 3 values" in refusal(f"other.{ZONE}")


def test_an_alias_of_another_name_is_refused(made: HandMade, refusal: Refusal) -> None:
    zone, _ = recipe(made)
    alias = {"HostedZoneId": zone, "DNSName": f"{RECORD}.", "EvaluateTargetHealth": True}
    made.records(zone, {"Name": f"www.{ZONE}.", "Type": "A", "AliasTarget": alias})
    assert f"is an alias of {RECORD} in the same zone; adopt that" in refusal(f"www.{ZONE}")


def test_a_name_that_does_not_exist_is_refused(made: HandMade, refusal: Refusal) -> None:
    assert "no record of that name (no hosted zone could hold it)" in refusal(RECORD)
    zone = made.zone()
    assert f"no record of that name ({zone} ({ZONE}, public))" in refusal(RECORD)
    assert "--zone: no hosted zone Z0 that could hold" in refusal(RECORD, "--zone", "Z0")


def test_both_address_families_are_hosts_with_two_addresses(made: HandMade, adopt: Adopt) -> None:
    zone, _, blue, _, green = zone_and_hosts(made)
    records = pair(blue, green, None)
    six = [
        {
            **record,
            "Type": "AAAA",
            "SetIdentifier": f"six-{number}",
            "ResourceRecords": [{"Value": f"2600:1f14::{number}"}],
        }
        for number, record in enumerate(records, start=8)
    ]
    made.records(zone, *records, *six)
    found = adopt()
    hosts = found["env"]["hosts"]
    assert (hosts["blue"]["address"], hosts["blue"]["ipv6_address"]) == (blue, "2600:1f14::8")
    assert batch(found) == [
        ("UPSERT", "A", "PRIMARY"),
        ("DELETE", "AAAA", "PRIMARY"),
        ("DELETE", "AAAA", "SECONDARY"),
        ("CREATE", "AAAA", "PRIMARY"),
        ("CREATE", "AAAA", "SECONDARY"),
    ]


def test_a_zone_with_a_longer_name_is_the_one_that_answers(made: HandMade, adopt: Adopt) -> None:
    outer, inner = made.zone(), made.zone(RECORD)
    for zone in (outer, inner):
        made.records(zone, *pair("52.11.79.8", "52.11.79.9", None))
    secondary = pair("52.11.79.8", "52.11.79.9", None, name=f"www.{RECORD}")[1]
    made.records(inner, secondary)
    assert adopt()["env"]["hosted_zone"]["id"] == inner


def test_a_load_balancer_that_the_region_does_not_have_is_unknown(
    made: HandMade, adopt: Adopt
) -> None:
    roles = ("PRIMARY", "SECONDARY")
    made.records(
        made.zone(), *(alias(role, f"{role.lower()}-1.elb.amazonaws.com") for role in roles)
    )
    found = adopt()
    assert "primary-1.elb.amazonaws.com: the instance behind it" in found["unknown"]
    assert found["env"]["failover_on"] == ["endpoint"]


@pytest.mark.no_cover
def test_a_private_zone_is_written_as_one(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone(private=True)
    _, blue = made.instance("bookstore-api-blue")
    _, green = made.instance("bookstore-api-green")
    made.records(zone, *pair(blue, green, None))
    found = adopt("--region", REGION)["env"]
    assert found["hosted_zone"] == {"name": ZONE, "id": zone, "private": True}
