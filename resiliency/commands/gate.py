"""`resiliency gate`: stop a delivery pipeline unless the failover is tested."""

import argparse
from pathlib import Path

from resiliency.commands import Subparsers, add_command, at_least_one, rehearse
from resiliency.commands.drill import where
from resiliency.errors import NOT_ASKED, STATUSES_HELP
from staged_resiliency.drills.runtime.durations import EXPIRY_DAYS


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    gate = add_command(
        commands,
        "gate",
        parents=[where()],
        help="stop a pipeline unless every drill passed on what is deployed now",
        description="Passes when every drill of a service passed lately, on what is deployed now, "
        "and neither a drill nor a deployment runs. It only reads, except with --run.",
        examples={
            "gate bookstore production": "before a deployment",
            "gate bookstore staging --run shutdown": "run a drill first",
            "gate bookstore production --rehearse cdk.out": "rehearse, without an account",
        },
        statuses=STATUSES_HELP,
    )
    gate.add_argument(
        "--freshness",
        type=at_least_one,
        default=EXPIRY_DAYS,
        metavar="DAYS",
        help=f"whole days for which a passed run counts; {EXPIRY_DAYS} unless given",
    )
    gate.add_argument(
        "--any-deployment",
        action="store_true",
        help="count also runs that passed before the last change, such as a swap",
    )
    instead = gate.add_mutually_exclusive_group()
    instead.add_argument(
        "--run", metavar="DRILL", dest="drill", help="start this drill, and pass if it passes"
    )
    instead.add_argument(
        "--rehearse",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="rehearse the failover of templates on this machine, without an account, and pass if "
        "it passes; cdk.out unless given",
    )
    gate.add_argument("--json", action="store_true", help="print JSON in place of text")
    gate.add_argument("--junit", type=Path, metavar="FILE", help="also write JUnit XML")
    gate.set_defaults(run=run, extra=_extra, status_not_asked=NOT_ASKED)


def run(options: argparse.Namespace) -> int:
    """Make the gate's checks, print them, and return the exit status."""
    from resiliency.gate import gate

    return gate(options, rehearse.defaults())


def _extra(options: argparse.Namespace) -> str:
    return "drill" if options.rehearse is None else "rehearsal"
