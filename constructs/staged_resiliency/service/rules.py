"""Rules that look at several values of a service file at once.

A rule is a function from the draft of an environment to problems. It speaks only when every
value it needs is sound, so that one mistake gives one message.
"""

from collections.abc import Callable, Iterator
from typing import Final

from staged_resiliency import checks, limits
from staged_resiliency.service.draft import Draft
from staged_resiliency.service.model import COLORS
from staged_resiliency.service.problems import Problem

# Signals that are not a dependency's name; a dependency can't take these names.
BUILT_IN_SIGNALS: Final = ("status", "endpoint", "peer")
_AVAILABLE_SIGNALS: Final = ("status", "endpoint")

# Resources of a failover stack beside those that grow with signals, hosts and dependencies.
_RECORD_GROUP: Final = 1


def problems_of(draft: Draft) -> Iterator[Problem]:
    """Every problem between values of one file."""
    for name in draft.names("environments"):
        environment = draft.within("environments", name)
        for rule in _RULES:
            yield from rule(environment)


def _record_is_in_the_zone(env: Draft) -> Iterator[Problem]:
    record, zone = env.text("endpoint", "record"), env.text("hosted_zone", "name")
    if not record or not zone:
        return
    record, zone = checks.domain_name(record), checks.domain_name(zone)
    if record != zone and not record.endswith(f".{zone}"):
        yield env.problem(
            f"{record!r} is outside the hosted zone {zone!r}; give a name that ends in .{zone}",
            "endpoint",
            "record",
        )


def _hosts_differ(env: Draft) -> Iterator[Problem]:
    for key in ("name", "instance_id", "address", "ipv6_address"):
        blue, green = env.text("hosts", "blue", key), env.text("hosts", "green", key)
        if blue and green and blue.lower() == green.lower():
            yield env.problem(
                f"{checks.shown(green)} is blue's {key} too; a pair needs two different hosts",
                "hosts",
                "green",
                key,
            )
    blue, green = (env.text("hosts", color, "alias", "dns_name") for color in COLORS)
    if blue and green and checks.domain_name(blue) == checks.domain_name(green):
        yield env.problem(
            f"{checks.shown(green)} is blue's alias too; a pair needs two different hosts",
            "hosts",
            "green",
            "alias",
            "dns_name",
        )


def _hosts_have_one_kind_of_target(env: Draft) -> Iterator[Problem]:
    for color in COLORS:
        host = env.within("hosts", color)
        if not isinstance(host.raw, dict):
            continue
        addresses = [key for key in ("address", "ipv6_address") if host.has(key)]
        if host.has("alias") and addresses:
            yield host.problem(
                f"stands beside alias; give either {addresses[0]} or alias", addresses[0]
            )
        elif not host.has("alias") and not addresses:
            yield host.problem("has neither address nor alias; give one like address: 52.11.79.9")
        elif addresses == ["ipv6_address"]:
            yield host.problem(
                "stands alone; give it as address (ipv6_address goes beside an IPv4 address)",
                "ipv6_address",
            )
        elif len(addresses) == 2 and ":" in (host.text("address") or ""):
            yield host.problem(
                "stands beside an IPv6 address; give the IPv4 one as address", "ipv6_address"
            )


def _hosts_serve_the_same_families(env: Draft) -> Iterator[Problem]:
    families = {color: _families(env.within("hosts", color)) for color in COLORS}
    blue, green = families["blue"], families["green"]
    if blue and green and blue != green:
        yield env.problem(
            f"blue serves {_spoken(blue)} records and green {_spoken(green)}; both hosts need the "
            "same, or a record would have no second one to fail over to",
            "hosts",
        )


def _families(host: Draft) -> tuple[str, ...]:
    """The record types a host can serve; empty when that can't be told."""
    if host.has("alias"):
        ipv6 = host.get("alias", "ipv6")
        return () if host.get("alias") is None else (("A", "AAAA") if ipv6 is True else ("A",))
    address, ipv6_address = host.text("address"), host.text("ipv6_address")
    if not address or ipv6_address is None:
        return ()
    families = {"AAAA" if ":" in address else "A"} | ({"AAAA"} if ipv6_address else set())
    return tuple(sorted(families))


def _spoken(families: tuple[str, ...]) -> str:
    return " and ".join(families)


def _signals_exist(env: Draft) -> Iterator[Problem]:
    dependencies = list(env.names("dependencies"))
    available = [*_AVAILABLE_SIGNALS, *dependencies]
    seen: set[str] = set()
    for index, signal in enumerate(env.items("failover_on")):
        if not isinstance(signal, str):
            continue
        if signal not in available:
            near = checks.nearest(signal, available)
            hint = f"did you mean {near}?" if near else f"allowed: {', '.join(available)}"
            yield env.problem(
                f"{checks.shown(signal)} is neither a built-in signal nor a dependency; {hint}",
                "failover_on",
                index,
            )
        elif signal in seen:
            yield env.problem(
                f"{checks.shown(signal)} stands twice; once is enough", "failover_on", index
            )
        seen.add(signal)


def _dependencies_keep_clear_of_signals(env: Draft) -> Iterator[Problem]:
    for name in env.names("dependencies"):
        if name in BUILT_IN_SIGNALS:
            yield env.problem(
                f"{name!r} is the name of a built-in signal; give the dependency another one",
                "dependencies",
                name,
            )


def _status_needs_an_instance(env: Draft) -> Iterator[Problem]:
    active = env.text("active")
    signals = env.items("failover_on") if env.has("failover_on") else ["status"]
    if (
        active in COLORS
        and "status" in signals
        and env.has("hosts", active)
        and not env.has("hosts", active, "instance_id")
    ):
        yield env.problem(
            f"the active host {active} has no instance_id, which the signal 'status' watches; "
            "give one like instance_id: i-0ab55a49288f1da24",
            "hosts",
            active,
        )


def _endpoint_is_reachable(env: Draft) -> Iterator[Problem]:
    if "endpoint" not in env.items("failover_on"):
        return
    for color in COLORS:
        address = env.text("hosts", color, "address")
        if address and not checks.is_public(address):
            yield env.problem(
                f"{checks.shown(address)} can't be reached by Route 53's checkers, which the "
                "signal 'endpoint' needs; give a public address or take 'endpoint' out",
                "hosts",
                color,
                "address",
            )
    if env.text("endpoint", "check", "protocol") == "tcp" and env.has(
        "endpoint", "check", "search_text"
    ):
        yield env.problem(
            "needs an answer to search in; give protocol http or https",
            "endpoint",
            "check",
            "search_text",
        )


def _topic_is_one_and_near(env: Draft) -> Iterator[Problem]:
    notifications = env.within("notifications")
    if not isinstance(notifications.raw, dict):
        return
    by_name, by_arn = notifications.has("topic_name"), notifications.has("topic_arn")
    if by_name and by_arn:
        yield notifications.problem(
            "stands beside topic_name; give topic_arn for an existing topic or topic_name for "
            "one that is made here",
            "topic_arn",
        )
    if not by_name and not by_arn:
        yield notifications.problem(
            "names no topic; give topic_name for one that is made here or topic_arn for an "
            "existing one"
        )
    arn, region, account = notifications.text("topic_arn"), env.text("region"), env.text("account")
    if not arn:
        return
    partition, arn_region, arn_account = (arn.split(":")[i] for i in (1, 3, 4))
    if region and arn_region != region:
        yield notifications.problem(
            f"is in {arn_region}, the environment in {region}; CloudWatch alarms notify only "
            "topics of their own region",
            "topic_arn",
        )
    elif region and partition != limits.partition_of(region):
        yield notifications.problem(
            f"is in partition {partition}, the region {region} in {limits.partition_of(region)}",
            "topic_arn",
        )
    if account and arn_account != account:
        yield notifications.problem(
            f"is of account {arn_account}, the environment of {account}; alarms here notify "
            "topics of their own account",
            "topic_arn",
        )


def _subscribers_stand_once(env: Draft) -> Iterator[Problem]:
    seen: set[object] = set()
    for index, subscriber in enumerate(env.items("notifications", "subscriptions")):
        if isinstance(subscriber, str) and subscriber in seen:
            yield env.problem(
                f"{checks.shown(subscriber)} stands twice; once is enough",
                "notifications",
                "subscriptions",
                index,
            )
        elif isinstance(subscriber, str):
            seen.add(subscriber)


def _alarms_can_be_followed(env: Draft) -> Iterator[Problem]:
    yield from _alarm_can_be_followed(env.within("status_alarm"), evaluation_periods=1)
    for name in env.names("dependencies"):
        alarm = env.within("dependencies", name, "alarm")
        yield from _alarm_can_be_followed(alarm, evaluation_periods=2)


def _alarm_can_be_followed(alarm: Draft, *, evaluation_periods: int) -> Iterator[Problem]:
    period = alarm.number("period_seconds", default=60)
    evaluated = alarm.number("evaluation_periods", default=evaluation_periods)
    if evaluated is None:
        return
    if period is not None:
        try:
            checks.alarm_window_seconds(period, evaluated)
        except ValueError as error:
            place = "evaluation_periods" if alarm.has("evaluation_periods") else "period_seconds"
            yield alarm.problem(str(error), place)
    try:
        checks.all_datapoints(
            alarm.number("datapoints_to_alarm", default=evaluated) or evaluated, evaluated
        )
    except ValueError as error:
        yield alarm.problem(str(error), "datapoints_to_alarm")


def _stack_holds_it(env: Draft) -> Iterator[Problem]:
    count = resource_count(env)
    if count > limits.MAX_STACK_RESOURCES:
        yield env.problem(
            f"{len(list(env.names('dependencies')))} dependencies make a stack of {count} "
            f"resources; CloudFormation takes {limits.MAX_STACK_RESOURCES}; "
            "split the service into several files",
            "dependencies",
        )


def resource_count(env: Draft) -> int:
    """How many resources the failover stack of an environment holds.

    A test compares it with synthesized stacks.
    """
    status_alarms = sum(env.has("hosts", color, "instance_id") for color in COLORS)
    connectivity_alarms = len(COLORS) * len(list(env.names("dependencies")))
    signals = len(env.items("failover_on")) if env.has("failover_on") else 1
    health_checks = signals + (1 if signals > 1 else 0)
    return _RECORD_GROUP + status_alarms + connectivity_alarms + health_checks


_RULES: Final[tuple[Callable[[Draft], Iterator[Problem]], ...]] = (
    _record_is_in_the_zone,
    _hosts_differ,
    _hosts_have_one_kind_of_target,
    _hosts_serve_the_same_families,
    _signals_exist,
    _dependencies_keep_clear_of_signals,
    _status_needs_an_instance,
    _endpoint_is_reachable,
    _topic_is_one_and_near,
    _subscribers_stand_once,
    _alarms_can_be_followed,
    _stack_holds_it,
)
