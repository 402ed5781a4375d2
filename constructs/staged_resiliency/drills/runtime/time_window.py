"""Whether a moment is in the window in which a drill may begin."""

from datetime import datetime, time, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from staged_resiliency.drills.runtime.plan import Window

_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def allowed(window: Window | None, at: float) -> bool:
    """Whether a drill may begin.

    The clock on the wall decides: an hour that summer time skips never comes, one that it repeats
    is allowed twice.

    Args:
        window: Any time, where it is None.
        at: Seconds since the epoch.

    Raises:
        ValueError: The window's times are none, or its time zone is unknown.
    """
    if window is None:
        return True
    wall = datetime.fromtimestamp(at, timezone.utc).astimezone(ZoneInfo(window.timezone))
    start, end = _time(window.start), _time(window.end)
    now = wall.timetz().replace(tzinfo=None)
    today, yesterday = (_DAYS[(wall - timedelta(days=back)).weekday()] for back in (0, 1))
    if start < end:
        return today in window.days and start <= now < end
    return (today in window.days and now >= start) or (yesterday in window.days and now < end)


def _time(text: str) -> time:
    hours, minutes = text.split(":")
    if text == "24:00":
        return time(0)  # not after any start, so the window ends with the day
    return time(int(hours), int(minutes))
