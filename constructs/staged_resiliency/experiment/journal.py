"""The journal of one run: a JSON document that rehearsals and drills both write.

docs/journal.md explains each key. Timestamps are ISO 8601 in UTC with milliseconds.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from staged_resiliency.experiment.expectations import Hypothesis, expectation_json
from staged_resiliency.experiment.measures import Measures
from staged_resiliency.experiment.observations import Observation, transitions
from staged_resiliency.experiment.verdict import Run, Verdict

SCHEMA_VERSION: Final = 1
"""Raised when a reader of the former version would misread a journal."""

JsonObject = Mapping[str, Any]
"""What ``json.dumps`` takes for an object."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of a run.

    Attributes:
        name: Such as ``preflight``, ``steady state``, ``inject``, ``observe``, ``end fault``,
            ``failback``, ``steady again``, ``record``; a run that was cut off has ``sweep``.
        began_at: Seconds since the epoch.
        ended_at: The same; None for one that was cut off.
        outcome: ``done``, or why it went no further.
    """

    name: str
    began_at: float
    ended_at: float | None
    outcome: str = "done"


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a run was about.

    Attributes:
        kind: ``rehearsal`` or ``drill``.
        run_id: Unique among the runs of a service.
        service: Short name of the service.
        environment: Short name of the environment.
        experiment: Name of the scenario or drill.
        fault: Kind of the fault, such as ``host stopped``.
        host: Name of the host that it broke.
        dependency: Name of the dependency that it cut off, if that is what it did.
        record: DNS name that clients use.
        active: Name of the host that served before.
        standby: Name of the other one.
        objective_seconds: Recovery time objective, if there is one.
    """

    kind: str
    run_id: str
    service: str
    environment: str
    experiment: str
    fault: str
    host: str
    dependency: str | None
    record: str
    active: str
    standby: str
    objective_seconds: float | None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run found.

    Attributes:
        run: Its times; None where no fault was injected.
        hypothesis: What was expected.
        verdict: Whether it held.
        measures: Numbers to follow over time; None where no fault was injected.
        phases: The steps, in order.
        observations: Everything that was seen; a journal holds the transitions.
        predicted: Seconds that the failover-time model gives for this fault, by ``best``,
            ``median``, ``p95``, ``worst``; empty where it was not asked.
    """

    run: Run | None
    hypothesis: Hypothesis
    verdict: Verdict
    measures: Measures | None
    phases: Sequence[Phase]
    observations: Sequence[Observation]
    predicted: Mapping[str, float] = field(default_factory=dict)


def journal(subject: RunInfo, finding: RunResult) -> JsonObject:
    """The journal of a run, as a JSON object."""
    run, verdict = finding.run, finding.verdict
    return {
        "schema_version": SCHEMA_VERSION,
        **dataclasses.asdict(subject),
        "time_scale": run.time_scale if run else 1.0,
        "injected_at": timestamp(run.injected_at) if run else None,
        "fault_ended_at": timestamp(run.ended_at) if run else None,
        "observed_until": timestamp(run.until) if run else None,
        "hypothesis": [expectation_json(each) for each in finding.hypothesis],
        "verdict": {
            "status": verdict.status.value,
            "message": verdict.message,
            "judgements": [
                {
                    "expectation": expectation_json(each.expectation),
                    "status": each.status.value,
                    "seconds": _rounded(each.seconds),
                    "message": each.message,
                }
                for each in verdict.judgements
            ],
        },
        "measures": {
            key: _rounded(value, 5) for key, value in dataclasses.asdict(finding.measures).items()
        }
        if finding.measures
        else None,
        "predicted_seconds": {key: _rounded(each) for key, each in finding.predicted.items()},
        "phases": [
            {
                "name": each.name,
                "began_at": timestamp(each.began_at),
                "ended_at": timestamp(each.ended_at),
                "outcome": each.outcome,
            }
            for each in finding.phases
        ],
        "transitions": transitions_json(finding.observations),
    }


def transitions_json(observations: Iterable[Observation]) -> Sequence[JsonObject]:
    """The transitions as a journal holds them, in the order of their time."""
    return [
        {
            "at": timestamp(each.at),
            "source": each.source.value,
            "subject": each.subject,
            "value": each.value,
            "detail": each.detail,
        }
        for each in transitions(observations)
    ]


def timestamp(at: float | None) -> str | None:
    """A moment as journals write it; None for None."""
    if at is None:
        return None
    moment = datetime.fromtimestamp(at, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rounded(number: float | None, digits: int = 1) -> float | None:
    return None if number is None else round(number, digits)
