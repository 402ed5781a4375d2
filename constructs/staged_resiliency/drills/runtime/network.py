"""The network as a client uses it: resolves names, and asks hosts for their own names.

A host answers with status 200 and a JSON object, of which one key has its Name tag as value:
``{"environment": "shop-blue"}``. Where an endpoint has no such key, any status from 200 to 299 is
an answer.

Nothing here trusts an answer. One deadline covers connection, handshake and answer; the size of an
answer is limited; redirects are not followed.
"""

import asyncio
import http.client
import io
import ipaddress
import json
import queue
import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from staged_resiliency.drills.runtime.hosts import Endpoint

MAX_BYTES: Final = 65_536
"""Maximum size of an answer, head and body together."""

DEADLINE_SECONDS: Final = 4.0
"""Timeout of a whole request."""

RESOLVE_SECONDS: Final = 3.0
"""Timeout of the lookup of a name."""

_MAX_NAME: Final = 256
_PIECE: Final = 16_384
_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)


class UnansweredError(Exception):
    """A host did not return its name; the message gives the reason in one line."""


class Resolver:
    """Resolves names with the system's resolver, each in a thread, as the resolver may hang."""

    def __init__(
        self,
        seconds: float = RESOLVE_SECONDS,
        look_up: Callable[..., Sequence[Any]] = socket.getaddrinfo,
    ) -> None:
        self._seconds = seconds
        self._look_up = look_up
        self._busy: dict[str, threading.Thread] = {}

    def __call__(self, name: str) -> Sequence[str]:
        """Return the addresses of a name; empty where there are none in time."""
        former = self._busy.get(name)
        if former is not None and former.is_alive():
            return ()  # it still hangs; one thread is enough
        answers: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()
        thread = threading.Thread(target=self._answer, args=(name, answers), daemon=True)
        self._busy[name] = thread
        thread.start()
        try:
            return answers.get(timeout=self._seconds)
        except queue.Empty:
            return ()

    def _answer(self, name: str, answers: "queue.SimpleQueue[Sequence[str]]") -> None:
        try:
            found = self._look_up(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = ()
        answers.put(tuple(dict.fromkeys(str(each[4][0]) for each in found)))


def is_ipv4(address: str) -> bool:
    """Whether an IP address is an IPv4 address; raise ValueError if it is no IP address."""
    return ipaddress.ip_address(address).version == 4


def ask(
    address: str,
    endpoint: Endpoint,
    host: str,
    *,
    seconds: float = DEADLINE_SECONDS,
    tls: ssl.SSLContext | None = None,
) -> str:
    """Ask a host for its own name over HTTP, and return it; see ``name_in``.

    ``host`` is the name in the Host header, which the certificate must have too; the whole request
    must be done in ``seconds``; ``tls`` checks certificates, by default Python's own context.

    Raises:
        UnansweredError: The host can't be reached, is too slow, or its answer is invalid.
    """
    context = (tls or ssl.create_default_context()) if endpoint.scheme == "https" else None
    try:
        family = socket.AF_INET if is_ipv4(address) else socket.AF_INET6
        # A socket of our own is closed even where asyncio leaves its own open.
        with socket.socket(family) as sock:
            sock.setblocking(False)
            exchange = _exchange(sock, address, endpoint, host, context)
            raw = asyncio.run(asyncio.wait_for(exchange, seconds))
    except (asyncio.TimeoutError, TimeoutError):
        raise UnansweredError(f"no whole answer within {seconds:g} s") from None
    except (OSError, ValueError) as error:  # of TLS too, and names that can't be encoded
        raise UnansweredError(printable_line(f"{type(error).__name__}: {error}")) from None
    return name_in(raw, endpoint.field)


def name_in(raw: bytes, field: str | None) -> str:
    """Return the value of a key in the JSON body of an HTTP answer.

    Without a key return the header Via, which names the proxies that answered; empty for none.

    Raises:
        UnansweredError: The answer is invalid; the message shows what it is.
    """
    if len(raw) > MAX_BYTES:
        raise UnansweredError(f"an answer of more than {MAX_BYTES} bytes")
    answer = http.client.HTTPResponse(cast(socket.socket, _Received(raw)))
    try:
        answer.begin()
        body = answer.read()
    # Sizes are taken from the answer: one may be beyond all that can be read at once.
    except (http.client.HTTPException, ValueError, OverflowError) as error:
        raise UnansweredError(
            printable_line(f"no HTTP answer: {type(error).__name__} {error}")
        ) from None
    finally:
        answer.close()
    if field is None and 200 <= answer.status <= 299:
        return answer.getheader("Via") or ""
    if answer.status != http.client.OK:
        raise UnansweredError(f"status {answer.status}")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnansweredError(printable_line(f"no JSON but {body[:40]!r}")) from None
    name = document.get(field) if isinstance(document, dict) else None
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
        raise UnansweredError(printable_line(f"JSON without a name as {field!r}: {body[:80]!r}"))
    return name


class _Received:
    """A stand-in for the socket that ``http.client`` reads from."""

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
        writer.transport.abort()  # an orderly close could take as long as the peer likes


def _whole(raw: bytes) -> bool:
    """Whether the response is complete; without a length it ends when the connection closes."""
    end = raw.find(_END_OF_HEAD)
    if end < 0:
        return False
    length = _LENGTH.search(raw, 0, end + 2)
    if length is None:
        return raw.endswith(b"\r\n0\r\n\r\n")
    return len(raw) - end - len(_END_OF_HEAD) >= int(length[1])


def printable_line(text: str) -> str:
    """Return at most 200 characters of a text, with escapes for those that can't be printed."""
    line = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
    return line[:200]
