"""Connections, plain and TLS, that never block the loop."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .attempt import DNS, MISMATCH, Attempt, Failure
from .loop import readable, writable

if TYPE_CHECKING:
    from .resolver import Addresses


CLOSE_SECONDS = 1.0  # until the server ends its side of a connection that has served its purpose
_PIECE_BYTES = 16_384


def address_family(address: str) -> int:
    """Return the socket family of an IP address; raises ValueError for other text."""
    version = ipaddress.ip_address(address).version
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def ip_version(text: str) -> int | None:
    """Return 4 or 6 for an IP address, None for other text or an address with a zone."""
    try:
        return None if "%" in text else ipaddress.ip_address(text).version
    except ValueError:
        return None


@contextlib.contextmanager
def closed_on_error(sock: socket.socket) -> Iterator[None]:
    """Close the socket when the block raises, or is given up at its deadline."""
    try:
        yield
    except BaseException:
        sock.close()
        raise


async def connect(attempt: Attempt, addresses: Addresses, port: int) -> socket.socket:
    """Connect by TCP to the first address that accepts, in the order given.

    When none accepts, raises the last one's ``Failure``.
    """
    failure: Failure | None = None
    for family, address in addresses:
        attempt.stage = f"connecting to {address}"
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # no such family here, or no file descriptor left
            failure = Failure.from_errno(error.errno or errno.EIO)
            continue
        with closed_on_error(sock):
            sock.setblocking(False)
            number = sock.connect_ex((address, port))
            if number == errno.EINPROGRESS:
                await writable(sock)
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number == 0:
                return sock
        sock.close()
        failure = Failure.from_errno(number)
    raise failure or Failure(DNS, "the name has no address")


async def handshake(
    attempt: Attempt, sock: socket.socket, context: ssl.SSLContext, server_name: str
) -> ssl.SSLSocket:
    """Start TLS on a connection, which is closed when that fails."""
    attempt.stage = "TLS handshake"
    with closed_on_error(sock):
        sock.getpeername()  # wrap_socket would lose a connection that was reset by now
        tls = context.wrap_socket(sock, server_hostname=server_name, do_handshake_on_connect=False)
    with closed_on_error(tls):
        while True:
            try:
                tls.do_handshake()
                return tls
            except ssl.SSLWantReadError:
                await readable(tls)
            except ssl.SSLWantWriteError:
                await writable(tls)


async def send(sock: socket.socket, data: bytes) -> None:
    """Send all of the data."""
    left = memoryview(data)
    while left:
        try:
            left = left[sock.send(left) :]
        except ssl.SSLWantReadError:
            await readable(sock)
        except (BlockingIOError, ssl.SSLWantWriteError):
            await writable(sock)


async def close_orderly(sock: socket.socket) -> None:
    """End a connection, and receive what is left, so that the server's system gets no reset."""
    with contextlib.suppress(OSError):
        if isinstance(sock, ssl.SSLSocket):
            with contextlib.suppress(ssl.SSLWantReadError):
                sock.unwrap()  # only sends, as the server's answer is not there yet
        sock.shutdown(socket.SHUT_WR)
        while await readable(sock, CLOSE_SECONDS) and sock.recv(_PIECE_BYTES):
            pass


async def receive(sock: socket.socket, max_bytes: int) -> bytes:
    """Receive what comes next; empty at the end, also of TLS without close_notify."""
    while True:
        try:
            return sock.recv(max_bytes)
        except (BlockingIOError, ssl.SSLWantReadError):
            await readable(sock)
        except ssl.SSLWantWriteError:
            await writable(sock)


async def receive_exactly(sock: socket.socket, count: int) -> bytes:
    """Receive this many bytes."""
    data = bytearray()
    while len(data) < count:
        more = await receive(sock, count - len(data))
        if not more:
            raise Failure(MISMATCH, "the connection ended within the answer")
        data += more
    return bytes(data)
