"""Whole runs of drills that deny a distribution its origin, with S3's bucket policies in moto.

Whatever happens in a run, afterwards the policy has no statement of the run any more, and all that
others have in it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, cast

import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.faults import DenyOrigin, Place
from staged_resiliency.drills.runtime import client_view, engine, handlers, origin_fault, recorder
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.context import AwsError
from staged_resiliency.drills.runtime.plan import Ending, Plan
from staged_resiliency.drills.runtime.preflight import inspect, refusals
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.drills.runtime.store import policy_key
from tests.fake_aws import plans
from tests.fake_aws.account import Account, FunctionError, account
from tests.fake_aws.origin import ALLOW, FORMER, OriginService
from tests.fake_aws.simulation import START, ApiError, Script

PLAN = replace(plans.DENY_ORIGIN, sample_seconds=25, call_seconds=200)
ORIGIN = plans.DENIED
SID = "StagedResiliencyDrillrun1"
THEIRS = {**ALLOW, "Sid": "Theirs", "Effect": "Allow"}

slow = pytest.mark.slow


@contextmanager
def drilled(plan: Plan = PLAN, policy: Any = FORMER, **given: Any) -> Iterator[Account]:
    """An account with the bucket, in which a policy is written unless it is None."""
    service = OriginService(plan, Script(detect=None, clients_move=None), START, **given)
    with account(plan, service=service) as made:
        s3 = made.client("s3")
        s3.create_bucket(
            Bucket=plans.ORIGIN_BUCKET,
            CreateBucketConfiguration={"LocationConstraint": "us-west-2"},
        )
        if policy is not None:
            write(made, policy)
        yield made


def write(made: Account, policy: Any) -> None:
    """Change the bucket's policy, as its owner."""
    made.client("s3").put_bucket_policy(Bucket=plans.ORIGIN_BUCKET, Policy=json.dumps(policy))


def images(made: Account) -> OriginService:
    """The service of an account."""
    assert isinstance(made.service, OriginService)
    return made.service


def run(made: Account, name: str = "run-1") -> tuple[str, Mapping[str, Any]]:
    """Run the drill to its end: the execution's status and the verdict."""
    machine = made.machine(made.service.plan)
    status = made.finish(made.start(machine, name))
    return status, made.journal(name)["verdict"]


def sids(made: Account) -> list[str]:
    """The ids of the statements of the bucket's policy."""
    policy = images(made).policy
    return [] if policy is None else [each["Sid"] for each in policy["Statement"]]


def calls(made: Account, operation: str) -> int:
    """How often an operation was called."""
    return [each for _, each in made.calls].count(operation)


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


def test_the_fault_is_ended_as_soon_as_all_that_is_expected_has_happened() -> None:
    with drilled() as made:
        run(made)
        began, ended = (
            datetime.fromisoformat(made.journal()[key].replace("Z", "+00:00"))
            for key in ("injected_at", "fault_ended_at")
        )
        assert 200 <= (ended - began).total_seconds() < 300 < PLAN.fault_seconds


def test_the_statement_denies_this_distribution_alone_and_ends_by_itself() -> None:
    found: list[Any] = []
    with drilled() as made:
        made.after = lambda phase, _: (
            found.append((made.service.now, images(made).policy))
            if phase == names.INJECT and not found
            else None
        )
        run(made)
        ((at, policy),) = found
        journal = made.client("s3").get_object(
            Bucket=plans.BUCKET, Key=policy_key(PLAN.drill, "run-1")
        )
        kept = json.loads(journal["Body"].read())
    allowed, denied = policy["Statement"]
    until = denied["Condition"]["DateLessThan"].pop("aws:CurrentTime")
    assert allowed == ALLOW
    assert denied == {
        "Sid": SID,
        "Effect": "Deny",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{plans.ORIGIN_BUCKET}/*",
        "Condition": {
            "StringEquals": {
                "aws:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E1PA6795UKMFR9"
            },
            "DateLessThan": {},
        },
    }
    ends = datetime.strptime(until, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    assert at - 30 <= ends - PLAN.fault_seconds <= at
    assert (kept["bucket"], kept["policy"]) == (plans.ORIGIN_BUCKET, FORMER)


@slow
@pytest.mark.parametrize("policy", [None, {**FORMER, "Statement": ALLOW}], ids=["none", "object"])
def test_a_bucket_gets_back_what_it_had(policy: Any) -> None:
    with drilled(policy=policy) as made:
        assert run(made)[1]["status"] == "passed"
        assert images(made).policy == (None if policy is None else FORMER)


@slow
def test_what_others_change_in_the_policy_meanwhile_stays() -> None:
    with drilled() as made:

        def edit(phase: str, count: int) -> None:
            if phase == names.OBSERVE and count == 0:
                policy = images(made).policy
                policy["Statement"].append(THEIRS)
                write(made, policy)

        made.before = edit
        assert run(made)[1]["status"] == "passed"
        assert sids(made) == ["AllowCloudFront", "Theirs"]


@slow
def test_no_fault_is_started_while_somebody_changes_the_policy() -> None:
    with drilled() as made:
        given = made.context.aws

        def aws(service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
            if str(parameters.get("Key", "")).endswith("/policy.json"):
                write(made, {**FORMER, "Statement": [ALLOW, THEIRS]})
            return given(service, operation, **parameters)

        made.context = replace(made.context, aws=aws)
        _, said = run(made)
        assert said["status"] == "aborted"
        assert "the fault was not started: somebody is changing the policy" in said["message"]
        assert sids(made) == ["AllowCloudFront", "Theirs"]
        assert calls(made, "PutBucketPolicy") == 0


@slow
@pytest.mark.parametrize("phase", [names.INJECT, names.OBSERVE])
@pytest.mark.parametrize("at", ["before", "after"])
def test_the_policy_is_restored_after_an_abort(phase: str, at: str) -> None:
    """An abort before the injection does not stop the function that adds the statement."""
    with drilled() as made:
        machine = made.machine(PLAN)
        execution = machine.replace("stateMachine", "execution") + ":run-1"
        setattr(made, at, lambda name, count: made.stop(execution) if name == phase else None)
        made.start(machine)
        assert made.finish(execution) == "ABORTED"
        assert made.journal()["verdict"]["status"] == "aborted"
        assert images(made).policy == FORMER
        assert calls(made, "PutBucketPolicy") == 2  # added, and removed


@slow
def test_the_policy_is_restored_by_the_schedule_where_the_event_of_the_end_is_lost() -> None:
    with drilled() as made:
        machine = made.machine(PLAN)
        execution = machine.replace("stateMachine", "execution") + ":run-1"
        made.after = lambda name, count: made.stop(execution) if name == names.INJECT else None
        made.start(machine)
        made.wait(execution)
        assert sids(made) == ["AllowCloudFront", SID]
        made.service.sleep(901)
        made.clean_up_missed()
        assert images(made).policy == FORMER
        assert made.faults_not_ended == [0.0]


@slow
def test_a_guard_that_fires_ends_the_fault_at_once() -> None:
    with drilled() as made:

        def fire(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                made.service.script.alarm_states[plans.GUARD_ALARM] = "ALARM"

        made.before = fire
        _, said = run(made)
        assert said["status"] == "aborted"
        assert f"the guard {plans.GUARD_ALARM} is in ALARM" in said["message"]
        assert images(made).policy == FORMER


@slow
def test_no_fault_is_started_while_a_guard_is_on() -> None:
    with drilled() as made:

        def fire(phase: str, count: int) -> None:
            if phase == names.INJECT:
                made.service.script.alarm_states[plans.GUARD_ALARM] = "ALARM"

        made.before = fire
        assert f"the guard {plans.GUARD_ALARM} is ALARM" in run(made)[1]["message"]
        assert calls(made, "PutBucketPolicy") == 0


@slow
def test_a_fault_is_ended_while_the_guards_can_not_be_read() -> None:
    plan = replace(PLAN, call_seconds=40, sample_seconds=5)
    with drilled(plan) as made:

        def lose(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                made.refuse("cloudwatch", "DescribeAlarms", ApiError("Throttling"))

        made.before = lose
        assert "the guards can't be read for " in run(made)[1]["message"]
        assert images(made).policy == FORMER


@slow
def test_the_fault_ends_at_once_where_neither_target_serves() -> None:
    with drilled() as made:

        def fail(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                images(made).secondary_answers = False

        made.before = fail
        _, said = run(made)
        assert said["status"] == "failed"
        wanted = f"neither {plans.PRIMARY} nor {plans.SECONDARY} answered "
        assert said["message"].startswith(wanted)
        assert images(made).policy == FORMER


@slow
def test_the_fault_ends_at_once_where_the_service_itself_does_not_answer() -> None:
    with drilled() as made:

        def fail(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                made.service.script.active_answers = False

        made.before = fail
        _, said = run(made)
        assert said["status"] in ("aborted", "failed")
        assert f"{plans.RECORD} does not answer" in said["message"]
        assert images(made).policy == FORMER


@slow
def test_a_fault_that_s3_refuses_is_no_fault() -> None:
    with drilled() as made:
        made.refuse("s3", "PutBucketPolicy", ApiError("AccessDenied"))
        _, said = run(made)
        assert said["status"] == "aborted"
        assert "the fault was not started: AccessDenied" in said["message"]
        assert images(made).policy == FORMER
        assert images(made).invalidated == {}


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
        assert "/status.txt is not invalidated: TooManyInvalidations" in said["message"]
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

        def refuse(phase: str, count: int) -> None:
            if phase == names.END_FAULT and count == 0:
                made.refuse("s3", "PutBucketPolicy", ApiError("AccessDenied"))

        made.before = refuse
        began = made.service.now
        status, said = run(made)
        ended = made.journal()["fault_ended_at"]
        assert status == "SUCCEEDED"
        over = datetime.fromisoformat(ended.replace("Z", "+00:00")).timestamp()
        assert over >= began + PLAN.fault_seconds
        assert sids(made) == ["AllowCloudFront", SID]
        assert not images(made).denied
        detail = [each for each in made.journal()["transitions"] if each["value"] == "ended"]
        assert f"remove {SID} from the policy of {plans.ORIGIN_BUCKET}" in detail[0]["detail"]
        del made.answers["s3", "PutBucketPolicy"]
        made.service.now += 86_400 * 7
        assert (
            f"the policy of {plans.ORIGIN_BUCKET} has the statement {SID} of a former drill; "
            "remove it" in run(made, "run-2")[1]["message"]
        )
        assert said["status"] in ("passed", "failed")


@slow
def test_a_statement_that_somebody_removes_ends_the_fault() -> None:
    with drilled() as made:

        def remove(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                write(made, FORMER)

        made.before = remove
        _, said = run(made)
        assert said["status"] == "aborted"
        assert f"{SID} is no longer in the policy of {plans.ORIGIN_BUCKET}" in said["message"]


@slow
def test_a_statement_that_somebody_changes_is_removed() -> None:
    with drilled() as made:

        def change(phase: str, count: int) -> None:
            if phase == names.OBSERVE and count == 0:
                policy = images(made).policy
                del policy["Statement"][1]["Condition"]["DateLessThan"]
                write(made, policy)

        made.before = change
        _, said = run(made)
        assert f"somebody has changed {SID}" in said["message"]
        assert images(made).policy == FORMER


@slow
def test_a_deleted_bucket_has_no_fault() -> None:
    with drilled() as made:

        def delete(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                for operation in ("GetBucketPolicy", "PutBucketPolicy"):
                    made.refuse("s3", operation, ApiError("NoSuchBucket"))

        made.before = delete
        run(made)
        ended = [each for each in made.journal()["transitions"] if each["value"] == "ended"]
        assert ended[0]["detail"] == f"{plans.ORIGIN_BUCKET} is deleted"


def test_a_dry_run_changes_nothing() -> None:
    plan = replace(PLAN, enabled=False)
    with drilled(plan) as made:
        status, said = run(made)
        assert (status, said["status"]) == ("SUCCEEDED", "dry run")
        aim = f"aimed at distribution E1PA6795UKMFR9 and bucket {plans.ORIGIN_BUCKET}"
        assert aim in said["message"]
        assert calls(made, "PutBucketPolicy") == calls(made, "CreateInvalidation") == 0


def test_an_aborted_dry_run_ends_nothing() -> None:
    with drilled() as made:
        ending = replace(PLAN.ending, enabled=False)
        assert engine.advance_fault_end(ending, "arn:run-1", None, None, made.context).over
        assert made.calls == []


def test_the_plan_of_another_release_ends_the_fault() -> None:
    with drilled() as made:
        start = origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        assert (start.id, start.status) == (SID, "running")
        state = {
            "plan": {**PLAN.to_json(), "hypothesis": [{"expects": "unknown"}]},
            "run": {"execution": "arn:run-1", "name": "run-1"},
        }
        event = {"phase": names.END_FAULT, "state": state}
        handlers.end(event, None)
        assert images(made).policy == FORMER
        assert Ending.from_plan(state["plan"]).origin == ORIGIN


def test_to_start_a_fault_twice_adds_one_statement() -> None:
    with drilled() as made:
        first = origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        assert origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context) == first
        assert calls(made, "PutBucketPolicy") == 1
        write(made, FORMER)
        with pytest.raises(AwsError, match="was added before, and is not in the policy"):
            origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)


def test_a_policy_that_never_shows_the_statement_is_an_error() -> None:
    with drilled() as made:
        policy = json.dumps(FORMER)
        made.answers["s3", "GetBucketPolicy"] = lambda _: {"Policy": policy}
        with pytest.raises(AwsError, match=f"does not show {SID}"):
            origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        assert sids(made) == ["AllowCloudFront", SID]  # the end of the fault removes it


def test_a_statement_that_an_older_answer_hid_is_no_end_of_the_fault() -> None:
    with drilled() as made:
        origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        current = images(made).policy
        answers = [FORMER, current]
        made.answers["s3", "GetBucketPolicy"] = lambda _: {"Policy": json.dumps(answers.pop(0))}
        status = engine.advance_fault_end(PLAN.ending, "arn:run-1", SID, START, made.context)
        assert not status.over
        assert status.message == f"{SID} is back in the policy of {plans.ORIGIN_BUCKET}"


def test_a_run_that_never_denied_anything_is_over_though_s3_can_not_be_asked() -> None:
    with drilled() as made:
        made.refuse("s3", "GetBucketPolicy", ApiError("AccessDenied"))
        status = engine.advance_fault_end(PLAN.ending, "arn:run-1", None, None, made.context)
        assert (status.over, status.experiment) == (True, None)
        made.put(policy_key(PLAN.drill, "run-1"), json.dumps({"at": START}))
        with pytest.raises(AwsError, match="AccessDenied"):
            engine.advance_fault_end(PLAN.ending, "arn:run-1", None, None, made.context)
        made.service.sleep(PLAN.fault_seconds + 60)
        assert engine.advance_fault_end(PLAN.ending, "arn:run-1", None, None, made.context).over


def without_oac(config: dict[str, Any]) -> None:
    del config["Origins"]["Items"][0]["OriginAccessControlId"]


def in_group(config: dict[str, Any]) -> None:
    config["DefaultCacheBehavior"]["TargetOriginId"] = "group"


def of_api(config: dict[str, Any]) -> None:
    config["CacheBehaviors"]["Items"][0]["PathPattern"] = "*.txt"


def masked(config: dict[str, Any]) -> None:
    page = {"ErrorCode": 403, "ResponsePagePath": "/index.html", "ResponseCode": "200"}
    config["CustomErrorResponses"] = {"Quantity": 1, "Items": [page]}


def other_name(config: dict[str, Any]) -> None:
    config["Aliases"] = {"Quantity": 1, "Items": ["other.example.com"]}


def disabled(config: dict[str, Any]) -> None:
    config["Enabled"] = False


NAME = "distribution E1PA6795UKMFR9"
TRAPS = {
    without_oac: f"{NAME} has no origin access control for bookstore-images",
    in_group: f"{NAME} has an origin group for /status.txt",
    of_api: f"{NAME} has api.pingpublications.com as the origin of /status.txt, not the bucket",
    masked: f"{NAME} answers with status 200 where its origin is denied",
    other_name: f"{plans.IMAGES} is no alternate domain name of {NAME}",
    disabled: f"{NAME} is disabled",
}


@pytest.mark.parametrize("change", TRAPS)
def test_a_distribution_on_which_the_fault_would_not_work_is_refused(change: Any) -> None:
    with drilled() as made:
        change(images(made).config)
        (reason,) = refusals(PLAN, inspect(PLAN, "arn", made.context))
        assert reason.startswith(TRAPS[change])


def test_a_wildcard_is_an_alternate_domain_name_too() -> None:
    with drilled() as made:
        images(made).config["Aliases"]["Items"] = ["*.pingpublications.com"]
        assert refusals(PLAN, inspect(PLAN, "arn", made.context)) == []


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (
            {**FORMER, "Statement": [{**ALLOW, "Sid": "StagedResiliencyDrillold"}]},
            "the policy of bookstore-images has the statement StagedResiliencyDrillold of a former "
            "drill; remove it",
        ),
        (
            {**FORMER, "Statement": [{**ALLOW, "Sid": f"S{n}"} for n in range(80)]},
            "the policy of bookstore-images would have ",
        ),
    ],
    ids=["left over", "too long"],
)
def test_a_policy_that_can_not_take_the_statement_is_refused(policy: Any, reason: str) -> None:
    with drilled(policy=policy) as made:
        (found,) = refusals(PLAN, inspect(PLAN, "arn", made.context))
        assert found.startswith(reason)


@pytest.mark.parametrize("policy", ["[]", "no JSON", '{"Statement": 1}'])
def test_a_policy_that_is_none_is_refused(policy: str) -> None:
    with drilled() as made:
        made.answers["s3", "GetBucketPolicy"] = lambda _: {"Policy": policy}
        (found,) = refusals(PLAN, inspect(PLAN, "arn", made.context))
        assert found.startswith("the policy of bookstore-images can't be read: MalformedPolicy: ")


def test_a_distribution_that_can_not_be_read_and_a_dead_secondary_are_refused() -> None:
    with drilled(secondary_answers=False) as made:
        made.refuse("cloudfront", "GetDistributionConfig", ApiError("NoSuchDistribution"))
        assert refusals(PLAN, inspect(PLAN, "arn", made.context)) == [
            f"{NAME} can't be read: NoSuchDistribution: An error occurred (NoSuchDistribution) "
            "when calling the GetDistributionConfig operation: scripted",
            f"the secondary {plans.SECONDARY} does not answer /status.txt (203.0.113.20: status "
            "404)",
        ]


def test_a_secondary_of_cloudfront_is_refused() -> None:
    with drilled() as made:
        ask = made.context.ask

        def answers(address: str, endpoint: Any, host: str) -> str:
            ask(address, endpoint, host)
            return "1.1 f00.cloudfront.net (CloudFront)"

        made.context = replace(made.context, ask=answers)
        found = refusals(PLAN, inspect(PLAN, "arn", made.context))
        assert f"CloudFront answers at the secondary {plans.SECONDARY}" in found


@slow
@pytest.mark.parametrize(
    ("changed", "reason"),
    [("secondary", f"is answered by {plans.SECONDARY}"), ("nobody", "is not answered (")],
)
def test_a_run_that_finds_clients_elsewhere_injects_nothing(changed: str, reason: str) -> None:
    with drilled() as made:

        def move(phase: str, count: int) -> None:
            if phase == names.STEADY_STATE:
                images(made)._failed_at = START - 1000
                images(made)._good = False
                images(made).moves_after = 0 if changed == "secondary" else 1e9

        made.before = move
        _, said = run(made)
        assert said["message"].startswith("no steady state: /status.txt of images.")
        assert reason in said["message"]
        assert calls(made, "PutBucketPolicy") == 0


def test_another_drill_on_the_distribution_is_refused() -> None:
    assert "distribution-E1PA6795UKMFR9" in PLAN.instances


def test_the_alarm_on_the_failover_is_read_in_its_own_region() -> None:
    asked: list[tuple[Any, Any]] = []
    with drilled() as made:
        given = made.context.aws

        def aws(service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
            asked.append((parameters.get("region"), parameters["AlarmNames"]))
            return given(service, operation, **parameters)

        states = client_view.watched_states(PLAN, replace(made.context, aws=aws))
    assert asked == [("us-east-1", [plans.ON_SECONDARY]), (None, list(PLAN.alarms))]
    assert set(states) == {plans.ON_SECONDARY, *PLAN.alarms}


def test_the_message_before_the_fault_says_how_to_end_it_by_hand() -> None:
    plan = replace(PLAN, notice_seconds=60)
    with drilled(plan) as made:
        recorder.announce(plan, RunName("arn:run-1", "run-1"), made.context)
        (message,) = made.messages()
    body = message["Message"]
    assert "denies CloudFront distribution E1PA6795UKMFR9 its origin" in body
    assert f"shows the statement {SID}; to remove it from the policy ends the fault" in body
    assert " fis " not in body


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


def test_other_plans_stay_as_they_are() -> None:
    assert "origin" not in plans.SHUTDOWN.to_json()
    assert Plan.from_json(json.loads(json.dumps(PLAN.to_json()))) == PLAN
