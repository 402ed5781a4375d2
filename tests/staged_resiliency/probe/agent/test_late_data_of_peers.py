"""Data of a peer that could not be sent at once: alarms must not take its old failures for new.

Zeros of a time in which the observer was cut off would otherwise raise the other host's alarms.
"""

from collections.abc import Sequence
from pathlib import Path

from staged_resiliency.probe.agent.metric_statistics import Datum, Series
from staged_resiliency.probe.agent.outbox import (
    ANSWERED_SECONDS,
    HELD_BACK_PAUSE_SECONDS,
    PEER_SECONDS,
)
from tests.cases import cases
from tests.staged_resiliency.probe.agent.support import MIDNIGHT, ones, outbox_of

OF_PEER = Datum(
    Series("peer-connectivity", (("Host", "blue"), ("Observer", "green"))), MIDNIGHT, 6, 0, 0, 0
)


def test_old_values_of_a_peer_wait_until_no_alarm_evaluates_their_minutes(tmp_path: Path) -> None:
    now = float(MIDNIGHT)
    outbox = outbox_of(folder=tmp_path, wall=lambda: now)
    own = ones(MIDNIGHT, 6)[0]
    outbox.put([OF_PEER, own])
    assert outbox.request(0) == [OF_PEER, own]
    outbox.failed(0)
    now += 60
    assert outbox.request(60) == [own], "what it measured of itself goes as soon as it can"
    outbox.accepted()
    fresh = OF_PEER._replace(minute=MIDNIGHT + 60, total=6, lowest=1, highest=1)
    outbox.put([fresh])
    assert outbox.request(61) == [fresh], "what is new of the peer does not wait"
    outbox.accepted()
    assert outbox.request(62) == []
    assert outbox.pause(62) == HELD_BACK_PAUSE_SECONDS
    now += PEER_SECONDS - 61
    assert outbox.request(PEER_SECONDS) == []
    now += 2
    assert outbox.request(PEER_SECONDS + HELD_BACK_PAUSE_SECONDS) == [OF_PEER]
    outbox.accepted()
    assert outbox.pause(9999) is None
    assert outbox.take_dropped() == 0


def test_data_of_a_peer_of_the_current_minute_do_not_wait() -> None:
    outbox = outbox_of(wall=lambda: MIDNIGHT + 30.0)
    outbox.put([OF_PEER])
    outbox.request(0)
    outbox.failed(0)
    assert outbox.request(2) == [OF_PEER]


@cases(
    ("failures", "held"),
    {
        "throttled once": ([(0, True)], False),
        "throttled for less than two minutes": ([(0, True), (100, True)], False),
        "throttled for two minutes": ([(0, True), (ANSWERED_SECONDS, True)], True),
        "throttled, then cut off": ([(0, True), (10, False)], True),
        "cut off, then throttled": ([(0, False), (10, True)], True),
    },
)
def test_data_of_a_peer_wait_after_a_time_in_which_this_host_may_have_been_cut_off(
    failures: Sequence[tuple[float, bool]], held: bool
) -> None:
    outbox = outbox_of(wall=lambda: MIDNIGHT + 200.0)
    outbox.put([OF_PEER])
    own = []
    for now, answered in failures:
        own += ones(MIDNIGHT, 1, f"own-{now}")
        outbox.put(own[-1:])
        assert outbox.request(now)
        outbox.failed(now, answered=answered)
    assert set(outbox.request(300)) == {*own, *([] if held else [OF_PEER])}


def test_what_a_former_run_left_of_a_peer_waits(tmp_path: Path) -> None:
    former = outbox_of(folder=tmp_path)
    former.put([OF_PEER])
    former.spool_all()
    assert outbox_of(folder=tmp_path, wall=lambda: MIDNIGHT + 61.0).request(0) == []


def test_what_was_just_put_away_does_not_wait_with_what_is_held_back() -> None:
    outbox = outbox_of(wall=lambda: MIDNIGHT + 61.0)
    outbox.put([OF_PEER])
    outbox.request(0)
    outbox.failed(0)
    assert outbox.request(1) == []
    own = ones(MIDNIGHT, 1)
    outbox.put(own)
    assert outbox.request(1) == own
    outbox.failed(1, answered=True)
    assert outbox.request(3) == own
