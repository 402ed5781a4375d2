"""Reads health checks from templates, and the alarms and load balancers that they follow."""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar, cast

from resiliency.failover_model.alarm_evaluation import COMPARISONS, Comparison, Missing
from resiliency.failover_model.expressions import Reference, TemplateError, Templates
from resiliency.failover_model.graph import (
    DEFAULT_REGIONS,
    TCP,
    Alarm,
    AlarmCheck,
    CalculatedCheck,
    EndpointCheck,
    HealthCheck,
    Metric,
    Probe,
)
from resiliency.failover_model.route53 import InsufficientData
from resiliency.failover_model.values import Values
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.shared import limits, names
from staged_resiliency.shared.limits import MAX_FAILURE_THRESHOLD

ALARM: Final = "AWS::CloudWatch::Alarm"
_COMPOSITE: Final = "AWS::CloudWatch::CompositeAlarm"
_HEALTH_CHECK: Final = "AWS::Route53::HealthCheck"
_ENDPOINT_KINDS: Final = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")

_ELB: Final = "AWS::ElasticLoadBalancingV2"
_BALANCER: Final = re.compile(r"\$\{(\w+)\.DNSName\}$")
_LEAST_REGIONS: Final = 3
# RFC 5737 and RFC 3849.
_DOCUMENTATION: Final = [
    ipaddress.ip_network(each)
    for each in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]

Check = TypeVar("Check", bound=HealthCheck)


@dataclass(slots=True)
class HealthCheckReader:
    """Reads the health checks and alarms of one set of templates; each health check once."""

    templates: Templates
    probes: Sequence[Probe]
    _checks: dict[Reference, HealthCheck | None] = field(default_factory=dict)

    def target_groups(self, stack_of_record: str, target: str) -> Sequence[EndpointCheck]:
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

    def named_check(self, stack: str, value: object, where: str) -> HealthCheck:
        """Read the health check to which a value refers."""
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
        self.templates.require_unconditional(reference)
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
                self.named_check(stack, child, f"{where}: ChildHealthChecks[{number}]")
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
        alarm = self.alarm(reference)
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
            for kind in (ALARM, _COMPOSITE)
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

    def alarm(self, reference: Reference) -> Alarm:
        """Read an alarm on a single metric."""
        self.templates.require_unconditional(reference)
        alarm = self._values(reference)
        where = alarm.where
        for key, feature in (
            ("Metrics", "metric math"),
            ("ExtendedStatistic", "a percentile or another extended statistic"),
            ("ThresholdMetricId", "anomaly detection"),
        ):
            if key in alarm.given:
                raise TemplateError(f"{where}: {key}: {feature}, which Route 53 can't follow")
        periods, length = alarm.whole("EvaluationPeriods"), alarm.whole("Period")
        _require_window(periods, length, where)
        metric = Metric(
            alarm.text("Namespace"),
            alarm.text("MetricName"),
            tuple((each.text("Name"), each.text("Value")) for each in alarm.objects("Dimensions")),
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
        if template["Resources"].get(reference.logical_id, {}).get("Type") == ALARM
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
