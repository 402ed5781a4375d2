"""Compare the templates of a service file with the account, field by field."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from resiliency.account.readers import dns_name
from resiliency.adopt.existing import Existing
from resiliency.cloud_assembly import SynthesizedStack
from staged_resiliency.experiment.json_codec import JsonObject

Kind = Literal["alarm", "health check", "record"]

_TYPES: Final[Mapping[str, Kind]] = {
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
_CHECK_DEFAULTS: Final[Mapping[str, object]] = {
    "Inverted": False,
    "Disabled": False,
    "MeasureLatency": False,
}
_ENDPOINT_DEFAULTS: Final[Mapping[str, object]] = {"RequestInterval": 30, "FailureThreshold": 3}
_UNORDERED: Final = (
    *("AlarmActions", "OKActions", "InsufficientDataActions", "Dimensions"),
    *("Regions", "ChildHealthChecks", "ResourceRecords"),
)
"""Fields that are lists in any order."""

_EFFECTS: Final[Mapping[Kind, Mapping[str, str]]] = {
    "alarm": {
        "AlarmDescription": "only the text of notifications",
        "ActionsEnabled": "whether it notifies at all",
        "AlarmActions": "who is notified when it fires, and what else happens then",
        "OKActions": "who is notified when it is OK again",
        "InsufficientDataActions": "who is notified when it has no data",
        "Metrics": "a health check can't follow metric math; it becomes an alarm on one metric",
        "TreatMissingData": "whether silence, as of a stopped host, fires it",
        "Namespace": "it reads another metric",
        "MetricName": "it reads another metric",
        "Dimensions": "it reads the metric of another host",
        "Statistic": "when it fires",
        "ExtendedStatistic": "a health check can't follow percentiles",
        "Period": "how soon it fires",
        "Unit": "which data points it reads",
        "EvaluationPeriods": "how soon it fires",
        "DatapointsToAlarm": "how many periods must breach; a health check can't follow fewer than "
        "all",
        "Threshold": "when it fires",
        "ComparisonOperator": "when it fires",
        "ThresholdMetricId": "see the API reference",
        "EvaluateLowSampleCountPercentile": "see the API reference",
    },
    "health check": {
        "Type": "what it checks: another health check is made",
        "AlarmIdentifier": "it follows another alarm",
        "InsufficientDataHealthStatus": "whether clients are moved while there is no data, as of a "
        "stopped host",
        "Inverted": "an alarm counts as healthy where it is true",
        "Disabled": "it is always healthy where it is true",
        "IPAddress": "which host is checked",
        "FullyQualifiedDomainName": "the Host header of requests",
        "Port": "which port is checked",
        "ResourcePath": "which page is requested",
        "SearchString": "which answer counts as healthy",
        "RequestInterval": "how soon it fails; another health check is made",
        "FailureThreshold": "how soon it fails",
        "MeasureLatency": "a graph that costs extra; another health check is made",
        "EnableSNI": "whether the TLS handshake names the host",
        "Regions": "from where it is checked",
        "ChildHealthChecks": "which signals decide",
        "HealthThreshold": "how many signals must be healthy; here all of them",
        "Name": "only its name in the console",
    },
    "record": {
        "SetIdentifier": "the record's identity: it is deleted and made anew, in one batch",
        "Failover": "its role: Route 53 serves the primary while it is healthy",
        "TTL": "how long resolvers keep an answer, and so how slow a failover is",
        "ResourceRecords": "where clients are sent",
        "AliasTarget": "where clients are sent, and whether the target's health counts",
        "HealthCheckId": "when clients are moved; a secondary without a health check is always "
        "served when it is needed",
        "Type": "which queries it answers",
    },
}
"""The fields that are compared, in the order of the report, and what each decides."""

_REPLACING: Final = ("Type", "MeasureLatency", "RequestInterval")
"""Settings of a health check that no update changes, as CloudFormation's schema says too."""


@dataclass(frozen=True)
class Difference:
    """A field that differs; a value is None if it is not set. ``effect`` says what it decides."""

    kind: Kind
    name: str
    field: str
    existing: object
    deployed: object
    effect: str


@dataclass
class ComparedResource:
    """A resource of a template, and what exists in its place.

    Attributes:
        stack: Name of its stack.
        name: Its name for people.
        deployed: Its properties, in the API's form, with references resolved.
        existing: The properties of what exists, in the same form; None if nothing does.
        physical_id: Id of the existing health check, or a placeholder of the one to make.
    """

    kind: Kind
    stack: str
    logical_id: str
    name: str
    deployed: dict[str, Any]
    existing: dict[str, Any] | None = None
    physical_id: str | None = None

    @property
    def differences(self) -> Sequence[Difference]:
        """The fields that differ; none where nothing exists."""
        if self.existing is None:
            return []
        one, other = self.existing, self.deployed
        return [
            Difference(self.kind, self.name, key, one.get(key), other.get(key), effect)
            for key, effect in _EFFECTS[self.kind].items()
            if _comparable(self.kind, one, key) != _comparable(self.kind, other, key)
        ]

    @property
    def is_replaced(self) -> bool:
        """Whether the existing resource must be replaced, since it can't be updated."""
        return any(each.field in _REPLACING for each in self.differences)


@dataclass
class Comparison:
    """The templates of a service file, in the order of their deployment, against what exists.

    ``left_alone`` has kind and name of existing alarms and health checks that no template has.
    """

    stacks: Sequence[SynthesizedStack]
    resources: list[ComparedResource] = field(default_factory=list)
    left_alone: list[tuple[str, str]] = field(default_factory=list)

    @property
    def differences(self) -> Sequence[Difference]:
        """All fields that differ, of resources that exist."""
        return [each for resource in self.resources for each in resource.differences]

    def of(self, kind: Kind) -> Sequence[ComparedResource]:
        """Return the resources of a kind."""
        return [each for each in self.resources if each.kind == kind]


def compare(
    existing: Existing,
    stacks: Sequence[SynthesizedStack],
    named: Mapping[tuple[str, str], JsonObject],
) -> Comparison:
    """Compare templates with the resources that exist in the account.

    ``named`` has the existing alarms with the names of the templates' alarms, by region and name.
    """
    made = Comparison(stacks)
    for stack in stacks:
        ids: dict[str, str] = {}
        made.resources += _alarms(stack, named)
        made.resources += _checks(stack, existing, ids)
        made.resources += _records(stack, existing, ids)
    for check in made.of("health check"):
        if check.is_replaced:
            # Another one is made; what refers to this one moves to it.
            former, check.physical_id = check.physical_id, _placeholder(check.logical_id)
            for each in made.resources:
                if each.deployed.get("HealthCheckId") == former:
                    each.deployed["HealthCheckId"] = check.physical_id
                if former in (children := each.deployed.get("ChildHealthChecks", ())):
                    each.deployed["ChildHealthChecks"] = [
                        check.physical_id if id_ == former else id_ for id_ in children
                    ]
    records = [each for pair in existing.pairs for each in pair.records]
    named_checks = (each["HealthCheckId"] for each in records if "HealthCheckId" in each)
    checks = (*existing.checks, *named_checks)
    kept = {each.physical_id for each in made.of("health check")}
    names = {each.name for each in made.of("alarm")}
    made.left_alone = [
        *(("alarm", name) for name in sorted(existing.alarms) if name not in names),
        *(("health check", each) for each in dict.fromkeys(checks) if each not in kept),
    ]
    return made


def _of_type(stack: SynthesizedStack, kind: Kind) -> Iterator[tuple[str, dict[str, Any]]]:
    for logical_id, resource in stack.resources.items():
        if _TYPES.get(resource["Type"]) == kind:
            yield logical_id, json.loads(json.dumps(resource["Properties"]))


def _alarms(
    stack: SynthesizedStack, named: Mapping[tuple[str, str], JsonObject]
) -> Iterator[ComparedResource]:
    for logical_id, properties in _of_type(stack, "alarm"):
        name = properties["AlarmName"]
        found = named.get((stack.region, name))
        yield ComparedResource(
            "alarm",
            stack.name,
            logical_id,
            name,
            properties,
            None if found is None else _only(_EFFECTS["alarm"], found),
        )


def _checks(
    stack: SynthesizedStack, existing: Existing, ids: dict[str, str]
) -> Iterator[ComparedResource]:
    """Yield the health checks, those that others count first, with the ids of what they become."""
    found = sorted(
        _of_type(stack, "health check"),
        key=lambda each: each[1]["HealthCheckConfig"]["Type"] == "CALCULATED",
    )
    free = dict(existing.checks)
    for logical_id, properties in found:
        config = properties["HealthCheckConfig"]
        match = _match(config, free)
        ids[logical_id] = match or _placeholder(logical_id)
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("HealthCheckTags", ())}
        if "ChildHealthChecks" in config:
            config["ChildHealthChecks"] = [ids[each["Ref"]] for each in config["ChildHealthChecks"]]
        known = free.pop(match, None) if match else None
        yield ComparedResource(
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
) -> Iterator[ComparedResource]:
    for logical_id, properties in _of_type(stack, "record"):
        name = dns_name(properties["Name"])
        check = properties.get("HealthCheckId")
        deployed = _only((*_EFFECTS["record"], "Name"), properties)
        if "TTL" in deployed:
            deployed["TTL"] = int(deployed["TTL"])
        if check is not None:
            deployed["HealthCheckId"] = ids[check["Ref"]]
        kinds = (properties["Type"], "CNAME")
        pairs = (pair for of, pair in existing.all_pairs if of == name and pair.kind in kinds)
        role = 0 if properties["Failover"] == "PRIMARY" else 1
        found = next(((pair.primary, pair.secondary)[role] for pair in pairs), None)
        yield ComparedResource(
            "record",
            stack.name,
            logical_id,
            f"{name} {properties['Type']} {properties['Failover']}",
            deployed,
            None if found is None else record_of_api(found),
        )


def record_of_api(record: JsonObject) -> dict[str, Any]:
    """Convert a record that the API returned to the form that templates have."""
    found = _only((*_EFFECTS["record"], "Name"), record)
    if "ResourceRecords" in found:
        found["ResourceRecords"] = [each["Value"] for each in found["ResourceRecords"]]
    return found


def _only(keys: Iterable[str], properties: JsonObject) -> dict[str, Any]:
    return {key: properties[key] for key in keys if key in properties}


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
    if name in _UNORDERED and isinstance(value, list):
        value = sorted(value, key=lambda each: json.dumps(each, sort_keys=True))
    return value
