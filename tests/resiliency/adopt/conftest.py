"""An account made by hand, and templates that are synthesized in this process."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from resiliency.adopt import command
from resiliency.cloud_assembly import SynthesizedStack, read_assembly
from resiliency.service_file import load
from stacks.application import add_stacks
from tests.resiliency.adopt.accounts import HandMade, hand_made, shared_account
from tests.support import app_as_by_the_cli, synth


def _synthesized(folder: Path, service: Path) -> Sequence[SynthesizedStack]:
    with tempfile.TemporaryDirectory() as out:
        app = app_as_by_the_cli(out)
        add_stacks(app, load(service))
        synth(app)
        return read_assembly(Path(out))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[HandMade]:
    monkeypatch.setattr(command, "synthesized", _synthesized)
    monkeypatch.setattr(command, "Account", shared_account)
    with hand_made() as account:
        yield account
