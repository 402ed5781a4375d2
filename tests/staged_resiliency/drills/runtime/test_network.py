"""Answers of /version/, sound ones and hostile ones: each gives a name or one line, in time."""

import json
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.drills.runtime.hosts import Endpoint
from staged_resiliency.drills.runtime.network import (
    MAX_BYTES,
    UnansweredError,
    ask,
    name_in,
)
from tests.staged_resiliency.probe.agent.certificates import authority, issued
from tests.staged_resiliency.probe.agent.hostile.http_answers import after_request as answering
from tests.staged_resiliency.probe.agent.hostile.http_answers import (
    and_drip,
    and_flood,
    and_hold,
    and_reset,
    chunks,
)
from tests.staged_resiliency.probe.agent.hostile.servers import (
    HOST,
    Peer,
    Script,
    closed_port,
    serving,
    unanswered_port,
)

NAME = "bookstore-api-blue"
BODY = json.dumps({"environment": NAME, "version": 7}).encode()
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)
SOUND = OK + LENGTH + BODY
RECORD = "bookstore.pingpublications.com"


def endpoint(port: int, scheme: str = "http") -> Endpoint:
    """An endpoint on loopback."""
    return Endpoint(scheme, port, "/version/", "environment")


SOUND_ANSWERS: dict[str, Script] = {
    "length and end": answering(SOUND),
    "length, held open": and_hold(SOUND),
    "in pieces": answering(*(SOUND[i : i + 7] for i in range(0, len(SOUND), 7))),
    "until the end": answering(OK + b"\r\n" + BODY),
    "chunked, held open": and_hold(
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(BODY[:9], BODY[9:])
    ),
    "HTTP/1.0": answering(b"HTTP/1.0 200 OK\r\n\r\n" + BODY),
    "after 100 Continue": answering(b"HTTP/1.1 100 Continue\r\n\r\n" + SOUND),
}


@pytest.mark.parametrize("script", SOUND_ANSWERS.values(), ids=SOUND_ANSWERS)
def test_a_sound_answer_gives_the_name(script: Script) -> None:
    with serving(script) as server:
        assert ask(HOST, endpoint(server.port), RECORD, seconds=20) == NAME


def reply(body: bytes, head: bytes = OK) -> Script:
    """An answer with a length."""
    return answering(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


HOSTILE: dict[str, tuple[Script, str]] = {
    "end at once": (Peer.end, "no HTTP answer"),
    "end after the request": (answering(), "no HTTP answer: RemoteDisconnected"),
    "reset": (and_reset(), "ConnectionResetError"),
    "reset within the body": (and_reset(OK + LENGTH + BODY[:5]), "ConnectionResetError"),
    "end within the body": (answering(OK + LENGTH + BODY[:5]), "no HTTP answer: IncompleteRead"),
    "end within a chunk": (
        answering(OK + b"Transfer-Encoding: chunked\r\n\r\n99\r\n" + BODY),
        "no HTTP answer: IncompleteRead",
    ),
    "silence": (and_hold(), "no whole answer within"),
    "drip of the head": (and_drip(b"", OK * 999), "no whole answer within"),
    "drip of headers": (and_drip(OK, b"X-A: b\r\n" * 999), "no whole answer within"),
    "drip of the body": (and_drip(OK + b"\r\n", b"a" * 999), "no whole answer within"),
    "endless headers": (and_flood(OK, b"X-A: b\r\n"), "more than 65536 bytes"),
    "one endless header": (and_flood(OK + b"X-A: ", b"a" * 999), "more than 65536 bytes"),
    "endless body": (and_flood(OK + b"\r\n", b" " * 4096), "more than 65536 bytes"),
    "endless chunks": (
        and_flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        "more than 65536 bytes",
    ),
    "endless 100 Continue": (and_flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "more than 65536"),
    "200 headers": (
        answering(OK + b"X-A: b\r\n" * 200 + LENGTH + BODY),
        "no HTTP answer: HTTPException",
    ),
    "huge body with its length": (reply(b" " * 999_999), "more than 65536 bytes"),
    "a length that is none": (
        answering(OK + b"Content-Length: -9\r\n\r\n" + b"x"),
        "no JSON but b'x'",
    ),
    "a length beyond all sizes": (
        answering(OK + b"Content-Length: %d\r\n\r\n" % 10**26 + BODY),
        "no HTTP answer: OverflowError",
    ),
    "a chunk beyond all sizes": (
        answering(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n" + BODY),
        "no HTTP answer: OverflowError",
    ),
    "redirect": (
        reply(BODY, b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n"),
        "status 302",
    ),
    "error with a sound body": (reply(BODY, b"HTTP/1.1 500 Oops\r\n"), "status 500"),
    "no content": (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), "status 204"),
    "no HTTP": (answering(BODY), "no HTTP answer: BadStatusLine"),
    "binary": (answering(bytes(range(256)) * 9), "no HTTP answer: BadStatusLine"),
    "HTML": (reply(b"<html>It works!</html>"), "no JSON but b'<html>It works!</html>'"),
    "no UTF-8": (reply(b'{"environment": "\xff"}'), "no JSON but"),
    "JSON nested too deep": (reply(b"[" * 60_000), "no JSON but"),
    "a list": (reply(b'["bookstore-api-blue"]'), "JSON without a name"),
    "no name": (
        reply(b'{"version": 7}'),
        "JSON without a name as 'environment': b'{\"version\": 7}'",
    ),
    "a number": (reply(b'{"environment": 7}'), "JSON without a name"),
    "an empty name": (reply(b'{"environment": ""}'), "JSON without a name"),
    "a long name": (reply(b'{"environment": "%s"}' % (b"a" * 999)), "JSON without a name"),
}


@pytest.mark.parametrize(("script", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_answer_is_none(script: Script, message: str) -> None:
    # Those that never end are given little time, all others plenty: machines may be slow.
    seconds = 0.3 if "within" in message and "whole" in message else 20
    with serving(script) as server:
        began = time.monotonic()
        with pytest.raises(UnansweredError) as raised:
            ask(HOST, endpoint(server.port), RECORD, seconds=seconds)
        assert time.monotonic() - began < 10
        assert message in str(raised.value)
        assert len(str(raised.value)) <= 200
        assert str(raised.value).isprintable()


def test_a_port_where_nobody_listens_is_no_answer() -> None:
    with pytest.raises(UnansweredError, match="Connect"):
        ask(HOST, endpoint(closed_port()), RECORD)


def test_a_connection_that_is_never_made_ends_in_time() -> None:
    with unanswered_port() as port, pytest.raises(UnansweredError, match=r"within 0\.3 s"):
        ask(HOST, endpoint(port), RECORD, seconds=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("host", ["büro.example.com", "a..b"])
def test_a_name_that_can_not_be_sent_is_no_answer(host: str) -> None:
    ca = authority()
    with (
        serving(answering(b"HTTP/1.1 400 Bad\r\n\r\n")) as server,
        pytest.raises(UnansweredError),
    ):
        ask(HOST, endpoint(server.port, "https"), host, seconds=1, tls=ca.trusted())
    with serving(answering(b"HTTP/1.1 400 Bad\r\n\r\n")) as server, pytest.raises(UnansweredError):
        ask(HOST, endpoint(server.port), host)


def test_https_asks_for_the_name_of_the_record_and_checks_it() -> None:
    ca = authority()
    context = issued(ca, names=[RECORD]).serving()

    def script(peer: Peer) -> None:
        peer.secure(context)
        answering(SOUND)(peer)

    with serving(script) as server:
        there = endpoint(server.port, "https")
        assert ask(HOST, there, RECORD, seconds=20, tls=ca.trusted()) == NAME
        with pytest.raises(UnansweredError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(HOST, there, "other.example.com", seconds=20, tls=ca.trusted())
        with pytest.raises(UnansweredError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(HOST, there, RECORD, seconds=20)


def test_a_handshake_that_drips_ends_in_time() -> None:
    def script(peer: Peer) -> None:
        peer.drip(b"\x16\x03\x03\x40\x00" + b"\x00" * 999)

    ca = authority()
    with serving(script) as server:
        began = time.monotonic()
        with pytest.raises(UnansweredError):
            ask(HOST, endpoint(server.port, "https"), RECORD, seconds=0.3, tls=ca.trusted())
        assert time.monotonic() - began < 10


@pytest.mark.slow
@given(st.binary(max_size=400))
def test_no_bytes_at_all_crash_it(raw: bytes) -> None:
    with pytest.raises(UnansweredError):
        name_in(raw, "environment")


@pytest.mark.slow
@given(st.binary(max_size=200))
def test_no_body_at_all_crashes_it(body: bytes) -> None:
    head = OK + b"Content-Length: %d\r\n\r\n" % len(body)
    try:
        name = name_in(head + body, "environment")
    except UnansweredError:
        return
    assert name == json.loads(body)["environment"]


def test_the_limit_is_of_the_whole_answer() -> None:
    rest = MAX_BYTES - len(OK) - len(b"\r\n") - len(BODY)
    assert name_in(OK + b"\r\n" + b" " * rest + BODY, "environment") == NAME
    with pytest.raises(UnansweredError, match="more than"):
        name_in(OK + b"\r\n" + b" " * (rest + 1) + BODY, "environment")


def test_another_key_may_have_the_name() -> None:
    with serving(reply(b'{"host": {}, "node": "shop-blue"}')) as server:
        there = replace(endpoint(server.port), path="/who", field="node")
        assert ask(HOST, there, RECORD, seconds=20) == "shop-blue"


@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
def test_an_endpoint_that_names_no_host_answers_all_the_same(status: str) -> None:
    head = f"HTTP/1.1 {status}\r\n".encode()
    with serving(reply(b"" if "204" in status else b"<html>fine", head)) as server:
        there = replace(endpoint(server.port), path="/health", field=None)
        assert ask(HOST, there, RECORD, seconds=20) == ""


@pytest.mark.parametrize("status", ["500 Oops", "302 Found", "404 Not Found"])
def test_an_endpoint_that_names_no_host_must_be_well(status: str) -> None:
    with serving(reply(b"", f"HTTP/1.1 {status}\r\n".encode())) as server:
        there = replace(endpoint(server.port), field=None)
        with pytest.raises(UnansweredError, match=f"status {status[:3]}"):
            ask(HOST, there, RECORD, seconds=20)
