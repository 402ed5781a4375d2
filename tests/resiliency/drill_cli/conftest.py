"""The command in an account of its own, on a terminal of its own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from resiliency import cli
from resiliency.drill_cli import dispatch
from tests.fake_aws.command import CommandAccount, SharedSession, bookstore

Command = Callable[..., int]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[CommandAccount]:
    """The account with the example's drills; the command is in it."""
    with bookstore() as found:
        enter(monkeypatch, found)
        monkeypatch.chdir(tmp_path)
        yield found


@pytest.fixture
def drill() -> Command:
    """The command, with the service and its environment filled in."""

    def run(action: str, *words: str) -> int:
        region = ("--region", "us-west-2")
        return cli.main(["drill", action, "bookstore", "production", *words, *region])

    return run


def enter(monkeypatch: pytest.MonkeyPatch, account: CommandAccount) -> None:
    """Let the command be in an account, with its time and a network of its own."""
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setattr(dispatch, "session", lambda profile, region: SharedSession())
    monkeypatch.setattr(dispatch, "local_context", lambda aws: replace(account.context, aws=aws))
