"""Whole runs of drills whose faults Gremlin injects, by HTTP, with a stand-in for its API.

After each run no attack goes on, the instance is running and a verdict is recorded, as with AWS FIS
(``runs``).
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.plan import Plan
from tests.fake_aws import plans
from tests.fake_aws.account import account
from tests.fake_aws.simulation import Script
from tests.fake_gremlin import CLIENT, KEY, SECRET
from tests.staged_resiliency.drills.runtime.gremlin_drills import (
    BLACKHOLE,
    SHUTDOWN,
    Set,
    gremlin_account,
    with_gremlin,
)
from tests.staged_resiliency.drills.runtime.runs import verdict

pytestmark = pytest.mark.slow

FIS = {
    "shutdown": replace(plans.SHUTDOWN, call_seconds=900),
    "db-blackhole": replace(plans.BLACKHOLE, call_seconds=200),
    "db-slow": replace(plans.DEGRADE, call_seconds=200),
}
SCRIPTS = {
    # Of the shutdown: Gremlin's agent waits a minute, and FIS's experiment is stopped first.
    "shutdown": (Script(initiating=80, fis_starts_instance=False, stop_takes=1), Script(boot=45)),
    "db-blackhole": (Script(detect=120, clients_move=None), Script(detect=120, clients_move=None)),
    "db-slow": (Script(detect=None, clients_move=None), Script(detect=None, clients_move=None)),
}
BOTH = pytest.mark.parametrize("plan", [SHUTDOWN, BLACKHOLE], ids=["shutdown", "blackhole"])


@pytest.mark.parametrize("drill", FIS)
def test_the_same_drill_gives_the_same_journal_with_either_engine(drill: str) -> None:
    fis, gremlin = SCRIPTS[drill]
    with account(FIS[drill], fis) as made:
        assert made.run() == "SUCCEEDED"
        expected = json.dumps(made.journal()).replace(made.service.experiments[0].id, "ID")
    with gremlin_account(with_gremlin(FIS[drill]), gremlin) as found:
        assert found.made.run() == "SUCCEEDED"
        (attack,) = found.service.attacks
        journal = json.dumps(found.made.journal()).replace(attack.guid, "ID")
        # A shut-down host is ended by starting it.
        assert found.starts == (1 if drill == "shutdown" else 0)
    assert attack.targets == [CLIENT]
    assert json.loads(expected)["verdict"]["status"] == "passed"
    assert json.loads(journal) == json.loads(expected)


def guard_fires(found: Set) -> None:
    found.service.script.alarm_states[plans.GUARD_ALARM] = "ALARM"


def test_a_guard_that_fires_halts_the_attack_at_once() -> None:
    with gremlin_account(BLACKHOLE, Script(detect=120, clients_move=None)) as found:
        found.made.before_phase(names.OBSERVE, lambda: guard_fires(found))
        found.made.run()
        said = verdict(found.made)
        assert said["status"] == "aborted"
        assert f"the guard {plans.GUARD_ALARM} is in ALARM" in said["message"]
        (attack,) = found.service.attacks
        assert attack.halted_at is not None
        assert attack.halted_at < attack.at + 60


def test_a_guard_that_fires_just_after_the_request_keeps_the_host_up() -> None:
    """The agent waits a minute before it shuts its host down."""
    plan = replace(SHUTDOWN, call_seconds=40, sample_seconds=5)
    with gremlin_account(plan) as found:
        create = found.gremlin._create

        def fire(body: dict[str, Any]) -> tuple[int, str]:
            guard_fires(found)
            return create(body)

        found.gremlin._create = fire  # type: ignore[method-assign]
        found.made.run()
        message = verdict(found.made)["message"]
        assert f"the guard {plans.GUARD_ALARM} is in ALARM" in message
        (attack,) = found.service.attacks
        assert attack.halted_at is not None
        assert attack.halted_at < attack.at + 30
        assert found.service.fault_at is None


@BOTH
@pytest.mark.parametrize(
    ("phase", "when"),
    [(names.INJECT, "before"), (names.INJECT, "after"), (names.OBSERVE, "after")],
)
def test_the_attack_of_an_aborted_run_is_ended_by_the_cleanup(
    plan: Plan, phase: str, when: str
) -> None:
    """Also where it is requested just after the abort, which does not stop a function."""
    with gremlin_account(plan, Script(detect=120, clients_move=None)) as found:
        assert found.made.finish(found.made.start_aborted(phase, when=when)) == "ABORTED"
        assert verdict(found.made)["message"].endswith("the run was aborted")
        (attack,) = found.service.attacks
        assert plan is SHUTDOWN or attack.halted_at is not None


def test_an_attack_whose_answer_was_lost_is_found_and_not_started_again() -> None:
    with gremlin_account(SHUTDOWN) as found:
        found.gremlin.fail("POST", "/attacks/new", "lost")
        found.made.run()
        assert verdict(found.made)["status"] == "passed"
        assert found.created == len(found.service.attacks) == 1


def test_a_host_is_started_at_once_though_gremlin_can_no_longer_be_asked() -> None:
    with gremlin_account(SHUTDOWN) as found:
        made = found.made
        made.before_phase(names.END_FAULT, lambda: setattr(found.gremlin, "key", "another"))
        made.run()
        assert not found.service.broken
        assert made.phases.count(names.RECORD) == 1
        began, started = found.service.fault_at, found.service.started_by_hand
        assert began is not None
        assert started is not None
        assert started < began + SHUTDOWN.fault_seconds


def test_a_dry_run_finds_the_client_and_attacks_nothing() -> None:
    with gremlin_account(replace(SHUTDOWN, enabled=False)) as found:
        assert found.made.run() == "SUCCEEDED"
        said = verdict(found.made)
        assert said["status"] == "dry run"
        assert said["message"].endswith(f"aimed at {CLIENT} on {plans.INSTANCE}")
        assert {method for method, _ in found.gremlin.requests} == {"GET"}


def test_a_refused_attack_aborts_the_run_and_the_key_is_nowhere_but_in_the_requests() -> None:
    with gremlin_account(SHUTDOWN) as found:
        found.gremlin.fail("POST", "/attacks/new", (403, f"you sent Key {KEY}"))
        found.made.run()
        said = verdict(found.made)
        assert said["status"] == "aborted"
        assert "the attack was not started: Gremlin 403: POST" in said["message"]
        assert "you sent Key ***" in said["message"]
        assert found.starts == 0
        s3 = found.made.client("s3")
        texts = [
            s3.get_object(Bucket=plans.BUCKET, Key=key)["Body"].read().decode()
            for key in found.made.objects()
        ]
        texts += [json.dumps(found.made.log), json.dumps(SHUTDOWN.to_json())]
        texts.append(repr(found.made.context))
        assert not [text for text in texts if KEY in text]
        assert found.made.context.secrets == {SECRET: KEY}


def test_functions_call_what_they_declare_with_gremlin_and_nothing_else() -> None:
    used: dict[str, set[str]] = {}
    for plan in (SHUTDOWN, BLACKHOLE):
        with gremlin_account(plan, Script(detect=120 if plan is BLACKHOLE else 200)) as found:
            # As each function is a process of its own, each reads the key.
            found.made.before = lambda phase, count, at=found: at.made.context.secrets.clear()  # type: ignore[misc]
            found.made.run()
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
