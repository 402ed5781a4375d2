"""What the templates of a service file have for what exists, and each field that differs."""

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from resiliency.account.readers import JsonObject, dns_name
from resiliency.adopt.existing import Existing, Pair
from resiliency.cloud_assembly import SynthesizedStack, read_assembly
from resiliency.errors import UsageError, UserError

Kind = Literal["alarm", "health check", "record"]

TYPES: Final[Mapping[str, Kind]] = {
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::Route53::HealthCheck": "health check",
    "AWS::Route53::RecordSet": "record",
}

_ALARM_DEFAULTS: Final[Mapping[str, object]] = {
    "AlarmDescription": "",
    "ActionsEnabled": True,
    "AlarmActions": [],
    "OKActions": [],
    "InsufficientDataActions": [],
    "Metrics": [],
    "TreatMissingData": "missing",
}
_ALARM_FIELDS: Final = (
    *_ALARM_DEFAULTS,
    *("Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic"),
    *("Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold"),
    *("ComparisonOperator", "ThresholdMetricId", "EvaluateLowSampleCountPercentile"),
)
_CHECK_DEFAULTS: Final[Mapping[str, object]] = {
    "Inverted": False,
    "Disabled": False,
    "MeasureLatency": False,
}
_ENDPOINT_DEFAULTS: Final[Mapping[str, object]] = {"RequestInterval": 30, "FailureThreshold": 3}
_CHECK_FIELDS: Final = (
    *("Type", "AlarmIdentifier", "InsufficientDataHealthStatus", "Inverted", "Disabled"),
    *("IPAddress", "FullyQualifiedDomainName", "Port", "ResourcePath", "SearchString"),
    *("RequestInterval", "FailureThreshold", "MeasureLatency", "EnableSNI", "Regions"),
    *("ChildHealthChecks", "HealthThreshold"),
)
_RECORD_FIELDS: Final = (
    *("SetIdentifier", "Failover", "TTL", "ResourceRecords"),
    *("AliasTarget", "HealthCheckId"),
)
_SETS: Final = ("AlarmActions", "OKActions", "InsufficientDataActions", "Regions", "Dimensions")

_EFFECTS: Final[Mapping[tuple[Kind, str], str]] = {
    ("alarm", "AlarmDescription"): "only the text of notifications",
    ("alarm", "ActionsEnabled"): "whether it notifies at all",
    ("alarm", "AlarmActions"): "who is notified when it fires, and what else happens then",
    ("alarm", "OKActions"): "who is notified when it is OK again",
    ("alarm", "InsufficientDataActions"): "who is notified when it has no data",
    ("alarm", "TreatMissingData"): "whether silence, as of a stopped host, fires it",
    ("alarm", "Namespace"): "it reads another metric",
    ("alarm", "MetricName"): "it reads another metric",
    ("alarm", "Dimensions"): "it reads the metric of another host",
    (
        "alarm",
        "Metrics",
    ): "a health check can't follow metric math; it becomes an alarm on one metric",
    ("alarm", "Statistic"): "when it fires",
    ("alarm", "ExtendedStatistic"): "a health check can't follow percentiles",
    ("alarm", "Period"): "how soon it fires",
    ("alarm", "Unit"): "which data points it reads",
    ("alarm", "EvaluationPeriods"): "how soon it fires",
    ("alarm", "DatapointsToAlarm"): "how many periods must breach; a health check can't follow "
    "fewer than all",
    ("alarm", "Threshold"): "when it fires",
    ("alarm", "ComparisonOperator"): "when it fires",
    ("health check", "Type"): "what it checks: another health check is made",
    ("health check", "AlarmIdentifier"): "it follows another alarm",
    ("health check", "InsufficientDataHealthStatus"): "whether clients are moved while there is no "
    "data, as of a stopped host",
    ("health check", "Inverted"): "an alarm counts as healthy where it is true",
    ("health check", "Disabled"): "it is always healthy where it is true",
    ("health check", "RequestInterval"): "how soon it fails; another health check is made",
    ("health check", "FailureThreshold"): "how soon it fails",
    ("health check", "MeasureLatency"): "a graph that costs extra; another health check is made",
    ("health check", "Regions"): "from where it is checked",
    ("health check", "SearchString"): "which answer counts as healthy",
    ("health check", "ResourcePath"): "which page is requested",
    ("health check", "FullyQualifiedDomainName"): "the Host header of requests",
    ("health check", "IPAddress"): "which host is checked",
    ("health check", "Port"): "which port is checked",
    ("health check", "HealthThreshold"): "how many signals must be healthy; here all of them",
    ("health check", "ChildHealthChecks"): "which signals decide",
    ("health check", "Name"): "only its name in the console",
    ("health check", "EnableSNI"): "whether the TLS handshake names the host",
    ("record", "Type"): "which queries it answers",
    ("record", "SetIdentifier"): "the record's identity: it is deleted and made anew, in one batch",
    ("record", "Failover"): "its role: Route 53 serves the primary while it is healthy",
    ("record", "TTL"): "how long resolvers keep an answer, and so how slow a failover is",
    ("record", "ResourceRecords"): "where clients are sent",
    ("record", "AliasTarget"): "where clients are sent, and whether the target's health counts",
    ("record", "HealthCheckId"): "when clients are moved; a secondary without a health check is "
    "always served when it is needed",
}

_REPLACING: Final = ("Type", "MeasureLatency", "RequestInterval")
"""Settings of a health check that no update changes, as CloudFormation's schema says too."""


@dataclass(frozen=True)
class Difference:
    """A field that differs.

    Attributes:
        kind: Kind of the resource.
        name: Its name in the account.
        field: The field, as the API names it.
        existing: Its value in the account; None where it is not set.
        deployed: Its value in the template.
        effect: What it decides.
    """

    kind: Kind
    name: str
    field: str
    existing: object
    deployed: object
    effect: str


@dataclass
class Resource:
    """A resource of a template, and what exists in its place.

    Attributes:
        kind: Its kind.
        stack: Name of its stack.
        logical_id: Its logical id.
        name: How people name it.
        deployed: Its properties, in the API's form, with references resolved.
        existing: The properties of what exists, in the same form; None if nothing does.
        physical_id: Id of the existing health check, or a placeholder of the one to make.
        differences: The fields that differ.
    """

    kind: Kind
    stack: str
    logical_id: str
    name: str
    deployed: dict[str, Any]
    existing: dict[str, Any] | None = None
    physical_id: str | None = None
    differences: Sequence[Difference] = ()

    @property
    def is_replaced(self) -> bool:
        """Whether it can't be updated into what is deployed."""
        return any(each.field in _REPLACING for each in self.differences)


@dataclass
class Comparison:
    """The templates of a service file, against what exists.

    Attributes:
        stacks: The stacks in the order of their deployment.
        resources: Alarms, health checks and records of the templates.
        left_alone: Names of existing alarms and health checks that no template has.
    """

    stacks: Sequence[SynthesizedStack]
    resources: list[Resource] = field(default_factory=list)
    left_alone: list[tuple[str, str]] = field(default_factory=list)

    @property
    def differences(self) -> Sequence[Difference]:
        """All fields that differ, of resources that exist."""
        return [each for resource in self.resources for each in resource.differences]

    def of(self, kind: Kind) -> Sequence[Resource]:
        """Return the resources of a kind."""
        return [each for each in self.resources if each.kind == kind]


def synthesized(folder: Path, service: Path) -> Sequence[SynthesizedStack]:
    """Return the stacks that the CDK application in a folder makes of a service file.

    Raises:
        UsageError: The folder has no application.
        UserError: It can't be synthesized.
    """
    try:
        settings = json.loads((folder / "cdk.json").read_text(encoding="utf-8"))
        command = shlex.split(settings["app"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(
            f"{folder / 'cdk.json'}: names no CDK application; run this in the application's folder"
        ) from None
    context = {
        **settings.get("context", {}),
        "services": str(service.resolve()),
        "aws:cdk:disable-path-metadata": not settings.get("pathMetadata", True),
    }
    with tempfile.TemporaryDirectory() as out:
        given = {**os.environ, "CDK_OUTDIR": out, "CDK_CONTEXT_JSON": json.dumps(context)}
        try:
            done = subprocess.run(  # noqa: S603 (the application that cdk.json names)
                command, cwd=folder, env=given, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise UserError(f"{command[0]}: can't be run: {error.strerror}") from None
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise UserError(f"{shlex.join(command)}: fails: {last}")
        return read_assembly(Path(out))


def compare(
    existing: Existing,
    stacks: Sequence[SynthesizedStack],
    named: Mapping[tuple[str, str], JsonObject],
) -> Comparison:
    """Compare templates with what exists.

    Args:
        existing: What exists.
        stacks: The stacks.
        named: The existing alarms that have the names of the templates' alarms, by region and name.
    """
    made = Comparison(stacks)
    for stack in stacks:
        ids: dict[str, str] = {}
        made.resources += _alarms(stack, named)
        made.resources += _checks(stack, existing, ids)
        made.resources += _records(stack, existing, ids)
    for resource in made.resources:
        resource.differences = list(_differences(resource))
        if resource.kind == "health check" and resource.is_replaced:
            # Another one is made; what refers to this one moves to it.
            placeholder = _placeholder(resource.logical_id)
            for each in made.resources:
                children = each.deployed.get("ChildHealthChecks", ())
                if resource.physical_id in children:
                    moved = [
                        placeholder if id_ == resource.physical_id else id_ for id_ in children
                    ]
                    each.deployed["ChildHealthChecks"] = moved
                if each.deployed.get("HealthCheckId") == resource.physical_id:
                    each.deployed["HealthCheckId"] = placeholder
                each.differences = list(_differences(each))
            resource.physical_id = placeholder
    kept = {each.physical_id for each in made.of("health check")}
    names = {each.name for each in made.of("alarm")}
    made.left_alone = [
        *(("alarm", name) for name in sorted(existing.alarms) if name not in names),
        *(("health check", each) for each in _checks_of(existing) if each not in kept),
    ]
    return made


def _checks_of(existing: Existing) -> Mapping[str, None]:
    """Return the ids of the health checks of all records, without duplicates."""
    records = [each for pair in existing.pairs for each in pair.records]
    named = [each["HealthCheckId"] for each in records if "HealthCheckId" in each]
    return dict.fromkeys((*existing.checks, *named))


def alarm_names(stacks: Sequence[SynthesizedStack]) -> Mapping[str, Sequence[str]]:
    """Return the names of the alarms of the templates, by region."""
    found: dict[str, list[str]] = {}
    for stack in stacks:
        for properties in stack.properties_of("AWS::CloudWatch::Alarm"):
            found.setdefault(stack.region, []).append(properties["AlarmName"])
    return found


def _of_type(stack: SynthesizedStack, kind: Kind) -> Iterator[tuple[str, dict[str, Any]]]:
    for logical_id, resource in stack.resources.items():
        if TYPES.get(resource["Type"]) == kind:
            yield logical_id, json.loads(json.dumps(resource["Properties"]))


def _alarms(
    stack: SynthesizedStack, named: Mapping[tuple[str, str], JsonObject]
) -> Iterator[Resource]:
    for logical_id, properties in _of_type(stack, "alarm"):
        name = properties["AlarmName"]
        found = named.get((stack.region, name))
        yield Resource(
            "alarm",
            stack.name,
            logical_id,
            name,
            properties,
            None if found is None else {key: found[key] for key in _ALARM_FIELDS if key in found},
            name,
        )


def _checks(stack: SynthesizedStack, existing: Existing, ids: dict[str, str]) -> Iterator[Resource]:
    """Yield the health checks, those that others count first, with the ids of what they become."""
    found = sorted(_of_type(stack, "health check"), key=lambda each: _is_calculated(each[1]))
    free = dict(existing.checks)
    for logical_id, properties in found:
        config = properties["HealthCheckConfig"]
        match = _match(config, free)
        ids[logical_id] = match or _placeholder(logical_id)
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("HealthCheckTags", ())}
        if "ChildHealthChecks" in config:
            config["ChildHealthChecks"] = [ids[each["Ref"]] for each in config["ChildHealthChecks"]]
        known = free.pop(match, None) if match else None
        yield Resource(
            "health check",
            stack.name,
            logical_id,
            match or tags.get("Name", logical_id),
            {**config, "Name": tags.get("Name")},
            None
            if known is None
            else {**known["HealthCheckConfig"], "Name": existing.check_names.get(str(match))},
            ids[logical_id],
        )


def _is_calculated(properties: JsonObject) -> bool:
    return str(properties["HealthCheckConfig"]["Type"]) == "CALCULATED"


def _match(config: JsonObject, checks: Mapping[str, JsonObject]) -> str | None:
    """Return the existing health check in the place of one of a template."""
    alike = {
        id_: check["HealthCheckConfig"]
        for id_, check in checks.items()
        if _family(check["HealthCheckConfig"]) == _family(config)
    }
    same = [
        id_
        for id_, each in alike.items()
        if each.get("AlarmIdentifier") == config.get("AlarmIdentifier")
    ]
    return next(iter(same), next(iter(alike), None) if len(alike) == 1 else None)


def _family(config: JsonObject) -> str:
    kind = str(config["Type"])
    return kind if kind in ("CLOUDWATCH_METRIC", "CALCULATED", "RECOVERY_CONTROL") else "endpoint"


def _placeholder(logical_id: str) -> str:
    return f"NEW_{logical_id}"


def _records(
    stack: SynthesizedStack, existing: Existing, ids: Mapping[str, str]
) -> Iterator[Resource]:
    pairs: Mapping[str, Sequence[Pair]] = {existing.name: existing.pairs, **existing.more}
    for logical_id, properties in _of_type(stack, "record"):
        name = dns_name(properties["Name"])
        check = properties.get("HealthCheckId")
        fields = (*_RECORD_FIELDS, "Type", "Name")
        deployed: dict[str, Any] = {key: properties[key] for key in fields if key in properties}
        if "TTL" in deployed:
            deployed["TTL"] = int(deployed["TTL"])
        if check is not None:
            deployed["HealthCheckId"] = ids[check["Ref"]]
        found = _record_in_place(pairs.get(name, ()), properties["Type"], properties["Failover"])
        yield Resource(
            "record",
            stack.name,
            logical_id,
            f"{name} {properties['Type']} {properties['Failover']}",
            deployed,
            None if found is None else record_of_api(found),
        )


def _record_in_place(pairs: Sequence[Pair], kind: str, role: str) -> JsonObject | None:
    for pair in pairs:
        if pair.kind in (kind, "CNAME"):
            return pair.primary if role == "PRIMARY" else pair.secondary
    return None


def record_of_api(record: JsonObject) -> dict[str, Any]:
    """Return a record as the API returns it in the form of templates."""
    found = {key: record[key] for key in (*_RECORD_FIELDS, "Type", "Name") if key in record}
    if "ResourceRecords" in found:
        found["ResourceRecords"] = [each["Value"] for each in found["ResourceRecords"]]
    return found


def _differences(resource: Resource) -> Iterator[Difference]:
    if resource.existing is None:
        return
    fields = {
        "alarm": _ALARM_FIELDS,
        "health check": (*_CHECK_FIELDS, "Name"),
        "record": (*_RECORD_FIELDS, "Type"),
    }[resource.kind]
    for name in fields:
        before = _comparable(resource.kind, resource.existing, name)
        after = _comparable(resource.kind, resource.deployed, name)
        if before != after:
            effect = _EFFECTS.get((resource.kind, name), "see the API reference")
            yield Difference(
                resource.kind,
                resource.name,
                name,
                resource.existing.get(name),
                resource.deployed.get(name),
                effect,
            )


def _comparable(kind: Kind, properties: Mapping[str, Any], name: str) -> object:
    """Return a field in the form in which equal settings are equal."""
    value = properties.get(name)
    if kind == "alarm":
        if name == "DatapointsToAlarm" and value is None:
            value = properties.get("EvaluationPeriods")
        elif value is None:
            value = _ALARM_DEFAULTS.get(name)
    elif kind == "health check" and value is None:
        value = _CHECK_DEFAULTS.get(name)
        if _family(properties) == "endpoint":
            value = _ENDPOINT_DEFAULTS.get(name, value)
        if name == "EnableSNI":
            value = properties["Type"].startswith("HTTPS")
    if name == "AliasTarget" and isinstance(value, Mapping):
        value = {**value, "DNSName": dns_name(value["DNSName"])}
    if isinstance(value, list):
        ordered = name not in (*_SETS, "ChildHealthChecks", "ResourceRecords")
        value = (
            value if ordered else sorted(value, key=lambda each: json.dumps(each, sort_keys=True))
        )
    return value
