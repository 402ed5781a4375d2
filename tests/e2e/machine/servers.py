"""An HTTP server on a given listening socket."""

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class HttpRequest:
    """A request, read to its end."""

    source: str
    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class HttpAnswer:
    """An answer; the length of its body is added to its headers."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


class ListeningServer(ThreadingHTTPServer):
    """Serves GET, PUT and POST, each connection in a thread of its own, until it is ended."""

    daemon_threads = True

    def __init__(
        self, listener: socket.socket, answer: Callable[[HttpRequest], HttpAnswer | None]
    ) -> None:
        """Serve on a socket.

        Args:
            listener: A socket that listens.
            answer: Answers a request; with None the connection ends without an answer.
        """
        host, port = listener.getsockname()[:2]
        super().__init__((host, port), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.answer = answer
        self._connections: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()

    def end(self) -> None:
        """Stop listening, and close the connections."""
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Keep the connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print errors, but not those of clients that disconnected."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ListeningServer

    def _handle(self) -> None:
        request = HttpRequest(
            self.client_address[0],
            self.command,
            self.path,
            self.headers,
            self.rfile.read(int(self.headers.get("Content-Length", "0"))),
        )
        answer = self.server.answer(request)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in [*answer.headers, ("Content-Length", str(len(answer.body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_PUT = do_POST = _handle  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""
