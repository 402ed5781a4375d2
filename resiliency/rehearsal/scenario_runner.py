"""Runs one scenario, as a process that starts all other processes of it.

``python -m resiliency.rehearsal.scenario_runner`` reads a pickled ``RunSpec`` from its standard
input and prints a JSON array for each event: phases, observations, and at last the times of the
run.
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

from resiliency.rehearsal.aws_simulator import AwsSimulator
from resiliency.rehearsal.client_process import LEAST_DEADLINE_SECONDS, Settings
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import answer_address
from resiliency.rehearsal.expectations import RunSpec
from resiliency.rehearsal.moto_client import LISTENS, MotoClient
from resiliency.rehearsal.name_server import NameServer, Zone
from resiliency.rehearsal.recorder import Recorder
from resiliency.rehearsal.scenarios import Action
from resiliency.rehearsal.simulated_hosts import SimulatedHosts
from resiliency.rehearsal.sockets import loopback_addresses
from resiliency.rehearsal.subprocesses import ManagedProcesses, RehearsalError
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    time_limit,
)
from staged_resiliency.experiment.observations import Source
from staged_resiliency.experiment.verdict import Run, Status, judge
from staged_resiliency.shared.time_limits import MINUTE

_START_SECONDS: Final = 300.0
"""How long everything may take to start, in seconds here; what ends is reported at once."""

_DELIVERY_SECONDS: Final = 30.0
"""How long the messages of the last changes may take to arrive, in seconds here."""

_POLL_SECONDS: Final = 0.25

Timed = ClientsMove | ClientsReturn | AlarmFires | AlarmRecovers


class ScenarioRunner:
    """Runs one scenario; ``report`` gets each event as an array for JSON."""

    def __init__(self, spec: RunSpec, report: Callable[[Sequence[object]], None]) -> None:
        self._spec = spec
        self._deployment = spec.deployment
        self._chance = random.Random(f"{spec.seed} {spec.plan.scenario.name}")  # noqa: S311 - no secret
        self._clock = Clock.starting(spec.scale)
        self._record = Recorder(self._clock, report)
        self._processes = ManagedProcesses(self._fail)
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._to_close = contextlib.ExitStack()

    async def run(self) -> None:
        """Run the scenario until all processes have ended; RehearsalError if it can't go on."""
        hosts = SimulatedHosts(self._deployment, loopback_addresses())
        run = asyncio.get_running_loop().create_task(self._run(hosts))
        try:
            await asyncio.wait({run, self._failure}, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done():
                self._failure.result()
            run.result()
        finally:
            for task in (run, *self._tasks):
                task.cancel()
            await asyncio.gather(run, *self._tasks, return_exceptions=True)
            await self._processes.close()
            self._to_close.close()
            hosts.close()

    async def _run(self, hosts: SimulatedHosts) -> None:
        plan, scenario, clock = self._spec.plan, self._spec.plan.scenario, self._clock
        async with self._record.phase("start"):
            try:
                simulator = await asyncio.wait_for(self._start(hosts), _START_SECONDS)
            except asyncio.TimeoutError:
                raise RehearsalError(
                    f"not everything started within {_START_SECONDS:.0f} s; is the machine busy?"
                ) from None
        async with self._record.phase("steady state"):
            await self.until_fault()
        async with self._record.phase("fault"):
            injected_at = clock.stamp()
            self._record.see(Source.FAULT, scenario.action.value, "injected", at=injected_at)
            await hosts.inject(scenario, clock)
            if scenario.action is Action.FAIL_OVER:
                await clock.until(clock.now() + plan.fault_seconds)
            else:
                await self.until_decided(injected_at, None, plan.fault_seconds)
        async with self._record.phase("recovery"):
            await hosts.end(scenario, self._processes, clock)
            ended_at = clock.stamp()
            self._record.see(Source.FAULT, scenario.action.value, "ended", at=ended_at)
            await self.until_decided(injected_at, ended_at, 0)
        # Requests from now on are not judged; those before get the time to be answered.
        until = clock.stamp()
        await asyncio.sleep(LEAST_DEADLINE_SECONDS)
        with contextlib.suppress(asyncio.TimeoutError):  # then the verdict says what did not arrive
            await asyncio.wait_for(simulator.delivered(), _DELIVERY_SECONDS)
        self._record.done(injected_at, ended_at, until)

    async def until_fault(self) -> None:
        """Wait until all has been well for some time.

        And for a moment of the minute that comes from the seed, as the evaluations' moments do.
        """
        minute = (self._clock.now() + self._spec.plan.steady_seconds) // MINUTE * MINUTE
        await self._clock.until(minute + MINUTE + MINUTE * self._chance.random())

    async def _start(self, hosts: SimulatedHosts) -> AwsSimulator:
        deployment, clock, assumed = self._deployment, self._clock, self._spec.assumptions
        port = await self._start_moto()
        topics = {
            topic
            for states in deployment.actions.values()
            for topics in states.values()
            for topic in topics
        }
        aws = await asyncio.to_thread(MotoClient, port, deployment.region, sorted(topics))
        self._to_close.callback(aws.close)
        kind = deployment.address_type
        addresses = {
            host.name: answer_address(host, kind, number)
            for number, host in enumerate(deployment.hosts, start=1)
        }
        zone = Zone(
            deployment.pair.name,
            kind,
            deployment.pair.primary.ttl_seconds,
            [addresses[deployment.active.name]],
        )
        name_server = NameServer(zone)
        self._to_close.callback(name_server.close)
        server = await name_server.start()
        folder = self._spec.folder
        await hosts.start(self._processes, folder, f"http://127.0.0.1:{port}", clock)
        settings = Settings(
            name=deployment.pair.name,
            record_type=kind,
            server=server,
            places={addresses[name]: host.place for name, host in hosts.hosts.items()},
            path=deployment.path,
            floor_seconds=assumed.resolver_floor.draw(self._chance),
            cache_seconds=assumed.client_cache.draw(self._chance),
            first_seconds=MINUTE * self._chance.random(),
        )
        await self._processes.start(
            "the client",
            "resiliency.rehearsal.client_process",
            settings.to_json(),
            clock.to_json(),
            on_line=self._on_client_line,
        )
        self._record.reachable(settings.to_json(), clock.to_json())
        simulator = AwsSimulator(
            deployment,
            assumed,
            self._chance,
            clock,
            aws,
            zone,
            addresses,
            self._record,
            self._begin,
        )
        await simulator.start(hosts)
        return simulator

    async def _start_moto(self) -> int:
        listens: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def on_line(line: str) -> None:
            matched = re.search(LISTENS, line)
            if matched and not listens.done():
                listens.set_result(int(matched[1]))

        await self._processes.start(
            "moto's server",
            "moto.server",
            *("--host", "127.0.0.1", "--port", "0"),
            environment={"MOTO_ACCOUNT_ID": self._deployment.account},
            on_line=on_line,
        )
        return await listens

    async def until_decided(
        self, injected_at: float, ended_at: float | None, least_seconds: float
    ) -> None:
        """Wait until each expectation has passed or can no longer pass, and a little longer."""
        since = injected_at if ended_at is None else ended_at
        kinds = (ClientsMove, AlarmFires) if ended_at is None else (ClientsReturn, AlarmRecovers)
        timed = [each for each in self._spec.plan.hypothesis if isinstance(each, kinds)]
        scale = self._spec.scale
        calm_since: float | None = None
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            now = self._clock.stamp()
            passed = (now - since) * scale
            run = Run(injected_at, ended_at, now, scale)
            if not all(self._is_decided(each, run, passed) for each in timed):
                calm_since = None
                continue
            calm_since = now if calm_since is None else calm_since
            calm = (now - calm_since) * scale
            if passed >= least_seconds and calm >= self._spec.plan.settled_seconds:
                return

    def _is_decided(self, expected: Timed, run: Run, passed: float) -> bool:
        if passed > time_limit(expected, run.objective_seconds):
            return True
        if isinstance(expected, ClientsMove | ClientsReturn):
            subject = expected.record
        else:
            subject = expected.alarm
        return judge([expected], self._record.observations[subject], run).status is Status.PASSED

    def _on_client_line(self, line: str) -> None:
        with contextlib.suppress(ValueError):
            at, who, why = json.loads(line)
            self._record.see(Source.CLIENT, self._deployment.pair.name, who, why, at=at)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, why: str) -> None:
        if not self._failure.done():
            self._failure.set_exception(RehearsalError(why))


def _print(event: Sequence[object]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


async def _run(kind: type[ScenarioRunner], spec: RunSpec) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await kind(spec, _print).run()


def main(kind: type[ScenarioRunner] = ScenarioRunner) -> None:
    """Run the scenario that is read from the standard input."""
    # Only the process that started this one writes to it.
    spec: RunSpec = pickle.load(sys.stdin.buffer)  # noqa: S301
    try:
        asyncio.run(_run(kind, spec))
    except (RehearsalError, OSError) as error:
        _print(["problem", str(error)])
        sys.exit(1)
    except asyncio.CancelledError:
        sys.exit(1)


if __name__ == "__main__":
    main()
