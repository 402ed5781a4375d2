"""What a review says of alarms, subscriptions and stop conditions that go."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.resiliency.review.stacks import TOPIC, alarm, fault, resource, reviewed, texts


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


def test_a_drill_without_one_of_its_stop_conditions() -> None:
    found = reviewed({"F": fault("one", "two")}, {"F": fault("two", "three")})
    assert texts(found, "protection") == ["warning one no longer stops drill, but three"]
