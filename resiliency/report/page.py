"""The page of journals: one self-contained HTML file."""

from collections.abc import Mapping, Sequence
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
from staged_resiliency.experiment.journal import Journal
from staged_resiliency.experiment.json_codec import JsonObject

PREDICTED: Final = ("best", "median", "p95", "worst")
"""The keys of a prediction, in the order of the table's columns."""


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run with its name among the others and the id of its section, which may be folded away."""

    journal: Journal
    name: str
    anchor: str
    is_open: bool

    @property
    def clock(self) -> RunClock:
        """The clock of its timeline."""
        return clock_of(self.journal)

    @property
    def timelines(self) -> Mapping[str, Drawing]:
        """Its timeline in both layouts, by their class of the style sheet."""
        return {"wide": timeline(self.journal, WIDE), "narrow": timeline(self.journal, NARROW)}


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
    name = wording.run_name(runs)
    sections = {
        id(each): ShownRun(each, name(each), f"run-{number}", id(each) in first)
        for number, each in enumerate(ordered, 1)
    }
    interval = common_interval(shown)
    return rendered(
        title=title,
        headline=wording.headline(shown),
        status=wording.verdict_of(shown),
        facts=_facts(runs, made_at),
        notes=notes,
        rows=[(sections[id(each)], comparison(each, interval)) for each in shown],
        predicted_keys=PREDICTED,
        histories=charts,
        every=[sections[id(each)] for each in latest],
        all_runs=wording.headline(runs),
        sections=list(sections.values()),
        is_mixed=_is_mixed,
    )


def write_page(
    path: Path, journals: Sequence[JsonObject], *, title: str, made_at: float | None = None
) -> None:
    """Write the page to a file, which is replaced only by a complete page.

    Raises OSError if it can't be written, and JournalError as ``page`` does.
    """
    text = page(journals, title=title, made_at=made_at)
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


def _is_mixed(shapes: Sequence[Shape]) -> bool:
    """Whether a timeline has bars that merge several, which its legend then explains."""
    return any(
        _is_mixed(each.shapes)
        if isinstance(each, ShapeGroup)
        else isinstance(each, Rect) and each.style == f"bar {Tone.MIXED.value}"
        for each in shapes
    )
