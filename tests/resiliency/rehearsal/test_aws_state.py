"""What evaluations make of data, one after the other."""

from collections.abc import Sequence

import pytest

from resiliency.failover_model.alarm_evaluation import AlarmState, Missing
from resiliency.failover_model.graph import (
    Alarm,
    AlarmCheck,
    CalculatedCheck,
    EndpointCheck,
    HealthCheck,
    Metric,
    Pair,
    Record,
)
from resiliency.failover_model.route53 import InsufficientData, Role
from resiliency.rehearsal.aws_state import Alarms, Checker, HealthChecks

ALARM = Alarm(
    name="db",
    metric=Metric("Shop", "db-connectivity", (("Host", "blue"),)),
    statistic="Average",
    comparison="LessThanThreshold",
    threshold=1,
    period_seconds=60,
    evaluation_periods=2,
    datapoints_to_alarm=2,
    missing=Missing.MISSING,
)
ENDPOINT = EndpointCheck("endpoint", "HTTP", "52.11.79.8", failure_threshold=2)


def pair(check: HealthCheck | None, secondary: HealthCheck | None = None) -> Pair:
    return Pair(
        "shop.example.com",
        "A",
        Record(("52.11.79.8",), 60, check),
        Record(("52.11.79.9",), 60, secondary),
    )


def test_a_change_of_state_is_reported_once_with_the_former_state() -> None:
    alarms = Alarms([ALARM])
    assert list(alarms.evaluate({"db": [None, None, 1.0, 1.0]})) == [
        (ALARM, AlarmState.INSUFFICIENT_DATA, AlarmState.OK)
    ]
    assert list(alarms.evaluate({"db": [1.0, 1.0, 1.0, 0.5]})) == []
    assert list(alarms.evaluate({"db": [1.0, 1.0, 0.5, 0.0]})) == [
        (ALARM, AlarmState.OK, AlarmState.ALARM)
    ]
    assert alarms.states == {"db": AlarmState.ALARM}


def test_an_alarm_without_data_of_its_own_is_left_alone() -> None:
    assert list(Alarms([ALARM]).evaluate({})) == []


def test_a_data_stream_that_breaches_moves_the_answer_once_it_counts() -> None:
    leaf = AlarmCheck("status", ALARM)
    checks = HealthChecks(pair(leaf))
    assert checks.role() is Role.PRIMARY
    assert checks.read(leaf, [1.0, 1.0, 0.0, 0.0]) is False
    assert checks.role() is Role.PRIMARY
    checks.apply(leaf, False)
    assert checks.role() is Role.SECONDARY
    assert list(checks.statuses()) == [("status", False)]


@pytest.mark.parametrize(
    ("counts_as", "expected"),
    [
        (InsufficientData.HEALTHY, True),
        (InsufficientData.UNHEALTHY, False),
        (InsufficientData.LAST_KNOWN_STATUS, False),
    ],
)
def test_silence_counts_as_the_health_check_says(
    counts_as: InsufficientData, expected: bool
) -> None:
    leaf = AlarmCheck("status", ALARM, counts_as)
    checks = HealthChecks(pair(leaf))
    checks.read(leaf, [0.0] * 4)
    assert checks.read(leaf, [None] * 4) is expected


def test_an_inverted_health_check_is_the_opposite_and_a_disabled_one_healthy() -> None:
    inverted = AlarmCheck("inverted", ALARM, inverted=True)
    disabled = AlarmCheck("disabled", ALARM, disabled=True)
    checks = HealthChecks(pair(inverted, disabled))
    assert checks.read(inverted, [1.0] * 4) is False
    assert checks.read(disabled, [0.0] * 4) is True
    assert list(checks.statuses()) == [("inverted", False), ("disabled", True)]


def test_a_calculated_health_check_counts_its_children() -> None:
    first, second = AlarmCheck("first", ALARM), ENDPOINT
    checks = HealthChecks(pair(CalculatedCheck("all", (first, second), threshold=2)))
    assert checks.basic_checks == [first, second]
    checks.apply(second, False)
    assert checks.role() is Role.SECONDARY
    assert list(checks.statuses()) == [("all", False), ("first", True), ("endpoint", False)]


def test_a_pair_without_a_health_check_stays_with_its_primary() -> None:
    checks = HealthChecks(pair(None))
    assert checks.role() is Role.PRIMARY
    assert list(checks.statuses()) == []


def test_a_checker_changes_its_mind_after_as_many_answers_in_a_row() -> None:
    checker = Checker(failure_threshold=2)

    def found(answers: Sequence[bool]) -> list[bool]:
        minds = []
        for answered in answers:
            checker.count(answered)
            minds.append(checker.healthy)
        return minds

    assert found([False, True, False, False]) == [True, True, True, False]
    assert found([True, False, True, True]) == [False, False, False, True]


@pytest.mark.parametrize(("unhealthy", "healthy"), [(13, True), (14, False)])
def test_an_endpoint_is_healthy_while_enough_checkers_say_so(unhealthy: int, healthy: bool) -> None:
    checkers = [Checker(2, healthy=number >= unhealthy) for number in range(16)]
    assert HealthChecks.counted(ENDPOINT, checkers) is healthy
