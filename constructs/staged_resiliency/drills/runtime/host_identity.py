"""Asks a host which one it is, and believes nothing that it should not.

One deadline covers connection, handshake and answer; an answer has a limit; redirects are not
followed. What comes back is a name, or an ``UnansweredError``.
"""

import asyncio
import http.client
import io
import json
import re
import socket
import ssl
from typing import Final, cast

from staged_resiliency.drills.runtime.plan import Endpoint

MAX_BYTES: Final = 65_536
"""Of an answer, head and body together."""

DEADLINE_SECONDS: Final = 4.0
"""For a whole request."""

_MAX_NAME: Final = 256
_PIECE: Final = 16_384
_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)


class UnansweredError(Exception):
    """A host did not say which one it is. The message says why, in a line."""


def ask(
    address: str,
    endpoint: Endpoint,
    host: str,
    *,
    seconds: float = DEADLINE_SECONDS,
    tls: ssl.SSLContext | None = None,
) -> str:
    """The name that a host gives itself.

    Args:
        address: IP address to connect to.
        endpoint: Scheme, port and path.
        host: DNS name that is asked for, and that a certificate must have.
        seconds: For the whole request.
        tls: How certificates are checked for ``https``; as Python does unless given.

    Raises:
        UnansweredError: It can't be reached, is too slow, or its answer is none.
    """
    context = (tls or ssl.create_default_context()) if endpoint.scheme == "https" else None
    try:
        # A socket of our own is closed whatever becomes of asyncio's.
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as sock:
            sock.setblocking(False)
            exchange = _exchange(sock, address, endpoint, host, context)
            raw = asyncio.run(asyncio.wait_for(exchange, seconds))
    except (asyncio.TimeoutError, TimeoutError):
        raise UnansweredError(f"no whole answer within {seconds:g} s") from None
    except (OSError, ValueError) as error:  # of TLS too, and names that can't be encoded
        raise UnansweredError(_line(f"{type(error).__name__}: {error}")) from None
    return environment_of(raw)


def environment_of(raw: bytes) -> str:
    """The ``environment`` in the JSON body of an HTTP answer.

    Raises:
        UnansweredError: It is no answer that says so.
    """
    if len(raw) > MAX_BYTES:
        raise UnansweredError(f"an answer of more than {MAX_BYTES} bytes")
    answer = http.client.HTTPResponse(cast(socket.socket, _Received(raw)))
    try:
        answer.begin()
        body = answer.read()
    # Sizes are taken from the answer: one may be beyond all that can be read at once.
    except (http.client.HTTPException, ValueError, OverflowError) as error:
        raise UnansweredError(_line(f"no HTTP answer: {type(error).__name__} {error}")) from None
    finally:
        answer.close()
    if answer.status != http.client.OK:
        raise UnansweredError(f"status {answer.status}")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnansweredError(_line(f"no JSON but {body[:40]!r}")) from None
    name = document.get("environment") if isinstance(document, dict) else None
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
        raise UnansweredError("JSON without a name as 'environment'")
    return name


class _Received:
    """What ``http.client`` takes for a socket."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._raw)


async def _exchange(
    sock: socket.socket, address: str, endpoint: Endpoint, host: str, tls: ssl.SSLContext | None
) -> bytes:
    await asyncio.get_running_loop().sock_connect(sock, (address, endpoint.port))
    reader, writer = await asyncio.open_connection(
        sock=sock, ssl=tls, server_hostname=host if tls else None
    )
    try:
        asked = (
            f"GET {endpoint.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: resiliency-drill\r\n"
            "Accept: application/json\r\nConnection: close\r\n\r\n"
        )
        writer.write(asked.encode("ascii"))
        raw = b""
        while len(raw) <= MAX_BYTES and not _whole(raw):
            piece = await reader.read(_PIECE)
            if not piece:
                break
            raw += piece
        return raw
    finally:
        writer.transport.abort()  # a farewell could take as long as the other side likes


def _whole(raw: bytes) -> bool:
    """Whether no more need be waited for; else the end of the connection tells."""
    end = raw.find(_END_OF_HEAD)
    if end < 0:
        return False
    length = _LENGTH.search(raw, 0, end + 2)
    if length is None:
        return raw.endswith(b"\r\n0\r\n\r\n")
    return len(raw) - end - len(_END_OF_HEAD) >= int(length[1])


def _line(text: str) -> str:
    line = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
    return line[:200]
