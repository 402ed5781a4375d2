"""What the model says of alarms, and by when all is well again."""

from dataclasses import replace

import pytest

from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Effect
from resiliency.failover_model.graph import Alarm
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.prediction import (
    assumptions_for,
    effect_on,
    predict_firing,
    recovery_seconds,
    return_seconds,
)
from resiliency.rehearsal.scenarios import Scenario, scenarios_of
from tests.resiliency.failover_model.support import hand_written
from tests.resiliency.rehearsal.support import DB_ALARM, STATUS_ALARM, Templates

SILENT_ALARM = "bookstore-api-blue-probe-silent"


def alarm_of(deployment: Deployment, name: str) -> Alarm:
    return next(alarm for alarm in deployment.graph.alarms if alarm.name == name)


def scenario_of(deployment: Deployment, name: str) -> Scenario:
    return next(scenario for scenario in scenarios_of(deployment) if scenario.name == name)


def test_the_probes_pace_is_that_of_its_configuration(deployment: Deployment) -> None:
    assumed = assumptions_for(deployment)
    assert (assumed.probe_interval.low, assumed.probe_interval.high) == (10, 10)
    assert (assumed.probe_timeout.low, assumed.probe_timeout.high) == (5, 5)
    assert (assumed.probe_batch.low, assumed.probe_batch.high) == (1, 11)
    without = assumptions_for(read_deployment({"site": hand_written()}))
    assert without.probe_interval == Assumptions().probe_interval


@pytest.mark.parametrize(
    ("scenario", "alarm", "expected"),
    [
        ("host-stops", STATUS_ALARM, Effect.SILENT),
        ("host-stops", "bookstore-api-green-db-connectivity-failed", Effect.NONE),
        ("both-stop", "bookstore-api-green-db-connectivity-failed", Effect.SILENT),
        ("db-blackholed", DB_ALARM, Effect.UNANSWERED),
        ("cdn-blackholed", DB_ALARM, Effect.NONE),
        ("probe-killed", STATUS_ALARM, Effect.NONE),
    ],
)
def test_each_alarm_shows_what_its_metric_shows(
    deployment: Deployment, scenario: str, alarm: str, expected: Effect
) -> None:
    assert (
        effect_on(deployment, scenario_of(deployment, scenario), alarm_of(deployment, alarm))
        is expected
    )


def test_a_peer_waits_for_a_hanging_endpoint_until_its_deadline(
    deciding_templates: Templates,
) -> None:
    deployment = read_deployment(deciding_templates)
    peer = alarm_of(deployment, "bookstore-api-blue-peer-connectivity-failed")
    assert (
        effect_on(deployment, scenario_of(deployment, "endpoint-hangs"), peer)
        is Effect.UNRESPONSIVE
    )


@pytest.mark.parametrize(
    ("alarm", "effect", "least", "most"),
    [
        # Silence: until no point is left in the range of one period and two to five more.
        (STATUS_ALARM, Effect.SILENT, 120, 480),
        # Two minutes with a failure, the first of them begun.
        (DB_ALARM, Effect.UNANSWERED, 60, 205),
        # The heartbeat of a minute is sent as it begins: five to eight whole ones without.
        (SILENT_ALARM, Effect.SILENT, 290, 611),
    ],
)
def test_a_fault_fires_its_alarm_within_what_can_be_counted_out(
    deployment: Deployment, alarm: str, effect: Effect, least: float, most: float
) -> None:
    firing = predict_firing(alarm_of(deployment, alarm), effect, assumptions_for(deployment), 0)
    assert firing.share == 1
    assert firing.seconds is not None
    assert least <= firing.seconds.best < firing.seconds.worst <= most


def test_silence_that_is_only_missing_fires_nothing(deployment: Deployment) -> None:
    firing = predict_firing(
        alarm_of(deployment, DB_ALARM), Effect.SILENT, assumptions_for(deployment), 0
    )
    assert firing.share == 0
    assert firing.seconds is None


def test_a_period_under_a_minute_is_evaluated_on_data_of_a_minute(deployment: Deployment) -> None:
    alarm = replace(alarm_of(deployment, DB_ALARM), period_seconds=10)
    firing = predict_firing(alarm, Effect.UNANSWERED, assumptions_for(deployment), 0)
    assert firing.share == 1


def test_the_same_seed_predicts_the_same(deployment: Deployment) -> None:
    alarm, assumed = alarm_of(deployment, DB_ALARM), assumptions_for(deployment)
    first = predict_firing.__wrapped__(alarm, Effect.UNANSWERED, assumed, 1)
    assert predict_firing.__wrapped__(alarm, Effect.UNANSWERED, assumed, 1) == first
    assert predict_firing.__wrapped__(alarm, Effect.UNANSWERED, assumed, 2) != first


def test_recovery_takes_as_many_good_periods_as_leave_too_few_bad_ones(
    deployment: Deployment,
) -> None:
    alarm, assumed = alarm_of(deployment, DB_ALARM), assumptions_for(deployment)
    whole = recovery_seconds(alarm, assumed)
    # a minute that may be bad, a good one, the request and its delay and deadline, an evaluation
    assert whole == 60 + 60 + (11 + 15 + 5) + 60
    one_of_three = replace(alarm, evaluation_periods=3, datapoints_to_alarm=1)
    assert recovery_seconds(one_of_three, assumed) == whole + 120


def test_clients_return_once_the_health_check_the_answer_and_the_cache_have(
    deployment: Deployment, deciding_templates: Templates
) -> None:
    assumed = assumptions_for(deployment)
    status = 60 + 60 + 60 + 60
    assert return_seconds(deployment, assumed) == status + 30 + 30 + 60
    deciding = read_deployment(deciding_templates)
    assert return_seconds(deciding, assumed) >= return_seconds(deployment, assumed)
