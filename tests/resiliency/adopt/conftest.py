"""An account made by hand, `resiliency adopt` of it, and what that wrote."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from resiliency.adopt import command
from resiliency.cli import main
from resiliency.cloud_assembly import SynthesizedStack
from resiliency.service_file import load
from tests.resiliency.adopt.accounts import RECORD, HandMade, hand_made, shared_account
from tests.resiliency.conftest import Resiliency
from tests.support import Data, synthesized

Adopt = Callable[..., Data]
Refusal = Callable[..., str]


def _synthesized(folder: Path, service: Path) -> Sequence[SynthesizedStack]:
    """The application's stacks, made in this process."""
    return synthesized(load(service))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[HandMade]:
    monkeypatch.setattr(command, "synthesized", _synthesized)
    monkeypatch.setattr(command, "Account", shared_account)
    with hand_made() as account:
        yield account


@pytest.fixture
def adopt(made: HandMade, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Adopt:
    def run(*arguments: str, record: str = RECORD, status: int = 1) -> Data:
        out = ["--out", str(tmp_path), "--json"]
        assert main(["adopt", record, *arguments, *out]) == status, capsys.readouterr().err
        printed = capsys.readouterr().out
        document: Data = json.loads(printed)
        file = Path(document["service_file"])
        (service,) = load(file)  # sound
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["env"] = content["environments"]["production"]
        document["service"] = content
        document["name"] = service.service
        return document

    return run


@pytest.fixture
def refusal(resiliency: Resiliency) -> Refusal:
    return lambda *words: resiliency("adopt", *words, status=2).err


def actions(document: Data) -> dict[str, str]:
    return {each["name"]: each["action"] for each in document["resources"]}


def fields(document: Data) -> set[tuple[str, str]]:
    return {(each["kind"], each["field"]) for each in document["differences"]}


def commands(document: Data) -> list[str]:
    return [command for step in document["steps"] for command in step["commands"]]


def batch(document: Data) -> list[tuple[str, str, str | None]]:
    """The changes of the plan's change batch: action, type and role."""
    file = Path(document["service_file"]).with_name("change-batch.json")
    changes = json.loads(file.read_text(encoding="utf-8"))["Changes"]
    return [
        (
            each["Action"],
            each["ResourceRecordSet"]["Type"],
            each["ResourceRecordSet"].get("Failover"),
        )
        for each in changes
    ]
