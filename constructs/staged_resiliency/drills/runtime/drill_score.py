"""How a drill stands: how long ago it passed, and what that is worth."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from staged_resiliency.experiment.verdict import Status

_DAY: Final = 86_400.0


class Score(IntEnum):
    """What the last judged run of a drill is worth."""

    PASSED = 100
    EXPIRED = 75
    """It passed, too long ago."""
    FAILED = 50
    NEVER_RUN = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run, and when, in seconds since the epoch."""

    status: str
    at: float


@dataclass(frozen=True, slots=True)
class DrillStatus:
    """How a drill stands.

    Attributes:
        days_since_passed: Whole days since its last passed run, or since it was deployed if it
            never passed. Whole ones, as a drill that passes every 35 days is not overdue: a run
            takes its time, and the five weeks in which summer time ends have an hour more.
        score: What its last judged run is worth. Runs that were aborted or leashed show nothing,
            and leave it as it was.
    """

    days_since_passed: int
    score: Score


def standing(
    outcomes: Iterable[Outcome], *, deployed_at: float, now: float, expiry_days: int
) -> DrillStatus:
    """How a drill stands.

    Args:
        outcomes: Of its runs, in any order.
        deployed_at: When the drill was made, in seconds since the epoch.
        now: The same, for now.
        expiry_days: A passed run shows something for so many whole days.
    """
    judged = [
        each for each in outcomes if each.status in (Status.PASSED.value, Status.FAILED.value)
    ]
    passed = [each.at for each in judged if each.status == Status.PASSED.value]
    days = max(0, int((now - max(passed, default=deployed_at)) // _DAY))
    # Of two runs at the same moment the failed one counts.
    last = max(judged, key=lambda each: (each.at, each.status != Status.PASSED.value), default=None)
    if last is None:
        return DrillStatus(days, Score.NEVER_RUN)
    if last.status == Status.FAILED.value:
        return DrillStatus(days, Score.FAILED)
    return DrillStatus(days, Score.EXPIRED if days > expiry_days else Score.PASSED)
