"""`resiliency drill start`: a run begun by a person."""

import sys
import uuid
from datetime import datetime, timezone
from typing import Final

from resiliency.drill_cli import wording
from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.clock import Clock
from resiliency.drill_cli.permissions import START
from resiliency.drill_cli.safe_console import Screen
from resiliency.drill_cli.stack import DeployedDrill, DrillsStack, running
from resiliency.errors import UserError

_YES: Final = ("y", "yes")


def start(
    aws: Aws, stack: DrillsStack, name: str, screen: Screen, clock: Clock, *, confirmed: bool
) -> tuple[DeployedDrill, str] | None:
    """Start a drill, once a person has said yes.

    Args:
        aws: AWS.
        stack: The service's drills.
        name: Which of them.
        screen: The terminal.
        clock: Time.
        confirmed: Whether the person has said so already.

    Returns:
        The drill and the ARN of its run; None where the answer was no.

    Raises:
        UserError: A drill of the service runs, there is nobody to ask, or AWS refuses.
    """
    drill = stack.drill(name)
    for each in stack.drills:
        found = running(aws, each)
        if found is not None:
            run = found.rsplit(":", 1)[-1]
            raise UserError(
                f"drill {each.name} runs already ({found}); follow it with `resiliency drill "
                f"follow {each.plan.service} {each.plan.environment} {each.name} --run {run}`"
            )
    if not confirmed and not _said_yes(drill, screen):
        screen.say("Nothing was started.")
        return None
    started = aws(*START, stateMachineArn=drill.arn, name=_run_name(clock), input="{}")
    arn = str(started["executionArn"])
    screen.say(f"Started {arn}")
    return drill, arn


def _said_yes(drill: DeployedDrill, screen: Screen) -> bool:
    plan = drill.plan
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask at; give --yes to start the drill")
    screen.say(f"Drill {plan.drill} {wording.fault(plan)}.", "bold")
    screen.say(f"Clients of {plan.record.name}, {plan.service} in {plan.environment}, feel it.")
    if not plan.enabled:
        screen.say("It is leashed: it looks for its targets, and injects nothing.")
    screen.say(
        f"`resiliency drill preview {plan.service} {plan.environment} {plan.drill}` tells more."
    )
    screen.print("Start it? [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in _YES


def _run_name(clock: Clock) -> str:
    """Unique among the runs of 90 days, and told apart at a glance from scheduled ones."""
    at = datetime.fromtimestamp(clock.now(), timezone.utc)
    return f"by-hand-{at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
