"""Reads the last data points of metrics."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from resiliency.drill_cli.aws import Aws, Operation
from staged_resiliency.drills.runtime.context import Context

METRICS: Final[Operation] = ("cloudwatch", "GetMetricData")

WINDOW_SECONDS: Final = 900.0
"""How far back data points are read."""


def latest(
    aws: Aws, metrics: Mapping[str, Mapping[str, Any]], statistic: str, context: Context
) -> Mapping[str, tuple[float, float]]:
    """Return the time and the value of the last data point of each metric that has one."""
    if not metrics:
        return {}
    now = datetime.fromtimestamp(context.clock(), timezone.utc)
    keys = {f"m{number}": key for number, key in enumerate(metrics)}
    answer = aws(
        *METRICS,
        MetricDataQueries=[
            {"Id": id_, "MetricStat": {"Metric": metrics[key], "Period": 60, "Stat": statistic}}
            for id_, key in keys.items()
        ],
        StartTime=now - timedelta(seconds=WINDOW_SECONDS),
        EndTime=now + timedelta(seconds=60),
        ScanBy="TimestampDescending",
    )
    return {
        keys[each["Id"]]: (each["Timestamps"][0].timestamp(), float(each["Values"][0]))
        for each in answer["MetricDataResults"]
        if each["Values"]
    }
