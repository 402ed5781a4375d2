"""The statement that denies a distribution its origin: when it is added, and its end."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime import client_view, engine, handlers, origin_fault, recorder
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.context import AwsError, NotStartedError
from staged_resiliency.drills.runtime.ending import Ending, FaultToEnd
from staged_resiliency.drills.runtime.fault import FaultEndStatus
from staged_resiliency.drills.runtime.preflight import inspect, refusals
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.drills.runtime.store import policy_key
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.account import Account
from tests.fake_aws.origin import ALLOW, FORMER
from tests.fake_aws.simulation import START, ApiError
from tests.staged_resiliency.drills.runtime.origin_drills import (
    PLAN,
    SID,
    THEIRS,
    calls,
    drilled,
    images,
    sids,
    write,
)
from tests.staged_resiliency.drills.runtime.runs import moment

ORIGIN = plans.DENIED


def test_the_statement_denies_this_distribution_alone_and_ends_by_itself() -> None:
    with drilled() as made:
        origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        policy = images(made).policy
        record = made.client("s3").get_object(
            Bucket=plans.BUCKET, Key=policy_key(PLAN.drill, "run-1")
        )
        kept = json.loads(record["Body"].read())
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
    assert moment(until) == START + PLAN.fault_seconds
    assert (kept["bucket"], kept["policy"]) == (plans.ORIGIN_BUCKET, FORMER)


def advance(
    made: Account, known: str | None = None, injected_at: float | None = None
) -> FaultEndStatus:
    """Take the next step to end the fault of the run."""
    to_end = FaultToEnd(PLAN.ending, "arn:run-1", known, injected_at)
    return engine.advance_fault_end(to_end, made.context)


def end(made: Account) -> None:
    """End the fault of the run."""
    while not engine.advance_fault_end(
        FaultToEnd(PLAN.ending, "arn:run-1", SID, START), made.context
    ).over:
        made.service.now += 5


@pytest.mark.parametrize("policy", [None, {**FORMER, "Statement": ALLOW}], ids=["none", "object"])
def test_a_bucket_gets_back_what_it_had(policy: Any) -> None:
    with drilled(policy=policy) as made:
        origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        assert images(made).denied
        end(made)
        assert images(made).policy == (None if policy is None else FORMER)


def test_what_others_change_in_the_policy_meanwhile_stays() -> None:
    with drilled() as made:
        origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        policy = images(made).policy
        policy["Statement"].append(THEIRS)
        write(made, policy)
        end(made)
        assert sids(made) == ["AllowCloudFront", "Theirs"]


def test_no_statement_is_added_while_somebody_changes_the_policy() -> None:
    with drilled() as made:
        given = made.context.aws

        def aws(service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
            if str(parameters.get("Key", "")).endswith("/policy.json"):
                write(made, {**FORMER, "Statement": [ALLOW, THEIRS]})
            return given(service, operation, **parameters)

        made.context = replace(made.context, aws=aws)
        with pytest.raises(NotStartedError, match="somebody is changing the policy"):
            origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        assert sids(made) == ["AllowCloudFront", "Theirs"]
        assert calls(made, "PutBucketPolicy") == 0


def test_no_statement_is_added_while_a_guard_is_on() -> None:
    with drilled() as made:
        made.service.script.alarm_states[plans.GUARD_ALARM] = "ALARM"
        with pytest.raises(NotStartedError, match=f"the guard {plans.GUARD_ALARM} is ALARM"):
            origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        assert calls(made, "PutBucketPolicy") == 0


def test_a_statement_that_s3_refuses_is_no_fault() -> None:
    with drilled() as made:
        made.refuse("s3", "PutBucketPolicy", ApiError("AccessDenied"))
        with pytest.raises(NotStartedError, match="AccessDenied"):
            origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context)
        assert images(made).policy == FORMER
        assert images(made).invalidated == {}


def test_the_fault_acted_since_the_run_saw_it_or_else_since_the_statement_was_written() -> None:
    with drilled() as made:
        known = origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context).id
        end(made)
        assert advance(made, known, START + 7).acting_since == START + 7
        assert advance(made, known).acting_since == START


def test_a_deleted_bucket_has_no_fault() -> None:
    with drilled() as made:
        known = origin_fault.start(PLAN, ORIGIN, "arn:run-1", made.context).id
        for operation in ("GetBucketPolicy", "PutBucketPolicy"):
            made.refuse("s3", operation, ApiError("NoSuchBucket"))
        ended = engine.advance_fault_end(
            FaultToEnd(PLAN.ending, "arn:run-1", known, START), made.context
        )
        assert (ended.over, ended.message) == (True, f"{plans.ORIGIN_BUCKET} is deleted")


def test_an_aborted_dry_run_ends_nothing() -> None:
    with drilled() as made:
        ending = replace(PLAN.ending, enabled=False)
        assert engine.advance_fault_end(FaultToEnd(ending, "arn:run-1"), made.context).over
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
        status = engine.advance_fault_end(
            FaultToEnd(PLAN.ending, "arn:run-1", SID, START), made.context
        )
        assert not status.over
        assert status.message == f"{SID} is back in the policy of {plans.ORIGIN_BUCKET}"


def test_a_run_that_never_denied_anything_is_over_though_s3_can_not_be_asked() -> None:
    with drilled() as made:
        made.refuse("s3", "GetBucketPolicy", ApiError("AccessDenied"))
        status = advance(made)
        assert (status.over, status.experiment) == (True, None)
        made.put(policy_key(PLAN.drill, "run-1"), json.dumps({"at": START}))
        with pytest.raises(AwsError, match="AccessDenied"):
            advance(made)
        made.service.sleep(PLAN.fault_seconds + 60)
        assert advance(made).over


NAME = "distribution E1PA6795UKMFR9"
MASK = {"ErrorCode": 403, "ResponsePagePath": "/index.html", "ResponseCode": "200"}


@cases(
    ("change", "reason"),
    {
        "without an origin access control": (
            lambda config: config["Origins"]["Items"][0].pop("OriginAccessControlId"),
            f"{NAME} has no origin access control for bookstore-images",
        ),
        "an origin group": (
            lambda config: config["DefaultCacheBehavior"].update(TargetOriginId="group"),
            f"{NAME} has an origin group for /status.txt",
        ),
        "another origin for the path": (
            lambda config: config["CacheBehaviors"]["Items"][0].update(PathPattern="*.txt"),
            f"{NAME} has api.pingpublications.com as the origin of /status.txt, not the bucket",
        ),
        "a page in place of the error": (
            lambda config: config.update(CustomErrorResponses={"Quantity": 1, "Items": [MASK]}),
            f"{NAME} answers with status 200 where its origin is denied",
        ),
        "another name": (
            lambda config: config["Aliases"].update(Items=["other.example.com"]),
            f"{plans.IMAGES} is no alternate domain name of {NAME}",
        ),
        "disabled": (lambda config: config.update(Enabled=False), f"{NAME} is disabled"),
    },
)
def test_a_distribution_on_which_the_fault_would_not_work_is_refused(
    change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    with drilled() as made:
        change(images(made).config)
        (found,) = refusals(PLAN, inspect(PLAN, "arn", made.context))
        assert found.startswith(reason)


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
