"""Print a synthesized application: its stacks, their estimated cost, and warnings."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.cost_estimate import monthly_costs

LEAST_WIDTH: Final = 60
"""The least width for tables; below it, lines are printed so that no name is broken."""


def print_summary(stacks: Sequence[SynthesizedStack], console: Console) -> None:
    """Print stacks, resources, costs, warnings and the next commands."""
    for table in (_stacks_table(stacks), _costs_table(stacks)):
        if console.width >= LEAST_WIDTH:
            console.print(table)
        else:
            _print_lines(table, console)
    warnings = [(stack.name, warning) for stack in stacks for warning in stack.warnings]
    for name, warning in warnings:
        text = escape(f"{name}: {warning}")  # paths like hosts[db] are not markup
        console.print(f"[yellow]warning[/yellow] {text}", soft_wrap=True)
    if not warnings:
        console.print("No warnings.")
    console.print(
        "\nNothing was deployed. With credentials, activate the environment and go on:\n"
        "  . .venv/bin/activate\n"
        "  npx cdk diff\n"
        "  npx cdk deploy --all --method prepare-change-set   (docs/reviewing-change-sets.md)",
        highlight=False,
        soft_wrap=True,
    )


def _print_lines(table: Table, console: Console) -> None:
    """Print each row below its first cell, with the headings of the others."""
    console.print(table.title, soft_wrap=True)
    first, *others = table.columns
    names = [*first.cells, first.footer] if table.show_footer else [*first.cells]
    for index, name in enumerate(names):
        console.print(f"{name}".replace("\n", ", "), soft_wrap=True)
        for column in others:
            cell = f"{[*column.cells, column.footer][index]}".replace("\n", ", ")
            if cell:
                console.print(f"  {column.header}: {cell}", soft_wrap=True)


def _stacks_table(stacks: Sequence[SynthesizedStack]) -> Table:
    table = Table(title="What would be deployed", title_justify="left", show_lines=True)
    for heading in ("Stack", "Where", "Resources"):
        table.add_column(heading, overflow="fold")
    for stack in stacks:
        kinds = Counter(str(resource.get("Type")) for resource in stack.resources.values())
        lines = [f"{count} {kind.removeprefix('AWS::')}" for kind, count in sorted(kinds.items())]
        after = f"\nafter {', '.join(stack.depends_on)}" if stack.depends_on else ""
        table.add_row(
            escape(f"{stack.name}{after}"),
            escape(f"{stack.account}\n{stack.region}"),
            escape(f"{len(stack.resources)} in all\n" + "\n".join(lines)),
        )
    return table


def _costs_table(stacks: Sequence[SynthesizedStack]) -> Table:
    table = Table(
        title="Estimated monthly cost (US dollars, list prices; verify before relying on it)",
        title_justify="left",
        show_footer=True,
    )
    items = monthly_costs(stacks)
    total = sum((item.monthly for item in items), Decimal(0))
    live = sum((item.monthly for item in items if item.live_only), Decimal(0))
    names, sums = ["Total"], [f"{total:.2f}"]
    if live:
        names += ["while the drills are dry runs"]
        sums += [f"{total - live:.2f}"]
    table.add_column("For", footer="\n".join(names), overflow="fold")
    table.add_column("Count", justify="right")
    table.add_column("Each", justify="right")
    table.add_column("Month", justify="right", footer="\n".join(sums))
    for item in items:
        table.add_row(item.what, str(item.count), f"{item.each:.2f}", f"{item.monthly:.2f}")
    return table
