"""The checks of a status: each reads one part of the account, and says what is not well."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from resiliency.account import readers
from resiliency.account.readers import JsonObject
from resiliency.drill_cli.aws import MANAGED, Aws, Operation
from resiliency.drill_cli.listing import rows_of
from resiliency.errors import UserError
from resiliency.failover_model.graph import Pair
from resiliency.failover_model.simulation import failover_times
from resiliency.rehearsal.deployment import Deployment
from resiliency.report.wording import day, seconds
from resiliency.status.deployed import GLOBAL_REGION, Deployed
from resiliency.status.sections import Section
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.drill_status import Score
from staged_resiliency.drills.runtime.network import UnansweredError
from staged_resiliency.drills.runtime.plan import EXPIRY_DAYS
from staged_resiliency.shared import names

TEST_ANSWER: Final[Operation] = ("route53", "TestDNSAnswer")
METRICS: Final[Operation] = ("cloudwatch", "GetMetricData")
ASSOCIATION: Final[Operation] = ("ssm", "DescribeAssociation")
ASSOCIATIONS_OF: Final[Operation] = ("ssm", "DescribeInstanceAssociationsStatus")
DETECT: Final[Operation] = ("cloudformation", "DetectStackDrift")
DETECTION: Final[Operation] = ("cloudformation", "DescribeStackDriftDetectionStatus")
DRIFTS: Final[Operation] = ("cloudformation", "DescribeStackResourceDrifts")

COPIED: Final = (
    "Namespace",
    "MetricName",
    "Dimensions",
    "Statistic",
    "Period",
    "EvaluationPeriods",
    "Threshold",
    "ComparisonOperator",
)
"""The settings that a health check copies from its alarm when it is created or updated."""

SILENT_SECONDS: Final = 180.0
"""How old the last heartbeat of a probe may be; it publishes one a minute."""

_WINDOW_SECONDS: Final = 900.0
_DRIFT_POLLS: Final = 60
_DRIFT_SECONDS: Final = 5.0
_OUTAGES: Final = 300
_DAY: Final = 86_400.0

Check = Callable[[Deployed, Context, Section], None]


def serving(deployed: Deployed, context: Context, section: Section) -> None:
    """Check who serves clients: by Route 53's answer, the system's resolver, and the host."""
    for pair in deployed.pairs:
        if pair.pair.record_type != "A":
            continue
        name, zone = pair.pair.name, _zone(deployed, pair)
        if zone is None:
            section.not_asked.append(f"{name}: its template has no ID of a hosted zone")
            continue
        answer = deployed.account.home(
            *TEST_ANSWER, HostedZoneId=zone, RecordName=name, RecordType="A"
        )
        addresses = sorted(answer["RecordData"]) if answer["ResponseCode"] == "NOERROR" else []
        host = _host_at(pair, addresses, context)
        section.row(host or "unknown", "Route 53 answers", ", ".join(addresses) or "nothing")
        if host == pair.standby.name:
            section.find(
                f"clients of {name} are sent to {host}, the standby",
                f"find out why {pair.active.name} is unhealthy, from the findings on health checks",
            )
        elif host is None:
            section.find(
                f"Route 53 answers {', '.join(addresses) or 'nothing'} for {name}, the address of "
                "neither host",
                "compare the records with the deployed template: resiliency status --drift",
            )
        resolved = sorted(context.resolve(name))
        section.row("", "this machine resolves", ", ".join(resolved) or "nothing")
        if addresses and not set(resolved) & set(addresses):
            section.find(
                f"this machine resolves {name} to {', '.join(resolved) or 'nothing'}, Route 53 "
                f"answers {', '.join(addresses)}",
                "wait until the TTL is over; if it stays so, the zone is not delegated to Route 53 "
                "here, or a resolver has an entry of its own",
            )
        _ask(deployed, pair, (resolved or addresses)[:1], context, section)


def _ask(
    deployed: Deployed,
    pair: Deployment,
    addresses: Sequence[str],
    context: Context,
    section: Section,
) -> None:
    endpoint = deployed.endpoint
    for address in addresses:
        try:
            found = context.ask(address, endpoint, pair.pair.name)
        except UnansweredError as error:
            section.row("no answer", f"{endpoint.path} at {address}", str(error))
            section.find(
                f"clients of {pair.pair.name} get no answer from {address}: {error}",
                f"see whether the service on that host runs: {endpoint}",
            )
            continue
        expected = _host_at(pair, [address], context)
        host = expected or "" if endpoint.field is None else found
        section.row(host, f"{endpoint.path} at {address}", "answered")
        known = {each.name for each in pair.hosts}
        if endpoint.field is not None and expected in known and found != expected:
            section.find(
                f"{found!r} answers at {address}, the address of {expected}",
                "associate the address with the right instance, or mend the host's configuration",
            )


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
                section.find(f"there is no record {label}", "deploy the failover stack again")
                continue
            now = _values(found)
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
                    "deploy the failover stack again",
                )
            elif check is not None and check not in checks:
                section.find(
                    f"{label} follows the health check {check}, which the stack does not have",
                    "deploy the failover stack again",
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
                            "deploy the failover stack again",
                        )
    healthy = _statuses(deployed, list(found), context)
    for id_, check in found.items():
        config = check["HealthCheckConfig"]
        label = _label(config, id_)
        kind = config["Type"]
        observers = ""
        if kind not in ("CALCULATED", "CLOUDWATCH_METRIC"):
            seen = readers.observations(deployed.account.home, id_)
            good = [each for each in seen if _reports(each).startswith("Success")]
            observers = f"{len(good)} of {len(seen)} health checkers get an answer"
            bad = [_reports(each) for each in seen if each not in good]
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
                section.find(f"health check {label} is {flag.lower()}: {effect}", _redeploy(id_))
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
            "deploy the failover stack again",
        )
        return
    copy = check.get("CloudWatchAlarmConfiguration")
    if copy is None:
        section.not_asked.append(f"health check {id_}: Route 53 returns no copy of its alarm")
        return
    differing = [
        f"{field} {_shown(copy.get(field))} where the alarm has {_shown(alarm.get(field))}"
        for field in COPIED
        if _comparable(copy.get(field)) != _comparable(alarm.get(field))
    ]
    if differing:
        section.find(
            f"health check {id_} no longer follows its alarm {name}: it has {'; '.join(differing)}",
            "read the alarm again: aws route53 update-health-check --health-check-id "
            f"{id_} --alarm-identifier Region={region},Name={name}",
        )


def alarms(deployed: Deployed, context: Context, section: Section) -> None:
    """Check that every alarm of the stacks exists, is OK, and notifies somebody."""
    for region, found in _alarms(deployed).items():
        aws = deployed.account.in_region(region)
        read = readers.alarms_named(aws, found)
        for name in found:
            alarm = read.get(name)
            if alarm is None:
                section.row("missing", name)
                section.find(f"the alarm {name} does not exist", "deploy its stack again")
                continue
            state = str(alarm.get("StateValue"))
            since = alarm.get("StateUpdatedTimestamp")
            text = f"since {since:%Y-%m-%d %H:%M} UTC" if isinstance(since, datetime) else ""
            section.row(state, name, text)
            if state != "OK":
                section.find(
                    f"{name} is in {state} {text}: {alarm.get('StateReason', '')}",
                    str(alarm.get("AlarmDescription") or "mend what it watches"),
                )
            if not alarm.get("ActionsEnabled", True) or not alarm.get("AlarmActions"):
                why = "has no actions" if alarm.get("ActionsEnabled", True) else "is switched off"
                section.find(f"{name} {why}, so nobody is notified", "deploy its stack again")


def topics(deployed: Deployed, context: Context, section: Section) -> None:
    """Check that every topic of the alarms has a subscriber who confirmed."""
    arns: dict[str, None] = {}
    for region, found in _alarms(deployed).items():
        read = readers.alarms_named(deployed.account.in_region(region), found)
        for alarm in read.values():
            arns |= dict.fromkeys(
                str(each)
                for each in (*alarm.get("AlarmActions", ()), *alarm.get("OKActions", ()))
                if str(each).split(":")[2:3] == ["sns"]
            )
    for arn in arns:
        aws = deployed.account.in_region(arn.split(":")[3])
        try:
            subscribed = (
                None if readers.topic(aws, arn) is None else readers.subscriptions(aws, arn)
            )
        except UserError as error:
            # A topic of another account may be read by its owner alone.
            section.not_asked.append(str(error))
            continue
        if subscribed is None:
            section.row("missing", arn)
            section.find(f"the topic {arn} does not exist", "deploy the notifications stack again")
            continue
        confirmed = [each for each in subscribed if readers.confirmed(each)]
        protocols = ", ".join(sorted({str(each.get("Protocol")) for each in confirmed}))
        waiting = len(subscribed) - len(confirmed)
        pending = f"; {waiting} not confirmed" if waiting else ""
        section.row(f"{len(confirmed)} subscribed", arn, f"{protocols}{pending}")
        if not confirmed:
            section.find(
                f"no subscriber of {arn} has confirmed, so alarms reach nobody"
                f"{f' ({waiting} asked)' if waiting else ''}",
                "confirm by the link in AWS's message, or give `subscriptions` in the service file",
            )


def agents(deployed: Deployed, context: Context, section: Section) -> None:
    """Check that the probe of each host is installed as deployed, and publishes."""
    associations = list(deployed.ids("AWS::SSM::Association"))
    if not associations:
        section.row("", "no probe", "no dependency and no peer is measured")
        return
    home = deployed.account.home
    (_, association) = associations[0]
    described = home(*ASSOCIATION, AssociationId=association)["AssociationDescription"]
    current = str(described.get("AssociationVersion", ""))
    hosts = dict.fromkeys(host.name for pair in deployed.pairs for host in pair.hosts)
    beats = _heartbeats(deployed, context)
    by_name: dict[str, list[JsonObject]] = {name: [] for name in hosts}
    for each in readers.instances(home, "tag:Name", hosts):
        by_name.setdefault(str(readers.name_tag(each)), []).append(each)
    for name, found in by_name.items():
        _silence(name, beats.get(name), context.clock(), section)
        if len(found) != 1:
            section.row("unknown", name, f"{len(found)} instances have this Name tag")
            section.find(
                f"{len(found)} instances have the Name tag {name}; the probe goes to all of them",
                "give the Name tag to the one host",
            )
            continue
        instance = str(found[0]["InstanceId"])
        _installed(home, association, current, (name, instance), section)


def _installed(
    home: Aws, association: str, current: str, host: tuple[str, str], section: Section
) -> None:
    name, instance = host
    managed = home.all(
        MANAGED,
        "InstanceInformationList",
        Filters=[{"Key": "InstanceIds", "Values": [instance]}],
    )
    ping = str(managed[0].get("PingStatus")) if managed else "unknown to Systems Manager"
    statuses = [
        each
        for each in home.all(ASSOCIATIONS_OF, "InstanceAssociationStatusInfos", InstanceId=instance)
        if each.get("AssociationId") == association
    ]
    status = str(statuses[0].get("Status")) if statuses else "never ran"
    version = str(statuses[0].get("AssociationVersion", "")) if statuses else ""
    section.row(status, name, f"{instance}, agent of Systems Manager {ping}, version {version}")
    if ping != "Online":
        section.find(
            f"Systems Manager's agent on {name} ({instance}) is {ping}, so the probe is not "
            "repaired there, and a blackhole can't run",
            "start the SSM agent, and check the instance's role and network",
        )
    if status != "Success":
        section.find(
            f"the probe's association on {name} ({instance}): {status}"
            f"{f', {_summary(statuses[0])}' if statuses else ''}",
            f"aws ssm describe-association-executions --association-id {association} shows why",
        )
    elif current and version != current:
        section.find(
            f"{name} ({instance}) has version {version} of the probe's association, {current} is "
            "deployed",
            f"wait for its daily run, or: aws ssm start-associations-once --association-ids "
            f"{association}",
        )


def _silence(name: str, beat: float | None, now: float, section: Section) -> None:
    age = None if beat is None else now - beat
    said = "no sample" if age is None else f"last sample {seconds(age)} ago"
    section.row("silent" if age is None or age > SILENT_SECONDS else "publishes", name, said)
    if age is None or age > SILENT_SECONDS:
        shown = f"over {_WINDOW_SECONDS / 60:.0f} minutes" if age is None else seconds(age)
        section.find(
            f"the probe of {name} has been silent for {shown}",
            "on the host: systemctl status, and docs/probe.md",
        )


def _summary(status: JsonObject) -> str:
    return str(status.get("ExecutionSummary") or status.get("ErrorCode") or "no reason given")


def drills(deployed: Deployed, context: Context, section: Section) -> None:
    """Check when each drill last passed, and when it runs next."""
    if deployed.drills_unreadable:
        section.not_asked.append(deployed.drills_unreadable)
        return
    if deployed.drills is None:
        section.row("", "no drills", "the failover is not tested here")
        return
    where = f"{deployed.location.service} {deployed.location.environment}"
    for each in rows_of(deployed.account.home, deployed.drills, context.clock()):
        plan, name = each.drill.plan, each.drill.name
        last = "never ran" if each.last is None else each.last.journal.verdict.status.value
        on = "" if each.last is None else f" on {day(each.last.at)}"
        passed = "never passed" if each.days is None else f"passed {each.days} d ago"
        dry = "" if plan.enabled else "; dry runs, which inject no fault"
        following = "running now" if each.running else f"next: {each.next_run}"
        section.row(last, name, f"{passed}{on and f'; last run{on}'}{dry}; {following}")
        since = each.days if each.days is not None else _days_since(each.drill.created_at, context)
        if each.score == Score.FAILED:
            section.find(
                f"drill {name} failed{on}",
                f"resiliency drill report {where} {name} shows why",
            )
        elif since > EXPIRY_DAYS:
            section.find(
                f"drill {name} has not passed for {since} days"
                f"{'' if plan.enabled else ': its runs are dry runs'}",
                "set `enabled: true` under `drills`"
                if not plan.enabled
                else f"resiliency drill start {where} {name}",
            )
        if each.next_run.startswith(("switched off", "has no schedule")):
            section.find(f"drill {name} {each.next_run}", "deploy the drills again")
        section.not_asked += each.unreadable


def _days_since(at: float, context: Context) -> int:
    return int((context.clock() - at) // _DAY)


def stacks(deployed: Deployed, context: Context, section: Section) -> None:
    """Check that no stack failed, and none is being changed."""
    for stack in deployed.stacks:
        section.row(stack.status, stack.name)
        if stack.status.endswith("_FAILED"):
            section.find(
                f"{stack.name} is in {stack.status}",
                f"aws cloudformation describe-stack-events --stack-name {stack.name} shows why",
            )


def drift(deployed: Deployed, context: Context, section: Section) -> None:
    """Have CloudFormation compare every stack with what exists, and wait for the result."""
    detections = [
        (stack, str(stack.aws(*DETECT, StackName=stack.name)["StackDriftDetectionId"]))
        for stack in deployed.stacks
    ]
    for stack, detection in detections:
        for _ in range(_DRIFT_POLLS):
            found = stack.aws(*DETECTION, StackDriftDetectionId=detection)
            if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                break
            context.sleep(_DRIFT_SECONDS)
        if found["DetectionStatus"] != "DETECTION_COMPLETE":
            # Also where one resource alone could not be compared.
            reason = found.get("DetectionStatusReason", "it takes too long")
            section.not_asked.append(f"drift of {stack.name}: {reason}")
        section.row(str(found.get("StackDriftStatus", "UNKNOWN")), stack.name)
        for each in _drifted(stack.aws, stack.name):
            name = each.get("PhysicalResourceId") or each["LogicalResourceId"]
            differences = "; ".join(
                f"{one['PropertyPath']} is {one['ActualValue']}, {one['ExpectedValue']} was "
                "deployed"
                for one in each.get("PropertyDifferences", ())
            )
            what = str(each["StackResourceDriftStatus"]).lower()
            section.find(
                f"{name} of {stack.name} was {what} outside CloudFormation"
                f"{f': {differences}' if differences else ''}",
                "undo the change, or make it in the service file and deploy",
            )


def _drifted(aws: Aws, stack: str) -> Iterator[JsonObject]:
    more: dict[str, str] = {}
    while True:  # botocore has no paginator for it
        page = aws(
            *DRIFTS,
            StackName=stack,
            StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
            **more,
        )
        yield from page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def objective(deployed: Deployed, context: Context, section: Section) -> None:
    """Compare the failover times, as the model computes them from what is deployed, to the goal."""
    goals: dict[Pair, float | None] = {each.pair: each.objective_seconds for each in deployed.pairs}
    for each in failover_times(deployed.graph, outages=_OUTAGES):
        goal = goals.get(each.pair)
        if not each.fault.hurts:
            continue
        label = f"{each.pair.name} {each.pair.record_type}: {each.fault}"
        if each.never is not None:
            section.row("not covered", label, each.never)
            continue
        within = f"95 of 100 within {each.p95:.0f} s"
        missed = goal is not None and not each.meets(goal)
        target = "" if goal is None else f", objective {goal:.0f} s"
        section.row("misses" if missed else "meets" if goal else "", label, f"{within}{target}")
        if missed:
            section.find(
                f"{label}: {within}, over the objective of {goal:.0f} s",
                "resiliency timing shows where the time goes; resiliency check suggests changes",
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


def _values(record: JsonObject) -> Sequence[str]:
    if "AliasTarget" in record:
        return [readers.dns_name(record["AliasTarget"]["DNSName"])]
    return [str(each["Value"]) for each in record.get("ResourceRecords", ())]


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


def _reports(observation: JsonObject) -> str:
    return str(observation.get("StatusReport", {}).get("Status", ""))


def _redeploy(id_: str) -> str:
    return f"undo it: aws route53 update-health-check --health-check-id {id_}"


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
    found = _latest(deployed.account.in_region(GLOBAL_REGION), metrics, "Minimum", context)
    return {id_: value for id_, (_, value) in found.items()}


def _heartbeats(deployed: Deployed, context: Context) -> Mapping[str, float]:
    """When the probe of each host last published."""
    metrics = {
        host: {
            "Namespace": alarm.metric.namespace,
            "MetricName": alarm.metric.name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in alarm.metric.dimensions],
        }
        for alarm in deployed.graph.alarms
        if alarm.metric.name == names.HEARTBEAT_METRIC
        and (host := alarm.metric.dimension("Host")) is not None
    }
    found = _latest(deployed.account.home, metrics, "Sum", context)
    return {host: at for host, (at, _) in found.items()}


def _latest(
    aws: Aws, metrics: Mapping[str, Mapping[str, Any]], statistic: str, context: Context
) -> Mapping[str, tuple[float, float]]:
    """The time and the value of the last data point of each metric that has one."""
    if not metrics:
        return {}
    now = datetime.fromtimestamp(context.clock(), timezone.utc)
    keys = {f"m{number}": key for number, key in enumerate(metrics)}
    answer = aws(
        *METRICS,
        MetricDataQueries=[
            {"Id": id_, "MetricStat": {"Metric": metrics[key], "Period": 60, "Stat": statistic}}
            for id_, key in keys.items()
        ],
        StartTime=now - timedelta(seconds=_WINDOW_SECONDS),
        EndTime=now + timedelta(seconds=60),
        ScanBy="TimestampDescending",
    )
    return {
        keys[each["Id"]]: (each["Timestamps"][0].timestamp(), float(each["Values"][0]))
        for each in answer["MetricDataResults"]
        if each["Values"]
    }


def _alarms(deployed: Deployed) -> Mapping[str, Sequence[str]]:
    """The names of the alarms of all stacks, by region."""
    found: dict[str, list[str]] = {}
    for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        for aws, name in deployed.ids(kind):
            found.setdefault(aws.region, []).append(name)
    return found


def _comparable(value: object) -> object:
    if isinstance(value, list):  # dimensions, in any order
        return sorted((each["Name"], each["Value"]) for each in value)
    return value


def _shown(value: object) -> str:
    return json.dumps(_comparable(value) if isinstance(value, list) else value)


CHECKS: Final[Mapping[str, Check]] = {
    "who is served": serving,
    "records": records,
    "health checks": health_checks,
    "alarms": alarms,
    "topics": topics,
    "agents": agents,
    "drills": drills,
    "stacks": stacks,
    "objective": objective,
}
"""The check of each section, in the order of the report."""
