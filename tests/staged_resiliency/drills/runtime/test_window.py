"""A drill may start in its window, by the local clock of the window's time zone."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.drills.runtime.plan import Window
from staged_resiliency.drills.runtime.preflight import is_open

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
ZONES = ("America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
WORK = Window(("MON", "TUE", "WED", "THU"), 9, 17, "America/Los_Angeles")


def at(text: str, zone: str, fold: int = 0) -> float:
    """Seconds since the epoch of a time on the wall."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


ROWS = (
    (WORK, "2026-11-03T09:00", True),  # a Tuesday
    (WORK, "2026-11-03T08:59:59", False),
    (WORK, "2026-11-03T16:59:59", True),
    (WORK, "2026-11-03T17:00", False),
    (WORK, "2026-11-06T12:00", False),  # a Friday
    (Window(("SUN",), 20, 24, "UTC"), "2026-11-08T19:59:59", False),
    (Window(("SUN",), 20, 24, "UTC"), "2026-11-08T23:59", True),
    (Window(("SUN",), 20, 24, "UTC"), "2026-11-09T00:00", False),
    (Window(("SUN",), 0, 24, "UTC"), "2026-11-08T00:00", True),
)


@pytest.mark.parametrize(("window", "text", "expected"), ROWS, ids=[row[1] for row in ROWS])
def test_times_on_the_wall(window: Window, text: str, expected: bool) -> None:
    assert is_open(window, at(text, window.timezone)) is expected


def test_the_hour_on_the_wall_is_the_same_in_summer_and_in_winter() -> None:
    summer, winter = at("2026-07-07T09:00", WORK.timezone), at("2026-12-01T09:00", WORK.timezone)
    assert datetime.fromtimestamp(summer, timezone.utc).hour == 16
    assert datetime.fromtimestamp(winter, timezone.utc).hour == 17
    for moment in (summer, winter):
        assert is_open(WORK, moment)
        assert not is_open(WORK, moment - 1)


def test_an_hour_that_summer_time_skips_never_comes() -> None:
    window = Window(("SUN",), 2, 3, "Europe/Berlin")
    begin = at("2026-03-29T00:00", window.timezone)  # 02:00 to 03:00 is skipped on this day
    assert not any(is_open(window, begin + minute * 60) for minute in range(24 * 60))


def test_an_hour_that_comes_twice_is_allowed_twice() -> None:
    window = Window(("SUN",), 2, 3, "Europe/Berlin")
    begin = at("2026-10-25T00:00", window.timezone)
    minutes = sum(is_open(window, begin + minute * 60) for minute in range(24 * 60))
    assert minutes == 120


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd"])
def test_an_unknown_time_zone_is_an_error_and_not_a_permission(zone: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        is_open(Window(DAYS, 0, 24, zone), 0)


def windows() -> st.SearchStrategy[Window]:
    """Any window."""
    days = st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(tuple)
    hours = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda each: each[0] < each[1])
    return st.builds(
        lambda days, hours, zone: Window(days, hours[0], hours[1], zone),
        days,
        hours,
        st.sampled_from(ZONES),
    )


MOMENTS = st.integers(1_750_000_000, 1_900_000_000).map(float)


@given(windows(), MOMENTS)
def test_a_window_and_its_rest_fill_the_week(window: Window, moment: float) -> None:
    """A moment is in exactly one of: a window on all days, the hours before, the hours after."""
    hours = [(0, window.from_hour), (window.from_hour, window.to_hour), (window.to_hour, 24)]
    every = [Window(DAYS, *each, window.timezone) for each in hours]
    assert [is_open(each, moment) for each in every].count(True) == 1


@given(windows(), MOMENTS)
def test_days_add_up(window: Window, moment: float) -> None:
    """A window is the union of its days."""
    single = [
        Window((day,), window.from_hour, window.to_hour, window.timezone) for day in window.days
    ]
    assert is_open(window, moment) == any(is_open(each, moment) for each in single)


@given(windows(), MOMENTS)
def test_the_wall_decides(window: Window, moment: float) -> None:
    """Two moments with the same time on the wall and weekday are treated alike."""
    zone = ZoneInfo(window.timezone)
    wall = datetime.fromtimestamp(moment, zone)
    later = (wall + timedelta(days=28)).timestamp()  # wall arithmetic: across summer time too
    if datetime.fromtimestamp(later, zone).replace(tzinfo=None) == (
        wall.replace(tzinfo=None) + timedelta(days=28)
    ):
        assert is_open(window, moment) == is_open(window, later)
