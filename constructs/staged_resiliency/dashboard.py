"""The CloudWatch dashboard of a service: its state now, and the results of its drills."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from staged_resiliency.drills.iam import place_of
from staged_resiliency.drills.runtime import metrics
from staged_resiliency.drills.runtime.durations import EXPIRY_DAYS
from staged_resiliency.drills.target import DrillTarget
from staged_resiliency.shared import alarm_settings, limits
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked

_WIDTH: Final = 24
_HALF: Final = 12
_DAY_SECONDS: Final = 86_400
_MAX_ALARMS: Final = 100


@dataclass(frozen=True, slots=True)
class ConnectivityMetric:
    """A metric that a host's probe publishes, as a line of a graph.

    Attributes:
        host_name: The host: its Name tag.
        metric_name: Name of the metric.
        observer: The host whose probe measures, for the metric of a peer.
    """

    host_name: str
    metric_name: str
    observer: str | None = None


class ServiceDashboard(Construct):
    """A CloudWatch dashboard of a service: alarms, health checks, connectivity, drill results.

    Creates one ``AWS::CloudWatch::Dashboard`` with the states of alarms and health checks, each
    host's connectivity, and for each drill its passed runs, its times beside the objective, its
    score and the days since it last passed, with links to runbook and journals.

    It refers to drills by name, so it can be in another stack.

    Args:
        service: The service.
        dashboard_name: Physical name.
        drills: Names of its drills; at least one.
        enabled: Whether the drills inject their faults.
        alarms: Names of further alarms to show, such as the drills' own; none unless given.
        failover_alarm: Name of the ``FailoverAlarm``, which is in the region of the metrics of
            health checks; none unless given.
        dependency_alarms: Names of the ``FailoverAlarm`` of dependencies that fail over by
            themselves; none unless given.
        health_check_ids: Ids of health checks, by their labels; none unless given.
        connectivity: Metrics of the probes; none unless given.
        links: URLs by their texts, such as the runbook and the journals; none unless given.

    Raises:
        InvalidInputError: A name that CloudWatch would refuse, or no drill.

    Attributes:
        resource: The ``CfnDashboard``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import DrillHost
        >>> dashboard = ServiceDashboard(
        ...     Stack(App(), "Shop"),
        ...     "Dashboard",
        ...     service=DrillTarget(
        ...         name="shop",
        ...         environment="production",
        ...         namespace="Shop",
        ...         active=DrillHost("shop-blue", "192.0.2.1", instance="i-0123456789abcdef0"),
        ...         standby=DrillHost("shop-green", "192.0.2.2"),
        ...         record_name="shop.example.com",
        ...         hosted_zone_id="Z2EHK3FAEUNRMI",
        ...         alarms=["shop-blue-StatusCheckFailed"],
        ...         objective_seconds=360,
        ...     ),
        ...     dashboard_name="shop-production",
        ...     drills=["shutdown"],
        ...     enabled=True,
        ...     links={"runbook": "https://wiki.example.com/shop"},
        ... )
        >>> dashboard.resource.dashboard_name
        'shop-production'

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: DrillTarget,
        dashboard_name: str,
        drills: Sequence[str],
        enabled: bool,
        alarms: Sequence[str] = (),
        failover_alarm: str | None = None,
        dependency_alarms: Sequence[str] = (),
        health_check_ids: Mapping[str, str] | None = None,
        connectivity: Sequence[ConnectivityMetric] = (),
        links: Mapping[str, str] | None = None,
    ) -> None:
        checked("ServiceDashboard", "dashboard_name", dashboard_name, alarm_settings.dashboard_name)
        if not drills:
            raise InvalidInputError(
                "ServiceDashboard: drills: is empty; name the drills whose results are shown"
            )
        super().__init__(scope, construct_id)
        self._service = service
        self._drills = tuple(drills)
        self._place = place_of(scope)
        rows = [
            self._head(enabled, links or {}),
            self._now([*service.alarm_names, *alarms], health_check_ids or {}),
            self._failover(
                f"Clients are sent to {service.standby.name}",
                [failover_alarm] if failover_alarm is not None else [],
            ),
            self._failover("Clients are sent to the secondary of a dependency", dependency_alarms),
            self._connectivity(connectivity),
            self._results(),
            self._cadence(),
        ]
        self.resource: Final = cloudwatch.CfnDashboard(
            self,
            "Resource",
            dashboard_name=dashboard_name,
            dashboard_body=json.dumps(
                {"start": "-P90D", "periodOverride": "inherit", "widgets": list(_placed(rows))},
                ensure_ascii=False,
                separators=(",", ":"),
            ),
        )
        self.resource.add_metadata(
            "Description", "The state of the service now, and the results of its drills."
        )

    def _head(self, enabled: bool, links: Mapping[str, str]) -> list[dict[str, Any]]:
        service = self._service
        state = "inject their faults" if enabled else "are **dry runs**: nothing breaks"
        text = (
            f"# {service.title} in {service.environment}\n"
            f"`{service.record_name}`: {service.active.name} serves, {service.standby.name} is the "
            f"standby. Objective {service.objective_seconds:g} s. Drills {state}.\n\n"
            + " · ".join(f"[{text}]({url})" for text, url in links.items())
        )
        return [{"type": "text", "width": _WIDTH, "height": 3, "properties": {"markdown": text}}]

    def _now(
        self, alarms: Sequence[str], health_check_ids: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        width = _HALF if health_check_ids else _WIDTH
        region = self._place.region
        found = [self._alarms("Alarms now", alarms[:_MAX_ALARMS], region, width=width, height=6)]
        if health_check_ids:
            lines = [
                ["AWS/Route53", "HealthCheckStatus", "HealthCheckId", each, {"label": label}]
                for label, each in health_check_ids.items()
            ]
            found.append(
                self._graph(
                    "Health checks (1 is healthy)",
                    lines,
                    region=limits.health_check_metrics_region(self._place.region),
                    stat="Minimum",
                    period=60,
                    most=1,
                )
            )
        return found

    def _failover(self, title: str, alarms: Sequence[str]) -> list[dict[str, Any]]:
        if not alarms:
            return []
        region = limits.health_check_metrics_region(self._place.region)
        return [self._alarms(title, alarms, region, width=_WIDTH, height=2)]

    def _alarms(
        self, title: str, names: Sequence[str], region: str, *, width: int, height: int
    ) -> dict[str, Any]:
        place = self._place
        start = f"arn:{place.partition}:cloudwatch:{region}:{place.account}:alarm:"
        properties = {"title": title, "alarms": [f"{start}{name}" for name in names]}
        return {"type": "alarm", "width": width, "height": height, "properties": properties}

    def _connectivity(self, metrics: Sequence[ConnectivityMetric]) -> list[dict[str, Any]]:
        namespace = self._service.namespace
        found = []
        for host in dict.fromkeys(metric.host_name for metric in metrics):
            lines: list[list[Any]] = []
            for metric in metrics:
                if metric.host_name == host:
                    line: list[Any] = [namespace, metric.metric_name, "Host", host]
                    if metric.observer is not None:
                        line += ["Observer", metric.observer]
                    lines.append([*line, {"label": metric.metric_name}])
            found.append(
                self._graph(
                    f"{host}: connectivity (1 is reached)",
                    lines,
                    stat="Average",
                    period=60,
                    most=1,
                )
            )
        return found

    def _results(self) -> list[dict[str, Any]]:
        objective = self._service.objective_seconds
        return [
            self._graph(
                "Failover seconds, against the objective",
                self._lines(metrics.FAILOVER_SECONDS),
                stat="Maximum",
                annotation=("objective", objective),
            ),
            self._graph("Detection seconds", self._lines(metrics.DETECT_SECONDS), stat="Maximum"),
            self._graph("Failback seconds", self._lines(metrics.FAILBACK_SECONDS), stat="Maximum"),
            self._graph(
                "Availability seen by clients, percent",
                self._lines(metrics.AVAILABILITY_PERCENT),
                stat="Minimum",
                most=100,
            ),
        ]

    def _cadence(self) -> list[dict[str, Any]]:
        return [
            self._graph(
                "Passed (1) and failed (0) runs",
                self._lines(metrics.PASSED),
                stat="Minimum",
                most=1,
            ),
            self._graph(
                "Score: passed 100, expired 75, failed 50, never run 0",
                self._lines(metrics.SCORE),
                stat="Minimum",
                most=100,
            ),
            self._graph(
                "Days since the last pass",
                self._lines(metrics.DAYS_SINCE_PASSED),
                stat="Maximum",
                annotation=("overdue", EXPIRY_DAYS),
                width=_WIDTH,
            ),
        ]

    def _lines(self, metric_name: str) -> list[list[Any]]:
        namespace, found = self._service.namespace, []
        for drill in self._drills:
            pairs = self._service.dimensions_of(drill).items()
            dimensions = [part for pair in pairs for part in pair]
            found.append([namespace, metric_name, *dimensions, {"label": drill}])
        return found

    def _graph(
        self,
        title: str,
        lines: Sequence[Sequence[Any]],
        *,
        stat: str,
        region: str | None = None,
        period: int = _DAY_SECONDS,
        most: float | None = None,
        annotation: tuple[str, float] | None = None,
        width: int = _HALF,
    ) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "title": title,
            "view": "timeSeries",
            "region": region or self._place.region,
            "stat": stat,
            "period": period,
            "metrics": [list(line) for line in lines],
            "yAxis": {"left": {"min": 0, **({} if most is None else {"max": most})}},
        }
        if annotation is not None:
            label, value = annotation
            properties["annotations"] = {"horizontal": [{"label": label, "value": value}]}
        return {"type": "metric", "width": width, "height": 6, "properties": properties}


def _placed(rows: Sequence[Sequence[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Place the widgets: each row below the one before, wrapped where it is full."""
    top = 0
    for row in rows:
        left, height = 0, 0
        for widget in row:
            if left + widget["width"] > _WIDTH:
                top, left, height = top + height, 0, 0
            yield {**widget, "x": left, "y": top}
            left, height = left + widget["width"], max(height, widget["height"])
        top += height
