"""The table of designs in docs/failover-time.md is what the model says."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from resiliency.cli import main
from resiliency.cloud_assembly import SynthesizedStack
from resiliency.cost_estimate import monthly_costs
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.graph import FailoverGraph
from resiliency.failover_model.overrides import parse_assumptions
from resiliency.failover_model.simulation import Verdict, failover_times
from resiliency.failover_model.template_reader import read_graph
from resiliency.service_file.timing_graph import deciding_graph
from tests.support import ROOT, Data, example, synthesize

_PAGE_FILE = ROOT / "docs" / "failover-time.md"
PAGE = _PAGE_FILE.read_text(encoding="utf-8")
DESIGNS: dict[str, tuple[Sequence[str], Data | None]] = {
    "status": (["status"], None),
    "status, peer": (["status", "peer"], None),
    "status, endpoint 30 s x 3": (
        ["status", "endpoint"],
        {"interval_seconds": 30, "failure_threshold": 3},
    ),
    "status, endpoint 10 s x 3": (
        ["status", "endpoint"],
        {"interval_seconds": 10, "failure_threshold": 3},
    ),
    "status, peer, db": (["status", "peer", "db"], None),
}
COLUMNS = (
    "host stopped",
    "host impaired",
    "endpoint dead",
    "endpoint hangs",
    "dependency blackholed: db",
    "probe dead",
)


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_the_page_says_of_a_design_what_the_model_says(design: str) -> None:
    signals, check = DESIGNS[design]

    def edit(environment: Data) -> None:
        environment["failover_on"] = list(signals)
        if check is not None:
            environment["endpoint"]["check"] = check

    templates = synthesize([example(edit)])
    stacks = [
        SynthesizedStack(name, "1", "us-west-2", template) for name, template in templates.items()
    ]
    dollars = sum(item.monthly for item in monthly_costs(stacks))
    graph = read_graph(templates)
    for ttl_seconds in (60, 10):
        verdicts = failover_times(_with_ttl(graph, ttl_seconds))
        cells = [_cell(next(v for v in verdicts if str(v.fault) == name)) for name in COLUMNS]
        row = f"| {design} | {ttl_seconds} s | {' | '.join(cells)} | ${dollars:.2f} |"
        if os.environ.get("WRITE_CHART"):
            _replace_row(f"| {design} | {ttl_seconds} s |", row)
        assert row in _PAGE_FILE.read_text(encoding="utf-8")


def _replace_row(begin: str, row: str) -> None:
    lines = _PAGE_FILE.read_text(encoding="utf-8").splitlines()
    text = "\n".join(row if line.startswith(begin) else line for line in lines)
    _PAGE_FILE.write_text(f"{text}\n", encoding="utf-8")


@pytest.mark.parametrize(("extra", "said"), [(2, "331 s"), (5, "511 s")])
def test_the_page_says_how_much_the_example_rests_on_the_periods_that_are_read(
    extra: int, said: str
) -> None:
    service = example()
    (environment,) = service.environments.values()
    (verdict,) = failover_times(
        deciding_graph(service, environment),
        assumptions=parse_assumptions([f"extra_periods={extra}"]),
        only=[Fault(FaultKind.HOST_STOPPED)],
    )
    assert verdict.total is not None
    assert f"{verdict.total.p95:.0f} s" == said
    assert f"with {extra}, {said}" in PAGE


@pytest.mark.slow
def test_the_pages_chart_is_what_the_command_writes(tmp_path: Path) -> None:
    folders = [tmp_path / "before", tmp_path / "after"]
    for folder, edit in zip(folders, (None, _with_peer_and_a_short_ttl), strict=True):
        folder.mkdir()
        for name, template in synthesize([example(edit)]).items():
            (folder / f"{name}.json").write_text(json.dumps(template), encoding="utf-8")
    before, after = ([str(file) for file in sorted(folder.iterdir())] for folder in folders)
    chart = tmp_path / "chart.svg"
    words = ["timing", *before, "--against", *after, "--objective", "240", "--chart", str(chart)]
    assert main(words) == 0
    committed = ROOT / "docs" / "failover-time.svg"
    if os.environ.get("WRITE_CHART"):
        committed.write_bytes(chart.read_bytes())
    assert chart.read_bytes() == committed.read_bytes()
    assert "](failover-time.svg)" in PAGE


def _with_peer_and_a_short_ttl(environment: Data) -> None:
    environment["failover_on"] = ["status", "peer"]
    environment["endpoint"]["ttl_seconds"] = 10


def _with_ttl(graph: FailoverGraph, ttl_seconds: int) -> FailoverGraph:
    (pair,) = graph.pairs
    return FailoverGraph(
        [replace(pair, primary=replace(pair.primary, ttl_seconds=ttl_seconds))], graph.alarms
    )


def _cell(verdict: Verdict) -> str:
    if verdict.total is None:
        return "never"
    numbers = f"{verdict.total.median:.0f} / {verdict.total.p95:.0f} / {verdict.total.worst:.0f}"
    return f"{numbers} †" if "extra_periods" in verdict.sensitive_to else numbers


def test_the_page_names_every_assumption_with_its_range() -> None:
    for name, span in Assumptions().ranges():
        extent = f"{span.low:g}" if span.low == span.high else f"{span.low:g} to {span.high:g}"
        rests = "assumed" if span.assumed else "source"
        assert f"| `{name}` | {extent} | {rests} | {span.about} |" in PAGE
