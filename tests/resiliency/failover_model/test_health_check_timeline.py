"""A health check changes when a calculation by hand says so.

All phases, delays and spans are drawn at their middle: an alarm is read at second 30 of each
minute, the status check runs at second 30 and its value arrives 37.5 s later, the probe samples at
5, 15, ..., its requests go 2.5 s after the minute and arrive 8 s later, Route 53 takes 15 s.
"""

import random
from dataclasses import replace

import pytest

from resiliency.failover_model.alarm_evaluation import point
from resiliency.failover_model.alarm_readings import _periods, _runs, _sign_at
from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.faults import Effect
from resiliency.failover_model.graph import AlarmCheck, BasicHealthCheck, Metric
from resiliency.failover_model.health_check_timeline import StatusTimeline, status_timeline
from resiliency.failover_model.metric_stream import (
    PROBE_STEADY_SECONDS,
    metric_stream,
    statistic_over_time,
)
from resiliency.failover_model.route53 import InsufficientData
from staged_resiliency.probe.agent.measuring import STEADY_SECONDS
from staged_resiliency.shared import names
from tests.cases import cases
from tests.resiliency.failover_model.support import (
    Always,
    endpoint,
    healthy,
    peer_alarm,
    probe_alarm,
    status_alarm,
    unhealthy,
)

TWO_MORE = replace(Assumptions(), extra_periods=Range(2, 2, "periods", "a test"))


def course(
    leaf: BasicHealthCheck, effect: Effect, assumptions: Assumptions | None = None
) -> StatusTimeline:
    found = status_timeline(
        leaf,
        effect,
        fault_at=30,
        assumptions=assumptions or TWO_MORE,
        chance=Always(0.5),
    )
    return replace(found, changes=list(found.changes))


def test_a_target_that_fails_for_long_is_published_once_a_minute_as_by_the_agent() -> None:
    assert PROBE_STEADY_SECONDS == STEADY_SECONDS
    stream = metric_stream(
        Metric("Bookstore", "db-connectivity"),
        Effect.REFUSED,
        fault_at=30,
        assumptions=Assumptions(),
        chance=Always(0.5),
    )
    pieces = [len(stream.pieces(minute)) for minute in range(8)]
    # The first failure is that of second 35; from 335 on none is sent at once.
    assert pieces == [2, 2, 2, 2, 2, 2, 1, 1]
    ((known, count, total, lowest, greatest),) = stream.pieces(6)
    assert (count, total, lowest, greatest) == (6, 0, 0, 0)
    assert 7 * 60 < known < 7 * 60 + 60


@pytest.mark.parametrize("seed", range(20))
def test_a_database_that_fails_over_is_lost_for_one_to_two_minutes(seed: int) -> None:
    chance = random.Random(seed)
    stream = metric_stream(
        Metric("Bookstore", "db-connectivity"),
        Effect.INTERRUPTED,
        fault_at=60 * chance.random(),
        assumptions=Assumptions(),
        chance=chance,
    )
    pieces = [stream.pieces(minute) for minute in range(-2, 6)]
    samples = {sum(count for _, count, *_ in each) for each in pieces}
    assert len(samples) == 1  # no minute has more or fewer than the others
    failed = [sum(count - total for _, count, total, *_ in each) for each in pieces]
    assert 6 <= sum(failed) <= 12
    assert failed[:2] == failed[-2:] == [0, 0]
    assert sum(map(bool, failed)) <= 4
    for each in pieces:
        for known, count, total, lowest, greatest in each:
            assert lowest <= total / count <= greatest
            assert (lowest, greatest) in ((0, 0), (0, 1), (1, 1))
            assert known >= stream.evident or total == count


HEARTBEAT = probe_alarm(names.HEARTBEAT_METRIC)
TARGET_GROUP = endpoint(failure_threshold=2, timeout_seconds=5)


@cases(
    ("leaf", "effect", "evident", "at"),
    {
        # Minutes 0, 1 and 2 stay empty; the value of minute 0 was due at 30 + 37.5. Read at 210.
        "a stopped host": (unhealthy(status_alarm()), Effect.SILENT, 67.5, 225),
        # EC2 knows at 30 + 90, so the check at 150 fails, of minute 2, which arrives at 187.5.
        "an impaired host": (unhealthy(status_alarm()), Effect.IMPAIRED, 187.5, 225),
        # First failure at 35, known at 43; minutes 0 and 1 breach, read at 150.
        "a peer that is refused": (healthy(peer_alarm()), Effect.REFUSED, 43, 165),
        # The same, after the probe's deadline.
        "a peer that is not answered": (healthy(peer_alarm()), Effect.UNANSWERED, 48, 165),
        # Minutes 0 to 3 stay empty; minute 0 was due at 66 + 8. Read at 270.
        "a silent probe": (unhealthy(probe_alarm("db-connectivity")), Effect.SILENT, 74, 285),
        # It is sent as its minute begins: that of minute 0 went at 6, before the fault; minutes 1
        # to 4 stay empty, minute 1 was due at 66 + 8. Read at 330.
        "a silent heartbeat": (unhealthy(HEARTBEAT), Effect.SILENT, 74, 345),
        # Each checker asks 15 s after the fault, then twice more.
        "an endpoint every 30 s, 3 times": (endpoint(), Effect.REFUSED, 45, 120),
        "an endpoint every 10 s, 3 times": (endpoint(interval_seconds=10), Effect.REFUSED, 35, 70),
        "an endpoint every 30 s, once": (endpoint(failure_threshold=1), Effect.REFUSED, 45, 60),
        "an endpoint without an answer: each waits four seconds": (
            endpoint(),
            Effect.UNANSWERED,
            49,
            132,
        ),
        "an endpoint by TCP waits ten": (endpoint(kind="TCP"), Effect.UNANSWERED, 55, 150),
        "an endpoint that hangs: each waits two": (endpoint(), Effect.UNRESPONSIVE, 47, 126),
        # The load balancer checks 15 s after the fault, and once more 30 s later.
        "a target group that is refused": (TARGET_GROUP, Effect.REFUSED, 45, 90),
        "a target group waits five seconds": (TARGET_GROUP, Effect.UNANSWERED, 50, 95),
        "a target group without a response too": (TARGET_GROUP, Effect.UNRESPONSIVE, 50, 95),
    },
)
def test_a_health_check_is_unhealthy_when_a_calculation_by_hand_says_so(
    leaf: BasicHealthCheck, effect: Effect, evident: float, at: float
) -> None:
    assert course(leaf, effect) == StatusTimeline(True, [(at, False)], evident)


@pytest.mark.parametrize("extra", [2, 3, 4, 5])
def test_each_period_that_is_read_beyond_delays_silence_by_its_length(extra: int) -> None:
    given = replace(Assumptions(), extra_periods=Range(extra, extra, "periods", "a test"))
    found = course(unhealthy(status_alarm()), Effect.SILENT, given)
    assert found.changes == [(225 + 60 * (extra - 2), False)]


def test_long_periods_have_a_range_of_their_own() -> None:
    long = unhealthy(status_alarm(period_seconds=300))
    many = replace(Assumptions(), extra_periods=Range(5, 5, "periods", "a test"))
    assert course(long, Effect.SILENT, many) == course(long, Effect.SILENT)
    more = replace(Assumptions(), extra_long_periods=Range(3, 3, "periods", "a test"))
    ((later, _),) = course(long, Effect.SILENT, more).changes
    ((usual, _),) = course(long, Effect.SILENT).changes
    assert later - usual == 300


LAST = AlarmCheck("status", status_alarm(), InsufficientData.LAST_KNOWN_STATUS)


@cases(
    ("leaf", "effect"),
    {
        "silence that counts as health": (healthy(peer_alarm()), Effect.SILENT),
        "silence that keeps the last status": (LAST, Effect.SILENT),
        "an endpoint that answers": (endpoint(), Effect.NONE),
    },
)
def test_a_health_check_does_not_change_by(leaf: BasicHealthCheck, effect: Effect) -> None:
    assert course(leaf, effect).changes == []


def test_an_inverted_health_check_changes_the_other_way() -> None:
    leaf = unhealthy(status_alarm(), inverted=True)
    assert course(leaf, Effect.SILENT) == StatusTimeline(False, [(225, True)], 67.5)


@pytest.mark.parametrize(("inverted", "before"), [(False, True), (True, False)])
def test_a_disabled_health_check_never_changes(inverted: bool, before: bool) -> None:
    leaf = unhealthy(status_alarm(), disabled=True, inverted=inverted)
    found = course(leaf, Effect.SILENT)
    assert (found.before, found.changes) == (before, [])


def test_a_rule_that_breaches_while_all_is_well_is_unhealthy_before() -> None:
    assert course(unhealthy(status_alarm(threshold=0.0)), Effect.NONE).before is False


def test_data_later_than_the_evaluation_range_are_silence_all_the_time() -> None:
    late = replace(TWO_MORE, status_metric_delay=Range(300, 300, "late", "a test"))
    assert course(unhealthy(status_alarm()), Effect.NONE, late).before is False


@cases(
    ("statistic", "threshold", "at"),
    {
        # Samples of minute 0: three good, three bad.
        "half is not below half: the next minute is": ("Average", 0.5, 165),
        "half is below more": ("Average", 0.6, 105),
        "one bad sample": ("Minimum", 1, 105),
        "not one good sample": ("Maximum", 1, 165),
        "fewer than four good ones": ("Sum", 4, 105),
        "samples there are": ("SampleCount", 1, None),
    },
)
def test_a_period_breaches_by_its_statistic(
    statistic: str, threshold: float, at: float | None
) -> None:
    alarm = replace(
        probe_alarm("db-connectivity", 1), statistic=statistic, threshold=float(threshold)
    )
    changes = course(unhealthy(alarm), Effect.REFUSED).changes
    assert changes == ([] if at is None else [(at, False)])


def test_a_long_period_is_read_each_minute() -> None:
    # Five minutes until 60 hold the failures of minute 0: read at 90, not at the end of period.
    alarm = replace(probe_alarm("db-connectivity", 1), period_seconds=300)
    assert course(unhealthy(alarm), Effect.REFUSED).changes == [(105, False)]


@pytest.mark.parametrize("statistic", ["Average", "Maximum", "Minimum", "SampleCount", "Sum"])
@pytest.mark.parametrize(
    "effect", [Effect.UNANSWERED, Effect.REFUSED, Effect.SILENT, Effect.NONE], ids=str
)
def test_long_periods_hold_what_adding_up_all_their_pieces_gives(
    statistic: str, effect: Effect
) -> None:
    alarm = replace(
        probe_alarm("db-connectivity", 1), period_seconds=420, statistic=statistic, threshold=20
    )
    for seed in range(10):
        stream = metric_stream(
            alarm.metric,
            effect,
            fault_at=6.0 * seed,
            assumptions=replace(Assumptions(), custom_metric_delay=Range(0, 200, "", "")),
            chance=random.Random(seed),
        )
        found = _periods(alarm, stream, range(-20, 21))
        for end, period in found.items():
            pieces = [each for minute in range(end - 7, end) for each in stream.pieces(minute)]
            steps = statistic_over_time(pieces, statistic)
            for at in range(60 * end, 60 * end + 300, 7):
                known = [value for when, value in steps if when <= at]
                expected = point(known[-1] if known else None, alarm.comparison, 20).value
                assert _sign_at(period, at) == expected


def test_days_are_few_pieces() -> None:
    """What a day's period holds is not added up minute by minute for each of them."""
    alarm = replace(status_alarm(), period_seconds=86_400)
    stream = metric_stream(
        alarm.metric,
        Effect.IMPAIRED,
        fault_at=30,
        assumptions=Assumptions(),
        chance=Always(0.5),
    )
    minutes = range(-2_000, 2_000)
    assert len(_runs({minute: stream.pieces(minute) for minute in minutes})) == 2
    assert max(len(steps) for steps in _periods(alarm, stream, minutes).values()) < 10
