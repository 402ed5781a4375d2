"""What people see of a rehearsal: its progress, and its outcomes."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from resiliency.rehearsal.console import Progress, print_outcomes
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.outcome import Running
from staged_resiliency.experiment.journal import Phase
from staged_resiliency.experiment.observations import Observation, Source
from tests.resiliency.rehearsal.support import (
    STATUS_ALARM,
    Templates,
    edited,
    plans_of,
    set_alarm,
)
from tests.resiliency.rehearsal.test_rehearse import play


def test_in_a_terminal_progress_is_a_table(deployment: Deployment) -> None:
    plans = plans_of(deployment, "host-stops", "both-stop", scale=20, outages=20)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=160)
    with Progress(plans, 20, console) as progress:
        (outcome,) = play(deployment, "host-stops", seed=0)
        phases = [Phase("steady state", 1000, 1010)]
        running = Running(outcome.plan, list(outcome.observations), phases, outcome.run)
        for each in outcome.observations:
            progress.watch(running, each)
        console.print(progress._table())
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert re.search(r"host-stops +done +7:44 .* bookstore-api-blue", shown)
    assert re.search(r"both-stop +waits", shown)


def test_in_a_narrow_terminal_progress_is_lines(deployment: Deployment) -> None:
    (plan,) = plans_of(deployment, "host-stops", scale=20, outages=20)
    screen = io.StringIO()
    with Progress([plan], 20, Console(file=screen, force_terminal=True, width=40)) as progress:
        progress.watch(Running(plan, [], [Phase("steady state", 1000, None)]), None)
    assert re.search(r"host-stops +0:00 +steady state", screen.getvalue())


def test_an_observation_that_arrives_late_is_not_printed(deployment: Deployment) -> None:
    (plan,) = plans_of(deployment, "host-stops", scale=20, outages=20)
    screen = io.StringIO()
    with Progress([plan], 20, Console(file=screen, width=160)) as progress:
        running = Running(plan, [], [Phase("fault", 1000, None)], None)
        for at, value in ((1001, "blue"), (1003, "no answer"), (1004, "green"), (1002, "late")):
            progress.watch(running, Observation(at, Source.CLIENT, "shop.example.com", value))
    assert [line.split()[-1] for line in screen.getvalue().splitlines()] == ["answer", "green"]


def printed(deployment: Deployment, *names: str, seed: int) -> Sequence[str]:
    """The lines about the outcomes of scenarios."""
    screen = io.StringIO()
    print_outcomes(deployment, play(deployment, *names, seed=seed), Console(file=screen, width=160))
    return screen.getvalue().splitlines()


@pytest.mark.slow
def test_failures_say_what_was_found(example_templates: Templates) -> None:
    noisy = set_alarm("bookstore-api-green-db-connectivity-failed", Threshold=1)
    deployment = read_deployment(edited(example_templates, noisy))
    shown = "\n".join(printed(deployment, "probe-killed", "endpoint-hangs", seed=1))
    assert re.search(r"failed +bookstore-api-blue-probe-silent fires: not within 400 s", shown)
    assert "clients of bookstore.pingpublications.com are served" in shown
    assert "note nothing here would move clients" not in shown


@pytest.mark.slow
def test_the_last_lines_hold_clients_against_the_objective(deployment: Deployment) -> None:
    assert printed(deployment, "host-stops", "endpoint-hangs", seed=0)[-2:] == [
        "passed      bookstore-api-blue stops and comes back: clients reached bookstore-api-green "
        "after 40 s, objective 600 s",
        "not covered the endpoint of bookstore-api-blue hangs: no deciding signal "
        f"({STATUS_ALARM}) shows it; to cover it, add endpoint or peer to failover_on",
    ]
    missed = printed(deployment, "host-stops", seed=1)[-1]
    assert missed.startswith("failed ")
    assert missed.endswith(": clients did not reach bookstore-api-green, objective 600 s")
    without_one = replace(deployment, objective_seconds=None)
    last = printed(without_one, "host-stops", seed=0)[-1]
    assert last == "passed      bookstore-api-blue stops and comes back"
