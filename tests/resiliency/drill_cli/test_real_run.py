"""Drills that really ran, in moto's interpreter with their functions called for real."""

import boto3
import pytest

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.follow import follow
from resiliency.drill_cli.journals import Recorded, listed, read_all
from resiliency.drill_cli.progress import PHASES
from resiliency.drill_cli.safe_console import Screen
from resiliency.drill_cli.stack import DeployedDrill
from resiliency.drill_cli.watching import Watched
from staged_resiliency.drills.runtime.plan import Plan
from tests.resiliency.drill_cli.account import Clock
from tests.staged_resiliency.drills import plans
from tests.staged_resiliency.drills.account import account


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plan", "status", "phases", "told"),
    [
        pytest.param(plans.SHUTDOWN, 0, PHASES, "passed: All 5 expectations met.", id="a shutdown"),
        pytest.param(
            plans.LEASHED,
            1,
            ("Preflight", "Steady state", "Inject", "End fault", "Record"),
            "dry run: no fault was injected",
            id="a dry run",
        ),
    ],
)
def test_a_run_is_followed_from_what_it_left_behind_and_its_journal_is_read(
    plan: Plan,
    status: int,
    phases: tuple[str, ...],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with account(plan) as made:
        machine = made.machine(plan)
        execution = made.start(machine)
        made.finish(execution)
        aws = Aws(boto3.session.Session(region_name=plan.region))
        watched = Watched(aws, DeployedDrill(plan, machine, 0.0), execution)
        assert follow(watched, aws, Screen(width=200), Clock()) == status
        (recorded,) = read_all(aws, plan, listed(aws, plan))
    out = capsys.readouterr().out
    assert told in out
    assert watched.latest is not None
    assert tuple(each.name for each in watched.latest.progress.phases) == phases
    assert watched.latest.progress.experiment == "EXP00000"
    assert not watched.latest.notes
    assert isinstance(recorded, Recorded)
    if plan.enabled:
        assert f"client {plans.RECORD}: {plans.GREEN}" in out
        assert f"alarm {plans.STATUS_ALARM}: ALARM" in out
