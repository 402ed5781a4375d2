"""Runs ``resiliency rehearse``: from templates to verdicts."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.console import Console

from resiliency.errors import UsageError, UserError
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.template_files import read_templates
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployments
from resiliency.rehearsal.expectations import Plan, common_notes, plan_of
from resiliency.rehearsal.outcome import Outcome
from resiliency.rehearsal.output_files import require_writable, write_report
from resiliency.rehearsal.prediction import assumptions_for, predict_failovers
from resiliency.rehearsal.scenarios import chosen_scenarios, require_known, scenarios_left_out
from resiliency.rehearsal.simulated_hosts import LEAST_TIMEOUT_SECONDS
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.experiment.verdict import Status


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The exit status of a rehearsal, its scenarios' journals, and the pairs that were left out."""

    status: int
    journals: Sequence[JsonObject] = ()
    left_out: Sequence[str] = ()


def rehearse_pairs(
    options: argparse.Namespace, service: str | None = None, environment: str = ""
) -> Rehearsed:
    """Rehearse the pairs of one service in an environment, or of all unless one is given.

    Verdicts are printed, and the report is written.

    Raises:
        UserError: The templates can't be followed, or the rehearsal can't be done as asked or
            could not go on; nothing was written.
    """
    if not sys.platform.startswith("linux"):
        raise UserError("rehearse: needs Linux, as it drops connections on the loopback interface")
    require_writable(options.out)
    deployments, left_out = read_deployments(
        read_templates(options.paths), record=options.record, addresses=dict(options.host)
    )
    if options.objective is not None:
        deployments = [replace(each, objective_seconds=options.objective) for each in deployments]
    if not deployments:
        raise UserError("\n".join(left_out))
    if service is not None:
        found = [each.stack for each in deployments]
        deployments = [each for each in deployments if each.stack == f"{service}-{environment}"]
        if not deployments:
            raise UsageError(
                f"{', '.join(map(str, options.paths))}: no pair of hosts of {service} in "
                f"{environment}; found: {', '.join(dict.fromkeys(found))}"
            )
    require_known(deployments, options.scenario)
    rehearsals = [_rehearsal_of(each, options) for each in deployments]
    for each in rehearsals:
        if not each.plans:
            print(
                f"{each.deployment.label}: has none of the scenarios {', '.join(options.scenario)}"
            )
    return asyncio.run(_rehearse(options, [each for each in rehearsals if each.plans], left_out))


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A pair of hosts with its scenarios, which run at the same time."""

    deployment: Deployment
    assumptions: Assumptions
    plans: Sequence[Plan]
    not_rehearsed: Sequence[str]


def _rehearsal_of(deployment: Deployment, options: argparse.Namespace) -> Rehearsal:
    assumptions, seed = assumptions_for(deployment), options.seed
    failovers = predict_failovers(deployment, assumptions, seed)
    plans = [
        plan_of(deployment, each, assumptions, failovers, scale=options.time_scale, seed=seed)
        for each in chosen_scenarios(deployment, options.scenario)
    ]
    left_out = scenarios_left_out(deployment, options.scenario)
    return Rehearsal(deployment, assumptions, plans, left_out)


def page_notes(
    time_scale: float, rehearsals: Sequence[Rehearsal], left_out: Sequence[str]
) -> Sequence[str]:
    """Return the notes that the report's page shows."""
    notes = [
        f"{time_scale:g} seconds of the service passed in one second here.",
        f"Checks had at least {LEAST_TIMEOUT_SECONDS * time_scale:g} s for an answer, also where "
        "less is deployed, so that no delay of this machine counts as a failure.",
        "Delays inside AWS (metrics, health checks, DNS servers) were drawn from the ranges that "
        "the prediction draws from; resiliency timing lists them, and which are assumed.",
        *(f"Left out: {why}." for why in left_out),
    ]
    for each in rehearsals:
        pair = f"{each.deployment.label}: " if len(rehearsals) > 1 else ""
        if each.not_rehearsed:
            notes.append(f"{pair}Not rehearsed: {', '.join(each.not_rehearsed)}.")
        common = common_notes(each.plans)
        notes += [
            f"{pair}{plan.scenario.name}: {note}."
            for plan in each.plans
            for note in plan.notes
            if note not in common
        ]
        notes += [f"{pair}All scenarios: {note}." for note in common]
    return notes


async def _rehearse(
    options: argparse.Namespace, rehearsals: Sequence[Rehearsal], left_out: Sequence[str]
) -> Rehearsed:
    from resiliency.rehearsal.console import Progress, print_outcomes
    from resiliency.rehearsal.rehearse import rehearse
    from resiliency.rehearsal.subprocesses import RehearsalError
    from resiliency.report import page
    from resiliency.report.journal_reader import parse_journal
    from resiliency.report.wording import headline

    console = Console()
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
    outcomes: list[Outcome] = []
    try:
        # One pair at a time: each scenario takes a handful of processes.
        for each in rehearsals:
            _say(
                console,
                f"Rehearsing {each.deployment.label} on this machine, "
                f"{options.time_scale:g} seconds in one: "
                f"{_counted(len(each.plans), 'scenario')}, seed {options.seed}",
            )
            with Progress(each.plans, options.time_scale, console) as progress:
                ended = await rehearse(
                    each.deployment,
                    each.plans,
                    each.assumptions,
                    scale=options.time_scale,
                    seed=options.seed,
                    at_once=options.at_once,
                    watch=progress.watch,
                )
            print_outcomes(each.deployment, ended, console)
            outcomes += ended
    except asyncio.CancelledError:
        if not stopped:  # by an error elsewhere, which is reported there
            raise
        raise UserError(
            f"rehearse: stopped by {stopped[0].name}; all its processes have ended, nothing is "
            "written"
        ) from None
    except RehearsalError as error:
        raise UserError(
            f"rehearse: {error}; all its processes have ended, nothing is written"
        ) from None
    journals = [outcome.journal for outcome in outcomes]
    content = page(
        journals,
        title=f"Rehearsal of {', '.join(each.deployment.label for each in rehearsals)}",
        made_at=time.time(),
        notes=page_notes(options.time_scale, rehearsals, left_out),
    )
    files = write_report(options.out, journals, content)
    _say(console, headline([parse_journal(each, "the rehearsal") for each in journals]))
    for each in rehearsals:
        if each.not_rehearsed:
            _say(
                console,
                f"not rehearsed for {each.deployment.label}: {', '.join(each.not_rehearsed)}; give "
                f"--scenario {each.not_rehearsed[0]}",
            )
    for why in left_out:
        _say(console, f"left out: {why}")
    written = f"{options.out}: {_counted(len(files) - 1, 'journal')}; open {files[-1]}"
    _say(console, written)
    well = all(_is_well(outcome, options.strict) for outcome in outcomes)
    return Rehearsed(0 if well and not left_out else 1, journals, left_out)


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def _is_well(outcome: Outcome, strict: bool) -> bool:
    """Whether the exit status of an outcome is 0; ``strict`` allows only what no change covers."""
    if outcome.verdict.status is not Status.NOT_COVERED:
        return outcome.verdict.status is Status.PASSED
    return not strict or len(outcome.plan.scenario.hosts) > 1


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
