"""Metrics that drills publish, with the dimensions Service, Environment and Drill."""

from collections.abc import Mapping, Sequence
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


def dimensions(
    service: str, environment: str, drill: str | None = None
) -> Sequence[Mapping[str, str]]:
    """Return the dimensions of a drill's metrics, as PutMetricData takes them."""
    named = {"Service": service, "Environment": environment}
    if drill is not None:
        named["Drill"] = drill
    return [{"Name": name, "Value": value} for name, value in named.items()]
