"""Runs scenarios side by side, and judges them."""

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
from resiliency.rehearsal.scenarios import RunSpec
from resiliency.rehearsal.subprocesses import ManagedProcesses, RehearsalError
from staged_resiliency.experiment.expectations import AlarmFires
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
from staged_resiliency.experiment.verdict import ALARM, OK, Run, Status, Verdict, judge

RUNNER: Final = "resiliency.rehearsal.scenario_runner"
"""The module that runs one scenario as a process."""


@dataclass(slots=True)
class Running:
    """One scenario while it runs.

    The last phase may not have ended. ``run`` is None until all is over; ``client``, how a client
    reaches the service, and ``clock`` are None until it has started.
    """

    plan: Plan
    observations: list[Observation] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    run: Run | None = None
    client: Settings | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario once it is over; no expectation covers its ``extra_failures``."""

    plan: Plan
    run: Run
    observations: Sequence[Observation]
    verdict: Verdict
    journal: JsonObject
    extra_failures: Sequence[str] = ()


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
                deployment=deployment,
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
            running = await _run_scenario(processes, spec, plan, watch, fail, runner)
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
        for task in runs:
            task.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        await processes.close(gently=True)
        shutil.rmtree(folder, ignore_errors=True)


async def _run_scenario(
    processes: ManagedProcesses,
    spec: RunSpec,
    plan: Plan,
    watch: ProgressListener,
    fail: Callable[[str], None],
    runner: str,
) -> Running:
    """Run one scenario in a separate process, and collect its reports."""
    running = Running(plan)
    done = asyncio.Event()
    name = plan.scenario.name

    def on_line(line: str) -> None:
        try:
            kind, *values = json.loads(line)
        except ValueError:
            return  # the last lines of a runner that fails are reported with its failure
        if kind == "seen":
            at, source, *rest = values
            seen = Observation(at, Source(source), *rest)
            running.observations.append(seen)
            watch(running, seen)
        elif kind == "reachable":
            running.client, running.clock = (
                Settings.from_json(values[0]),
                Clock.from_json(values[1]),
            )
        elif kind == "began":
            running.phases.append(Phase(values[1], values[0], None))
            watch(running, None)
        elif kind == "ended":
            began = running.phases.pop()
            running.phases.append(Phase(began.name, began.began_at, values[0]))
            watch(running, None)
        elif kind == "done":
            injected_at, ended_at, until = values
            running.run = Run(injected_at, ended_at, until, spec.scale)
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


def judged(deployment: Deployment, running: Running, seed: int) -> Outcome:
    """Judge a scenario that is over."""
    plan, run = running.plan, running.run
    assert run is not None  # noqa: S101 - it is over
    extra_failures = _extra_failures(deployment, running, run)
    verdict = _judged(running, run, extra_failures)
    began = datetime.fromtimestamp(running.phases[0].began_at, timezone.utc)
    scenario, predicted = plan.scenario, plan.predicted
    info = RunInfo(
        kind="rehearsal",
        run_id=f"{deployment.service}-{scenario.name}-{began:%Y%m%dT%H%M%SZ}-{seed}",
        service=deployment.service,
        environment=deployment.environment,
        experiment=scenario.name,
        fault=scenario.action.value,
        host=scenario.hosts[0].name,
        dependency=scenario.dependency,
        record=deployment.pair.name,
        active=deployment.active.name,
        standby=deployment.standby.name,
        objective_seconds=deployment.objective_seconds,
    )
    result = RunResult(
        run=run,
        hypothesis=plan.hypothesis,
        verdict=verdict,
        measures=measure(
            running.observations, run, record=deployment.pair.name, active=deployment.active.name
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
        plan,
        run,
        running.observations,
        verdict,
        journal_json(journal_of(info, result)),
        extra_failures,
    )


def _judged(running: Running, run: Run, extra_failures: Sequence[str]) -> Verdict:
    """Return the verdict; failures that no expectation covers come first."""
    verdict = judge(running.plan.hypothesis, running.observations, run)
    if not extra_failures:
        return verdict
    failed = [] if verdict.status is Status.PASSED else [verdict.message]
    return Verdict(Status.FAILED, "; ".join([*extra_failures, *failed]), verdict.judgements)


def _extra_failures(deployment: Deployment, running: Running, run: Run) -> Sequence[str]:
    """List the failures that no expectation covers.

    A fault shows nothing if all was not well before it. Messages are judged here and not as
    expectations of the journal, as no drill sees them arrive.
    """
    minute = 60 / run.time_scale
    # A request just before the fault may have been hit by it.
    before = [
        each
        for each in of(running.observations, Source.CLIENT, deployment.pair.name)
        if run.injected_at - minute <= each.at < run.injected_at and each.value != NO_ANSWER
    ]
    served_by = before[-1].value if before else "nobody"
    found = [*_missing_notifications(deployment, running, run)]
    if served_by != deployment.active.name:
        found.insert(
            0,
            f"before the fault clients were served by {served_by}, not {deployment.active.name}",
        )
    return found


def _missing_notifications(deployment: Deployment, running: Running, run: Run) -> Iterator[str]:
    """Yield why a message did not arrive in time, for each that must."""
    for expected, within in running.plan.messages:
        alarm, fires = expected.alarm, isinstance(expected, AlarmFires)
        state, since = (ALARM, run.injected_at) if fires else (OK, run.ended_at)
        if not deployment.actions.get(alarm, {}).get(state):
            when = "when it fires" if fires else "when it recovers"
            yield f"nobody is notified of {alarm}: it has no topic as an action {when}"
            continue
        arrived = [
            each.at
            for each in of(running.observations, Source.MESSAGE, alarm)
            if each.value == state and since is not None and each.at >= since
        ]
        seconds = (min(arrived) - (since or 0)) * run.time_scale if arrived else None
        if seconds is None or seconds > within:
            found = "none came" if seconds is None else f"it came after {seconds:.0f} s"
            of_what = alarm if fires else f"{alarm} ({OK})"
            yield f"a message of {of_what}: not within {within:.0f} s ({found})"
    if running.plan.moves and not any(
        isinstance(expected, AlarmFires) for expected, _ in running.plan.messages
    ):
        yield (
            f"clients are sent to {deployment.standby.name} and nobody is notified: no alarm "
            "watches what decides it; add one on the metric HealthCheckStatus of the primary "
            "record's health check, in us-east-1"
        )
