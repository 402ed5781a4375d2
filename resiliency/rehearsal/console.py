"""Prints a rehearsal: progress while it runs, then timelines and verdicts."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.expectations import Expected, Plan, common_notes
from resiliency.rehearsal.outcome import Outcome, Running
from staged_resiliency.experiment.expectations import (
    AlarmQuiet,
    ClientsMove,
    Expectation,
    TimedExpectation,
    UnknownExpectation,
    describe,
    time_limit,
)
from staged_resiliency.experiment.observations import Observation, Source, transitions
from staged_resiliency.experiment.verdict import ALARM, Judgement, Status

_SHOWN: Final = (
    Source.FAULT,
    Source.ALARM,
    Source.HEALTH_CHECK,
    Source.DNS,
    Source.CLIENT,
    Source.MESSAGE,
)
_LEAST_WIDTH: Final = 60
"""The least terminal width for a table that is redrawn; narrower ones get lines."""

_STYLES: Final = {Status.PASSED: "green", Status.FAILED: "red", Status.NOT_COVERED: "yellow"}


class Progress:
    """Shows progress as a table that is redrawn, or as lines where redrawing is impossible."""

    def __init__(self, plans: Sequence[Plan], scale: float, console: Console) -> None:
        self._scale = scale
        self._console = console
        self._runs: dict[str, Running] = {}
        self._names = [plan.scenario.name for plan in plans]
        self._last: dict[tuple[str, Source, str], Observation] = {}
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        if self._console.is_terminal and self._console.width >= _LEAST_WIDTH:
            self._live = Live(
                console=self._console, get_renderable=self._table, refresh_per_second=4
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def watch(self, running: Running, observation: Observation | None) -> None:
        """Show an event of a scenario."""
        name = running.plan.scenario.name
        self._runs[name] = running
        if observation is not None:
            key = (name, observation.source, observation.subject)
            # A request that hangs is reported when it ends, after others that were made later.
            former = self._last.get(key)
            if former is not None and observation.at < former.at:
                return
            self._last[key] = observation
            if self._live is None and _worth_a_line(observation, former):
                what = f"{observation.source.value} {observation.subject}: {observation.value}"
                self._line(running, what, observation.at)
        elif self._live is None and running.phases[-1].ended_at is None:
            self._line(running, running.phases[-1].name, running.phases[-1].began_at)

    def _line(self, running: Running, what: str, at: float) -> None:
        seconds = (at - running.phases[0].began_at) * self._scale
        text = f"{running.plan.scenario.name:<18} {_clock(seconds):>6}  {what}"
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for heading in ("Scenario", "Phase", "Time", "Answer", "Clients see", "In alarm"):
            table.add_column(heading, overflow="ellipsis", no_wrap=True)
        for name in self._names:
            running = self._runs.get(name)
            if running is None or not running.phases:
                table.add_row(escape(name), "waits")
                continue
            phase = "done" if running.run else running.phases[-1].name
            latest = running.observations[-1].at if running.observations else 0.0
            seconds = max(0.0, latest - running.phases[0].began_at) * self._scale
            firing = sum(
                last.value == ALARM
                for (of, source, _), last in self._last.items()
                if of == name and source is Source.ALARM
            )
            table.add_row(
                escape(name),
                phase,
                _clock(seconds),
                escape(self._latest(name, Source.DNS)),
                escape(self._latest(name, Source.CLIENT)),
                str(firing or ""),
            )
        return table

    def _latest(self, name: str, wanted: Source) -> str:
        for (of, source, _), last in self._last.items():
            if of == name and source is wanted:
                return last.value
        return ""


def _worth_a_line(observation: Observation, former: Observation | None) -> bool:
    """Whether an observation is a change; metrics are left out, as they change each minute."""
    if former is None:
        return observation.source is Source.FAULT
    return observation.source in _SHOWN and former.value != observation.value


def print_outcomes(deployment: Deployment, outcomes: Sequence[Outcome], console: Console) -> None:
    """Print a timeline and a table of verdicts for each scenario, and one line for all."""
    common = common_notes([outcome.plan for outcome in outcomes])
    for outcome in outcomes:
        console.print()
        console.print(Group(_timeline(outcome), _verdicts(outcome)))
        for failure in outcome.extra_failures:
            console.print(f"[red]failed[/red] {escape(failure)}", soft_wrap=True)
        _print_notes([note for note in outcome.plan.notes if note not in common], console)
    console.print()
    _print_notes(common, console)
    console.print(
        "After: minutes and seconds of the service. Allowed: the objective, or the model's "
        "worst case plus tolerance.",
        soft_wrap=True,
    )
    for outcome in outcomes:
        style = _STYLES[outcome.verdict.status]
        status = outcome.verdict.status.value
        text = outcome.plan.scenario.title + _against_objective(deployment, outcome)
        if outcome.verdict.status is Status.NOT_COVERED:
            text += "".join(f": {reason}" for reason in outcome.plan.not_covered.values())
        console.print(f"[{style}]{status:<11}[/{style}] {escape(text)}", soft_wrap=True)


def _against_objective(deployment: Deployment, outcome: Outcome) -> str:
    """Compare the failover time with the objective, if there is one and clients should move."""
    moves = [
        judgement
        for judgement in outcome.verdict.judgements
        if isinstance(judgement.expectation, ClientsMove)
    ]
    if deployment.objective_seconds is None or not moves:
        return ""
    objective = f"objective {deployment.objective_seconds:.0f} s"
    if moves[0].seconds is None:
        return f": clients did not reach {deployment.standby.name}, {objective}"
    return (
        f": clients reached {deployment.standby.name} after {moves[0].seconds:.0f} s, {objective}"
    )


def _print_notes(notes: Sequence[str], console: Console) -> None:
    for note in notes:
        console.print(f"[yellow]note[/yellow] {escape(note)}", soft_wrap=True)


def _timeline(outcome: Outcome) -> Table:
    run = outcome.run
    table = Table(
        title=escape(f"{outcome.plan.scenario.name}: {outcome.plan.scenario.title}"),
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    table.add_column("After", justify="right")
    for heading in ("Seen by", "What", ""):
        table.add_column(heading, overflow="fold")
    for each in transitions(outcome.observations):
        if each.source in _SHOWN and run.injected_at <= each.at <= run.until:
            seconds = (each.at - run.injected_at) * run.time_scale
            table.add_row(
                _clock(seconds), each.source.value, escape(each.subject), escape(each.value)
            )
    return table


def _verdicts(outcome: Outcome) -> Table:
    """A row for each expectation; alarms that stayed quiet, as most do, share one."""
    table = Table(box=None, pad_edge=False)
    table.add_column("Verdict")
    table.add_column("Expected", overflow="fold")
    for heading in ("Took", "Allowed", "Predicted"):
        table.add_column(heading, justify="right", no_wrap=True)
    quiet = 0
    for judgement in outcome.verdict.judgements:
        if _is_quiet(judgement):
            quiet += 1
            continue
        objective = outcome.run.objective_seconds
        table.add_row(*_row(judgement, _expected(outcome, judgement), objective))
    if quiet:
        table.add_row("[green]passed[/green]", f"{quiet} other alarms stay quiet")
    return table


def _row(
    judgement: Judgement, expected: Expected, objective_seconds: float | None
) -> Sequence[str]:
    style = _STYLES[judgement.status]
    expectation, predicted = judgement.expectation, expected.predicted
    message = "" if judgement.status is Status.PASSED else judgement.message.partition(";")[0]
    return (
        f"[{style}]{judgement.status.value}[/{style}]",
        escape(message or _expectation(expectation)),
        "" if judgement.seconds is None else f"{judgement.seconds:.0f} s",
        f"{time_limit(expectation, objective_seconds):.0f} s"
        if isinstance(expectation, TimedExpectation)
        else "",
        "" if predicted is None else f"{predicted.best:.0f} to {predicted.worst:.0f} s",
    )


def _is_quiet(judgement: Judgement) -> bool:
    return isinstance(judgement.expectation, AlarmQuiet) and judgement.status is Status.PASSED


def _expected(outcome: Outcome, judgement: Judgement) -> Expected:
    return next(each for each in outcome.plan.expected if each.expectation == judgement.expectation)


def _expectation(expectation: Expectation | UnknownExpectation) -> str:
    """Describe an expectation, and from when its time limit runs."""
    if isinstance(expectation, TimedExpectation):
        return f"{describe(expectation)} after {expectation.after}"
    return describe(expectation)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
