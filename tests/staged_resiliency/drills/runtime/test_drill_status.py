"""The score of a drill, and when it expires."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.drills.runtime.drill_status import (
    DrillStatus,
    RunOutcome,
    Score,
    drill_status,
)

DAY = 86_400.0


def status_of(*outcomes: tuple[str, float], now: float = 100, deployed: float = 10) -> DrillStatus:
    """The status of a drill; moments in days."""
    return drill_status(
        [RunOutcome(status, at * DAY) for status, at in outcomes],
        deployed_at=deployed * DAY,
        now=now * DAY,
    )


ROWS = (
    ("never run", (), 90, Score.NEVER_RUN),
    ("passed", (("passed", 90),), 10, Score.PASSED),
    ("passed on the last day", (("passed", 65),), 35, Score.PASSED),
    ("passed in the last hours", (("passed", 64.1),), 35, Score.PASSED),
    ("expired", (("passed", 64),), 36, Score.EXPIRED),
    ("failed", (("passed", 80), ("failed", 90)), 20, Score.FAILED),
    ("failed at the same moment", (("failed", 90), ("passed", 90)), 10, Score.FAILED),
    ("passed again", (("failed", 80), ("passed", 90)), 10, Score.PASSED),
    ("failed and never passed", (("failed", 90),), 90, Score.FAILED),
    ("aborted shows nothing", (("passed", 90), ("aborted", 99)), 10, Score.PASSED),
    ("a dry run shows nothing", (("dry run", 99),), 90, Score.NEVER_RUN),
    ("in the future", (("passed", 101),), 0, Score.PASSED),
)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_how_a_drill_status_of(
    row: tuple[str, tuple[tuple[str, float], ...], float, Score],
) -> None:
    _, outcomes, days, score = row
    found = status_of(*outcomes)
    assert found.days_since_passed == days
    assert found.score is score


def test_scores_are_those_of_the_dashboard() -> None:
    assert [int(each) for each in (Score.PASSED, Score.EXPIRED, Score.FAILED, Score.NEVER_RUN)] == [
        100,
        75,
        50,
        0,
    ]


OUTCOMES = st.lists(
    st.tuples(st.sampled_from(["passed", "failed", "aborted", "dry run"]), st.integers(10, 100)),
    max_size=12,
)


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(
    outcomes: list[tuple[str, float]], chance: random.Random
) -> None:
    again = [*outcomes, *outcomes]
    chance.shuffle(again)
    assert status_of(*again) == status_of(*outcomes)


@given(OUTCOMES)
def test_only_a_passed_run_within_its_time_scores_full(
    outcomes: list[tuple[str, float]],
) -> None:
    found = status_of(*outcomes)
    passed = [at for status, at in outcomes if status == "passed"]
    if found.score is Score.PASSED:
        assert max(passed) >= 65
    if passed:
        assert found.days_since_passed == 100 - max(passed)
    else:
        assert found.days_since_passed == 90
        assert found.score in (Score.FAILED, Score.NEVER_RUN)
