"""Time that passes faster, alike in every process."""

import asyncio
import selectors
import socket
import time

import pytest

from resiliency.rehearsal.clock import Clock, ScaledSelector


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock 10 seconds after its beginning, which do not pass."""
    monkeypatch.setattr(time, "monotonic", lambda: 110.0)
    return Clock(scale=20, monotonic=100, wall=1_000_000, service=960_000)


def test_seconds_of_the_service_pass_faster_than_those_here(frozen: Clock) -> None:
    assert frozen.now() == 960_200
    assert frozen.stamp() == 1_000_010
    assert frozen.real(60) == 3


def test_a_clock_begins_at_a_whole_minute_that_is_past() -> None:
    clock = Clock.starting(20)
    assert clock.service % 60 == 0
    assert clock.service < clock.wall - 7000


def test_another_process_has_the_same_time(frozen: Clock) -> None:
    assert Clock.from_json(frozen.to_json()) == frozen


def test_waiting_for_a_moment_takes_its_share_of_real_time() -> None:
    clock = Clock.starting(1000)
    begun = time.monotonic()
    asyncio.run(clock.until(clock.now() + 100))
    assert time.monotonic() - begun >= 0.09
    asyncio.run(clock.until(clock.now() - 100))  # what is past is not waited for


def test_the_selector_waits_in_seconds_of_the_service() -> None:
    selector = ScaledSelector(1000)
    here, there = socket.socketpair()
    with here, there:
        selector.register(here, selectors.EVENT_READ, "here")
        begun = time.monotonic()
        assert selector.select(100) == []
        assert 0.09 <= time.monotonic() - begun < 50
        there.send(b"!")
        ((key, _),) = selector.select(None)
        assert key.data == "here"
        assert here.fileno() in selector.get_map()
        selector.unregister(here)
        assert not selector.get_map()
    selector.close()
