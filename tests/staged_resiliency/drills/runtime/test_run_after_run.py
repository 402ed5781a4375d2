"""Drills that start while another one runs, or just after it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from staged_resiliency.drills.runtime import lock
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.durations import COOL_DOWN_SECONDS, RULE_LATE_SECONDS
from staged_resiliency.drills.runtime.store import live_key
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.simulation import START, Script, StartedExperiment
from tests.staged_resiliency.drills.runtime.runs import BLACKHOLE, SHUTDOWN


def starting(made: Account, machine: str, name: str) -> Callable[[], None]:
    """What starts a second run, and waits for its end, once."""
    started: list[str] = []

    def start() -> None:
        if not started:
            started.append(made.start(machine, name))
            made.finish(started[0])

    return start


@pytest.mark.slow
def test_a_second_drill_at_once_is_refused() -> None:
    with account(SHUTDOWN) as made:
        other = replace(SHUTDOWN, drill="shutdown-again")
        made.before_phase(names.OBSERVE, starting(made, made.machine(other), "run-2"))
        assert made.run() == "SUCCEEDED"
        assert made.journal()["verdict"]["status"] == "passed"
        made.service.plan = other
        refused = made.journal("run-2")["verdict"]
        assert refused["status"] == "aborted"
        assert "experiment EXP00000 of the service is still running" in refused["message"]
        assert len(made.service.experiments) == 1


def test_a_run_that_the_schedule_starts_twice_runs_once() -> None:
    with account(SHUTDOWN, Script(standby_answers=False)) as made:
        due = '{"occurrence": "2026-11-03T18:00:00Z"}'
        made.run("run-1", due)
        made.service.script.standby_answers = True
        assert made.run("run-2", due) == "SUCCEEDED"
        assert "was started before" in made.journal("run-2")["verdict"]["message"]


def test_of_two_drills_that_start_at_the_same_moment_one_runs() -> None:
    with account(SHUTDOWN) as made:
        # Of another service that has the instance too.
        other = replace(SHUTDOWN, service="orders", drill="shutdown-again")
        made.put(live_key(other.drill), "{}")
        made.before_phase(names.STEADY_STATE, starting(made, made.machine(other), "run-2"))
        assert made.run() == "SUCCEEDED"
        assert made.journal()["verdict"]["status"] == "passed"
        made.service.plan = other
        assert made.journal("run-2")["verdict"]["message"] == (
            f"refused: {plans.INSTANCE}: another drill is running: {plans.EXECUTION}"
        )


@pytest.mark.slow
def test_a_run_that_was_aborted_holds_up_the_next_until_its_fault_is_over_and_all_is_calm() -> None:
    with account(SHUTDOWN) as made:
        first = made.start_aborted(names.PREFLIGHT)
        made.wait(first)
        made.after = lambda phase, count: None
        made.run("run-2")  # at once, before the cleanup
        running = f"refused: {plans.INSTANCE}: another drill is running: {first}"
        assert made.journal("run-2")["verdict"]["message"] == running
        assert made.finish(first) == "ABORTED"
        made.run("run-3")
        too_soon = made.journal("run-3")["verdict"]["message"]
        assert f"the last drill, {first}, ended only just now" in too_soon
        made.service.now += COOL_DOWN_SECONDS
        made.messages()
        assert made.run("run-4") == "SUCCEEDED"
        assert made.journal("run-4")["verdict"]["status"] == "passed"


def test_the_lock_is_held_until_the_rule_of_a_stopped_blackhole_can_no_longer_be_there() -> None:
    """Whether the host noticed that its command was cancelled is not known."""
    with account(BLACKHOLE, Script(guard_stops_after=100)) as made:
        made.run()
        injected = made.service.fault_at
        assert injected is not None
        assert made.journal()["verdict"]["status"] == "aborted"
        until = injected + BLACKHOLE.fault_seconds + RULE_LATE_SECONDS
        assert until > made.service.now + COOL_DOWN_SECONDS
        made.service.now = until - 1
        assert "ended only just now" in lock.take(BLACKHOLE, "arn:of:next", made.context)
        made.service.now = until
        assert lock.take(BLACKHOLE, "arn:of:next", made.context) == ""


def test_an_experiment_that_somebody_started_by_hand_refuses_the_run() -> None:
    with account(SHUTDOWN) as made:
        by_hand = StartedExperiment("EXPbyhand", "t", plans.OTHER_TEMPLATE, {}, False, START - 30)
        made.service.experiments.append(by_hand)
        made.run()
        assert (
            "experiment EXPbyhand of the service is still running"
            in (made.journal()["verdict"]["message"])
        )
