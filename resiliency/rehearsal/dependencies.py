"""What a host depends on, as stand-ins that answer or swallow what is sent to them."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any, Final

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

from resiliency.rehearsal.sockets import BlackHole

_PLAIN: Final = {"tls": "tcp", "https": "http"}
"""TLS is not rehearsed: nobody here has the dependency's certificate."""
_OF_TLS: Final = ("server_name", "days_to_expiry")
_MOST_BYTES: Final = 65_536


class Dependency:
    """One dependency as one host reaches it.

    Args:
        check: How the probe asks it, as the probe's configuration says.
        address: Loopback address.
    """

    def __init__(self, check: Mapping[str, Any], address: str) -> None:
        self._check = check
        kind = str(check["check"])
        self._kind = _PLAIN.get(kind, kind)
        self._tasks: set[asyncio.Task[None]] = set()
        self._hole: BlackHole | None = None
        self._datagrams: socket.socket | None = None
        if self._kind == "dns":
            self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._datagrams.setblocking(False)
            self._datagrams.bind((address, 0))
            self.place: tuple[str, int] = self._datagrams.getsockname()[:2]
        else:
            self._hole = BlackHole(address)
            self.place = self._hole.place

    def check(self) -> Mapping[str, Any]:
        """How the probe asks the stand-in."""
        return stood_in(self._check, self.place)

    def start(self) -> None:
        """Answer."""
        self._listen()

    def blackhole(self) -> None:
        """Swallow everything."""
        loop = asyncio.get_running_loop()
        if self._datagrams is not None:
            loop.remove_reader(self._datagrams)
        if self._hole is not None:
            loop.remove_reader(self._hole.listening)
            self._hole.shut()

    def recover(self) -> None:
        """Answer again."""
        if self._hole is not None:
            self._hole.open()
        self._listen()

    def close(self) -> None:
        """Give everything back."""
        if self._datagrams is not None:
            asyncio.get_running_loop().remove_reader(self._datagrams)
            self._datagrams.close()
        if self._hole is not None:
            asyncio.get_running_loop().remove_reader(self._hole.listening)
            self._hole.close()
        for task in self._tasks:
            task.cancel()

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        if self._datagrams is not None:
            loop.add_reader(self._datagrams, self._answer_datagram, self._datagrams)
        if self._hole is not None:
            loop.add_reader(self._hole.listening, self._accept, self._hole.listening)

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except OSError:
            return  # it went away
        if self._kind == "tcp":
            connection.close()
            return
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._answer(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: socket.socket) -> None:
        """An HTTP answer as the check wants it, once the request's head is there."""
        loop = asyncio.get_running_loop()
        with connection:
            try:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    more = await loop.sock_recv(connection, _MOST_BYTES)
                    if not more:
                        return
                    asked += more
                await loop.sock_sendall(connection, http_answer(self._check))
            except OSError:
                return  # whoever asked went away

    def _answer_datagram(self, datagrams: socket.socket) -> None:
        try:
            asked, place = datagrams.recvfrom(_MOST_BYTES)
            datagrams.sendto(dns_answer(self._check, asked), place)
        except (OSError, dns.exception.DNSException):
            return  # no question


def stood_in(check: Mapping[str, Any], place: tuple[str, int]) -> Mapping[str, Any]:
    """A check that asks another place in the same way, without TLS.

    Args:
        check: The check.
        place: Address and port.
    """
    kind = str(check["check"])
    if kind == "dns":
        return {**check, "server": place[0], "port": place[1]}
    plain = {key: value for key, value in check.items() if key not in (*_OF_TLS, "family")}
    if kind in ("http", "https"):
        plain.setdefault("host_header", check["host"])
    return {**plain, "check": _PLAIN.get(kind, kind), "host": place[0], "port": place[1]}


def http_answer(check: Mapping[str, Any]) -> bytes:
    """The answer that satisfies a check."""
    status = (check.get("status") or [200])[0]
    body = b"" if status in (204, 304) else str(check.get("text") or "ok").encode()
    head = f"HTTP/1.1 {status} Stand-in\r\nContent-Length: {len(body)}\r\nConnection: close"
    return f"{head}\r\n\r\n".encode() + body


def dns_answer(check: Mapping[str, Any], asked: bytes) -> bytes:
    """The answer that satisfies a check.

    Raises:
        dns.exception.DNSException: What was asked is no DNS message.
    """
    query = dns.message.from_wire(asked)
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    kind = str(check.get("type", "A"))
    value = check.get("answer") or {"A": "192.0.2.1", "AAAA": "2001:db8::1"}.get(kind, "a.example.")
    if kind == "CNAME":
        value = f"{str(value).rstrip('.')}."
    if query.question:
        answer.answer.append(
            dns.rrset.from_text(query.question[0].name, 60, "IN", kind, str(value))
        )
    return answer.to_wire()
