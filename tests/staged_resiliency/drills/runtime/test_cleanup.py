"""Runs that ended badly are swept, whether EventBridge told of them or not."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from staged_resiliency.drills.runtime import cleanup
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.cleanup import FaultNotOverError
from staged_resiliency.drills.runtime.plan import Plan, Timeouts
from staged_resiliency.drills.state_machine import cleanup_pattern
from tests.staged_resiliency.drills import plans
from tests.staged_resiliency.drills.account import Account, account
from tests.staged_resiliency.drills.service import Script

SHUTDOWN = replace(plans.SHUTDOWN, sample_seconds=20, call_seconds=110)
LONG = replace(
    plans.BLACKHOLE,
    sample_seconds=20,
    call_seconds=110,
    fault_seconds=3600,
    timeouts=Timeouts.of(3600, plans.BLACKHOLE.hypothesis),
)


def execution_of(machine: str) -> str:
    """ARN of the only run of a state machine."""
    return f"{machine.replace('stateMachine', 'execution')}:run-1"


def aborted(made: Account, plan: Plan, within: str = names.OBSERVE) -> str:
    """Run a drill that is aborted in a phase, of which nobody is told; its state machine."""
    machine = made.machine(plan)
    made.after = lambda phase, count: made.stop(execution_of(machine)) if phase == within else None
    made.start(machine)
    assert made.wait(execution_of(machine))["status"] == "ABORTED"
    return machine


@pytest.fixture
def left() -> Iterator[tuple[Account, str]]:
    """An account with an aborted run whose event was lost; its machine."""
    with account(SHUTDOWN) as made:
        yield made, aborted(made, SHUTDOWN)


def swept(made: Account) -> list[str]:
    """Runs that are marked as swept."""
    return [key for key in made.objects() if key.endswith("/done/swept")]


def test_a_run_whose_event_was_lost_is_swept_by_the_schedule(left: tuple[Account, str]) -> None:
    made, machine = left
    made.service.now += cleanup.LEFT_SECONDS
    made.sweep_left(machine)
    assert not made.service.broken
    assert made.service.running == []
    assert made.journal()["verdict"]["message"] == "the run was aborted"
    assert len(made.messages()) == 1
    assert len(swept(made)) == 1
    made.sweep_left(machine)
    assert made.log[-1]["event"] == "nothing to sweep"
    assert made.messages() == []


def test_a_run_that_just_ended_is_left_to_its_event(left: tuple[Account, str]) -> None:
    made, machine = left
    made.sweep_left(machine)
    assert swept(made) == []


def test_a_run_of_long_ago_is_left_alone(left: tuple[Account, str]) -> None:
    """Its host may be stopped on purpose."""
    made, machine = left
    made.service.now += cleanup.FORGOTTEN_SECONDS + 1
    made.sweep_left(machine)
    assert swept(made) == []


def test_one_run_that_can_not_be_swept_holds_up_no_other(left: tuple[Account, str]) -> None:
    made, machine = left
    made.service.now += cleanup.LEFT_SECONDS
    made.service.errors["DescribeStateMachineForExecution"] = ["AccessDeniedException"]
    made.sweep_left(machine)  # the first time it fails, and Lambda calls it again
    assert "not swept" in {each["event"] for each in made.log}
    assert len(swept(made)) == 1


def test_a_drill_whose_runs_can_not_be_listed_holds_up_no_other(left: tuple[Account, str]) -> None:
    made, machine = left
    made.service.now += cleanup.LEFT_SECONDS
    with pytest.raises(FaultNotOverError, match="StateMachineDoesNotExist"):
        made.sweep_left(f"{machine}-gone", machine)
    assert len(swept(made)) == 1


def test_a_fault_that_outlasts_the_sweep_has_no_verdict_until_it_is_over() -> None:
    """One of an hour, of a run that was aborted at once."""
    with account(LONG, Script(detect=120, clients_move=None)) as made:
        machine = aborted(made, LONG)
        made.sweep(made.wait(execution_of(machine)))
        assert made.log[-1]["event"] == "the sweep goes on later"
        assert made.messages() == []
        for _ in range(10):
            if swept(made):
                break
            made.service.now += 900 - cleanup.PATIENCE_SECONDS
            made.sweep_left(machine)
        assert not made.service.broken
        found = made.journal()["verdict"]
        assert (found["status"], found["message"]) == ("aborted", "the run was aborted")
        assert len(made.messages()) == 1


def test_a_fault_that_outlasts_its_time_is_told_and_swept_on() -> None:
    with account(SHUTDOWN, Script(stop_takes=4000)) as made:
        machine = aborted(made, SHUTDOWN)
        made.sweep(made.wait(execution_of(machine)))
        assert made.messages() == []
        made.service.now += cleanup.LEFT_SECONDS - cleanup.PATIENCE_SECONDS
        with pytest.raises(FaultNotOverError, match="is stopping"):
            made.sweep_left(machine)
        assert made.journal()["verdict"]["message"].startswith("THE FAULT MAY STILL BE THERE")
        assert len(made.messages()) == 1
        assert swept(made) == []
        made.service.now += 4000
        made.sweep_left(machine)
        assert len(swept(made)) == 1


def test_a_sweep_that_comes_late_waits_for_what_it_stops() -> None:
    with account(SHUTDOWN, Script(initiating_forever=True)) as made:
        machine = aborted(made, SHUTDOWN, names.INJECT)
        made.service.now += SHUTDOWN.timeouts.end + cleanup.LEFT_SECONDS
        made.sweep_left(machine)
        assert made.journal()["verdict"]["status"] == "aborted"


def test_the_schedule_finds_the_runs_that_events_tell_of() -> None:
    assert cleanup_pattern([])["detail"]["status"] == list(cleanup.ENDS)
