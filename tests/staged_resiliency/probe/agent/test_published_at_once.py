"""What is published at once: changes of state and a minute's first failure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.probe.agent.checks import Check
from staged_resiliency.probe.agent.cloudwatch import SendError
from staged_resiliency.probe.agent.measuring import CHANGE_PAUSE_SECONDS, STEADY_SECONDS
from staged_resiliency.probe.agent.metric_statistics import Series
from tests.properties import fewer_examples
from tests.staged_resiliency.probe.agent.support import (
    BROKEN,
    HOUR,
    MIDNIGHT,
    WELL,
    VirtualHost,
    broken_within,
    config_of,
    flapping,
    host_series,
    merged,
    recorded,
)

DB = host_series("db-connectivity")
THROTTLED = SendError("Throttling", "Rate exceeded")


def arrival_of_first_zeros(world: VirtualHost) -> dict[tuple[Series, int], float]:
    """When CloudWatch learnt that a minute of a series has a 0."""
    found: dict[tuple[Series, int], float] = {}
    for at, data in world.cloudwatch.requests:
        for datum in data:
            if datum.lowest == 0:
                found.setdefault((datum.series, datum.minute), at)
    return found


def test_a_change_of_state_is_published_in_the_same_turn(world: VirtualHost) -> None:
    fails = world.time.now + 200
    mends = world.time.now + 500
    world.observe(config_of({"db-connectivity": broken_within((fails, mends))}))
    world.run(150)
    known = recorded(world)
    before = len(world.cloudwatch.requests)
    world.run(400)
    requests = world.cloudwatch.requests[before:]
    first_zero = next(at for at, _, _, value in known if value == 0)
    first_one = next(at for at, _, _, value in known if value == 1 and at > first_zero)
    for moment, value in ((first_zero, 0.0), (first_one, 1.0)):
        (data,) = (data for at, data in requests if at == moment)
        (datum,) = (datum for datum in data if datum.series == DB)
        assert value in (datum.lowest, datum.highest)


def test_while_failing_the_first_zero_of_each_minute_is_published_in_the_same_turn(
    world: VirtualHost,
) -> None:
    known = recorded(world)
    began = world.time.now
    world.observe(config_of({"db-connectivity": BROKEN}))
    world.run(HOUR)
    arrived = arrival_of_first_zeros(world)
    for minute in range(MIDNIGHT, MIDNIGHT + int(STEADY_SECONDS), 60):
        assert arrived[DB, minute] == next(at for at, _, m, _ in known if m == minute)
    # And no other of its zeros: a second request a minute is all that a failure costs.
    requests = [at for at, _ in world.cloudwatch.requests if at < began + STEADY_SECONDS]
    assert len(requests) in (10, 11)


def test_targets_that_fail_for_long_cost_no_request_and_each_minute_arrives_soon_after_it(
    world: VirtualHost,
) -> None:
    heals = world.time.now + 900.5
    checks: dict[str, Check] = {f"target-{number}": WELL for number in range(5)}
    checks |= {f"broken-{number}": broken_within((0, heals)) for number in range(5)}
    world.observe(config_of(checks))
    world.run(STEADY_SECONDS + 60)
    before = len(world.cloudwatch.requests)
    until_then = arrival_of_first_zeros(world).keys()
    world.run(900 - STEADY_SECONDS - 60)
    assert len(world.cloudwatch.requests) - before == 9, "one a minute"
    ahead = world.time.wall() - world.time.clock()
    delays = {
        at + ahead - minute
        for (series, minute), at in arrival_of_first_zeros(world).items()
        if (series, minute) not in until_then
    }
    assert 0 < max(delays) <= 72
    first = host_series("broken-0")
    known = recorded(world)
    before = len(world.cloudwatch.requests)
    world.run(12)
    # The recovery is a change of state, which is published as soon as ever.
    ones = {series: at for at, series, _, value in reversed(known) if value == 1}
    assert first in ones
    published = [at for at, _ in world.cloudwatch.requests[before:]]
    assert any(0 <= at - ones[first] <= CHANGE_PAUSE_SECONDS + 1e-6 for at in published)


def test_a_reload_keeps_how_long_a_target_has_failed(world: VirtualHost) -> None:
    observation = world.observe(config_of({"db-connectivity": BROKEN}))
    world.run(STEADY_SECONDS + 60)
    observation.apply(config_of({"db-connectivity": BROKEN}, interval_seconds=5))
    before = len(world.cloudwatch.requests)
    world.run(600)
    assert len(world.cloudwatch.requests) - before == 10


def test_changes_within_a_second_share_a_request_a_second_after_the_first(
    world: VirtualHost,
) -> None:
    fails = world.time.now + 300
    checks: dict[str, Check] = {
        f"target-{number}": broken_within((fails, fails + 60)) for number in range(50)
    }
    world.observe(config_of(checks))
    world.run(295)
    before = len(world.cloudwatch.requests)
    known = recorded(world)
    world.run(25)
    zeros = {series: at for at, series, _, value in reversed(known) if value == 0}
    assert len(zeros) == 50
    arrived = arrival_of_first_zeros(world)
    delays = [
        min(at for (s, _), at in arrived.items() if s == series) - known_at
        for series, known_at in zeros.items()
    ]
    assert min(delays) == 0
    assert max(delays) <= CHANGE_PAUSE_SECONDS + 1e-6
    assert len(world.cloudwatch.requests) - before <= 25 / CHANGE_PAUSE_SECONDS + 1


@pytest.mark.parametrize("interval", [1, 10])
def test_flapping_targets_make_at_most_one_request_a_second(
    world: VirtualHost, interval: int
) -> None:
    checks: dict[str, Check] = {f"target-{number}": flapping() for number in range(20)}
    world.observe(config_of(checks, interval_seconds=interval, timeout_seconds=0.5))
    world.run(300)
    assert len(world.cloudwatch.requests) <= 300 / CHANGE_PAUSE_SECONDS + 6
    assert len(world.cloudwatch.requests) > 200
    sets = merged(world.cloudwatch.data())
    found = sets[host_series("target-0"), MIDNIGHT + 120]
    assert (found.samples, found.total) == (60 // interval, 30 // interval)


FAULTS = st.lists(st.tuples(st.floats(0, 900), st.floats(0.1, 200)), max_size=4)


@fewer_examples(5)
@given(st.lists(FAULTS, min_size=1, max_size=6), st.text("abcdef", min_size=1, max_size=5))
def test_no_fault_arrives_later_than_with_a_request_for_each_sample(
    faults: list[list[tuple[float, float]]], host: str
) -> None:
    """The fact that an alarm needs: this minute has a 0. A second is what others may cost it."""
    with VirtualHost() as world:
        start = world.time.now
        checks: dict[str, Check] = {
            f"target-{number}": broken_within(*((start + a, start + a + b) for a, b in spans))
            for number, spans in enumerate(faults)
        }
        known = recorded(world)
        world.observe(config_of(checks), host)
        world.run(1200)
        arrived = arrival_of_first_zeros(world)
        one_by_one: dict[tuple[Series, int], float] = {}
        failing_since: dict[Series, float] = {}
        steady = set()
        for at, series, minute, value in known:
            if value == 0:
                one_by_one.setdefault((series, minute), at)
                if at - failing_since.setdefault(series, at) >= STEADY_SECONDS:
                    steady.add((series, minute))
            else:
                failing_since.pop(series, None)
        assert arrived.keys() == one_by_one.keys()
        for key, at in one_by_one.items():
            most = 72 if key in steady else CHANGE_PAUSE_SECONDS + 1e-6
            assert at <= arrived[key] <= at + most


def test_a_fault_of_which_the_first_request_is_throttled_arrives_a_second_later(
    world: VirtualHost,
) -> None:
    fails = world.time.now + 200
    world.observe(config_of({"db-connectivity": broken_within((fails, fails + 600))}))
    known = recorded(world)
    world.cloudwatch.trouble = lambda now, data: (
        THROTTLED if data[0].lowest == 0 and now < fails + 10.5 else None
    )
    world.run(220)
    zero = next(at for at, _, _, value in known if value == 0)
    refusals = [at for at, data in world.cloudwatch.attempts if at >= zero]
    assert refusals[0] == zero
    arrived = min(arrival_of_first_zeros(world).values())
    assert arrived - max(zero, fails + 10.5) <= 4
