"""Stacks of a few resources, and reviews of them, for tests."""

import base64
import json
from collections.abc import Mapping, Sequence
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
TOPIC = "arn:aws:sns:us-west-2:532151327118:pager"
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["a", "b"]}


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
    return reviewed_stacks(
        [stack(before)], [stack(after)], now=now, running=running, outages=outages
    )


def reviewed_stacks(
    before: Sequence[SynthesizedStack],
    after: Sequence[SynthesizedStack],
    *,
    now: datetime = NOW,
    running: Mapping[tuple[str, str], str] | None = None,
    outages: int = OUTAGES,
) -> Review:
    """The review of two versions of several stacks."""
    sides = Sides(before, after, changes_between(before, after), now, running)
    return review(sides, outages=outages)


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
        "AlarmActions": [TOPIC],
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


def changed(resources: Mapping[str, Any], logical_id: str, **changes: Any) -> dict[str, Any]:
    """Resources of which one has other properties; None takes a property away."""
    known = resources[logical_id]
    given = {**known["Properties"], **changes}
    kept = {key: value for key, value in given.items() if value is not None}
    return {**resources, logical_id: {**known, "Properties": kept}}


def configured(resources: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Resources of which the health check has another configuration."""
    config = resources["Check"]["Properties"]["HealthCheckConfig"]
    return changed(resources, "Check", HealthCheckConfig={**config, **changes})


def without(resources: Mapping[str, Any], *logical_ids: str) -> dict[str, Any]:
    """Resources without some of them."""
    return {key: each for key, each in resources.items() if key not in logical_ids}


def policy(*statements: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"P": resource("IAM::ManagedPolicy", PolicyDocument=document, **more)}


def fault(*alarms: str) -> Any:
    """An experiment template with stop conditions."""
    arn = "arn:aws:cloudwatch:us-west-2:532151327118:alarm:"
    conditions = [{"Source": "aws:cloudwatch:alarm", "Value": arn + each} for each in alarms]
    return resource("FIS::ExperimentTemplate", StopConditions=conditions, Tags={"Name": "drill"})


def association(**changes: Any) -> dict[str, Any]:
    """An association that installs a probe on two hosts."""
    configuration = {"namespace": "Site", "targets": [{"metric": "db-connectivity", "port": 1}]}
    encoded = base64.b64encode(json.dumps(configuration).encode()).decode()
    given = {
        "AssociationName": "probe",
        "Name": {"Ref": "Document"},
        "Parameters": {"Action": ["Install"], "Configuration": [encoded]},
        "Targets": [{"Key": "tag:Name", "Values": ["site-blue", "site-green"]}],
        "MaxConcurrency": "1",
        "MaxErrors": "0",
        **changes,
    }
    return {"Association": resource("SSM::Association", **given)}


def machine(
    *, enabled: bool = False, instance: str = "i-1", guards: list[str] | None = None
) -> Any:
    """A drill's state machine."""
    plan = {
        "drill": "shutdown",
        "enabled": enabled,
        "target": "site-blue",
        "active": {"name": "site-blue", "instance_id": instance},
        "standby": {"name": "site-green", "instance_id": "i-2"},
        "guard_alarms": guards or [],
    }
    definition = {"States": {"Plan": {"Result": {"plan": plan}}}, "TimeoutSeconds": 3600}
    return resource(
        "StepFunctions::StateMachine",
        StateMachineName="drill",
        DefinitionString={"Fn::Join": ["", [json.dumps(definition)]]},
    )


def drill(given: Any, **schedule: Any) -> dict[str, Any]:
    """A drill with its schedule: the first Tuesday of a month, at 10:00."""
    arn = {"Fn::GetAtt": ["Machine", "Arn"]}
    return {
        "Machine": given,
        "Schedule": resource(
            "Scheduler::Schedule",
            **{
                "ScheduleExpression": "cron(0 10 ? * TUE#1 *)",
                "Target": {"Input": {"Fn::Join": ["", ["{", arn, "}"]]}},
                **schedule,
            },
        ),
    }
