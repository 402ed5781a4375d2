"""`resiliency timing`: print the failover times of a design, or compare two designs."""

import argparse
import json
from pathlib import Path

from resiliency.commands import Subparsers, add_command, add_templates, at_least_one
from resiliency.errors import UserError


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    timing = add_command(
        commands,
        "timing",
        help="predict from templates how long failover takes",
        description="Compute from templates how long clients lose the service, for each kind of "
        "failure: best, median, 95th percentile and worst of simulated outages. Calls no AWS API.",
        examples={
            "timing": "of cdk.out",
            "timing --objective 300 --strict": "fail where 300 s are missed",
            "timing old/ --against cdk.out --chart times.svg": "compare two designs",
            "timing --assume client_cache=30": "for clients that cache, such as a JVM",
        },
        statuses="exit status: 0 for success; 1 for an error, for a pair without a number, and "
        "with --strict where a fault misses the objective.",
    )
    add_templates(timing)
    timing.add_argument(
        "--outages", type=at_least_one, default=2000, help="outages per fault; 2000 unless given"
    )
    timing.add_argument(
        "--seed", type=int, default=0, help="the same seed gives the same numbers; 0 unless given"
    )
    timing.add_argument(
        "--against",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="another design: print how its times differ from those of the first one",
    )
    timing.add_argument(
        "--assume",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="set a number that no template contains, or a range as in resolver_floor=0:300; "
        "repeatable",
    )
    timing.add_argument("--chart", type=Path, metavar="FILE", help="also write a chart, as SVG")
    timing.add_argument(
        "--objective",
        type=at_least_one,
        metavar="SECONDS",
        help="report which faults meet this failover time, and draw it as a line in the chart",
    )
    timing.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 where a fault misses the objective, of the last design if there are two",
    )
    timing.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of a parameter of the templates, in place of its default; repeatable",
    )
    timing.add_argument(
        "--calibrate",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="learn from journals of drills and the history of alarms how many periods CloudWatch "
        "reads before it acts on missing data, and print that alone",
    )
    timing.add_argument("--json", action="store_true", help="print JSON in place of tables")
    timing.set_defaults(run=run, extra="cli")


def run(options: argparse.Namespace) -> int:
    """Print the failover times of a design, or compare them with those of another design."""
    if options.calibrate is not None:
        from resiliency.failover_model.calibration import calibrate, calibration_lines

        for line in calibration_lines(calibrate(options.calibrate)):
            print(line)
        return 0
    from resiliency.failover_model.graph import FailoverGraph
    from resiliency.failover_model.origin_groups import read_origin_groups
    from resiliency.failover_model.overrides import parse_assumptions, parse_parameters
    from resiliency.failover_model.simulation import failover_times
    from resiliency.failover_model.template_files import read_templates
    from resiliency.failover_model.template_reader import has_records, read_graph

    assumptions = parse_assumptions(options.assume)
    compares = options.against is not None
    if options.strict and options.objective is None:
        raise UserError("--strict: is about an objective; give --objective SECONDS too")
    if options.objective is not None and compares and not (options.chart or options.strict):
        raise UserError(
            "--objective: applies to two designs only with --chart FILE or --strict; "
            "give one of them"
        )
    templates = [
        read_templates(side)
        for side in ([options.paths, options.against] if compares else [options.paths])
    ]
    parameters = parse_parameters(options.parameter, templates)
    origin_groups = [read_origin_groups(each, parameters) for each in templates]
    graphs = [
        # A distribution may be in templates of its own, without any record.
        FailoverGraph([], []) if groups and not has_records(each) else read_graph(each, parameters)
        for each, groups in zip(templates, origin_groups, strict=True)
    ]
    sides = [
        failover_times(graph, outages=options.outages, seed=options.seed, assumptions=assumptions)
        for graph in graphs
    ]
    refused = [each for graph in graphs for each in graph.refused]
    misses = options.strict and any(each.meets(options.objective) is False for each in sides[-1])
    status = 1 if refused or misses else 0
    if options.chart is not None:
        from resiliency.failover_model.chart import Design, write_chart

        labels = ("before", "after") if compares else ("",)
        designs = [Design(label, side) for label, side in zip(labels, sides, strict=True)]
        write_chart(options.chart, designs, options.objective)
    # rich takes longer to load than a template takes to read
    from rich.console import Console

    from resiliency.failover_model.comparison import compare, comparison_json, print_comparison
    from resiliency.failover_model.report import (
        print_assumptions,
        print_left_out,
        print_origin_groups,
        print_refused,
        print_timing,
        timing_json,
    )

    console = Console()
    if not compares:
        if options.json:
            document = timing_json(
                sides[0],
                assumptions,
                seed=options.seed,
                objective=options.objective,
                refused=refused,
                origin_groups=origin_groups[0],
            )
            print(json.dumps(document, indent=2))
        else:
            if sides[0] or refused:
                print_timing(sides[0], assumptions, console, options.objective)
            print_refused(refused, console)
            print_origin_groups(origin_groups[0], console)
        return status
    compared = compare(*sides)
    if options.json:
        print(json.dumps(comparison_json(compared, seed=options.seed), indent=2))
    else:
        print_comparison(compared, console)
        print_left_out((each.pair for side in sides for each in side), console)
        print_assumptions([each for side in sides for each in side], assumptions, console)
        print_refused(refused, console)
        for side in origin_groups:
            print_origin_groups(side, console)
    return status
