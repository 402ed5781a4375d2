"""`resiliency agent-sources`: write the agent's sources that a document would install."""

import argparse
from pathlib import Path

from resiliency.commands import Subparsers, add_command


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    sources = add_command(
        commands,
        "agent-sources",
        help="write the agent's sources that a probe's document would install",
        description="Write the sources of the probe's agent that a document would install, to read "
        "or compare them.",
        examples={
            "agent-sources new": "of this library",
            "agent-sources new --of cdk.out/shop-production-probe.template.json": "of a template",
        },
    )
    sources.add_argument("folder", type=Path, help="folder to write to; must be empty or new")
    sources.add_argument(
        "--of",
        type=Path,
        metavar="FILE",
        help="template of a probe stack, or the output of `aws ssm get-document`; the library's "
        "own document unless given",
    )
    sources.set_defaults(run=run, extra=None)


def run(options: argparse.Namespace) -> int:
    """Write the sources, and print the number of files."""
    from resiliency.agent_sources import write_sources

    written = write_sources(options.folder, options.of)
    print(f"{options.folder}: {len(written)} files")
    return 0
