"""Connections wait for the loop, and never for the other side."""

import selectors
import socket
import ssl
from collections.abc import Coroutine
from contextlib import closing
from typing import Any

import pytest

from staged_resiliency.probe.agent.attempt import Attempt, Tools
from staged_resiliency.probe.agent.loop import Expired, Loop
from staged_resiliency.probe.agent.sockets import connect, handshake, receive, receive_exactly, send
from tests.staged_resiliency.probe.agent.hostile.servers import HOST, unanswered_port

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Scripted:
    """Stands for a socket whose calls end as planned, one after the other."""

    def __init__(self, *outcomes: Any) -> None:
        self._outcomes = list(outcomes)
        self.closed = False

    def _next(self, *_: object) -> Any:
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    send = recv = do_handshake = _next

    def getpeername(self) -> tuple[str, int]:
        return ("127.0.0.1", 443)

    def close(self) -> None:
        self.closed = True


class Context:
    """Stands for a context that makes a connection what was planned."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def wrap_socket(self, _sock: Any, **_: object) -> Any:
        if isinstance(self._made, Exception):
            raise self._made
        return self._made


def waits(coroutine: Coroutine[Any, Any, Any]) -> tuple[list[int], Any]:
    """What a coroutine waits for until it ends, and its value."""
    events = []
    try:
        while True:
            _, event, _ = coroutine.send(None)
            events.append(event)
    except StopIteration as stop:
        return events, stop.value


def sample() -> Attempt:
    with closing(Loop()) as loop:
        return Attempt(Tools(loop))


def test_data_are_sent_piece_by_piece_as_they_are_taken() -> None:
    sock = Scripted(2, BlockingIOError(), 3, ssl.SSLWantWriteError(), ssl.SSLWantReadError(), 4)
    assert waits(send(sock, b"bookstore")) == ([WRITE, WRITE, READ], None)  # type: ignore[arg-type]


def test_what_comes_is_waited_for() -> None:
    sock = Scripted(
        BlockingIOError(), ssl.SSLWantReadError(), ssl.SSLWantWriteError(), b"bookstore"
    )
    assert waits(receive(sock, 99)) == ([READ, READ, WRITE], b"bookstore")  # type: ignore[arg-type]


def test_so_many_bytes_are_put_together() -> None:
    sock = Scripted(b"book", BlockingIOError(), b"st", b"ore")
    assert waits(receive_exactly(sock, 9)) == ([READ], b"bookstore")  # type: ignore[arg-type]


def test_a_handshake_waits_for_what_it_needs() -> None:
    tls = Scripted(ssl.SSLWantReadError(), ssl.SSLWantWriteError(), None)
    shaken = handshake(sample(), Scripted(), Context(tls), "a")  # type: ignore[arg-type]
    assert waits(shaken) == ([READ, WRITE], tls)
    assert not tls.closed


def test_a_connection_that_can_t_begin_tls_is_closed() -> None:
    sock = Scripted()
    with pytest.raises(ValueError, match="no name"):
        waits(handshake(sample(), sock, Context(ValueError("no name")), "."))  # type: ignore[arg-type]
    assert sock.closed


def test_a_connection_that_was_reset_before_the_handshake_is_closed() -> None:
    with socket.socket() as sock, pytest.raises(OSError, match="not connected"):  # who is there?
        waits(handshake(sample(), sock, Context(None), "a"))  # type: ignore[arg-type]
    assert sock.fileno() == -1


@pytest.mark.parametrize("error", [ssl.SSLError("x"), ConnectionResetError()])
def test_a_handshake_that_fails_closes_the_connection(error: Exception) -> None:
    tls = Scripted(ssl.SSLWantReadError(), error)
    with pytest.raises(type(error)):
        waits(handshake(sample(), Scripted(), Context(tls), "a"))  # type: ignore[arg-type]
    assert tls.closed


def test_a_connection_that_is_under_way_at_the_deadline_is_closed() -> None:
    with unanswered_port() as port:
        connecting = connect(sample(), [(socket.AF_INET, HOST)], port)
        sock, event, _ = connecting.send(None)
        assert event == WRITE
        with pytest.raises(Expired):
            connecting.throw(Expired())
    assert sock.fileno() == -1
