"""The hosts of a rehearsal: their services, probes and dependencies, broken and repaired."""

import asyncio
import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from resiliency.rehearsal.agent_process import READY
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.dependencies import Dependency, redirected_check, served_check
from resiliency.rehearsal.deployment import Deployment, Host
from resiliency.rehearsal.scenarios import Action, Scenario
from resiliency.rehearsal.sockets import BlackholeSocket, unused_udp_port
from resiliency.rehearsal.subprocesses import ManagedProcess, ManagedProcesses
from staged_resiliency.probe.probe_validation import INTERVALS_SECONDS
from staged_resiliency.shared import names

LEAST_TIMEOUT_SECONDS: Final = 0.4
"""The shortest timeout of a check, in seconds of this machine's clock.

An answer takes several turns of two processes, each of which waits for a processor for as long as
0.1 s on a busy machine. A single failed sample fires an alarm where there are no others: in the
last minute before the probe ends, or the first one after it starts.
"""
LATE_SECONDS: Final = 0.5
"""How late a degraded dependency answers, in seconds of the service: a tenth of a usual timeout."""
_PACE: Final = ("interval_seconds", "timeout_seconds")


def with_time_to_answer(paced: Mapping[str, Any], scale: float) -> Mapping[str, Any]:
    """Raise a check's timeout to ``LEAST_TIMEOUT_SECONDS`` on this machine's clock at least.

    Without it a check at sixty times the speed has 83 ms instead of 5 s, and the probe reports a
    delay of this machine as a failure of the dependency.
    """
    least = LEAST_TIMEOUT_SECONDS * scale
    if paced.get("timeout_seconds", least) >= least:
        return paced
    longer = min(seconds for seconds in INTERVALS_SECONDS if seconds > least)
    interval = max(paced.get("interval_seconds", 0), longer)
    return {**paced, "timeout_seconds": least, "interval_seconds": interval}


_STOPPED: Final = (Action.STOP, Action.LOSE_PRIMARY, Action.LOSE_SECONDARY)


class SimulatedHost:
    """One host, with its service, probe and dependencies.

    ``address`` on loopback stands in for its own; ``place`` is address and port of its service.
    """

    def __init__(self, host: Host, address: str, deployment: Deployment) -> None:
        self.host = host
        self.running = True
        self._deployment = deployment
        self._socket = BlackholeSocket(address)
        self.place = self._socket.place
        # The primary and the secondary of a dependency's own name stand in for the dependency.
        own_name = deployment.dependency is not None
        targets = () if own_name else (deployment.probe or {}).get("targets", ())
        self._dependencies = {
            str(target["metric"]): Dependency(target, address) for target in targets
        }
        self._service: ManagedProcess | None = None
        self._probe: ManagedProcess | None = None
        self._probe_ready = asyncio.Event()

    def write_configuration(
        self, folder: Path, peers: "SimulatedHosts", endpoint_url: str, clock: Clock
    ) -> Path | None:
        """Write the configuration of the host's probe; return None if it has no probe."""
        if self._deployment.probe is None:
            return None
        probe = with_time_to_answer(self._deployment.probe, clock.scale)
        pace = {key: value for key, value in self._deployment.probe.items() if key in _PACE}
        file = folder / f"{quote(self.host.name, safe='')}.json"
        targets: list[Mapping[str, Any]] = [
            {**dependency.check(), "metric": metric}
            for metric, dependency in self._dependencies.items()
        ]
        if self._deployment.dependency is not None:
            targets = [
                served_check(each, peers.place_of(str(each["host"]))) for each in probe["targets"]
            ]
        configuration = {
            **probe,
            "targets": [with_time_to_answer({**pace, **each}, clock.scale) for each in targets],
            "host": self.host.name,
            "region": self._deployment.region,
            "endpoint_url": endpoint_url,
            "journal": "changes",
        }
        if "statsd" in probe:  # no application sends anything, and both hosts are this machine
            configuration["statsd"] = {**probe["statsd"], "port": unused_udp_port()}
        if "peers" in probe:
            configuration["peers"] = {
                name: redirected_check(check, peers.place_of(str(check["host"])))
                for name, check in probe["peers"].items()
            }
        file.write_text(json.dumps(configuration), encoding="utf-8")
        return file

    def serve_dependencies(self) -> None:
        """Start the host's dependencies."""
        for dependency in self._dependencies.values():
            dependency.start()

    async def start_service(self, processes: ManagedProcesses) -> None:
        """Start the host's service."""
        self._service = await processes.start(
            f"the service of {self.host.name}",
            "resiliency.rehearsal.service_process",
            str(self._socket.listening.fileno()),
            self.host.name,
            self._deployment.path,
            pass_files=(self._socket.listening.fileno(),),
        )

    async def start_probe(
        self, processes: ManagedProcesses, file: Path | None, clock: Clock
    ) -> None:
        """Start the host's probe, and wait until the probe measures."""
        if file is None:
            return
        self._probe_ready.clear()
        self._probe = await processes.start(
            f"the probe of {self.host.name}",
            "resiliency.rehearsal.agent_process",
            str(file),
            clock.to_json(),
            on_line=self._on_probe_line,
        )
        await self._probe_ready.wait()

    def _on_probe_line(self, line: str) -> None:
        if line.startswith(READY):
            self._probe_ready.set()

    async def stop(self) -> None:
        """Stop the host: nothing is sent or answered any more."""
        self.running = False
        await self.kill_probe()
        if self._service is not None:
            await self._service.kill()
            self._service = None
        self._socket.shut()

    async def boot(self, processes: ManagedProcesses, file: Path | None, clock: Clock) -> None:
        """Start the host again."""
        self._socket.open()
        await self.start_service(processes)
        await self.start_probe(processes, file, clock)
        self.running = True

    async def kill_probe(self) -> None:
        """Kill the probe, without a clean shutdown."""
        if self._probe is not None:
            await self._probe.kill()
            self._probe = None

    def hang(self) -> None:
        """Suspend the service, so that it accepts connections and answers none."""
        if self._service is not None:
            self._service.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume the service."""
        if self._service is not None:
            self._service.signal(signal.SIGCONT)

    def dependency(self, metric: str) -> Dependency:
        """Return the stand-in that a metric of the host's probe measures."""
        return self._dependencies[metric]

    def close(self) -> None:
        """Close all sockets."""
        self._socket.close()
        for dependency in self._dependencies.values():
            dependency.close()


class SimulatedHosts:
    """Both hosts, and the faults injected into them."""

    def __init__(self, deployment: Deployment, addresses: tuple[str, str]) -> None:
        self._deployment = deployment
        self.hosts = {
            host.name: SimulatedHost(host, address, deployment)
            for host, address in zip(deployment.hosts, addresses, strict=True)
        }
        self._observers = [
            SimulatedHost(host, addresses[0], deployment) for host in deployment.observers
        ]
        self._files: dict[str, Path | None] = {}

    def place_of(self, address: str) -> tuple[str, int]:
        """Return the stand-in for an address, on the address's host or else on the active host."""
        for host in self.hosts.values():
            if host.host.address == address:
                return host.place
        return self.hosts[self._deployment.active.name].place

    async def start(
        self, processes: ManagedProcesses, folder: Path, endpoint_url: str, clock: Clock
    ) -> None:
        """Start everything on both hosts."""
        own_name = self._deployment.dependency is not None
        measuring = self._observers if own_name else [*self.hosts.values()]
        for host in measuring:
            name = host.host.name
            self._files[name] = host.write_configuration(folder, self, endpoint_url, clock)
        for host in self.hosts.values():
            host.serve_dependencies()
            await host.start_service(processes)
        await asyncio.gather(
            *(host.start_probe(processes, self._files[host.host.name], clock) for host in measuring)
        )

    async def inject(self, scenario: Scenario, clock: Clock) -> None:
        """Inject the fault."""
        for host in self._affected_hosts(scenario):
            if scenario.action in _STOPPED:
                await host.stop()
            elif scenario.action is Action.HANG:
                host.hang()
            elif scenario.action in (Action.BLACKHOLE, Action.FAIL_OVER):
                host.dependency(_metric(scenario)).blackhole()
            elif scenario.action is Action.HANG_DEPENDENCY:
                host.dependency(_metric(scenario)).hang()
            elif scenario.action is Action.DEGRADE:
                host.dependency(_metric(scenario)).degrade(LATE_SECONDS / clock.scale)
            else:
                await host.kill_probe()

    async def end(self, scenario: Scenario, processes: ManagedProcesses, clock: Clock) -> None:
        """End the fault; return once everything runs again."""

        async def repair(host: SimulatedHost) -> None:
            file = self._files.get(host.host.name)
            if scenario.action in _STOPPED:
                await host.boot(processes, file, clock)
            elif scenario.action is Action.HANG:
                host.resume()
            elif scenario.dependency is not None:
                host.dependency(_metric(scenario)).recover()
            else:
                await host.start_probe(processes, file, clock)

        await asyncio.gather(*(repair(host) for host in self._affected_hosts(scenario)))

    def close(self) -> None:
        """Close all sockets."""
        for host in (*self.hosts.values(), *self._observers):
            host.close()

    def _affected_hosts(self, scenario: Scenario) -> list[SimulatedHost]:
        return [self.hosts[host.name] for host in scenario.hosts]


def _metric(scenario: Scenario) -> str:
    return names.connectivity_metric(scenario.dependency or "")
