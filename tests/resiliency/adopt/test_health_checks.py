"""`resiliency adopt`: the signals that health checks follow, and what is wrong with them."""

import json
from pathlib import Path

import pytest

from tests.resiliency.adopt.accounts import RECORD, REGION, HandMade, pair, recipe
from tests.resiliency.adopt.conftest import Adopt, actions, commands, fields

pytestmark = pytest.mark.slow


def test_a_calculated_health_check_is_several_signals(made: HandMade, adopt: Adopt) -> None:
    blue, green = made.hosts()
    topic = made.topic()
    status = made.status_alarm("bookstore-api-blue", blue.id, topic)
    made.connectivity_alarms("db", topic, "Database")
    children = [
        made.health_check(status),
        made.health_check("bookstore-api-blue-db-connectivity-failed"),
    ]
    both = made.check("CALCULATED", ChildHealthChecks=children, HealthThreshold=1)
    made.records(made.zone(), *pair(blue.address, green.address, both))
    found = adopt()
    assert found["env"]["failover_on"] == ["status", "db"]
    assert any("is healthy with 1 of 2 health checks" in each for each in found["findings"])
    assert fields(found) == {("health check", "HealthThreshold"), ("health check", "Name")}
    assert {actions(found)[each] for each in (both, *children)} == {"changed, then imported"}


def test_a_health_check_of_an_endpoint_is_the_signal_endpoint(made: HandMade, adopt: Adopt) -> None:
    blue, green = made.hosts()
    check = made.check(
        "HTTPS_STR_MATCH",
        IPAddress=blue.address,
        Port=8443,
        ResourcePath="/health",
        FullyQualifiedDomainName="inside.example.com",
        SearchString="fine",
        RequestInterval=10,
        FailureThreshold=2,
        EnableSNI=True,
        Regions=["us-east-1", "eu-west-1", "us-west-2"],
    )
    made.records(made.zone(), *pair(blue.address, green.address, check))
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


def test_a_health_check_that_no_signal_names_is_found(made: HandMade, adopt: Adopt) -> None:
    blue, green = made.hosts()
    alarm = made.status_alarm(
        "errors", blue.id, made.topic(), Namespace="Shop", MetricName="Errors"
    )
    made.records(made.zone(), *pair(blue.address, green.address, made.health_check(alarm)))
    found = adopt()
    assert any("on a metric that failover_on can't name" in each for each in found["findings"])
    assert found["env"]["failover_on"] == ["status"]
    assert ("health check", "AlarmIdentifier") in fields(found)


def test_health_checks_that_are_wrong_are_found(made: HandMade, adopt: Adopt) -> None:
    blue, green = made.hosts()
    alarm = made.status_alarm("elsewhere", green.id)
    check = made.health_check(alarm, Inverted=True, Disabled=True)
    made.records(made.zone(), *pair(blue.address, green.address, check))
    found = adopt()
    text = "\n".join(found["findings"])
    assert "is inverted: an alarm counts as healthy" in text
    assert "is disabled, and so always healthy" in text
    assert f"observes {green.id}; the primary points to" in text
    assert {("health check", "Inverted"), ("health check", "Disabled")} <= fields(found)
    assert actions(found)["elsewhere-StatusCheckFailed"] == "left alone"


def test_a_health_check_on_an_alarm_that_is_gone_or_elsewhere_is_found(
    made: HandMade, adopt: Adopt
) -> None:
    blue, green = made.hosts()
    check = made.health_check("gone", AlarmIdentifier={"Region": "eu-west-1", "Name": "gone"})
    made.records(made.zone(), *pair(blue.address, green.address, check))
    found = adopt("--region", REGION)
    assert f"health check {check}: its alarm gone in eu-west-1 does not exist" in found["findings"]
    made.route53.delete_health_check(HealthCheckId=check)
    found = adopt("--region", REGION)
    assert f"health check {check}: does not exist, though a record names it" in found["findings"]


def test_what_route_53_can_not_follow_is_a_difference_of_the_status_alarm(
    made: HandMade, adopt: Adopt
) -> None:
    _, blue, _, topic, _ = recipe(made)
    made.status_alarm(
        "bookstore-api-blue", blue.id, topic, EvaluationPeriods=3, DatapointsToAlarm=2
    )
    found = adopt()
    assert ("alarm", "DatapointsToAlarm") in fields(found)
    assert any("status_alarm.datapoints_to_alarm" in each for each in found["findings"])
    # The health check still follows what it read of the alarm when it was made.
    assert any("it was edited later" in each for each in found["findings"])
    assert actions(found)["bookstore-api-blue-StatusCheckFailed"] == "changed, then imported"
    (reads_again,) = [each for each in commands(found) if "update-health-check" in each]
    assert "Name=bookstore-api-blue-StatusCheckFailed" in reads_again


def test_a_secondary_has_no_health_check_of_its_own(made: HandMade, adopt: Adopt) -> None:
    zone = made.zone()
    blue, green = made.hosts()
    alarm = made.status_alarm("other", "i-0ab55a49288f1da24")
    first, second = made.health_check(alarm), made.health_check(alarm)
    primary, secondary = pair(blue.address, green.address, first)
    made.records(zone, primary, {**secondary, "HealthCheckId": second})
    found = adopt()
    assert ("record", "HealthCheckId") in fields(found)
    did = actions(found)
    assert (did[first], did[second]) == ("changed, then imported", "left alone")
    made.records(zone, {**secondary, "HealthCheckId": first}, action="UPSERT")
    names = [each["name"] for each in adopt()["resources"] if each["kind"] == "health check"]
    assert names == [first]


def test_a_health_check_that_no_update_can_mend_is_replaced_everywhere(
    made: HandMade, adopt: Adopt
) -> None:
    blue, green = made.hosts()
    status = made.health_check(made.status_alarm("bookstore-api-blue", blue.id, made.topic()))
    endpoint = made.check(
        "HTTP",
        IPAddress=blue.address,
        Port=80,
        ResourcePath="/version/",
        FullyQualifiedDomainName=RECORD,
        MeasureLatency=True,
    )
    both = made.check("CALCULATED", ChildHealthChecks=[status, endpoint], HealthThreshold=2)
    made.records(made.zone(), *pair(blue.address, green.address, both))
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
