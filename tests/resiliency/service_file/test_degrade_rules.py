"""The bound on the chance that lost packets fire an alarm, beside alarms that are played."""

import random

import pytest

from resiliency.service_file.alarms import alarms_of
from resiliency.service_file.degrade_rules import chance_of_alarm
from resiliency.service_file.model.service import Environment
from tests.support import Data, example

RUNS = 400


def degraded(**alarm: int) -> Environment:
    def edit(env: Data) -> None:
        env["dependencies"]["db"] = {
            "label": "D",
            "host": "d.example.com",
            "port": 1,
            "alarm": alarm,
        }
        env["drills"]["db-blackhole"].update(
            fault="degrade", loss_percent=1, response_milliseconds=800, duration_minutes=6
        )

    return example(edit, whole=True).environments["production"]


def share_of_runs_that_fire(environment: Environment, loss_percent: int) -> float:
    """Play the samples of runs, of which one fails when three packets in a row are lost."""
    drawn = random.Random(7)
    settings = environment.dependencies["db"].alarm

    def breaches() -> bool:
        samples = range(settings.period_seconds // 10)
        return any(all(drawn.random() * 100 < loss_percent for _ in range(3)) for _ in samples)

    fired = 0
    for _ in range(RUNS):
        periods = [breaches() for _ in range(6 * 60 // settings.period_seconds + 1)]
        windows = range(len(periods) - settings.evaluation_periods + 1)
        fired += any(
            sum(periods[at : at + settings.evaluation_periods]) >= settings.datapoints
            for at in windows
        )
    return fired / RUNS


@pytest.mark.parametrize("loss_percent", [5, 18, 30, 50])
@pytest.mark.parametrize(
    "alarm",
    [{}, {"evaluation_periods": 1}, {"evaluation_periods": 3, "datapoints_to_alarm": 2}],
    ids=["2 of 2", "1 of 1", "2 of 3"],
)
def test_the_chance_is_at_least_that_of_simulated_alarms(alarm: Data, loss_percent: int) -> None:
    environment = degraded(**alarm)
    assert environment.drills is not None
    drill = environment.drills.by_name["db-blackhole"]
    (watched,) = [
        each
        for each in alarms_of(environment)
        if each.name == "bookstore-api-blue-db-connectivity-failed"
    ]
    chance = chance_of_alarm(environment, drill, watched, loss_percent)
    played = share_of_runs_that_fire(environment, loss_percent)
    margin = 2 * (0.25 / RUNS) ** 0.5
    assert chance >= played - margin
    # Nor is it so far above that drills without a risk are refused.
    assert chance <= 0.02 or played > 0
