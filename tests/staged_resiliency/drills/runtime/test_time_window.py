"""When a drill may begin, by the clock on the wall where people are."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.drills.runtime.plan import Window
from staged_resiliency.drills.runtime.time_window import allowed

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
ZONES = ("America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
WORK = Window(("MON", "TUE", "WED", "THU"), "09:00", "17:00", "America/Los_Angeles")
NIGHT = Window(("FRI",), "22:00", "06:00", "Europe/Berlin")


def at(text: str, zone: str, fold: int = 0) -> float:
    """Seconds since the epoch of a time on the wall."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


ROWS = (
    (WORK, "2026-11-03T09:00", True),  # a Tuesday
    (WORK, "2026-11-03T08:59:59", False),
    (WORK, "2026-11-03T16:59:59", True),
    (WORK, "2026-11-03T17:00", False),
    (WORK, "2026-11-06T12:00", False),  # a Friday
    (NIGHT, "2026-11-06T21:59", False),
    (NIGHT, "2026-11-06T22:00", True),
    (NIGHT, "2026-11-07T05:59", True),  # the night that began on Friday
    (NIGHT, "2026-11-07T06:00", False),
    (NIGHT, "2026-11-06T05:00", False),  # the night that began on Thursday
    (Window(("SUN",), "20:00", "24:00", "UTC"), "2026-11-08T23:59", True),
    (Window(("SUN",), "20:00", "24:00", "UTC"), "2026-11-09T00:00", False),
    (Window(("SUN",), "00:00", "24:00", "UTC"), "2026-11-08T00:00", True),
)


@pytest.mark.parametrize(("window", "text", "expected"), ROWS, ids=[row[1] for row in ROWS])
def test_times_on_the_wall(window: Window, text: str, expected: bool) -> None:
    assert allowed(window, at(text, window.timezone)) is expected


def test_without_a_window_any_time_is_allowed() -> None:
    assert allowed(None, 0)


def test_the_hour_on_the_wall_is_the_same_in_summer_and_in_winter() -> None:
    summer, winter = at("2026-07-07T09:00", WORK.timezone), at("2026-12-01T09:00", WORK.timezone)
    assert datetime.fromtimestamp(summer, timezone.utc).hour == 16
    assert datetime.fromtimestamp(winter, timezone.utc).hour == 17
    for moment in (summer, winter):
        assert allowed(WORK, moment)
        assert not allowed(WORK, moment - 1)


def test_an_hour_that_summer_time_skips_never_comes() -> None:
    window = Window(("SUN",), "02:00", "03:00", "Europe/Berlin")
    begin = at("2026-03-29T00:00", window.timezone)  # 02:00 to 03:00 is skipped on this day
    assert not any(allowed(window, begin + minute * 60) for minute in range(24 * 60))


def test_an_hour_that_comes_twice_is_allowed_twice() -> None:
    window = Window(("SUN",), "02:00", "03:00", "Europe/Berlin")
    begin = at("2026-10-25T00:00", window.timezone)
    minutes = sum(allowed(window, begin + minute * 60) for minute in range(24 * 60))
    assert minutes == 120


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd"])
def test_an_unknown_time_zone_is_an_error_and_not_a_permission(zone: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        allowed(Window(DAYS, "00:00", "24:00", zone), 0)


def times() -> st.SearchStrategy[str]:
    """Any time of day."""
    return st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.integers(0, 59))


def windows() -> st.SearchStrategy[Window]:
    """Any window."""
    days = st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(tuple)
    return st.builds(Window, days, times(), times(), st.sampled_from(ZONES))


MOMENTS = st.integers(1_750_000_000, 1_900_000_000).map(float)


@given(windows(), MOMENTS)
def test_a_window_and_its_rest_fill_the_week(window: Window, moment: float) -> None:
    """On all days, a moment is either in a window or in the one from its end to its start."""
    every = Window(DAYS, window.start, window.end, window.timezone)
    rest = Window(DAYS, window.end, window.start, window.timezone)
    if window.start == window.end:
        assert allowed(every, moment)
    else:
        assert allowed(every, moment) != allowed(rest, moment)


@given(windows(), MOMENTS)
def test_days_add_up(window: Window, moment: float) -> None:
    """A window is the union of its days."""
    single = [Window((day,), window.start, window.end, window.timezone) for day in window.days]
    assert allowed(window, moment) == any(allowed(each, moment) for each in single)


@given(windows(), MOMENTS)
def test_the_wall_decides(window: Window, moment: float) -> None:
    """Two moments with the same time on the wall and weekday are treated alike."""
    zone = ZoneInfo(window.timezone)
    wall = datetime.fromtimestamp(moment, zone)
    later = (wall + timedelta(days=28)).timestamp()  # wall arithmetic: across summer time too
    if datetime.fromtimestamp(later, zone).replace(tzinfo=None) == (
        wall.replace(tzinfo=None) + timedelta(days=28)
    ):
        assert allowed(window, moment) == allowed(window, later)
