"""A server as a target of checks by TCP and by PostgreSQL's protocol."""

import socket
import threading
from contextlib import suppress

from tests.e2e.machine.closing import Closing


class TcpTarget(Closing):
    """Accepts and closes each connection; who asks for TLS gets PostgreSQL's no."""

    def __init__(self, listener: socket.socket) -> None:
        """Answer on a socket that listens, as ``PrivateNetwork.listen`` makes it."""
        self._listener = listener
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):  # of the listener, when it is closed
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError):  # the client went away
                    if connection.recv(8):
                        connection.sendall(b"N")

    def close(self) -> None:
        """Refuse connections from now on."""
        # Closing alone would leave the thread waiting, and the port open with it.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
