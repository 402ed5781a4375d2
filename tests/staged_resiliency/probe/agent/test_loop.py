"""The loop: timers, sockets and messages of other threads, in one thread."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from staged_resiliency.probe.agent.loop import (
    LATE_SECONDS,
    Expired,
    Future,
    Loop,
    readable,
    result_of,
    writable,
)
from tests.staged_resiliency.probe.agent.support import VirtualHost, passing

Outcomes = list[tuple[Any, Exception | None]]


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    one.setblocking(False)
    other.setblocking(False)
    yield one, other
    one.close()
    other.close()


def started(loop: Loop, coroutine: Coroutine[Any, Any, Any], seconds: float = 5) -> Outcomes:
    outcomes: Outcomes = []
    loop.start(coroutine, seconds, lambda value, error: outcomes.append((value, error)))
    return outcomes


def turns_until(loop: Loop, outcomes: Outcomes) -> tuple[Any, Exception | None]:
    end = time.monotonic() + 5
    while not outcomes:
        assert time.monotonic() < end, "the task did not end"
        loop.call_at(loop.clock() + 0.005, lambda: None)
        loop.turn()
    (outcome,) = outcomes
    return outcome


def test_timers_are_called_in_the_order_of_their_times_and_then_of_their_setting(
    world: VirtualHost,
) -> None:
    called: list[str] = []
    for after, name in ((2, "c"), (1, "a"), (2, "d"), (1, "b"), (0, "now")):
        world.loop.call_at(world.time.now + after, called.append, name)
    world.run(1.5)
    assert called == ["now", "a", "b"]
    world.run(1)
    assert called == ["now", "a", "b", "c", "d"]


def test_a_timer_set_for_now_by_a_timer_is_called_in_the_same_turn(world: VirtualHost) -> None:
    called: list[float] = []

    def again() -> None:
        called.append(world.time.now)
        if len(called) < 3:
            world.loop.call_at(world.time.now, again)

    world.loop.call_at(world.time.now, again)
    world.loop.call_at(world.time.now + 1, lambda: None)
    world.loop.turn()
    assert len(called) == 3
    assert len(set(called)) == 1


def test_a_task_returns_its_value(world: VirtualHost) -> None:

    async def task() -> str:
        await passing(world.loop, 3)
        return "done"

    outcomes = started(world.loop, task())
    world.run(2.9)
    assert outcomes == []
    world.run(0.2)
    assert outcomes == [("done", None)]


def test_a_task_that_never_waits_returns_its_value_at_once(loop: Loop) -> None:
    async def task() -> int:
        return 7

    assert started(loop, task()) == [(7, None)]


def test_a_tasks_exception_is_passed_on_and_the_loop_continues(loop: Loop) -> None:
    async def task() -> None:
        raise LookupError("no")

    ((value, error),) = started(loop, task())
    assert value is None
    assert isinstance(error, LookupError)


def test_a_deadline_is_thrown_into_the_task_where_it_waits(world: VirtualHost) -> None:
    left: list[str] = []

    async def task() -> None:
        try:
            await passing(world.loop, None)
        finally:
            left.append("cleaned up")

    outcomes = started(world.loop, task(), 5)
    world.run(4.9)
    assert outcomes == []
    world.run(0.2)
    assert left == ["cleaned up"]
    assert [type(error) for _, error in outcomes] == [Expired]


def test_a_deadline_that_passes_after_the_end_means_nothing(world: VirtualHost) -> None:
    outcomes = started(world.loop, passing(world.loop, 1), 5)
    world.loop.call_at(world.time.now + 4, lambda: None)  # its timer is not first when it ends
    world.run(2)
    world.time.stand_still(10)
    world.run(60)
    assert outcomes == [(None, None)]


def test_the_loop_does_not_wake_up_for_the_deadlines_of_ended_tasks(world: VirtualHost) -> None:
    for _ in range(10):
        started(world.loop, passing(world.loop, 0.5), 5)
    world.run(1)
    before = world.time.now
    world.loop.call_at(before + 100, lambda: None)
    world.loop.turn()
    assert world.time.now == before + 100


def test_a_task_waits_until_a_socket_can_be_read(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair

    async def task() -> bytes:
        assert await readable(here)
        return here.recv(10)

    outcomes = started(loop, task())
    loop.call_at(loop.clock() + 0.01, there.sendall, b"hello")
    assert turns_until(loop, outcomes) == (b"hello", None)


def test_patience_with_a_socket_ends_and_a_later_wait_is_not_disturbed_by_it(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair

    async def task() -> list[bool]:
        answers = [await readable(here, 0.01)]
        there.send(b"1")
        answers.append(await readable(here, 0.02))
        here.recv(10)
        answers.append(await readable(here, 0.05))  # while the timer of the former one passes
        return answers

    assert turns_until(loop, started(loop, task())) == ([False, True, False], None)


def test_lost_patience_of_a_task_that_ended_or_waits_for_something_else_means_nothing(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    there.send(b"1")

    async def ends() -> bool:
        return await readable(here, 0.01)

    async def waits_on() -> str:
        await readable(here, 0.01)
        await passing(loop, 0.05)
        return "undisturbed"

    assert turns_until(loop, started(loop, ends())) == (True, None)
    assert turns_until(loop, started(loop, waits_on())) == ("undisturbed", None)


def test_a_task_waits_until_a_socket_can_be_written(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += here.send(b"x" * 65_536)

    async def task() -> bool:
        return await writable(here)

    outcomes = started(loop, task())
    loop.call_at(loop.clock(), loop.stop)
    loop.turn()
    assert outcomes == []
    received = 0
    while received < sent:
        received += len(there.recv(1_000_000))
    assert turns_until(loop, outcomes) == (True, None)


def test_two_sockets_that_are_ready_at_once_both_go_on(loop: Loop) -> None:
    pairs = [socket.socketpair() for _ in range(2)]

    async def task(sock: socket.socket) -> bytes:
        await readable(sock)
        return sock.recv(10)

    outcomes = [started(loop, task(here)) for here, _ in pairs]
    for _, there in pairs:
        there.send(b"hello")
    loop.turn()
    assert outcomes == [[(b"hello", None)], [(b"hello", None)]]
    for sock in (sock for pair in pairs for sock in pair):
        sock.close()


class OneStaleEvent(selectors.SelectSelector):
    """Tells of a socket once more after its task has stopped waiting for it."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(timeout)
        return [event for event in found for _ in range(2)]


def test_an_event_of_a_socket_that_nobody_waits_for_any_more_means_nothing(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    here, there = pair
    loop = Loop(selector=OneStaleEvent())

    async def task() -> str:
        await readable(here)
        await passing(loop, 0.01)
        return "undisturbed"

    there.send(b"1")
    assert turns_until(loop, started(loop, task())) == ("undisturbed", None)
    loop.close()


def test_a_future_continues_all_tasks_that_wait_in_their_order(loop: Loop) -> None:
    future = Future()

    async def task(name: str) -> str:
        return f"{name} {await result_of(future)}"

    message: list[str] = []
    for name in ("first", "second"):
        loop.start(task(name), 5, lambda value, error: message.append(value))
    loop.resolve(future, "value")
    assert message == ["first value", "second value"]


def test_a_future_without_a_value_holds_no_task_that_gave_up(world: VirtualHost) -> None:
    """Else a name server that hangs for days would fill the memory."""
    future = Future()

    async def task() -> Any:
        return await result_of(future)

    outcomes = [started(world.loop, task(), 5) for _ in range(100)]
    assert len(future.waiting) == 100
    world.run(6)
    assert all(isinstance(error, Expired) for ((_, error),) in outcomes)
    assert len(future.waiting) == 0
    world.loop.resolve(future, "too late")
    assert all(len(outcome) == 1 for outcome in outcomes)


def test_waiting_for_a_socket_that_is_closed_ends_the_task_and_not_the_loop(loop: Loop) -> None:
    one, other = socket.socketpair()
    one.close()
    other.close()
    cleaned: list[str] = []

    async def task() -> None:
        try:
            await readable(one)
        finally:
            cleaned.append("up")

    ((_, error),) = started(loop, task())
    assert isinstance(error, (ValueError, KeyError))
    assert cleaned == ["up"]


def test_a_message_of_another_thread_wakes_a_loop_that_waits_for_long(loop: Loop) -> None:
    loop.call_at(loop.clock() + 60, pytest.fail, "slept on")
    threading.Timer(0.02, loop.call_soon, (loop.stop,)).start()
    began = time.monotonic()
    loop.run()
    assert time.monotonic() - began < 5


def test_calls_are_made_in_order_with_those_added_meanwhile(loop: Loop) -> None:
    message: list[int] = []
    loop.call_soon(loop.call_soon, message.append, 2)
    loop.call_soon(message.append, 1)
    loop.turn()
    assert message == [1, 2]


def test_more_calls_than_the_wakeup_socket_holds_are_all_made(loop: Loop) -> None:
    message: list[int] = []
    count = 50_000
    for number in range(count):
        loop.call_soon(message.append, number)
    loop.turn()
    assert message == list(range(count))
    loop.call_at(loop.clock() + 0.01, loop.stop)
    loop.run()  # and the bell is silent again


def test_a_loop_with_nothing_to_do_waits_and_does_not_spin(world: VirtualHost) -> None:
    with pytest.raises(AssertionError, match="nothing would ever happen"):
        world.loop.turn()


def test_a_message_after_the_loop_was_closed_means_nothing() -> None:
    loop = Loop()
    loop.close()
    loop.call_soon(pytest.fail, "called")


def test_an_answer_that_came_in_time_counts_though_the_loop_stood_still(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    """As when the host was paused: the deadline has passed, but the answer is there."""
    here, there = pair

    async def ask() -> bytes:
        await readable(here)
        return here.recv(9)

    outcomes = started(loop, ask(), seconds=0.05)
    there.send(b"answer")
    time.sleep(0.05 + 2 * LATE_SECONDS)
    assert turns_until(loop, outcomes) == (b"answer", None)


def test_a_socket_that_is_always_ready_keeps_no_deadline_from_passing(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    there.send(b"never read")

    async def ask() -> None:
        while True:
            await readable(here)

    outcomes = started(loop, ask(), seconds=0.05)
    time.sleep(0.05 + 2 * LATE_SECONDS)
    assert isinstance(turns_until(loop, outcomes)[1], Expired)
