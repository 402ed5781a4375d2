"""`resiliency drill list`: each drill with its next run, its last run and its score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

from rich.table import Table

from resiliency.drill_cli.aws import SCHEDULE, Aws
from resiliency.drill_cli.reporting import (
    RecordedRun,
    list_journals,
    print_unreadable,
    read_journals,
)
from resiliency.drill_cli.safe_console import SafeConsole, one_line, styled
from resiliency.drill_cli.stack import DeployedDrill, DeployedDrills, running_execution
from resiliency.report.wording import day
from staged_resiliency.drills.runtime.drill_status import MAX_JOURNALS, RunOutcome, drill_status
from staged_resiliency.drills.runtime.wording import describe_fault
from staged_resiliency.drills.schedule import DrillSchedule
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.experiment.verdict import Status

_YEARS: Final = 28


@dataclass(frozen=True, slots=True)
class DrillRow:
    """A drill in the list.

    Attributes:
        next_run: When it runs next, or its schedule.
        last: Its last run; None where there is none.
        days: Days since it passed; None where it never did.
        unreadable: Journals that could not be read, and why.
    """

    drill: DeployedDrill
    next_run: str
    running: bool
    last: RecordedRun | None
    days: int | None
    score: int
    unreadable: Sequence[str]


def rows_of(aws: Aws, stack: DeployedDrills, now: float) -> Sequence[DrillRow]:
    """Return a row for each drill of a service."""
    next_runs = next_runs_of(aws, stack, now)
    rows = []
    for drill in stack.drills:
        found, unreadable = read_back_to_passed(aws, drill)
        outcomes = [RunOutcome(each.journal.verdict.status.value, each.at) for each in found]
        status = drill_status(outcomes, deployed_at=drill.created_at, now=now)
        passed = any(each.status == Status.PASSED.value for each in outcomes)
        rows.append(
            DrillRow(
                drill=drill,
                next_run=next_runs.get(drill.name, "has no schedule"),
                running=running_execution(aws, drill) is not None,
                last=found[0] if found else None,
                days=status.days_since_passed if passed else None,
                score=int(status.score),
                unreadable=unreadable,
            )
        )
    return rows


def print_rows(console: SafeConsole, rows: Sequence[DrillRow]) -> int:
    """Print the list; return 0, or 1 where a journal could not be read."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Drill", overflow="fold")
    table.add_column("What it does", overflow="fold", min_width=16)
    table.add_column("Next", overflow="fold", min_width=16)
    table.add_column("Dry run")
    table.add_column("Last run", overflow="fold")
    table.add_column("Passed", justify="right")
    table.add_column("Score", justify="right")
    for each in rows:
        last = styled("never")
        if each.last is not None:
            last = styled(each.last.journal.verdict.status.value)
            last.append(f"\n{day(each.last.at)}")
        table.add_row(
            each.drill.name,
            describe_fault(each.drill.plan),
            "running now" if each.running else each.next_run,
            "no" if each.drill.plan.enabled else "yes",
            last,
            "never" if each.days is None else f"{each.days} d ago",
            str(each.score),
        )
    console.print(table)
    return print_unreadable(console, [reason for each in rows for reason in each.unreadable])


def read_back_to_passed(
    aws: Aws, drill: DeployedDrill
) -> tuple[Sequence[RecordedRun], Sequence[str]]:
    """Read runs from the last back to one that passed; return also why some can't be read."""
    found: list[RecordedRun] = []
    unreadable: list[str] = []
    journals = list_journals(aws, drill.plan)[:MAX_JOURNALS]
    for each in read_journals(aws, drill.plan, journals, unreadable):
        found.append(each)
        if each.journal.verdict.status is Status.PASSED:
            break
    return found, unreadable


def next_runs_of(aws: Aws, stack: DeployedDrills, now: float) -> Mapping[str, str]:
    """Return when each drill that has a schedule runs next, by the drill's name."""
    read = [aws(*SCHEDULE, Name=name, GroupName=stack.schedule_group) for name in stack.schedules]
    return {
        drill.name: _describe_next_run(each, now)
        for drill in stack.drills
        for each in read
        if drill.arn in _started_arns(each)
    }


def _describe_next_run(schedule: JsonObject, now: float) -> str:
    """Return when a schedule runs next, or its expression if that can't be computed."""
    expression = one_line(schedule["ScheduleExpression"])
    if schedule.get("State", "ENABLED") != "ENABLED":
        return f"switched off: {expression}"
    found = next_run(expression, one_line(schedule.get("ScheduleExpressionTimezone", "UTC")), now)
    if found is None:
        return expression
    days = (found.timestamp() - now) / 86400
    return f"{found:%Y-%m-%d %H:%M} UTC, in {days:.0f} d"


def next_run(expression: str, zone: str, now: float) -> datetime | None:
    """Return the next run of a schedule in UTC; None where it can't be computed.

    The runs of a rate are counted from its deployment, and AWS does not say when the last one was.
    """
    at = datetime.fromtimestamp(now, timezone.utc)
    try:
        runs = DrillSchedule(expression, zone).runs(_YEARS)
    except ValueError:
        return None
    return next((each for each in runs if each > at), None)


def _started_arns(schedule: JsonObject) -> Sequence[str]:
    """ARNs that a schedule may start: its target, and those in the target's input."""
    target = schedule.get("Target", {})
    return [str(target.get("Arn", "")), *str(target.get("Input", "")).split('"')]
