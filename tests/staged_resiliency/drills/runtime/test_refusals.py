"""Reasons to refuse a run, and reasons why a view is not the steady state."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from staged_resiliency.drills.runtime.client_view import ClientView, not_steady
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.preflight import Findings, inspect, refusals
from staged_resiliency.experiment.observations import NO_ANSWER
from tests.fake_aws import plans
from tests.fake_aws.account import account
from tests.fake_aws.simulation import Script

SHUTDOWN, BLACKHOLE = plans.SHUTDOWN, plans.BLACKHOLE
OK = Findings(
    in_window=True,
    alarms=dict.fromkeys(SHUTDOWN.alarms, "OK"),
    standby=plans.GREEN,
    reason="at 52.11.79.9",
    instance_state="running",
    agent="Online",
    experiments=(),
)
ALARM, MISSING = plans.DB_ALARM, "INSUFFICIENT_DATA"


def alarms(name: str, state: str | None) -> Findings:
    """All is well except one alarm; None for an alarm that does not exist."""
    states = {**OK.alarms, name: state}
    return replace(OK, alarms={key: value for key, value in states.items() if value})


ROWS: tuple[tuple[Plan, Findings, Sequence[str]], ...] = (
    (SHUTDOWN, OK, []),
    (BLACKHOLE, OK, []),
    (
        SHUTDOWN,
        replace(OK, in_window=False),
        ["outside the allowed window (TUE 09:00 to 17:00 America/Los_Angeles)"],
    ),
    (SHUTDOWN, alarms(ALARM, "ALARM"), [f"alarm {ALARM} is already in ALARM"]),
    (SHUTDOWN, alarms(ALARM, None), [f"alarm {ALARM} does not exist"]),
    (SHUTDOWN, alarms(ALARM, MISSING), []),  # it neither guards nor shows this fault
    (
        BLACKHOLE,
        alarms(ALARM, MISSING),
        [f"alarm {ALARM} is in {MISSING}; it must be OK to guard or to show the fault"],
    ),
    (
        SHUTDOWN,
        alarms(plans.GUARD_ALARM, MISSING),
        [f"alarm {plans.GUARD_ALARM} is in {MISSING}; it must be OK to guard or to show the fault"],
    ),
    (
        SHUTDOWN,
        replace(OK, standby=NO_ANSWER, reason="52.11.79.9: status 500"),
        [f"the standby {plans.GREEN} does not answer (52.11.79.9: status 500)"],
    ),
    (
        SHUTDOWN,
        replace(OK, standby=plans.BLUE),
        [f"{plans.BLUE} answers at the address of {plans.GREEN}"],
    ),
    (
        SHUTDOWN,
        replace(OK, instance_state="stopped"),
        [f"instance {plans.INSTANCE} is stopped, not running"],
    ),
    (
        SHUTDOWN,
        replace(OK, instance_state=""),
        [f"instance {plans.INSTANCE} is not found, not running"],
    ),
    (SHUTDOWN, replace(OK, agent=""), []),  # FIS stops instances without it
    (
        BLACKHOLE,
        replace(OK, agent=""),
        [f"the SSM agent of {plans.BLUE} is unknown, not Online: the fault needs it"],
    ),
    (
        SHUTDOWN,
        replace(OK, experiments=("EXP1", "EXP2")),
        ["experiment EXP1, EXP2 of the service is still running"],
    ),
)


@pytest.mark.parametrize(("plan", "found", "reasons"), ROWS, ids=[str(row[2]) for row in ROWS])
def test_reasons_to_refuse_a_run(plan: Plan, found: Findings, reasons: Sequence[str]) -> None:
    assert refusals(plan, found) == reasons


STEADY = ClientView(
    (), (plans.BLUE_ADDRESS,), (plans.BLUE_ADDRESS,), plans.BLUE, "at 54.213.54.171"
)
ALIAS = replace(SHUTDOWN, active=replace(SHUTDOWN.active, addresses=()))
VIEWS = (
    (SHUTDOWN, STEADY, ""),
    (ALIAS, replace(STEADY, dns=("10.0.0.9",), resolved=("10.0.0.8",)), ""),
    (ALIAS, replace(STEADY, dns=()), f"Route 53 answers nothing for {plans.RECORD}"),
    (SHUTDOWN, replace(STEADY, dns=None), "Route 53 can't be asked for its answer"),
    (
        SHUTDOWN,
        replace(STEADY, dns=(plans.GREEN_ADDRESS,)),
        f"Route 53 answers {plans.GREEN_ADDRESS}, not {plans.BLUE_ADDRESS}",
    ),
    (
        SHUTDOWN,
        replace(STEADY, resolved=()),
        f"the resolver answers nothing, not {plans.BLUE_ADDRESS}",
    ),
    (
        SHUTDOWN,
        replace(STEADY, client=NO_ANSWER, reason="reset"),
        "/version/ does not answer (reset)",
    ),
    (
        SHUTDOWN,
        replace(STEADY, client=plans.GREEN),
        f"{plans.GREEN} answers /version/, not {plans.BLUE}",
    ),
)


@pytest.mark.parametrize(("plan", "view", "reason"), VIEWS, ids=[row[2] for row in VIEWS])
def test_what_is_not_the_steady_state(plan: Plan, view: ClientView, reason: str) -> None:
    assert not_steady(plan, view) == reason


def test_hosts_and_agents_that_are_unknown_are_reported_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with account(BLACKHOLE, Script()) as made:
        service = made.service
        monkeypatch.setattr(service, "DescribeInstances", lambda given: {"Reservations": []})
        nothing: dict[str, list[str]] = {"InstanceInformationList": []}
        monkeypatch.setattr(service, "DescribeInstanceInformation", lambda given: nothing)
        context = replace(made.context, resolve=lambda name: ())
        found = inspect(BLACKHOLE, "arn", context)
    assert (found.instance_state, found.agent) == ("", "")
    assert (found.standby, found.reason) == (NO_ANSWER, f"{plans.GREEN_ADDRESS} can't be resolved")
