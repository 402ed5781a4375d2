"""Which data are sent next, when, and which are dropped."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from staged_resiliency.probe.agent.metric_statistics import Datum
from staged_resiliency.probe.agent.outbox import REJECTED_PAUSE_SECONDS, Outbox
from staged_resiliency.probe.agent.spool import Spool
from tests.cases import cases
from tests.staged_resiliency.probe.agent.support import (
    DAY,
    MIDNIGHT,
    host_series,
    ones,
    outbox_of,
)

# --- Order and pauses


def test_fresh_data_go_first_and_then_the_backlog_with_the_oldest_first() -> None:
    outbox = outbox_of()
    for minute in (MIDNIGHT - 180, MIDNIGHT - 120):
        outbox.put(ones(minute, 2))
        outbox.request(0.0)
        outbox.failed(0.0)
        outbox.spool_all()
        outbox._not_before = 0.0
    outbox.put(ones(MIDNIGHT, 1))
    order = []
    while data := outbox.request(100.0):
        order.append([datum.minute for datum in data])
        outbox.accepted()
    old, older = MIDNIGHT - 120, MIDNIGHT - 180
    assert order == [[MIDNIGHT], [older, older, old, old]]


def test_a_second_request_before_the_first_was_settled_is_a_mistake() -> None:
    outbox = outbox_of()
    outbox.put(ones(MIDNIGHT, 1))
    outbox.request(0.0)
    with pytest.raises(ValueError, match="still in progress"):
        outbox.request(0.0)


def test_nothing_is_sent_when_there_is_nothing() -> None:
    outbox = outbox_of()
    assert outbox.request(0.0) == []
    assert outbox.pause(0.0) is None


@cases(
    ("jitter", "pauses"),
    {
        "a host with the shortest pauses": (0.0, [0.5, 1, 2, 4, 8, 15, 15]),
        "a host with the longest pauses": (1.0, [1, 2, 4, 8, 16, 30, 30]),
    },
)
def test_pauses_double_with_each_failure_up_to_a_limit_and_differ_between_hosts(
    jitter: float, pauses: list[float]
) -> None:
    outbox = outbox_of(jitter=jitter)
    outbox.put(ones(MIDNIGHT, 1))
    now = 50.0
    for pause in [*pauses, *[pauses[-1]] * 1100]:
        assert outbox.request(now)
        assert outbox.failed(now) == pause
        assert outbox.pause(now) == pause
        assert outbox.request(now + pause * 0.99) == []
        now += pause
    assert outbox.request(now)
    outbox.accepted()
    outbox.put(ones(MIDNIGHT, 1))
    assert outbox.pause(now) == 0.0
    outbox.request(now)
    assert outbox.failed(now) == pauses[0], "from the beginning again"


def test_after_a_failure_all_that_waits_is_in_the_spool_and_thus_bounded() -> None:
    outbox = outbox_of(max_data=3000)
    outbox.put(ones(MIDNIGHT, 5000))
    outbox.request(0.0)
    outbox.failed(0.0)
    assert len(outbox.spool) == 3000
    assert outbox.waiting() == 3000
    assert outbox.take_dropped() == 2000


# --- What CloudWatch refuses


def published(
    outbox: Outbox, refused: Collection[Datum] = ()
) -> tuple[list[Datum], list[tuple[float, bool]]]:
    """Send until no data wait, to a CloudWatch that refuses requests with some of the data.

    Returns the data that arrived, and when each request was sent and whether it was refused.
    """
    now = 0.0
    arrived: list[Datum] = []
    requests: list[tuple[float, bool]] = []
    while (pause := outbox.pause(now)) is not None and len(requests) < 500:
        now += pause
        data = outbox.request(now)
        is_refused = any(datum in refused for datum in data)
        requests.append((now, is_refused))
        if is_refused:
            outbox.rejected(now)
        else:
            arrived += data
            outbox.accepted()
    return arrived, requests


@cases(
    ("count", "refused"),
    {
        "the only one": (1, [0]),
        "the first of two": (2, [0]),
        "the last of three": (3, [2]),
        "the first of a thousand": (1000, [0]),
        "the last of a thousand": (1000, [999]),
        "some of forty": (40, [0, 1, 17, 39]),
        "all of twenty": (20, range(20)),
    },
)
def test_data_that_cloudwatch_refuses_are_dropped_alone_after_halving_with_pauses(
    count: int, refused: Sequence[int]
) -> None:
    outbox = outbox_of()
    data = ones(MIDNIGHT, count)
    bad = {data[number] for number in refused}
    outbox.put(data)
    arrived, requests = published(outbox, bad)
    assert Counter(arrived) == Counter(data) - Counter(bad)
    assert outbox.take_dropped() == len(bad)
    assert outbox.take_dropped() == 0
    assert len(requests) <= len(bad) * 2 * count.bit_length() + 1
    for (at, is_refused), (following, _) in pairwise(requests):
        assert following - at == (REJECTED_PAUSE_SECONDS if is_refused else 0)


def test_fresh_data_do_not_wait_for_halves_of_a_refused_request() -> None:
    outbox = outbox_of()
    outbox.put(ones(MIDNIGHT, 4))
    outbox.request(10.0)
    outbox.rejected(10.0)
    assert outbox.request(10.0) == []
    assert outbox.pause(10.0) == REJECTED_PAUSE_SECONDS
    outbox.put(ones(MIDNIGHT + 60, 1))
    assert outbox.pause(10.0) == 0.0
    assert [datum.minute for datum in outbox.request(10.0)] == [MIDNIGHT + 60]


def test_halves_that_fail_for_another_reason_are_tried_again() -> None:
    outbox = outbox_of()
    outbox.put(ones(MIDNIGHT, 4))
    outbox.request(0.0)
    outbox.rejected(0.0)
    assert len(outbox.request(1.0)) == 2
    outbox.failed(1.0)
    arrived, _ = published(outbox)
    assert Counter(arrived) == Counter(ones(MIDNIGHT, 4))


# --- Ages


def test_what_cloudwatch_would_refuse_for_its_age_is_dropped_and_the_rest_is_sent() -> None:
    ages = {
        "too old": -14 * DAY,
        "just young enough": -14 * DAY + 3600,
        "now": 0,
        "just not too far ahead": 2 * 3600 - 60,
        "too far ahead": 2 * 3600,
    }
    outbox = outbox_of()
    outbox.put([Datum(host_series(name), MIDNIGHT + age, 1, 1, 1, 1) for name, age in ages.items()])
    sent = [datum.series.metric for datum in outbox.request(0.0)]
    assert sent == ["just young enough", "now", "just not too far ahead"]
    outbox.accepted()
    assert outbox.take_dropped() == 2
    assert outbox.waiting() == 0


def test_a_request_of_which_nothing_is_left_is_not_sent() -> None:
    outbox = outbox_of()
    outbox.put(ones(0, 3))
    assert outbox.request(0.0) == []
    assert outbox.take_dropped() == 3
    assert outbox.pause(0.0) is None


def test_what_became_too_old_in_the_spool_counts_once_however_often_it_is_tried() -> None:
    now = [float(MIDNIGHT)]
    outbox = outbox_of(wall=lambda: now[0])
    for minute in (MIDNIGHT - 13 * DAY, MIDNIGHT):
        outbox.put(ones(minute, 2))
    outbox.request(0.0)
    outbox.failed(0.0)
    now[0] += DAY
    for attempt in range(1, 6):
        assert len(outbox.request(attempt * 100.0)) == 2
        outbox.failed(attempt * 100.0)
    assert outbox.take_dropped() == 0
    outbox.request(1000.0)
    outbox.accepted()
    assert outbox.take_dropped() == 2
    assert outbox.waiting() == 0


def test_what_is_too_old_for_the_first_request_is_counted_though_it_fails() -> None:
    outbox = outbox_of()
    outbox.put([*ones(0, 2), *ones(MIDNIGHT, 1)])
    outbox.request(0.0)
    outbox.failed(0.0)
    assert outbox.take_dropped() == 2
    assert outbox.waiting() == 1


def test_parts_of_a_minute_wait_as_one() -> None:
    outbox = outbox_of()
    first = Datum(host_series("db-connectivity"), MIDNIGHT, 1, 1, 1, 1)
    outbox.put([first])
    outbox.request(0)
    outbox.put([first._replace(total=0, lowest=0, highest=0)])
    outbox.put([first._replace(total=0.5, lowest=0.5, highest=0.5)])
    outbox.failed(0)
    (datum,) = outbox.request(60)
    assert datum == first._replace(samples=3, total=1.5, lowest=0, highest=1)


def test_what_was_kept_in_memory_is_written_once_the_disk_takes_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    lines: list[str] = []
    outbox = Outbox(Spool(folder, 100, "Bookstore", lines.append), lambda: float(MIDNIGHT))
    outbox.put(ones(MIDNIGHT, 3))
    outbox.request(0)
    outbox.failed(0)  # there is no folder
    folder.mkdir()
    outbox.spool_all()
    left = Spool(folder, 100, "Bookstore", pytest.fail)
    assert left.oldest(lambda data: True)[1] == ones(MIDNIGHT, 3)
    assert outbox.request(60) == ones(MIDNIGHT, 3)
