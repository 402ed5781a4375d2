"""Polls what clients see (DNS answer and serving host), the other host, and alarms.

A view of the clients is also compared to the steady state.

Clients of private hosts are in a VPC. For them a function in that VPC, the *client*, resolves names
and asks hosts, and the other functions call it. They stay outside: what begins, ends and records a
fault needs no path through the VPC, and the client calls no AWS API (docs/adr/0017).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from staged_resiliency.drills.runtime.context import AwsError, Context, NotStartedError
from staged_resiliency.drills.runtime.fault_settings import Origin
from staged_resiliency.drills.runtime.network import UnansweredError, is_ipv4
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import JsonObject, read
from staged_resiliency.experiment.observations import MISSING, NO_ANSWER, Observation, Source

MIN_PAUSE_SECONDS: Final = 0.2
"""Pause between two polls where the first took longer than the interval."""

CLOUDFRONT: Final = "(CloudFront)"
"""What the header Via of CloudFront's answers has."""

STEADY_POLLS: Final = 3
"""Number of polls in a row that must find the steady state."""

_MAX_ALARMS: Final = 100  # by name, in one call of DescribeAlarms


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a client's request: the name's addresses, and the answer of the host behind it.

    Attributes:
        addresses: The IPv4 addresses of the name; a client asks the first one.
        host: The host that answers, or ``no answer``.
        reason: The address that answered, or why there was no answer.
        seconds: How long the host took; None where the name can't be resolved.
    """

    addresses: tuple[str, ...]
    host: str
    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ClientView:
    """The observations of one poll, and the answers from which they were derived.

    Attributes:
        dns: Route 53's answer; None where Route 53 could not be asked. In a VPC that of its
            resolver, since Route 53 shows its own answer (TestDNSAnswer) of public zones alone.
        resolved: The resolver's answer; empty where it has none.
        client: The host that serves a client, or ``no answer``; then ``reason`` says why.
        target: The target that serves a client of the name whose origin is denied; None for other
            faults.
    """

    observations: tuple[Observation, ...]
    dns: tuple[str, ...] | None
    resolved: tuple[str, ...]
    client: str
    reason: str
    target: Answer | None = None


def ask_for(plan: Plan, name: str, context: Context, asked: Answer | None = None) -> Answer:
    """Resolve a name and ask the host behind it, from the network of the clients.

    ``asked`` is an answer of just now; outside a VPC its address is not asked again.

    Raises:
        AwsError: The function in the VPC can't be called, so nothing is known of the clients.
    """
    if plan.client_function is None:
        return ask_from_here(plan, name, context, asked)
    event = json.dumps({"plan": plan.to_json(), "name": name})
    called = context.aws(
        "lambda", "Invoke", FunctionName=plan.client_function, Payload=event.encode()
    )
    payload = called["Payload"].read().decode(errors="replace")
    if "FunctionError" in called:
        raise AwsError(str(called["FunctionError"]), f"{plan.client_function}: {payload[:300]}")
    return read(Answer, json.loads(payload), "the client's answer")


def client(event: object, context: Context) -> JsonObject:
    """Answer a call of ``ask_for``: the handler of the function in the VPC."""
    if not isinstance(event, dict) or "plan" not in event:
        return {}  # the daily call that keeps the function active
    plan = Plan.from_json(event["plan"])
    return asdict(ask_from_here(plan, str(event.get("name")), context))


def ask_from_here(plan: Plan, name: str, context: Context, asked: Answer | None = None) -> Answer:
    """Resolve a name and ask the host behind it, unless its address was just asked."""
    # Functions reach IPv4 addresses only, and the record is of type A.
    addresses = tuple(each for each in context.resolve(name) if is_ipv4(each))
    if not addresses:
        return Answer((), NO_ANSWER, f"{name} can't be resolved")
    if asked is not None and addresses[:1] == asked.addresses[:1]:
        return asked
    asked_at = context.clock()
    host, reason = serving_host(plan, context, addresses[0])
    return Answer(addresses, host, reason, round(context.clock() - asked_at, 3))


def poll(plan: Plan, context: Context) -> ClientView:
    """Poll DNS, client, the host without a fault, and alarms once.

    What AWS can't show is left out, and logged. Where clients can't be observed at all it raises:
    a drill that does not see them must not go on.

    Raises:
        AwsError: The function in the VPC can't be called.
    """
    at, name = context.clock(), plan.record.name
    observations: list[Observation] = []
    in_vpc = plan.client_function is not None
    dns = None if in_vpc else route53_answer(plan, context)
    found = ask_for(plan, name, context)
    if in_vpc:
        dns = tuple(sorted(found.addresses))
    if dns is not None:
        observations.append(Observation(at, Source.DNS, name, ",".join(dns) or NO_ANSWER))
    observations.append(
        Observation(at, Source.CLIENT, name, found.host, found.reason, found.seconds)
    )
    observations.append(_other_host_observation(plan, context, at, found))
    target = None
    if plan.origin is not None:
        target = ask_target(plan.origin, plan.origin.record, context)
        observations += _target_observations(plan.origin, target, context, at)
    observations += _alarm_observations(plan, context)
    return ClientView(tuple(observations), dns, found.addresses, found.host, found.reason, target)


def ask_target(origin: Origin, name: str, context: Context) -> Answer:
    """Resolve a name, and request from its target the path that the record's clients request.

    The header Via shows whether CloudFront answered, and so the primary:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
    """
    addresses = tuple(each for each in context.resolve(name) if is_ipv4(each))
    if not addresses:
        return Answer((), NO_ANSWER, f"{name} can't be resolved")
    asked_at = context.clock()
    try:
        via = context.ask(addresses[0], origin.endpoint, origin.record)
        host = origin.primary if CLOUDFRONT in via else origin.secondary
        reason = f"at {addresses[0]}"
    except UnansweredError as error:
        host, reason = NO_ANSWER, f"{addresses[0]}: {error}"
    return Answer(addresses, host, reason, round(context.clock() - asked_at, 3))


def _target_observations(
    origin: Origin, client: Answer, context: Context, at: float
) -> Sequence[Observation]:
    """What a client of the record gets, and whether the secondary answers by its own name."""
    found = ask_target(origin, origin.secondary, context)
    return (
        Observation(at, Source.CLIENT, origin.record, client.host, client.reason, client.seconds),
        Observation(at, Source.HOST, origin.secondary, found.host, found.reason),
    )


def route53_answer(plan: Plan, context: Context) -> tuple[str, ...] | None:
    """Return Route 53's current answer, sorted; None where Route 53 can't be asked."""
    record = plan.record
    try:
        answer = context.aws(
            "route53",
            "TestDNSAnswer",
            HostedZoneId=record.hosted_zone_id,
            RecordName=record.name,
            RecordType="A",
        )
    except AwsError as error:
        context.log("Route 53 can't be asked", error=str(error))
        return None
    return tuple(sorted(answer["RecordData"])) if answer["ResponseCode"] == "NOERROR" else ()


def serving_host(plan: Plan, context: Context, address: str) -> tuple[str, str]:
    """Return the host that answers, or ``no answer``; and its address, with the reason if any.

    An answer with a name that is not one of the service's hosts counts as no answer. Where answers
    name no host, the host is the one that has the address.
    """
    try:
        name = context.ask(address, plan.endpoint, plan.record.name)
    except UnansweredError as error:
        return NO_ANSWER, f"{address}: {error}"
    hosts = (plan.active, plan.standby)
    if plan.endpoint.field is None:
        for host in hosts:
            if address in host.addresses or address in context.resolve(host.reached_at):
                return host.name, f"at {address}"
        return NO_ANSWER, f"{address}: answered, but is no host's address"
    if name not in [host.name for host in hosts]:
        return NO_ANSWER, (
            f"{address}: answered by {name[:60]!r}, which is no host of the service "
            f"({', '.join(host.name for host in hosts)})"
        )
    return name, f"at {address}"


def _other_host_observation(plan: Plan, context: Context, at: float, client: Answer) -> Observation:
    """Ask the host that the fault leaves alone, unless the client has just asked it."""
    host = plan.other_host
    found = client
    if client.host != host.name and host.reached_at not in client.addresses[:1]:
        found = ask_for(plan, host.reached_at, context, client)
    value = host.name if found.host == host.name else NO_ANSWER
    return Observation(at, Source.HOST, host.name, value, found.reason)


def _alarm_observations(plan: Plan, context: Context) -> Sequence[Observation]:
    """The states of the service's alarms, as of the request and as of their last change.

    An alarm that does not exist has the state ``missing``.
    """
    # Not after the answer: an alarm that changes in between would have its former state later than
    # its new one.
    asked_at = context.clock()
    try:
        states = watched_states(plan, context)
    except AwsError as error:
        context.log("CloudWatch can't be asked", error=str(error))
        return ()
    observations = []
    for name in plan.watched_alarms:
        value, since = states.get(name, (MISSING, asked_at))
        observations.append(Observation(since, Source.ALARM, name, value))
        if since < asked_at:
            observations.append(Observation(asked_at, Source.ALARM, name, value))
    return observations


def watched_states(plan: Plan, context: Context) -> dict[str, tuple[str, float]]:
    """Return the state of each alarm of a plan that exists; see ``alarm_states``."""
    origin = plan.origin
    if origin is None or not origin.alarm:
        return alarm_states(plan.watched_alarms, context)
    here = [each for each in plan.watched_alarms if each != origin.alarm]
    there = alarm_states([origin.alarm], context, region=origin.alarm_region)
    return {**alarm_states(here, context), **there}


def alarm_states(
    names: Sequence[str], context: Context, *, region: str | None = None
) -> dict[str, tuple[str, float]]:
    """Return the state of each alarm that exists, and when it changed to that state."""
    found = {}
    for start in range(0, len(names), _MAX_ALARMS):
        answer = context.aws(
            "cloudwatch",
            "DescribeAlarms",
            region=region,
            AlarmNames=list(names[start : start + _MAX_ALARMS]),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=_MAX_ALARMS,
        )
        for each in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())):
            since = each.get("StateTransitionedTimestamp") or each["StateUpdatedTimestamp"]
            found[str(each["AlarmName"])] = str(each["StateValue"]), float(since.timestamp())
    return found


def require_guards(plan: Plan, context: Context) -> None:
    """Refuse to inject a fault that AWS FIS does not guard, unless every guard is OK.

    Raises:
        NotStartedError: A guard is in another state, or does not exist.
    """
    states = alarm_states(plan.guard_alarms, context)
    for name in plan.guard_alarms:
        state = states[name][0] if name in states else MISSING
        if state != "OK":
            raise NotStartedError(f"the guard {name} is {state}")


class Poller:
    """Polls DNS, client and alarms every few seconds; ``observations`` are all made so far."""

    def __init__(self, plan: Plan, context: Context) -> None:
        self._plan = plan
        self._context = context
        self.observations: list[Observation] = []

    def poll(self) -> ClientView:
        """Poll once."""
        view = poll(self._plan, self._context)
        self.observations[:] = [*_without_outdated(self.observations, view), *view.observations]
        return view

    def poll_until(
        self, deadline: float, done: Callable[[], bool], *, ignore_errors: bool = False
    ) -> bool:
        """Poll every few seconds until ``done``, called after each poll, or until the deadline.

        A poll that fails raises, unless ``ignore_errors``: then it is logged, and ``done`` called
        all the same. Return whether it was done.
        """
        while True:
            began = self._context.clock()
            try:
                self.poll()
            except Exception as error:
                if not ignore_errors:
                    raise
                self._context.log("a poll failed", error=repr(error))
            if done():
                return True
            now = self._context.clock()
            if now >= deadline:
                return False
            pause = max(MIN_PAUSE_SECONDS, began + self._plan.sample_seconds - now)
            self._context.sleep(min(pause, max(MIN_PAUSE_SECONDS, deadline - now)))


def _without_outdated(seen: Sequence[Observation], view: ClientView) -> Sequence[Observation]:
    """Leave out states that alarms no longer had, by the time of change that a later view has.

    For a moment after a change CloudWatch may answer with the former state, and its clock is not
    the one that observations are stamped by.
    """
    changes: dict[str, Observation] = {}
    for each in view.observations:
        if each.source is Source.ALARM:
            changes.setdefault(each.subject, each)  # the first one is of the last change
    return [
        each
        for each in seen
        if each.source is not Source.ALARM
        or (change := changes.get(each.subject)) is None
        or each.at < change.at
        or each.value == change.value
    ]


def not_steady(plan: Plan, view: ClientView) -> str:
    """Return why a view is not the steady state, in one line; empty where it is.

    In the steady state the active host serves clients, and DNS answers with its address. Where an
    origin is denied, the distribution serves its clients too.
    """
    active = plan.active
    who = "Route 53" if plan.client_function is None else "the resolver of the VPC"
    if view.dns is None:
        return "Route 53 can't be asked for its answer"
    if active.addresses and not set(view.dns) & set(active.addresses):
        return _wrong_answer(f"{who} answers", view.dns, active.addresses)
    if not view.dns:
        return f"{who} answers nothing for {plan.record.name}"
    if active.addresses and not set(view.resolved) & set(active.addresses):
        return _wrong_answer("the resolver answers", view.resolved, active.addresses)
    if view.client == NO_ANSWER:
        return f"{plan.endpoint.path} does not answer ({view.reason})"
    if view.client != active.name:
        return f"{view.client} answers {plan.endpoint.path}, not {active.name}"
    if plan.origin is None or view.target is None or view.target.host == plan.origin.primary:
        return ""
    path = f"{plan.origin.endpoint.path} of {plan.origin.record}"
    if view.target.host == NO_ANSWER:
        return f"{path} is not answered ({view.target.reason})"
    return f"{path} is answered by {view.target.host}, not by {plan.origin.primary}"


def _wrong_answer(who: str, found: tuple[str, ...], expected: tuple[str, ...]) -> str:
    return f"{who} {', '.join(found) or 'nothing'}, not {' or '.join(expected)}"
