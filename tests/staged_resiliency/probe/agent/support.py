"""An environment for the agent: virtual time, in which days take a moment, and fake services."""

import gzip
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from xml.sax.saxutils import escape

import pytest

from staged_resiliency.probe.agent import metric_statistics
from staged_resiliency.probe.agent.attempt import REFUSED, Attempt, Failure, Tools
from staged_resiliency.probe.agent.checks import Check
from staged_resiliency.probe.agent.cloudwatch import SendError
from staged_resiliency.probe.agent.config import Config, Target
from staged_resiliency.probe.agent.identity import Identity
from staged_resiliency.probe.agent.journal import Journal
from staged_resiliency.probe.agent.loop import Future, Loop, result_of
from staged_resiliency.probe.agent.measuring import Measuring
from staged_resiliency.probe.agent.metric_statistics import Datum, Series
from staged_resiliency.probe.agent.outbox import Outbox
from staged_resiliency.probe.agent.publisher import Publisher, Transport
from staged_resiliency.probe.agent.spool import Spool
from tests.e2e.machine.metadata_service import Instance, MetadataService
from tests.e2e.machine.put_metric_data import Put, decoded
from tests.e2e.machine.servers import HttpAnswer, HttpRequest, ListeningServer

T = TypeVar("T")

MIDNIGHT = 1_795_392_000  # of a day in November 2026, UTC
HOUR, DAY = 3600, 86_400
BLUE, GREEN = "bookstore-api-blue", "bookstore-api-green"
SPOOLED = "*-*.json"  # files of the spool in the state folder
DOWN = SendError("EndpointConnectionError", "no route to CloudWatch")
REFUSAL = SendError("InvalidParameterValue", "not this one", permanent=True)


def eventually(found: Callable[[], T], *, seconds: float = 30) -> T:
    """Call again and again until the result is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {value!r}"
        time.sleep(0.005)
    return value


# --- Virtual time


class VirtualTime:
    """The two clocks of a host: a monotonic one, and a wall clock that can be set."""

    def __init__(self, wall: float = MIDNIGHT) -> None:
        self.now = 5_000.0
        self._ahead = wall - self.now

    def clock(self) -> float:
        """Monotonic seconds."""
        return self.now

    def wall(self) -> float:
        """Seconds since 1970."""
        return self.now + self._ahead

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back by some seconds."""
        self._ahead += seconds

    def stand_still(self, seconds: float) -> None:
        """Suspend the host for some seconds."""
        self.now += seconds


class VirtualSelector(selectors.BaseSelector):
    """A selector without ready sockets, which advances the virtual clock instead of waiting."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self._keys[fileobj] = selectors.SelectorKey(fileobj, fileobj.fileno(), events, data)
        return self._keys[fileobj]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing would ever happen again"
        self._time.now += timeout
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


async def passing(loop: Loop, seconds: float | None) -> None:
    """Wait for some seconds of a loop's time; forever for None."""
    future = Future()
    if seconds is not None:
        loop.call_at(loop.clock() + seconds, loop.resolve, future, None)
    await result_of(future)


@dataclass(frozen=True, eq=False)
class Planned(Check):
    """A check with planned answers: after how many seconds, None for never, and which failure."""

    plan: Callable[[float], tuple[float | None, Failure | None]]
    name: str = "target"
    certificate_days: int | None = None

    @property
    def label(self) -> str:
        return f"{self.name}:1"

    async def run(self, attempt: Attempt) -> str:
        attempt.stage = "waiting"
        seconds, failure = self.plan(attempt.began)
        if seconds != 0:
            await passing(attempt.tools.loop, seconds)
        attempt.certificate_days = self.certificate_days
        if failure is not None:
            raise failure
        return "connected"


def refused() -> Failure:
    """A failure like that of a closed port."""
    return Failure(REFUSED, "Connection refused")


WELL = Planned(lambda began: (0.003, None), "well")
BROKEN = Planned(lambda began: (0.003, refused()), "broken")
HANGING = Planned(lambda began: (None, None), "hanging")
SLOW_TO_FAIL = Planned(lambda began: (4.9, refused()), "slow")


def broken_within(*spans: tuple[float, float]) -> Planned:
    """A check that fails while the clock is within one of the spans."""

    def plan(began: float) -> tuple[float, Failure | None]:
        broken = any(start <= began < end for start, end in spans)
        return 0.003, refused() if broken else None

    return Planned(plan, "sometimes")


def flapping() -> Planned:
    """A check that passes and fails in turns."""
    turns = iter(range(10**9))
    return Planned(lambda began: (0.003, refused() if next(turns) % 2 else None), "flapping")


class VirtualCloudWatch:
    """Takes requests, or raises what ``trouble`` says for the time and the data."""

    def __init__(self, time: VirtualTime) -> None:
        self.time = time
        self.requests: list[tuple[float, Sequence[Datum]]] = []
        self.attempts: list[tuple[float, Sequence[Datum]]] = []
        self.trouble: Callable[[float, Sequence[Datum]], SendError | None] = lambda now, data: None

    def send(self, data: Sequence[Datum]) -> None:
        now = self.time.now
        self.attempts.append((now, data))
        trouble = self.trouble(now, data)
        if trouble is not None:
            raise trouble
        self.requests.append((now, data))

    def data(self) -> list[Datum]:
        """All that was accepted."""
        return [datum for _, data in self.requests for datum in data]


class FakeTransport:
    """Takes requests, raises what it was given, or hangs while it is held."""

    def __init__(self) -> None:
        self.attempts: list[Sequence[Datum]] = []
        self.sent: list[Datum] = []
        self.troubles: list[Exception] = []
        self.trouble: Exception | None = None
        self.free = threading.Event()
        self.free.set()

    def send(self, data: Sequence[Datum]) -> None:
        self.attempts.append(data)
        self.free.wait(60)
        trouble = self.troubles.pop(0) if self.troubles else self.trouble
        if trouble is not None:
            raise trouble
        self.sent += data

    def metrics(self) -> set[str]:
        """The names of the metrics that were accepted."""
        return {datum.series.metric for datum in list(self.sent)}


class VirtualPublisher(Publisher):
    """A publisher without a thread: it sends from the loop, and a request takes no time."""

    def __init__(
        self, outbox: Outbox, transport: Transport, log: Callable[[str], None], loop: Loop
    ) -> None:
        super().__init__(outbox, transport, log, loop.clock)
        self.outbox = outbox
        self._loop = loop
        self._next = float("inf")

    def put(self, data: Sequence[Datum]) -> None:
        self.outbox.put(data)
        self._send_due()

    def _send_due(self) -> None:
        now = self._loop.clock()
        while data := self.outbox.request(now):
            self._finish(self._send(data))
        pause = self.outbox.pause(now)
        if pause is not None and not now < self._next <= now + pause:
            self._next = now + pause
            self._loop.call_at(self._next, self._send_due)


class VirtualHost:
    """A host in virtual time, with its samples, published data and journal."""

    def __init__(
        self, folder: Path | None = None, max_data: int = 1_000_000, wall: float = MIDNIGHT
    ) -> None:
        self.time = VirtualTime(wall)
        self.loop = Loop(self.time.clock, VirtualSelector(self.time))
        self.tools = Tools(self.loop, wall=self.time.wall)
        self.lines: list[str] = []
        self.journal = Journal(self.lines.append, every_sample=False)
        self.cloudwatch = VirtualCloudWatch(self.time)
        self.spool = Spool(folder, max_data, "Bookstore", self.journal.warning)
        self.outbox = Outbox(self.spool, self.time.wall, jitter=lambda: 1.0)
        self.publisher = VirtualPublisher(
            self.outbox, self.cloudwatch, self.journal.warning, self.loop
        )

    def observe(self, config: Config, host: str = BLUE) -> Measuring:
        """Measure, as an agent does once it knows its name."""
        observation = Measuring(
            Identity(host, "us-west-2"), self.tools, self.journal, self.publisher
        )
        observation.start(config)
        return observation

    def run(self, seconds: float) -> None:
        """Run for some seconds."""
        until = self.time.now + seconds
        self.loop.call_at(until, lambda: None)
        while self.time.now < until:
            self.loop.turn()

    def __enter__(self) -> "VirtualHost":
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.close()


def config_of(checks: Mapping[str, Check], **others: Any) -> Config:
    """A configuration with these checks by their metrics."""
    targets = tuple(Target(metric, check) for metric, check in checks.items())
    return Config(
        **{"service": "bookstore", "namespace": "Bookstore", "targets": targets, **others}
    )


def merged(data: Iterable[Datum]) -> Mapping[tuple[Series, int], Datum]:
    """Data as CloudWatch adds them up, by series and minute."""
    return {(datum.series, datum.minute): datum for datum in metric_statistics.merged(data)}


def recorded(world: VirtualHost) -> list[tuple[float, Series, int, float]]:
    """Each sample from now on: when it was known, of what, in which minute, and its value."""
    found: list[tuple[float, Series, int, float]] = []
    usual = world.journal.result

    def result(result: Any, *, changed: bool) -> None:
        value = float(result.failure is None)
        found.append((world.time.now, result.sampler.series, result.minute, value))
        usual(result, changed=changed)

    world.journal.result = result  # type: ignore[method-assign]
    return found


def host_series(metric: str, host: str = BLUE) -> Series:
    return Series(metric, (("Host", host),))


def ones(minute: int, count: int, metric: str = "db-connectivity") -> list[Datum]:
    """Data of one minute, each of another metric."""
    return [
        Datum(host_series(f"{metric}-{number}"), minute, 6, 6.0, 1.0, 1.0)
        for number in range(count)
    ]


def outbox_of(
    *,
    folder: Path | None = None,
    max_data: int = 100_000,
    wall: Callable[[], float] = lambda: float(MIDNIGHT),
    jitter: float = 1.0,
) -> Outbox:
    """An outbox whose spool must not fail, with pauses that do not vary."""
    return Outbox(Spool(folder, max_data, "Bookstore", pytest.fail), wall, lambda: jitter)


# --- Loopback


@contextmanager
def serving(answer: Callable[[HttpRequest], HttpAnswer | None]) -> Iterator[str]:
    """An HTTP server on loopback; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = ListeningServer(listener, answer)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.end()


@contextmanager
def silence() -> Iterator[str]:
    """A server that accepts connections and never answers; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def unused_url() -> str:
    """Return a URL at which no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def free_port() -> int:
    """A port at which nobody listens on either loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class InstanceMetadata:
    """A metadata service of version 2 that runs; see ``MetadataService``."""

    url: str
    service: MetadataService

    def change(self, **changes: Any) -> None:
        """Answer differently from now on."""
        self.service.change("127.0.0.1", **changes)


@contextmanager
def instance_metadata(**says: Any) -> Iterator[InstanceMetadata]:
    """The metadata service of an instance."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    service = MetadataService(listener, {"127.0.0.1": Instance(**says)})
    try:
        yield InstanceMetadata(url, service)
    finally:
        service.close()


class HttpCloudWatch:
    """Takes PutMetricData over HTTP, and answers as configured.

    Attributes:
        requests: What was asked, oldest first.
        answers: What is answered first, in this order; then everything is accepted.
        held: While it is set, requests are answered at once; else they wait.
    """

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.answers: list[HttpAnswer | None] = []
        self.held = threading.Event()
        self.held.set()

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        self.requests.append(request)
        self.held.wait(10)
        if self.answers:
            return self.answers.pop(0)
        if "form-urlencoded" in request.headers["Content-Type"]:  # the query protocol
            return HttpAnswer(200, b"<PutMetricDataResponse/>", [("Content-Type", "text/xml")])
        return HttpAnswer(200, b"{}", [("Content-Type", "application/x-amz-json-1.0")])

    def puts(self) -> list[Put]:
        """The requests, decoded from the protocol that botocore speaks."""
        return [put_in(request) for request in self.requests]


def put_in(request: HttpRequest) -> Put:
    """What a request puts."""
    packed = request.headers.get("Content-Encoding") == "gzip"
    body = gzip.decompress(request.body) if packed else request.body
    return decoded(body, request.headers["Content-Type"])


def error_answer(status: int, code: str, message: str = "from a test") -> HttpAnswer:
    """An error as CloudWatch returns it in JSON."""
    body = f'{{"__type": "com.amazonaws.cloudwatch#{code}", "message": "{message}"}}'
    return HttpAnswer(status, body.encode(), [("Content-Type", "application/x-amz-json-1.0")])


def ec2_answer(name: str | None) -> HttpAnswer:
    """DescribeTags' answer, with or without a Name tag."""
    tag = f"<item><key>Name</key><value>{escape(name)}</value></item>" if name is not None else ""
    space = "http://ec2.amazonaws.com/doc/2016-11-15/"
    body = f'<DescribeTagsResponse xmlns="{space}"><tagSet>{tag}</tagSet></DescribeTagsResponse>'
    return HttpAnswer(200, body.encode(), [("Content-Type", "text/xml;charset=UTF-8")])
