"""The verdict of a run in the terminal."""

from rich.table import Table

from resiliency.drill_cli.safe_console import Screen, word
from resiliency.report import wording
from staged_resiliency.experiment.expectations import describe
from staged_resiliency.experiment.journal import Journal
from staged_resiliency.experiment.verdict import Status


def print_verdict(screen: Screen, journal: Journal) -> None:
    """Print what became of a run, of each expectation, and its numbers."""
    screen.say()
    heading = word(journal.verdict.status.value)
    heading.append(f": {sentence(journal)}")
    screen.print(heading, soft_wrap=True)
    if journal.verdict.judgements:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("Expected", "Bound", "Measured", ""):
            table.add_column(column, overflow="fold")
        for each in journal.verdict.judgements:
            table.add_row(
                describe(each.expectation),
                wording.bound(each.expectation),
                wording.measured(each),
                word(each.status.value),
            )
        screen.print(table)
    if journal.measures is not None:
        screen.say(numbers(journal))


def sentence(journal: Journal) -> str:
    """The verdict of a run, after its status."""
    judged = journal.verdict.judgements
    if journal.verdict.status is Status.PASSED and judged:
        return wording.result(journal)
    return journal.verdict.message


def numbers(journal: Journal) -> str:
    """The numbers of a run on one line."""
    found = journal.numbers
    return (
        f"detected after {wording.seconds(found.detect_seconds)}, "
        f"failover {wording.seconds(found.failover_seconds)}, "
        f"failback {wording.seconds(found.failback_seconds)}, "
        f"outage {wording.seconds(found.outage_seconds)}, "
        f"{wording.share(found.availability)} of requests served; "
        f"objective {wording.seconds(journal.objective_seconds)}"
    )
