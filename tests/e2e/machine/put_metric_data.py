"""Decodes PutMetricData requests, and computes CloudWatch's statistics of them.

A second opinion beside moto: what was sent, read without moto, in both protocols that botocore
speaks to CloudWatch (the query protocol, of old versions, and JSON 1.0).
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import parse_qsl

MAX_DATA: Final = 1000
MAX_BYTES: Final = 1_000_000
MAX_DIMENSIONS: Final = 30
MAX_VALUES: Final = 150
OLDEST: Final = timedelta(days=14)
NEWEST: Final = timedelta(hours=2)
"""Limits of PutMetricData (CloudWatch API Reference, PutMetricData and MetricDatum)."""

_FIELDS: Final = {
    "Counts",
    "Dimensions",
    "MetricName",
    "StatisticValues",
    "StorageResolution",
    "Timestamp",
    "Unit",
    "Value",
    "Values",
}


@dataclass(frozen=True)
class Point:
    """The statistics of a metric over a period.

    Attributes:
        samples: How many values there were (SampleCount).
        total: Their sum (Sum).
        least: The smallest (Minimum).
        greatest: The largest (Maximum).
    """

    samples: float
    total: float
    least: float
    greatest: float

    @property
    def average(self) -> float:
        """Their mean (Average)."""
        return self.total / self.samples

    def __add__(self, other: "Point") -> "Point":
        """Merge both, as CloudWatch does with data of the same period."""
        return Point(
            self.samples + other.samples,
            self.total + other.total,
            min(self.least, other.least),
            max(self.greatest, other.greatest),
        )


@dataclass(frozen=True)
class Metric:
    """A metric's name and dimensions, in any order of these."""

    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, name: str, **dimensions: str) -> "Metric":
        """Create a metric, such as ``Metric.of("probe-heartbeat", Host="blue")``."""
        return cls(name, frozenset(dimensions.items()))


@dataclass(frozen=True)
class Datum:
    """A member of MetricData.

    Attributes:
        metric: Its name and dimensions.
        timestamp: Its time; None where it has none and CloudWatch takes the time of arrival.
        point: Its value, its values or its StatisticSet, as statistics.
        is_set: Whether it was sent as a StatisticSet.
        unit: Its unit; None where none was sent.
    """

    metric: Metric
    timestamp: datetime | None
    point: Point
    is_set: bool
    unit: str | None

    @property
    def minute(self) -> datetime:
        """The start of its minute.

        Raises:
            ValueError: It has no time.
        """
        if self.timestamp is None:
            raise ValueError(f"{self.metric} was sent without its time")
        return self.timestamp.replace(second=0, microsecond=0)


@dataclass(frozen=True)
class Put:
    """A PutMetricData request."""

    namespace: str
    data: tuple[Datum, ...]


def decoded(body: bytes, content_type: str) -> Put:
    """The request in a body, uncompressed.

    Raises:
        ValueError: It is in no protocol known here, or has a field that is not known here.
    """
    if content_type.startswith("application/x-www-form-urlencoded"):
        members = _unflattened(parse_qsl(body.decode(), keep_blank_values=True))
    elif content_type.startswith("application/x-amz-json-1.0"):
        members = json.loads(body)
    else:
        raise ValueError(f"PutMetricData in {content_type}, which is not known here")
    extra = set(members) - {"Action", "Version", "Namespace", "MetricData"}
    if extra:
        raise ValueError(f"PutMetricData has {sorted(extra)}, not known here")
    return Put(members["Namespace"], tuple(_datum(one) for one in members.get("MetricData", [])))


def merged(puts: Iterable[Put]) -> Mapping[tuple[str, Metric, datetime], Point]:
    """Compute CloudWatch's statistics per minute, by namespace, metric and minute."""
    points: dict[tuple[str, Metric, datetime], Point] = {}
    for put in puts:
        for datum in put.data:
            key = (put.namespace, datum.metric, datum.minute)
            points[key] = points[key] + datum.point if key in points else datum.point
    return points


def breaches(put: Put, size: int, arrived: datetime) -> list[str]:
    """Return the limits of CloudWatch that the request exceeds, which moto does not check.

    Args:
        put: The request.
        size: Bytes of its body as it was sent.
        arrived: When.
    """
    found = []
    if not 1 <= len(put.data) <= MAX_DATA:
        found.append(f"{len(put.data)} data; allowed: 1 to {MAX_DATA}")
    if size > MAX_BYTES:
        found.append(f"{size} bytes; allowed: {MAX_BYTES}")
    if put.namespace.startswith("AWS/") or not 1 <= len(put.namespace) <= 255:
        found.append(f"namespace {put.namespace!r}")
    for datum in put.data:
        name = datum.metric.name
        if not 1 <= len(name) <= 255:
            found.append(f"metric name of {len(name)} characters")
        if len(datum.metric.dimensions) > MAX_DIMENSIONS:
            found.append(f"{name}: {len(datum.metric.dimensions)} dimensions")
        if datum.timestamp is not None:
            age = arrived - datum.timestamp
            if not -NEWEST <= age <= OLDEST:
                found.append(f"{name}: is {age} old")
        point = datum.point
        values = (point.samples, point.total, point.least, point.greatest)
        if not all(math.isfinite(value) for value in values) or point.samples <= 0:
            found.append(f"{name}: {point}")
        elif not point.least <= point.average <= point.greatest:
            found.append(f"{name}: its average is outside its bounds: {point}")
    return found


def _datum(fields: Mapping[str, Any]) -> Datum:
    extra = set(fields) - _FIELDS
    if extra:
        raise ValueError(f"MetricDatum has {sorted(extra)}, not known here")
    dimensions = [(one["Name"], one["Value"]) for one in fields.get("Dimensions", [])]
    if len(dict(dimensions)) != len(dimensions):
        raise ValueError(f"a dimension twice: {dimensions}")
    return Datum(
        Metric(fields["MetricName"], frozenset(dimensions)),
        _moment(fields["Timestamp"]) if "Timestamp" in fields else None,
        _point(fields),
        "StatisticValues" in fields,
        fields.get("Unit"),
    )


def _point(fields: Mapping[str, Any]) -> Point:
    kinds = {"Value", "Values", "StatisticValues"} & set(fields)
    if len(kinds) != 1:
        raise ValueError(f"one kind of value is needed, found {sorted(kinds)}")
    if "StatisticValues" in fields:
        names = ("SampleCount", "Sum", "Minimum", "Maximum")
        return Point(*(float(fields["StatisticValues"][name]) for name in names))
    values = [float(value) for value in fields.get("Values", [fields.get("Value")])]
    counts = [float(count) for count in fields.get("Counts", [1] * len(values))]
    if len(counts) != len(values) or not 1 <= len(values) <= MAX_VALUES:
        raise ValueError(f"{len(values)} values with {len(counts)} counts")
    total = sum(value * count for value, count in zip(values, counts, strict=True))
    return Point(sum(counts), total, min(values), max(values))


def _moment(timestamp: str | float) -> datetime:
    """A time of the query protocol (ISO 8601) or of JSON (seconds since 1970)."""
    if isinstance(timestamp, str):
        moment = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    else:
        moment = datetime.fromtimestamp(timestamp, timezone.utc)
    if moment.tzinfo is None:
        raise ValueError(f"a time without its zone: {timestamp}")
    return moment.astimezone(timezone.utc)


def _unflattened(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the members that the query protocol writes as ``MetricData.member.1.Value=2``."""
    tree: dict[str, Any] = {}
    for key, value in pairs:
        *above, last = key.split(".")
        branch = tree
        for part in above:
            branch = branch.setdefault(part, {})
        branch[last] = value
    found = _with_lists(tree)
    if not isinstance(found, dict):
        raise ValueError("a list where members should be")
    return found


def _with_lists(branch: Any) -> Any:
    if not isinstance(branch, dict):
        return branch
    if set(branch) == {"member"}:
        return [_with_lists(branch["member"][key]) for key in sorted(branch["member"], key=int)]
    return {key: _with_lists(value) for key, value in branch.items()}
