"""Route 53's decisions: the status of health checks, and the record that it answers with.

Sources, all in https://docs.aws.amazon.com/Route53/latest/:
DeveloperGuide/dns-failover-determining-health-of-endpoints.html (kinds of health checks),
DeveloperGuide/health-checks-how-route-53-chooses-records.html (answers) and
APIReference/API_HealthCheckConfig.html (inverted, disabled, thresholds, too little data).
"""

import math
from collections.abc import Sequence
from enum import Enum
from typing import Final

from resiliency.failover_model.alarm_evaluation import AlarmState, Missing, Point, evaluate

HEALTHY_SHARE_OF_CHECKERS: Final = 0.18
"""An endpoint is healthy when more than this share of the health checkers report it healthy."""


class InsufficientData(Enum):
    """The status of a health check on an alarm while there is insufficient data."""

    HEALTHY = "Healthy"
    """Healthy."""
    UNHEALTHY = "Unhealthy"
    """Unhealthy."""
    LAST_KNOWN_STATUS = "LastKnownStatus"
    """As when there last was enough data; healthy if there never was."""


class Role(Enum):
    """The role of a record in a failover pair."""

    PRIMARY = "PRIMARY"
    """Answers while it is healthy."""
    SECONDARY = "SECONDARY"
    """Answers while the primary is not, and it is."""


def status(healthy: bool, *, inverted: bool = False, disabled: bool = False) -> bool:
    """Return the status of a health check of any kind, as Route 53 uses it.

    A disabled health check is healthy whatever it would measure. Inverting comes after: the API
    reference names it as the way to stop traffic to what a disabled health check guards. A new
    health check is healthy until there is enough data, or unhealthy if it is inverted.

    Example:
        >>> status(False, disabled=True)
        True
    """
    return (healthy or disabled) != inverted


def alarm_health(
    points: Sequence[Point],
    *,
    evaluation_periods: int,
    insufficient_data: InsufficientData,
    last_known: bool | None = None,
) -> bool:
    """Evaluate the data stream of an alarm; Route 53 does not read the alarm's state.

    Of the alarm Route 53 has eight fields: namespace, name and dimensions of the metric, statistic,
    period, evaluation periods, comparison and threshold. So neither M of N nor the alarm's
    treatment of missing data is known here. That points are otherwise evaluated as CloudWatch
    evaluates them, over the same range, is *assumed*.

    The points are those of the evaluation range, oldest first. ``last_known`` is None for a new
    health check, which is healthy.
    """
    state = evaluate(points, evaluation_periods=evaluation_periods, missing=Missing.MISSING)
    if state is not AlarmState.INSUFFICIENT_DATA:
        return state is AlarmState.OK
    if insufficient_data is InsufficientData.LAST_KNOWN_STATUS:
        return last_known is not False
    return insufficient_data is InsufficientData.HEALTHY


def calculated_health(children: Sequence[bool], threshold: int) -> bool:
    """Whether enough children are healthy; always with a threshold of 0."""
    return sum(children) >= threshold


def unhealthy_checkers_needed(checkers: int) -> int:
    """Return how many health checkers must find an endpoint unhealthy, until it is.

    Example:
        >>> unhealthy_checkers_needed(16)
        14
    """
    return checkers - math.floor(checkers * HEALTHY_SHARE_OF_CHECKERS)


def answer(primary: bool | None, secondary: bool | None) -> Role:
    """Return which record of a failover pair Route 53 answers with.

    A record without a health check (None) is always healthy, so a primary without one never fails
    over. Where none is healthy all count as healthy, and the primary answers.
    """
    if primary is False and secondary is not False:
        return Role.SECONDARY
    return Role.PRIMARY
