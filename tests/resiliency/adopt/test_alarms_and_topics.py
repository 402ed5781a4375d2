"""`resiliency adopt`: what it makes of alarms and of topics."""

import pytest

from tests.resiliency.adopt.accounts import HandMade, pair, recipe, zone_and_hosts
from tests.resiliency.adopt.conftest import Adopt, actions, commands, fields
from tests.support import Data

pytestmark = pytest.mark.slow


def test_an_alarm_at_two_of_three_is_kept_where_a_health_check_does_not_follow_it(
    made: HandMade, adopt: Adopt
) -> None:
    recipe(made)
    topic = made.topic()
    late: Data = {"EvaluationPeriods": 3, "DatapointsToAlarm": 2, "TreatMissingData": "breaching"}
    made.connectivity_alarms("db", topic, "Database", **late)
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


def test_what_is_wrong_with_topics_and_names_is_found(made: HandMade, adopt: Adopt) -> None:
    recipe(made)
    made.instance("bookstore-api-green")
    elsewhere = "arn:aws:sns:us-west-2:999999999999:theirs"
    gone = "arn:aws:sns:us-west-2:123456789012:gone"
    secret = made.topic("secret")
    made.sns.set_topic_attributes(
        TopicArn=secret, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
    )
    made.sns.subscribe(TopicArn=secret, Protocol="email", Endpoint="ops@example.com")
    actions = [elsewhere, gone, secret]
    made.connectivity_alarms("search", "", "Search", Namespace="Other", AlarmActions=actions)
    found = adopt()
    text = "\n".join(found["findings"])
    assert f"{gone}: does not exist; alarms notify nobody there" in text
    assert f"{secret}: is encrypted with alias/aws/sns, with which alarms can't publish" in text
    assert "bookstore-api-green: several instances have this Name tag" in text
    assert "connectivity metrics are in the namespaces Bookstore, Other" in text
    assert any(each.startswith(f"{elsewhere}: is another account's") for each in found["unknown"])
    assert set(found["env"]["notifications"]["more_topics"]) == {elsewhere, gone, secret}


def test_a_topic_in_virginia_is_for_the_alarm_on_failovers(made: HandMade, adopt: Adopt) -> None:
    zone, blue, blue_address, _, green = zone_and_hosts(made)
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
