"""What the page says of one run: texts and pictures, ready to be written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from resiliency.report import wording
from resiliency.report.svg_shapes import Group, Picture, Rect, Shape
from resiliency.report.timeline import NARROW, WIDE, timeline
from resiliency.report.timeline_data import Clock, Tone, clock_of
from staged_resiliency.experiment.expectations import describe
from staged_resiliency.experiment.journal import Journal, Phase
from staged_resiliency.experiment.json_codec import timestamp
from staged_resiliency.experiment.verdict import Status

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
            describe(each.expectation),
            each.status.value,
            wording.RESULTS[each.status],
            wording.measured(each),
            wording.bound(each.expectation),
        )
        for each in journal.verdict.judgements
    ]
    # A run that was never judged still says what it would have been judged by.
    expectations += [
        ExpectationRow(
            describe(each),
            Status.ABORTED.value,
            "Not judged",
            wording.NOTHING,
            wording.bound(each),
        )
        for each in (() if expectations else journal.hypothesis)
    ]
    return Section(
        row=row_of(journal, anchor, None),
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
    """Whether a timeline has bars that stand for several, which its legend then explains."""
    return any(
        _is_mixed(each.shapes)
        if isinstance(each, Group)
        else isinstance(each, Rect) and each.style == f"bar {Tone.MIXED.value}"
        for each in shapes
    )


def _lasted(phase: Phase, clock: Clock) -> str:
    """From when and how long."""
    began = clock.seconds(phase.began_at)
    if phase.ended_at is None:
        return f"cut off, from {wording.seconds(began)}"
    return (
        f"{wording.seconds(clock.seconds(phase.ended_at) - began)}, from {wording.seconds(began)}"
    )
