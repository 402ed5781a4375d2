"""Whether a design meets its objective, as the failover-time model says, and what would.

The model plays the design through as it stands in the file; what is suggested is played through
too. See docs/failover-time.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from resiliency.failover_model.faults import Fault, FaultKind, faults_of
from resiliency.failover_model.simulation import Verdict, failover_times
from resiliency.service_file.errors import Problem
from resiliency.service_file.model import Environment, Service
from resiliency.service_file.objective_changes import Change, best_changes, told_changes
from resiliency.service_file.objective_model import ENDPOINT, HOST
from resiliency.service_file.partial_document import PartialDocument
from resiliency.service_file.timing_graph import deciding_pair
from resiliency.service_file.warnings import ServiceWarning

_PATH: Final = ("objective", "recovery_time_seconds")
_HOST_KINDS: Final = (FaultKind.HOST_STOPPED, FaultKind.HOST_IMPAIRED)

# If one outage of 20 took longer than the objective, 200 that all keep it would be a chance of
# 1 in 28,000. So where they do, no more are played through.
_OUTAGES_AT_FIRST: Final = 200


@dataclass(frozen=True, slots=True)
class ObjectiveViolation:
    """A fault that clients would have to bear for longer than the objective.

    Attributes:
        fault: What breaks.
        p95: Seconds until 95 of 100 outages end; infinite where failover never comes.
        never: Why it never comes; None where it does.
        changes: What to change; empty where nothing in the file helps.
        gives: Seconds that 95 of 100 outages would take then.
        meets: Whether that is within the objective.
    """

    fault: Fault
    p95: float
    never: str | None
    changes: Sequence[Change]
    gives: float
    meets: bool

    def told(self, seconds: int) -> str:
        """The miss as one line.

        Args:
            seconds: The objective.
        """
        if self.p95 == inf:
            found = f"{self.fault}: clients are never moved"
            if self.never is not None:
                found += f", as {self.never}"
            found += f"; the objective is {seconds} s"
        else:
            found = (
                f"{self.fault}: 95 of 100 clients reach the standby within {self.p95:.0f} s; the "
                f"objective is {seconds} s"
            )
        settings = told_changes(self.changes)
        if not self.changes:
            return f"{found}; no setting of this file makes it shorter"
        if self.meets:
            return f"{found}; {settings} would give {self.gives:.0f} s"
        return f"{found}; nothing here meets it, the best is {settings}: {self.gives:.0f} s"


def objective_warnings(service: Service, environment: Environment) -> Iterator[ServiceWarning]:
    """A warning for each fault that misses an objective which is not enforced.

    Args:
        service: The service.
        environment: One of its environments.
    """
    objective = environment.objective
    if objective is not None and not objective.enforce:
        for miss in misses_of(service, environment):
            # A stable id for each fault, so that one can be acknowledged by itself.
            fault = str(miss.fault).replace(": ", "-").replace(" ", "-")
            yield ServiceWarning(
                f"staged-resiliency:objective-{fault}",
                ".".join(_PATH),
                miss.told(objective.recovery_time_seconds),
            )


def objective_problems(service: Service, draft: PartialDocument) -> Iterator[Problem]:
    """A problem for each fault that misses an enforced objective, in a service that is sound."""
    for name, environment in service.environments.items():
        objective = environment.objective
        if objective is not None and objective.enforce:
            for miss in misses_of(service, environment):
                told = miss.told(objective.recovery_time_seconds)
                yield draft.problem(told, "environments", name, *_PATH)


def misses_of(service: Service, environment: Environment) -> Sequence[ObjectiveViolation]:
    """The faults that the objective covers and the design does not end in time.

    Where a pair has both address families they share all that decides, so one is looked at.

    Args:
        service: The service.
        environment: One of its environments.
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
        for verdict in failover_times(graph, only=late)
        if p95_of(verdict) > seconds
    }
    if not missed:
        return ()

    known: dict[tuple[object, ...], float] = {}

    def times(changed: Environment, fault: Fault, outages: int) -> float:
        graph = deciding_pair(service, changed)
        asked = (*graph.pairs, *graph.probes, fault, outages)
        if asked not in known:
            (verdict,) = failover_times(graph, outages=outages, only=[fault])
            known[asked] = p95_of(verdict)
        return known[asked]

    found = best_changes(service, environment, list(missed), seconds, times)
    return [
        ObjectiveViolation(
            fault,
            p95_of(verdict),
            verdict.never,
            found[fault][0],
            found[fault][1],
            found[fault][1] <= seconds,
        )
        for fault, verdict in missed.items()
    ]


def p95_of(verdict: Verdict) -> float:
    """How long 95 of 100 outages take; infinite where fewer of them end by failover."""
    if verdict.total is None or verdict.moved < 0.95 * verdict.outages:
        return inf
    return verdict.total.p95 if verdict.moved == verdict.outages else verdict.total.worst


def _covers(environment: Environment, fault: Fault) -> bool:
    objective = environment.objective
    given = objective.faults if objective is not None else None
    if fault.kind in _HOST_KINDS:
        return given is None or HOST in given
    if fault.kind is FaultKind.ENDPOINT_DEAD:
        return given is None or ENDPOINT in given
    # What is not in failover_on is so by choice: clients are better served without it than by a
    # move that may not help. A dead probe hurts nobody.
    return fault.dependency in (environment.failover_on if given is None else given)
