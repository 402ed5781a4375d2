"""The thread that sends: one line for each change, and an end within its time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from staged_resiliency.probe.agent import outbox
from staged_resiliency.probe.agent.cloudwatch import SendError
from staged_resiliency.probe.agent.outbox import Outbox
from staged_resiliency.probe.agent.publisher import Publisher
from staged_resiliency.probe.agent.spool import Spool
from tests.cases import cases
from tests.staged_resiliency.probe.agent.support import (
    MIDNIGHT,
    REFUSAL,
    FakeTransport,
    eventually,
    ones,
)

THROTTLED = SendError("Throttling", "Rate exceeded")
EXPIRED = SendError("ExpiredToken", "The security token included in the request is expired")
NO_NAME = SendError("EndpointConnectionError", "Name or service not known")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS", "REJECTED_PAUSE_SECONDS"):
        monkeypatch.setattr(outbox, name, 0.01)


class Running:
    """A publisher with what is around it."""

    def __init__(self, folder: Path | None) -> None:
        self.transport = FakeTransport()
        self.lines: list[str] = []
        self.outbox = Outbox(
            Spool(folder, 10_000, "Bookstore", self.lines.append),
            lambda: float(MIDNIGHT),
            jitter=lambda: 0.0,
        )
        self.publisher = Publisher(self.outbox, self.transport, self.lines.append)
        self.publisher.start()

    def put(self, count: int = 1, minute: int = MIDNIGHT) -> None:
        self.publisher.put(ones(minute, count))

    def attempted(self, count: int) -> None:
        eventually(lambda: len(self.transport.attempts) >= count)


@contextmanager
def running(folder: Path | None = None) -> Iterator[Running]:
    world = Running(folder)
    try:
        yield world
    finally:
        world.transport.free.set()
        world.transport.trouble = None
        world.publisher.stop(1)


def test_what_is_put_is_sent_at_once() -> None:
    with running() as world:
        world.put(3)
        eventually(lambda: world.transport.sent == ones(MIDNIGHT, 3))
        assert world.lines == []


def test_what_a_former_run_left_is_sent_first(tmp_path: Path) -> None:
    Spool(tmp_path, 100, "Bookstore", pytest.fail).append(ones(MIDNIGHT - 60, 2))
    with running(tmp_path) as world:
        eventually(lambda: world.transport.sent == ones(MIDNIGHT - 60, 2))


@cases(
    "trouble",
    {
        "throttling": THROTTLED,
        "expired credentials": EXPIRED,
        "DNS failure": NO_NAME,
    },
)
def test_an_error_is_logged_once_and_its_end_once_and_no_data_are_lost(trouble: SendError) -> None:
    with running() as world:
        world.transport.trouble = trouble
        world.put(2)
        world.attempted(1)
        world.put(1, MIDNIGHT + 60)
        world.attempted(6)
        world.transport.trouble = None
        eventually(lambda: len(world.transport.sent) == 3)
        eventually(lambda: len(world.lines) == 2)
        assert world.lines[0] == f"publishing fails, data are kept: {trouble}"
        assert world.lines[1].startswith("publishing works again after ")
        assert world.lines[1].endswith(" data wait")


def test_each_change_of_the_error_is_logged() -> None:
    with running() as world:
        world.transport.troubles = [THROTTLED, THROTTLED, NO_NAME, NO_NAME, THROTTLED]
        world.put(1)
        eventually(lambda: len(world.lines) == 4)
        kinds = [line.split(": ")[1] for line in world.lines[:3]]
        assert kinds == ["Throttling", "EndpointConnectionError", "Throttling"]


def test_data_that_cloudwatch_rejects_are_reported_as_dropped() -> None:
    with running() as world:
        world.transport.troubles = [REFUSAL]
        world.put(1)
        eventually(lambda: world.lines)
        assert world.lines == [
            "publishing fails, data that CloudWatch rejects are dropped: "
            "InvalidParameterValue: not this one"
        ]
        eventually(lambda: world.publisher.take_dropped(ending=True) == 1)
        assert world.publisher.take_dropped(ending=True) == 0


def test_the_number_of_dropped_data_is_published_once_publishing_works() -> None:
    with running() as world:
        world.transport.troubles = [REFUSAL]
        world.put(1)
        eventually(lambda: world.outbox.dropped)
        assert world.publisher.take_dropped() == 0
        world.put(1)
        eventually(lambda: world.publisher.take_dropped() == 1)


@cases(
    "error",
    {
        "expired": RuntimeError("the refreshed credentials are still expired"),
        "odd answer": AttributeError("'list' object has no attribute 'get'"),
    },
)
def test_whatever_a_library_raises_is_a_trouble_and_not_the_end(error: Exception) -> None:
    with running() as world:
        world.transport.troubles = [error, error]
        world.put(1)
        eventually(lambda: len(world.transport.sent) == 1)
        assert world.lines[0] == (
            f"publishing fails, data are kept: {type(error).__name__}: {error}"
        )


def test_a_request_that_hangs_can_be_seen() -> None:
    with running() as world:
        assert world.publisher.busy_since is None
        world.transport.free.clear()
        before = time.monotonic()
        world.put(1)
        world.attempted(1)
        since = eventually(lambda: world.publisher.busy_since)
        assert since is not None
        assert before <= since <= time.monotonic()
        world.transport.free.set()
        eventually(lambda: world.publisher.busy_since is None)


def test_putting_does_not_wait_for_a_request_that_hangs() -> None:
    with running() as world:
        world.transport.free.clear()
        world.put(1)
        world.attempted(1)
        before = time.monotonic()
        for _ in range(100):
            world.put(1)
        assert world.publisher.take_dropped() == 0
        assert time.monotonic() - before < 1


def test_the_end_sends_what_there_is_when_that_works(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        world.put(2500)
        world.publisher.stop(5)
        assert len(world.transport.sent) == 2500
        assert list(tmp_path.iterdir()) == []


def test_the_end_keeps_what_cant_be_sent_and_tries_only_once(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        world.transport.trouble = NO_NAME
        world.put(2)
        world.attempted(1)
        world.put(1, MIDNIGHT + 60)
        before = time.monotonic()
        world.publisher.stop(5)
        assert time.monotonic() - before < 2
        assert len(world.transport.attempts) <= 2
        kept = Spool(tmp_path, 100, "Bookstore", pytest.fail).oldest(lambda data: True)[1]
        assert kept == [*ones(MIDNIGHT, 2), *ones(MIDNIGHT + 60, 1)]


def test_the_end_comes_in_time_though_a_request_hangs_and_keeps_what_is_under_way(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as world:
        world.transport.free.clear()
        world.put(2)
        world.attempted(1)
        world.put(1, MIDNIGHT + 60)
        before = time.monotonic()
        world.publisher.stop(0.1)
        assert 0.1 <= time.monotonic() - before < 1
        kept = Spool(tmp_path, 100, "Bookstore", pytest.fail).oldest(lambda data: True)[1]
        assert kept == [*ones(MIDNIGHT, 2), *ones(MIDNIGHT + 60, 1)]
        world.transport.free.set()
        eventually(lambda: not world.publisher._thread.is_alive())
        # What has since been accepted is not forgotten, and nothing more is sent: the next run
        # owns the folder.
        assert len(world.transport.attempts) == 1
        assert len(list(tmp_path.iterdir())) == 1
