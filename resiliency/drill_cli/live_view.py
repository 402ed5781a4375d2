"""How a run is shown while it goes on: a picture that renews itself, or a line per event."""

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Final, Protocol

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from resiliency.drill_cli import wording
from resiliency.drill_cli.progress import PHASES, PhaseSeen
from resiliency.drill_cli.safe_console import STYLES, Screen, visible
from resiliency.drill_cli.watching import RUNNING, RunSnapshot, Watched
from staged_resiliency.experiment.observations import Observation

_LATEST: Final = 8
"""Changes that the picture shows."""

HINT: Final = "Ctrl-C ends this view only: the drill goes on, and ends its fault by itself."


class View(Protocol):
    """Shows a run."""

    def show(self, sighting: RunSnapshot, now: float) -> None:
        """Show it as it is."""
        ...

    def trouble(self, told: str) -> None:
        """Say that the run can't be seen just now."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


class Lines:
    """A line for each thing that happens, for files and pipes."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._told: set[tuple[object, ...]] = set()

    def show(self, sighting: RunSnapshot, now: float) -> None:
        """Print what was not printed yet, in the order of its time."""
        for at, text in sorted(self._news(sighting)):
            self._screen.say(f"{clock(at)}  {text}")
        for each in sighting.notes:
            if self._new("note", each):
                self._screen.say(f"can't be read: {each}")

    def trouble(self, told: str) -> None:
        """Print it."""
        self._screen.say(f"{told}; trying again")

    def close(self) -> None:
        """Nothing is open."""

    def _news(self, sighting: RunSnapshot) -> list[tuple[float, str]]:
        news = []
        for number, each in enumerate(sighting.progress.phases):
            if self._new("began", number):
                news.append((each.began_at, each.name))
            at = each.ended_at if each.ended_at is not None else each.began_at
            news += [
                (at, f"{each.name}: {failure}")
                for index, failure in enumerate(each.failures)
                if self._new("failure", number, index)
            ]
            if each.ended_at is not None and each.told and self._new("told", number, each.told):
                news.append((each.ended_at, f"{each.name}: {each.told}"))
        news += [(each.at, change(each)) for each in sighting.seen if self._new("seen", each)]
        return news

    def _new(self, *what: object) -> bool:
        if what in self._told:
            return False
        self._told.add(what)
        return True


class Picture:
    """Phases and the latest changes, drawn again and again, for terminals."""

    def __init__(self, screen: Screen, watched: Watched) -> None:
        self._watched = watched
        self._sighting: RunSnapshot | None = None
        self._now = 0.0
        self._trouble = ""
        self._live = Live(
            console=screen, get_renderable=self._drawn, auto_refresh=False, redirect_stderr=False
        )
        self._live.start(refresh=True)

    def show(self, sighting: RunSnapshot, now: float) -> None:
        """Draw it."""
        self._sighting, self._now, self._trouble = sighting, now, ""
        self._live.refresh()

    def trouble(self, told: str) -> None:
        """Draw it with what is wrong."""
        self._trouble = f"{told}; trying again"
        self._live.refresh()

    def close(self) -> None:
        """Leave the last picture where it is."""
        self._live.stop()

    def _drawn(self) -> Group:
        if self._sighting is None:
            return Group(Text(visible(self._trouble or "looking...")))
        return picture(self._sighting, self._watched, self._now, self._trouble)


def picture(sighting: RunSnapshot, watched: Watched, now: float, trouble: str = "") -> Group:
    """A run as it is, to be drawn."""
    plan = watched.drill.plan
    lasted = (sighting.ended_at or now) - sighting.began_at
    head = (
        f"{plan.drill} of {plan.service} in {plan.environment}, run {watched.run}\n"
        f"{sighting.status.lower().replace('_', ' ')}, {wording.duration(lasted)} since "
        f"{clock(sighting.began_at)}"
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("Phase", "Began", "Took", ""):
        table.add_column(heading, overflow="fold")
    seen = sighting.progress.phases
    for each in seen:
        table.add_row(*_row(each, sighting, now))
    if sighting.status == RUNNING and all(each.go for each in seen):
        names = [each.name for each in seen]
        for name in PHASES:
            if name not in names:
                table.add_row(Text(name, "dim"), "", "", "")
    changes = [f"{clock(each.at)}  {change(each)}" for each in sighting.seen[-_LATEST:]]
    parts: list[Text | Table] = [Text(visible(head), "bold"), table]
    parts += [Text(visible(f"can't be read: {each}"), "yellow") for each in sighting.notes]
    if changes:
        parts += [Text("\nSeen last", "bold"), Text(visible("\n".join(changes)))]
    if trouble:
        parts.append(Text(visible(trouble), "yellow"))
    if sighting.status == RUNNING:
        parts.append(Text(f"\n{HINT}", "dim"))
    return Group(*parts)


def change(each: Observation) -> str:
    """Something that was seen to change, as one line."""
    detail = f" ({each.detail})" if each.detail else ""
    return f"{each.source.value} {each.subject}: {each.value}{detail}"


def clock(at: float) -> str:
    """The time of day in UTC; dashes where no calendar has the moment."""
    try:
        return f"{datetime.fromtimestamp(at, timezone.utc):%H:%M:%S}Z"
    except (OverflowError, ValueError, OSError):
        return "--:--:--Z"


def _row(each: PhaseSeen, sighting: RunSnapshot, now: float) -> Sequence[str | Text]:
    going_on = each.ended_at is None and sighting.status == RUNNING
    ended = STYLES["passed"] if each.go else STYLES["aborted"]
    style = "bold" if going_on else ended
    told = [each.told] if each.told else []
    if each.failures:
        told.append(f"{len(each.failures)} failed: {each.failures[-1]}")
    took = (each.ended_at or sighting.ended_at or now) - each.began_at
    return (
        Text(visible(each.name), style),
        clock(each.began_at),
        wording.duration(took) + ("..." if going_on else ""),
        visible("; ".join(told)),
    )
