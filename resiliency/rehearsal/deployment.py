"""What is rehearsed, read from templates: hosts, records, alarms and their topics, the probe."""

import ipaddress
import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from resiliency.cloud_assembly import JsonObject
from resiliency.failover_model.expressions import Reference, TemplateError, Templates
from resiliency.failover_model.faults import watched_host
from resiliency.failover_model.graph import Alarm, AlarmCheck, FailoverGraph, Pair, leaves
from resiliency.failover_model.template_reader import properties_of, read_graph, unnamed
from staged_resiliency.shared import names

DEFAULT_REGION: Final = "us-east-1"
DEFAULT_ACCOUNT: Final = "123456789012"
DEFAULT_PATH: Final = "/version/"
"""Where clients ask, when no template tells."""

STATUS_METRICS: Final = (
    "StatusCheckFailed",
    "StatusCheckFailed_Instance",
    "StatusCheckFailed_System",
)
"""EC2's metrics of an instance's status checks."""

_ACTIONS: Final = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.TopicArn)?\}")
_PSEUDO_PARAMETER: Final = re.compile(r"\$\{AWS::(\w+)\}")
_FAMILIES: Final = {"A": 4, "AAAA": 6}


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the pair.

    Attributes:
        name: Its Name tag.
        address: What the record holds for it: an address, or an alias target's name.
        instance_id: EC2 instance id, None where no alarm names it.
    """

    name: str
    address: str
    instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is rehearsed.

    Attributes:
        service: Short name of the service.
        environment: Short name of the environment; empty where the templates tell none.
        region: AWS region.
        account: AWS account id.
        graph: What decides failover.
        pair: The record pair that clients ask for.
        active: The host that the primary record holds.
        standby: The other one.
        actions: Names of the topics that each alarm's states notify, by alarm and state.
        probe: Content of the probe's configuration file, None without a probe.
        path: Where clients ask the service.
        objective_seconds: Recovery time objective, None where the templates tell none.
    """

    service: str
    environment: str
    region: str
    account: str
    graph: FailoverGraph
    pair: Pair
    active: Host
    standby: Host
    actions: Mapping[str, Mapping[str, Sequence[str]]]
    probe: Mapping[str, Any] | None
    path: str
    objective_seconds: float | None

    @property
    def hosts(self) -> Sequence[Host]:
        """Both hosts."""
        return (self.active, self.standby)

    @property
    def dependencies(self) -> Sequence[str]:
        """Names of the dependencies that the probe measures and an alarm of the active watches."""
        measured = [each["metric"] for each in (self.probe or {}).get("targets", ())]
        found = [
            alarm.metric.name.removesuffix(names.connectivity_metric(""))
            for alarm in self.graph.alarms
            if alarm.metric.name in measured and alarm.metric.dimension("Host") == self.active.name
        ]
        return list(dict.fromkeys(found))

    def is_measured(self, alarm: Alarm) -> bool:
        """Whether somebody publishes the metric of an alarm here; others are taken for well."""
        metric = alarm.metric
        if metric.namespace == "AWS/EC2":
            return metric.name in STATUS_METRICS and self.host_of(alarm) is not None
        if self.probe is None or metric.namespace != self.probe["namespace"]:
            return False
        published = {each["metric"] for each in self.probe.get("targets", ())}
        if "peers" in self.probe:
            published.add(names.PEER_METRIC)
        return (
            metric.name in {*published, names.HEARTBEAT_METRIC} and self.host_of(alarm) is not None
        )

    @property
    def alarms(self) -> Sequence[Alarm]:
        """The alarms whose metrics are published here."""
        return [alarm for alarm in self.graph.alarms if self.is_measured(alarm)]

    def host_of(self, alarm: Alarm) -> Host | None:
        """The host that an alarm is about, None where it is about neither."""
        for host in self.hosts:
            if host.name == alarm.metric.dimension("Host"):
                return host
            instance = alarm.metric.dimension("InstanceId")
            if instance is not None and host.instance_id == instance:
                return host
        return None


def read_world(
    by_stack: Mapping[str, JsonObject],
    *,
    record: str | None = None,
    addresses: Mapping[str, str] | None = None,
) -> Deployment:
    """What is rehearsed, from templates.

    Args:
        by_stack: The templates that belong together, by stack name.
        record: DNS name of the pair; the first of the templates unless given.
        addresses: Address of a host by its name, where no template tells it.

    Raises:
        TemplateError: Something that is needed is not there, or can't be followed.
    """
    graph = read_graph(by_stack)
    pair = _pair(graph, record)
    reading = _Reading(Templates(by_stack), graph, pair)
    stack = reading.stack_of_pair()
    probe = reading.probe()
    active, standby = reading.hosts(probe, addresses or {})
    region, account = reading.place()
    service, environment = _service(stack, probe, pair)
    return Deployment(
        service=service,
        environment=environment,
        region=region,
        account=account,
        graph=graph,
        pair=pair,
        active=active,
        standby=standby,
        actions=dict(reading.actions()),
        probe=probe,
        path=reading.path(probe),
        objective_seconds=reading.objective(),
    )


def _pair(graph: FailoverGraph, record: str | None) -> Pair:
    usable = [pair for pair in graph.pairs if pair.record_type in _FAMILIES]
    if record is None:
        if usable:
            return usable[0]
        found = graph.pairs[0]
        raise TemplateError(
            f"{found.name} {found.record_type}: only A and AAAA pairs can be rehearsed"
        )
    wanted = record.rstrip(".").lower()
    for pair in usable:
        if pair.name == wanted:
            return pair
    there = ", ".join(dict.fromkeys(pair.name for pair in usable)) or "none"
    raise TemplateError(f"{record}: is no A or AAAA pair of these templates; there: {there}")


def _service(stack: str, probe: Mapping[str, Any] | None, pair: Pair) -> tuple[str, str]:
    """Short names of service and environment, as far as they are told."""
    label = pair.name.partition(".")[0]
    service = str(probe["service"]) if probe else label
    middle = stack.removesuffix(names.failover_stack("", "").removeprefix("-"))
    for known in (service, label):
        if middle != stack and middle.startswith(f"{known}-"):
            return known, middle.removeprefix(f"{known}-")
    return service, ""


@dataclass(frozen=True, slots=True)
class _Reading:
    templates: Templates
    graph: FailoverGraph
    pair: Pair

    def _resources(self, *kinds: str) -> Iterator[tuple[str, str, JsonObject]]:
        """Stack, logical id and properties of the resources of some types."""
        for stack, template in self.templates.by_stack.items():
            for logical_id, resource in template["Resources"].items():
                if resource.get("Type") in kinds:
                    yield stack, logical_id, properties_of(Reference(stack, logical_id), resource)

    def stack_of_pair(self) -> str:
        """The template that makes the pair."""
        for stack, _logical_id, properties in self._resources(
            "AWS::Route53::RecordSetGroup", "AWS::Route53::RecordSet"
        ):
            for record in properties.get("RecordSets", [properties]):
                name = self._text(stack, record.get("Name"))
                if name.rstrip(".").lower() == self.pair.name and "Failover" in record:
                    return stack
        raise AssertionError(f"{self.pair.name} was read from these templates")

    def _metadata(self) -> JsonObject:
        """What the template that makes the pair says of itself."""
        found = self.templates.by_stack[self.stack_of_pair()].get("Metadata", {})
        return found if isinstance(found, Mapping) else {}

    def objective(self) -> float | None:
        """The objective that the template's metadata tell."""
        told = self._metadata().get("RecoveryTimeSeconds")
        return float(told) if isinstance(told, int | float) else None

    def actions(self) -> Iterator[tuple[str, Mapping[str, Sequence[str]]]]:
        """The topics of each alarm that could be read."""
        read = {alarm.name for alarm in self.graph.alarms}
        for stack, logical_id, properties in self._resources("AWS::CloudWatch::Alarm"):
            name = unnamed(self.templates, Reference(stack, logical_id))
            if "AlarmName" in properties:
                name = self._text(stack, properties["AlarmName"])
            enabled = self._text(stack, properties.get("ActionsEnabled", True)).lower()
            if name in read and enabled != "false":
                yield (
                    name,
                    {
                        state: [
                            topic
                            for action in _list(properties, key, f"{stack}: {logical_id}: {key}")
                            if (topic := self._topic(stack, action))
                        ]
                        for state, key in _ACTIONS.items()
                    },
                )

    def _topic(self, stack: str, action: object) -> str | None:
        """The name of a topic, from its ARN or a reference to it; None for other actions.

        A parameter is taken for a topic's ARN, as only the deployment knows what it is.
        """
        text = self._text(stack, action)
        if referred := _REFERENCE.fullmatch(text):
            try:
                owner = self.templates.reference(stack, action, stack)
            except TemplateError:
                return None
            resource = self.templates.resource(owner) if owner else None
            if resource is None:
                parameters = self.templates.by_stack[stack].get("Parameters", {})
                return referred[1] if referred[1] in parameters else None
            return referred[1] if resource.get("Type") == "AWS::SNS::Topic" else None
        # A pseudo parameter such as ${AWS::Region} has colons of its own.
        parts = _PSEUDO_PARAMETER.sub(r"\1", text).split(":")
        if len(parts) != 6 or parts[2] != "sns":
            return None
        return "".join(letter for letter in parts[5] if letter.isalnum() or letter in "-_")

    def place(self) -> tuple[str, str]:
        """Region and account, from the first topic or health check that tells them."""
        region, account = DEFAULT_REGION, DEFAULT_ACCOUNT
        for stack, _, properties in self._resources("AWS::Route53::HealthCheck"):
            identifier = _within(properties, "HealthCheckConfig", "AlarmIdentifier")
            told = self._text(stack, identifier.get("Region", ""))
            if told and "${" not in told:
                region = told
        for stack, logical_id, properties in self._resources("AWS::CloudWatch::Alarm"):
            where = f"{stack}: {logical_id}: AlarmActions"
            for action in _list(properties, "AlarmActions", where):
                parts = self._text(stack, action).split(":")
                if len(parts) == 6 and parts[2] == "sns" and "${" not in parts[3] + parts[4]:
                    return parts[3], parts[4]
        return region, account

    def probe(self) -> Mapping[str, Any] | None:
        """The configuration of the probe whose metrics the alarms watch."""
        watched = {alarm.metric.namespace for alarm in self.graph.alarms}
        for stack, logical_id, properties in self._resources("AWS::SSM::Association"):
            where = f"{stack}: {logical_id}: Parameters"
            encoded = _within(properties, "Parameters").get("Configuration")
            if not isinstance(encoded, list) or len(encoded) != 1:
                continue  # somebody else's association
            try:
                found = json.loads(b64decode(self.templates.text(stack, encoded[0], where)))
            except ValueError as error:
                raise TemplateError(
                    f"{where}: Configuration: can't be read ({error}); what is known only after "
                    "the deployment can't be rehearsed"
                ) from None
            if isinstance(found, dict) and found.get("namespace") in watched:
                return found
        return None

    def path(self, probe: Mapping[str, Any] | None) -> str:
        """Where clients ask: as peers or health checkers do, where they are told a path."""
        peers = (probe or {}).get("peers", {})
        for check in peers.values():
            if isinstance(check.get("path"), str):
                return str(check["path"]).partition("?")[0]
        for stack, _, properties in self._resources("AWS::Route53::HealthCheck"):
            config = _within(properties, "HealthCheckConfig")
            if told := self._text(stack, config.get("ResourcePath", "")):
                return told.partition("?")[0]
        return DEFAULT_PATH

    def hosts(self, probe: Mapping[str, Any] | None, given: Mapping[str, str]) -> tuple[Host, Host]:
        """Active and standby."""
        mine, theirs = self.pair.primary.values[0], self.pair.secondary.values[0]
        named = self._named(probe, given)
        instances = self._instances()
        by_address = {address: name for name, address in named.items()}
        unnamed = sorted(self._host_names() - named.keys())
        if by_address.keys() >= {mine, theirs}:
            first, second = by_address[mine], by_address[theirs]
        elif not named and not unnamed:
            first, second = "primary", "secondary"
        elif mine in by_address and len(unnamed) == 1:
            first, second = by_address[mine], unnamed[0]
        elif theirs in by_address and len(unnamed) == 1:
            first, second = unnamed[0], by_address[theirs]
        else:
            known = ", ".join(unnamed) or "none left"
            raise TemplateError(
                f"{self.pair.name}: the templates do not tell which host has {mine} and which "
                f"{theirs} (names there: {known}); tell it: --host NAME={mine} --host NAME={theirs}"
            )
        return (
            Host(first, mine, instances.get(first)),
            Host(second, theirs, instances.get(second)),
        )

    def _named(
        self, probe: Mapping[str, Any] | None, given: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Addresses by names of hosts: as told, by metadata, by peers, or by what is watched."""
        stack = self.stack_of_pair()
        found: dict[str, str] = {}
        values = (*self.pair.primary.values, *self.pair.secondary.values)
        if not given and (watched := watched_host(self.pair)) is not None:
            found[watched] = self.pair.primary.values[0]
        for name, check in (probe or {}).get("peers", {}).items():
            if check.get("host") in values:
                found[name] = str(check["host"])
        told = self._metadata().get("Hosts", {})
        for name, addresses in told.items() if isinstance(told, Mapping) else ():
            for address in addresses if isinstance(addresses, list) else [addresses]:
                text = self._text(stack, address)
                if text in values:
                    found[name] = text
        found.update(given)
        return found

    def _host_names(self) -> set[str]:
        """The hosts that alarms on the probe's metrics name."""
        return {
            name
            for alarm in self.graph.alarms
            if (name := alarm.metric.dimension("Host")) is not None
        }

    def _instances(self) -> Mapping[str, str]:
        """Instance ids by the names of hosts."""
        found: dict[str, str] = {}
        for alarm in self.graph.alarms:
            instance = alarm.metric.dimension("InstanceId")
            if instance is None:
                continue
            host = alarm.name.removesuffix(names.status_alarm(""))
            if host != alarm.name:
                found[host] = instance
        for role, check in (
            ("primary", self.pair.primary.health_check),
            ("secondary", self.pair.secondary.health_check),
        ):
            for leaf in leaves(check):
                if isinstance(leaf, AlarmCheck):
                    instance = leaf.alarm.metric.dimension("InstanceId")
                    if instance is not None and instance not in found.values():
                        found[watched_host(self.pair) or role] = instance
        return found

    def _text(self, stack: str, value: object) -> str:
        """A value as text, empty where the template does not tell it."""
        try:
            return self.templates.text(stack, value, stack)
        except TemplateError:
            return ""


def _within(properties: JsonObject, *path: str) -> JsonObject:
    """An object within properties; empty where there is none."""
    found: object = properties
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _list(properties: JsonObject, key: str, where: str) -> Sequence[object]:
    found = properties.get(key) or []
    if not isinstance(found, list):
        raise TemplateError(f"{where}: is no list of actions")
    return found


def answer_address(host: Host, record_type: str, number: int) -> str:
    """The address that DNS answers for a host; one for documentation where it is an alias.

    Args:
        host: The host.
        record_type: A or AAAA.
        number: Tells the hosts apart.
    """
    try:
        return str(ipaddress.ip_address(host.address))
    except ValueError:
        # RFC 5737 and RFC 3849
        return f"192.0.2.{number}" if record_type == "A" else f"2001:db8::{number}"
