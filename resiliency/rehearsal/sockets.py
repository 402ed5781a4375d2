"""Listening sockets on loopback that can drop connections as a broken network does."""

import socket
from typing import Final

BACKLOG: Final = 128
_FILLERS: Final = 4
"""More connections than fit into a backlog of 0, which is one on Linux."""


class BlackholeSocket:
    """A listening socket that can drop connection attempts, and accept them again.

    Needs no root: Linux drops a SYN to a listener whose backlog is full. Nobody may accept
    connections in the meantime.
    """

    def __init__(self, address: str) -> None:
        self.listening = socket.create_server((address, 0), backlog=BACKLOG)
        self.listening.setblocking(False)
        self.place: tuple[str, int] = self.listening.getsockname()[:2]
        self._fillers: list[socket.socket] = []

    def shut(self) -> None:
        """Drop every connection attempt from now on, and those not accepted yet."""
        self._drain()
        self.listening.listen(0)
        for _ in range(_FILLERS):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self.place)
            self._fillers.append(filler)

    def open(self) -> None:
        """Accept connections again."""
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        self.listening.listen(BACKLOG)
        self._drain()

    def close(self) -> None:
        """Close all sockets."""
        for filler in self._fillers:
            filler.close()
        self.listening.close()

    def _drain(self) -> None:
        while True:
            try:
                self.listening.accept()[0].close()
            except OSError:
                return


def loopback_addresses() -> tuple[str, str]:
    """Return an address for each host; the same one where loopback has a single address."""
    try:
        with socket.create_server(("127.0.0.3", 0)):
            return ("127.0.0.2", "127.0.0.3")
    except OSError:
        return ("127.0.0.1", "127.0.0.1")


def unused_udp_port() -> int:
    """Return a UDP port of this machine at which nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
