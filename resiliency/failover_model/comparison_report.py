"""Two designs side by side, as a person reads them, and as a program does."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resiliency.cloud_assembly import JsonObject
from resiliency.failover_model.comparison import NUMBERS, Compared, Number
from resiliency.failover_model.report import verdict_json
from resiliency.failover_model.simulation import Verdict


def print_comparison(compared: Sequence[Compared], console: Console) -> None:
    """Print a table for each pair: each number before and after, and the difference."""
    for record, record_type in dict.fromkeys((each.record, each.record_type) for each in compared):
        table = Table(
            title=escape(f"{record} {record_type}: seconds until clients reach the secondary"),
            title_justify="left",
        )
        table.add_column("Fault", overflow="fold")
        for heading in ("Best", "Median", "p95", "Worst"):
            table.add_column(heading, justify="right", overflow="fold")
        for each in compared:
            if (each.record, each.record_type) == (record, record_type):
                table.add_row(escape(str(each.fault)), *(_cell(each, name) for name in NUMBERS))
        console.print(table)
    for each in compared:
        for when, verdict in (("before", each.before), ("after", each.after)):
            if verdict is not None and verdict.never is not None:
                text = f"{when} {each.fault}: never, as {verdict.never}"
                console.print(escape(text), soft_wrap=True)


def _cell(compared: Compared, name: Number) -> str:
    before, after = (_number(each, name) for each in (compared.before, compared.after))
    if compared.difference(name) is None:
        return before if before == after else f"{before} → {after}"
    grown = int(after) - int(before)  # of what is shown, so that the reader's sum is right
    color = "green" if grown < 0 else "red" if grown > 0 else "dim"
    return f"{before} → {after} [{color}]({grown:+d})[/{color}]"


def _number(verdict: Verdict | None, name: Number) -> str:
    if verdict is None:
        return "absent"
    return "never" if verdict.total is None else f"{getattr(verdict.total, name):.0f}"


def comparison_json(compared: Sequence[Compared], *, seed: int) -> JsonObject:
    """The same as a JSON object; durations in seconds, rounded to a tenth.

    Args:
        compared: What ``compare`` gave.
        seed: The seed of both sides.
    """
    return {
        "seed": seed,
        "compared": [
            {
                "record": each.record,
                "type": each.record_type,
                "fault": each.fault.kind.value,
                "dependency": each.fault.dependency,
                "before": None if each.before is None else verdict_json(each.before),
                "after": None if each.after is None else verdict_json(each.after),
                "difference": {
                    name: None if grown is None else round(grown, 1)
                    for name in NUMBERS
                    for grown in [each.difference(name)]
                },
            }
            for each in compared
        ],
    }
