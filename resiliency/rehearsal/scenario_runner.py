"""One rehearsal of one scenario, as a process that starts all others of it.

``python -m resiliency.rehearsal.scenario_runner`` reads an order from its standard input and prints
a JSON array for each thing that happens: phases, observations, and at last the times of the run.
"""

import asyncio
import contextlib
import json
import pickle
import random
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from resiliency.rehearsal.aws_simulator import MINUTE, AwsSimulator
from resiliency.rehearsal.client_process import LEAST_DEADLINE_SECONDS, Settings
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import answer_address
from resiliency.rehearsal.moto_client import LISTENS, MotoClient
from resiliency.rehearsal.name_server import NameServer, Zone
from resiliency.rehearsal.recorder import Recorder
from resiliency.rehearsal.run_spec import RunSpec
from resiliency.rehearsal.simulated_hosts import SimulatedHosts
from resiliency.rehearsal.sockets import loopback_addresses
from resiliency.rehearsal.subprocesses import ManagedProcessError, ManagedProcesses
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
)
from staged_resiliency.experiment.observations import Source
from staged_resiliency.experiment.verdict import Run, Status, judge

_START_SECONDS: Final = 60.0
"""How long everything may take to start, in seconds here."""
_GLANCE_SECONDS: Final = 0.25

Timed = ClientsMove | ClientsReturn | AlarmFires | AlarmRecovers


class RehearsalError(Exception):
    """A rehearsal that can't go on; the message says why."""


class ScenarioRunner:
    """Runs one scenario.

    Args:
        order: What to do.
        tell: Told each thing that happens.
    """

    def __init__(self, order: RunSpec, tell: Callable[[Sequence[object]], None]) -> None:
        self._order = order
        self._world = order.world
        self._chance = random.Random(f"{order.seed} {order.scenario.name}")  # noqa: S311 - no secret
        self._clock = Clock.starting(order.scale)
        self._record = Recorder(self._clock, tell)
        self._children = ManagedProcesses(self._lost)
        self._trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._to_close = contextlib.ExitStack()

    async def run(self) -> None:
        """Rehearse, from nothing until everything has ended.

        Raises:
            RehearsalError: It can't go on.
        """
        stage = SimulatedHosts(self._world, loopback_addresses())
        playing = asyncio.get_running_loop().create_task(self._play(stage))
        try:
            await asyncio.wait({playing, self._trouble}, return_when=asyncio.FIRST_COMPLETED)
            if self._trouble.done():
                self._trouble.result()
            playing.result()
        finally:
            for task in (playing, *self._tasks):
                task.cancel()
            await asyncio.gather(playing, *self._tasks, return_exceptions=True)
            await self._children.close()
            self._to_close.close()
            stage.close()

    async def _play(self, stage: SimulatedHosts) -> None:
        order, scenario, clock = self._order, self._order.scenario, self._clock
        async with self._record.phase("start"):
            try:
                await asyncio.wait_for(self._start(stage), _START_SECONDS)
            except asyncio.TimeoutError:
                raise RehearsalError(
                    f"not everything started within {_START_SECONDS:.0f} s; is the machine busy?"
                ) from None
        async with self._record.phase("steady state"):
            # At a moment of the minute that comes from the seed, as the evaluations' moments do.
            minute = (clock.now() + order.steady_seconds) // MINUTE * MINUTE
            await clock.until(minute + MINUTE + MINUTE * self._chance.random())
        async with self._record.phase("fault"):
            injected_at = clock.stamp()
            self._record.see(Source.FAULT, scenario.action.value, "injected", at=injected_at)
            await stage.inject(scenario)
            await self._until_told(injected_at, None, order.fault_seconds)
        async with self._record.phase("recovery"):
            await stage.end(scenario, self._children, clock)
            ended_at = clock.stamp()
            self._record.see(Source.FAULT, scenario.action.value, "ended", at=ended_at)
            await self._until_told(injected_at, ended_at, 0)
        # Until now: what clients asked since is not judged, what they asked before is answered.
        until = clock.stamp()
        await asyncio.sleep(LEAST_DEADLINE_SECONDS)
        self._record.done(injected_at, ended_at, until)

    async def _start(self, stage: SimulatedHosts) -> None:
        world, clock, assumed = self._world, self._clock, self._order.assumptions
        port = await self._start_moto()
        topics = {
            topic
            for states in world.actions.values()
            for topics in states.values()
            for topic in topics
        }
        aws = await asyncio.to_thread(MotoClient, port, world.region, sorted(topics))
        self._to_close.callback(aws.close)
        kind = world.pair.record_type
        addresses = {
            host.name: answer_address(host, kind, number)
            for number, host in enumerate(world.hosts, start=1)
        }
        zone = Zone(
            world.pair.name, kind, world.pair.primary.ttl_seconds, [addresses[world.active.name]]
        )
        name_server = NameServer(zone)
        self._to_close.callback(name_server.close)
        server = await name_server.start()
        folder = self._order.folder
        await stage.start(self._children, folder, f"http://127.0.0.1:{port}", clock)
        settings = Settings(
            name=world.pair.name,
            record_type=kind,
            server=server,
            places={addresses[name]: host.place for name, host in stage.hosts.items()},
            path=world.path,
            floor_seconds=assumed.resolver_floor.draw(self._chance),
            cache_seconds=assumed.client_cache.draw(self._chance),
            first_seconds=MINUTE * self._chance.random(),
        )
        await self._children.start(
            "the client",
            "resiliency.rehearsal.client_process",
            settings.to_json(),
            clock.to_json(),
            tell=self._heard_of_client,
        )
        self._record.reachable(settings.to_json(), clock.to_json())
        inside = AwsSimulator(
            world, assumed, self._chance, clock, aws, zone, addresses, self._record, self._begin
        )
        await inside.start(stage)

    async def _start_moto(self) -> int:
        listens: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def heard(line: str) -> None:
            matched = re.search(LISTENS, line)
            if matched and not listens.done():
                listens.set_result(int(matched[1]))

        await self._children.start(
            "moto's server",
            "moto.server",
            *("--host", "127.0.0.1", "--port", "0"),
            environment={"MOTO_ACCOUNT_ID": self._world.account},
            tell=heard,
        )
        return await listens

    async def _until_told(
        self, injected_at: float, ended_at: float | None, least_seconds: float
    ) -> None:
        """Wait until what is expected has happened or can't any more, and a little longer."""
        since = injected_at if ended_at is None else ended_at
        kinds = (ClientsMove, AlarmFires) if ended_at is None else (ClientsReturn, AlarmRecovers)
        timed = [each for each in self._order.hypothesis if isinstance(each, kinds)]
        scale = self._order.scale
        calm_since: float | None = None
        while True:
            await asyncio.sleep(_GLANCE_SECONDS)
            now = self._clock.stamp()
            passed = (now - since) * scale
            run = Run(injected_at, ended_at, now, scale)
            if not all(self._is_told(each, run, passed) for each in timed):
                calm_since = None
                continue
            calm_since = now if calm_since is None else calm_since
            calm = (now - calm_since) * scale
            if passed >= least_seconds and calm >= self._order.settled_seconds:
                return

    def _is_told(self, expected: Timed, run: Run, passed: float) -> bool:
        """Whether it has happened, or can't any more."""
        if passed > expected.within_seconds:
            return True
        return judge([expected], self._record.observations, run).status is Status.PASSED

    def _heard_of_client(self, line: str) -> None:
        with contextlib.suppress(ValueError):
            at, who, why = json.loads(line)
            self._record.see(Source.CLIENT, self._world.pair.name, who, why, at=at)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(f"{type(error).__name__}: {error}")

    def _lost(self, error: ManagedProcessError) -> None:
        self._fail(str(error))

    def _fail(self, why: str) -> None:
        if not self._trouble.done():
            self._trouble.set_exception(RehearsalError(why))


def _print(told: Sequence[object]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


async def _main(order: RunSpec) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await ScenarioRunner(order, _print).run()


if __name__ == "__main__":
    # Only the process that started this one writes to it.
    given: RunSpec = pickle.load(sys.stdin.buffer)  # noqa: S301
    try:
        asyncio.run(_main(given))
    except (RehearsalError, OSError) as error:
        _print(["problem", str(error)])
        sys.exit(1)
    except asyncio.CancelledError:
        sys.exit(1)
