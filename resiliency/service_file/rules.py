"""Rules that compare several values of an environment.

A rule is a function from an environment's part of the file to problems. It reports only when every
value it needs is sound, so that one mistake gives one message.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from resiliency.service_file import (
    cloudwatch_rules,
    drill_rules,
    failover_rules,
    host_rules,
    probe_rules,
)
from resiliency.service_file.errors import Problem, suggestion
from resiliency.service_file.model.objective import ENDPOINT, HOST
from resiliency.service_file.model.service import BUILT_IN_SIGNALS
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import alarm_settings, limits, names, network_names
from staged_resiliency.shared.hosts import COLORS
from staged_resiliency.shared.validation import shown

_PROBE_SILENT: Final = names.probe_silent_alarm("").removeprefix("-")


def problems_of(partial: PartialDocument) -> Iterator[Problem]:
    """Yield every problem between values of one file."""
    for name in partial.names("environments"):
        environment = partial.within("environments", name)
        for rule in _RULES:
            yield from rule(environment)


# Notifications


def _one_topic_is_given(env: PartialDocument) -> Iterator[Problem]:
    yield from env.within("notifications").one_of(
        "topic_name",
        "topic_arn",
        "topic_name to create a topic or topic_arn for an existing one",
        "; give topic_arn for an existing topic or topic_name to create one",
    )


def _topics_are_in_the_environments_place(env: PartialDocument) -> Iterator[Problem]:
    region = env.text("region")
    if not region:
        return
    notifications, metrics = env.within("notifications"), limits.health_check_metrics_region(region)
    partition = limits.partition_of(region)
    more = [("more_topics", index) for index in range(len(notifications.items("more_topics")))]
    for place in (("topic_arn",), *more):
        arn = notifications.text(*place)
        if not arn:
            continue
        given, arn_region = (arn.split(":")[i] for i in (1, 3))
        elsewhere = place != ("topic_arn",)
        if arn_region != region and not (elsewhere and arn_region == metrics):
            yield notifications.problem(
                f"is in {arn_region}, the environment in {region}; CloudWatch alarms notify only "
                f"topics of their own region, so give one in {region}"
                + (f", or in {metrics} for the alarm on failovers" if elsewhere else ""),
                *place,
            )
        elif given != partition:
            yield notifications.problem(
                f"is in partition {given}, the region {region} in {partition}; begin it with "
                f"arn:{partition}:",
                *place,
            )


def _subscribers_are_of_a_topic_here(env: PartialDocument) -> Iterator[Problem]:
    arn, account = env.text("notifications", "topic_arn"), env.text("account")
    if (
        arn
        and account
        and arn.split(":")[4] != account
        and env.items("notifications", "subscriptions")
    ):
        yield env.problem(
            f"can't be added to a topic of account {arn.split(':')[4]}; subscribe them there, or "
            "give topic_name to create a topic",
            *("notifications", "subscriptions"),
        )


# Signals


def _signals_exist(env: PartialDocument) -> Iterator[Problem]:
    yield from _list_problems(
        env.within("failover_on"),
        _signal_names(env),
        "is neither a built-in signal nor a dependency"
        + (" nor an alarm" if env.has("alarms") or env.has("cloudwatch_agent") else ""),
    )


def _signal_names(env: PartialDocument) -> Sequence[str] | None:
    known = _names_of(env, *BUILT_IN_SIGNALS)
    if known is None or (env.has("alarms") and not isinstance(env.within("alarms").raw, dict)):
        return None
    return [*known, *env.names("alarms"), *cloudwatch_rules.agent_alarms(env)]


def _alarms_do_not_have_the_names_of_signals(env: PartialDocument) -> Iterator[Problem]:
    dependencies = list(env.names("dependencies"))
    for name in env.names("alarms"):
        if name in (*BUILT_IN_SIGNALS, *dependencies):
            what = "a dependency" if name in dependencies else "a built-in signal"
            yield env.problem(
                f"{name!r} is the name of {what}; give the alarm another name", "alarms", name
            )
        elif name == _PROBE_SILENT:
            yield env.problem(
                f"{name!r} is the name of the alarm on a silent probe; give the alarm another name",
                "alarms",
                name,
            )


def _own_alarms_can_be_made(env: PartialDocument) -> Iterator[Problem]:
    deciding = env.items("failover_on")
    for name, alarm in env.members("alarms"):
        if not isinstance(alarm.raw, dict):
            continue
        yield from _alarm_can_be_followed(alarm, decides=name in deciding)
        yield from alarm.one_of("at_least", "below", "one like at_least: 90")
        dimensions = alarm.within("metric", "dimensions").raw
        values = [str(each) for each in dimensions.values()] if isinstance(dimensions, dict) else []
        if any("{instance_id}" in value for value in values):
            for color in COLORS:
                if env.has("hosts", color) and not env.has("hosts", color, "instance_id"):
                    yield env.problem(
                        f"has no instance_id, which a dimension of the alarm {name} needs; give "
                        "one like instance_id: i-0ab55a49288f1da24",
                        *("hosts", color),
                    )
        if name in deciding:
            yield from _own_alarm_decides(env, alarm, name, values)


def _own_alarm_decides(
    env: PartialDocument, alarm: PartialDocument, name: str, values: Sequence[str]
) -> Iterator[Problem]:
    statistic = alarm.text("statistic")
    if statistic and statistic not in limits.FAILOVER_STATISTICS:
        yield alarm.problem(
            f"{shown(statistic)} can't be followed by Route 53, and {name} is in failover_on; "
            f"allowed: {', '.join(limits.FAILOVER_STATISTICS)}",
            "statistic",
        )
    yield from cloudwatch_rules.expected_in_drills(alarm, name)
    of_each_host = any(
        each in value for value in values for each in alarm_settings.HOST_PLACEHOLDERS
    )
    if alarm.is_sound and not of_each_host:
        yield env.problem(
            f"{name!r} watches neither host, as no dimension has {{host}} or {{instance_id}}; "
            "remove it, or give it such a dimension",
            *("failover_on", env.items("failover_on").index(name)),
        )


def _dependencies_do_not_have_the_names_of_signals(env: PartialDocument) -> Iterator[Problem]:
    for name in env.names("dependencies"):
        if name in BUILT_IN_SIGNALS:
            yield env.problem(
                f"{name!r} is the name of a built-in signal; give the dependency another name",
                *("dependencies", name),
            )


def _status_needs_an_instance(env: PartialDocument) -> Iterator[Problem]:
    active = env.text("active")
    if (
        active in COLORS
        and "status" in env.items("failover_on")
        and env.has("hosts", active)
        and not env.has("hosts", active, "instance_id")
    ):
        yield env.problem(
            f"the active host {active} has no instance_id, which the signal 'status' needs; "
            "give one like instance_id: i-0ab55a49288f1da24",
            *("hosts", active),
        )


def _endpoint_can_be_checked(env: PartialDocument) -> Iterator[Problem]:
    if "endpoint" not in env.items("failover_on"):
        return
    for color in COLORS:
        address = env.text("hosts", color, "address")
        if address and not network_names.is_public(address):
            yield env.problem(
                f"{shown(address)} can't be reached by Route 53 health checkers, which the "
                "signal 'endpoint' needs; give a public address, or the signal 'peer' in its place",
                *("hosts", color, "address"),
            )
        balancer = env.text("hosts", color, "alias", "dns_name")
        if balancer and network_names.is_internal_balancer(balancer):
            yield env.problem(
                f"{shown(balancer)} can't be reached by Route 53 health checkers, which the "
                "signal 'endpoint' needs; give a load balancer that faces the internet, or the "
                "signal 'peer' in its place",
                *("hosts", color, "alias", "dns_name"),
            )
    check = env.within("endpoint", "check")
    if check.has("host") and env.has("hosts", "blue", "alias"):
        yield check.problem(
            "applies to hosts given by address; load balancers are checked by their own name; "
            "remove it",
            "host",
        )
    if check.text("protocol") == "tcp":
        for key in ("path", "host", "search_text"):
            if check.has(key):
                yield check.problem(
                    "does not apply to protocol tcp; give protocol http or https, or remove it", key
                )


# Alarms


def _alarms_can_be_followed(env: PartialDocument) -> Iterator[Problem]:
    deciding = [*env.items("failover_on"), *failover_rules.decided_by_hosts(env)]
    yield from _alarm_can_be_followed(env.within("status_alarm"), decides=True)
    yield from _alarm_can_be_followed(env.within("peer_alarm"), decides="peer" in deciding)
    for name in env.names("dependencies"):
        alarm = env.within("dependencies", name, "alarm")
        yield from _alarm_can_be_followed(alarm, decides=name in deciding)


def _alarm_can_be_followed(alarm: PartialDocument, *, decides: bool) -> Iterator[Problem]:
    period, evaluated = alarm.number("period_seconds"), alarm.number("evaluation_periods")
    if evaluated is not None:
        if period is not None:
            try:
                alarm_settings.alarm_window_seconds(period, evaluated)
            except ValueError as error:
                given = alarm.has("evaluation_periods")
                yield alarm.problem(str(error), "evaluation_periods" if given else "period_seconds")
        check = alarm_settings.all_datapoints if decides else alarm_settings.some_datapoints
        try:
            check(alarm.number("datapoints_to_alarm") or evaluated, evaluated)
        except ValueError as error:
            yield alarm.problem(str(error), "datapoints_to_alarm")
    threshold, statistic = alarm.get("threshold"), alarm.text("statistic")
    if isinstance(threshold, int | float) and statistic:
        try:
            alarm_settings.threshold_between_0_and_1(threshold, statistic)
        except ValueError as error:
            yield alarm.problem(str(error), "threshold")


# Objective, tags, lists


def _objective_faults_exist(env: PartialDocument) -> Iterator[Problem]:
    yield from _list_problems(
        env.within("objective", "faults"),
        _names_of(env, HOST, ENDPOINT),
        "is neither host nor endpoint nor a dependency",
    )


def _tags_fit(env: PartialDocument) -> Iterator[Problem]:
    service = PartialDocument(env.document, env.unsound, env.misspelt)
    count = len({*service.names("tags"), *env.names("tags")})
    if count > limits.MAX_STACK_TAGS:
        yield env.problem(
            f"has {count} tags together with the service's; CloudFormation allows "
            f"{limits.MAX_STACK_TAGS} per stack",
            *(("tags",) if env.has("tags") else ()),
        )


def _items_are_unique(env: PartialDocument) -> Iterator[Problem]:
    dependencies = [env.within("dependencies", name) for name in env.names("dependencies")]
    for part in (
        env.within("notifications", "subscriptions"),
        env.within("notifications", "more_topics"),
        env.within("endpoint", "check", "regions"),
        env.within("probe", "roles"),
        env.within("probe", "statsd", "metrics"),
        env.within("probe", "statsd", "tags"),
        env.within("drills", "window", "days"),
        env.within("drills", "network", "subnets"),
        env.within("drills", "network", "security_groups"),
        *(dependency.within("check", "status") for dependency in dependencies),
    ):
        yield from _list_problems(part)


def _names_of(env: PartialDocument, *built_in: str) -> Sequence[str] | None:
    """Return built-in names and those of the dependencies; None when these can't be read."""
    if env.has("dependencies") and not isinstance(env.within("dependencies").raw, dict):
        return None
    return list(dict.fromkeys([*built_in, *env.names("dependencies")]))


def _list_problems(
    part: PartialDocument, allowed: Sequence[str] | None = None, sentence: str = ""
) -> Iterator[Problem]:
    """Report the items of a list that are not allowed, and duplicates."""
    seen: list[object] = []
    for index, item in enumerate(part.items()):
        if not part.within(index).is_sound:
            continue
        if allowed is not None and isinstance(item, str) and item not in allowed:
            yield part.problem(f"{shown(item)} {sentence}; {suggestion(item, allowed)}", index)
        elif item in seen:
            yield part.problem(f"{shown(item)} is a duplicate; remove it", index)
        seen.append(item)


_RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _one_topic_is_given,
    _topics_are_in_the_environments_place,
    _subscribers_are_of_a_topic_here,
    *host_rules.RULES,
    _signals_exist,
    _dependencies_do_not_have_the_names_of_signals,
    _alarms_do_not_have_the_names_of_signals,
    _own_alarms_can_be_made,
    _status_needs_an_instance,
    _endpoint_can_be_checked,
    _alarms_can_be_followed,
    _objective_faults_exist,
    _tags_fit,
    _items_are_unique,
    *probe_rules.RULES,
    *cloudwatch_rules.RULES,
    *failover_rules.RULES,
    *drill_rules.RULES,
)
