"""Checks which host serves clients, and what decides it: DNS answer, records, health checks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from resiliency.account import readers
from resiliency.drill_cli.aws import Aws, Operation
from resiliency.rehearsal.deployment import Deployment
from resiliency.status.deployed import Deployed
from resiliency.status.metrics import latest
from resiliency.status.sections import Section
from staged_resiliency.drills.runtime.client_view import ask_for
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.network import UnansweredError, is_ipv4
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.experiment.observations import NO_ANSWER

TEST_ANSWER: Final[Operation] = ("route53", "TestDNSAnswer")

_DEPLOY: Final = "deploy the failover stack again"
_COMPARE: Final = "compare the records with the deployed template: resiliency status --drift"
_ASSOCIATE: Final = (
    "associate the address with the right instance, or mend the host's configuration"
)


def serving(deployed: Deployed, context: Context, section: Section) -> None:
    """Check who serves clients: by Route 53's answer, the system's resolver, and the host."""
    plans = [each.plan for each in deployed.drills.drills] if deployed.drills else []
    in_vpc = next((each for each in plans if each.client_function is not None), None)
    for pair in deployed.pairs:
        name, zone, record_type = pair.pair.name, _zone(deployed, pair), pair.pair.record_type
        if in_vpc is not None and pair.dependency is None:
            _serving_in_vpc(in_vpc, pair, context, section)
            continue
        if in_vpc is not None:
            section.not_asked.append(
                f"{name}: its zone may be private, and Route 53 shows answers of public zones only"
            )
            continue
        if zone is None:
            section.not_asked.append(f"{name}: its template has no ID of a hosted zone")
            continue
        answer = deployed.account.home(
            *TEST_ANSWER, HostedZoneId=zone, RecordName=name, RecordType=record_type
        )
        addresses = sorted(answer["RecordData"]) if answer["ResponseCode"] == "NOERROR" else []
        if pair.dependency is not None:
            _own_name(pair, addresses, context, section)
            continue
        host = _host_at(pair, addresses, context)
        shown = ", ".join(addresses) or "nothing"
        section.row(host or "unknown", f"Route 53 answers ({record_type})", shown)
        _find_host(pair, host, "Route 53", addresses, section)
        if record_type != "A":  # this machine may have no IPv6
            continue
        resolved = sorted(each for each in context.resolve(name) if is_ipv4(each))
        section.row("", "this machine resolves", ", ".join(resolved) or "nothing")
        if addresses and not set(resolved) & set(addresses):
            section.find(
                f"this machine resolves {name} to {', '.join(resolved) or 'nothing'}, Route 53 "
                f"answers {', '.join(addresses)}",
                "wait until the TTL is over; if it stays so, the zone is not delegated to Route 53 "
                "here, or a resolver has an entry of its own",
            )
        for address in (resolved or addresses)[:1]:
            _ask(deployed, pair, address, context, section)


def _serving_in_vpc(plan: Plan, pair: Deployment, context: Context, section: Section) -> None:
    """Check who serves clients in the VPC of private hosts, as the drills' function there sees it.

    The zone may be private: Route 53 does not show its answer, and this machine may have none.
    """
    name = pair.pair.name
    if pair.pair.record_type != "A":
        section.not_asked.append(
            f"{name}: the drills' function in the VPC reaches IPv4 addresses only"
        )
        return
    try:
        found = ask_for(plan, name, context)
    except AwsError as error:
        section.not_asked.append(f"{name}: the drills' function in the VPC failed: {error}")
        return
    host = _host_at(pair, found.addresses, context)
    shown = ", ".join(found.addresses) or "nothing"
    section.row(host or "unknown", "the resolver of the VPC answers (A)", shown)
    _find_host(pair, host, "the resolver of the VPC", found.addresses, section)
    section.row(found.host, f"{plan.endpoint.path} in the VPC", found.reason)
    if found.host == NO_ANSWER:
        section.find(
            f"clients of {name} get no answer: {found.reason}",
            f"see whether the service on that host runs: {plan.endpoint}",
        )
    elif host is not None and found.host != host:
        section.find(f"{found.host!r} answers {found.reason}, the address of {host}", _ASSOCIATE)


def _find_host(
    pair: Deployment, host: str | None, who: str, addresses: Sequence[str], section: Section
) -> None:
    """Report clients that are not sent to the active host."""
    shown = ", ".join(addresses) or "nothing"
    _find_standby(pair, host, "the standby", section)
    if host is None:
        section.find(
            f"{who} answers {shown} for {pair.pair.name}, the address of neither host", _COMPARE
        )


def _find_standby(pair: Deployment, host: str | None, role: str, section: Section) -> None:
    if host == pair.standby.name:
        section.find(
            f"clients of {pair.pair.name} are sent to {host}, {role}",
            f"find out why {pair.active.name} is unhealthy, from the findings on health checks",
        )


def _own_name(pair: Deployment, answer: Sequence[str], context: Context, section: Section) -> None:
    """Check which target clients of a dependency's own name are sent to."""
    name, record_type = pair.pair.name, pair.pair.record_type
    if record_type == "CNAME":
        given = [readers.dns_name(each) for each in answer]
        target = next((each.name for each in pair.hosts if [each.address] == given), None)
    else:  # an alias, whose addresses change: perhaps others were resolved than are answered
        target = _host_at(pair, answer, context)
    shown = ", ".join(answer) or "nothing"
    section.row(target or "unknown", f"Route 53 answers ({record_type})", f"{shown} for {name}")
    _find_standby(pair, target, f"the secondary of {pair.dependency}", section)
    if target is None and (record_type == "CNAME" or not answer):
        section.find(
            f"Route 53 answers {shown} for {name}, neither the primary nor the secondary of "
            f"{pair.dependency}",
            _COMPARE,
        )


def _ask(
    deployed: Deployed, pair: Deployment, address: str, context: Context, section: Section
) -> None:
    """Ask the service at an address which host it is on."""
    endpoint = deployed.endpoint
    try:
        found = context.ask(address, endpoint, pair.pair.name)
    except UnansweredError as error:
        section.row("no answer", f"{endpoint.path} at {address}", str(error))
        section.find(
            f"clients of {pair.pair.name} get no answer from {address}: {error}",
            f"see whether the service on that host runs: {endpoint}",
        )
        return
    expected = _host_at(pair, [address], context)
    host = expected or "" if endpoint.field is None else found
    section.row(host, f"{endpoint.path} at {address}", "answered")
    if endpoint.field is not None and expected is not None and found != expected:
        section.find(f"{found!r} answers at {address}, the address of {expected}", _ASSOCIATE)


def records(deployed: Deployed, context: Context, section: Section) -> None:
    """Check that each pair of records exists as deployed, with its health check."""
    checks = {id_ for _, id_ in deployed.ids("AWS::Route53::HealthCheck")}
    for pair in deployed.pairs:
        existing = _records(deployed, pair)
        for role, values in (
            ("PRIMARY", pair.pair.primary.values),
            ("SECONDARY", pair.pair.secondary.values),
        ):
            label = f"{pair.pair.name} {pair.pair.record_type} {role}"
            found = existing.get(role)
            if found is None:
                section.row("missing", label)
                section.find(f"there is no record {label}", _DEPLOY)
                continue
            now = readers.values_of(found)
            check = found.get("HealthCheckId")
            section.row(role.lower(), label, f"{', '.join(now)}, health check {check or 'none'}")
            if sorted(now) != sorted(readers.dns_name(each) for each in values):
                section.find(
                    f"{label} has {', '.join(now)}; {', '.join(values)} was deployed",
                    "deploy the failover stack again, or change the service file to match",
                )
            if role == "PRIMARY" and check is None:
                section.find(
                    f"{label} has no health check, so clients are never sent to the standby",
                    _DEPLOY,
                )
            elif check is not None and check not in checks:
                section.find(
                    f"{label} follows the health check {check}, which the stack does not have",
                    _DEPLOY,
                )
    for why in deployed.left_out:
        section.find(f"left out: {why}", "")


def health_checks(deployed: Deployed, context: Context, section: Section) -> None:
    """Check each health check: its status, its observers, and whether it follows its alarm."""
    found: dict[str, JsonObject] = {}
    for pair in deployed.pairs:
        for role, record in _records(deployed, pair).items():
            if check := record.get("HealthCheckId"):
                for id_, content in _tree(deployed.account.home, str(check), found):
                    if content is None:
                        section.find(
                            f"the health check {id_} of {pair.pair.name} {role} does not exist, so "
                            "Route 53 counts it as healthy",
                            _DEPLOY,
                        )
    healthy = _statuses(deployed, list(found), context)
    for id_, check in found.items():
        config = check["HealthCheckConfig"]
        label = _label(config, id_)
        kind = config["Type"]
        observers = ""
        if kind not in ("CALCULATED", "CLOUDWATCH_METRIC"):
            seen = readers.observations(deployed.account.home, id_)
            reports = [str(each.get("StatusReport", {}).get("Status", "")) for each in seen]
            bad = [each for each in reports if not each.startswith("Success")]
            good = len(seen) - len(bad)
            observers = f"{good} of {len(seen)} health checkers get an answer"
            if bad:
                observers += f"; others: {bad[0]}"
        state = {1.0: "healthy", 0.0: "unhealthy"}.get(healthy.get(id_, -1.0), "no data")
        section.row(state, label, observers)
        if state == "unhealthy":
            section.find(
                f"health check {label} is unhealthy{f' ({observers})' if observers else ''}",
                "mend what it watches; its alarm or endpoint is in the sections below",
            )
        for flag, effect in (
            ("Disabled", "Route 53 counts it as healthy whatever happens"),
            ("Inverted", "it counts as healthy while what it watches is not"),
        ):
            if config.get(flag):
                section.find(
                    f"health check {label} is {flag.lower()}: {effect}",
                    f"undo it: aws route53 update-health-check --health-check-id {id_}",
                )
        if kind == "CLOUDWATCH_METRIC":
            _compare(deployed, id_, check, section)


def _compare(deployed: Deployed, id_: str, check: JsonObject, section: Section) -> None:
    identifier = check["HealthCheckConfig"].get("AlarmIdentifier")
    if identifier is None:
        section.not_asked.append(f"health check {id_}: Route 53 does not return its alarm")
        return
    name, region = str(identifier["Name"]), str(identifier["Region"])
    aws = deployed.account.in_region(region)
    alarm = readers.alarms_named(aws, [name]).get(name)
    if alarm is None:
        section.find(
            f"the alarm {name} in {region}, from which health check {id_} was made, does not exist",
            _DEPLOY,
        )
        return
    copy = check.get("CloudWatchAlarmConfiguration")
    if copy is None:
        section.not_asked.append(f"health check {id_}: Route 53 returns no copy of its alarm")
        return
    differing = [
        f"{key} {json.dumps(readers.in_any_order(copy[key]))} where the alarm has "
        f"{json.dumps(readers.in_any_order(alarm.get(key)))}"
        for key in readers.stale_settings(copy, alarm)
    ]
    if differing:
        section.find(
            f"health check {id_} no longer follows its alarm {name}: it has {'; '.join(differing)}",
            "read the alarm again: aws route53 update-health-check --health-check-id "
            f"{id_} --alarm-identifier Region={region},Name={name}",
        )


def _zone(deployed: Deployed, pair: Deployment) -> str | None:
    """The hosted zone of a pair; None where the template has no ID of it."""
    for stack in deployed.stacks:
        for resource in stack.template.get("Resources", {}).values():
            properties = resource.get("Properties", {})
            for each in (properties, *properties.get("RecordSets", ())):
                if str(each.get("Name", "")).rstrip(".").lower() == pair.pair.name:
                    found = each.get("HostedZoneId", properties.get("HostedZoneId"))
                    if isinstance(found, str):
                        return found
    return None


def _records(deployed: Deployed, pair: Deployment) -> Mapping[str, JsonObject]:
    """The records of a pair that exist, by role."""
    zone, name = _zone(deployed, pair), pair.pair.name
    if zone is None:
        return {}
    answer = deployed.account.home(
        *readers.RECORDS,
        HostedZoneId=zone,
        StartRecordName=name,
        StartRecordType=pair.pair.record_type,
        MaxItems="10",
    )
    return {
        each["Failover"]: each
        for each in answer["ResourceRecordSets"]
        if (readers.dns_name(each["Name"]), each["Type"]) == (name, pair.pair.record_type)
        and "Failover" in each
    }


def _host_at(pair: Deployment, addresses: Sequence[str], context: Context) -> str | None:
    """The host that has one of some addresses; an alias has those of its load balancer."""
    for host in pair.hosts:
        own = {host.address} if host.address[:1].isdigit() else set(context.resolve(host.address))
        if own & set(addresses):
            return host.name
    return None


def _tree(
    aws: Aws, id_: str, found: dict[str, JsonObject]
) -> Iterator[tuple[str, JsonObject | None]]:
    """Yield a health check and those that it is calculated from, once each."""
    if id_ in found:
        return
    check = readers.health_check(aws, id_)
    if check is not None:
        found[id_] = check
    yield id_, check
    for child in (check or {}).get("HealthCheckConfig", {}).get("ChildHealthChecks", ()):
        yield from _tree(aws, child, found)


def _label(config: JsonObject, id_: str) -> str:
    if "AlarmIdentifier" in config:
        return f"{id_} on {config['AlarmIdentifier']['Name']}"
    if config["Type"] == "CALCULATED":
        return f"{id_} calculated from {len(config.get('ChildHealthChecks', ()))}"
    where = config.get("IPAddress") or config.get("FullyQualifiedDomainName", "")
    return f"{id_} on {config['Type']} {where}{config.get('ResourcePath', '')}"


def _statuses(deployed: Deployed, ids: Sequence[str], context: Context) -> Mapping[str, float]:
    """The last status of health checks: 1 for healthy, 0 for unhealthy."""
    metrics = {
        id_: {
            "Namespace": "AWS/Route53",
            "MetricName": "HealthCheckStatus",
            "Dimensions": [{"Name": "HealthCheckId", "Value": id_}],
        }
        for id_ in ids
    }
    found = latest(deployed.account.of_health_checks(), metrics, "Minimum", context)
    return {id_: value for id_, (_, value) in found.items()}
