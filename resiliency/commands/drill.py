"""`resiliency drill`: see, start and follow the drills of a service in the account."""

import argparse
from pathlib import Path

from resiliency.commands import Subparsers, add_command, at_least_one

_EXAMPLE = "bookstore production shutdown"

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
    drill = add_command(
        commands,
        "drill",
        help="see, start and follow drills in the account",
        description="See, start and follow the drills of a deployed service. Account and region "
        "come from the service file where there is one, or from --region and --profile.",
        examples={
            "drill list bookstore production": "all drills",
            f"drill preview {_EXAMPLE}": "what one would do now",
            f"drill start {_EXAMPLE}": "start it, and follow it",
        },
    )
    actions = drill.add_subparsers(required=True, metavar="ACTION", dest="action")
    place = where()
    place.set_defaults(run=run, extra="drill")

    add_command(
        actions,
        "list",
        parents=[place],
        help="each drill: its next run, its last run, its score",
        description="List the drills of a service: what each breaks, its next and last run, and "
        "its score.",
        examples={
            "drill list bookstore production": "from services/, for account and region",
        },
    )

    preview = add_command(
        actions,
        "preview",
        parents=[place],
        help="what a drill would do, and whether it would start now",
        description="Show what a drill would break, expect and cost, how to stop it, and whether "
        "it would start now. Changes nothing.",
        examples={f"drill preview {_EXAMPLE}": "before it is enabled or started"},
    )
    preview.add_argument("drill", help="short name of the drill")

    approve = add_command(
        actions,
        "approve",
        parents=[place],
        help="approve the first run of a drill with a fault",
        description="Approve the first run of a drill that injects its fault; it is refused until "
        "then.",
        examples={
            f"drill approve {_EXAMPLE}": "for seven days",
            f"drill approve {_EXAMPLE} --days 1": "for one day",
        },
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

    start = add_command(
        actions,
        "start",
        parents=[place],
        help="start a drill, and follow it",
        description="Start a drill now, after a confirmation, and follow it until its verdict. The "
        "drill continues in the account if this command ends.",
        examples={
            f"drill start {_EXAMPLE}": "ask, start and follow",
            f"drill start {_EXAMPLE} --yes --no-follow": "in a script",
        },
        statuses="exit status: 0 where the run passed, or with --no-follow was started; else 1.",
    )
    start.add_argument("drill", help="short name of the drill")
    start.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    start.add_argument("--no-follow", action="store_true", help="exit once it is started")

    follow = add_command(
        actions,
        "follow",
        parents=[place],
        help="show a run until its verdict",
        description="Show the current run of a drill, or its last one, until the verdict.",
        examples={
            "drill follow bookstore production": "the run of now",
            f"drill follow {_EXAMPLE} --run by-hand-20261103": "an earlier one",
        },
        statuses="exit status: 0 where the run passed, else 1.",
    )
    follow.add_argument("drill", nargs="?", help="default: the one that is running, or ran last")
    follow.add_argument("--run", metavar="NAME", dest="run_name", help="an earlier run of it")

    report = add_command(
        actions,
        "report",
        parents=[place],
        help="the last runs of each drill",
        description="Print the last runs of each drill, or write them as a page or as JSON.",
        examples={
            "drill report bookstore production": "as tables",
            "drill report bookstore production --html drills.html": "as a page",
            f"drill report {_EXAMPLE} --last 1 --json": "the last journal",
        },
    )
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
