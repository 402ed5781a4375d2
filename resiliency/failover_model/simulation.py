"""Simulates how long clients of a pair are without service, in many outages."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from heapq import merge
from math import ceil, inf
from typing import Final, TypeAlias

from resiliency.failover_model.alarm_evaluation import Missing
from resiliency.failover_model.alarm_readings import evaluation_cost
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.explanations import explain_no_failover, sensitive_to
from resiliency.failover_model.faults import Effect, Fault, effect, faults_of
from resiliency.failover_model.graph import (
    AlarmCheck,
    BasicHealthCheck,
    CalculatedCheck,
    EndpointCheck,
    FailoverGraph,
    HealthCheck,
    Pair,
    Record,
)
from resiliency.failover_model.health_check_timeline import StatusTimeline, status_timeline
from resiliency.failover_model.metric_stream import kind_of
from resiliency.failover_model.overrides import assumptions_for_pair
from resiliency.failover_model.route53 import Role, answer, calculated_health, status
from staged_resiliency.shared.time_limits import MINUTE

OUTAGES_PER_FAULT: Final = 2_000
"""The default number of simulated outages per fault."""

# A usual alarm costs far less. One that looks back over hours costs so much that fewer outages are
# simulated: its window determines its time, and chance changes little.
_MOST_COST: Final = 30_000_000
_LEAST_OUTAGES: Final = 50

# A signal that decides fewer outages than this share hardly affects the percentiles.
_NOTABLE_SHARE: Final = 0.05

PARTS: Final = ("detect", "decide", "propagate", "cache")

StatusFunction: TypeAlias = Callable[[Sequence[bool]], bool | None]
"""The status of a health check, given those of all basic ones; None without a health check."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage, in seconds.

    Attributes:
        detect: From the fault until it shows in a deciding signal.
        decide: From there to a health check's new status.
        propagate: From there to the DNS servers' new answer.
        cache: From there until resolver and client drop the old answer.
        decided_by: Place of the health check whose new status changed the answer.
        message: From the fault until an alarm on that new status fires.
    """

    detect: float
    decide: float
    propagate: float
    cache: float
    decided_by: int
    message: float

    @property
    def total(self) -> float:
        """Seconds from the fault until a client reaches the secondary."""
        return self.detect + self.decide + self.propagate + self.cache


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds that something takes over many outages; 95 of 100 take no longer than ``p95``.

    ``best`` and ``worst`` are those of the simulated outages, not bounds of what is possible.
    """

    best: float
    median: float
    p95: float
    worst: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Percentiles":
        """Compute the percentiles of at least one duration, each by nearest rank."""
        ordered = sorted(seconds)

        def rank(share: float) -> float:
            return ordered[max(0, ceil(share * len(ordered)) - 1)]

        return cls(ordered[0], rank(0.5), rank(0.95), ordered[-1])


@dataclass(frozen=True, slots=True)
class Verdict:
    """The consequence of a fault of the primary's host.

    Attributes:
        moved: How many outages moved clients to the secondary.
        total: How long that takes, None where it never happens.
        parts: The same for each of ``PARTS``; empty where it never happens.
        never: Why it never happens; None where it does.
        assumptions: The assumptions, with the templates' values.
        sensitive_to: Names of the assumptions that affect the times; empty where there are none.
        message: How long until an alarm on the status of the primary's health check fires, None
            where clients are never moved, and where the health of a load balancer's targets
            decides too.
    """

    pair: Pair
    fault: Fault
    outages: int
    moved: int
    total: Percentiles | None
    parts: Mapping[str, Percentiles]
    never: str | None
    assumptions: Assumptions = field(default_factory=Assumptions)
    sensitive_to: Sequence[str] = ()
    message: Percentiles | None = None

    @property
    def p95(self) -> float:
        """How long 95 of 100 outages take; infinite if fewer of them end by failover."""
        if self.total is None or self.moved < 0.95 * self.outages:
            return inf
        return self.total.p95 if self.moved == self.outages else self.total.worst

    def meets(self, objective: float) -> bool | None:
        """Whether 95 of 100 outages end within a limit in seconds; None for a harmless fault."""
        return self.p95 <= objective if self.fault.hurts else None


def assumed_of(verdict: Verdict) -> Sequence[str]:
    """Return the names of the assumptions behind a verdict that have no source."""
    return [
        name
        for name, each in verdict.assumptions.ranges()
        if name in verdict.sensitive_to and each.assumed
    ]


def failover_times(
    graph: FailoverGraph,
    *,
    outages: int = OUTAGES_PER_FAULT,
    seed: int = 0,
    assumptions: Assumptions | None = None,
    only: Collection[Fault] | None = None,
    also: Sequence[Fault] = (),
) -> Sequence[Verdict]:
    """Simulate how long failover takes for each pair and each fault of its primary's host.

    Fewer outages are simulated where an alarm looks back over hours, as each takes long then. The
    same seed gives the same numbers, with ``only`` some faults, and with others ``also``. The
    probe's configuration in the templates replaces a default of ``Assumptions``.

    Raises:
        ValueError: ``outages`` is under 1.
    """
    if outages < 1:
        raise ValueError(f"{outages} outages are too few; give 1 or more")
    given = assumptions or Assumptions()
    return [
        _verdict(graph, pair, fault, outages, seed, assumptions_for_pair(graph, pair, given))
        for pair in graph.pairs
        for fault in (*faults_of(graph, pair), *also)
        if only is None or fault in only
    ]


def _verdict(
    graph: FailoverGraph,
    pair: Pair,
    fault: Fault,
    outages: int,
    seed: int,
    assumptions: Assumptions,
) -> Verdict:
    effects = effects_of(fault, pair)
    checks = list(effects)
    # Each fault has its own random numbers, so that another fault does not change the results.
    found = _simulate(
        _without_names(pair, checks),
        tuple(effects.values()),
        _affordable(outages, effects, assumptions),
        f"{seed} {fault.kind.value}",
        assumptions,
    )
    if found.total is None:
        if found.without_a_fault is Role.SECONDARY:
            reason = "the secondary answers even while all is well"
        else:
            reason = explain_no_failover(graph, pair, fault, effects)
        return Verdict(pair, fault, found.outages, 0, None, {}, reason, assumptions)
    # A signal that shows the fault too late to decide does not affect the times.
    deciding = {checks[place]: effects[checks[place]] for place in found.deciding}
    return Verdict(
        pair,
        fault,
        found.outages,
        found.moved,
        found.total,
        found.parts,
        None,
        assumptions,
        sensitive_to(pair, deciding, assumptions),
        # No metric of a health check shows that a load balancer has no healthy target.
        None if any(map(_is_of_targets, checks)) else found.message,
    )


def _is_of_targets(check: BasicHealthCheck) -> bool:
    return isinstance(check, EndpointCheck) and check.timeout_seconds is not None


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """The outcomes of many outages of one fault.

    Attributes:
        deciding: Places of the health checks that decide.
        without_a_fault: The record that answers without a fault.
    """

    outages: int
    moved: int
    total: Percentiles | None
    parts: Mapping[str, Percentiles]
    deciding: Sequence[int]
    without_a_fault: Role
    message: Percentiles | None


@lru_cache(maxsize=1024)
def _simulate(
    pair: Pair, effects: tuple[Effect, ...], outages: int, seed: str, assumptions: Assumptions
) -> _Outcomes:
    """Simulate outages; cached, as many services and designs differ in nothing that matters here.

    The labels of the basic health checks are their places in ``effects``.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    checks = {
        int(check.label): check
        for record in (pair.primary, pair.secondary)
        for check in record.checks
    }
    simulation = _Simulation(
        pair, [(checks[place], shown) for place, shown in enumerate(effects)], assumptions, chance
    )
    if not any(shown not in (Effect.NONE, Effect.UNKNOWN) for shown in effects):
        # Nothing can change, so all outages are alike.
        outcomes = [simulation.outage()] * outages
    else:
        outcomes = [simulation.outage() for _ in range(outages)]
    moved = [outcome for outcome in outcomes if outcome is not None]
    decided = Counter(each.decided_by for each in moved)
    return _Outcomes(
        outages,
        len(moved),
        Percentiles.of([each.total for each in moved]) if moved else None,
        {part: Percentiles.of([getattr(each, part) for each in moved]) for part in PARTS}
        if moved
        else {},
        [place for place, times in decided.items() if times >= _NOTABLE_SHARE * len(moved)],
        simulation.answers_without_a_fault(),
        Percentiles.of([each.message for each in moved]) if moved else None,
    )


def _without_names(pair: Pair, checks: Sequence[BasicHealthCheck]) -> Pair:
    """Return a pair that has only what a simulation depends on."""
    nameless = {check: _nameless(check, str(place)) for place, check in enumerate(checks)}

    def tree(check: HealthCheck | None) -> HealthCheck | None:
        if not isinstance(check, CalculatedCheck):
            return None if check is None else nameless[check]
        children = [child for each in check.children if (child := tree(each)) is not None]
        return replace(check, label="", children=tuple(children))

    return Pair(
        "",
        "",
        Record((), pair.primary.ttl_seconds, tree(pair.primary.health_check)),
        Record((), 0, tree(pair.secondary.health_check)),
    )


def _nameless(check: BasicHealthCheck, label: str) -> BasicHealthCheck:
    if isinstance(check, EndpointCheck):
        return replace(check, label=label, address="")
    alarm = replace(check.alarm, name="", metric=kind_of(check.alarm.metric))
    # Route 53 has neither of them.
    alarm = replace(alarm, datapoints_to_alarm=0, missing=Missing.MISSING)
    return replace(check, label=label, alarm=alarm)


def _affordable(
    outages: int, effects: Mapping[BasicHealthCheck, Effect], assumptions: Assumptions
) -> int:
    """Reduce the number of outages so that simulating them takes only seconds."""
    cost = sum(
        evaluation_cost(check.alarm, assumptions)
        for check, shown in effects.items()
        if isinstance(check, AlarmCheck) and shown not in (Effect.NONE, Effect.UNKNOWN)
    )
    return min(outages, max(_LEAST_OUTAGES, _MOST_COST // max(1, cost)))


def effects_of(fault: Fault, pair: Pair) -> Mapping[BasicHealthCheck, Effect]:
    """Return the effect of a fault on each basic health check of a pair."""
    found = {check: effect(fault, check, pair, of_primary=False) for check in pair.secondary.checks}
    # One that is below both is about the primary's host.
    for check in pair.primary.checks:
        found[check] = effect(fault, check, pair, of_primary=True)
    return found


@dataclass(slots=True)
class _Simulation:
    """Simulates outages of one fault, one by one."""

    pair: Pair
    effects: Sequence[tuple[BasicHealthCheck, Effect]]
    assumptions: Assumptions
    chance: random.Random
    # Apart, so that the times of clients do not depend on those of messages.
    _of_messages: random.Random = field(
        default_factory=lambda: random.Random(0)  # noqa: S311 - no secret
    )
    _primary: StatusFunction = field(init=False)
    _secondary: StatusFunction = field(init=False)

    def __post_init__(self) -> None:
        place = {check: number for number, (check, _) in enumerate(self.effects)}
        self._primary = status_function(self.pair.primary.health_check, place)
        self._secondary = status_function(self.pair.secondary.health_check, place)

    def outage(self) -> Outage | None:
        """Simulate one outage; None where clients stay with the primary."""
        chance, assumptions = self.chance, self.assumptions
        fault_at = MINUTE * chance.random()
        timelines = self._timelines(self.effects, fault_at)
        decided = self._decision(timelines)
        if decided is None:
            return None
        at, place = decided
        evident = timelines[place].evident
        # What shows only after the decision did not cause it: then all of the time is decision.
        shown_at = min(max(evident, fault_at), at)
        least = assumptions.resolver_floor.draw(chance)
        share = assumptions.stretching_share
        if share.high and chance.random() < share.draw(chance):
            least = assumptions.stretched_ttl.draw(chance)
        lifetime = max(self.pair.primary.ttl_seconds, least)
        # Resolver and client cached the answer at some time before, so what is left of a cache's
        # lifetime is anything up to all of it.
        cache = lifetime * chance.random()
        cache += assumptions.client_cache.draw(chance) * chance.random()
        return Outage(
            detect=shown_at - fault_at,
            decide=at - shown_at,
            propagate=assumptions.dns_propagation.draw(chance),
            cache=cache,
            decided_by=place,
            message=at - fault_at + self._until_message(),
        )

    def _until_message(self) -> float:
        """Return the seconds from a health check's new status until an alarm on it fires."""
        chance, assumptions = self._of_messages, self.assumptions
        # Route 53 publishes a status each minute, at a moment of its own, as CloudWatch evaluates.
        published = MINUTE * chance.random() + assumptions.health_metric_delay.draw(chance)
        return published + assumptions.evaluation_interval.draw(chance) * chance.random()

    def answers_without_a_fault(self) -> Role:
        """Return the role of the record that answers without a fault."""
        unharmed = [
            (check, Effect.UNKNOWN if shown is Effect.UNKNOWN else Effect.NONE)
            for check, shown in self.effects
        ]
        return self._answer([timeline.before for timeline in self._timelines(unharmed, 0.0)])

    def _timelines(
        self, effects: Sequence[tuple[BasicHealthCheck, Effect]], fault_at: float
    ) -> Sequence[StatusTimeline]:
        """Simulate each health check; the timelines are in the order of ``effects``."""
        return [
            status_timeline(
                check, shown, fault_at=fault_at, assumptions=self.assumptions, chance=self.chance
            )
            for check, shown in effects
        ]

    def _decision(self, timelines: Sequence[StatusTimeline]) -> tuple[float, int] | None:
        """Return when the answer first becomes the secondary, and the place of what decides it."""
        now = [timeline.before for timeline in timelines]
        if self._answer(now) is Role.SECONDARY:
            return None  # there is nothing to fail over from
        changes = [_placed(place, timeline) for place, timeline in enumerate(timelines)]
        for at, place, healthy in merge(*changes, key=lambda change: change[0]):
            now[place] = healthy
            if self._answer(now) is Role.SECONDARY:
                return at, place
        return None

    def _answer(self, now: Sequence[bool]) -> Role:
        return answer(self._primary(now), self._secondary(now))


def _placed(place: int, timeline: StatusTimeline) -> Iterator[tuple[float, int, bool]]:
    return ((at, place, healthy) for at, healthy in timeline.changes)


def status_function(
    check: HealthCheck | None, place: Mapping[BasicHealthCheck, int]
) -> StatusFunction:
    """Return the status of a health check as a function of those of the basic ones.

    ``place`` is the position of each basic health check in the function's argument.
    """
    if check is None:
        return lambda now: None
    if not isinstance(check, CalculatedCheck):
        own = place[check]
        return lambda now: now[own]
    children = [status_function(child, place) for child in check.children]

    def counted(now: Sequence[bool]) -> bool:
        healthy = calculated_health(
            [child(now) is not False for child in children], check.threshold
        )
        return status(healthy, inverted=check.inverted, disabled=check.disabled)

    return counted
