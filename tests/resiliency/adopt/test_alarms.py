"""`resiliency adopt`: which alarms, topics and names of an account belong to a service."""

import pytest

from tests.resiliency.adopt.accounts import ZONE, HandMade, pair, recipe
from tests.resiliency.adopt.conftest import Adopt, actions, fields
from tests.resiliency.conftest import Resiliency

pytestmark = pytest.mark.slow


def test_an_alarm_at_two_of_three_is_kept_where_a_health_check_does_not_follow_it(
    made: HandMade, adopt: Adopt
) -> None:
    made.connectivity_alarms(
        "db",
        recipe(made).topic,
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


def test_alarms_on_metric_math_are_left_alone(made: HandMade, adopt: Adopt) -> None:
    recipe(made)
    metric = {
        "Namespace": "Bookstore",
        "MetricName": "errors",
        "Dimensions": [{"Name": "Host", "Value": "bookstore-api-blue"}],
    }
    statistic = {"Metric": metric, "Period": 60, "Stat": "Sum"}
    made.cloudwatch.put_metric_alarm(
        AlarmName="errors",
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[{"Id": "m", "ReturnData": True, "MetricStat": statistic}],
    )
    assert actions(adopt())["errors"] == "left alone"


def test_hosts_that_no_instance_shows_have_the_names_of_their_alarms(
    made: HandMade, adopt: Adopt
) -> None:
    topic = made.topic()
    alarm = made.status_alarm("bookstore-api-blue", "i-0ab55a49288f1da24", topic)
    made.connectivity_alarms("db", topic, "Database")
    made.records(made.zone(), *pair("54.213.54.171", "52.11.79.9", made.health_check(alarm)))
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


def test_a_topic_that_reaches_nobody_is_found(made: HandMade, adopt: Adopt) -> None:
    arn = recipe(made, subscriber=False).topic
    assert f"{arn}: has no subscription; nobody is notified" in adopt()["findings"]


def test_what_is_wrong_with_topics_and_names_is_found(made: HandMade, adopt: Adopt) -> None:
    recipe(made)
    made.instance("bookstore-api-green")
    elsewhere = "arn:aws:sns:us-west-2:999999999999:theirs"
    gone = "arn:aws:sns:us-west-2:123456789012:gone"
    secret = made.topic("secret")
    made.sns.set_topic_attributes(
        TopicArn=secret, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
    )
    topics = [elsewhere, gone, secret]
    made.connectivity_alarms("search", "", "Search", Namespace="Other", AlarmActions=topics)
    found = adopt()
    text = "\n".join(found["findings"])
    assert f"{gone}: does not exist; alarms notify nobody there" in text
    assert f"{secret}: is encrypted with alias/aws/sns, with which alarms can't publish" in text
    assert "bookstore-api-green: several instances have this Name tag" in text
    assert "connectivity metrics are in the namespaces Bookstore, Other" in text
    assert any(each.startswith(f"{elsewhere}: is another account's") for each in found["unknown"])
    assert set(found["env"]["notifications"]["more_topics"]) == set(topics)


def test_a_topic_in_virginia_is_for_the_alarm_on_failovers(made: HandMade, adopt: Adopt) -> None:
    blue, green = made.hosts()
    there = made.topic("here").replace("us-west-2", "us-east-1")
    alarm = made.status_alarm(
        "bookstore-api-blue", blue.id, AlarmActions=[made.topic(), there], OKActions=[there]
    )
    made.records(made.zone(), *pair(blue.address, green.address, made.health_check(alarm)))
    found = adopt()
    assert found["env"]["notifications"]["more_topics"] == [there]
    assert found["env"]["notifications"]["recovery"] is True
    assert not any("no topic in us-east-1" in each for each in found["findings"])


def test_a_larger_account_yields_the_right_service_and_nothing_else(
    made: HandMade, adopt: Adopt, resiliency: Resiliency
) -> None:
    zone = made.zone()
    inner = made.zone(private=True)
    topics = {name: made.topic(f"{name}-ops") for name in ("shop", "books", "mail", "others")}
    addresses: dict[str, list[str]] = {}
    for service in ("shop", "books", "mail"):
        names = [f"{service}-blue", f"{service}-green"]
        blue, green = map(made.instance, names)
        topic = topics[service]
        alarm = made.status_alarm(names[0], blue.id, topic, AlarmDescription="down")
        made.connectivity_alarms(
            "db", topic, "DB", names, Namespace=service.title(), AlarmDescription="db"
        )
        check = made.health_check(alarm)
        addresses[service] = [blue.address, green.address]
        name = f"{service}.{ZONE}"
        records = pair(blue.address, green.address, check, name=name, service=service)
        made.records(zone, *records)
    for number in range(10):
        made.status_alarm(f"other-{number}", made.instance(f"other-{number}").id, topics["others"])
    made.records(inner, *pair("10.0.0.1", "10.0.0.2", None, name=f"shop.{ZONE}", service="inner"))
    for service in ("books", "mail"):
        found = adopt(record=f"{service}.{ZONE}")
        assert found["service"]["service"] == service
        assert found["service"]["namespace"] == service.title()
        hosts = found["env"]["hosts"].values()
        assert [each["name"] for each in hosts] == [f"{service}-blue", f"{service}-green"]
        assert [each["address"] for each in hosts] == addresses[service]
        assert found["env"]["notifications"] == {"topic_arn": topics[service]}
        others = {"shop", "books", "mail", "other"} - {service}
        listed = [each["name"] for each in found["resources"]]
        assert not any(other in name for name in listed for other in others)
    resiliency("adopt", f"shop.{ZONE}", status=2)
    found = adopt("--zone", zone, record=f"shop.{ZONE}")
    assert found["env"]["hosted_zone"]["id"] == zone
    assert found["env"]["hosts"]["blue"]["address"] == addresses["shop"][0]
    # Nothing shows the hosts of the other one, and no health checker of Route 53 can reach them.
    done = resiliency("adopt", "--zone", inner, f"shop.{ZONE}", status=2)
    assert "has no instance_id" in done.err
