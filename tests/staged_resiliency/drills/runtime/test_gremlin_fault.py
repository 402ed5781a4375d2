"""The attack of a run: when it is requested, its state in the words of AWS FIS, and its end."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime import engine, handlers, recorder
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.context import AwsError, NotStartedError
from staged_resiliency.drills.runtime.ending import FaultToEnd
from staged_resiliency.drills.runtime.fault import FaultEndStatus
from staged_resiliency.drills.runtime.gremlin import GremlinError
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.preflight import inspect, refusals
from staged_resiliency.drills.runtime.states import RunName
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.simulation import START, ApiError, Script
from tests.fake_gremlin import CLIENT, OTHER_CLIENT, StartedAttack
from tests.staged_resiliency.drills.runtime.gremlin_drills import (
    BLACKHOLE,
    SHUTDOWN,
    Set,
    gremlin_account,
)

RUN = plans.EXECUTION
BY_NAME = replace(
    SHUTDOWN,
    gremlin=replace(
        SHUTDOWN.gremlin,  # type: ignore[type-var]
        tags={},
        clients={plans.BLUE: CLIENT, plans.GREEN: OTHER_CLIENT},
    ),
)
BOTH = pytest.mark.parametrize("plan", [SHUTDOWN, BLACKHOLE], ids=["shutdown", "blackhole"])


def advance(
    found: Set, known: str | None = None, injected_at: float | None = None
) -> FaultEndStatus:
    """Take the next step to end the fault of the run."""
    to_end = FaultToEnd(found.service.plan.ending, RUN, known, injected_at)
    return engine.advance_fault_end(to_end, found.made.context)


def start(found: Set, later: float = 0) -> str:
    """Start the attack, and let time pass; return its ID."""
    identity = engine.start_experiment(found.service.plan, RUN, found.made.context).id
    found.service.now += later
    return identity


def status(found: Set, identity: str) -> tuple[str, float | None]:
    """The status of the experiment, and since when it acts in seconds from the start."""
    experiment = engine.get_experiment(found.service.plan, identity, found.made.context)
    acting = experiment.acting_since
    return experiment.status, None if acting is None else acting - START


# Whether an attack is requested.


def _client(found: Set) -> dict[str, Any]:
    """The client on the host, as Gremlin lists it."""
    return found.gremlin.clients[0]


def _wrong_key(found: Set) -> None:
    found.gremlin.key = "another"


def _no_secret(found: Set) -> None:
    found.made.context.secrets.clear()
    found.made.refuse("secretsmanager", "GetSecretValue", ApiError("AccessDeniedException"))


BY_HAND = StartedAttack("by-hand", {"command": {"type": "shutdown", "args": []}}, [CLIENT], START)


@cases(
    ("plan", "change", "reason"),
    {
        "the client is idle": (
            SHUTDOWN,
            lambda found: _client(found).update(state="IDLE"),
            f"no active client with instance-id={plans.INSTANCE}, service=bookstore in",
        ),
        "the client is of another service": (
            SHUTDOWN,
            lambda found: _client(found)["tags"].update(service="orders"),
            "no active client with instance-id=",
        ),
        "the client is on another instance": (
            SHUTDOWN,
            lambda found: _client(found)["tags"].update({"instance-id": "i-0999999999abcdef1"}),
            "no active client with instance-id=",
        ),
        "the client that is named is idle": (
            BY_NAME,
            lambda found: _client(found).update(state="IDLE"),
            f"Gremlin has no active client {CLIENT} in the team",
        ),
        "the client that is named is unknown": (
            BY_NAME,
            lambda found: found.gremlin.clients.pop(0),
            f"Gremlin has no active client {CLIENT} in the team",
        ),
        "the client that is named is on another instance": (
            BY_NAME,
            lambda found: _client(found)["tags"].update({"instance-id": "i-0999999999abcdef1"}),
            f"client {CLIENT} is on i-0999999999abcdef1, not on {plans.INSTANCE}",
        ),
        "an attack was started by hand": (
            BLACKHOLE,
            lambda found: found.service.attacks.append(BY_HAND),
            "attack by-hand of Gremlin is still running on a host of the service",
        ),
        "the instance terminates when it shuts down": (
            SHUTDOWN,
            lambda found: setattr(found.service, "shutdown_behavior", "terminate"),
            f"EC2 would terminate {plans.BLUE} when it shuts itself down",
        ),
        "the secret can't be read": (
            SHUTDOWN,
            _no_secret,
            "Gremlin can't be asked: AccessDeniedException",
        ),
    },
)
def test_a_run_is_refused(plan: Plan, change: Any, reason: str) -> None:
    with gremlin_account(plan, Script(initiating=9e9)) as found:
        change(found)
        reasons = refusals(plan, inspect(plan, RUN, found.made.context))
    assert reason in "; ".join(reasons)


def test_a_dry_run_that_finds_two_clients_is_no_success() -> None:
    with gremlin_account(replace(SHUTDOWN, enabled=False)) as found:
        found.gremlin.clients[1]["tags"] = _client(found)["tags"]
        message, wrong = engine.aim_of_dry_run(found.service.plan, found.made.context)
        assert message == wrong
        assert "Gremlin has 2 clients with instance-id=" in message


def test_a_host_is_found_by_its_identifier() -> None:
    with gremlin_account(BY_NAME) as found:
        assert refusals(BY_NAME, inspect(BY_NAME, RUN, found.made.context)) == []
        start(found)
        (attack,) = found.service.attacks
        assert attack.targets == [CLIENT]
        assert ("GET", "/clients/active") not in found.gremlin.requests


def test_no_attack_is_requested_while_a_guard_is_on() -> None:
    script = Script(alarm_states={plans.GUARD_ALARM: "ALARM"})
    with gremlin_account(SHUTDOWN, script) as found:
        with pytest.raises(NotStartedError, match=f"the guard {plans.GUARD_ALARM} is ALARM"):
            start(found)
        assert found.created == 0


@pytest.mark.parametrize("status", [401, 403])
def test_an_attack_that_gremlin_refuses_is_no_fault_and_the_run_says_why(status: int) -> None:
    with gremlin_account(SHUTDOWN) as found:
        found.gremlin.fail("POST", "/attacks/new", *[(status, "the reason")] * 9)
        with pytest.raises(NotStartedError, match=f"Gremlin {status}: POST .*the reason"):
            start(found)
        assert found.service.attacks == []
        assert found.created == (2 if status == 401 else 1)  # a key that was exchanged
        assert advance(found).message == "no experiment was started"
        assert found.starts == 0


@pytest.mark.parametrize("listed", [True, False])
def test_an_attack_whose_answer_was_lost_is_looked_for_and_never_requested_again(
    listed: bool,
) -> None:
    with gremlin_account(SHUTDOWN, hidden=not listed) as found:
        found.gremlin.fail("POST", "/attacks/new", "lost")
        with pytest.raises(GremlinError) as raised:
            start(found)
        assert not isinstance(raised.value, NotStartedError)
        (attack,) = found.service.attacks
        known = engine.experiments_of_run(SHUTDOWN, RUN, found.made.context)
        assert known == ([attack.guid] if listed else [])
        with pytest.raises(GremlinError, match="was requested before, and is not found"):
            start(found)
        assert found.created == 1


@pytest.mark.parametrize("reported", ["at once", "later"])
def test_an_attack_on_more_than_the_host_is_halted(reported: str) -> None:
    with gremlin_account(BLACKHOLE) as found:
        if reported == "later":
            path = "/attacks/00000000-0000-4000-8000-000000000000"
            found.gremlin.fail("GET", path, *[(503, "")] * 3)
        create = found.gremlin._create

        def everywhere(body: dict[str, Any]) -> tuple[int, str]:
            del body["target"]["hosts"]
            return create(body)

        found.gremlin._create = everywhere  # type: ignore[method-assign]
        known = start(found)
        (attack,) = found.service.attacks
        assert len(attack.targets) == 3
        if reported == "later":
            assert attack.halted_at is None
            assert status(found, known)[0] == "failed"  # for which the run ends the fault
            advance(found, known)
        assert attack.halted_at is not None
        assert attack.halted_at - attack.at < 10


# What AWS FIS would say of it.


@pytest.mark.parametrize("ends_in", ["Successful", "LostCommunication"])
def test_a_shutdown_is_judged_by_the_instance(ends_in: str) -> None:
    with gremlin_account(SHUTDOWN, ends_in=ends_in) as found:
        known = start(found, 30)
        assert status(found, known) == ("initiating", None)
        found.service.now += 60
        assert status(found, known) == ("running", 80)
        found.service.now = START + 80 + SHUTDOWN.fault_seconds
        assert status(found, known) == ("completed", 80)


@pytest.mark.parametrize("ends_in", ["Successful", "LostCommunication"])
def test_a_shutdown_whose_host_runs_on_is_complete_when_it_can_no_longer_stop(
    ends_in: str,
) -> None:
    script = Script(instance={"State": {"Name": "running"}})
    with gremlin_account(SHUTDOWN, script, ends_in=ends_in) as found:
        known = start(found, 90)
        assert status(found, known) == ("initiating", None)
        found.service.now += 180
        assert status(found, known) == ("completed", None)


def test_a_shutdown_that_is_halted_in_time_is_stopped() -> None:
    with gremlin_account(SHUTDOWN) as found:
        known = start(found, 30)
        advance(found, known)
        found.service.now += 30
        assert status(found, known) == ("stopped", None)


def test_an_attack_that_fails_before_it_begins_is_no_fault() -> None:
    with gremlin_account(BLACKHOLE, ends_in="InitializationFailed") as found:
        known = start(found, 30)
        experiment = engine.get_experiment(BLACKHOLE, known, found.made.context)
        assert experiment.cut_short == (
            "the experiment is failed: Gremlin reports InitializationFailed"
        )
        ended = advance(found, known)
        assert (ended.over, ended.message) == (True, "Gremlin reports InitializationFailed")


# The end of the fault.


def test_a_network_attack_that_is_halted_is_over() -> None:
    with gremlin_account(BLACKHOLE) as found:
        known = start(found, 60)
        assert not advance(found, known).over
        found.service.now += 30
        ended = advance(found, known)
        assert (ended.over, ended.message) == (True, "the rule on the host is removed")
        assert ended.fault_ended_at == found.service.now - 25


def test_an_attack_that_can_not_be_halted_is_reported_until_it_is_mended() -> None:
    with gremlin_account(BLACKHOLE, halts_in="HaltFailed") as found:
        known = start(found, 60)
        advance(found, known)
        found.service.now += 9_999
        ended = advance(found, known)
        message = f"Gremlin reports HaltFailed: reboot {plans.BLUE}"
        assert (ended.over, ended.message) == (False, message)


def test_an_attack_whose_client_is_lost_is_waited_for_until_its_length_is_over() -> None:
    with gremlin_account(BLACKHOLE, halts_in="LostCommunication") as found:
        known = start(found, 60)
        assert not advance(found, known).over
        found.service.now += 60
        waits = advance(found, known)
        assert (waits.over, waits.message) == (False, f"{plans.BLUE} removes the rule in 200 s")
        found.service.now += 200
        ended = advance(found, known)
        assert (ended.over, ended.message) == (True, "the time of the fault is over")
        assert not found.service.broken


def test_a_host_that_shuts_down_though_its_attack_was_halted_is_started() -> None:
    """A shutdown that is halted in its last minute may be on its way already."""
    with gremlin_account(SHUTDOWN, deaf=True) as found:
        known = start(found, 60)
        assert not advance(found, known).over
        (attack,) = found.service.attacks
        assert attack.halted_at == found.service.now
        for seconds in (0, 10):  # while it is halting, and once it is halted
            found.service.now += seconds
            assert f"{plans.BLUE} may yet shut down" in advance(found, known).message
        found.service.now += 50
        assert found.service.broken
        while not advance(found, known).over:
            found.service.now += 25
        assert found.starts == 1
        assert not found.service.broken


@BOTH
def test_an_attack_that_was_requested_and_is_not_found_is_ended_all_the_same(plan: Plan) -> None:
    with gremlin_account(plan, hidden=True) as found:
        start(found, 30)
        while not (ended := advance(found)).over:
            found.service.now += 25
        assert ended.message == "no attack of the run is found"
        assert found.service.fault_at is not None
        assert not found.service.broken
        assert found.starts == (1 if plan is SHUTDOWN else 0)


@BOTH
@pytest.mark.parametrize("lose", [_wrong_key, _no_secret])
def test_a_fault_ends_though_gremlin_can_no_longer_be_asked(plan: Plan, lose: Any) -> None:
    """As after a deployment with another engine, whose functions may not read the key."""
    with gremlin_account(plan) as found:
        known = start(found, 120)
        lose(found)
        with pytest.raises(AwsError):
            advance(found, known, START + 80)
        assert found.starts == (1 if plan is SHUTDOWN else 0)  # the host waits for nothing
        found.service.now = START + 80 + plan.fault_seconds + 60
        assert advance(found, known, START + 80).over
        assert not found.service.broken


@BOTH
def test_without_gremlin_an_attack_without_an_answer_ends_after_its_time(plan: Plan) -> None:
    with gremlin_account(plan, hidden=True) as found:
        start(found, 120)
        _wrong_key(found)
        with pytest.raises(GremlinError):
            advance(found)
        found.service.now += plan.fault_seconds
        assert advance(found).over


def test_an_attack_is_not_over_while_it_can_not_be_read_whether_it_was_requested() -> None:
    with gremlin_account(SHUTDOWN, hidden=True) as found:
        start(found, 9_999)
        found.service.started_by_hand = found.service.now - 5_000
        found.service.errors["ListObjectsV2"] = ["SlowDown"]
        assert not advance(found).over
        assert advance(found).over


@pytest.mark.parametrize("enabled", [True, False], ids=["aborted before", "dry run"])
def test_a_run_that_requested_no_attack_asks_gremlin_for_nothing_and_starts_no_host(
    enabled: bool,
) -> None:
    with gremlin_account(replace(SHUTDOWN, enabled=enabled)) as found:
        assert advance(found) == FaultEndStatus(True, None, "no experiment was started")
        assert found.gremlin.requests == []
        assert found.starts == 0


def test_a_dry_run_whose_attack_can_not_be_read_starts_no_host() -> None:
    with gremlin_account(SHUTDOWN) as found:
        ending = replace(SHUTDOWN.ending, gremlin=None, enabled=False)
        assert engine.advance_fault_end(FaultToEnd(ending, RUN), found.made.context).over
        assert found.made.calls == []


@pytest.mark.parametrize("attack_known", [True, False])
def test_a_release_that_can_not_read_the_plan_halts_its_attack_all_the_same(
    attack_known: bool,
) -> None:
    document: dict[str, Any] = json.loads(json.dumps(SHUTDOWN.to_json()))
    document["hypothesis"] = [{"expects": "luck"}]
    if not attack_known:
        document["gremlin"] = {"attacks": []}
    state: dict[str, Any] = {"plan": document, "run": {"execution": RUN, "name": "run-1"}}
    with gremlin_account(SHUTDOWN) as found:
        start(found, 120)
        assert found.service.broken
        result: Mapping[str, Any] = {"again": True}
        while result["again"]:
            result = handlers.end({"phase": names.END_FAULT, "state": state}, None)
            state["end"] = result
        assert not found.service.broken


def test_the_message_before_an_attack_names_no_command_of_aws_fis() -> None:
    plan = replace(SHUTDOWN, notice_seconds=60)
    with gremlin_account(plan) as found:
        recorder.announce(plan, RunName("arn:run", "run-1"), found.made.context)
        (message,) = found.made.messages()
    assert " fis " not in message["Message"]
    assert "halt the experiment in Gremlin's web application" in message["Message"]
    assert "stop-execution --execution-arn arn:run --region us-west-2" in message["Message"]
    assert f"start-instances --instance-ids {plans.INSTANCE} --region" in message["Message"]
