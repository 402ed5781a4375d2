"""The page: one self-contained HTML file from journals."""

from collections.abc import Sequence
from pathlib import Path

from resiliency.report import wording
from resiliency.report.comparison import common_span, comparison
from resiliency.report.history import histories, newest
from resiliency.report.journal_reader import parse_journal
from resiliency.report.sections import PREDICTED, row_of, section_of
from resiliency.report.template import rendered
from staged_resiliency.experiment.journal import Journal
from staged_resiliency.experiment.json_codec import JsonObject


def page(
    journals: Sequence[JsonObject],
    *,
    title: str,
    made_at: float | None = None,
    notes: Sequence[str] = (),
) -> str:
    """One self-contained HTML page; the same for the same arguments.

    It loads nothing and needs no script. Where an experiment is there more than once it also
    shows the results over time, and the newest run of each stands first.

    Args:
        journals: What ``experiment.journal.journal`` makes, in the order to show them.
        title: Heading of the page.
        made_at: When it was made, in seconds since the epoch; not said unless given.
        notes: What the reader should know, such as which numbers are assumed; one line each.

    Raises:
        JournalError: One is no journal that this release understands.
    """
    runs = [parse_journal(each, _named(each, number)) for number, each in enumerate(journals, 1)]
    charts = histories(runs)
    shown = newest(runs) if charts else runs
    latest = sorted(runs, key=lambda each: each.began_at or 0.0, reverse=True)
    first = {id(each) for each in shown}
    ordered = [*shown, *(each for each in latest if id(each) not in first)]
    anchors = {id(each): f"run-{number}" for number, each in enumerate(ordered, 1)}
    span = common_span(shown)
    rows = [row_of(each, anchors[id(each)], comparison(each, span)) for each in shown]
    every = [row_of(each, anchors[id(each)], None) for each in latest] if charts else []
    return rendered(
        title=title,
        headline=wording.headline(shown),
        status=wording.verdict_of(shown).value,
        facts=_facts(runs, made_at),
        notes=notes,
        rows=rows,
        predicted_keys=PREDICTED,
        histories=charts,
        every=every,
        all_told=wording.headline(runs),
        sections=[
            section_of(each, anchors[id(each)], is_open=id(each) in first) for each in ordered
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
    """Write ``page`` to a file: the whole of it, or nothing.

    Args:
        path: The file; its folder must be there.
        journals: As for ``page``.
        title: As for ``page``.
        made_at: As for ``page``.
        notes: As for ``page``.

    Raises:
        JournalError: As for ``page``.
        OSError: The file can't be written.
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
    """What the head of the page says about all runs."""
    services = dict.fromkeys(f"{each.service}, {each.environment}" for each in runs)
    records = dict.fromkeys(each.record for each in runs)
    facts = [("Service", "; ".join(services)), ("Record", ", ".join(records))]
    began = [each.began_at for each in runs if each.began_at is not None]
    if began:
        first, last = wording.moment(min(began)), wording.moment(max(began))
        facts.append(("Run", first if first == last else f"{first} to {last}"))
    scales = sorted({each.time_scale for each in runs} - {1.0})
    if scales:
        told = ", ".join(f"{each:g}" for each in scales)
        facts.append(("Time", f"{told} times as fast; every duration is the service's own"))
    if made_at is not None:
        facts.append(("Page made", wording.moment(made_at)))
    return [each for each in facts if each[1]]
