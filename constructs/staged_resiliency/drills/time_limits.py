"""How long alarms and clients may take in a drill, as upper bounds in seconds.

Bounds are computed from the settings of alarms, probe and record. What AWS does not publish is
assumed, with the highest value that the failover-time model has for it (a test holds them to it).
"""

from typing import Final

EVALUATION_INTERVAL_SECONDS: Final = 60
"""Between two evaluations of an alarm."""

EXTRA_PERIODS: Final = 2
"""That CloudWatch looks back beyond the evaluation periods before it fills in for missing data."""

STATUS_METRIC_DELAY_SECONDS: Final = 60
CUSTOM_METRIC_DELAY_SECONDS: Final = 15
PROBE_BATCH_SECONDS: Final = 11
HEALTH_CHECK_UPTAKE_SECONDS: Final = 30
DNS_PROPAGATION_SECONDS: Final = 30
RESOLVER_FLOOR_SECONDS: Final = 30

INSTANCE_START_SECONDS: Final = 420
"""Until a started instance serves, publishes and passes its status checks; assumed."""

SET_UP_SECONDS: Final = 60
"""From the start of a blackhole's action until its rule is there: the command must reach the host,
which first installs what it lacks; assumed."""

_STEP: Final = 10


def fires_by_failing(
    period_seconds: int,
    evaluation_periods: int,
    *,
    sample_seconds: float,
    delay_seconds: float = CUSTOM_METRIC_DELAY_SECONDS + PROBE_BATCH_SECONDS,
) -> int:
    """From a fault that makes samples fail until the alarm is in ALARM, at most.

    The first period may still have a good statistic, as the fault fell into it.

    Args:
        period_seconds: Period of the alarm.
        evaluation_periods: Periods in a row that must breach.
        sample_seconds: From the fault until the first sample has failed.
        delay_seconds: From the end of a period until its data are in CloudWatch.

    Example:
        >>> fires_by_failing(60, 2, sample_seconds=15)
        290
    """
    return _rounded(
        sample_seconds
        + (evaluation_periods + 1) * period_seconds
        + delay_seconds
        + EVALUATION_INTERVAL_SECONDS
    )


def fires_by_silence(
    period_seconds: int,
    evaluation_periods: int,
    *,
    delay_seconds: float = CUSTOM_METRIC_DELAY_SECONDS + PROBE_BATCH_SECONDS,
) -> int:
    """From a fault that silences a metric until an alarm that takes silence for failure fires.

    Good data that are late, and the periods that CloudWatch looks back, must be gone first.

    Args:
        period_seconds: Period of the alarm.
        evaluation_periods: Periods in a row that must breach.
        delay_seconds: From the end of a period until its data are in CloudWatch.

    Example:
        >>> fires_by_silence(60, 1, delay_seconds=STATUS_METRIC_DELAY_SECONDS)
        360
    """
    return _rounded(
        (evaluation_periods + EXTRA_PERIODS + 1) * period_seconds
        + delay_seconds
        + EVALUATION_INTERVAL_SECONDS
    )


def recovers(
    period_seconds: int,
    *,
    start_seconds: float,
    delay_seconds: float = STATUS_METRIC_DELAY_SECONDS,
) -> int:
    """From the fault's end until the alarm is OK, at most: one whole good period is enough.

    Args:
        period_seconds: Period of the alarm.
        start_seconds: From the fault's end until samples are good.
        delay_seconds: From the end of a period until its data are in CloudWatch.

    Example:
        >>> recovers(60, start_seconds=15)
        260
    """
    return _rounded(
        start_seconds + 2 * period_seconds + delay_seconds + EVALUATION_INTERVAL_SECONDS
    )


def clients_return(alarm_seconds: float, ttl_seconds: int) -> int:
    """From the fault's end until clients are back, at most.

    Args:
        alarm_seconds: Until the slowest deciding signal is well.
        ttl_seconds: TTL of the record.

    Example:
        >>> clients_return(260, 60)
        380
    """
    kept = max(ttl_seconds, RESOLVER_FLOOR_SECONDS)
    return _rounded(alarm_seconds + HEALTH_CHECK_UPTAKE_SECONDS + DNS_PROPAGATION_SECONDS + kept)


def _rounded(seconds: float) -> int:
    """Up to a whole ten, since these are sums of guesses."""
    return int(-(-seconds // _STEP) * _STEP)
