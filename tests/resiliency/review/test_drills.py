"""Drills that run, start, or break something else, in a review."""

from datetime import datetime, timezone
from typing import Any

import pytest

from tests.resiliency.review.stacks import (
    alarm,
    drill,
    fault,
    machine,
    reviewed,
    reviewed_stacks,
    stack,
    texts,
)


def test_a_drill_without_one_of_its_stop_conditions() -> None:
    found = reviewed({"F": fault("one", "two")}, {"F": fault("two", "three")})
    assert texts(found, "protection") == ["warning one no longer stops drill, but three"]


BY_HAND = "note a drill may also have been started by hand, which templates do not show"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-26T12:00", ["note next runs: shutdown 2026-12-01 10:00 UTC", BY_HAND]),
        (
            "2026-11-30T12:00",
            [
                "warning the drill shutdown starts at 2026-12-01 10:00 UTC: an update may end its "
                "fault",
                BY_HAND,
            ],
        ),
        (
            "2026-12-01T10:59",
            [
                "warning the drill shutdown may still run: it started at 2026-12-01 10:00 UTC: an "
                "update may end its fault",
                BY_HAND,
            ],
        ),
        ("2026-12-01T11:01", ["note next runs: shutdown 2027-01-05 10:00 UTC", BY_HAND]),
    ],
)
def test_a_drill_may_run_while_its_stack_is_updated(now: str, expected: list[str]) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=timezone.utc)
    found = reviewed(drill(machine()), drill(machine(guards=["a"])), now=at)
    assert texts(found, "drills") == expected


def test_a_drill_that_runs_is_a_danger() -> None:
    sides = drill(machine()), drill(machine(guards=["a"]))
    found = reviewed(*sides, running={("site", "Machine"): "run-1"})
    assert texts(found, "drills") == [
        "danger the drill shutdown is running (run-1): an update may end its fault"
    ]
    found = reviewed(*sides, running={})
    assert texts(found, "drills") == ["note next runs: shutdown 2026-12-01 10:00 UTC"]


def test_a_drill_that_runs_while_other_stacks_change_is_a_warning() -> None:
    drills = [stack(drill(machine()), "drills")]
    before, after = ([stack({"A": alarm(each)}), *drills] for each in ("a", "b"))
    running = {("drills", "Machine"): "run-1"}
    assert texts(reviewed_stacks(before, after, running=running), "drills") == [
        "warning the drill shutdown is running (run-1): its verdict is about the update too"
    ]


def test_drills_without_a_schedule_that_can_be_read_only_run_by_hand() -> None:
    for schedule in (
        {"State": "DISABLED"},
        {"ScheduleExpressionTimezone": "nowhere"},
        {"Target": {"Input": "another machine"}},
    ):
        sides = (drill(each, **schedule) for each in (machine(), machine(guards=["a"])))
        assert texts(reviewed(*sides), "drills") == [BY_HAND]


def test_a_new_drills_stack_interrupts_no_drill() -> None:
    assert texts(reviewed({}, drill(machine())), "drills") == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (
            machine(enabled=True),
            "warning the drill shutdown is enabled: it injects its fault from the next run on",
        ),
        (
            machine(instance="i-9"),
            "warning the drill shutdown breaks site-blue i-9 in place of site-blue i-1",
        ),
    ],
)
def test_a_drill_breaks_something_else(after: Any, expected: str) -> None:
    assert expected in texts(reviewed(drill(machine()), drill(after)), "drills")


def test_a_drill_without_one_of_its_guards() -> None:
    found = reviewed(drill(machine(guards=["a", "b"])), drill(machine(guards=["b"])))
    assert texts(found, "protection") == ["warning a no longer stops drill"]


def test_a_removed_drill_no_longer_runs() -> None:
    found = texts(reviewed(drill(machine()), {}), "protection")
    assert found[0] == "warning StateMachine drill is removed: the drill no longer runs"
