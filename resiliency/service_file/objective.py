"""Checks by the failover-time model whether a design meets its objective; suggests changes.

The model simulates the design of the file, and also the changes that are suggested. Every change is
one setting; a combination is suggested only if the changed file is valid. See
docs/failover-time.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from math import inf
from typing import Final, TypeAlias

from resiliency import cost_estimate
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Fault, FaultKind, faults_of
from resiliency.failover_model.simulation import (
    OUTAGES_PER_FAULT,
    Verdict,
    assumed_of,
    failover_times,
)
from resiliency.service_file import drill_safety, probe_rules
from resiliency.service_file.errors import Problem
from resiliency.service_file.model.alarms import AlarmSettings
from resiliency.service_file.model.objective import ENDPOINT, HOST
from resiliency.service_file.model.service import Environment, Service
from resiliency.service_file.model.values import Section
from resiliency.service_file.partial_document import PartialDocument
from resiliency.service_file.rules import problems_of
from resiliency.service_file.timing_graph import deciding_pair
from resiliency.service_file.warnings import ServiceWarning
from resiliency.service_file.yaml_source import Document
from staged_resiliency.shared.hosts import COLORS

_PATH: Final = ("objective", "recovery_time_seconds")
_HOST_KINDS: Final = (FaultKind.HOST_STOPPED, FaultKind.HOST_IMPAIRED)

# If one outage of 20 took longer than the objective, 200 that all meet it would have a chance of
# 1 in 28,000. So where they all do, no more are simulated.
_OUTAGES_AT_FIRST: Final = 200

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


@dataclass(frozen=True, slots=True)
class ObjectiveViolation:
    """A fault whose failover would take longer than the objective.

    Attributes:
        verdict: The consequence of the fault.
        seconds: The objective.
        changes: The changes to make; empty where nothing in the file helps.
        gives: Seconds that 95 of 100 outages would take with these changes.
    """

    verdict: Verdict
    seconds: int
    changes: Sequence[Change]
    gives: float

    @property
    def message(self) -> str:
        """The violation as one line."""
        verdict, settings = self.verdict, changes_text(self.changes)
        if verdict.p95 == inf:
            never = "" if verdict.never is None else f", as {verdict.never}"
            found = f"{verdict.fault}: clients are never moved{never}"
        else:
            silent = any(name.startswith("extra_") for name in assumed_of(verdict))
            rests_on = " (assumed, as AWS does not publish when it acts on missing data)"
            found = (
                f"{verdict.fault}: 95 of 100 clients whose resolvers honor the TTL reach the "
                f"standby within {verdict.p95:.0f} s{rests_on if silent else ''}"
            )
        found += f"; the objective is {self.seconds} s; "
        if not self.changes:
            found += "no setting of this file makes it noticeably shorter"
        elif self.gives <= self.seconds:
            found += f"{settings} would give {self.gives:.0f} s"
        else:
            found += f"no setting meets it; at best, {settings} would give {self.gives:.0f} s"
        if verdict.pair.primary.evaluates_target:
            found += "; EvaluateTargetHealth is left out, which may move clients sooner"
        return found


def objective_warnings(service: Service, environment: Environment) -> Iterator[ServiceWarning]:
    """Yield a warning for each violation of an objective that is not enforced."""
    objective = environment.objective
    if objective is not None and not objective.enforce:
        for violation in violations_of(service, environment):
            # A stable id for each fault, so that one can be acknowledged by itself.
            fault = str(violation.verdict.fault).replace(": ", "-").replace(" ", "-")
            yield ServiceWarning(
                f"staged-resiliency:objective-{fault}", ".".join(_PATH), violation.message
            )


def objective_problems(service: Service, partial: PartialDocument) -> Iterator[Problem]:
    """Yield a problem for each violation of an enforced objective in an otherwise valid service."""
    for name, environment in service.environments.items():
        objective = environment.objective
        if objective is not None and objective.enforce:
            for violation in violations_of(service, environment):
                yield partial.problem(violation.message, "environments", name, *_PATH)


def violations_of(service: Service, environment: Environment) -> Sequence[ObjectiveViolation]:
    """Return the faults that the objective covers and whose failover takes longer.

    Record pairs of both address families fail over together, so only one is simulated.
    """
    objective = environment.objective
    if objective is None:
        return ()
    seconds = objective.recovery_time_seconds
    graph = deciding_pair(service, environment)
    covered = [each for each in faults_of(graph, graph.pairs[0]) if _covers(environment, each)]
    late = [
        verdict.fault
        for verdict in failover_times(graph, outages=_OUTAGES_AT_FIRST, only=covered)
        if verdict.total is None or verdict.moved < verdict.outages or verdict.total.worst > seconds
    ]
    missed = {
        verdict.fault: verdict
        for verdict in failover_times(graph, outages=OUTAGES_PER_FAULT, only=late)
        if verdict.p95 > seconds
    }
    if not missed:
        return ()

    longest = _longest_range(environment)
    known: dict[tuple[object, ...], float] = {}

    def times(changed: Environment, fault: Fault, outages: int) -> float:
        graph = deciding_pair(service, changed)
        key = (*graph.pairs, *graph.probes, fault, outages)
        if key not in known:
            (verdict,) = failover_times(graph, outages=outages, assumptions=longest, only=[fault])
            known[key] = verdict.p95
        return known[key]

    def usual_time(changes: Sequence[Change], fault: Fault) -> float:
        graph = deciding_pair(service, _applied(environment, changes))
        (verdict,) = failover_times(graph, outages=OUTAGES_PER_FAULT, only=[fault])
        return verdict.p95

    found = best_changes(service, environment, list(missed), seconds, times)
    return [
        ObjectiveViolation(missed[fault], seconds, changes, usual_time(changes, fault))
        for fault, changes in found.items()
    ]


def _longest_range(environment: Environment) -> Assumptions:
    """Return the assumptions with the most periods that CloudWatch may read.

    Whatever the true range is, a suggestion must meet the objective; so signals that fail come
    before those that fall silent.
    """
    usual = Assumptions()
    given = environment.assumptions.extra_periods
    most = usual.extra_periods.high if given is None else given[1]
    return replace(usual, extra_periods=replace(usual.extra_periods, low=most, high=most))


def _covers(environment: Environment, fault: Fault) -> bool:
    objective = environment.objective
    given = objective.faults if objective is not None else None
    if fault.kind in _HOST_KINDS:
        return given is None or HOST in given
    if fault.kind in (FaultKind.ENDPOINT_DEAD, FaultKind.ENDPOINT_HANGS):
        return given is None or ENDPOINT in given
    # A dependency is left out of failover_on by choice: clients are better served without it than
    # by a move that may not help. A dead probe hurts nobody.
    return fault.dependency in (environment.failover_on if given is None else given)


# The search for changes


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
    everything = _applied(environment, options)
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
        changed = _applied(environment, changes)
        return all(times(changed, fault, outages) <= limits[fault] * play for fault in faults)

    def is_enough(changes: Sequence[Change]) -> bool:
        return (
            # A few outages rule out most designs, so that many are simulated for a few designs.
            meets(changes, _OUTAGES_TO_SEARCH, _NOTICEABLE)
            and meets(changes, OUTAGES_PER_FAULT)
            and _is_sound(service, environment, changes)
        )

    def is_needed(option: Change) -> bool:
        changed = _applied(environment, _without(options, option))
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


def _dollars(changes: Sequence[Change]) -> float:
    return sum(change.dollars for change in changes)


def _dearest_first(changes: Sequence[Change]) -> Sequence[Change]:
    """Sort changes by cost; of those that cost the same, the last come first."""
    return sorted(changes, key=lambda change: change.dollars)[::-1]


def _with_longer_drills(environment: Environment, changes: Sequence[Change]) -> Sequence[Change]:
    """Add what drills need once the changes make them move clients."""
    drills = _applied(environment, changes).drills
    longer = []
    for name, drill in (drills.by_name if drills is not None else {}).items():
        minutes = drill_safety.minutes_needed(_applied(environment, changes), drill)
        if drill.minutes < minutes:
            path = ("drills", name, "duration_minutes")
            setting = f"{'.'.join(path)} {minutes} in place of {drill.minutes}"
            longer.append(Change(path, minutes, setting))
    return [*changes, *longer]


def _is_sound(service: Service, environment: Environment, changes: Sequence[Change]) -> bool:
    """Whether `check` would still accept the file after some changes, drills included."""
    changed = _applied(environment, _with_longer_drills(environment, changes))
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
