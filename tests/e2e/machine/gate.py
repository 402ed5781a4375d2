"""A gate in front of an AWS API: notes each request, and can be shut in several ways."""

import gzip
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from tests.e2e.machine.closing import Closing
from tests.e2e.machine.put_metric_data import Put, decoded
from tests.e2e.machine.servers import HttpAnswer, HttpRequest, ListeningServer

_CREDENTIAL: Final = re.compile(r"Credential=([^/,]+)/")
_FORM: Final = "application/x-www-form-urlencoded"
_NOT_PASSED_ON: Final = {"connection", "content-length", "date", "server", "transfer-encoding"}
_UPSTREAM_SECONDS: Final = 30


@dataclass(frozen=True)
class ApiRequest:
    """A request to an AWS API.

    Attributes:
        at: When it was there, in seconds since 1970.
        source: The address that it came from.
        operation: What it asks for, such as ``PutMetricData``.
        access_key: Whose credentials signed it; None where it was not signed.
        session_token: The token of these credentials, if they have one.
        size: Bytes of its body as it was sent.
        body: Its body, uncompressed.
        content_type: What the body is.
        status: The answer's status; None where it got no answer.
    """

    at: float
    source: str
    operation: str
    access_key: str | None
    session_token: str | None
    size: int
    body: bytes
    content_type: str
    status: int | None

    def put(self) -> Put:
        """The metrics of a PutMetricData request."""
        return decoded(self.body, self.content_type)


@dataclass(frozen=True)
class Refusal:
    """An error that the gate itself answers with.

    Attributes:
        code: The error's code, such as ``Throttling`` or ``ExpiredToken``.
        status: Its HTTP status.
    """

    code: str
    status: int = 400

    def answer(self, content_type: str) -> HttpAnswer:
        """The error in the protocol of a request."""
        if content_type.startswith(_FORM):
            error = f"<Type>Sender</Type><Code>{self.code}</Code><Message>by the test</Message>"
            text = f"<ErrorResponse><Error>{error}</Error><RequestId>0</RequestId></ErrorResponse>"
            kind = "text/xml"
        else:
            text = json.dumps({"__type": self.code, "message": "by the test"})
            kind = "application/x-amz-json-1.0"
        return HttpAnswer(self.status, text.encode(), [("Content-Type", kind)])


class Gate(Closing):
    """Passes HTTP requests on to a server on this machine's loopback, until it is shut.

    Attributes:
        requests: Requests so far, in the order in which they were answered; one that hangs, when
            it arrived.
    """

    def __init__(self, listen: Callable[[], socket.socket], upstream_port: int) -> None:
        """Start with an open gate.

        Args:
            listen: Makes the socket it listens on; called again each time it is opened.
            upstream_port: Where the server listens, on 127.0.0.1.
        """
        self.requests: list[ApiRequest] = []
        self._listen = listen
        self._upstream_port = upstream_port
        self._server: ListeningServer | None = None
        self._refusal: Refusal | None = None
        self._passing = threading.Event()
        self.open()

    def open(self) -> None:
        """Pass requests on."""
        self._refusal = None
        self._passing.set()
        self._serve()

    def refuse_connections(self) -> None:
        """Refuse connections and close the existing ones, as a host without the server does."""
        self._passing.set()
        if self._server is not None:
            self._server.end()
            self._server = None

    def hang(self) -> None:
        """Accept requests, and never answer."""
        self._refusal = None
        self._passing.clear()
        self._serve()

    def answer(self, refusal: Refusal) -> None:
        """Answer each request with an error."""
        self._refusal = refusal
        self._passing.set()
        self._serve()

    def close(self) -> None:
        """Close all sockets."""
        self.refuse_connections()

    def _serve(self) -> None:
        if self._server is None:
            self._server = ListeningServer(self._listen(), self._answered)

    def _answered(self, request: HttpRequest) -> HttpAnswer | None:
        arrived = time.time()
        if not self._passing.is_set():
            self.requests.append(_noted(request, arrived, None))
            self._passing.wait()
            return None
        refusal = self._refusal
        kind = request.headers.get("Content-Type", "")
        answer = refusal.answer(kind) if refusal else self._passed_on(request)
        self.requests.append(_noted(request, arrived, answer.status))
        return answer

    def _passed_on(self, request: HttpRequest) -> HttpAnswer:
        upstream = http.client.HTTPConnection(
            "127.0.0.1", self._upstream_port, timeout=_UPSTREAM_SECONDS
        )
        try:
            headers = dict(request.headers.items())
            upstream.request(request.method, request.path, request.body, headers)
            response = upstream.getresponse()
            kept = [pair for pair in response.getheaders() if pair[0].lower() not in _NOT_PASSED_ON]
            return HttpAnswer(response.status, response.read(), kept)
        finally:
            upstream.close()


def _noted(request: HttpRequest, arrived: float, status: int | None) -> ApiRequest:
    headers, sent = request.headers, request.body
    content_type = headers.get("Content-Type", "")
    body = gzip.decompress(sent) if headers.get("Content-Encoding") == "gzip" else sent
    signer = _CREDENTIAL.search(headers.get("Authorization", ""))
    return ApiRequest(
        at=arrived,
        source=request.source,
        operation=_operation(headers.get("X-Amz-Target", ""), content_type, body),
        access_key=signer[1] if signer else None,
        session_token=headers.get("X-Amz-Security-Token"),
        size=len(sent),
        body=body,
        content_type=content_type,
        status=status,
    )


def _operation(target: str, content_type: str, body: bytes) -> str:
    """Return the operation's name, from a header or the form, as the protocol has it."""
    if content_type.startswith(_FORM):
        return parse_qs(body.decode()).get("Action", [""])[0]
    return target.rpartition(".")[2]
