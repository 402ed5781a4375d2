"""One look at what clients see: the authoritative answer, a client's own way, the alarms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.host_identity import UnansweredError
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source

_MOST_ALARMS: Final = 100  # that DescribeAlarms takes by name


@dataclass(frozen=True, slots=True)
class ClientView:
    """What one look found.

    Attributes:
        observations: All that was seen.
        dns: What Route 53 answers; None where it could not be asked.
        resolved: What the resolver answers; empty where it does not.
        client: The host that serves a client, or ``no answer``.
        why: Why there was no answer.
    """

    observations: tuple[Observation, ...]
    dns: tuple[str, ...] | None
    resolved: tuple[str, ...]
    client: str
    why: str


def look(plan: Plan, world: Context) -> ClientView:
    """Look once. What can't be seen is left out, said in the log, and never made up."""
    at = world.clock()
    seen: list[Observation] = []
    dns = authoritative(plan, world)
    if dns is not None:
        value = ",".join(dns) or NO_ANSWER
        seen.append(Observation(at, Source.DNS, plan.record.name, value))
    # A function outside a VPC reaches IPv4 alone, and a record pair is of one kind.
    sixth = plan.record.type == "AAAA"
    resolved = tuple(each for each in world.resolve(plan.record.name) if (":" in each) is sixth)
    client, why = NO_ANSWER, "the name can't be resolved"
    if resolved:
        client, why = served_by(plan, world, resolved[0])
    seen.append(Observation(at, Source.CLIENT, plan.record.name, client, why))
    seen += alarms(plan, world)
    return ClientView(tuple(seen), dns, resolved, client, why)


def authoritative(plan: Plan, world: Context) -> tuple[str, ...] | None:
    """What Route 53 answers now, sorted; empty for no answer, None where it can't be asked."""
    record = plan.record
    try:
        answer = world.aws(
            "route53",
            "TestDNSAnswer",
            HostedZoneId=record.hosted_zone_id,
            RecordName=record.name,
            RecordType=record.type,
        )
    except AwsError as error:
        world.log("Route 53 can't be asked", error=str(error))
        return None
    return tuple(sorted(answer["RecordData"])) if answer["ResponseCode"] == "NOERROR" else ()


def served_by(plan: Plan, world: Context, address: str) -> tuple[str, str]:
    """The host that answers at an address, or ``no answer``; and where, or why not.

    An answer in the name of a host that is none of the service's is no answer.
    """
    try:
        name = world.ask(address, plan.endpoint, plan.record.name)
    except UnansweredError as error:
        return NO_ANSWER, f"{address}: {error}"
    if name not in (plan.active.name, plan.standby.name):
        return NO_ANSWER, f"{address}: answered by {name[:60]!r}, which is no host of the service"
    return name, f"at {address}"


def alarms(plan: Plan, world: Context) -> Sequence[Observation]:
    """The states of the service's alarms, as of now and as of their last change."""
    try:
        states = alarm_states(plan.alarms, world)
    except AwsError as error:
        world.log("CloudWatch can't be asked", error=str(error))
        return ()
    now = world.clock()
    seen = []
    for name, (value, since) in states.items():
        if since < now:
            seen.append(Observation(since, Source.ALARM, name, value))
        seen.append(Observation(now, Source.ALARM, name, value))
    return seen


def alarm_states(names: Sequence[str], world: Context) -> dict[str, tuple[str, float]]:
    """State of each alarm that there is, and when it came to that."""
    found = {}
    for start in range(0, len(names), _MOST_ALARMS):
        answer = world.aws(
            "cloudwatch",
            "DescribeAlarms",
            AlarmNames=list(names[start : start + _MOST_ALARMS]),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=_MOST_ALARMS,
        )
        for each in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())):
            since = each.get("StateTransitionedTimestamp") or each["StateUpdatedTimestamp"]
            found[str(each["AlarmName"])] = str(each["StateValue"]), float(since.timestamp())
    return found
