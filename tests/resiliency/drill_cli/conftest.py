"""The command in an account of its own, on a terminal of its own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from resiliency.drill_cli import dispatch
from tests.fake_aws.command import CommandAccount, SharedSession, bookstore
from tests.resiliency.conftest import Printed, Resiliency


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[CommandAccount]:
    """The account with the example's drills; the command is in it."""
    with bookstore() as found:
        enter(monkeypatch, found)
        monkeypatch.chdir(tmp_path)
        yield found


@pytest.fixture
def drill(resiliency: Resiliency) -> Resiliency:
    """The command, with the service and its environment filled in."""

    def run(*words: str | Path, status: int = 0) -> Printed:
        action, *rest = words
        given = (action, "bookstore", "production", *rest, "--region", "us-west-2")
        return resiliency("drill", *given, status=status)

    return run


def enter(monkeypatch: pytest.MonkeyPatch, account: CommandAccount) -> None:
    """Let the command be in an account, with its time and a network of its own."""
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setattr(dispatch, "session", lambda profile, region: SharedSession())
    monkeypatch.setattr(dispatch, "local_context", lambda aws: replace(account.context, aws=aws))
