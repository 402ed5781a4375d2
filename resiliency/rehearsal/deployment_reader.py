"""Reads the resources of a rehearsal from templates: hosts, records, alarms, the probe."""

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Final

from resiliency.failover_model.expressions import TemplateError, Templates
from resiliency.failover_model.faults import watched_host
from resiliency.failover_model.graph import FailoverGraph, Pair
from resiliency.failover_model.health_check_reader import ALARM, alarm_name
from resiliency.failover_model.probe_settings import installations
from resiliency.failover_model.template_reader import read_graph
from resiliency.rehearsal.deployment import HEALTH_METRIC, Deployment, Host
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.shared import names

DEFAULT_REGION: Final = "us-east-1"
DEFAULT_ACCOUNT: Final = "123456789012"
DEFAULT_PATH: Final = "/version/"
"""The path that clients request where no template contains one."""

_ACTIONS: Final = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.TopicArn)?\}")
_PSEUDO_PARAMETER: Final = re.compile(r"\$\{AWS::(\w+)\}")
_FAMILIES: Final = {"A": 4, "AAAA": 6}
_OF_DEPENDENCIES: Final = ("A", "CNAME")
_ENDING: Final = re.compile(names.failover_stack("", "").lstrip("-") + r"(\.template)?(\.\w+)?$")
"""How the name of a failover stack ends, or that of its file."""


def read_deployments(
    by_stack: Mapping[str, JsonObject],
    *,
    record: str | None = None,
    addresses: Mapping[str, str] | None = None,
) -> tuple[Sequence[Deployment], Sequence[str]]:
    """Read the pairs of some templates, all or those of one name, and why others are left out.

    ``addresses`` has the addresses of hosts by name, where no template contains them.

    Raises:
        TemplateError: The templates can't be followed, or there is no pair of that name.
    """
    graph = read_graph(by_stack)
    wanted = None if record is None else record.rstrip(".").lower()
    known_names = dict.fromkeys(
        [*(each.name for each in graph.pairs), *(each.name for each in graph.refused)]
    )
    if wanted not in (None, *known_names):
        known = ", ".join(known_names)
        raise TemplateError(f"{record}: is no failover pair of these templates; there: {known}")
    deployments: list[Deployment] = []
    left_out = [
        _naming(each.name, each.reason) for each in graph.refused if wanted in (None, each.name)
    ]
    for pair in graph.pairs:
        own = _own_templates(by_stack, pair.stack, {each.stack for each in graph.pairs})
        try:
            try:
                deployments.append(read_deployment(own, pair, addresses or {}))
            except TemplateError:
                # It may refer to the templates of another pair.
                deployments.append(read_deployment(by_stack, pair, addresses or {}))
        except TemplateError as error:
            if wanted in (None, pair.name):
                left_out.append(_naming(pair.name, str(error)))
    chosen = [each for each in deployments if wanted in (None, each.pair.name)]
    return [_without_alarms_of(each, deployments) for each in chosen], left_out


def read_deployment(
    by_stack: Mapping[str, JsonObject],
    pair: Pair | None = None,
    addresses: Mapping[str, str] | None = None,
) -> Deployment:
    """Read one pair, the first unless given; see ``read_deployments``.

    Raises:
        TemplateError: Something that is needed is missing, or can't be followed.
    """
    graph = read_graph(by_stack)
    key = _key(pair or graph.pairs[0])
    pair = next((each for each in graph.pairs if _key(each) == key), None)
    if pair is None:
        reasons = [each.reason for each in graph.refused if (each.name, each.record_type) == key]
        raise TemplateError("; ".join(reasons) or f"{key[0]}: is no pair of these templates")
    own_name = pair.dependency is not None and pair.record_type in _OF_DEPENDENCIES
    if not own_name and pair.record_type not in _FAMILIES:
        raise TemplateError(
            f"{pair.name} {pair.record_type}: only A and AAAA pairs can be rehearsed"
        )
    reader = _Reader(Templates(by_stack), graph, pair)
    probe = reader.probe()
    values = (*pair.primary.values, *pair.secondary.values)
    given = {name: each for name, each in (addresses or {}).items() if each in values}
    active, standby = _targets(pair) if own_name else reader.hosts(probe, given)
    region, account = reader.location()
    service, environment = _service(pair.stack, probe, pair)
    deployment = Deployment(
        service=service,
        environment=environment,
        stack=_middle(pair.stack),
        region=region,
        account=account,
        graph=graph,
        pair=pair,
        active=active,
        standby=standby,
        actions=dict(reader.actions()),
        probe=probe,
        path=reader.path(probe),
        objective_seconds=reader.objective(),
        failover_alarms=reader.failover_alarms(),
    )
    return _of_own_name(deployment) if own_name else deployment


def _targets(pair: Pair) -> tuple[Host, Host]:
    primary, secondary = (each.values[0] for each in (pair.primary, pair.secondary))
    return Host(primary, primary), Host(secondary, secondary)


def _of_own_name(deployment: Deployment) -> Deployment:
    """Return the deployment of a dependency's own name, behind which are its two targets."""
    graph, pair = deployment.graph, deployment.pair
    deciding = pair.primary.alarms
    alarms = [
        each for each in graph.alarms if each in deciding or each.name in deployment.failover_alarms
    ]
    probe, path = None, DEFAULT_PATH
    if deciding:
        probe, path = _probe_of_primary(
            deployment.probe, pair, {each.metric.name for each in deciding}
        )
    observers = [each.metric.dimension("Host") for each in deciding]
    return replace(
        deployment,
        graph=replace(graph, alarms=alarms),
        probe=probe,
        path=path,
        objective_seconds=None,  # that of the service is about its hosts
        observers=tuple(Host(each, each) for each in observers if each is not None),
    )


def _probe_of_primary(
    probe: Mapping[str, Any] | None, pair: Pair, metrics: Collection[str]
) -> tuple[Mapping[str, Any], str]:
    """Return the probe with its check of the primary alone, and the path that it requests."""
    targets = [each for each in (probe or {}).get("targets", ()) if each["metric"] in metrics]
    if probe is None or not targets:
        raise TemplateError(
            f"{pair.name}: no template installs the probe that checks its primary; give it too"
        )
    others = {key: value for key, value in probe.items() if key != "peers"}
    path = str(targets[0].get("path", DEFAULT_PATH)).partition("?")[0]
    return {**others, "targets": targets}, path


def _key(pair: Pair) -> tuple[str, str]:
    return pair.name, pair.record_type


def _naming(name: str, reason: str) -> str:
    return reason if reason.startswith(name) else f"{name}: {reason}"


def _own_templates(
    by_stack: Mapping[str, JsonObject], stack: str, of_pairs: Collection[str]
) -> Mapping[str, JsonObject]:
    """Leave out the templates of other pairs: their stack, and those named like it.

    The application names the stacks of a service in an environment alike, and files have the
    names of stacks; the longest name counts.
    """
    owners = {_ENDING.sub("", each): each for each in of_pairs if _ENDING.search(each)}

    def owner(name: str) -> str:
        fitting = [each for each in owners if name.startswith(each)]
        return owners[max(fitting, key=len)] if fitting else name

    return {
        name: template
        for name, template in by_stack.items()
        if owner(name) in (stack, name) and (name == stack or name not in of_pairs)
    }


def _without_alarms_of(deployment: Deployment, others: Sequence[Deployment]) -> Deployment:
    """Leave out the alarms on hosts of other pairs, which are rehearsed with those."""
    graph = deployment.graph
    alarms = [
        alarm
        for alarm in graph.alarms
        if deployment.host_of(alarm) is not None
        or alarm.name in deployment.failover_alarms
        or not any(
            each.host_of(alarm) is not None or alarm.name in each.failover_alarms for each in others
        )
    ]
    return replace(deployment, graph=replace(graph, alarms=alarms))


def _middle(stack: str) -> str:
    return PurePath(_ENDING.sub("", stack)).name.removesuffix("-")


def _service(stack: str, probe: Mapping[str, Any] | None, pair: Pair) -> tuple[str, str]:
    """Return the short names of service and environment, as far as they are known."""
    label = pair.name.partition(".")[0]
    service = str(probe["service"]) if probe else label
    middle = _middle(stack)
    for known in (service, label):
        if middle != stack and middle.startswith(f"{known}-"):
            return known, middle.removeprefix(f"{known}-")
    return service, ""


@dataclass(frozen=True, slots=True)
class _Reader:
    templates: Templates
    graph: FailoverGraph
    pair: Pair

    def failover_alarms(self) -> frozenset[str]:
        """Return the names of the alarms on the status of the primary's health check."""
        checked, found = self.pair.primary.check_reference, set()
        for reference, properties in self.templates.resources(ALARM):
            if properties.get("MetricName") != HEALTH_METRIC or checked is None:
                continue
            for dimension in _list(properties, "Dimensions", f"{reference}: Dimensions"):
                value = dimension.get("Value") if isinstance(dimension, Mapping) else None
                with contextlib.suppress(TemplateError):
                    if self.templates.reference(reference.stack, value, str(reference)) == checked:
                        found.add(alarm_name(self.templates, reference))
        return frozenset(found)

    def _metadata(self) -> JsonObject:
        metadata = self.templates.by_stack[self.pair.stack].get("Metadata", {})
        return metadata if isinstance(metadata, Mapping) else {}

    def objective(self) -> float | None:
        """Read the objective from the template's metadata."""
        seconds = self._metadata().get("RecoveryTimeSeconds")
        return float(seconds) if isinstance(seconds, int | float) else None

    def actions(self) -> Iterator[tuple[str, Mapping[str, Sequence[str]]]]:
        """Yield each alarm of the graph with the topics of its actions."""
        read = {alarm.name for alarm in self.graph.alarms}
        for reference, properties in self.templates.resources(ALARM):
            stack = reference.stack
            name = alarm_name(self.templates, reference)
            enabled = self._text(stack, properties.get("ActionsEnabled", True)).lower()
            if name in read and enabled != "false":
                yield (
                    name,
                    {
                        state: [
                            topic
                            for action in _list(properties, key, f"{reference}: {key}")
                            if (topic := self._topic(stack, action))
                        ]
                        for state, key in _ACTIONS.items()
                    },
                )

    def _topic(self, stack: str, action: object) -> str | None:
        """Return the name of a topic, from its ARN or a reference to it; None for other actions.

        A parameter is taken for a topic's ARN, as only the deployment knows its value.
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

    def location(self) -> tuple[str, str]:
        """Read region and account from the first topic or health check that has them."""
        region, account = DEFAULT_REGION, DEFAULT_ACCOUNT
        for reference, properties in self.templates.resources("AWS::Route53::HealthCheck"):
            identifier = _within(properties, "HealthCheckConfig", "AlarmIdentifier")
            known = self._text(reference.stack, identifier.get("Region", ""))
            if known and "${" not in known:
                region = known
        for reference, properties in self.templates.resources(ALARM):
            if properties.get("Namespace") == "AWS/Route53":
                continue  # in us-east-1, wherever the service is
            where = f"{reference}: AlarmActions"
            for action in _list(properties, "AlarmActions", where):
                parts = self._text(reference.stack, action).split(":")
                if len(parts) == 6 and parts[2] == "sns" and "${" not in parts[3] + parts[4]:
                    return parts[3], parts[4]
        return region, account

    def probe(self) -> Mapping[str, Any] | None:
        """Read the configuration of the probe whose metrics the alarms watch."""
        watched = {alarm.metric.namespace for alarm in self.graph.alarms}
        host = watched_host(self.pair)
        candidates = []
        for installation in installations(self.templates):
            configuration = installation.configuration()
            if isinstance(configuration, dict) and configuration.get("namespace") in watched:
                targets = self.templates.properties(installation.reference).get("Targets")
                candidates.append((host is not None and f"'{host}'" in str(targets), configuration))
        # Where several are installed, the one on this pair's host.
        return max(candidates, key=lambda each: each[0])[1] if candidates else None

    def path(self, probe: Mapping[str, Any] | None) -> str:
        """Return the path that clients request: that of peers or health checkers, if any."""
        peers = (probe or {}).get("peers", {})
        for check in peers.values():
            if isinstance(check.get("path"), str):
                return str(check["path"]).partition("?")[0]
        for reference, properties in self.templates.resources("AWS::Route53::HealthCheck"):
            config = _within(properties, "HealthCheckConfig")
            if requested := self._text(reference.stack, config.get("ResourcePath", "")):
                return requested.partition("?")[0]
        return DEFAULT_PATH

    def hosts(self, probe: Mapping[str, Any] | None, given: Mapping[str, str]) -> tuple[Host, Host]:
        """Return the active host and the standby."""
        primary, secondary = self.pair.primary.values[0], self.pair.secondary.values[0]
        named = self._named(probe, given)
        instances = self._instances()
        by_address = {address: name for name, address in named.items()}
        on_hosts = {alarm.metric.dimension("Host") for alarm in self.graph.alarms}
        unnamed = sorted(name for name in on_hosts if name is not None and name not in named)
        if by_address.keys() >= {primary, secondary}:
            first, second = by_address[primary], by_address[secondary]
        elif not named and not unnamed:
            first, second = "primary", "secondary"
        elif primary in by_address and len(unnamed) == 1:
            first, second = by_address[primary], unnamed[0]
        elif secondary in by_address and len(unnamed) == 1:
            first, second = unnamed[0], by_address[secondary]
        else:
            known = ", ".join(unnamed) or "none left"
            raise TemplateError(
                f"{self.pair.name}: the templates do not show which host has {primary} and which "
                f"{secondary} (names there: {known}); add: "
                f"--host NAME={primary} --host NAME={secondary}"
            )
        return (
            Host(first, primary, instances.get(first)),
            Host(second, secondary, instances.get(second)),
        )

    def _named(
        self, probe: Mapping[str, Any] | None, given: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return addresses by host name: as given, from metadata, from peers, or as watched."""
        stack = self.pair.stack
        addresses_by_name: dict[str, str] = {}
        values = (*self.pair.primary.values, *self.pair.secondary.values)
        if not given and (watched := watched_host(self.pair)) is not None:
            addresses_by_name[watched] = self.pair.primary.values[0]
        for name, check in (probe or {}).get("peers", {}).items():
            if check.get("host") in values:
                addresses_by_name[name] = str(check["host"])
        hosts = self._metadata().get("Hosts", {})
        for name, addresses in hosts.items() if isinstance(hosts, Mapping) else ():
            for address in addresses if isinstance(addresses, list) else [addresses]:
                text = self._text(stack, address)
                if text in values:
                    addresses_by_name[name] = text
        addresses_by_name.update(given)
        return addresses_by_name

    def _instances(self) -> Mapping[str, str]:
        instances: dict[str, str] = {}
        for alarm in self.graph.alarms:
            instance = alarm.metric.dimension("InstanceId")
            if instance is None:
                continue
            host = alarm.name.removesuffix(names.status_alarm(""))
            if host != alarm.name:
                instances[host] = instance
        for role, record in (("primary", self.pair.primary), ("secondary", self.pair.secondary)):
            for alarm in record.alarms:
                instance = alarm.metric.dimension("InstanceId")
                if instance is not None and instance not in instances.values():
                    instances[watched_host(self.pair) or role] = instance
        return instances

    def _text(self, stack: str, value: object) -> str:
        """Return a value as text, empty where only the deployment knows it."""
        try:
            return self.templates.text(stack, value, stack)
        except TemplateError:
            return ""


def _within(properties: JsonObject, *path: str) -> JsonObject:
    """Return an object within properties; an empty one where there is none."""
    inner: object = properties
    for key in path:
        inner = inner.get(key) if isinstance(inner, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _list(properties: JsonObject, key: str, where: str) -> Sequence[object]:
    actions = properties.get(key) or []
    if not isinstance(actions, list):
        raise TemplateError(f"{where}: is no list of actions")
    return actions
