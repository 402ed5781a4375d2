"""The command `resiliency`, run in the process of the tests."""

from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from resiliency.cli import main


class Printed(NamedTuple):
    """What a command printed."""

    out: str
    err: str

    @property
    def text(self) -> str:
        """The output without its line breaks, wherever a table has them."""
        return " ".join(self.out.split())


class Resiliency(Protocol):
    """Runs the command, and checks its exit status."""

    def __call__(self, *words: str | Path, status: int = 0) -> Printed: ...


@pytest.fixture
def resiliency(capsys: pytest.CaptureFixture[str]) -> Resiliency:
    """The command."""

    def run(*words: str | Path, status: int = 0) -> Printed:
        try:
            ended: object = main([str(word) for word in words])
        except SystemExit as usage:
            ended = usage.code
        printed = Printed(*capsys.readouterr())
        assert ended == status, printed
        return printed

    return run
