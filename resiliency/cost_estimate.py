"""Estimate the monthly cost of stacks from their templates.

List prices of us-east-1 in US dollars, as AWS publishes them; verify them before you rely on them.
Not included are free tiers, data transfer, messages, all API calls other than the agents', and the
calls, logs and journals of drills, which cost cents. AWS publishes no price for calculated health
checks and those on alarms; the price of an AWS endpoint is assumed.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from resiliency.cloud_assembly import SynthesizedStack
from staged_resiliency.drills.runtime.metrics import DAYS_SINCE_PASSED
from staged_resiliency.drills.schedule import DrillSchedule
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.probe.cloudwatch_configuration import NAMESPACE as CLOUDWATCH_AGENT
from staged_resiliency.probe.configuration import StatsdMetrics, decoded
from staged_resiliency.shared import names

ALARM: Final = Decimal("0.10")
CUSTOM_METRIC: Final = Decimal("0.30")
# One PutMetricData a minute, 43,800 a month, at $0.01 a thousand; likewise the CloudWatch agent.
PROBE_REQUESTS: Final = Decimal("0.438")
HEALTH_CHECK_AWS: Final = Decimal("0.50")
HEALTH_CHECK_ELSEWHERE: Final = Decimal("0.75")
# For each of HTTPS, string matching and the 10-second interval. The higher price, outside AWS, is
# assumed for endpoints, because a template does not show whose address it contains.
HEALTH_CHECK_OPTION: Final = Decimal("2.00")

_METRICS_PER_DRILL: Final = 2
_FAULTS: Final = "minutes of AWS FIS, as drills are scheduled (none in dry runs)"
_WATCHDOG: Final = "custom metrics that the watchdog of drills publishes"
_REQUESTS: Final = "requests of one host's probe to CloudWatch"
_AGENT_REQUESTS: Final = "requests of one host's CloudWatch agent to CloudWatch"
_METRICS: Final = "custom metrics of probes, and one of all drills of a service"
_AGENT_METRICS: Final = "custom metrics of CloudWatch agents"
_APPLICATIONS: Final = "custom metrics that applications may create by StatsD, at most"
_DASHBOARDS: Final = "dashboards (three of an account are free)"
# Each of the first two rotations of a key adds the price of a key, so the most after two years is
# three times as much: https://aws.amazon.com/kms/pricing/ (verify).
_KEYS: Final = "KMS keys ($1 more after each of the first two yearly rotations)"
_CHECKS: Final = "health checks on alarms or calculated (price assumed)"
_ENDPOINTS: Final = "health checks of endpoints"
_OPTIONS: Final = "health check options (HTTPS, text search, 10 s)"
_PRICES: Final[Mapping[str, Decimal]] = {
    "alarms": ALARM,
    _METRICS: CUSTOM_METRIC,
    _APPLICATIONS: CUSTOM_METRIC,
    _REQUESTS: PROBE_REQUESTS,
    _AGENT_METRICS: CUSTOM_METRIC,
    _AGENT_REQUESTS: PROBE_REQUESTS,
    # Metrics are charged by the hour in which data is sent; the watchdog sends once a day.
    _WATCHDOG: Decimal("0.0125"),
    _FAULTS: Decimal("0.10"),
    _DASHBOARDS: Decimal("3.00"),
    _KEYS: Decimal("1.00"),
    _CHECKS: HEALTH_CHECK_AWS,
    _ENDPOINTS: HEALTH_CHECK_ELSEWHERE,
    _OPTIONS: HEALTH_CHECK_OPTION,
}
"""The items of an estimate in its order, with the price of one a month."""


@dataclass(frozen=True, slots=True)
class CostItem:
    """One line of an estimate: what AWS charges for, and US dollars a month for each."""

    what: str
    count: int
    each: Decimal

    @property
    def live_only(self) -> bool:
        """Whether the cost arises only if drills inject their faults."""
        return self.what == _FAULTS

    @property
    def monthly(self) -> Decimal:
        """The monthly cost in US dollars: the price times the count."""
        return self.count * self.each


def monthly_costs(stacks: Iterable[SynthesizedStack]) -> Sequence[CostItem]:
    """Return the items of an estimate for several stacks together, without those of count 0."""
    counts = Counter[str]()
    metrics: dict[str, JsonObject] = {}
    applications: dict[tuple[str, str], StatsdMetrics] = {}
    for stack in stacks:
        where = f"{stack.account} {stack.region}"
        for alarm in stack.properties_of("AWS::CloudWatch::Alarm"):
            counts["alarms"] += 1
            if alarm.get("MetricName") == DAYS_SINCE_PASSED:
                counts[_WATCHDOG] += _METRICS_PER_DRILL
            elif not str(alarm.get("Namespace", "AWS/")).startswith("AWS/"):
                metrics[f"{where} {_metric(alarm)}"] = alarm
        for association in stack.properties_of("AWS::SSM::Association"):
            hosts = _targets(association, ("tag:Name", "InstanceIds"))
            if "Digest" in association.get("Parameters", {}):
                counts[_AGENT_REQUESTS] += len(hosts)
            if association.get("Parameters", {}).get("Action") != ["Install"]:
                continue
            counts[_REQUESTS] += len(hosts)
            configuration = _configuration(association)
            for metric in _probe_metrics(configuration, _targets(association, ("tag:Name",))):
                metrics[f"{where} {_metric(metric)}"] = metric
            statsd = _statsd(configuration)
            if statsd is not None:
                namespace = str(configuration.get("namespace"))
                applications |= {(namespace, host): statsd for host in hosts}
        counts[_FAULTS] += math.ceil(_fault_minutes(stack))
        counts[_DASHBOARDS] += len(stack.properties_of("AWS::CloudWatch::Dashboard"))
        counts[_KEYS] += len(stack.properties_of("AWS::KMS::Key"))
        for check in stack.properties_of("AWS::Route53::HealthCheck"):
            counts.update(_health_check_items(check.get("HealthCheckConfig", {})))
    own = [each for each in metrics.values() if not _is_sent(each, applications)]
    counts[_AGENT_METRICS] = sum(each.get("Namespace") == CLOUDWATCH_AGENT for each in own)
    counts[_METRICS] = len(own) - counts[_AGENT_METRICS]
    counts[_APPLICATIONS] = sum(statsd.most_metrics for statsd in applications.values())
    return [CostItem(what, counts[what], each) for what, each in _PRICES.items() if counts[what]]


def _targets(association: JsonObject, keys: Container[str]) -> list[str]:
    """List the hosts that an association names; those that a tag selects are not known here."""
    return [
        str(value)
        for target in association.get("Targets", ())
        if target.get("Key") in keys
        for value in target.get("Values", ())
    ]


def _probe_metrics(configuration: JsonObject, hosts: Sequence[str]) -> Iterator[JsonObject]:
    """Yield the metrics that a probe publishes at any time, of hosts whose names are known."""
    namespace = configuration.get("namespace")

    def metric(name: str, **dimensions: str) -> JsonObject:
        listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        return {"Namespace": namespace, "MetricName": name, "Dimensions": listed}

    if not namespace:
        return
    peers = configuration.get("peers", {})
    for host in hosts:
        yield metric(names.HEARTBEAT_METRIC, Host=host)
        for target in configuration.get("targets", ()):
            yield metric(target["metric"], Host=host)
            dependency = target["metric"].removesuffix(names.connectivity_metric(""))
            if target.get("latency"):
                yield metric(names.latency_metric(dependency), Host=host)
            if target.get("certificate"):
                yield metric(names.certificate_metric(dependency), Host=host)
        for peer in peers if host in peers else ():
            if peer != host:
                yield metric(names.PEER_METRIC, Host=peer, Observer=host)


def _statsd(configuration: JsonObject) -> StatsdMetrics | None:
    """Return a probe's settings for StatsD, if it has any."""
    settings = configuration.get("statsd")
    try:
        return StatsdMetrics(**settings) if isinstance(settings, dict) else None
    except (TypeError, ValueError):  # it is not of this version of the probe
        return None


def _is_sent(metric: JsonObject, applications: Mapping[tuple[str, str], StatsdMetrics]) -> bool:
    """Return whether a metric is one that an application may send, and so counted already."""
    dimensions = {each.get("Name"): each.get("Value") for each in metric.get("Dimensions") or ()}
    statsd = applications.get((str(metric.get("Namespace")), str(dimensions.get("Host"))))
    return statsd is not None and statsd.allows(str(metric.get("MetricName")))


def _configuration(association: JsonObject) -> JsonObject:
    """Decode a probe's configuration; an empty one where only the deployment knows it."""
    try:
        found = decoded(association["Parameters"]["Configuration"][0])
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _fault_minutes(stack: SynthesizedStack) -> float:
    """Return the minutes of all drills' faults in a month; once for a drill without a schedule."""
    runs = dict(_scheduled_runs(stack))
    return sum(
        runs.get(str(template.get("Tags", {}).get("Name")), 1)
        * sum(map(_minutes, template.get("Actions", {}).values()))
        for template in stack.properties_of("AWS::FIS::ExperimentTemplate")
    )


def _scheduled_runs(stack: SynthesizedStack) -> Iterator[tuple[str, float]]:
    """Yield the name of each state machine that a schedule starts, with its runs in a month.

    A drill's state machine and its experiment template have the same name.
    """
    for schedule in stack.properties_of("AWS::Scheduler::Schedule"):
        started = json.dumps(schedule.get("Target", {}).get("Input"))
        try:
            recurring = DrillSchedule(
                schedule.get("ScheduleExpression", ""),
                schedule.get("ScheduleExpressionTimezone", "UTC"),
            )
        except (ValueError, TypeError):  # it is not a drill's
            continue
        for logical_id, resource in stack.resources.items():
            if json.dumps({"Fn::GetAtt": [logical_id, "Arn"]}) in started:
                machine = str(resource.get("Properties", {}).get("StateMachineName"))
                yield machine, recurring.runs_per_month


def _minutes(action: JsonObject) -> int:
    """Return the minutes of an experiment's action, for which AWS FIS is charged."""
    parameters = action.get("Parameters", {})
    duration = parameters.get("duration") or parameters.get("startInstancesAfterDuration") or ""
    found = re.fullmatch(r"PT(\d+)M", duration)
    return int(found[1]) if found else 0


def _metric(alarm: JsonObject) -> str:
    fields = ("Namespace", "MetricName", "Dimensions")
    named = {**alarm, "Dimensions": sorted(map(str, alarm.get("Dimensions") or ()))}
    return json.dumps([named.get(field) for field in fields], sort_keys=True)


def _health_check_items(config: JsonObject) -> Iterator[str]:
    kind = str(config.get("Type"))
    if kind in ("CLOUDWATCH_METRIC", "CALCULATED"):
        yield _CHECKS
        return
    yield _ENDPOINTS
    if kind.startswith("HTTPS"):
        yield _OPTIONS
    if kind.endswith("_STR_MATCH"):
        yield _OPTIONS
    if config.get("RequestInterval") == 10:
        yield _OPTIONS
