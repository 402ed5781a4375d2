"""Read the failover of a DNS name: records, health checks, alarms, instances, topics."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from resiliency.account import readers
from resiliency.account.account import Account
from resiliency.account.readers import dns_name, values_of, zone_id
from resiliency.drill_cli.aws import Aws
from resiliency.errors import UsageError
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.shared.hosts import Color, other

CONNECTIVITY: Final = re.compile(r"^(?P<dependency>[a-z][a-z0-9-]*)-connectivity$")
"""Name of the metric for whether a host reaches a dependency."""

_POLICIES: Final = {
    "Weight": "weighted",
    "Region": "latency",
    "GeoLocation": "geolocation",
    "GeoProximityLocation": "geoproximity",
    "CidrRoutingConfig": "IP-based",
    "MultiValueAnswer": "multivalue answer",
}


@dataclass(frozen=True)
class RecordPair:
    """The records of a name and type; a simple record has no secondary, and no ``Failover``."""

    kind: str
    primary: JsonObject
    secondary: JsonObject | None = None

    @property
    def is_failover(self) -> bool:
        """Whether the pair consists of Route 53 failover records."""
        return "Failover" in self.primary

    @property
    def records(self) -> Sequence[JsonObject]:
        """The records that exist."""
        return [self.primary] if self.secondary is None else [self.primary, self.secondary]

    @property
    def values(self) -> tuple[str, Sequence[Sequence[str]]]:
        """The record type and each record's values, to find names with equal answers."""
        return self.kind, [values_of(each) for each in self.records]


@dataclass(frozen=True)
class FoundHost:
    """A host of the pair, with the settings that were found in the account."""

    name: str | None
    instance_id: str | None
    ipv4: str | None = None
    ipv6: str | None = None
    alias: JsonObject | None = None


@dataclass
class Existing:
    """The failover of a DNS name, as it exists in the account.

    Attributes:
        region: Region of the alarms.
        name: The DNS name, without its final dot.
        pairs: One for each record type of the name.
        more: Further names of the zone with the same values, each with its pairs.
        active: The color of the host that the primary points to.
        checks: The primary's health check, and those that it counts, by id.
        check_names: Name tags of the health checks, by id.
        stale: Ids of the health checks that follow former settings of their alarm.
        alarms: Alarms that health checks follow or that observe the hosts, by name.
        topics: ARNs of the topics that the alarms notify.
        findings: What is wrong today.
        unknown: What the account does not show.
    """

    account: str
    region: str
    zone: JsonObject
    name: str
    pairs: Sequence[RecordPair]
    more: Mapping[str, Sequence[RecordPair]] = field(default_factory=dict)
    active: Color = "blue"
    hosts: dict[Color, FoundHost] = field(default_factory=dict)
    checks: dict[str, JsonObject] = field(default_factory=dict)
    check_names: dict[str, str] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    alarms: dict[str, JsonObject] = field(default_factory=dict)
    topics: Sequence[str] = ()
    findings: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def all_pairs(self) -> Sequence[tuple[str, RecordPair]]:
        """The pairs of all names, each with its name."""
        names = {self.name: self.pairs, **self.more}
        return [(name, pair) for name, pairs in names.items() for pair in pairs]

    @property
    def zone_id(self) -> str:
        """Id of the hosted zone."""
        return zone_id(self.zone["Id"])


def read(account: Account, record: str, *, zone: str | None, region: str | None) -> Existing:
    """Read the failover of a DNS name as it exists.

    Args:
        account: The account.
        record: The DNS name.
        zone: Id of the hosted zone; found by the name unless given.
        region: Region of the alarms; that of the health check's alarm unless given.

    Raises:
        UsageError: There is no such record, several zones have it, or it is of a kind that can't
            become a failover pair.
        UserError: AWS can't be asked.
    """
    name = dns_name(record)
    found_zone, records = _zone_with(account.home, name, zone)
    pairs = _pairs(records, name)
    made = Existing(account.id, region or account.region, found_zone, name, pairs)
    made.more = {
        other_name: other_pairs
        for other_name, other_pairs in _failover_pairs(records)
        if other_name != name
        and [each.values for each in other_pairs] == [each.values for each in pairs]
    }
    _read_checks(account.home, made, pairs[0].primary.get("HealthCheckId"))
    identifiers = [
        check["HealthCheckConfig"].get("AlarmIdentifier") for check in made.checks.values()
    ]
    if region is None:
        made.region = next((each["Region"] for each in identifiers if each), made.region)
    aws = account.in_region(made.region)
    _read_hosts(aws, made)
    _read_followed(account, made)
    observed = readers.all_alarms(aws)
    _complete_hosts(aws, made, observed)
    _read_alarms(made, observed)
    _read_topics(account, made)
    return made


def _zone_with(aws: Aws, name: str, wanted: str | None) -> tuple[JsonObject, Sequence[JsonObject]]:
    zones = readers.zones_of(aws, name)
    if wanted is not None:
        zones = [zone for zone in zones if zone_id(zone["Id"]) == zone_id(wanted)]
        if not zones:
            raise UsageError(f"--zone: no hosted zone {wanted} that could hold {name}")
    having: list[tuple[JsonObject, Sequence[JsonObject]]] = []
    for zone in zones:
        if having and len(having[0][0]["Name"]) > len(zone["Name"]):
            break  # a longer name is the delegated zone
        records = readers.records_of_zone(aws, zone_id(zone["Id"]))
        if any(dns_name(each["Name"]) == name for each in records):
            having.append((zone, records))
    if not having:
        where = ", ".join(_shown(zone) for zone in zones) or "no hosted zone could hold it"
        raise UsageError(f"{name}: no record of that name ({where})")
    if len(having) > 1:
        raise UsageError(
            f"{name}: {len(having)} hosted zones have it: "
            f"{', '.join(_shown(zone) for zone, _ in having)}; give one with --zone"
        )
    return having[0]


def _shown(zone: JsonObject) -> str:
    kind = "private" if zone.get("Config", {}).get("PrivateZone") else "public"
    return f"{zone_id(zone['Id'])} ({dns_name(zone['Name'])}, {kind})"


def _pairs(records: Sequence[JsonObject], name: str) -> Sequence[RecordPair]:
    """Return the records of a name by type, or refuse those that can't become a failover pair."""
    own = [each for each in records if dns_name(each["Name"]) == name]
    served = [each for each in own if each["Type"] in ("A", "AAAA", "CNAME")]
    if not served:
        kinds = ", ".join(sorted({each["Type"] for each in own}))
        raise UsageError(
            f"{name}: has only records of the type {kinds}; give a name that leads to hosts"
        )
    pairs = []
    for kind in dict.fromkeys(each["Type"] for each in served):
        of_kind = [each for each in served if each["Type"] == kind]
        for key, policy in _POLICIES.items():
            if any(key in each for each in of_kind):
                raise UsageError(
                    f"{name}: is a {policy} record; adopt takes simple records and failover pairs"
                )
        roles = {each.get("Failover", "PRIMARY"): each for each in of_kind}
        if "PRIMARY" not in roles:
            raise UsageError(f"{name}: the {kind} records have a SECONDARY and no PRIMARY")
        pairs.append(RecordPair(kind, roles["PRIMARY"], roles.get("SECONDARY")))
    for pair in pairs:
        alias = pair.primary.get("AliasTarget")
        if alias and not pair.is_failover and dns_name(alias["DNSName"]) in _names(records):
            raise UsageError(
                f"{name}: is an alias of {dns_name(alias['DNSName'])} in the same zone; adopt that"
            )
    return pairs


def _names(records: Sequence[JsonObject]) -> set[str]:
    return {dns_name(each["Name"]) for each in records}


def _failover_pairs(records: Sequence[JsonObject]) -> Iterator[tuple[str, Sequence[RecordPair]]]:
    """Yield the names of a zone that have failover pairs, each with its pairs."""
    for name in sorted(_names(records)):
        roles: dict[str, dict[str, JsonObject]] = {}
        for each in records:
            if dns_name(each["Name"]) == name and "Failover" in each:
                roles.setdefault(each["Type"], {})[each["Failover"]] = each
        if roles and all("PRIMARY" in each for each in roles.values()):
            pairs = [
                RecordPair(kind, each["PRIMARY"], each.get("SECONDARY"))
                for kind, each in roles.items()
            ]
            yield name, pairs


def _read_checks(aws: Aws, made: Existing, check_id: str | None) -> None:
    if check_id is None:
        made.findings.append(
            f"{made.name}: the primary record has no health check, so clients are never moved"
            if made.pairs[0].is_failover
            else f"{made.name}: is a simple record, so clients are never moved"
        )
        return
    waiting = [check_id]
    while waiting:
        wanted = waiting.pop(0)
        found = readers.health_check(aws, wanted)
        if found is None:
            made.findings.append(f"health check {wanted}: does not exist, though a record names it")
            continue
        made.checks[wanted] = found
        if "Name" in (tags := readers.health_check_tags(aws, wanted)):
            made.check_names[wanted] = tags["Name"]
        config = found["HealthCheckConfig"]
        waiting += [each for each in config.get("ChildHealthChecks", ()) if each != wanted]
        if config.get("Inverted"):
            made.findings.append(f"health check {wanted}: is inverted: an alarm counts as healthy")
        if config.get("Disabled"):
            made.findings.append(
                f"health check {wanted}: is disabled, and so always healthy: clients never move"
            )


def _read_hosts(aws: Aws, made: Existing) -> None:
    """Find the hosts that the records point to; names may follow from alarms later."""
    instances = readers.all_instances(aws)
    first, second = (_host(aws, made, index, instances) for index in (0, 1))
    if "green" in (first.name or "") and "green" not in (second.name or ""):
        made.active = "green"
    made.hosts = {made.active: first, other(made.active): second}
    for host in (first, second):
        if host.name and sum(readers.name_tag(each) == host.name for each in instances) > 1:
            made.findings.append(
                f"{host.name}: several instances have this Name tag, by which the probe is "
                "installed"
            )


def _host(aws: Aws, made: Existing, index: int, instances: Sequence[JsonObject]) -> FoundHost:
    """Return the host of the primary records, at index 0, or of the secondary ones."""
    values: dict[str, str] = {}
    alias: JsonObject | None = None
    for pair in made.pairs:
        value = _value_of_host(pair, index)
        if value is not None and pair.kind == "CNAME":
            keys = ("PublicDnsName", "PrivateDnsName")
            named = (each for each in instances if value in [each.get(key) for key in keys])
            target = next(named, {})
            if target.get("PublicIpAddress"):
                values["A"] = target["PublicIpAddress"]
        elif value is not None:
            values[pair.kind] = value
        record = (pair.primary, pair.secondary)[index] or {}
        alias = record.get("AliasTarget", alias)
    if alias is not None:
        instance = _behind(aws, made, dns_name(alias["DNSName"]), instances)
        values = {}
    else:
        addresses = set(values.values())
        having = (each for each in instances if addresses & set(_addresses(each)))
        instance = next(having, None)
    name, instance_id = None, None
    if instance is not None:
        name, instance_id = readers.name_tag(instance), instance["InstanceId"]
    return FoundHost(name, instance_id, values.get("A"), values.get("AAAA"), alias)


def _behind(
    aws: Aws, made: Existing, balancer: str, instances: Sequence[JsonObject]
) -> JsonObject | None:
    """Return the one instance behind a load balancer."""
    ids = readers.targets_of_balancer(aws, balancer)
    if ids is None:
        made.unknown.append(f"{balancer}: the instance behind it")
    elif len(ids) != 1:
        made.unknown.append(f"{balancer}: has {len(ids)} instances behind it; a host is one")
    else:
        return next((each for each in instances if each["InstanceId"] == ids[0]), None)
    return None


def _value_of_host(pair: RecordPair, index: int) -> str | None:
    """Return the value of the first or second host; a simple record may have both."""
    record = (pair.primary, pair.secondary)[index] if pair.is_failover else pair.primary
    if record is None or "AliasTarget" in record:
        return None
    values = [each["Value"] for each in record["ResourceRecords"]]
    name = dns_name(record["Name"])
    if not pair.is_failover:
        if len(values) > 2:
            raise UsageError(f"{name}: has {len(values)} values; a pair has two hosts")
        return values[index] if index < len(values) else None
    if len(values) > 1:
        raise UsageError(
            f"{name}: the {record['Failover']} record has {len(values)} values; a host has one "
            "address"
        )
    return str(values[0])


def _addresses(instance: JsonObject) -> Iterator[str]:
    """Yield the addresses of an instance, on all its network interfaces."""
    yield from filter(None, (instance.get("PublicIpAddress"), instance.get("PrivateIpAddress")))
    for interface in instance.get("NetworkInterfaces", ()):
        yield from (each["Ipv6Address"] for each in interface.get("Ipv6Addresses", ()))
        for private in interface.get("PrivateIpAddresses", ()):
            yield private["PrivateIpAddress"]
            if "Association" in private:
                yield private["Association"]["PublicIp"]


def _read_followed(account: Account, made: Existing) -> None:
    """Read the alarms that the health checks follow."""
    for check_id, check in made.checks.items():
        identifier = check["HealthCheckConfig"].get("AlarmIdentifier")
        if not identifier:
            continue
        name, region = identifier["Name"], identifier["Region"]
        alarm = readers.alarms_named(account.in_region(region), [name]).get(name)
        if alarm is None:
            made.findings.append(
                f"health check {check_id}: its alarm {name} in {region} does not exist"
            )
            continue
        made.alarms[name] = alarm
        copied = check.get("CloudWatchAlarmConfiguration", {})
        for key in readers.stale_settings(copied, alarm):
            made.stale.add(check_id)
            made.findings.append(
                f"health check {check_id}: follows {key} {copied[key]!r}, while the alarm {name} "
                f"has {alarm.get(key)!r}: it was edited later"
            )
        if region != made.region:
            made.findings.append(
                f"health check {check_id}: follows an alarm in {region}; hosts and alarms of a "
                f"service are in one region, {made.region}"
            )


def dimensions_of(alarm: JsonObject) -> Mapping[str, str]:
    """Return the dimensions of an alarm, those of the metrics in its expressions included."""
    metrics = [each.get("MetricStat", {}).get("Metric", {}) for each in alarm.get("Metrics", ())]
    return {
        dimension["Name"]: dimension["Value"]
        for part in (*metrics, alarm)
        for dimension in part.get("Dimensions", ())
    }


def is_status_alarm(alarm: JsonObject) -> bool:
    """Return whether an alarm is on the EC2 status checks of an instance."""
    metric = (alarm.get("Namespace"), alarm.get("MetricName"))
    return metric == ("AWS/EC2", "StatusCheckFailed") and set(dimensions_of(alarm)) == {
        "InstanceId"
    }


def dependency_of(alarm: JsonObject) -> str | None:
    """Return the dependency whose connectivity an alarm is on; None for another alarm."""
    named = CONNECTIVITY.match(alarm.get("MetricName", ""))
    if named is None or set(dimensions_of(alarm)) != {"Host"}:
        return None
    return named["dependency"]


def _complete_hosts(aws: Aws, made: Existing, observed: Sequence[JsonObject]) -> None:
    """Complete the hosts by the alarms that health checks follow."""
    active = made.hosts[made.active]
    for name in sorted(made.alarms):
        if not is_status_alarm(made.alarms[name]):
            continue
        instance_id = dimensions_of(made.alarms[name])["InstanceId"]
        if active.instance_id is None:
            found = readers.instances(aws, "instance-id", [instance_id])
            tag = readers.name_tag(found[0]) if found else None
            if not found:
                made.findings.append(f"{name}: observes the instance {instance_id}, which is gone")
            named = active.name or tag or name.removesuffix("-StatusCheckFailed")
            made.hosts[made.active] = active = replace(active, name=named, instance_id=instance_id)
        elif active.instance_id != instance_id:
            made.findings.append(
                f"{name}: decides about the primary, but observes {instance_id}; the primary "
                f"points to {active.instance_id}"
            )
    for color in (made.active, other(made.active)):
        if made.hosts[color].name is None:
            guessed = _partner(made.hosts[other(color)].name, color, observed)
            made.unknown.append(
                f"the Name tag of the {color} host: no instance of {made.region} has its address; "
                + (f"{guessed} is assumed, from its alarms" if guessed else "give it in the file")
            )
            made.hosts[color] = replace(made.hosts[color], name=guessed)


def _partner(name: str | None, color: Color, observed: Sequence[JsonObject]) -> str | None:
    """Return the other host of a pair: the one with the same connectivity metrics."""
    metrics: dict[str, set[tuple[str, str]]] = {}
    for alarm in observed:
        if dependency_of(alarm) is not None:
            host = dimensions_of(alarm)["Host"]
            metrics.setdefault(host, set()).add((alarm["Namespace"], alarm["MetricName"]))
    own = metrics.get(name or "", set())
    alike = [host for host, theirs in metrics.items() if host != name and theirs & own]
    same_name = (name or "").replace(other(color), color)
    if same_name in alike:
        return same_name
    return alike[0] if len(alike) == 1 else None


def _read_alarms(made: Existing, observed: Sequence[JsonObject]) -> None:
    """Keep the alarms that observe the hosts, of all that the region has."""
    names = {host.name for host in made.hosts.values()}
    ids = {host.instance_id for host in made.hosts.values()}
    for alarm in observed:
        dimensions = dimensions_of(alarm)
        if (dimensions.keys() & {"InstanceId", "Host"}) and (
            dimensions.get("InstanceId", "") in ids or dimensions.get("Host", "") in names
        ):
            made.alarms.setdefault(alarm["AlarmName"], alarm)


def _read_topics(account: Account, made: Existing) -> None:
    """Read the topics of the alarms on the hosts, and whom they reach."""
    made.topics = list(
        dict.fromkeys(arn for alarm in made.alarms.values() for arn in topics_of(alarm))
    )
    for arn in made.topics:
        _, _, _, region, owner, _ = arn.split(":", 5)
        if owner != made.account:
            made.unknown.append(f"{arn}: is another account's; who receives its messages")
            continue
        aws = account.in_region(region)
        attributes = readers.topic(aws, arn)
        if attributes is None:
            made.findings.append(f"{arn}: does not exist; alarms notify nobody there")
            continue
        found = readers.subscriptions(aws, arn)
        if not any(map(readers.confirmed, found)):
            made.findings.append(
                f"{arn}: has {len(found)} subscriptions, none confirmed; nobody is notified"
                if found
                else f"{arn}: has no subscription; nobody is notified"
            )
        if attributes.get("KmsMasterKeyId", "").endswith("alias/aws/sns"):
            made.findings.append(
                f"{arn}: is encrypted with alias/aws/sns, with which alarms can't publish"
            )
    if not made.topics:
        made.findings.append("no alarm on the hosts notifies a topic")


def topics_of(alarm: JsonObject) -> Sequence[str]:
    """Return the ARNs of the topics that an alarm notifies when it fires."""
    return [each for each in alarm.get("AlarmActions", ()) if ":sns:" in each]
