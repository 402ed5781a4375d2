"""Shows a run in progress: a table that is redrawn, or a line for each event."""

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Final, TypeAlias

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from resiliency.drill_cli.progress import RUNNING, FollowedRun, PhaseProgress, RunSnapshot
from resiliency.drill_cli.safe_console import STYLES, SafeConsole, visible
from staged_resiliency.drills.runtime.states import PHASES
from staged_resiliency.drills.runtime.wording import duration
from staged_resiliency.experiment.observations import Observation

_LATEST: Final = 8
"""Number of changes that the table shows."""

HINT: Final = "Ctrl-C ends this view only: the drill continues, and ends its fault by itself."


class EventLines:
    """A line for each event, for files and pipes."""

    def __init__(self, console: SafeConsole) -> None:
        self._console = console
        self._printed: set[tuple[object, ...]] = set()

    def show(self, snapshot: RunSnapshot, now: float) -> None:
        """Print the events that were not printed yet, in the order of their time."""
        for at, text in sorted(self._new_events(snapshot)):
            self._console.say(f"{clock(at)}  {text}")
        for each in snapshot.notes:
            if self._is_new("note", each):
                self._console.say(f"can't be read: {each}")

    def show_error(self, message: str) -> None:
        """Print the error."""
        self._console.say(f"{message}; trying again")

    def close(self) -> None:
        """Do nothing."""

    def _new_events(self, snapshot: RunSnapshot) -> list[tuple[float, str]]:
        events = []
        for number, each in enumerate(snapshot.progress.phases):
            if self._is_new("began", number):
                events.append((each.began_at, each.name))
            at = each.ended_at if each.ended_at is not None else each.began_at
            events += [
                (at, f"{each.name}: {failure}")
                for index, failure in enumerate(each.failures)
                if self._is_new("failure", number, index)
            ]
            if (
                each.ended_at is not None
                and each.message
                and self._is_new("message", number, each.message)
            ):
                events.append((each.ended_at, f"{each.name}: {each.message}"))
        events += [
            (each.at, change(each)) for each in snapshot.transitions if self._is_new("change", each)
        ]
        return events

    def _is_new(self, *what: object) -> bool:
        if what in self._printed:
            return False
        self._printed.add(what)
        return True


class LiveTable:
    """A table of phases and the latest changes, redrawn at each poll, for terminals."""

    def __init__(self, console: SafeConsole, run: FollowedRun) -> None:
        self._run = run
        self._snapshot: RunSnapshot | None = None
        self._now = 0.0
        self._error = ""
        self._live = Live(
            console=console, get_renderable=self._drawn, auto_refresh=False, redirect_stderr=False
        )
        self._live.start(refresh=True)

    def show(self, snapshot: RunSnapshot, now: float) -> None:
        """Draw a snapshot."""
        self._snapshot, self._now, self._error = snapshot, now, ""
        self._live.refresh()

    def show_error(self, message: str) -> None:
        """Draw the last snapshot with the error."""
        self._error = f"{message}; trying again"
        self._live.refresh()

    def close(self) -> None:
        """Leave the last table on the terminal."""
        self._live.stop()

    def _drawn(self) -> Group:
        if self._snapshot is None:
            return Group(Text(visible(self._error or "loading...")))
        return table_of(self._snapshot, self._run, self._now, self._error)


View: TypeAlias = EventLines | LiveTable
"""Shows a run in progress."""


def table_of(snapshot: RunSnapshot, run: FollowedRun, now: float, error: str = "") -> Group:
    """Return a snapshot as a table."""
    plan = run.drill.plan
    lasted = (snapshot.ended_at or now) - snapshot.began_at
    head = (
        f"{plan.drill} of {plan.service} in {plan.environment}, run {run.name}\n"
        f"{snapshot.status.lower().replace('_', ' ')}, {duration(lasted)} since "
        f"{clock(snapshot.began_at)}"
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("Phase", "Began", "Took", ""):
        table.add_column(heading, overflow="fold")
    seen = snapshot.progress.phases
    for each in seen:
        table.add_row(*_row(each, snapshot, now))
    if snapshot.status == RUNNING and all(each.go for each in seen):
        names = [each.name for each in seen]
        for name in PHASES:
            if name not in names:
                table.add_row(Text(name, "dim"), "", "", "")
    changes = [f"{clock(each.at)}  {change(each)}" for each in snapshot.transitions[-_LATEST:]]
    parts: list[Text | Table] = [Text(visible(head), "bold"), table]
    parts += [Text(visible(f"can't be read: {each}"), "yellow") for each in snapshot.notes]
    if changes:
        parts += [Text("\nLast changes", "bold"), Text(visible("\n".join(changes)))]
    if error:
        parts.append(Text(visible(error), "yellow"))
    if snapshot.status == RUNNING:
        parts.append(Text(f"\n{HINT}", "dim"))
    return Group(*parts)


def change(each: Observation) -> str:
    """Return an observed change in one line."""
    detail = f" ({each.detail})" if each.detail else ""
    return f"{each.source.value} {each.subject}: {each.value}{detail}"


def clock(at: float) -> str:
    """Return the time of day in UTC; dashes where it is out of range."""
    try:
        return f"{datetime.fromtimestamp(at, timezone.utc):%H:%M:%S}Z"
    except (OverflowError, ValueError, OSError):
        return "--:--:--Z"


def _row(each: PhaseProgress, snapshot: RunSnapshot, now: float) -> Sequence[str | Text]:
    in_progress = each.ended_at is None and snapshot.status == RUNNING
    ended = STYLES["passed"] if each.go else STYLES["aborted"]
    style = "bold" if in_progress else ended
    notes = [each.message] if each.message else []
    if each.failures:
        notes.append(f"{len(each.failures)} failed: {each.failures[-1]}")
    took = (each.ended_at or snapshot.ended_at or now) - each.began_at
    return (
        Text(visible(each.name), style),
        clock(each.began_at),
        duration(took) + ("..." if in_progress else ""),
        visible("; ".join(notes)),
    )
