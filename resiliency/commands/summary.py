"""`resiliency summary`: print what a synthesized application would deploy."""

import argparse
from pathlib import Path

from resiliency.commands import Subparsers, add_command


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    summary = add_command(
        commands,
        "summary",
        help="print what a synthesized application would deploy",
        description="Print the stacks that `cdk synth` wrote, with resources, order, estimated "
        "cost and warnings. Calls no AWS API.",
        examples={
            "summary": "of cdk.out",
            "summary build/cdk.out": "of another folder",
        },
    )
    summary.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("cdk.out"),
        help="folder that `cdk synth` wrote; cdk.out unless given",
    )
    summary.set_defaults(run=run, extra="cli")


def run(options: argparse.Namespace) -> int:
    """Print the stacks, their cost and their warnings."""
    from rich.console import Console

    from resiliency.cloud_assembly import read_assembly
    from resiliency.synth_summary import print_summary

    print_summary(read_assembly(options.folder), Console())
    return 0
