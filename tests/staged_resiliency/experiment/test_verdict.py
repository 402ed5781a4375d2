"""Whether a hypothesis holds, from any sequence of observations."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.experiment.expectations import AlarmFires, ClientsMove, Expectation
from staged_resiliency.experiment.observations import NO_ANSWER, Observation
from staged_resiliency.experiment.verdict import Judgement, Run, Status, aborted, judge
from tests.staged_resiliency.experiment.observing import (
    ALARM_NAME,
    BLUE,
    EXPECTATIONS,
    GREEN,
    RECORD,
    RUN,
    alarm,
    client,
    observations,
    runs,
)

MOVE, RETURN, STAY, SERVED, FIRES, RECOVERS, QUIET = EXPECTATIONS
PASSED, FAILED = Status.PASSED, Status.FAILED


def judged(expectation: Expectation, *seen: Observation, run: Run = RUN) -> Judgement:
    """What became of one expectation."""
    (found,) = judge([expectation], seen, run).judgements
    return found


Row = tuple[str, Expectation, list[Observation], Status, float | None, str]
ROWS: tuple[Row, ...] = (
    ("in time", MOVE, [client(90, BLUE), client(371, GREEN)], PASSED, 271, "271 s after the fault"),
    ("at the limit", MOVE, [client(460, GREEN)], PASSED, 360, "360 s after the fault"),
    ("just late", MOVE, [client(460.2, GREEN)], FAILED, 360.2, "360.200 s after the fault"),
    ("late", MOVE, [client(700, GREEN)], FAILED, 600, "600 s after the fault; expected within 360"),
    ("never", MOVE, [client(200, BLUE)], FAILED, None, "not within 900 s of the fault"),
    ("no client", MOVE, [], FAILED, None, "not within 900 s of the fault"),
    ("another record", MOVE, [client(200, GREEN, "other")], FAILED, None, "not within"),
    ("there before", MOVE, [client(99, GREEN), client(150, GREEN)], FAILED, None, "even before"),
    ("only before", MOVE, [client(50, GREEN), client(60, BLUE)], FAILED, None, "not within"),
    ("after the end", MOVE, [client(1001, GREEN)], FAILED, None, "not within 900 s"),
    ("back", RETURN, [client(300, GREEN), client(500, BLUE)], PASSED, 100, "100 s after the"),
    ("back all along", RETURN, [client(200, BLUE), client(500, BLUE)], PASSED, 0, "0 s after"),
    (
        "back, and gone again",
        RETURN,
        [client(450, BLUE), client(500, GREEN)],
        FAILED,
        None,
        "not within 600 s of the fault's end",
    ),
    (
        "back for good the second time",
        RETURN,
        [client(450, BLUE), client(500, GREEN), client(600, BLUE)],
        PASSED,
        200,
        "200 s",
    ),
    ("nobody looked after", RETURN, [client(300, BLUE)], FAILED, None, "not within"),
    ("stays", STAY, [client(200, BLUE), client(300, NO_ANSWER)], PASSED, None, "stay on blue"),
    ("moves", STAY, [client(200, BLUE), client(300, GREEN)], FAILED, 200, "not so 200 s"),
    ("moved before", STAY, [client(50, GREEN), client(300, BLUE)], PASSED, None, "stay on blue"),
    ("looked before alone", STAY, [client(50, BLUE)], FAILED, None, "not observed"),
    ("served", SERVED, [client(200, BLUE), client(300, GREEN)], PASSED, None, "are served"),
    ("not served", SERVED, [client(200, NO_ANSWER)], FAILED, 100, "not so 100 s after the fault"),
    (
        "a request that is lost",
        SERVED,
        [client(150, BLUE), client(200, NO_ANSWER), client(205, BLUE)],
        PASSED,
        None,
        "are served",
    ),
    (
        "two in a row",
        SERVED,
        [client(150, BLUE), client(200, NO_ANSWER), client(205, NO_ANSWER), client(210, BLUE)],
        FAILED,
        100,
        "not so 100 s after the fault",
    ),
    (
        "not served at the end",
        SERVED,
        [client(150, BLUE), client(200, NO_ANSWER)],
        FAILED,
        100,
        "not so 100 s after the fault",
    ),
    ("served before alone", SERVED, [client(50, BLUE)], FAILED, None, "not observed"),
    ("fires", FIRES, [alarm(50, "OK"), alarm(300, "ALARM")], PASSED, 200, "fires 200 s after"),
    ("on before", FIRES, [alarm(50, "ALARM"), alarm(300, "ALARM")], FAILED, None, "even before"),
    ("late alarm", FIRES, [alarm(341, "ALARM")], FAILED, 241, "expected within 240 s"),
    ("recovers", RECOVERS, [alarm(300, "ALARM"), alarm(500, "OK")], PASSED, 100, "OK again 100 s"),
    ("stays on", RECOVERS, [alarm(300, "ALARM")], FAILED, None, "not within 600 s"),
    (
        "insufficient data is not OK",
        RECOVERS,
        [alarm(500, "INSUFFICIENT_DATA")],
        FAILED,
        None,
        "not within",
    ),
    ("quiet", QUIET, [alarm(50, "OK")], PASSED, None, "stays quiet"),
    ("not quiet", QUIET, [alarm(50, "OK"), alarm(200, "ALARM")], FAILED, 100, "not so 100 s"),
    ("on all along", QUIET, [alarm(50, "ALARM")], FAILED, 0, "not so 0 s after the fault (ALARM)"),
    ("unseen", QUIET, [alarm(200, "OK", "another")], FAILED, None, "not observed"),
)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_one_expectation(row: Row) -> None:
    _, expectation, seen, status, seconds, message = row
    found = judged(expectation, *seen)
    assert found.status is status
    assert found.seconds == (None if seconds is None else pytest.approx(seconds))
    assert message in found.message


def test_every_kind_of_expectation_can_pass_and_fail() -> None:
    for status in (PASSED, FAILED):
        kinds = {type(row[1]) for row in ROWS if row[3] is status}
        assert kinds == {type(each) for each in EXPECTATIONS}


@pytest.mark.parametrize("expectation", [RETURN, RECOVERS])
def test_what_comes_after_a_fault_fails_where_the_fault_never_ended(
    expectation: Expectation,
) -> None:
    found = judged(
        expectation, client(500, BLUE), alarm(500, "OK"), run=replace(RUN, ended_at=None)
    )
    assert found.status is FAILED
    assert found.message.endswith("can't be judged, as the fault never ended")


def test_seconds_are_those_of_the_service() -> None:
    found = judged(MOVE, client(110, GREEN), run=replace(RUN, time_scale=30.0))
    assert found.seconds == 300


def test_a_hypothesis_without_expectations_is_none() -> None:
    with pytest.raises(ValueError, match="can't fail; give at least one"):
        judge([], [], RUN)


def test_a_verdict_tells_what_failed_and_else_all() -> None:
    failed = judge([MOVE, FIRES], [client(200, GREEN)], RUN)
    assert failed.status is FAILED
    assert (
        failed.message
        == f"{ALARM_NAME} fires: not within 900 s of the fault; expected within 240 s"
    )
    passed = judge([MOVE, FIRES], [client(200, GREEN), alarm(200, "ALARM")], RUN)
    assert passed.status is PASSED
    assert passed.message.count("; expected") == 2


def test_an_aborted_run_judges_nothing() -> None:
    assert aborted("why").status is Status.ABORTED
    assert aborted("why").judgements == ()


@given(observations(), runs(), st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(
    seen: list[Observation], run: Run, chance: random.Random
) -> None:
    expected = judge(EXPECTATIONS, seen, run)
    again = [*seen, *chance.sample(seen, len(seen) // 2)]
    chance.shuffle(again)
    assert judge(EXPECTATIONS, again, run) == expected


@given(observations(), runs())
def test_a_run_passes_only_where_each_expectation_does(seen: list[Observation], run: Run) -> None:
    found = judge(EXPECTATIONS, seen, run)
    assert [each.expectation for each in found.judgements] == list(EXPECTATIONS)
    every = all(each.status is PASSED for each in found.judgements)
    assert (found.status is PASSED) == every
    for each in found.judgements:
        assert each.seconds is None or each.seconds >= 0
        assert each.message in found.message or each.status is PASSED


@given(observations(), runs())
def test_what_is_seen_after_the_end_counts_for_nothing(seen: list[Observation], run: Run) -> None:
    within = [each for each in seen if each.at <= run.until]
    assert judge(EXPECTATIONS, seen, run) == judge(EXPECTATIONS, within, run)


@given(runs())
def test_silence_is_no_success(run: Run) -> None:
    found = judge(EXPECTATIONS, [], run)
    assert {each.status for each in found.judgements} == {FAILED}


@given(observations(), runs())
def test_seconds_pass_exactly_within_what_is_allowed(seen: list[Observation], run: Run) -> None:
    for each in judge([MOVE, RETURN, FIRES, RECOVERS], seen, run).judgements:
        allowed = getattr(each.expectation, "within_seconds")  # noqa: B009 - of a union
        assert (each.status is PASSED) == (each.seconds is not None and each.seconds <= allowed)


@given(observations(), st.floats(0, 1000), st.floats(0, 1000))
def test_more_patience_never_turns_a_success_into_a_failure(
    seen: list[Observation], one: float, other: float
) -> None:
    less, more = sorted((one, other))
    for kind in (ClientsMove(RECORD, GREEN, less), AlarmFires(ALARM_NAME, less)):
        if judged(kind, *seen).status is PASSED:
            assert judged(replace(kind, within_seconds=more), *seen).status is PASSED


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        ([client(101, NO_ANSWER), client(103, NO_ANSWER)], Status.NOT_COVERED),
        ([client(101, BLUE), client(103, BLUE)], PASSED),
        ([], FAILED),
    ],
    ids=["unserved", "served", "not observed"],
)
def test_what_the_design_does_not_cover_is_neither_passed_nor_failed(
    seen: list[Observation], status: Status
) -> None:
    verdict = judge([SERVED], seen, RUN, {SERVED: "nothing shows it"})
    assert (verdict.status, verdict.judgements[0].status) == (status, status)
    said = verdict.message.endswith("(no answer); nothing shows it")
    assert said is (status is Status.NOT_COVERED)


def test_a_failure_outweighs_what_is_not_covered() -> None:
    seen = [client(101, NO_ANSWER), client(103, NO_ANSWER)]
    verdict = judge([SERVED, QUIET], seen, RUN, {SERVED: "nothing shows it"})
    assert verdict.status is FAILED
    assert verdict.message == f"{ALARM_NAME} stays quiet: not observed"
