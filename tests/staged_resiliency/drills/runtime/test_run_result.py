"""The result of a run is judged from its records, in whatever order they are read."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.run_result import (
    STABLE_SECONDS,
    all_happened,
    conclude,
    fault_may_last,
    fault_times,
    nobody_serves,
    reason_to_stop,
)
from staged_resiliency.drills.runtime.store import PhaseRecord
from staged_resiliency.experiment.expectations import AlarmFires, ClientsMove, ClientsReturn
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source
from staged_resiliency.experiment.verdict import Run, Status
from tests.fake_aws import plans
from tests.fake_aws.simulation import START
from tests.staged_resiliency.drills.runtime.test_recorder import passed, phase_record

PLAN = plans.SHUTDOWN
NOW = START + 600


def status_of(
    records: list[PhaseRecord], errors: dict[str, str] | None = None, interrupted: str = ""
) -> tuple[Status, str]:
    """The verdict on some records."""
    found = conclude(PLAN, records, errors or {}, interrupted, NOW).verdict
    return found.status, found.message


def without(*phases: str) -> list[PhaseRecord]:
    """The records of a passed run, except those of some phases."""
    return [each for each in passed() if each.phase not in phases]


def changed(phase: str, change: Callable[[PhaseRecord], PhaseRecord]) -> list[PhaseRecord]:
    """The records of a passed run, with one changed."""
    return [change(each) if each.phase == phase else each for each in passed()]


def test_a_run_that_passed() -> None:
    assert status_of(passed())[0] is Status.PASSED


Row = tuple[list[PhaseRecord], dict[str, str], str, Status, str]
ROWS: tuple[Row, ...] = (
    (without(names.STEADY_AGAIN), {}, "", Status.FAILED, "not steady again: not checked"),
    (
        changed(
            names.STEADY_AGAIN,
            lambda each: replace(each, go=False, message="Route 53 answers nothing"),
        ),
        {},
        "",
        Status.FAILED,
        "not steady again: Route 53 answers nothing",
    ),
    (without(names.FAILBACK), {}, "", Status.FAILED, "are back on"),
    (
        without(names.END_FAULT),
        {},
        "",
        Status.FAILED,
        "THE FAULT MAY STILL BE THERE: its end was not observed",
    ),
    (
        changed(
            names.END_FAULT,
            lambda each: replace(each, fault_may_last=True, message="is stopping"),
        ),
        {},
        "",
        Status.FAILED,
        "THE FAULT MAY STILL BE THERE: is stopping",
    ),
    (
        changed(
            names.OBSERVE,
            lambda each: replace(each, cut_short="the experiment is stopped: alarm"),
        ),
        {},
        "",
        Status.ABORTED,
        "the experiment is stopped: alarm",
    ),
    (passed(), {"observe": "Boom: no"}, "", Status.ABORTED, "observe failed: Boom: no"),
    (passed(), {}, "the run was aborted", Status.ABORTED, "the run was aborted"),
    ([], {}, "", Status.ABORTED, "no fault was injected: for an unknown reason"),
    ([], {"end": "Boom"}, "", Status.FAILED, "THE FAULT MAY STILL BE THERE: end failed: Boom"),
    (
        [phase_record(names.PREFLIGHT, 0, message="alarm a is already in ALARM", go=False)],
        {},
        "",
        Status.ABORTED,
        "refused: alarm a is already in ALARM",
    ),
    (
        [phase_record(names.STEADY_STATE, 0, message="no answer", go=False)],
        {},
        "",
        Status.ABORTED,
        "no steady state: no answer",
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=[row[4] for row in ROWS])
def test_verdicts(row: Row) -> None:
    records, errors, interrupted, status, expected = row
    found = status_of(records, errors, interrupted)
    assert found[0] is status
    assert expected in found[1]


@given(st.randoms(use_true_random=False), st.integers(0, 6))
def test_the_order_of_reading_and_calls_that_are_there_twice_change_nothing(
    chance: random.Random, twice: int
) -> None:
    expected = conclude(PLAN, passed(), {}, "", NOW)
    records = [*passed(), passed()[twice]]
    chance.shuffle(records)
    found = conclude(PLAN, records, {}, "", NOW)
    assert (found.verdict, found.measures, found.run) == (
        expected.verdict,
        expected.measures,
        expected.run,
    )


@given(st.sets(st.sampled_from([each.phase for each in passed()])))
def test_a_run_with_a_gap_never_passes(missing: set[str]) -> None:
    status, _ = status_of(without(*missing))
    needed = missing - {names.PREFLIGHT, names.STEADY_STATE}
    assert (status is Status.PASSED) == (not needed)


def test_an_attempt_that_failed_is_not_the_last_word() -> None:
    failed = replace(phase_record(names.END_FAULT, 205), message="failed: x", fault_may_last=True)
    records = sorted([*passed(), failed], key=lambda each: each.began_at)
    assert not fault_may_last(records, {})
    assert status_of(records)[0] is Status.PASSED


MOVE, FIRES = ClientsMove(plans.RECORD, plans.GREEN, 10), AlarmFires("a", 10)
BACK = ClientsReturn(plans.RECORD, plans.BLUE, 10)


def client(at: float, value: str) -> Observation:
    """What a client saw."""
    return Observation(at, Source.CLIENT, plans.RECORD, value)


def clients(value: str, *moments: float) -> list[Observation]:
    """What a client saw at several moments."""
    return [client(at, value) for at in moments]


def test_nothing_expected_has_happened_at_once() -> None:
    assert all_happened([], [], Run(0, None, 0))


def test_what_happened_too_late_has_all_happened() -> None:
    assert all_happened([MOVE], clients(plans.GREEN, 490, 495, 500), Run(0, None, 500))


def test_all_of_it_must_happen() -> None:
    assert not all_happened([MOVE, FIRES], clients(plans.GREEN, 5, 10, 15), Run(0, None, 500))


def test_what_is_for_good_must_last_a_while() -> None:
    seen = [client(5, plans.GREEN), *clients(plans.BLUE, 100, 105, 110)]
    assert not all_happened([BACK], seen, Run(0, 90, 100 + STABLE_SECONDS - 1))
    assert all_happened([BACK], seen, Run(0, 90, 100 + STABLE_SECONDS))
    assert not all_happened([BACK], [*seen, client(120, NO_ANSWER)], Run(0, 90, 200))


# Harm to clients decides, whatever else is known.


def both(at: float, served_by: str, other: str) -> list[Observation]:
    """What one poll saw of a client, and of the host that the fault leaves alone."""
    return [client(at, served_by), Observation(at, Source.HOST, plans.GREEN, other, "reset")]


def with_polls(*polls: list[Observation]) -> list[PhaseRecord]:
    """The records of a passed run, in which a last call of Failback saw more."""
    seen = tuple(each for poll in polls for each in poll)
    last = replace(
        phase_record(names.FAILBACK, 420), observations=seen, ended_at=max(each.at for each in seen)
    )
    return sorted([*passed(), last], key=lambda each: each.began_at)


UNSERVED = [both(START + at, NO_ANSWER, NO_ANSWER) for at in (421, 426, 431)]
SERVED = both(START + 440, plans.BLUE, plans.GREEN)


def test_a_run_in_which_neither_host_answered_fails() -> None:
    status, message = status_of(with_polls(*UNSERVED, SERVED))
    assert status is Status.FAILED
    assert message.startswith(f"neither {plans.BLUE} nor {plans.GREEN} answered 401 s after")


def test_what_was_observed_before_the_fault_shows_nothing_of_it() -> None:
    polls = [*both(0, NO_ANSWER, NO_ANSWER), *both(5, NO_ANSWER, NO_ANSWER)]
    polls += [*both(12, NO_ANSWER, NO_ANSWER), *both(17, NO_ANSWER, NO_ANSWER)]
    assert nobody_serves(PLAN, polls, Run(10, None, 20)) == ""
    polls += both(22, NO_ANSWER, NO_ANSWER)
    assert nobody_serves(PLAN, polls, Run(10, None, 25)).endswith("answered 12 s after the fault")


@pytest.mark.parametrize("served", [both(START + 429, plans.BLUE, NO_ANSWER), SERVED])
def test_one_answer_between_shows_that_a_host_answers(served: list[Observation]) -> None:
    polls = sorted([*UNSERVED, served], key=lambda poll: poll[0].at)
    if served is SERVED:
        polls = [*polls[:2], served]
    _, message = status_of(with_polls(*polls))
    assert "neither" not in message


def test_an_outage_over_the_objective_fails_a_run_that_was_stopped_or_cut_off() -> None:
    late = with_polls(both(START + 505, NO_ANSWER, plans.GREEN), both(START + 800, "x", "x"))
    stopped = [replace(each, cut_short="stopped") for each in late]
    for found in (status_of(stopped), status_of(late, {"observe": "stopped"})):
        assert found[0] is Status.FAILED
        assert found[1].startswith("clients were not served for 465 s; the objective is 360 s; ")
        assert found[1].endswith("stopped")


@given(
    st.lists(
        st.tuples(
            st.integers(421, 2000),
            st.sampled_from([plans.BLUE, plans.GREEN, NO_ANSWER]),
            st.sampled_from([plans.GREEN, NO_ANSWER]),
        ),
        min_size=1,
        unique_by=lambda each: each[0],
    ),
    st.sampled_from(["", "stopped"]),
)
def test_passed_implies_an_outage_within_the_objective(
    polls: list[tuple[int, str, str]], cut_short: str
) -> None:
    records = with_polls(*(both(START + at, *values) for at, *values in polls))
    records = [replace(each, cut_short=cut_short) for each in records]
    found = conclude(PLAN, records, {}, "", NOW)
    assert found.measures is not None
    assert found.measures.outage_seconds is not None
    if found.measures.outage_seconds > PLAN.objective_seconds:
        assert found.verdict.status is Status.FAILED
    elif cut_short:
        assert found.verdict.status is not Status.PASSED


GUARD = [Observation(START, Source.ALARM, plans.GUARD_ALARM, "OK")]


def reason(*polls: list[Observation], plan: Plan = PLAN) -> str:
    """The reason to stop a run whose fault began at START."""
    seen = [*GUARD, *(each for poll in polls for each in poll)]
    return reason_to_stop(plan, seen, Run(START, None, seen[-1].at, objective_seconds=360))


def test_a_fault_goes_on_while_the_other_host_answers_now_and_then() -> None:
    twice = [both(START + at, NO_ANSWER, NO_ANSWER) for at in (5, 10)]
    again = both(START + 20, NO_ANSWER, NO_ANSWER)
    assert reason(*twice) == ""
    assert reason(*twice, both(START + 15, plans.BLUE, plans.GREEN), again) == ""
    assert reason(*twice, again).startswith(f"neither {plans.BLUE} nor {plans.GREEN} answered 20 s")
    served = [both(START + at, NO_ANSWER, plans.GREEN) for at in (0, 10, 420)]
    assert reason(*served) == ""
    late = "clients were not served for longer than the objective"
    assert reason(*served, both(START + 421, NO_ANSWER, plans.GREEN)) == late


@pytest.mark.parametrize(("seconds", "stops"), [(60, False), (61, True)])
def test_a_fault_that_aws_fis_does_not_guard_ends_where_guards_can_not_be_read(
    seconds: int, stops: bool
) -> None:
    found = reason([client(START + seconds, plans.BLUE)], plan=plans.DENY_ORIGIN)
    assert found == (f"the guards can't be read for {seconds} s" if stops else "")
    assert reason([client(START + seconds, plans.BLUE)]) == ""  # AWS FIS watches them


def test_a_fault_on_the_standby_ends_when_the_active_host_does_not_answer() -> None:
    lost = [
        [client(START + at, NO_ANSWER), Observation(START + at, Source.HOST, plans.BLUE, NO_ANSWER)]
        for at in (5, 10, 15)
    ]
    assert reason(*lost) == ""  # the host that the fault broke
    assert reason(*lost, plan=plans.STANDBY_SHUTDOWN).startswith(f"neither {plans.BLUE} nor")


def test_a_fault_lasts_from_its_first_beginning_to_its_last_end() -> None:
    seen = [
        Observation(at, Source.FAULT, "host stopped", value)
        for at, value in ((5, "injected"), (3, "injected"), (9, "ended"), (7, "ended"))
    ]
    assert fault_times(seen) == (3, 9)


@pytest.mark.parametrize(("seconds", "status"), [(100, Status.PASSED), (400, Status.FAILED)])
def test_clients_that_nobody_observed_may_have_had_no_service(seconds: int, status: Status) -> None:
    """As where polls fail while the fault is ended. An outage of 170 s was observed besides."""

    def later(each: PhaseRecord) -> PhaseRecord:
        moved = [replace(seen, at=seen.at + seconds - 190) for seen in each.observations]
        return replace(each, observations=tuple(moved))

    records = changed(names.FAILBACK, later)
    records[-1] = phase_record(names.STEADY_AGAIN, 230 + seconds)
    hypothesis = (AlarmFires(plans.STATUS_ALARM, 200),)
    plan = replace(PLAN, objective_seconds=400, hypothesis=hypothesis)
    found = conclude(plan, records, {}, "", NOW).verdict
    assert found.status is status
    assert ("clients were not observed for" in found.message) == (status is Status.FAILED)
