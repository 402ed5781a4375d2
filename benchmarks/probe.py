"""The probe agent against the hand-made loops, and against prometheus-blackbox-exporter.

    python -m benchmarks.probe            all of it, some eleven minutes
    python -m benchmarks.probe --quick    half of it
    python -m benchmarks.probe --only scale --targets 1000 --rounds 3

It first runs both sides with the same two targets and the same stand-in for CloudWatch, at the
same time; then breaks targets at random moments; then gives the agent and the exporter thousands
of targets. What is not installed is named and left out. Linux only; needs no root and no network.
"""

import argparse
import os
import platform
import random
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import botocore
from rich.console import Console
from rich.table import Table

from benchmarks.probing import application, scale, side_by_side
from benchmarks.probing.contenders import missing_for_recipe
from benchmarks.probing.side_by_side import Side, Sides
from benchmarks.probing.targets import KINDS

# The goals: fractions of the recipe's, the agent's memory, times the exporter's.
CPU_FRACTION: Final = 500
REQUESTS_FRACTION: Final = 10
MEGABYTES: Final = 60
SCALE_GOAL: Final = 2
# List prices of us-east-1 in US dollars; verify before you rely on them.
METRIC_A_MONTH: Final = 0.30
THOUSAND_REQUESTS: Final = 0.01
MINUTES_A_MONTH: Final = 730 * 60

PLAIN_WIDTH: Final = 100  # of what is not printed to a terminal
PARTS: Final = ("side-by-side", "faults", "scale", "statsd")


def main() -> None:
    """Measure what can be measured here, and print it."""
    parser = argparse.ArgumentParser(description="The probe agent against what there was.")
    parser.add_argument("--quick", action="store_true", help="fewer targets, shorter")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--minutes", type=int, help="of the steady state (2; quick: 1)")
    parser.add_argument("--faults", type=int, help="of each kind (4; quick: 2)")
    parser.add_argument("--targets", type=int, nargs="+", help="100 1000 2000 4000; quick: 1000")
    parser.add_argument("--rounds", type=int, default=1, help="of faults, and of scale")
    parser.add_argument("--seed", type=int, help="of the faults' moments")
    options = parser.parse_args()
    quick = options.quick
    minutes = options.minutes or (1 if quick else 2)
    faults = options.faults or (2 if quick else 4)
    targets = options.targets or ([1000] if quick else [100, 1000, 2000, 4000])
    chance = random.Random(options.seed)

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    cores = len(os.sched_getaffinity(0))
    console.print(
        f"{cores} cores, Python {platform.python_version()}, botocore {botocore.__version__}"
    )
    missing = missing_for_recipe()
    for package in missing:
        console.print(f"The recipe is left out: Debian package {package} is not installed.")
    has_agent = find_spec("staged_resiliency.probe") is not None
    if not has_agent:
        console.print("The agent is left out: there is none in this version.")
    with tempfile.TemporaryDirectory(prefix="probe-") as name:
        folder = Path(name)
        sides = Sides(None if missing else Side(), Side() if has_agent else None)
        if "side-by-side" in options.only:
            console.print(f"Two targets that answer, {minutes} minute(s) ...")
            side_by_side.measure_steady_state(sides, folder / "steady", minutes, chance)
        if "faults" in options.only:
            console.print(f"{faults} targets that refuse and {faults} that hang ...")
            for number in range(options.rounds):
                side_by_side.measure_faults(sides, folder / f"faults-{number}", 1, faults, chance)
        if {"side-by-side", "faults"} & set(options.only):
            console.print(side_table(sides))
        if "scale" in options.only:
            at_scale(console, folder, targets, options.rounds, has_agent)
    if "statsd" in options.only:
        table = Table(title="StatsD, microseconds of CPU for a line", title_justify="left")
        for heading in ("", "alone in a datagram", "one of 50"):
            table.add_column(heading, justify="right" if heading else "left")
        for kind, cost in application.measure().items():
            table.add_row(kind, f"{cost.alone:.1f}", f"{cost.together:.1f}")
        console.print(table)


def side_table(sides: Sides) -> Table:
    """Both sides, their ratio and the goals."""
    recipe, agent = sides.recipe or Side(), sides.agent or Side()
    table = Table(title="Two targets, every 10 s", title_justify="left")
    for heading in ("", "recipe", "agent", "agent / recipe", "goal"):
        table.add_column(heading, justify="left" if heading in ("", "goal") else "right")

    def row(
        what: str,
        value: Callable[[Side], float | None],
        form: str,
        *,
        ratio: float | None = None,
        fraction: int | None = None,
        megabytes: int | None = None,
    ) -> None:
        """One line; ``fraction`` and ``megabytes`` are goals for the ratio and for the agent."""
        theirs, ours = value(recipe), value(agent)
        if ratio is None and ours is not None and theirs:
            ratio = ours / theirs
        goal = ""
        if fraction and ratio is not None:
            goal = f"at most 1/{fraction}: {_met(ratio <= 1 / fraction)}"
        if megabytes and ours is not None:
            goal = f"under {megabytes} MB: {_met(ours < megabytes)}"
        table.add_row(what, _text(theirs, form), _text(ours, form), _ratio_text(ratio), goal)

    row(
        "CPU per sample, ms",
        lambda side: _median(1000 * seconds for seconds in side.cpu_per_sample),
        ".2f",
        ratio=_median(
            ours / theirs
            for ours, theirs in zip(agent.cpu_per_sample, recipe.cpu_per_sample, strict=False)
        ),
        fraction=CPU_FRACTION,
    )
    row("CPU before the first sample, s", lambda side: side.start_up_cpu, ".2f")
    row("time before sampling, s", lambda side: side.start_up, ".2f")
    row(
        "requests a minute",
        lambda side: side.requests_per_minute,
        ".1f",
        fraction=REQUESTS_FRACTION,
    )
    row("memory between samples, MB", lambda side: side.steady_megabytes, ".0f")
    row("memory at most, MB", lambda side: side.peak_megabytes, ".0f", megabytes=MEGABYTES)
    row("samples a minute, target that answers", lambda side: side.samples_per_minute, ".1f")
    row(
        "samples a minute, hanging target",
        lambda side: _median(side.hanging_samples_per_minute),
        ".1f",
    )
    for kind in KINDS:
        row(f"{kind}: s to the first 0, median", _detection(kind, statistics.median), ".1f")
        row(f"{kind}: s to the first 0, longest", _detection(kind, max), ".1f")
    row("metrics", lambda side: side.metrics, ".0f")
    row("CloudWatch a month and host, USD", _monthly, ".2f")
    return table


def at_scale(
    console: Console, folder: Path, targets: Sequence[int], rounds: int, has_agent: bool
) -> None:
    """Print how both sides bear many targets."""
    has_exporter = scale.has_exporter()
    if not has_exporter:
        console.print(f"The exporter is left out: Debian package {scale.EXPORTER} is missing.")
    if not (has_agent or has_exporter):
        return
    table = Table(title=f"TCP targets, every 10 s, {rounds} round(s)", title_justify="left")
    for heading in ("targets", "", "probes per CPU-second", "of a core", "MB", "samples"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_column(f"ratio (goal: {SCALE_GOAL})")
    for count in targets:
        console.print(f"{count} targets, {rounds} minute(s) ...")
        pairs = [
            scale.measure(
                folder / f"scale-{count}-{number}",
                count,
                agent=has_agent,
                exporter=has_exporter,
                swapped=number % 2 == 1,
            )
            for number in range(rounds)
        ]
        ratio = scale.median(pairs)
        verdict = "" if ratio is None else f"{ratio:.2f}: {_met(ratio >= SCALE_GOAL)}"
        for name in ("agent", "exporter"):
            loads = [load for load in (getattr(pair, name) for pair in pairs) if load]
            if loads:
                table.add_row(str(count), name, *_load_cells(loads), verdict)
                verdict = ""
    if has_exporter:
        best = scale.flat_out(folder / "flat-out")
        table.add_row("", "exporter without pauses", f"{best:,.0f}", "", "", "", "")
    console.print(table)


def _load_cells(loads: Sequence[scale.Load]) -> Sequence[str]:
    speeds = statistics.median(load.probes_per_cpu_second for load in loads)
    taken, due = sum(load.taken for load in loads), sum(load.due for load in loads)
    return (
        f"{speeds:,.0f}",
        f"{statistics.median(load.share_of_core for load in loads):.1%}",
        f"{statistics.median(load.megabytes for load in loads):.0f}",
        "all" if taken >= due else f"{due - taken:.0f} of {due:.0f} missing",
    )


def _met(met: bool) -> str:
    return "met" if met else "missed"


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None


def _detection(
    kind: str, pick: Callable[[Sequence[float]], float]
) -> Callable[[Side], float | None]:
    return lambda side: pick(side.detection[kind]) if side.detection else None


def _monthly(side: Side) -> float | None:
    """What CloudWatch takes for the metrics and the requests of a month without faults."""
    if side.metrics is None or side.requests_per_minute is None:
        return None
    requests = side.requests_per_minute * MINUTES_A_MONTH
    return side.metrics * METRIC_A_MONTH + requests / 1000 * THOUSAND_REQUESTS


def _text(value: float | None, form: str) -> str:
    return "" if value is None else f"{value:{form}}"


def _ratio_text(ratio: float | None) -> str:
    if not ratio:
        return ""
    return f"1/{1 / ratio:.1f}" if ratio < 1 else f"{ratio:.2f}"


if __name__ == "__main__":
    main()
