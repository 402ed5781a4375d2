"""How far a run is, from the events of its history."""

import random
from typing import Any

import pytest

from resiliency.drill_cli.progress import PhaseProgress, progress_of
from staged_resiliency.drills.runtime.wording import duration
from tests.fake_aws.command import Run


def run() -> Run:
    """Two phases, one of them called three times, one failure."""
    made = Run("arn", 0)
    made.phase("Inject", 1, 2, experiment="EXP1", message="experiment EXP1")
    made.phase("Observe", 3, 40, again=True, message="")
    made.enter("Observe", 41)
    made.fail(50, "States.Timeout", "slow\x1b[2J\nfunction")
    made.leave("Observe", 80, {"go": True, "message": "it happened", "experiment": None})
    return made


def test_calls_of_a_phase_are_one_phase_and_an_experiment_once_known_stays_known() -> None:
    progress = progress_of(run().events)
    failure = "States.Timeout: slow\\x1b[2J function"
    assert progress.experiment == "EXP1"
    assert progress.phases == [
        PhaseProgress("Inject", 1, 2, "experiment EXP1"),
        PhaseProgress("Observe", 3, 80, "it happened", failures=(failure,)),
    ]


def test_the_order_in_which_events_arrive_changes_nothing() -> None:
    events = run().events
    expected = progress_of(events)
    for seed in range(20):
        shuffled = [*events]
        random.Random(seed).shuffle(shuffled)
        assert progress_of(shuffled) == expected


def test_a_phase_under_way_has_no_end() -> None:
    made = run()
    made.enter("End fault", 81)
    assert progress_of(made.events).phases[-1] == PhaseProgress("End fault", 81)


@pytest.mark.parametrize(
    "output",
    ["", "{", "[]", "{}", '{"observe": 3}', "[" * 100_000, '{"observe": {"message": 7}}', "NaN"],
)
def test_a_phase_that_says_nothing_readable_is_shown_without_words(output: str) -> None:
    made = Run("arn", 0)
    made.enter("Observe", 1)
    made.add_event(
        "TaskStateExited", 2, stateExitedEventDetails={"name": "Observe", "output": output}
    )
    assert progress_of(made.events).phases == [PhaseProgress("Observe", 1, 2, go=False)]


def test_a_state_that_this_release_does_not_know_is_shown_too() -> None:
    made = Run("arn", 0)
    made.phase("Cool down", 1, 2, message="never read")
    assert [each.name for each in progress_of(made.events).phases] == ["Cool down"]


def test_a_history_without_events_is_no_progress() -> None:
    nothing: list[dict[str, Any]] = []
    assert progress_of(nothing).phases == []


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (134, "134 s"),
        (600, "10 min"),
        (630, "10 min"),
        (3600, "1 h"),
        (4920, "1 h 22 min"),
        (43200, "12 h"),
    ],
)
def test_durations_are_shown_as_people_say_them(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected
