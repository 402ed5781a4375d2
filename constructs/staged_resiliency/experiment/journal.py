"""The journal of one run: a JSON document that rehearsals and drills both write.

The dataclasses here define its keys. The reader, and the JSON Schema for other programs
(``resiliency/report/journal.schema.json``), follow from them; docs/journal.md explains them.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from staged_resiliency.experiment.expectations import (
    ClientsFast,
    ClientsMove,
    Expectation,
    Hypothesis,
    UnknownExpectation,
)
from staged_resiliency.experiment.json_codec import (
    Bounds,
    DataError,
    JsonObject,
    Moment,
    Seconds,
    as_json,
    read,
    shown,
)
from staged_resiliency.experiment.measures import Measures
from staged_resiliency.experiment.observations import Observation, transitions
from staged_resiliency.experiment.verdict import Judgement, Run, Verdict

SCHEMA_VERSION: Final = 1
"""Raised when a reader of the former version would misread a journal."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a run.

    Attributes:
        name: Such as ``preflight``, ``steady state``, ``inject``, ``observe``, ``end fault``,
            ``failback``, ``steady again``, ``record``; a run that was cut off has ``cleanup``.
        began_at: When it began.
        ended_at: When it ended; null for one that was cut off.
        outcome: ``done``, or why it went no further.
    """

    name: str
    began_at: Moment
    ended_at: Moment | None
    outcome: str = "done"


@dataclass(frozen=True, slots=True)
class Transition(Observation):
    """An observation of a new value: the first of its subject, or one that differs from the last.

    Attributes:
        at: When it was observed.
    """

    at: Moment


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The subject of a run: service, fault, hosts, and the objective.

    Attributes:
        kind: ``rehearsal`` or ``drill``.
        run_id: Unique among the runs of a service.
        service: Short name of the service.
        environment: Short name of the environment.
        experiment: Name of the scenario or drill.
        fault: Kind of the fault, such as ``host stopped``.
        host: Name of the host that it broke.
        dependency: Name of the dependency that it cut off; null where it did something else.
        record: DNS name that clients use.
        active: Name of the host that served before.
        standby: Name of the other host.
        objective_seconds: Recovery time objective; null where there is none.
    """

    kind: Literal["rehearsal", "drill"]
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
    objective_seconds: Seconds | None


@dataclass(frozen=True, slots=True)
class Journal(RunInfo):
    """The journal of a run. Durations are in seconds, in a rehearsal simulated ones.

    Attributes:
        time_scale: Seconds of the service per second of the clock; 1 in production.
        injected_at: When the fault began; null where none was injected.
        fault_ended_at: When the fault ended; null where its end was not observed.
        observed_until: When observation ended; null where no fault was injected.
        hypothesis: All expectations.
        verdict: The result of the run.
        measures: Numbers to follow over time; null where no fault was injected.
        predicted_seconds: Seconds until clients reach the standby, as the failover-time model
            gives them for this fault: ``best``, ``median``, ``p95``, ``worst``; empty where it was
            not asked.
        phases: The phases of the run, in order.
        transitions: What was observed: the first observation of each subject, and each whose
            value differs from the one before, in the order of time.
    """

    time_scale: Annotated[float, Bounds(more_than=0)]
    injected_at: Moment | None
    fault_ended_at: Moment | None
    observed_until: Moment | None
    hypothesis: Sequence[Expectation | UnknownExpectation]
    verdict: Verdict
    measures: Measures | None
    predicted_seconds: Mapping[str, Seconds]
    phases: Sequence[Phase]
    transitions: Sequence[Transition]

    @property
    def began_at(self) -> float | None:
        """When the run began, or else the fault; None where the journal has neither."""
        began = [each.began_at for each in self.phases]
        if self.injected_at is not None:
            began.append(self.injected_at)
        return min(began, default=None)

    @property
    def numbers(self) -> Measures:
        """The measures; each of them None where no fault was injected."""
        return self.measures or Measures()


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a run, from which its journal is written.

    Attributes:
        run: Its times; None where no fault was injected.
        hypothesis: The expectations.
        verdict: Their judgement.
        measures: Numbers to follow over time; None where no fault was injected.
        phases: The phases, in order.
        observations: All of them; a journal holds the transitions.
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


def journal_of(info: RunInfo, result: RunResult) -> Journal:
    """Make the journal of a run."""
    run, verdict, measures = result.run, result.verdict, result.measures
    return Journal(
        **{each.name: getattr(info, each.name) for each in dataclasses.fields(RunInfo)},
        time_scale=run.time_scale if run else 1.0,
        injected_at=run.injected_at if run else None,
        fault_ended_at=run.ended_at if run else None,
        observed_until=run.until if run else None,
        hypothesis=tuple(result.hypothesis),
        verdict=dataclasses.replace(
            verdict,
            judgements=tuple(
                dataclasses.replace(each, seconds=_rounded(each.seconds, _digits(each)))
                for each in verdict.judgements
            ),
        ),
        measures=None
        if measures is None
        else Measures(*(_rounded(each, 5) for each in dataclasses.astuple(measures))),
        predicted_seconds={key: round(each, 1) for key, each in result.predicted.items()},
        phases=tuple(result.phases),
        transitions=tuple(
            Transition(each.at, each.source, each.subject, each.value, each.detail, each.seconds)
            for each in transitions(result.observations)
        ),
    )


def journal_json(journal: Journal) -> JsonObject:
    """Write a journal as a JSON object."""
    return {"schema_version": SCHEMA_VERSION, **as_json(journal)}


def journal_from_json(document: object, where: str) -> Journal:
    """Read the journal that ``journal_json`` wrote, of this release or a compatible one.

    Keys that are not known are ignored, since a later release may add some without raising
    ``schema_version``.

    Args:
        document: What ``json.loads`` returned.
        where: How messages name the document.

    Raises:
        DataError: It is not a journal that this release can read; the first problem alone.
    """
    if not isinstance(document, Mapping):
        raise DataError(f"{where}: is not a journal: found {shown(document)}; must be an object")
    if "schema_version" not in document:
        raise DataError(f"{where}: is not a journal: it has no schema_version")
    version = document["schema_version"]
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DataError(
            f"{where}: schema_version: found {shown(version)}; must be a whole number, up to "
            f"{SCHEMA_VERSION}"
        )
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{where}: schema_version: {version} is newer than this release, which reads up to "
            f"{SCHEMA_VERSION}; use the release that wrote it, or a later one"
        )
    journal = read(Journal, document, where)
    limits = [each.within_seconds for each in journal.hypothesis if isinstance(each, ClientsMove)]
    if None in limits and journal.objective_seconds is None:
        raise DataError(
            f"{where}: objective_seconds: is null, and so is within_seconds of 'clients move'; "
            "give one of them"
        )
    if journal.injected_at is not None and journal.observed_until is None:
        raise DataError(f"{where}: observed_until: is null, though injected_at is not; give both")
    return journal


def _digits(judgement: Judgement) -> int:
    """Return how many digits the seconds of a judgement have: answers take fractions of one."""
    return 3 if isinstance(judgement.expectation, ClientsFast) else 1


def _rounded(number: float | None, digits: int = 1) -> float | None:
    return None if number is None else round(number, digits)
