"""One real run, fast: real processes on loopback, from the steady state until all is well again."""

import asyncio
import json
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from resiliency.failover_model.assumptions import Range
from resiliency.rehearsal.agent_process import FixedCredentials, agent_of
from resiliency.rehearsal.client_process import Settings
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.expectations import Expected, Plan, RunSpec
from resiliency.rehearsal.prediction import assumptions_for
from resiliency.rehearsal.scenario_runner import ScenarioRunner
from resiliency.rehearsal.scenarios import scenarios_of
from resiliency.rehearsal.subprocesses import RehearsalError
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    Expectation,
)
from tests.resiliency.rehearsal.support import (
    DB_ALARM,
    FAILOVER_ALARM,
    STATUS_ALARM,
    Templates,
    children_of,
)

SCALE = 120.0
NOTHING = Range(0, 0, "seconds", "this test")


def run_spec(deployment: Deployment, name: str, folder: Path, *hypothesis: Expectation) -> RunSpec:
    """As short a run as there can be."""
    (scenario,) = [each for each in scenarios_of(deployment) if each.name == name]
    expected = [Expected(each) for each in hypothesis]
    assumptions = replace(
        assumptions_for(deployment), resolver_floor=NOTHING, health_check_uptake=NOTHING
    )
    plan = Plan(scenario, expected, [], None, 150, 0, settled_seconds=0)
    return RunSpec(deployment, plan, assumptions, seed=0, scale=SCALE, folder=folder)


def events_of(given: RunSpec) -> Sequence[Sequence[object]]:
    """What a runner tells."""
    events: list[Sequence[object]] = []

    async def run() -> None:
        await ScenarioRunner(given, events.append).run()

    asyncio.run(asyncio.wait_for(run(), 120))
    return events


def values(events: Sequence[Sequence[object]], source: str, subject: str) -> list[object]:
    """The values of one subject in the order of their times, each change once."""
    found: list[object] = []
    seen = [rest for kind, *rest in events if kind == "seen"]
    for each in sorted(seen, key=lambda one: float(str(one[0]))):
        if each[1:3] == [source, subject] and found[-1:] != [each[3]]:
            found.append(each[3])
    return found


@pytest.mark.slow
def test_a_real_run_goes_from_well_to_broken_and_back(
    deciding_templates: Templates, tmp_path: Path
) -> None:
    deployment = read_deployment(deciding_templates)
    record, blue, green = deployment.pair.name, deployment.active.name, deployment.standby.name
    events = events_of(
        run_spec(
            deployment,
            "db-blackholed",
            tmp_path,
            ClientsMove(record, green, 900),
            AlarmFires(DB_ALARM, 900),
            AlarmFires(FAILOVER_ALARM, 900),
            ClientsReturn(record, blue, 900),
            AlarmRecovers(DB_ALARM, 900),
            AlarmRecovers(FAILOVER_ALARM, 900),
        )
    )
    assert [each[2] for each in events if each[0] == "began"] == [
        "start",
        "steady state",
        "fault",
        "recovery",
    ]
    assert len([each for each in events if each[0] == "done"]) == 1
    assert values(events, "fault", "dependency blackholed") == ["injected", "ended"]
    assert values(events, "alarm", DB_ALARM)[-2:] == ["ALARM", "OK"]
    (ended_at,) = [float(str(each[2])) for each in events if each[0] == "done"]
    quiet = [float(str(each[1])) for each in events if each[2:4] == ["alarm", STATUS_ALARM]]
    assert max(quiet) > ended_at, "an alarm that never changed must be seen after the fault too"
    (reachable,) = [each[1:] for each in events if each[0] == "reachable"]
    client = Settings.from_json(str(reachable[0]))
    assert client.name == record
    assert client.places.keys() == {deployment.active.address, deployment.standby.address}
    assert Clock.from_json(str(reachable[1])).scale == SCALE
    assert values(events, "dns", record)[-3:] == ["54.213.54.171", "52.11.79.9", "54.213.54.171"]
    clients = values(events, "client", record)
    assert clients[0] == blue
    assert green in clients
    assert clients[-1] == blue
    assert "ALARM" in values(events, "message", DB_ALARM)
    assert values(events, "message", FAILOVER_ALARM)[-2:] == ["ALARM", "OK"]
    assert values(events, "health check", "bookstore-api-blue-all-signals")[-3:] == [
        "healthy",
        "unhealthy",
        "healthy",
    ]


def test_a_process_that_is_lost_ends_the_run(deployment: Deployment, tmp_path: Path) -> None:
    events: list[Sequence[object]] = []

    async def run() -> None:
        runner = ScenarioRunner(run_spec(deployment, "host-stops", tmp_path), events.append)
        task = asyncio.get_running_loop().create_task(runner.run())
        while not events:
            await asyncio.sleep(0.01)
        runner._fail("the client (process 7) ended with status 1: no more")
        runner._fail("another one")
        await task

    with pytest.raises(RehearsalError) as raised:
        asyncio.run(asyncio.wait_for(run(), 60))
    assert str(raised.value) == "the client (process 7) ended with status 1: no more"


def test_work_that_fails_ends_the_run(deployment: Deployment, tmp_path: Path) -> None:
    async def fail() -> None:
        raise ValueError("out of order")

    async def run() -> None:
        runner = ScenarioRunner(run_spec(deployment, "host-stops", tmp_path), lambda _: None)
        task = asyncio.get_running_loop().create_task(runner.run())
        runner._begin(fail())
        await task

    with pytest.raises(RehearsalError, match=r"^ValueError: out of order$"):
        asyncio.run(asyncio.wait_for(run(), 60))


def test_a_start_that_takes_too_long_is_reported(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resiliency.rehearsal.scenario_runner._START_SECONDS", 0.01)
    with pytest.raises(RehearsalError, match="not everything started within 0 s"):
        events_of(run_spec(deployment, "host-stops", tmp_path))


@pytest.mark.slow
def test_a_runner_that_is_terminated_takes_everything_with_it(
    deployment: Deployment, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "resiliency.rehearsal.scenario_runner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(pickle.dumps(run_spec(deployment, "host-stops", tmp_path)))
    process.stdin.close()
    for line in process.stdout:
        if json.loads(line)[2:] == ["steady state"]:
            break
    below = children_of(process.pid)
    assert len(below) >= 6  # an API, two services, two probes and a client
    process.send_signal(signal.SIGTERM)
    process.stdout.read()
    process.stdout.close()
    assert process.wait(30) == 1
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]


def test_the_agent_runs_as_on_a_host_but_for_its_clock(tmp_path: Path) -> None:
    file = tmp_path / "configuration.json"
    target = {"metric": "db-connectivity", "check": "tcp", "host": "127.0.0.1", "port": 9}
    file.write_text(
        json.dumps(
            {"service": "shop", "namespace": "Shop", "host": "shop-blue", "region": "eu-west-1"}
            | {"targets": [target], "endpoint_url": "http://127.0.0.1:9"}
        )
    )
    clock = Clock(100, 0, 0, 1_000_000)
    agent, loop = agent_of(file, clock)
    assert loop.clock == clock.now
    assert agent.next_config is None
    loop.close()
    assert FixedCredentials().credentials().keys() == {
        "access_key",
        "secret_key",
        "token",
        "expiry_time",
    }
