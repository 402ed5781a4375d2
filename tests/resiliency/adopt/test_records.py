"""`resiliency adopt`: which hosts the records of a name show, and which records the plan makes."""

from pathlib import Path

import pytest

from tests.cases import cases
from tests.resiliency.adopt.accounts import (
    RECORD,
    REGION,
    ZONE,
    HandMade,
    alias,
    pair,
    recipe,
    record,
)
from tests.resiliency.adopt.conftest import Adopt, actions, batch, commands, fields
from tests.resiliency.conftest import Resiliency
from tests.support import Data

pytestmark = pytest.mark.slow


def with_standby(adopt: Adopt, found: Data) -> Data:
    """Give the address of the standby, which no record has, in the written file."""
    file = Path(found["service_file"])
    text = file.read_text(encoding="utf-8").replace("192.0.2.1", "52.11.79.9")
    file.write_text(text, encoding="utf-8")
    return adopt("--service-file", str(file))


def test_a_simple_record_becomes_the_pair_in_one_batch(made: HandMade, adopt: Adopt) -> None:
    address = made.instance("shop-blue").address
    made.records(made.zone(), record("A", address, TTL=300))
    found = adopt("--service", "shop")
    assert found["service"]["service"] == "shop"
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
    blue = made.instance("shop-blue")
    (reservation,) = made.ec2.describe_instances(InstanceIds=[blue.id])["Reservations"]
    made.records(made.zone(), record("CNAME", reservation["Instances"][0]["PublicDnsName"]))
    found = adopt()
    assert found["env"]["hosts"]["blue"]["address"] == blue.address
    found = with_standby(adopt, found)
    assert batch(found)[0] == ("DELETE", "CNAME", None)
    assert ("record", "Type") in fields(found)


def test_a_pair_without_a_health_check_gets_one(made: HandMade, adopt: Adopt) -> None:
    blue, green = made.hosts()
    made.records(made.zone(), *pair(blue.address, green.address, None))
    found = adopt()
    assert (
        f"{RECORD}: the primary record has no health check, so clients are never moved"
        in found["findings"]
    )
    assert "no alarm on the hosts notifies a topic" in found["findings"]
    assert found["env"]["notifications"] == {"topic_name": "bookstore-alarms"}
    assert batch(found) == [("UPSERT", "A", "PRIMARY")]
    did = actions(found)
    assert did[f"{RECORD} A PRIMARY"] == "changed, then imported"
    assert did["bookstore-api-blue-StatusCheckFailed"] == "created, then imported"


def test_a_primary_that_points_to_green_is_active_green(made: HandMade, adopt: Adopt) -> None:
    blue, green = made.hosts()
    made.records(made.zone(), *pair(green.address, blue.address, None))
    env = adopt()["env"]
    assert env["active"] == "green"
    assert env["hosts"]["green"] == {
        "name": "bookstore-api-green",
        "instance_id": green.id,
        "address": green.address,
    }


def test_both_address_families_are_hosts_with_two_addresses(made: HandMade, adopt: Adopt) -> None:
    blue, green = made.hosts()
    made.records(
        made.zone(),
        *pair(blue.address, green.address, None),
        record("AAAA", "2600:1f14::8", SetIdentifier="six-8", Failover="PRIMARY"),
        record("AAAA", "2600:1f14::9", SetIdentifier="six-9", Failover="SECONDARY"),
    )
    found = adopt()
    host = found["env"]["hosts"]["blue"]
    assert (host["address"], host["ipv6_address"]) == (blue.address, "2600:1f14::8")
    assert batch(found) == [
        ("UPSERT", "A", "PRIMARY"),
        ("DELETE", "AAAA", "PRIMARY"),
        ("DELETE", "AAAA", "SECONDARY"),
        ("CREATE", "AAAA", "PRIMARY"),
        ("CREATE", "AAAA", "SECONDARY"),
    ]


def test_alias_records_are_hosts_behind_load_balancers(made: HandMade, adopt: Adopt) -> None:
    subnets = [each["SubnetId"] for each in made.ec2.describe_subnets()["Subnets"]][:2]
    vpc = made.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    blue, green = (
        made.elb.create_load_balancer(Name=color, Subnets=subnets)["LoadBalancers"][0]
        for color in ("blue", "green")
    )
    instance = made.instance("shop-blue").id
    (group,) = made.elb.create_target_group(Name="blue", Protocol="HTTP", Port=80, VpcId=vpc)[
        "TargetGroups"
    ]
    arn = group["TargetGroupArn"]
    made.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance}])
    made.elb.create_listener(
        LoadBalancerArn=blue["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    made.records(
        made.zone(),
        alias("PRIMARY", f"dualstack.{blue['DNSName']}"),
        alias("SECONDARY", f"dualstack.{green['DNSName']}"),
    )
    found = adopt()
    hosts = found["env"]["hosts"]
    assert (hosts["blue"]["name"], hosts["blue"]["instance_id"]) == ("shop-blue", instance)
    assert hosts["blue"]["alias"]["dns_name"].startswith("dualstack.blue-")
    assert "address" not in hosts["green"]
    assert any("has 0 instances behind it" in each for each in found["unknown"])
    assert {("record", "AliasTarget"), ("record", "SetIdentifier")} <= fields(found)
    assert [action for action, _, _ in batch(found)] == ["DELETE", "DELETE", "CREATE", "CREATE"]


def test_a_load_balancer_that_the_region_does_not_have_is_unknown(
    made: HandMade, adopt: Adopt
) -> None:
    balancers = ("primary-1.elb.amazonaws.com", "secondary-1.elb.amazonaws.com")
    made.records(made.zone(), *map(alias, ("PRIMARY", "SECONDARY"), balancers))
    found = adopt()
    assert "primary-1.elb.amazonaws.com: the instance behind it" in found["unknown"]
    assert found["env"]["failover_on"] == ["endpoint"]


def test_the_endpoint_decides_where_no_instance_is_the_active_host(
    made: HandMade, adopt: Adopt
) -> None:
    made.records(made.zone(), *pair("52.11.79.8", "52.11.79.9", None))
    found = adopt()
    assert found["env"]["failover_on"] == ["endpoint"]
    assert {host["name"] for host in found["env"]["hosts"].values()} == {
        "bookstore-blue",
        "bookstore-green",
    }
    assert any("so its endpoint decides" in each for each in found["findings"])


def test_other_pairs_of_the_zone_with_the_same_hosts_are_further_names(
    made: HandMade, adopt: Adopt
) -> None:
    zone, blue, green, _, check = recipe(made)
    www = pair(blue.address, green.address, check, name=f"www.{ZONE}", service="www")
    made.records(zone, *www)
    made.records(zone, *pair("192.0.2.7", "192.0.2.8", None, name=f"shop.{ZONE}", service="shop"))
    found = adopt()
    assert found["env"]["endpoint"]["more_records"] == [f"www.{ZONE}"]
    did = actions(found)
    assert did[f"{RECORD} A PRIMARY"] == "imported"
    assert did[f"www.{ZONE} A PRIMARY"] == "replaced without a gap"
    assert not any(f"shop.{ZONE}" in name for name in did)


def test_a_zone_with_a_longer_name_is_the_one_that_answers(made: HandMade, adopt: Adopt) -> None:
    outer, inner = made.zone(), made.zone(RECORD)
    for zone in (outer, inner):
        made.records(zone, *pair("52.11.79.8", "52.11.79.9", None))
    secondary = pair("52.11.79.8", "52.11.79.9", None, name=f"www.{RECORD}")[1]
    made.records(inner, secondary)
    assert adopt()["env"]["hosted_zone"]["id"] == inner


def test_a_private_zone_is_written_as_one(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone(private=True)
    blue, green = made.hosts()
    made.records(zone, *pair(blue.address, green.address, None))
    found = adopt("--region", REGION)["env"]
    assert found["hosted_zone"] == {"name": ZONE, "id": zone, "private": True}


THREE = ("192.0.2.1", "192.0.2.2", "192.0.2.3")


@cases(
    ("records", "message"),
    {
        "a weighted record": (
            [record("A", "192.0.2.1", SetIdentifier="a", Weight=1)],
            "is a weighted record; adopt takes simple records and failover pairs",
        ),
        "a text": (
            [record("TXT", '"text"')],
            "has only records of the type TXT; give a name that leads to hosts",
        ),
        "a secondary alone": (
            [record("A", "192.0.2.1", SetIdentifier="a", Failover="SECONDARY")],
            "have a SECONDARY and no PRIMARY",
        ),
        "a simple record of three values": (
            [record("A", *THREE)],
            "has 3 values; a pair has two hosts",
        ),
        "a primary of three values": (
            [
                record("A", *THREE, SetIdentifier="a", Failover="PRIMARY"),
                record("A", "192.0.2.2", SetIdentifier="b", Failover="SECONDARY"),
            ],
            "the PRIMARY record has 3 values",
        ),
    },
)
def test_other_records_are_refused(
    records: list[Data], message: str, made: HandMade, resiliency: Resiliency
) -> None:
    made.records(made.zone(), *records)
    assert message in resiliency("adopt", RECORD, status=2).err


def test_an_alias_of_another_name_is_refused(made: HandMade, resiliency: Resiliency) -> None:
    zone = recipe(made).zone
    target = {"HostedZoneId": zone, "DNSName": f"{RECORD}.", "EvaluateTargetHealth": True}
    made.records(zone, {"Name": f"www.{ZONE}.", "Type": "A", "AliasTarget": target})
    done = resiliency("adopt", f"www.{ZONE}", status=2)
    assert f"is an alias of {RECORD} in the same zone; adopt that" in done.err


def test_a_name_that_does_not_exist_is_refused(made: HandMade, resiliency: Resiliency) -> None:
    done = resiliency("adopt", RECORD, status=2)
    assert "no record of that name (no hosted zone could hold it)" in done.err
    zone = made.zone()
    done = resiliency("adopt", RECORD, status=2)
    assert f"no record of that name ({zone} ({ZONE}, public))" in done.err
    done = resiliency("adopt", RECORD, "--zone", "Z0", status=2)
    assert "--zone: no hosted zone Z0 that could hold" in done.err
