"""Whole runs of drills that deny a distribution its origin, with S3's bucket policies in moto.

Whatever happens in a run, afterwards the policy has no statement of the run any more, and all that
others have in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.faults import DenyOrigin, Place
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.context import AwsError
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.account import Account, FunctionError
from tests.fake_aws.origin import FORMER
from tests.fake_aws.simulation import START, ApiError
from tests.staged_resiliency.drills.runtime.origin_drills import (
    PLAN,
    SID,
    calls,
    drilled,
    images,
    sids,
    write,
)
from tests.staged_resiliency.drills.runtime.runs import moment

slow = pytest.mark.slow


def run(made: Account, name: str = "run-1") -> tuple[str, Mapping[str, Any]]:
    """Run the drill to its end: the execution's status and the verdict."""
    status = made.run(name)
    return status, made.journal(name)["verdict"]


@pytest.mark.slow
def test_clients_of_the_dependency_move_and_return_while_those_of_the_service_stay() -> None:
    with drilled() as made:
        status, said = run(made)
        assert (status, said["status"]) == ("SUCCEEDED", "passed"), said["message"]
        journal, service = made.journal(), images(made)
        assert service.policy == FORMER
        assert not service.denied
        assert list(service.invalidated) == [f"{SID}-denied", f"{SID}-restored"]
        assert set(map(tuple, service.invalidated.values())) == {("/status.txt",)}
        assert 170 <= journal["measures"]["failover_seconds"] <= 210
        assert 0 < journal["measures"]["outage_seconds"] < 360
        assert (journal["record"], journal["active"], journal["standby"], journal["host"]) == (
            *(plans.IMAGES, plans.PRIMARY, plans.SECONDARY, plans.PRIMARY),
        )
        assert journal["fault"] == "origin denied"
        stay = [each for each in said["judgements"] if each["expectation"].get("on") == plans.BLUE]
        assert [each["status"] for each in stay] == ["passed"]
        lasted = moment(journal["fault_ended_at"]) - moment(journal["injected_at"])
        assert 200 <= lasted < 300 < PLAN.fault_seconds  # until all that is expected has happened


@slow
@pytest.mark.parametrize("phase", [names.INJECT, names.OBSERVE])
@pytest.mark.parametrize("at", ["before", "after"])
def test_the_policy_is_restored_after_an_abort(phase: str, at: str) -> None:
    """An abort before the injection does not stop the function that adds the statement."""
    with drilled() as made:
        assert made.finish(made.start_aborted(phase, when=at)) == "ABORTED"
        assert made.journal()["verdict"]["status"] == "aborted"
        assert images(made).policy == FORMER
        assert calls(made, "PutBucketPolicy") == 2  # added, and removed


@slow
def test_the_policy_is_restored_by_the_schedule_where_the_event_of_the_end_is_lost() -> None:
    with drilled() as made:
        made.wait(made.start_aborted(names.INJECT))
        assert sids(made) == ["AllowCloudFront", SID]
        made.service.sleep(901)
        made.clean_up_missed()
        assert images(made).policy == FORMER
        assert made.faults_not_ended == [0.0]


def _change_statement(made: Account) -> None:
    policy = images(made).policy
    policy["Statement"][1]["Condition"].pop("DateLessThan", None)
    write(made, policy)


@slow
@cases(
    ("change", "status", "message"),
    {
        "a guard fires": (
            lambda made: made.service.script.alarm_states.update({plans.GUARD_ALARM: "ALARM"}),
            "aborted",
            f"the guard {plans.GUARD_ALARM} is in ALARM",
        ),
        "neither target serves": (
            lambda made: setattr(made.service, "secondary_answers", False),
            "failed",
            f"neither {plans.PRIMARY} nor {plans.SECONDARY} answered ",
        ),
        "the service itself does not answer": (
            lambda made: setattr(made.service.script, "active_answers", False),
            "aborted",
            f"{plans.RECORD} does not answer",
        ),
        "somebody removes the statement": (
            lambda made: write(made, FORMER),
            "aborted",
            f"the experiment is stopped: {SID} is no longer in the policy of {plans.ORIGIN_BUCKET}",
        ),
        "somebody changes the statement": (
            _change_statement,
            "aborted",
            f"the experiment is stopped: somebody has changed {SID}",
        ),
    },
)
def test_the_fault_ends_at_once_where(
    change: Callable[[Account], object], status: str, message: str
) -> None:
    with drilled() as made:
        made.before_phase(names.OBSERVE, lambda: change(made), first=True)
        _, said = run(made)
        assert said["status"] == status
        assert said["message"].startswith(message)
        assert images(made).policy == FORMER


@slow
def test_a_statement_that_is_added_though_the_answer_is_lost_is_removed() -> None:
    with drilled() as made:
        given, lost = made.context.aws, [True]

        def aws(service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
            answer = given(service, operation, **parameters)
            if operation == "PutBucketPolicy" and lost.pop() is True:
                lost.extend([False] * 9)
                raise AwsError("ReadTimeoutError", "lost")
            return answer

        made.context = replace(made.context, aws=aws)
        _, said = run(made)
        assert said["status"] == "passed", said["message"]
        assert images(made).policy == FORMER
        assert calls(made, "PutBucketPolicy") == 2


@slow
def test_a_fault_whose_path_is_not_invalidated_is_ended() -> None:
    with drilled() as made:
        made.refuse("cloudfront", "CreateInvalidation", ApiError("TooManyInvalidationsInProgress"))
        _, said = run(made)
        assert said["status"] == "aborted"
        wanted = "the fault was not started: /status.txt is not invalidated: TooManyInvalidations"
        assert wanted in said["message"]
        assert images(made).policy == FORMER


@slow
@pytest.mark.parametrize("phase", [names.INJECT, names.OBSERVE])
def test_the_policy_is_restored_where_a_function_fails(phase: str) -> None:
    with drilled() as made:

        def fail(name: str, count: int) -> None:
            if name == phase:
                raise FunctionError("scripted")

        made.after = fail
        run(made)
        assert images(made).policy == FORMER


@slow
def test_a_policy_that_can_not_be_restored_ends_by_its_own_condition() -> None:
    with drilled() as made:
        denied = ApiError("AccessDenied")
        made.before_phase(names.END_FAULT, lambda: made.refuse("s3", "PutBucketPolicy", denied))
        status, said = run(made)
        assert status == "SUCCEEDED"
        assert moment(made.journal()["fault_ended_at"]) >= START + PLAN.fault_seconds
        assert sids(made) == ["AllowCloudFront", SID]
        assert not images(made).denied
        detail = [each for each in made.journal()["transitions"] if each["value"] == "ended"]
        assert f"remove {SID} from the policy of {plans.ORIGIN_BUCKET}" in detail[0]["detail"]
        assert said["status"] in ("passed", "failed")


def test_a_dry_run_changes_nothing() -> None:
    plan = replace(PLAN, enabled=False)
    with drilled(plan) as made:
        status, said = run(made)
        assert (status, said["status"]) == ("SUCCEEDED", "dry run")
        aim = f"aimed at distribution E1PA6795UKMFR9 and bucket {plans.ORIGIN_BUCKET}"
        assert aim in said["message"]
        assert calls(made, "PutBucketPolicy") == calls(made, "CreateInvalidation") == 0


@slow
@pytest.mark.parametrize(
    ("changed", "reason"),
    [("secondary", f"is answered by {plans.SECONDARY}"), ("nobody", "is not answered (")],
)
def test_a_run_that_finds_clients_elsewhere_injects_nothing(changed: str, reason: str) -> None:
    def move(service: Any) -> None:
        service._failed_at, service._good = START - 1000, False
        service.moves_after = 0 if changed == "secondary" else 1e9

    with drilled() as made:
        made.before_phase(names.STEADY_STATE, lambda: move(made.service))
        _, said = run(made)
        assert said["message"].startswith("no steady state: /status.txt of images.")
        assert reason in said["message"]
        assert calls(made, "PutBucketPolicy") == 0


@slow
def test_functions_call_what_they_may_and_nothing_else() -> None:
    with drilled(policy=None) as made:
        run(made)
        used = {name: set(actions) for name, actions in made.used.items()}
    with drilled() as made:
        run(made)
        used = {name: actions | used[name] for name, actions in made.used.items() if name in used}
    fault = DenyOrigin(
        record_name=plans.IMAGES,
        primary=plans.PRIMARY,
        secondary=plans.SECONDARY,
        distribution_id="E1PA6795UKMFR9",
        bucket=plans.ORIGIN_BUCKET,
        duration_minutes=10,
    )
    added = fault.permissions(Place("aws", "us-west-2", "123456789012"))
    for function in functions.ALL:
        own = functions.permissions_of(function, without=[functions.Resource.CLIENT])
        more: set[str] = set()
        for statement in added[function.name]:
            actions = statement["Action"]
            more |= {actions} if isinstance(actions, str) else set(cast(list[str], actions))
        assert used[function.name] - {each.action for each in own} - more == set()
        assert more - used[function.name] == set(), "a permission that is not needed"
