"""Hosts that are broken and put right, with real services and probes."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.http_client import ask
from resiliency.rehearsal.scenarios import scenarios_of
from resiliency.rehearsal.simulated_hosts import SimulatedHosts, with_time_to_answer
from resiliency.rehearsal.subprocesses import ManagedProcesses
from tests.resiliency.failover_model.support import hand_written
from tests.resiliency.rehearsal.support import Templates


async def answering(hosts: SimulatedHosts, deployment: Deployment) -> list[bool]:
    """Whether each host answers clients."""
    found = []
    for host in hosts.hosts.values():
        try:
            found.append((await ask(host.place, "shop", deployment.path, 1)).status == 200)
        except OSError:
            found.append(False)
    return found


def played(deployment: Deployment, folder: Path, *names: str) -> dict[str, list[list[bool]]]:
    """Who answers during each fault, and after it."""
    lost: list[object] = []

    async def run() -> dict[str, list[list[bool]]]:
        clock, processes = Clock.starting(20), ManagedProcesses(lost.append)
        hosts = SimulatedHosts(deployment, ("127.0.0.1", "127.0.0.1"))
        found = {}
        try:
            await hosts.start(processes, folder, "http://127.0.0.1:9", clock)
            for scenario in scenarios_of(deployment):
                if scenario.name not in names:
                    continue
                await hosts.inject(scenario, clock)
                during = await answering(hosts, deployment)
                await hosts.end(scenario, processes, clock)
                limit = time.monotonic() + 30
                while not all(after := await answering(hosts, deployment)):
                    if time.monotonic() > limit:
                        break
                found[scenario.name] = [during, after]
        finally:
            await processes.close()
            hosts.close()
        return found

    found = asyncio.run(asyncio.wait_for(run(), 120))
    assert not lost
    return found


@pytest.mark.slow
def test_each_fault_takes_away_what_it_names_and_its_end_gives_it_back(
    deployment: Deployment, tmp_path: Path
) -> None:
    expected = {
        "host-stops": [[False, True], [True, True]],
        "endpoint-hangs": [[False, True], [True, True]],
        "db-blackholed": [[True, True], [True, True]],
        "db-hangs": [[True, True], [True, True]],
        "db-degraded": [[True, True], [True, True]],
        "db-fails-over": [[True, True], [True, True]],
        "both-stop": [[False, False], [True, True]],
        "probe-killed": [[True, True], [True, True]],
    }
    assert played(deployment, tmp_path, *expected) == expected


@pytest.mark.slow
def test_a_service_without_a_probe_is_rehearsed_too(tmp_path: Path) -> None:
    deployment = read_deployment({"site": hand_written()})
    assert [each.name for each in scenarios_of(deployment)] == [
        "host-stops",
        "endpoint-hangs",
        "both-stop",
    ]
    found = played(deployment, tmp_path, "host-stops")
    assert found == {"host-stops": [[False, True], [True, True]]}
    assert not list(tmp_path.iterdir())


@pytest.fixture
def not_started(deciding_templates: Templates) -> Iterator[SimulatedHosts]:
    """Hosts that have their sockets, and no process."""
    hosts = SimulatedHosts(read_deployment(deciding_templates), ("127.0.0.1", "127.0.0.1"))
    yield hosts
    for host in hosts.hosts.values():
        host._socket.close()
        for dependency in host._dependencies.values():
            assert dependency._listener is not None
            dependency._listener.close()


def test_an_address_of_neither_host_means_the_active_one(
    not_started: SimulatedHosts, deciding_templates: Templates
) -> None:
    deployment, hosts = read_deployment(deciding_templates), not_started
    active = hosts.hosts[deployment.active.name]
    assert active.running
    assert hosts.place_of(deployment.standby.address) != active.place
    assert hosts.place_of("shop.example.com") == active.place


@pytest.mark.slow
@pytest.mark.parametrize("alone", [False, True])
def test_probes_that_receive_statsd_are_rehearsed_on_one_machine(
    deployment: Deployment, tmp_path: Path, *, alone: bool
) -> None:
    statsd = {"metrics": ["errors"], "tags": [], "max_metrics": 5, "port": 8125}
    assert deployment.probe is not None
    probe = {**deployment.probe, "statsd": statsd}
    if alone:
        probe = {**probe, "targets": [], "peers": {}}
    found = played(replace(deployment, probe=probe), tmp_path, "host-stops")
    assert found == {"host-stops": [[False, True], [True, True]]}
    files = [json.loads(file.read_text()) for file in tmp_path.iterdir()]
    assert len({each["statsd"]["port"] for each in files} | {8125}) == 3


def test_a_name_tag_with_a_slash_names_no_other_folder(
    not_started: SimulatedHosts, tmp_path: Path
) -> None:
    host, _ = not_started.hosts.values()
    host.host = replace(host.host, name="Shop/Blue")
    file = host.write_configuration(tmp_path, not_started, "http://127.0.0.1:9", Clock.starting(20))
    assert file is not None
    assert file.parent == tmp_path
    assert json.loads(file.read_text())["host"] == "Shop/Blue"


@pytest.mark.parametrize(
    ("given", "scale", "expected"),
    [
        ((10, 5), 10, (10, 5)),
        ((10, 5), 20, (10, 8)),
        ((10, 5), 60, (30, 24)),
        ((60, 5), 60, (60, 24)),
        ((2, 1), 20, (10, 8)),
        ((60, 50), 120, (60, 50)),
    ],
)
def test_checks_have_two_fifths_of_a_second_here(
    given: tuple[int, float], scale: float, expected: tuple[int, float]
) -> None:
    pace = {"interval_seconds": given[0], "timeout_seconds": given[1]}
    found = with_time_to_answer(pace, scale)
    assert (found["interval_seconds"], found["timeout_seconds"]) == expected
