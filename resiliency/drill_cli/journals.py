"""Journals of past runs, from the service's bucket."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.errors import NotThereError
from resiliency.drill_cli.safe_console import document, one_line
from resiliency.errors import UserError
from resiliency.report.journal_reader import JournalError, parse_journal
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.recorder import journal_key
from staged_resiliency.drills.runtime.store import Listed, Store
from staged_resiliency.experiment.journal import Journal
from staged_resiliency.experiment.json_codec import JsonObject


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run's journal, as it is and as it was read.

    Attributes:
        content: The document.
        journal: The same, checked.
    """

    content: JsonObject
    journal: Journal

    @property
    def at(self) -> float:
        """When the run ended, or else began, in seconds since the epoch."""
        ends = [each.ended_at or each.began_at for each in self.journal.phases]
        return max([*ends, self.journal.observed_until or 0.0])


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A journal that can't be read: why, in one line."""

    told: str


def listed(aws: Aws, plan: Plan) -> Sequence[Listed]:
    """The journals of a drill, that of the latest run first; keys are below the prefix."""
    folder = journal_key(plan.drill, "").removesuffix(".json")
    found = Store(aws, plan.journal).listed(folder)
    return sorted(found, key=lambda each: (each.written_at, each.key), reverse=True)


def read_all(aws: Aws, plan: Plan, entries: Iterable[Listed]) -> Iterator[Recorded | Unreadable]:
    """The journals, in the order given, each when it is asked for."""
    for each in entries:
        try:
            yield _read(aws, plan, each.key)
        except JournalError as error:
            yield Unreadable(one_line(str(error)))


def journal_of(aws: Aws, plan: Plan, run: str) -> Recorded | None:
    """The journal of a run; None while there is none.

    Raises:
        UserError: It can't be read.
    """
    try:
        return _read(aws, plan, journal_key(plan.drill, run))
    except NotThereError:
        return None
    except JournalError as error:
        raise UserError(one_line(str(error))) from None


def _read(aws: Aws, plan: Plan, key: str) -> Recorded:
    bucket, full = plan.journal.bucket, f"{plan.journal.prefix}{key}"
    where = f"s3://{bucket}/{full}"
    try:
        text = aws.text(bucket, full)
    except ValueError as error:
        raise JournalError(f"{where}: {error}") from None
    try:
        content = document(text)
    except ValueError as error:
        raise JournalError(f"{where}: is not JSON ({error})") from None
    if not isinstance(content, dict):
        raise JournalError(f"{where}: is no journal: it is no JSON object")
    return Recorded(content, parse_journal(content, where))
