"""From the words of the command line to what they do."""

import argparse
import json

from resiliency.drill_cli.aws import Aws, session
from resiliency.drill_cli.clock import Clock, SystemClock
from resiliency.drill_cli.follow import follow, run_to_follow
from resiliency.drill_cli.listing import print_rows, rows_of
from resiliency.drill_cli.local_context import seen_from_here
from resiliency.drill_cli.location import place_of
from resiliency.drill_cli.preview import preview_of, print_preview
from resiliency.drill_cli.reporting import past_of, print_past, print_unreadable, write_html
from resiliency.drill_cli.safe_console import Screen
from resiliency.drill_cli.stack import DrillsStack, find_stack
from resiliency.drill_cli.start import start
from resiliency.drill_cli.watching import Watched
from resiliency.errors import UserError


def run(options: argparse.Namespace, clock: Clock | None = None) -> int:
    """Do what the words say.

    Args:
        options: Those of ``resiliency.commands.drill``.
        clock: Time; the machine's own unless given.

    Returns:
        The exit status.

    Raises:
        UserError: It can't be done.
        ServiceFileError: A service file is wrong.
    """
    try:
        return _done(options, clock or SystemClock())
    except KeyboardInterrupt:
        raise _interrupted(options) from None


def _done(options: argparse.Namespace, clock: Clock) -> int:
    place = place_of(
        options.service, options.environment, services=options.services, region=options.region
    )
    aws = Aws(session(options.profile, place.region))
    stack = find_stack(aws, place)
    does = {
        "list": _list,
        "preview": _preview,
        "start": _start,
        "follow": _follow,
        "report": _report,
    }[options.action]
    return does(options, aws, stack, Screen(), clock)


def _interrupted(options: argparse.Namespace) -> UserError:
    if options.action != "start":
        return UserError("interrupted")
    return UserError(
        f"interrupted; `resiliency drill follow {options.service} {options.environment} "
        f"{options.drill}` shows whether the drill was started, and goes on"
    )


def _list(
    options: argparse.Namespace, aws: Aws, stack: DrillsStack, screen: Screen, clock: Clock
) -> int:
    return print_rows(screen, rows_of(aws, stack, clock))


def _preview(
    options: argparse.Namespace, aws: Aws, stack: DrillsStack, screen: Screen, clock: Clock
) -> int:
    drill = stack.drill(options.drill)
    print_preview(screen, preview_of(aws, stack, drill, seen_from_here(aws, clock)))
    return 0


def _start(
    options: argparse.Namespace, aws: Aws, stack: DrillsStack, screen: Screen, clock: Clock
) -> int:
    started = start(aws, stack, options.drill, screen, clock, confirmed=options.yes)
    if started is None:
        return 1
    if options.no_follow:
        return 0
    return follow(Watched(aws, *started), aws, screen, clock)


def _follow(
    options: argparse.Namespace, aws: Aws, stack: DrillsStack, screen: Screen, clock: Clock
) -> int:
    drill, execution = run_to_follow(aws, stack, options.drill, options.run_name)
    return follow(Watched(aws, drill, execution), aws, screen, clock)


def _report(
    options: argparse.Namespace, aws: Aws, stack: DrillsStack, screen: Screen, clock: Clock
) -> int:
    drills = stack.drills if options.drill is None else [stack.drill(options.drill)]
    past = past_of(aws, drills, options.last)
    if options.json:
        print(json.dumps([each.content for drill in past for each in drill.runs], indent=2))
    else:
        print_past(screen, past)
    status = print_unreadable(Screen(stderr=True), past)
    if options.html is not None:
        write_html(options.html, past, clock)
        Screen(stderr=True).say(f"{options.html}: written")
    return status
