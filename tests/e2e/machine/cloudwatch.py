"""CloudWatch for a test: moto's plain API behind a gate.

Metrics are read with GetMetricData only, and in a way that steps around what moto 5.2 does not do
as CloudWatch does:

* GetMetricStatistics takes dimensions as a filter, so ``Host`` alone also finds what has ``Host``
  and ``Class``; and it counts periods from the first datum, not from the minute.
* GetMetricData overlooks the namespace of a metric with dimensions, and finds one with several
  only if they are asked for in the order in which they were sent.
* PutMetricData takes anything: no limit of number, size, age or namespace
  (see ``put_metric_data.breaches``).
"""

import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import botocore.session

from tests.e2e.machine.closing import Closing
from tests.e2e.machine.gate import ApiRequest, Gate
from tests.e2e.machine.processes import PATH, CommandError, dying_with_us
from tests.e2e.machine.put_metric_data import Metric, Point
from tests.e2e.machine.waiting import eventually

REGION: Final = "us-west-2"

_START_SECONDS: Final = 30
_STATISTICS: Final = ("SampleCount", "Sum", "Minimum", "Maximum")
_MINUTE: Final = timedelta(minutes=1)
_LISTENS: Final = re.compile(r"Running on http://127\.0\.0\.1:(\d+)")


class CloudWatch(Closing):
    """A CloudWatch endpoint that keeps the metrics it receives.

    Attributes:
        gate: What clients speak to. Shutting it keeps the data.
    """

    def __init__(self, listen: Callable[[], socket.socket]) -> None:
        """Start the server.

        Args:
            listen: Makes the socket that clients connect to, each time the gate is opened.
        """
        self._moto, port = _moto()
        try:
            self.gate = Gate(listen, port)
            self._client = _client(port)
        except BaseException:
            _end(self._moto)
            raise

    @property
    def requests(self) -> list[ApiRequest]:
        """Return the PutMetricData requests so far."""
        return [one for one in self.gate.requests if one.operation == "PutMetricData"]

    def metrics(self, namespace: str) -> set[Metric]:
        """Return the metrics of a namespace."""
        return set(self._listed(namespace))

    def points(
        self, namespace: str, metric: Metric, *, back: timedelta = timedelta(hours=3)
    ) -> Mapping[datetime, Point]:
        """Return a metric's statistics by the minute's start, for minutes with data.

        Args:
            namespace: Where the metric is.
            metric: Its name and all its dimensions.
            back: How far to look back from now.
        """
        listed = self._listed(namespace).get(metric)
        if listed is None:
            return {}
        now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
        found = self._client.get_metric_data(
            MetricDataQueries=[_query(listed, name) for name in _STATISTICS],
            StartTime=now - back,
            EndTime=now + _MINUTE,
            ScanBy="TimestampAscending",
        )["MetricDataResults"]
        by_statistic = {one["Id"]: one for one in found}
        minutes = [each.astimezone(timezone.utc) for each in found[0]["Timestamps"]]
        values = zip(*(by_statistic[name.lower()]["Values"] for name in _STATISTICS), strict=True)
        return {
            minute: Point(*of_minute) for minute, of_minute in zip(minutes, values, strict=True)
        }

    def _listed(self, namespace: str) -> Mapping[Metric, Mapping[str, Any]]:
        """Return the metrics with their dimensions in the order of their first datum."""
        pages = self._client.get_paginator("list_metrics").paginate(Namespace=namespace)
        return {
            Metric(
                one["MetricName"],
                frozenset((each["Name"], each["Value"]) for each in one["Dimensions"]),
            ): one
            for page in pages
            for one in page["Metrics"]
        }

    def close(self) -> None:
        """Stop the server and delete its data."""
        self.gate.close()
        _end(self._moto)


def _query(listed: Mapping[str, Any], statistic: str) -> Mapping[str, Any]:
    return {
        "Id": statistic.lower(),
        "MetricStat": {
            "Metric": listed,
            "Period": int(_MINUTE.total_seconds()),
            "Stat": statistic,
        },
    }


def _client(port: int) -> Any:
    session = botocore.session.Session()
    session.set_credentials("reader", "reader")
    return session.create_client(
        "cloudwatch", region_name=REGION, endpoint_url=f"http://127.0.0.1:{port}"
    )


def _moto() -> tuple[subprocess.Popen[bytes], int]:
    """Start moto's server on a free port of loopback."""
    # It goes on to log each request, so a pipe would fill.
    with tempfile.NamedTemporaryFile("r") as log, Path(log.name).open("w") as output:
        process = subprocess.Popen(
            dying_with_us(
                *(sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0")
            ),
            env={"PATH": PATH, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

        def port() -> int | None:
            match = _LISTENS.search(Path(log.name).read_text())
            if match is None and process.poll() is not None:
                raise CommandError(f"moto did not start:\n{Path(log.name).read_text()}")
            return int(match[1]) if match else None

        try:
            return process, eventually("moto listens", port, seconds=_START_SECONDS)
        except BaseException:
            _end(process)
            raise


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
