"""`resiliency drill report`: reads journals of runs, and shows them as a table, JSON or a page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from resiliency.drill_cli.aws import Aws, NotFoundError
from resiliency.drill_cli.safe_console import SafeConsole, one_line, parse_json, styled
from resiliency.drill_cli.stack import DeployedDrill
from resiliency.errors import UserError
from resiliency.report import wording, write_page
from resiliency.report.journal_reader import JournalError, parse_journal
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.store import (
    Store,
    StoredObject,
    journal_folder,
    journal_key,
)
from staged_resiliency.experiment.expectations import describe
from staged_resiliency.experiment.journal import Journal
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.experiment.verdict import Status


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """The document of a run's journal, and the same validated."""

    content: JsonObject
    journal: Journal

    @property
    def at(self) -> float:
        """When the run ended, or began if its end is unknown, in seconds since the epoch."""
        ends = [each.ended_at or each.began_at for each in self.journal.phases]
        return max([*ends, self.journal.observed_until or 0.0])


def list_journals(aws: Aws, plan: Plan) -> Sequence[StoredObject]:
    """List the journals of a drill, that of the last run first."""
    found = Store(aws, plan.journal_bucket).objects(journal_folder(plan.drill))
    return sorted(found, key=lambda each: (each.written_at, each.key), reverse=True)


def read_journals(
    aws: Aws, plan: Plan, objects: Iterable[StoredObject], unreadable: list[str]
) -> Iterator[RecordedRun]:
    """Read journals one by one, in the order given; list why others are ``unreadable``."""
    for each in objects:
        try:
            yield _read_journal(aws, plan, each.key)
        except JournalError as error:
            unreadable.append(one_line(str(error)))


def recorded_run(aws: Aws, plan: Plan, run: str) -> RecordedRun | None:
    """Read the journal of a run; None while it does not exist, UserError if it can't be read."""
    try:
        return _read_journal(aws, plan, journal_key(plan.drill, run))
    except NotFoundError:
        return None
    except JournalError as error:
        raise UserError(one_line(str(error))) from None


def _read_journal(aws: Aws, plan: Plan, key: str) -> RecordedRun:
    where = f"s3://{plan.journal_bucket}/{key}"
    try:
        text = aws.text(plan.journal_bucket, key)
    except ValueError as error:
        raise JournalError(f"{where}: {error}") from None
    try:
        content = parse_json(text)
    except ValueError as error:
        raise JournalError(f"{where}: is not JSON ({error})") from None
    if not isinstance(content, dict):
        raise JournalError(f"{where}: is no journal: it is no JSON object")
    return RecordedRun(content, parse_journal(content, where))


@dataclass(frozen=True, slots=True)
class Past:
    """The last runs of a drill, newest first, and why others could not be read."""

    drill: DeployedDrill
    runs: Sequence[RecordedRun]
    unreadable: Sequence[str]


def past_of(aws: Aws, drills: Sequence[DeployedDrill], last: int) -> Sequence[Past]:
    """Read the last runs of each drill, and why some could not be read."""
    found = []
    for drill in drills:
        unreadable: list[str] = []
        journals = list_journals(aws, drill.plan)[:last]
        runs = list(read_journals(aws, drill.plan, journals, unreadable))
        found.append(Past(drill, runs, unreadable))
    return found


def print_past(console: SafeConsole, past: Sequence[Past]) -> None:
    """Print the runs of each drill as a table."""
    for each in past:
        plan = each.drill.plan
        console.say(f"{plan.drill} of {plan.service} in {plan.environment}", "bold")
        if not each.runs:
            console.say("  no run is recorded")
        else:
            console.print(_table(each.runs))
        console.say()


def print_unreadable(console: SafeConsole, reasons: Sequence[str]) -> int:
    """Print why journals could not be read; return 0 where all could be, else 1."""
    for each in reasons:
        console.say(f"can't be read: {each}", "yellow")
    return 1 if reasons else 0


def write_html(path: Path, past: Sequence[Past], now: float) -> None:
    """Write a page of all runs.

    Raises:
        UserError: There are no runs, or the file can't be written.
    """
    runs = [each.content for drill in past for each in drill.runs]
    if not runs:
        raise UserError(f"{path}: is not written, as no run is recorded")
    plan = past[0].drill.plan
    title = f"Drills of {plan.service} in {plan.environment}"
    try:
        write_page(path, runs, title=title, made_at=now)
    except OSError as error:
        raise UserError(f"{path}: can't be written: {error.strerror}") from None


def _table(runs: Sequence[RecordedRun]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("When (UTC)", "Verdict"):
        table.add_column(heading)
    for heading in ("Detect", "Failover", "Failback", "Outage", "Served", "Objective"):
        table.add_column(heading, justify="right")
    table.add_column("", overflow="fold")
    for each in runs:
        journal, numbers = each.journal, each.journal.numbers
        table.add_row(
            wording.moment(journal.began_at).removesuffix(" UTC"),
            styled(journal.verdict.status.value),
            wording.seconds(numbers.detect_seconds),
            wording.seconds(numbers.failover_seconds),
            wording.seconds(numbers.failback_seconds),
            wording.seconds(numbers.outage_seconds),
            wording.share(numbers.availability),
            wording.seconds(journal.objective_seconds),
            sentence(journal),
        )
    return table


def print_verdict(console: SafeConsole, journal: Journal) -> None:
    """Print the verdict of a run, its judgements and its measures."""
    console.say()
    heading = styled(journal.verdict.status.value)
    heading.append(f": {sentence(journal)}")
    console.print(heading, soft_wrap=True)
    if journal.verdict.judgements:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("Expected", "Bound", "Measured", ""):
            table.add_column(column, overflow="fold")
        for each in journal.verdict.judgements:
            table.add_row(
                describe(each.expectation),
                wording.bound(each.expectation, journal.objective_seconds),
                wording.measured(each),
                styled(each.status.value),
            )
        console.print(table)
    if journal.measures is not None:
        console.say(numbers(journal))


def sentence(journal: Journal) -> str:
    """Return the verdict of a run in a sentence, without its status."""
    judged = journal.verdict.judgements
    if journal.verdict.status is Status.PASSED and judged:
        return wording.result(journal)
    return journal.verdict.message


def numbers(journal: Journal) -> str:
    """Return the measures of a run in one line."""
    found = journal.numbers
    return (
        f"detected after {wording.seconds(found.detect_seconds)}, "
        f"failover {wording.seconds(found.failover_seconds)}, "
        f"failback {wording.seconds(found.failback_seconds)}, "
        f"outage {wording.seconds(found.outage_seconds)}, "
        f"{wording.share(found.availability)} of requests served; "
        f"objective {wording.seconds(journal.objective_seconds)}"
    )
