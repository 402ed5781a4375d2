"""Observations: ordered, unique, and the transitions among them."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.experiment.observations import Observation, Source, of, ordered, transitions
from tests.staged_resiliency.experiment.observing import (
    BLUE,
    GREEN,
    RECORD,
    alarm,
    client,
    observations,
)


def test_those_of_a_source_and_subject() -> None:
    seen = [client(1, BLUE), alarm(2, "OK"), client(3, GREEN, "other")]
    assert of(seen, Source.CLIENT) == [seen[0], seen[2]]
    assert of(seen, Source.CLIENT, RECORD) == [seen[0]]


def test_transitions_are_the_first_and_those_that_differ() -> None:
    seen = [client(4, GREEN), client(1, BLUE), client(2, BLUE), alarm(3, "OK"), client(5, GREEN)]
    assert transitions(seen) == [client(1, BLUE), alarm(3, "OK"), client(4, GREEN)]


@given(observations(), st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(
    seen: list[Observation], chance: random.Random
) -> None:
    again = [*seen, *seen]
    chance.shuffle(again)
    assert ordered(again) == ordered(seen)
    assert transitions(again) == transitions(seen)
    assert len(ordered(seen)) == len(set(seen))


@given(observations())
def test_transitions_lose_no_value_and_repeat_none(seen: list[Observation]) -> None:
    found = transitions(seen)
    assert set(found) <= set(seen)
    subjects = {(each.source, each.subject) for each in seen}
    for source, subject in subjects:
        values = [each.value for each in of(found, source, subject)]
        assert all(one != other for one, other in itertools.pairwise(values))
        assert set(values) == {each.value for each in of(seen, source, subject)}
