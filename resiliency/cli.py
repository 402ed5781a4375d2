"""The command `resiliency`: service files and templates looked at without AWS, and drills in it."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from resiliency.agent_sources import write_sources
from resiliency.argument_types import at_least_one
from resiliency.cloud_assembly import read_assembly
from resiliency.drill_cli.subparser import add_drill
from resiliency.errors import UserError
from resiliency.rehearsal.options import add_rehearse
from resiliency.service_file import Environment, Service, load
from resiliency.service_file.loader import DEFAULT_PATH
from resiliency.service_file.schema import json_schema
from resiliency.service_file.warnings import ServiceWarning, notes_of, warnings_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Words of the command line after the command's name; the process's own unless
            given.

    Returns:
        The exit status: 0 for success, 1 for a problem that is told on standard error, 130 where
        Ctrl-C stopped it.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("stopped by SIGINT", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Who reads has enough, as `head` does. What is buffered has nowhere to go: without this
        # the interpreter would say so at its end (Python's documentation of the module signal).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except UserError as error:
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
    timing = commands.add_parser("timing", help="say from templates how long failover would take")
    timing.add_argument(
        "paths",
        type=Path,
        nargs="*",
        default=[Path("cdk.out")],
        metavar="PATH",
        help="folders that `cdk synth` wrote, or templates; cdk.out unless given",
    )
    timing.add_argument(
        "--outages", type=at_least_one, default=2000, help="outages per fault; 2000 unless given"
    )
    timing.add_argument("--seed", type=int, default=0, help="the same gives the same numbers")
    timing.add_argument(
        "--against",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="another design: say what going from the first to this one does to each number",
    )
    timing.add_argument(
        "--assume",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="take a number that no template tells for this, or for a range as in "
        "resolver_floor=0:300; may be given several times",
    )
    timing.add_argument("--chart", type=Path, metavar="FILE", help="also write a chart, as SVG")
    timing.add_argument(
        "--objective",
        type=at_least_one,
        metavar="SECONDS",
        help="say which faults end within it, and draw this line into the chart",
    )
    timing.add_argument("--json", action="store_true", help="print JSON in place of tables")
    timing.set_defaults(run=_timing)
    add_rehearse(commands)
    sources = commands.add_parser(
        "agent-sources", help="write the sources that a probe's document would install"
    )
    sources.add_argument("folder", type=Path, help="where; must not have anything in it")
    sources.add_argument(
        "--of",
        type=Path,
        metavar="FILE",
        help="a probe stack's template, or what `aws ssm get-document` says; the library's own "
        "document unless given",
    )
    sources.set_defaults(run=_sources)
    add_drill(commands)
    schema = commands.add_parser("schema", help="print the JSON Schema of service files")
    schema.set_defaults(run=_schema)
    return parser


def _check(options: argparse.Namespace) -> int:
    for service in load(options.path):
        print(f"{service.service}: sound, {len(service.environments)} environment(s)")
        for name, environment in service.environments.items():
            for warning in (*warnings_of(environment), *_late(service, environment)):
                print(f"  warning: environments.{name}.{warning}")
            for note in notes_of(environment):
                print(f"  note: environments.{name}.{note}")
    return 0


def _late(service: Service, environment: Environment) -> Iterable[ServiceWarning]:
    """What the objective of an environment leads to."""
    if environment.objective is None:
        return ()
    from resiliency.service_file.objective import objective_warnings

    return objective_warnings(service, environment)


def _summary(options: argparse.Namespace) -> int:
    # rich takes longer to load than a file takes to check
    from rich.console import Console

    from resiliency.synth_summary import print_summary

    print_summary(read_assembly(options.folder), Console())
    return 0


def _timing(options: argparse.Namespace) -> int:
    from resiliency.failover_model.command import show_timing

    show_timing(
        options.paths,
        options.against,
        outages=options.outages,
        seed=options.seed,
        assume=options.assume,
        chart=options.chart,
        objective=options.objective,
        as_json=options.json,
    )
    return 0


def _sources(options: argparse.Namespace) -> int:
    written = write_sources(options.folder, options.of)
    print(f"{options.folder}: {len(written)} files")
    return 0


def _schema(options: argparse.Namespace) -> int:
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
