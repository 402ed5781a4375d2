"""Alarms, notifications and schedules that no longer protect or begin to notify, in a review."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.resiliency.review.stacks import (
    TOPIC,
    alarm,
    pair,
    resource,
    reviewed,
    texts,
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            {"A": alarm("a"), "B": alarm("b", MetricName="other")},
            {},
            ["warning Alarms a and b are removed, and nothing else watches the metric"],
        ),
        (
            {"A": alarm("a")},
            {"B": alarm("b")},
            ["note Alarm a is removed; another alarm watches the metric"],
        ),
        (
            {"A": alarm("a"), "B": alarm("b")},
            {"A": alarm("a", AlarmActions=["new"]), "B": alarm("b", AlarmActions=["new"])},
            [f"warning Alarms a and b no longer notify {TOPIC}, but new"],
        ),
        (
            {"A": alarm("a", OKActions=[TOPIC])},
            {"A": alarm("a")},
            [f"warning Alarm a no longer notifies {TOPIC} of recovery"],
        ),
        (
            {"A": alarm("a")},
            {"A": alarm("a", ActionsEnabled=False)},
            ["warning Alarm a no longer notifies anybody (ActionsEnabled false)"],
        ),
        ({"A": alarm("a")}, {"A": alarm("a", AlarmActions=[TOPIC, "more"])}, []),
        (
            {"A": alarm("a")},
            {"A": alarm("a", TreatMissingData="ignore")},
            ["warning Alarm a no longer fires when its data is missing"],
        ),
        (
            {"S": resource("SNS::Subscription", {"DeletionPolicy": "Retain"}, Endpoint="ops@x")},
            {},
            [
                "warning ops@x is no longer subscribed by the stack; SNS keeps the subscription "
                "(Retain)"
            ],
        ),
        (
            {"T": resource("SNS::Topic", TopicName="pager")},
            {},
            ["warning Topic pager is removed, with its subscriptions"],
        ),
        (
            {"R": resource("Events::Rule", State="ENABLED", Description="Ends faults.")},
            {"R": resource("Events::Rule", State="DISABLED", Description="Ends faults.")},
            ["warning Rule R is disabled: Ends faults."],
        ),
        (
            {"S": resource("Scheduler::Schedule", Name="daily")},
            {},
            ["warning Schedule daily is removed: S"],
        ),
    ],
)
def test_protection_goes_away(
    before: Mapping[str, Any], after: Mapping[str, Any], expected: list[str]
) -> None:
    assert texts(reviewed(before, after), "protection") == expected


def test_an_alarm_on_failovers_follows_the_former_health_check_for_a_while() -> None:
    def of(check: str) -> dict[str, Any]:
        dimensions = [{"Name": "HealthCheckId", "Value": check}]
        return {"A": alarm("standby", Namespace="AWS/Route53", Dimensions=dimensions)}

    (found,) = texts(reviewed(of("one"), of("two")), "protection")
    assert found.startswith("warning Alarm standby watches the former health check until this")


def test_a_new_subscriber_gets_an_email() -> None:
    mail = {"S": resource("SNS::Subscription", Protocol="email", Endpoint="ops@example.com")}
    queue = {"Q": resource("SNS::Subscription", Protocol="sqs", Endpoint="arn:aws:sqs:r:a:q")}
    assert texts(reviewed({}, {**mail, **queue}), "messages") == [
        "warning ops@example.com gets an e-mail of SNS, and no alarm until its link is followed"
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["warning until the metric has data, people are notified of Alarm new"]),
        ({"TreatMissingData": "ignore"}, []),
        ({"WarmUpConfiguration": {}}, []),
        ({"Namespace": "AWS/EC2"}, []),
        ({"ActionsEnabled": False}, []),
        ({"AlarmActions": []}, []),
        (
            {"OKActions": [TOPIC], "TreatMissingData": "ignore"},
            ["note once created, people are notified of the OK of Alarm new"],
        ),
    ],
)
def test_a_new_alarm_fires_until_its_metric_has_data(
    changes: Mapping[str, Any], expected: list[str]
) -> None:
    new = alarm("new", MetricName="probe-heartbeat", **changes)
    assert texts(reviewed(pair(), {**pair(), "New": new}), "messages") == expected
