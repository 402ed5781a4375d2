"""`resiliency drill list`: each drill, when it runs next, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from resiliency.drill_cli import wording
from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.clock import Clock
from resiliency.drill_cli.journals import Recorded, Unreadable, listed, read_all
from resiliency.drill_cli.safe_console import Screen, word
from resiliency.drill_cli.schedules import schedules_of
from resiliency.drill_cli.stack import DeployedDrill, DrillsStack, running
from resiliency.report.wording import day
from staged_resiliency.drills.runtime.drill_score import Outcome, standing
from staged_resiliency.drills.runtime.plan import EXPIRY_DAYS
from staged_resiliency.experiment.verdict import Status

MOST_JOURNALS = 500
"""That are read of one drill, from the latest on: as many as the watchdog reads."""


@dataclass(frozen=True, slots=True)
class Row:
    """A drill in the list.

    Attributes:
        drill: The drill.
        next_run: When it runs next, or its schedule.
        running: ARN of the run that is under way; None where there is none.
        last: Its latest run; None where there is none.
        days: Since it passed; None where it never did.
        score: As the dashboard shows it.
        unreadable: Journals that could not be read, and why.
    """

    drill: DeployedDrill
    next_run: str
    running: str | None
    last: Recorded | None
    days: int | None
    score: int
    unreadable: Sequence[str]


def rows_of(aws: Aws, stack: DrillsStack, clock: Clock) -> Sequence[Row]:
    """All drills of a service."""
    schedules, now = schedules_of(aws, stack), clock.now()
    rows = []
    for drill in stack.drills:
        found, unreadable = _back_to_passed(aws, drill)
        outcomes = [Outcome(each.journal.verdict.status.value, each.at) for each in found]
        stands = standing(outcomes, deployed_at=drill.made_at, now=now, expiry_days=EXPIRY_DAYS)
        passed = any(each.status == Status.PASSED.value for each in outcomes)
        scheduled = schedules.get(drill.name)
        rows.append(
            Row(
                drill=drill,
                next_run=scheduled.told(now) if scheduled else "has no schedule",
                running=running(aws, drill),
                last=found[0] if found else None,
                days=stands.days_since_passed if passed else None,
                score=int(stands.score),
                unreadable=unreadable,
            )
        )
    return rows


def print_rows(screen: Screen, rows: Sequence[Row]) -> int:
    """Print the list.

    Returns:
        0, or 1 where a journal could not be read.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Drill", overflow="fold")
    table.add_column("What it does", overflow="fold", min_width=16)
    table.add_column("Next", overflow="fold", min_width=16)
    table.add_column("Leashed")
    table.add_column("Last run", overflow="fold")
    table.add_column("Passed", justify="right")
    table.add_column("Score", justify="right")
    for each in rows:
        last = word("never")
        if each.last is not None:
            last = word(each.last.journal.verdict.status.value)
            last.append(f"\n{day(each.last.at)}")
        table.add_row(
            each.drill.name,
            wording.fault(each.drill.plan),
            "running now" if each.running else each.next_run,
            "no" if each.drill.plan.enabled else "yes",
            last,
            "never" if each.days is None else f"{each.days} d ago",
            str(each.score),
        )
    screen.print(table)
    unreadable = [told for each in rows for told in each.unreadable]
    for told in unreadable:
        screen.say(f"can't be read: {told}", "yellow")
    return 1 if unreadable else 0


def _back_to_passed(aws: Aws, drill: DeployedDrill) -> tuple[Sequence[Recorded], Sequence[str]]:
    """Runs from the latest one back to the last that passed, and what could not be read."""
    found: list[Recorded] = []
    unreadable = []
    entries = listed(aws, drill.plan)[:MOST_JOURNALS]
    for each in read_all(aws, drill.plan, entries):
        if isinstance(each, Unreadable):
            unreadable.append(each.told)
            continue
        found.append(each)
        if each.journal.verdict.status is Status.PASSED:
            break
    return found, unreadable
