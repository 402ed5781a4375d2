"""The hosts of a rehearsal: their services, probes and dependencies, broken and put right."""

import asyncio
import json
import signal
from pathlib import Path

from resiliency.rehearsal.agent_process import READY
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.dependencies import Dependency, stood_in
from resiliency.rehearsal.deployment import Deployment, Host
from resiliency.rehearsal.scenarios import Action, Scenario
from resiliency.rehearsal.sockets import BlackHole
from resiliency.rehearsal.subprocesses import ManagedProcess, ManagedProcesses


class SimulatedHost:
    """One host.

    Args:
        host: Which one.
        address: Loopback address that stands for its own.
        world: What is rehearsed.

    Attributes:
        running: Whether the instance runs.
        place: Where its service listens.
    """

    def __init__(self, host: Host, address: str, world: Deployment) -> None:
        self.host = host
        self.running = True
        self._world = world
        self._door = BlackHole(address)
        self.place = self._door.place
        targets = (world.probe or {}).get("targets", ())
        self._dependencies = {
            str(target["metric"]): Dependency(target, address) for target in targets
        }
        self._service: ManagedProcess | None = None
        self._probe: ManagedProcess | None = None
        self._probe_ready = asyncio.Event()

    def is_running(self) -> bool:
        """Whether the instance runs."""
        return self.running

    def write_configuration(
        self, folder: Path, peers: "SimulatedHosts", endpoint_url: str
    ) -> Path | None:
        """Write the configuration of its probe; None without one."""
        probe = self._world.probe
        if probe is None:
            return None
        file = folder / f"{self.host.name}.json"
        told = {
            **probe,
            "targets": [
                {**dependency.check(), "metric": metric}
                for metric, dependency in self._dependencies.items()
            ],
            "host": self.host.name,
            "region": self._world.region,
            "endpoint_url": endpoint_url,
            "journal": "changes",
        }
        if "peers" in probe:
            told["peers"] = {
                name: stood_in(check, peers.place_of(str(check["host"])))
                for name, check in probe["peers"].items()
            }
        file.write_text(json.dumps(told), encoding="utf-8")
        return file

    def serve_dependencies(self) -> None:
        """Let its dependencies answer."""
        for dependency in self._dependencies.values():
            dependency.start()

    async def start_service(self, children: ManagedProcesses) -> None:
        """Start its service."""
        self._service = await children.start(
            f"the service of {self.host.name}",
            "resiliency.rehearsal.service_process",
            str(self._door.listening.fileno()),
            self.host.name,
            self._world.path,
            pass_files=(self._door.listening.fileno(),),
        )

    async def start_probe(
        self, children: ManagedProcesses, file: Path | None, clock: Clock
    ) -> None:
        """Start its probe, and wait until it measures."""
        if file is None:
            return
        self._probe_ready.clear()
        self._probe = await children.start(
            f"the probe of {self.host.name}",
            "resiliency.rehearsal.agent_process",
            str(file),
            clock.to_json(),
            tell=self._heard,
        )
        await self._probe_ready.wait()

    def _heard(self, line: str) -> None:
        if line.startswith(READY):
            self._probe_ready.set()

    async def stop(self) -> None:
        """Be off: nothing is sent any more, and nothing answered."""
        self.running = False
        await self.kill_probe()
        if self._service is not None:
            await self._service.kill()
            self._service = None
        self._door.shut()

    async def boot(self, children: ManagedProcesses, file: Path | None, clock: Clock) -> None:
        """Be on again."""
        self._door.open()
        await self.start_service(children)
        await self.start_probe(children, file, clock)
        self.running = True

    async def kill_probe(self) -> None:
        """End the probe without its farewell."""
        if self._probe is not None:
            await self._probe.kill()
            self._probe = None

    def hang(self) -> None:
        """Have the service answer no more."""
        if self._service is not None:
            self._service.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Have the service go on."""
        if self._service is not None:
            self._service.signal(signal.SIGCONT)

    def dependency(self, metric: str) -> Dependency:
        """The stand-in that a metric of its probe is about."""
        return self._dependencies[metric]

    def close(self) -> None:
        """Give sockets back."""
        self._door.close()
        for dependency in self._dependencies.values():
            dependency.close()


class SimulatedHosts:
    """Both hosts, and what is done to them.

    Args:
        world: What is rehearsed.
        addresses: A loopback address for each host.
    """

    def __init__(self, world: Deployment, addresses: tuple[str, str]) -> None:
        self._world = world
        self.hosts = {
            host.name: SimulatedHost(host, address, world)
            for host, address in zip(world.hosts, addresses, strict=True)
        }
        self._files: dict[str, Path | None] = {}

    def place_of(self, address: str) -> tuple[str, int]:
        """What stands for an address: that of a host, else of the active one."""
        for stage in self.hosts.values():
            if stage.host.address == address:
                return stage.place
        return self.hosts[self._world.active.name].place

    async def start(
        self, children: ManagedProcesses, folder: Path, endpoint_url: str, clock: Clock
    ) -> None:
        """Start everything on both hosts."""
        for name, stage in self.hosts.items():
            self._files[name] = stage.write_configuration(folder, self, endpoint_url)
            stage.serve_dependencies()
            await stage.start_service(children)
        await asyncio.gather(
            *(
                stage.start_probe(children, self._files[name], clock)
                for name, stage in self.hosts.items()
            )
        )

    async def inject(self, scenario: Scenario) -> None:
        """Let the fault begin."""
        for stage in self._struck(scenario):
            if scenario.action is Action.STOP:
                await stage.stop()
            elif scenario.action is Action.HANG:
                stage.hang()
            elif scenario.action is Action.BLACKHOLE:
                stage.dependency(_metric(scenario)).blackhole()
            else:
                await stage.kill_probe()

    async def end(self, scenario: Scenario, children: ManagedProcesses, clock: Clock) -> None:
        """Put right what the fault broke; returns once everything runs again."""

        async def put_right(stage: SimulatedHost) -> None:
            file = self._files[stage.host.name]
            if scenario.action is Action.STOP:
                await stage.boot(children, file, clock)
            elif scenario.action is Action.HANG:
                stage.resume()
            elif scenario.action is Action.BLACKHOLE:
                stage.dependency(_metric(scenario)).recover()
            else:
                await stage.start_probe(children, file, clock)

        await asyncio.gather(*(put_right(stage) for stage in self._struck(scenario)))

    def close(self) -> None:
        """Give sockets back."""
        for stage in self.hosts.values():
            stage.close()

    def _struck(self, scenario: Scenario) -> list[SimulatedHost]:
        return [self.hosts[host.name] for host in scenario.hosts]


def _metric(scenario: Scenario) -> str:
    return f"{scenario.dependency}-connectivity"
