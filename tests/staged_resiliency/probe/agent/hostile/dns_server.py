"""A DNS server on loopback, over UDP and TCP, with planned answers."""

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.staged_resiliency.probe.agent.hostile.servers import HOST, Peer, Script, Server

A: Final = 1
CNAME: Final = 5
AAAA: Final = 28
ASKED: Final = b"\xc0\x0c"
"""Points to the name in the question."""


class Query:
    """A question that came over UDP."""

    def __init__(self, data: bytes, client: tuple[str, int]) -> None:
        self.data = data
        self._client = client

    def from_elsewhere(self, data: bytes) -> None:
        """Answer from another port than the one that was asked."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((HOST, 0))
            sock.sendto(data, self._client)


Replies = Callable[[Query], Iterable[bytes]]


def name(text: str) -> bytes:
    labels = text.encode("latin-1").split(b".") if text else []
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(kind: int, content: bytes, owner: bytes = ASKED, internet: int = 1) -> bytes:
    return owner + struct.pack("!HHIH", kind, internet, 60, len(content)) + content


def address(text: str = "10.0.0.5", owner: bytes = ASKED) -> bytes:
    """An A or AAAA record."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return record(AAAA if ":" in text else A, socket.inet_pton(family, text), owner)


def message(
    query: bytes, *records: bytes, flags: int = 0x8180, count: int | None = None, number: int = 0
) -> bytes:
    """An answer to a query.

    Args:
        query: What was asked; it is repeated.
        records: The answers.
        flags: Response, recursion desired and available, no error, unless given.
        count: How many answers are said to be there; as many as there are unless given.
        number: What the identification is changed by.
    """
    (asked,) = struct.unpack_from("!H", query)
    answers = len(records) if count is None else count
    header = struct.pack("!6H", asked ^ number, flags, 1, answers, 0, 0)
    return header + query[12:] + b"".join(records)


def over_tcp(answer: Callable[[bytes], bytes], then: Callable[[Peer], None] = Peer.hold) -> Script:
    """A script that hears a query, and says what is made of it, as it is on the wire."""

    def script(peer: Peer) -> None:
        query = peer.sock.recv(65_536)[2:]
        peer.say(answer(query))
        then(peer)

    return script


def framed(data: bytes) -> bytes:
    """A message with its length before it, as over TCP."""
    return struct.pack("!H", len(data)) + data


@contextmanager
def dns_serving(
    replies: Replies, tcp: Script | None = None, address: str = HOST, port: int = 0
) -> Iterator[int]:
    """The port of a server that is closed in the end; where it has no script, TCP is refused."""
    stream, sock = _bound(tcp, address, port)
    port = sock.getsockname()[1]

    def serve() -> None:
        while True:
            data, client = sock.recvfrom(65_535)
            if not data:
                return
            for reply in replies(Query(data, client)):
                with suppress(OSError):
                    sock.sendto(reply, client)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield port
        assert stream is None or stream.deserted(3), "a connection is left open"
    finally:
        with socket.socket(sock.family, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", (address, port))
        thread.join()
        sock.close()
        if stream is not None:
            stream.close()


def _bound(tcp: Script | None, address: str, port: int) -> tuple[Server | None, socket.socket]:
    """Sockets of one port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind((address, port))
        try:
            stream = Server(tcp, address, sock.getsockname()[1]) if tcp is not None else None
        except OSError:  # taken for TCP
            sock.close()
            assert port == 0
        else:
            return stream, sock
