"""Runs scenarios side by side, each in a process of its own."""

import asyncio
import json
import pickle
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from resiliency.failover_model.assumptions import Assumptions
from resiliency.rehearsal.client_process import Settings
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.expectations import Plan, RunSpec
from resiliency.rehearsal.outcome import Outcome, Running, judged
from resiliency.rehearsal.subprocesses import ManagedProcesses, RehearsalError
from staged_resiliency.experiment.journal import Phase
from staged_resiliency.experiment.observations import Observation, Source
from staged_resiliency.experiment.verdict import Run

RUNNER: Final = "resiliency.rehearsal.scenario_runner"
"""The module that runs one scenario as a process."""


ProgressListener = Callable[[Running, Observation | None], None]
"""Called with each observation of a scenario, and with None when a phase begins or ends."""


async def rehearse(
    deployment: Deployment,
    plans: Sequence[Plan],
    assumptions: Assumptions,
    *,
    scale: float,
    seed: int = 0,
    at_once: int | None = None,
    watch: ProgressListener = lambda running, observation: None,
    runner: str = RUNNER,
) -> Sequence[Outcome]:
    """Run scenarios, and judge them; all processes are ended, also after an error.

    All run at the same time unless ``at_once`` is given.

    Raises:
        RehearsalError: A process was lost, or something can't be had here.
    """
    failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(why: str) -> None:
        if not failure.done():
            failure.set_exception(RehearsalError(why))

    # Made here and not by each runner, so that it is removed even when a runner is killed.
    folder = tempfile.mkdtemp(prefix="rehearsal-")
    processes = ManagedProcesses(fail)
    room = asyncio.Semaphore(at_once or len(plans))

    async def run(plan: Plan) -> Outcome:
        async with room:
            spec = RunSpec(
                deployment, plan, assumptions, seed, scale, Path(tempfile.mkdtemp(dir=folder))
            )
            running = await _run_scenario(processes, spec, watch, fail, runner)
        return judged(deployment, running, seed)

    runs = [asyncio.get_running_loop().create_task(run(plan)) for plan in plans]
    try:
        open_ones: set[asyncio.Future[Any]] = {*runs, failure}
        while open_ones != {failure}:
            done, open_ones = await asyncio.wait(open_ones, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        return [each.result() for each in runs]
    finally:
        failure.cancel()  # nobody waits for it any more
        for task in runs:
            task.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        await processes.close(gently=True)
        shutil.rmtree(folder, ignore_errors=True)


async def _run_scenario(
    processes: ManagedProcesses,
    spec: RunSpec,
    watch: ProgressListener,
    fail: Callable[[str], None],
    runner: str,
) -> Running:
    """Run one scenario in a separate process, and collect its reports."""
    running = Running(spec.plan)
    done = asyncio.Event()
    name = spec.plan.scenario.name

    def on_line(line: str) -> None:
        try:
            kind, *values = json.loads(line)
        except ValueError:
            return  # the last lines of a runner that fails are reported with its failure
        if kind == "seen":
            at, source, *rest = values
            observation = Observation(at, Source(source), *rest)
            running.observations.append(observation)
            watch(running, observation)
        elif kind == "reachable":
            running.client = Settings.from_json(values[0])
            running.clock = Clock.from_json(values[1])
        elif kind == "began":
            running.phases.append(Phase(values[1], values[0], None))
            watch(running, None)
        elif kind == "ended":
            began = running.phases.pop()
            running.phases.append(Phase(began.name, began.began_at, values[0]))
            watch(running, None)
        elif kind == "done":
            injected_at, ended_at, until = values
            # Where no client is expected to move, nothing is expected to end the outage.
            objective = spec.deployment.objective_seconds if spec.plan.moves else None
            running.run = Run(injected_at, ended_at, until, spec.scale, objective)
            process.expected_to_end = True
            done.set()
        elif kind == "problem":
            process.expected_to_end = True
            fail(f"{name}: {values[0]}")

    process = await processes.start(
        f"the runner of {name}",
        runner,
        on_line=on_line,
        stdin=pickle.dumps(spec),
    )
    await done.wait()
    return running
