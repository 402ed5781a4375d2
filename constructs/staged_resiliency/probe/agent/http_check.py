"""HTTP and HTTPS checks: status and, where asked for, a text in the body."""

from __future__ import annotations

import http.client
import io
import re
import socket
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from .attempt import Attempt
from .checks import TcpCheck, TlsCheck
from .failure import MISMATCH, STATUS, Failure
from .http_body import Body
from .sockets import receive, send

MAX_HEAD_BYTES = 32_768
_PIECE = 16_384
_BEGIN = b"HTTP/1."
_STATUS = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9][0-9])[ \r\n]")
_INTERIM = re.compile(rb"HTTP/1\.[0-9] 1(?!01)[0-9][0-9][ \r\n]")
_LENGTH = re.compile(r"[0-9]{1,18}")
_BODILESS = (204, 304)
_END_OF_HEAD = re.compile(rb"\n\r?\n")


class Head(NamedTuple):
    """What comes before the body of an answer."""

    status: int
    headers: http.client.HTTPMessage


@dataclass(frozen=True)
class HttpCheck(TcpCheck):
    """Sends GET, and follows no redirect: a 3xx is a status like any other.

    Attributes:
        path: Path and query.
        host_header: Name that is asked for, with a port where the server wants one; the host, with
            a port that is not the scheme's own (RFC 9112, 3.2), unless given.
        status: Statuses that are well; any 2xx when empty.
        text: Must be in the first 64 KB of the body, unless empty.
    """

    usual_port: ClassVar[int] = 80

    path: str = "/"
    host_header: str = ""
    status: tuple[int, ...] = ()
    text: str = ""

    async def run(self, sample: Attempt) -> str:
        """Ask, and read as much of the answer as is needed."""
        sock = await self.connected(sample)
        try:
            sample.stage = "asking"
            await send(sock, self._request())
            sample.stage = "waiting for the answer"
            return await self._read(sample, sock)
        finally:
            sock.close()

    def _request(self) -> bytes:
        name = self.host_header
        if not name:
            name = f"[{self.host}]" if ":" in self.host else self.host
            name += "" if self.port == self.usual_port else f":{self.port}"
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: resiliency-probe\r\n"
            "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
        ).encode("ascii")

    async def _read(self, sample: Attempt, sock: socket.socket) -> str:
        data = bytearray()
        answer = await _head(sock, data)
        self._check_status(answer)
        if not self.text:
            return f"status {answer.status}"
        sample.stage = "reading the body"
        body = _body(answer, self.text)
        if data:
            body.add(bytes(data))
        while not (body.found or body.ended):
            body.add(await receive(sock, _PIECE))
        if body.found:
            return f"status {answer.status} with the text"
        raise Failure(MISMATCH, f"status {answer.status} without the text {self.text!r}")

    def _check_status(self, answer: Head) -> None:
        allowed = answer.status in self.status if self.status else 200 <= answer.status <= 299
        if not allowed:
            place = answer.headers.get("Location") if 300 <= answer.status <= 399 else None
            moved = f", which points to {place}" if place else ""
            raise Failure(STATUS, f"status {answer.status}{moved}")


@dataclass(frozen=True)
class HttpsCheck(HttpCheck, TlsCheck):
    """The same over TLS, whose certificate is checked as ``TlsCheck`` does."""

    usual_port: ClassVar[int] = 443


async def _head(sock: socket.socket, data: bytearray) -> Head:
    """The head of the final answer, taken off the data; interim ones (1xx) are passed over."""
    looked, most = 0, MAX_HEAD_BYTES
    while True:
        end = _END_OF_HEAD.search(data, max(0, looked - 2), most)
        if end is not None:
            head = bytes(data[: end.end()])
            del data[: end.end()]
            if not _INTERIM.match(head):
                return _parsed(head)
            looked, most = 0, most - len(head)
            continue
        if not (data.startswith(_BEGIN) or _BEGIN.startswith(data)):
            raise Failure(MISMATCH, f"no HTTP answer but {_quoted(data)}")
        if len(data) >= most:
            raise Failure(MISMATCH, f"headers of more than {MAX_HEAD_BYTES} bytes")
        looked = len(data)
        piece = await receive(sock, _PIECE)
        if not piece:
            raise Failure(MISMATCH, f"the connection ended after {_quoted(data)}")
        data += piece


def _parsed(head: bytes) -> Head:
    status = _STATUS.match(head)
    if status is None:
        raise Failure(MISMATCH, f"no HTTP answer but {_quoted(head)}")
    lines = io.BytesIO(head)
    lines.readline()
    try:
        return Head(int(status[1]), http.client.parse_headers(lines))
    except http.client.HTTPException as error:
        raise Failure(MISMATCH, f"headers that can't be read ({error})") from None


def _body(answer: Head, text: str) -> Body:
    chunked = answer.headers.get("Transfer-Encoding", "").strip().lower() == "chunked"
    told = answer.headers.get("Content-Length", "").strip()
    length = 0 if answer.status in _BODILESS else None
    if length is None and not chunked and _LENGTH.fullmatch(told):
        length = int(told)
    return Body(text.encode(), chunked=chunked, length=length)


def _quoted(data: bytes | bytearray) -> str:
    return repr(bytes(data[:40]))
