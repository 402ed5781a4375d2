"""Runs ``resiliency rehearse``: from templates to verdicts."""

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
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.expectations import Plan, common_notes, plan_of
from resiliency.rehearsal.outcome import Outcome
from resiliency.rehearsal.output_files import require_writable, write_report
from resiliency.rehearsal.prediction import assumptions_for, predict_failovers
from resiliency.rehearsal.scenarios import chosen_scenarios
from staged_resiliency.experiment.verdict import Status


def rehearse_command(options: argparse.Namespace) -> int:
    """Rehearse, print verdicts and write the report; return the exit status.

    Raises:
        UserError: The templates can't be followed, or the rehearsal can't be done as asked or
            could not go on; nothing was written.
    """
    if not sys.platform.startswith("linux"):
        raise UserError("rehearse: needs Linux, as it drops connections on the loopback interface")
    require_writable(options.out)
    deployment = read_deployment(
        read_templates(options.paths), record=options.record, addresses=dict(options.host)
    )
    if options.objective is not None:
        deployment = replace(deployment, objective_seconds=options.objective)
    chosen = chosen_scenarios(deployment, options.scenario)
    assumptions = assumptions_for(deployment)
    failovers = predict_failovers(deployment, assumptions, options.seed)
    plans = [
        plan_of(
            deployment,
            scenario,
            assumptions,
            failovers,
            scale=options.time_scale,
            seed=options.seed,
        )
        for scenario in chosen
    ]
    return asyncio.run(_rehearse(options, deployment, plans))


def page_notes(time_scale: float, plans: Sequence[Plan]) -> Sequence[str]:
    """Return the notes for readers of the page."""
    common = common_notes(plans)
    return [
        f"{time_scale:g} seconds of the service passed in one second here.",
        "Delays inside AWS (metrics, health checks, DNS servers) were drawn from the ranges that "
        "the prediction draws from; resiliency timing lists them, and which are assumed.",
        *(
            f"{plan.scenario.name}: {note}."
            for plan in plans
            for note in plan.notes
            if note not in common
        ),
        *(f"All scenarios: {note}." for note in common),
    ]


async def _rehearse(
    options: argparse.Namespace, deployment: Deployment, plans: Sequence[Plan]
) -> int:
    from resiliency.rehearsal.console import Progress, print_outcomes
    from resiliency.rehearsal.rehearse import rehearse
    from resiliency.rehearsal.subprocesses import RehearsalError
    from resiliency.report import page
    from resiliency.report.journal_reader import parse_journal
    from resiliency.report.wording import headline

    console = Console()
    names = ", ".join(dict.fromkeys(pair.name for pair in deployment.graph.pairs))
    console.print(
        f"Rehearsing {deployment.pair.name} on this machine, "
        f"{options.time_scale:g} seconds in one: "
        f"{_counted(len(plans), 'scenario')}, seed {options.seed}",
        highlight=False,
        soft_wrap=True,
    )
    if names != deployment.pair.name:
        console.print(f"Of {names}; select another with --record", highlight=False, soft_wrap=True)
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
                deployment,
                plans,
                assumptions_for(deployment),
                scale=options.time_scale,
                seed=options.seed,
                at_once=options.at_once,
                watch=progress.watch,
            )
    except asyncio.CancelledError:
        cause = stopped[0].name if stopped else "the end of its task"
        raise UserError(
            f"rehearse: stopped by {cause}; all its processes have ended, nothing is written"
        ) from None
    except RehearsalError as error:
        raise UserError(
            f"rehearse: {error}; all its processes have ended, nothing is written"
        ) from None
    print_outcomes(deployment, outcomes, console)
    journals = [outcome.journal for outcome in outcomes]
    notes = page_notes(options.time_scale, [outcome.plan for outcome in outcomes])
    title = f"Rehearsal of {deployment.pair.name}"
    content = page(journals, title=title, made_at=time.time(), notes=notes)
    files = write_report(options.out, journals, content)
    tally = headline([parse_journal(each, "the rehearsal") for each in journals])
    console.print(tally, highlight=False, soft_wrap=True)
    written = f"{options.out}: {_counted(len(files) - 1, 'journal')}; open {files[-1]}"
    console.print(written, highlight=False, soft_wrap=True)
    return 0 if all(_is_well(outcome, options.strict) for outcome in outcomes) else 1


def _is_well(outcome: Outcome, strict: bool) -> bool:
    """Whether the exit status of an outcome is 0; ``strict`` allows only what no change covers."""
    if outcome.verdict.status is not Status.NOT_COVERED:
        return outcome.verdict.status is Status.PASSED
    return not strict or len(outcome.plan.scenario.hosts) > 1


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
