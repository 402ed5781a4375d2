"""The command: what it refuses, what it prints, and its exit status."""

import io
import json
import os
import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from resiliency import cli
from resiliency.errors import UserError
from resiliency.rehearsal import prediction, rehearse
from resiliency.rehearsal.console import Progress, print_outcomes
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.outcome import Running
from resiliency.rehearsal.scenarios import (
    chosen_scenarios,
    require_known,
    scenarios_left_out,
    scenarios_of,
)
from staged_resiliency.experiment.journal import Phase
from staged_resiliency.experiment.observations import Observation, Source
from tests.resiliency.conftest import Resiliency
from tests.resiliency.failover_model.support import hand_written
from tests.resiliency.rehearsal.support import (
    STATUS_ALARM,
    Templates,
    edited,
    plans_of,
    set_alarm,
)
from tests.resiliency.rehearsal.test_rehearse import RUNNER, play
from tests.support import Data


@pytest.fixture
def files(example_templates: Templates, tmp_path: Path) -> list[str]:
    """The example's templates as files, and where the report goes."""
    paths = []
    for stack, template in example_templates.items():
        path = tmp_path / f"{stack}.json"
        path.write_text(json.dumps(template))
        paths.append(str(path))
    return ["rehearse", *paths, "--out", str(tmp_path / "out")]


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runners that start nothing, and few outages."""
    for function, name, value in (
        (rehearse.rehearse, "runner", RUNNER),
        (prediction.predict_failovers, "outages", 20),
    ):
        monkeypatch.setitem(function.__kwdefaults__ or {}, name, value)


def test_what_holds_ends_with_a_report_and_success(
    files: list[str], tmp_path: Path, resiliency: Resiliency
) -> None:
    out = resiliency(*files, "--scenario", "host-stops").out
    assert "Rehearsing bookstore.pingpublications.com on this machine, 20 seconds in one" in out
    assert re.search(r"^host-stops +3:20  fault$", out, re.MULTILINE)
    assert re.search(r"^host-stops .* client \S+: bookstore-api-green$", out, re.MULTILINE)
    assert re.search(r"passed +clients of bookstore.pingpublications.com +40 s", out)
    assert "reach bookstore-api-green after the fault" in out
    assert "passed      bookstore-api-blue stops and comes back" in out
    assert f"{tmp_path}/out: 1 journal; open {tmp_path}/out/index.html" in out
    page = (tmp_path / "out" / "index.html").read_text()
    assert "Rehearsal of bookstore.pingpublications.com" in page
    told = json.loads((tmp_path / "out" / "host-stops.json").read_text())
    assert told["verdict"]["status"] == "passed"


def test_the_scenarios_that_only_a_request_runs_are_named(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(files)
    names = "cdn-blackholed, db-hangs, cdn-hangs, db-degraded, db-fails-over"
    record = "bookstore.pingpublications.com"
    shown = f"not rehearsed for {record}: {names}; give --scenario cdn-blackholed"
    assert shown in capsys.readouterr().out
    assert f"Not rehearsed: {names}." in (tmp_path / "out" / "index.html").read_text()


def test_what_does_not_hold_ends_with_a_report_and_failure(
    files: list[str], tmp_path: Path, resiliency: Resiliency
) -> None:
    done = resiliency(*files, "--scenario", "host-stops", "--seed", "1", status=1)
    assert "failed      bookstore-api-blue stops and comes back" in done.out
    assert (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--scenario", "endpoint-hangs"], 0),
        (["--scenario", "endpoint-hangs", "--strict"], 1),
        (["--scenario", "both-stop", "--strict"], 0),
    ],
)
def test_what_is_not_covered_is_no_success_that_counts(
    files: list[str], tmp_path: Path, resiliency: Resiliency, words: list[str], status: int
) -> None:
    assert (
        f"0 of 1 passed, 1 not covered ({words[1]})"
        in resiliency(*files, *words, status=status).out
    )
    journal = json.loads((tmp_path / "out" / f"{words[1]}.json").read_text())
    assert journal["verdict"]["status"] == "not covered"
    assert journal["verdict"]["message"].startswith("clients of bookstore.pingpublications.com are")


def test_the_usual_scenarios_are_those_of_the_deciding_dependencies(
    deployment: Deployment, deciding_templates: Templates
) -> None:
    assert [each.name for each in chosen_scenarios(deployment, [])] == [
        "host-stops",
        "endpoint-hangs",
        "db-blackholed",
        "both-stop",
        "probe-killed",
    ]
    assert scenarios_left_out(deployment, []) == [
        "cdn-blackholed",
        "db-hangs",
        "cdn-hangs",
        "db-degraded",
        "db-fails-over",
    ]
    assert scenarios_left_out(deployment, ["host-stops"]) == []
    deciding = read_deployment(deciding_templates)
    left_out = ["cdn-blackholed", "cdn-hangs", "db-degraded", "db-fails-over"]
    assert scenarios_left_out(deciding, []) == left_out
    assert "db-hangs" in [each.name for each in chosen_scenarios(deciding, [])]


def checked_by(deployment: Deployment, kind: str) -> Deployment:
    """The deployment with another check of its dependencies."""
    probe = deployment.probe
    assert probe is not None
    targets = [{**target, "check": kind} for target in probe["targets"]]
    return replace(deployment, probe={**probe, "targets": targets})


def test_one_that_hangs_is_no_usual_scenario_where_the_probe_only_connects(
    deciding_templates: Templates,
) -> None:
    deployment = checked_by(read_deployment(deciding_templates), "tcp")
    assert "db-hangs" in scenarios_left_out(deployment, [])


@pytest.mark.parametrize("kind", ["tls", "dns"])
def test_what_has_no_connection_that_could_hang_here_has_no_such_scenario(
    deployment: Deployment, kind: str
) -> None:
    names = [each.name for each in scenarios_of(checked_by(deployment, kind))]
    assert not {"db-hangs", "cdn-hangs", "db-degraded", "cdn-degraded"} & set(names)


def test_one_that_the_kernel_answers_for_is_not_degraded(deployment: Deployment) -> None:
    names = [each.name for each in scenarios_of(checked_by(deployment, "tcp"))]
    assert not {"db-degraded", "cdn-degraded"} & set(names)


@pytest.mark.parametrize("kind", ["tcp", "tls", "http", "redis", "dns"])
def test_what_is_not_checked_as_a_database_does_not_fail_over(
    deployment: Deployment, kind: str
) -> None:
    names = [each.name for each in scenarios_of(checked_by(deployment, kind))]
    assert not {"db-fails-over", "cdn-fails-over"} & set(names)


def test_a_scenario_that_exists_is_run_on_request(deployment: Deployment) -> None:
    assert [each.name for each in chosen_scenarios(deployment, ["cdn-blackholed"])] == [
        "cdn-blackholed"
    ]


def test_a_scenario_that_does_not_exist_is_refused(deployment: Deployment) -> None:
    with pytest.raises(UserError) as refused:
        require_known([deployment], ["earthquake"])
    assert str(refused.value) == (
        "--scenario earthquake: is not a scenario; allowed: host-stops, endpoint-hangs, "
        "db-blackholed, cdn-blackholed, db-hangs, cdn-hangs, db-degraded, db-fails-over, "
        "both-stop, probe-killed"
    )


def test_a_lost_process_is_reported_and_nothing_is_written(
    files: list[str], tmp_path: Path, resiliency: Resiliency
) -> None:
    done = resiliency(*files, "--scenario", "host-stops", "--seed", "2", status=1)
    assert done.err == (
        "rehearse: host-stops: moto's server (process 7) was ended by signal SIGKILL; "
        "all its processes have ended, nothing is written\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(
    files: list[str],
    tmp_path: Path,
    resiliency: Resiliency,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    def watch(*_: object) -> None:
        os.kill(os.getpid(), number)

    monkeypatch.setattr(Progress, "watch", watch)
    former = signal.signal(number, signal.SIG_DFL)  # the tests may run under nohup
    try:
        printed = resiliency(*files, "--scenario", "host-stops", "--seed", "4", status=1)
    finally:
        signal.signal(number, former)
    assert printed.err == (
        f"rehearse: stopped by {number.name}; all its processes have ended, nothing is written\n"
    )
    assert not (tmp_path / "out").exists()


def test_other_systems_than_linux_are_refused(
    files: list[str], resiliency: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "needs Linux" in resiliency(*files, status=1).err


def test_somebody_elses_folder_is_refused_before_anything_runs(
    files: list[str], tmp_path: Path, resiliency: Resiliency
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    assert "holds thesis.txt" in resiliency(*files, status=1).err


def test_a_report_that_can_t_be_written_is_reported(
    files: list[str], resiliency: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", refuse)
    done = resiliency(*files, "--scenario", "host-stops", status=1)
    assert "can't be written (No space left on device)" in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--time-scale", "0.5"], "'0.5' is no number from 1 to 120"),
        (["--time-scale", "fast"], "'fast' is no number from 1 to 120"),
        (["--host", "blue"], "'blue' is not of the form NAME=ADDRESS"),
        (["--objective", "0"], "'0' is no number from 1 to 86400"),
        (["--at-once", "0"], "'0' is no number from 1 to 100"),
    ],
)
def test_bad_options_are_refused(words: list[str], told: str, resiliency: Resiliency) -> None:
    assert told in resiliency("rehearse", *words, status=2).err


def test_real_time_is_a_scale_of_one() -> None:
    options = cli.parser().parse_args(["rehearse", "--real-time", "--host", "a=blue=10.0.0.1"])
    assert options.time_scale == 1
    assert dict(options.host) == {"a=blue": "10.0.0.1"}
    assert options.paths == [Path("cdk.out")]


def with_pairs(templates: Templates, folder: Path, **types: str) -> list[str]:
    """The command for the example with copies of its pair, by their labels and record types."""

    def edit(changed: dict[str, Data]) -> None:
        resources = changed["bookstore-production-failover"]["Resources"]
        pair = [one for one in resources.values() if one["Type"] == "AWS::Route53::RecordSet"]
        for label, kind in types.items():
            name = f"{label}.pingpublications.com."
            for number, record in enumerate(pair):
                properties = {**record["Properties"], "Name": name, "Type": kind}
                resources[f"{label}{number}"] = {**record, "Properties": properties}

    paths = []
    for stack, template in edited(templates, edit).items():
        paths.append(folder / f"{stack}.json")
        paths[-1].write_text(json.dumps(template))
    return ["rehearse", *map(str, paths), "--out", str(folder / "out")]


def test_every_pair_is_rehearsed(
    example_templates: Templates, tmp_path: Path, resiliency: Resiliency
) -> None:
    words = with_pairs(example_templates, tmp_path, shop="AAAA")
    out = resiliency(*words, "--scenario", "host-stops").out
    assert "Rehearsing bookstore.pingpublications.com on this machine" in out
    assert "Rehearsing shop.pingpublications.com AAAA on this machine" in out
    assert "2 of 2 passed" in out
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "bookstore.pingpublications.com-host-stops.json",
        "shop.pingpublications.com-host-stops-ipv6.json",
        "index.html",
    }
    text = (tmp_path / "out" / "index.html").read_text()
    assert "shop.pingpublications.com: host-stops-ipv6</a>" in text


def test_a_pair_without_a_chosen_scenario_is_named(
    example_templates: Templates, tmp_path: Path, resiliency: Resiliency
) -> None:
    site = tmp_path / "site.json"
    site.write_text(json.dumps(hand_written()))
    words = with_pairs(example_templates, tmp_path)
    out = resiliency(words[0], site, *words[1:], "--scenario", "probe-killed").out
    assert "shop.example.com: has none of the scenarios probe-killed" in out
    assert "1 of 1 passed" in out


def test_a_pair_that_is_left_out_is_no_success(
    example_templates: Templates, tmp_path: Path, resiliency: Resiliency
) -> None:
    words = with_pairs(example_templates, tmp_path, shop="CNAME")
    printed = resiliency(*words, "--scenario", "host-stops", status=1)
    told = "shop.pingpublications.com CNAME: only A and AAAA pairs can be rehearsed"
    out = printed.out
    assert "1 of 1 passed" in out
    assert f"left out: {told}" in out
    assert f"Left out: {told}." in (tmp_path / "out" / "index.html").read_text()


def test_one_pair_is_rehearsed_where_it_is_named(
    example_templates: Templates, tmp_path: Path, resiliency: Resiliency
) -> None:
    words = with_pairs(example_templates, tmp_path, shop="CNAME")
    chosen = ["--scenario", "host-stops", "--record", "bookstore.pingpublications.com"]
    assert "left out" not in resiliency(*words, *chosen).out
    done = resiliency(*words, "--record", "shop.pingpublications.com", status=1)
    assert "only A and AAAA pairs can be rehearsed" in done.err


def test_in_a_terminal_progress_is_a_table(deployment: Deployment) -> None:
    plans = plans_of(deployment, "host-stops", "both-stop", scale=20, outages=20)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=160)
    with Progress(plans, 20, console) as progress:
        (outcome,) = play(deployment, "host-stops", seed=0)
        phases = [Phase("steady state", 1000, 1010)]
        running = Running(outcome.plan, list(outcome.observations), phases, outcome.run)
        for each in outcome.observations:
            progress.watch(running, each)
        console.print(progress._table())
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert re.search(r"host-stops +done +7:44 .* bookstore-api-blue", shown)
    assert re.search(r"both-stop +waits", shown)


def test_in_a_narrow_terminal_progress_is_lines(deployment: Deployment) -> None:
    plans = plans_of(deployment, "host-stops", scale=20, outages=20)
    screen = io.StringIO()
    with Progress(plans, 20, Console(file=screen, force_terminal=True, width=40)) as progress:
        (outcome,) = play(deployment, "host-stops", seed=0)
        running = Running(outcome.plan, [], [Phase("steady state", 1000, None)])
        progress.watch(running, None)
    assert re.search(r"host-stops +0:00 +steady state", screen.getvalue())


def test_an_observation_that_arrives_late_is_not_printed(deployment: Deployment) -> None:
    (plan,) = plans_of(deployment, "host-stops", scale=20, outages=20)
    screen = io.StringIO()
    with Progress([plan], 20, Console(file=screen, width=160)) as progress:
        running = Running(plan, [], [Phase("fault", 1000, None)], None)
        for at, value in ((1001.0, "blue"), (1003.0, "no answer"), (1004.0, "green")):
            progress.watch(running, Observation(at, Source.CLIENT, "shop.example.com", value))
        progress.watch(running, Observation(1002.0, Source.CLIENT, "shop.example.com", "no answer"))
    assert [line.split()[-1] for line in screen.getvalue().splitlines()] == ["answer", "green"]


def test_failures_say_what_was_found(example_templates: Templates) -> None:
    noisy = "bookstore-api-green-db-connectivity-failed"
    deployment = read_deployment(edited(example_templates, set_alarm(noisy, Threshold=1)))
    outcomes = play(deployment, "probe-killed", "endpoint-hangs", seed=1)
    screen = io.StringIO()
    print_outcomes(deployment, outcomes, Console(file=screen, width=160))
    shown = screen.getvalue()
    assert re.search(r"failed +bookstore-api-blue-probe-silent fires: not within 400 s", shown)
    assert "clients of bookstore.pingpublications.com are served" in shown
    assert "note nothing here would move clients" not in shown


def last_lines(deployment: Deployment, *names: str, seed: int) -> list[str]:
    screen = io.StringIO()
    print_outcomes(deployment, play(deployment, *names, seed=seed), Console(file=screen, width=160))
    return screen.getvalue().splitlines()[-len(names) :]


def test_the_last_lines_hold_clients_against_the_objective(deployment: Deployment) -> None:
    stops, hangs = last_lines(deployment, "host-stops", "endpoint-hangs", seed=0)
    assert stops == (
        "passed      bookstore-api-blue stops and comes back: clients reached bookstore-api-green "
        "after 40 s, objective 600 s"
    )
    assert hangs == (
        "not covered the endpoint of bookstore-api-blue hangs: no deciding signal "
        f"({STATUS_ALARM}) shows it; to cover it, add endpoint or peer to failover_on"
    )


def test_clients_who_never_move_miss_the_objective(deployment: Deployment) -> None:
    (last,) = last_lines(deployment, "host-stops", seed=1)
    assert last.startswith("failed ")
    assert last.endswith(": clients did not reach bookstore-api-green, objective 600 s")


def test_without_an_objective_none_is_printed(deployment: Deployment) -> None:
    (last,) = last_lines(replace(deployment, objective_seconds=None), "host-stops", seed=0)
    assert last == "passed      bookstore-api-blue stops and comes back"
