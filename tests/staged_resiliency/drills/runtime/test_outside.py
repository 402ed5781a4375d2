"""The edges to the outside: AWS, names, locks, the events that call functions, the log."""

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import botocore.exceptions
import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime import (
    aws_context,
    experiments,
    handlers,
    phases,
    run_lock,
    states,
)
from staged_resiliency.drills.runtime.aws_context import BotocoreAws, Resolver, the_world
from staged_resiliency.drills.runtime.client_view import look
from staged_resiliency.drills.runtime.context import AwsError, log_line
from staged_resiliency.drills.runtime.messages import PhaseInput, RunName
from staged_resiliency.drills.runtime.preflight import find, refusals
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.drills.state_machine import definition
from staged_resiliency.experiment.json_codec import DataError
from staged_resiliency.experiment.observations import NO_ANSWER, Source, of
from tests.staged_resiliency.drills import plans
from tests.staged_resiliency.drills.account import account
from tests.staged_resiliency.drills.service import START, Ordered, Script

PLAN = plans.SHUTDOWN


def test_an_error_of_aws_has_its_code() -> None:
    with account() as made:
        made.service.errors["GetExperiment"] = ["ResourceNotFoundException"]
        with pytest.raises(AwsError, match="ResourceNotFoundException") as raised:
            made.world.aws("fis", "GetExperiment", id="EXP1")
    assert raised.value.code == "ResourceNotFoundException"


def test_a_call_that_aws_would_not_take_is_a_mistake_and_no_answer() -> None:
    with account() as made, pytest.raises(botocore.exceptions.ParamValidationError):
        made.world.aws("fis", "GetExperiment", identity="EXP1")


def test_without_an_answer_the_error_is_named_after_its_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(AwsError) as raised:
        BotocoreAws()("fis", "GetExperiment", id="EXP1")
    assert raised.value.code == "NoRegionError"


def test_the_region_is_the_one_that_lambda_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    with account() as made:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        monkeypatch.setenv("AWS_REGION", "us-west-2")
        assert made.world.aws("fis", "ListExperiments")["experiments"] == []


def test_the_world_of_lambda_is_made_once() -> None:
    assert the_world() is the_world()


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
    real_world_thread = resolver._busy["a.example.com"]
    real_world_thread.join(30)
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
    ({"state": {}, "phase": "Record"}, "plan: must be an object"),
    ({"state": {"plan": PLAN.to_json()}, "phase": "Record"}, "run: found None; must be"),
)


@pytest.mark.parametrize(("event", "told"), EVENTS, ids=[row[1] for row in EVENTS])
def test_an_event_that_is_none_is_told(event: object, told: str) -> None:
    with pytest.raises(DataError, match=told):
        PhaseInput.of(json.loads(json.dumps(event)))


def test_an_error_that_step_functions_tells_is_one_line() -> None:
    event = {
        "phase": "Record",
        "state": {
            "plan": PLAN.to_json(),
            "run": {"execution": "arn", "name": "run-1"},
            "errors": {"end": {"Error": "Boom", "Cause": '{"stackTrace": [\n' + "x" * 999}, "b": 7},
        },
    }
    errors = PhaseInput.of(json.loads(json.dumps(event))).errors
    assert errors["end"].startswith('Boom: {"stackTrace": [ xxx')
    assert len(errors["end"]) == 300
    assert errors["b"] == "7"


INPUTS: tuple[tuple[object, str], ...] = (
    ({"occurrence": "2026-11-03T18:00:00Z"}, "2026-11-03T18:00:00Z"),
    ({"occurrence": "<aws.scheduler.scheduled-time>"}, ""),  # which nobody filled in
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
    assert PhaseInput.of(json.loads(json.dumps(event))).occurrence == occurrence


@pytest.mark.parametrize("event", [None, {}, {"detail": {"name": "run-1"}}])
def test_an_event_of_no_execution_is_told(event: object) -> None:
    with account(), pytest.raises(DataError, match="event: "):
        handlers.cleanup(event, None)


def test_a_sweep_after_a_run_that_ended_well_does_nothing() -> None:
    with account(PLAN, Script(standby_answers=False)) as made:
        execution = made.start(made.machine(PLAN))
        assert made.finish(execution) == "SUCCEEDED"
        described = made.wait(execution)
        made.sweep(described)
        assert made.log[-1]["event"] == "nothing to sweep"
        assert made.versions() == 1


def test_of_two_who_take_over_a_lock_one_gets_it() -> None:
    with account() as made:
        machine = made.machine(PLAN)
        store = Store(made.world.aws, PLAN.journal)
        gone = machine.replace("stateMachine", "execution") + ":gone"
        assert run_lock.take(store, gone, made.world) is None
        _, etag = store.get_tagged("lock.json")
        assert store.swap("lock.json", '{"execution": "one"}', etag)
        assert not store.swap("lock.json", '{"execution": "other"}', etag)
        assert run_lock.take(store, "one", made.world) is None


def test_who_loses_the_race_for_a_lock_is_told_who_won(monkeypatch: pytest.MonkeyPatch) -> None:
    with account() as made:
        machine = made.machine(PLAN)
        gone = machine.replace("stateMachine", "execution") + ":gone"
        store = Store(made.world.aws, PLAN.journal)
        assert run_lock.take(store, gone, made.world) is None
        runs = run_lock._runs

        def slow(execution: str, world: Any) -> bool:
            found = runs(execution, world)
            store.put("lock.json", '{"execution": "the other"}')
            return found

        monkeypatch.setattr(run_lock, "_runs", slow)
        assert run_lock.take(store, "mine", made.world) == "the other"


def test_the_lock_of_a_drill_that_was_taken_out_holds_up_nobody() -> None:
    with account() as made:
        machine = made.machine(replace(PLAN, drill="renamed"))
        store = Store(made.world.aws, PLAN.journal)
        gone = machine.replace("stateMachine", "execution") + ":run-1"
        assert run_lock.take(store, gone, made.world) is None
        made.client("stepfunctions").delete_state_machine(stateMachineArn=machine)
        assert run_lock.take(store, "mine", made.world) is None


def test_a_lock_is_not_taken_where_nobody_knows_whether_its_holder_runs() -> None:
    with account() as made:
        store = Store(made.world.aws, PLAN.journal)
        assert run_lock.take(store, "arn:of:another", made.world) is None
        with pytest.raises(AwsError):
            run_lock.take(store, "mine", made.world)


def test_an_object_that_can_not_be_written_is_an_error_and_not_taken() -> None:
    with account() as made:
        made.service.errors["PutObject"] = ["AccessDenied"]
        with pytest.raises(AwsError, match="AccessDenied"):
            Store(made.world.aws, PLAN.journal).put_new("a", "{}")


def test_long_lists_are_read_to_their_end() -> None:
    with account() as made:
        real = made.world.aws

        def paged(service: str, operation: str, **parameters: Any) -> Any:
            if operation == "ListObjectsV2":
                return real(service, operation, **parameters, MaxKeys=2)
            return real(service, operation, **parameters)

        store = Store(paged, PLAN.journal)
        for name in "abcde":
            store.put(f"x/{name}", "{}")
        assert sorted(store.keys("x/")) == [f"x/{name}" for name in "abcde"]


def test_experiments_are_read_to_the_end_of_their_list(monkeypatch: pytest.MonkeyPatch) -> None:
    with account() as made:
        answers = [
            {"experiments": [_listed("EXP1", "other")], "nextToken": "more"},
            {"experiments": [_listed("EXP2", "mine")]},
        ]
        monkeypatch.setattr(made.service, "ListExperiments", lambda given: answers.pop(0))
        assert experiments.of_run(PLAN, "mine", made.world) == ["EXP2"]


def _listed(identity: str, run: str) -> dict[str, Any]:
    return {
        "id": identity,
        "experimentTemplateId": plans.TEMPLATE,
        "state": {"status": "running"},
        "tags": {experiments.RUN_TAG: run},
    }


def test_stopping_what_has_ended_is_no_error_and_what_is_not_allowed_is() -> None:
    with account() as made:
        made.service.errors["StopExperiment"] = ["ConflictException", "AccessDeniedException"]
        experiments.stop("EXP1", made.world)
        with pytest.raises(AwsError, match="AccessDenied"):
            experiments.stop("EXP1", made.world)


def test_a_second_order_has_the_same_token_and_another_run_another() -> None:
    assert experiments.client_token("arn:1") == experiments.client_token("arn:1")
    assert experiments.client_token("arn:1") != experiments.client_token("arn:2")
    assert 1 <= len(experiments.client_token("arn:1")) <= 64


def test_what_can_not_be_seen_is_left_out() -> None:
    with account() as made:
        made.service.errors |= {"TestDNSAnswer": ["Throttling"], "DescribeAlarms": ["Throttling"]}
        found = look(PLAN, made.world)
    assert found.dns is None
    assert of(found.observations, Source.DNS) == of(found.observations, Source.ALARM) == []
    assert found.client == plans.BLUE


def test_a_host_that_is_none_of_the_service_serves_nobody() -> None:
    with account() as made:
        found = look(PLAN, replace(made.world, ask=lambda *_: "evil\x1b[31m"))
    assert found.client == NO_ANSWER
    assert "answered by 'evil\\x1b[31m', which is no host of the service" in found.why
    (client,) = of(found.observations, Source.CLIENT)
    assert client.value == NO_ANSWER


@pytest.mark.parametrize("operation", ["ListObjectsV2", "PutObject", "TestDNSAnswer"])
def test_a_fault_is_ended_whatever_else_can_not_be_reached(operation: str) -> None:
    with account() as made:
        started = experiments.start(PLAN, "arn", made.world)
        made.service.now += 60
        made.service.errors[operation] = ["AccessDenied"] * 9
        call = PhaseInput(states.END_FAULT, PLAN, RunName("arn", "run-1"), {}, {})
        with suppress(AwsError):  # what was seen can't be left behind; Step Functions tries again
            phases.end_fault(call, made.world)
        (experiment,) = made.service.ordered
        assert experiment.id == started.id
        assert experiment.stopped_at == START + 60


def test_a_sweep_that_can_not_read_what_is_recorded_sweeps_anyway() -> None:
    with account() as made:
        machine = made.machine(PLAN)
        made.before = lambda phase, count: made.stop(execution)
        execution = machine.replace("stateMachine", "execution") + ":run-1"
        made.start(machine)
        described = made.wait(execution)
        made.service.errors["ListObjectsV2"] = ["SlowDown"]
        made.sweep(described)
        assert [each["event"] for each in made.log].count("sweeping anyway") == 1
        assert made.journal()["verdict"]["message"].endswith("the run was aborted")


def test_an_instance_that_can_not_be_started_is_tried_again() -> None:
    with account(PLAN, Script(fis_starts_instance=False)) as made:
        made.service.errors["StartInstances"] = ["InsufficientInstanceCapacity"]
        experiments.start(PLAN, "arn", made.world)
        made.service.now += 60
        call = PhaseInput(states.END_FAULT, PLAN, RunName("arn", "run-1"), {}, {})
        result = phases.end_fault(call, made.world)
        while result.again:
            call = replace(call, results={"end": result})
            result = phases.end_fault(call, made.world)
        assert not made.service.broken
        assert result.told == f"instance {plans.INSTANCE} runs"


def test_a_name_without_addresses_serves_nobody() -> None:
    with account(PLAN, Script(dns=())) as made:
        found = look(PLAN, made.world)
    assert (found.client, found.why) == (NO_ANSWER, "the name can't be resolved")


def test_alarms_are_seen_now_and_at_their_last_change() -> None:
    with account() as made:
        found = of(look(PLAN, made.world).observations, Source.ALARM, plans.STATUS_ALARM)
    assert [each.at for each in found] == [START - 86_400, START]


def test_preflight_tells_all_that_speaks_against_a_run() -> None:
    script = Script(alarms_on=(plans.DB_ALARM,), standby_answers=False)
    with account(PLAN, script, start_now=START + 86_400) as made:
        made.service.ordered.append(
            Ordered("EXP9", "t", plans.TEMPLATE, {}, True, made.service.now)
        )
        found = find(PLAN, "mine", made.world)
        reasons = refusals(PLAN, found)
    assert len(reasons) == 4
    assert reasons[0].startswith("outside the allowed window (TUE 09:00 to 17:00")


def test_the_first_state_is_where_the_sweep_looks_for_the_plan() -> None:
    arns = {each.name: "arn" for each in functions.OF_THE_MACHINE}
    assert definition(PLAN, arns)["StartAt"] == states.PLAN


def test_lookups_have_a_limit() -> None:
    assert PLAN.sample_seconds > aws_context.RESOLVE_SECONDS
