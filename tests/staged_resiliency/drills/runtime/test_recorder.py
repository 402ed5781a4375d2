"""A verdict has one journal, and is sent, whatever fails on the way and whoever comes second."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime import recorder
from staged_resiliency.drills.runtime.context import AwsError
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.drills.runtime.store import PhaseRecord, Store, load_records, save_record
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.simulation import START

RUN = RunName("arn:aws:states:us-west-2:123456789012:execution:shutdown:run-1", "run-1")


def phase_record(
    phase: str, began: float, *seen: Observation, message: str = "", go: bool = True
) -> PhaseRecord:
    """The record of a call; times in seconds after the start."""
    return PhaseRecord(phase, START + began, START + began + 5, go, message, "", False, seen)


def seen(at: float, source: Source, subject: str, value: str) -> Observation:
    """An observation; its time in seconds after the start."""
    return Observation(START + at, source, subject, value)


def passed() -> list[PhaseRecord]:
    """The records of a run that passed."""
    client, alarm = Source.CLIENT, Source.ALARM
    fault = "stop_instance"
    return [
        phase_record("Preflight", 0),
        phase_record("Steady state", 10, seen(10, client, plans.RECORD, plans.BLUE)),
        phase_record("Inject", 20, seen(30, Source.FAULT, fault, "injected")),
        phase_record(
            "Observe",
            40,
            seen(40, alarm, plans.GREEN_DB_ALARM, "OK"),
            seen(40, client, plans.RECORD, NO_ANSWER),
            seen(100, alarm, plans.STATUS_ALARM, "ALARM"),
            *(seen(at, client, plans.RECORD, plans.GREEN) for at in (200, 205, 210)),
        ),
        phase_record(
            "End fault",
            210,
            *(seen(at, client, plans.RECORD, plans.GREEN) for at in (255, 300)),
            seen(300, Source.FAULT, fault, "ended"),
        ),
        phase_record(
            "Failback",
            310,
            seen(350, client, plans.RECORD, plans.GREEN),
            *(seen(at, client, plans.RECORD, plans.BLUE) for at in (400, 405, 450)),
            seen(400, alarm, plans.STATUS_ALARM, "OK"),
        ),
        phase_record("Steady again", 500, seen(500, client, plans.RECORD, plans.BLUE)),
    ]


@pytest.fixture
def made() -> Iterator[Account]:
    """An account in which a run passed."""
    with account() as found:
        for each in passed():
            save_record(Store(found.context.aws, plans.BUCKET), "shutdown", "run-1", each)
        yield found


def record(made: Account, plan: Plan = plans.SHUTDOWN, interrupted: str = "") -> str:
    """Record the verdict; its status."""
    message = recorder.record(plan, RUN, {}, interrupted, made.context).message
    return message.partition(":")[0]


def test_a_second_time_changes_nothing(made: Account) -> None:
    assert record(made) == "passed"
    first = made.journal()
    made.service.now += 1000
    assert record(made, interrupted="the run was aborted") == "passed"
    assert made.journal() == first
    assert made.versions() == 1
    assert len(made.messages()) == 1
    assert len(made.metrics()) == 6


@pytest.mark.parametrize("operation", ["PutMetricData", "Publish"])
def test_after_a_part_that_failed_the_rest_is_done(made: Account, operation: str) -> None:
    made.service.errors[operation] = ["AccessDenied"]
    with pytest.raises(AwsError, match="AccessDenied"):
        record(made)
    assert record(made) == "passed"
    assert made.versions() == 1
    assert len(made.messages()) == 1
    assert len({name for name, _ in made.metrics()}) == len(made.metrics()) == 6


def test_each_topic_gets_the_message_once_though_another_one_refuses_it(made: Account) -> None:
    sns, sqs = made.client("sns"), made.client("sqs")
    second = sns.create_topic(Name="second")["TopicArn"]
    queue = sqs.get_queue_url(QueueName="messages")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    sns.subscribe(TopicArn=second, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    inner, refused = made.context.aws, [True]

    def aws(service: str, operation: str, **parameters: Any) -> JsonObject:
        if operation == "Publish" and parameters["TopicArn"] == second and refused.pop():
            raise AwsError("AuthorizationError", "scripted")
        return inner(service, operation, **parameters)

    made.context = replace(made.context, aws=aws)
    plan = replace(plans.SHUTDOWN, more_topic_arns=(second,))
    with pytest.raises(AwsError, match="AuthorizationError"):
        record(made, plan)
    refused.append(False)
    assert record(made, plan) == "passed"
    assert len(made.messages()) == 2


@pytest.mark.parametrize("part", ["metrics", "message"])
def test_a_part_whose_mark_is_lost_is_sent_again_the_same(made: Account, part: str) -> None:
    inner, lost = made.context.aws, []

    def aws(service: str, operation: str, **parameters: Any) -> JsonObject:
        if operation == "PutObject" and str(parameters["Key"]).endswith(f"done/{part}"):
            lost.append(part)
            if len(lost) == 1:
                raise AwsError("SlowDown", "scripted")
        return inner(service, operation, **parameters)

    made.context = replace(made.context, aws=aws)
    with pytest.raises(AwsError, match="SlowDown"):
        record(made)
    assert record(made) == "passed"
    assert made.versions() == 1
    texts = [each["Message"] for each in made.messages()]
    assert len(texts) == (2 if part == "message" else 1)
    assert len(set(texts)) == 1
    points = [str(request) for request in made.service.published]
    assert len(points) == (2 if part == "metrics" else 1)
    assert len(set(points)) == 1


def test_whoever_comes_second_takes_the_verdict_that_is_there(made: Account) -> None:
    """The cleanup writes the journal, and the phase Record comes before it has sent the message."""
    made.service.errors["Publish"] = ["AccessDenied"]
    with pytest.raises(AwsError):
        record(made, interrupted="the run was timed out")
    assert record(made) == "aborted"
    (message,) = made.messages()
    assert message["Message"].startswith(
        "ABORTED: drill shutdown of bookstore in production: the run was timed out\n"
    )
    assert made.metrics() == []


DRY_RUN = replace(plans.DRY_SHUTDOWN, notify_passed=False)
AIMED, LATE = phase_record("Inject", 20, message="aimed at it", go=False), "no fault within 300 s"
QUIET: tuple[tuple[Sequence[PhaseRecord], str, bool], ...] = (
    ([AIMED], "dry run", True),
    ([replace(AIMED, cut_short=LATE)], "aborted", False),
    (
        [phase_record("Preflight", 0, message="alarm a is already in ALARM", go=False)],
        "aborted",
        False,
    ),
    ([phase_record("Steady state", 10, message="no answer", go=False)], "aborted", False),
)


@pytest.mark.parametrize(("left", "status", "silent"), QUIET)
def test_only_successful_dry_runs_are_silent_like_passed_runs(
    left: Sequence[PhaseRecord], status: str, silent: bool
) -> None:
    with account(DRY_RUN) as made:
        for each in left:
            save_record(Store(made.context.aws, plans.BUCKET), "shutdown", "run-1", each)
        assert record(made, DRY_RUN) == status
        assert (made.messages() == []) == silent


def test_a_message_holds_what_people_need(made: Account) -> None:
    record(made)
    (message,) = made.messages()
    assert message["Subject"] == "PASSED: drill shutdown of bookstore in production"
    lines = message["Message"].splitlines()
    assert lines[0].startswith("PASSED: drill shutdown of bookstore in production: clients of")
    assert "failover seconds: 170.0" in lines
    assert "objective seconds: 360" in lines
    assert f"journal: s3://{plans.BUCKET}/journals/shutdown/run-1.json" in lines
    assert f"execution: {RUN.execution}" in lines
    assert "runbook: https://runbooks.example.com/bookstore" in lines


def test_metrics_have_the_moment_of_the_run_and_not_of_their_sending(made: Account) -> None:
    made.service.now += 5000
    record(made)
    (request,) = made.service.published
    assert request["Namespace"] == "Bookstore"
    moments = {each["Timestamp"].timestamp() for each in request["MetricData"]}
    assert moments == {START + 505}


def test_a_subject_is_as_long_as_sns_takes_it() -> None:
    plan = replace(plans.SHUTDOWN, drill="d" * 99)
    assert len(recorder.message_subject(plan, "failed")) == 100


def test_a_run_without_numbers_publishes_those_that_it_has() -> None:
    document: Mapping[str, Any] = {
        "verdict": {"status": "failed", "message": "", "judgements": []},
        "measures": None,
        "observed_until": None,
        "phases": [{"began_at": "2026-11-03T18:00:00.000Z"}],
    }
    (only,) = recorder.metric_data(plans.SHUTDOWN, document)
    assert (only["MetricName"], only["Value"]) == ("drill-passed", 0.0)


def test_records_come_back_as_they_were(made: Account) -> None:
    store = Store(made.context.aws, plans.SHUTDOWN.journal_bucket)
    assert load_records(store, "shutdown", "run-1") == passed()
