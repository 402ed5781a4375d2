"""The command `resiliency`: what can be asked of service files and templates without AWS."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from staged_resiliency.assembly import AssemblyError, read_assembly
from staged_resiliency.service import ServiceFileError, load
from staged_resiliency.service.files import DEFAULT_PATH
from staged_resiliency.service.schema import json_schema
from staged_resiliency.service.warnings import notes_of, warnings_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Words of the command line after the command's name; the process's own unless
            given.

    Returns:
        The exit status: 0 for success, 1 for a problem that is told on standard error.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (ServiceFileError, AssemblyError) as error:
        print(error, file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="resiliency", description="Failover of EC2 pairs: check, look at, understand."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check service files, without the CDK")
    check.add_argument("path", type=Path, nargs="?", default=DEFAULT_PATH)
    check.set_defaults(run=_check)
    summary = commands.add_parser("summary", help="say what a synthesized application would deploy")
    summary.add_argument("folder", type=Path, nargs="?", default=Path("cdk.out"))
    summary.set_defaults(run=_summary)
    schema = commands.add_parser("schema", help="print the JSON Schema of service files")
    schema.set_defaults(run=_schema)
    return parser


def _check(options: argparse.Namespace) -> int:
    for service in load(options.path):
        print(f"{service.service}: sound, {len(service.environments)} environment(s)")
        for name, environment in service.environments.items():
            for warning in warnings_of(environment):
                print(f"  warning: environments.{name}.{warning}")
            for note in notes_of(environment):
                print(f"  note: environments.{name}.{note}")
    return 0


def _summary(options: argparse.Namespace) -> int:
    # rich takes longer to load than a file takes to check
    from rich.console import Console

    from staged_resiliency.summary import print_summary

    print_summary(read_assembly(options.folder), Console())
    return 0


def _schema(options: argparse.Namespace) -> int:
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
