"""`resiliency drill list`."""

from dataclasses import replace

from resiliency.drill_cli.listing import next_run
from tests import journals
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.command import NOW
from tests.resiliency.drill_cli.conftest import Drill

DAY = 86_400.0


def shutdown(days_ago: float, **changes: object) -> dict[str, object]:
    script = replace(journals.STOPPED, experiment="shutdown", kind="drill")
    return {**journals.run_of(script, injected_at=NOW - days_ago * DAY), **changes}


def late(days_ago: float) -> dict[str, object]:
    """A run of the shutdown that failed."""
    script = replace(journals.LATE, experiment="shutdown", kind="drill")
    return dict(journals.run_of(script, injected_at=NOW - days_ago * DAY))


def row(out: str, drill: str) -> str:
    """The first line of a drill."""
    return next(line for line in out.splitlines() if line.startswith(f"{drill} "))


def test_each_drill_is_shown_with_its_fault_its_next_run_and_whether_it_runs_dry(
    drill: Drill,
) -> None:
    out = drill("list").out
    assert "stops bookstore-api-blue" in row(out, "shutdown")
    assert "2026-12-01 18:00 UTC" in row(out, "shutdown")
    assert row(out, "shutdown").split()[-4:] == ["no", "never", "never", "0"]
    assert "2026-11-10 18:00 UTC" in row(out, "db-blackhole")
    assert " yes " in row(out, "db-blackhole")


@cases(
    ("runs", "expected"),
    {
        "passed": ([shutdown(3.5)], ["passed", "3", "d", "ago", "100"]),
        "expired": ([shutdown(36.5)], ["passed", "36", "d", "ago", "75"]),
        "failed": ([late(3)], ["failed", "never", "50"]),
        "then failed": ([shutdown(31.5), late(3)], ["failed", "31", "d", "ago", "50"]),
        "mended": ([late(31), shutdown(3.5)], ["passed", "3", "d", "ago", "100"]),
        "then aborted": (
            [shutdown(9.5), dict(journals.aborted_run(began_at=NOW - DAY), experiment="shutdown")],
            ["aborted", "9", "d", "ago", "100"],
        ),
    },
)
def test_the_state_of_a_drill_is_of_its_last_judged_run_and_its_last_passed_one(
    runs: list[dict[str, object]], expected: list[str], drill: Drill
) -> None:
    for number, each in enumerate(runs):
        drill.aws.record(each, f"run-{number}")
    assert row(drill("list").out, "shutdown").split()[-len(expected) :] == expected


def test_a_drill_that_runs_says_so(drill: Drill) -> None:
    drill.aws.begin("shutdown", "run-1")
    assert "running now" in row(drill("list").out, "shutdown")


def test_a_schedule_that_is_switched_off_or_missing_is_said(drill: Drill) -> None:
    group = "bookstore-production-drills"
    scheduler = drill.aws.client("scheduler")
    old = scheduler.get_schedule(Name="Schedule-shutdown", GroupName=group)
    keys = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{key: old[key] for key in keys}, State="DISABLED")
    assert drill.aws.resources is not None
    drill.aws.resources.remove(("AWS::Scheduler::Schedule", "Schedule-db-blackhole"))
    out = drill("list").out
    assert "switched off:" in out
    assert "has no schedule" in out


def test_a_rate_and_an_invalid_schedule_have_no_next_run() -> None:
    assert next_run("rate(28 days)", "UTC", NOW) is None
    assert next_run("cron(nonsense)", "UTC", NOW) is None
    assert next_run("cron(0 10 ? * TUE#1 *)", "Mars/Olympus", NOW) is None


def test_a_schedule_without_a_known_next_run_is_shown_as_it_is(drill: Drill) -> None:
    drill.aws.deploy(plans.STANDBY_SHUTDOWN, "rate(28 days)")
    assert "rate(28 days)" in row(drill("list").out, "standby-shutdown")


def test_an_unreadable_journal_is_shown_in_a_line_beside_the_rest(drill: Drill) -> None:
    drill.aws.record(shutdown(3), "run-0")
    drill.aws.put("journals/shutdown/run-1.json", "{")
    out = drill("list", status=1).out
    assert " 100" in row(out, "shutdown")
    (line,) = (each for each in out.splitlines() if each.startswith("can't be read"))
    assert f"s3://{plans.BUCKET}/journals/shutdown/run-1.json: is not JSON" in line
