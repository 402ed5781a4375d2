"""PutMetricData over HTTP: what is asked exactly, and what each answer means."""

import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from staged_resiliency.probe.agent import cloudwatch, metadata
from staged_resiliency.probe.agent.cloudwatch import CloudWatch, SendError, _rendered
from staged_resiliency.probe.agent.metadata import Metadata
from staged_resiliency.probe.agent.metric_statistics import Datum, Series
from tests.cases import cases
from tests.e2e.machine import put_metric_data
from tests.e2e.machine.metadata_service import Credentials
from tests.e2e.machine.put_metric_data import Metric, Point
from tests.e2e.machine.servers import HttpAnswer, ListeningServer
from tests.staged_resiliency.probe.agent.support import (
    BLUE,
    GREEN,
    MIDNIGHT,
    HttpCloudWatch,
    InstanceMetadata,
    error_answer,
    host_series,
    instance_metadata,
    ones,
    serving,
    unused_url,
)

DATA = ones(MIDNIGHT, 2)
CREDENTIALS_PATH = "/latest/meta-data/iam/security-credentials/bookstore-instance"


def credentials(number: int, **lifetime: float) -> Credentials:
    """A role's credentials, different by their number."""
    ends = datetime.now(timezone.utc) + timedelta(**(lifetime or {"hours": 6}))
    return Credentials(f"ASIA{number:016}", f"secret-{number}", f"token-{number}", ends)


@dataclass
class Around:
    """A transport with what it speaks to."""

    service: HttpCloudWatch
    url: str
    metadata: InstanceMetadata
    transport: CloudWatch

    def begin_anew(self) -> None:
        """Forget the credentials."""
        self.transport._client = None

    def send(self, data: Sequence[Datum] = DATA) -> SendError | None:
        """Send; what went wrong."""
        try:
            self.transport.send(data)
        except SendError as error:
            return error
        return None

    def refused(self) -> SendError:
        """Send; the error with which that fails."""
        error = self.send()
        assert error is not None
        return error

    def signers(self) -> list[tuple[str, str | None]]:
        """With which access key and token each request was signed."""
        found = []
        for request in self.service.requests:
            key = re.search(
                r"Credential=([^/]+)/\d{8}/us-west-2/monitoring/aws4_request",
                str(request.headers["Authorization"]),
            )
            assert key is not None
            found.append((key[1], request.headers["X-Amz-Security-Token"]))
        return found

    def credentials_asked(self) -> int:
        """How often the metadata service was asked for credentials."""
        return sum(one.path == CREDENTIALS_PATH for one in self.metadata.service.requests)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


def transport_to(url: str, metadata: InstanceMetadata) -> CloudWatch:
    return CloudWatch("Bookstore", "us-west-2", Metadata(metadata.url), url)


@pytest.fixture(scope="module")
def running() -> Iterator[Around]:
    """One for all tests here, since botocore takes a while to read its models."""
    service = HttpCloudWatch()
    with instance_metadata() as metadata, serving(service.answer) as url:
        yield Around(service, url, metadata, transport_to(url, metadata))


@pytest.fixture
def around(running: Around) -> Around:
    running.metadata.change(role="bookstore-instance", credentials=credentials(1))
    running.service.answers = []
    if running.transport._client is None:
        running.send()
    running.service.requests.clear()
    running.metadata.service.requests.clear()
    return running


def test_a_request_says_namespace_names_dimensions_statistics_and_minutes(around: Around) -> None:
    peer = Series("peer-connectivity", (("Host", GREEN), ("Observer", BLUE)))
    data = [
        Datum(host_series("db-connectivity"), MIDNIGHT, 6, 5.0, 0.0, 1.0),
        Datum(peer, MIDNIGHT - 60, 6, 6.0, 1.0, 1.0),
        Datum(host_series("probe-heartbeat"), MIDNIGHT + 60, 1, 1.0, 1.0, 1.0),
    ]
    assert around.send(data) is None
    (put,) = around.service.puts()
    assert put.namespace == "Bookstore"
    midnight = datetime(2026, 11, 23, tzinfo=timezone.utc)
    minute = timedelta(minutes=1)
    assert [(one.metric, one.timestamp, one.point, one.is_set, one.unit) for one in put.data] == [
        (
            Metric.of("db-connectivity", Host=BLUE),
            midnight,
            Point(6, 5, 0, 1),
            True,
            None,
        ),
        (
            Metric.of("peer-connectivity", Host=GREEN, Observer=BLUE),
            midnight - minute,
            Point(6, 6, 1, 1),
            True,
            None,
        ),
        (Metric.of("probe-heartbeat", Host=BLUE), midnight + minute, Point(1, 1, 1, 1), True, None),
    ]
    size = len(around.service.requests[0].body)
    assert put_metric_data.breaches(put, size, midnight + minute) == []


def test_requests_are_signed_with_the_roles_credentials_which_are_asked_for_once(
    around: Around,
) -> None:
    around.begin_anew()
    assert [around.send() for _ in range(3)] == [None] * 3
    assert around.signers() == [("ASIA0000000000000001", "token-1")] * 3
    assert around.credentials_asked() == 1
    assert not any(request.of_version_1 for request in around.metadata.service.requests)


class CountingServer(ListeningServer):
    """Counts connections."""

    connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)


def test_one_connection_carries_all_requests(around: Around) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    server = CountingServer(listener, around.service.answer)
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        transport = transport_to(url, around.metadata)
        for _ in range(3):
            transport.send(DATA)
    finally:
        server.end()
    assert len(around.service.requests) == 3
    assert server.connections == 1


def test_credentials_that_end_soon_are_renewed_before(around: Around) -> None:
    around.begin_anew()
    around.metadata.change(credentials=credentials(1, minutes=5))
    assert around.send() is None
    around.metadata.change(credentials=credentials(2))
    assert around.send() is None
    assert around.send() is None
    keys = [key for key, _ in around.signers()]
    assert keys[-1] == "ASIA0000000000000002"
    assert around.credentials_asked() <= 3


@pytest.mark.parametrize(
    "code",
    [
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "AccessDenied",
        "AccessDeniedException",
    ],
)
def test_when_credentials_are_refused_the_next_request_has_fresh_ones(
    around: Around, code: str
) -> None:
    around.begin_anew()
    around.send()
    around.service.answers = [error_answer(403, code)]
    around.metadata.change(credentials=credentials(2))
    trouble = around.refused()
    assert (trouble.kind, trouble.permanent) == (code, False)
    assert around.send() is None
    assert around.signers()[-1] == ("ASIA0000000000000002", "token-2")
    assert len(around.service.requests) == 3


def answers(status: int, *codes: str) -> dict[str, tuple[HttpAnswer, str]]:
    """Answers with these error codes, each with the kind of error that it is."""
    return {code: (error_answer(status, code), code) for code in codes}


MAY_WORK_LATER = {
    **answers(400, "Throttling", "ThrottlingException", "LimitExceeded"),
    **answers(403, "RequestExpired"),
    **answers(500, "InternalServiceFault"),
    "503 without a body": (HttpAnswer(503, b""), "503"),
    "502 in HTML": (HttpAnswer(502, b"<html>Bad gateway</html>"), "502"),
}
NEVER_WORKS = {
    **answers(400, "InvalidFormat", "MissingParameter", "MissingRequiredParameterException"),
    **answers(400, "InvalidParameterCombination", "InvalidParameterCombinationException"),
    **answers(400, "InvalidParameterValue", "InvalidParameterValueException"),
    **answers(400, "ValidationError", "ValidationException"),
    **answers(413, "RequestEntityTooLarge"),
    "413 in HTML": (HttpAnswer(413, b"<html>too large</html>"), "413"),
}


@cases(
    ("answer", "kind", "permanent"),
    {name: (*row, False) for name, row in MAY_WORK_LATER.items()}
    | {name: (*row, True) for name, row in NEVER_WORKS.items()},
)
def test_each_answer_means_one_request_and_whether_it_may_work_later(
    around: Around, answer: HttpAnswer, kind: str, permanent: bool
) -> None:
    around.service.answers = [answer]
    trouble = around.refused()
    assert (trouble.kind, trouble.permanent) == (kind, permanent)
    assert len(around.service.requests) == 1  # only the outbox tries again
    assert around.send() is None
    assert around.credentials_asked() == 0


def test_codes_of_the_query_protocol_win_where_they_are_given(around: Around) -> None:
    answer = error_answer(400, "InvalidParameterValueException")
    answer.headers.append(("x-amzn-query-error", "InvalidParameterValue;Sender"))
    around.service.answers = [answer]
    trouble = around.refused()
    assert (trouble.kind, trouble.permanent) == ("InvalidParameterValue", True)


def test_what_cloudwatch_says_is_shown_on_one_plain_line(around: Around) -> None:
    around.service.answers = [error_answer(400, "Bad\\u001b[31m\\n", "x" * 1000 + "\\u2028\\u0007")]
    trouble = around.refused()
    assert str(trouble).isascii()
    assert str(trouble).isprintable()
    assert len(str(trouble)) < 400


def test_a_connection_that_is_cut_is_one_failed_request(around: Around) -> None:
    around.service.answers = [None]
    trouble = around.refused()
    assert trouble.kind == "ConnectionClosedError"
    assert not trouble.permanent
    assert len(around.service.requests) == 1


def test_a_slow_answer_ends_at_the_read_timeout(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudwatch, "READ_SECONDS", 0.1)
    transport = transport_to(around.url, around.metadata)
    around.service.held.clear()
    with pytest.raises(SendError, match="ReadTimeoutError") as raised:
        transport.send(DATA)
    assert (raised.value.permanent, raised.value.answered) == (False, False)
    around.service.held.set()
    assert len(around.service.requests) == 1


def test_nobody_listening_is_a_failed_connection() -> None:
    with instance_metadata() as metadata, pytest.raises(SendError) as raised:
        transport_to(unused_url(), metadata).send(DATA)
    assert raised.value.kind == "EndpointConnectionError"


def test_a_name_that_cant_be_looked_up_is_a_failed_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = socket.getaddrinfo

    def lookup(host: str, *rest: Any, **named: Any) -> Any:
        if host.endswith(".amazonaws.com"):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return usual(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with instance_metadata() as metadata, pytest.raises(SendError) as raised:
        transport_to("", metadata).send(DATA)
    assert raised.value.kind == "EndpointConnectionError"
    assert "https://monitoring.us-west-2.amazonaws.com/" in str(raised.value)


def test_an_instance_without_a_role_says_so_and_works_once_it_has_one(around: Around) -> None:
    around.begin_anew()
    around.metadata.change(role=None)
    trouble = around.refused()
    assert str(trouble) == ("no credentials: the instance has no role; give it an instance profile")
    around.metadata.change(role="bookstore-instance")
    assert around.send() is None


@pytest.mark.parametrize("hours", [-1, -30])
def test_expired_credentials_that_the_metadata_service_returns_are_used_until_it_has_others(
    around: Around, hours: float
) -> None:
    """As while AWS can't issue credentials: it accepts the last ones."""
    around.begin_anew()
    around.metadata.change(credentials=credentials(1, hours=hours))
    assert [around.send() for _ in range(2)] == [None] * 2
    asked = around.credentials_asked()
    around.metadata.change(credentials=credentials(2))
    assert [around.send() for _ in range(2)] == [None] * 2
    keys = [key[-1] for key, _ in around.signers()]
    assert keys == ["1", "1", "2", "2"]
    assert (asked, around.credentials_asked()) == (3, 4), "once with each request, until then"


def test_credentials_that_expire_while_the_agent_runs_are_extended_too(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    around.begin_anew()
    around.metadata.change(credentials=credentials(1, hours=1))
    assert around.send() is None
    credentials_in_use = around.transport._session._credentials
    later = datetime.now(timezone.utc) + timedelta(hours=2)
    monkeypatch.setattr(credentials_in_use, "_time_fetcher", lambda: later)
    monkeypatch.setattr(metadata, "_now", lambda: later)
    assert [around.send() for _ in range(3)] == [None] * 3
    assert {key for key, _ in around.signers()} == {"ASIA0000000000000001"}


def test_single_values_are_sent_in_place_of_their_statistics() -> None:
    series = Series("db-latency", (("Host", "shop-blue"),))
    datum = Datum(series, 0, 3, 7.5, 1.0, 5.5, ((1.0, 2), (5.5, 1)))
    rendered = _rendered(datum)
    assert (rendered["Values"], rendered["Counts"]) == ((1.0, 5.5), (2, 1))
    assert rendered.keys() == {"MetricName", "Dimensions", "Timestamp", "Values", "Counts"}
