"""The command in an account of its own, on a terminal of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from resiliency.drill_cli import dispatch
from tests.fake_aws.command import CommandAccount, SharedSession, bookstore
from tests.resiliency.conftest import Printed, Resiliency


@dataclass
class Drill:
    """`resiliency drill`, with the service and its environment filled in."""

    aws: CommandAccount
    resiliency: Resiliency

    def __call__(self, action: str, *words: str | Path, status: int = 0) -> Printed:
        given = (action, "bookstore", "production", *words, "--region", "us-west-2")
        return self.resiliency("drill", *given, status=status)


@pytest.fixture
def drill(
    resiliency: Resiliency, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Drill]:
    """The command in an account with the example's drills, and with its time and network."""
    with bookstore() as account:
        enter(monkeypatch, account)
        monkeypatch.chdir(tmp_path)
        yield Drill(account, resiliency)


def enter(monkeypatch: pytest.MonkeyPatch, account: CommandAccount) -> None:
    """Let the command be in an account, with its time and a network of its own."""
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setattr(dispatch, "session", lambda profile, region: SharedSession())
    monkeypatch.setattr(dispatch, "local_context", lambda aws: replace(account.context, aws=aws))
