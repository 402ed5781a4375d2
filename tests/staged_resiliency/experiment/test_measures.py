"""Numbers of a run, from any sequence of observations."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.experiment.measures import Measures, measure
from staged_resiliency.experiment.observations import NO_ANSWER, Observation
from staged_resiliency.experiment.verdict import Run
from tests.staged_resiliency.experiment.observing import (
    BLUE,
    GREEN,
    RECORD,
    RUN,
    alarm,
    client,
    observations,
    runs,
)


def measured(*seen: Observation, run: Run = RUN) -> Measures:
    """The numbers of a run."""
    return measure(seen, run, record=RECORD, active=BLUE)


FULL = (
    client(90, BLUE),
    client(100, NO_ANSWER),
    client(200, NO_ANSWER),
    alarm(50, "OK"),
    alarm(260, "ALARM"),
    client(300, GREEN),
    client(350, GREEN),
    client(450, GREEN),
    client(600, BLUE),
    client(800, BLUE),
    alarm(700, "OK"),
)


def test_a_full_run() -> None:
    found = measured(*FULL)
    assert replace(found, availability=None) == Measures(160, 200, 200, 200, None)
    assert found.availability == pytest.approx(5 / 7)


def test_seconds_are_those_of_the_service() -> None:
    found = measured(*FULL, run=replace(RUN, time_scale=10.0))
    assert (found.detect_seconds, found.outage_seconds) == (1600, 2000)


def test_an_alarm_that_was_on_before_detected_nothing() -> None:
    found = measured(alarm(50, "ALARM"), alarm(110, "ALARM"), alarm(300, "ALARM", "another"))
    assert found.detect_seconds == 200


def test_an_alarm_that_fires_a_second_time_detects_the_first_time() -> None:
    found = measured(alarm(120, "ALARM"), alarm(130, "OK"), alarm(140, "ALARM"))
    assert found.detect_seconds == 20


def test_clients_that_never_moved_did_not_come_back() -> None:
    found = measured(client(150, BLUE), client(500, BLUE))
    assert (found.failover_seconds, found.failback_seconds) == (None, None)


def test_clients_that_are_elsewhere_in_the_end_did_not_come_back() -> None:
    assert (
        measured(client(200, GREEN), client(500, BLUE), client(600, GREEN)).failback_seconds is None
    )


def test_clients_that_came_back_before_the_end_came_back_at_once() -> None:
    assert measured(client(200, GREEN), client(300, BLUE), client(500, BLUE)).failback_seconds == 0


def test_a_fault_that_never_ended_has_no_way_back() -> None:
    run = replace(RUN, ended_at=None)
    assert measured(client(200, GREEN), client(300, BLUE), run=run).failback_seconds is None


def test_without_clients_nothing_is_said_of_them() -> None:
    assert measured(alarm(300, "ALARM")) == Measures(200, None, None, None, None)


def test_an_outage_that_goes_on_lasts_until_the_end() -> None:
    assert measured(client(200, BLUE), client(300, NO_ANSWER)).outage_seconds == 700


@given(observations(), runs(), st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(
    seen: list[Observation], run: Run, chance: random.Random
) -> None:
    again = [*seen, *chance.sample(seen, len(seen) // 2)]
    chance.shuffle(again)
    assert measured(*again, run=run) == measured(*seen, run=run)


@given(observations(), runs())
def test_numbers_are_within_their_bounds(seen: list[Observation], run: Run) -> None:
    found = measured(*seen, run=run)
    longest = (run.until - run.injected_at) * run.time_scale
    for seconds in (found.detect_seconds, found.failover_seconds, found.outage_seconds):
        assert seconds is None or 0 <= seconds <= longest
    assert found.failback_seconds is None or found.failback_seconds >= 0
    assert found.availability is None or 0 <= found.availability <= 1
    assert (found.availability is None) == (found.outage_seconds is None)
    if found.availability == 1:
        assert found.outage_seconds == 0
