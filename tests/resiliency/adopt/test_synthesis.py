"""How `resiliency adopt` synthesizes the application."""

import json
from pathlib import Path

import pytest

from resiliency.adopt.synthesis import synthesized
from resiliency.errors import UsageError, UserError
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
