"""Each subcommand asks for what its table says, and for nothing else."""

import re
from dataclasses import replace

import pytest

from resiliency.drill_cli.aws import NEEDS, Operation, action
from tests import journals
from tests.fake_aws.command import NOW, phase_record
from tests.resiliency.drill_cli.conftest import Drill
from tests.support import ROOT

WORDS = {
    "list": (),
    "preview": ("db-blackhole",),
    "approve": ("shutdown",),
    "start": ("shutdown", "--yes"),
    "follow": (),
    "report": ("--html", "page.html"),
}
DOCUMENT = ROOT / "docs" / "drill-command.md"


@pytest.mark.parametrize("subcommand", NEEDS)
def test_a_subcommand_asks_for_all_that_the_table_has_and_no_more(
    subcommand: str, drill: Drill
) -> None:
    script = replace(journals.STOPPED, experiment="shutdown", kind="drill")
    for name in ("run-0", "run-1"):
        drill.aws.record(journals.run_of(script), name)
    if subcommand == "follow":
        run = drill.aws.begin("shutdown", "run-1")
        run.phase("Preflight", NOW + 1, NOW + 4)
        run.end("SUCCEEDED", NOW + 10)
        drill.aws.put("runs/shutdown/run-1/phases/1.json", phase_record("Preflight", NOW, []))
    if subcommand == "start":
        drill.aws.service.after(5, lambda: drill.aws.runs[-1].end("SUCCEEDED", NOW + 5))
    drill(subcommand, *WORDS[subcommand], status=1 if subcommand == "start" else 0)
    assert set(drill.aws.calls) == set(NEEDS[subcommand])


def documented() -> dict[str, set[str]]:
    """The table of the document: actions by subcommand."""
    rows = re.findall(r"^\| `([a-z0-9]+:\w+)` \|(.*)\|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert rows
    found: dict[str, set[str]] = {each: set() for each in NEEDS}
    for name, cells in rows:
        marks = [each.strip() for each in cells.split("|")][: len(NEEDS)]
        for subcommand, mark in zip(NEEDS, marks, strict=True):
            if mark:
                found[subcommand].add(name)
    return found


def test_the_document_has_the_same_table() -> None:
    identity: Operation = ("sts", "GetCallerIdentity")
    assert documented() == {
        subcommand: {action(*each) for each in needs if each != identity}
        for subcommand, needs in NEEDS.items()
    }


def test_only_start_and_approve_change_anything() -> None:
    reads = re.compile(r"\w+:(Describe|Get|List)\w+")
    for subcommand, needs in NEEDS.items():
        changing = {action(*each) for each in needs if not reads.fullmatch(action(*each))}
        allowed = {"start": {"states:StartExecution"}, "approve": {"s3:PutObject"}}
        assert changing == allowed.get(subcommand, set())
