"""The page: one self-contained HTML file from journals."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from staged_resiliency.experiment.journal import JsonObject, timestamp
from staged_resiliency.experiment.verdict import Status
from staged_resiliency.report import words
from staged_resiliency.report.comparison import common_span, comparison
from staged_resiliency.report.history import histories, newest
from staged_resiliency.report.lanes import Clock, clock_of
from staged_resiliency.report.reading import Journal, Step, parsed
from staged_resiliency.report.shapes import Picture
from staged_resiliency.report.timeline import NARROW, WIDE, timeline

PREDICTED: Final = ("best", "median", "p95", "worst")
"""What a prediction holds, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Row:
    """A run in a table."""

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
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class Section:
    """A run by itself."""

    row: Row
    sentence: str
    facts: Sequence[tuple[str, str]]
    expectations: Sequence["ExpectationRow"]
    phases: Sequence[tuple[str, str, str]]
    timelines: Sequence[tuple[str, Picture]]
    transitions: Sequence[tuple[str, str, str, str, str, str]]
    is_open: bool


@dataclass(frozen=True, slots=True)
class ExpectationRow:
    """An expectation in a table."""

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
    runs = [parsed(each, _named(each, number)) for number, each in enumerate(journals, 1)]
    charts = histories(runs)
    shown = newest(runs) if charts else runs
    latest = sorted(runs, key=lambda each: each.began_at or 0.0, reverse=True)
    first = {id(each) for each in shown}
    ordered = [*shown, *(each for each in latest if id(each) not in first)]
    anchors = {id(each): f"run-{number}" for number, each in enumerate(ordered, 1)}
    span = common_span(shown)
    rows = [_row(each, anchors[id(each)], comparison(each, span)) for each in shown]
    every = [_row(each, anchors[id(each)], None) for each in latest] if charts else []
    style, script = _source("page.css"), _source("page.js")
    return _template().render(
        title=title,
        headline=words.headline(shown),
        status=words.verdict_of(shown).value,
        facts=_facts(runs, made_at),
        notes=notes,
        rows=rows,
        predicted_keys=PREDICTED,
        histories=charts,
        every=every,
        all_told=words.headline(runs),
        sections=[_section(each, anchors[id(each)], is_open=id(each) in first) for each in ordered],
        style=Markup(style),  # noqa: S704 - the package's own file
        script=Markup(script),  # noqa: S704 - the package's own file
        policy=_policy(style, script),
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
        first, last = words.moment(min(began)), words.moment(max(began))
        facts.append(("Run", first if first == last else f"{first} to {last}"))
    scales = sorted({each.time_scale for each in runs} - {1.0})
    if scales:
        told = ", ".join(f"{each:g}" for each in scales)
        facts.append(("Time", f"{told} times as fast; every duration is the service's own"))
    if made_at is not None:
        facts.append(("Page made", words.moment(made_at)))
    return [each for each in facts if each[1]]


def _row(journal: Journal, anchor: str, picture: Picture | None) -> Row:
    numbers = journal.numbers
    return Row(
        anchor=anchor,
        experiment=journal.experiment,
        fault=_fault(journal),
        status=journal.verdict.status.value,
        result=words.RESULTS[journal.verdict.status],
        when=words.moment(journal.began_at),
        detect=words.seconds(numbers.detect_seconds),
        failover=words.seconds(numbers.failover_seconds),
        failback=words.seconds(numbers.failback_seconds),
        outage=words.seconds(numbers.outage_seconds),
        availability=words.share(numbers.availability),
        objective=words.seconds(journal.objective_seconds),
        predicted=[words.seconds(journal.predicted_seconds.get(key)) for key in PREDICTED],
        is_predicted=bool(journal.predicted_seconds),
        picture=picture,
    )


def _fault(journal: Journal) -> str:
    return f"{journal.fault}: {journal.dependency}" if journal.dependency else journal.fault


def _section(journal: Journal, anchor: str, *, is_open: bool) -> Section:
    clock = clock_of(journal)
    expectations = [
        ExpectationRow(
            words.expectation(each.expectation),
            each.status.value,
            words.RESULTS[each.status],
            words.measured(each),
            words.bound(each.expectation),
        )
        for each in journal.verdict.judgements
    ]
    # A run that was never judged still says what it would have been judged by.
    expectations += [
        ExpectationRow(
            words.expectation(each),
            Status.ABORTED.value,
            "Not judged",
            words.NOTHING,
            words.bound(each),
        )
        for each in (() if expectations else journal.hypothesis)
    ]
    return Section(
        row=_row(journal, anchor, None),
        sentence=words.result(journal),
        facts=[
            ("Fault", f"{_fault(journal)}, on {journal.host}"),
            ("Active, standby", f"{journal.active}, {journal.standby}"),
            ("Injected", words.moment(journal.injected_at)),
            ("Run", f"{journal.run_id} ({journal.kind})"),
        ],
        expectations=expectations,
        phases=[
            (each.name, _lasted(each, clock), "" if each.outcome == "done" else each.outcome)
            for each in journal.phases
        ],
        timelines=[("wide", timeline(journal, WIDE)), ("narrow", timeline(journal, NARROW))],
        transitions=[
            (
                words.seconds(clock.seconds(each.at)),
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


def _lasted(phase: Step, clock: Clock) -> str:
    """From when and how long."""
    began = clock.seconds(phase.began_at)
    if phase.ended_at is None:
        return f"cut off, from {words.seconds(began)}"
    return f"{words.seconds(clock.seconds(phase.ended_at) - began)}, from {words.seconds(began)}"


def _policy(style: str, script: str) -> str:
    """What the page may load: nothing but its own style and script, whatever a name says."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, those that turn the direction of writing, and halves of characters."""


def _printable(value: object) -> object:
    """What a template writes; a name can neither hide a part of itself nor reverse the line."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNPRINTABLE.sub("\ufffd", value)
    return value


@cache
def _source(name: str) -> str:
    return (files("staged_resiliency.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("staged_resiliency.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_printable,
    )
    return environment.get_template("page.html.j2")
