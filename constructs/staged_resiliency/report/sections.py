"""What the page says of one run: texts and pictures, ready to be written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from staged_resiliency.experiment.journal import timestamp
from staged_resiliency.experiment.verdict import Status
from staged_resiliency.report import words
from staged_resiliency.report.lanes import Clock, Tone, clock_of
from staged_resiliency.report.reading import Journal, Step
from staged_resiliency.report.shapes import Group, Picture, Rect, Shape
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
    has_mixed: bool
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


def row_of(journal: Journal, anchor: str, picture: Picture | None) -> Row:
    """A run as a row of a table; ``anchor`` is the id of its section."""
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


def section_of(journal: Journal, anchor: str, *, is_open: bool) -> Section:
    """A run by itself; ``is_open`` unless it is folded away."""
    clock = clock_of(journal)
    timelines = [("wide", timeline(journal, WIDE)), ("narrow", timeline(journal, NARROW))]
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
        row=row_of(journal, anchor, None),
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
        timelines=timelines,
        has_mixed=any(_is_mixed(each.shapes) for _, each in timelines),
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


def _is_mixed(shapes: Sequence[Shape]) -> bool:
    """Whether a timeline has bars that stand for several, which its legend then explains."""
    return any(
        _is_mixed(each.shapes)
        if isinstance(each, Group)
        else isinstance(each, Rect) and each.style == f"bar {Tone.MIXED.value}"
        for each in shapes
    )


def _lasted(phase: Step, clock: Clock) -> str:
    """From when and how long."""
    began = clock.seconds(phase.began_at)
    if phase.ended_at is None:
        return f"cut off, from {words.seconds(began)}"
    return f"{words.seconds(clock.seconds(phase.ended_at) - began)}, from {words.seconds(began)}"
