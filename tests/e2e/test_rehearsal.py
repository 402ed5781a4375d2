"""Rehearsals with real processes: they agree with the model, and broken templates fail them."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from resiliency.rehearsal.aws_simulator import AwsSimulator
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.expectations import CLIENT_SECONDS, SLACK_SECONDS, Plan
from resiliency.rehearsal.moto_client import MotoClient
from resiliency.rehearsal.name_server import Zone
from resiliency.rehearsal.outcome import Outcome
from resiliency.rehearsal.prediction import assumptions_for
from resiliency.rehearsal.recorder import Recorder
from resiliency.rehearsal.rehearse import rehearse
from staged_resiliency.experiment.expectations import AlarmFires, ClientsMove
from staged_resiliency.experiment.observations import Source
from staged_resiliency.experiment.verdict import Status
from tests.resiliency.rehearsal.support import (
    DB_ALARM,
    FAILOVER_ALARM,
    STATUS_ALARM,
    Edit,
    Templates,
    all_signals,
    children_of,
    edited,
    plans_of,
    rehearse_all,
    remove_health_check,
    set_alarm,
    set_health_check,
    set_ttl,
    silence_alarms,
    swap_roles,
    swap_values,
    templates_of,
    written,
)
from tests.resiliency.rehearsal.test_dependency_failovers import (
    by_hosts,
    fails_over,
    own_name,
)

SCALE = 60.0
SEEDS: Mapping[str, Sequence[int]] = {
    "host-stops": (28, 37, 72, 110, 163, 171, 186, 194),
    "endpoint-hangs": (30, 47, 56, 59, 85, 104, 123, 178),
    "db-blackholed": (6, 8, 45, 83, 90, 128, 129, 197),
    "both-stop": (4, 5, 52, 59, 139, 150, 156, 194),
    "probe-killed": (17, 30, 62, 65, 69, 78, 144, 147),
}
"""The usual scenarios with eight phases each.

A seed draws when in a minute the fault begins, CloudWatch evaluates and Route 53 reads. With these
the moments of the fault are at most 12 s apart, in the minute as well as from the evaluation and
from the reading. With the seeds 0 to 19 they are up to 17 s apart.
"""
RUNS_AT_ONCE = 6

BREAKING: Mapping[str, tuple[str, Edit, str]] = {
    "a TTL of an hour": (
        "host-stops",
        set_ttl(3600),
        "clients of bookstore.pingpublications.com reach bookstore-api-green: not within",
    ),
    "silence that is no alarm": (
        "host-stops",
        set_alarm(STATUS_ALARM, TreatMissingData=None),
        f"{STATUS_ALARM} fires: not within",
    ),
    "silence that counts as health": (
        "host-stops",
        set_health_check(InsufficientDataHealthStatus="Healthy"),
        "clients of bookstore.pingpublications.com reach bookstore-api-green: not within",
    ),
    "ten of ten data points": (
        "db-blackholed",
        set_alarm(DB_ALARM, EvaluationPeriods=10, DatapointsToAlarm=10),
        f"{DB_ALARM} fires: not within",
    ),
    "a threshold that nothing is below": (
        "db-blackholed",
        set_alarm(DB_ALARM, Threshold=0),
        f"{DB_ALARM} fires: not within",
    ),
    "a threshold that health is over": (
        "host-stops",
        set_alarm(STATUS_ALARM, Threshold=0),
        "before the fault clients were served by bookstore-api-green, not bookstore-api-blue",
    ),
    "alarms that notify nobody": (
        "host-stops",
        silence_alarms,
        f"nobody is notified of {STATUS_ALARM}",
    ),
    "a failover alarm that notifies nobody": (
        "host-stops",
        set_alarm(FAILOVER_ALARM, AlarmActions=None),
        f"nobody is notified of {FAILOVER_ALARM}",
    ),
    "swapped values": (
        "host-stops",
        swap_values,
        "clients of bookstore.pingpublications.com reach bookstore-api-blue: not within",
    ),
    "swapped roles": (
        "host-stops",
        swap_roles,
        "clients of bookstore.pingpublications.com reach bookstore-api-blue: not within",
    ),
    "no health check": (
        "host-stops",
        remove_health_check,
        "clients of bookstore.pingpublications.com reach bookstore-api-green: not within",
    ),
    "a health check that is disabled": (
        "host-stops",
        set_health_check(Disabled=True),
        "clients of bookstore.pingpublications.com reach bookstore-api-green: not within",
    ),
}
"""What is done to the templates, which scenario fails by it, and how that begins."""


@pytest.fixture(scope="module")
def templates() -> Templates:
    return templates_of()


@pytest.fixture(scope="module")
def broken(templates: Templates) -> Mapping[str, Outcome]:
    runs = [(edited(templates, edit), name) for name, edit, _ in BREAKING.values()]
    outcomes = rehearse_all(runs, scale=SCALE, at_once=5)
    return dict(zip(BREAKING, outcomes, strict=True))


@pytest.mark.parametrize("what", BREAKING)
def test_a_broken_template_fails_and_the_verdict_says_why(
    broken: Mapping[str, Outcome], what: str
) -> None:
    verdict = broken[what].verdict
    assert verdict.status is Status.FAILED
    assert BREAKING[what][2] in verdict.message


@pytest.fixture(scope="module")
def seeded() -> Sequence[Outcome]:
    """The usual scenarios, at eight phases each."""
    deployment = read_deployment(templates_of())
    plans = {plan.scenario.name: plan for plan in plans_of(deployment, scale=SCALE)}
    assert plans.keys() == SEEDS.keys()

    async def run() -> Sequence[Outcome]:
        room = asyncio.Semaphore(RUNS_AT_ONCE)

        async def one(plan: Plan, seed: int) -> Sequence[Outcome]:
            assumed = assumptions_for(deployment)
            async with room:
                return await rehearse(deployment, [plan], assumed, scale=SCALE, seed=seed)

        runs = [one(plans[name], seed) for name, seeds in SEEDS.items() for seed in seeds]
        return [each for some in await asyncio.gather(*runs) for each in some]

    return asyncio.run(run())


NOT_COVERED = ("endpoint-hangs", "both-stop")
"""The scenarios that the example's design does not cover."""


def test_the_phases_are_spread_over_the_minute(templates: Templates) -> None:
    deployment = read_deployment(templates)
    for name, seeds in SEEDS.items():
        for moments in zip(*(_moments(deployment, name, seed) for seed in seeds), strict=True):
            inside = sorted(each % 60 for each in moments)
            gaps = [end - start for start, end in pairwise([*inside, inside[0] + 60])]
            assert max(gaps) <= 12, name


def _moments(deployment: Deployment, name: str, seed: int) -> tuple[float, float, float]:
    """When the fault begins: in the minute, since an evaluation, and since a reading of Route 53.

    Drawn in the order in which a runner draws.
    """
    chance, assumed = random.Random(f"{seed} {name}"), assumptions_for(deployment)
    assumed.resolver_floor.draw(chance)
    assumed.client_cache.draw(chance)
    chance.random()  # the client's first request
    clock = Clock.starting(SCALE)
    record, zone = Recorder(clock, lambda _: None), Zone(deployment.pair.name, "A", 60, [])
    aws = cast(MotoClient, None)
    AwsSimulator(deployment, assumed, chance, clock, aws, zone, {}, record, lambda _: None)
    chance.random()  # the status checks
    assumed.status_metric_delay.draw(chance)
    chance.random()  # the health check's metric
    evaluation, reading, fault = (60 * chance.random() for _ in range(3))
    return fault, fault - evaluation, fault - reading


def test_every_scenario_holds_at_eight_phases(seeded: Sequence[Outcome]) -> None:
    failed = [
        f"{outcome.plan.scenario.name}: {outcome.verdict.message}"
        for outcome in seeded
        if outcome.verdict.status
        is not (Status.NOT_COVERED if outcome.plan.scenario.name in NOT_COVERED else Status.PASSED)
    ]
    assert not failed


def test_measured_times_lie_within_the_models_bounds(seeded: Sequence[Outcome]) -> None:
    slack = SLACK_SECONDS * SCALE + CLIENT_SECONDS
    looked_at = 0
    for outcome in seeded:
        for judgement, expected in zip(
            outcome.verdict.judgements, outcome.plan.expected, strict=True
        ):
            if not isinstance(judgement.expectation, ClientsMove | AlarmFires):
                continue
            if getattr(judgement.expectation, "alarm", None) == FAILOVER_ALARM:
                continue  # the model ends at the health check
            assert judgement.seconds is not None
            assert expected.predicted is not None
            looked_at += 1
            assert expected.predicted.best - slack <= judgement.seconds
            assert judgement.seconds <= expected.predicted.worst + slack
    assert looked_at >= 6 * 8


def test_every_signal_moves_clients_when_it_decides() -> None:
    deciding = templates_of(all_signals)
    names = ["host-stops", "endpoint-hangs", "db-blackholed"]
    for outcome in rehearse_all([(deciding, name) for name in names], scale=30, at_once=3):
        moves = [each for each in outcome.plan.hypothesis if isinstance(each, ClientsMove)]
        assert len(moves) == 1
        assert outcome.verdict.status is Status.PASSED, outcome.verdict.message


def test_a_database_that_fails_over_moves_nobody_unless_it_decides(templates: Templates) -> None:
    name, deciding = "db-fails-over", templates_of(all_signals)
    usual, moved = rehearse_all([(templates, name), (deciding, name)], scale=30, at_once=2)
    assert usual.verdict.status is Status.PASSED, usual.verdict.message
    assert moved.verdict.status is Status.NOT_COVERED, moved.verdict.message
    lasted = moved.run.ended_at - moved.run.injected_at if moved.run.ended_at else 0
    assert 120 <= lasted * 30 < 180
    for outcome in (usual, moved):  # the alarms of both hosts fired, and recovered
        fired = {
            each.subject
            for each in outcome.observations
            if each.source is Source.ALARM and each.value == "ALARM"
        }
        assert {DB_ALARM, DB_ALARM.replace("blue", "green")} <= fired


def test_clients_of_a_dependencys_own_name_move_for_its_primary_alone() -> None:
    """Decided by the primary's endpoint, and by hosts; both at once, as they take real time."""
    pairs = [own_name(templates_of(edit)) for edit in (fails_over, by_hosts)]

    async def run() -> Sequence[Sequence[Outcome]]:
        return await asyncio.gather(
            *(
                rehearse(cdn, plans_of(cdn, scale=40), assumptions_for(cdn), scale=40)
                for cdn in pairs
            )
        )

    for outcomes in asyncio.run(run()):
        assert [(each.plan.scenario.name, each.verdict.status) for each in outcomes] == [
            ("cdn-primary-lost", Status.PASSED),
            ("cdn-secondary-lost", Status.PASSED),
        ], [each.verdict.message for each in outcomes]


@pytest.fixture
def running(templates: Templates, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, once everything of one scenario has started."""
    words = ["rehearse", *written(templates, tmp_path), "--scenario", "host-stops"]
    words += ["--out", f"{tmp_path}/out"]
    command = "import sys; from resiliency.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", command, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            if "steady state" in line:
                break
        yield process
        process.kill()


def _below(pid: int) -> set[int]:
    """All processes below one."""
    found = children_of(pid)
    return found.union(*map(_below, found))


def _left_of(processes: Iterable[int]) -> set[int]:
    """Those that still run, after a little while for the kernel to end orphans."""
    limit = time.monotonic() + 30
    left = set(processes)
    while left and time.monotonic() < limit:
        left = {pid for pid in left if _runs(pid)}
        time.sleep(0.05)
    return left


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"  # ended, and not yet waited for


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_leaves_nothing_behind(
    running: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    below = _below(running.pid)
    assert len(below) >= 7  # a runner, an API, two services, two probes and a client
    running.send_signal(number)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 1
    assert stderr == (
        f"rehearse: stopped by {number.name}; all its processes have ended, nothing is written\n"
    )
    assert not _left_of(below)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "module",
    [
        "moto.server",
        "service_process",
        "agent_process",
        "client_process",
        "rehearsal.scenario_runner",
    ],
)
def test_a_process_that_is_killed_is_named(
    running: subprocess.Popen[str], tmp_path: Path, module: str
) -> None:
    below = _below(running.pid)
    lost = next(
        pid for pid in below if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    os.kill(lost, signal.SIGKILL)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 1
    assert f"(process {lost}) was ended by signal SIGKILL; all its processes" in stderr
    assert stderr.count("\n") == 1
    assert not _left_of(below)
    assert not (tmp_path / "out").exists()


def test_a_command_that_is_killed_takes_its_processes_with_it(
    running: subprocess.Popen[str],
) -> None:
    below = _below(running.pid)
    running.kill()
    assert not _left_of(below)
