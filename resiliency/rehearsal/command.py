"""The command ``resiliency rehearse``: from templates to verdicts."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console

from resiliency.errors import UserError
from resiliency.failover_model.template_files import read_templates
from resiliency.rehearsal.deployment import Deployment, read_world
from resiliency.rehearsal.expectations import Plan, common_notes, plan_of
from resiliency.rehearsal.output_files import require_writable, write_report
from resiliency.rehearsal.prediction import assumptions_for, failovers_of
from resiliency.rehearsal.scenarios import Action, Scenario, scenarios_of


def rehearse_command(options: argparse.Namespace) -> int:
    """Rehearse, print verdicts and write the report; the exit status.

    Raises:
        UserError: It can't be done as asked, or could not go on; nothing was written.
        UserError, TemplateError: The templates can't be followed.
    """
    if not sys.platform.startswith("linux"):
        raise UserError("rehearse: needs Linux, whose loopback it takes apart as it needs it")
    try:
        require_writable(options.out)
    except UserError as error:
        raise UserError(str(error)) from None
    world = read_world(
        read_templates(options.paths), record=options.record, addresses=dict(options.host)
    )
    if options.objective is not None:
        world = replace(world, objective_seconds=options.objective)
    chosen = chosen_scenarios(world, options.scenario)
    assumptions = assumptions_for(world)
    failovers = failovers_of(world, assumptions, options.seed)
    plans = [
        plan_of(
            world,
            scenario,
            assumptions,
            failovers,
            scale=options.time_scale,
            seed=options.seed,
        )
        for scenario in chosen
    ]
    return asyncio.run(_rehearse(options, world, plans))


def chosen_scenarios(world: Deployment, wanted: Sequence[str]) -> Sequence[Scenario]:
    """The scenarios that are asked for, in their order; the usual ones where none is.

    Usual are all, but of dependencies only those that decide, or the first where none does.

    Raises:
        UserError: One is asked for that does not exist.
    """
    every = {scenario.name: scenario for scenario in scenarios_of(world)}
    if unknown := [name for name in wanted if name not in every]:
        raise UserError(f"--scenario {unknown[0]}: is none of {', '.join(every)}")
    if wanted:
        return [scenario for name, scenario in every.items() if name in wanted]
    usual = usual_dependencies(world)
    return [
        scenario
        for scenario in every.values()
        if scenario.action is not Action.BLACKHOLE or scenario.dependency in usual
    ]


def usual_dependencies(world: Deployment) -> Sequence[str]:
    """The dependencies that decide failover, or the first where none does."""
    from resiliency.failover_model.faults import dependency_of
    from resiliency.failover_model.graph import AlarmCheck, leaves

    deciding = [
        dependency_of(leaf.alarm.metric)
        for leaf in leaves(world.pair.primary.health_check)
        if isinstance(leaf, AlarmCheck)
    ]
    found = [name for name in world.dependencies if name in deciding]
    return found or world.dependencies[:1]


def page_notes(time_scale: float, plans: Sequence[Plan]) -> Sequence[str]:
    """What a reader of the page should know."""
    common = common_notes(plans)
    return [
        f"{time_scale:g} seconds of the service passed in one second here.",
        "Delays that AWS has inside (metrics, health checks, DNS servers) were drawn from the "
        "spans that the prediction draws from; resiliency timing lists them, and which are "
        "assumed.",
        *(
            f"{plan.scenario.name}: {note}."
            for plan in plans
            for note in plan.notes
            if note not in common
        ),
        *(f"All scenarios: {note}." for note in common),
    ]


async def _rehearse(options: argparse.Namespace, world: Deployment, plans: Sequence[Plan]) -> int:
    from resiliency.rehearsal.console import Progress, print_outcomes
    from resiliency.rehearsal.rehearse import RehearsalError, rehearse
    from resiliency.report import page
    from staged_resiliency.experiment.verdict import Status

    console = Console()
    names = ", ".join(dict.fromkeys(pair.name for pair in world.graph.pairs))
    console.print(
        f"Rehearsing {world.pair.name} on this machine, {options.time_scale:g} seconds in one: "
        f"{_counted(len(plans), 'scenario')}, seed {options.seed}",
        highlight=False,
        soft_wrap=True,
    )
    if names != world.pair.name:
        console.print(f"Of {names}; name another by --record", highlight=False, soft_wrap=True)
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in one
    stopped: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        stopped.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup wants the rehearsal to outlive its terminal.
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        with Progress(plans, options.time_scale, console) as progress:
            outcomes = await rehearse(
                world,
                plans,
                assumptions_for(world),
                scale=options.time_scale,
                seed=options.seed,
                at_once=options.at_once,
                watch=progress.watch,
            )
    except asyncio.CancelledError:
        told = stopped[0].name if stopped else "the end of its task"
        raise UserError(
            f"rehearse: stopped by {told}; everything it started has ended, nothing is written"
        ) from None
    except RehearsalError as error:
        raise UserError(
            f"rehearse: {error}; everything it started has ended, nothing is written"
        ) from None
    print_outcomes(world, outcomes, console)
    try:
        journals = [outcome.journal for outcome in outcomes]
        notes = page_notes(options.time_scale, [outcome.plan for outcome in outcomes])
        title = f"Rehearsal of {world.pair.name}"
        content = page(journals, title=title, made_at=time.time(), notes=notes)
        files = write_report(options.out, journals, content)
    except UserError as error:
        raise UserError(str(error)) from None
    told = f"{options.out}: {_counted(len(files) - 1, 'journal')}; look at {files[-1]}"
    console.print(told, highlight=False, soft_wrap=True)
    held = all(outcome.verdict.status is Status.PASSED for outcome in outcomes)
    return 0 if held else 1


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
