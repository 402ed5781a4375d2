"""Drills that really ran, in moto's interpreter with their functions called for real."""

from dataclasses import replace

import boto3
import pytest

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.follow import follow
from resiliency.drill_cli.progress import FollowedRun
from resiliency.drill_cli.reporting import list_journals, read_journals
from resiliency.drill_cli.safe_console import SafeConsole
from resiliency.drill_cli.stack import DeployedDrill
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.states import PHASES
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.account import account


@pytest.mark.slow
@cases(
    ("plan", "status", "phases", "expected"),
    {
        "a shutdown": (
            plans.SHUTDOWN,
            0,
            tuple(each for each in PHASES if each not in ("Announce", "Preflight again")),
            "passed: All 5 expectations met.",
        ),
        "a dry run": (
            plans.DRY_SHUTDOWN,
            1,
            ("Preflight", "Steady state", "Inject", "End fault", "Record"),
            "dry run: no fault was injected",
        ),
    },
)
def test_a_run_is_followed_from_what_it_left_behind_and_its_journal_is_read(
    plan: Plan,
    status: int,
    phases: tuple[str, ...],
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with account(plan) as made:
        machine = made.machine(plan)
        execution = made.start(machine)
        made.finish(execution)
        aws = Aws(boto3.session.Session(region_name=plan.region))
        run = FollowedRun(aws, DeployedDrill(plan, machine, 0.0), execution)
        context = replace(made.context, aws=aws)
        assert follow(run, aws, SafeConsole(width=200), context) == status
        assert len(list(read_journals(aws, plan, list_journals(aws, plan), []))) == 1
    out = capsys.readouterr().out
    assert expected in out
    assert run.latest is not None
    assert tuple(each.name for each in run.latest.progress.phases) == phases
    assert run.latest.progress.experiment == "EXP00000"
    assert not run.latest.notes
    if plan.enabled:
        assert f"client {plans.RECORD}: {plans.GREEN}" in out
        assert f"alarm {plans.STATUS_ALARM}: ALARM" in out
