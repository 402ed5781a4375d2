"""HTTP and HTTPS checks: the status and, where the check has one, a text in the body."""

from __future__ import annotations

import http.client
import io
import re
import socket
from dataclasses import dataclass
from typing import NamedTuple

from .attempt import MISMATCH, STATUS, Attempt, Failure
from .checks import TcpCheck, TlsCheck
from .sockets import receive, send

MAX_HEAD_BYTES = 32_768
MAX_BODY_BYTES = 65_536
METHODS = ("GET", "HEAD", "OPTIONS", "POST")
_PIECE_BYTES = 16_384
_BEGIN = b"HTTP/1."
_STATUS = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9][0-9])[ \r\n]")
_INTERIM = re.compile(rb"HTTP/1\.[0-9] 1(?!01)[0-9][0-9][ \r\n]")
_LENGTH = re.compile(r"[0-9]{1,18}")
_BODILESS = (204, 304)
_ALWAYS = (("Accept-Encoding", "identity"), ("Connection", "close"))
_END_OF_HEAD = re.compile(rb"\n\r?\n")
# A chunk of one byte takes six bytes, so that the whole body is searched even then.
_MAX_RAW_BYTES = 6 * MAX_BODY_BYTES
_MAX_CHUNK_LINE_BYTES = 1024
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
# From the end of a chunk to the beginning of the next in one step, as a body may be chunks of one
# byte; nearly all servers write these lines with nothing else in them.
_PLAIN_CHUNK_LINES = re.compile(rb"\r\n([0-9A-Fa-f]{1,16})\r\n")


class Head(NamedTuple):
    """Status and headers of an answer."""

    status: int
    headers: http.client.HTTPMessage


@dataclass(frozen=True)
class HttpCheck(TcpCheck):
    """Sends a request without a body, and follows no redirect: a 3xx is a status like any other."""

    port: int = 80
    path: str = "/"  # with the query
    host_header: str = ""  # host, and a port that is not the scheme's (RFC 9112, 3.2), when empty
    status: tuple[int, ...] = ()  # those that pass; any 2xx when empty
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()  # besides, or in place of, those of every request
    text: str = ""  # must be in the first 64 KB of the body, unless empty

    async def run(self, attempt: Attempt) -> str:
        """Send the request, and read as much of the answer as the check needs."""
        sock = await self.connect(attempt)
        try:
            attempt.stage = "sending the request"
            await send(sock, self._request())
            attempt.stage = "waiting for the answer"
            return await self._read(attempt, sock)
        finally:
            sock.close()

    def _request(self) -> bytes:
        host = self.host_header
        if not host:
            has_default_port = self.port == type(self).port
            host = self.url_host + ("" if has_default_port else f":{self.port}")
        headers = {"Host": host, "User-Agent": "resiliency-probe", "Accept": "*/*"}
        if self.method == "POST":
            headers["Content-Length"] = "0"
        replaced = {name.lower() for name, _ in self.headers}
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        for name, text in (*headers.items(), *_ALWAYS):
            if name.lower() not in replaced:
                lines.append(f"{name}: {text}")
        lines += [f"{name}: {text}" for name, text in self.headers]
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    async def _read(self, attempt: Attempt, sock: socket.socket) -> str:
        data = bytearray()
        head = await _read_head(sock, data)
        self._check_status(head)
        if not self.text:
            return f"status {head.status}"
        attempt.stage = "reading the body"
        body = _body(head, self.text)
        if data:
            body.add(bytes(data))
        while not (body.found or body.ended):
            body.add(await receive(sock, _PIECE_BYTES))
        if body.found:
            return f"status {head.status} with the text"
        raise Failure(MISMATCH, f"status {head.status} without the text {self.text!r}")

    def _check_status(self, head: Head) -> None:
        passes = head.status in self.status if self.status else 200 <= head.status <= 299
        if not passes:
            location = head.headers.get("Location") if 300 <= head.status <= 399 else None
            redirect = f", a redirect to {location}" if location else ""
            raise Failure(STATUS, f"status {head.status}{redirect}")


@dataclass(frozen=True)
class HttpsCheck(HttpCheck, TlsCheck):
    """Sends a request as ``HttpCheck`` does, over TLS, checked as by ``TlsCheck``."""

    port: int = 443


async def _read_head(sock: socket.socket, data: bytearray) -> Head:
    """Receive into data and cut off the head of the final answer; skip interim ones (1xx)."""
    searched, limit = 0, MAX_HEAD_BYTES
    while True:
        end = _END_OF_HEAD.search(data, max(0, searched - 2), limit)
        if end is not None:
            head = bytes(data[: end.end()])
            del data[: end.end()]
            if not _INTERIM.match(head):
                return _parse_head(head)
            searched, limit = 0, limit - len(head)
            continue
        if not (data.startswith(_BEGIN) or _BEGIN.startswith(data)):
            raise Failure(MISMATCH, f"not an HTTP answer: {_quoted(data)}")
        if len(data) >= limit:
            raise Failure(MISMATCH, f"headers of more than {MAX_HEAD_BYTES} bytes")
        searched = len(data)
        piece = await receive(sock, _PIECE_BYTES)
        if not piece:
            raise Failure(MISMATCH, f"the connection ended after {_quoted(data)}")
        data += piece


def _parse_head(head: bytes) -> Head:
    status = _STATUS.match(head)
    if status is None:
        raise Failure(MISMATCH, f"not an HTTP answer: {_quoted(head)}")
    lines = io.BytesIO(head)
    lines.readline()
    try:
        return Head(int(status[1]), http.client.parse_headers(lines))
    except http.client.HTTPException as error:
        raise Failure(MISMATCH, f"the headers can't be parsed ({error})") from None


def _body(head: Head, text: str) -> Body:
    is_chunked = head.headers.get("Transfer-Encoding", "").strip().lower() == "chunked"
    content_length = head.headers.get("Content-Length", "").strip()
    length = 0 if head.status in _BODILESS else None
    if length is None and not is_chunked and _LENGTH.fullmatch(content_length):
        length = int(content_length)
    return Body(text.encode(), is_chunked=is_chunked, length=length)


def _quoted(data: bytes | bytearray) -> str:
    return repr(bytes(data[:40]))


class Body:
    """The first 64 KB of a body, which are searched for a text while they arrive.

    Without a ``length`` in bytes the body ends with the connection.
    """

    def __init__(self, text: bytes, *, is_chunked: bool, length: int | None) -> None:
        self.found = False
        self.ended = length == 0  # so have the first 64 KB
        self._text = text
        self._is_chunked = is_chunked
        self._max_bytes = MAX_BODY_BYTES if length is None else min(length, MAX_BODY_BYTES)
        self._body = bytearray()
        self._raw = 0
        self._chunk = 0  # bytes left in the chunk
        self._line = b""  # the beginning of the line before a chunk
        self._between = False  # whether the line that ends a chunk comes next

    def add(self, piece: bytes) -> None:
        """Add what was received; an empty piece is the end of the connection."""
        self._raw += len(piece)
        if not piece or self._raw > _MAX_RAW_BYTES:
            self.ended = True
        if self._is_chunked:
            self._add_chunks(piece)
        else:
            self._keep(piece)

    def _add_chunks(self, piece: bytes) -> None:
        at, kept = 0, bytearray()
        while at < len(piece) and not self.ended and len(kept) < self._max_bytes:
            if self._chunk:
                part = piece[at : at + self._chunk]
                self._chunk -= len(part)
                at += len(part)
                kept += part
            elif (
                self._between and (lines := _PLAIN_CHUNK_LINES.match(piece, at)) and not self._line
            ):
                self._chunk = int(lines[1], 16)
                self.ended = not self._chunk
                at = lines.end()
            else:
                at = self._add_line(piece, at)
        self._keep(kept)

    def _add_line(self, piece: bytes, at: int) -> int:
        """Add a piece's part of the line between two chunks, and return where that part ends."""
        end = piece.find(b"\n", at, at + _MAX_CHUNK_LINE_BYTES)
        after = end + 1 or at + _MAX_CHUNK_LINE_BYTES
        self._line += piece[at:after]
        if end >= 0:
            self._begin_chunk(self._line.strip())
            self._line = b""
        elif len(self._line) >= _MAX_CHUNK_LINE_BYTES:
            raise Failure(MISMATCH, f"more than {_MAX_CHUNK_LINE_BYTES} bytes before a chunk")
        return after

    def _begin_chunk(self, line: bytes) -> None:
        if self._between:
            is_valid, self._between = not line, False
        else:
            size = line.partition(b";")[0].strip()
            is_valid = _CHUNK_SIZE.fullmatch(size) is not None
            self._chunk = int(size, 16) if is_valid else 0
            self._between = is_valid
            self.ended = is_valid and not self._chunk
        if not is_valid:
            raise Failure(MISMATCH, f"not the size of a chunk: {line[:40]!r}")

    def _keep(self, part: bytes | bytearray) -> None:
        first = max(0, len(self._body) - len(self._text) + 1)
        self._body += part[: self._max_bytes - len(self._body)]
        self.found = self.found or self._body.find(self._text, first) >= 0
        self.ended = self.ended or len(self._body) >= self._max_bytes
