"""A TCP target that can fail in two ways."""

import random
import socket
import threading
from collections.abc import Callable
from typing import Final

# Below the ports that outgoing connections take: while a target is away, nothing else gets its
# port, and no connection to it meets itself.
_PORTS: Final = range(20_000, 30_000)
_BACKLOG: Final = 128
_GLANCE_SECONDS: Final = 0.02


class Target:
    """Accepts connections and closes them, until ``refuse`` or ``hang``."""

    def __init__(self, chance: random.Random) -> None:
        while True:
            self.port = chance.choice(_PORTS)
            try:
                self._listener = socket.create_server(("127.0.0.1", self.port), backlog=_BACKLOG)
            except OSError:
                continue
            break
        self._fillers: list[socket.socket] = []
        self._serving = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._listener.settimeout(_GLANCE_SECONDS)
        self._thread.start()

    def refuse(self) -> None:
        """Be gone from the port: connections are refused."""
        self._stop_serving()
        self._listener.close()

    def hang(self) -> None:
        """Drop every connection attempt without an answer, as a blackhole does.

        Needs no root: Linux drops a SYN to a listener whose backlog is full.
        """
        self._stop_serving()
        self._listener.listen(0)
        full = False
        while not full:
            filler = socket.socket()
            filler.settimeout(10 * _GLANCE_SECONDS)
            self._fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", self.port))
            except TimeoutError:
                full = True

    def close(self) -> None:
        """Close all sockets."""
        self.refuse()
        for filler in self._fillers:
            filler.close()

    def _stop_serving(self) -> None:
        self._serving = False
        self._thread.join()

    def _serve(self) -> None:
        while self._serving:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            connection.close()


KINDS: Final[dict[str, Callable[[Target], None]]] = {
    "refused": Target.refuse,
    "hanging": Target.hang,
}
