"""Whole runs of drills: the state machine is run, with its functions called for real.

``fake_aws.account`` explains how. After each run no experiment is left running, the instance is
running, and a verdict is recorded: one journal and, unless its mark is lost, one message.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from staged_resiliency.drills.runtime import lock
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.plan import (
    COOL_DOWN_SECONDS,
    LATE_SECONDS,
    RULE_LATE_SECONDS,
    Plan,
    Timeouts,
    Window,
)
from staged_resiliency.drills.runtime.store import live_key
from staged_resiliency.drills.state_machine import definition
from staged_resiliency.experiment.observations import NO_ANSWER
from tests.fake_aws import plans
from tests.fake_aws.account import (
    Account,
    FunctionError,
    account,
    throttled,
    timed_out,
)
from tests.fake_aws.simulation import START, Script, StartedExperiment

pytestmark = pytest.mark.no_cover

# Fewer polls and calls, as these tests need no precision and run many drills.
SHUTDOWN = replace(plans.SHUTDOWN, sample_seconds=25, call_seconds=900)
BLACKHOLE = replace(plans.BLACKHOLE, sample_seconds=25, call_seconds=200)
DEGRADE = replace(plans.DEGRADE, sample_seconds=25, call_seconds=200)
PHASES = (
    names.PREFLIGHT,
    names.STEADY_STATE,
    names.INJECT,
    names.OBSERVE,
    names.END_FAULT,
    names.FAILBACK,
    names.STEADY_AGAIN,
    names.RECORD,
)


def verdict(made: Account, name: str = "run-1") -> Mapping[str, Any]:
    """The verdict of a run, after the promises that hold for every run."""
    assert made.service.running == [], "an experiment is left running"
    assert not made.service.broken, "the fault was left behind"
    assert made.versions(name) == 1, "the journal was not written exactly once"
    found: Mapping[str, Any] = made.journal(name)["verdict"]
    silent = found["status"] in ("passed", "dry run") and not made.service.plan.notify_passed
    messages = made.messages()
    assert len(messages) == (0 if silent else 1), "not exactly one message"
    for each in messages:
        first = each["Message"].splitlines()[0]
        assert first.startswith(f"{found['status'].upper()}: drill {made.service.plan.drill}")
        assert first.endswith(found["message"])
    metrics = [metric for metric, _ in made.metrics()]
    assert len(metrics) == len(set(metrics)), "metrics were doubled"
    assert ("drill-passed" in metrics) == (found["status"] in ("passed", "failed"))
    return found


def run(plan: Plan, script: Script | None = None) -> tuple[str, Mapping[str, Any], Account]:
    """Run a drill to its end: the execution's status, the verdict, the account."""
    with account(plan, script) as made:
        status = made.finish(made.start(made.machine(plan)))
        return status, verdict(made), made


def test_a_shutdown_that_fails_over_and_back_passes_with_its_numbers() -> None:
    plan = replace(plans.SHUTDOWN, call_seconds=100)
    with account(plan) as made:
        assert made.finish(made.start(made.machine(plan))) == "SUCCEEDED"
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


def test_a_shutdown_ends_the_fault_as_soon_as_all_happened() -> None:
    _, _, made = run(SHUTDOWN)
    (experiment,) = made.service.experiments
    assert experiment.stopped_at is not None
    assert experiment.stopped_at < made.service.natural_end(experiment)


def test_a_blackhole_lasts_its_time_and_passes_without_a_message() -> None:
    status, found, made = run(BLACKHOLE, Script(detect=120, clients_move=None))
    assert (status, found["status"]) == ("SUCCEEDED", "passed")
    (experiment,) = made.service.experiments
    assert experiment.stopped_at is None


@pytest.mark.parametrize(
    ("takes", "status", "message"),
    [
        pytest.param(0.6, "passed", "come within 0.8 s: in 0.600 s", marks=pytest.mark.slow),
        (0.9, "failed", "come within 0.8 s: not so, but in 0.900 s"),
    ],
)
def test_a_degraded_dependency_may_slow_clients_down_only_so_far(
    takes: float, status: str, message: str
) -> None:
    script = Script(detect=None, clients_move=None, degraded_answers_take=takes)
    with account(DEGRADE, script) as made:
        made.finish(made.start(made.machine(DEGRADE)))
        found = made.journal("run-1")
    assert found["verdict"]["status"] == status
    assert message in found["verdict"]["message"]
    assert found["measures"]["response_seconds"] == takes


def test_a_blackhole_that_a_guard_stops_is_over_when_the_host_lets_go() -> None:
    """FIS can't cancel what the host does by itself, least where it cut the agent off."""
    _, found, made = run(BLACKHOLE, Script(detect=120, clients_move=None, guard_stops_after=60))
    assert found["message"] == "the experiment is stopped: Scripted."
    ended = made.service.fault_ended_at
    assert ended is not None
    assert made.service.now > ended


def test_a_blackhole_of_an_aborted_run_is_watched_to_its_end() -> None:
    with account(BLACKHOLE, Script(detect=120, clients_move=None)) as made:
        machine = made.machine(BLACKHOLE)
        execution = machine.replace("stateMachine", "execution") + ":run-1"
        made.before = lambda phase, count: (
            made.stop(execution) if phase == names.OBSERVE and count == 1 else None
        )
        made.start(machine)
        assert made.finish(execution) == "ABORTED"
        assert verdict(made)["message"] == "the run was aborted"


def test_a_dry_run_resolves_its_target_and_injects_nothing() -> None:
    status, found, made = run(replace(SHUTDOWN, enabled=False))
    assert (status, found["status"]) == ("SUCCEEDED", "dry run")
    assert plans.INSTANCE in found["message"]
    assert [each.skip for each in made.service.experiments] == [True]
    assert made.service.fault_at is None
    assert made.metrics() == []


def test_a_dry_run_whose_experiment_never_begins_is_no_success() -> None:
    _, found, _ = run(replace(SHUTDOWN, enabled=False), Script(initiating_forever=True))
    assert found["status"] == "aborted"
    assert "no fault within 300 s: experiment EXP00000 is initiating" in found["message"]


def test_a_dry_run_that_is_aimed_at_something_else_is_no_success() -> None:
    aim = "arn:aws:ec2:us-west-2:123456789012:instance/i-0bad0bad0bad0bad0"
    _, found, _ = run(replace(SHUTDOWN, enabled=False), Script(aim=aim))
    assert found["status"] == "aborted"
    assert f"aimed at {aim}, not at instance/{plans.INSTANCE} alone" in found["message"]


REFUSED: tuple[tuple[Script, Plan, str], ...] = (
    (Script(alarms_on=(plans.DB_ALARM,)), SHUTDOWN, f"alarm {plans.DB_ALARM} is already in ALARM"),
    (
        Script(alarms_missing=(plans.GUARD_ALARM,)),
        SHUTDOWN,
        f"alarm {plans.GUARD_ALARM} does not exist",
    ),
    (Script(standby_answers=False), SHUTDOWN, f"the standby {plans.GREEN} does not answer"),
    (Script(agent="ConnectionLost"), BLACKHOLE, "is ConnectionLost, not Online"),
    (
        Script(),
        replace(SHUTDOWN, window=Window(("WED",), 9, 17, "America/Los_Angeles")),
        "outside the allowed window (WED 09:00 to 17:00 America/Los_Angeles)",
    ),
)


@pytest.mark.parametrize(("script", "plan", "reason"), REFUSED, ids=[row[2] for row in REFUSED])
def test_a_run_is_refused(script: Script, plan: Plan, reason: str) -> None:
    status, found, made = run(plan, script)
    assert (status, found["status"]) == ("SUCCEEDED", "aborted")
    assert found["message"].startswith("refused: ")
    assert reason in found["message"]
    assert made.service.experiments == []


UNSTEADY = (
    (Script(active_answers=False), "/version/ does not answer"),
    (Script(dns=(plans.GREEN_ADDRESS,)), f"Route 53 answers {plans.GREEN_ADDRESS}, not"),
    (Script(dns=()), "Route 53 answers nothing, not"),
)


@pytest.mark.parametrize(("script", "reason"), UNSTEADY, ids=[row[1] for row in UNSTEADY])
def test_nothing_is_injected_without_a_steady_state(script: Script, reason: str) -> None:
    status, found, made = run(SHUTDOWN, script)
    assert (status, found["status"]) == ("SUCCEEDED", "aborted")
    assert found["message"].startswith(f"no steady state: {reason}")
    assert made.service.experiments == []


@pytest.mark.slow
def test_a_second_drill_at_once_is_refused_and_a_later_one_is_not() -> None:
    with account(SHUTDOWN) as made:
        other = replace(SHUTDOWN, drill="shutdown-again")
        machine = made.machine(other)
        started: list[str] = []

        def second(phase: str, count: int) -> None:
            if phase == names.OBSERVE and not started:
                started.append("started")
                made.finish(made.start(machine, "run-2"))

        made.before = second
        assert made.finish(made.start(made.machine(SHUTDOWN))) == "SUCCEEDED"
        first = made.journal()["verdict"]
        made.service.plan = other
        refused = made.journal("run-2")["verdict"]
        assert first["status"] == "passed"
        assert refused["status"] == "aborted"
        assert "experiment EXP00000 of the service is still running" in refused["message"]
        assert len(made.service.experiments) == 1


def test_a_run_that_the_schedule_starts_twice_runs_once() -> None:
    with account(SHUTDOWN, Script(standby_answers=False)) as made:
        machine, due = made.machine(SHUTDOWN), '{"occurrence": "2026-11-03T18:00:00Z"}'
        made.finish(made.start(machine, "run-1", due))
        made.service.script.standby_answers = True
        assert made.finish(made.start(machine, "run-2", due)) == "SUCCEEDED"
        assert "was started before" in made.journal("run-2")["verdict"]["message"]


def test_of_two_drills_that_start_at_the_same_moment_one_runs() -> None:
    with account(SHUTDOWN) as made:
        # Of another service that has the instance too.
        other = replace(SHUTDOWN, service="orders", drill="shutdown-again")
        made.put(live_key(other.drill), "{}")
        machine = made.machine(other)
        started: list[str] = []

        def second(phase: str, count: int) -> None:
            if phase == names.STEADY_STATE and not started:
                started.append("started")
                made.finish(made.start(machine, "run-2"))

        made.before = second
        first = made.start(made.machine(SHUTDOWN))
        assert made.finish(first) == "SUCCEEDED"
        assert made.journal()["verdict"]["status"] == "passed"
        made.service.plan = other
        assert made.journal("run-2")["verdict"]["message"] == (
            f"refused: {plans.INSTANCE}: another drill is running: {first}"
        )


def test_a_run_that_was_aborted_holds_up_the_next_until_its_fault_is_over_and_all_is_calm() -> None:
    with account(SHUTDOWN) as made:
        machine = made.machine(SHUTDOWN)
        made.after = lambda phase, count: made.stop(first) if phase == names.PREFLIGHT else None
        first = made.start(machine, "run-1")
        made.wait(first)
        made.after = lambda phase, count: None
        made.finish(made.start(machine, "run-2"))  # at once, before the cleanup
        running = f"refused: {plans.INSTANCE}: another drill is running: {first}"
        assert made.journal("run-2")["verdict"]["message"] == running
        assert made.finish(first) == "ABORTED"
        made.finish(made.start(machine, "run-3"))
        too_soon = made.journal("run-3")["verdict"]["message"]
        assert f"the last drill, {first}, ended only just now" in too_soon
        made.service.now += COOL_DOWN_SECONDS
        made.messages()
        assert made.finish(made.start(machine, "run-4")) == "SUCCEEDED"
        assert made.journal("run-4")["verdict"]["status"] == "passed"


def test_the_lock_is_held_until_the_rule_of_a_stopped_blackhole_can_no_longer_be_there() -> None:
    """Whether the host noticed that its command was cancelled is not known."""
    with account(BLACKHOLE, Script(guard_stops_after=100)) as made:
        made.finish(made.start(made.machine(BLACKHOLE)))
        injected = made.service.fault_at
        assert injected is not None
        assert made.journal()["verdict"]["status"] == "aborted"
        until = injected + BLACKHOLE.fault_seconds + RULE_LATE_SECONDS
        assert until > made.service.now + COOL_DOWN_SECONDS
        made.service.now = until - 1
        assert "ended only just now" in lock.take(BLACKHOLE, "arn:of:next", made.context)
        made.service.now = until
        assert lock.take(BLACKHOLE, "arn:of:next", made.context) == ""


def test_a_failover_that_is_late_fails_and_says_how_late() -> None:
    status, found, made = run(SHUTDOWN, Script(clients_move=400))
    assert (status, found["status"]) == ("SUCCEEDED", "failed")
    assert f"reach {plans.GREEN} 4" in found["message"]
    assert "s after the fault; expected within 360 s" in found["message"]
    assert dict(made.metrics())["drill-passed"] == 0
    assert dict(made.metrics())["drill-failover-seconds"] >= 400


def test_a_failover_that_never_comes_fails() -> None:
    _, found, made = run(SHUTDOWN, Script(clients_move=None, detect=None))
    assert found["status"] == "failed"
    assert "drill-failover-seconds" not in dict(made.metrics())


def test_a_service_that_does_not_come_back_fails() -> None:
    _, found, _ = run(SHUTDOWN, Script(clients_return=10_000))
    assert found["status"] == "failed"
    assert "not steady again: Route 53 answers" in found["message"]


def test_an_experiment_that_a_guard_stops_aborts_the_run_and_still_watches_the_way_back() -> None:
    status, found, made = run(SHUTDOWN, Script(guard_stops_after=100))
    assert (status, found["status"]) == ("SUCCEEDED", "aborted")
    assert found["message"] == "the experiment is stopped: Scripted."
    assert names.STEADY_AGAIN in made.phases


def test_an_experiment_that_fails_aborts_the_run() -> None:
    _, found, _ = run(SHUTDOWN, Script(fails_after=50))
    assert found["status"] == "aborted"
    assert found["message"] == "the experiment is failed: Scripted."


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
    plan = replace(SHUTDOWN, sample_seconds=25)
    with account(plan, Script(stop_takes=2500)) as made:
        assert made.finish(made.start(made.machine(plan))) == "FAILED"
        found = verdict(made)
    assert found["status"] == "failed"
    assert found["message"].startswith(
        "THE FAULT MAY STILL BE THERE: experiment EXP00000 is stopping"
    )


def test_an_experiment_that_somebody_started_by_hand_refuses_the_run() -> None:
    with account(SHUTDOWN) as made:
        by_hand = StartedExperiment("EXPbyhand", "t", plans.OTHER_TEMPLATE, {}, False, START - 30)
        made.service.experiments.append(by_hand)
        made.service.script.alarms_on = ()
        made.finish(made.start(made.machine(SHUTDOWN)))
        assert (
            "experiment EXPbyhand of the service is still running"
            in (made.journal()["verdict"]["message"])
        )


# What can become of one call of a function. Each is done before and after its work.

KINDS: Mapping[str, Callable[[], Exception]] = {
    "throws": lambda: FunctionError("scripted"),
    "times out": timed_out,
    "is throttled": throttled,
}


def failing(made: Account, phase: str, kind: str, *, when: str, always: bool) -> None:
    """Make the calls of a phase fail: all of them, or the first."""

    def fail(called: str, count: int) -> None:
        if called == phase and (always or count == 0):
            raise KINDS[kind]()

    setattr(made, when, fail)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", PHASES)
def test_a_function_that_fails_once_changes_nothing(phase: str, kind: str) -> None:
    when = "after" if kind == "times out" else "before"
    with account(SHUTDOWN) as made:
        failing(made, phase, kind, when=when, always=False)
        assert made.finish(made.start(made.machine(SHUTDOWN))) == "SUCCEEDED"
        assert verdict(made)["status"] == "passed"
        assert made.phases.count(phase) > 1
        assert len(made.service.experiments) == 1


ALWAYS = {
    names.PREFLIGHT: ("SUCCEEDED", "aborted", "no fault was injected: preflight failed"),
    names.STEADY_STATE: ("SUCCEEDED", "aborted", "no fault was injected: steady failed"),
    names.INJECT: ("SUCCEEDED", "aborted", "inject failed"),  # also where a fault was injected
    names.OBSERVE: ("SUCCEEDED", "aborted", "observe failed"),
    names.END_FAULT: ("FAILED", "failed", "THE FAULT MAY STILL BE THERE"),
    names.FAILBACK: ("SUCCEEDED", "aborted", "failback failed"),
    names.STEADY_AGAIN: ("SUCCEEDED", "aborted", "steady_again failed"),
    names.RECORD: ("FAILED", "aborted", "the run was failed"),
}


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_function_that_fails_always_leaves_no_fault_behind(phase: str, when: str) -> None:
    with account(SHUTDOWN) as made:
        early = "throws" if PHASES.index(phase) % 2 else "is throttled"
        failing(made, phase, "times out" if when == "after" else early, when=when, always=True)
        status = made.finish(made.start(made.machine(SHUTDOWN)))
        found = verdict(made)
    if phase == names.RECORD and when == "after":
        # The verdict was recorded; only Step Functions never received the result.
        assert (status, found["status"]) == ("FAILED", "passed")
        return
    if phase == names.END_FAULT and when == "after":
        # It left behind that the fault is over, before its answer was lost.
        assert (status, found["status"]) == ("SUCCEEDED", "aborted")
        assert "end failed: States.Timeout" in found["message"]
        return
    if phase == names.INJECT:
        # Where the order got through, the fault is in the journal though its answer was lost.
        assert (made.service.fault_at is None) == (when == "before")
        assert ("no fault was injected" in found["message"]) == (when == "before")
    expected = ALWAYS[phase]
    assert (status, found["status"]) == expected[:2]
    assert expected[2] in found["message"]


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_run_that_is_aborted_in_any_state_is_cleaned_up(phase: str, when: str) -> None:
    with account(SHUTDOWN) as made:
        execution = ""

        def abort(called: str, count: int) -> None:
            if called == phase:
                made.stop(execution)

        setattr(made, when, abort)
        # The run's first call comes only after its name is known: the interpreter is slower.
        execution = plans.EXECUTION
        assert made.start(made.machine(SHUTDOWN)) == execution
        status = made.finish(execution)
        found = verdict(made)
    assert status == "ABORTED"
    # An abort does not stop the function that runs; so the verdict of Record is there already.
    assert found["status"] == ("passed" if phase == names.RECORD else "aborted")
    if phase != names.RECORD:
        assert "the run was aborted" in found["message"]


def test_an_experiment_that_is_started_while_the_cleanup_waits_is_stopped_too() -> None:
    """The function that starts it outlives the abort, and is slow."""
    with account(SHUTDOWN, Script(list_lags=20)) as made:
        execution = plans.EXECUTION

        def slow(phase: str, count: int) -> None:
            if phase != names.INJECT:
                return
            made.stop(execution)
            made.aborted = True
            given = {
                "clientToken": "late",
                "experimentTemplateId": plans.TEMPLATE,
                "experimentOptions": {"actionsMode": "run-all"},
                "tags": {"staged-resiliency:run": execution},
            }

            def start() -> None:
                made.service.StartExperiment(given)

            made.service.timers.append((made.service.now + 100, start))
            raise FunctionError("its answer is lost")

        made.before = slow
        made.start(made.machine(SHUTDOWN))
        assert made.finish(execution) == "ABORTED"
        found = verdict(made)
    assert found["status"] == "aborted"
    assert len(made.service.experiments) == 1


@pytest.mark.slow
def test_a_run_that_takes_too_long_as_a_whole_is_cleaned_up() -> None:
    import threading

    with account(SHUTDOWN) as made:
        held, left = threading.Event(), threading.Event()

        def hang(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                held.wait(60)
                left.set()
                raise FunctionError("too late")

        made.before = hang
        execution = made.start(made.machine(SHUTDOWN, TimeoutSeconds=1))
        described = made.wait(execution)
        assert described["status"] == "TIMED_OUT"
        made.clean_up(described)
        assert verdict(made)["message"] == "the run was timed out"
        held.set()
        assert left.wait(60)


ERRORS = (
    ("TestDNSAnswer", "ThrottlingException"),
    ("DescribeAlarms", "Throttling"),
    ("GetExperiment", "ThrottlingException"),
    ("StartExperiment", "ThrottlingException"),
    ("StopExperiment", "ThrottlingException"),
    ("ListExperiments", "ThrottlingException"),
    ("DescribeInstances", "RequestLimitExceeded"),
    ("PutMetricData", "ThrottlingException"),
    ("Publish", "ThrottledException"),
    ("PutObject", "SlowDown"),
)


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "code"), ERRORS, ids=[row[0] for row in ERRORS])
def test_an_api_that_refuses_a_few_times_changes_nothing(operation: str, code: str) -> None:
    plan = replace(SHUTDOWN, sample_seconds=10)  # steady within a minute all the same
    with account(plan) as made:
        made.service.errors[operation] = [code] * 2
        assert made.finish(made.start(made.machine(plan))) == "SUCCEEDED"
        assert made.service.errors[operation] == []
        assert verdict(made)["status"] == "passed"


def test_the_definition_needs_each_function_by_name() -> None:
    with pytest.raises(KeyError, match="observe"):
        definition(SHUTDOWN, {})


def test_timeouts_leave_room_for_what_is_expected() -> None:
    found = Timeouts.of(600, SHUTDOWN.hypothesis, 360)
    assert found.observe >= 600
    assert found.failback >= 600
    assert found.run > found.observe + found.end + found.failback


# Production is served, or the drill stops: whatever the guards say.


def stopped(plan: Plan, script: Script, change: Callable[[Account], None]) -> Mapping[str, Any]:
    """The journal of a run to which something happens 60 s after its first call of Observe."""
    with account(plan, script) as made:

        def before(phase: str, count: int) -> None:
            if phase == names.OBSERVE and count == 0:
                made.service.after(60, lambda: change(made))

        made.before = before
        assert made.finish(made.start(made.machine(plan))) == "SUCCEEDED"
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
    plan = replace(SHUTDOWN, fault_seconds=43_200, timeouts=Timeouts.of(43_200, (), 360))
    journal = stopped(plan, Script(), standby_dies)
    found = journal["verdict"]
    assert found["status"] == "failed"
    assert found["message"].startswith(f"neither {plans.BLUE} nor {plans.GREEN} answered")
    assert journal["measures"]["outage_seconds"] < 360


def test_a_blackhole_is_ended_when_the_host_that_should_take_over_does_not_answer() -> None:
    found = stopped(BLACKHOLE, Script(clients_move=None), standby_dies)["verdict"]
    assert found["status"] == "aborted"
    assert found["message"].startswith(f"{plans.GREEN} does not answer (52.11.79.9: no whole")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("deleted", "does not exist"),
        ("INSUFFICIENT_DATA", "is in INSUFFICIENT_DATA"),
        ("ALARM", "is in ALARM"),
    ],
)
def test_a_fault_is_ended_when_a_guard_is_none(change: str, message: str) -> None:
    def lose(made: Account) -> None:
        if change == "deleted":
            made.service.script.alarms_missing = (plans.GUARD_ALARM,)
        else:
            made.service.script.alarm_states = {plans.GUARD_ALARM: change}

    found = stopped(SHUTDOWN, Script(), lose)["verdict"]
    assert (found["status"], found["message"]) == (
        "aborted",
        f"the guard {plans.GUARD_ALARM} {message}",
    )


def test_a_fault_is_ended_when_clients_go_unserved_for_longer_than_the_objective() -> None:
    plan = replace(SHUTDOWN, fault_seconds=43_200, timeouts=Timeouts.of(43_200, (), 360))
    _, found, made = run(plan, Script(clients_move=None))
    (experiment,) = made.service.experiments
    assert experiment.stopped_at is not None
    assert 360 + LATE_SECONDS < experiment.stopped_at - START < 360 + LATE_SECONDS + 90
    assert found["status"] == "failed"
    assert found["message"].endswith("clients were not served for longer than the objective")
    assert "s; the objective is 360 s" in found["message"]


def test_a_stop_is_followed_within_a_poll() -> None:
    """Whoever stops the experiment, observing ends."""
    script = Script(guard_stops_after=100)
    with account(SHUTDOWN, script) as made:
        made.finish(made.start(made.machine(SHUTDOWN)))
        phases = {each["name"]: each for each in made.journal()["phases"]}
        (experiment,) = made.service.experiments
    stopped_at = datetime.fromtimestamp(experiment.at + script.initiating + 100, timezone.utc)
    ended = datetime.fromisoformat(phases["observe"]["ended_at"].replace("Z", "+00:00"))
    assert (ended - stopped_at).total_seconds() < 2 * SHUTDOWN.sample_seconds


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

        def answer_once(phase: str, count: int) -> None:
            if phase == names.INJECT and count == 0:
                for at, answer in ((104, (plans.GREEN_ADDRESS,)), (128, None)):
                    made.service.after(20 + at, functools.partial(show, made, answer))

        made.before = answer_once
        made.finish(made.start(made.machine(SHUTDOWN)))
        found, journal = verdict(made), made.journal()
    served = [each["value"] for each in journal["transitions"] if each["source"] == "client"]
    assert served[:4] == [plans.BLUE, NO_ANSWER, plans.GREEN, NO_ANSWER]
    assert found["status"] == "failed"
    assert journal["measures"]["failover_seconds"] is None


def show(made: Account, answer: tuple[str, ...] | None) -> None:
    """Let DNS answer with these addresses; None for what the fault makes it answer."""
    made.service.script.dns = answer
