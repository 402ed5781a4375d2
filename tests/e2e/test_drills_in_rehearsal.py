"""Drills that watch rehearsals with real processes: they see the same, and judge it alike.

All seconds are the service's, since the fault unless said otherwise.
"""

import math
from collections.abc import Mapping, Sequence

import pytest

from resiliency.rehearsal.client_process import LEAST_DEADLINE_SECONDS
from resiliency.rehearsal.expectations import SLACK_SECONDS
from resiliency.report.journal_reader import parse_journal
from staged_resiliency.experiment.expectations import AlarmFires, ClientsMove, ClientsReturn
from staged_resiliency.experiment.journal import Journal
from staged_resiliency.experiment.observations import Observation, Source
from staged_resiliency.experiment.verdict import Run, Status, judge
from tests.fake_aws import plans
from tests.resiliency.rehearsal.drilled import Drilled, drilled
from tests.resiliency.rehearsal.support import (
    DB_ALARM,
    STATUS_ALARM,
    Edit,
    edited,
    set_alarm,
    set_health_check,
    templates_of,
)

SCALE = 30.0

RUNS: Mapping[str, tuple[str, Edit, Status]] = {
    "a host that stops": ("host-stops", lambda _: None, Status.PASSED),
    "a dependency out of reach": ("db-blackholed", lambda _: None, Status.PASSED),
    "a health check that is disabled": (
        "host-stops",
        set_health_check(Disabled=True),
        Status.FAILED,
    ),
    "a threshold that nothing is below": (
        "db-blackholed",
        set_alarm(DB_ALARM, Threshold=0),
        Status.FAILED,
    ),
}
"""Which scenario is rehearsed and drilled, how its template is edited, and what is found."""

LOOK_SECONDS = plans.SHUTDOWN.sample_seconds + (LEAST_DEADLINE_SECONDS + SLACK_SECONDS) * SCALE
"""How late a drill may see what is there: it looks each few seconds, and waits for hosts that are
down; and by how much processes on a busy machine may be late."""

CACHE_SECONDS = 60.0
"""The record's TTL: two resolvers that keep an answer so long differ by no more."""

EXACT_SECONDS = 1.0
"""What is stamped when it changes is seen late and reported alike, but for rounding."""

TOLERANCES: Mapping[tuple[Source, str], float] = {
    (Source.DNS, ""): LOOK_SECONDS,
    (Source.CLIENT, ""): LOOK_SECONDS + CACHE_SECONDS,
    (Source.ALARM, ""): EXACT_SECONDS,
    (Source.FAULT, "injected"): EXACT_SECONDS,
    (Source.FAULT, "ended"): LOOK_SECONDS,  # of an instance: when it is seen to run
}
"""By how much a drill and a rehearsal may differ: by source, for faults also by value."""

BLIP_SECONDS = 1.5 * LEAST_DEADLINE_SECONDS * SCALE
"""One request that a busy machine does not answer in time is no news of the service."""

Line = Sequence[tuple[float, str]]
"""Values that one subject had one after the other, and since when."""


@pytest.fixture(scope="module", params=RUNS)
def run(request: pytest.FixtureRequest) -> tuple[Drilled, Status]:
    name, edit, status = RUNS[request.param]
    return drilled(edited(templates_of(), edit), name, scale=SCALE), status


def both(found: Drilled) -> tuple[Journal, Journal]:
    """The rehearsal's journal and the drill's."""
    return parse_journal(found.rehearsal.journal, "rehearsal"), parse_journal(
        found.journal, "drill"
    )


def since_fault(journal: Journal, at: float | None) -> float:
    assert at is not None
    assert journal.injected_at is not None
    return (at - journal.injected_at) * journal.time_scale


def lines(journal: Journal) -> Mapping[tuple[Source, str], Line]:
    """What was seen of each subject that drills look at too, from just before the fault on."""
    found: dict[tuple[Source, str], list[tuple[float, str]]] = {}
    for each in journal.transitions:
        if each.source in {source for source, _ in TOLERANCES}:
            line = found.setdefault((each.source, each.subject), [])
            at = since_fault(journal, each.at)
            line[:] = [*(line if at >= 0 else ()), (at, each.value)]
    return {key: lasting(line) if key[0] is Source.CLIENT else line for key, line in found.items()}


def lasting(line: Line) -> Line:
    """The line without what lasted for a blip; what was there at last has not ended."""
    kept: list[tuple[float, str]] = []
    for (at, value), (until, _) in zip(line, [*line[1:], (math.inf, "")], strict=True):
        if until - at >= BLIP_SECONDS and (not kept or kept[-1][1] != value):
            kept.append((at, value))
    return kept


def tolerance(source: Source, value: str) -> float:
    return TOLERANCES.get((source, value), TOLERANCES.get((source, ""), 0.0))


def test_the_drill_comes_to_the_verdict_of_the_rehearsal(run: tuple[Drilled, Status]) -> None:
    found, status = run
    rehearsal, drill = both(found)
    difference = f"rehearsal: {rehearsal.verdict.message}\ndrill: {drill.verdict.message}"
    assert rehearsal.verdict.status is status, difference
    assert drill.verdict.status is status, difference
    assert found.status == "SUCCEEDED"
    assert drill.hypothesis == rehearsal.hypothesis
    one, other = (
        [(each.expectation, each.status) for each in judgements]
        for judgements in (rehearsal.verdict.judgements, drill.verdict.judgements)
    )
    assert one == other, difference


def test_the_drill_sees_what_the_rehearsal_sees(run: tuple[Drilled, Status]) -> None:
    rehearsal, drill = both(run[0])
    one, other = lines(rehearsal), lines(drill)
    assert one.keys() == other.keys()
    for key, line in one.items():
        difference = f"{key[1]}: rehearsal {line}, drill {other[key]}"
        assert [value for _, value in line] == [value for _, value in other[key]], difference
        for (at, value), (seen, _) in zip(line, other[key], strict=True):
            if at >= 0:  # what was there before, each saw when it began
                assert seen == pytest.approx(at, abs=tolerance(key[0], value)), difference


def test_the_drill_measures_what_the_rehearsal_measures(run: tuple[Drilled, Status]) -> None:
    one, other = (each.measures for each in both(run[0]))
    assert one is not None
    assert other is not None
    late = tolerance(Source.CLIENT, "")
    assert other.detect_seconds == pytest.approx(one.detect_seconds, abs=EXACT_SECONDS)
    assert other.failover_seconds == pytest.approx(one.failover_seconds, abs=late)
    assert other.failback_seconds == pytest.approx(one.failback_seconds, abs=late + LOOK_SECONDS)


def test_whatever_time_is_allowed_both_judge_alike(run: tuple[Drilled, Status]) -> None:
    """Also an objective that is too short for what happened."""
    rehearsal, drill = both(run[0])
    compared = 0
    for seconds in range(30, 600, 30):
        for expectation in (
            ClientsMove(rehearsal.record, rehearsal.standby, seconds),
            ClientsReturn(rehearsal.record, rehearsal.active, seconds),
            AlarmFires(STATUS_ALARM, seconds),
            AlarmFires(DB_ALARM, seconds),
        ):
            (one,), (other,) = (
                judge([expectation], observations(each), times(each)).judgements
                for each in (rehearsal, drill)
            )
            exact = isinstance(expectation, AlarmFires)
            late = EXACT_SECONDS if exact else tolerance(Source.CLIENT, "") + LOOK_SECONDS
            if one.seconds is None or abs(one.seconds - seconds) > late:
                assert other.status is one.status, f"{one.message}\n{other.message}"
                compared += 1
    assert compared >= 40


def observations(journal: Journal) -> Sequence[Observation]:
    """What a journal keeps of what was seen, without blips of clients; and how it was at last."""
    end = since_fault(journal, journal.observed_until)
    return [
        Observation(at, source, subject, value)
        for (source, subject), line in lines(journal).items()
        for at, value in [*line, (end, line[-1][1])]
    ]


def times(journal: Journal) -> Run:
    return Run(
        0.0,
        since_fault(journal, journal.fault_ended_at),
        since_fault(journal, journal.observed_until),
    )
