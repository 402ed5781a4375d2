"""The instance metadata service: version 2 alone, and nothing it says is taken on trust."""

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from staged_resiliency.probe.agent import metadata
from staged_resiliency.probe.agent.metadata import Metadata, MetadataError
from tests.cases import cases
from tests.e2e.machine.metadata_service import TOKEN_HEADER, TOKEN_PATH, TTL_HEADER
from tests.e2e.machine.servers import HttpAnswer, HttpRequest
from tests.staged_resiliency.probe.agent.support import (
    instance_metadata,
    serving,
    silence,
    unused_url,
)

ROLE = "/latest/meta-data/iam/security-credentials/"
SOUND = {
    "Code": "Success",
    "AccessKeyId": "ASIA1",
    "SecretAccessKey": "secret",
    "Token": "token",
    "Expiration": "2026-11-23T06:00:00Z",
}


class Answers:
    """A metadata service that says what a test wants, and remembers what it was asked."""

    def __init__(self, *tokens: bytes, says: dict[str, bytes] | None = None) -> None:
        self.tokens = list(tokens)
        self.says = says or {}
        self.requests: list[HttpRequest] = []
        self.statuses: dict[str, list[int]] = {}

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        statuses = self.statuses.get(request.path)
        status = statuses.pop(0) if statuses else 200
        if request.path == TOKEN_PATH:
            token = self.tokens.pop(0) if self.tokens else b"usual-token"
            return HttpAnswer(status, token)
        if status == 200 and request.path not in self.says:
            status = 404
        return HttpAnswer(status, self.says.get(request.path, b"") if status == 200 else b"no")

    def paths(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]


class Place:
    """Where a metadata service runs, for all tests here."""

    url = ""

    def __init__(self) -> None:
        self.answers = Answers()

    def answer(self, request: HttpRequest) -> HttpAnswer:
        return self.answers(request)

    def asked(self, answers: Answers) -> Metadata:
        """A client of the service, which says this from now on."""
        self.answers = answers
        return Metadata(self.url)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    place = Place()
    with serving(place.answer) as place.url:
        yield place


def test_everything_is_asked_with_a_session_token_which_is_kept() -> None:
    with instance_metadata(tags={"Name": "blue"}) as running:
        asked = Metadata(running.url)
        assert asked.instance_id() == "i-0123456789abcdef0"
        assert asked.region() == "us-west-2"
        assert asked.name_tag() == "blue"
        assert asked.credentials()["access_key"] == "ASIATESTTESTTESTTEST"
        assert set(asked.credentials()) == {"access_key", "secret_key", "token", "expiry_time"}
        requests = running.service.requests
        assert [request.method for request in requests].count("PUT") == 1
        assert not any(request.of_version_1 for request in requests)


def test_the_token_is_asked_for_six_hours_and_brought_along(place: Place) -> None:
    answers = Answers(b"the-token", says={"/latest/meta-data/instance-id": b"i-1"})
    place.asked(answers).instance_id()
    put, get = answers.requests
    assert (put.method, put.headers[TTL_HEADER]) == ("PUT", "21600")
    assert (get.method, get.headers[TOKEN_HEADER]) == ("GET", "the-token")


def test_the_test_service_returns_the_tokens_lifetime_as_the_go_sdk_requires() -> None:
    with instance_metadata() as running:
        place = urlsplit(running.url)
        connection = http.client.HTTPConnection(str(place.hostname), place.port)
        connection.request("PUT", TOKEN_PATH, headers={TTL_HEADER: "600"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers[TTL_HEADER]) == (200, "600")
        connection.close()


def test_a_token_that_has_ended_is_renewed_once(place: Place) -> None:
    path = "/latest/meta-data/instance-id"
    answers = Answers(b"first", b"second", says={path: b"i-1"})
    answers.statuses[path] = [200, 401, 200]
    asked = place.asked(answers)
    asked.instance_id()
    assert asked.instance_id() == "i-1"
    assert [request.headers[TOKEN_HEADER] for request in answers.requests] == [
        None,
        "first",
        "first",
        None,
        "second",
    ]


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_service_that_refuses_every_token_is_asked_twice_and_no_more(
    place: Place, status: int
) -> None:
    path = "/latest/meta-data/instance-id"
    answers = Answers()
    answers.statuses[path] = [status] * 10
    with pytest.raises(MetadataError, match=f"answers {path} with status {status}"):
        place.asked(answers).instance_id()
    assert len(answers.requests) == 4


@pytest.mark.parametrize("status", [403, 404, 405, 500])
def test_version_1_is_not_asked_where_there_are_no_tokens(place: Place, status: int) -> None:
    answers = Answers(says={"/latest/meta-data/instance-id": b"i-1"})
    answers.statuses[TOKEN_PATH] = [status] * 10
    with pytest.raises(MetadataError, match=rf"returns no token \(status {status}\)"):
        place.asked(answers).instance_id()
    assert answers.paths() == [f"PUT {TOKEN_PATH}"]


def test_an_instance_without_tags_in_its_metadata_has_no_name_there() -> None:
    with instance_metadata(tags=None) as running:
        assert Metadata(running.url).name_tag() is None


def test_an_instance_without_a_role_has_no_credentials() -> None:
    with (
        instance_metadata(role=None) as running,
        pytest.raises(MetadataError, match="the instance has no role; give it an instance profile"),
    ):
        Metadata(running.url).credentials()


def test_a_service_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "TIMEOUT_SECONDS", 0.05)
    with silence() as url, pytest.raises(MetadataError, match="can't be reached: timed out"):
        Metadata(url).region()


def test_an_unreachable_service_is_reported() -> None:
    with pytest.raises(MetadataError, match=r"can't be reached: .*Connection refused"):
        Metadata(unused_url()).region()


def test_a_service_that_cuts_the_connection_is_reported() -> None:
    with (
        serving(lambda request: None) as url,
        pytest.raises(MetadataError, match="can't be reached"),
    ):
        Metadata(url).region()


@cases(
    "token",
    {
        "a header within it": b"a\r\nX-Injected: yes",
        "two lines": b"a\nb",
        "empty": b"",
        "not ASCII": "tökén".encode(),
        "not UTF-8": b"\xff\xfe",
        "a zero": b"\x00",
    },
)
def test_a_poisonous_token_is_refused_and_a_sound_one_taken_later(
    place: Place, token: bytes
) -> None:
    answers = Answers(token, says={"/latest/meta-data/instance-id": b"i-1"})
    asked = place.asked(answers)
    with pytest.raises(MetadataError):
        asked.instance_id()
    assert asked.instance_id() == "i-1"
    assert answers.paths() == [f"PUT {TOKEN_PATH}"] * 2 + ["GET /latest/meta-data/instance-id"]


@cases(
    ("role", "path"),
    {
        "a path within it": (b"a role/../x?y#z", "a%20role%2F..%2Fx%3Fy%23z"),
        "two roles": (b"first\nsecond", "first"),
        "a carriage return": (b"a\rX-Injected: 1", "a%0DX-Injected%3A%201"),
        "not ASCII": ("rôle".encode(), "r%C3%B4le"),
    },
)
def test_the_name_of_a_role_is_escaped_in_the_path(place: Place, role: bytes, path: str) -> None:
    answers = Answers(says={ROLE: role, ROLE + path: json.dumps(SOUND).encode()})
    assert place.asked(answers).credentials()["token"] == "token"
    assert answers.requests[-1].path == ROLE + path


@cases(
    "content",
    {
        "nothing": b"",
        "HTML": b"<html>",
        "a list": b"[]",
        "a number": b"7",
        "null": b"null",
        "a failure": b'{"Code": "Failed", "Message": "no"}',
        "a list as key": json.dumps({**SOUND, "AccessKeyId": ["a"]}).encode(),
        "no token": json.dumps({**SOUND, "Token": None}).encode(),
        "an injected header": json.dumps({**SOUND, "Token": "a\r\nB: c"}).encode(),
        "an empty secret": json.dumps({**SOUND, "SecretAccessKey": ""}).encode(),
        "a number as time": json.dumps({**SOUND, "Expiration": 7}).encode(),
        "no time": json.dumps({**SOUND, "Expiration": "soon"}).encode(),
        "nested without end": b"[" * 60_000,
        "endless": b'{"AccessKeyId": "' + b"x" * 200_000,
        "not UTF-8": b"\xff\xfe{}",
    },
)
def test_credentials_in_an_odd_form_are_refused(place: Place, content: bytes) -> None:
    answers = Answers(says={ROLE: b"role", f"{ROLE}role": content})
    with pytest.raises(MetadataError) as raised:
        place.asked(answers).credentials()
    assert str(raised.value).startswith("the ")


@pytest.mark.parametrize(
    "ask",
    [Metadata.instance_id, Metadata.region, Metadata.name_tag, Metadata.credentials],
)
def test_a_huge_answer_is_read_in_part_only(place: Place, ask: Callable[[Metadata], Any]) -> None:
    huge = b"x" * 1_000_000
    answers = Answers(
        says={
            "/latest/meta-data/instance-id": huge,
            "/latest/meta-data/placement/region": huge,
            "/latest/meta-data/tags/instance/Name": huge,
            ROLE: huge,
        }
    )
    try:
        answer = ask(place.asked(answers))
    except MetadataError:
        return
    assert len(answer) <= 65_536


def test_the_default_endpoint_is_that_of_instances() -> None:
    asked = Metadata()
    assert (asked._host, asked._port) == ("169.254.169.254", 80)
