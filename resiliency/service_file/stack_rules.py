"""Rules about alarms, and about what a stack holds of them."""

from collections.abc import Callable, Iterator
from typing import Final

from resiliency.service_file.errors import Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import limits, validation
from staged_resiliency.shared.hosts import COLORS

# Resources of a failover stack beside those that grow with signals, hosts and dependencies.
_RECORD_GROUP: Final = 1


def _alarms_can_be_followed(env: PartialDocument) -> Iterator[Problem]:
    alarm = env.within("status_alarm")
    yield from _alarm_can_be_followed(alarm, evaluation_periods=1)
    yield from _threshold_tells(alarm, statistic="Maximum")
    alarm = env.within("peer_alarm")
    yield from _alarm_can_be_followed(alarm, evaluation_periods=2)
    yield from _threshold_tells(alarm, statistic="Average")
    for name in env.names("dependencies"):
        alarm = env.within("dependencies", name, "alarm")
        yield from _alarm_can_be_followed(alarm, evaluation_periods=2)
        yield from _threshold_tells(alarm, statistic="Average")


def _alarm_can_be_followed(alarm: PartialDocument, *, evaluation_periods: int) -> Iterator[Problem]:
    period = alarm.number("period_seconds", default=60)
    evaluated = alarm.number("evaluation_periods", default=evaluation_periods)
    if evaluated is None:
        return
    if period is not None:
        try:
            validation.alarm_window_seconds(period, evaluated)
        except ValueError as error:
            place = "evaluation_periods" if alarm.has("evaluation_periods") else "period_seconds"
            yield alarm.problem(str(error), place)
    try:
        validation.all_datapoints(
            alarm.number("datapoints_to_alarm", default=evaluated) or evaluated, evaluated
        )
    except ValueError as error:
        yield alarm.problem(str(error), "datapoints_to_alarm")


def _threshold_tells(alarm: PartialDocument, *, statistic: str) -> Iterator[Problem]:
    threshold, used = alarm.get("threshold"), alarm.text("statistic", default=statistic)
    if isinstance(threshold, int | float) and used is not None:
        try:
            validation.threshold_between_0_and_1(threshold, used)
        except ValueError as error:
            yield alarm.problem(str(error), "threshold")


def _stack_holds_it(env: PartialDocument) -> Iterator[Problem]:
    count = resource_count(env)
    if count > limits.MAX_STACK_RESOURCES:
        yield env.problem(
            f"{len(list(env.names('dependencies')))} dependencies make a stack of {count} "
            f"resources; CloudFormation takes {limits.MAX_STACK_RESOURCES}; "
            "split the service into several files",
            "dependencies",
        )


def _stack_takes_its_tags(env: PartialDocument) -> Iterator[Problem]:
    service = PartialDocument(env.document, env.unsound, env.misspelt)
    count = len({*service.names("tags"), *env.names("tags")})
    if count > limits.MAX_STACK_TAGS:
        yield env.problem(
            f"has {count} tags together with the service's; a stack takes {limits.MAX_STACK_TAGS}",
            *(("tags",) if env.has("tags") else ()),
        )


def resource_count(env: PartialDocument) -> int:
    """How many resources the failover stack of an environment holds.

    A test compares it with synthesized stacks.
    """
    status_alarms = sum(env.has("hosts", color, "instance_id") for color in COLORS)
    connectivity_alarms = len(COLORS) * len(list(env.names("dependencies")))
    peers = env.get("probe", "peer") is True or "peer" in env.items("failover_on")
    peer_alarms = len(COLORS) if peers else 0
    dashboard = 1 if env.has("drills") else 0
    signals = len(env.items("failover_on")) if env.has("failover_on") else 1
    health_checks = signals + (1 if signals > 1 else 0)
    alarms = status_alarms + connectivity_alarms + peer_alarms
    return _RECORD_GROUP + alarms + health_checks + dashboard


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _alarms_can_be_followed,
    _stack_holds_it,
    _stack_takes_its_tags,
)
