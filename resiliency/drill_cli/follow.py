"""`resiliency drill start` and `follow`: starts a run; shows its phases, then its verdict."""

import sys
import uuid
from datetime import datetime, timezone
from typing import Final

from resiliency.drill_cli.aws import EXECUTIONS, START, Aws, TemporaryError
from resiliency.drill_cli.live_view import HINT, EventLines, LiveTable, View
from resiliency.drill_cli.progress import RUNNING, SUCCEEDED, FollowedRun, RunSnapshot
from resiliency.drill_cli.reporting import print_verdict, recorded_run
from resiliency.drill_cli.safe_console import SafeConsole
from resiliency.drill_cli.stack import DeployedDrill, DeployedDrills, running_execution
from resiliency.errors import UserError
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.wording import describe_fault, duration, stop_commands
from staged_resiliency.experiment.verdict import Status

POLL_SECONDS: Final = 5.0
"""Interval between two polls of a run."""

MAX_FAILURES: Final = 12
"""Number of polls in a row that may fail."""

JOURNAL_SECONDS: Final = 300.0
"""How long the verdict of a completed run is waited for."""

_YES: Final = ("y", "yes")


def start(
    aws: Aws, stack: DeployedDrills, name: str, console: SafeConsole, now: float, *, confirmed: bool
) -> tuple[DeployedDrill, str] | None:
    """Start a drill after the user has confirmed it, unless it is ``confirmed`` already.

    Return the drill and the ARN of its run; None where the person declined.

    Raises:
        UserError: A drill of the service is running, there is no terminal to ask at, or AWS
            refuses.
    """
    drill = stack.drill(name)
    for each in stack.drills:
        found = running_execution(aws, each)
        if found is not None:
            run = found.rsplit(":", 1)[-1]
            raise UserError(
                f"drill {each.name} is running already ({found}); follow it with `resiliency drill "
                f"follow {each.plan.service} {each.plan.environment} {each.name} --run {run}`"
            )
    if not confirmed and not _confirms(drill, console):
        console.say("Nothing was started.")
        return None
    started = aws(*START, stateMachineArn=drill.arn, name=_run_name(now), input="{}")
    arn = str(started["executionArn"])
    console.say(f"Started {arn}")
    console.say("To stop it by hand:")
    for command, effect in stop_commands(drill.plan, arn, None).items():
        console.say(f"  {command}")
        console.say(f"    {effect}")
    return drill, arn


def _confirms(drill: DeployedDrill, console: SafeConsole) -> bool:
    plan = drill.plan
    if not sys.stdin.isatty():
        raise UserError("no terminal to confirm the start; give --yes to start the drill")
    console.say(f"Drill {plan.drill} {describe_fault(plan)}.", "bold")
    console.say(f"It affects clients of {plan.record.name}, {plan.service} in {plan.environment}.")
    if not plan.enabled:
        console.say("It is a dry run: it checks its targets, and injects no fault.")
    console.say(
        f"`resiliency drill preview {plan.service} {plan.environment} {plan.drill}` shows more."
    )
    console.print("Start it? [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in _YES


def _run_name(now: float) -> str:
    """A unique name, which shows that the run was started by hand."""
    at = datetime.fromtimestamp(now, timezone.utc)
    return f"by-hand-{at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def run_to_follow(
    aws: Aws, stack: DeployedDrills, drill: str | None, run: str | None
) -> tuple[DeployedDrill, str]:
    """Return drill and ARN of the named run, else the one in progress or the last, or UserError."""
    drills = stack.drills if drill is None else [stack.drill(drill)]
    if run is not None:
        if drill is None:
            raise UserError("--run names a run of a drill; name the drill too")
        (named,) = drills
        return named, f"{named.arn.replace(':stateMachine:', ':execution:')}:{run}"
    for each in drills:
        found = running_execution(aws, each)
        if found is not None:
            return each, found
    latest = []
    for each in drills:
        listed = aws(*EXECUTIONS, stateMachineArn=each.arn, maxResults=1)["executions"]
        latest += [(found["startDate"], found["executionArn"], each) for found in listed]
    if not latest:
        what = f"drill {drill} has not" if drill else "none of the drills has"
        raise UserError(
            f"{stack.name}: {what} run in the last 90 days; `resiliency drill start` starts one"
        )
    _, arn, of = max(latest, key=lambda each: each[0])
    return of, str(arn)


def follow(run: FollowedRun, aws: Aws, console: SafeConsole, context: Context) -> int:
    """Show a run until it ends, then its verdict.

    Return 0 where it passed, else 1, also where Ctrl-C ended the view.

    Raises:
        UserError: The run or its verdict can't be read.
    """
    plan = run.drill.plan
    view: View = LiveTable(console, run) if console.is_terminal else EventLines(console)
    if not console.is_terminal:
        console.say(f"{plan.drill} of {plan.service} in {plan.environment}, run {run.name}")
        console.say(HINT)
    try:
        last = _poll_until_ended(run, view, context)
        view.close()
        return _show_verdict(run, last, aws, console, context)
    except KeyboardInterrupt:
        view.close()
        _show_how_to_stop(run, console)
        return 1
    finally:
        view.close()


def _poll_until_ended(run: FollowedRun, view: View, context: Context) -> RunSnapshot:
    failures = 0
    while True:
        try:
            snapshot = run.poll()
        except TemporaryError as error:
            failures += 1
            if failures >= MAX_FAILURES:
                raise UserError(
                    f"{error} (the drill continues, and ends its fault by itself; `resiliency "
                    "drill follow` shows it again)"
                ) from None
            view.show_error(str(error))
        else:
            failures = 0
            view.show(snapshot, context.clock())
            if snapshot.status != RUNNING:
                return snapshot
        context.sleep(POLL_SECONDS)


def _show_verdict(
    run: FollowedRun, last: RunSnapshot, aws: Aws, console: SafeConsole, context: Context
) -> int:
    plan, needs_cleanup = run.drill.plan, last.status != SUCCEEDED
    seconds = cleanup_seconds(plan) if needs_cleanup else JOURNAL_SECONDS
    deadline = context.clock() + seconds
    recorded = recorded_run(aws, plan, run.name)
    if recorded is None and needs_cleanup:
        console.say(
            f"The run ended ({last.status}). The cleanup ends its fault, then records the verdict, "
            f"within {duration(seconds)}."
        )
    elif recorded is None:
        console.say(f"The run ended ({last.status}); its verdict is not recorded yet.")
    while recorded is None:
        if context.clock() >= deadline:
            raise UserError(
                f"{run.name}: ended ({last.status}) without a verdict within "
                f"{duration(seconds)}; make sure that {plan.target} is well, and check the "
                "cleanup's log"
            )
        context.sleep(POLL_SECONDS)
        recorded = recorded_run(aws, plan, run.name)
    print_verdict(console, recorded.journal)
    return 0 if recorded.journal.verdict.status is Status.PASSED else 1


def cleanup_seconds(plan: Plan) -> float:
    """Return the most seconds until the cleanup has recorded a run's verdict.

    A blackhole lasts until its time is over, even where it is ended earlier; the cleanup waits.
    """
    return plan.timeouts.end + plan.timeouts.record + JOURNAL_SECONDS


def _show_how_to_stop(run: FollowedRun, console: SafeConsole) -> None:
    plan = run.drill.plan
    experiment = run.latest.progress.experiment if run.latest else None
    console.say()
    console.say(
        "No longer followed. The drill continues in the account: it ends its fault and records its "
        "verdict by itself."
    )
    console.say(
        f"Follow it again:  resiliency drill follow {plan.service} {plan.environment} "
        f"{plan.drill} --run {run.name}"
    )
    console.say("Stop it by hand:")
    for command, effect in stop_commands(plan, run.execution, experiment).items():
        console.say(f"  {command}")
        console.say(f"    {effect}")
