"""The command `resiliency`: service files and templates looked at without AWS, and drills in it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from staged_resiliency.assembly import AssemblyError, read_assembly
from staged_resiliency.drill_command.errors import DrillCommandError
from staged_resiliency.drill_command.subparser import add_drill
from staged_resiliency.probe.sources import SourcesError, write_sources
from staged_resiliency.service import ServiceFileError, load
from staged_resiliency.service.files import DEFAULT_PATH
from staged_resiliency.service.schema import json_schema
from staged_resiliency.service.warnings import notes_of, warnings_of
from staged_resiliency.timing.expressions import TemplateError


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
    except (
        ServiceFileError,
        AssemblyError,
        SourcesError,
        TemplateError,
        DrillCommandError,
    ) as error:
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
        "--outages", type=_at_least_one, default=2000, help="outages per fault; 2000 unless given"
    )
    timing.add_argument("--seed", type=int, default=0, help="the same gives the same numbers")
    timing.add_argument("--json", action="store_true", help="print JSON in place of tables")
    timing.set_defaults(run=_timing)
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


def _timing(options: argparse.Namespace) -> int:
    from staged_resiliency.timing.assumptions import Assumptions
    from staged_resiliency.timing.files import read_templates
    from staged_resiliency.timing.outages import failover_times
    from staged_resiliency.timing.reading import read_graph
    from staged_resiliency.timing.report import print_timing, timing_json

    graph = read_graph(read_templates(options.paths))
    verdicts = failover_times(graph, outages=options.outages, seed=options.seed)
    if options.json:
        print(json.dumps(timing_json(verdicts, Assumptions(), seed=options.seed), indent=2))
    else:
        from rich.console import Console

        print_timing(verdicts, Assumptions(), Console())
    return 0


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _sources(options: argparse.Namespace) -> int:
    written = write_sources(options.folder, options.of)
    print(f"{options.folder}: {len(written)} files")
    return 0


def _schema(options: argparse.Namespace) -> int:
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
