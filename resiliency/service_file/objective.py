"""Checks by the failover-time model whether a design meets its objective; suggests changes.

The model simulates the design of the file, and also the changes that are suggested, for which
``objective_changes`` searches. See docs/failover-time.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Fault, FaultKind, faults_of
from resiliency.failover_model.simulation import (
    OUTAGES_PER_FAULT,
    Verdict,
    assumed_of,
    failover_times,
)
from resiliency.service_file.errors import Problem
from resiliency.service_file.model.objective import ENDPOINT, HOST
from resiliency.service_file.model.service import Environment, Service
from resiliency.service_file.objective_changes import Change, applied, best_changes, changes_text
from resiliency.service_file.partial_document import PartialDocument
from resiliency.service_file.timing_graph import deciding_pair
from resiliency.service_file.warnings import ServiceWarning

_PATH: Final = ("objective", "recovery_time_seconds")
_HOST_KINDS: Final = (FaultKind.HOST_STOPPED, FaultKind.HOST_IMPAIRED)

# If one outage of 20 took longer than the objective, 200 that all meet it would have a chance of
# 1 in 28,000. So where they all do, no more are simulated.
_OUTAGES_AT_FIRST: Final = 200


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
        graph = deciding_pair(service, applied(environment, changes))
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
