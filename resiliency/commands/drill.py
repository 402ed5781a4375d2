"""`resiliency drill`: see, start and follow the drills of a service in the account."""

import argparse
from pathlib import Path

from resiliency.argument_types import at_least_one
from resiliency.commands import Subparsers

SERVICES_HELP = "service file or folder, for account and region; services/ if it exists"


def where() -> argparse.ArgumentParser:
    """Return the arguments by which a service's environment and its account are found."""
    found = argparse.ArgumentParser(add_help=False)
    found.add_argument("service", help="short name of the service")
    found.add_argument("environment", help="short name of the environment")
    found.add_argument("--services", type=Path, metavar="PATH", help=SERVICES_HELP)
    found.add_argument("--region", help="AWS region, without a service file")
    found.add_argument("--profile", help="profile of the AWS configuration")
    return found


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    drill = commands.add_parser("drill", help="see, start and follow drills in the account")
    actions = drill.add_subparsers(required=True, metavar="ACTION", dest="action")
    place = where()
    place.set_defaults(run=run, extra="drill")

    actions.add_parser(
        "list", parents=[place], help="each drill: its next run, its last run, its score"
    )

    preview = actions.add_parser(
        "preview", parents=[place], help="what a drill would do, and whether it would start now"
    )
    preview.add_argument("drill", help="short name of the drill")

    approve = actions.add_parser(
        "approve", parents=[place], help="approve the first run of a drill with a fault"
    )
    approve.add_argument("drill", help="short name of the drill")
    approve.add_argument(
        "--days",
        type=int,
        choices=range(1, 32),
        default=7,
        metavar="N",
        help="for how many days the approval is valid, 1 to 31; 7",
    )

    start = actions.add_parser("start", parents=[place], help="start a drill, and follow it")
    start.add_argument("drill", help="short name of the drill")
    start.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    start.add_argument("--no-follow", action="store_true", help="exit once it is started")

    follow = actions.add_parser("follow", parents=[place], help="show a run until its verdict")
    follow.add_argument("drill", nargs="?", help="default: the one that is running, or ran last")
    follow.add_argument("--run", metavar="NAME", dest="run_name", help="an earlier run of it")

    report = actions.add_parser("report", parents=[place], help="the last runs of each drill")
    report.add_argument("drill", nargs="?", help="only this one")
    report.add_argument(
        "--last",
        type=at_least_one,
        default=10,
        metavar="N",
        help="runs per drill; 10",
    )
    report.add_argument("--html", type=Path, metavar="FILE", help="also write a page")
    report.add_argument("--json", action="store_true", help="print the journals in place of tables")


def run(options: argparse.Namespace) -> int:
    """Run the action that the options name."""
    from resiliency.drill_cli import dispatch

    return dispatch.run(options)
