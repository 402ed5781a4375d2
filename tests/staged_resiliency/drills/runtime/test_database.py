"""Drills that make a database fail over: their preflight, whole runs, and their end."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime import lock
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.database import traps_of
from staged_resiliency.drills.runtime.fault_settings import Database
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.preflight import inspect, refusals
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account, throttled
from tests.fake_aws.simulation import Script
from tests.staged_resiliency.drills.runtime.runs import moment

PLAN = replace(plans.RDS_FAILOVER, sample_seconds=25, call_seconds=900)
CLUSTER = replace(PLAN, database=Database("shop", is_cluster=True, alarms_seconds=290))
BOTH = (plans.DB_ALARM, plans.GREEN_DB_ALARM)
WRITER = {"DBInstanceIdentifier": "shop-1", "IsClusterWriter": True}


def run(plan: Plan, script: Script) -> tuple[Mapping[str, Any], Account]:
    """Run a drill to its end: its journal, and the account."""
    with account(plan, script) as made:
        made.run()
        assert made.service.running == []
        return made.journal("run-1"), made


AVAILABLE = {"DBInstanceStatus": "available", "MultiAZ": True}
WAITS = {"DBParameterGroupName": "tuned", "ParameterApplyStatus": "pending-reboot"}
TRAPS: Mapping[str, tuple[Plan, Mapping[str, Any], str]] = {
    "one zone": (
        PLAN,
        {**AVAILABLE, "MultiAZ": False},
        "DB instance shop-db is not Multi-AZ and has no standby, so both hosts would lose it until "
        "it has rebooted; make it Multi-AZ",
    ),
    "a member of a cluster": (
        PLAN,
        {**AVAILABLE, "MultiAZ": False, "DBClusterIdentifier": "shop"},
        "DB instance shop-db belongs to DB cluster shop, which fails over as a whole; give "
        "db_cluster: shop",
    ),
    "a change that waits": (
        PLAN,
        {**AVAILABLE, "DBParameterGroups": [WAITS]},
        "the reboot of DB instance shop-db would also apply its parameter group tuned, which waits "
        "for one; reboot it beforehand",
    ),
    "an instance that is being changed": (
        PLAN,
        {**AVAILABLE, "DBInstanceStatus": "modifying"},
        "DB instance shop-db is modifying, not available",
    ),
    "no instance": (PLAN, {}, "DB instance shop-db does not exist in the region"),
    "no reader": (
        CLUSTER,
        {"Status": "available", "DBClusterMembers": [WRITER]},
        "DB cluster shop has no reader to fail over to, so both hosts would lose it until its "
        "writer is back; add a reader",
    ),
    "no cluster": (CLUSTER, {}, "DB cluster shop does not exist in the region"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_database_that_can_not_fail_over_is_refused(trap: str) -> None:
    plan, described, reason = TRAPS[trap]
    assert plan.database is not None
    assert traps_of(plan.database, described) == [reason]


@pytest.mark.parametrize(
    ("plan", "script"),
    [(PLAN, {"database": {"MultiAZ": False}}), (CLUSTER, {"database_known": False})],
    ids=["instance", "cluster"],
)
def test_a_run_and_a_dry_run_are_refused_that_would_be_an_outage(
    plan: Plan, script: Mapping[str, Any]
) -> None:
    for enabled in (True, False):
        with account(replace(plan, enabled=enabled), Script(**script)) as made:
            (reason,) = refusals(plan, inspect(plan, "arn", made.context))
        assert reason.startswith(f"{plan.database} ")


@pytest.mark.parametrize("plan", [PLAN, CLUSTER], ids=["instance", "cluster"])
def test_what_has_a_standby_may_fail_over(plan: Plan) -> None:
    with account(plan) as made:
        found = inspect(plan, "arn", made.context)
    assert (refusals(plan, found), found.database) == ([], "available")


@pytest.mark.parametrize(
    ("plan", "waits"),
    [(PLAN, False), pytest.param(CLUSTER, True, marks=pytest.mark.slow)],
    ids=["instance, FIS does not wait", "cluster, FIS waits"],
)
def test_a_failover_that_both_hosts_bear_passes(plan: Plan, waits: bool) -> None:
    """Neither host answers for 70 s, and the alarms of both fire when the database is back."""
    script = Script(
        needs_database=True, alarms_of_database=BOTH, detect=200, fis_waits_for_database=waits
    )
    script.clients_move = None
    journal, made = run(plan, script)
    assert journal["verdict"]["status"] == "passed", journal["verdict"]["message"]
    judged = {each["expectation"]["expects"]: each for each in journal["verdict"]["judgements"]}
    assert 70 <= judged["clients served again"]["seconds"] <= 100
    assert journal["measures"]["outage_seconds"] == judged["clients served again"]["seconds"]
    assert journal["measures"]["detect_seconds"] == 200
    began, ended = (moment(journal[key]) for key in ("injected_at", "fault_ended_at"))
    assert 120 <= ended - began < 150
    assert journal["fault"] == "database failed over"
    # It went on until the alarms had fired and recovered.
    assert made.service.now >= began + 290
    operation = "DescribeDBClusters" if plan is CLUSTER else "DescribeDBInstances"
    assert ("rds", operation) in made.calls
    asks = {name for name, actions in made.used.items() if f"rds:{operation}" in actions}
    assert asks == {"observe", "end"}  # which alone have the policy


@pytest.mark.slow
def test_a_database_that_takes_longer_ends_the_fault_later() -> None:
    script = Script(clients_move=None, failover_takes=400, needs_database=True)
    journal, _ = run(replace(PLAN, objective_seconds=600), script)
    assert journal["verdict"]["status"] == "passed", journal["verdict"]["message"]
    assert journal["fault_ended_at"] >= "2026-11-03T18:07:10"


@pytest.mark.slow
def test_clients_that_are_served_again_too_late_fail_the_drill() -> None:
    script = Script(clients_move=None, failover_takes=600, needs_database=True)
    journal, _ = run(PLAN, script)
    assert journal["verdict"]["status"] == "failed"
    assert "the objective is 360 s" in journal["verdict"]["message"]
    assert f"clients of {plans.RECORD} are served again" in journal["verdict"]["message"]


@pytest.mark.slow
def test_a_failover_that_fis_can_not_begin_is_no_success() -> None:
    journal, _ = run(PLAN, Script(clients_move=None, fails_after=0))
    assert journal["verdict"]["status"] == "aborted"


@pytest.mark.slow
def test_an_aborted_run_is_cleaned_up_once_the_database_is_back() -> None:
    with account(PLAN, Script(clients_move=None, failover_takes=200)) as made:
        assert made.finish(made.start_aborted(names.OBSERVE)) == "ABORTED"
        journal = made.journal()
    assert journal["verdict"]["status"] == "aborted"
    began, ended = (moment(journal[key]) for key in ("injected_at", "fault_ended_at"))
    assert ended - began >= 200


@pytest.mark.slow
def test_a_dry_run_checks_its_aim_and_leaves_the_database_alone() -> None:
    plan = replace(PLAN, enabled=False)
    journal, _ = run(plan, Script(aim=plans.DATABASE_ARN))
    assert journal["verdict"]["message"] == (
        f"no fault was injected: aimed at {plans.DATABASE_ARN}"
    )
    journal, _ = run(plan, Script())
    assert "not at db:shop-db alone" in journal["verdict"]["message"]


@pytest.mark.slow
def test_a_database_that_can_not_be_described_counts_as_lost_for_a_while() -> None:
    """As after the removal of the drill, with which goes the permission."""
    with account(PLAN, Script(clients_move=None)) as made:
        made.before_phase(
            names.OBSERVE, lambda: made.refuse("rds", "DescribeDBInstances", throttled())
        )
        made.run()
        journal = made.journal()
    assert journal["verdict"]["status"] == "passed", journal["verdict"]["message"]
    assert journal["fault_ended_at"] >= "2026-11-03T18:32:30"


def test_runs_lock_the_database_with_both_hosts() -> None:
    with account(PLAN) as made:
        assert PLAN.instances == ("db-shop-db", plans.INSTANCE)
        assert lock.take(PLAN, "arn:first", made.context) == ""
        other = replace(
            PLAN, service="news", active=replace(PLAN.active, instance_id="i-0ffffffffffffffff")
        )
        assert lock.take(other, "arn:second", made.context).startswith("db-shop-db: another drill")
