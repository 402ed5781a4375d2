"""Draft the service file that describes an existing failover, as far as a service file can."""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from resiliency.account.readers import dns_name
from resiliency.adopt.existing import (
    Existing,
    FoundHost,
    dependency_of,
    dimensions_of,
    is_status_alarm,
    topics_of,
)
from resiliency.errors import UsageError
from resiliency.service_file.errors import Path
from resiliency.service_file.file_writer import service_file
from resiliency.service_file.loader import examine
from resiliency.service_file.model.alarms import (
    AlarmSettings,
    ConnectivityAlarmSettings,
    StatusAlarmSettings,
)
from resiliency.service_file.yaml_source import Document
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.shared.hosts import COLORS, Color, other

UNKNOWN_ADDRESS: Final = "192.0.2.1"
"""Stands for an address that the account does not show; of a network for documentation."""

CHECK: Final = "CHECK: "
"""Begins the comment of each value that the account does not show."""

_DESCRIBED: Final = re.compile(
    r"^(?:(?P<label>.+?) Connectivity failure for )?(?P<title>.+?) \((?:Blue|Green)\)"
    r"(?: instance failure)?\.$"
)
_IDENTIFIER: Final = re.compile(r"^(?P<service>[a-z][a-z0-9-]*)-(?:Primary|Secondary)$")
_MISSING_DATA: Final = {
    "missing": "cloudwatch_default",
    "breaching": "breaching",
    "notBreaching": "not_breaching",
    "ignore": "ignore",
}
_PORTS: Final = {
    **{"http": 80, "cdn": 80, "web": 80, "https": 443, "db": 5432, "database": 5432},
    **{"postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306},
    **{"redis": 6379, "cache": 6379, "valkey": 6379},
}


@dataclass
class Draft:
    """A service file under construction.

    Attributes:
        comments: Comments by the path of their key.
        optional: Paths that may be left out where a service file can't express them.
        findings: What a service file can't express.
        unknown: What the account does not show.
    """

    data: dict[str, Any]
    comments: dict[Path, str] = field(default_factory=dict)
    optional: list[Path] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def comment(self, path: Path, text: str) -> None:
        """Add a comment to a value of the file."""
        self.comments[path] = text

    @property
    def service(self) -> str:
        """Short name of the service."""
        return str(self.data["service"])

    @property
    def text(self) -> str:
        """The service file as YAML."""
        return service_file(self.data, self.comments)


def draft_of(
    existing: Existing,
    *,
    service: str | None,
    environment: str,
    targets: Mapping[str, tuple[str, int]],
) -> Draft:
    """Draft the service file of an existing failover.

    Args:
        existing: The failover that exists.
        service: Short name of the service; from set identifiers or the DNS name unless given.
        environment: Short name of the environment.
        targets: Host and port of dependencies, which the account does not show.

    Raises:
        UsageError: No valid file describes it; the message has the reasons.
    """
    dependencies = _dependencies(existing)
    service = service or _service_name(existing)
    made = Draft({"service": service})
    title, labels = _texts(existing)
    if title is not None:
        made.data["display_name"] = title
    namespaces = {alarm["Namespace"] for alarms in dependencies.values() for alarm in alarms}
    if namespaces:
        made.data["namespace"] = min(namespaces)
        if len(namespaces) > 1:
            made.findings.append(
                f"connectivity metrics are in the namespaces {', '.join(sorted(namespaces))}; "
                f"a service has one: {min(namespaces)}"
            )
    at: Path = ("environments", environment)
    env: dict[str, Any] = {"account": existing.account, "region": existing.region}
    env["notifications"] = _notifications(existing, made, at)
    env["hosted_zone"] = {"name": dns_name(existing.zone["Name"]), "id": existing.zone_id}
    if existing.zone.get("Config", {}).get("PrivateZone"):
        env["hosted_zone"]["private"] = True
    env["endpoint"] = _endpoint(existing)
    env["active"] = existing.active
    env["failover_on"] = _signals(existing, made, at, env["endpoint"], dependencies)
    env["hosts"] = {
        color: _host(color, existing.hosts[color], made, (*at, "hosts", color)) for color in COLORS
    }
    if dependencies:
        env["dependencies"] = {
            name: _dependency(
                existing, made, (*at, "dependencies", name), name, labels.get(name), targets
            )
            for name in sorted(dependencies)
        }
    status = _settings(_of_active(existing, is_status_alarm), StatusAlarmSettings)
    if status:
        env["status_alarm"] = status
        made.optional += [(*at, "status_alarm", key) for key in status]
    made.data["environments"] = {environment: env}
    _settle(made)
    return made


def _service_name(existing: Existing) -> str:
    for pair in existing.pairs:
        for record in pair.records:
            named = _IDENTIFIER.match(record.get("SetIdentifier", ""))
            if named:
                return named["service"]
    label = existing.name.replace("*.", "").partition(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", label).strip("-").lstrip("0123456789-") or "service"


def _dependencies(existing: Existing) -> Mapping[str, Sequence[JsonObject]]:
    """Return the connectivity alarms on the hosts, by dependency."""
    hosts = {host.name for host in existing.hosts.values()}
    found: dict[str, list[JsonObject]] = {}
    for alarm in existing.alarms.values():
        name = dependency_of(alarm)
        if name is not None and name != "peer" and dimensions_of(alarm)["Host"] in hosts:
            found.setdefault(name, []).append(alarm)
    return found


def _texts(existing: Existing) -> tuple[str | None, Mapping[str, str]]:
    """Return the display name and the labels of dependencies that alarm descriptions use."""
    titles, labels = [], {}
    for alarm in existing.alarms.values():
        described = _DESCRIBED.match(alarm.get("AlarmDescription", ""))
        if described is None:
            continue
        dependency = dependency_of(alarm)
        if dependency is not None and described["label"]:
            labels[dependency] = described["label"]
        if is_status_alarm(alarm) or (dependency is not None and described["label"]):
            titles.append(described["title"])
    return (titles[0] if titles else None), labels


def _notifications(existing: Existing, made: Draft, at: Path) -> dict[str, Any]:
    alarm = _of_active(existing, is_status_alarm) or next(iter(existing.alarms.values()), {})
    topics = list(dict.fromkeys([*topics_of(alarm), *existing.topics]))
    here = [arn for arn in topics if f":{existing.region}:" in arn]
    found: dict[str, Any]
    if here:
        found = {"topic_arn": here[0]}
        more = [arn for arn in topics if arn != here[0]]
        if more:
            found["more_topics"] = more
        made.comment((*at, "notifications", "topic_arn"), "the topic that the alarms notify today")
        if not any(":us-east-1:" in arn for arn in topics):
            made.findings.append(
                "no topic in us-east-1: nobody is notified when clients are sent to the standby; "
                "add one to notifications.more_topics"
            )
    else:
        found = {"topic_name": f"{made.service}-alarms"}
        made.comment(
            (*at, "notifications", "topic_name"),
            "a new topic: no alarm notifies one today; add subscriptions",
        )
    if any(":sns:" in each for each in alarm.get("OKActions", ())):
        found["recovery"] = True
    return found


def _endpoint(existing: Existing) -> dict[str, Any]:
    found: dict[str, Any] = {"record": existing.name}
    if existing.more:
        found["more_records"] = list(existing.more)
    ttl = existing.pairs[0].primary.get("TTL", 60)
    if ttl != 60:
        found["ttl_seconds"] = ttl
    return found


def _signals(
    existing: Existing,
    made: Draft,
    at: Path,
    endpoint: dict[str, Any],
    dependencies: Mapping[str, Sequence[JsonObject]],
) -> list[str]:
    """Return the signals that the primary's health check follows, as a service file names them."""
    signals: list[str] = []
    for check_id, check in existing.checks.items():
        config = check["HealthCheckConfig"]
        kind = config["Type"]
        if kind == "CALCULATED":
            if config.get("HealthThreshold") != len(config.get("ChildHealthChecks", ())):
                made.findings.append(
                    f"health check {check_id}: is healthy with {config.get('HealthThreshold')} of "
                    f"{len(config.get('ChildHealthChecks', ()))} health checks; here all must be"
                )
        elif kind == "CLOUDWATCH_METRIC":
            name = config["AlarmIdentifier"]["Name"]
            alarm = existing.alarms.get(name, {})
            dependency = dependency_of(alarm)
            if is_status_alarm(alarm) or not alarm:
                signals.append("status")
            elif dependency in dependencies:
                signals.append(str(dependency))
            else:
                made.findings.append(
                    f"health check {check_id}: follows {name}, on a metric that failover_on can't "
                    "name; the construct library takes any alarm (AlarmSignal)"
                )
        elif kind in ("HTTP", "HTTPS", "TCP", "HTTP_STR_MATCH", "HTTPS_STR_MATCH"):
            signals.append("endpoint")
            _endpoint_check(endpoint, config, made, (*at, "endpoint"))
        else:
            made.findings.append(f"health check {check_id}: is of the type {kind}; none here is")
    active = existing.hosts[existing.active]
    if not signals and active.instance_id is None and _is_public(active):
        made.findings.append(
            f"no instance of {existing.region} is the active host, so its endpoint decides: check "
            "endpoint.port and endpoint.check"
        )
        return ["endpoint"]
    return list(dict.fromkeys(signals)) or ["status"]


def _is_public(host: FoundHost) -> bool:
    """Return whether Route 53's health checkers can reach a host."""
    address = host.ipv4 or host.ipv6
    return address is None or ipaddress.ip_address(address).is_global


def _endpoint_check(endpoint: dict[str, Any], config: JsonObject, made: Draft, at: Path) -> None:
    protocol = config["Type"].partition("_")[0].lower()
    standard = 443 if protocol == "https" else 80
    if config.get("Port", standard) != standard:
        endpoint["port"] = config["Port"]
    check: dict[str, Any] = {"protocol": protocol}
    path = config.get("ResourcePath")
    if protocol != "tcp":
        check["path"] = path or "/"
    if config.get("RequestInterval", 30) != 30:
        check["interval_seconds"] = config["RequestInterval"]
    if config.get("FailureThreshold", 3) != 3:
        check["failure_threshold"] = config["FailureThreshold"]
    if config.get("Regions"):
        check["regions"] = sorted(config["Regions"])
    host = config.get("FullyQualifiedDomainName")
    if host and config.get("IPAddress") and dns_name(host) != endpoint["record"]:
        check["host"] = dns_name(host)
    if config.get("SearchString"):
        check["search_text"] = config["SearchString"]
    endpoint["check"] = check
    made.optional += [(*at, "check", key) for key in check]


def _host(color: Color, host: FoundHost, made: Draft, at: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"name": host.name or f"{made.service}-{color}"}
    if host.name is None:
        made.comment((*at, "name"), f"{CHECK}the instance's Name tag")
    if host.instance_id is not None:
        found["instance_id"] = host.instance_id
    if host.alias is not None:
        found["alias"] = {
            "dns_name": dns_name(host.alias["DNSName"]),
            "hosted_zone_id": host.alias["HostedZoneId"],
        }
    elif host.ipv4 or host.ipv6:
        found["address"] = host.ipv4 or host.ipv6
        if host.ipv4 and host.ipv6:
            found["ipv6_address"] = host.ipv6
    else:
        found["address"] = UNKNOWN_ADDRESS
        made.comment((*at, "address"), f"{CHECK}no record has an address of this host")
        made.unknown.append(f"the address of the {color} host: no record has it")
    return found


def _dependency(
    existing: Existing,
    made: Draft,
    at: Path,
    name: str,
    label: str | None,
    targets: Mapping[str, tuple[str, int]],
) -> dict[str, Any]:
    host, port = targets.get(name, (f"{name}.{existing.name}", _PORTS.get(name, 443)))
    found: dict[str, Any] = {
        "label": label or name.replace("-", " ").title(),
        "host": host,
        "port": port,
    }
    if name not in targets:
        made.comment((*at, "host"), f"{CHECK}AWS does not know what the hosts connect to")
        made.unknown.append(
            f"dependency {name}: its host and port; give --dependency {name}=HOST:PORT"
        )
    alarm = _of_active(existing, lambda each: dependency_of(each) == name)
    settings = _settings(alarm, ConnectivityAlarmSettings)
    missing = _MISSING_DATA.get(alarm.get("TreatMissingData", "missing"))
    if alarm and missing != "cloudwatch_default":
        settings["missing_data"] = missing
    if settings:
        found["alarm"] = settings
        made.optional += [(*at, "alarm", key) for key in settings]
    return found


_KEYS: Final = {
    "Period": "period_seconds",
    "EvaluationPeriods": "evaluation_periods",
    "Statistic": "statistic",
    "Threshold": "threshold",
}


def _settings(alarm: JsonObject, section: type[AlarmSettings]) -> dict[str, Any]:
    """Return the settings of an alarm that differ from the defaults of a section."""
    if "MetricName" not in alarm:
        return {}
    found = {
        key: alarm[name]
        for name, key in _KEYS.items()
        if name in alarm and alarm[name] != section.model_fields[key].default
    }
    if "threshold" in found:
        found["threshold"] = float(found["threshold"])
    periods = alarm["EvaluationPeriods"]
    if alarm.get("DatapointsToAlarm", periods) != periods:
        found["datapoints_to_alarm"] = alarm["DatapointsToAlarm"]
    return found


def _of_active(existing: Existing, wanted: Callable[[JsonObject], bool]) -> JsonObject:
    """Return an alarm of some kind on the active host, else on the standby; empty if neither."""
    for color in (existing.active, other(existing.active)):
        host = existing.hosts[color]
        for alarm in filter(wanted, existing.alarms.values()):
            dimensions = dimensions_of(alarm)
            on_host = "Host" in dimensions and dimensions["Host"] == host.name
            if on_host or dimensions.get("InstanceId", "") == host.instance_id:
                return alarm
    return {}


def _settle(made: Draft) -> None:
    """Leave out the settings that a service file can't express, and say so.

    Raises:
        UsageError: Something else is wrong.
    """
    while problems := examine(Document("service file", data=made.data)).problems:
        left_out = False
        for problem in problems:
            for path in made.optional:
                if problem.where in (path, path[:-1]):
                    made.findings.append(f"{'.'.join(map(str, path))}: {problem.message}")
                    _remove(made.data, path)
                    made.optional.remove(path)
                    left_out = True
                    break
        if not left_out:
            raise UsageError(
                "no valid service file describes this:",
                *(f"  {'.'.join(map(str, each.where))}: {each.message}" for each in problems),
            )


def _remove(data: dict[str, Any], path: Path) -> None:
    *parents, last = map(str, path)
    for part in parents:
        data = data[part]
    data.pop(last, None)
