"""`resiliency drill follow`: a run's phases as they happen, then its verdict."""

from typing import Final

from resiliency.drill_cli import wording
from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.clock import Clock
from resiliency.drill_cli.errors import TemporaryError
from resiliency.drill_cli.journals import journal_of
from resiliency.drill_cli.live_view import HINT, Lines, Picture, View
from resiliency.drill_cli.permissions import EXECUTIONS
from resiliency.drill_cli.safe_console import Screen
from resiliency.drill_cli.stack import DeployedDrill, DrillsStack, running
from resiliency.drill_cli.verdict import print_verdict
from resiliency.drill_cli.watching import RUNNING, SUCCEEDED, RunSnapshot, Watched
from resiliency.errors import UserError
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.verdict import Status

LOOK_SECONDS: Final = 5.0
"""Between two looks at a run."""

MOST_FAILURES: Final = 12
"""Looks in a row that may fail before nobody looks any more."""

JOURNAL_SECONDS: Final = 300.0
"""How long the verdict of a run that came to its end is waited for."""


def run_to_follow(
    aws: Aws, stack: DrillsStack, drill: str | None, run: str | None
) -> tuple[DeployedDrill, str]:
    """The drill and the ARN of its run: the one named, the one under way, or the latest one.

    Raises:
        UserError: There is none.
    """
    drills = stack.drills if drill is None else [stack.drill(drill)]
    if run is not None:
        if drill is None:
            raise UserError("--run names a run of a drill; name the drill too")
        (named,) = drills
        return named, f"{named.arn.replace(':stateMachine:', ':execution:')}:{run}"
    for each in drills:
        found = running(aws, each)
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


def follow(watched: Watched, aws: Aws, screen: Screen, clock: Clock) -> int:
    """Show a run until it ends, then its verdict.

    Returns:
        0 where it passed, else 1, also where Ctrl-C ended the view.

    Raises:
        UserError: The run can't be seen, or its verdict can't be read.
    """
    plan = watched.drill.plan
    view: View = Picture(screen, watched) if screen.is_terminal else Lines(screen)
    if not screen.is_terminal:
        screen.say(f"{plan.drill} of {plan.service} in {plan.environment}, run {watched.run}")
        screen.say(HINT)
    try:
        last = _until_ended(watched, view, clock)
        view.close()
        return _verdict(watched, last, aws, screen, clock)
    except KeyboardInterrupt:
        view.close()
        _left(watched, screen)
        return 1
    finally:
        view.close()


def _until_ended(watched: Watched, view: View, clock: Clock) -> RunSnapshot:
    failures = 0
    while True:
        try:
            sighting = watched.look()
        except TemporaryError as error:
            failures += 1
            if failures >= MOST_FAILURES:
                raise UserError(
                    f"{error} (the drill goes on, and ends its fault by itself; `resiliency drill "
                    "follow` shows it again)"
                ) from None
            view.trouble(str(error))
        else:
            failures = 0
            view.show(sighting, clock.now())
            if sighting.status != RUNNING:
                return sighting
        clock.sleep(LOOK_SECONDS)


def _verdict(watched: Watched, last: RunSnapshot, aws: Aws, screen: Screen, clock: Clock) -> int:
    plan, swept = watched.drill.plan, last.status != SUCCEEDED
    seconds = swept_within(plan) if swept else JOURNAL_SECONDS
    until = clock.now() + seconds
    recorded = journal_of(aws, plan, watched.run)
    if recorded is None and swept:
        screen.say(
            f"The run ended ({last.status}). The sweep makes sure that its fault is over, then "
            f"records the verdict: {wording.duration(seconds)} at most."
        )
    elif recorded is None:
        screen.say(f"The run ended ({last.status}); its verdict is still to be recorded.")
    while recorded is None:
        if clock.now() >= until:
            raise UserError(
                f"{watched.run}: ended ({last.status}) without a verdict in "
                f"{wording.duration(seconds)}; make sure that {plan.broken} is well, and look at "
                "the "
                "sweep's log"
            )
        clock.sleep(LOOK_SECONDS)
        recorded = journal_of(aws, plan, watched.run)
    print_verdict(screen, recorded.journal)
    return 0 if recorded.journal.verdict.status is Status.PASSED else 1


def swept_within(plan: Plan) -> float:
    """How long the verdict of a run that did not come to its end may take.

    A blackhole goes on until its time is over, whoever is told to end it; the sweep waits for that.

    Args:
        plan: The drill.
    """
    return plan.timeouts.end + plan.timeouts.record + JOURNAL_SECONDS


def _left(watched: Watched, screen: Screen) -> None:
    plan = watched.drill.plan
    experiment = watched.latest.progress.experiment if watched.latest else None
    screen.say()
    screen.say(
        "No longer followed. The drill goes on in the account: it ends its fault and records its "
        "verdict by itself."
    )
    screen.say(
        f"Follow it again:  resiliency drill follow {plan.service} {plan.environment} "
        f"{plan.drill} --run {watched.run}"
    )
    screen.say("Stop it by hand:")
    for command, what in wording.by_hand(plan, watched.execution, experiment):
        screen.say(f"  {command}")
        screen.say(f"    {what}")
