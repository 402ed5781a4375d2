"""`resiliency adopt` of each shape of a set-up: the file that it writes, differences and plan."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from resiliency.account import readers
from resiliency.cli import main
from resiliency.drill_cli.aws import Aws, action
from resiliency.service_file import load
from tests.resiliency.adopt.accounts import RECORD, REGION, ZONE, HandMade, pair, recipe
from tests.resiliency.conftest import Resiliency
from tests.support import ROOT, Data

pytestmark = pytest.mark.slow

Adopt = Callable[..., Data]


@pytest.fixture
def adopt(made: HandMade, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Adopt:
    def run(*arguments: str, record: str = RECORD, status: int = 1) -> Data:
        out = ["--out", str(tmp_path), "--json"]
        assert main(["adopt", record, *arguments, *out]) == status, capsys.readouterr().err
        printed = capsys.readouterr().out
        document: Data = json.loads(printed)
        file = Path(document["service_file"])
        (service,) = load(file)  # sound
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["env"] = content["environments"]["production"]
        document["service"] = content
        document["name"] = service.service
        return document

    return run


def refused(arguments: list[str], status: int, message: str, capsys: Any) -> None:
    assert main(["adopt", *arguments]) == status
    assert message in capsys.readouterr().err


def actions(document: Data) -> dict[str, str]:
    return {each["name"]: each["action"] for each in document["resources"]}


def fields(document: Data) -> set[tuple[str, str]]:
    return {(each["kind"], each["field"]) for each in document["differences"]}


def commands(document: Data) -> list[str]:
    return [command for step in document["steps"] for command in step["commands"]]


def zone_and_hosts(made: HandMade) -> tuple[str, str, str]:
    """A zone, and the addresses of blue and of green."""
    zone = made.zone()
    _, blue = made.instance("bookstore-api-blue")
    _, green = made.instance("bookstore-api-green")
    return zone, blue, green


def batch(document: Data) -> list[tuple[str, str, str | None]]:
    """The changes of the plan's change batch: action, type and role."""
    file = Path(document["service_file"]).with_name("change-batch.json")
    changes = json.loads(file.read_text(encoding="utf-8"))["Changes"]
    return [
        (
            each["Action"],
            each["ResourceRecordSet"]["Type"],
            each["ResourceRecordSet"].get("Failover"),
        )
        for each in changes
    ]


def with_standby(adopt: Adopt, found: Data) -> Data:
    """Give the address of the standby, which no record has, in the written file."""
    file = Path(found["service_file"])
    text = file.read_text(encoding="utf-8").replace("192.0.2.1", "52.11.79.9")
    file.write_text(text, encoding="utf-8")
    return adopt("--service-file", str(file))


def test_the_recipe_is_described(made: HandMade, adopt: Adopt) -> None:
    recipe(made)
    found = adopt("--dependency", "db=db.example.com:5433", "--dependency", "cdn=c.example.com:80")
    assert (found["service"]["service"], found["service"]["display_name"]) == (
        "bookstore",
        "Bookstore API",
    )
    env = found["env"]
    assert (env["active"], env["failover_on"], env["region"]) == ("blue", ["status"], REGION)
    assert {color: host["name"] for color, host in env["hosts"].items()} == {
        "blue": "bookstore-api-blue",
        "green": "bookstore-api-green",
    }
    assert env["dependencies"] == {
        "cdn": {"label": "CDN", "host": "c.example.com", "port": 80},
        "db": {"label": "Database", "host": "db.example.com", "port": 5433},
    }
    assert env["notifications"]["topic_arn"].endswith(":PingPublicationsSNS")
    assert found["unknown"] == [
        "whether something on the hosts publishes the same metrics already: stop it then"
    ]
    assert fields(found) == {("health check", "Name")}


def test_what_aws_does_not_know_is_marked_in_the_file(made: HandMade, adopt: Adopt) -> None:
    recipe(made)
    found = adopt()
    text = Path(found["service_file"]).read_text(encoding="utf-8")
    assert text.count("# CHECK: AWS does not know what the hosts connect to") == 2
    assert "dependency db: its host and port; give --dependency db=HOST:PORT" in found["unknown"]


def test_nothing_is_found_where_all_is_equal(made: HandMade, adopt: Adopt) -> None:
    zone, check = recipe(made)
    topic = made.topic("there")
    made.route53.change_tags_for_resource(
        ResourceType="healthcheck",
        ResourceId=check,
        AddTags=[{"Key": "Name", "Value": "bookstore-api-blue-StatusCheckFailed"}],
    )
    assert topic
    assert fields(adopt()) == set()
    assert made.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]


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


def test_a_pair_without_a_health_check_gets_one(made: HandMade, adopt: Adopt) -> None:
    zone, blue, green = zone_and_hosts(made)
    made.records(zone, *pair(blue, green, None))
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
        records.append(
            {
                "Name": f"{RECORD}.",
                "Type": "A",
                "SetIdentifier": color,
                "Failover": role,
                "AliasTarget": {
                    "DNSName": f"dualstack.{balancer['DNSName']}.",
                    "HostedZoneId": "Z1H1FL5HABSF5",
                    "EvaluateTargetHealth": color == "blue",
                },
            }
        )
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
    (primary, secondary) = (
        each
        for each in made.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        if each["Name"] == f"{RECORD}."
    )
    blue, green = (each["ResourceRecords"][0]["Value"] for each in (primary, secondary))
    made.records(zone, *pair(blue, green, check, name=f"www.{ZONE}", service="www"))
    made.records(zone, *pair("192.0.2.7", "192.0.2.8", None, name=f"shop.{ZONE}", service="shop"))
    found = adopt()
    assert found["env"]["endpoint"]["more_records"] == [f"www.{ZONE}"]
    did = actions(found)
    assert did[f"{RECORD} A PRIMARY"] == "imported"
    assert did[f"www.{ZONE} A PRIMARY"] == "replaced without a gap"
    assert not any(f"shop.{ZONE}" in name for name in did)


def test_an_alarm_at_two_of_three_is_kept_where_a_health_check_does_not_follow_it(
    made: HandMade, adopt: Adopt
) -> None:
    recipe(made)
    topic = made.topic()
    for host in ("bookstore-api-blue", "bookstore-api-green"):
        made.connectivity_alarm(
            host,
            "db",
            topic,
            "Database",
            EvaluationPeriods=3,
            DatapointsToAlarm=2,
            TreatMissingData="breaching",
        )
    found = adopt()
    assert found["env"]["dependencies"]["db"]["alarm"] == {
        "evaluation_periods": 3,
        "datapoints_to_alarm": 2,
        "missing_data": "breaching",
    }
    assert fields(found) == {("health check", "Name")}


def test_what_route_53_can_not_follow_is_a_difference_of_the_status_alarm(
    made: HandMade, adopt: Adopt
) -> None:
    recipe(made)
    (blue,) = made.ec2.describe_instances(
        Filters=[{"Name": "tag:Name", "Values": ["bookstore-api-blue"]}]
    )["Reservations"]
    instance = blue["Instances"][0]["InstanceId"]
    made.status_alarm(
        "bookstore-api-blue", instance, made.topic(), EvaluationPeriods=3, DatapointsToAlarm=2
    )
    found = adopt()
    assert ("alarm", "DatapointsToAlarm") in fields(found)
    assert any("status_alarm.datapoints_to_alarm" in each for each in found["findings"])
    # The health check still follows what it read of the alarm when it was made.
    assert any("it was edited later" in each for each in found["findings"])
    assert actions(found)["bookstore-api-blue-StatusCheckFailed"] == "changed, then imported"
    (reads_again,) = [each for each in commands(found) if "update-health-check" in each]
    assert "Name=bookstore-api-blue-StatusCheckFailed" in reads_again


def test_alarms_on_metric_math_are_left_alone(made: HandMade, adopt: Adopt) -> None:
    recipe(made)
    made.cloudwatch.put_metric_alarm(
        AlarmName="errors",
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[
            {
                "Id": "m",
                "ReturnData": True,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "Bookstore",
                        "MetricName": "errors",
                        "Dimensions": [{"Name": "Host", "Value": "bookstore-api-blue"}],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
        ],
    )
    assert actions(adopt())["errors"] == "left alone"


def test_a_topic_that_reaches_nobody_is_found(made: HandMade, adopt: Adopt) -> None:
    recipe(made, subscriber=False)
    found = adopt()
    (arn,) = [each["name"] for each in found["resources"] if each["kind"] == "topic"]
    assert f"{arn}: has no subscription; nobody is notified" in found["findings"]


def test_a_calculated_health_check_is_several_signals(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone()
    blue, blue_address = made.instance("bookstore-api-blue")
    _, green_address = made.instance("bookstore-api-green")
    topic = made.topic()
    status = made.status_alarm("bookstore-api-blue", blue, topic)
    for host in ("bookstore-api-blue", "bookstore-api-green"):
        made.connectivity_alarm(host, "db", topic, "Database")
    children = [
        made.health_check(status),
        made.health_check("bookstore-api-blue-db-connectivity-failed"),
    ]
    both = made.check({"Type": "CALCULATED", "ChildHealthChecks": children, "HealthThreshold": 1})
    made.records(zone, *pair(blue_address, green_address, both))
    found = adopt()
    assert found["env"]["failover_on"] == ["status", "db"]
    assert any("is healthy with 1 of 2 health checks" in each for each in found["findings"])
    assert fields(found) == {("health check", "HealthThreshold"), ("health check", "Name")}
    assert {actions(found)[each] for each in (both, *children)} == {"changed, then imported"}


def test_a_health_check_of_an_endpoint_is_the_signal_endpoint(made: HandMade, adopt: Adopt) -> None:
    zone, blue, green = zone_and_hosts(made)
    check = made.check(
        {
            "Type": "HTTPS_STR_MATCH",
            "IPAddress": blue,
            "Port": 8443,
            "ResourcePath": "/health",
            "FullyQualifiedDomainName": "inside.example.com",
            "SearchString": "fine",
            "RequestInterval": 10,
            "FailureThreshold": 2,
            "EnableSNI": True,
            "Regions": ["us-east-1", "eu-west-1", "us-west-2"],
        }
    )
    made.records(zone, *pair(blue, green, check))
    found = adopt("--region", REGION)
    assert found["env"]["failover_on"] == ["endpoint"]
    assert found["env"]["endpoint"]["port"] == 8443
    assert found["env"]["endpoint"]["check"] == {
        "protocol": "https",
        "path": "/health",
        "interval_seconds": 10,
        "failure_threshold": 2,
        "regions": ["eu-west-1", "us-east-1", "us-west-2"],
        "host": "inside.example.com",
        "search_text": "fine",
    }
    assert fields(found) == {("health check", "Name")}


def test_a_primary_that_points_to_green_is_active_green(made: HandMade, adopt: Adopt) -> None:
    zone, blue, green = zone_and_hosts(made)
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
    for host in ("bookstore-api-blue", "bookstore-api-green"):
        made.connectivity_alarm(host, "db", topic, "Database")
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


def test_health_checks_that_are_wrong_are_found(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone()
    _, blue = made.instance("bookstore-api-blue")
    other, green = made.instance("bookstore-api-green")
    alarm = made.status_alarm("elsewhere", other, None)
    check = made.health_check(alarm, Inverted=True, Disabled=True)
    made.records(zone, *pair(blue, green, check))
    found = adopt()
    text = "\n".join(found["findings"])
    assert "is inverted: an alarm counts as healthy" in text
    assert "is disabled, and so always healthy" in text
    assert f"observes {other}; the primary points to" in text
    assert {("health check", "Inverted"), ("health check", "Disabled")} <= fields(found)
    assert actions(found)["elsewhere-StatusCheckFailed"] == "left alone"


def test_a_health_check_on_an_alarm_that_is_gone_or_elsewhere_is_found(
    made: HandMade, adopt: Adopt
) -> None:
    zone, blue, green = zone_and_hosts(made)
    check = made.health_check("gone", AlarmIdentifier={"Region": "eu-west-1", "Name": "gone"})
    made.records(zone, *pair(blue, green, check))
    found = adopt("--region", REGION)
    assert f"health check {check}: its alarm gone in eu-west-1 does not exist" in found["findings"]
    made.route53.delete_health_check(HealthCheckId=check)
    found = adopt("--region", REGION)
    assert f"health check {check}: does not exist, though a record names it" in found["findings"]


def test_a_larger_account_yields_the_right_service_and_nothing_else(
    made: HandMade, adopt: Adopt, capsys: pytest.CaptureFixture[str], resiliency: Resiliency
) -> None:
    zone = made.zone()
    inner = made.zone(private=True)
    topics = {name: made.topic(name) for name in ("shop-ops", "books-ops", "mail-ops", "others")}
    addresses: dict[str, list[str]] = {}
    for service in ("shop", "books", "mail"):
        blue, blue_address = made.instance(f"{service}-blue")
        _, green_address = made.instance(f"{service}-green")
        topic = topics[f"{service}-ops"]
        alarm = made.status_alarm(f"{service}-blue", blue, topic, AlarmDescription="down")
        for host in (f"{service}-blue", f"{service}-green"):
            made.connectivity_alarm(
                host, "db", topic, "DB", Namespace=service.title(), AlarmDescription="db"
            )
        check = made.health_check(alarm)
        addresses[service] = [blue_address, green_address]
        made.records(
            zone,
            *pair(blue_address, green_address, check, name=f"{service}.{ZONE}", service=service),
        )
    for number in range(40):
        instance, _ = made.instance(f"other-{number}")
        made.status_alarm(f"other-{number}", instance, topics["others"])
    made.records(inner, *pair("10.0.0.1", "10.0.0.2", None, name=f"shop.{ZONE}", service="inner"))
    for service in ("books", "mail"):
        found = adopt(record=f"{service}.{ZONE}")
        assert found["name"] == service
        assert found["service"]["namespace"] == service.title()
        hosts = found["env"]["hosts"]
        assert [hosts[color]["name"] for color in hosts] == [f"{service}-blue", f"{service}-green"]
        assert [hosts[color]["address"] for color in hosts] == addresses[service]
        assert found["env"]["notifications"] == {"topic_arn": topics[f"{service}-ops"]}
        names = [each["name"] for each in found["resources"]]
        assert not any("other" in name for name in names)
        others = {"shop", "books", "mail"} - {service}
        assert not any(other in name for name in names for other in others)
    resiliency("adopt", f"shop.{ZONE}", status=2)
    found = adopt("--zone", zone, record=f"shop.{ZONE}")
    assert found["env"]["hosted_zone"]["id"] == zone
    assert found["env"]["hosts"]["blue"]["address"] == addresses["shop"][0]
    # Nothing shows the hosts of the other one, and no health checker of Route 53 can reach them.
    refused(["--zone", inner, f"shop.{ZONE}"], 2, "has no instance_id", capsys)


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
    record: Data, message: str, made: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    value = '"text"' if record["Type"] == "TXT" else "192.0.2.1"
    made.records(
        made.zone(), {"Name": f"{RECORD}.", "ResourceRecords": [{"Value": value}], **record}
    )
    refused([RECORD], 2, message, capsys)


def test_too_many_values_are_refused(made: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    values = [{"Value": f"192.0.2.{number}"} for number in range(1, 4)]
    simple = {"Name": f"{RECORD}.", "Type": "A", "TTL": 60, "ResourceRecords": values}
    zone = made.zone()
    made.records(zone, simple)
    refused([RECORD], 2, "has 3 values; a pair has two hosts", capsys)
    primary, secondary = pair("192.0.2.1", "192.0.2.2", None, name=f"other.{ZONE}")
    made.records(zone, {**primary, "ResourceRecords": values}, secondary)
    refused([f"other.{ZONE}"], 2, "the PRIMARY record has 3 values", capsys)


def test_an_alias_of_another_name_is_refused(
    made: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    zone, _ = recipe(made)
    alias = {"HostedZoneId": zone, "DNSName": f"{RECORD}.", "EvaluateTargetHealth": True}
    made.records(zone, {"Name": f"www.{ZONE}.", "Type": "A", "AliasTarget": alias})
    refused([f"www.{ZONE}"], 2, f"is an alias of {RECORD} in the same zone; adopt that", capsys)


def test_a_name_that_does_not_exist_is_refused(
    made: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    refused([RECORD], 2, "no record of that name (no hosted zone could hold it)", capsys)
    zone = made.zone()
    refused([RECORD], 2, f"no record of that name ({zone} ({ZONE}, public))", capsys)
    refused([RECORD, "--zone", "Z0"], 2, "--zone: no hosted zone Z0 that could hold", capsys)


def test_text_fits_60_columns_and_has_no_colour(
    made: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resiliency: Resiliency
) -> None:
    recipe(made)
    monkeypatch.setenv("COLUMNS", "60")
    printed = resiliency("adopt", RECORD, "--out", tmp_path, status=1).out
    assert "\x1b" not in printed
    prose = [
        line for line in printed.splitlines() if not line.startswith(("     ", "service file"))
    ]
    assert max(map(len, prose)) <= 60
    for title in ("Found", "Not shown by the account", "Differs from", "What becomes", "Plan"):
        assert title in printed


def test_an_edited_file_can_be_compared(
    made: HandMade, adopt: Adopt, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe(made)
    file = Path(adopt()["service_file"])
    edited = tmp_path / "edited.yaml"
    text = file.read_text(encoding="utf-8")
    edited.write_text(text.replace("Bookstore API", "Books"), encoding="utf-8")
    found = adopt("--service-file", str(edited))
    assert ("alarm", "AlarmDescription") in fields(found)
    edited.write_text("service: [", encoding="utf-8")
    refused([RECORD, "--service-file", str(edited)], 2, "edited.yaml", capsys)
    refused([RECORD, "--service-file", str(tmp_path)], 2, "is a folder", capsys)


def test_the_policy_allows_what_adopt_asks_for_and_nothing_else(
    made: HandMade, adopt: Adopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[tuple[str, str]] = set()
    call, pages = Aws.__call__, Aws.pages

    def recorded_call(aws: Aws, service: str, operation: str, **given: Any) -> Any:
        asked.add((service, operation))
        return call(aws, service, operation, **given)

    def recorded_pages(aws: Aws, of: tuple[str, str], **given: object) -> Any:
        asked.add(of)
        return pages(aws, of, **given)

    recipe(made)
    monkeypatch.setattr(Aws, "__call__", recorded_call)
    monkeypatch.setattr(Aws, "pages", recorded_pages)
    adopt()
    # Only hosts behind load balancers have these.
    asked |= {readers.BALANCERS, readers.TARGET_GROUPS, readers.TARGETS}
    policy = json.loads((ROOT / "examples/policies/adopt.json").read_text(encoding="utf-8"))
    allowed = {
        each
        for statement in policy["Statement"]
        for each in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }
    assert {action(*each) for each in asked} - {"sts:GetCallerIdentity"} == allowed


def test_a_secondary_has_no_health_check_of_its_own(made: HandMade, adopt: Adopt) -> None:
    zone, blue, green = zone_and_hosts(made)
    alarm = made.status_alarm("other", "i-0ab55a49288f1da24", None)
    first, second = made.health_check(alarm), made.health_check(alarm)
    primary, secondary = pair(blue, green, first)
    made.records(zone, primary, {**secondary, "HealthCheckId": second})
    found = adopt()
    assert ("record", "HealthCheckId") in fields(found)
    assert (actions(found)[first], actions(found)[second]) == (
        "changed, then imported",
        "left alone",
    )
    made.route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={
            "Changes": [
                {"Action": "UPSERT", "ResourceRecordSet": {**secondary, "HealthCheckId": first}}
            ]
        },
    )
    found = adopt()
    names = [each["name"] for each in found["resources"] if each["kind"] == "health check"]
    assert names == [first]


def test_both_address_families_are_hosts_with_two_addresses(made: HandMade, adopt: Adopt) -> None:
    zone, blue, green = zone_and_hosts(made)
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


def test_what_is_wrong_with_topics_and_names_is_found(made: HandMade, adopt: Adopt) -> None:
    zone, _ = recipe(made)
    made.instance("bookstore-api-green")
    elsewhere = "arn:aws:sns:us-west-2:999999999999:theirs"
    gone = "arn:aws:sns:us-west-2:123456789012:gone"
    secret = made.topic("secret")
    made.sns.set_topic_attributes(
        TopicArn=secret, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
    )
    made.sns.subscribe(TopicArn=secret, Protocol="email", Endpoint="ops@example.com")
    for host in ("bookstore-api-blue", "bookstore-api-green"):
        made.connectivity_alarm(
            host,
            "search",
            elsewhere,
            "Search",
            Namespace="Other",
            AlarmActions=[elsewhere, gone, secret],
        )
    found = adopt()
    text = "\n".join(found["findings"])
    assert f"{gone}: does not exist; alarms notify nobody there" in text
    assert f"{secret}: is encrypted with alias/aws/sns, with which alarms can't publish" in text
    assert "bookstore-api-green: several instances have this Name tag" in text
    assert "connectivity metrics are in the namespaces Bookstore, Other" in text
    assert any(each.startswith(f"{elsewhere}: is another account's") for each in found["unknown"])
    assert set(found["env"]["notifications"]["more_topics"]) == {elsewhere, gone, secret}
    assert zone == found["env"]["hosted_zone"]["id"]


def test_a_health_check_that_no_signal_names_is_found(made: HandMade, adopt: Adopt) -> None:
    zone, blue, green = zone_and_hosts(made)
    topic = made.topic()
    alarm = made.status_alarm(
        "errors", "i-0ab55a49288f1da24", topic, Namespace="Shop", MetricName="Errors"
    )
    made.records(zone, *pair(blue, green, made.health_check(alarm)))
    found = adopt()
    assert any("on a metric that failover_on can't name" in each for each in found["findings"])
    assert found["env"]["failover_on"] == ["status"]
    assert ("health check", "AlarmIdentifier") in fields(found)


def test_a_topic_in_virginia_is_for_the_alarm_on_failovers(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone()
    blue, blue_address = made.instance("bookstore-api-blue")
    _, green = made.instance("bookstore-api-green")
    there = made.sns.create_topic(Name="here")["TopicArn"].replace("us-west-2", "us-east-1")
    alarm = made.status_alarm(
        "bookstore-api-blue",
        blue,
        None,
        AlarmActions=[made.topic(), there],
        OKActions=[there],
    )
    made.records(zone, *pair(blue_address, green, made.health_check(alarm)))
    found = adopt()
    assert found["env"]["notifications"]["more_topics"] == [there]
    assert found["env"]["notifications"]["recovery"] is True
    assert not any("no topic in us-east-1" in each for each in found["findings"])


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
    made.records(
        made.zone(),
        *(
            {
                "Name": f"{RECORD}.",
                "Type": "A",
                "SetIdentifier": f"bookstore-{role.title()}",
                "Failover": role,
                "AliasTarget": {
                    "DNSName": f"{role.lower()}-1.elb.amazonaws.com.",
                    "HostedZoneId": "Z1H1FL5HABSF5",
                    "EvaluateTargetHealth": True,
                },
            }
            for role in ("PRIMARY", "SECONDARY")
        ),
    )
    found = adopt()
    assert "primary-1.elb.amazonaws.com: the instance behind it" in found["unknown"]
    assert found["env"]["failover_on"] == ["endpoint"]


def test_a_health_check_that_no_update_can_mend_is_replaced_everywhere(
    made: HandMade, adopt: Adopt
) -> None:
    zone = made.zone()
    blue, blue_address = made.instance("bookstore-api-blue")
    _, green_address = made.instance("bookstore-api-green")
    status = made.health_check(made.status_alarm("bookstore-api-blue", blue, made.topic()))
    endpoint = made.check(
        {
            "Type": "HTTP",
            "IPAddress": blue_address,
            "Port": 80,
            "ResourcePath": "/version/",
            "FullyQualifiedDomainName": RECORD,
            "MeasureLatency": True,
        }
    )
    both = made.check(
        {"Type": "CALCULATED", "ChildHealthChecks": [status, endpoint], "HealthThreshold": 2}
    )
    made.records(zone, *pair(blue_address, green_address, both))
    found = adopt()
    files = Path(found["service_file"]).parent.glob("health-check-*.json")
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    (created,) = [each["HealthCheckConfig"] for each in documents if "HealthCheckConfig" in each]
    assert (created["Type"], created.get("MeasureLatency")) == ("HTTP", None)
    (children,) = [each["ChildHealthChecks"] for each in documents if "ChildHealthChecks" in each]
    assert status in children
    assert any(child.startswith("NEW_") for child in children)
    did = [each["action"] for each in found["resources"] if each["name"] == endpoint]
    assert did == ["replaced without a gap", "left alone"]


def test_a_private_zone_is_written_as_one(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone(private=True)
    _, blue = made.instance("bookstore-api-blue")
    _, green = made.instance("bookstore-api-green")
    made.records(zone, *pair(blue, green, None))
    found = adopt("--region", REGION)["env"]
    assert found["hosted_zone"] == {"name": ZONE, "id": zone, "private": True}
