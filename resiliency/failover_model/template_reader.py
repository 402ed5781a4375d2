"""Reads failover records, health checks and alarms from templates made by any tool."""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Final, TypeAlias, TypeVar, cast

from resiliency.failover_model.alarm_evaluation import COMPARISONS, Comparison, Missing
from resiliency.failover_model.expressions import (
    PARAMETER_HINT,
    Reference,
    TemplateError,
    Templates,
    mapping,
    present,
)
from resiliency.failover_model.graph import (
    ALIAS_TTL_SECONDS,
    DEFAULT_REGIONS,
    TCP,
    Alarm,
    AlarmCheck,
    CalculatedCheck,
    EndpointCheck,
    FailoverGraph,
    HealthCheck,
    Metric,
    Pair,
    Probe,
    Record,
    RefusedPair,
    basic_health_checks,
)
from resiliency.failover_model.overrides import known
from resiliency.failover_model.probe_settings import read_probes
from resiliency.failover_model.route53 import InsufficientData, Role
from resiliency.failover_model.values import Values
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.shared import limits, names
from staged_resiliency.shared.limits import MAX_FAILURE_THRESHOLD

_ALARM: Final = "AWS::CloudWatch::Alarm"
_RECORD: Final = "AWS::Route53::RecordSet"
_GROUP: Final = "AWS::Route53::RecordSetGroup"
_COMPOSITE: Final = "AWS::CloudWatch::CompositeAlarm"
_HEALTH_CHECK: Final = "AWS::Route53::HealthCheck"
_ENDPOINT_KINDS: Final = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")

_ELB: Final = "AWS::ElasticLoadBalancingV2"
_BALANCER: Final = re.compile(r"\$\{(\w+)\.DNSName\}$")
_ZONE_KEYS: Final = ("HostedZoneId", "HostedZoneName")
_LEAST_REGIONS: Final = 3
# RFC 5737 and RFC 3849.
_DOCUMENTATION: Final = [
    ipaddress.ip_network(each)
    for each in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]

Check = TypeVar("Check", bound=HealthCheck)


def read_graph(
    by_stack: Mapping[str, JsonObject], parameters: Mapping[str, str] | None = None
) -> FailoverGraph:
    """Read the failover records, health checks and alarms from templates.

    ``parameters`` replaces defaults of the templates' parameters. A pair that can't be read does
    not hide the others: the graph has it as refused, with the reason.

    Raises:
        TemplateError: There is no failover pair, or none that can be followed to its signals.

    Example:
        >>> read_graph({"site": {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}})
        Traceback (most recent call last):
        ...
        resiliency.failover_model.expressions.TemplateError: site: no failover records ...
    """
    named = ", ".join(by_stack) or "no template"
    try:
        templates = Templates(by_stack, parameters or {})
        probes = read_probes(templates)
        reader = _Reader(templates, probes)
        pairs, refused = reader.pairs()
        if not pairs and refused:
            raise TemplateError(refused[0].reason)
        if not pairs:
            raise TemplateError(
                f"{named}: no failover records there; give the templates that define the pair"
            )
        return FailoverGraph(pairs, reader.readable_alarms(), probes, refused)
    except RecursionError:
        raise TemplateError(f"{named}: a value refers to itself, or is nested too deeply") from None


def has_records(by_stack: Mapping[str, JsonObject]) -> bool:
    """Whether templates have any DNS record."""
    return any(
        each.get("Type") in (_RECORD, _GROUP)
        for template in by_stack.values()
        for each in template["Resources"].values()
    )


_PairKey: TypeAlias = tuple[str, str, str]
"""Hosted zone, name and type of a pair's records."""


@dataclass(slots=True)
class _Reader:
    """Reads one set of templates; each alarm and health check is read once."""

    templates: Templates
    probes: Sequence[Probe]
    _checks: dict[Reference, HealthCheck | None] = field(default_factory=dict)

    def pairs(self) -> tuple[Sequence[Pair], Sequence[RefusedPair]]:
        """Read all pairs, and why others can't be read."""
        found: dict[_PairKey, dict[Role, Record]] = {}
        primaries: dict[_PairKey, Reference] = {}
        refused: dict[_PairKey, str] = {}
        for reference, where, record in self._records():
            if "Failover" not in record:
                continue
            key = ("", where, "")
            try:
                values = Values(self.templates, reference.stack, record, where)
                name, kind = values.text("Name").rstrip(".").lower(), values.text("Type")
                key = (_zone(values), name, kind)
                self._require_unconditional(reference)
                role = Role(values.choice("Failover", [each.value for each in Role]))
                roles = found.setdefault(key, {})
                if role in roles:
                    raise TemplateError(
                        f"{where}: is a second {role.value} of {name} {kind}; a pair has one"
                    )
                roles[role] = self._record(values)
                if role is Role.PRIMARY:
                    primaries[key] = reference
            except TemplateError as error:
                refused.setdefault(key, str(error))
        pairs = []
        for key, both in _joined(found).items():
            if key not in refused:
                try:
                    pair = _pair(key[1], key[2], both)
                    primary = primaries.get(key) or next(
                        primaries[other] for other in primaries if other[1:] == key[1:]
                    )
                    pair = replace(
                        pair,
                        known=self._known(primary.stack),
                        dependency=self._dependency(primary),
                        stack=primary.stack,
                    )
                    pairs.append(pair)
                except TemplateError as error:
                    refused[key] = str(error)
        return pairs, [RefusedPair(key[1], key[2], reason) for key, reason in refused.items()]

    def _dependency(self, reference: Reference) -> str | None:
        """Read the dependency whose own name a record has; None for the name of a service."""
        resource = self.templates.resource(reference) or {}
        metadata = mapping(resource.get("Metadata", {}), f"{reference}: Metadata")
        name = metadata.get(names.DEPENDENCY_METADATA)
        return name if isinstance(name, str) and name else None

    def _known(self, stack: str) -> tuple[tuple[str, float, float], ...]:
        """Read what the metadata of a template give in place of assumptions."""
        where = f"{stack}: Metadata: FailoverAssumptions"
        metadata = self.templates.by_stack[stack].get("Metadata", {})
        given = mapping(metadata, where).get("FailoverAssumptions", {})
        read = []
        for name, span in mapping(given, where).items():
            try:
                least, most = map(float, span)
                known(name, least, most)
            except (TypeError, ValueError, AttributeError) as error:
                raise TemplateError(f"{where}: {name}: {error}") from None
            read.append((name, least, most))
        return tuple(read)

    def readable_alarms(self) -> Sequence[Alarm]:
        """Read the alarms on a single metric; others can't be signals, so they are left out."""
        alarms = []
        for reference, _ in self.templates.resources(_ALARM):
            try:
                alarms.append(self._alarm(reference))
            except TemplateError:
                continue
        return alarms

    def _records(self) -> Iterator[tuple[Reference, str, JsonObject]]:
        for reference, properties in self.templates.resources(_RECORD):
            yield reference, str(reference), properties
        for reference, properties in self.templates.resources(_GROUP):
            where = str(reference)
            records = properties.get("RecordSets")
            if not isinstance(records, list) or not all(isinstance(r, Mapping) for r in records):
                raise TemplateError(f"{where}: RecordSets: is no list of records")
            zone = {key: properties[key] for key in _ZONE_KEYS if key in properties}
            for number, record in enumerate(map(present, records)):
                # A record of a group may name its zone itself.
                yield reference, f"{where}: RecordSets[{number}]", {**zone, **record}

    def _require_unconditional(self, reference: Reference) -> None:
        condition = (self.templates.resource(reference) or {}).get("Condition")
        if condition is not None and not self.templates.condition(reference.stack, condition):
            raise TemplateError(
                f"{reference}: has the condition {condition}, which only the deployment knows; "
                f"{PARAMETER_HINT}"
            )

    def _record(self, record: Values) -> Record:
        given, where = record.given, record.where
        check = reference = None
        if "HealthCheckId" in given:
            place = (record.stack, given["HealthCheckId"], f"{where}: HealthCheckId")
            reference, check = self.templates.reference(*place), self._named_check(*place)
        if "AliasTarget" in given:
            alias = record.inner("AliasTarget")
            target = alias.text("DNSName")
            if not alias.flag("EvaluateTargetHealth"):
                return Record((target,), ALIAS_TTL_SECONDS, check, False, reference)
            groups = self._target_groups(record.stack, target)
            both = [*([] if check is None else [check]), *groups]
            if len(both) > 1:
                check = CalculatedCheck(f"{target} and its record", tuple(both), len(both))
            elif groups:
                check = groups[0]
            return Record((target,), ALIAS_TTL_SECONDS, check, not groups, reference)
        values = given.get("ResourceRecords")
        if not isinstance(values, list) or not values:
            raise TemplateError(f"{where}: ResourceRecords: is no list of values")
        texts = [
            self.templates.text(record.stack, each, f"{where}: ResourceRecords") for each in values
        ]
        return Record(tuple(texts), record.whole("TTL", least=0), check, False, reference)

    def _target_groups(self, stack_of_record: str, target: str) -> Sequence[EndpointCheck]:
        """Read how a load balancer checks its targets; nothing if no template has it.

        A load balancer is unhealthy once one of its target groups has only unhealthy targets
        (Route53/latest/APIReference/API_AliasTarget.html); one target is assumed in each.
        """
        balancer = _BALANCER.search(target)
        found: dict[Reference, EndpointCheck] = {}
        for listener, properties in self.templates.resources(f"{_ELB}::Listener"):
            stack, where = listener.stack, str(listener)
            arn = self.templates.text(stack, properties.get("LoadBalancerArn"), where)
            if balancer is None or arn != f"${{{balancer[1]}}}":
                continue
            for value in _group_values(properties.get("DefaultActions")):
                reference = self.templates.reference(stack, value, where)
                if reference is not None and self.templates.resource(reference) is not None:
                    found[reference] = self._target_group(reference, target)
        found |= self._classic_balancers(balancer and balancer[1], target)
        # The same template may be deployed in another region too.
        here = {each: found[each] for each in found if each.stack == stack_of_record} or found
        return [
            former
            if isinstance(former := self._checks.get(each), EndpointCheck)
            else self._remember(each, check)
            for each, check in here.items()
        ]

    def _classic_balancers(
        self, logical_id: str | None, target: str
    ) -> Mapping[Reference, EndpointCheck]:
        """Read how a classic load balancer checks its instances, where its template says so."""
        found = {}
        for reference, properties in self.templates.resources(
            "AWS::ElasticLoadBalancing::LoadBalancer"
        ):
            if reference.logical_id != logical_id or "HealthCheck" not in properties:
                continue
            check = Values(self.templates, reference.stack, properties, str(reference)).inner(
                "HealthCheck"
            )
            found[reference] = EndpointCheck(
                reference.logical_id,
                check.text("Target").partition(":")[0].upper(),
                target,
                check.whole("Interval"),
                check.whole("UnhealthyThreshold"),
                timeout_seconds=check.whole("Timeout"),
            )
        return found

    def _target_group(self, reference: Reference, target: str) -> EndpointCheck:
        group = self._values(reference)
        # The defaults are those of Elastic Load Balancing (API reference, CreateTargetGroup).
        of_http = str(group.given.get("Protocol")).startswith("HTTP")
        kind = str(group.given.get("HealthCheckProtocol", "HTTP" if of_http else TCP))
        timeout = 5 if of_http else 6 if kind == "HTTP" else 10
        return EndpointCheck(
            reference.logical_id,
            kind,
            target,
            group.whole("HealthCheckIntervalSeconds", default=30),
            group.whole("UnhealthyThresholdCount", default=2),
            timeout_seconds=group.whole("HealthCheckTimeoutSeconds", default=timeout),
        )

    def _values(self, reference: Reference) -> Values:
        properties = self.templates.properties(reference)
        return Values(self.templates, reference.stack, properties, str(reference))

    def _named_check(self, stack: str, value: Any, where: str) -> HealthCheck:
        reference = self.templates.reference(stack, value, where)
        resource = self.templates.resource(reference) if reference else None
        if reference is None or resource is None or resource.get("Type") != _HEALTH_CHECK:
            raise TemplateError(
                f"{where}: names a health check that none of the templates defines; "
                "also give the template that defines it"
            )
        if reference in self._checks:
            known = self._checks[reference]
            if known is None:
                raise TemplateError(f"{where}: a calculated health check counts itself")
            return known
        self._checks[reference] = None
        return self._remember(reference, self._check(reference))

    def _remember(self, reference: Reference, check: Check) -> Check:
        """Keep a health check, under another label where the same template is deployed twice."""
        if check in self._checks.values():
            check = replace(check, label=f"{check.label} ({reference.stack})")
        self._checks[reference] = check
        return check

    def _check(self, reference: Reference) -> HealthCheck:
        self._require_unconditional(reference)
        check = self._values(reference)
        config = check.inner("HealthCheckConfig")
        stack, where = config.stack, config.where
        kind = config.text("Type")
        label = _label(check.given) or reference.logical_id
        inverted, disabled = config.flag("Inverted"), config.flag("Disabled")
        if kind == "CLOUDWATCH_METRIC":
            key, allowed = "InsufficientDataHealthStatus", [each.value for each in InsufficientData]
            return AlarmCheck(
                label,
                self._followed_alarm(config.inner("AlarmIdentifier")),
                InsufficientData(config.choice(key, allowed, default="LastKnownStatus")),
                inverted,
                disabled,
            )
        if kind == "CALCULATED":
            children = config.given.get("ChildHealthChecks")
            if not isinstance(children, list) or not children:
                raise TemplateError(f"{where}: ChildHealthChecks: is no list of health checks")
            read = [
                self._named_check(stack, child, f"{where}: ChildHealthChecks[{number}]")
                for number, child in enumerate(children)
            ]
            for child in read:
                if isinstance(child, CalculatedCheck):
                    raise TemplateError(
                        f"{where}: ChildHealthChecks: {child.label} is calculated itself, which "
                        "Route 53 refuses; name the health checks that it counts"
                    )
            return CalculatedCheck(
                label,
                tuple(read),
                config.whole("HealthThreshold", least=0),
                inverted,
                disabled,
            )
        if kind not in _ENDPOINT_KINDS:
            raise TemplateError(f"{where}: Type: {kind} health checks are not modelled")
        return EndpointCheck(
            label,
            kind,
            _address(config),
            _interval(config),
            config.whole("FailureThreshold", default=3, most=MAX_FAILURE_THRESHOLD),
            inverted,
            disabled,
            _regions(config),
        )

    def _followed_alarm(self, identifier: Values) -> Alarm:
        """Read the alarm that a health check names; Route 53 must be able to follow it."""
        where, name = identifier.where, identifier.text("Name")
        reference = self._named_alarm(identifier, name)
        alarm = self._alarm(reference)
        self._require_region(identifier, reference)
        if alarm.datapoints_to_alarm != alarm.evaluation_periods:
            raise TemplateError(
                f"{where}: {name}: is an M out of N alarm ({alarm.datapoints_to_alarm} of "
                f"{alarm.evaluation_periods}), which Route 53 can't follow"
            )
        if alarm.period_seconds < limits.MIN_FAILOVER_PERIOD_SECONDS:
            raise TemplateError(
                f"{where}: {name}: has periods of {alarm.period_seconds} s; Route 53 "
                f"can't follow any under {limits.MIN_FAILOVER_PERIOD_SECONDS} s"
            )
        if alarm.period_seconds % 60:
            raise TemplateError(f"{reference}: Period: {alarm.period_seconds} is no multiple of 60")
        return alarm

    def _named_alarm(self, identifier: Values, name: str) -> Reference:
        """Find the alarm that is referred to or named; one of the same template comes first."""
        stack, where = identifier.stack, identifier.where
        referred = self.templates.reference(stack, identifier.given.get("Name"), where)
        found = [
            reference
            for kind in (_ALARM, _COMPOSITE)
            for reference, properties in self.templates.resources(kind)
            if reference == referred
            or ("AlarmName" in properties and alarm_name(self.templates, reference) == name)
        ]
        near = [each for each in found if each == referred] or [
            each for each in found if each.stack == stack
        ]
        if not found:
            raise TemplateError(
                f"{where}: {name}: is an alarm that none of the templates defines; "
                "also give the template that defines it"
            )
        if len(near or found) > 1:
            found_at = ", ".join(str(each) for each in near or found)
            raise TemplateError(f"{where}: {name}: is the name of several alarms ({found_at})")
        (chosen,) = near or found
        if (self.templates.resource(chosen) or {}).get("Type") == _COMPOSITE:
            # It has no metric, and a health check is of the kind CLOUDWATCH_METRIC: Route 53 copies
            # the metric's rule (APIReference/API_AlarmIdentifier.html names what it supports).
            raise TemplateError(
                f"{where}: {name}: is a composite alarm, which Route 53 can't follow"
            )
        return chosen

    def _require_region(self, identifier: Values, alarm: Reference) -> None:
        """Raise if the region differs from the alarm's, as far as its topics show that."""
        if "Region" not in identifier.given:
            return
        region, where = identifier.text("Region"), f"{identifier.where}: Region"
        properties = self.templates.properties(alarm)
        actions = properties.get("AlarmActions")
        for action in actions if isinstance(actions, list) else ():
            try:
                parts = self.templates.text(alarm.stack, action, where).split(":")
            except TemplateError:
                continue
            # An alarm notifies topics of its own region alone.
            if len(parts) == 6 and parts[2] == "sns" and "${" not in region + parts[3]:
                if parts[3] != region:
                    raise TemplateError(
                        f"{where}: is {region}, but the alarm's topics are in {parts[3]}, "
                        "and so is it"
                    )
                return

    def _alarm(self, reference: Reference) -> Alarm:
        self._require_unconditional(reference)
        alarm = self._values(reference)
        where = alarm.where
        for key, feature in (
            ("Metrics", "metric math"),
            ("ExtendedStatistic", "a percentile or another extended statistic"),
            ("ThresholdMetricId", "anomaly detection"),
        ):
            if key in alarm.given:
                raise TemplateError(f"{where}: {key}: {feature}, which Route 53 can't follow")
        dimensions = alarm.given.get("Dimensions", [])
        if not isinstance(dimensions, list):
            raise TemplateError(f"{where}: Dimensions: is no list")
        periods, length = alarm.whole("EvaluationPeriods"), alarm.whole("Period")
        _require_window(periods, length, where)
        metric = Metric(
            alarm.text("Namespace"),
            alarm.text("MetricName"),
            tuple(
                (each.text("Name"), each.text("Value"))
                for number, given in enumerate(dimensions)
                for each in [alarm.of(given, f"{where}: Dimensions[{number}]")]
            ),
        )
        comparisons = cast(Sequence[Comparison], list(COMPARISONS))
        handlings = [each.value for each in Missing]
        return Alarm(
            name=alarm_name(self.templates, reference),
            metric=metric,
            statistic=alarm.choice("Statistic", limits.FAILOVER_STATISTICS),
            comparison=alarm.choice("ComparisonOperator", comparisons),
            threshold=alarm.number("Threshold"),
            period_seconds=length,
            evaluation_periods=periods,
            datapoints_to_alarm=alarm.whole("DatapointsToAlarm", default=periods),
            missing=Missing(alarm.choice("TreatMissingData", handlings, default="missing")),
            connects_only=metric.name == names.PEER_METRIC
            and any(
                probe.namespace == metric.namespace
                and metric.dimension("Host") in probe.connecting_peers
                for probe in self.probes
            ),
        )


def _zone(record: Values) -> str:
    for key in _ZONE_KEYS:
        if key in record.given:
            # Only whether two records have the same zone matters.
            return json.dumps(record.given[key], sort_keys=True, default=str)
    raise TemplateError(f"{record.where}: names no hosted zone")


def _address(config: Values) -> str:
    key = "IPAddress" if "IPAddress" in config.given else "FullyQualifiedDomainName"
    text = config.text(key)
    if key == "IPAddress" and _is_private(text):
        raise TemplateError(
            f"{config.where}: IPAddress: Route 53 refuses {text}, as its health checkers can't "
            "reach it over the internet"
        )
    return text


def _interval(config: Values) -> int:
    seconds = config.whole("RequestInterval", default=30)
    if seconds not in limits.REQUEST_INTERVALS_SECONDS:
        allowed = " or ".join(map(str, limits.REQUEST_INTERVALS_SECONDS))
        raise TemplateError(
            f"{config.where}: RequestInterval: Route 53 refuses {seconds}; allowed: {allowed}"
        )
    return seconds


def _regions(config: Values) -> int:
    regions = config.given.get("Regions")
    if not isinstance(regions, list) or not regions:
        return DEFAULT_REGIONS
    if len(regions) < _LEAST_REGIONS:
        raise TemplateError(
            f"{config.where}: Regions: Route 53 refuses {len(regions)}; give {_LEAST_REGIONS} or "
            "more"
        )
    return len(regions)


def _group_values(actions: object) -> Iterator[object]:
    """Yield what a listener's actions name as target groups."""
    for action in actions if isinstance(actions, list) else []:
        match action:
            case {"TargetGroupArn": value}:
                yield value
            case {"ForwardConfig": {"TargetGroups": list(groups)}}:
                yield from (each.get("TargetGroupArn") for each in groups)


def _joined(
    records: Mapping[_PairKey, Mapping[Role, Record]],
) -> Mapping[_PairKey, Mapping[Role, Record]]:
    """Join a primary and a secondary of one name, where two templates name the zone differently.

    One has it as a resource and another one as a parameter, so only the deployment knows that it
    is the same zone.
    """
    joined = {key: dict(roles) for key, roles in records.items()}
    halves = [key for key, roles in joined.items() if len(roles) == 1]
    for first, second in combinations(halves, 2):
        unknown = any(not zone.startswith('"') for zone in (first[0], second[0]))
        apart = joined[first].keys().isdisjoint(joined[second])
        if first[1:] == second[1:] and unknown and apart:
            joined[first] |= joined.pop(second)
            return _joined(joined)
    return joined


def _pair(name: str, kind: str, roles: Mapping[Role, Record]) -> Pair:
    for role in Role:
        if role not in roles:
            raise TemplateError(
                f"{name} {kind}: has no {role.value} record; give the template that defines it too"
            )
    for role, record in roles.items():
        for check in basic_health_checks(record.health_check):
            if isinstance(check, EndpointCheck) and check.address.rstrip(".").lower() == name:
                # Route53/latest/APIReference/API_HealthCheckConfig.html: FullyQualifiedDomainName
                raise TemplateError(
                    f"{name} {kind}: {check.label} of the {role.value} record checks the record's "
                    "own name, for which AWS calls the results unpredictable; check the host's "
                    "address or a name of its own"
                )
    return Pair(name, kind, roles[Role.PRIMARY], roles[Role.SECONDARY])


def _is_private(address: str) -> bool:
    """Whether Route 53 refuses an IP address; those for documentation may occur in examples."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False  # only the deployment knows it
    return not parsed.is_global and not any(parsed in each for each in _DOCUMENTATION)


def _require_window(periods: int, length: int, where: str) -> None:
    """Raise if CloudWatch would refuse the alarm (API reference, PutMetricAlarm: Period)."""
    most = limits.MAX_ALARM_WINDOW_SECONDS
    if length < limits.SHORT_PERIOD_SECONDS:
        most = limits.MAX_ALARM_WINDOW_SECONDS_SHORT_PERIOD
    if periods * length > most:
        raise TemplateError(
            f"{where}: looks back over {periods} periods of {length} s; CloudWatch allows {most} s "
            "in all for periods of that length"
        )


def alarm_name(templates: Templates, reference: Reference) -> str:
    """Return the AlarmName of an alarm, or its logical id where only the deployment knows it.

    One without AlarmName is ``${LogicalId}``, with its stack where two templates have that id.
    """
    properties = templates.properties(reference)
    if "AlarmName" in properties:
        try:
            return templates.text(reference.stack, properties["AlarmName"], "AlarmName")
        except TemplateError:
            return reference.logical_id
    alike = [
        stack
        for stack, template in templates.by_stack.items()
        if template["Resources"].get(reference.logical_id, {}).get("Type") == _ALARM
    ]
    if len(alike) > 1:
        return f"${{{reference.stack}.{reference.logical_id}}}"
    return f"${{{reference.logical_id}}}"


def _label(properties: JsonObject) -> str | None:
    tags = properties.get("HealthCheckTags", ())
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, Mapping) and tag.get("Key") == "Name":
            name = tag.get("Value")
            return name if isinstance(name, str) else None
    return None
