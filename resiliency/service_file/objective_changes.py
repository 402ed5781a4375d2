"""Searches for the changes of settings by which a design meets its objective.

The model simulates each change too. Every change is one setting; a combination is suggested only if
the changed file is valid.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Final, TypeAlias

from resiliency import cost_estimate
from resiliency.failover_model.faults import Fault
from resiliency.failover_model.simulation import OUTAGES_PER_FAULT
from resiliency.service_file import drill_safety, probe_rules
from resiliency.service_file.model.alarms import AlarmSettings
from resiliency.service_file.model.service import Environment, Service
from resiliency.service_file.model.values import Section
from resiliency.service_file.partial_document import PartialDocument
from resiliency.service_file.rules import problems_of
from resiliency.service_file.yaml_source import Document
from staged_resiliency.shared.hosts import COLORS

SHORT_TTL_SECONDS: Final = 10
"""The TTL that is suggested; many resolvers keep answers with a shorter one for longer anyway."""

_FAST_INTERVAL_SECONDS: Final = 10
_OUTAGES_TO_SEARCH: Final = 100
# By how much the times of two equal designs may differ by chance.
_NOTICEABLE: Final = 1.03
# As many as can be simulated in a second or two; the example has half of them.
_MOST_COMBINATIONS: Final = 64

Times: TypeAlias = Callable[[Environment, Fault, int], float]
"""Seconds that 95 of 100 outages of a fault take, by so many of them."""

Path: TypeAlias = tuple[str, ...]
"""The keys that lead to a value in an environment."""

_FAILOVER_ON: Final[Path] = ("failover_on",)


@dataclass(frozen=True, slots=True)
class Change:
    """A new value of one setting, suggested to meet the objective.

    Attributes:
        path: Where the setting is in an environment.
        value: The new value; for ``failover_on`` the signal to add.
        setting: The change as a message shows it.
        dollars: What it adds to the monthly cost, about.
    """

    path: Path
    value: int | str
    setting: str
    dollars: float = 0.0

    def apply(self, environment: Environment) -> Environment:
        """Return an environment with this change."""
        value: object = self.value
        if self.path == _FAILOVER_ON:
            value = [*environment.failover_on, value]
        changed = _updated(environment, self.path, value)
        assert isinstance(changed, Environment)  # noqa: S101 - what is updated keeps its type
        return changed


def changes_text(changes: Sequence[Change]) -> str:
    """Format changes for a message; all added signals are listed together."""
    signals = [repr(change.value) for change in changes if change.path == _FAILOVER_ON]
    together = f"{', '.join(signals)} added to failover_on"
    texts = [together if change.path == _FAILOVER_ON else change.setting for change in changes]
    return ", ".join(dict.fromkeys(texts))


def best_changes(
    service: Service,
    environment: Environment,
    missed: Sequence[Fault],
    seconds: float,
    times: Times,
) -> Mapping[Fault, Sequence[Change]]:
    """Return for each fault the changes to make.

    The fewest changes that meet the objective for all faults for which anything does; among as
    many the cheapest. For the other faults what comes nearest. Changes that do not make a time
    noticeably shorter are left out, and drills that a change makes too short are made longer.
    """
    options = [
        change
        for change in _changes_of(environment, missed)
        if _is_sound(service, environment, [change])
    ]
    everything = applied(environment, options)
    best = {fault: times(everything, fault, _OUTAGES_TO_SEARCH) for fault in missed}
    within_reach = [
        fault
        for fault in missed
        if best[fault] <= seconds
        and best[fault] * _NOTICEABLE <= times(environment, fault, _OUTAGES_TO_SEARCH)
    ]
    enough = _fewest(service, environment, options, within_reach, seconds, times)
    found: dict[Fault, Sequence[Change]] = {}
    for fault in missed:
        changes = enough
        if fault not in within_reach:
            changes = _needed(environment, options, fault, best[fault], times)
        found[fault] = _with_longer_drills(environment, changes)
    return found


def _fewest(
    service: Service,
    environment: Environment,
    options: Sequence[Change],
    faults: Sequence[Fault],
    seconds: float,
    times: Times,
) -> Sequence[Change]:
    """Return the fewest changes by which all of some faults meet the objective, else all changes.

    What no other change can replace is in every combination, so only the rest is combined. Where
    there are too many combinations even of that, changes are left out one by one instead: none of
    what remains can be spared then, but there may be fewer others that do.
    """
    # What chance alone may give is no success.
    limits = {
        fault: min(seconds, times(environment, fault, OUTAGES_PER_FAULT) / _NOTICEABLE)
        for fault in faults
    }

    def meets(changes: Sequence[Change], outages: int, play: float = 1.0) -> bool:
        changed = applied(environment, changes)
        return all(times(changed, fault, outages) <= limits[fault] * play for fault in faults)

    def is_enough(changes: Sequence[Change]) -> bool:
        return (
            # A few outages rule out most designs, so that many are simulated for a few designs.
            meets(changes, _OUTAGES_TO_SEARCH, _NOTICEABLE)
            and meets(changes, OUTAGES_PER_FAULT)
            and _is_sound(service, environment, changes)
        )

    def is_needed(option: Change) -> bool:
        changed = applied(environment, _without(options, option))
        # The fault that a signal detects decides soonest.
        return any(
            times(changed, fault, _OUTAGES_TO_SEARCH) > seconds * _NOTICEABLE
            for fault in sorted(faults, key=lambda fault: fault.dependency != option.value)
        )

    if not faults:
        return options
    required = [option for option in options if is_needed(option)]
    others = _without(options, *required)
    if 2 ** len(others) <= _MOST_COMBINATIONS:
        combined = (
            _without(options, *_without(others, *some))
            for count in range(len(others))
            for some in sorted(combinations(others, count), key=_dollars)
            if required or some
        )
        return next(filter(is_enough, combined), options)
    enough = options
    for option in _dearest_first(others):
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
    """Return the options without which a fault would take noticeably longer."""
    if times(environment, fault, _OUTAGES_TO_SEARCH) <= best * _NOTICEABLE:
        return []
    needed = options
    for option in _dearest_first(options):
        fewer = _without(needed, option)
        changed = applied(environment, fewer)
        if times(changed, fault, _OUTAGES_TO_SEARCH) <= best * _NOTICEABLE:
            needed = fewer
    return needed


def _without(changes: Sequence[Change], *some: Change) -> Sequence[Change]:
    return [each for each in changes if each not in some]


def applied(environment: Environment, changes: Iterable[Change]) -> Environment:
    """Return an environment with some changes."""
    for change in changes:
        environment = change.apply(environment)
    return environment


def _dollars(changes: Sequence[Change]) -> float:
    return sum(change.dollars for change in changes)


def _dearest_first(changes: Sequence[Change]) -> Sequence[Change]:
    """Sort changes by cost; of those that cost the same, the last come first."""
    return sorted(changes, key=lambda change: change.dollars)[::-1]


def _with_longer_drills(environment: Environment, changes: Sequence[Change]) -> Sequence[Change]:
    """Add what drills need once the changes make them move clients."""
    drills = applied(environment, changes).drills
    longer = []
    for name, drill in (drills.by_name if drills is not None else {}).items():
        minutes = drill_safety.minutes_needed(applied(environment, changes), drill)
        if drill.minutes < minutes:
            path = ("drills", name, "duration_minutes")
            setting = f"{'.'.join(path)} {minutes} in place of {drill.minutes}"
            longer.append(Change(path, minutes, setting))
    return [*changes, *longer]


def _is_sound(service: Service, environment: Environment, changes: Sequence[Change]) -> bool:
    """Whether `check` would still accept the file after some changes, drills included."""
    changed = applied(environment, _with_longer_drills(environment, changes))
    environments = {
        name: changed if each is environment else each
        for name, each in service.environments.items()
    }
    whole = service.model_copy(update={"environments": environments})
    partial = PartialDocument.of(
        Document("", data=whole.model_dump(exclude_unset=True)), (), frozenset()
    )
    problems = chain(
        problems_of(partial),
        probe_rules.fit_problems(whole, partial),
        drill_safety.safety_problems(whole, partial),
    )
    return next(problems, None) is None


def _changes_of(environment: Environment, missed: Sequence[Fault]) -> Iterator[Change]:
    """Yield the changes that could help; first those that cost nothing and change least."""
    signals = environment.failover_on
    for path, alarm in _deciding_alarms(environment):
        # Slower settings are set to the default; faster ones would raise false alarms.
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
    dependencies = [fault.dependency for fault in missed if fault.dependency is not None]
    for signal in ("status", *dependencies, "peer", "endpoint"):
        if signal not in signals:
            dollars = _dollars_of_signal(environment, signal)
            yield Change(_FAILOVER_ON, signal, f"{signal!r} added to failover_on", dollars)
    path = ("endpoint", "check", "interval_seconds")
    for change in _lowered(path, check, _FAST_INTERVAL_SECONDS):
        yield replace(change, dollars=float(cost_estimate.HEALTH_CHECK_OPTION))


def _dollars_of_signal(environment: Environment, signal: str) -> float:
    """Estimate what one more signal adds to the monthly cost, without the calculated check."""
    if signal == "endpoint":
        check = environment.endpoint.check
        options = [
            check.protocol == "https",
            check.search_text is not None,
            check.interval_seconds == _FAST_INTERVAL_SECONDS,
        ]
        dollars = cost_estimate.HEALTH_CHECK_ELSEWHERE
        return float(dollars + sum(options) * cost_estimate.HEALTH_CHECK_OPTION)
    dollars = cost_estimate.HEALTH_CHECK_AWS
    if signal == "peer" and not environment.has_peers:
        # An alarm and a metric of each host; where there is no probe yet, its heartbeat too.
        each = cost_estimate.ALARM + cost_estimate.CUSTOM_METRIC
        probe = 0 if environment.has_probe else each + cost_estimate.PROBE_REQUESTS
        dollars += len(COLORS) * (each + probe)
    return float(dollars)


def _deciding_alarms(environment: Environment) -> Iterator[tuple[Path, AlarmSettings]]:
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
    """Return a part of an environment with another value at a path."""
    if not path:
        return value
    if isinstance(node, Mapping):
        return {**node, path[0]: _updated(node[path[0]], path[1:], value)}
    assert isinstance(node, Section)  # noqa: S101 - a path leads through nothing else
    return node.model_copy(update={path[0]: _updated(getattr(node, path[0]), path[1:], value)})
