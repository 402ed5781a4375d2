"""Runs the service of one host, which answers the path that clients request.

``python -m resiliency.rehearsal.service_process SOCKET HOST PATH``
"""

import json
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = 7
"""The version in the service's answers."""


def handler_of(host: str, path: str) -> type[BaseHTTPRequestHandler]:
    """Create a handler that answers ``{"environment": HOST, "version": 7}`` at a path."""

    class Handler(BaseHTTPRequestHandler):
        # The headers and the body in one piece: else the body waits for an acknowledgement.
        wbufsize = -1

        def do_GET(self) -> None:
            known = self.path.partition("?")[0] == path
            body = json.dumps({"environment": host, "version": VERSION}).encode()
            self.send_response(HTTPStatus.OK if known else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) if known else 0))
            self.end_headers()
            if known:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing: clients report the answers."""

    return Handler


class Service(ThreadingHTTPServer):
    """An HTTP server on a socket that another process opened, as in systemd socket activation."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, host: str, path: str) -> None:
        super().__init__(listening.getsockname()[:2], handler_of(host, path), False)
        self.socket.close()
        self.socket = listening

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a client that went away is no error of the service."""


if __name__ == "__main__":
    number, host_name, version_path = sys.argv[1:]
    Service(socket.socket(fileno=int(number)), host_name, version_path).serve_forever()
