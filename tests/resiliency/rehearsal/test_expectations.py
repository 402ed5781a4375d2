"""What scenarios are expected to show: what the design is for, and what the model says."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping

import pytest

from resiliency.failover_model.faults import Fault
from resiliency.failover_model.simulation import Verdict
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.expectations import (
    ALERT_SECONDS,
    OBJECTIVE_SECONDS,
    Plan,
    plan_of,
)
from resiliency.rehearsal.prediction import assumptions_for
from resiliency.rehearsal.scenarios import scenarios_of
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
)
from tests.resiliency.rehearsal.support import (
    DB_ALARM,
    FAILOVER_ALARM,
    RECOVERY_ALARM,
    STATUS_ALARM,
    Templates,
    add_recovery,
    edited,
    plans_of,
    properties,
    remove_health_check,
    set_alarm,
    set_health_check,
    set_ttl,
    templates_of,
)
from tests.support import Data

RECORD = "bookstore.pingpublications.com"
BLUE, GREEN = "bookstore-api-blue", "bookstore-api-green"
EXAMPLES_OBJECTIVE = 600
Plans = Mapping[str, Plan]


def plan(templates: Templates, name: str, objective: float | None = None) -> Plan:
    deployment = read_deployment(templates)
    (found,) = plans_of(deployment, name, scale=20, objective=objective, outages=50)
    return found


def move(found: Plan) -> ClientsMove:
    (only,) = [each for each in found.hypothesis if isinstance(each, ClientsMove)]
    return only


def fires(found: Plan, alarm: str) -> float | None:
    for each in found.hypothesis:
        if isinstance(each, AlarmFires) and each.alarm == alarm:
            return each.within_seconds
    return None


@pytest.fixture(scope="module")
def plans(deployment: Deployment, failovers: Mapping[Fault, Verdict]) -> Plans:
    return {
        scenario.name: plan_of(
            deployment, scenario, assumptions_for(deployment), failovers, scale=20
        )
        for scenario in scenarios_of(deployment)
    }


def test_clients_leave_a_host_that_stopped_and_come_back(plans: Plans) -> None:
    found = plans["host-stops"]
    moved = move(found)
    assert (moved.record, moved.to) == (RECORD, GREEN)
    assert found.predicted is not None
    assert moved.within_seconds is not None
    assert found.predicted.worst < moved.within_seconds < OBJECTIVE_SECONDS
    assert [each.to for each in found.hypothesis if isinstance(each, ClientsReturn)] == [BLUE]


def test_silence_fires_what_takes_it_for_breaching_and_nothing_else(plans: Plans) -> None:
    found = plans["host-stops"]
    fired = {each.alarm for each in found.hypothesis if isinstance(each, AlarmFires)}
    quiet = {each.alarm for each in found.hypothesis if isinstance(each, AlarmQuiet)}
    assert fired == {STATUS_ALARM, FAILOVER_ALARM, f"{BLUE}-probe-silent"}
    assert {each.alarm for each in found.hypothesis if isinstance(each, AlarmRecovers)} == fired
    assert DB_ALARM in quiet
    assert len(quiet) == 5


def test_where_nothing_shows_a_fault_clients_stay_and_it_is_not_covered(plans: Plans) -> None:
    found = plans["endpoint-hangs"]
    assert ClientsStay(RECORD, BLUE) in found.hypothesis
    assert found.not_covered == {
        ClientsServed(RECORD): (
            f"no deciding signal ({STATUS_ALARM}) shows it; to cover it, add endpoint or peer to "
            "failover_on"
        )
    }
    assert found.fault_seconds == 480
    assert found.predicted is None


def test_a_dependency_that_decides_nothing_only_fires_its_alarm(plans: Plans) -> None:
    found = plans["db-blackholed"]
    assert {ClientsStay(RECORD, BLUE), ClientsServed(RECORD)} < set(found.hypothesis)
    assert fires(found, DB_ALARM) is not None
    assert found.fault_seconds == 0
    (note,) = [each for each in found.notes if "clients are not moved" in each]
    assert note.endswith("if the service fails without db, to cover it, add db to failover_on")


def test_clients_return_once_both_hosts_are_back(plans: Plans) -> None:
    found = plans["both-stop"]
    assert not [each for each in found.hypothesis if isinstance(each, ClientsMove | ClientsStay)]
    assert [each.to for each in found.hypothesis if isinstance(each, ClientsReturn)] == [BLUE]
    assert fires(found, f"{GREEN}-probe-silent") is not None
    assert found.not_covered == {
        ClientsServed(RECORD): "both hosts are down, and no change of a pair covers that"
    }


def test_no_peer_observes_a_host_when_both_are_down(plans: Plans) -> None:
    def with_a_peer(environment: Data) -> None:
        environment["failover_on"] = ["status", "peer"]
        environment["probe"] = {"peer": True}

    found = plan(templates_of(with_a_peer), "both-stop")
    alone = fires(plans["both-stop"], FAILOVER_ALARM)
    assert alone is not None
    assert fires(found, FAILOVER_ALARM) == pytest.approx(alone, abs=30)
    one = fires(plan(templates_of(with_a_peer), "host-stops"), FAILOVER_ALARM)
    assert one is not None
    assert one < alone


def test_a_killed_probe_is_notified_and_moves_no_client(plans: Plans) -> None:
    found = plans["probe-killed"]
    assert {ClientsStay(RECORD, BLUE), ClientsServed(RECORD)} < set(found.hypothesis)
    assert fires(found, f"{BLUE}-probe-silent") is not None
    assert fires(found, STATUS_ALARM) is None


def test_a_long_ttl_does_not_loosen_what_is_expected(example_templates: Templates) -> None:
    found = plan(edited(example_templates, set_ttl(3600)), "host-stops")
    assert move(found).within_seconds == EXAMPLES_OBJECTIVE


def test_clients_must_leave_also_where_no_objective_is_given(example_templates: Templates) -> None:
    def edit(templates: dict[str, Data]) -> None:
        del templates["bookstore-production-failover"]["Metadata"]["RecoveryTimeSeconds"]
        set_ttl(3600)(templates)

    found = plan(edited(example_templates, edit), "host-stops")
    assert move(found).within_seconds == OBJECTIVE_SECONDS


def test_an_objective_bounds_what_is_expected(example_templates: Templates) -> None:
    assert move(plan(example_templates, "host-stops", objective=120)).within_seconds == 120


@pytest.mark.parametrize("edit", [remove_health_check, set_health_check(Disabled=True)])
def test_clients_must_leave_whatever_the_model_says(
    example_templates: Templates, edit: object
) -> None:
    found = plan(edited(example_templates, edit), "host-stops")  # type: ignore[arg-type]
    assert move(found).within_seconds == EXAMPLES_OBJECTIVE
    assert found.predicted is None
    assert found.notes[0].startswith("the model expects no failover: ")


def test_people_must_be_notified_of_a_host_that_stopped(example_templates: Templates) -> None:
    found = plan(
        edited(example_templates, set_alarm(STATUS_ALARM, TreatMissingData="missing")), "host-stops"
    )
    assert fires(found, STATUS_ALARM) == 720


@pytest.mark.parametrize(
    "values", [{"Threshold": 0}, {"EvaluationPeriods": 10, "DatapointsToAlarm": 10}]
)
def test_people_must_be_notified_of_a_dependency_in_time(
    example_templates: Templates, values: Mapping[str, int]
) -> None:
    found = plan(edited(example_templates, set_alarm(DB_ALARM, **values)), "db-blackholed")
    assert fires(found, DB_ALARM) == ALERT_SECONDS


def test_a_metric_of_somebody_elses_is_noted(example_templates: Templates) -> None:
    found = plan(
        edited(example_templates, set_alarm(DB_ALARM, MetricName="orders")), "cdn-blackholed"
    )
    (note,) = [each for each in found.notes if each.startswith("not rehearsed, as their metrics")]
    assert DB_ALARM in note


@pytest.mark.parametrize("decides", [False, True])
def test_a_dependency_that_answers_late_moves_nobody_and_fires_nothing(
    example_templates: Templates, deciding_templates: Templates, decides: bool
) -> None:
    found = plan(deciding_templates if decides else example_templates, "db-degraded")
    kinds = {type(each) for each in found.hypothesis}
    assert kinds == {ClientsStay, ClientsServed, AlarmQuiet}
    assert AlarmQuiet(DB_ALARM) in found.hypothesis


def test_while_a_database_fails_over_nobody_moves_and_the_alarms_of_both_hosts_recover(
    example_templates: Templates,
) -> None:
    found = plan(example_templates, "db-fails-over")
    recover = [each for each in found.hypothesis if isinstance(each, AlarmRecovers)]
    assert [each.alarm for each in recover] == [DB_ALARM, DB_ALARM.replace(BLUE, GREEN)]
    assert ClientsStay(RECORD, BLUE) in found.hypothesis
    assert ClientsServed(RECORD) in found.hypothesis
    assert not [each for each in found.hypothesis if isinstance(each, AlarmFires)]
    assert AlarmQuiet(FAILOVER_ALARM) in found.hypothesis
    assert not found.not_covered
    assert found.fault_seconds == 120  # and no longer, whatever the alarms do
    assert found.settled_seconds == recover[0].within_seconds > 200


def test_a_database_that_decides_sends_clients_to_a_host_that_has_lost_it_too(
    deciding_templates: Templates,
) -> None:
    found = plan(deciding_templates, "db-fails-over")
    assert list(found.not_covered) == [ClientsStay(RECORD, BLUE)]
    (reason,) = found.not_covered.values()
    assert reason.endswith(
        f"simulated failovers of the database send clients to {GREEN}, which loses it too; to "
        "cover it, remove db from failover_on, or let its alarm wait longer (evaluation_periods)"
    )
    assert AlarmQuiet(FAILOVER_ALARM) not in found.hypothesis


def test_a_database_whose_alarm_waits_long_enough_moves_nobody(
    deciding_templates: Templates,
) -> None:
    """As many periods as ``check`` asks for a drill of it."""
    patient = edited(
        deciding_templates, set_alarm(DB_ALARM, EvaluationPeriods=5, DatapointsToAlarm=5)
    )
    assert not plan(patient, "db-fails-over").not_covered


def test_a_dependency_that_hangs_is_as_one_out_of_reach_where_the_probe_waits_for_its_answer(
    plans: Plans,
) -> None:
    assert plans["db-hangs"].hypothesis == plans["db-blackholed"].hypothesis
    assert plans["db-hangs"].notes == plans["db-blackholed"].notes


def test_people_must_be_notified_of_a_dependency_that_hangs_though_the_probe_only_connects(
    plans: Plans,
) -> None:
    found = plans["cdn-hangs"]
    assert fires(found, f"{BLUE}-cdn-connectivity-failed") == ALERT_SECONDS
    assert found.predicted is None
    assert found.notes[:1] == [
        "cdn is checked by tcp alone, and the system accepts connections for a server that hangs; "
        "let the check request an answer (check.protocol)"
    ]


@pytest.mark.parametrize("name", ["endpoint-hangs", "db-blackholed", "db-hangs"])
def test_signals_that_decide_must_move_clients(deciding_templates: Templates, name: str) -> None:
    found = plan(deciding_templates, name)
    assert move(found).to == GREEN
    assert found.predicted is not None


def test_a_hanging_endpoint_is_reported_by_its_peer(deciding_templates: Templates) -> None:
    found = plan(deciding_templates, "endpoint-hangs")
    assert fires(found, f"{BLUE}-peer-connectivity-failed") is not None


def test_a_check_that_only_connects_promises_nothing_of_a_hanging_endpoint(
    deciding_templates: Templates,
) -> None:
    def connecting(templates: dict[str, Data]) -> None:
        for check in properties(templates, "AWS::Route53::HealthCheck"):
            if check["HealthCheckConfig"]["Type"] == "HTTP":
                check["HealthCheckConfig"]["Type"] = "TCP"
        (association,) = properties(templates, "AWS::SSM::Association")
        (encoded,) = association["Parameters"]["Configuration"]
        probe = json.loads(b64decode(encoded))
        for peer in probe["peers"].values():
            peer["check"] = "tcp"
        association["Parameters"]["Configuration"] = [
            b64encode(json.dumps(probe).encode()).decode()
        ]

    found = plan(edited(deciding_templates, connecting), "endpoint-hangs")
    assert not [each for each in found.hypothesis if isinstance(each, ClientsMove | ClientsStay)]
    (reason,) = found.not_covered.values()
    assert "only connects, and the system accepts connections until its queue is full" in reason
    assert reason.endswith(
        "to cover it, let the check request a response (endpoint.check.protocol: http)"
    )
    alarm = f"{BLUE}-peer-connectivity-failed"
    assert alarm not in [getattr(each, "alarm", None) for each in found.hypothesis]
    assert f"{alarm}: a peer that only connects may not find it" in found.notes
    assert not [note for note in found.notes if "served" in note]


def test_a_killed_probe_whose_silence_decides_moves_clients(deciding_templates: Templates) -> None:
    found = plan(deciding_templates, "probe-killed")
    assert move(found).to == GREEN
    assert ClientsServed(RECORD) in found.hypothesis
    assert "clients are moved though they were served" in found.notes


def test_an_alarm_that_only_recovers_the_host_need_not_tell(example_templates: Templates) -> None:
    found = plan(edited(example_templates, add_recovery), "host-stops")
    assert AlarmQuiet(RECOVERY_ALARM) in found.hypothesis
    assert fires(found, STATUS_ALARM) is not None
    assert f"{RECOVERY_ALARM} falls silent, so it notifies nobody" in found.notes


def test_where_no_health_check_follows_a_status_alarm_the_one_that_fires_must_tell(
    example_templates: Templates,
) -> None:
    def edit(templates: dict[str, Data]) -> None:
        add_recovery(templates)
        remove_health_check(templates)

    assert messages(plan(edited(example_templates, edit), "host-stops")) == {STATUS_ALARM}


def messages(plan: Plan) -> set[str]:
    """The alarms that must notify people."""
    return {expected.alarm for expected, _ in plan.messages}


def test_people_must_be_notified_of_the_alarm_on_the_fault(plans: Plans) -> None:
    assert messages(plans["host-stops"]) == {STATUS_ALARM, FAILOVER_ALARM}
    assert messages(plans["db-blackholed"]) == {DB_ALARM}
    assert messages(plans["probe-killed"]) == {f"{BLUE}-probe-silent"}


def test_people_must_know_when_clients_are_sent_to_the_standby_and_back(plans: Plans) -> None:
    kinds = [
        type(expected)
        for expected, _ in plans["host-stops"].messages
        if expected.alarm == FAILOVER_ALARM
    ]
    assert kinds == [AlarmFires, AlarmRecovers]
    assert AlarmQuiet(FAILOVER_ALARM) in plans["db-blackholed"].hypothesis
