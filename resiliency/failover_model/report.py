"""Prints failover times as tables, and encodes them as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.explanations import LEFT_OUT, UNKNOWN
from resiliency.failover_model.graph import Pair, RefusedPair
from resiliency.failover_model.origin_groups import OriginGroup
from resiliency.failover_model.overrides import FROM_TEMPLATES
from resiliency.failover_model.simulation import PARTS, Percentiles, Verdict, assumed_of
from staged_resiliency.experiment.json_codec import JsonObject

_OF_A_RANGE: Final = ("low", "high", "about", "basis", "assumed")

LEAST_WIDTH: Final = 60
"""The least width for tables; below it, lines are printed so that no word is broken."""


def print_timing(
    verdicts: Sequence[Verdict],
    assumptions: Assumptions,
    console: Console,
    objective: int | None = None,
) -> None:
    """Print a table for each pair, why clients do not move, and the assumptions."""
    if not assumptions.stretching_share.high:
        console.print(
            "Clients are those whose resolvers honor the TTL; --assume stretching_share=0.087 "
            "includes others.",
            soft_wrap=True,
        )
    for pair in dict.fromkeys(verdict.pair for verdict in verdicts):
        of_pair = [each for each in verdicts if each.pair == pair]
        if console.width < LEAST_WIDTH:
            _print_lines(pair, of_pair, objective, console)
        else:
            console.print(_times_table(pair, of_pair, objective))
        for verdict in of_pair:
            if verdict.never is not None:
                why = "clients stay" if without_time(verdict) == "never" else "not known"
                text = escape(f"{verdict.fault}: {why}, as {verdict.never}")
                mark = f"[yellow]{without_time(verdict)}[/yellow]"
                mark = mark if verdict.fault.hurts else "[green]stays[/green]"
                console.print(f"{mark} {text}", soft_wrap=True)
            elif not verdict.fault.hurts:
                text = escape(f"{verdict.fault}: clients are moved though they were served")
                console.print(f"[yellow]moves[/yellow] {text}", soft_wrap=True)
        _print_messages(of_pair, console)
        print_left_out([pair], console)
        _print_sensitivity(of_pair, console)
    print_assumptions(verdicts, assumptions, console)


def print_assumptions(
    verdicts: Sequence[Verdict], assumptions: Assumptions, console: Console
) -> None:
    """Print the assumptions, each with its range and source."""
    rows = list(_assumptions_rows(verdicts, assumptions))
    if console.width < LEAST_WIDTH:
        for row in rows:
            console.print("{}: {} to {}, {}; {}".format(*row), soft_wrap=True)
        return
    table = Table(title="Assumptions, which no template contains", title_justify="left")
    for heading in ("Name", "From", "To", "Meaning", "Source"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _print_lines(
    pair: Pair, verdicts: Sequence[Verdict], objective: int | None, console: Console
) -> None:
    console.print(escape(f"{pair.name} {pair.record_type}, TTL {pair.primary.ttl_seconds} s"))
    for verdict in verdicts:
        times = without_time(verdict)
        if verdict.total is not None:
            total = verdict.total
            times = f"median {total.median:.0f}, p95 {total.p95:.0f}, worst {total.worst:.0f} s"
        if objective is not None and (within := _within(verdict, objective)):
            times += f" ({within} {objective} s)"
        console.print(f"{escape(str(verdict.fault))}: {times}", soft_wrap=True)


def without_time(verdict: Verdict) -> str:
    """Return ``never`` for a fault that moves no clients, ``unknown`` if the model can't know."""
    unknown = verdict.pair.primary.evaluates_target or (verdict.never or "").startswith(UNKNOWN)
    return "unknown" if unknown else "never"


def _within(verdict: Verdict, objective: int) -> str:
    """Return whether 95 of 100 outages end within an objective; empty for harmless faults."""
    meets = verdict.meets(objective)
    if meets is None:
        return ""
    return "[green]meets[/green]" if meets else "[red]misses[/red]"


def _print_messages(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print how soon people are notified that clients are sent to the secondary."""
    times = [
        f"{each.fault} {each.message.median:.0f} / {each.message.p95:.0f} / "
        f"{each.message.worst:.0f} s"
        for each in verdicts
        if each.message is not None
    ]
    if times:
        text = escape(f"an alarm on HealthCheckStatus fires after: {', '.join(times)}")
        console.print(f"[cyan]message[/cyan] {text} (median / p95 / worst)", soft_wrap=True)


def _print_sensitivity(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print which assumptions affect the times of a pair; faults that share them in one line."""
    faults: dict[tuple[str, ...], list[str]] = {}
    for verdict in verdicts:
        if verdict.sensitive_to:
            faults.setdefault(tuple(assumed_of(verdict)), []).append(str(verdict.fault))
    for names, alike in faults.items():
        text = escape(f"{', '.join(alike)}: {', '.join(names)}")
        console.print(f"[cyan]assumed[/cyan] {text}", soft_wrap=True)


def _times_table(pair: Pair, verdicts: Sequence[Verdict], objective: int | None) -> Table:
    outages = max(verdict.outages for verdict in verdicts)
    table = Table(
        title=escape(
            f"{pair.name} {pair.record_type}, TTL {pair.primary.ttl_seconds} s: seconds until "
            f"clients reach the secondary (best and worst of {outages:,} outages per fault)"
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
        numbers, parts = [without_time(verdict)] * 4, ""
        if verdict.total is not None:
            total = verdict.total
            numbers = [f"{each:.0f}" for each in (total.best, total.median, total.p95, total.worst)]
            parts = " + ".join(f"{verdict.parts[part].median:.0f}" for part in PARTS)
            if verdict.moved < verdict.outages:
                parts += f" (only {verdict.moved / verdict.outages:.0%} of outages)"
        within = [] if objective is None else [_within(verdict, objective)]
        table.add_row(escape(str(verdict.fault)), *numbers, *within, parts)
    return table


def _assumptions_rows(
    verdicts: Sequence[Verdict], assumptions: Assumptions
) -> Iterator[Sequence[str]]:
    for name, default in assumptions.ranges():
        # Templates replace some of them, and not in each pair by the same value.
        used: list[Range] = [getattr(verdict.assumptions, name) for verdict in verdicts]
        for each in dict.fromkeys(used or [default]):
            yield name, f"{each.low:g}", f"{each.high:g}", each.about, escape(each.basis)


def print_left_out(pairs: Iterable[Pair], console: Console) -> None:
    """Print for which pairs Route 53 may move clients sooner than the numbers say."""
    for pair in dict.fromkeys(pairs):
        if pair.primary.evaluates_target:
            text = escape(f"{pair.name} {pair.record_type}: {LEFT_OUT}; it may move clients sooner")
            console.print(f"[yellow]left out[/yellow] {text}", soft_wrap=True)


def print_origin_groups(groups: Sequence[OriginGroup], console: Console) -> None:
    """Print how long a client waits until CloudFront asks the secondary origin of a group."""
    for each in groups:
        waits: list[str] = []
        never: list[str] = []
        for seconds, where, code in (
            (each.unreachable_seconds, "accepts no connection", 503),
            (each.unresponsive_seconds, "does not respond", 504),
        ):
            if seconds is None:
                never.append(f"{where} ({code} is not in the group)")
            else:
                before, subject = ("and ", "it") if waits else ("", each.primary)
                waits.append(f"{before}up to {seconds:g} s where {subject} {where}, ")
        text = escape(
            f"{each.name}: a request that CloudFront does not answer from its cache waits "
            f"{''.join(waits)}until CloudFront asks {each.secondary}; upon an error status of the "
            "group it asks at once"
            + (f"; it never asks where {each.primary} {' or '.join(never)}" if never else "")
        )
        console.print(f"[cyan]origins[/cyan] {text}", soft_wrap=True)


def print_refused(refused: Sequence[RefusedPair], console: Console) -> None:
    """Print why pairs have no failover time."""
    for each in refused:
        name = f"{each.name} {each.record_type}".rstrip()
        console.print(f"[red]refused[/red] {escape(f'{name}: {each.reason}')}", soft_wrap=True)


def timing_json(
    verdicts: Sequence[Verdict],
    assumptions: Assumptions,
    *,
    seed: int,
    objective: int | None = None,
    refused: Sequence[RefusedPair] = (),
    origin_groups: Sequence[OriginGroup] = (),
) -> JsonObject:
    """Encode failover times as a JSON object; durations in seconds, rounded to a tenth."""
    judged: JsonObject = {} if objective is None else {"objective_seconds": objective}
    return {
        "seed": seed,
        **judged,
        "verdicts": [
            verdict_json(each)
            | ({} if objective is None else {"meets_objective": each.meets(objective)})
            for each in verdicts
        ],
        "refused": [
            {"record": each.name, "type": each.record_type, "reason": each.reason}
            for each in refused
        ],
        "origin_groups": [asdict(each) for each in origin_groups],
        "assumptions": {
            name: {key: getattr(each, key) for key in _OF_A_RANGE}
            for name, each in assumptions.ranges()
        },
    }


def verdict_json(verdict: Verdict) -> dict[str, object]:
    """Encode one verdict as a JSON object."""
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
        "left_out": ["EvaluateTargetHealth"] if verdict.pair.primary.evaluates_target else [],
        "sensitive_to": list(verdict.sensitive_to),
        "assumed": list(assumed_of(verdict)),
        "probe": {
            name: setting.low
            for name, setting in (
                ("interval_seconds", verdict.assumptions.probe_interval),
                ("timeout_seconds", verdict.assumptions.probe_timeout),
            )
            if setting.basis == FROM_TEMPLATES
        },
        "total": _percentiles_json(verdict.total) if verdict.total else None,
        "message": _percentiles_json(verdict.message) if verdict.message else None,
        "parts": {part: _percentiles_json(each) for part, each in verdict.parts.items()},
    }


def _percentiles_json(percentiles: Percentiles) -> JsonObject:
    return {name: round(seconds, 1) for name, seconds in asdict(percentiles).items()}
