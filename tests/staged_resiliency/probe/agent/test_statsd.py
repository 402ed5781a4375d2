"""What an application sends by StatsD: what is published of it, and what is not."""

import socket
import tracemalloc
from collections.abc import Callable, Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.probe.agent.config import Statsd
from staged_resiliency.probe.agent.journal import Journal
from staged_resiliency.probe.agent.loop import Loop
from staged_resiliency.probe.agent.metric_statistics import MAX_VALUES, Datum, Series
from staged_resiliency.probe.agent.statsd import (
    IDLE_SECONDS,
    MAX_MEMBERS,
    Aggregation,
    Receiver,
    Values,
)
from tests import statsd_clients
from tests.cases import cases
from tests.properties import fewer_examples
from tests.staged_resiliency.probe.agent.support import (
    BLUE,
    MIDNIGHT,
    free_port,
    host_series,
)

MINUTE = int(MIDNIGHT)
ALL = Statsd(("a*", "b*", "plain.*", "dog.*"), 20, tags=("shop", "code"))


class Application:
    """An application whose metrics are aggregated, at a time that the test sets."""

    def __init__(self, settings: Statsd = ALL) -> None:
        self.now = float(MIDNIGHT)
        self.lines: list[str] = []
        self.aggregation = Aggregation(
            settings, (("Host", BLUE),), lambda: self.now, Journal(self.lines.append)
        )

    def send(self, *lines: str) -> None:
        """Send lines in one datagram."""
        self.aggregation.receive("\n".join(lines).encode())

    def published(self) -> Mapping[str, Mapping[float, float]]:
        """The values with their counts that the minute published; see ``values_of``."""
        self.now += 60
        return values_of(self.aggregation.take())


def values_of(data: list[Datum]) -> Mapping[str, Mapping[float, float]]:
    """Values with their counts, by metric and further dimensions."""
    return {
        " ".join([datum.series.metric, *(value for _, value in datum.series.dimensions[1:])]): dict(
            datum.values or [(datum.total, 1)]
        )
        for datum in data
    }


@cases(
    ("lines", "values"),
    {
        "a counter is the sum": (["a:1|c", "a:2|c"], {3: 1}),
        "a sampled counter": (["a:1|c|@0.1"], {10: 1}),
        "a counter downwards": (["a:-3|c", "a:+1|c"], {-2: 1}),
        "packed values": (["a:1:2:3|c"], {6: 1}),
        "a gauge is each value it had": (["a:4|g", "a:9|g", "a:4|g"], {4: 2, 9: 1}),
        "changes of a gauge": (["a:4|g", "a:+2|g", "a:-1|g"], {4: 1, 6: 1, 5: 1}),
        "a timer": (["a:12|ms", "a:12|ms", "a:7.5|ms"], {12: 2, 7.5: 1}),
        "a sampled timer": (["a:12|ms|@0.5"], {12: 2}),
        "a histogram": (["a:3|h"], {3: 1}),
        "a distribution": (["a:3|d"], {3: 1}),
        "a set counts its members": (["a:x|s", "a:y:z|s", "a:x|s"], {2: 1}),
        "a tag that is no dimension": (["a:1|c|#user:1"], {1: 1}),
        "further fields": (["a:1|c|@0.5|#user:1|c:abc|T1656581400"], {2: 1}),
        "a tag without a value": (["a:1|c|#shop"], {1: 1}),
        "forms of numbers": (["a:1e3|c", "a:.5|c", "a:1.|c"], {1001.5: 1}),
        "ends of lines": (["", "a:1|c", "", "a:1|c\r", ""], {2: 1}),
    },
)
def test_each_kind_of_metric(lines: list[str], values: dict[float, float]) -> None:
    application = Application()
    application.send(*lines)
    assert application.published() == {"a": values}
    assert application.published() == {}


@pytest.mark.parametrize(
    "line",
    [
        *("a", "a:", "a:1", "a:1|", "a:1|x", ":1|c", "a:|c", "a:|s", "a:1|c|0.5", "a:1|c||"),
        *("a:x|c", "a:nan|g", "a:inf|ms", "a:1_0|c", "a: 1|c", "a:1 |c", "a:0x1|c", "a:1:x|c"),
        *("a:1e19|c", "a:1e999|c", "a:" + "1" * 40 + "|c", "a:\u0661|c", "a:--1|g"),
        *("a:1|c|@0", "a:1|c|@2", "a:1|c|@x", "a:1|c|@-1", "a:1|c|@1e-9", "a:1|c|@"),
        *("a b:1|c", "\u00e4:1|c", "a" * 256 + ":1|c", "a|1|c", "_e{1,1}:a|b", "_sc|a|0"),
    ],
)
def test_a_malformed_line_is_counted_and_the_others_of_the_datagram_are_taken(line: str) -> None:
    application = Application()
    application.send("a:1|c", line, "a:2|c")
    assert application.published() == {"a": {3: 1}, "statsd-dropped malformed": {1: 1}}
    (journaled,) = application.lines
    assert journaled.startswith("<4>statsd: dropped 1 lines that are malformed, such as ")


def test_a_metric_stays_of_its_kind() -> None:
    application = Application()
    application.send("a:1|c", "a:5|ms")
    assert application.published() == {"a": {1: 1}, "statsd-dropped malformed": {1: 1}}


def test_values_are_of_the_minute_in_which_they_came() -> None:
    application = Application()
    application.send("a:1|c")
    application.now += 60
    application.send("a:5|c")
    application.now += 61
    assert [(datum.minute, datum.total) for datum in application.aggregation.take()] == [
        (MINUTE, 1),
        (MINUTE + 60, 5),
    ]


def test_a_minute_that_runs_is_published_at_the_end_alone() -> None:
    application = Application()
    application.send("a:1|c")
    assert application.aggregation.take() == []
    (datum,) = application.aggregation.take(ending=True)
    assert datum == Datum(host_series("a"), MINUTE, 1, 1.0, 1.0, 1.0, ((1.0, 1.0),))


def test_a_gauge_keeps_its_value_and_is_published_when_it_is_sent() -> None:
    application = Application()
    application.send("a:7|g")
    assert application.published() == {"a": {7: 1}}
    assert application.published() == {}, "an application that is dead must not appear healthy"
    application.send("a:+1|g")
    assert application.published() == {"a": {8: 1}}


def test_tags_of_the_settings_are_dimensions_in_their_order() -> None:
    application = Application()
    application.send("a:1|c|#code:500,shop:books,shop:toys,user:7", "a:1|c|#shop: \u00e4b:c ")
    application.now += 60
    assert [datum.series for datum in application.aggregation.take()] == [
        Series("a", (("Host", BLUE), ("shop", "books"), ("code", "500"))),
        Series("a", (("Host", BLUE), ("shop", "?b:c"))),
    ]


def test_names_that_no_pattern_allows_are_ignored_and_named_once() -> None:
    application = Application(Statsd(("errors", "orders.*"), 5))
    application.send("errors:1|c", "errors.more:1|c", "orders.paid:1|c", "orders:1|c")
    application.send("errors.more:1|c", *(f"x{number}:1|c" for number in range(1000)))
    assert application.published() == {"errors": {1: 1}, "orders.paid": {1: 1}}
    assert application.lines[0] == "<6>statsd: errors.more is ignored, as no pattern allows it"
    assert len(application.lines) == 100


def test_no_more_metrics_are_made_than_allowed_and_one_that_is_idle_gives_up_its_place() -> None:
    application = Application(Statsd(("a*",), 2, tags=("shop",)))
    application.send("a1:1|c", "a2:1|c", "a3:1|c", "a1:1|c|#shop:x", "a1:1|c")
    assert application.published() == {
        "a1": {2: 1},
        "a2": {1: 1},
        "statsd-dropped limit": {2: 1},
    }
    application.now += IDLE_SECONDS - 120
    application.send("a2:1|c", "a3:1|c")
    assert application.published() == {"a2": {1: 1}, "statsd-dropped limit": {1: 1}}
    application.send("a3:1|c", "a2:1|c")
    assert application.published() == {"a3": {1: 1}, "a2": {1: 1}}


def test_a_set_counts_as_many_members_as_there_is_room_for() -> None:
    most = MAX_MEMBERS // ALL.max_metrics
    application = Application()
    application.send(*(f"a:{number}|s" for number in range(most + 5)), "a:0|s")
    assert application.published() == {"a": {most: 1}, "statsd-dropped limit": {5: 1}}


# Values

NUMBERS = st.floats(1e-3, 500) | st.floats(-500, -1e-3) | st.just(0.0)


@fewer_examples(5)
@given(st.lists(NUMBERS, min_size=1, max_size=300))
def test_values_stay_few_and_near_what_was_sent(numbers: list[float]) -> None:
    values = Values(0)
    for number in numbers:
        values.add("", number, 1.0)
    counts = values.take()
    assert len(counts) <= MAX_VALUES
    assert sum(counts.values()) == len(numbers)
    if len(set(numbers)) <= MAX_VALUES:
        assert sorted(counts) == sorted(set(numbers))
    # Positive and negative ones span five powers of ten each: the widths double at most once.
    taken = sorted(value for value, count in counts.items() for _ in range(int(count)))
    for number, value in zip(sorted(numbers), taken, strict=True):
        assert value == pytest.approx(number, rel=0.17, abs=0)


def test_percentiles_of_thousands_of_times_are_within_five_percent() -> None:
    application = Application()
    times = [round(1.003**number, 2) for number in range(3000)]  # 1 ms to 8 s
    for time in times:
        application.send(f"a:{time}|ms")
    counts = application.published()["a"]
    taken = sorted(value for value, count in counts.items() for _ in range(int(count)))
    for share in (0.5, 0.9, 0.95, 0.99):
        exact = times[int(share * len(times))]
        assert taken[int(share * len(taken))] == pytest.approx(exact, rel=0.055)


# Whatever is sent

TEXTS = st.text("ab:|@#,.+-e01 \nx\u00e4", max_size=40)
DATAGRAMS = st.binary(max_size=60) | TEXTS.map(str.encode)


def require_limits(data: list[Datum], most: int) -> None:
    """Require what CloudWatch requires, and no more metrics than allowed."""
    assert len({datum.series for datum in data}) <= most + 3
    for datum in data:
        assert 1 <= len(datum.series.metric) <= 255
        for name, value in datum.series.dimensions:
            assert name
            assert value.strip()
            assert value.isascii()
        assert len(datum.values) <= MAX_VALUES
        for number in (datum.total, *(number for pair in datum.values for number in pair)):
            assert abs(number) < 2.0**360
        assert all(count > 0 for _, count in datum.values)


@given(st.lists(DATAGRAMS, max_size=10))
def test_nothing_that_is_sent_ends_the_agent_or_exceeds_a_limit(datagrams: list[bytes]) -> None:
    application = Application(Statsd(("a*", "b"), 3, tags=("a", "b")))
    for datagram in datagrams:
        application.aggregation.receive(datagram)
    require_limits(application.aggregation.take(ending=True), 3)


def test_the_memory_is_bounded_whatever_is_sent() -> None:
    application = Application(Statsd(("a*",), 4))

    def minute(number: int) -> int:
        kinds = ("ms", "g", "s", "c")
        for each in range(2_000):
            name, kind = f"a{number}-{each % 8}", kinds[each % 4]
            application.send(f"{name}:{each * 1.37}|{kind}", f"z{number}-{each}:1|c", "?")
        require_limits(application.aggregation.take(), 4)
        application.now += 60
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = minute(0)
        assert first < 100_000
        assert minute(1) < 1.2 * first
    finally:
        tracemalloc.stop()


# Over real sockets


class Receiving:
    """A receiver whose loop the test turns."""

    def __init__(self, settings: Statsd) -> None:
        self.loop = Loop()
        self.application = Application(settings)
        journal = Journal(self.application.lines.append)
        self.receiver = Receiver(settings, self.application.aggregation, self.loop, journal)
        self.receiver.open()
        self.loop.call_at(self.loop.clock() + 3600, lambda: None)

    def published(self) -> Mapping[str, Mapping[float, float]]:
        """Receive what was sent, and return what its minute publishes."""
        for _ in range(100):
            self.loop._poll(0)
        self.application.now += 60
        return values_of(self.receiver.take())


@pytest.fixture
def receiving() -> Iterator[Callable[[Statsd], Receiving]]:
    made: list[Receiving] = []

    def make(settings: Statsd) -> Receiving:
        made.append(Receiving(settings))
        return made[-1]

    yield make
    for each in made:
        each.receiver.take(ending=True)
        each.loop.close()


PUBLISHED = {
    "plain.orders": {2: 1},
    "plain.queue": {7: 1, 0: 1, -2: 1, 3: 1},
    "plain.users": {2: 1},
    "plain.answer": {320: 1, 80: 1},
    "plain.errors": {2: 1},
    "dog.orders books": {2: 1},
    "dog.orders toys": {1: 1},
    "dog.queue": {12.5: 1},
    "dog.size": {1024: 1, 2048: 1},
    "dog.answer": {45: 1},
    "dog.users": {1: 1},
    "statsd-dropped malformed": {1: 1},
}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_real_clients_send_is_published(
    receiving: Callable[[Statsd], Receiving], host: str
) -> None:
    port = free_port()
    made = receiving(Statsd(("plain.*", "dog.*"), 20, port, ("shop",)))
    statsd_clients.send(port, host, ipv6=host == "::1")
    assert made.published() == PUBLISHED


def test_what_overflows_the_sockets_is_counted(receiving: Callable[[Statsd], Receiving]) -> None:
    port = free_port()
    made = receiving(Statsd(("a",), 5, port))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(2000):
            sock.sendto(b"a:1|c", ("127.0.0.1", port))
    published = made.published()
    (received,), (lost,) = published["a"], published["statsd-dropped overflow"]
    assert received + lost == 2000
    assert min(received, lost) > 0
    assert "statsd-dropped overflow" not in made.published()


def test_a_flood_takes_no_turn_of_the_loop_for_long(
    receiving: Callable[[Statsd], Receiving],
) -> None:
    port = free_port()
    made = receiving(Statsd(("a",), 5, port))
    datagram = b"\n".join([b"a:1|c"] * 5000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(5):
            sock.sendto(datagram, ("127.0.0.1", port))
    made.loop._poll(0)
    made.application.now += 60
    (received,) = values_of(made.application.aggregation.take())["a"]
    assert received == 15_000, "the rest is received after what else is due"
    made.application.now -= 60
    assert made.published() == {"a": {10_000: 1}}
