"""Failover times as a person reads them, and as a program does."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resiliency.cloud_assembly import JsonObject
from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.graph import Pair
from resiliency.failover_model.overrides import FROM_TEMPLATES
from resiliency.failover_model.simulation import PARTS, Percentiles, Verdict

LEAST_WIDTH: Final = 60
"""Columns below which a table would break words into pieces; there are lines instead."""


def print_timing(
    verdicts: Sequence[Verdict],
    assumptions: Assumptions,
    console: Console,
    objective: int | None = None,
) -> None:
    """Print a table for each pair, why clients are not moved, and what the numbers rest on."""
    for pair in dict.fromkeys(verdict.pair for verdict in verdicts):
        of_pair = [each for each in verdicts if each.pair == pair]
        if console.width < LEAST_WIDTH:
            _print_lines(pair, of_pair, objective, console)
        else:
            console.print(_times_table(pair, of_pair, objective))
        for verdict in verdicts:
            if verdict.pair == pair and verdict.never is not None:
                text = escape(f"{verdict.fault}: clients stay, as {verdict.never}")
                mark = "[yellow]never[/yellow]" if verdict.fault.hurts else "[green]stays[/green]"
                console.print(f"{mark} {text}", soft_wrap=True)
            elif verdict.pair == pair and not verdict.fault.hurts:
                text = escape(f"{verdict.fault}: clients are moved though they were served")
                console.print(f"[yellow]moves[/yellow] {text}", soft_wrap=True)
        _print_what_is_assumed([each for each in verdicts if each.pair == pair], console)
    print_assumptions(verdicts, assumptions, console)


def print_assumptions(
    verdicts: Sequence[Verdict], assumptions: Assumptions, console: Console
) -> None:
    """Print what no template tells, with its range and what it rests on."""
    if console.width >= LEAST_WIDTH:
        console.print(_assumptions_table(verdicts, assumptions))
        return
    for row in _assumptions_rows(verdicts, assumptions):
        console.print("{}: {} to {}, {}; {}".format(*row), soft_wrap=True)


def _print_lines(
    pair: Pair, verdicts: Sequence[Verdict], objective: int | None, console: Console
) -> None:
    console.print(escape(f"{pair.name} {pair.record_type}, TTL {pair.primary.ttl_seconds} s"))
    for verdict in verdicts:
        told = "never"
        if verdict.total is not None:
            total = verdict.total
            told = f"median {total.median:.0f}, p95 {total.p95:.0f}, worst {total.worst:.0f} s"
        if objective is not None and (within := _within(verdict, objective)):
            told += f" ({within} {objective} s)"
        console.print(f"{escape(str(verdict.fault))}: {told}", soft_wrap=True)


def _within(verdict: Verdict, objective: int) -> str:
    """Whether 95 of 100 outages end within an objective; empty where clients are served anyway."""
    if not verdict.fault.hurts:
        return ""
    if verdict.total is None or verdict.moved < 0.95 * verdict.outages:
        return "[red]misses[/red]"
    p95 = verdict.total.p95 if verdict.moved == verdict.outages else verdict.total.worst
    return "[green]meets[/green]" if p95 <= objective else "[red]misses[/red]"


def _print_what_is_assumed(verdicts: Sequence[Verdict], console: Console) -> None:
    """Which numbers of a pair rest on which assumptions; faults that share them in one line."""
    faults: dict[tuple[str, ...], list[str]] = {}
    for verdict in verdicts:
        if verdict.rests_on:
            faults.setdefault(tuple(assumed_of(verdict)), []).append(str(verdict.fault))
    for names, alike in faults.items():
        text = escape(f"{', '.join(alike)}: {', '.join(names)}")
        console.print(f"[cyan]assumed[/cyan] {text}", soft_wrap=True)


def assumed_of(verdict: Verdict) -> Sequence[str]:
    """The names of the numbers behind a verdict that rest on no source."""
    return [
        name
        for name, span in verdict.assumptions.spans()
        if name in verdict.rests_on and span.assumed
    ]


def _times_table(pair: Pair, verdicts: Sequence[Verdict], objective: int | None) -> Table:
    outages = max(verdict.outages for verdict in verdicts)
    table = Table(
        title=escape(
            f"{pair.name} {pair.record_type}, TTL {pair.primary.ttl_seconds} s: seconds until "
            f"clients reach the secondary ({outages:,} outages per fault)"
        ),
        title_justify="left",
    )
    table.add_column("Fault", overflow="fold")
    for heading in ("Best", "Median", "p95", "Worst"):
        table.add_column(heading, justify="right")
    if objective is not None:
        table.add_column(f"{objective} s")
    table.add_column("Median of detect + decide + propagate + cache", overflow="fold")
    for verdict in verdicts:
        numbers, parts = ["never"] * 4, ""
        if verdict.total is not None:
            total = verdict.total
            numbers = [f"{each:.0f}" for each in (total.best, total.median, total.p95, total.worst)]
            parts = " + ".join(f"{verdict.parts[part].median:.0f}" for part in PARTS)
            if verdict.moved < verdict.outages:
                parts += f" (only {verdict.moved / verdict.outages:.0%} of outages)"
        within = [] if objective is None else [_within(verdict, objective)]
        table.add_row(escape(str(verdict.fault)), *numbers, *within, parts)
    return table


def _assumptions_table(verdicts: Sequence[Verdict], assumptions: Assumptions) -> Table:
    table = Table(title="What no template tells", title_justify="left")
    for heading in ("Name", "From", "To", "Is", "Rests on"):
        table.add_column(heading, overflow="fold")
    for row in _assumptions_rows(verdicts, assumptions):
        table.add_row(*row)
    return table


def _assumptions_rows(
    verdicts: Sequence[Verdict], assumptions: Assumptions
) -> Iterator[Sequence[str]]:
    for name, span in assumptions.spans():
        # Templates tell some of them, and not of each pair the same.
        spans: list[Range] = [getattr(verdict.assumptions, name) for verdict in verdicts]
        for each in dict.fromkeys(spans or [span]):
            yield name, f"{each.low:g}", f"{each.high:g}", each.about, escape(each.basis)


def timing_json(verdicts: Sequence[Verdict], assumptions: Assumptions, *, seed: int) -> JsonObject:
    """The same as a JSON object; durations in seconds, rounded to a tenth.

    Args:
        verdicts: What ``failover_times`` gave.
        assumptions: What it was given.
        seed: The seed it was given.
    """
    return {
        "seed": seed,
        "verdicts": [verdict_json(verdict) for verdict in verdicts],
        "assumptions": {
            name: {
                "low": span.low,
                "high": span.high,
                "about": span.about,
                "basis": span.basis,
                "assumed": span.assumed,
            }
            for name, span in assumptions.spans()
        },
    }


def verdict_json(verdict: Verdict) -> JsonObject:
    """One verdict as a JSON object."""
    return {
        "record": verdict.pair.name,
        "type": verdict.pair.record_type,
        "ttl_seconds": verdict.pair.primary.ttl_seconds,
        "fault": verdict.fault.kind.value,
        "dependency": verdict.fault.dependency,
        "hurts_clients": verdict.fault.hurts,
        "outages": verdict.outages,
        "moved": verdict.moved,
        "never": verdict.never,
        "rests_on": list(verdict.rests_on),
        "assumed": list(assumed_of(verdict)),
        "probe": {
            name: span.low
            for name, span in (
                ("interval_seconds", verdict.assumptions.probe_interval),
                ("timeout_seconds", verdict.assumptions.probe_timeout),
            )
            if span.basis == FROM_TEMPLATES
        },
        "total": _spread(verdict.total) if verdict.total else None,
        "parts": {part: _spread(spread) for part, spread in verdict.parts.items()},
    }


def _spread(spread: Percentiles) -> JsonObject:
    return {
        "best": round(spread.best, 1),
        "median": round(spread.median, 1),
        "p95": round(spread.p95, 1),
        "worst": round(spread.worst, 1),
    }
