"""`resiliency adopt`: what it makes of health checks."""

import json
from pathlib import Path

import pytest

from tests.resiliency.adopt.accounts import (
    RECORD,
    REGION,
    HandMade,
    pair,
    zone_and_hosts,
)
from tests.resiliency.adopt.conftest import Adopt, actions, batch, fields

pytestmark = pytest.mark.slow


@pytest.mark.no_cover
def test_a_pair_without_a_health_check_gets_one(made: HandMade, adopt: Adopt) -> None:
    zone, _, blue, _, green = zone_and_hosts(made)
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


def test_a_calculated_health_check_is_several_signals(made: HandMade, adopt: Adopt) -> None:
    zone, blue, blue_address, _, green_address = zone_and_hosts(made)
    topic = made.topic()
    status = made.status_alarm("bookstore-api-blue", blue, topic)
    made.connectivity_alarms("db", topic, "Database")
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
    zone, _, blue, _, green = zone_and_hosts(made)
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


def test_health_checks_that_are_wrong_are_found(made: HandMade, adopt: Adopt) -> None:
    zone, _, blue, other, green = zone_and_hosts(made)
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
    zone, _, blue, _, green = zone_and_hosts(made)
    check = made.health_check("gone", AlarmIdentifier={"Region": "eu-west-1", "Name": "gone"})
    made.records(zone, *pair(blue, green, check))
    found = adopt("--region", REGION)
    assert f"health check {check}: its alarm gone in eu-west-1 does not exist" in found["findings"]
    made.route53.delete_health_check(HealthCheckId=check)
    found = adopt("--region", REGION)
    assert f"health check {check}: does not exist, though a record names it" in found["findings"]


@pytest.mark.no_cover
def test_a_secondary_has_no_health_check_of_its_own(made: HandMade, adopt: Adopt) -> None:
    zone, _, blue, _, green = zone_and_hosts(made)
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
    made.records(zone, {**secondary, "HealthCheckId": first}, action="UPSERT")
    found = adopt()
    names = [each["name"] for each in found["resources"] if each["kind"] == "health check"]
    assert names == [first]


def test_a_health_check_that_no_signal_names_is_found(made: HandMade, adopt: Adopt) -> None:
    zone, _, blue, _, green = zone_and_hosts(made)
    topic = made.topic()
    alarm = made.status_alarm(
        "errors", "i-0ab55a49288f1da24", topic, Namespace="Shop", MetricName="Errors"
    )
    made.records(zone, *pair(blue, green, made.health_check(alarm)))
    found = adopt()
    assert any("on a metric that failover_on can't name" in each for each in found["findings"])
    assert found["env"]["failover_on"] == ["status"]
    assert ("health check", "AlarmIdentifier") in fields(found)


@pytest.mark.no_cover
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


def test_a_health_check_that_no_update_can_mend_is_replaced_everywhere(
    made: HandMade, adopt: Adopt
) -> None:
    zone, blue, blue_address, _, green_address = zone_and_hosts(made)
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
