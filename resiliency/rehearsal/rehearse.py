"""Rehearses scenarios side by side, and judges them."""

import asyncio
import json
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from resiliency.failover_model.assumptions import Assumptions
from resiliency.rehearsal.client_process import Settings
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.expectations import Plan
from resiliency.rehearsal.run_spec import RunSpec
from resiliency.rehearsal.subprocesses import ManagedProcessError, ManagedProcesses
from staged_resiliency.experiment.journal import (
    Phase,
    RunInfo,
    RunResult,
    journal_json,
    journal_of,
)
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.experiment.measures import measure
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source, of
from staged_resiliency.experiment.verdict import ALARM, Run, Status, Verdict, judge

DIRECTOR: Final = "resiliency.rehearsal.scenario_runner"
"""The module that runs one scenario as a process."""


class RehearsalError(Exception):
    """A rehearsal that ended before it could be judged; the message says why."""


@dataclass(slots=True)
class Running:
    """One scenario while it runs.

    Attributes:
        plan: What happens, and what is expected.
        observations: What was seen so far.
        phases: The steps so far; the last one may not have ended.
        run: Its times, once it is over.
        client: How a client reaches the service; None before there is one.
        clock: The rehearsal's; None before the same moment.
    """

    plan: Plan
    observations: list[Observation] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    run: Run | None = None
    client: Settings | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario once it is over.

    Attributes:
        plan: What was expected.
        run: Its times.
        observations: What was seen.
        verdict: Whether all of it held.
        journal: Its journal.
        beside: What did not hold beside the expectations.
    """

    plan: Plan
    run: Run
    observations: Sequence[Observation]
    verdict: Verdict
    journal: JsonObject
    beside: Sequence[str] = ()


Watcher = Callable[[Running, Observation | None], None]
"""Told each news of a scenario: an observation, or None when a phase began or ended."""


async def rehearse(
    world: Deployment,
    plans: Sequence[Plan],
    assumptions: Assumptions,
    *,
    scale: float,
    seed: int = 0,
    at_once: int | None = None,
    watch: Watcher = lambda running, observation: None,
    director: str = DIRECTOR,
) -> Sequence[Outcome]:
    """Run scenarios, and judge them; what was started ends, however this ends.

    Args:
        world: What is rehearsed.
        plans: The scenarios.
        assumptions: Spans from which delays are drawn.
        scale: Seconds of the service in one second here.
        seed: The same seed gives the same phases and delays.
        at_once: How many at the same time; all unless given.
        watch: Told what happens.
        director: Module that runs one scenario as a process.

    Raises:
        RehearsalError: A process was lost, or something can't be had here.
    """
    trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(why: str) -> None:
        if not trouble.done():
            trouble.set_exception(RehearsalError(why))

    def lost(error: ManagedProcessError) -> None:
        fail(str(error))

    # Here and not with each director, so that it goes even when one of those is killed.
    folder = tempfile.mkdtemp(prefix="rehearsal-")
    children = ManagedProcesses(lost)
    room = asyncio.Semaphore(at_once or len(plans))

    async def run(plan: Plan) -> Outcome:
        async with room:
            order = RunSpec(
                world=world,
                scenario=plan.scenario,
                hypothesis=plan.hypothesis,
                assumptions=assumptions,
                seed=seed,
                scale=scale,
                folder=Path(tempfile.mkdtemp(dir=folder)),
                steady_seconds=plan.steady_seconds,
                fault_seconds=plan.fault_seconds,
                settled_seconds=plan.settled_seconds,
            )
            running = await _direct(children, order, plan, watch, fail, director)
        return judged(world, running, seed)

    runs = [asyncio.get_running_loop().create_task(run(plan)) for plan in plans]
    try:
        open_ones: set[asyncio.Future[Any]] = {*runs, trouble}
        while open_ones != {trouble}:
            done, open_ones = await asyncio.wait(open_ones, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        return [each.result() for each in runs]
    finally:
        for task in runs:
            task.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        await children.close(gently=True)
        shutil.rmtree(folder, ignore_errors=True)


async def _direct(
    children: ManagedProcesses,
    order: RunSpec,
    plan: Plan,
    watch: Watcher,
    fail: Callable[[str], None],
    director: str,
) -> Running:
    """Run the director of one scenario until it is done."""
    running = Running(plan)
    done = asyncio.Event()
    name = plan.scenario.name

    def heard(line: str) -> None:
        try:
            kind, *told = json.loads(line)
        except ValueError:
            return  # the last lines of a director that fails are told with its failure
        if kind == "seen":
            at, source, *rest = told
            seen = Observation(at, Source(source), *rest)
            running.observations.append(seen)
            watch(running, seen)
        elif kind == "reachable":
            running.client, running.clock = Settings.from_json(told[0]), Clock.from_json(told[1])
        elif kind == "began":
            running.phases.append(Phase(told[1], told[0], None))
            watch(running, None)
        elif kind == "ended":
            began = running.phases.pop()
            running.phases.append(Phase(began.name, began.began_at, told[0]))
            watch(running, None)
        elif kind == "done":
            injected_at, ended_at, until = told
            running.run = Run(injected_at, ended_at, until, order.scale)
            process.expected_to_end = True
            done.set()
        elif kind == "problem":
            process.expected_to_end = True
            fail(f"{name}: {told[0]}")

    process = await children.start(
        f"the director of {name}",
        director,
        tell=heard,
        given=pickle.dumps(order),
    )
    await done.wait()
    return running


def judged(world: Deployment, running: Running, seed: int) -> Outcome:
    """What became of a scenario.

    Args:
        world: What was rehearsed.
        running: The scenario, which is over.
        seed: The run's seed; part of its id.
    """
    plan, run = running.plan, running.run
    assert run is not None  # noqa: S101 - it is over
    beside = _beside(world, running, run)
    verdict = _judged(running, run, beside)
    began = datetime.fromtimestamp(running.phases[0].began_at, timezone.utc)
    scenario, predicted = plan.scenario, plan.predicted
    struck = scenario.hosts[0].name
    subject = RunInfo(
        kind="rehearsal",
        run_id=f"{world.service}-{scenario.name}-{began:%Y%m%dT%H%M%SZ}-{seed}",
        service=world.service,
        environment=world.environment,
        experiment=scenario.name,
        fault=scenario.action.value,
        host=struck,
        dependency=scenario.dependency,
        record=world.pair.name,
        active=world.active.name,
        standby=world.standby.name,
        objective_seconds=world.objective_seconds,
    )
    finding = RunResult(
        run=run,
        hypothesis=plan.hypothesis,
        verdict=verdict,
        measures=measure(
            running.observations, run, record=world.pair.name, active=world.active.name
        ),
        phases=running.phases,
        observations=running.observations,
        predicted={}
        if predicted is None
        else {
            "best": predicted.best,
            "median": predicted.median,
            "p95": predicted.p95,
            "worst": predicted.worst,
        },
    )
    return Outcome(
        plan, run, running.observations, verdict, journal_json(journal_of(subject, finding)), beside
    )


def _judged(running: Running, run: Run, beside: Sequence[str]) -> Verdict:
    """The verdict; what did not hold beside the expectations comes first."""
    verdict = judge(running.plan.hypothesis, running.observations, run)
    if not beside:
        return verdict
    failed = [] if verdict.status is Status.PASSED else [verdict.message]
    return Verdict(Status.FAILED, "; ".join([*beside, *failed]), verdict.judgements)


def _beside(world: Deployment, running: Running, run: Run) -> Sequence[str]:
    """What did not hold beside the expectations.

    Nothing can be told of a fault before which all was not well. Messages are judged here and not
    as expectations of the journal, as no drill sees them arrive.
    """
    minute = 60 / run.time_scale
    # What was asked just before the fault may have been struck by it.
    before = [
        each
        for each in of(running.observations, Source.CLIENT, world.pair.name)
        if run.injected_at - minute <= each.at < run.injected_at and each.value != NO_ANSWER
    ]
    served_by = before[-1].value if before else "nobody"
    found = [*_unheard(world, running, run)]
    if served_by != world.active.name:
        told = f"before the fault clients were served by {served_by}, not {world.active.name}"
        found.insert(0, told)
    return found


def _unheard(world: Deployment, running: Running, run: Run) -> Iterator[str]:
    """The alarms of which people get no message in time, and why."""
    for alarm, within in running.plan.messages.items():
        if not world.actions.get(alarm, {}).get("ALARM"):
            yield f"nobody is told of {alarm}: it notifies no topic when it fires"
            continue
        arrived = [
            each.at
            for each in of(running.observations, Source.MESSAGE, alarm)
            if each.value == ALARM and each.at >= run.injected_at
        ]
        seconds = (min(arrived) - run.injected_at) * run.time_scale if arrived else None
        if seconds is None or seconds > within:
            found = "none came" if seconds is None else f"it came after {seconds:.0f} s"
            yield f"a message of {alarm}: not within {within:.0f} s ({found})"
