"""Gremlin's API by HTTP: what is sent, what is retried, and each wrong answer."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from staged_resiliency.drills.runtime import gremlin
from staged_resiliency.drills.runtime.context import GREMLIN_URL, AwsError, Context, lambda_context
from staged_resiliency.drills.runtime.fault_settings import GremlinAttack
from staged_resiliency.drills.runtime.gremlin import GremlinError
from tests.fake_aws import plans
from tests.fake_gremlin import (
    CLIENT,
    KEY,
    SECRET,
    TEAM,
    FakeGremlin,
    GremlinService,
    serving,
)
from tests.staged_resiliency.probe.agent.certificates import authority, issued

ATTACK = GremlinAttack(TEAM, SECRET, "packet_loss", ("-l", "60", "-r", "10"), {}, {})
RUN = "arn:aws:states:us-west-2:123456789012:execution:drill:run-1"


@dataclass
class Made:
    """A server, and a context that asks it."""

    server: FakeGremlin
    context: Context
    secrets: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)


@pytest.fixture(scope="module")
def server() -> Iterator[FakeGremlin]:
    """One server for all tests, since to start one takes as long as a test."""
    with serving(GremlinService(plans.BLACKHOLE)) as found:
        yield found


@pytest.fixture
def made(server: FakeGremlin) -> Made:
    """A stand-in for Gremlin, and access to it."""
    simulated = GremlinService(plans.BLACKHOLE)
    vars(server).update(vars(FakeGremlin(simulated, url=server.url)))
    found = Made(server, lambda_context())

    def aws(service: str, operation: str, **parameters: object) -> Mapping[str, Any]:
        assert (service, operation) == ("secretsmanager", "GetSecretValue")
        assert parameters == {"SecretId": SECRET}
        found.secrets.append("read")
        return {"SecretString": server.key}

    found.context = replace(
        lambda_context(),
        aws=aws,
        clock=lambda: simulated.now,
        sleep=found.slept.append,
        gremlin_url=server.url,
        secrets={},
    )
    return found


def test_the_url_is_gremlins_own() -> None:
    assert lambda_context().gremlin_url == GREMLIN_URL == "https://api.gremlin.com/v1"


@pytest.mark.parametrize("snake_case", [True, False])
def test_an_attack_is_created_followed_halted_and_listed(made: Made, snake_case: bool) -> None:
    made.server.snake_case = snake_case
    assert CLIENT in [each.identifier for each in gremlin.clients(ATTACK, made.context)]
    identity = gremlin.create(ATTACK, CLIENT, RUN, made.context)
    assert made.server.service.attacks[0].body == {
        "command": {
            "type": "packet_loss",
            "commandType": "Packet Loss",
            "args": ["-l", "60", "-r", "10"],
        },
        "target": {"type": "Exact", "hosts": {"ids": [CLIENT]}},
        "annotations": {"staged-resiliency:run": RUN},
    }
    found = gremlin.get(ATTACK, identity, made.context)
    assert (found.id, found.run, found.targets) == (identity, RUN, [CLIENT])
    assert (found.stage, found.lifecycle, found.running_since) == ("Pending", "Active", None)
    made.server.service.now += 30
    found = gremlin.get(ATTACK, identity, made.context)
    assert found.running_since == made.server.service.now - 10
    assert [each.id for each in gremlin.active(ATTACK, made.context)] == [identity]
    gremlin.halt(ATTACK, identity, made.context)
    gremlin.halt(ATTACK, identity, made.context)
    made.server.service.now += 30
    found = gremlin.get(ATTACK, identity, made.context)
    assert (found.stage, found.active) == ("UserHalted", False)
    assert found.ended_at == made.server.service.now - 25
    assert gremlin.active(ATTACK, made.context) == []
    assert [each.id for each in gremlin.of_run(ATTACK, RUN, made.context)] == [identity]
    assert gremlin.of_run(ATTACK, "another", made.context) == []
    assert made.secrets == ["read"]


def test_a_list_is_read_to_its_end(made: Made) -> None:
    identity = gremlin.create(ATTACK, CLIENT, RUN, made.context)
    made.server.service.hidden = True
    known = made.server._task(made.server.service.attacks[0])
    other = {**known, "annotations": {}}
    pages = [{"items": [other] * gremlin.PAGE, "page_token": "more"}, {"items": [known]}]
    made.server.fail("GET", "/attacks/range", *[(200, json.dumps(each)) for each in pages])
    assert [each.id for each in gremlin.of_run(ATTACK, RUN, made.context)] == [identity]


def test_nothing_is_sent_without_a_target(made: Made) -> None:
    with pytest.raises(GremlinError, match="no client is given"):
        gremlin.create(ATTACK, "", RUN, made.context)
    assert made.server.requests == []


Call = Callable[[Context], object]
CALLS: Mapping[str, tuple[str, str, Call]] = {
    "clients": ("GET", "/clients/active", lambda context: gremlin.clients(ATTACK, context)),
    "create": ("POST", "/attacks/new", lambda c: gremlin.create(ATTACK, CLIENT, RUN, c)),
    "get": ("GET", "/attacks/1", lambda context: gremlin.get(ATTACK, "1", context)),
    "active": ("GET", "/attacks/active", lambda context: gremlin.active(ATTACK, context)),
    "range": ("GET", "/attacks/range", lambda context: gremlin.of_run(ATTACK, RUN, context)),
    "halt": ("DELETE", "/attacks/1", lambda context: gremlin.halt(ATTACK, "1", context)),
}
ERRORS = {
    400: ("", 1),
    401: ("Gremlin does not know the API key in the secret; store a valid one", 1),
    403: ("the API key lacks a privilege in the team, or is of another team", 1),
    404: ("the team has no such client or attack", 1),
    429: ("too many requests", 3),
    500: ("", 3),
    503: ("", 3),
    302: ("", 1),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", ERRORS)
def test_each_error_is_reported_and_only_what_can_be_repeated_is_repeated(
    made: Made, name: str, status: int
) -> None:
    method, path, call = CALLS[name]
    meaning, attempts = ERRORS[status]
    made.server.fail(method, path, *[(status, "details\r\n of it")] * 9)
    with pytest.raises(GremlinError) as raised:
        call(made.context)
    assert raised.value.code == f"Gremlin {status}"
    reason = f": {meaning}" if meaning else ""
    message = f"Gremlin {status}: {method} {path}{reason}; details of it"
    assert str(raised.value) == message
    assert isinstance(raised.value, AwsError)
    assert raised.value.refused == (status < 500)
    tried = made.server.requests.count((method, path))
    if (name, status) == ("range", 401):
        attempts = 2  # with the key that was read for an earlier call, and with a new one
    assert tried == (1 if method == "POST" else attempts)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("answer", ["hang up", "lost"])
def test_a_connection_that_is_closed_is_no_answer(made: Made, name: str, answer: str) -> None:
    method, path, call = CALLS[name]
    made.server.fail(method, path, *[answer] * 9)
    with pytest.raises(GremlinError, match="no answer: RemoteDisconnected") as raised:
        call(made.context)
    assert not raised.value.refused
    assert made.server.requests.count((method, path)) == (1 if method == "POST" else 3)


def test_a_passing_error_is_retried_after_a_pause(made: Made) -> None:
    made.server.fail("GET", "/clients/active", (503, ""), (429, ""))
    assert len(gremlin.clients(ATTACK, made.context)) == 3
    assert made.slept == [1.0, 2.0]


TASK = '{"guid": "1", "stage": "Running", "stage_lifecycle": "Active"'
MALFORMED: tuple[tuple[str, str], ...] = (
    ("clients", "<html>"),
    ("clients", "{}"),
    ("clients", '[{"state": "ACTIVE"}]'),
    ("clients", "[" * 5000),
    ("create", ""),
    ("create", '{"guid": "1"}'),
    ("create", "two words"),
    ("get", "[]"),
    ("get", "{}"),
    ("get", '{"guid": "1", "stage": "Running"}'),
    ("get", '{"guid": "1", "stage": "Running", "stage_lifecycle": "Thinking"}'),
    ("get", '{"guid": 1, "stage": "Running", "stage_lifecycle": "Active"}'),
    ("get", f'{TASK}, "start_time": "yesterday"}}'),
    ("get", f'{TASK}, "end_time": 1764180000}}'),
    ("get", f'{TASK}, "end_time": "2026-13-01T00:00:00Z"}}'),
    ("active", '{"items": []}'),
    ("active", "null"),
    ("range", "[]"),
    ("range", '{"items": {}}'),
    ("range", '{"items": [7]}'),
)


@pytest.mark.parametrize(("name", "text"), MALFORMED)
def test_an_answer_of_another_form_is_an_error(made: Made, name: str, text: str) -> None:
    method, path, call = CALLS[name]
    made.server.fail(method, path, (200, text))
    with pytest.raises(GremlinError, match="its answer is not as its API is described"):
        call(made.context)


def test_times_have_fractions_or_none(made: Made) -> None:
    text = f'{TASK}, "start_time": "1970-01-01T00:01:00.25Z", "end_time": "1970-01-02T00:00:00Z"}}'
    made.server.fail("GET", "/attacks/1", (200, text))
    found = gremlin.get(ATTACK, "1", made.context)
    assert (found.created_at, found.ended_at) == (60.25, 86_400.0)


@pytest.mark.parametrize(
    ("stage", "since"), [("Running", 60.0), ("Successful", 60.0), ("Pending", None)]
)
def test_an_attack_without_a_start_has_run_since_its_creation(
    made: Made, stage: str, since: float | None
) -> None:
    text = TASK.replace("Running", stage) + ', "start_time": "1970-01-01T00:01:00Z"}'
    made.server.fail("GET", "/attacks/1", (200, text))
    assert gremlin.get(ATTACK, "1", made.context).running_since == since


def test_an_answer_without_end_is_cut_off(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gremlin, "MAX_BYTES", 100_000)
    made.server.fail("GET", "/clients/active", *[(200, " " * 300_000)] * 3)
    with pytest.raises(GremlinError, match="an answer of more than 100000 bytes"):
        gremlin.clients(ATTACK, made.context)


def test_a_client_that_is_unknown_is_none(made: Made) -> None:
    assert gremlin.client(ATTACK, "nobody", made.context) is None
    found = gremlin.client(ATTACK, CLIENT, made.context)
    assert found is not None
    assert found.tags["zone"] == ["us-west-2a"]
    made.server.fail("GET", f"/clients/{CLIENT}", (403, ""))
    with pytest.raises(GremlinError, match="403"):
        gremlin.client(ATTACK, CLIENT, made.context)


def test_a_key_that_was_exchanged_is_read_again_once(made: Made) -> None:
    gremlin.clients(ATTACK, made.context)
    made.server.key = "cm90YXRlZA=="
    gremlin.create(ATTACK, CLIENT, RUN, made.context)
    assert made.secrets == ["read", "read"]
    assert made.server.requests.count(("POST", "/attacks/new")) == 2
    assert len(made.server.service.attacks) == 1


@pytest.mark.parametrize("secret", ["", '{"key": "a"}', "two words", "a\r\nX-Evil: 1", "naïve"])
def test_a_secret_that_is_no_key_is_never_sent_nor_shown(made: Made, secret: str) -> None:
    context = replace(made.context, aws=lambda *_, **__: {"SecretString": secret})
    with pytest.raises(GremlinError, match="must hold the API key alone") as raised:
        gremlin.clients(ATTACK, context)
    assert made.server.requests == []
    assert not secret or secret not in str(raised.value)


def test_the_word_before_a_key_is_left_out(made: Made) -> None:
    context = replace(made.context, aws=lambda *_, **__: {"SecretString": f"Key {KEY}\n"})
    assert len(gremlin.clients(ATTACK, context)) == 3


def test_a_key_that_gremlin_repeats_is_not_shown(made: Made) -> None:
    made.server.fail("GET", "/clients/active", (400, f"Key {KEY} is odd"))
    with pytest.raises(GremlinError, match=r"Key \*\*\* is odd"):
        gremlin.clients(ATTACK, made.context)


def test_a_server_that_can_not_be_reached_has_done_nothing(made: Made) -> None:
    context = replace(made.context, gremlin_url="http://127.0.0.1:9/v1")
    with pytest.raises(GremlinError, match="POST /attacks/new: no connection: ") as raised:
        gremlin.create(ATTACK, CLIENT, RUN, context)
    assert raised.value.refused


def test_a_server_that_says_nothing_is_waited_for_some_seconds(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gremlin, "STEP_SECONDS", 0.05)
    silent = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # listens, and never answers
    url = f"http://127.0.0.1:{silent.server_port}/v1"
    with pytest.raises(GremlinError, match="no answer: TimeoutError") as raised:
        gremlin.create(ATTACK, CLIENT, RUN, replace(made.context, gremlin_url=url))
    assert not raised.value.refused
    silent.server_close()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_answers_drop_by_drop_holds_no_function_up(
    made: Made, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    """The fault would never be ended: each drop is in time for the next one to be waited for."""
    monkeypatch.setattr(gremlin, "DEADLINE_SECONDS", 0.05)
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(head)
            while not over.wait(0.01):
                connection.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=[listener], daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        timer = threading.Timer(1.0, over.set)
        timer.start()
        began = time.monotonic()
        with pytest.raises(GremlinError, match=r"no answer: TimeoutError no whole answer within"):
            gremlin.halt(ATTACK, "1", replace(made.context, gremlin_url=url))
        assert time.monotonic() - began < 0.5
        timer.cancel()
        over.set()
        thread.join()


@pytest.mark.slow
def test_a_server_without_a_trusted_certificate_gets_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ca = authority()
    with serving(GremlinService(plans.BLACKHOLE), issued(ca, names=["localhost"])) as server:
        context = replace(lambda_context(), gremlin_url=server.url, secrets={SECRET: KEY})
        context = replace(context, sleep=lambda seconds: None)
        with pytest.raises(GremlinError, match=r"no connection: .*CERTIFICATE_VERIFY_FAILED"):
            gremlin.clients(ATTACK, context)
        assert server.requests == []
        trusting = ca.trusted()
        monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
        assert len(gremlin.clients(ATTACK, context)) == 3
