"""What clients see (DNS, the serving host), the other host and alarms, polled.

A view of the clients is also compared to the steady state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.network import UnansweredError, is_ipv4
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.observations import MISSING, NO_ANSWER, Observation, Source

MIN_PAUSE_SECONDS: Final = 0.2
"""Pause between two polls where the first took longer than the interval."""

STEADY_POLLS: Final = 3
"""Number of polls in a row that must find the steady state."""

_MAX_ALARMS: Final = 100  # by name, in one call of DescribeAlarms


@dataclass(frozen=True, slots=True)
class ClientView:
    """The observations of one poll, and what they came from.

    Attributes:
        dns: Route 53's answer; None where Route 53 could not be asked.
        resolved: The resolver's answer; empty where it has none.
        client: The host that serves a client, or ``no answer``; then ``reason`` says why.
    """

    observations: tuple[Observation, ...]
    dns: tuple[str, ...] | None
    resolved: tuple[str, ...]
    client: str
    reason: str


def poll(plan: Plan, context: Context) -> ClientView:
    """Poll DNS, client, the host without a fault, and alarms once.

    What can't be observed is left out, and logged.
    """
    at = context.clock()
    observations: list[Observation] = []
    dns = route53_answer(plan, context)
    if dns is not None:
        value = ",".join(dns) or NO_ANSWER
        observations.append(Observation(at, Source.DNS, plan.record.name, value))
    # Functions outside a VPC reach IPv4 addresses only, and the record is of type A.
    resolved = tuple(each for each in context.resolve(plan.record.name) if is_ipv4(each))
    client, reason = NO_ANSWER, "the name can't be resolved"
    seconds = None
    if resolved:
        asked_at = context.clock()
        client, reason = serving_host(plan, context, resolved[0])
        seconds = round(context.clock() - asked_at, 3)
    observations.append(Observation(at, Source.CLIENT, plan.record.name, client, reason, seconds))
    observations.append(_other_host_observation(plan, context, at, resolved[:1], client, reason))
    observations += _alarm_observations(plan, context)
    return ClientView(tuple(observations), dns, resolved, client, reason)


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


def _other_host_observation(
    plan: Plan, context: Context, at: float, asked: tuple[str, ...], client: str, reason: str
) -> Observation:
    """Ask the host that the fault leaves alone, unless the client has just asked it."""
    host = plan.other_host
    addresses = context.resolve(host.reached_at)
    if client != host.name and asked != tuple(addresses[:1]):
        client, reason = NO_ANSWER, f"{host.reached_at} can't be resolved"
        if addresses:
            client, reason = serving_host(plan, context, addresses[0])
    value = host.name if client == host.name else NO_ANSWER
    return Observation(at, Source.HOST, host.name, value, reason)


def _alarm_observations(plan: Plan, context: Context) -> Sequence[Observation]:
    """The states of the service's alarms, as of now and as of their last change.

    An alarm that does not exist has the state ``missing``.
    """
    try:
        states = alarm_states(plan.watched_alarms, context)
    except AwsError as error:
        context.log("CloudWatch can't be asked", error=str(error))
        return ()
    now = context.clock()
    observations = []
    for name in plan.watched_alarms:
        value, since = states.get(name, (MISSING, now))
        if since < now:
            observations.append(Observation(since, Source.ALARM, name, value))
        observations.append(Observation(now, Source.ALARM, name, value))
    return observations


def alarm_states(names: Sequence[str], context: Context) -> dict[str, tuple[str, float]]:
    """Return the state of each alarm that exists, and when it changed to that state."""
    found = {}
    for start in range(0, len(names), _MAX_ALARMS):
        answer = context.aws(
            "cloudwatch",
            "DescribeAlarms",
            AlarmNames=list(names[start : start + _MAX_ALARMS]),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=_MAX_ALARMS,
        )
        for each in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())):
            since = each.get("StateTransitionedTimestamp") or each["StateUpdatedTimestamp"]
            found[str(each["AlarmName"])] = str(each["StateValue"]), float(since.timestamp())
    return found


class Poller:
    """Polls DNS, client and alarms every few seconds, and keeps the observations."""

    def __init__(self, plan: Plan, context: Context) -> None:
        self._plan = plan
        self._context = context
        self._observations: list[Observation] = []

    @property
    def observations(self) -> Sequence[Observation]:
        """All observations so far, in the order in which they were made."""
        return self._observations

    def add(self, observation: Observation) -> None:
        """Keep an observation that was not made by polling."""
        self._observations.append(observation)

    def poll(self) -> ClientView:
        """Poll once."""
        view = poll(self._plan, self._context)
        self._observations += view.observations
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


def not_steady(plan: Plan, view: ClientView) -> str:
    """Return why a view is not the steady state, in one line; empty where it is.

    In the steady state the active host serves clients, and DNS answers with its address.
    """
    active = plan.active
    if view.dns is None:
        return "Route 53 can't be asked for its answer"
    if active.addresses and not set(view.dns) & set(active.addresses):
        return _wrong_answer("Route 53 answers", view.dns, active.addresses)
    if not view.dns:
        return f"Route 53 answers nothing for {plan.record.name}"
    if active.addresses and not set(view.resolved) & set(active.addresses):
        return _wrong_answer("the resolver answers", view.resolved, active.addresses)
    if view.client == NO_ANSWER:
        return f"{plan.endpoint.path} does not answer ({view.reason})"
    if view.client != active.name:
        return f"{view.client} answers {plan.endpoint.path}, not {active.name}"
    return ""


def _wrong_answer(who: str, found: tuple[str, ...], expected: tuple[str, ...]) -> str:
    return f"{who} {', '.join(found) or 'nothing'}, not {' or '.join(expected)}"
