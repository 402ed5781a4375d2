"""Whether a hypothesis holds, from any sequence of observations."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.experiment.expectations import AlarmFires, ClientsMove, Expectation
from staged_resiliency.experiment.measures import measure
from staged_resiliency.experiment.observations import MISSING, NO_ANSWER, Observation
from staged_resiliency.experiment.verdict import Judgement, Run, Status, aborted, judge
from tests.staged_resiliency.experiment.observing import (
    ALARM_NAME,
    BLUE,
    EXPECTATIONS,
    GREEN,
    RECORD,
    RUN,
    alarm,
    alarms,
    client,
    observations,
    requests,
    runs,
    timed,
)

MOVE, RETURN, STAY, SERVED, FIRES, RECOVERS, QUIET, FAST, AGAIN = EXPECTATIONS
PASSED, FAILED = Status.PASSED, Status.FAILED


def judged(expectation: Expectation, *seen: Observation, run: Run = RUN) -> Judgement:
    """What became of one expectation."""
    (found,) = judge([expectation], seen, run).judgements
    return found


Row = tuple[str, Expectation, list[Observation], Status, float | None, str]
ROWS: tuple[Row, ...] = (
    (
        "in time",
        MOVE,
        [client(90, BLUE), *requests(GREEN, 371, 373, 375)],
        PASSED,
        271,
        "271 s after the fault",
    ),
    ("never", MOVE, requests(BLUE, 200, 201, 202), FAILED, None, "not within 900 s of the fault"),
    ("no client", MOVE, [], FAILED, None, "not within 900 s of the fault"),
    (
        "another record",
        MOVE,
        [client(at, GREEN, "other") for at in (200, 201, 202)],
        FAILED,
        None,
        "not within",
    ),
    ("there before", MOVE, requests(GREEN, 99, 150, 151, 152), FAILED, None, "even before"),
    ("only before", MOVE, [client(50, GREEN), client(60, BLUE)], FAILED, None, "not within"),
    ("after the end", MOVE, requests(GREEN, 1001, 1002, 1003), FAILED, None, "not within 900 s"),
    (
        "once",
        MOVE,
        [client(104, GREEN), *requests(NO_ANSWER, 200, 300)],
        FAILED,
        None,
        "not within",
    ),
    ("twice", MOVE, requests(GREEN, 104, 109), FAILED, None, "not within 900 s of the fault"),
    (
        "a third time only after an outage",
        MOVE,
        [*requests(GREEN, 104, 109), *requests(NO_ANSWER, 114, 119), client(124, GREEN)],
        FAILED,
        None,
        "not within",
    ),
    (
        "moved when the outage was over",
        MOVE,
        [*requests(GREEN, 104, 109), client(114, BLUE), *requests(GREEN, 119, 124, 129)],
        PASSED,
        19,
        "19 s after the fault",
    ),
    (
        "moved, and then lost for good",
        MOVE,
        [*requests(GREEN, 104, 109, 114), *requests(NO_ANSWER, 395, 399), client(410, BLUE)],
        FAILED,
        None,
        "not within",
    ),
    (
        "moved, and one request lost",
        MOVE,
        [*requests(GREEN, 104, 109), client(114, NO_ANSWER), *requests(GREEN, 119, 395)],
        PASSED,
        4,
        "4 s after the fault",
    ),
    (
        "moved, and back too soon",
        MOVE,
        [*requests(GREEN, 104, 109, 114), *requests(BLUE, 339, 500)],
        FAILED,
        None,
        "not within",
    ),
    (
        "back a minute before the fault was observed to end",
        MOVE,
        [*requests(GREEN, 104, 109, 114), *requests(BLUE, 341, 500)],
        PASSED,
        4,
        "4 s after the fault",
    ),
    (
        "moved when the fault was over",
        MOVE,
        requests(GREEN, 401, 402, 403),
        FAILED,
        None,
        "not within",
    ),
    (
        "moved just before the fault was over",
        MOVE,
        requests(GREEN, 399, 402, 403),
        PASSED,
        299,
        "299 s",
    ),
    (
        "back",
        RETURN,
        [client(300, GREEN), *requests(BLUE, 500, 501, 502)],
        PASSED,
        100,
        "100 s after the",
    ),
    ("back all along", RETURN, requests(BLUE, 200, 300, 500), PASSED, 0, "0 s after"),
    ("back for two requests", RETURN, requests(BLUE, 200, 500), FAILED, None, "not within"),
    (
        "back, and gone again",
        RETURN,
        [*requests(BLUE, 450, 455, 460), client(500, GREEN)],
        FAILED,
        None,
        "not within 600 s of the fault's end",
    ),
    (
        "back for good the second time",
        RETURN,
        [client(450, BLUE), client(500, GREEN), *requests(BLUE, 600, 605, 610)],
        PASSED,
        200,
        "200 s",
    ),
    (
        "not observed after the end",
        RETURN,
        requests(BLUE, 300, 310, 320),
        FAILED,
        None,
        "not within",
    ),
    ("stays", STAY, [client(200, BLUE), client(300, NO_ANSWER)], PASSED, None, "stay on blue"),
    ("moves", STAY, [client(200, BLUE), client(300, GREEN)], FAILED, 200, "not so 200 s"),
    ("moved before", STAY, [client(50, GREEN), client(300, BLUE)], PASSED, None, "stay on blue"),
    ("observed before alone", STAY, [client(50, BLUE)], FAILED, None, "not observed during"),
    ("observed after alone", STAY, [client(401, BLUE)], FAILED, None, "not observed during"),
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
    (
        "a second request that is lost",
        SERVED,
        [
            *requests(BLUE, 150, 160),
            client(170, NO_ANSWER),
            client(180, BLUE),
            client(300, NO_ANSWER),
            client(305, BLUE),
        ],
        FAILED,
        200,
        "not so 200 s after the fault",
    ),
    (
        "every second request is lost",
        SERVED,
        [client(at, NO_ANSWER if at % 10 else BLUE) for at in range(110, 900, 5)],
        FAILED,
        25,
        "not so 25 s after the fault",
    ),
    ("served before alone", SERVED, [client(50, BLUE)], FAILED, None, "not observed during"),
    ("served after alone", SERVED, [client(401, BLUE)], FAILED, None, "not observed during"),
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
    ("quiet", QUIET, [alarm(50, "OK"), alarm(200, "OK")], PASSED, None, "stays quiet"),
    ("without data", QUIET, [alarm(200, "INSUFFICIENT_DATA")], PASSED, None, "stays quiet"),
    ("quiet before", QUIET, [alarm(50, "OK")], FAILED, None, "not observed during the fault"),
    ("quiet after", QUIET, [alarm(401, "OK")], FAILED, None, "not observed during the fault"),
    ("deleted", QUIET, [alarm(50, "OK"), alarm(200, MISSING)], FAILED, 100, "not so 100 s"),
    ("deleted before", QUIET, [alarm(50, MISSING)], FAILED, 0, "not so 0 s after the fault (mis"),
    ("not quiet", QUIET, [alarm(50, "OK"), alarm(200, "ALARM")], FAILED, 100, "not so 100 s"),
    ("on all along", QUIET, [alarm(50, "ALARM")], FAILED, 0, "not so 0 s after the fault (ALARM)"),
    ("unseen", QUIET, [alarm(200, "OK", "another")], FAILED, None, "not observed"),
    ("fast", FAST, [timed(200, 0.3), timed(300, 0.8)], PASSED, 0.8, "0.8 s: in 0.800 s"),
    ("slow", FAST, [timed(200, 0.3), timed(300, 0.81)], FAILED, 0.81, "not so, but in 0.810 s"),
    (
        "one of 20 answers slow",
        FAST,
        [*(timed(200 + number, 0.3) for number in range(19)), timed(300, 3)],
        PASSED,
        0.3,
        "in 0.300 s",
    ),
    (
        "two of 20 answers slow",
        FAST,
        [*(timed(200 + number, 0.3) for number in range(18)), timed(300, 3), timed(301, 2)],
        FAILED,
        2,
        "in 2.000 s",
    ),
    ("fast before and after", FAST, [timed(99, 0.1), timed(401, 0.1)], FAILED, None, "no answer"),
    ("no answer in time", FAST, [timed(200, 4, NO_ANSWER)], FAILED, None, "no answer was timed"),
    ("not timed", FAST, [client(200, BLUE)], FAILED, None, "no answer was timed"),
    (
        "served all along",
        AGAIN,
        requests(BLUE, 99, 105, 110, 500),
        PASSED,
        0,
        "0 s after the fault",
    ),
    (
        "served again, by whichever host",
        AGAIN,
        [
            client(99, BLUE),
            *requests(NO_ANSWER, 105, 110, 215),
            client(220, GREEN),
            *requests(BLUE, 225, 500),
        ],
        PASSED,
        120,
        "are served again 120 s after the fault",
    ),
    (
        "served again too late",
        AGAIN,
        [*requests(NO_ANSWER, 105, 110), *requests(BLUE, 221, 225, 500)],
        FAILED,
        121,
        "121 s after the fault; expected within 120 s",
    ),
    (
        "served again, and lost again",
        AGAIN,
        [
            *requests(NO_ANSWER, 105, 110),
            *requests(BLUE, 115, 120, 125),
            *requests(NO_ANSWER, 300, 305),
            *requests(BLUE, 310, 315, 320),
        ],
        FAILED,
        210,
        "210 s after the fault",
    ),
    (
        "served again, and one request lost",
        AGAIN,
        [*requests(BLUE, 105, 110), client(115, NO_ANSWER), *requests(BLUE, 120, 125)],
        PASSED,
        5,
        "5 s after the fault",
    ),
    (
        "served again twice",
        AGAIN,
        [client(105, NO_ANSWER), *requests(BLUE, 110, 115)],
        FAILED,
        None,
        "not within 900 s",
    ),
    ("not served again", AGAIN, requests(NO_ANSWER, 105, 500), FAILED, None, "not within 900 s"),
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


LIMITS = (
    ("at the limit", requests(GREEN, 460, 461, 462), PASSED, "360 s after the fault"),
    ("just late", requests(GREEN, 460.2, 461, 462), FAILED, "360.200 s after the fault"),
    ("late", requests(GREEN, 700, 701, 702), FAILED, "600 s after the fault; expected within 360"),
)


@pytest.mark.parametrize(("name", "seen", "status", "message"), LIMITS)
@pytest.mark.parametrize("limit", [360.0, None])
def test_a_limit_is_that_of_the_expectation_or_else_the_objective(
    name: str, seen: list[Observation], status: Status, message: str, limit: float | None
) -> None:
    run = replace(RUN, ended_at=900, objective_seconds=360 if limit is None else None)
    found = judged(ClientsMove(RECORD, GREEN, limit), *seen, run=run)
    assert (found.status, message in found.message) == (status, True), name


def test_without_an_objective_a_limit_is_required() -> None:
    with pytest.raises(ValueError, match="has no time limit, and the run no objective"):
        judged(ClientsMove(RECORD, GREEN), *requests(GREEN, 110, 111, 112))


def test_while_a_fault_lasts_clients_have_moved_once_they_stay() -> None:
    lasting = Run(100, None, 130)
    assert judged(MOVE, *requests(GREEN, 110, 115, 120), run=lasting).seconds == 10
    seen = [*requests(GREEN, 110, 115, 120), client(125, BLUE)]
    assert judged(MOVE, *seen, run=lasting).seconds is None


OUTAGES = (
    (requests(BLUE, 110, 600), ""),
    ([client(110, NO_ANSWER), client(400, BLUE)], ""),  # 300 s, since the first speaks for 10 more
    ([client(110, NO_ANSWER), client(400.5, BLUE)], "were not served for 300.500 s; the objective"),
    (
        [client(110, BLUE), client(500, NO_ANSWER)],
        "were not served for 500 s; the objective is 300",
    ),
    (
        [client(200, NO_ANSWER), client(250, BLUE), client(500, NO_ANSWER), client(660, BLUE)],
        "were not served for 310 s",
    ),
    ([client(1001, NO_ANSWER)], ""),
)


@pytest.mark.parametrize(("seen", "message"), OUTAGES)
def test_an_outage_over_the_objective_fails_whatever_else_passed(
    seen: list[Observation], message: str
) -> None:
    run = replace(RUN, objective_seconds=300)
    found = judge([QUIET], [alarm(200, "OK"), *seen], run)
    assert {each.status for each in found.judgements} == {PASSED}
    assert found.status is (FAILED if message else PASSED)
    assert message in found.message
    assert judge([QUIET], [alarm(200, "OK"), *seen], RUN).status is PASSED


def unserved(seen: list[Observation], run: Run) -> float:
    """How long clients were not served, counted second by second."""
    seconds = 0
    for second in range(int(run.injected_at), int(run.until)):
        former = [each for each in seen if run.injected_at <= each.at <= second]
        coming = [each for each in seen if second < each.at <= run.until]
        latest = max(each.at for each in former) if former else min(each.at for each in coming)
        seconds += all(each.value == NO_ANSWER for each in seen if each.at == latest)
    return seconds * run.time_scale


def distinct_clients() -> st.SearchStrategy[list[Observation]]:
    """Clients' requests during RUN, one a second at most."""
    values = st.sampled_from([BLUE, GREEN, NO_ANSWER])
    return st.dictionaries(st.integers(100, 1000), values, min_size=1, max_size=30).map(
        lambda found: [client(float(at), value) for at, value in found.items()]
    )


@given(
    distinct_clients(),
    st.lists(alarms(), max_size=10),
    st.integers(0, 900),
    st.sampled_from([None, 400.0, 700.0]),
    st.sampled_from([1.0, 30.0]),
    st.lists(st.sampled_from(EXPECTATIONS), min_size=1),
)
def test_passed_implies_that_the_outage_was_within_the_objective(
    seen: list[Observation],
    states: list[Observation],
    objective: int,
    ended_at: float | None,
    scale: float,
    hypothesis: list[Expectation],
) -> None:
    run = Run(100, ended_at, 1000, scale, objective * scale)
    outage = unserved(seen, run)
    assert measure(seen, run, record=RECORD, active=BLUE).outage_seconds == outage
    found = judge(hypothesis, [*seen, *states], run)
    if outage > objective * scale:
        assert found.status is FAILED
    every = all(each.status is PASSED for each in found.judgements)
    assert (found.status is PASSED) == (every and outage <= objective * scale)


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
    found = judged(MOVE, *requests(GREEN, 110, 112, 114), run=replace(RUN, time_scale=30.0))
    assert found.seconds == 300


def test_a_hypothesis_without_expectations_is_none() -> None:
    with pytest.raises(ValueError, match="can't fail; give at least one"):
        judge([], [], RUN)


def test_a_verdict_says_what_failed_and_otherwise_everything() -> None:
    moved = requests(GREEN, 200, 201, 202)
    failed = judge([MOVE, FIRES], moved, RUN)
    assert failed.status is FAILED
    assert (
        failed.message
        == f"{ALARM_NAME} fires: not within 900 s of the fault; expected within 240 s"
    )
    passed = judge([MOVE, FIRES], [*moved, alarm(200, "ALARM")], RUN)
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
    assert verdict.message == f"{ALARM_NAME} stays quiet: not observed during the fault"


MORE: tuple[tuple[Expectation, list[Observation], Status], ...] = (
    (RETURN, [client(450, BLUE), client(500, GREEN), client(600, BLUE)], FAILED),
    (RETURN, [*requests(BLUE, 500, 501), client(502, NO_ANSWER), client(503, BLUE)], PASSED),
    (SERVED, [client(110, NO_ANSWER), client(120, BLUE)], PASSED),
    (QUIET, [alarm(40, "ALARM"), alarm(50, "OK"), alarm(200, "OK")], PASSED),
)


@pytest.mark.parametrize(("expectation", "seen", "status"), MORE)
def test_requests_and_states_at_the_edges(
    expectation: Expectation, seen: list[Observation], status: Status
) -> None:
    assert judged(expectation, *seen).status is status


def test_the_last_minute_of_a_fault_is_one_of_the_service() -> None:
    seen = [*requests(GREEN, 104, 105, 106), client(390, BLUE)]
    assert judged(MOVE, *seen).status is PASSED
    assert judged(MOVE, *seen, run=replace(RUN, time_scale=30.0)).status is FAILED
