"""Stand-ins for the dependencies of a host, which answer, soon or late, hang, or drop requests."""

import asyncio
import contextlib
import functools
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

from resiliency.rehearsal.sockets import BlackholeSocket

_PLAIN: Final = {"tls": "tcp", "https": "http"}
"""TLS is not rehearsed: nobody here has the dependency's certificate."""
_OF_TLS: Final = ("tls", "server_name", "days_to_expiry", "ca_file", "certificate")
_MOST_BYTES: Final = 65_536


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """The event loop of all stand-ins, in a thread of its own.

    A check waits for milliseconds in a quick rehearsal; in the rehearsal's own loop, answers would
    wait for whatever else it computes, and the probe would report a dependency that fails.
    """
    made = asyncio.new_event_loop()
    threading.Thread(target=made.run_forever, name="dependencies", daemon=True).start()
    return made


def _in_the_loop(change: Callable[[], None]) -> None:
    """Run a change in the thread of the stand-ins, and wait for its end."""

    async def run() -> None:
        change()

    asyncio.run_coroutine_threadsafe(run(), _loop()).result()


class Dependency:
    """The stand-in for one dependency of one host, which the probe's check measures."""

    def __init__(self, check: Mapping[str, Any], address: str) -> None:
        self._check = check
        kind = str(check["check"])
        self._kind = _PLAIN.get(kind, kind)
        self._late_seconds = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: BlackholeSocket | None = None
        self._datagrams: socket.socket | None = None
        if self._kind == "dns":
            self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._datagrams.setblocking(False)
            self._datagrams.bind((address, 0))
            self.place: tuple[str, int] = self._datagrams.getsockname()[:2]
        else:
            self._listener = BlackholeSocket(address)
            self.place = self._listener.place

    def check(self) -> Mapping[str, Any]:
        """Return the probe's check of the stand-in."""
        return redirected_check(self._check, self.place)

    def start(self) -> None:
        """Start answering requests."""
        _in_the_loop(self._listen)

    def hang(self) -> None:
        """Answer nothing; the kernel still accepts connections, until its queue is full."""
        _in_the_loop(self._stop_listening)

    def degrade(self, seconds: float) -> None:
        """Answer each request so many seconds late."""
        self._late_seconds = seconds

    def blackhole(self) -> None:
        """Drop everything that is sent to the stand-in."""
        self.hang()
        if self._listener is not None:
            self._listener.shut()

    def recover(self) -> None:
        """Answer requests again, without a delay."""
        self._late_seconds = 0.0
        if self._listener is not None:
            self._listener.open()
        _in_the_loop(self._listen)

    def close(self) -> None:
        """Close all sockets."""
        _in_the_loop(self._close)

    def _close(self) -> None:
        self._stop_listening()
        for each in (self._datagrams, self._listener):
            if each is not None:
                each.close()
        for task in self._tasks:
            task.cancel()

    def _stop_listening(self) -> None:
        loop = asyncio.get_running_loop()
        if self._datagrams is not None:
            loop.remove_reader(self._datagrams)
        if self._listener is not None:
            loop.remove_reader(self._listener.listening)

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        if self._datagrams is not None:
            loop.add_reader(self._datagrams, self._answer_datagram, self._datagrams)
        if self._listener is not None:
            loop.add_reader(self._listener.listening, self._accept, self._listener.listening)

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except OSError:
            return  # it went away
        if self._kind == "tcp":
            connection.close()
            return
        task = asyncio.get_running_loop().create_task(self._answer(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: socket.socket) -> None:
        """Answer as the check expects it, until the probe ends the connection."""
        reader, writer = await asyncio.open_connection(sock=connection)
        with contextlib.closing(writer):
            try:
                async for answer in _ANSWERS[self._kind](self._check, reader):
                    await asyncio.sleep(self._late_seconds)
                    writer.write(answer)
                    await writer.drain()
            except (OSError, EOFError):
                return  # the requester went away

    def _answer_datagram(self, datagrams: socket.socket) -> None:
        try:
            query, place = datagrams.recvfrom(_MOST_BYTES)
            datagrams.sendto(dns_answer(self._check, query), place)
        except (OSError, dns.exception.DNSException):
            return  # not a DNS query


def redirected_check(check: Mapping[str, Any], place: tuple[str, int]) -> Mapping[str, Any]:
    """Redirect a check to another address and port, without TLS."""
    kind = str(check["check"])
    if kind == "dns":
        return {**check, "server": place[0], "port": place[1]}
    plain = {key: value for key, value in check.items() if key not in (*_OF_TLS, "family")}
    if "steps" in check:
        plain["steps"] = [{**step, "starttls": False} for step in check["steps"]]
    if kind in ("http", "https"):
        plain.setdefault("host_header", check["host"])
    return {**plain, "check": _PLAIN.get(kind, kind), "host": place[0], "port": place[1]}


def served_check(check: Mapping[str, Any], place: tuple[str, int]) -> Mapping[str, Any]:
    """Redirect a check to a simulated service: http accepts any answer, others become tcp."""
    redirected = redirected_check(check, place)
    if redirected["check"] == "http":
        return {key: each for key, each in redirected.items() if key not in ("text", "status")}
    kept = ("metric", "host", "port", "interval_seconds", "timeout_seconds")
    return {"check": "tcp", **{key: redirected[key] for key in kept if key in redirected}}


async def _http(check: Mapping[str, Any], reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    await reader.readuntil(b"\r\n\r\n")
    yield http_answer(check)


async def _mysql(_: Mapping[str, Any], reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Greet, accept the login, and wait for the end; see the agent's ``MysqlCheck``."""

    def packet(number: int, content: bytes) -> bytes:
        return (len(content) | number << 24).to_bytes(4, "little") + content

    # Protocol 10, a version, and zeros in place of the connection's id, salt and capabilities.
    yield packet(0, b"\x0a8.0.0-rehearsal\0" + bytes(44))
    head = await reader.readexactly(4)
    await reader.readexactly(int.from_bytes(head[:3], "little"))
    yield packet(head[3] + 1, b"\0\0\0\2\0\0\0")
    await reader.read()


async def _postgresql(
    check: Mapping[str, Any], reader: asyncio.StreamReader
) -> AsyncIterator[bytes]:
    """Have no TLS, and let a user in; see the agent's ``PostgresqlCheck``."""
    await reader.readexactly(8)
    yield b"N"
    if check.get("user"):
        size = int.from_bytes(await reader.readexactly(4), "big")
        await reader.readexactly(size - 4)
        yield b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"
    await reader.read()


async def _redis(_: Mapping[str, Any], reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    await reader.readuntil(b"PING\r\n")
    yield b"+PONG\r\n"
    await reader.read()


async def _exchange(check: Mapping[str, Any], reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    for step in check["steps"]:
        await reader.readexactly(len(step.get("send", "").encode()))
        yield step.get("expect", "").encode()
    await reader.read()


_ANSWERS: Final = {
    "http": _http,
    "mysql": _mysql,
    "postgresql": _postgresql,
    "redis": _redis,
    "exchange": _exchange,
}
"""The answers of a stand-in to one connection, by the protocol of the check."""


def http_answer(check: Mapping[str, Any]) -> bytes:
    """Return the HTTP answer that satisfies a check."""
    status = (check.get("status") or [200])[0]
    body = b"" if status in (204, 304) else str(check.get("text") or "ok").encode()
    head = f"HTTP/1.1 {status} Stand-in\r\nContent-Length: {len(body)}\r\nConnection: close"
    return f"{head}\r\n\r\n".encode() + body


def dns_answer(check: Mapping[str, Any], query: bytes) -> bytes:
    """Return the DNS answer that satisfies a check; DNSException if the query is no DNS message."""
    message = dns.message.from_wire(query)
    answer = dns.message.make_response(message)
    answer.flags |= dns.flags.RA
    kind = str(check.get("type", "A"))
    value = check.get("answer") or {"A": "192.0.2.1", "AAAA": "2001:db8::1"}.get(kind, "a.example.")
    if kind == "CNAME":
        value = f"{str(value).rstrip('.')}."
    if message.question:
        answer.answer.append(
            dns.rrset.from_text(message.question[0].name, 60, "IN", kind, str(value))
        )
    return answer.to_wire()
