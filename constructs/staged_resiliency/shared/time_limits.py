"""The longest times that alarms, health checks and clients take, in seconds.

The limits are sums over the settings of alarm, probe and record, and over AWS's own delays. AWS
does not publish all of those; which are assumed, ``resiliency timing`` lists. The failover-time
model draws delays up to the ones here, drills expect what happens within the sums, and a rehearsal
computes what it allows with the same sums.
"""

from typing import Final

MINUTE: Final = 60

EVALUATION_INTERVAL_SECONDS: Final = 60
"""Between two evaluations of an alarm.

Source: AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

LONG_PERIOD_SECONDS: Final = 300
"""The period for which AWS publishes how many periods an alarm reads."""

EXTRA_PERIODS: Final = 5
"""The most periods that CloudWatch reads beyond the evaluation periods, for periods below that.

*Assumed* from published alarm events: alarms with periods of 60 s and 1 or 2 evaluation periods
read at least 6 periods.
"""

EXTRA_LONG_PERIODS: Final = 2
"""The same for long periods: AWS publishes 5 for 3 evaluation periods, *assumed* for others."""

STATUS_CHECK_SECONDS: Final = 120
"""Until EC2's status checks report an impaired instance; assumed."""

STATUS_METRIC_DELAY_SECONDS: Final = 60
"""From a status check to its data point in CloudWatch; assumed."""

CUSTOM_METRIC_DELAY_SECONDS: Final = 15
"""From a request of the probe to its data points in CloudWatch; assumed."""

PROBE_BATCH_SECONDS: Final = 11
"""From the end of a minute to the probe's request for it: a second, and up to ten by host name."""

HEALTH_CHECK_UPTAKE_SECONDS: Final = 30
"""From the data that decide to Route 53's new status; assumed."""

DNS_PROPAGATION_SECONDS: Final = 30
"""From a new status to the answers of all DNS servers; assumed."""

RESOLVER_FLOOR_SECONDS: Final = 30
"""The least time that a resolver caches an answer, even if its TTL is shorter; assumed."""

INSTANCE_START_SECONDS: Final = 420
"""Until a started instance serves, publishes and passes its status checks; assumed."""

SET_UP_SECONDS: Final = 60
"""From the start of a blackhole's action until its rule is there: the command must reach the host,
which first installs what it lacks; assumed."""

INVALIDATION_SECONDS: Final = 120
"""Until an invalidation is complete in all edge locations of CloudFront; assumed."""

_STEP: Final = 10


def extra_periods(period_seconds: int) -> int:
    """Return the most periods that CloudWatch reads beyond the evaluation periods.

    Example:
        >>> extra_periods(60), extra_periods(300)
        (5, 2)
    """
    return EXTRA_PERIODS if period_seconds < LONG_PERIOD_SECONDS else EXTRA_LONG_PERIODS


def alarm_recovery_seconds(
    *,
    bad_seconds: float,
    good_seconds: float,
    publication_seconds: float,
    evaluation_seconds: float = EVALUATION_INTERVAL_SECONDS,
) -> float:
    """Return the longest time from good samples until the alarm is OK.

    Args:
        bad_seconds: Until a period begins that has good samples only.
        good_seconds: Length of the good periods that the alarm needs.
        publication_seconds: From the end of a period until its data are in CloudWatch.
        evaluation_seconds: Between two evaluations of the alarm.

    Example:
        >>> alarm_recovery_seconds(bad_seconds=60, good_seconds=60, publication_seconds=26)
        206
    """
    return bad_seconds + good_seconds + publication_seconds + evaluation_seconds


def client_return_seconds(
    healthy_seconds: float,
    ttl_seconds: int,
    *,
    uptake_seconds: float = HEALTH_CHECK_UPTAKE_SECONDS,
    propagation_seconds: float = DNS_PROPAGATION_SECONDS,
    resolver_floor_seconds: float = RESOLVER_FLOOR_SECONDS,
    client_cache_seconds: float = 0,
) -> float:
    """Return the longest time from a fault's end until clients are back on the active host.

    ``healthy_seconds`` pass until the slowest deciding signal is healthy; a client keeps an address
    for ``client_cache_seconds`` beyond its resolver. The constants above explain the others.

    Example:
        >>> client_return_seconds(240, ttl_seconds=10)
        330
    """
    cached = max(ttl_seconds, resolver_floor_seconds) + client_cache_seconds
    return healthy_seconds + uptake_seconds + propagation_seconds + cached


def fires_by_failing(
    period_seconds: int,
    evaluation_periods: int,
    *,
    sample_seconds: float,
    delay_seconds: float = CUSTOM_METRIC_DELAY_SECONDS + PROBE_BATCH_SECONDS,
) -> int:
    """Return the longest time from a fault that makes samples fail until the alarm fires.

    The first period may still have a good statistic, as the fault fell into it. The first sample
    has failed after ``sample_seconds``; a period's data are in CloudWatch ``delay_seconds`` after
    its end.

    Example:
        >>> fires_by_failing(60, 2, sample_seconds=15)
        290
    """
    return _rounded_up(
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
    """Return the longest time from a fault that stops a metric until its alarm fires.

    The alarm treats missing data as breaching. Good data that arrive late, and the extra periods
    that CloudWatch reads, must be gone first. A period's data are in CloudWatch ``delay_seconds``
    after its end.

    Example:
        >>> fires_by_silence(60, 1, delay_seconds=STATUS_METRIC_DELAY_SECONDS)
        540
    """
    return _rounded_up(
        (evaluation_periods + extra_periods(period_seconds) + 1) * period_seconds
        + delay_seconds
        + EVALUATION_INTERVAL_SECONDS
    )


def recovers(
    period_seconds: int,
    *,
    start_seconds: float,
    delay_seconds: float = STATUS_METRIC_DELAY_SECONDS,
) -> int:
    """Return the longest time from a fault's end until the alarm is OK.

    One whole good period is enough. Samples are good ``start_seconds`` after the fault's end; a
    period's data are in CloudWatch ``delay_seconds`` after its end.

    Example:
        >>> recovers(60, start_seconds=15)
        260
    """
    return _rounded_up(
        start_seconds
        + alarm_recovery_seconds(
            bad_seconds=period_seconds,
            good_seconds=period_seconds,
            publication_seconds=delay_seconds,
        )
    )


def clients_return(alarm_seconds: float, ttl_seconds: int) -> int:
    """Return ``client_return_seconds`` for alarms that are OK after ``alarm_seconds``, rounded up.

    Example:
        >>> clients_return(260, 60)
        380
    """
    return _rounded_up(client_return_seconds(alarm_seconds, ttl_seconds))


def _rounded_up(seconds: float) -> int:
    """Round up to a multiple of ten, since the seconds are a sum of estimates."""
    return int(-(-seconds // _STEP) * _STEP)
