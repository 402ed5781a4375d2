"""Schedules of EventBridge Scheduler, as its documentation has them."""

import itertools
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.drills.runtime.drill_status import RunOutcome, Score, drill_status
from staged_resiliency.drills.runtime.durations import EXPIRY_DAYS
from staged_resiliency.drills.schedule import DAYS, MAX_GAP_DAYS, DrillSchedule, time_zone
from tests.cases import cases

LOS_ANGELES = "America/Los_Angeles"


def days_in(expression: str, year: int = 2026) -> list[str]:
    """The days of a year on which a schedule runs, as month and day."""
    runs = DrillSchedule(expression).runs(year - 2025)
    return [f"{run:%m-%d}" for run in runs if run.year == year]


@cases(
    ("expression", "days"),
    {
        "day of the month": ("cron(0 10 1 1-3 ? *)", ["01-01", "02-01", "03-01"]),
        "day that some months do not have": (
            "cron(0 10 31 * ? *)",
            ["01-31", "03-31", "05-31", "07-31", "08-31", "10-31", "12-31"],
        ),
        "last day of the month": ("cron(0 10 L 2,12 ? *)", ["02-28", "12-31"]),
        "step": ("cron(0 10 1/15 1 ? *)", ["01-01", "01-16", "01-31"]),
        "step in a range": ("cron(0 10 1-7/3 1 ? *)", ["01-01", "01-04", "01-07"]),
        "first Tuesday": ("cron(0 10 ? 1 TUE#1 *)", ["01-06"]),
        "first Tuesday by its number": ("cron(0 10 ? 1 3#1 *)", ["01-06"]),
        "fifth Thursday": ("cron(0 10 ? 1 THU#5 *)", ["01-29"]),
        "fifth Thursday of a month of four": ("cron(0 10 ? 2 THU#5 *)", []),
        "last Friday": ("cron(0 10 ? 1 6L *)", ["01-30"]),
        "name in lower case": ("cron(0 10 ? 1 friL *)", ["01-30"]),
        "last day of the week": (
            "cron(0 10 ? JAN L *)",
            ["01-03", "01-10", "01-17", "01-24", "01-31"],
        ),
        "range of days": (
            "cron(0 10 ? FEB SUN-MON *)",
            ["02-01", "02-02", "02-08", "02-09", "02-15", "02-16", "02-22", "02-23"],
        ),
        "weekday nearest to a Sunday": ("cron(0 10 4W 1 ? *)", ["01-05"]),
        "weekday nearest to a Saturday": ("cron(0 10 3W 1 ? *)", ["01-02"]),
        "weekday that is one": ("cron(0 10 6W 1 ? *)", ["01-06"]),
        "weekday nearest to a Saturday, the 1st": ("cron(0 10 1W 8 ? *)", ["08-03"]),
        "weekday nearest to a Sunday, the last": ("cron(0 10 31W 5 ? *)", ["05-29"]),
        "weekday near a day that is not there": ("cron(0 10 30W 2 ? *)", []),
    },
)
def test_a_schedule_runs_on_the_days_that_it_names(expression: str, days: list[str]) -> None:
    assert days_in(expression) == days


def test_it_runs_at_its_time_by_the_clock_of_its_zone_all_the_year() -> None:
    runs = DrillSchedule("cron(30 9 ? * TUE#1 *)", LOS_ANGELES).runs(1)
    assert [f"{run:%H:%M}" for run in runs[:3]] == ["17:30", "17:30", "17:30"]
    assert f"{runs[6]:%m-%d %H:%M}" == "07-07 16:30"
    assert {run.tzinfo for run in runs} == {timezone.utc}


def test_a_time_that_summer_time_leaves_out_is_skipped() -> None:
    # On 8 March 2026 clocks in Los Angeles go from 2:00 to 3:00.
    runs = DrillSchedule("cron(30 2 * * ? *)", LOS_ANGELES).runs(1)
    local = [run.astimezone(ZoneInfo(LOS_ANGELES)).date() for run in runs]
    assert date(2026, 3, 8) not in local
    assert len(local) == 364


def test_a_time_that_winter_time_repeats_runs_once() -> None:
    # On 1 November 2026 the hour from 1:00 comes twice.
    runs = DrillSchedule("cron(30 1 * 11 ? *)", LOS_ANGELES).runs(1)
    assert len(runs) == 30
    assert runs[0] == datetime(2026, 11, 1, 8, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("cron(0 10 ? * TUE *)", 7),
        ("cron(0 10 ? * TUE#1 *)", 35),
        ("cron(0 10 ? * 6L *)", 35),
        ("cron(0 10 1 * ? *)", 31),
        ("cron(0 10 L * ? *)", 31),
        ("cron(0 10 29 * ? *)", 59),
        ("cron(0 10 31 * ? *)", 61),
        ("cron(0 10 ? * TUE#5 *)", 119),
        ("cron(0 10 1 1 ? *)", 366),
        ("cron(0 10 29 2 ? *)", 1461),
        ("cron(30 2 * * ? *)", 2),
        ("rate(28 days)", 28),
        ("rate(1 day)", 1),
        ("rate(840 hours)", 35),
    ],
)
def test_the_longest_gap_is_the_longest_that_the_calendar_has(expression: str, days: float) -> None:
    assert DrillSchedule(expression, LOS_ANGELES).longest_gap_days == days


def test_five_weeks_in_which_summer_time_ends_are_thirty_five_days() -> None:
    # In hours they are one more, and the usual monthly drill must not be refused for it.
    runs = DrillSchedule("cron(0 10 ? * TUE#1 *)", LOS_ANGELES).runs(28)
    longest = max(later - earlier for earlier, later in itertools.pairwise(runs))
    assert longest == timedelta(days=MAX_GAP_DAYS, hours=1)


@pytest.mark.parametrize("zone", ["UTC", LOS_ANGELES, "Europe/Dublin", "Australia/Lord_Howe"])
@pytest.mark.parametrize("expression", ["cron(0 10 ? * TUE#1 *)", "cron(0 16 ? * 6L *)"])
def test_a_drill_that_passes_on_every_run_is_never_overdue(expression: str, zone: str) -> None:
    schedule = DrillSchedule(expression, zone)
    assert schedule.longest_gap_days == MAX_GAP_DAYS
    longest_run = timedelta(hours=13)  # a fault of 12 hours, and what comes after it
    for earlier, later in itertools.pairwise(schedule.runs(28)):
        passed, again = earlier.timestamp(), (later + longest_run).timestamp()
        status = drill_status([RunOutcome("passed", passed)], deployed_at=0, now=again)
        assert status.score is Score.PASSED
        assert status.days_since_passed <= EXPIRY_DAYS


def test_a_drill_that_misses_a_run_is_overdue_before_the_next_but_one() -> None:
    runs = DrillSchedule("cron(0 10 ? * TUE#1 *)", LOS_ANGELES).runs(28)
    for earlier, _, next_but_one in zip(runs, runs[1:], runs[2:], strict=False):
        assert next_but_one - earlier >= timedelta(days=EXPIRY_DAYS + 1)


def test_a_day_that_never_comes_is_a_gap_without_end() -> None:
    assert DrillSchedule("cron(0 10 30 2 ? *)").longest_gap_days > 1e6


def test_a_rate_has_no_time_of_day_and_no_days() -> None:
    rate = DrillSchedule("rate(7 days)")
    assert rate.at is None
    assert rate.runs(28) == []
    assert rate.days_of_week == set()


@given(
    day=st.sampled_from(DAYS),
    nth=st.integers(1, 4),
    zone=st.sampled_from([LOS_ANGELES, "UTC", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_one_weekday_of_each_month_is_never_more_than_five_weeks_away(
    day: str, nth: int, zone: str
) -> None:
    schedule = DrillSchedule(f"cron(0 10 ? * {day}#{nth} *)", zone)
    assert schedule.longest_gap_days == 35
    assert schedule.days_of_week == {day}
    assert len(schedule.runs(10)) in (119, 120, 121)  # by UTC's years


@given(st.text(max_size=40))
def test_whatever_is_written_is_a_schedule_or_a_value_error(text: str) -> None:
    for expression in (text, f"cron({text})", f"cron(0 10 {text} *)", f"rate({text})"):
        with suppress(ValueError):
            assert DrillSchedule(expression).longest_gap_days >= 1


@pytest.mark.parametrize("field", ["fril", "MON,WED#2", "MON#1,TUE#1", "MON-TUEL", "#1", "LW"])
def test_what_the_documentation_does_not_have_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="day of week"):
        DrillSchedule(f"cron(0 10 ? * {field} *)")


@pytest.mark.parametrize("name", ["", "UTC+25", "/etc/localtime", "..", "tzdata.zi", "America"])
def test_what_names_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not an IANA time zone"):
        time_zone(name)
