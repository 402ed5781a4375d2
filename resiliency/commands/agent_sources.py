"""`resiliency agent-sources`: write the agent's sources that a document would install."""

import argparse
from pathlib import Path

from resiliency.commands import Subparsers


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    sources = commands.add_parser(
        "agent-sources", help="write the agent's sources that a probe's document would install"
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
