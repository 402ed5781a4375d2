"""Schedules of EventBridge Scheduler: syntax, days on which they run, longest gap.

Written from https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html. A time that
daylight saving time leaves out is skipped, one that it repeats runs once, and a day of a rate has
24 hours.
"""

import calendar
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from staged_resiliency.shared.validation import nearest, shown

MAX_GAP_DAYS: Final = 35
"""A drill that runs more rarely proves little about the service as it is today."""

DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
"""Days of the week as schedules name them, in the order of their numbers, from 1."""

_MONTHS: Final = (
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
)  # fmt: skip
_FIELDS: Final = ("minutes", "hours", "day of month", "month", "day of week", "year")
_EXAMPLE: Final = "cron(0 10 ? * TUE#1 *)"
_HOURS_PER: Final[Mapping[str, float]] = {"minute": 1 / 60, "hour": 1, "day": 24}
_HOURS_PER_MONTH: Final = 365.2425 * 24 / 12
# The Gregorian calendar repeats itself after 28 years, except around years like 2100.
_FIRST_YEAR: Final = 2026
_YEARS: Final = 28
_HORIZON: Final = range(_FIRST_YEAR, _FIRST_YEAR + _YEARS)

_DaysOfMonth = Callable[[int, int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class DrillSchedule:
    """A recurring schedule that runs at most once a day.

    Attributes:
        expression: ``cron(...)`` or ``rate(...)``, as EventBridge Scheduler takes it.
        zone: IANA name of the time zone.

    Raises:
        ValueError: Scheduler would refuse it, or it runs more than once a day, or it ends.

    Example:
        >>> DrillSchedule("cron(0 10 ? * TUE#1 *)", "America/Los_Angeles").longest_gap_days
        35.0
    """

    expression: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        """Check time zone and expression."""
        time_zone(self.zone)
        _parsed(self.expression)

    @property
    def at(self) -> time | None:
        """The time of day at which it runs; None for a rate, which starts when it is deployed."""
        parsed = _parsed(self.expression)
        return parsed.at if isinstance(parsed, _Cron) else None

    @property
    def days_of_week(self) -> frozenset[str]:
        """The days of the week on which it ever runs."""
        return frozenset(DAYS[(each.weekday() + 1) % 7] for each in self._local())

    @property
    def longest_gap_days(self) -> float:
        """The most days from one run to the next, in local time of its time zone.

        By the clock, so that five weeks in which daylight saving time ends are 35 days, and not an
        hour more.
        """
        parsed = _parsed(self.expression)
        if isinstance(parsed, float):
            return parsed / 24
        return _longest_gap(self.expression, self.zone) / timedelta(days=1)

    @property
    def runs_per_month(self) -> float:
        """How often it runs in a month, on average."""
        parsed = _parsed(self.expression)
        if isinstance(parsed, float):
            return _HOURS_PER_MONTH / parsed
        return len(self._local()) / (_YEARS * 12)

    def runs(self, years: int) -> Sequence[datetime]:
        """The times at which it runs, in UTC, over some years from 2026 on; empty for a rate."""
        zone = time_zone(self.zone)
        until = _FIRST_YEAR + years
        return [
            each.replace(tzinfo=zone).astimezone(timezone.utc)
            for each in self._local()
            if each.year < until
        ]

    def _local(self) -> Sequence[datetime]:
        return _local_runs(self.expression, self.zone)


def outside_window(
    schedule: DrillSchedule,
    days: Sequence[str],
    from_hour: int,
    to_hour: int,
    notice_minutes: int = 0,
) -> str | None:
    """Return why runs of a schedule would be refused outside a window; None if none would be.

    A run that announces itself is checked again after ``notice_minutes``.
    """
    expression = shown(schedule.expression)
    always = (from_hour, to_hour) == (0, 24) and set(DAYS) <= set(days)
    if schedule.at is None:
        if always:
            return None
        return (
            f"{expression} starts when it is deployed, which may be outside the window; give "
            "cron(...)"
        )
    window = f"the window from {from_hour:02}:00 to {to_hour:02}:00"
    if not from_hour <= schedule.at.hour < to_hour:
        return (
            f"{expression} starts at {schedule.at:%H:%M}, outside {window}; its runs would be "
            "refused; change the schedule or the window"
        )
    minutes = schedule.at.hour * 60 + schedule.at.minute + notice_minutes
    if not always and minutes >= to_hour * 60:
        return (
            f"{expression} starts at {schedule.at:%H:%M}, and its fault {notice_minutes} minutes "
            f"later, outside {window}; its runs would be refused; change the schedule, the window "
            "or notify_before_minutes"
        )
    runs_on = schedule.days_of_week
    outside = [day for day in DAYS if day in runs_on and day not in days]
    if outside:
        return (
            f"{expression} also runs on {', '.join(outside)}, outside the window on "
            f"{', '.join(days)}; these runs would be refused; change the schedule or the window"
        )
    return None


def time_zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ValueError: No time zone has that name.
    """
    try:
        # One part alone would also name files beside the zones; a path could leave their folder.
        if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", name):
            raise ValueError
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Abbreviations are near to others that are another zone: PST to MST.
        near = nearest(name, _zone_names()) if "/" in name else None
        hint = f"did you mean {near}?" if near else "give one like America/Los_Angeles"
        raise ValueError(f"{shown(name)} is not an IANA time zone; {hint}") from None


@lru_cache(maxsize=1)
def _zone_names() -> Sequence[str]:
    from zoneinfo import available_timezones

    return sorted(available_timezones())


@dataclass(frozen=True, slots=True)
class _Cron:
    """The time of day, the months and the days of a cron expression."""

    at: time
    months: frozenset[int]
    days: _DaysOfMonth


@lru_cache(maxsize=256)
def _parsed(expression: str) -> _Cron | float:
    """A cron expression, or the hours of a rate."""
    found = re.fullmatch(r"(cron|rate|at)\((.*)\)", expression)
    if found is None:
        raise ValueError(
            f"{shown(expression)} is not a schedule of EventBridge Scheduler; "
            f"give one like {_EXAMPLE}"
        )
    kind, inner = found.groups()
    if kind == "at":
        raise ValueError(f"{shown(expression)} runs once; a drill recurs, give one like {_EXAMPLE}")
    return _rate(inner, expression) if kind == "rate" else _cron(inner, expression)


def _rate(inner: str, expression: str) -> float:
    found = re.fullmatch(r"([1-9][0-9]{0,5}) (minute|hour|day)s?", inner)
    if found is None:
        raise ValueError(
            f"{shown(expression)} is not a rate (a whole number, a blank, and minutes, hours or "
            "days); give one like rate(28 days)"
        )
    hours = int(found[1]) * _HOURS_PER[found[2]]
    if hours < 24:
        raise ValueError(f"{shown(expression)} runs several times a day; once is the most")
    return float(hours)


def _cron(inner: str, expression: str) -> _Cron:
    fields = inner.split(" ")
    if len(fields) != len(_FIELDS) or not all(fields):
        raise ValueError(
            f"{shown(expression)} has {len(fields)} fields where cron has six with one "
            f"blank between them ({', '.join(_FIELDS)}); give one like {_EXAMPLE}"
        )
    minutes = _numbers(fields[0], "minutes", 0, 59)
    hours = _numbers(fields[1], "hours", 0, 23)
    months = _numbers(fields[3], "month", 1, 12, _MONTHS)
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError(
            f"{shown(expression)} needs ? as day of month or as day of week, and a value as the "
            f"other one; give one like {_EXAMPLE}"
        )
    days = _by_date(fields[2]) if fields[4] == "?" else _by_weekday(fields[4])
    _numbers(fields[5], "year", 1970, 2199)
    if fields[5] != "*":
        raise ValueError(
            f"{shown(expression)} is limited to some years, and a drill recurs "
            "forever; give * as year"
        )
    times = len(minutes) * len(hours)
    if times > 1:
        raise ValueError(
            f"{shown(expression)} runs {times} times a day; once is the most, "
            f"give one minute and one hour, like {_EXAMPLE}"
        )
    (minute,), (hour,) = minutes, hours
    return _Cron(time(hour, minute), months, days)


def _numbers(
    field: str, what: str, least: int, most: int, names: Sequence[str] = ()
) -> frozenset[int]:
    """The numbers that a field of values, ranges and steps selects."""

    def number(text: str) -> int:
        value = least + names.index(text.upper()) if text.upper() in names else _digits(text)
        if value is None or not least <= value <= most:
            spoken = f" or {names[0]} to {names[-1]}" if names else ""
            raise ValueError(
                f"{shown(text)} is not allowed in the field {what}; allowed: {least} to "
                f"{most}{spoken}"
            )
        return value

    found: set[int] = set()
    for part in field.split(","):
        span, _, step_text = part.partition("/")
        step = _digits(step_text) if "/" in part else 1
        if not step:
            raise ValueError(f"{shown(part)} has no step of 1 or more in the field {what}")
        if span == "*":
            first, last = least, most
        elif "-" in span:
            first, last = (number(each) for each in span.split("-", 1))
            if first > last:
                raise ValueError(f"{shown(span)} counts backwards in the field {what}")
        else:
            first = number(span)
            last = most if "/" in part else first
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _digits(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None


def _by_date(field: str) -> _DaysOfMonth:
    if field == "L":
        return lambda year, month: [calendar.monthrange(year, month)[1]]
    if field.endswith("W"):
        (wanted,) = _numbers(field[:-1] if field[:-1].isdigit() else "W", "day of month", 1, 31)
        return lambda year, month: _nearest_weekday(year, month, wanted)
    days = _numbers(field, "day of month", 1, 31)
    return lambda year, month: [
        day for day in sorted(days) if day <= calendar.monthrange(year, month)[1]
    ]


def _nearest_weekday(year: int, month: int, wanted: int) -> Sequence[int]:
    """The weekday of the month that is nearest to a day; none where the month has no such day."""
    last = calendar.monthrange(year, month)[1]
    if wanted > last:
        return []
    weekday = date(year, month, wanted).weekday()
    if weekday == calendar.SATURDAY:
        return [wanted - 1 if wanted > 1 else wanted + 2]
    if weekday == calendar.SUNDAY:
        return [wanted + 1 if wanted < last else wanted - 2]
    return [wanted]


def _by_weekday(field: str) -> _DaysOfMonth:
    def days_of(weekdays: frozenset[int], year: int, month: int) -> list[int]:
        first, length = calendar.monthrange(year, month)
        return [day for day in range(1, length + 1) if (first + day) % 7 + 1 in weekdays]

    name, mark, rest = field.partition("#")
    if mark:
        nth = _digits(rest)
        if nth is None or not 1 <= nth <= 5:
            raise ValueError(
                f"{shown(field)} is not allowed in the field day of week; after # comes 1 to 5, "
                "like TUE#1"
            )
        weekdays = _numbers(_one(name), "day of week", 1, 7, DAYS)
        return lambda year, month: days_of(weekdays, year, month)[nth - 1 : nth]
    if len(field) > 1 and field.endswith("L"):
        weekdays = _numbers(_one(field[:-1]), "day of week", 1, 7, DAYS)
        return lambda year, month: days_of(weekdays, year, month)[-1:]
    # L alone is the last day of the week.
    weekdays = _numbers("SAT" if field == "L" else field, "day of week", 1, 7, DAYS)
    return lambda year, month: days_of(weekdays, year, month)


def _one(name: str) -> str:
    """A single day; a list, range or step is refused."""
    return name if name.isalnum() else "?"


@lru_cache(maxsize=256)
def _local_runs(expression: str, zone: str) -> Sequence[datetime]:
    """The runs of a cron expression by the clock of its zone, without those that DST leaves out."""
    parsed, clock = _parsed(expression), time_zone(zone)
    if isinstance(parsed, float):
        return ()
    return tuple(
        run
        for year in _HORIZON
        for month in sorted(parsed.months)
        for day in parsed.days(year, month)
        if _exists(run := datetime.combine(date(year, month, day), parsed.at), clock)
    )


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    there = local.replace(tzinfo=zone).astimezone(timezone.utc).astimezone(zone)
    return there.replace(tzinfo=None) == local


@lru_cache(maxsize=256)
def _longest_gap(expression: str, zone: str) -> timedelta:
    # A calendar that repeats itself within the horizon has shown its longest gap there.
    runs = itertools.pairwise(_local_runs(expression, zone))
    return max((later - earlier for earlier, later in runs), default=timedelta.max)
