"""Aborted, timed out and failed runs are cleaned up, with or without an event of EventBridge."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime import cleanup
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.cleanup import FaultNotOverError
from staged_resiliency.drills.runtime.durations import Timeouts
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account, moment
from tests.fake_aws.simulation import ApiError, Script

SHUTDOWN = replace(plans.SHUTDOWN, sample_seconds=20, call_seconds=300)
LONG = replace(
    plans.BLACKHOLE,
    sample_seconds=20,
    call_seconds=300,
    fault_seconds=3600,
    timeouts=Timeouts.of(3600, plans.BLACKHOLE.hypothesis, 360),
)


def aborted(made: Account, within: str = names.OBSERVE) -> str:
    """Run the drill, which is aborted in a phase, without an event; return the run's ARN."""
    execution = made.start_aborted(within)
    assert made.wait(execution)["status"] == "ABORTED"
    return execution


@pytest.fixture
def missed() -> Iterator[Account]:
    """An account with an aborted run whose event was lost."""
    with account(SHUTDOWN) as made:
        aborted(made)
        yield made


@pytest.fixture
def stopped() -> Iterator[Account]:
    """The same, where nothing but the cleanup starts the host."""
    with account(SHUTDOWN, Script(fis_starts_instance=False)) as made:
        aborted(made)
        yield made


def rewrite_plan(made: Account, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the plan that the run left behind when it began."""
    (key,) = [each for each in made.objects() if each.startswith("begun/")]
    begun = json.loads(made.client("s3").get_object(Bucket=plans.BUCKET, Key=key)["Body"].read())
    made.put(key, json.dumps({**begun, "plan": change(begun["plan"])}))


def cleaned(made: Account) -> list[str]:
    """Runs that are marked as cleaned up."""
    return [key for key in made.objects() if key.startswith("ended/")]


@pytest.mark.slow
def test_a_run_whose_event_was_lost_is_cleaned_up_by_the_schedule(missed: Account) -> None:
    missed.service.now += cleanup.EVENT_SECONDS
    missed.clean_up_missed()
    assert not missed.service.broken
    assert missed.service.running == []
    assert missed.journal()["verdict"]["message"] == "the run was aborted"
    assert len(missed.messages()) == 1
    assert len(cleaned(missed)) == 1
    missed.clean_up_missed()
    assert missed.messages() == []


def test_a_run_that_just_ended_is_left_to_its_event(missed: Account) -> None:
    missed.clean_up_missed()
    assert cleaned(missed) == []


def test_the_host_of_a_run_of_long_ago_is_not_started_but_reported_until_it_runs(
    stopped: Account,
) -> None:
    """It may have been stopped on purpose."""
    stopped.service.now += cleanup.MAX_AGE_SECONDS + 1
    for _ in range(2):
        stopped.clean_up_missed()
    assert stopped.service.started_by_hand is None
    assert stopped.faults_not_ended == [1, 1]
    assert cleaned(stopped) == []
    stopped.service.started_by_hand = stopped.service.now - 600
    stopped.clean_up_missed()
    assert stopped.faults_not_ended == [1, 1, 0]
    assert stopped.journal()["verdict"]["message"] == "the run was aborted"
    assert len(cleaned(stopped)) == 1


@pytest.mark.slow
def test_a_host_is_not_started_again_because_a_message_can_not_be_sent(stopped: Account) -> None:
    """That the fault is over is recorded apart from that people know of it."""
    stopped.service.now += cleanup.EVENT_SECONDS
    stopped.service.errors["Publish"] = ["InternalErrorException"] * 99
    with pytest.raises(FaultNotOverError, match="InternalError"):
        stopped.clean_up_missed()
    started = stopped.service.started_by_hand
    assert started is not None
    assert stopped.faults_not_ended[-1] == 0
    # Hours later somebody stops the host on purpose.
    stopped.service.now += 20 * 3600
    stopped.service.started_by_hand = None
    calls = len(stopped.calls)
    with pytest.raises(FaultNotOverError):
        stopped.clean_up_missed()
    assert ("ec2", "StartInstances") not in stopped.calls[calls:]
    stopped.service.errors.clear()
    stopped.clean_up_missed()
    assert stopped.service.started_by_hand is None
    assert len(stopped.messages()) == 1


@pytest.mark.parametrize("gone", ["the drill was removed", "the machine was deleted"])
def test_a_run_whose_drill_was_removed_meanwhile_is_cleaned_up(gone: str, stopped: Account) -> None:
    if gone == "the machine was deleted":
        # Step Functions then ends the runs, and in time forgets them.
        stopped.refuse("stepfunctions", "DescribeExecution", ApiError("ExecutionDoesNotExist"))
        stopped.refuse(
            "stepfunctions",
            "DescribeStateMachineForExecution",
            ApiError("StateMachineDoesNotExist"),
        )
        stopped.clean_up(stopped.wait(plans.EXECUTION))
        assert stopped.service.broken  # left to the schedule
    stopped.service.now += cleanup.EVENT_SECONDS
    stopped.clean_up_missed()
    assert not stopped.service.broken
    assert len(cleaned(stopped)) == 1


def test_the_fault_of_a_run_with_an_unknown_plan_is_ended_and_reported(stopped: Account) -> None:
    """The plan is of a release with another kind of expectation."""
    rewrite_plan(stopped, lambda plan: {**plan, "hypothesis": [{"expects": "luck"}]})
    stopped.service.now += cleanup.EVENT_SECONDS
    stopped.clean_up_missed()
    assert not stopped.service.broken
    assert stopped.service.running == []
    (message,) = stopped.messages()
    assert "the fault is over, and the run has no verdict" in message["Message"]
    assert "hypothesis[0].expects: found 'luck'" in message["Message"]
    assert len(cleaned(stopped)) == 1
    stopped.clean_up_missed()
    assert stopped.messages() == []


def test_the_cleanup_needs_of_a_plan_the_template_and_the_instance_alone(stopped: Account) -> None:
    """The rest has a form that this release does not know."""
    needed = ("experiment_template_id", "target", "active")
    rewrite_plan(stopped, lambda plan: {each: plan[each] for each in needed})
    stopped.service.now += cleanup.EVENT_SECONDS
    stopped.clean_up_missed()
    assert not stopped.service.broken
    assert stopped.faults_not_ended == [0]
    assert len(cleaned(stopped)) == 1
    assert "no message" in {each["event"] for each in stopped.log}


def test_an_event_of_a_run_whose_bucket_is_unknown_is_left_to_the_schedule() -> None:
    with account(SHUTDOWN) as made:
        execution = aborted(made)
        plan = {**SHUTDOWN.to_json(), "journal_bucket": None}
        answer = {
            "definition": json.dumps({"States": {names.PLAN: {"Result": {"plan": plan}}}}),
            "stateMachineArn": plans.MACHINE,
            "name": "shutdown",
            "roleArn": "arn",
            "updateDate": moment(made.service.now),
        }
        made.answers["stepfunctions", "DescribeStateMachineForExecution"] = lambda _: answer
        made.clean_up(made.wait(execution))
        assert made.log[-1]["event"] == "left to the schedule, as its bucket is unknown"


def test_a_cleanup_that_fails_holds_up_no_other(missed: Account) -> None:
    other = f"{plans.EXECUTION.rpartition(':')[0]}:run-0"
    missed.put("begun/other/run-0.json", json.dumps({"execution": other, "plan": {}, "at": 0}))
    missed.service.now += cleanup.EVENT_SECONDS
    with pytest.raises(FaultNotOverError):
        missed.clean_up_missed()
    assert "the cleanup failed" in {each["event"] for each in missed.log}
    assert len(cleaned(missed)) == 1


@pytest.mark.slow
def test_a_fault_that_outlasts_the_cleanup_has_no_verdict_until_it_is_over() -> None:
    """One of an hour, of a run that was aborted at once."""
    with account(LONG, Script(detect=120, clients_move=None)) as made:
        execution = aborted(made)
        made.clean_up(made.wait(execution))
        assert made.log[-1]["event"] == "the cleanup continues later"
        assert made.messages() == []
        for _ in range(10):
            if cleaned(made):
                break
            made.service.now += 900 - cleanup.CALL_SECONDS
            made.clean_up_missed()
        assert not made.service.broken
        found = made.journal()["verdict"]
        assert (found["status"], found["message"]) == ("aborted", "the run was aborted")
        assert len(made.messages()) == 1


@pytest.mark.slow
def test_a_fault_that_outlasts_its_time_is_reported_and_cleaned_up_later() -> None:
    with account(SHUTDOWN, Script(stop_takes=4000)) as made:
        execution = aborted(made)
        made.clean_up(made.wait(execution))
        assert made.messages() == []
        made.service.now += cleanup.EVENT_SECONDS - cleanup.CALL_SECONDS
        with pytest.raises(FaultNotOverError, match="run-1: the fault may still be there"):
            made.clean_up_missed()
        assert made.journal()["verdict"]["message"].startswith("THE FAULT MAY STILL BE THERE")
        assert len(made.messages()) == 1
        assert cleaned(made) == []
        made.service.now += 4000
        made.clean_up_missed()
        assert len(cleaned(made)) == 1


def test_a_late_cleanup_waits_for_the_experiment_that_it_stops() -> None:
    with account(SHUTDOWN, Script(initiating_forever=True)) as made:
        aborted(made, names.INJECT)
        made.service.now += SHUTDOWN.timeouts.end + cleanup.EVENT_SECONDS
        made.clean_up_missed()
        assert made.journal()["verdict"]["status"] == "aborted"
