"""How long clients of a pair are without service: many outages, each at another moment."""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final, TypeAlias

from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.explanations import why_never
from resiliency.failover_model.faults import Effect, Fault, effect, faults_of
from resiliency.failover_model.graph import (
    AlarmCheck,
    CalculatedCheck,
    FailoverGraph,
    HealthCheck,
    Leaf,
    Pair,
    leaves,
)
from resiliency.failover_model.health_check_timeline import StatusTimeline, course_of, work_of
from resiliency.failover_model.metric_stream import MINUTE
from resiliency.failover_model.overrides import told_by_templates
from resiliency.failover_model.route53 import Role, answer, calculated_health, status
from resiliency.failover_model.sensitivity import rests_on

OUTAGES_PER_FAULT: Final = 2_000
"""How many outages are played through for each fault unless said otherwise."""

# What a usual alarm takes is far less. One that looks back over hours takes so much that fewer
# outages are played through: its time is told by its window, next to which chance is little.
_MOST_WORK: Final = 30_000_000
_LEAST_OUTAGES: Final = 50

PARTS: Final = ("detect", "decide", "propagate", "cache")

_Health: TypeAlias = Callable[[Sequence[bool]], bool | None]
"""The status of a health check, given those of all that measure something; None without one."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage, in seconds.

    Attributes:
        detect: From the fault until it shows in what decides.
        decide: From there to a health check's new status.
        propagate: From there to the DNS servers' new answer.
        cache: From there until resolver and client let go of the old one.
    """

    detect: float
    decide: float
    propagate: float
    cache: float

    @property
    def total(self) -> float:
        """From the fault until a client reaches the secondary."""
        return self.detect + self.decide + self.propagate + self.cache


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long something takes over many outages, in seconds.

    Attributes:
        best: The least.
        median: Half of all take no longer.
        p95: 95 of 100 take no longer.
        worst: The most.
    """

    best: float
    median: float
    p95: float
    worst: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Percentiles":
        """The spread of at least one duration; each value is one that occurred (nearest rank)."""
        ordered = sorted(seconds)

        def rank(share: float) -> float:
            return ordered[max(0, ceil(share * len(ordered)) - 1)]

        return cls(ordered[0], rank(0.5), rank(0.95), ordered[-1])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a fault of the primary's host leads to.

    Attributes:
        pair: The pair.
        fault: What breaks.
        outages: How many were played through.
        moved: How many of them moved clients to the secondary.
        total: How long that takes, None where it never happens.
        parts: The same for each of ``PARTS``; empty where it never happens.
        never: Why it never happens; None where it does.
        assumptions: What was taken for given, what the templates tell of it included.
        rests_on: Names of the assumptions that the numbers depend on; none where it never happens.
    """

    pair: Pair
    fault: Fault
    outages: int
    moved: int
    total: Percentiles | None
    parts: Mapping[str, Percentiles]
    never: str | None
    assumptions: Assumptions = field(default_factory=Assumptions)
    rests_on: Sequence[str] = ()


def failover_times(
    graph: FailoverGraph,
    *,
    outages: int = OUTAGES_PER_FAULT,
    seed: int = 0,
    assumptions: Assumptions | None = None,
    only: Collection[Fault] | None = None,
) -> Sequence[Verdict]:
    """How long failover takes for each pair and each fault of its primary's host.

    Args:
        graph: What decides.
        outages: How many to play through for each fault; 2,000 unless given. Fewer where an alarm
            looks back over hours, as each takes long then.
        seed: The same seed gives the same numbers; 0 unless given.
        assumptions: What no template tells; see ``Assumptions`` for its defaults. What the
            templates tell of the probe stands in for a default.
        only: The faults wanted; all unless given. Others' numbers do not depend on it.

    Raises:
        ValueError: ``outages`` is under 1.
    """
    if outages < 1:
        raise ValueError(f"{outages} outages tell nothing; give 1 or more")
    given = assumptions or Assumptions()
    return [
        _verdict(graph, pair, fault, outages, seed, told_by_templates(graph, pair, given))
        for pair in graph.pairs
        for fault in faults_of(graph, pair)
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
    # Each fault has numbers of its own, so that one more fault changes those of no other.
    chance = random.Random(f"{seed} {pair.name} {pair.record_type} {fault}")  # noqa: S311 - no secret
    effects = effects_of(fault, pair)
    outages = _bearable(outages, effects, assumptions)
    play = _Simulation(pair, list(effects.items()), assumptions, chance)
    if not any(shown not in (Effect.NONE, Effect.UNKNOWN) for shown in effects.values()):
        # Nothing can change, so one look says what many would.
        outcomes = [play.outage()] * outages
    else:
        outcomes = [play.outage() for _ in range(outages)]
    moved = [outcome for outcome in outcomes if outcome is not None]
    if not moved:
        if play.answers_without_a_fault() is Role.SECONDARY:
            reason = "the secondary answers even while all is well"
        else:
            reason = why_never(graph, pair, fault, effects)
        return Verdict(pair, fault, outages, 0, None, {}, reason, assumptions)
    return Verdict(
        pair,
        fault,
        outages,
        len(moved),
        Percentiles.of([each.total for each in moved]),
        {part: Percentiles.of([getattr(each, part) for each in moved]) for part in PARTS},
        None,
        assumptions,
        rests_on(pair, effects, assumptions),
    )


def _bearable(outages: int, effects: Mapping[Leaf, Effect], assumptions: Assumptions) -> int:
    """As many outages as can be played through in seconds."""
    work = sum(
        work_of(leaf.alarm, assumptions)
        for leaf, shown in effects.items()
        if isinstance(leaf, AlarmCheck) and shown not in (Effect.NONE, Effect.UNKNOWN)
    )
    return min(outages, max(_LEAST_OUTAGES, _MOST_WORK // max(1, work)))


def effects_of(fault: Fault, pair: Pair) -> Mapping[Leaf, Effect]:
    """What each health check of a pair that measures something shows of a fault."""
    found = {
        leaf: effect(fault, leaf, pair, of_primary=False)
        for leaf in leaves(pair.secondary.health_check)
    }
    # One that stands below both is about the primary's host.
    for leaf in leaves(pair.primary.health_check):
        found[leaf] = effect(fault, leaf, pair, of_primary=True)
    return found


@dataclass(slots=True)
class _Simulation:
    """Plays outages of one fault through, one by one.

    Args:
        pair: The pair.
        effects: What each health check that measures something shows of the fault.
        assumptions: What no template tells.
        chance: Where phases and delays come from.
    """

    pair: Pair
    effects: Sequence[tuple[Leaf, Effect]]
    assumptions: Assumptions
    chance: random.Random
    _primary: _Health = field(init=False)
    _secondary: _Health = field(init=False)

    def __post_init__(self) -> None:
        place = {leaf: number for number, (leaf, _) in enumerate(self.effects)}
        self._primary = _health_of(self.pair.primary.health_check, place)
        self._secondary = _health_of(self.pair.secondary.health_check, place)

    def outage(self) -> Outage | None:
        """One outage; None where clients stay with the primary."""
        chance, assumptions = self.chance, self.assumptions
        fault_at = MINUTE * chance.random()
        decided = self._decision(self._courses(self.effects, fault_at))
        if decided is None:
            return None
        at, evident = decided
        # What shows only after the decision did not lead to it: then all of the time is decision.
        shown_at = min(max(evident, fault_at), at)
        kept = max(self.pair.primary.ttl_seconds, assumptions.resolver_floor.draw(chance))
        # Somebody asked the resolver at some moment before, so what is left of the answer's life
        # is anything up to all of it.
        cache = kept * chance.random() + assumptions.client_cache.draw(chance)
        return Outage(
            detect=shown_at - fault_at,
            decide=at - shown_at,
            propagate=assumptions.dns_propagation.draw(chance),
            cache=cache,
        )

    def answers_without_a_fault(self) -> Role:
        """Which record answers while all is well."""
        unharmed = [
            (leaf, Effect.UNKNOWN if shown is Effect.UNKNOWN else Effect.NONE)
            for leaf, shown in self.effects
        ]
        return self._answer([course.before for course in self._courses(unharmed, 0.0)])

    def _courses(
        self, effects: Sequence[tuple[Leaf, Effect]], fault_at: float
    ) -> Sequence[StatusTimeline]:
        """The course of each health check, in the order of the effects."""
        return [
            course_of(
                leaf, shown, fault_at=fault_at, assumptions=self.assumptions, chance=self.chance
            )
            for leaf, shown in effects
        ]

    def _decision(self, courses: Sequence[StatusTimeline]) -> tuple[float, float] | None:
        """When the answer first becomes the secondary, and when that had become evident."""
        now = [course.before for course in courses]
        if self._answer(now) is Role.SECONDARY:
            return None  # there is nothing to fail over from
        changes = [
            (at, place, healthy)
            for place, course in enumerate(courses)
            for at, healthy in course.changes
        ]
        for at, place, healthy in sorted(changes, key=lambda change: change[0]):
            now[place] = healthy
            if self._answer(now) is Role.SECONDARY:
                return at, courses[place].evident
        return None

    def _answer(self, now: Sequence[bool]) -> Role:
        return answer(self._primary(now), self._secondary(now))


def _health_of(check: HealthCheck | None, place: Mapping[Leaf, int]) -> _Health:
    """The status of a health check as a function of the statuses of those that measure."""
    if check is None:
        return lambda now: None
    if not isinstance(check, CalculatedCheck):
        own = place[check]
        return lambda now: now[own]
    children = [_health_of(child, place) for child in check.children]

    def counted(now: Sequence[bool]) -> bool:
        healthy = calculated_health(
            [child(now) is not False for child in children], check.threshold
        )
        return status(healthy, inverted=check.inverted, disabled=check.disabled)

    return counted
