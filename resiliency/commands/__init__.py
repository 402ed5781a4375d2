"""The subcommands of `resiliency`, one module each: its arguments, its help, and what it runs.

Each module has a function ``add``, which adds its arguments, and a function ``run``, which returns
the exit status. The modules load only argparse; ``run`` loads the rest, so that no command waits
for the packages of another one.
"""

import argparse
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_STATUSES: Final = "exit status: 0 for success, 1 for an error, which is printed in one line."


def add_command(
    commands: Subparsers,
    name: str,
    *,
    help: str,
    description: str,
    examples: Mapping[str, str],
    statuses: str = _STATUSES,
    parents: Sequence[argparse.ArgumentParser] = (),
) -> argparse.ArgumentParser:
    """Add a command; ``help`` is its line in the list of commands. See also ``describe``."""
    made = commands.add_parser(name, help=help, parents=parents)
    describe(made, description, examples, statuses)
    return made


def describe(
    parser: argparse.ArgumentParser, description: str, examples: Mapping[str, str], statuses: str
) -> None:
    """Set what `--help` prints besides options; examples are command lines and what they do."""
    parser.formatter_class = _Format
    parser.description = description
    lines = [f"  resiliency {line}\n      {what}" for line, what in examples.items()]
    parser.epilog = "\n".join(["examples:", *lines]) + f"\n\n{statuses}"


def at_least_one(text: str) -> int:
    """Convert to a whole number of 1 or more.

    Raises:
        argparse.ArgumentTypeError: The text is not such a number.

    Example:
        >>> at_least_one("10")
        10
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return number


def add_templates(parser: argparse.ArgumentParser) -> None:
    """Add the argument for the templates that a command reads."""
    parser.add_argument(
        "paths",
        type=Path,
        nargs="*",
        default=[Path("cdk.out")],
        metavar="PATH",
        help="folders that `cdk synth` wrote, or templates; cdk.out unless given",
    )


class _Format(argparse.HelpFormatter):
    """Wraps paragraphs, and keeps the lines of examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        return "\n\n".join(
            each if "\n  " in each else textwrap.fill(" ".join(each.split()), width)
            for each in paragraphs
        )
