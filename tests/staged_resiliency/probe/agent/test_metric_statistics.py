"""Samples become statistic sets, and merged they say what the single samples said."""

from collections import defaultdict
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.probe.agent import metric_statistics
from staged_resiliency.probe.agent.metric_statistics import Datum, MetricStatistics, Series
from tests.properties import fewer_examples
from tests.staged_resiliency.probe.agent.support import MIDNIGHT, host_series, merged

DB, CDN = host_series("db-connectivity"), host_series("cdn-connectivity")

SAMPLES = st.lists(
    st.tuples(
        st.sampled_from([DB, CDN]),
        st.sampled_from([MIDNIGHT - 60, MIDNIGHT, MIDNIGHT + 60]),
        st.sampled_from([0.0, 1.0]),
    ),
    max_size=40,
)


@fewer_examples(3)
@given(SAMPLES, st.sets(st.integers(0, 40), max_size=8))
def test_a_minute_in_parts_has_the_average_of_its_single_values(
    samples: list[tuple[Series, int, float]], taken_after: set[int]
) -> None:
    measurements = MetricStatistics()
    message: list[Datum] = []
    values: dict[tuple[Series, int], list[float]] = defaultdict(list)
    for number, (series, minute, value) in enumerate(samples):
        measurements.add(series, minute, value)
        values[series, minute].append(value)
        if number in taken_after:
            message += measurements.take()
    message += measurements.take()
    sets = merged(message)
    assert sets.keys() == values.keys()
    for key, single in values.items():
        found = sets[key]
        assert Fraction(found.total) / found.samples == Fraction(sum(single)) / len(single)
        assert (found.samples, found.lowest, found.highest) == (
            len(single),
            min(single),
            max(single),
        )


@fewer_examples(3)
@given(SAMPLES)
def test_each_parts_average_lies_within_its_bounds(
    samples: list[tuple[Series, int, float]],
) -> None:
    measurements = MetricStatistics()
    for sample in samples:
        measurements.add(*sample)
    for datum in measurements.take():
        assert datum.samples > 0
        assert datum.lowest <= datum.total / datum.samples <= datum.highest


def test_data_of_a_minute_are_not_merged_beyond_the_values_of_a_request() -> None:
    pairs = tuple((float(number), 1.0) for number in range(100))
    datum = Datum(DB, MIDNIGHT, 100, 4950.0, 0.0, 99.0, pairs)
    few = datum._replace(values=pairs[:50])
    assert [len(each.values) for each in metric_statistics.merged([datum, datum, few])] == [
        *(100, 150)
    ]


def test_only_the_first_zero_of_a_minute_counts_as_first() -> None:
    measurements = MetricStatistics()
    first = [measurements.add(DB, MIDNIGHT, value) for value in (1.0, 0.0, 0.0, 1.0, 0.0)]
    assert first == [False, True, False, False, False]
    assert measurements.add(CDN, MIDNIGHT, 0.0)
    assert measurements.add(DB, MIDNIGHT + 60, 0.0)


def test_a_zero_is_not_the_first_because_the_former_one_was_taken() -> None:
    measurements = MetricStatistics()
    measurements.add(DB, MIDNIGHT, 0.0)
    measurements.take()
    assert not measurements.add(DB, MIDNIGHT, 0.0)


def test_what_was_taken_is_oldest_first_and_taken_once() -> None:
    measurements = MetricStatistics()
    for minute in (MIDNIGHT + 60, MIDNIGHT, MIDNIGHT + 120):
        measurements.add(DB, minute, 1.0)
    taken = measurements.take()
    assert [datum.minute - MIDNIGHT for datum in taken] == [0, 60, 120]
    assert taken[0] == Datum(DB, MIDNIGHT, 1, 1.0, 1.0, 1.0)
    assert measurements.take() == []
