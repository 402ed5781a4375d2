"""Thousands of TCP targets: the agent beside prometheus-blackbox-exporter.

Both probe the same targets every 10 s at the same time, each alone on a core of its own, and
they change places halfway, so that a slower core meets both. Of the exporter only its own process
counts, asked over kept connections; what asks it, and what Prometheus would do with the answers,
does not. The agent's process counts with everything that it does, publishing included.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.probing import processes
from benchmarks.probing.contenders import ENVIRONMENT, Agent
from benchmarks.probing.exporter_client import INTERVAL_SECONDS
from benchmarks.probing.scale_targets import address
from benchmarks.probing.stand_ins import CloudWatch, Metadata

EXPORTER: Final = "prometheus-blackbox-exporter"
WINDOW_SECONDS: Final = 60
_WARM_UP_SECONDS: Final = 5
_FLAT_OUT_SECONDS: Final = 6
_FLAT_OUT_TARGETS: Final = 1000
_START_SECONDS: Final = 20
_HOST: Final = "agent-host"
_MODULE: Final = "modules: {tcp_connect: {prober: tcp, timeout: 5s}}\n"


@dataclass(frozen=True)
class Load:
    """The cost of one side's probing.

    Attributes:
        probes: How many were made.
        cpu_seconds: Of its process.
        seconds: Of the clock.
        megabytes: Resident at the end.
        taken: Samples taken, of those that were due.
        due: At least so many.
    """

    probes: float
    cpu_seconds: float
    seconds: float
    megabytes: float
    taken: float
    due: float

    @property
    def probes_per_cpu_second(self) -> float:
        """Probes per CPU-second."""
        return self.probes / self.cpu_seconds

    @property
    def share_of_core(self) -> float:
        """CPU time as a fraction of one core."""
        return self.cpu_seconds / self.seconds


@dataclass(frozen=True)
class Pair:
    """Both sides at one time."""

    agent: Load | None
    exporter: Load | None

    @property
    def ratio(self) -> float | None:
        """The agent's probes per CPU-second as a multiple of the exporter's."""
        if self.agent and self.exporter:
            return self.agent.probes_per_cpu_second / self.exporter.probes_per_cpu_second
        return None


def has_exporter() -> bool:
    """Whether the exporter is installed."""
    return shutil.which(EXPORTER, path=ENVIRONMENT["PATH"]) is not None


def measure(folder: Path, targets: int, *, agent: bool, exporter: bool, swapped: bool) -> Pair:
    """Both sides over the same minute.

    Args:
        folder: An empty folder.
        targets: How many.
        agent: Whether there is one.
        exporter: Whether there is one.
        swapped: Exchange the cores.
    """
    folder.mkdir()
    cores = sorted(os.sched_getaffinity(0))
    ours, theirs = (cores[-1], cores[0]) if swapped else (cores[0], cores[-1])
    with ExitStack() as stack:
        port = stack.enter_context(_listener())
        cloudwatch = stack.enter_context(closing(CloudWatch()))
        metadata = stack.enter_context(closing(Metadata(_HOST)))
        pids: list[int | None] = [None, None]
        the_agent = None
        if agent:
            configured = [
                {"metric": _metric(i), "check": "tcp", "host": address(i), "port": port}
                for i in range(targets)
            ]
            with processes.on_core(ours):
                the_agent = Agent(folder / "agent", configured, cloudwatch.url, metadata.url)
            ready = time.monotonic()
            stack.callback(the_agent.close)
            pids[0] = the_agent.pid
        exporter_port = 0
        if exporter:
            exporter_port, pids[1] = stack.enter_context(_exporter(folder, theirs))
            _client(exporter_port, port, targets, _WARM_UP_SECONDS).communicate()
        else:
            time.sleep(_WARM_UP_SECONDS)
        client = _client(exporter_port, port, targets, WINDOW_SECONDS) if exporter else None
        before, start = list(map(_cpu, pids)), time.monotonic()
        time.sleep(WINDOW_SECONDS / 2)
        for pid, core in zip(pids, (theirs, ours), strict=True):
            if pid:
                processes.move(pid, core)
        time.sleep(start + WINDOW_SECONDS - time.monotonic())
        asked = json.loads(client.communicate()[0]) if client else {}
        after, seconds = list(map(_cpu, pids)), time.monotonic() - start
        memory = [processes.resident_megabytes(pid) if pid else 0.0 for pid in pids]
        their_load = None
        if exporter:
            due = targets * WINDOW_SECONDS / INTERVAL_SECONDS
            their_load = Load(
                asked["asked"], after[1] - before[1], seconds, memory[1], asked["succeeded"], due
            )
        our_load = None
        if the_agent:
            the_agent.close()  # publishes what it has
            lived = time.monotonic() - ready
            # A target has its first sample within an interval.
            each = lived // INTERVAL_SECONDS
            counts = _samples(cloudwatch)
            taken = sum(min(counts.get(_metric(i), 0.0), each) for i in range(targets))
            our_load = Load(
                targets * seconds / INTERVAL_SECONDS,
                after[0] - before[0],
                seconds,
                memory[0],
                taken,
                targets * each,
            )
        return Pair(our_load, their_load)


def flat_out(folder: Path) -> float:
    """The exporter's probes per CPU-second when it never waits for the next one."""
    folder.mkdir()
    cores = sorted(os.sched_getaffinity(0))
    with _listener() as port, _exporter(folder, cores[0]) as (exporter_port, pid):
        _client(exporter_port, port, _FLAT_OUT_TARGETS, 1, "--flat-out").communicate()
        before = processes.cpu_seconds(pid)
        client = _client(exporter_port, port, _FLAT_OUT_TARGETS, _FLAT_OUT_SECONDS, "--flat-out")
        asked = json.loads(client.communicate()[0])
        return float(asked["succeeded"]) / (processes.cpu_seconds(pid) - before)


def median(pairs: Sequence[Pair]) -> float | None:
    """The median of the pairs' ratios."""
    ratios = [pair.ratio for pair in pairs if pair.ratio is not None]
    return statistics.median(ratios) if ratios else None


def _metric(number: int) -> str:
    return f"target-{number}"


def _cpu(pid: int | None) -> float:
    return processes.cpu_seconds(pid) if pid else 0.0


def _samples(cloudwatch: CloudWatch) -> Mapping[str, float]:
    """How many successful samples of each metric arrived."""
    counts: dict[str, float] = {}
    for datum in cloudwatch.data(_HOST):
        if datum.lowest == 1:
            counts[datum.metric] = counts.get(datum.metric, 0.0) + datum.samples
    return counts


@contextmanager
def _listener() -> Iterator[int]:
    """What all targets are; its port."""
    command = [sys.executable, "-m", "benchmarks.probing.scale_targets"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def _exporter(folder: Path, core: int) -> Iterator[tuple[int, int]]:
    """The exporter on one core, which its Go run time sees as the only one; port and process."""
    configuration = folder / "blackbox.yml"
    configuration.write_text(_MODULE, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [EXPORTER, f"--config.file={configuration}", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "exporter.log").open("wb") as log, processes.on_core(core):
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/-/healthy")
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str) -> None:
    """Wait until something answers."""
    latest = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if time.monotonic() > latest:
                raise
            time.sleep(0.1)


def _client(
    exporter_port: int, port: int, targets: int, seconds: int, *more: str
) -> subprocess.Popen[str]:
    """Begin to ask for probes; returns once it has begun."""
    command = [
        *(sys.executable, "-m", "benchmarks.probing.exporter_client"),
        *map(str, (exporter_port, port, targets, seconds)),
        *more,
    ]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert client.stdout
    client.stdout.readline()
    return client
