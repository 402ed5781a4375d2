"""What is sent when: fresh data first, then the oldest, and nothing lost in two hours of outage."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore.serialize
import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from staged_resiliency.probe.agent.agent import max_spooled
from staged_resiliency.probe.agent.checks import Check
from staged_resiliency.probe.agent.cloudwatch import _rendered
from staged_resiliency.probe.agent.config import DROPPED_METRIC, HEARTBEAT_METRIC
from staged_resiliency.probe.agent.metric_statistics import Datum, Series
from staged_resiliency.probe.agent.outbox import (
    ANSWERED_SECONDS,
    HELD_BACK_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    MAX_DATA_PER_REQUEST,
    PEER_SECONDS,
    REJECTED_PAUSE_SECONDS,
    Outbox,
)
from staged_resiliency.probe.agent.spool import Spool
from tests.cases import cases
from tests.properties import fewer_examples
from tests.staged_resiliency.probe.agent.support import (
    BROKEN,
    DOWN,
    HANGING,
    HOUR,
    MIDNIGHT,
    REFUSAL,
    WELL,
    VirtualHost,
    config_of,
    host_series,
    merged,
    ones,
)

DAY = 86_400


def outbox_of(
    *, folder: Path | None = None, max_data: int = 100_000, wall: Callable[[], float] | None = None
) -> Outbox:
    spool = Spool(folder, max_data, "Bookstore", pytest.fail)
    return Outbox(spool, wall or (lambda: float(MIDNIGHT)), jitter=lambda: 1.0)


# --- Batches


@cache
def serializer(protocol: str) -> tuple[Any, Any]:
    model = botocore.session.Session().get_service_model("cloudwatch")
    return botocore.serialize.create_serializer(protocol, False), model.operation_model(
        "PutMetricData"
    )


def body_bytes(protocol: str, data: Sequence[Datum]) -> int:
    """The size of a request as botocore really writes it."""
    serialize, operation = serializer(protocol)
    members = {"Namespace": "N" * 255, "MetricData": [_rendered(datum) for datum in data]}
    body = serialize.serialize_to_request(members, operation)["body"]
    return len(urlencode(body) if isinstance(body, Mapping) else body)


def wordy(length: int, letter: str = "%") -> Series:
    """A series as long as one can be: of a peer, with a class, each letter written as three."""
    word = letter * length
    dimensions = (("Host", word), ("Observer", word), ("Class", "unreachable"))
    return Series(letter * min(length, 209), dimensions)


@pytest.mark.parametrize("protocol", ["query", "json", "smithy-rpc-v2-cbor"])
@cases(
    "series",
    {
        "the longest names, of characters that are escaped": wordy(255),
        "the longest names, of plain characters": wordy(255, "a"),
        "usual names": host_series("db-connectivity"),
        "the shortest names": Series("m", ()),
    },
)
def test_the_largest_request_stays_below_a_megabyte(protocol: str, series: Series) -> None:
    outbox = outbox_of()
    outbox.put([Datum(series, MIDNIGHT, 60, 60.000001, 0.000001, 1.000001)] * 1500)
    sizes = []
    while data := outbox.request(0.0):
        sizes.append(len(data))
        assert body_bytes(protocol, data) < 1_000_000
        outbox.accepted()
    assert sum(sizes) == 1500
    assert max(sizes) <= MAX_DATA_PER_REQUEST


def test_a_thousand_usual_data_are_one_request() -> None:
    outbox = outbox_of()
    outbox.put(ones(MIDNIGHT, 1001))
    assert len(outbox.request(0.0)) == 1000
    outbox.accepted()
    assert len(outbox.request(0.0)) == 1


@fewer_examples(25)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=255))
def test_no_name_makes_a_request_larger_than_was_reckoned(name: str) -> None:
    outbox = outbox_of()
    series = Series(name, (("Host", name), ("Observer", name)))
    outbox.put([Datum(series, MIDNIGHT, 6, 6.0, 0.0, 1.0)] * 1000)
    assert body_bytes("query", outbox.request(0.0)) < 1_000_000


def test_a_datum_larger_than_a_request_may_be_is_sent_by_itself() -> None:
    outbox = outbox_of()
    huge = Datum(Series("m", (("Host", "h" * 400_000),)), MIDNIGHT, 1, 1.0, 1.0, 1.0)
    outbox.put([*ones(MIDNIGHT, 2), huge, huge])
    sizes = []
    while data := outbox.request(0.0):
        sizes.append(len(data))
        outbox.accepted()
    assert sizes == [2, 1, 1]


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


@given(jitter=st.floats(0, 1), failures=st.integers(1, 2000))
@fewer_examples(7)
def test_pauses_grow_with_each_failure_and_stay_within_bounds(jitter: float, failures: int) -> None:
    outbox = Outbox(Spool(None, 10, "B", pytest.fail), lambda: float(MIDNIGHT), lambda: jitter)
    outbox.put(ones(MIDNIGHT, 1))
    now = 50.0
    pauses = []
    for _ in range(failures):
        assert outbox.request(now)
        pause = outbox.failed(now)
        pauses.append(pause)
        assert outbox.pause(now) == pytest.approx(pause)
        assert outbox.request(now + pause * 0.99) == []
        now += pause * 1.001
    assert 0.5 <= pauses[0] <= 1.0
    assert pauses == sorted(pauses)
    assert max(pauses) <= LONGEST_PAUSE_SECONDS
    assert failures < 6 or max(pauses) >= LONGEST_PAUSE_SECONDS / 2
    assert outbox.request(now)
    outbox.accepted()
    outbox.put(ones(MIDNIGHT, 1))
    assert outbox.pause(now) == 0.0
    outbox.request(now)
    assert outbox.failed(now) <= 1.0  # from the beginning again


def test_hosts_pause_differently() -> None:
    pauses = set()
    for jitter in (0.0, 0.25, 1.0):
        outbox = Outbox(Spool(None, 10, "B", pytest.fail), lambda: float(MIDNIGHT), lambda: jitter)  # noqa: B023
        outbox.put(ones(MIDNIGHT, 1))
        outbox.request(0.0)
        pauses.add(outbox.failed(0.0))
    assert pauses == {0.5, 0.625, 1.0}


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
    outbox: Outbox, refused: Callable[[Datum], bool], *, requests: int = 500
) -> tuple[list[Datum], list[tuple[float, int]]]:
    """Send until there is nothing more, to a CloudWatch that refuses requests with some data."""
    now = 0.0
    accepted: list[Datum] = []
    attempts: list[tuple[float, int]] = []
    while (pause := outbox.pause(now)) is not None:
        now += pause
        data = outbox.request(now)
        if not data:
            break
        attempts.append((now, len(data)))
        assert len(attempts) <= requests, "this never ends"
        if any(map(refused, data)):
            outbox.rejected(now)
        else:
            accepted += data
            outbox.accepted()
    return accepted, attempts


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("place", [0, -1])
def test_a_poisonous_datum_is_dropped_alone_after_halving(count: int, place: int) -> None:
    outbox = outbox_of()
    data = ones(MIDNIGHT, count)
    poison = data[place]
    outbox.put(data)
    accepted, attempts = published(outbox, lambda datum: datum == poison)
    assert Counter(accepted) == Counter(datum for datum in data if datum != poison)
    assert outbox.take_dropped() == 1
    assert outbox.take_dropped() == 0
    assert len(attempts) <= 2 * count.bit_length() + 1


@fewer_examples(5)
@given(st.sets(st.integers(0, 39), max_size=40))
def test_however_many_data_are_poisonous_the_others_arrive(poisonous: set[int]) -> None:
    outbox = outbox_of()
    data = ones(MIDNIGHT, 40)
    bad = {data[number] for number in poisonous}
    outbox.put(data)
    accepted, attempts = published(outbox, bad.__contains__)
    assert Counter(accepted) == Counter(data) - Counter(bad)
    assert outbox.take_dropped() == len(bad)
    assert len(attempts) <= 79


def test_where_everything_is_refused_requests_are_a_second_apart() -> None:
    outbox = outbox_of()
    outbox.put(ones(MIDNIGHT, 20))
    accepted, attempts = published(outbox, lambda datum: True)
    assert accepted == []
    assert outbox.take_dropped() == 20
    times = [at for at, _ in attempts]
    assert min(later - earlier for earlier, later in pairwise(times)) >= 1.0


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
    accepted, _ = published(outbox, lambda datum: False)
    assert Counter(accepted) == Counter(ones(MIDNIGHT, 4))


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


# --- Outages


@pytest.mark.parametrize(
    ("check", "count", "interval"),
    [
        pytest.param(HANGING, 1, 10, id="1 target"),
        pytest.param(BROKEN, 1, 1, id="1 target each second"),
        pytest.param(HANGING, 20, 60, id="20 targets"),
    ],
)
@pytest.mark.no_cover
def test_two_hours_in_which_nothing_can_be_reached_lose_no_sample(
    tmp_path: Path, check: Check, count: int, interval: int
) -> None:
    config = config_of(
        {f"target-{number}": check for number in range(count)},
        interval_seconds=interval,
        timeout_seconds=min(5, interval / 2),
    )
    with VirtualHost(tmp_path, max_spooled(config)) as world:
        start = world.time.now
        over = start + 2 * HOUR
        world.cloudwatch.trouble = lambda now, data: DOWN if start + 90 < now < over else None
        world.observe(config)
        world.run(2 * HOUR + 180)
        sets = merged(world.cloudwatch.data())
        for minute in range(MIDNIGHT + 60, MIDNIGHT + 7260, 60):
            for number in range(count):
                found = sets[host_series(f"target-{number}"), minute]
                assert (found.samples, found.total) == (60 // interval, 0.0)
            assert sets[host_series(HEARTBEAT_METRIC), minute].samples == 1
        assert not any(series.metric == DROPPED_METRIC for series, _ in sets)
        assert world.outbox.take_dropped() == 0
        assert list(tmp_path.iterdir()) == []
        message = [line for line in world.lines if "publishing" in line]
        assert len(message) == 2, message


@pytest.mark.no_cover
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
    message: Counter[int] = Counter()
    minutes = []
    while data := outbox.request(now[0] + 30):
        assert len(data) == 1000
        message.update(datum.minute for datum in data)
        minutes.append(data[0].minute)
        outbox.accepted()
    assert message == dict.fromkeys(range(MIDNIGHT, MIDNIGHT + 7200, 60), 1000)
    assert minutes == sorted(minutes)
    assert outbox.take_dropped() == 0


def test_beyond_the_bound_the_oldest_go_and_are_counted_in_the_journal_and_a_metric() -> None:
    config = config_of({"db-connectivity": WELL})
    with VirtualHost(max_data=50) as world:
        over = world.time.now + 2 * HOUR
        world.cloudwatch.trouble = lambda now, data: DOWN if now < over else None
        put: list[Datum] = []
        usual = world.publisher.put

        def counted(data: Sequence[Datum]) -> None:
            put.extend(data)
            usual(data)

        world.publisher.put = counted  # type: ignore[method-assign]
        world.observe(config)
        world.run(2 * HOUR + 120)
        arrived = world.cloudwatch.data()
        message = sum(d.total for d in arrived if d.series == host_series(DROPPED_METRIC))
        lost = Counter(put) - Counter(arrived)
        assert sum(lost.values()) == message
        assert message > 100
        assert max(datum.minute for datum in lost) < min(
            datum.minute for datum in arrived if datum.series.metric == HEARTBEAT_METRIC
        )
        assert [line for line in world.lines if "dropped" in line] == [
            f"<4>{message:.0f} data were dropped"
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
        message = [
            d.total for d in world.cloudwatch.data() if d.series == host_series(DROPPED_METRIC)
        ]
        assert message == [lost]


# --- Any sequence of events


class OutboxMachine(RuleBasedStateMachine):
    """Each datum arrives once, waits, or is counted as dropped, whatever happens in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = outbox_of(max_data=12)
        self.now = 0.0
        self.number = 0
        self.put: list[Datum] = []
        self.arrived: list[Datum] = []
        self.under_way: Sequence[Datum] = []
        self.dropped = 0

    @rule(size=st.integers(1, 6), old=st.booleans())
    def measure(self, size: int, old: bool) -> None:
        self.number += 1
        data = ones(0 if old else MIDNIGHT, size, f"metric-{self.number}")
        self.put += data
        self.outbox.put(data)

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: not self.under_way)
    @rule()
    def send(self) -> None:
        ready = self.outbox.pause(self.now) == 0.0
        self.under_way = self.outbox.request(self.now)
        assert not self.under_way or ready
        assert not {datum.minute for datum in self.under_way} - {MIDNIGHT}

    @precondition(lambda self: self.under_way)
    @rule()
    def accept(self) -> None:
        self.arrived += self.under_way
        self.under_way = []
        self.outbox.accepted()

    @precondition(lambda self: self.under_way)
    @rule()
    def fail(self) -> None:
        self.under_way = []
        self.outbox.failed(self.now)

    @precondition(lambda self: self.under_way)
    @rule()
    def reject(self) -> None:
        self.under_way = []
        self.outbox.rejected(self.now)

    @rule()
    def put_away(self) -> None:
        """As when the agent ends while a request hangs, which may be accepted all the same."""
        self.under_way = []
        self.outbox.spool_all()
        self.outbox.accepted()

    @rule()
    def count(self) -> None:
        self.dropped += self.outbox.take_dropped()

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        assert max(Counter(self.arrived).values(), default=1) == 1
        dropped = self.dropped + self.outbox.dropped + self.outbox.spool.dropped
        too_old = self.outbox._too_old  # dropped, and counted when their request ends
        if not self.outbox._entries:
            waiting = self.outbox.waiting() + too_old
        else:  # what is under way is still in the spool as well
            waiting = self.outbox.waiting() - len(self.under_way)
        assert len(self.put) == len(self.arrived) + dropped + waiting


@pytest.mark.hypothesis
def test_each_datum_arrives_once_or_waits_or_is_counted_as_dropped() -> None:
    run_state_machine_as_test(
        OutboxMachine, settings=settings(fewer_examples(2), stateful_step_count=25)
    )


def test_a_poisonous_datum_of_a_running_agent_is_dropped_while_the_others_arrive() -> None:
    with VirtualHost() as world:

        def trouble(now: float, data: Sequence[Datum]) -> Any:
            poisonous = any(datum.series == host_series("cdn-connectivity") for datum in data)
            return REFUSAL if poisonous else None

        world.cloudwatch.trouble = trouble
        world.observe(config_of({"db-connectivity": WELL, "cdn-connectivity": WELL}))
        world.run(600)
        sets = merged(world.cloudwatch.data())
        counts = [sets[host_series("db-connectivity"), MIDNIGHT + 60 * n].samples for n in range(9)]
        assert counts[1:8] == [6] * 7
        assert sum(sets[key].total for key in sets if key[0].metric == DROPPED_METRIC) > 5
        assert len(world.cloudwatch.attempts) < 120


PEER_METRIC = Series("peer-connectivity", (("Host", "blue"), ("Observer", "green")))


def test_old_values_of_a_peer_wait_until_no_alarm_evaluates_their_minutes(tmp_path: Path) -> None:
    """Else zeros of a time in which the observer was cut off would condemn the other host."""
    now = float(MIDNIGHT)
    outbox = outbox_of(folder=tmp_path, wall=lambda: now)
    of_peer, own = Datum(PEER_METRIC, MIDNIGHT, 6, 0, 0, 0), ones(MIDNIGHT, 6)[0]
    outbox.put([of_peer, own])
    assert outbox.request(0) == [of_peer, own]
    outbox.failed(0)
    now += 60
    assert outbox.request(60) == [own], "what it measured of itself goes as soon as it can"
    outbox.accepted()
    fresh = of_peer._replace(minute=MIDNIGHT + 60, total=6, lowest=1, highest=1)
    outbox.put([fresh])
    assert outbox.request(61) == [fresh], "what is new of the peer does not wait"
    outbox.accepted()
    assert outbox.request(62) == []
    assert outbox.pause(62) == HELD_BACK_PAUSE_SECONDS
    now += PEER_SECONDS - 61
    assert outbox.request(PEER_SECONDS) == []
    now += 2
    assert outbox.request(PEER_SECONDS + HELD_BACK_PAUSE_SECONDS) == [of_peer]
    outbox.accepted()
    assert outbox.pause(9999) is None
    assert outbox.take_dropped() == 0


def test_what_is_new_of_a_peer_goes_as_soon_as_cloudwatch_takes_it() -> None:
    outbox = outbox_of(wall=lambda: MIDNIGHT + 30.0)
    zero = Datum(PEER_METRIC, MIDNIGHT, 1, 0, 0, 0)
    outbox.put([zero])
    outbox.request(0)
    outbox.failed(0)  # throttled for a moment
    assert outbox.request(2) == [zero]


def test_what_is_of_a_peer_goes_with_the_rest_after_a_request_that_was_only_throttled() -> None:
    now = MIDNIGHT + 61.0
    outbox = outbox_of(wall=lambda: now)
    of_peer, own = Datum(PEER_METRIC, MIDNIGHT, 6, 0, 0, 0), ones(MIDNIGHT, 6)[0]
    outbox.put([of_peer, own])
    outbox.request(0)
    outbox.failed(0, answered=True)
    assert sorted(outbox.request(1)) == sorted([of_peer, own])


@cases(
    ("failures", "held"),
    {
        "refused for less than two minutes": ([(0, True), (100, True)], False),
        "refused for two minutes": ([(0, True), (ANSWERED_SECONDS, True)], True),
        "refused, then cut off": ([(0, True), (10, False)], True),
        "cut off, then refused": ([(0, False), (10, True)], True),
    },
)
def test_what_is_of_a_peer_waits_after_a_time_in_which_the_host_may_have_been_cut_off(
    failures: Sequence[tuple[float, bool]], held: bool
) -> None:
    outbox = outbox_of(wall=lambda: MIDNIGHT + 200.0)
    of_peer = Datum(PEER_METRIC, MIDNIGHT, 6, 0, 0, 0)
    outbox.put([of_peer])
    for now, answered in failures:
        outbox.put(ones(MIDNIGHT, 1, f"own-{now}"))
        assert outbox.request(now)
        outbox.failed(now, answered=answered)
    assert (of_peer in outbox.request(300)) is not held


def test_what_a_former_run_left_of_a_peer_waits(tmp_path: Path) -> None:
    of_peer = Datum(PEER_METRIC, MIDNIGHT, 6, 0, 0, 0)
    former = outbox_of(folder=tmp_path)
    former.put([of_peer])
    former.spool_all()
    assert outbox_of(folder=tmp_path, wall=lambda: MIDNIGHT + 61.0).request(0) == []


def test_what_was_just_put_away_does_not_wait_with_what_is_held_back() -> None:
    outbox = outbox_of(wall=lambda: MIDNIGHT + 61.0)
    outbox.put([Datum(PEER_METRIC, MIDNIGHT, 6, 0, 0, 0)])
    outbox.request(0)
    outbox.failed(0)
    assert outbox.request(1) == []
    assert outbox.pause(1) == HELD_BACK_PAUSE_SECONDS
    own = ones(MIDNIGHT, 1)
    outbox.put(own)
    assert outbox.request(1) == own
    outbox.failed(1, answered=True)
    assert outbox.request(3) == own


def test_parts_of_a_minute_wait_as_one() -> None:
    outbox = outbox_of()
    first = Datum(host_series("db-connectivity"), MIDNIGHT, 1, 1, 1, 1)
    outbox.put([first])
    outbox.request(0)
    outbox.put([first._replace(total=0, lowest=0, highest=0)])
    outbox.failed(0)
    (datum,) = outbox.request(60)
    assert datum == first._replace(samples=2, total=1, lowest=0, highest=1)


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
