"""What a review says of failover times, of costs, and of messages that people get."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from resiliency.review.findings import Level
from tests.resiliency.review.stacks import (
    TOPIC,
    alarm,
    configured,
    pair,
    resource,
    reviewed,
    reviewed_stacks,
    stack,
    texts,
)


def test_an_objective_that_a_change_misses_is_a_danger() -> None:
    before, after = stack(pair()), stack(pair(TTL="3600"))
    after = replace(after, template={**after.template, "Metadata": {"RecoveryTimeSeconds": 600}})
    found = reviewed_stacks([before], [after])
    dangers = [each for each in found.findings if each.level is Level.DANGER]
    assert dangers
    assert all("which misses the objective of 600 s" in each.text for each in dangers)


def test_a_fault_after_which_clients_no_longer_move_is_a_danger() -> None:
    found = texts(reviewed(pair(), configured(pair(), Disabled=True)), "time")
    assert any(each.startswith("danger") and "clients no longer move" in each for each in found)


def test_an_alarm_on_failovers_follows_the_former_health_check_for_a_while() -> None:
    def of(check: str) -> dict[str, Any]:
        dimensions = [{"Name": "HealthCheckId", "Value": check}]
        return {"A": alarm("standby", Namespace="AWS/Route53", Dimensions=dimensions)}

    (found,) = texts(reviewed(of("one"), of("two")), "protection")
    assert found.startswith("warning Alarm standby watches the former health check until this")


def test_what_a_month_costs_more() -> None:
    assert texts(reviewed({}, {"A": alarm("a")}), "cost") == [
        "note +0.40 US dollars a month at list prices, 0.40 in all (alarms +0.10, custom metrics "
        "of probes, and one of all drills of a service +0.30)"
    ]
    assert texts(reviewed({"A": alarm("a")}, {"A": alarm("b")}), "cost") == []


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
