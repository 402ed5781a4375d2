"""`resiliency drill report`: the last runs as a table, as JSON, and as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.clock import Clock
from resiliency.drill_cli.journals import Recorded, Unreadable, listed, read_all
from resiliency.drill_cli.safe_console import Screen, word
from resiliency.drill_cli.stack import DeployedDrill
from resiliency.drill_cli.verdict import sentence
from resiliency.errors import UserError
from resiliency.report import wording as report_words
from resiliency.report import write_page


@dataclass(frozen=True, slots=True)
class Past:
    """The last runs of a drill, the latest first, and what could not be read."""

    drill: DeployedDrill
    runs: Sequence[Recorded]
    unreadable: Sequence[str]


def past_of(aws: Aws, drills: Sequence[DeployedDrill], last: int) -> Sequence[Past]:
    """The last runs of each drill."""
    found = []
    for drill in drills:
        read = list(read_all(aws, drill.plan, listed(aws, drill.plan)[:last]))
        found.append(
            Past(
                drill,
                [each for each in read if isinstance(each, Recorded)],
                [each.told for each in read if isinstance(each, Unreadable)],
            )
        )
    return found


def print_past(screen: Screen, past: Sequence[Past]) -> None:
    """Print the runs of each drill as a table."""
    for each in past:
        plan = each.drill.plan
        screen.say(f"{plan.drill} of {plan.service} in {plan.environment}", "bold")
        if not each.runs:
            screen.say("  no run is recorded")
        else:
            screen.print(_table(each.runs))
        screen.say()


def print_unreadable(screen: Screen, past: Sequence[Past]) -> int:
    """Tell what could not be read.

    Returns:
        0 where all could, else 1.
    """
    told = [each for drill in past for each in drill.unreadable]
    for each in told:
        screen.say(f"can't be read: {each}", "yellow")
    return 1 if told else 0


def write_html(path: Path, past: Sequence[Past], clock: Clock) -> None:
    """Write the page of all runs.

    Raises:
        UserError: There are none, or the file can't be written.
    """
    runs = [each.content for drill in past for each in drill.runs]
    if not runs:
        raise UserError(f"{path}: is not written: no run is recorded")
    plan = past[0].drill.plan
    title = f"Drills of {plan.service} in {plan.environment}"
    try:
        write_page(path, runs, title=title, made_at=clock.now())
    except OSError as error:
        raise UserError(f"{path}: can't be written: {error.strerror}") from None


def _table(runs: Sequence[Recorded]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("When (UTC)", "Verdict"):
        table.add_column(heading)
    for heading in ("Detect", "Failover", "Failback", "Outage", "Served", "Objective"):
        table.add_column(heading, justify="right")
    table.add_column("", overflow="fold")
    for each in runs:
        journal, numbers = each.journal, each.journal.numbers
        table.add_row(
            report_words.moment(journal.began_at).removesuffix(" UTC"),
            word(journal.verdict.status.value),
            report_words.seconds(numbers.detect_seconds),
            report_words.seconds(numbers.failover_seconds),
            report_words.seconds(numbers.failback_seconds),
            report_words.seconds(numbers.outage_seconds),
            report_words.share(numbers.availability),
            report_words.seconds(journal.objective_seconds),
            sentence(journal),
        )
    return table
