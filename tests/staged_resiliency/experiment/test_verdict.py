"""Whether a hypothesis holds, from any sequence of observations."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.experiment.expectations import ClientsMove, Expectation, describe
from staged_resiliency.experiment.measures import measure
from staged_resiliency.experiment.observations import MISSING, NO_ANSWER, Observation
from staged_resiliency.experiment.verdict import Judgement, Run, Status, Verdict, aborted, judge
from tests.cases import cases
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


@cases(
    ("expectation", "seen", "seconds"),
    {
        "moved": (MOVE, [client(90, BLUE), *requests(GREEN, 371, 373, 375)], 271),
        "stayed": (MOVE, requests(BLUE, 200, 201, 202), None),
        "moved to another record": (
            MOVE,
            [client(at, GREEN, "other") for at in (200, 201, 202)],
            None,
        ),
        "there until just before the fault": (MOVE, [client(50, GREEN), client(60, BLUE)], None),
        "moved for two requests": (MOVE, requests(GREEN, 104, 109), None),
        "moved for a third request only after an outage": (
            MOVE,
            [*requests(GREEN, 104, 109), *requests(NO_ANSWER, 114, 119), client(124, GREEN)],
            None,
        ),
        "moved when the outage was over": (
            MOVE,
            [*requests(GREEN, 104, 109), client(114, BLUE), *requests(GREEN, 119, 124, 129)],
            19,
        ),
        "moved, and then lost for good": (
            MOVE,
            [*requests(GREEN, 104, 109, 114), *requests(NO_ANSWER, 395, 399), client(410, BLUE)],
            None,
        ),
        "moved, and one request lost": (
            MOVE,
            [*requests(GREEN, 104, 109), client(114, NO_ANSWER), *requests(GREEN, 119, 395)],
            4,
        ),
        "moved, and back too soon": (
            MOVE,
            [*requests(GREEN, 104, 109, 114), *requests(BLUE, 339, 500)],
            None,
        ),
        "back a minute before the fault was observed to end": (
            MOVE,
            [*requests(GREEN, 104, 109, 114), *requests(BLUE, 341, 500)],
            4,
        ),
        "moved when the fault was over": (MOVE, requests(GREEN, 401, 402, 403), None),
        "moved just before the fault was over": (MOVE, requests(GREEN, 399, 402, 403), 299),
        "back": (RETURN, [client(300, GREEN), *requests(BLUE, 500, 501, 502)], 100),
        "back all along": (RETURN, requests(BLUE, 200, 300, 500), 0),
        "back for two requests": (RETURN, requests(BLUE, 200, 500), None),
        "back, and gone again": (
            RETURN,
            [*requests(BLUE, 450, 455, 460), client(500, GREEN)],
            None,
        ),
        "back for good the second time": (
            RETURN,
            [client(450, BLUE), client(500, GREEN), *requests(BLUE, 600, 605, 610)],
            200,
        ),
        "back the second time for one request": (
            RETURN,
            [client(450, BLUE), client(500, GREEN), client(600, BLUE)],
            None,
        ),
        "back, and one request lost": (
            RETURN,
            [*requests(BLUE, 500, 501), client(502, NO_ANSWER), client(503, BLUE)],
            100,
        ),
        "not observed after the end": (RETURN, requests(BLUE, 300, 310, 320), None),
        "fires": (FIRES, [alarm(50, "OK"), alarm(300, "ALARM")], 200),
        "fires late": (FIRES, [alarm(341, "ALARM")], 241),
        "recovers": (RECOVERS, [alarm(300, "ALARM"), alarm(500, "OK")], 100),
        "stays on": (RECOVERS, [alarm(300, "ALARM")], None),
        "has too little data, which is not OK": (
            RECOVERS,
            [alarm(500, "INSUFFICIENT_DATA")],
            None,
        ),
        "served all along": (AGAIN, requests(BLUE, 99, 105, 110, 500), 0),
        "served again, by whichever host": (
            AGAIN,
            [
                *requests(NO_ANSWER, 105, 110, 215),
                client(220, GREEN),
                *requests(BLUE, 225, 500),
            ],
            120,
        ),
        "served again, and lost again": (
            AGAIN,
            [
                *requests(NO_ANSWER, 105, 110),
                *requests(BLUE, 115, 120, 125),
                *requests(NO_ANSWER, 300, 305),
                *requests(BLUE, 310, 315, 320),
            ],
            210,
        ),
        "served again, and one request lost": (
            AGAIN,
            [*requests(BLUE, 105, 110), client(115, NO_ANSWER), *requests(BLUE, 120, 125)],
            5,
        ),
        "served again for two requests": (
            AGAIN,
            [client(105, NO_ANSWER), *requests(BLUE, 110, 115)],
            None,
        ),
        "not served again": (AGAIN, requests(NO_ANSWER, 105, 500), None),
    },
)
def test_something_happens_so_many_seconds_after_the_fault_or_its_end(
    expectation: Expectation, seen: list[Observation], seconds: float | None
) -> None:
    """Whether it passes, the properties below say: if it happens within what is allowed."""
    assert judged(expectation, *seen).seconds == seconds


@cases(
    ("expectation", "seen", "message"),
    {
        "in time": (
            MOVE,
            requests(GREEN, 371, 373, 375),
            "clients of shop.example.com reach green 271 s after the fault; expected within 360 s",
        ),
        "never": (
            MOVE,
            [],
            "clients of shop.example.com reach green: not within 900 s of the fault; "
            "expected within 360 s",
        ),
        "never after the end": (
            RECOVERS,
            [],
            "blue-status is OK again: not within 600 s of the fault's end; expected within 300 s",
        ),
        "clients there before": (
            MOVE,
            requests(GREEN, 99, 150, 151, 152),
            "clients of shop.example.com reach green even before the fault",
        ),
        "alarm on before": (
            FIRES,
            [alarm(50, "ALARM"), alarm(300, "ALARM")],
            "blue-status fires even before the fault",
        ),
    },
)
def test_what_has_a_time_limit_is_reported_with_it(
    expectation: Expectation, seen: list[Observation], message: str
) -> None:
    found = judged(expectation, *seen)
    assert found.message == message
    assert found.status is (PASSED if "271 s" in message else FAILED)


@cases(
    ("expectation", "seen"),
    {
        "clients stay, though one is not served": (
            STAY,
            [client(200, BLUE), client(300, NO_ANSWER)],
        ),
        "clients were elsewhere before": (STAY, [client(50, GREEN), client(300, BLUE)]),
        "clients are served, by whichever host": (SERVED, [client(200, BLUE), client(300, GREEN)]),
        "a request is lost": (SERVED, [*requests(BLUE, 150, 205), client(200, NO_ANSWER)]),
        "the first request is lost": (SERVED, [client(110, NO_ANSWER), client(120, BLUE)]),
        "an alarm stays quiet": (QUIET, [alarm(50, "OK"), alarm(200, "OK")]),
        "an alarm has too little data": (QUIET, [alarm(200, "INSUFFICIENT_DATA")]),
        "an alarm was on before": (
            QUIET,
            [alarm(40, "ALARM"), alarm(50, "OK"), alarm(200, "OK")],
        ),
    },
)
def test_what_is_so_throughout_the_fault_passes(
    expectation: Expectation, seen: list[Observation]
) -> None:
    found = judged(expectation, *seen)
    assert found == Judgement(expectation, PASSED, None, describe(expectation))


@cases(
    ("expectation", "seen", "seconds", "why"),
    {
        "clients move": (STAY, [client(200, BLUE), client(300, GREEN)], 200, "green"),
        "one client who is not served": (SERVED, [client(200, NO_ANSWER)], 100, "no answer"),
        "two requests in a row": (
            SERVED,
            [*requests(BLUE, 150, 210), *requests(NO_ANSWER, 200, 205)],
            100,
            "no answer",
        ),
        "the last request": (SERVED, [client(150, BLUE), client(200, NO_ANSWER)], 100, "no answer"),
        "a second request that is lost": (
            SERVED,
            [*requests(BLUE, 150, 160, 180, 305), *requests(NO_ANSWER, 170, 300)],
            200,
            "no answer",
        ),
        "every second request": (
            SERVED,
            [client(at, NO_ANSWER if at % 10 else BLUE) for at in range(110, 900, 5)],
            25,
            "no answer",
        ),
        "a deleted alarm": (QUIET, [alarm(50, "OK"), alarm(200, MISSING)], 100, "missing"),
        "an alarm that was deleted before": (QUIET, [alarm(50, MISSING)], 0, "missing"),
        "an alarm that fires": (QUIET, [alarm(50, "OK"), alarm(200, "ALARM")], 100, "ALARM"),
        "an alarm that is on all along": (QUIET, [alarm(50, "ALARM")], 0, "ALARM"),
    },
)
def test_what_is_not_so_throughout_the_fault_fails_at_the_first_sight_of_it(
    expectation: Expectation, seen: list[Observation], seconds: float, why: str
) -> None:
    message = f"{describe(expectation)}: not so {seconds} s after the fault ({why})"
    assert judged(expectation, *seen) == Judgement(expectation, FAILED, seconds, message)


@cases(
    ("expectation", "seen"),
    {
        "clients who stayed before": (STAY, client(50, BLUE)),
        "clients who stay after": (STAY, client(401, BLUE)),
        "clients who were served before": (SERVED, client(50, BLUE)),
        "clients who are served after": (SERVED, client(401, BLUE)),
        "an alarm that was quiet before": (QUIET, alarm(50, "OK")),
        "an alarm that is quiet after": (QUIET, alarm(401, "OK")),
        "another alarm": (QUIET, alarm(200, "OK", "another")),
    },
)
def test_what_is_not_observed_during_the_fault_fails(
    expectation: Expectation, seen: Observation
) -> None:
    message = f"{describe(expectation)}: not observed during the fault"
    assert judged(expectation, seen) == Judgement(expectation, FAILED, None, message)


FAST_19 = [timed(200 + number, 0.3) for number in range(19)]


@cases(
    ("seen", "seconds", "status"),
    {
        "all": ([timed(200, 0.3), timed(300, 0.8)], 0.8, PASSED),
        "one of two slow": ([timed(200, 0.3), timed(300, 0.81)], 0.81, FAILED),
        "one of 20 slow": ([*FAST_19, timed(300, 3)], 0.3, PASSED),
        "two of 20 slow": ([*FAST_19[1:], timed(300, 3), timed(301, 2)], 2, FAILED),
        "before and after": ([timed(99, 0.1), timed(401, 0.1)], None, FAILED),
        "no answer in time": ([timed(200, 4, NO_ANSWER)], None, FAILED),
        "not timed": ([client(200, BLUE)], None, FAILED),
    },
)
def test_95_of_100_answers_must_be_fast(
    seen: list[Observation], seconds: float | None, status: Status
) -> None:
    found = judged(FAST, *seen)
    if seconds is None:
        said = "no answer was timed during the fault"
    else:
        said = f"in {seconds:.3f} s" if status is PASSED else f"not so, but in {seconds:.3f} s"
    assert found == Judgement(FAST, status, seconds, f"{describe(FAST)}: {said}")


@pytest.mark.parametrize("limit", [360.0, None], ids=["of the expectation", "the objective"])
@cases(
    ("seen", "status", "message"),
    {
        "at the limit": (requests(GREEN, 460, 461, 462), PASSED, "green 360 s after the fault"),
        "just late": (requests(GREEN, 460.2, 461, 462), FAILED, "green 360.200 s after the fault"),
        "late": (requests(GREEN, 700, 701, 702), FAILED, "600 s after the fault; expected within "),
    },
)
def test_a_limit_is_that_of_the_expectation_or_else_the_objective(
    seen: list[Observation], status: Status, message: str, limit: float | None
) -> None:
    run = replace(RUN, ended_at=900, objective_seconds=360 if limit is None else None)
    found = judged(ClientsMove(RECORD, GREEN, limit), *seen, run=run)
    assert (found.status, message in found.message) == (status, True)


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
    (
        [client(110, NO_ANSWER), client(400.5, BLUE)],
        "not served for 300.500 s; the objective is 300",
    ),
    (
        [client(110, BLUE), client(500, NO_ANSWER)],
        "were not served for 500 s",
    ),
    ([*requests(NO_ANSWER, 200, 500), *requests(BLUE, 250, 660)], "were not served for 310 s"),
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
    assert aborted("why") == Verdict(Status.ABORTED, "why", ())


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


@cases(
    ("seen", "status"),
    {
        "unserved": (requests(NO_ANSWER, 101, 103), Status.NOT_COVERED),
        "served": (requests(BLUE, 101, 103), PASSED),
        "not observed": ([], FAILED),
    },
)
def test_what_the_design_does_not_cover_is_neither_passed_nor_failed(
    seen: list[Observation], status: Status
) -> None:
    verdict = judge([SERVED], seen, RUN, {SERVED: "nothing shows it"})
    assert (verdict.status, verdict.judgements[0].status) == (status, status)
    said = verdict.message.endswith("(no answer); nothing shows it")
    assert said is (status is Status.NOT_COVERED)


def test_a_failure_outweighs_what_is_not_covered() -> None:
    verdict = judge(
        [SERVED, QUIET], requests(NO_ANSWER, 101, 103), RUN, {SERVED: "nothing shows it"}
    )
    assert verdict.status is FAILED
    assert verdict.message == f"{ALARM_NAME} stays quiet: not observed during the fault"


def test_the_last_minute_of_a_fault_is_one_of_the_service() -> None:
    seen = [*requests(GREEN, 104, 105, 106), client(390, BLUE)]
    assert judged(MOVE, *seen).status is PASSED
    assert judged(MOVE, *seen, run=replace(RUN, time_scale=30.0)).status is FAILED
