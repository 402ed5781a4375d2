"""Aborted, timed out and failed runs are cleaned up, with or without an event of EventBridge."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from staged_resiliency.drills.runtime import cleanup
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.cleanup import FaultNotOverError
from staged_resiliency.drills.runtime.plan import Plan, Timeouts
from staged_resiliency.drills.state_machine import cleanup_pattern
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.simulation import Script

SHUTDOWN = replace(plans.SHUTDOWN, sample_seconds=20, call_seconds=300)
LONG = replace(
    plans.BLACKHOLE,
    sample_seconds=20,
    call_seconds=300,
    fault_seconds=3600,
    timeouts=Timeouts.of(3600, plans.BLACKHOLE.hypothesis, 360),
)


def execution_of(machine: str) -> str:
    """ARN of the only run of a state machine."""
    return f"{machine.replace('stateMachine', 'execution')}:run-1"


def aborted(made: Account, plan: Plan, within: str = names.OBSERVE) -> str:
    """Run a drill that is aborted in a phase, without an event; return its state machine."""
    machine = made.machine(plan)
    made.after = lambda phase, count: made.stop(execution_of(machine)) if phase == within else None
    made.start(machine)
    assert made.wait(execution_of(machine))["status"] == "ABORTED"
    return machine


@pytest.fixture
def missed() -> Iterator[tuple[Account, str]]:
    """An account with an aborted run whose event was lost; its machine."""
    with account(SHUTDOWN) as made:
        yield made, aborted(made, SHUTDOWN)


def cleaned(made: Account) -> list[str]:
    """Runs that are marked as cleaned up."""
    return [key for key in made.objects() if key.endswith("/done/cleanup")]


def test_a_run_whose_event_was_lost_is_cleaned_up_by_the_schedule(
    missed: tuple[Account, str],
) -> None:
    made, machine = missed
    made.service.now += cleanup.EVENT_SECONDS
    made.clean_up_missed(machine)
    assert not made.service.broken
    assert made.service.running == []
    assert made.journal()["verdict"]["message"] == "the run was aborted"
    assert len(made.messages()) == 1
    assert len(cleaned(made)) == 1
    made.clean_up_missed(machine)
    assert made.log[-1]["event"] == "nothing to clean up"
    assert made.messages() == []


def test_a_run_that_just_ended_is_left_to_its_event(missed: tuple[Account, str]) -> None:
    made, machine = missed
    made.clean_up_missed(machine)
    assert cleaned(made) == []


def test_a_run_of_long_ago_is_left_alone(missed: tuple[Account, str]) -> None:
    """Its host may be stopped on purpose."""
    made, machine = missed
    made.service.now += cleanup.MAX_AGE_SECONDS + 1
    made.clean_up_missed(machine)
    assert cleaned(made) == []


def test_a_cleanup_that_fails_holds_up_no_other(missed: tuple[Account, str]) -> None:
    made, machine = missed
    made.service.now += cleanup.EVENT_SECONDS
    made.service.errors["DescribeStateMachineForExecution"] = ["AccessDeniedException"]
    made.clean_up_missed(machine)  # the first time it fails, and Lambda calls it again
    assert "the cleanup failed" in {each["event"] for each in made.log}
    assert len(cleaned(made)) == 1


def test_a_drill_whose_runs_can_not_be_listed_holds_up_no_other(
    missed: tuple[Account, str],
) -> None:
    made, machine = missed
    made.service.now += cleanup.EVENT_SECONDS
    with pytest.raises(FaultNotOverError, match="StateMachineDoesNotExist"):
        made.clean_up_missed(f"{machine}-gone", machine)
    assert len(cleaned(made)) == 1


@pytest.mark.slow
def test_a_fault_that_outlasts_the_cleanup_has_no_verdict_until_it_is_over() -> None:
    """One of an hour, of a run that was aborted at once."""
    with account(LONG, Script(detect=120, clients_move=None)) as made:
        machine = aborted(made, LONG)
        made.clean_up(made.wait(execution_of(machine)))
        assert made.log[-1]["event"] == "the cleanup continues later"
        assert made.messages() == []
        for _ in range(10):
            if cleaned(made):
                break
            made.service.now += 900 - cleanup.CALL_SECONDS
            made.clean_up_missed(machine)
        assert not made.service.broken
        found = made.journal()["verdict"]
        assert (found["status"], found["message"]) == ("aborted", "the run was aborted")
        assert len(made.messages()) == 1


@pytest.mark.slow
def test_a_fault_that_outlasts_its_time_is_reported_and_cleaned_up_later() -> None:
    with account(SHUTDOWN, Script(stop_takes=4000)) as made:
        machine = aborted(made, SHUTDOWN)
        made.clean_up(made.wait(execution_of(machine)))
        assert made.messages() == []
        made.service.now += cleanup.EVENT_SECONDS - cleanup.CALL_SECONDS
        with pytest.raises(FaultNotOverError, match="is stopping"):
            made.clean_up_missed(machine)
        assert made.journal()["verdict"]["message"].startswith("THE FAULT MAY STILL BE THERE")
        assert len(made.messages()) == 1
        assert cleaned(made) == []
        made.service.now += 4000
        made.clean_up_missed(machine)
        assert len(cleaned(made)) == 1


def test_a_late_cleanup_waits_for_the_experiment_that_it_stops() -> None:
    with account(SHUTDOWN, Script(initiating_forever=True)) as made:
        machine = aborted(made, SHUTDOWN, names.INJECT)
        made.service.now += SHUTDOWN.timeouts.end + cleanup.EVENT_SECONDS
        made.clean_up_missed(machine)
        assert made.journal()["verdict"]["status"] == "aborted"


def test_the_schedule_finds_the_same_runs_as_events() -> None:
    assert cleanup_pattern([])["detail"]["status"] == list(cleanup.ABNORMAL_ENDS)
