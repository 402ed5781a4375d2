"""`resiliency status`: whether a service's failover works in the account now."""

import argparse

from resiliency.commands import Subparsers, add_command
from resiliency.commands.drill import where
from resiliency.errors import NOT_ASKED, STATUSES_HELP


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    status = add_command(
        commands,
        "status",
        parents=[where()],
        help="whether a service's failover works in the account now",
        description="Reads who is served, records, health checks, alarms, topics, probes and "
        "drills, and prints what is not well first. It changes nothing.",
        examples={
            "status bookstore production": "all that can be read",
            "status bookstore production --watch": "repeat it",
            "status bookstore production --json": "for a program",
        },
        statuses=STATUSES_HELP,
    )
    status.add_argument(
        "--drift",
        action="store_true",
        help="also have CloudFormation compare the stacks with what exists, which takes minutes",
    )
    status.add_argument("--watch", action="store_true", help="follow it until Ctrl-C")
    status.add_argument("--json", action="store_true", help="print JSON in place of text")
    status.set_defaults(run=run, extra="drill", status_not_asked=NOT_ASKED)


def run(options: argparse.Namespace) -> int:
    """Print the status."""
    from resiliency.status.command import status

    return status(options)
