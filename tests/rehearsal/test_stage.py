"""Hosts that are broken and put right, with real services and probes."""

import asyncio
from pathlib import Path

from staged_resiliency.rehearsal.children import Children
from staged_resiliency.rehearsal.clock import Clock
from staged_resiliency.rehearsal.http_asking import ask
from staged_resiliency.rehearsal.scenarios import scenarios_of
from staged_resiliency.rehearsal.stage import Stage
from staged_resiliency.rehearsal.world import World, read_world
from tests.rehearsal.support import Templates
from tests.timing.support import hand_written


async def answering(stage: Stage, world: World) -> list[bool]:
    """Whether each host answers clients."""
    found = []
    for host in stage.hosts.values():
        try:
            found.append((await ask(host.place, "shop", world.path, 1)).status == 200)
        except OSError:
            found.append(False)
    return found


def played(world: World, folder: Path, *names: str) -> dict[str, list[list[bool]]]:
    """Who answers during each fault, and after it."""
    lost: list[object] = []

    async def run() -> dict[str, list[list[bool]]]:
        clock, children = Clock.starting(20), Children(lost.append)
        stage = Stage(world, ("127.0.0.1", "127.0.0.1"))
        found = {}
        try:
            await stage.start(children, folder, "http://127.0.0.1:9", clock)
            for scenario in scenarios_of(world):
                if scenario.name not in names:
                    continue
                await stage.inject(scenario)
                during = await answering(stage, world)
                await stage.end(scenario, children, clock)
                found[scenario.name] = [during, await answering(stage, world)]
        finally:
            await children.close()
            stage.close()
        return found

    found = asyncio.run(asyncio.wait_for(run(), 120))
    assert not lost
    return found


def test_each_fault_takes_away_what_it_names_and_its_end_gives_it_back(
    world: World, tmp_path: Path
) -> None:
    names = ["host-stops", "endpoint-hangs", "db-blackholed", "both-stop", "probe-killed"]
    assert played(world, tmp_path, *names) == {
        "host-stops": [[False, True], [True, True]],
        "endpoint-hangs": [[False, True], [True, True]],
        "db-blackholed": [[True, True], [True, True]],
        "both-stop": [[False, False], [True, True]],
        "probe-killed": [[True, True], [True, True]],
    }


def test_a_service_without_a_probe_is_rehearsed_too(tmp_path: Path) -> None:
    world = read_world({"site": hand_written()})
    assert [each.name for each in scenarios_of(world)] == [
        "host-stops",
        "endpoint-hangs",
        "both-stop",
    ]
    found = played(world, tmp_path, "host-stops")
    assert found == {"host-stops": [[False, True], [True, True]]}
    assert not list(tmp_path.iterdir())


def test_an_address_of_neither_host_stands_for_the_active_one(
    deciding_templates: Templates,
) -> None:
    world = read_world(deciding_templates)
    stage = Stage(world, ("127.0.0.1", "127.0.0.1"))
    active = stage.hosts[world.active.name]
    assert active.is_running()
    assert stage.place_of(world.standby.address) != active.place
    assert stage.place_of("shop.example.com") == active.place
    for host in stage.hosts.values():
        host._door.close()
        for dependency in host._dependencies.values():
            assert dependency._hole is not None
            dependency._hole.close()
