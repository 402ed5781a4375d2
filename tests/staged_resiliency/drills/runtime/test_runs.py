"""The verdict of a whole run, by what its fault does and what happens after it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.durations import LATE_SECONDS, Timeouts
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.observations import NO_ANSWER
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.simulation import START, Script
from tests.staged_resiliency.drills.runtime.runs import BLACKHOLE, SHUTDOWN, moment, run, verdict

DEGRADE = replace(plans.DEGRADE, sample_seconds=25, call_seconds=200)
DRY_RUN = replace(SHUTDOWN, enabled=False)
LONG = replace(SHUTDOWN, fault_seconds=43_200, timeouts=Timeouts.of(43_200, (), 360))
ELSEWHERE = "arn:aws:ec2:us-west-2:123456789012:instance/i-0bad0bad0bad0bad0"


def test_a_shutdown_that_fails_over_and_back_passes_with_its_numbers() -> None:
    with account(replace(plans.SHUTDOWN, call_seconds=100)) as made:
        assert made.run() == "SUCCEEDED"
        assert verdict(made)["status"] == "passed"
        journal = made.journal()
    assert journal["kind"] == "drill"
    assert journal["injected_at"] == "2026-11-03T18:00:30.000Z"
    measures = journal["measures"]
    assert measures["detect_seconds"] == 200
    assert 270 <= measures["failover_seconds"] < 280
    assert 120 <= measures["failback_seconds"] < 126
    assert 270 <= measures["outage_seconds"] < 280
    assert dict(made.metrics()) == {
        "drill-passed": 1.0,
        "drill-detect-seconds": measures["detect_seconds"],
        "drill-failover-seconds": measures["failover_seconds"],
        "drill-failback-seconds": measures["failback_seconds"],
        "drill-outage-seconds": measures["outage_seconds"],
        "drill-availability-percent": pytest.approx(measures["availability"] * 100),
    }
    assert [each["name"] for each in journal["phases"]] == [
        "preflight",
        "steady state",
        "inject",
        "observe",
        "end fault",
        "failback",
        "steady again",
        "record",
    ]
    for phase in journal["phases"]:
        assert phase["began_at"] <= phase["ended_at"]
    dimensions = made.service.published[0]["MetricData"][0]["Dimensions"]
    assert dimensions == [
        {"Name": "Service", "Value": "bookstore"},
        {"Name": "Environment", "Value": "production"},
        {"Name": "Drill", "Value": "shutdown"},
    ]
    (experiment,) = made.service.experiments
    assert experiment.stopped_at is not None, "the fault went on once all had happened"
    assert experiment.stopped_at < made.service.natural_end(experiment)


@pytest.mark.slow
@cases(
    ("plan", "script", "status", "message"),
    {
        "a dry run whose experiment never begins": (
            DRY_RUN,
            Script(initiating_forever=True),
            "aborted",
            "no fault within 300 s: experiment EXP00000 is initiating",
        ),
        "a dry run that is aimed at something else": (
            DRY_RUN,
            Script(aim=ELSEWHERE),
            "aborted",
            f"aimed at {ELSEWHERE}, not at instance/{plans.INSTANCE} alone",
        ),
        "a service that does not come back": (
            SHUTDOWN,
            Script(clients_return=10_000),
            "failed",
            "not steady again: Route 53 answers",
        ),
        "an experiment that fails": (
            SHUTDOWN,
            Script(fails_after=50),
            "aborted",
            "the experiment is failed: Scripted.",
        ),
    },
)
def test_a_run_ends_without_success(plan: Plan, script: Script, status: str, message: str) -> None:
    execution, found, _ = run(plan, script)
    assert (execution, found["status"]) == ("SUCCEEDED", status)
    assert message in found["message"]


def test_a_blackhole_lasts_its_time_and_passes_without_a_message() -> None:
    status, found, made = run(BLACKHOLE, Script(detect=120, clients_move=None))
    assert (status, found["status"]) == ("SUCCEEDED", "passed")
    (experiment,) = made.service.experiments
    assert experiment.stopped_at is None


def test_a_degraded_dependency_may_slow_clients_down_only_so_far() -> None:
    script = Script(detect=None, clients_move=None, degraded_answers_take=0.9)
    with account(DEGRADE, script) as made:
        made.run()
        assert verdict(made)["status"] == "failed"
        journal = made.journal()
    assert "come within 0.8 s: not so, but in 0.900 s" in journal["verdict"]["message"]
    assert journal["measures"]["response_seconds"] == 0.9


def test_a_blackhole_that_a_guard_stops_is_over_when_the_host_lets_go() -> None:
    """FIS can't cancel what the host does by itself, least where it cut the agent off."""
    _, found, made = run(BLACKHOLE, Script(detect=120, clients_move=None, guard_stops_after=60))
    assert found["message"] == "the experiment is stopped: Scripted."
    ended = made.service.fault_ended_at
    assert ended is not None
    assert made.service.now > ended


def test_a_dry_run_resolves_its_target_and_injects_nothing() -> None:
    status, found, made = run(DRY_RUN)
    assert (status, found["status"]) == ("SUCCEEDED", "dry run")
    assert plans.INSTANCE in found["message"]
    assert [each.skip for each in made.service.experiments] == [True]
    assert made.service.fault_at is None
    assert made.metrics() == []


@cases(
    ("script", "message"),
    {
        "refused": (
            Script(alarms_on=(plans.DB_ALARM,)),
            f"refused: alarm {plans.DB_ALARM} is already in ALARM",
        ),
        "no steady state": (
            Script(dns=(plans.GREEN_ADDRESS,)),
            f"no steady state: Route 53 answers {plans.GREEN_ADDRESS}, not",
        ),
    },
)
def test_nothing_is_injected_where_all_is_not_well(script: Script, message: str) -> None:
    status, found, made = run(SHUTDOWN, script)
    assert (status, found["status"]) == ("SUCCEEDED", "aborted")
    assert found["message"].startswith(message)
    assert made.service.experiments == []


def test_a_failover_that_is_late_fails_and_says_how_late() -> None:
    status, found, made = run(SHUTDOWN, Script(clients_move=400))
    assert (status, found["status"]) == ("SUCCEEDED", "failed")
    assert f"reach {plans.GREEN} 4" in found["message"]
    assert "s after the fault; expected within 360 s" in found["message"]
    assert dict(made.metrics())["drill-passed"] == 0
    assert dict(made.metrics())["drill-failover-seconds"] >= 400


def test_an_experiment_that_a_guard_stops_aborts_the_run_within_a_poll() -> None:
    """The way back is watched all the same."""
    with account(SHUTDOWN, Script(guard_stops_after=100)) as made:
        assert made.run() == "SUCCEEDED"
        found = verdict(made)
        ended = {each["name"]: moment(each["ended_at"]) for each in made.journal()["phases"]}
    assert (found["status"], found["message"]) == (
        "aborted",
        "the experiment is stopped: Scripted.",
    )
    assert names.STEADY_AGAIN in made.phases
    (experiment,) = made.service.experiments
    stopped_at = made.service.natural_end(experiment)
    assert ended["observe"] - stopped_at < 2 * SHUTDOWN.sample_seconds


def test_an_experiment_that_never_begins_is_stopped() -> None:
    _, found, made = run(SHUTDOWN, Script(initiating_forever=True))
    assert found["status"] == "aborted"
    assert "no fault within 300 s: experiment EXP00000 is initiating" in found["message"]
    assert made.service.experiments[0].stopped_at is not None


def test_an_instance_that_fis_does_not_start_is_started() -> None:
    _, found, made = run(SHUTDOWN, Script(fis_starts_instance=False))
    assert found["status"] == "passed"
    assert made.service.started_by_hand is not None


@pytest.mark.slow
def test_an_experiment_that_does_not_stop_is_reported_and_cleaned_up_until_it_does() -> None:
    status, found, _ = run(SHUTDOWN, Script(stop_takes=2500))
    assert (status, found["status"]) == ("FAILED", "failed")
    assert found["message"].startswith(
        "THE FAULT MAY STILL BE THERE: experiment EXP00000 is stopping"
    )


# Production is served, or the drill stops: whatever the guards say.


def stopped(plan: Plan, script: Script, change: Callable[[Account], None]) -> Mapping[str, Any]:
    """The journal of a run to which something happens 60 s after its first call of Observe."""
    with account(plan, script) as made:
        made.before_phase(
            names.OBSERVE, lambda: made.service.after(60, lambda: change(made)), first=True
        )
        assert made.run() == "SUCCEEDED"
        verdict(made)
        (experiment,) = made.service.experiments
        assert experiment.stopped_at is not None
        # Three polls of 25 s, and the time-outs of requests to two hosts.
        assert experiment.stopped_at <= START + 300, "the fault went on"
        return made.journal()


def standby_dies(made: Account) -> None:
    made.service.script.standby_answers = False


def test_a_fault_is_ended_at_once_when_neither_host_answers() -> None:
    """The standby's web server died, its probe was alive, and no guard fired."""
    journal = stopped(LONG, Script(), standby_dies)
    found = journal["verdict"]
    assert found["status"] == "failed"
    assert found["message"].startswith(f"neither {plans.BLUE} nor {plans.GREEN} answered")
    assert journal["measures"]["outage_seconds"] < 360


def test_a_blackhole_is_ended_when_the_host_that_should_take_over_does_not_answer() -> None:
    found = stopped(BLACKHOLE, Script(clients_move=None), standby_dies)["verdict"]
    assert found["status"] == "aborted"
    assert found["message"].startswith(f"{plans.GREEN} does not answer (52.11.79.9: no whole")


@cases(
    ("changes", "message"),
    {
        "deleted": ({"alarms_missing": (plans.GUARD_ALARM,)}, "does not exist"),
        "without data": (
            {"alarm_states": {plans.GUARD_ALARM: "INSUFFICIENT_DATA"}},
            "is in INSUFFICIENT_DATA",
        ),
        "on": ({"alarm_states": {plans.GUARD_ALARM: "ALARM"}}, "is in ALARM"),
    },
)
def test_a_fault_is_ended_when_a_guard_is_none(changes: Mapping[str, Any], message: str) -> None:
    journal = stopped(SHUTDOWN, Script(), lambda made: vars(made.service.script).update(changes))
    found = journal["verdict"]
    assert (found["status"], found["message"]) == (
        "aborted",
        f"the guard {plans.GUARD_ALARM} {message}",
    )


def test_a_fault_is_ended_when_clients_go_unserved_for_longer_than_the_objective() -> None:
    _, found, made = run(LONG, Script(clients_move=None))
    (experiment,) = made.service.experiments
    assert experiment.stopped_at is not None
    assert 360 + LATE_SECONDS < experiment.stopped_at - START < 360 + LATE_SECONDS + 90
    assert found["status"] == "failed"
    assert found["message"].endswith("clients were not served for longer than the objective")
    assert "s; the objective is 360 s" in found["message"]


@pytest.mark.slow
def test_a_stop_by_hand_is_followed_before_fis_has_carried_it_out() -> None:
    def stop(made: Account) -> None:
        made.service.StopExperiment({"id": "EXP00000"})

    journal = stopped(SHUTDOWN, Script(stop_takes=120, detect=None, clients_move=None), stop)
    (observed,) = [each for each in journal["phases"] if each["name"] == "observe"]
    assert observed["outcome"].startswith("the experiment is stopping")
    assert journal["verdict"]["status"] == "aborted"


def test_one_answer_of_the_standby_is_no_failover() -> None:
    """It answered one request 104 s after the fault, and none again."""
    with account(SHUTDOWN, Script(clients_move=None)) as made:
        script = made.service.script

        def answer_once() -> None:
            made.service.after(124, lambda: setattr(script, "dns", (plans.GREEN_ADDRESS,)))
            made.service.after(148, lambda: setattr(script, "dns", None))

        made.before_phase(names.INJECT, answer_once, first=True)
        made.run()
        found, journal = verdict(made), made.journal()
    served = [each["value"] for each in journal["transitions"] if each["source"] == "client"]
    assert served[:4] == [plans.BLUE, NO_ANSWER, plans.GREEN, NO_ANSWER]
    assert found["status"] == "failed"
    assert journal["measures"]["failover_seconds"] is None
