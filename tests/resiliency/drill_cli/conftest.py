"""The command in an account of its own, on a terminal of its own."""

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from resiliency import cli
from resiliency.drill_cli import dispatch
from resiliency.drill_cli.local_context import seen_from_here
from staged_resiliency.drills.runtime.plan import Endpoint
from tests.fake_aws import plans
from tests.resiliency.drill_cli.account import Account, bookstore

Command = Callable[..., int]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Account]:
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


def enter(monkeypatch: pytest.MonkeyPatch, account: Account) -> None:
    """Let the command be in an account, with its time and a network of its own."""
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setattr(dispatch, "session", lambda profile, region: account.session)
    monkeypatch.setattr(dispatch, "SystemClock", lambda: account.clock)
    seen = functools.partial(seen_from_here, resolve=resolve, ask=ask)
    monkeypatch.setattr(dispatch, "seen_from_here", seen)


def resolve(name: str) -> Sequence[str]:
    """A resolver of tests."""
    return (plans.BLUE_ADDRESS,) if name == plans.RECORD else (name,)


def ask(address: str, endpoint: Endpoint, host: str) -> str:
    """A network of tests: each host answers at its address."""
    return {plans.BLUE_ADDRESS: plans.BLUE, plans.GREEN_ADDRESS: plans.GREEN}[address]
