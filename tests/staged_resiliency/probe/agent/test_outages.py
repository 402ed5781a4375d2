"""What is published, kept and dropped over hours in which CloudWatch accepts nothing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from staged_resiliency.probe.agent.agent import max_spooled
from staged_resiliency.probe.agent.config import DROPPED_METRIC, HEARTBEAT_METRIC
from staged_resiliency.probe.agent.metric_statistics import Datum
from tests.staged_resiliency.probe.agent.support import (
    BROKEN,
    DOWN,
    HANGING,
    HOUR,
    MIDNIGHT,
    WELL,
    VirtualHost,
    config_of,
    host_series,
    merged,
    outbox_of,
)


@pytest.mark.slow
def test_two_hours_in_which_nothing_can_be_reached_lose_no_sample(tmp_path: Path) -> None:
    config = config_of({"hanging": HANGING, "broken": BROKEN})
    with VirtualHost(tmp_path, max_spooled(config)) as world:
        start = world.time.now
        over = start + 2 * HOUR
        world.cloudwatch.trouble = lambda now, data: DOWN if start + 90 < now < over else None
        world.observe(config)
        world.run(2 * HOUR + 180)
        sets = merged(world.cloudwatch.data())
        for minute in range(MIDNIGHT + 60, MIDNIGHT + 7260, 60):
            for metric in ("hanging", "broken"):
                found = sets[host_series(metric), minute]
                assert (found.samples, found.total) == (6, 0.0)
            assert sets[host_series(HEARTBEAT_METRIC), minute].samples == 1
        assert not any(series.metric == DROPPED_METRIC for series, _ in sets)
        assert world.outbox.take_dropped() == 0
        assert list(tmp_path.iterdir()) == []
        assert sum("publishing" in line for line in world.lines) == 2


@pytest.mark.slow
def test_two_hours_of_outage_lose_none_of_a_thousand_targets() -> None:
    config = config_of({f"target-{number}": WELL for number in range(1000)})
    now = [float(MIDNIGHT)]
    outbox = outbox_of(max_data=max_spooled(config), wall=lambda: now[0])
    series = [host_series(target.metric) for target in config.targets]
    for minute in range(MIDNIGHT, MIDNIGHT + 7200, 60):
        now[0] = minute + 60.0
        outbox.put([Datum(each, minute, 6, 6.0, 1.0, 1.0) for each in series])
        while outbox.request(now[0]):
            outbox.failed(now[0])
    assert outbox.waiting() == 120_000
    arrived: Counter[int] = Counter()
    minutes = []
    while data := outbox.request(now[0] + 30):
        assert len(data) == 1000
        arrived.update(datum.minute for datum in data)
        minutes.append(data[0].minute)
        outbox.accepted()
    assert arrived == dict.fromkeys(range(MIDNIGHT, MIDNIGHT + 7200, 60), 1000)
    assert minutes == sorted(minutes)
    assert outbox.take_dropped() == 0


def test_beyond_the_bound_the_oldest_go_and_are_counted_in_the_journal_and_a_metric() -> None:
    config = config_of({"db-connectivity": WELL})
    with VirtualHost(max_data=50) as world:
        over = world.time.now + 2 * HOUR
        world.cloudwatch.trouble = lambda now, data: DOWN if now < over else None
        put: list[Datum] = []
        usual = world.publisher.put

        def put_and_noted(data: Sequence[Datum]) -> None:
            put.extend(data)
            usual(data)

        world.publisher.put = put_and_noted  # type: ignore[method-assign]
        world.observe(config)
        world.run(2 * HOUR + 120)
        arrived = world.cloudwatch.data()
        counted = sum(d.total for d in arrived if d.series == host_series(DROPPED_METRIC))
        lost = Counter(put) - Counter(arrived)
        assert sum(lost.values()) == counted
        assert counted > 100
        assert max(datum.minute for datum in lost) < min(
            datum.minute for datum in arrived if datum.series.metric == HEARTBEAT_METRIC
        )
        assert [line for line in world.lines if "dropped" in line] == [
            f"<4>{counted:.0f} data were dropped"
        ]


def test_a_restart_within_an_outage_loses_nothing_and_keeps_times(tmp_path: Path) -> None:
    config = config_of({"db-connectivity": BROKEN, "cdn-connectivity": WELL})
    arrived: list[Datum] = []
    for number in range(3):
        wall = MIDNIGHT + number * 600
        with VirtualHost(tmp_path, max_spooled(config), wall=wall) as world:
            if number < 2:
                world.cloudwatch.trouble = lambda now, data: DOWN
            observation = world.observe(config)
            world.run(599)
            observation.stop()
            world.outbox.spool_all()
            arrived += world.cloudwatch.data()
    sets = merged(arrived)
    for metric in ("db-connectivity", "cdn-connectivity"):
        samples = [sets[host_series(metric), MIDNIGHT + 60 * each].samples for each in range(30)]
        assert sum(samples) in range(3 * 59, 3 * 60 + 1)
        assert min(samples) >= 5
    assert list(tmp_path.iterdir()) == []


def test_the_count_of_what_was_dropped_outlives_the_agent(tmp_path: Path) -> None:
    config = config_of({"db-connectivity": WELL})
    with VirtualHost(tmp_path, max_data=40) as world:
        world.cloudwatch.trouble = lambda now, data: DOWN
        observation = world.observe(config)
        world.run(1800)
        lost = world.outbox.dropped + world.spool.dropped
        assert lost > 10
        observation.stop()
        world.outbox.spool_all()
    with VirtualHost(tmp_path, max_data=1000, wall=MIDNIGHT + 1800) as world:
        world.observe(config)
        world.run(10)
        data = world.cloudwatch.data()
        assert [d.total for d in data if d.series == host_series(DROPPED_METRIC)] == [lost]
