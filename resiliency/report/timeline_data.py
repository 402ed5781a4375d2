"""The data of a timeline, before it is drawn: lanes of bars and marks along time."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby, pairwise
from typing import Final

from resiliency.svg import Interval
from staged_resiliency.experiment.journal import Journal, Transition
from staged_resiliency.experiment.observations import MISSING, NO_ANSWER, Source
from staged_resiliency.experiment.verdict import ALARM, OK

_LEAD: Final = 0.15
"""At most this share of the time from the fault until the end is shown before the fault."""

_TAIL: Final = 0.25
"""At most this share is shown after the end of observation, for a late message."""


class Tone(Enum):
    """The color of a state; its value is a class of the style sheet."""

    CALM = "calm"
    ACTIVE = "active"
    STANDBY = "standby"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    BAD = "bad"
    MIXED = "mixed"
    """Several states, too short to be drawn one by one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A state from ``began`` to ``ended``, which may be equal, in seconds since the fault."""

    began: float
    ended: float
    value: str
    tone: Tone
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """The states of one subject over time, and its events as marks: bars without length."""

    group: str
    name: str
    bars: Sequence[Bar] = ()
    marks: Sequence[Bar] = ()


@dataclass(frozen=True, slots=True)
class RunClock:
    """Converts moments to seconds (simulated in rehearsals) since the fault or run began."""

    zero: float
    time_scale: float

    def seconds(self, at: float) -> float:
        """Convert a moment to seconds since the fault or since the run began."""
        return (at - self.zero) * self.time_scale


def clock_of(journal: Journal) -> RunClock:
    """Return the clock of a run."""
    zero = journal.injected_at
    if zero is None:
        zero = journal.began_at
    if zero is None:
        zero = min((each.at for each in journal.transitions), default=0.0)
    return RunClock(zero, journal.time_scale)


def interval_of(journal: Journal) -> Interval:
    """Return the time that the timeline of a run shows.

    It begins with the run, but shows little of a long time before the fault: the state of an
    alarm may be weeks old.
    """
    clock = clock_of(journal)
    seen = [clock.seconds(each.at) for each in journal.transitions]
    steps = [
        clock.seconds(at)
        for each in journal.phases
        for at in (each.began_at, each.ended_at)
        if at is not None
    ]
    if journal.injected_at is None:
        known = steps or seen or [0.0]
        return _wide_enough(Interval(min(known), max(known)))
    known_ends = (journal.injected_at, journal.observed_until, journal.fault_ended_at)
    end = max(clock.seconds(at) for at in known_ends if at is not None)
    late = [each for each in (*seen, *steps) if end < each <= end * (1 + _TAIL)]
    start = max(min([0.0, *(steps or seen)]), -_LEAD * end)
    return _wide_enough(Interval(start, max([end, *late])))


def _wide_enough(interval: Interval) -> Interval:
    return (
        interval
        if interval.end - interval.start >= 1
        else Interval(interval.start, interval.start + 1)
    )


GROUPS: Final[Mapping[Source, str]] = {
    Source.SIGNAL: "Signals",
    Source.ALARM: "Alarms",
    Source.HEALTH_CHECK: "Health checks",
    Source.DNS: "DNS answers",
    Source.CLIENT: "What the client saw",
    Source.HOST: "The host without a fault",
    Source.MESSAGE: "Messages",
}
"""Headings, in the order of cause and effect."""


def lanes_of(journal: Journal, interval: Interval) -> Sequence[Lane]:
    """Return the lanes of a run, in the order of cause and effect."""
    lanes = []
    clock = clock_of(journal)
    phases = [
        Bar(
            clock.seconds(each.began_at),
            interval.end if each.ended_at is None else clock.seconds(each.ended_at),
            each.name,
            Tone.CHANGED if each.outcome != "done" else Tone.CALM,
            "" if each.outcome == "done" else each.outcome,
        )
        for each in journal.phases
    ]
    if phases:
        lanes.append(Lane("Run", "phases", _shown(phases, interval)))
    lanes += _faults(journal, clock, interval)
    for source, group in GROUPS.items():
        for subject, found in _by_subject(journal, source).items():
            if source is Source.MESSAGE:
                lanes.append(Lane(group, subject, marks=_marks(found, clock, interval)))
            else:
                bars = _bars(found, clock, interval, journal)
                lanes.append(Lane(group, subject, bars))
    return lanes


def _by_subject(journal: Journal, source: Source) -> Mapping[str, Sequence[Transition]]:
    found: dict[str, list[Transition]] = {}
    for each in sorted(journal.transitions, key=lambda each: each.at):
        if each.source is source:
            found.setdefault(each.subject, []).append(each)
    return {name: found[name] for name in sorted(found, key=_by_number)}


def _by_number(name: str) -> tuple[Sequence[tuple[int, str]], str]:
    """Return a sort key for names with numbers, so that ``api-2`` comes before ``api-10``."""
    parts = [part.lstrip("0") if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
    return [(len(part) if part.isdecimal() else 0, part) for part in parts], name


def _faults(journal: Journal, clock: RunClock, interval: Interval) -> Sequence[Lane]:
    """Return the lane of each fault that was observed, or else of the fault of the run."""
    lanes = []
    for subject, found in _by_subject(journal, Source.FAULT).items():
        bars = []
        for each, following in pairwise([*found, None]):
            assert each is not None  # noqa: S101 - only the last one is
            if each.value != "ended":
                ended = interval.end if following is None else clock.seconds(following.at)
                detail = each.detail if following else "has not ended"
                bars.append(Bar(clock.seconds(each.at), ended, each.value, Tone.BAD, detail))
        lanes.append(Lane("Fault", subject, _shown(bars, interval)))
    if not lanes and journal.injected_at is not None:
        ended_at = journal.fault_ended_at
        ended = interval.end if ended_at is None else clock.seconds(ended_at)
        detail = "has not ended" if ended_at is None else ""
        bar = Bar(clock.seconds(journal.injected_at), ended, "injected", Tone.BAD, detail)
        lanes.append(Lane("Fault", journal.fault, _shown([bar], interval)))
    return lanes


def _bars(
    found: Sequence[Transition], clock: RunClock, interval: Interval, journal: Journal
) -> Sequence[Bar]:
    """Return each state from its transition until the next one, or the end."""
    usual = next((each.value for each in reversed(found) if clock.seconds(each.at) < 0), "")
    usual = usual or found[0].value
    ends = [clock.seconds(each.at) for each in found[1:]]
    ends.append(max(interval.end, clock.seconds(found[-1].at)))
    bars = [
        Bar(clock.seconds(each.at), end, each.value, _tone(each, usual, journal), each.detail)
        for each, end in zip(found, ends, strict=True)
    ]
    return _shown(bars, interval)


def _tone(seen: Transition, usual: str, journal: Journal) -> Tone:
    known: Mapping[str, Tone] = {}
    other = Tone.CHANGED
    if seen.source is Source.SIGNAL:
        known = {usual: Tone.CALM, MISSING: Tone.UNKNOWN}
    elif seen.source is Source.ALARM:
        known = {
            OK: Tone.CALM,
            ALARM: Tone.BAD,
            MISSING: Tone.BAD,
            "INSUFFICIENT_DATA": Tone.UNKNOWN,
        }
    elif seen.source is Source.HEALTH_CHECK:
        known = {"healthy": Tone.CALM, "unhealthy": Tone.BAD}
    elif seen.source is Source.DNS:
        known, other = {usual: Tone.ACTIVE, NO_ANSWER: Tone.BAD, "": Tone.BAD}, Tone.STANDBY
    else:
        known = {
            usual: Tone.ACTIVE,
            journal.standby: Tone.STANDBY,
            journal.active: Tone.ACTIVE,
            NO_ANSWER: Tone.BAD,
        }
    return known.get(seen.value, other)


def _marks(found: Sequence[Transition], clock: RunClock, interval: Interval) -> Sequence[Bar]:
    tones = {ALARM: Tone.BAD, OK: Tone.CALM}
    marks = []
    for each in found:
        at = clock.seconds(each.at)
        marks.append(Bar(at, at, each.value, tones.get(each.value, Tone.UNKNOWN), each.detail))
    return _shown(marks, interval)


def _shown(bars: Iterable[Bar], interval: Interval) -> Sequence[Bar]:
    """Clip bars to an interval, and drop those outside of it."""
    return [
        replace(each, began=interval.clipped(each.began), ended=interval.clipped(each.ended))
        for each in bars
        if each.began <= interval.end
        and (each.ended > interval.start or each.began == each.ended == interval.start)
    ]


def merged(bars: Sequence[Bar], shortest: float) -> Sequence[Bar]:
    """Merge neighbouring bars under ``shortest`` seconds, too short to be drawn one by one."""
    shown: list[Bar] = []
    for short, run in groupby(bars, key=lambda each: each.ended - each.began < shortest):
        together = list(run)
        shown += [_as_one(together)] if short and len(together) > 1 else together
    return shown


def _as_one(bars: Sequence[Bar]) -> Bar:
    values = list(dict.fromkeys(each.value for each in bars))
    detail = ", ".join(values[:4]) + (" and others" if len(values) > 4 else "")
    return Bar(bars[0].began, bars[-1].ended, f"{len(bars):,} changes", Tone.MIXED, detail)


def without_quiet(lanes: Sequence[Lane], most: int) -> Sequence[Lane]:
    """Merge the lanes of a large group that show the same calm state from beginning to end.

    A group with more than ``most`` lanes is large.
    """
    shown: list[Lane] = []
    for group, together in groupby(lanes, key=lambda each: each.group):
        members = list(together)
        quiet = [each for each in members if _is_quiet(each)]
        if len(members) <= most or len(quiet) < 2:
            shown += members
            continue
        shown += [each for each in members if each not in quiet]
        values = " / ".join(dict.fromkeys(each.bars[0].value for each in quiet))
        last = max(quiet[0].bars[0].ended for each in quiet)
        bar = Bar(quiet[0].bars[0].began, last, f"{values} throughout", Tone.CALM)
        shown.append(Lane(group, f"{len(quiet)} more", [bar]))
    return shown


def _is_quiet(lane: Lane) -> bool:
    return len(lane.bars) == 1 and lane.bars[0].tone is Tone.CALM
