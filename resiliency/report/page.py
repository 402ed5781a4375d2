"""The page of journals: one self-contained HTML file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resiliency.report import wording
from resiliency.report.charts import common_interval, comparison, histories, newest
from resiliency.report.journal_reader import parse_journal
from resiliency.report.template import rendered
from resiliency.report.timeline import NARROW, WIDE, timeline
from resiliency.report.timeline_data import RunClock, Tone, clock_of
from resiliency.svg import Drawing, Rect, Shape, ShapeGroup
from staged_resiliency.experiment.expectations import describe
from staged_resiliency.experiment.journal import Journal, Phase
from staged_resiliency.experiment.json_codec import JsonObject, timestamp
from staged_resiliency.experiment.verdict import Status

PREDICTED: Final = ("best", "median", "p95", "worst")
"""The keys of a prediction, in the order of the table's columns."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """The row of a run in a table."""

    anchor: str
    experiment: str
    fault: str
    status: str
    result: str
    when: str
    detect: str
    failover: str
    failback: str
    outage: str
    availability: str
    objective: str
    predicted: Sequence[str]
    is_predicted: bool
    drawing: Drawing | None


@dataclass(frozen=True, slots=True)
class RunSection:
    """The section of a run."""

    row: RunRow
    sentence: str
    facts: Sequence[tuple[str, str]]
    expectations: Sequence["ExpectationRow"]
    phases: Sequence[tuple[str, str, str]]
    timelines: Sequence[tuple[str, Drawing]]
    has_mixed: bool
    transitions: Sequence[tuple[str, str, str, str, str, str]]
    is_open: bool


@dataclass(frozen=True, slots=True)
class ExpectationRow:
    """The row of an expectation in a table."""

    what: str
    status: str
    result: str
    measured: str
    bound: str


def page(
    journals: Sequence[JsonObject],
    *,
    title: str,
    made_at: float | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Render the page; the same arguments give the same page.

    It loads nothing and needs no script. Where an experiment is there more than once it also
    shows the results over time, with the newest run of each first. ``made_at`` is in seconds since
    the epoch, and not shown unless given.

    Raises:
        JournalError: One is not a journal that this release can read.
    """
    runs = [parse_journal(each, _named(each, number)) for number, each in enumerate(journals, 1)]
    charts = histories(runs)
    shown = newest(runs) if charts else runs
    latest = sorted(runs, key=lambda each: each.began_at or 0.0, reverse=True)
    first = {id(each) for each in shown}
    ordered = [*shown, *(each for each in latest if id(each) not in first)]
    anchors = {id(each): f"run-{number}" for number, each in enumerate(ordered, 1)}
    interval = common_interval(shown)
    name = wording.run_name(runs)
    rows = [_row(each, name(each), anchors[id(each)], comparison(each, interval)) for each in shown]
    every = [_row(each, name(each), anchors[id(each)], None) for each in latest] if charts else []
    return rendered(
        title=title,
        headline=wording.headline(shown),
        status=wording.css_class(wording.verdict_of(shown)),
        facts=_facts(runs, made_at),
        notes=notes,
        rows=rows,
        predicted_keys=PREDICTED,
        histories=charts,
        every=every,
        all_runs=wording.headline(runs),
        sections=[
            _section(each, name(each), anchors[id(each)], is_open=id(each) in first)
            for each in ordered
        ],
    )


def write_page(
    path: Path,
    journals: Sequence[JsonObject],
    *,
    title: str,
    made_at: float | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write the page to a file, which is replaced only by a complete page.

    Raises OSError if it can't be written, and JournalError as ``page`` does.
    """
    text = page(journals, title=title, made_at=made_at, notes=notes)
    aside = path.with_name(f".{path.name}.new")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _named(journal: JsonObject, number: int) -> str:
    run_id = journal.get("run_id") if isinstance(journal, dict) else None
    return f"journal {number} ({run_id})" if isinstance(run_id, str) else f"journal {number}"


def _facts(runs: Sequence[Journal], made_at: float | None) -> Sequence[tuple[str, str]]:
    """Return the facts about all runs, for the head of the page."""
    services = dict.fromkeys(f"{each.service}, {each.environment}" for each in runs)
    records = dict.fromkeys(each.record for each in runs)
    facts = [("Service", "; ".join(services)), ("Record", ", ".join(records))]
    began = [each.began_at for each in runs if each.began_at is not None]
    if began:
        first, last = wording.moment(min(began)), wording.moment(max(began))
        facts.append(("Run", first if first == last else f"{first} to {last}"))
    scales = sorted({each.time_scale for each in runs} - {1.0})
    if scales:
        speeds = ", ".join(f"{each:g}" for each in scales)
        facts.append(("Time", f"{speeds} times as fast; every duration is the service's own"))
    if made_at is not None:
        facts.append(("Page made", wording.moment(made_at)))
    return [each for each in facts if each[1]]


def _row(journal: Journal, name: str, anchor: str, drawing: Drawing | None) -> RunRow:
    """Make the row of a run; ``anchor`` is the id of its section."""
    numbers = journal.numbers
    return RunRow(
        anchor=anchor,
        experiment=name,
        fault=_fault(journal),
        status=wording.css_class(journal.verdict.status),
        result=wording.RESULTS[journal.verdict.status],
        when=wording.moment(journal.began_at),
        detect=wording.seconds(numbers.detect_seconds),
        failover=wording.seconds(numbers.failover_seconds),
        failback=wording.seconds(numbers.failback_seconds),
        outage=wording.seconds(numbers.outage_seconds),
        availability=wording.share(numbers.availability),
        objective=wording.seconds(journal.objective_seconds),
        predicted=[wording.seconds(journal.predicted_seconds.get(key)) for key in PREDICTED],
        is_predicted=bool(journal.predicted_seconds),
        drawing=drawing,
    )


def _fault(journal: Journal) -> str:
    return f"{journal.fault}: {journal.dependency}" if journal.dependency else journal.fault


def _section(journal: Journal, name: str, anchor: str, *, is_open: bool) -> RunSection:
    """Make the section of a run, folded away unless ``is_open``."""
    clock = clock_of(journal)
    timelines = [("wide", timeline(journal, WIDE)), ("narrow", timeline(journal, NARROW))]
    expectations = [
        ExpectationRow(
            describe(each.expectation),
            wording.css_class(each.status),
            wording.RESULTS[each.status],
            wording.measured(each),
            wording.bound(each.expectation),
        )
        for each in journal.verdict.judgements
    ]
    # A run that was never judged still lists its expectations.
    expectations += [
        ExpectationRow(
            describe(each),
            wording.css_class(Status.ABORTED),
            "Not judged",
            wording.NOTHING,
            wording.bound(each),
        )
        for each in (() if expectations else journal.hypothesis)
    ]
    return RunSection(
        row=_row(journal, name, anchor, None),
        sentence=wording.result(journal),
        facts=[
            ("Fault", f"{_fault(journal)}, on {journal.host}"),
            ("Active, standby", f"{journal.active}, {journal.standby}"),
            ("Injected", wording.moment(journal.injected_at)),
            ("Run", f"{journal.run_id} ({journal.kind})"),
        ],
        expectations=expectations,
        phases=[
            (each.name, _lasted(each, clock), "" if each.outcome == "done" else each.outcome)
            for each in journal.phases
        ],
        timelines=timelines,
        has_mixed=any(_is_mixed(each.shapes) for _, each in timelines),
        transitions=[
            (
                wording.seconds(clock.seconds(each.at)),
                timestamp(each.at) or "",
                each.source.value,
                each.subject,
                each.value,
                each.detail,
            )
            for each in sorted(journal.transitions, key=lambda each: each.at)
        ],
        is_open=is_open,
    )


def _is_mixed(shapes: Sequence[Shape]) -> bool:
    """Whether a timeline has bars that merge several, which its legend then explains."""
    return any(
        _is_mixed(each.shapes)
        if isinstance(each, ShapeGroup)
        else isinstance(each, Rect) and each.style == f"bar {Tone.MIXED.value}"
        for each in shapes
    )


def _lasted(phase: Phase, clock: RunClock) -> str:
    """Format how long a phase lasted, and from when."""
    began = clock.seconds(phase.began_at)
    if phase.ended_at is None:
        return f"cut off, from {wording.seconds(began)}"
    return (
        f"{wording.seconds(clock.seconds(phase.ended_at) - began)}, from {wording.seconds(began)}"
    )
