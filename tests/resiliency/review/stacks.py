"""Stacks of a few resources, and reviews of them, for tests."""

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.review.changes import changes_between
from resiliency.review.findings import Finding
from resiliency.review.review import Review, review
from resiliency.review.sides import Sides

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
OUTAGES = 50
Resources = Mapping[str, Mapping[str, Any]]


def resource(kind: str, more: Mapping[str, Any] | None = None, /, **properties: Any) -> Any:
    """A resource of a template: its type without AWS::, and its properties."""
    return {"Type": f"AWS::{kind}", "Properties": properties, **(more or {})}


def stack(resources: Resources, name: str = "site", region: str = "us-west-2") -> SynthesizedStack:
    """A stack of an account."""
    template = {"Resources": resources}
    return SynthesizedStack(name, "532151327118", region, template)


def reviewed(
    before: Resources,
    after: Resources,
    *,
    now: datetime = NOW,
    running: Mapping[tuple[str, str], str] | None = None,
    outages: int = OUTAGES,
) -> Review:
    """The review of two versions of one stack."""
    sides = [stack(before)], [stack(after)]
    return review(Sides(*sides, changes_between(*sides), now, running), outages=outages)


def texts(found: Review, topic: str) -> list[str]:
    """The findings on a topic, as ``<level> <text>``."""
    return [said(each) for each in found.findings if each.topic.value == topic]


def said(finding: Finding) -> str:
    """A finding as ``<level> <text>``."""
    return f"{finding.level.value} {finding.text}"


def alarm(name: str = "down", more: Mapping[str, Any] | None = None, /, **changes: Any) -> Any:
    """An alarm on a metric of a host."""
    properties = {
        "AlarmName": name,
        "AlarmActions": ["arn:aws:sns:us-west-2:532151327118:pager"],
        "Namespace": "Site",
        "MetricName": "db-connectivity",
        "Dimensions": [{"Name": "Host", "Value": "site-blue"}],
        "Statistic": "Average",
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": 1,
        "Period": 60,
        "EvaluationPeriods": 2,
        "TreatMissingData": "breaching",
    }
    return resource("CloudWatch::Alarm", more, **{**properties, **changes})


def pair(*, check: str | None = "Check", **changes: Any) -> dict[str, Any]:
    """A failover pair, its health check and the alarm that this follows."""
    common = {
        "HostedZoneId": "Z1",
        "Name": "site.example.com.",
        "Type": "A",
        "TTL": "60",
        **changes,
    }
    health = {"HealthCheckId": {"Ref": check}} if check else {}
    return {
        "Alarm": alarm(),
        "Check": resource(
            "Route53::HealthCheck",
            HealthCheckConfig={
                "Type": "CLOUDWATCH_METRIC",
                "AlarmIdentifier": {"Name": "down", "Region": "us-west-2"},
                "InsufficientDataHealthStatus": "Unhealthy",
            },
        ),
        "Primary": resource(
            "Route53::RecordSet",
            **common,
            **health,
            SetIdentifier="one",
            Failover="PRIMARY",
            ResourceRecords=["192.0.2.1"],
        ),
        "Secondary": resource(
            "Route53::RecordSet",
            **common,
            SetIdentifier="two",
            Failover="SECONDARY",
            ResourceRecords=["192.0.2.2"],
        ),
    }
