"""Connections, plain and TLS, that never block the loop."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING

from .failure import DNS, MISMATCH, Failure, of_errno
from .loop import readable, writable

if TYPE_CHECKING:
    from .attempt import Attempt
    from .resolver import Addresses


async def connect(sample: Attempt, addresses: Addresses, port: int) -> socket.socket:
    """A TCP connection to the first address that takes one, in the order given.

    Raises:
        Failure: No address took it; the last one's reason.
    """
    error: Failure | None = None
    for family, address in addresses:
        sample.stage = f"connecting to {address}"
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as refused:  # no address family, no file left
            error = of_errno(refused.errno or errno.EIO)
            continue
        try:
            sock.setblocking(False)
            number = sock.connect_ex((address, port))
            if number == errno.EINPROGRESS:
                await writable(sock)
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number == 0:
                return sock
        except BaseException:
            sock.close()
            raise
        sock.close()
        error = of_errno(number)
    raise error or Failure(DNS, "the name has no address")


async def handshake(
    sample: Attempt, sock: socket.socket, context: ssl.SSLContext, server_name: str
) -> ssl.SSLSocket:
    """TLS over a connection, which is closed when that fails."""
    sample.stage = "TLS handshake"
    try:
        sock.getpeername()  # wrap_socket would lose a connection that was reset by now
        tls = context.wrap_socket(sock, server_hostname=server_name, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    try:
        while True:
            try:
                tls.do_handshake()
                return tls
            except ssl.SSLWantReadError:
                await readable(tls)
            except ssl.SSLWantWriteError:
                await writable(tls)
    except BaseException:
        tls.close()
        raise


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


async def receive(sock: socket.socket, most: int) -> bytes:
    """What comes next; empty when the other side has closed, over TLS also without its farewell."""
    while True:
        try:
            return sock.recv(most)
        except (BlockingIOError, ssl.SSLWantReadError):
            await readable(sock)
        except ssl.SSLWantWriteError:
            await writable(sock)


async def receive_exactly(sock: socket.socket, count: int) -> bytes:
    """So many bytes."""
    data = bytearray()
    while len(data) < count:
        more = await receive(sock, count - len(data))
        if not more:
            raise Failure(MISMATCH, "the connection ended within the answer")
        data += more
    return bytes(data)
