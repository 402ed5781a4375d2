"""Compares the failover times of two designs, fault by fault."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resiliency.failover_model.faults import Fault
from resiliency.failover_model.report import verdict_json, without_time
from resiliency.failover_model.simulation import Verdict
from staged_resiliency.experiment.json_codec import JsonObject

Number: TypeAlias = Literal["best", "median", "p95", "worst"]
NUMBERS: Final[Sequence[Number]] = ("best", "median", "p95", "worst")


@dataclass(frozen=True, slots=True)
class Compared:
    """One fault of one pair, before and after a change.

    Attributes:
        record: DNS name of the pair, after the change if it exists then.
        before: Its verdict before; None where the pair or the fault does not exist.
    """

    record: str
    record_type: str
    fault: Fault
    before: Verdict | None
    after: Verdict | None

    def difference(self, number: Number) -> float | None:
        """Return by how many seconds a number grows; None if a design does not have it."""
        numbers = [
            getattr(verdict.total, number)
            for verdict in (self.before, self.after)
            if verdict is not None and verdict.total is not None
        ]
        return numbers[1] - numbers[0] if len(numbers) == 2 else None


def compare(before: Sequence[Verdict], after: Sequence[Verdict]) -> Sequence[Compared]:
    """Match the faults of two designs, in the order of the first and then the second.

    Pairs match by name and type. Where each design has a single name, the two are compared whatever
    the names are, so that staging can be compared with production.
    """
    single = all(len({each.pair.name for each in side}) == 1 for side in (before, after))
    sides = [_by_key(side, single) for side in (before, after)]
    found = []
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        pairs = [side[key].pair for side in sides if key in side]
        _, record_type, fault = key
        found.append(
            Compared(pairs[-1].name, record_type, fault, sides[0].get(key), sides[1].get(key))
        )
    return found


def _by_key(verdicts: Sequence[Verdict], single: bool) -> Mapping[tuple[str, str, Fault], Verdict]:
    return {
        ("" if single else each.pair.name, each.pair.record_type, each.fault): each
        for each in verdicts
    }


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
                text = f"{when} {each.fault}: {without_time(verdict)}, as {verdict.never}"
                console.print(escape(text), soft_wrap=True)


def _cell(compared: Compared, name: Number) -> str:
    before, after = (_number(each, name) for each in (compared.before, compared.after))
    if compared.difference(name) is None:
        return before if before == after else f"{before} → {after}"
    grown = int(after) - int(before)  # of the rounded numbers, so that the reader's sum is right
    color = "green" if grown < 0 else "red" if grown > 0 else "dim"
    return f"{before} → {after} [{color}]({grown:+d})[/{color}]"


def _number(verdict: Verdict | None, name: Number) -> str:
    if verdict is None:
        return "absent"
    return without_time(verdict) if verdict.total is None else f"{getattr(verdict.total, name):.0f}"


def comparison_json(compared: Sequence[Compared], *, seed: int) -> JsonObject:
    """Encode a comparison as a JSON object; durations in seconds, rounded to a tenth."""
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
