"""`resiliency adopt` in an account made by hand; its templates are synthesized in this process."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from resiliency.adopt import command
from resiliency.cloud_assembly import SynthesizedStack, read_assembly
from resiliency.service_file import load
from stacks.application import add_stacks
from tests.resiliency.adopt.accounts import RECORD, HandMade, hand_made, shared_account
from tests.resiliency.conftest import Resiliency
from tests.support import Data, app_as_by_the_cli, synth


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


class Adopt(Protocol):
    """Runs the command, and returns its JSON with the service and its environment."""

    def __call__(self, *options: str, record: str = RECORD) -> Data: ...


@pytest.fixture
def adopt(made: HandMade, tmp_path: Path, resiliency: Resiliency) -> Adopt:
    def run(*options: str, record: str = RECORD) -> Data:
        done = resiliency("adopt", record, *options, "--out", tmp_path, "--json", status=1)
        document: Data = json.loads(done.out)
        file = Path(document["service_file"])
        load(file)  # sound
        service = yaml.safe_load(file.read_text(encoding="utf-8"))
        return {**document, "service": service, "env": service["environments"]["production"]}

    return run


def actions(document: Data) -> dict[str, str]:
    """What becomes of each resource, by its name."""
    return {each["name"]: each["action"] for each in document["resources"]}


def fields(document: Data) -> set[tuple[str, str]]:
    """The kinds of resources that differ, and the fields in which they do."""
    return {(each["kind"], each["field"]) for each in document["differences"]}


def commands(document: Data) -> list[str]:
    """The commands of the plan."""
    return [command for step in document["steps"] for command in step["commands"]]


def batch(document: Data) -> list[tuple[str, str, str | None]]:
    """The changes of the plan's change batch: action, type and role."""
    file = Path(document["service_file"]).with_name("change-batch.json")
    changes = json.loads(file.read_text(encoding="utf-8"))["Changes"]
    records = [each["ResourceRecordSet"] for each in changes]
    return [
        (each["Action"], record["Type"], record.get("Failover"))
        for each, record in zip(changes, records, strict=True)
    ]
