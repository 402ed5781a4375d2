"""Metrics that drills publish, with the dimensions Service, Environment and Drill."""

from typing import Final

PASSED: Final = "drill-passed"
"""1 for a run that passed, 0 for one that failed; none for one that was aborted or leashed."""

DETECT_SECONDS: Final = "drill-detect-seconds"
"""From the fault until the first alarm."""

FAILOVER_SECONDS: Final = "drill-failover-seconds"
"""From the fault until a client was served by another host."""

FAILBACK_SECONDS: Final = "drill-failback-seconds"
"""From the fault's end until clients were served by the former host for good."""

OUTAGE_SECONDS: Final = "drill-outage-seconds"
"""How long clients were not served."""

AVAILABILITY_PERCENT: Final = "drill-availability-percent"
"""Share of clients' requests that were served, from 0 to 100."""

DAYS_SINCE_PASSED: Final = "drill-days-since-passed"
"""Days since the last passed run, or since the drill was deployed; daily, by the watchdog."""

SCORE: Final = "drill-score"
"""Passed 100, expired 75, failed 50, never run 0; daily, by the watchdog."""

RUN_METRICS: Final = (
    PASSED,
    DETECT_SECONDS,
    FAILOVER_SECONDS,
    FAILBACK_SECONDS,
    OUTAGE_SECONDS,
    AVAILABILITY_PERCENT,
)
"""What each judged run publishes, as far as it happened."""
