"""The command: what it refuses, what it prints, and its exit status."""

import json
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from resiliency import cli
from resiliency.rehearsal import prediction, rehearse
from resiliency.rehearsal.console import Progress
from tests.resiliency.conftest import Printed, Resiliency
from tests.resiliency.failover_model.support import hand_written
from tests.resiliency.rehearsal.support import Templates, edited, written
from tests.resiliency.rehearsal.test_rehearse import RUNNER
from tests.support import Data


@dataclass
class Rehearsal:
    """The command for the templates in a folder, whose report goes to another one."""

    resiliency: Resiliency
    templates: Path
    out: Path

    def __call__(self, *words: str | Path, status: int = 0) -> Printed:
        paths = self.templates.iterdir()
        return self.resiliency("rehearse", *paths, "--out", self.out, *words, status=status)

    def page(self) -> str:
        return (self.out / "index.html").read_text()

    def verdict(self, scenario: str) -> Data:
        found: Data = json.loads((self.out / f"{scenario}.json").read_text())["verdict"]
        return found


@pytest.fixture
def rehearsal(example_templates: Templates, tmp_path: Path, resiliency: Resiliency) -> Rehearsal:
    """The command for the example's templates."""
    made = Rehearsal(resiliency, tmp_path / "templates", tmp_path / "out")
    made.templates.mkdir()
    written(example_templates, made.templates)
    return made


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runners that start nothing, and few outages."""
    for function, name, value in (
        (rehearse.rehearse, "runner", RUNNER),
        (prediction.predict_failovers, "outages", 20),
    ):
        monkeypatch.setitem(function.__kwdefaults__ or {}, name, value)


def test_what_holds_ends_with_a_report_and_success(rehearsal: Rehearsal) -> None:
    out = rehearsal("--scenario", "host-stops").out
    assert "Rehearsing bookstore.pingpublications.com on this machine, 20 seconds in one" in out
    assert re.search(r"^host-stops +3:20  fault$", out, re.MULTILINE)
    assert re.search(r"^host-stops .* client \S+: bookstore-api-green$", out, re.MULTILINE)
    assert re.search(r"passed +clients of bookstore.pingpublications.com +40 s", out)
    assert "reach bookstore-api-green after the fault" in out
    assert "passed      bookstore-api-blue stops and comes back" in out
    assert f"{rehearsal.out}: 1 journal; open {rehearsal.out}/index.html" in out
    assert "Rehearsal of bookstore.pingpublications.com" in rehearsal.page()
    assert rehearsal.verdict("host-stops")["status"] == "passed"


@pytest.mark.slow
def test_the_scenarios_that_only_a_request_runs_are_named(rehearsal: Rehearsal) -> None:
    out = rehearsal().out
    names = "cdn-blackholed, db-hangs, cdn-hangs, db-degraded, db-fails-over"
    record = "bookstore.pingpublications.com"
    assert f"not rehearsed for {record}: {names}; give --scenario cdn-blackholed" in out
    assert f"Not rehearsed: {names}." in rehearsal.page()


def test_what_does_not_hold_ends_with_a_report_and_failure(rehearsal: Rehearsal) -> None:
    done = rehearsal("--scenario", "host-stops", "--seed", "1", status=1)
    assert "failed      bookstore-api-blue stops and comes back" in done.out
    assert (rehearsal.out / "index.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--scenario", "endpoint-hangs"], 0),
        (["--scenario", "endpoint-hangs", "--strict"], 1),
        (["--scenario", "both-stop", "--strict"], 0),
    ],
)
def test_what_is_not_covered_is_no_success_that_counts(
    rehearsal: Rehearsal, words: list[str], status: int
) -> None:
    assert f"0 of 1 passed, 1 not covered ({words[1]})" in rehearsal(*words, status=status).out
    verdict = rehearsal.verdict(words[1])
    assert verdict["status"] == "not covered"
    assert verdict["message"].startswith("clients of bookstore.pingpublications.com are")


def test_a_lost_process_is_reported_and_nothing_is_written(rehearsal: Rehearsal) -> None:
    done = rehearsal("--scenario", "host-stops", "--seed", "2", status=1)
    assert done.err == (
        "rehearse: host-stops: moto's server (process 7) was ended by signal SIGKILL; "
        "all its processes have ended, nothing is written\n"
    )
    assert not rehearsal.out.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def watch(*_: object) -> None:
        os.kill(os.getpid(), number)

    monkeypatch.setattr(Progress, "watch", watch)
    former = signal.signal(number, signal.SIG_DFL)  # the tests may run under nohup
    try:
        printed = rehearsal("--scenario", "host-stops", "--seed", "4", status=1)
    finally:
        signal.signal(number, former)
    assert printed.err == (
        f"rehearse: stopped by {number.name}; all its processes have ended, nothing is written\n"
    )
    assert not rehearsal.out.exists()


def test_other_systems_than_linux_are_refused(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "needs Linux" in rehearsal(status=1).err


def test_somebody_elses_folder_is_refused_before_anything_runs(rehearsal: Rehearsal) -> None:
    rehearsal.out.mkdir()
    (rehearsal.out / "thesis.txt").write_text("years of work")
    assert "holds thesis.txt" in rehearsal(status=1).err


def test_a_report_that_can_t_be_written_is_reported(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", refuse)
    done = rehearsal("--scenario", "host-stops", status=1)
    assert "can't be written (No space left on device)" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--time-scale", "0.5"], "'0.5' is no number from 1 to 120"),
        (["--time-scale", "fast"], "'fast' is no number from 1 to 120"),
        (["--host", "blue"], "'blue' is not of the form NAME=ADDRESS"),
        (["--objective", "0"], "'0' is no number from 1 to 86400"),
        (["--at-once", "0"], "'0' is no number from 1 to 100"),
    ],
)
def test_bad_options_are_refused(words: list[str], message: str, resiliency: Resiliency) -> None:
    assert message in resiliency("rehearse", *words, status=2).err


def test_real_time_is_a_scale_of_one() -> None:
    options = cli.parser().parse_args(["rehearse", "--real-time", "--host", "a=blue=10.0.0.1"])
    assert options.time_scale == 1
    assert dict(options.host) == {"a=blue": "10.0.0.1"}
    assert options.paths == [Path("cdk.out")]


def add_pair(rehearsal: Rehearsal, templates: Templates, kind: str) -> None:
    """Add a copy of the example's pair with another name and record type."""

    def edit(changed: dict[str, Data]) -> None:
        resources = changed["bookstore-production-failover"]["Resources"]
        pair = [one for one in resources.values() if one["Type"] == "AWS::Route53::RecordSet"]
        for number, record in enumerate(pair):
            other = {"Name": "shop.pingpublications.com.", "Type": kind}
            resources[f"shop{number}"] = {**record, "Properties": record["Properties"] | other}

    written(edited(templates, edit), rehearsal.templates)


@pytest.mark.slow
def test_every_pair_is_rehearsed(example_templates: Templates, rehearsal: Rehearsal) -> None:
    add_pair(rehearsal, example_templates, "AAAA")
    out = rehearsal("--scenario", "host-stops").out
    assert "Rehearsing bookstore.pingpublications.com on this machine" in out
    assert "Rehearsing shop.pingpublications.com AAAA on this machine" in out
    assert "2 of 2 passed" in out
    assert {file.name for file in rehearsal.out.iterdir()} == {
        "bookstore.pingpublications.com-host-stops.json",
        "shop.pingpublications.com-host-stops-ipv6.json",
        "index.html",
    }
    assert "shop.pingpublications.com: host-stops-ipv6</a>" in rehearsal.page()


def test_a_pair_without_a_chosen_scenario_is_named(rehearsal: Rehearsal) -> None:
    written({"site": hand_written()}, rehearsal.templates)
    out = rehearsal("--scenario", "probe-killed").out
    assert "shop.example.com: has none of the scenarios probe-killed" in out
    assert "1 of 1 passed" in out


def test_a_pair_that_is_left_out_is_no_success(
    example_templates: Templates, rehearsal: Rehearsal
) -> None:
    add_pair(rehearsal, example_templates, "CNAME")
    out = rehearsal("--scenario", "host-stops", status=1).out
    message = "shop.pingpublications.com CNAME: only A and AAAA pairs can be rehearsed"
    assert "1 of 1 passed" in out
    assert f"left out: {message}" in out
    assert f"Left out: {message}." in rehearsal.page()


def test_one_pair_is_rehearsed_where_it_is_named(
    example_templates: Templates, rehearsal: Rehearsal
) -> None:
    add_pair(rehearsal, example_templates, "CNAME")
    chosen = ["--scenario", "host-stops", "--record", "bookstore.pingpublications.com"]
    assert "left out" not in rehearsal(*chosen).out
    done = rehearsal("--record", "shop.pingpublications.com", status=1)
    assert "only A and AAAA pairs can be rehearsed" in done.err
