"""`resiliency drill start`."""

import io
import sys

import pytest

from tests.fake_aws import plans
from tests.fake_aws.simulation import ApiError
from tests.resiliency.drill_cli.conftest import Drill

START = ("stepfunctions", "StartExecution")


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_a_confirmed_drill_is_started_and_its_run_is_shown(drill: Drill) -> None:
    printed = drill("start", "shutdown", "--yes", "--no-follow")
    (run,) = drill.aws.runs
    started, *stop = printed.out.splitlines()
    assert started == f"Started {run.arn}"
    assert stop[0] == "To stop it by hand:"
    for command in (
        f"aws stepfunctions stop-execution --execution-arn {run.arn}",
        "aws fis stop-experiment",
        "aws fis update-safety-lever-state --id default",
    ):
        assert any(line.startswith(f"  {command}") for line in stop), command
    assert ":execution:bookstore-production-drill-shutdown:by-hand-20261103T193000Z-" in run.arn


def test_two_runs_of_a_moment_have_two_names(drill: Drill) -> None:
    for _ in range(2):
        drill("start", "shutdown", "--yes", "--no-follow")
        drill.aws.runs[-1].end("SUCCEEDED", drill.aws.service.now)
    first, second = (each.arn for each in drill.aws.runs)
    assert first != second


@pytest.mark.parametrize("answer", ["", "n\n", "no\n", "maybe\n"])
def test_who_does_not_say_yes_starts_nothing(
    answer: str, drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    out = drill("start", "shutdown", status=1).out
    assert "Drill shutdown stops bookstore-api-blue (active) for 10 min." in out
    assert out.endswith("Start it? [y/N] Nothing was started.\n")
    assert START not in drill.aws.calls


def test_who_says_yes_starts_it_and_is_shown_of_a_dry_run(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("Yes\n"))
    out = drill("start", "db-blackhole", "--no-follow").out
    assert "It is a dry run: it checks its targets, and injects no fault." in out
    assert len(drill.aws.runs) == 1


def test_without_a_terminal_nothing_is_started_unless_it_is_confirmed(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert (
        drill("start", "shutdown", status=1).err
        == "no terminal to confirm the start; give --yes to start the drill\n"
    )
    assert START not in drill.aws.calls


def test_while_any_drill_of_the_service_runs_none_is_started(drill: Drill) -> None:
    run = drill.aws.begin("db-blackhole", "run-7")
    done = drill("start", "shutdown", "--yes", "--no-follow", status=1)
    assert done.err == (
        f"drill db-blackhole is running already ({run.arn}); follow it with `resiliency drill "
        "follow bookstore production db-blackhole --run run-7`\n"
    )
    assert START not in drill.aws.calls


def test_a_started_drill_is_followed(drill: Drill) -> None:
    drill.aws.refuse("stepfunctions", "DescribeExecution", ApiError("AccessDeniedException"))
    printed = drill("start", "shutdown", "--yes", status=1)
    assert "Started " in printed.out
    assert "may not states:DescribeExecution" in printed.err


def test_interrupted_while_it_is_started_it_says_how_to_find_out(drill: Drill) -> None:
    drill.aws.refuse("stepfunctions", "StartExecution", KeyboardInterrupt())
    assert drill("start", "shutdown", "--yes", status=1).err == (
        "interrupted; `resiliency drill follow bookstore production shutdown` shows the drill if "
        "it was started\n"
    )


def test_interrupted_anywhere_else_it_says_so_in_a_word(drill: Drill) -> None:
    drill.aws.refuse("stepfunctions", "ListExecutions", KeyboardInterrupt())
    assert drill("list", status=1).err == "interrupted\n"


def test_an_unknown_drill_is_shown_with_the_nearest_one(drill: Drill) -> None:
    assert drill("start", "shutdwon", "--yes", status=1).err == (
        "bookstore-production-drills: has no drill 'shutdwon'; did you mean shutdown?\n"
    )
    assert drill("start", "xyz", "--yes", status=1).err == (
        "bookstore-production-drills: has no drill 'xyz'; it has db-blackhole, shutdown\n"
    )
    assert plans.SHUTDOWN.drill in drill.aws.machines
