"""Runs `resiliency timing`: prints the failover times of one design, or compares two."""

import json
from collections.abc import Sequence
from pathlib import Path

from resiliency.errors import UserError
from resiliency.failover_model.overrides import parse_assumptions
from resiliency.failover_model.simulation import failover_times
from resiliency.failover_model.template_files import read_templates
from resiliency.failover_model.template_reader import read_graph


def show_timing(
    paths: Sequence[Path],
    against: Sequence[Path] | None,
    *,
    outages: int,
    seed: int,
    assume: Sequence[str],
    chart: Path | None,
    objective: int | None,
    as_json: bool,
) -> None:
    """Print the failover times of a design, or compare them with another design.

    Args:
        paths: The templates of the design.
        against: The templates of another design; None without one.
        outages: How many outages to simulate for each fault.
        seed: The same seed gives the same numbers.
        assume: Assumptions, as ``NAME=NUMBER`` or ``NAME=LOW:HIGH``.
        chart: File of a chart; None without one.
        objective: Seconds with which the table compares each fault, and at which the chart has a
            line; None without one.
        as_json: Whether to print JSON in place of tables.

    Raises:
        UserError: A folder holds no readable cloud assembly.
        UserError: Templates can't be followed, an assumption is invalid, or the chart can't be
            written.
    """
    assumptions = parse_assumptions(assume)
    if objective is not None and chart is None and (as_json or against is not None):
        raise UserError(
            "--objective: is shown in the table of one design and in a chart; give --chart FILE too"
        )
    sides = [
        failover_times(
            read_graph(read_templates(side)), outages=outages, seed=seed, assumptions=assumptions
        )
        for side in ([paths] if against is None else [paths, against])
    ]
    if chart is not None:
        from resiliency.failover_model.chart import Design, write_chart

        labels = ("",) if against is None else ("before", "after")
        designs = [Design(label, side) for label, side in zip(labels, sides, strict=True)]
        write_chart(chart, designs, objective)
    # rich takes longer to load than a template takes to read
    from rich.console import Console

    from resiliency.failover_model.comparison import compare, comparison_json, print_comparison
    from resiliency.failover_model.report import print_assumptions, print_timing, timing_json

    console = Console()
    if against is None:
        if as_json:
            print(json.dumps(timing_json(sides[0], assumptions, seed=seed), indent=2))
        else:
            print_timing(sides[0], assumptions, console, objective)
        return
    compared = compare(*sides)
    if as_json:
        print(json.dumps(comparison_json(compared, seed=seed), indent=2))
    else:
        print_comparison(compared, console)
        print_assumptions([each for side in sides for each in side], assumptions, console)
