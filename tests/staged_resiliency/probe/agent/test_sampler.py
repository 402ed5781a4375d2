"""Each target has its own fixed clock, and every sample counts once, in the minute it began in."""

import time
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.probe.agent.attempt import TIMEOUT, Attempt, Tools
from staged_resiliency.probe.agent.checks import Check
from staged_resiliency.probe.agent.loop import Loop
from staged_resiliency.probe.agent.sampler import Result, Sampler
from tests.properties import fewer_examples
from tests.staged_resiliency.probe.agent.support import (
    DAY,
    HANGING,
    HOUR,
    MIDNIGHT,
    SLOW_TO_FAIL,
    WELL,
    Planned,
    VirtualHost,
    host_series,
)


def sampler_of(
    world: VirtualHost, results: list[Result], check: Check = WELL, metric: str = "db-connectivity"
) -> Sampler:
    sampler = Sampler(world.tools, host_series(metric), check, 10, 5, results.append)
    sampler.start()
    return sampler


def test_each_minute_of_three_hours_has_six_samples_of_each_target_whatever_the_others_do(
    world: VirtualHost,
) -> None:
    counted: Counter[tuple[str, int]] = Counter()
    seen: dict[str, set[tuple[float, str]]] = defaultdict(set)

    def record(result: Result) -> None:
        metric = result.sampler.series.metric
        counted[metric, result.minute] += 1
        seen[metric].add((round(result.seconds, 3), str(result.failure or result.answer)))

    checks = {"hanging": HANGING, "slow": SLOW_TO_FAIL}
    for metric, check in checks.items():
        Sampler(world.tools, host_series(metric), check, 10, 5, record).start()
    world.run(3 * HOUR + 30)
    whole = range(MIDNIGHT + 60, MIDNIGHT + 3 * HOUR, 60)
    for metric in checks:
        assert [counted[metric, minute] for minute in whole] == [6] * len(whole)
    assert seen == {
        "hanging": {(5.0, "timeout (waiting: no answer within 5 s)")},
        "slow": {(4.9, "refused (Connection refused)")},
    }


def test_samples_are_due_at_exact_times_without_drift(world: VirtualHost) -> None:
    began: list[float] = []

    def plan(now: float) -> tuple[float, None]:
        began.append(now)
        return 4.999, None

    start = world.time.now
    sampler_of(world, [], Planned(plan))
    world.run(DAY)
    phase = began[0] - start
    assert 0 <= phase < 10
    assert len(began) == 8640
    assert began == [began[0] + 10 * number for number in range(8640)]


def phase_of(metric: str) -> float:
    with VirtualHost() as world:
        results: list[Result] = []
        start = world.time.now
        sampler_of(world, results, metric=metric)
        world.run(10.01)
        return results[0].sampler._first - start


def test_a_series_has_the_same_phase_after_each_start_and_others_have_others() -> None:
    metrics = [f"target-{number}" for number in range(40)]
    phases = [phase_of(metric) for metric in metrics]
    assert phases == [phase_of(metric) for metric in metrics]
    assert all(0 <= phase < 10 for phase in phases)
    assert len(set(phases)) == 40
    # Spread over the interval, not gathered at one end of it.
    assert {int(phase // 2.5) for phase in phases} == {0, 1, 2, 3}


def test_a_host_that_stood_still_leaves_samples_out_and_keeps_its_clock(world: VirtualHost) -> None:
    began: list[float] = []

    def plan(now: float) -> tuple[float, None]:
        began.append(now)
        return 0.0, None

    sampler = sampler_of(world, [], Planned(plan))
    world.run(60)
    assert sampler.skipped == 0
    world.time.stand_still(40)
    woken = world.time.now
    world.run(60)
    # Three slots passed; the fourth's sample is taken at once, and the next are where they were.
    late = [at for at in began if at == woken]
    assert len(late) == 1
    after = [at for at in began if at > woken]
    assert {round((at - began[0]) % 10, 6) for at in after} == {0.0}
    assert sampler.skipped == 3
    assert len(began) + sampler.skipped == 16


def test_a_sample_belongs_to_the_minute_it_began_in_though_it_ends_in_the_next(
    world: VirtualHost,
) -> None:
    results: list[Result] = []
    world.time.set_wall(59.9)
    sampler = Sampler(world.tools, host_series("db"), SLOW_TO_FAIL, 10, 5, results.append)
    sampler.take()
    world.run(5)
    world.time.set_wall(-0.9 - 4)
    sampler.take()
    world.run(5)
    assert [result.minute for result in results] == [MIDNIGHT, MIDNIGHT + 60]


def test_a_sample_at_the_very_start_of_a_minute_belongs_to_it(world: VirtualHost) -> None:
    results: list[Result] = []
    sampler = Sampler(world.tools, host_series("db"), WELL, 10, 5, results.append)
    sampler.take()
    world.time.set_wall(-0.001)
    sampler.take()
    world.run(1)
    assert [result.minute for result in results] == [MIDNIGHT, MIDNIGHT - 60]


STEPS = st.lists(
    st.tuples(
        st.floats(0, 600),
        st.one_of(
            st.floats(-5 * HOUR, 5 * HOUR), st.sampled_from([-1.0, 1.0, 3600.0, -3600.0, -0.5])
        ),
    ),
    max_size=8,
)


@fewer_examples(2)
@given(STEPS)
def test_each_sample_counts_once_in_the_minute_that_the_clock_showed_when_it_began(
    steps: list[tuple[float, float]],
) -> None:
    with VirtualHost() as world:
        began: list[int] = []
        results: list[Result] = []

        def plan(now: float) -> tuple[float, None]:
            began.append(int(world.time.wall()) // 60 * 60)
            return 2.0, None

        sampler = sampler_of(world, results, Planned(plan))
        for after, seconds in steps:
            world.loop.call_at(world.time.now + after, world.time.set_wall, seconds)
        world.run(660)
        sampler.stop()
        world.run(10)
        assert [result.minute for result in results] == began
        assert len(began) == 66
        assert sampler.skipped == 0


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
def test_the_time_zone_means_nothing(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    loop = Loop()
    try:
        before = int(time.time())
        minute = Attempt(Tools(loop)).minute
        assert before // 60 * 60 <= minute <= time.time()
        assert minute % 60 == 0
    finally:
        loop.close()
        monkeypatch.undo()
        time.tzset()


def test_the_end_of_summer_time_neither_repeats_nor_leaves_out_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    ends = 1_793_512_800  # 2026-11-01 02:00 EDT, which is 01:00 EST
    assert time.localtime(ends - 1).tm_isdst == 1
    assert time.localtime(ends).tm_isdst == 0
    try:
        with VirtualHost(wall=ends - 600) as world:
            results: list[Result] = []
            sampler_of(world, results)
            world.run(1200)
            counted = Counter(result.minute for result in results)
            whole = range(ends - 540, ends + 540, 60)
            assert [counted[minute] for minute in whole] == [6] * len(whole)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_stopped_sampler_records_the_sample_in_progress_and_takes_no_more(
    world: VirtualHost,
) -> None:
    results: list[Result] = []
    sampler = sampler_of(world, results, HANGING)
    world.run(10)
    assert results == []
    sampler.stop()
    world.run(100)
    assert [result.failure.kind for result in results if result.failure] == [TIMEOUT]
    assert len(results) == 1


def test_whatever_a_check_raises_is_a_failure_of_its_sample(world: VirtualHost) -> None:
    def plan(began: float) -> tuple[float, None]:
        raise RuntimeError("a\nbug")

    results: list[Result] = []
    sampler_of(world, results, Planned(plan))
    world.run(60)
    assert {str(result.failure) for result in results} == {"unreachable (RuntimeError: a?bug)"}
    assert len(results) == 6


def test_the_context_of_tls_is_made_once(world: VirtualHost) -> None:
    assert world.tools.context() is world.tools.context()
