"""Metrics that drills publish, with the dimensions Service, Environment and Drill."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Final

PASSED: Final = "drill-passed"
"""1 for a passed run, 0 for a failed one; not published for aborted runs and dry runs."""

DETECT_SECONDS: Final = "drill-detect-seconds"
"""From the fault until the first alarm."""

FAILOVER_SECONDS: Final = "drill-failover-seconds"
"""From the fault until a client was served by another host."""

FAILBACK_SECONDS: Final = "drill-failback-seconds"
"""From the fault's end until clients were served by the former host for good."""

OUTAGE_SECONDS: Final = "drill-outage-seconds"
"""How long clients went unserved."""

AVAILABILITY_PERCENT: Final = "drill-availability-percent"
"""Percentage of clients' requests that were served."""

DAYS_SINCE_PASSED: Final = "drill-days-since-passed"
"""Days since the last passed run, or since deployment; published daily by the watchdog."""

SCORE: Final = "drill-score"
"""Passed 100, expired 75, failed 50, never run 0; published daily by the watchdog."""

FAULTS_NOT_ENDED: Final = "drill-faults-not-ended"
"""Runs that ended while their fault may last; published every 15 minutes, for all drills of a
service together, so without the dimension Drill."""


def data_points(
    values: Mapping[str, float | None],
    at: float,
    service: str,
    environment: str,
    drill: str | None = None,
) -> Sequence[Mapping[str, object]]:
    """Return the data points of metrics as PutMetricData takes them; None where there is none."""
    named = {"Service": service, "Environment": environment}
    if drill is not None:
        named["Drill"] = drill
    return [
        {
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": text} for name, text in named.items()],
            "Timestamp": datetime.fromtimestamp(at, timezone.utc),
            "Value": float(value),
        }
        for metric, value in values.items()
        if value is not None
    ]
