"""Which scenarios a deployment has, which of them are the usual ones, and which are chosen."""

from dataclasses import replace

import pytest

from resiliency.errors import UserError
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.scenarios import (
    chosen_scenarios,
    require_known,
    scenarios_left_out,
    scenarios_of,
)
from tests.resiliency.rehearsal.support import Templates

USUAL = ["host-stops", "endpoint-hangs", "db-blackholed", "both-stop", "probe-killed"]
LEFT_OUT = ["cdn-blackholed", "db-hangs", "cdn-hangs", "db-degraded", "db-fails-over"]


def checked_by(deployment: Deployment, kind: str) -> Deployment:
    """The deployment with another check of its dependencies."""
    assert deployment.probe is not None
    targets = [{**target, "check": kind} for target in deployment.probe["targets"]]
    return replace(deployment, probe={**deployment.probe, "targets": targets})


def test_the_usual_scenarios_are_those_of_the_deciding_dependencies(
    deployment: Deployment, deciding_templates: Templates
) -> None:
    assert [each.name for each in chosen_scenarios(deployment, [])] == USUAL
    assert scenarios_left_out(deployment, []) == LEFT_OUT
    deciding = read_deployment(deciding_templates)
    # One that hangs is usual too, unless the probe only connects.
    assert scenarios_left_out(deciding, []) == [each for each in LEFT_OUT if each != "db-hangs"]
    assert "db-hangs" in [each.name for each in chosen_scenarios(deciding, [])]
    assert "db-hangs" in scenarios_left_out(checked_by(deciding, "tcp"), [])


def test_a_scenario_that_exists_is_run_on_request(deployment: Deployment) -> None:
    (chosen,) = chosen_scenarios(deployment, ["cdn-blackholed"])
    assert chosen.name == "cdn-blackholed"
    assert scenarios_left_out(deployment, ["cdn-blackholed"]) == []


def test_a_scenario_that_does_not_exist_is_refused(deployment: Deployment) -> None:
    with pytest.raises(UserError) as refused:
        require_known([deployment], ["earthquake"])
    assert str(refused.value) == (
        "--scenario earthquake: is not a scenario; allowed: host-stops, endpoint-hangs, "
        "db-blackholed, cdn-blackholed, db-hangs, cdn-hangs, db-degraded, db-fails-over, "
        "both-stop, probe-killed"
    )


@pytest.mark.parametrize(
    ("kind", "absent"),
    [
        # These have no connection that could hang here.
        ("tls", {"hangs", "degraded", "fails-over"}),
        ("dns", {"hangs", "degraded", "fails-over"}),
        # The kernel accepts connections, so they are not degraded.
        ("tcp", {"degraded", "fails-over"}),
        # Only what is checked as a database fails over.
        ("http", {"fails-over"}),
        ("redis", {"fails-over"}),
    ],
)
def test_a_dependency_has_no_scenario_that_its_check_does_not_show(
    deployment: Deployment, kind: str, absent: set[str]
) -> None:
    names = {each.name for each in scenarios_of(checked_by(deployment, kind))}
    of_dependencies = {"blackholed", "hangs", "degraded", "fails-over"} - absent
    assert {each for each in names if each.startswith("db-")} == {
        f"db-{each}" for each in of_dependencies
    }
