"""What is measured and published each minute, whatever clocks, outages and reloads do."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.probe.agent.config import HEARTBEAT_METRIC, PEER_METRIC, Config, Target
from staged_resiliency.probe.agent.metric_statistics import Datum, Series
from tests.cases import cases
from tests.properties import fewer_examples
from tests.staged_resiliency.probe.agent.support import (
    BLUE,
    BROKEN,
    DOWN,
    GREEN,
    HANGING,
    HOUR,
    MIDNIGHT,
    SLOW_TO_FAIL,
    WELL,
    Planned,
    VirtualHost,
    broken_within,
    config_of,
    flapping,
    host_series,
    merged,
    recorded,
    refused,
)

DB = host_series("db-connectivity")


# --- Steady state


@pytest.mark.parametrize("host", [BLUE, "i-0123456789abcdef0"])
def test_a_steady_state_takes_one_request_a_minute_with_the_heartbeat_in_it(
    world: VirtualHost, host: str
) -> None:
    world.observe(config_of({"db-connectivity": WELL, "cdn-connectivity": WELL}), host)
    world.run(180)
    before = len(world.cloudwatch.requests)
    world.run(HOUR)
    requests = world.cloudwatch.requests[before:]
    assert len(requests) == 60
    for _, data in requests:
        assert {datum.series.metric for datum in data} == {
            "db-connectivity",
            "cdn-connectivity",
            HEARTBEAT_METRIC,
        }
        assert {datum.series.dimensions for datum in data} == {(("Host", host),)}


def test_hosts_tell_their_minutes_at_different_times() -> None:
    times = set()
    for number in range(20):
        with VirtualHost() as world:
            world.observe(config_of({"db-connectivity": WELL}), f"host-{number}")
            world.run(180)
            last, _ = world.cloudwatch.requests[-1]
            times.add(round((last - world.time.now + world.time.wall()) % 60, 2))
    assert len(times) == 20
    assert all(1 <= after < 11 for after in times)


def test_a_clock_that_runs_a_little_slow_makes_no_minute_twice(world: VirtualHost) -> None:
    """The minute's turn then comes a little before its time."""
    world.observe(config_of({"db-connectivity": WELL}))

    def lose() -> None:
        world.time.set_wall(-0.0005)
        world.loop.call_at(world.time.now + 7, lose)

    lose()
    world.run(HOUR)
    sets = merged(world.cloudwatch.data())
    beats = [
        d.samples for (series, _), d in sets.items() if series == host_series(HEARTBEAT_METRIC)
    ]
    assert beats[1:] == [1] * (len(beats) - 1)
    assert len(beats) == 60


# --- The journal


def test_failures_are_counted_by_class_in_the_minutes_that_have_some(world: VirtualHost) -> None:
    start = world.time.now
    world.observe(
        config_of({"db": broken_within((start + 120, start + 180)), "hangs": HANGING, "well": WELL})
    )
    world.run(400)
    sets = merged(world.cloudwatch.data())
    classes = {
        (series.metric, dict(series.dimensions).get("Class"))
        for series, _ in sets
        if series.metric.endswith("-failures")
    }
    assert classes == {("db-failures", "refused"), ("hangs-failures", "timeout")}
    refused_series = Series("db-failures", (("Host", BLUE), ("Class", "refused")))
    counted = {minute: d.total for (series, minute), d in sets.items() if series == refused_series}
    zeros = {
        minute: d.samples - d.total
        for (series, minute), d in sets.items()
        if series == host_series("db") and d.lowest == 0
    }
    assert counted == zeros
    assert sum(counted.values()) == 6


def test_each_host_observes_the_others_and_never_itself(world: VirtualHost) -> None:
    peers = {BLUE: WELL, GREEN: BROKEN, "third": HANGING}
    observation = world.observe(config_of({}, peers=peers))
    assert len(observation) == 2
    world.run(90)
    series = {datum.series for datum in world.cloudwatch.data()} - {host_series(HEARTBEAT_METRIC)}
    assert series == {
        Series(PEER_METRIC, (("Host", GREEN), ("Observer", BLUE))),
        Series(PEER_METRIC, (("Host", "third"), ("Observer", BLUE))),
        Series(
            f"{PEER_METRIC}-failures", (("Host", GREEN), ("Observer", BLUE), ("Class", "refused"))
        ),
        Series(
            f"{PEER_METRIC}-failures", (("Host", "third"), ("Observer", BLUE), ("Class", "timeout"))
        ),
    }


def test_a_host_that_is_not_among_the_peers_observes_nobody(world: VirtualHost) -> None:
    observation = world.observe(config_of({}, peers={BLUE: WELL, GREEN: WELL}), "somebody-else")
    assert len(observation) == 0
    world.run(300)
    assert {datum.series for datum in world.cloudwatch.data()} == {
        host_series(HEARTBEAT_METRIC, "somebody-else")
    }


def test_the_journal_has_changes_or_each_sample(world: VirtualHost) -> None:
    start = world.time.now
    world.observe(config_of({"db-connectivity": broken_within((start + 100, start + 200))}))
    world.run(300)
    message = ["succeeded in 3 ms", "failed after 3 ms: refused (Connection refused)"]
    assert world.lines == [
        f"<6>db-connectivity sometimes:1 {message[0]}",
        f"<4>db-connectivity sometimes:1 {message[1]}",
        f"<6>db-connectivity sometimes:1 {message[0]}",
    ]
    world.journal.every_sample = True
    world.run(60)
    assert world.lines[3:] == [f"<6>db-connectivity sometimes:1 {message[0]}"] * 6


# --- Clocks


@cases(
    ("seconds", "message"),
    {
        "an hour forward": (3600.0, ["<4>the clock was set forward by 3600 s"]),
        "two hours back": (-7200.0, ["<4>the clock was set back by 7200 s"]),
        "a little forward": (1.5, []),
        "a little back": (-1.5, []),
    },
)
def test_a_step_of_the_clock_is_logged_once(
    world: VirtualHost, seconds: float, message: list[str]
) -> None:
    world.observe(config_of({"db-connectivity": WELL}))
    world.run(200)
    del world.lines[:]
    world.time.set_wall(seconds)
    world.run(HOUR)
    assert world.lines == message


def test_a_suspended_host_logs_how_many_samples_were_skipped(world: VirtualHost) -> None:
    world.observe(config_of({"db-connectivity": WELL, "cdn-connectivity": WELL}))
    world.run(100)
    del world.lines[:]
    world.time.stand_still(60)
    world.run(200)
    assert world.lines == ["<4>the host was suspended: 10 samples were skipped"]


@fewer_examples(3)
@given(
    st.lists(st.tuples(st.floats(0, 600), st.floats(-2000, 2000)), max_size=3),
    st.lists(st.tuples(st.floats(0, 600), st.floats(0, 300)), max_size=2),
)
def test_each_sample_arrives_once_in_its_minute_whatever_clock_and_cloudwatch_do(
    steps: list[tuple[float, float]], outages: list[tuple[float, float]]
) -> None:
    with VirtualHost() as world:
        start = world.time.now
        known = recorded(world)
        world.cloudwatch.trouble = lambda now, data: (
            DOWN if any(a <= now - start < a + b for a, b in outages) else None
        )
        for after, seconds in steps:
            world.loop.call_at(start + after, world.time.set_wall, seconds)
        observation = world.observe(config_of({"db": flapping(), "cdn": SLOW_TO_FAIL}))
        world.run(600)
        observation.stop()
        world.run(400)
        count = Counter((series, minute) for _, series, minute, _ in known)
        total: Counter[tuple[Series, int]] = Counter()
        for _, series, minute, value in known:
            total[series, minute] += int(value)
        late = [each for each in known if each[0] > start + 600]  # were under way at the end
        for _, series, minute, value in late:
            count[series, minute] -= 1
            total[series, minute] -= int(value)
        sets = merged(world.cloudwatch.data())
        found = {
            key: (d.samples, d.total)
            for key, d in sets.items()
            if key[0] in (host_series("db"), host_series("cdn"))
        }
        assert found == {key: (n, total[key]) for key, n in count.items() if n}


def test_a_minute_without_a_turn_of_the_loop_is_published_later(world: VirtualHost) -> None:
    world.observe(config_of({"db-connectivity": WELL}))
    world.run(119)
    world.time.stand_still(300)
    world.run(120)
    sets = merged(world.cloudwatch.data())
    assert sum(d.samples for (series, _), d in sets.items() if series == DB) >= 6 * 3
    assert (DB, MIDNIGHT + 240) not in sets


# --- Another configuration


def test_a_reload_leaves_targets_that_stay_on_their_clock_with_their_state(
    world: VirtualHost,
) -> None:
    start = world.time.now
    config = config_of({"db-connectivity": BROKEN, "cdn-connectivity": WELL})
    observation = world.observe(config)
    for number in range(100):
        more = {"db-connectivity": BROKEN, "cdn-connectivity": WELL, f"new-{number}": WELL}
        world.loop.call_at(start + 100 + 3 * number, observation.apply, config_of(more))
    world.run(600)
    sets = merged(world.cloudwatch.data())
    for minute in range(MIDNIGHT + 60, MIDNIGHT + 540, 60):
        assert sets[DB, minute].samples == 6
        assert sets[host_series("cdn-connectivity"), minute].samples == 6
    changes = [line for line in world.lines if "db-connectivity" in line]
    assert len(changes) == 1


def test_a_target_that_is_taken_out_is_asked_no_more(world: VirtualHost) -> None:
    observation = world.observe(config_of({"db-connectivity": WELL, "cdn-connectivity": WELL}))
    world.run(100)
    observation.apply(config_of({"cdn-connectivity": WELL}))
    assert len(observation) == 1
    known = recorded(world)
    world.run(300)
    assert {series.metric for _, series, _, _ in known} == {"cdn-connectivity"}


def test_a_target_that_is_asked_otherwise_begins_anew(world: VirtualHost) -> None:
    observation = world.observe(config_of({"db-connectivity": WELL}))
    world.run(100)
    other = Planned(lambda began: (0.1, refused()), "other")
    observation.apply(config_of({"db-connectivity": other}))
    world.run(100)
    assert [line.split()[1] for line in world.lines] == ["well:1", "other:1"]


def test_another_interval_keeps_the_state_of_targets(world: VirtualHost) -> None:
    observation = world.observe(config_of({"db-connectivity": BROKEN}))
    world.run(100)
    observation.apply(config_of({"db-connectivity": BROKEN}, interval_seconds=5, timeout_seconds=2))
    world.run(200)
    assert len(world.lines) == 1
    sets = merged(world.cloudwatch.data())
    assert sets[DB, MIDNIGHT + 180].samples == 12


def test_what_was_measured_is_handed_over_at_the_end_and_no_minute_begins_after(
    world: VirtualHost,
) -> None:
    known = recorded(world)
    observation = world.observe(config_of({"db-connectivity": WELL}))
    world.run(135)
    observation.stop()
    sets = merged(world.cloudwatch.data())
    assert sum(d.samples for (series, _), d in sets.items() if series == DB) == len(known)
    count = len(world.cloudwatch.requests)
    world.run(300)
    assert len(world.cloudwatch.requests) == count


def test_nothing_is_put_when_nothing_was_measured(world: VirtualHost) -> None:
    observation = world.observe(config_of({"db-connectivity": WELL}))
    observation.stop()
    put: list[Sequence[Datum]] = []
    world.publisher.put = put.append  # type: ignore[method-assign,assignment]
    observation.stop()
    assert put == []


# --- Pace and measures of a target


def answering(seconds: float, days: int | None = None) -> Planned:
    """A target that answers after some time, perhaps with a certificate."""
    return Planned(lambda began: (seconds, None), "answering", days)


def of_targets(*targets: Target) -> Config:
    return Config("bookstore", "Bookstore", targets)


def test_a_target_has_a_pace_of_its_own(world: VirtualHost) -> None:
    slow = Target("slow-connectivity", HANGING, interval_seconds=60, timeout_seconds=30)
    world.observe(of_targets(Target("db-connectivity", WELL), slow))
    samples = recorded(world)
    world.run(HOUR)
    counted = Counter(series for _, series, _, _ in samples)
    assert counted[DB] == pytest.approx(360, abs=1)
    assert counted[host_series("slow-connectivity")] == pytest.approx(60, abs=1)


def test_a_latency_is_published_as_a_statistic_set_or_as_single_values(world: VirtualHost) -> None:
    world.observe(
        of_targets(
            Target("db-connectivity", answering(0.25), latency="statistics"),
            Target("cdn-connectivity", answering(0.5), latency="values"),
            Target("web-connectivity", WELL),
        )
    )
    world.run(300)
    published = merged(world.cloudwatch.data())
    minute = int(MIDNIGHT) + 120
    db = published[host_series("db-latency"), minute]
    assert (db.samples, db.total, db.lowest, db.highest, db.values) == (6, 1500, 250, 250, ())
    cdn = published[host_series("cdn-latency"), minute]
    assert (cdn.samples, cdn.values) == (6, ((500, 6),))
    assert not [series for series, _ in published if series.metric == "web-latency"]


def test_a_failure_has_no_latency(world: VirtualHost) -> None:
    world.observe(of_targets(Target("db-connectivity", BROKEN, latency="values")))
    world.run(300)
    assert {series.metric for series, _ in merged(world.cloudwatch.data())} == {
        *("db-connectivity", "db-connectivity-failures", "probe-heartbeat")
    }


def test_the_days_of_a_certificate_are_published_where_they_are_asked_for(
    world: VirtualHost,
) -> None:
    world.observe(
        of_targets(
            Target("db-connectivity", answering(0.1, 0), certificate=True),
            Target("cdn-connectivity", answering(0.1, 30)),
        )
    )
    before = len(world.cloudwatch.requests)
    world.run(600)
    published = merged(world.cloudwatch.data())
    days = [datum for (series, _), datum in published.items() if series.metric.endswith("days")]
    assert {datum.series for datum in days} == {host_series("db-certificate-days")}
    assert {(datum.lowest, datum.highest) for datum in days} == {(0, 0)}
    # A 0 of days is no failure, which would be published at once.
    assert len(world.cloudwatch.requests) - before <= 13


def test_a_target_with_another_pace_is_sampled_anew_and_one_with_another_measure_is_not(
    world: VirtualHost,
) -> None:
    check = answering(0.25)
    measuring = world.observe(of_targets(Target("db-connectivity", check)))
    (sampler,) = measuring._samplers
    measuring.apply(of_targets(Target("db-connectivity", check, latency="statistics")))
    assert measuring._samplers == [sampler]
    world.run(120)
    assert host_series("db-latency") in {series for series, _ in merged(world.cloudwatch.data())}
    measuring.apply(of_targets(Target("db-connectivity", check, interval_seconds=30)))
    assert [each.interval for each in measuring._samplers] == [30]
