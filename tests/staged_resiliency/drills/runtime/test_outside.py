"""The edges to the outside: AWS, names, locks, the events that call functions, the log."""

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import botocore.exceptions
import pytest

from staged_resiliency.drills.runtime import fis, handlers, network, phases, states
from staged_resiliency.drills.runtime.client_view import Poller, poll, serving_host
from staged_resiliency.drills.runtime.context import AwsError, BotocoreAws, lambda_context, log_line
from staged_resiliency.drills.runtime.hosts import Endpoint
from staged_resiliency.drills.runtime.keys import INSTANCE_TAG, RUN_TAG
from staged_resiliency.drills.runtime.network import Resolver
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.preflight import inspect, refusals
from staged_resiliency.drills.runtime.states import PhaseInput, RunName
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.experiment.json_codec import DataError
from staged_resiliency.experiment.observations import (
    NO_ANSWER,
    Observation,
    Source,
    of,
    ordered,
    transitions,
)
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account, observed_session
from tests.fake_aws.simulation import START, Script, StartedExperiment

PLAN = plans.SHUTDOWN


def test_an_error_of_aws_has_its_code(made: Account) -> None:
    made.service.errors["GetExperiment"] = ["ResourceNotFoundException"]
    with pytest.raises(AwsError, match="ResourceNotFoundException") as raised:
        made.context.aws("fis", "GetExperiment", id="EXP1")
    assert raised.value.code == "ResourceNotFoundException"


def test_a_call_that_aws_would_not_take_is_a_mistake_and_no_answer(made: Account) -> None:
    with pytest.raises(botocore.exceptions.ParamValidationError):
        made.context.aws("fis", "GetExperiment", identity="EXP1")


def test_without_an_answer_the_error_is_named_after_its_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(AwsError) as raised:
        BotocoreAws()("fis", "GetExperiment", id="EXP1")
    assert raised.value.code == "NoRegionError"


def test_the_region_is_that_of_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    with account():
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        monkeypatch.setenv("AWS_REGION", "us-west-2")
        aws = BotocoreAws(observed_session())
        assert aws("fis", "ListExperiments")["experiments"] == []


def test_lambda_context_of_lambda_is_made_once() -> None:
    assert lambda_context() is lambda_context()


def test_the_resolver_gives_each_address_once() -> None:
    def look_up(*_: object, **__: object) -> Sequence[Any]:
        return [(2, 1, 6, "", ("10.0.0.1", 0)), (2, 1, 6, "", ("10.0.0.1", 0))]

    assert Resolver(look_up=look_up)("a.example.com") == ("10.0.0.1",)
    assert Resolver(20)("127.0.0.1") == ("127.0.0.1",)


@pytest.mark.parametrize("error", [OSError("no"), UnicodeError("no")])
def test_a_name_that_is_none_has_no_addresses(error: Exception) -> None:
    def look_up(*_: object, **__: object) -> Sequence[Any]:
        raise error

    assert Resolver(20, look_up)("a.example.com") == ()


def test_a_resolver_that_hangs_delays_nobody_and_is_asked_once() -> None:
    free, asked = threading.Event(), []

    def look_up(*_: object, **__: object) -> Sequence[Any]:
        asked.append(1)
        free.wait(30)
        return []

    resolver = Resolver(0.05, look_up)
    assert resolver("a.example.com") == ()
    assert resolver("a.example.com") == ()
    assert len(asked) == 1
    free.set()
    thread = resolver._busy["a.example.com"]
    thread.join(30)
    assert resolver("a.example.com") == ()
    assert len(asked) == 2


def test_a_line_of_the_log_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    log_line("Observe", run="run-1", at=START, odd={1, 2}.__class__)
    found = json.loads(capsys.readouterr().out)
    assert found["event"] == "Observe"
    assert found["run"] == "run-1"


EVENTS: tuple[tuple[object, str], ...] = (
    (None, "event: must be an object with an object 'state'"),
    ({}, "event: must be an object with an object 'state'"),
    ({"state": {}}, "event: must have a text 'phase' and an object 'errors'"),
    ({"state": {"errors": []}, "phase": "Record"}, "event: must have a text 'phase'"),
    ({"state": {}, "phase": "Record"}, "plan: found null; must be an object"),
    ({"state": {"plan": PLAN.to_json()}, "phase": "Record"}, "run: found null; must be"),
)


@pytest.mark.parametrize(("event", "message"), EVENTS, ids=[row[1] for row in EVENTS])
def test_an_invalid_event_is_reported(event: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        PhaseInput.from_event(json.loads(json.dumps(event)))


def test_an_error_of_step_functions_is_one_line() -> None:
    event = {
        "phase": "Record",
        "state": {
            "plan": PLAN.to_json(),
            "run": {"execution": "arn", "name": "run-1"},
            "errors": {"end": {"Error": "Boom", "Cause": '{"stackTrace": [\n' + "x" * 999}, "b": 7},
        },
    }
    errors = PhaseInput.from_event(json.loads(json.dumps(event))).errors
    assert errors["end"].startswith('Boom: {"stackTrace": [ xxx')
    assert len(errors["end"]) == 300
    assert errors["b"] == "7"


INPUTS: tuple[tuple[object, str], ...] = (
    ({"occurrence": "2026-11-03T18:00:00Z"}, "2026-11-03T18:00:00Z"),
    ({"occurrence": "<aws.scheduler.scheduled-time>"}, ""),  # a placeholder that was not replaced
    ({"occurrence": "../lock"}, ""),
    ({"occurrence": 7}, ""),
    ({}, ""),
    ([], ""),
    (None, ""),
)


@pytest.mark.parametrize(("given", "occurrence"), INPUTS)
def test_of_a_runs_input_only_the_occurrence_is_read(given: object, occurrence: str) -> None:
    state = {"plan": PLAN.to_json(), "run": {"execution": "arn", "name": "run-1"}, "input": given}
    event = {"phase": "Preflight", "state": state}
    assert PhaseInput.from_event(json.loads(json.dumps(event))).occurrence == occurrence


@pytest.mark.parametrize("event", [None, {}, {"detail": {"name": "run-1"}}])
def test_an_event_without_an_execution_is_reported(event: object) -> None:
    with account(), pytest.raises(DataError, match="event: "):
        handlers.end(event, None)


def test_a_cleanup_after_a_run_that_ended_well_does_nothing() -> None:
    with account(PLAN, Script(standby_answers=False)) as made:
        assert made.run() == "SUCCEEDED"
        made.clean_up(made.wait(plans.EXECUTION))
        assert made.log[-1]["event"] == "nothing to clean up"
        assert made.versions() == 1


def test_an_object_that_can_not_be_written_is_an_error_and_not_taken(made: Account) -> None:
    made.service.errors["PutObject"] = ["AccessDenied"]
    with pytest.raises(AwsError, match="AccessDenied"):
        Store(made.context.aws, PLAN.journal_bucket).put_new("a", "{}")


def test_long_lists_are_read_to_their_end(made: Account) -> None:
    real = made.context.aws

    def paged(service: str, operation: str, **parameters: Any) -> Any:
        if operation == "ListObjectsV2":
            return real(service, operation, **parameters, MaxKeys=2)
        return real(service, operation, **parameters)

    store = Store(paged, PLAN.journal_bucket)
    for name in "abcde":
        store.put_new(f"x/{name}", "{}")
    assert sorted(store.keys("x/")) == [f"x/{name}" for name in "abcde"]


def test_experiments_are_read_to_the_end_of_their_list(
    made: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        {"experiments": [_listed("EXP1", "other")], "nextToken": "more"},
        {"experiments": [_listed("EXP2", "mine")]},
    ]
    monkeypatch.setattr(made.service, "ListExperiments", lambda given: answers.pop(0))
    assert fis.experiments_of_run(PLAN, "mine", made.context) == ["EXP2"]


def test_the_experiment_of_a_run_is_none_of_another_run(
    made: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        {**each, "tags": {**each["tags"], INSTANCE_TAG: plans.INSTANCE}}
        for each in (_listed("EXP1", "other"), _listed("EXP2", "mine"))
    ]
    monkeypatch.setattr(made.service, "ListExperiments", lambda given: {"experiments": found})
    assert fis.other_active_experiments(PLAN, "mine", made.context) == ["EXP1"]


def _listed(identity: str, run: str) -> dict[str, Any]:
    return {
        "id": identity,
        "experimentTemplateId": plans.TEMPLATE,
        "state": {"status": "running"},
        "tags": {RUN_TAG: run},
    }


def test_stopping_what_has_ended_is_no_error_and_what_is_not_allowed_is(made: Account) -> None:
    made.service.errors["StopExperiment"] = ["ConflictException", "AccessDeniedException"]
    fis.stop_experiment("EXP1", made.context)
    with pytest.raises(AwsError, match="AccessDenied"):
        fis.stop_experiment("EXP1", made.context)


def test_a_second_order_has_the_same_token_and_another_run_another() -> None:
    assert fis.client_token("arn:1") == fis.client_token("arn:1")
    assert fis.client_token("arn:1") != fis.client_token("arn:2")
    assert 1 <= len(fis.client_token("arn:1")) <= 64


def test_what_can_not_be_seen_is_left_out(made: Account) -> None:
    made.service.errors |= {"TestDNSAnswer": ["Throttling"], "DescribeAlarms": ["Throttling"]}
    found = poll(PLAN, made.context)
    assert found.dns is None
    assert of(found.observations, Source.DNS) == of(found.observations, Source.ALARM) == []
    assert found.client == plans.BLUE


def test_a_host_that_is_none_of_the_service_serves_nobody(made: Account) -> None:
    found = poll(PLAN, replace(made.context, ask=lambda *_: "evil\x1b[31m"))
    assert found.client == NO_ANSWER
    assert "answered by 'evil\\x1b[31m', which is no host of the service" in found.reason
    (client,) = of(found.observations, Source.CLIENT)
    assert client.value == NO_ANSWER


@pytest.mark.parametrize(
    ("address", "client", "where"),
    [
        (plans.BLUE_ADDRESS, plans.BLUE, f"at {plans.BLUE_ADDRESS}"),
        (plans.GREEN_ADDRESS, plans.GREEN, f"at {plans.GREEN_ADDRESS}"),
        ("192.0.2.7", NO_ANSWER, "192.0.2.7: answered, but is no host's address"),
    ],
)
def test_where_answers_name_no_host_the_address_shows_which_one_answers(
    made: Account, address: str, client: str, where: str
) -> None:
    plan = replace(PLAN, endpoint=replace(PLAN.endpoint, path="/health", field=None))
    context = replace(made.context, ask=lambda *_: "", resolve=lambda name: (name,))
    assert serving_host(plan, context, address) == (client, where)


def test_the_host_behind_a_load_balancer_is_known_by_its_resolved_address(made: Account) -> None:
    behind = replace(PLAN.standby, addresses=(), reached_at="green.elb.example.com")
    plan = replace(PLAN, standby=behind, endpoint=replace(PLAN.endpoint, field=None))
    names = {"green.elb.example.com": ("192.0.2.8", "192.0.2.9")}
    context = replace(
        made.context, ask=lambda *_: "", resolve=lambda name: names.get(name, (name,))
    )
    assert serving_host(plan, context, "192.0.2.9") == (plans.GREEN, "at 192.0.2.9")


@pytest.mark.parametrize("operation", ["ListObjectsV2", "PutObject", "TestDNSAnswer"])
def test_a_fault_is_ended_whatever_else_can_not_be_reached(made: Account, operation: str) -> None:
    started = fis.start_experiment(PLAN, "arn", made.context)
    made.service.now += 60
    made.service.errors[operation] = ["AccessDenied"] * 9
    call = PhaseInput(states.END_FAULT, PLAN, RunName("arn", "run-1"), {}, {})
    with suppress(AwsError):  # what was seen can't be left behind; Step Functions tries again
        phases.end_fault(call, made.context)
    (experiment,) = made.service.experiments
    assert experiment.id == started.id
    assert experiment.stopped_at == START + 60


def test_a_cleanup_that_can_not_read_the_records_cleans_up_all_the_same(made: Account) -> None:
    described = made.wait(made.start_aborted(states.PREFLIGHT, when="before"))
    made.service.errors["ListObjectsV2"] = ["SlowDown"]
    made.clean_up(described)
    assert [each["event"] for each in made.log].count(
        "cleaning up without knowing the run's state"
    ) == 1
    assert made.journal()["verdict"]["message"].endswith("the run was aborted")


def test_an_instance_that_can_not_be_started_is_tried_again() -> None:
    with account(PLAN, Script(fis_starts_instance=False)) as made:
        made.service.errors["StartInstances"] = ["InsufficientInstanceCapacity"]
        fis.start_experiment(PLAN, "arn", made.context)
        made.service.now += 60
        call = PhaseInput(states.END_FAULT, PLAN, RunName("arn", "run-1"), {}, {})
        result = phases.end_fault(call, made.context)
        while result.again:
            call = replace(call, results={"end": result})
            result = phases.end_fault(call, made.context)
        assert not made.service.broken
        assert result.message == f"instance {plans.INSTANCE} is running"


def test_a_name_without_addresses_serves_nobody() -> None:
    with account(PLAN, Script(dns=())) as made:
        found = poll(PLAN, made.context)
    assert (found.client, found.reason) == (NO_ANSWER, f"{plans.RECORD} can't be resolved")


def test_alarms_are_seen_now_and_at_their_last_change(made: Account) -> None:
    found = of(poll(PLAN, made.context).observations, Source.ALARM, plans.STATUS_ALARM)
    assert [each.at for each in found] == [START - 86_400, START]


def test_an_alarm_that_changes_while_it_is_read_changes_once(made: Account) -> None:
    """Its former state is as of the request, so it is never later than its new one."""
    service = made.service
    answer = service.DescribeAlarms

    def slowly(given: dict[str, Any]) -> Any:
        found = answer(given)
        service.now += 0.05
        changed.append(service.now)
        service.now += 0.05
        return found

    def state(name: str) -> tuple[str, float]:
        return ("OK", changed[0]) if changed else ("ALARM", START - 60)

    changed: list[float] = []
    service.DescribeAlarms = slowly  # type: ignore[method-assign]
    service.alarm_state = state  # type: ignore[method-assign]
    seen = [*poll(PLAN, made.context).observations, *poll(PLAN, made.context).observations]
    found = transitions(of(seen, Source.ALARM, plans.STATUS_ALARM))
    assert [each.value for each in found] == ["ALARM", "OK"]


def test_a_former_state_that_cloudwatch_still_answers_is_left_out(made: Account) -> None:
    """The later answer says that the alarm had changed before."""
    service = made.service
    answers = [("ALARM", START - 60), ("OK", START - 0.2)]
    service.alarm_state = lambda name: answers[0]  # type: ignore[method-assign]
    poller = Poller(PLAN, made.context)
    poller.poll()
    seen = transitions(of(poller.observations, Source.ALARM, plans.STATUS_ALARM))
    assert [each.value for each in seen] == ["ALARM"]
    del answers[0]
    service.now += 5
    poller.poll()
    seen = transitions(ordered(of(poller.observations, Source.ALARM, plans.STATUS_ALARM)))
    assert [(each.value, each.at) for each in seen] == [("ALARM", START - 60), ("OK", START - 0.2)]


def test_preflight_finds_all_reasons_to_refuse_a_run() -> None:
    script = Script(
        alarms_on=(plans.DB_ALARM,), alarms_missing=(plans.GUARD_ALARM,), standby_answers=False
    )
    tags = {INSTANCE_TAG: plans.INSTANCE}
    with account(PLAN, script, now=START + 86_400) as made:
        made.service.experiments.append(
            StartedExperiment("EXP9", "t", plans.TEMPLATE, tags, True, made.service.now)
        )
        reasons = refusals(PLAN, inspect(PLAN, "mine", made.context))
    assert reasons == [
        "outside the allowed window (TUE 09:00 to 17:00 America/Los_Angeles)",
        f"alarm {plans.DB_ALARM} is already in ALARM",
        f"alarm {plans.GUARD_ALARM} does not exist",
        f"the standby {plans.GREEN} does not answer (52.11.79.9: no whole answer within 4 s)",
        "experiment EXP9 of the service is still running",
    ]


def test_lookups_have_a_limit() -> None:
    assert PLAN.sample_seconds > network.RESOLVE_SECONDS


def other_host(made: Account, plan: Plan = PLAN) -> Observation:
    """What a poll sees of the host that the fault leaves alone."""
    (found,) = of(poll(plan, made.context).observations, Source.HOST)
    return found


def test_the_host_that_the_fault_leaves_alone_is_asked_at_its_own_address() -> None:
    with account() as made:
        assert (other_host(made).subject, other_host(made).value) == (plans.GREEN, plans.GREEN)
        active = other_host(made, plans.STANDBY_SHUTDOWN)
        assert (active.subject, active.value) == (plans.BLUE, plans.BLUE)
    with account(PLAN, Script(standby_answers=False)) as made:
        found = other_host(made)
        assert (found.value, found.detail) == (NO_ANSWER, "52.11.79.9: no whole answer within 4 s")


def test_a_host_that_answers_with_the_name_of_the_other_does_not_answer(made: Account) -> None:
    made.context = replace(made.context, ask=lambda *_: plans.BLUE)
    assert other_host(made).value == NO_ANSWER


@pytest.mark.parametrize("answers", [True, False])
def test_a_host_that_the_client_has_asked_is_not_asked_again(answers: bool) -> None:
    script = Script(dns=(plans.GREEN_ADDRESS,), standby_answers=answers)
    with account(PLAN, script) as made:
        asked, ask = [], made.context.ask

        def counted(address: str, endpoint: Endpoint, host: str) -> str:
            asked.append(address)
            return ask(address, endpoint, host)

        made.context = replace(made.context, ask=counted)
        assert other_host(made).value == (plans.GREEN if answers else NO_ANSWER)
    assert asked == [plans.GREEN_ADDRESS]


def test_an_alarm_that_was_deleted_is_missing_and_every_guard_is_observed() -> None:
    plan = replace(PLAN, alarms=(plans.STATUS_ALARM,))
    with account(plan, Script(alarms_missing=(plans.GUARD_ALARM,))) as made:
        found = of(poll(plan, made.context).observations, Source.ALARM)
    assert {each.subject: each.value for each in found} == {
        plans.STATUS_ALARM: "OK",
        plans.GUARD_ALARM: "missing",
    }
