"""Validates the settings of metrics and alarms, as ``validation`` validates single values."""

import math
import re
from typing import Final

from staged_resiliency.shared import limits
from staged_resiliency.shared.validation import at_most, by_pattern, matching, nearest, shown


def namespace(value: str) -> str:
    """Validate a CloudWatch namespace for custom metrics."""
    if value.startswith("AWS/"):
        raise ValueError(
            f"{shown(value)} starts with AWS/, which CloudWatch keeps for AWS services; "
            "give one like Bookstore"
        )
    return matching(
        value,
        rf"[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{{0,{limits.MAX_NAMESPACE_CHARACTERS - 1}}}",
        "a CloudWatch namespace (letters, digits and . - _ / # : space, at most 255)",
        "Bookstore",
    )


def alarm_name(value: str) -> str:
    """Validate the name of a CloudWatch alarm."""
    if not value or not (value.isascii() and value.isprintable()):
        raise ValueError(f"{shown(value)} is not an alarm name (printable ASCII)")
    return at_most(value, limits.MAX_ALARM_NAME_CHARACTERS, "the alarm name")


dashboard_name = by_pattern(
    r"[A-Za-z0-9_-]{1,255}",
    "a dashboard's name (letters, digits, '_' and '-', at most 255)",
    "bookstore-production",
)


def failover_period_seconds(value: int) -> int:
    """Validate a period in seconds of an alarm that a Route 53 health check can follow."""
    if value < limits.MIN_FAILOVER_PERIOD_SECONDS:
        raise ValueError(
            f"{value} s makes a high-resolution alarm, which Route 53 health checks can't follow; "
            f"give {limits.MIN_FAILOVER_PERIOD_SECONDS} or a multiple of it"
        )
    if value % 60:
        raise ValueError(f"{value} s is not a multiple of 60, which CloudWatch asks for")
    return value


def alarm_window_seconds(period_seconds: int, evaluation_periods: int) -> int:
    """Validate the time that an alarm evaluates, and return it in seconds."""
    window = period_seconds * evaluation_periods
    most = (
        limits.MAX_ALARM_WINDOW_SECONDS_SHORT_PERIOD
        if period_seconds < limits.SHORT_PERIOD_SECONDS
        else limits.MAX_ALARM_WINDOW_SECONDS
    )
    if window > most:
        raise ValueError(
            f"{evaluation_periods} periods of {period_seconds} s look back {window} s; "
            f"CloudWatch takes at most {most} s for this period"
        )
    return window


def failover_statistic(value: str) -> str:
    """Validate a statistic of an alarm that a Route 53 health check can follow."""
    if value not in limits.FAILOVER_STATISTICS:
        allowed = ", ".join(limits.FAILOVER_STATISTICS)
        near = nearest(value, limits.FAILOVER_STATISTICS)
        hint = f"did you mean {near}?" if near else f"allowed: {allowed}"
        raise ValueError(
            f"{shown(value)} is a statistic that Route 53 health checks can't follow "
            f"(percentiles and other extended statistics are not supported); {hint}"
        )
    return value


def all_datapoints(datapoints_to_alarm: int, evaluation_periods: int) -> int:
    """Validate datapoints of an alarm that decides failover: Route 53 needs all of them."""
    if datapoints_to_alarm != evaluation_periods:
        raise ValueError(
            f"{datapoints_to_alarm} out of {evaluation_periods} is an M-out-of-N alarm, which "
            f"Route 53 health checks can't follow; give {evaluation_periods}, or leave it out"
        )
    return datapoints_to_alarm


def some_datapoints(datapoints_to_alarm: int, evaluation_periods: int) -> int:
    """Validate datapoints of an alarm that decides nothing."""
    if not 1 <= datapoints_to_alarm <= evaluation_periods:
        raise ValueError(
            f"{datapoints_to_alarm} out of {evaluation_periods} can't breach; allowed: 1 to "
            f"{evaluation_periods}"
        )
    return datapoints_to_alarm


def threshold_between_0_and_1(value: float, statistic: str) -> float:
    """Validate a threshold that separates a metric's value 0 from 1."""
    most = math.inf if statistic in ("Sum", "SampleCount") else 1
    if not 0 < value <= most:
        allowed = "above 0" if most == math.inf else "above 0, at most 1"
        raise ValueError(
            f"{value:g} would never or always breach, as the metric is 0 or 1; "
            f"allowed for {statistic}: {allowed}"
        )
    return value


def statistic(value: str) -> str:
    """Validate a statistic of an alarm that decides nothing: a standard one or a percentile."""
    percentile = re.fullmatch(r"p([0-9]{1,2}(\.[0-9]{1,2})?|100)", value)
    if value in limits.FAILOVER_STATISTICS or percentile:
        return value
    raise ValueError(
        f"{shown(value)} is not a statistic; allowed: {', '.join(limits.FAILOVER_STATISTICS)}, and "
        "percentiles like p99"
    )


HOST_PLACEHOLDERS: Final = ("{host}", "{instance_id}")


def dimension_value(value: str) -> str:
    """Validate the value of a dimension; braces are allowed only in placeholders for the host."""
    rest = value
    for placeholder in HOST_PLACEHOLDERS:
        rest = rest.replace(placeholder, "")
    if "{" in rest or "}" in rest:
        raise ValueError(
            f"{shown(value)} has braces that are no placeholder; allowed: "
            f"{' and '.join(HOST_PLACEHOLDERS)}"
        )
    if not 1 <= len(value) <= limits.MAX_DIMENSION_VALUE_CHARACTERS or not value.isascii():
        raise ValueError(
            f"{shown(value)} is not a dimension's value (ASCII, 1 to "
            f"{limits.MAX_DIMENSION_VALUE_CHARACTERS} characters)"
        )
    return value
