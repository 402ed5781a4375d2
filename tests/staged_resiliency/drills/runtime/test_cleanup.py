"""Aborted, timed out and failed runs are cleaned up, with or without an event of EventBridge."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from staged_resiliency.drills.runtime import cleanup
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.cleanup import FaultNotOverError
from staged_resiliency.drills.runtime.plan import Plan, Timeouts
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
    return [key for key in made.objects() if key.startswith("ended/")]


def test_a_run_whose_event_was_lost_is_cleaned_up_by_the_schedule(
    missed: tuple[Account, str],
) -> None:
    made, _ = missed
    made.service.now += cleanup.EVENT_SECONDS
    made.clean_up_missed()
    assert not made.service.broken
    assert made.service.running == []
    assert made.journal()["verdict"]["message"] == "the run was aborted"
    assert len(made.messages()) == 1
    assert len(cleaned(made)) == 1
    made.clean_up_missed()
    assert made.messages() == []


def test_a_run_that_just_ended_is_left_to_its_event(missed: tuple[Account, str]) -> None:
    made, _ = missed
    made.clean_up_missed()
    assert cleaned(made) == []


def test_the_host_of_a_run_of_long_ago_is_not_started_but_reported_until_it_runs() -> None:
    """It may have been stopped on purpose."""
    with account(SHUTDOWN, Script(fis_starts_instance=False)) as made:
        aborted(made, SHUTDOWN)
        made.service.now += cleanup.MAX_AGE_SECONDS + 1
        for _ in range(2):
            made.clean_up_missed()
        assert made.service.started_by_hand is None
        assert made.faults_not_ended == [1, 1]
        assert cleaned(made) == []
        made.service.started_by_hand = made.service.now - 600
        made.clean_up_missed()
        assert made.faults_not_ended == [1, 1, 0]
        assert made.journal()["verdict"]["message"] == "the run was aborted"
        assert len(cleaned(made)) == 1


def test_a_host_is_not_started_again_because_a_message_can_not_be_sent() -> None:
    """That the fault is over is recorded apart from that people know of it."""
    with account(SHUTDOWN, Script(fis_starts_instance=False)) as made:
        aborted(made, SHUTDOWN)
        made.service.now += cleanup.EVENT_SECONDS
        made.service.errors["Publish"] = ["InternalErrorException"] * 99
        with pytest.raises(FaultNotOverError, match="InternalError"):
            made.clean_up_missed()
        started = made.service.started_by_hand
        assert started is not None
        assert made.faults_not_ended[-1] == 0
        # Hours later somebody stops the host on purpose.
        made.service.now += 20 * 3600
        made.service.started_by_hand = None
        calls = len(made.calls)
        with pytest.raises(FaultNotOverError):
            made.clean_up_missed()
        assert ("ec2", "StartInstances") not in made.calls[calls:]
        made.service.errors.clear()
        made.clean_up_missed()
        assert made.service.started_by_hand is None
        assert len(made.messages()) == 1


@pytest.mark.parametrize("gone", ["the drill was removed", "the machine was deleted"])
def test_a_run_whose_drill_was_removed_meanwhile_is_cleaned_up(gone: str) -> None:
    with account(SHUTDOWN, Script(fis_starts_instance=False)) as made:
        machine = aborted(made, SHUTDOWN)
        if gone == "the machine was deleted":
            # Step Functions then ends the runs, and in time forgets them.
            made.refuse("stepfunctions", "DescribeExecution", ApiError("ExecutionDoesNotExist"))
            made.refuse(
                "stepfunctions",
                "DescribeStateMachineForExecution",
                ApiError("StateMachineDoesNotExist"),
            )
            made.clean_up(made.wait(execution_of(machine)))
            assert made.service.broken  # left to the schedule
        made.service.now += cleanup.EVENT_SECONDS
        made.clean_up_missed()
        assert not made.service.broken
        assert len(cleaned(made)) == 1


def test_the_fault_of_a_run_with_an_unknown_plan_is_ended_and_reported() -> None:
    """The plan is of a release with another kind of expectation."""
    with account(SHUTDOWN, Script(fis_starts_instance=False)) as made:
        aborted(made, SHUTDOWN)
        (key,) = [each for each in made.objects() if each.startswith("begun/")]
        client = made.client("s3")
        begun = json.loads(client.get_object(Bucket=plans.BUCKET, Key=key)["Body"].read())
        begun["plan"]["hypothesis"] = [{"expects": "luck"}]
        made.put(key, json.dumps(begun))
        made.service.now += cleanup.EVENT_SECONDS
        made.clean_up_missed()
        assert not made.service.broken
        assert made.service.running == []
        (message,) = made.messages()
        assert "the fault is over, and the run has no verdict" in message["Message"]
        assert "hypothesis[0].expects: found 'luck'" in message["Message"]
        assert len(cleaned(made)) == 1
        made.clean_up_missed()
        assert made.messages() == []


def test_the_cleanup_needs_of_a_plan_the_template_and_the_instance_alone() -> None:
    """The rest has a form that this release does not know."""
    with account(SHUTDOWN, Script(fis_starts_instance=False)) as made:
        aborted(made, SHUTDOWN)
        (key,) = [each for each in made.objects() if each.startswith("begun/")]
        begun = json.loads(
            made.client("s3").get_object(Bucket=plans.BUCKET, Key=key)["Body"].read()
        )
        needed = ("experiment_template_id", "target", "active")
        begun["plan"] = {each: begun["plan"][each] for each in needed}
        made.put(key, json.dumps(begun))
        made.service.now += cleanup.EVENT_SECONDS
        made.clean_up_missed()
        assert not made.service.broken
        assert made.faults_not_ended == [0]
        assert len(cleaned(made)) == 1
        assert "no message" in {each["event"] for each in made.log}


def test_an_event_of_a_run_whose_bucket_is_unknown_is_left_to_the_schedule() -> None:
    with account(SHUTDOWN) as made:
        machine = aborted(made, SHUTDOWN)
        plan = {**SHUTDOWN.to_json(), "journal_bucket": None}
        answer = {
            "definition": json.dumps({"States": {names.PLAN: {"Result": {"plan": plan}}}}),
            "stateMachineArn": machine,
            "name": "shutdown",
            "roleArn": "arn",
            "updateDate": moment(made.service.now),
        }
        made.answers["stepfunctions", "DescribeStateMachineForExecution"] = lambda _: answer
        made.clean_up(made.wait(execution_of(machine)))
        assert made.log[-1]["event"] == "left to the schedule, as its bucket is unknown"


def test_a_cleanup_that_fails_holds_up_no_other(missed: tuple[Account, str]) -> None:
    made, _ = missed
    other = f"{plans.EXECUTION.rpartition(':')[0]}:run-0"
    made.put("begun/other/run-0.json", json.dumps({"execution": other, "plan": {}, "at": 0}))
    made.service.now += cleanup.EVENT_SECONDS
    with pytest.raises(FaultNotOverError):
        made.clean_up_missed()
    assert "the cleanup failed" in {each["event"] for each in made.log}
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
            made.clean_up_missed()
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
        aborted(made, SHUTDOWN, names.INJECT)
        made.service.now += SHUTDOWN.timeouts.end + cleanup.EVENT_SECONDS
        made.clean_up_missed()
        assert made.journal()["verdict"]["status"] == "aborted"
