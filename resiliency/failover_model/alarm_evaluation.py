"""The state of a CloudWatch alarm, evaluated as AWS documents it.

Source: the sections "Evaluating an alarm", "How alarm state is evaluated when data is missing" and
"Avoiding premature transitions to alarm state" of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html, today in
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
Each row of its tables, today's and former ones, is a test.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Final, Literal, TypeAlias

Comparison: TypeAlias = Literal[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanThreshold",
]
"""How a statistic is compared with a threshold."""

COMPARISONS: Final[Mapping[Comparison, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}


class AlarmState(Enum):
    """The state of an alarm."""

    OK = "OK"
    """Within the threshold."""
    ALARM = "ALARM"
    """Outside of the threshold."""
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
    """Not enough data."""


class Missing(Enum):
    """How an alarm treats missing data; the values are those of TreatMissingData."""

    MISSING = "missing"
    """As missing; CloudWatch's default."""
    IGNORE = "ignore"
    """As no reason to leave the state."""
    BREACHING = "breaching"
    """As breaching the threshold."""
    NOT_BREACHING = "notBreaching"
    """As within the threshold."""


class Point(Enum):
    """A data point as an alarm evaluates it; the values are the symbols in AWS's documentation."""

    WITHIN = "0"
    """Within the threshold."""
    BREACHING = "X"
    """Outside of the threshold."""
    MISSING = "-"
    """Missing, or not published yet."""


def point(value: float | None, comparison: Comparison, threshold: float) -> Point:
    """Compare a value with a threshold; None is a missing value."""
    if value is None:
        return Point.MISSING
    return Point.BREACHING if COMPARISONS[comparison](value, threshold) else Point.WITHIN


def evaluate(
    points: Sequence[Point],
    *,
    evaluation_periods: int,
    datapoints_to_alarm: int | None = None,
    missing: Missing = Missing.MISSING,
    former: AlarmState = AlarmState.INSUFFICIENT_DATA,
) -> AlarmState:
    """Return the state of an alarm after one evaluation.

    Args:
        points: The points of the evaluation range, oldest first; at least as many as evaluation
            periods.
        evaluation_periods: N: how many points are evaluated.
        datapoints_to_alarm: M: how many of them must breach; all unless given.
        missing: How missing points are treated; as missing unless given.
        former: The state before; that of a new alarm unless given.

    Raises:
        ValueError: Fewer points than evaluation periods, or M is not from 1 to N.

    Example:
        >>> points = [Point(sign) for sign in "0XX-X"]
        >>> evaluate(points, evaluation_periods=3).value
        'ALARM'
    """
    needed = evaluation_periods if datapoints_to_alarm is None else datapoints_to_alarm
    if not 1 <= needed <= evaluation_periods:
        raise ValueError(
            f"{needed} of {evaluation_periods} data points to alarm; "
            f"allowed: 1 to {evaluation_periods}"
        )
    if len(points) < evaluation_periods:
        raise ValueError(
            f"{len(points)} data points for {evaluation_periods} evaluation periods; "
            "give those of the whole evaluation range, missing ones too"
        )
    # Real points from farther back stand in for missing ones, so as few as possible are filled.
    real = [each for each in points if each is not Point.MISSING][-evaluation_periods:]
    breaching = real.count(Point.BREACHING)
    if breaching >= needed:
        return AlarmState.ALARM
    if len(real) == evaluation_periods:
        return AlarmState.OK
    if missing is Missing.BREACHING:
        filled = evaluation_periods - len(real)
        return AlarmState.ALARM if breaching + filled >= needed else AlarmState.OK
    # One good point is enough for OK, whether the others are ignored or left missing.
    if missing is Missing.NOT_BREACHING or breaching < len(real):
        return AlarmState.OK
    if missing is Missing.IGNORE:
        return former
    # All that is there breaches, and it is too little. It counts once it is so old that even
    # good points could not have prevented M in a row: no premature transition before.
    if breaching and len(points) - points.index(Point.BREACHING) >= needed:
        return AlarmState.ALARM
    return AlarmState.INSUFFICIENT_DATA
