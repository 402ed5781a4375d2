"""Servers on loopback that answer as they should not; each connection has a thread."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

HOST: Final = "127.0.0.1"
PAUSE_SECONDS: Final = 0.05
"""Between two bytes of a drip."""
_LONGEST_SECONDS: Final = 5.0


class Peer:
    """The server's side of a connection, as scripts use it."""

    def __init__(self, sock: socket.socket, stop: threading.Event) -> None:
        self.sock = sock
        self._stop = stop
        sock.settimeout(_LONGEST_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def hear(self, end: bytes = b"\r\n\r\n") -> bytes:
        """What the client says, to the end of its request."""
        data = b""
        while end not in data and (piece := self.sock.recv(65_536)):
            data += piece
        return data

    def say(self, *pieces: bytes, pause: float = 0) -> None:
        """Send pieces, each as one write; with a pause between them they are one read each."""
        for piece in pieces:
            self.sock.sendall(piece)
            self._stop.wait(pause)

    def drip(self, data: bytes) -> None:
        """Send byte after byte, slowly, for as long as the client listens."""
        for byte in data:
            self.say(bytes([byte]), pause=PAUSE_SECONDS)
            if self._stop.is_set():
                return

    def flood(self, data: bytes) -> None:
        """Send the same again and again, for as long as the client listens."""
        while not self._stop.is_set():
            self.sock.sendall(data)

    def hold(self) -> None:
        """Say nothing until the client leaves."""
        while self.sock.recv(65_536):
            pass

    def end(self) -> None:
        """Say that no more comes, and wait for the client to leave."""
        self.sock.shutdown(socket.SHUT_WR)
        self.hold()

    def reset(self) -> None:
        """Break the connection: the client's system receives a reset."""
        linger = struct.pack("ii", 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.sock.close()

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on; where that fails, wait for the client to leave."""
        tls = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        self.sock = tls
        try:
            tls.do_handshake()
        except ssl.SSLError:
            self.insecure()
            self.hold()
            raise

    def insecure(self) -> None:
        """Speak TLS no longer, without a word."""
        self.sock = socket.socket(fileno=self.sock.detach())
        self.sock.settimeout(_LONGEST_SECONDS)


Script = Callable[[Peer], None]


class Server:
    """Listens until it is closed, and runs a script on each connection.

    Args:
        script: What is done to a client.
        address: Where it listens.
        port: On which port; a free one when 0.
    """

    def __init__(self, script: Script, address: str = HOST, port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._script = script
        self._stop = threading.Event()
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def deserted(self, seconds: float) -> bool:
        """Whether every client has left by itself; waited for at most so long."""
        for thread in self._threads[1:]:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads[1:])

    def close(self) -> None:
        """End the connections that there are, and take no more."""
        self._stop.set()
        for sock in (self._listener, *self._connections):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for thread in self._threads[1:]:
            thread.join(_LONGEST_SECONDS)
        for sock in (self._listener, *self._connections):
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=[connection])
            thread.start()
            self._threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        peer = Peer(connection, self._stop)
        with suppress(OSError):  # of which TLS's errors are some: the client left
            self._script(peer)
        with suppress(OSError):
            peer.sock.close()


@contextmanager
def serving(script: Script, address: str = HOST, port: int = 0) -> Iterator[Server]:
    """A server that is closed in the end."""
    server = Server(script, address, port)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def unanswered_port() -> Iterator[int]:
    """A port where connections are begun and never made, as behind a firewall that drops."""
    with socket.socket() as listener, socket.socket() as one, socket.socket() as two:
        listener.bind((HOST, 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        for client in (one, two):  # they fill the queue, and are never accepted
            client.setblocking(False)
            client.connect_ex((HOST, port))
        yield port


def closed_port(address: str = HOST) -> int:
    """A port on which no process listens."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock:
        sock.bind((address, 0))
        port: int = sock.getsockname()[1]
        return port
