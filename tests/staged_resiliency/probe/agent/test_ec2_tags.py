"""The short process that asks EC2 for a Name tag: reads JSON, writes JSON."""

import io
import json

import pytest

from staged_resiliency.probe.agent import ec2_tags
from tests.e2e.machine.servers import HttpAnswer, HttpRequest
from tests.staged_resiliency.probe.agent.support import ec2_answer, serving


def asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: HttpAnswer
) -> tuple[int, str, str]:
    """Its exit status, output and errors when EC2 answers so."""
    requests: list[HttpRequest] = []

    def answered(request: HttpRequest) -> HttpAnswer:
        requests.append(request)
        return answer

    with serving(answered) as url:
        given = {
            "instance_id": "i-0123456789abcdef0",
            "region": "us-west-2",
            "endpoint_url": url,
            "access_key": "ASIA1",
            "secret_key": "secret",
            "token": "the-token",
            "expiry_time": "2026-11-23T06:00:00Z",
        }
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(given)))
        status = ec2_tags.main()
    assert requests[0].headers["X-Amz-Security-Token"] == "the-token"
    assert "Credential=ASIA1/" in requests[0].headers["Authorization"]
    message = capsys.readouterr()
    return status, message.out, message.err


def test_the_name_is_written_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = asked(monkeypatch, capsys, ec2_answer("blå & <grøn>"))
    assert (status, json.loads(out)) == (0, "blå & <grøn>")
    assert out.isascii()


def test_an_instance_without_a_name_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = asked(monkeypatch, capsys, ec2_answer(None))
    assert (status, out) == (1, "")
    assert err == "i-0123456789abcdef0 has no Name tag\n"


def test_an_error_of_ec2_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = HttpAnswer(
        403,
        b"<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
        b"<Message>You are not authorized</Message></Error></Errors></Response>",
    )
    status, out, err = asked(monkeypatch, capsys, refusal)
    assert (status, out) == (1, "")
    assert "(UnauthorizedOperation)" in err
    assert "You are not authorized" in err
