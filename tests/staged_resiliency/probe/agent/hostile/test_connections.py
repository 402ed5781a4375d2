"""Names that can't be looked up and addresses that can't be reached."""

import errno
import os
import socket
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from staged_resiliency.probe.agent import sockets
from staged_resiliency.probe.agent.checks import TcpCheck, TlsCheck
from staged_resiliency.probe.agent.http_check import HttpCheck
from tests.cases import cases
from tests.staged_resiliency.probe.agent.hostile.asking import WELL, Expected, ask, assert_ends
from tests.staged_resiliency.probe.agent.hostile.servers import (
    HOST,
    Peer,
    closed_port,
    serving,
    unanswered_port,
)

NAME = "db.example.com"
SECOND = "127.0.0.2"


def finding(*addresses: str) -> Callable[..., Any]:
    """A lookup that finds addresses."""
    return lambda *_: [
        (socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, 0))
        for each in addresses
    ]


def raising(error: Exception) -> Callable[..., Any]:
    """A lookup that fails."""

    def lookup(*_: object) -> None:
        raise error

    return lookup


@cases(
    ("lookup", "detail"),
    {
        "finds no such name": (
            raising(socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
            "Name or service not known",
        ),
        "has an odd reason": (
            raising(socket.gaierror(-99, "odd\x1b[31m\n<3>fire")),
            r"odd\?\[31m\?<3>fire",
        ),
        "finds a bad label": (
            raising(UnicodeError("label empty or too long")),
            "the name can't be encoded",
        ),
        "finds what is no character": (
            raising(UnicodeEncodeError("idna", "\udfff", 0, 1, "odd\n")),
            "the name can't be encoded",
        ),
        "finds no address": (finding(), "the name has no address"),
    },
)
def test_it_is_a_failure_of_dns_when_a_lookup(lookup: Callable[..., Any], detail: str) -> None:
    assert_ends(ask(TcpCheck(NAME, 1), lookup=lookup), Expected("dns", detail))


def test_a_lookup_that_hangs_runs_into_the_deadline() -> None:
    stop = threading.Event()

    def lookup(*_: object) -> list[Any]:
        stop.wait(5)
        return []

    expected = Expected("timeout", rf"looking up {NAME}: no answer within 0\.2 s")
    assert_ends(ask(TcpCheck(NAME, 1), expected.seconds, lookup=lookup), expected)
    stop.set()


def test_the_second_address_is_tried_when_the_first_refuses() -> None:
    with serving(Peer.hold, SECOND) as server:
        result = ask(TcpCheck(NAME, server.port), lookup=finding(HOST, SECOND))
        assert server.deserted(3)
    assert_ends(result, Expected(WELL, "connected"))


def test_the_last_addresss_failure_is_raised_when_all_fail() -> None:
    result = ask(TcpCheck(NAME, closed_port()), lookup=finding("255.255.255.255", HOST))
    assert_ends(result, Expected("refused", "Connection refused"))
    result = ask(TcpCheck(NAME, closed_port()), lookup=finding(HOST, "255.255.255.255"))
    assert_ends(result, Expected("unreachable", "Network is unreachable|Permission denied"))


def test_a_lookup_asks_for_the_family_alone_that_was_chosen() -> None:
    asked = []

    def lookup(*given: Any) -> list[Any]:
        asked.append(given)
        return []

    ask(TcpCheck(NAME, 1), lookup=lookup)
    ask(TcpCheck(NAME, 1, "ipv6"), lookup=lookup)
    assert [given[:4] for given in asked] == [
        (NAME, None, socket.AF_INET, socket.SOCK_STREAM),
        (NAME, None, socket.AF_INET6, socket.SOCK_STREAM),
    ]


def test_an_address_is_never_looked_up() -> None:
    lookup = raising(AssertionError("looked up"))
    assert_ends(
        ask(TcpCheck(HOST, closed_port()), lookup=lookup), Expected("refused", "Connection refused")
    )


@pytest.mark.parametrize("kind", [TcpCheck, TlsCheck, HttpCheck])
@pytest.mark.parametrize("host", [HOST, "::1"])
def test_a_closed_port_refuses(kind: type[TcpCheck], host: str) -> None:
    result = ask(kind(host, closed_port(host)))
    assert_ends(result, Expected("refused", "Connection refused"))


def test_a_connection_that_is_never_made_runs_into_the_deadline() -> None:
    expected = Expected("timeout", rf"connecting to {HOST}: no answer within 0\.2 s")
    with unanswered_port() as port:
        assert_ends(ask(TcpCheck(HOST, port), expected.seconds), expected)


def test_an_ipv6_address_is_reached() -> None:
    with serving(Peer.hold, "::1") as server:
        assert_ends(ask(TcpCheck("::1", server.port)), Expected(WELL, "connected"))
        assert server.deserted(3)


@cases(
    "script",
    {"silence": Peer.hold, "end": Peer.end, "flood": lambda peer: peer.flood(b"\0" * 9999)},
)
def test_a_connection_that_is_made_is_well_whatever_comes_next(
    script: Callable[[Peer], None],
) -> None:
    with serving(script) as server:
        assert_ends(ask(TcpCheck(HOST, server.port)), Expected(WELL, "connected"))
        assert server.deserted(3)


# What the system says of a connection at once.

UNLUCKY = "192.0.2.1"


def sockets_that(fail: Callable[[], int]) -> SimpleNamespace:
    """Stands for the module of sockets; connections to one address end with an error number."""

    class Socket(socket.socket):
        def connect_ex(self, address: Any) -> int:
            return fail() if address[0] == UNLUCKY else super().connect_ex(address)

    names = ("AF_INET", "AF_INET6", "SOCK_STREAM", "SOL_SOCKET", "SO_ERROR")
    return SimpleNamespace(socket=Socket, **{name: getattr(socket, name) for name in names})


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("timeout", errno.ETIMEDOUT),
        ("refused", errno.ECONNREFUSED),
        ("refused", errno.ECONNRESET),
        ("unreachable", errno.EAGAIN),  # which does not mean that it is made later
        ("unreachable", errno.EHOSTUNREACH),
        ("unreachable", errno.ENETUNREACH),
        ("unreachable", errno.EPERM),
        ("unreachable", errno.EMFILE),
        ("unreachable", 9999),
    ],
)
def test_each_error_of_a_connection_has_its_class(
    kind: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "socket", sockets_that(lambda: number))
    assert_ends(ask(TcpCheck(UNLUCKY, 1)), Expected(kind, os.strerror(number)))


@cases(
    ("error", "detail"),
    {
        "without a number": (OSError("odd\n<3>fire"), r"OSError: odd\?<3>fire"),
        "of this program": (ValueError("\x1b[31mred"), r"ValueError: \?\[31mred"),
        "without a word": (MemoryError(), "MemoryError: "),
    },
)
def test_whatever_else_is_raised_is_a_failure_and_ends_nothing(
    error: Exception, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise error

    monkeypatch.setattr(sockets, "socket", sockets_that(fail))
    assert_ends(ask(TcpCheck(UNLUCKY, 1)), Expected("unreachable", detail))


def test_an_address_without_a_socket_leaves_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Scarce(socket.socket):
        def __init__(self, family: int, kind: int) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported")
            super().__init__(family, kind)

    scarce = sockets_that(int)
    scarce.socket = Scarce
    with serving(Peer.hold) as server:
        monkeypatch.setattr(sockets, "socket", scarce)
        check = TcpCheck(NAME, server.port)
        assert_ends(ask(check, lookup=finding("::1", HOST)), Expected(WELL, "connected"))
        result = ask(check, lookup=finding("::1"))
    assert_ends(result, Expected("unreachable", "Address family not supported by protocol"))
