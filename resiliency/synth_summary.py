"""Print a synthesized application: its stacks, their estimated cost, and warnings."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.cost_estimate import monthly_costs


def print_summary(stacks: Sequence[SynthesizedStack], console: Console) -> None:
    """Print stacks, resources, costs, warnings and the next commands."""
    console.print(_stacks_table(stacks))
    console.print(_costs_table(stacks))
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
    )


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
    table.add_column("For", footer="Total", overflow="fold")
    table.add_column("Count", justify="right")
    table.add_column("Each", justify="right")
    table.add_column("Month", justify="right", footer=f"{total:.2f}")
    for item in items:
        table.add_row(item.what, str(item.count), f"{item.each:.2f}", f"{item.monthly:.2f}")
    return table
