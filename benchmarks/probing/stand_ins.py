"""Stand-ins for CloudWatch and for the instance's metadata, on loopback."""

import gzip
import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from botocore.parsers import BaseCBORParser

_TOKEN: Final = "a-session-token"
_XML: Final = (
    b'<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">'
    b"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PutMetricDataResponse>"
)


@dataclass(frozen=True, slots=True)
class Datum:
    """One metric in one request.

    Attributes:
        arrival: Monotonic seconds at which the request was complete.
        host: The dimension Host.
        metric: Its name.
        samples: How many values it stands for.
        lowest: The lowest of them.
    """

    arrival: float
    host: str
    metric: str
    samples: float
    lowest: float


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer's headers and body are written apart; without this the body waits for the
    # client's delayed acknowledgement, and the client would seem slow.
    disable_nagle_algorithm = True

    def answer(self, status: HTTPStatus, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the bench prints its own."""


class _StandIn:
    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class CloudWatch(_StandIn):
    """Answers PutMetricData in each protocol that AWS clients speak, and keeps the data."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._data: list[Datum] = []
        self._requests: list[tuple[float, str]] = []
        taken = self._taken

        class Handler(_Handler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                arrival = time.monotonic()
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path.startswith("/service/"):
                    taken(arrival, _from_cbor(body))
                    self.answer(
                        HTTPStatus.OK, "application/cbor", b"\xa0", smithy_protocol="rpc-v2-cbor"
                    )
                elif "X-Amz-Target" in self.headers:
                    taken(arrival, json.loads(body)["MetricData"])
                    self.answer(HTTPStatus.OK, "application/x-amz-json-1.0", b"{}")
                else:
                    taken(arrival, _from_query(body))
                    self.answer(HTTPStatus.OK, "text/xml", _XML)

        super().__init__(Handler)

    def data(
        self, host: str, metric: str | None = None, start: float = 0, end: float = float("inf")
    ) -> list[Datum]:
        """Return a host's data, of one metric or of all, in the order of arrival."""
        with self._news:
            return [
                datum
                for datum in self._data
                if datum.host == host
                and metric in (None, datum.metric)
                and start <= datum.arrival < end
            ]

    def requests(self, host: str, start: float = 0, end: float = float("inf")) -> list[float]:
        """When requests of a host arrived."""
        with self._news:
            return [when for when, who in self._requests if who == host and start <= when < end]

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds that only news can change; False when it never did."""
        with self._news:
            return self._news.wait_for(condition, seconds)

    def forget(self) -> None:
        """Forget everything."""
        with self._news:
            self._data.clear()
            self._requests.clear()

    def _taken(self, arrival: float, members: Sequence[Mapping[str, Any]]) -> None:
        data = [_datum(arrival, member) for member in members]
        with self._news:
            self._requests.append((arrival, data[0].host if data else ""))
            self._data += data
            self._news.notify_all()


class Metadata(_StandIn):
    """The instance metadata service, version 2: nothing without a session token.

    Args:
        name: The instance's Name tag.
    """

    def __init__(self, name: str) -> None:
        expiration = datetime.now(timezone.utc) + timedelta(hours=6)
        credentials = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "Token": "a-token-of-the-role",
            "LastUpdated": "2020-01-01T00:00:00Z",
            "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        identity = {"instanceId": "i-0ab55a49288f1da24", "region": "us-west-2"}
        answers = {
            "/latest/meta-data/instance-id": identity["instanceId"],
            "/latest/meta-data/placement/region": identity["region"],
            "/latest/meta-data/placement/availability-zone": "us-west-2a",
            "/latest/meta-data/tags/instance": "Name",
            "/latest/meta-data/tags/instance/Name": name,
            "/latest/meta-data/iam/security-credentials": "bookstore",
            "/latest/meta-data/iam/security-credentials/bookstore": json.dumps(credentials),
            "/latest/dynamic/instance-identity/document": json.dumps(identity),
        }

        class Handler(_Handler):
            def do_PUT(self) -> None:
                seconds = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "21600")
                self.answer(
                    HTTPStatus.OK,
                    "text/plain",
                    _TOKEN.encode(),
                    X_aws_ec2_metadata_token_ttl_seconds=seconds,
                )

            def do_GET(self) -> None:
                found = answers.get(self.path.rstrip("/"))
                if self.headers.get("X-aws-ec2-metadata-token") != _TOKEN:
                    self.answer(HTTPStatus.UNAUTHORIZED, "text/plain", b"")
                elif found is None:
                    self.answer(HTTPStatus.NOT_FOUND, "text/plain", b"")
                else:
                    self.answer(HTTPStatus.OK, "text/plain", found.encode())

        super().__init__(Handler)


def _datum(arrival: float, member: Mapping[str, Any]) -> Datum:
    """A member of MetricData: a value, values with counts, or a statistic set."""
    dimensions = {each["Name"]: each["Value"] for each in member.get("Dimensions", [])}
    if "StatisticValues" in member:
        statistics = member["StatisticValues"]
        samples, lowest = float(statistics["SampleCount"]), float(statistics["Minimum"])
    elif "Values" in member:
        values = [float(value) for value in member["Values"]]
        samples = sum(map(float, member.get("Counts", [1] * len(values))))
        lowest = min(values)
    else:
        samples, lowest = 1.0, float(member["Value"])
    return Datum(arrival, dimensions.get("Host", ""), member["MetricName"], samples, lowest)


def _from_cbor(body: bytes) -> Sequence[Mapping[str, Any]]:
    parser = BaseCBORParser()
    request = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    members: Sequence[Mapping[str, Any]] = request["MetricData"]
    return members


def _from_query(body: bytes) -> Sequence[Mapping[str, Any]]:
    """``MetricData.member.1.Dimensions.member.1.Name=Host`` and the like, made into a tree."""
    tree: dict[str, Any] = {}
    for name, value in urllib.parse.parse_qsl(body.decode()):
        branch = tree
        *path, leaf = name.split(".")
        for step in path:
            branch = branch.setdefault(step, {})
        branch[leaf] = value
    return list(_lists(tree.get("MetricData", {})))


def _lists(tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The members of a list, with the lists inside them."""
    for member in tree.get("member", {}).values():
        yield {
            name: _members(value) if isinstance(value, dict) and "member" in value else value
            for name, value in member.items()
        }


def _members(tree: Mapping[str, Any]) -> list[Any]:
    return list(tree["member"].values())
