"""Scenarios side by side, judged; and what becomes of processes that are lost or stopped."""

import asyncio
import io
import json
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from resiliency.rehearsal.console import print_outcomes
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.outcome import Outcome, Running, judged
from resiliency.rehearsal.prediction import assumptions_for
from resiliency.rehearsal.rehearse import rehearse
from resiliency.rehearsal.subprocess_entry import die_with
from resiliency.rehearsal.subprocesses import ManagedProcess, ManagedProcesses, RehearsalError
from staged_resiliency.experiment.journal import Phase
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source
from staged_resiliency.experiment.verdict import Run, Status
from tests.resiliency.rehearsal.support import (
    FAILOVER_ALARM,
    STATUS_ALARM,
    Edit,
    Templates,
    children_of,
    edited,
    plans_of,
    set_alarm,
    silence_alarms,
    templates_of,
)

RUNNER = "tests.resiliency.rehearsal.fake_runner"
SCALE = 20.0
SERVER = ("http.server", "--bind", "127.0.0.1", "0")
"""A module that prints a line and then waits."""


async def played(
    deployment: Deployment, *names: str, seed: int, at_once: int | None = None
) -> Sequence[Outcome]:
    plans = plans_of(deployment, *names, scale=SCALE, outages=50)
    assumed = assumptions_for(deployment)
    return await rehearse(
        deployment, plans, assumed, scale=SCALE, seed=seed, at_once=at_once, runner=RUNNER
    )


def play(deployment: Deployment, *names: str, seed: int) -> Sequence[Outcome]:
    return asyncio.run(played(deployment, *names, seed=seed))


def test_what_held_passes_with_the_times_it_took(deployment: Deployment) -> None:
    (outcome,) = play(deployment, "host-stops", seed=0)
    assert outcome.verdict.status is Status.PASSED, outcome.verdict.message
    assert outcome.run == Run(1010, 1020, 1030, SCALE, 600)
    journal = outcome.journal
    assert journal["kind"] == "rehearsal"
    assert (journal["service"], journal["environment"]) == ("bookstore", "production")
    assert (journal["experiment"], journal["fault"]) == ("host-stops", "host stopped")
    assert journal["run_id"] == "bookstore-host-stops-19700101T001640Z-0"
    assert journal["measures"]["failover_seconds"] == 40
    assert journal["measures"]["failback_seconds"] == 60
    assert journal["predicted_seconds"].keys() == {"best", "median", "p95", "worst"}
    assert [each["name"] for each in journal["phases"]] == ["steady state", "fault", "recovery"]
    assert json.loads(json.dumps(journal)) == journal


def test_the_watcher_is_given_the_client_and_its_server(deployment: Deployment) -> None:
    seen: list[Running] = []

    async def run() -> None:
        await rehearse(
            deployment,
            plans_of(deployment, "host-stops", scale=SCALE, outages=50),
            assumptions_for(deployment),
            scale=SCALE,
            watch=lambda running, observation: seen.append(running),
            runner=RUNNER,
        )

    asyncio.run(run())
    client, clock = seen[-1].client, seen[-1].clock
    assert client is not None
    assert (client.name, client.server) == (deployment.pair.name, ("127.0.0.1", 53))
    assert client.places == {"192.0.2.1": ("127.0.0.2", 80)}
    assert clock is not None
    assert clock.scale == SCALE


@pytest.mark.slow
def test_scenarios_wait_for_one_another_where_they_are_to(deployment: Deployment) -> None:
    outcomes = asyncio.run(played(deployment, "host-stops", "both-stop", seed=0, at_once=1))
    assert [outcome.plan.scenario.name for outcome in outcomes] == ["host-stops", "both-stop"]


def test_a_runner_that_ends_without_a_word_ends_all(deployment: Deployment) -> None:
    with pytest.raises(RehearsalError, match=r"the runner of host-stops .* with status 1: .*luck"):
        play(deployment, "host-stops", seed=3)


def test_a_rehearsal_that_is_stopped_leaves_no_process_behind(deployment: Deployment) -> None:
    async def run() -> set[int]:
        before = children_of(os.getpid())
        task = asyncio.get_running_loop().create_task(played(deployment, "host-stops", seed=4))
        while not (found := children_of(os.getpid()) - before):
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return found

    for pid in asyncio.run(run()):
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("scale", [20.0, 120.0])
def test_a_client_that_is_late_on_a_busy_machine_was_served(
    deployment: Deployment, scale: float
) -> None:
    """For 2.5 s, which may be five minutes of the service."""
    (outcome,) = play(deployment, "probe-killed", seed=0)
    seen = [
        *(each for each in outcome.observations if each.source is not Source.CLIENT),
        Observation(1007.5, Source.CLIENT, deployment.pair.name, deployment.active.name),
        Observation(1011.0, Source.CLIENT, deployment.pair.name, deployment.active.name),
    ]
    run = replace(outcome.run, time_scale=scale)
    running = Running(outcome.plan, seen, [Phase("steady state", 1000, 1010)], run)
    assert "before the fault" not in judged(deployment, running, 0).verdict.message


@pytest.mark.parametrize(("asked_at", "is_reported"), [(1009.95, True), (1001.0, False)])
def test_clients_must_have_been_served_by_the_active_host_before(
    deployment: Deployment, asked_at: float, is_reported: bool
) -> None:
    (outcome,) = play(deployment, "probe-killed", seed=0)
    seen = [
        *outcome.observations,
        Observation(1009.0, Source.CLIENT, deployment.pair.name, deployment.active.name),
        Observation(1009.99, Source.CLIENT, deployment.pair.name, NO_ANSWER),
        Observation(asked_at, Source.CLIENT, deployment.pair.name, "somebody"),
    ]
    running = Running(outcome.plan, seen, [Phase("steady state", 1000, 1010)], outcome.run)
    verdict = judged(deployment, running, 0).verdict
    assert ("before the fault clients were served by somebody" in verdict.message) is is_reported


@pytest.mark.parametrize(
    "off",
    [set_alarm(STATUS_ALARM, AlarmActions=None), set_alarm(STATUS_ALARM, ActionsEnabled=False)],
    ids=["none", "disabled"],
)
def test_people_must_be_notified_of_what_the_plan_expects(
    example_templates: Templates, off: Edit
) -> None:
    silent = read_deployment(edited(example_templates, off))
    (outcome,) = play(silent, "host-stops", seed=0)
    assert outcome.verdict.status is Status.FAILED
    message = f"nobody is notified of {STATUS_ALARM}: it has no topic as an action when it fires"
    assert outcome.verdict.message == message
    assert outcome.journal["verdict"]["message"] == message
    console = Console(file=io.StringIO(), width=60)
    print_outcomes(silent, [outcome], console)
    assert message in console.file.getvalue()  # type: ignore[attr-defined]


def test_people_must_be_notified_that_clients_are_moved_and_back(
    example_templates: Templates,
) -> None:
    silent = read_deployment(edited(example_templates, silence_alarms))
    (outcome,) = play(silent, "host-stops", seed=0)
    assert outcome.extra_failures == [
        f"nobody is notified of {STATUS_ALARM}: it has no topic as an action when it fires",
        f"nobody is notified of {FAILOVER_ALARM}: it has no topic as an action when it fires",
        f"nobody is notified of {FAILOVER_ALARM}: it has no topic as an action when it recovers",
    ]


@pytest.mark.parametrize("signal", ["endpoint", "status"])
def test_some_message_must_say_that_clients_are_moved(signal: str) -> None:
    templates = dict(templates_of(lambda env: env.update(failover_on=[signal])))
    del templates["bookstore-production-failover-alarm"]
    scenario = {"endpoint": "endpoint-hangs", "status": "host-stops"}[signal]
    (outcome,) = play(read_deployment(templates), scenario, seed=0)
    # The status alarm notifies of the fault itself; nothing does of an endpoint that hangs.
    assert outcome.extra_failures == (
        []
        if signal == "status"
        else [
            "clients are sent to bookstore-api-green and nobody is notified: no alarm watches what "
            "decides it; add one on the metric HealthCheckStatus of the primary record's health "
            "check, in us-east-1"
        ]
    )


@pytest.mark.parametrize(("at", "found"), [(None, "none came"), (1060.0, "it came after 1000 s")])
def test_a_message_must_arrive_in_time(
    deployment: Deployment, at: float | None, found: str
) -> None:
    (outcome,) = play(deployment, "host-stops", seed=0)
    seen = [
        each
        for each in outcome.observations
        if each.source is not Source.MESSAGE or each.subject != STATUS_ALARM
    ]
    if at is not None:
        seen.append(Observation(at, Source.MESSAGE, STATUS_ALARM, "ALARM"))
    running = Running(outcome.plan, seen, [Phase("steady state", 1000, 1010)], outcome.run)
    verdict = judged(deployment, running, 0).verdict
    assert verdict.status is Status.FAILED
    within = next(
        within for expected, within in outcome.plan.messages if expected.alarm == STATUS_ALARM
    )
    assert verdict.message == f"a message of {STATUS_ALARM}: not within {within:.0f} s ({found})"


def test_a_process_that_is_lost_is_reported() -> None:
    lost: list[str] = []

    async def run() -> None:
        processes = ManagedProcesses(lost.append)
        lines: list[str] = []
        child = await processes.start("the server", *SERVER, on_line=lines.append)
        while not lines:
            await asyncio.sleep(0.01)
        child.signal(signal.SIGKILL)
        while not lost:
            await asyncio.sleep(0.01)
        child.signal(signal.SIGKILL)  # it has ended, which is no error
        await processes.close()

    asyncio.run(asyncio.wait_for(run(), 60))
    assert re.fullmatch(r"the server \(process \d+\) was ended by signal SIGKILL", lost[0])


def test_processes_that_are_to_end_are_not_lost() -> None:
    lost: list[str] = []

    async def run() -> list[int]:
        processes = ManagedProcesses(lost.append)
        first, second = [await processes.start("the server", *SERVER) for _ in range(2)]
        await first.kill()
        await processes.close(gently=True)
        return [first.pid, second.pid]

    for pid in asyncio.run(asyncio.wait_for(run(), 60)):
        assert not Path(f"/proc/{pid}").exists()
    assert not lost


def test_what_can_t_be_watched_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[str] = []

    async def break_off(*_: object) -> None:
        raise ValueError("too long a line")

    async def run() -> None:
        monkeypatch.setattr(ManagedProcess, "follow", break_off)
        processes = ManagedProcesses(lost.append)
        child = await processes.start("the server", *SERVER)
        while not lost:
            await asyncio.sleep(0.01)
        await child.kill()

    asyncio.run(asyncio.wait_for(run(), 60))
    assert lost == ["a process can't be monitored: ValueError('too long a line')"]


def test_a_process_whose_parent_has_ended_ends() -> None:
    with pytest.raises(SystemExit, match="the rehearsal has ended"):
        die_with(1 if os.getppid() != 1 else 2)


def test_a_process_asks_to_die_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Library:
        def prctl(self, option: int, number: int) -> int:
            asked.append((option, number))
            return 0

    monkeypatch.setattr("ctypes.CDLL", lambda _: Library())
    die_with(os.getppid())
    assert asked == [(1, signal.SIGKILL)]
