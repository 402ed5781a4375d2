"""What could be changed in a service file to make failover faster, and what is enough.

Every change is one setting. A combination is offered only if the changed file would be sound, and
with the time that the model gives for it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

from resiliency.failover_model.faults import Fault
from resiliency.failover_model.simulation import OUTAGES_PER_FAULT
from resiliency.service_file.field_types import Section
from resiliency.service_file.model import (
    ConnectivityAlarmSettings,
    Environment,
    PeerAlarmSettings,
    Service,
    StatusAlarmSettings,
)
from resiliency.service_file.partial_document import PartialDocument
from resiliency.service_file.rules import problems_of
from resiliency.service_file.yaml_source import Document

SHORT_TTL_SECONDS: Final = 10
"""The TTL that is suggested; many resolvers keep an answer for longer than a shorter one."""

_FAST_INTERVAL_SECONDS: Final = 10
_OUTAGES_TO_SEARCH: Final = 100
# What chance alone makes of two designs that are alike.
_NOTICEABLE: Final = 1.03
# As many as can be looked at in a second or two; the example has half of them.
_MOST_COMBINATIONS: Final = 64

Times: TypeAlias = Callable[[Environment, Fault, int], float]
"""Seconds that 95 of 100 outages of a fault take, by so many of them."""

Path: TypeAlias = tuple[str, ...]
"""Keys that lead to a value in an environment."""

_FAILOVER_ON: Final[Path] = ("failover_on",)


@dataclass(frozen=True, slots=True)
class Change:
    """One setting, changed.

    Attributes:
        path: Where the setting is in an environment.
        value: What it becomes; for ``failover_on`` what is added to it.
        setting: Both as a message names them.
    """

    path: Path
    value: int | str
    setting: str

    def apply(self, environment: Environment) -> Environment:
        """An environment with this change."""
        value: object = self.value
        if self.path == _FAILOVER_ON:
            value = [*environment.failover_on, value]
        changed = _updated(environment, self.path, value)
        assert isinstance(changed, Environment)  # noqa: S101 - what is updated keeps its type
        return changed


def told_changes(changes: Sequence[Change]) -> str:
    """Changes as a message names them: signals that are added share one place, the first one's."""
    signals = [repr(change.value) for change in changes if change.path == _FAILOVER_ON]
    together = f"{', '.join(signals)} added to failover_on"
    told = [together if change.path == _FAILOVER_ON else change.setting for change in changes]
    return ", ".join(dict.fromkeys(told))


def best_changes(
    service: Service,
    environment: Environment,
    missed: Sequence[Fault],
    seconds: float,
    times: Times,
) -> Mapping[Fault, tuple[Sequence[Change], float]]:
    """For each missed fault what to change, and the seconds that 95 of 100 outages take then.

    The fewest changes that meet the objective for all faults for which anything does; among as
    many the first, and those that cost nothing come first. For the other faults what comes
    nearest.

    Args:
        service: The service.
        environment: One of its environments.
        missed: The faults that miss the objective.
        seconds: The objective.
        times: The model.
    """
    options = [
        change
        for change in _changes_of(environment, missed)
        if _is_sound(service, environment, change.apply(environment))
    ]
    everything = _applied(environment, options)
    best = {fault: times(everything, fault, _OUTAGES_TO_SEARCH) for fault in missed}
    within_reach = [fault for fault in missed if best[fault] <= seconds]
    enough = _fewest(service, environment, options, within_reach, seconds, times)
    found: dict[Fault, tuple[Sequence[Change], float]] = {}
    for fault in missed:
        changes = enough
        if fault not in within_reach:
            changes = _needed(environment, options, fault, best[fault], times)
        gives = times(_applied(environment, changes), fault, OUTAGES_PER_FAULT)
        found[fault] = (changes, gives)
    return found


def _fewest(
    service: Service,
    environment: Environment,
    options: Sequence[Change],
    faults: Sequence[Fault],
    seconds: float,
    times: Times,
) -> Sequence[Change]:
    """The fewest changes by which all of some faults end in time; all changes if no fewer do.

    What no other change can replace is in every combination, so only the rest is combined. Where
    there are too many combinations even of that, changes are left out one by one instead: none of
    what remains can be spared then, but there may be fewer others that do.
    """

    def meets(changes: Sequence[Change], outages: int, limit: float) -> bool:
        changed = _applied(environment, changes)
        return all(times(changed, fault, outages) <= limit for fault in faults)

    def is_enough(changes: Sequence[Change]) -> bool:
        return (
            _is_sound(service, environment, _applied(environment, changes))
            # Few outages tell what is far off, so that many are for few designs.
            and meets(changes, _OUTAGES_TO_SEARCH, seconds * _NOTICEABLE)
            and meets(changes, OUTAGES_PER_FAULT, seconds)
        )

    def is_needed(option: Change) -> bool:
        changed = _applied(environment, _without(options, option))
        # The fault that a signal is there for tells soonest.
        return any(
            times(changed, fault, _OUTAGES_TO_SEARCH) > seconds * _NOTICEABLE
            for fault in sorted(faults, key=lambda fault: fault.dependency != option.value)
        )

    if not faults:
        return options
    required = [option for option in options if is_needed(option)]
    others = _without(options, *required)
    combined = (
        _without(options, *_without(others, *some))
        for count in range(len(others))
        for some in combinations(others, count)
        if required or some
    )
    if 2 ** len(others) <= _MOST_COMBINATIONS:
        return next(filter(is_enough, combined), options)
    enough = options
    for option in reversed(others):
        fewer = _without(enough, option)
        if is_enough(fewer):
            enough = fewer
    return enough


def _needed(
    environment: Environment,
    options: Sequence[Change],
    fault: Fault,
    best: float,
    times: Times,
) -> Sequence[Change]:
    """All options but those without which a fault does not take noticeably longer."""
    needed = options
    for option in reversed(options):
        fewer = _without(needed, option)
        changed = _applied(environment, fewer)
        if times(changed, fault, _OUTAGES_TO_SEARCH) <= best * _NOTICEABLE:
            needed = fewer
    return needed


def _without(changes: Sequence[Change], *some: Change) -> Sequence[Change]:
    return [each for each in changes if each not in some]


def _applied(environment: Environment, changes: Iterable[Change]) -> Environment:
    for change in changes:
        environment = change.apply(environment)
    return environment


def _is_sound(service: Service, environment: Environment, changed: Environment) -> bool:
    """Whether the file would still be, with this environment in place of one."""
    environments = {
        name: changed if each is environment else each
        for name, each in service.environments.items()
    }
    data = service.model_copy(update={"environments": environments}).model_dump(exclude_unset=True)
    draft = PartialDocument.of(Document("", data=data), (), frozenset())
    return next(problems_of(draft), None) is None


def _changes_of(environment: Environment, missed: Sequence[Fault]) -> Iterator[Change]:
    """The changes that could help, those first that cost nothing and change least."""
    signals = environment.failover_on
    for path, alarm in _deciding_alarms(environment):
        # What is slower than the default is set to it; what is faster would cry wolf.
        yield from _lowered((*path, "evaluation_periods"), alarm, type(alarm)().evaluation_periods)
        yield from _lowered((*path, "period_seconds"), alarm, type(alarm)().period_seconds)
    endpoint, check = environment.endpoint, environment.endpoint.check
    if "endpoint" in signals:
        path = ("endpoint", "check", "failure_threshold")
        yield from _lowered(path, check, type(check)().failure_threshold)
    if not environment.hosts.blue.alias:
        yield from _lowered(("endpoint", "ttl_seconds"), endpoint, SHORT_TTL_SECONDS)
    probe = environment.probe
    yield from _lowered(("probe", "interval_seconds"), probe, type(probe)().interval_seconds)
    asked_for = [fault.dependency for fault in missed if fault.dependency is not None]
    for signal in ("status", *asked_for, "peer", "endpoint"):
        if signal not in signals:
            yield Change(_FAILOVER_ON, signal, f"{signal!r} added to failover_on")
    yield from _lowered(("endpoint", "check", "interval_seconds"), check, _FAST_INTERVAL_SECONDS)


def _deciding_alarms(
    environment: Environment,
) -> Iterator[tuple[Path, StatusAlarmSettings | ConnectivityAlarmSettings | PeerAlarmSettings]]:
    for signal in environment.failover_on:
        if signal == "status":
            yield ("status_alarm",), environment.status_alarm
        elif signal == "peer":
            yield ("peer_alarm",), environment.peer_alarm
        elif signal in environment.dependencies:
            yield ("dependencies", signal, "alarm"), environment.dependencies[signal].alarm


def _lowered(path: Path, section: Section, to: int) -> Iterator[Change]:
    value = getattr(section, path[-1])
    if value > to:
        yield Change(path, to, f"{'.'.join(path)} {to} in place of {value}")


def _updated(node: object, path: Path, value: object) -> object:
    """A part of an environment with another value at a path."""
    if not path:
        return value
    if isinstance(node, Mapping):
        return {**node, path[0]: _updated(node[path[0]], path[1:], value)}
    assert isinstance(node, Section)  # noqa: S101 - a path leads through nothing else
    return node.model_copy(update={path[0]: _updated(getattr(node, path[0]), path[1:], value)})
