"""What `resiliency timing` shows of one design, or of two side by side."""

import json
from collections.abc import Sequence
from pathlib import Path

from resiliency.errors import UserError
from resiliency.failover_model.comparison import compare
from resiliency.failover_model.overrides import assumptions_given
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
    """Print the failover times of a design, or what a change does to them.

    Args:
        paths: The templates of the design.
        against: Those of another one, None where there is none.
        outages: How many to play through for each fault.
        seed: The same gives the same numbers.
        assume: Assumptions, as ``NAME=NUMBER`` or ``NAME=LOW:HIGH``.
        chart: Where a chart is written; none unless given.
        objective: Seconds that the table holds each fault against, and at which the chart has a
            line; none unless given.
        as_json: JSON in place of tables.

    Raises:
        UserError: A folder holds no readable cloud assembly.
        UserError: Templates that can't be followed, an assumption that is none, or a chart that
            can't be written.
    """
    assumptions = assumptions_given(assume)
    if objective is not None and chart is None and (as_json or against is not None):
        raise UserError(
            "--objective: stands in the table of one design and in a chart; give --chart FILE too"
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

    from resiliency.failover_model.comparison_report import comparison_json, print_comparison
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
