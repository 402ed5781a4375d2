"""How adopt synthesizes the application, and what it does where it can't ask."""

import json
from pathlib import Path

import pytest

from resiliency.adopt.synthesis import synthesized
from resiliency.errors import UsageError, UserError
from tests.resiliency.conftest import Resiliency
from tests.support import EXAMPLE_FILE, ROOT

pytestmark = pytest.mark.slow


def application(folder: Path, command: str) -> Path:
    (folder / "cdk.json").write_text(json.dumps({"app": command}), encoding="utf-8")
    return folder


def test_the_application_is_synthesized_with_one_service_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "false")
    stacks = synthesized(ROOT, EXAMPLE_FILE)
    assert "bookstore-production-failover" in {stack.name for stack in stacks}


def test_a_folder_without_an_application_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names no CDK application; run this in the application"):
        synthesized(tmp_path, EXAMPLE_FILE)


def test_an_application_that_fails_is_an_error_with_its_last_line(tmp_path: Path) -> None:
    command = "sh -c 'echo first >&2; echo broken >&2; exit 1'"
    with pytest.raises(UserError, match="fails: broken"):
        synthesized(application(tmp_path, command), EXAMPLE_FILE)


def test_an_application_that_can_not_be_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere/python: can't be run"):
        synthesized(application(tmp_path, "nowhere/python app.py"), EXAMPLE_FILE)


@pytest.mark.parametrize("value", ["db", "db=host", "=host:1", "db=host:port"])
def test_a_dependency_of_another_form_is_a_usage_error(value: str, resiliency: Resiliency) -> None:
    done = resiliency("adopt", "shop.example.com", "--dependency", value, status=2)
    assert "is not of the form NAME=HOST:PORT" in done.err


def test_an_account_that_can_not_be_asked_has_an_exit_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, resiliency: Resiliency
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    done = resiliency("adopt", "shop.example.com", "--region", "us-west-2", status=3)
    assert "no AWS credentials" in done.err
