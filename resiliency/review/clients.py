"""Effects of a change on clients: names without an answer, and clients sent elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.failover_model.expressions import TemplateError, Templates
from resiliency.failover_model.graph import (
    Alarm,
    AlarmCheck,
    BasicHealthCheck,
    CalculatedCheck,
    Metric,
    Pair,
)
from resiliency.failover_model.probe_settings import installations
from resiliency.failover_model.route53 import InsufficientData
from resiliency.review.changes import counterpart, items_of, listed, object_of, properties
from resiliency.review.findings import Finding, Level, Topic
from resiliency.review.records import Owner, RecordKey, records_of
from resiliency.review.sides import Sides, templates_of

HEALTH_CHECK: Final = "AWS::Route53::HealthCheck"


def client_findings(sides: Sides) -> Iterator[Finding]:
    """Find moments without an answer, and what sends clients elsewhere or no longer does."""
    yield from _lost_answers(sides)
    for when, graph in zip(("before", "after"), sides.graphs, strict=True):
        for refused in graph.refused:
            name = f" {refused.name}" if refused.name else ""
            text = f"the failover{name} can't be followed {when} the change: {refused.reason}"
            advice = "judge what sends its clients elsewhere by yourself"
            yield Finding(Level.WARNING, Topic.CLIENTS, "", text, advice)
    for pair, former in _pairs(sides):
        stack = _stack_of(pair, sides)
        yield from _without_data(pair, former, stack, sides)
        if former is not None:
            yield from _no_longer_published(former, stack, sides)
            yield from _signals(former, pair, stack)
            yield from _targets(former, pair, stack)
    yield from _stale_rules(sides)


def _lost_answers(sides: Sides) -> Iterator[Finding]:
    updated = [each for each in sides.before if counterpart(each, sides.after)]
    before, after = records_of(updated), records_of(sides.after)
    answers = {key.answer for key in after}
    gone: dict[tuple[str, str, str], Owner] = {}
    for key, owner in before.items():
        if key not in after:
            gone.setdefault(key.answer, owner)
    for answer, owner in gone.items():
        zone, name, record_type = answer
        text = f"{name} {record_type} has no answer any more in zone {zone}"
        advice = "keep the old name alive, for example as an alias of the new one"
        if answer in answers:
            text = f"a record of {name} {record_type} is deleted, and another one is created"
            advice = "keep SetIdentifier; the name may have no answer between the two"
        yield Finding(Level.DANGER, Topic.CLIENTS, owner.stack.name, text, advice)


def _pairs(sides: Sides) -> Iterator[tuple[Pair, Pair | None]]:
    """Yield each pair after the change, with the one of its name before, None if it is new.

    Where each side has a single name of a service, or of a dependency, the two are one pair that
    was renamed.
    """
    for pair in sides.graphs[1].pairs:
        before, after = (
            [each for each in graph.pairs if each.dependency == pair.dependency]
            for graph in sides.graphs
        )
        single = all(len({each.name for each in pairs}) == 1 for pairs in (before, after))
        yield (
            pair,
            next(
                (
                    each
                    for each in before
                    if each.record_type == pair.record_type and (single or each.name == pair.name)
                ),
                None,
            ),
        )


def _second(pair: Pair) -> str:
    """Return the word for the target to which a failover sends clients."""
    return "standby" if pair.dependency is None else "secondary"


def _stack_of(pair: Pair, sides: Sides) -> str:
    found: Mapping[RecordKey, Owner] = records_of(sides.after)
    owners = (owner for key, owner in found.items() if key.name == pair.name)
    return next((owner.stack.name for owner in owners), "")


def _without_data(pair: Pair, former: Pair | None, stack: str, sides: Sides) -> Iterator[Finding]:
    published = _metrics(sides.graphs[0].alarms)
    for check in _alarm_checks(pair):
        metric = check.alarm.metric
        if metric.namespace.startswith("AWS/") or metric in published or check.disabled:
            continue
        text = (
            f"{check.alarm.name} decides the failover of {pair.name}, and its metric "
            f"{_shown(metric)} has no data yet, which"
        )
        level = Level.WARNING
        if check.insufficient_data is InsufficientData.UNHEALTHY:
            text += f" counts as unhealthy: clients are sent to the {_second(pair)}"
            level = Level.WARNING if former is None else Level.DANGER
        else:
            text += " does not count as unhealthy: its failures move no clients"
        text += " until the metric has data"
        advice = (
            "update this stack once the probe publishes the metric: aws cloudwatch list-metrics "
            f"--namespace {metric.namespace} --metric-name {metric.name}"
        )
        yield Finding(level, Topic.CLIENTS, stack, text, advice)


def _no_longer_published(former: Pair, stack: str, sides: Sides) -> Iterator[Finding]:
    kept = _metrics([*sides.graphs[1].alarms, *_left_alarms(sides)])
    silent = _probed(sides.before) - _probed([*sides.after, *sides.left])
    for check in _alarm_checks(former):
        metric = check.alarm.metric
        probed = (metric.namespace, metric.dimension("Host"))
        if metric.namespace.startswith("AWS/") or (metric in kept and probed not in silent):
            continue
        yield Finding(
            Level.DANGER,
            Topic.CLIENTS,
            stack,
            f"{_shown(metric)} decides the failover of {former.name} until this stack is updated, "
            "and the probe no longer publishes it once the probe's stack is updated: clients are "
            f"sent to the {_second(former)} in between",
            "take the signal out of failover_on first, and deploy that; a renamed one comes back "
            "once its metric has data"
            if former.dependency is None
            else "let the primary decide first (decided_by: primary), and deploy that",
        )


def _probed(stacks: Sequence[SynthesizedStack]) -> set[tuple[object, object]]:
    """Return the namespaces into which probes publish, each with the hosts of its probes."""
    templates = Templates(templates_of(stacks))
    found = set[tuple[object, object]]()
    for installation in installations(templates):
        try:
            namespace = object_of(installation.configuration()).get("namespace")
        except TemplateError:
            continue
        targets = items_of(templates.properties(installation.reference).get("Targets"))
        hosts = [host for each in targets for host in items_of(object_of(each).get("Values"))]
        found |= {(namespace, host) for host in hosts if isinstance(host, str)}
    return found


def _left_alarms(sides: Sides) -> Sequence[Alarm]:
    names = {
        properties(resource).get("AlarmName")
        for stack in sides.left
        for resource in stack.resources.values()
    }
    return [each for each in sides.graphs[0].alarms if each.name in names]


def _signals(former: Pair, pair: Pair, stack: str) -> Iterator[Finding]:
    before, after = (_by_signal(each) for each in (former, pair))
    if before and not after:
        yield Finding(
            Level.DANGER,
            Topic.CLIENTS,
            stack,
            f"{pair.name} {pair.record_type} has no health check any more: no failure moves "
            f"clients to the {_second(pair)}",
        )
        return
    for signal in [each for each in before if each not in after]:
        text = f"{signal} no longer decides the failover of {pair.name}: it moves no clients"
        yield Finding(Level.WARNING, Topic.CLIENTS, stack, text)
    for signal in [each for each in after if each not in before]:
        text = f"{signal} decides the failover of {pair.name} too: its failure moves all clients"
        yield Finding(Level.WARNING, Topic.CLIENTS, stack, text)
    same_host = former.primary.values == pair.primary.values
    for signal in [each for each in after if each in before]:
        old, new = before[signal], after[signal]
        metrics = [each.alarm.metric for each in (old, new) if isinstance(each, AlarmCheck)]
        if same_host and len(set(metrics)) > 1:
            text = (
                f"the failover of {pair.name} follows {_shown(metrics[1])} in place of "
                f"{_shown(metrics[0])}"
            )
            yield Finding(Level.WARNING, Topic.CLIENTS, stack, text)
        if differing := list(_rule_changes(old, new)):
            text = f"{signal} decides by another rule: {', '.join(differing)}"
            yield Finding(Level.WARNING, Topic.CLIENTS, stack, text)
    thresholds = [
        check.threshold
        for each in (former, pair)
        if isinstance(check := each.primary.health_check, CalculatedCheck)
    ]
    if list(before) == list(after) and len(set(thresholds)) > 1:
        text = "of {} healthy signals, {} must be healthy where {} had to be before".format(
            len(after), *reversed(thresholds)
        )
        yield Finding(Level.WARNING, Topic.CLIENTS, stack, text)


def _targets(former: Pair, pair: Pair, stack: str) -> Iterator[Finding]:
    old, new = (each.primary.values for each in (former, pair))
    if old != new:
        who = "hosts" if pair.dependency is None else "targets"
        swap = f" (the {who} exchange their roles)" if new == former.secondary.values else ""
        text = (
            f"clients of {pair.name} {pair.record_type} are sent to {listed(new)} in place of "
            f"{listed(old)}{swap}: within {former.primary.ttl_seconds} s, where resolvers honor "
            "the TTL"
        )
        advice = "check that the host serves, and that it has the data"
        if pair.dependency is not None:
            advice = "check that it answers for that name, with the same content"
        yield Finding(Level.WARNING, Topic.CLIENTS, stack, text, advice)
    if former.secondary.values != pair.secondary.values and not (
        old != new and pair.secondary.values == old
    ):
        text = (
            f"the {_second(pair)} of {pair.name} {pair.record_type} is "
            f"{listed(pair.secondary.values)}"
        )
        yield Finding(Level.NOTE, Topic.CLIENTS, stack, text)
    if former.primary.ttl_seconds != pair.primary.ttl_seconds:
        text = (
            f"the TTL of {pair.name} {pair.record_type} is {pair.primary.ttl_seconds} s: resolvers "
            f"keep the one of {former.primary.ttl_seconds} s until it is over"
        )
        yield Finding(Level.NOTE, Topic.CLIENTS, stack, text)


def _stale_rules(sides: Sides) -> Iterator[Finding]:
    """Find health checks that keep an alarm's former rule, which Route 53 copied."""
    before, after = ({alarm.name: alarm for alarm in graph.alarms} for graph in sides.graphs)
    changed = {(each.stack.name, each.logical_id) for each in sides.changes}
    templates = sides.templates[1]
    for reference, given in templates.resources(HEALTH_CHECK):
        config = object_of(given.get("HealthCheckConfig"))
        identifier = object_of(config.get("AlarmIdentifier"))
        try:
            name = templates.text(reference.stack, identifier.get("Name"), str(reference))
        except TemplateError:
            continue
        old, new = before.get(name), after.get(name)
        if old is None or new is None or (reference.stack, reference.logical_id) in changed:
            continue
        if differing := list(_copied(old, new)):
            yield Finding(
                Level.DANGER,
                Topic.CLIENTS,
                reference.stack,
                f"the health check {reference.logical_id} keeps the former rule of {name} "
                f"({', '.join(differing)}): Route 53 read it when the health check was made",
                "make a new health check, or update it with the same AlarmIdentifier",
            )


def _metrics(alarms: Sequence[Alarm]) -> set[Metric]:
    return {each.metric for each in alarms}


def _alarm_checks(pair: Pair) -> Iterator[AlarmCheck]:
    return (check for check in pair.primary.checks if isinstance(check, AlarmCheck))


def _shown(metric: Metric) -> str:
    dimensions = " ".join(value for _, value in metric.dimensions)
    return f"{metric.namespace} {metric.name} {dimensions}".rstrip()


def _by_signal(pair: Pair) -> Mapping[str, BasicHealthCheck]:
    """Return what decides, by a name that is the same whichever host is active."""
    return {
        each.alarm.metric.name if isinstance(each, AlarmCheck) else "the endpoint": each
        for each in pair.primary.checks
    }


def _rule_changes(before: BasicHealthCheck, after: BasicHealthCheck) -> Iterator[str]:
    if isinstance(before, AlarmCheck) and isinstance(after, AlarmCheck):
        yield from _copied(before.alarm, after.alarm, metric=False)
        old, new = before.insufficient_data.value, after.insufficient_data.value
        if old != new:
            yield f"without data {old} → {new}"
    elif not isinstance(before, AlarmCheck) and not isinstance(after, AlarmCheck):
        yield from _settings(
            before, after, ("kind", "interval_seconds", "failure_threshold", "regions")
        )
    for name in ("inverted", "disabled"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield name if other else f"not {name}"


def _copied(before: Alarm, after: Alarm, *, metric: bool = True) -> Iterator[str]:
    """Yield what differs of what Route 53 copies from an alarm."""
    if metric and before.metric != after.metric:
        yield f"metric {_shown(before.metric)} → {_shown(after.metric)}"
    names = ("statistic", "comparison", "threshold", "period_seconds", "evaluation_periods")
    yield from _settings(before, after, names)


def _settings(before: object, after: object, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield f"{name.replace('_', ' ')} {one} → {other}"
