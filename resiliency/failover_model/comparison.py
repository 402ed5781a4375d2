"""What a change does to each number: the verdicts of two designs, fault by fault."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from resiliency.failover_model.faults import Fault
from resiliency.failover_model.simulation import Verdict

Number: TypeAlias = Literal["best", "median", "p95", "worst"]
NUMBERS: Final[Sequence[Number]] = ("best", "median", "p95", "worst")


@dataclass(frozen=True, slots=True)
class Compared:
    """One fault of one pair, before and after a change.

    Attributes:
        record: DNS name of the pair, after the change if it is there then.
        record_type: Its type.
        fault: What breaks.
        before: What it leads to before; None where the pair or the fault is not there.
        after: The same after.
    """

    record: str
    record_type: str
    fault: Fault
    before: Verdict | None
    after: Verdict | None

    def difference(self, number: Number) -> float | None:
        """Seconds that a number grows by; None where one side has none."""
        numbers = [
            getattr(verdict.total, number)
            for verdict in (self.before, self.after)
            if verdict is not None and verdict.total is not None
        ]
        return numbers[1] - numbers[0] if len(numbers) == 2 else None


def compare(before: Sequence[Verdict], after: Sequence[Verdict]) -> Sequence[Compared]:
    """The faults of two designs side by side, in the order of the first and then the second.

    Pairs are the same that have one name and type. Where each design has a single name the two
    are compared whatever the names are, so that staging can be held against production.

    Args:
        before: What ``failover_times`` gave for one design.
        after: The same for the other.
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
