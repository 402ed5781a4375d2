"""The agent beside the recipe's loops: the same targets, the same endpoint, at the same time."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks.probing import processes
from benchmarks.probing.contenders import Agent, Loop, MemoryWatch
from benchmarks.probing.stand_ins import CloudWatch, Metadata
from benchmarks.probing.targets import KINDS, Target

RECIPE: Final = "recipe-host"
AGENT: Final = "agent-host"
INTERVAL_SECONDS: Final = 10
# A name, so that both sides resolve it each time, as they would their database's.
_ADDRESS: Final = "localhost"
_SCRIPTS: Final = {
    "db-connectivity": "db-connectivity.sh",
    "cdn-connectivity": "cdn-connectivity.sh",
}
_FIRST_SAMPLE_SECONDS: Final = 90
_LATEST_ZERO_SECONDS: Final = 60
# After a request of the agent: windows of whole minutes then have no request at their edges.
_ASIDE_SECONDS: Final = 5


@dataclass
class Side:
    """The results of one side; missing ones are left out of the table.

    Attributes:
        cpu_per_sample: Seconds, one figure for each minute.
        start_up_cpu: Seconds of CPU before the first sample.
        start_up: Seconds before it.
        requests_per_minute: With two targets and nothing wrong.
        metrics: How many different ones it publishes for two targets, nothing wrong.
        samples_per_minute: Of one target that answers.
        steady_megabytes: Between samples.
        peak_megabytes: At most, with all processes that it starts.
        hanging_samples_per_minute: Of each target that does not answer.
        detection: Seconds from each fault to the first 0 at the endpoint, by kind of fault.
    """

    cpu_per_sample: list[float] = field(default_factory=list)
    start_up_cpu: float | None = None
    start_up: float | None = None
    requests_per_minute: float | None = None
    metrics: int | None = None
    samples_per_minute: float | None = None
    steady_megabytes: float | None = None
    peak_megabytes: float | None = None
    hanging_samples_per_minute: list[float] = field(default_factory=list)
    detection: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sides:
    """Both; either may be missing."""

    recipe: Side | None
    agent: Side | None

    def each(self) -> Iterator[tuple[str, Side]]:
        """The sides that exist, with their hosts' names."""
        if self.recipe:
            yield RECIPE, self.recipe
        if self.agent:
            yield AGENT, self.agent


@dataclass(frozen=True)
class Running:
    """The processes and targets of a measurement."""

    cloudwatch: CloudWatch
    targets: Mapping[str, Target]
    loops: Sequence[Loop]
    agent: Agent | None


def measure_steady_state(sides: Sides, folder: Path, minutes: int, chance: random.Random) -> None:
    """CPU, requests and memory with two targets that answer."""
    with _running(sides, folder, tuple(_SCRIPTS), chance) as running:
        cloudwatch, agent = running.cloudwatch, running.agent
        pids = [loop.pid for loop in running.loops]
        hosts = [host for host, _ in sides.each()]
        _wait_for_all(cloudwatch, hosts, _SCRIPTS)
        start = _quiet_moment(cloudwatch, wait=agent is not None)
        with closing(MemoryWatch(pids)) as watch:
            marks = [(start, _cpu(running))]
            for minute in range(1, minutes + 1):
                time.sleep(start + 60 * minute - time.monotonic())
                marks.append((time.monotonic(), _cpu(running)))
        end = marks[-1][0]
        for host, side in sides.each():
            for (since, before), (until, after) in pairwise(marks):
                samples = _samples(cloudwatch, host, since, until)
                side.cpu_per_sample.append((after[host] - before[host]) / samples)
            samples = _samples(cloudwatch, host, start, end)
            side.samples_per_minute = samples / len(_SCRIPTS) / minutes
            side.requests_per_minute = len(cloudwatch.requests(host, start, end)) / minutes
            side.metrics = len({datum.metric for datum in cloudwatch.data(host, None, start, end)})
        if sides.recipe:
            sides.recipe.steady_megabytes, sides.recipe.peak_megabytes = watch.lowest, watch.peak
        if sides.agent and agent:
            sides.agent.steady_megabytes = processes.resident_megabytes(agent.pid)
            sides.agent.peak_megabytes = processes.resident_megabytes(agent.pid, "VmHWM")
            sides.agent.start_up, sides.agent.start_up_cpu = agent.start_up, agent.start_up_cpu


def measure_faults(
    sides: Sides, folder: Path, minutes: int, faults: int, chance: random.Random
) -> None:
    """How long until a fault shows, and how many samples are taken while a target hangs.

    Each fault has a target, a loop and a moment of its own. Half of the targets refuse
    connections from then on, the others do not answer at all.

    Args:
        sides: Where results go.
        folder: An empty folder.
        minutes: For how long samples of hanging targets are counted.
        faults: How many of each kind.
        chance: Where moments come from.
    """
    kinds = {f"{kind}-{i}": kind for kind in KINDS for i in range(faults)}
    with _running(sides, folder, tuple(kinds), chance) as running:
        cloudwatch = running.cloudwatch
        if sides.recipe:
            _wait_for_all(cloudwatch, [RECIPE], kinds)
        time.sleep(
            INTERVAL_SECONDS + _ASIDE_SECONDS
        )  # the agent may not have published anything yet
        begun = _break_all(running.targets, kinds, chance)
        for host, side in sides.each():
            for metric, kind in kinds.items():
                seconds = _until_zero(cloudwatch, host, metric, begun[metric])
                side.detection.setdefault(kind, []).append(seconds)
        start = _quiet_moment(cloudwatch, wait=running.agent is not None)
        time.sleep(start + 60 * minutes - time.monotonic())
        hanging = [metric for metric, kind in kinds.items() if kind == "hanging"]
        for host, side in sides.each():
            rates = [_rate(cloudwatch, host, metric, start, minutes) for metric in hanging]
            side.hanging_samples_per_minute += rates


@contextmanager
def _running(
    sides: Sides, folder: Path, metrics: Sequence[str], chance: random.Random
) -> Iterator[Running]:
    """Targets, endpoint and both sides; loops begin one after the other within an interval."""
    folder.mkdir()
    with ExitStack() as stack:
        cloudwatch = stack.enter_context(closing(CloudWatch()))
        metadata = stack.enter_context(closing(Metadata(AGENT)))
        targets = {metric: stack.enter_context(closing(Target(chance))) for metric in metrics}
        agent = None
        if sides.agent:
            configured = [
                {"metric": metric, "check": "tcp", "host": _ADDRESS, "port": target.port}
                for metric, target in targets.items()
            ]
            agent = Agent(folder / "agent", configured, cloudwatch.url, metadata.url)
            stack.enter_context(closing(agent))
        loops = []
        for metric, target in targets.items():
            if not sides.recipe:
                break
            settings = {
                "TARGET_HOST": _ADDRESS,
                "TARGET_PORT": str(target.port),
                "METRIC": metric,
                "NAME_TAG": RECIPE,
                "INTERVAL": str(INTERVAL_SECONDS),
                "ENDPOINT_URL": cloudwatch.url,
            }
            script = _SCRIPTS.get(metric, "db-connectivity.sh")
            loop = Loop(script, settings, metadata.url, folder / f"{metric}.log")
            loops.append(stack.enter_context(closing(loop)))
            time.sleep(INTERVAL_SECONDS / len(targets))
        yield Running(cloudwatch, targets, loops, agent)


def _cpu(running: Running) -> Mapping[str, float]:
    """Seconds of CPU that each side has used so far."""
    return {
        RECIPE: sum(processes.tree_cpu_seconds(loop.pid) for loop in running.loops),
        AGENT: processes.tree_cpu_seconds(running.agent.pid) if running.agent else 0.0,
    }


def _samples(cloudwatch: CloudWatch, host: str, start: float, end: float) -> float:
    """How many samples of the two targets arrived."""
    data = cloudwatch.data(host, None, start, end)
    return sum(datum.samples for datum in data if datum.metric in _SCRIPTS)


def _wait_for_all(cloudwatch: CloudWatch, hosts: Sequence[str], metrics: Mapping[str, str]) -> None:
    """Wait until each host has published each metric."""

    def message() -> bool:
        return all(cloudwatch.data(host, metric) for host in hosts for metric in metrics)

    if not cloudwatch.wait(message, _FIRST_SAMPLE_SECONDS):
        raise RuntimeError(f"not each of {', '.join(hosts)} has published each of its metrics")


def _break_all(
    targets: Mapping[str, Target], kinds: Mapping[str, str], chance: random.Random
) -> Mapping[str, float]:
    """Break each target at a random moment of an interval; when each was broken."""
    begin = time.monotonic()
    plan = sorted((begin + chance.uniform(0, INTERVAL_SECONDS), metric) for metric in kinds)
    begun = {}
    for when, metric in plan:
        time.sleep(max(0.0, when - time.monotonic()))
        KINDS[kinds[metric]](targets[metric])
        begun[metric] = time.monotonic()
    return begun


def _until_zero(cloudwatch: CloudWatch, host: str, metric: str, fault: float) -> float:
    """Seconds from a fault to the arrival of the first 0."""

    def zeros() -> list[float]:
        data = cloudwatch.data(host, metric)
        return [datum.arrival for datum in data if datum.lowest < 1]

    latest = fault + _LATEST_ZERO_SECONDS
    if not cloudwatch.wait(lambda: bool(zeros()), max(0.0, latest - time.monotonic())):
        return float("inf")
    return zeros()[0] - fault


def _quiet_moment(cloudwatch: CloudWatch, *, wait: bool) -> float:
    """A moment just after the agent's request of a minute, so that the next is far away."""
    now = time.monotonic()
    if wait:
        _wait_for_new(lambda: cloudwatch.requests(AGENT, now), cloudwatch)
        time.sleep(_ASIDE_SECONDS)
    return time.monotonic()


def _wait_for_new(found: Callable[[], Sequence[float]], cloudwatch: CloudWatch) -> None:
    if not cloudwatch.wait(lambda: bool(found()), _FIRST_SAMPLE_SECONDS):
        raise RuntimeError("the agent publishes nothing any more")


def _rate(cloudwatch: CloudWatch, host: str, metric: str, start: float, minutes: int) -> float:
    """Samples a minute: from arrivals one by one, or counted where they come in sets."""
    data = cloudwatch.data(host, metric, start, start + 60 * minutes)
    if host == RECIPE and len(data) > 1:
        return 60 * (len(data) - 1) / (data[-1].arrival - data[0].arrival)
    return sum(datum.samples for datum in data) / minutes
