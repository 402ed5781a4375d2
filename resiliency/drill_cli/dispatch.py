"""Runs the subcommands of `resiliency drill`."""

import argparse
import json
import time

from resiliency.drill_cli.approval import approve
from resiliency.drill_cli.aws import PERMISSIONS, Aws, session
from resiliency.drill_cli.follow import follow, run_to_follow, start
from resiliency.drill_cli.listing import print_rows, rows_of
from resiliency.drill_cli.preview import preview_of, print_preview
from resiliency.drill_cli.progress import FollowedRun
from resiliency.drill_cli.reporting import past_of, print_past, print_unreadable, write_html
from resiliency.drill_cli.safe_console import SafeConsole
from resiliency.drill_cli.stack import DeployedDrills, Location, find_location, find_stack
from resiliency.errors import UserError
from staged_resiliency.drills.runtime import network
from staged_resiliency.drills.runtime.context import Context


def run(options: argparse.Namespace) -> int:
    """Run the subcommand that the options name; return the exit status.

    Raises:
        UserError: It fails.
        ServiceFileError: A service file is invalid.
    """
    try:
        return _run(options)
    except KeyboardInterrupt:
        if options.action != "start":
            raise UserError("interrupted") from None
        raise UserError(
            f"interrupted; `resiliency drill follow {options.service} {options.environment} "
            f"{options.drill}` shows the drill if it was started"
        ) from None


def local_context(aws: Aws) -> Context:
    """Return a context with this machine's network and clock, and the user's credentials."""
    return Context(
        aws=aws,
        resolve=network.Resolver(),
        ask=network.ask,
        clock=time.time,
        sleep=time.sleep,
        log=lambda event, **fields: None,  # meant for CloudWatch
    )


def enter(
    options: argparse.Namespace, permissions: str = PERMISSIONS
) -> tuple[Location, Aws, Context]:
    """Find the account of the environment that the options name.

    ``permissions`` says where the documentation lists those that are needed.

    Raises:
        UserError: There are no credentials, or the service file has no such environment.
    """
    location = find_location(
        options.service, options.environment, services=options.services, region=options.region
    )
    aws = Aws(session(options.profile, location.region), permissions=permissions)
    return location, aws, local_context(aws)


def _run(options: argparse.Namespace) -> int:
    location, aws, context = enter(options)
    stack, console, now = find_stack(aws, location), SafeConsole(), context.clock()
    match options.action:
        case "list":
            return print_rows(console, rows_of(aws, stack, now))
        case "preview":
            print_preview(console, preview_of(aws, stack, stack.drill(options.drill), context))
        case "approve":
            approve(aws, stack, options.drill, options.days, console, now)
        case "start":
            started = start(aws, stack, options.drill, console, now, confirmed=options.yes)
            if started is None:
                return 1
            if not options.no_follow:
                return follow(FollowedRun(aws, *started), aws, console, context)
        case "follow":
            drill, execution = run_to_follow(aws, stack, options.drill, options.run_name)
            return follow(FollowedRun(aws, drill, execution), aws, console, context)
        case "report":
            return _report(options, aws, stack, console, now)
    return 0


def _report(
    options: argparse.Namespace, aws: Aws, stack: DeployedDrills, console: SafeConsole, now: float
) -> int:
    drills = stack.drills if options.drill is None else [stack.drill(options.drill)]
    past = past_of(aws, drills, options.last)
    if options.json:
        print(json.dumps([each.content for drill in past for each in drill.runs], indent=2))
    else:
        print_past(console, past)
    unreadable = [reason for drill in past for reason in drill.unreadable]
    status = print_unreadable(SafeConsole(stderr=True), unreadable)
    if options.html is not None:
        write_html(options.html, past, now)
        SafeConsole(stderr=True).say(f"{options.html}: written")
    return status
