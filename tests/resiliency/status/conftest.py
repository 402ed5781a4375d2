"""The command in the account in which the example is deployed."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resiliency.account import account
from resiliency.status import checks, command
from tests import journals
from tests.fake_aws.command import NOW, SharedSession, bookstore
from tests.resiliency.conftest import Printed, Resiliency
from tests.resiliency.status.deployment import Deployment, deploy
from tests.support import Template


@pytest.fixture
def made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example_templates: Mapping[str, Template]
) -> Iterator[Deployment]:
    """The account, in which all is well: the shutdown passed, the other drill is a dry run."""
    with bookstore() as found:
        monkeypatch.setenv("COLUMNS", "110")
        monkeypatch.setattr(account, "session", lambda profile, region: SharedSession(region))
        monkeypatch.setattr(command, "local_context", lambda aws: replace(found.context, aws=aws))
        monkeypatch.setattr(checks, "_OUTAGES", 50)
        monkeypatch.chdir(tmp_path)
        script = replace(journals.STOPPED, experiment="shutdown", kind="drill")
        found.record(journals.run_of(script, injected_at=NOW - 3.5 * 86_400), "run-0")
        yield deploy(found, example_templates)


@pytest.fixture
def status(resiliency: Resiliency) -> Resiliency:
    """The command, with the service and its environment filled in."""

    def run(*words: str | Path, status: int = 0) -> Printed:
        given = ("bookstore", "production", "--region", "us-west-2", *words)
        return resiliency("status", *given, status=status)

    return run


def findings(document: Mapping[str, Any]) -> list[str]:
    """The findings of the command's JSON."""
    return [f"{each['section']}: {each['message']}" for each in document["findings"]]
