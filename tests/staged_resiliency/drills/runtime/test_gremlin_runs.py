"""Whole runs of drills whose faults Gremlin injects, by HTTP, with a stand-in for its API.

After each run no attack goes on, the instance is running and a verdict is recorded, as with AWS FIS
(``test_runs``).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime import engine, handlers, recorder
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.context import AwsError
from staged_resiliency.drills.runtime.plan import GremlinAttack, Plan
from staged_resiliency.drills.runtime.states import RunName
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.simulation import START, ApiError, Script
from tests.fake_gremlin import (
    CLIENT,
    KEY,
    OTHER_CLIENT,
    SECRET,
    TEAM,
    FakeGremlin,
    GremlinService,
    StartedAttack,
    serving,
)
from tests.staged_resiliency.drills.runtime.runs import verdict

pytestmark = pytest.mark.slow

FIS = {
    "shutdown": replace(plans.SHUTDOWN, call_seconds=900),
    "db-blackhole": replace(plans.BLACKHOLE, call_seconds=200),
    "db-slow": replace(plans.DEGRADE, call_seconds=200),
}
_NAME = "^api.gremlin.com,db.bookstore.pingpublications.com"
ATTACKS = {
    "shutdown": ("shutdown", ("-d", "1")),
    "db-blackhole": ("blackhole", ("-l", "300", "-h", _NAME, "-p", "^53")),
    "db-slow": ("latency", ("-l", "300", "-h", _NAME, "-p", "^53", "-m", "300")),
}


def with_gremlin(plan: Plan, **changes: Any) -> Plan:
    """The plan of the same drill, whose fault Gremlin injects."""
    kind, args = ATTACKS[plan.drill]
    attack = GremlinAttack(TEAM, SECRET, kind, args, {}, {"service": "bookstore"})
    return replace(plan, gremlin=replace(attack, **changes), experiment_template_id="")


SHUTDOWN = replace(with_gremlin(FIS["shutdown"]), sample_seconds=25)
BLACKHOLE = replace(with_gremlin(FIS["db-blackhole"]), sample_seconds=25)


@dataclass
class Set:
    """An account and its Gremlin."""

    made: Account
    gremlin: FakeGremlin
    service: GremlinService

    @property
    def created(self) -> int:
        """How often an attack was requested."""
        return self.gremlin.requests.count(("POST", "/attacks/new"))

    def run(self) -> tuple[str, Mapping[str, Any]]:
        """Run the drill to its end: the execution's status and the verdict."""
        made = self.made
        status = made.run()
        return status, verdict(made)


@contextmanager
def gremlin_account(plan: Plan, script: Script | None = None, **changes: Any) -> Iterator[Set]:
    """An account whose functions call a stand-in for Gremlin's API."""
    service = GremlinService(plan, script or Script(), **changes)
    with serving(service) as gremlin, account(plan, service=service) as made:
        made.context = replace(made.context, gremlin_url=gremlin.url, secrets={})
        made.answers["secretsmanager", "GetSecretValue"] = _secret
        yield Set(made, gremlin, service)


def _secret(given: Mapping[str, Any]) -> Mapping[str, Any]:
    assert given == {"SecretId": SECRET}
    return {"ARN": SECRET, "Name": "gremlin", "SecretString": f"{KEY}\n"}


SCRIPTS = {
    # Of the shutdown: Gremlin's agent waits a minute, and FIS's experiment is stopped first.
    "shutdown": (Script(initiating=80, fis_starts_instance=False, stop_takes=1), Script(boot=45)),
    "db-blackhole": (Script(detect=120, clients_move=None), Script(detect=120, clients_move=None)),
    "db-slow": (Script(detect=None, clients_move=None), Script(detect=None, clients_move=None)),
}


@pytest.mark.parametrize("drill", FIS)
def test_the_same_drill_gives_the_same_journal_with_either_engine(drill: str) -> None:
    fis, gremlin = SCRIPTS[drill]
    with account(FIS[drill], fis) as made:
        assert made.finish(made.start(made.machine(FIS[drill]))) == "SUCCEEDED"
        expected = json.dumps(made.journal()).replace(made.service.experiments[0].id, "ID")
    plan = with_gremlin(FIS[drill])
    with gremlin_account(plan, gremlin) as found:
        assert found.made.run() == "SUCCEEDED"
        (attack,) = found.service.attacks
        journal = json.dumps(found.made.journal()).replace(attack.guid, "ID")
    assert attack.targets == [CLIENT]
    assert json.loads(expected)["verdict"]["status"] == "passed"
    assert json.loads(journal) == json.loads(expected)


def test_the_request_is_that_of_the_description_and_aimed_at_one_client() -> None:
    with gremlin_account(BLACKHOLE, Script(detect=120, clients_move=None)) as found:
        assert found.run()[1]["status"] == "passed"
        (attack,) = found.service.attacks
        execution = plans.EXECUTION.replace("-shutdown:", "-db-blackhole:")
        assert attack.body == {
            "command": {
                "type": "blackhole",
                "commandType": "Blackhole",
                "args": ["-l", "300", "-h", _NAME, "-p", "^53"],
            },
            "target": {"type": "Exact", "hosts": {"ids": [CLIENT]}},
            "annotations": {"staged-resiliency:run": execution},
        }


def test_a_shutdown_is_ended_by_starting_the_instance() -> None:
    with gremlin_account(SHUTDOWN) as found:
        assert found.run()[1]["status"] == "passed"
        assert found.service.started_by_hand is not None
        assert "StartInstances" in [operation for _, operation in found.made.calls]


@pytest.mark.measured
def test_a_shutdown_whose_client_is_lost_is_judged_by_the_instance() -> None:
    with gremlin_account(SHUTDOWN, ends_in="LostCommunication") as found:
        assert found.run()[1]["status"] == "passed"


@pytest.mark.measured
@pytest.mark.parametrize("plan", [SHUTDOWN, BLACKHOLE], ids=["shutdown", "blackhole"])
def test_a_guard_that_fires_halts_the_attack_at_once(plan: Plan) -> None:
    script = Script(detect=120, clients_move=None)
    with gremlin_account(plan, script) as found:

        def fire(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                script.alarm_states[plans.GUARD_ALARM] = "ALARM"

        found.made.before = fire
        _, said = found.run()
        assert said["status"] == "aborted"
        assert f"the guard {plans.GUARD_ALARM} is in ALARM" in said["message"]
        (attack,) = found.service.attacks
        if plan is BLACKHOLE:
            assert attack.halted_at is not None
            assert attack.halted_at < attack.at + 60


def test_a_guard_that_fires_just_after_the_request_keeps_the_host_up() -> None:
    """The agent waits a minute before it shuts its host down."""
    plan = replace(SHUTDOWN, call_seconds=40, sample_seconds=5)
    script = Script()
    with gremlin_account(plan, script) as found:
        create = found.gremlin._create

        def fire(body: dict[str, Any]) -> tuple[int, str]:
            script.alarm_states[plans.GUARD_ALARM] = "ALARM"
            return create(body)

        found.gremlin._create = fire  # type: ignore[method-assign]
        _, said = found.run()
        assert f"the guard {plans.GUARD_ALARM} is in ALARM" in said["message"]
        (attack,) = found.service.attacks
        assert attack.halted_at is not None
        assert attack.halted_at < attack.at + 30
        assert found.service.fault_at is None


@pytest.mark.measured
def test_an_attack_is_halted_while_the_guards_can_not_be_read() -> None:
    """AWS FIS watches them by itself; with Gremlin nobody else does."""
    plan = replace(BLACKHOLE, call_seconds=40, sample_seconds=5)
    with gremlin_account(plan, Script(detect=120, clients_move=None)) as found:

        def lose(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                found.made.refuse("cloudwatch", "DescribeAlarms", ApiError("Throttling"))

        found.made.before = lose
        _, said = found.run()
        assert said["status"] == "aborted"
        assert "the guards can't be read for " in said["message"]
        (attack,) = found.service.attacks
        assert attack.halted_at is not None
        assert attack.halted_at < attack.at + 120


@pytest.mark.measured
def test_an_attack_is_not_over_while_it_can_not_be_read_whether_it_was_requested() -> None:
    plan = replace(SHUTDOWN, sample_seconds=5, call_seconds=20)
    with gremlin_account(plan, hidden=True) as found:
        made = found.made
        found.gremlin.fail("POST", "/attacks/new", "lost")
        given = made.context.aws

        def aws(service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
            asks = str(parameters.get("Prefix", "")).endswith("/attack/")
            if asks and found.service.fault_at is None:
                raise AwsError("SlowDown", "for a while")
            return given(service, operation, **parameters)

        made.context = replace(made.context, aws=aws)
        made.run()
        assert found.service.fault_at is not None
        assert not found.service.broken


@pytest.mark.measured
def test_a_dry_run_whose_attack_can_not_be_read_starts_no_host() -> None:
    with gremlin_account(SHUTDOWN) as found:
        ending = replace(SHUTDOWN.ending, gremlin=None, enabled=False)
        status = engine.advance_fault_end(ending, "arn", None, None, found.made.context)
        assert status.over
        assert found.made.calls == []


@pytest.mark.measured
def test_the_message_before_an_attack_names_no_command_of_aws_fis() -> None:
    plan = replace(SHUTDOWN, notice_seconds=60)
    with gremlin_account(plan) as found:
        recorder.announce(plan, RunName("arn:run", "run-1"), found.made.context)
        (message,) = found.made.messages()
    assert " fis " not in message["Message"]
    assert "halt the experiment in Gremlin's web application" in message["Message"]
    assert "stop-execution --execution-arn arn:run --region us-west-2" in message["Message"]
    assert f"start-instances --instance-ids {plans.INSTANCE} --region" in message["Message"]


@pytest.mark.measured
def test_no_attack_is_started_while_a_guard_is_on() -> None:
    script = Script()
    with gremlin_account(SHUTDOWN, script) as found:

        def fire(phase: str, count: int) -> None:
            if phase == names.INJECT:
                script.alarm_states[plans.GUARD_ALARM] = "ALARM"

        found.made.before = fire
        _, said = found.run()
        assert "the attack was not started: " in said["message"]
        assert f"the guard {plans.GUARD_ALARM} is ALARM" in said["message"]
        assert found.created == 0


@pytest.mark.parametrize("plan", [SHUTDOWN, BLACKHOLE], ids=["shutdown", "blackhole"])
@pytest.mark.parametrize("phase", [names.INJECT, names.OBSERVE])
def test_the_attack_of_an_aborted_run_is_halted_by_the_cleanup(plan: Plan, phase: str) -> None:
    with gremlin_account(plan, Script(detect=120, clients_move=None)) as found:
        made = found.made
        machine = made.machine(plan)
        execution = machine.replace("stateMachine", "execution") + ":run-1"
        made.after = lambda name, count: made.stop(execution) if name == phase else None
        made.start(machine)
        assert made.finish(execution) == "ABORTED"
        assert verdict(made)["message"].endswith("the run was aborted")
        (attack,) = found.service.attacks
        assert plan is SHUTDOWN or attack.halted_at is not None


@pytest.mark.measured
@pytest.mark.parametrize("plan", [SHUTDOWN, BLACKHOLE], ids=["shutdown", "blackhole"])
def test_an_attack_that_is_requested_just_after_the_abort_is_ended_too(plan: Plan) -> None:
    """An abort does not stop a function that runs."""
    with gremlin_account(plan, Script(detect=120, clients_move=None)) as found:
        made = found.made
        machine = made.machine(plan)
        execution = machine.replace("stateMachine", "execution") + ":run-1"
        made.before = lambda name, count: made.stop(execution) if name == names.INJECT else None
        made.start(machine)
        assert made.finish(execution) == "ABORTED"
        assert found.created == 1
        verdict(made)


def test_a_host_that_shuts_down_though_its_attack_was_halted_is_started() -> None:
    """A shutdown that is halted in its last minute may be on its way already."""
    plan = replace(SHUTDOWN, sample_seconds=5, call_seconds=20)
    with gremlin_account(plan, deaf=True) as found:
        made = found.made
        machine = made.machine(plan)
        execution = machine.replace("stateMachine", "execution") + ":run-1"
        made.after = lambda name, count: made.stop(execution) if name == names.INJECT else None
        made.start(machine)
        assert made.finish(execution) == "ABORTED"
        (attack,) = found.service.attacks
        assert attack.halted_at is not None
        assert found.service.fault_at is not None
        assert attack.halted_at < found.service.fault_at
        verdict(made)


@pytest.mark.measured
@pytest.mark.parametrize("plan", [SHUTDOWN, BLACKHOLE], ids=["shutdown", "blackhole"])
def test_a_fault_ends_though_the_functions_may_no_longer_read_the_key(plan: Plan) -> None:
    """As after a deployment with another engine."""
    with gremlin_account(plan, Script(detect=120, clients_move=None)) as found:

        def deploy(phase: str, count: int) -> None:
            if phase == names.END_FAULT:
                found.made.context.secrets.clear()
                error = ApiError("AccessDeniedException")
                found.made.refuse("secretsmanager", "GetSecretValue", error)

        found.made.before = deploy
        found.made.run()
        assert not found.service.broken
        assert found.made.journal()["verdict"]["status"] in ("passed", "failed")


@pytest.mark.measured
def test_a_run_that_is_aborted_before_its_attack_asks_gremlin_for_nothing_more() -> None:
    with gremlin_account(SHUTDOWN) as found:
        made = found.made
        machine = made.machine(SHUTDOWN)
        execution = machine.replace("stateMachine", "execution") + ":run-1"
        made.after = lambda name, count: made.stop(execution) if name == names.PREFLIGHT else None
        made.start(machine)
        found.made.wait(execution)
        before = len(found.gremlin.requests)
        assert made.finish(execution) == "ABORTED"
        assert len(found.gremlin.requests) == before
        assert "StartInstances" not in [operation for _, operation in made.calls]


@pytest.mark.parametrize("plan", [SHUTDOWN, BLACKHOLE], ids=["shutdown", "blackhole"])
def test_an_attack_whose_answer_was_lost_is_found_and_not_started_again(plan: Plan) -> None:
    with gremlin_account(plan, Script(detect=120 if plan is BLACKHOLE else 200)) as found:
        found.gremlin.fail("POST", "/attacks/new", "lost")
        _, said = found.run()
        assert found.created == len(found.service.attacks) == 1
        assert said["status"] in ("passed", "failed")


@pytest.mark.parametrize("answer", [(500, "oops"), (503, ""), "hang up", (200, "{}"), "lost"])
@pytest.mark.parametrize("plan", [SHUTDOWN, BLACKHOLE], ids=["shutdown", "blackhole"])
def test_an_attack_that_may_have_been_started_is_never_requested_again(
    plan: Plan, answer: Any
) -> None:
    """Not even where Gremlin lists none: the host is started, whatever Gremlin says."""
    with gremlin_account(plan, Script(detect=120, clients_move=None), hidden=True) as found:
        found.gremlin.fail("POST", "/attacks/new", answer)
        made = found.made
        made.run()
        assert found.created == 1
        assert not found.service.broken
        assert made.journal()["verdict"]["status"] in ("aborted", "failed")


@pytest.mark.measured
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 302])
def test_an_attack_that_gremlin_refuses_is_no_fault_and_the_run_says_why(status: int) -> None:
    with gremlin_account(SHUTDOWN) as found:
        found.gremlin.fail("POST", "/attacks/new", *[(status, "the reason")] * 9)
        _, said = found.run()
        assert said["status"] == "aborted"
        assert f"the attack was not started: Gremlin {status}: POST" in said["message"]
        assert "the reason" in said["message"]
        assert found.service.attacks == []
        assert found.created == (2 if status == 401 else 1)  # a key that was exchanged
        assert "StartInstances" not in [operation for _, operation in found.made.calls]


@pytest.mark.parametrize("plan", [SHUTDOWN, BLACKHOLE], ids=["shutdown", "blackhole"])
def test_a_fault_is_ended_though_gremlin_can_no_longer_be_asked(plan: Plan) -> None:
    """A stopped host is started at once; a rule ends after its length."""
    with gremlin_account(plan, Script(detect=120, clients_move=None)) as found:

        def lose(phase: str, count: int) -> None:
            if phase == names.END_FAULT:
                found.gremlin.key = "another"

        found.made.before = lose
        found.made.run()
        assert not found.service.broken
        ends = found.made.phases.index(names.END_FAULT)
        assert found.made.phases[ends:].count(names.RECORD) == 1
        if plan is SHUTDOWN:
            began = found.service.fault_at
            assert began is not None
            assert found.service.started_by_hand is not None
            assert found.service.started_by_hand < began + SHUTDOWN.fault_seconds


def test_an_attack_that_can_not_be_halted_is_reported_until_it_is_mended() -> None:
    with gremlin_account(BLACKHOLE, Script(detect=120), halts_in="HaltFailed") as found:
        found.made.before = lambda phase, count: (
            found.service.script.alarm_states.update({plans.GUARD_ALARM: "ALARM"})
            if phase == names.OBSERVE
            else None
        )
        assert found.made.wait(found.made.start(found.made.machine(BLACKHOLE)))["status"] == (
            "FAILED"
        )
        said = found.made.journal()["verdict"]
        assert said["status"] == "failed"
        assert "THE FAULT MAY STILL BE THERE: Gremlin reports HaltFailed: reboot" in said["message"]


@pytest.mark.measured
def test_an_attack_whose_client_is_lost_is_waited_for_until_its_length_is_over() -> None:
    with gremlin_account(BLACKHOLE, Script(detect=120), halts_in="LostCommunication") as found:
        found.made.before = lambda phase, count: (
            found.service.script.alarm_states.update({plans.GUARD_ALARM: "ALARM"})
            if phase == names.OBSERVE
            else None
        )
        _, said = found.run()
        assert said["status"] == "aborted"
        (attack,) = found.service.attacks
        assert attack.halted_at is not None
        assert found.service.now > attack.at + attack.length > attack.halted_at


@pytest.mark.measured
def test_an_attack_that_fails_before_it_begins_is_no_fault() -> None:
    with gremlin_account(BLACKHOLE, ends_in="InitializationFailed") as found:
        _, said = found.run()
        assert said["status"] == "aborted"
        assert "the experiment is failed: Gremlin reports InitializationFailed" in said["message"]


@pytest.mark.measured
@pytest.mark.parametrize("told", ["at once", "later"])
def test_an_attack_on_more_than_the_host_is_halted(told: str) -> None:
    with gremlin_account(BLACKHOLE) as found:
        if told == "later":
            path = "/attacks/00000000-0000-4000-8000-000000000000"
            found.gremlin.fail("GET", path, *[(503, "")] * 3)
        create = found.gremlin._create

        def everywhere(body: dict[str, Any]) -> tuple[int, str]:
            del body["target"]["hosts"]
            return create(body)

        found.gremlin._create = everywhere  # type: ignore[method-assign]
        _, said = found.run()
        assert said["status"] == "aborted"
        (attack,) = found.service.attacks
        assert len(attack.targets) == 3
        assert attack.halted_at is not None
        assert attack.halted_at - attack.at < 10


def test_a_dry_run_finds_the_client_and_attacks_nothing() -> None:
    with gremlin_account(replace(SHUTDOWN, enabled=False)) as found:
        status, said = found.run()
        assert (status, said["status"]) == ("SUCCEEDED", "dry run")
        assert said["message"].endswith(f"aimed at {CLIENT} on {plans.INSTANCE}")
        assert {method for method, _ in found.gremlin.requests} == {"GET"}


@pytest.mark.measured
def test_a_dry_run_that_finds_two_clients_is_no_success() -> None:
    with gremlin_account(replace(SHUTDOWN, enabled=False)) as found:

        def another(phase: str, count: int) -> None:
            if phase == names.INJECT:
                found.gremlin.clients[1]["tags"] = found.gremlin.clients[0]["tags"]

        found.made.before = another
        _, said = found.run()
        assert said["status"] == "aborted"
        assert "Gremlin has 2 clients with instance-id=" in said["message"]


BY_NAME = replace(
    SHUTDOWN,
    gremlin=replace(
        SHUTDOWN.gremlin,  # type: ignore[type-var]
        tags={},
        clients={plans.BLUE: CLIENT, plans.GREEN: OTHER_CLIENT},
    ),
)


def _idle(found: Set) -> None:
    found.gremlin.clients[0]["state"] = "IDLE"


def _elsewhere(found: Set) -> None:
    found.gremlin.clients[0]["tags"]["instance-id"] = "i-0999999999abcdef1"


def _gone(found: Set) -> None:
    del found.gremlin.clients[0]


def _other_service(found: Set) -> None:
    found.gremlin.clients[0]["tags"]["service"] = "orders"


def _by_hand(found: Set) -> None:
    body = {"command": {"type": "shutdown", "args": []}}
    attack = StartedAttack("by-hand", body, [CLIENT], START)
    found.service.attacks.append(attack)


def _terminates(found: Set) -> None:
    found.service.shutdown_behavior = "terminate"


def _wrong_key(found: Set) -> None:
    found.gremlin.key = "another"


def _json_secret(found: Set) -> None:
    found.made.answers["secretsmanager", "GetSecretValue"] = lambda given: {
        "SecretString": '{"key": "abc"}'
    }


def _no_secret(found: Set) -> None:
    found.made.refuse("secretsmanager", "GetSecretValue", ApiError("AccessDeniedException"))


def _malformed(found: Set) -> None:
    found.gremlin.fail("GET", "/clients/active", *[(200, "<html>")] * 9)


REFUSED = (
    (SHUTDOWN, _idle, f"no active client with instance-id={plans.INSTANCE}, service=bookstore in"),
    (SHUTDOWN, _other_service, "no active client with instance-id="),
    (SHUTDOWN, _elsewhere, "no active client with instance-id="),
    (BY_NAME, _idle, f"Gremlin has no active client {CLIENT} in the team"),
    (BY_NAME, _gone, f"Gremlin has no active client {CLIENT} in the team"),
    (BY_NAME, _elsewhere, f"client {CLIENT} is on i-0999999999abcdef1, not on {plans.INSTANCE}"),
    (SHUTDOWN, _by_hand, "attack by-hand of Gremlin is still running on a host of the service"),
    (SHUTDOWN, _terminates, f"EC2 would terminate {plans.BLUE} when it shuts itself down"),
    (SHUTDOWN, _wrong_key, "Gremlin 401: GET /clients/active: Gremlin does not know the API key"),
    (SHUTDOWN, _json_secret, f"{SECRET} must hold the API key alone, as plain text"),
    (SHUTDOWN, _no_secret, "Gremlin can't be asked: AccessDeniedException"),
    (SHUTDOWN, _malformed, "GET /clients/active: its answer is not as its API is described"),
)


@pytest.mark.measured
@pytest.mark.parametrize(
    ("plan", "change", "reason"), REFUSED, ids=[f"{row[1].__name__} {n}" for n, row in
                                                enumerate(REFUSED)]
)  # fmt: skip
def test_a_run_is_refused(plan: Plan, change: Any, reason: str) -> None:
    with gremlin_account(plan, Script(initiating=9e9)) as found:
        change(found)
        found.made.run()
        said = found.made.journal()["verdict"]
        assert said["status"] == "aborted"
        assert said["message"].startswith("refused: ")
        assert reason in said["message"]
        assert found.created == 0


@pytest.mark.measured
def test_a_host_is_found_by_its_identifier() -> None:
    with gremlin_account(BY_NAME) as found:
        assert found.run()[1]["status"] == "passed"
        (attack,) = found.service.attacks
        assert attack.targets == [CLIENT]
        assert ("GET", "/clients/active") not in found.gremlin.requests


def test_the_key_is_nowhere_but_in_the_requests() -> None:
    with gremlin_account(SHUTDOWN) as found:
        found.gremlin.fail("POST", "/attacks/new", (403, f"you sent Key {KEY}"))
        assert "you sent Key ***" in found.run()[1]["message"]
        s3 = found.made.client("s3")
        texts = [
            s3.get_object(Bucket=plans.BUCKET, Key=key)["Body"].read().decode()
            for key in found.made.objects()
        ]
        texts += [json.dumps(found.made.log), json.dumps(SHUTDOWN.to_json())]
        texts.append(repr(found.made.context))
        assert not [text for text in texts if KEY in text]
        assert found.made.context.secrets == {SECRET: KEY}


@pytest.mark.measured
def test_a_release_that_can_not_read_the_plan_halts_its_attack_all_the_same() -> None:
    for known in (True, False):
        document = json.loads(json.dumps(SHUTDOWN.to_json()))
        document["hypothesis"] = [{"expects": "luck"}]
        if not known:
            document["gremlin"] = {"attacks": []}
        with gremlin_account(SHUTDOWN) as found:
            made = found.made
            machine = made.machine(SHUTDOWN)
            execution = machine.replace("stateMachine", "execution") + ":run-1"
            made.after = lambda name, count, made=made, execution=execution: (  # type: ignore[misc]
                made.stop(execution) if name == names.OBSERVE else None
            )
            made.start(machine)
            made.wait(execution)
            assert found.service.broken
            run = {"execution": execution, "name": "run-1"}
            event: dict[str, Any] = {"phase": names.END_FAULT, "state": {"plan": document}}
            event["state"]["run"] = run
            result = handlers.end(event, None)
            while result["again"]:
                event["state"]["end"] = result
                result = handlers.end(event, None)
            assert not found.service.broken


def test_functions_call_what_they_declare_with_gremlin_and_nothing_else() -> None:
    used: dict[str, set[str]] = {}
    for plan in (SHUTDOWN, BLACKHOLE):
        with gremlin_account(plan, Script(detect=120 if plan is BLACKHOLE else 200)) as found:
            # As each function is a process of its own, each reads the key.
            found.made.before = lambda phase, count, at=found: at.made.context.secrets.clear()  # type: ignore[misc]
            found.run()
            for name, actions in found.made.used.items():
                used.setdefault(name, set()).update(actions)
    for function in functions.ALL:
        allowed = {
            each.action
            for each in functions.permissions_of(
                function, without=[functions.Resource.CLIENT], gremlin=True
            )
        }
        added = {each.action for each in functions.GREMLIN[function.name]}
        assert used[function.name] - allowed == set()
        assert added - used[function.name] == set(), "a permission that is not needed"
    assert not {"fis:StartExperiment", "fis:TagResource"} & used["inject"]
