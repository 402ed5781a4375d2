"""What a run found, from what its calls left behind; the same for every order of reading."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.completion import fault_times
from staged_resiliency.drills.runtime.messages import RunName
from staged_resiliency.drills.runtime.phase_records import PhaseRecord
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.journal import Phase, RunInfo, RunResult
from staged_resiliency.experiment.measures import measure
from staged_resiliency.experiment.observations import Observation
from staged_resiliency.experiment.verdict import Run, Status, Verdict, aborted, judge


def subject(plan: Plan, run: RunName) -> RunInfo:
    """What a run was about."""
    return RunInfo(
        kind="drill",
        run_id=run.name,
        service=plan.service,
        environment=plan.environment,
        experiment=plan.drill,
        fault=plan.fault.told,
        host=plan.broken,
        dependency=plan.dependency,
        record=plan.record.name,
        active=plan.active.name,
        standby=plan.standby.name,
        objective_seconds=plan.objective_seconds,
    )


def conclude(
    plan: Plan,
    chunks: Sequence[PhaseRecord],
    errors: Mapping[str, str],
    interrupted: str,
    now: float,
) -> RunResult:
    """What a run found.

    Args:
        plan: The drill.
        chunks: What the calls of its functions left behind, in any order.
        errors: What phases failed with in the end, by name.
        interrupted: Why the run did not come to its own end; empty where it did.
        now: When this is told, in seconds since the epoch.
    """
    chunks = sorted(chunks, key=lambda each: (each.began_at, each.ended_at, each.phase))
    observations = [each for chunk in chunks for each in chunk.observations]
    injected, ended = fault_times(observations)
    run = measures = None
    if injected is not None:
        until = max(injected, *(each.ended_at for each in chunks))
        run = Run(injected, ended, until)
        measures = measure(observations, run, record=plan.record.name, active=plan.active.name)
    verdict = _verdict(plan, chunks, errors, interrupted, observations, run)
    predicted = plan.predicted
    return RunResult(
        run=run,
        hypothesis=plan.hypothesis,
        verdict=verdict,
        measures=measures,
        phases=_phases(chunks, errors, now),
        observations=observations,
        predicted={}
        if predicted is None
        else {
            "best": predicted.best,
            "median": predicted.median,
            "p95": predicted.p95,
            "worst": predicted.worst,
        },
    )


def fault_may_last(chunks: Sequence[PhaseRecord], errors: Mapping[str, str]) -> bool:
    """Whether somebody must still end the fault.

    Args:
        chunks: What the calls left behind, in the order in which they began.
        errors: What phases failed with in the end, by name.
    """
    last = _last(chunks, names.END_FAULT, names.SWEEP)
    if last is not None:
        return last.fault_may_last
    injected, _ = fault_times(each for chunk in chunks for each in chunk.observations)
    return injected is not None or "end" in errors


def _verdict(
    plan: Plan,
    chunks: Sequence[PhaseRecord],
    errors: Mapping[str, str],
    interrupted: str,
    observations: Sequence[Observation],
    run: Run | None,
) -> Verdict:
    trouble = "; ".join(
        [
            *([interrupted] if interrupted else []),
            *(f"{phase} failed: {error}" for phase, error in sorted(errors.items())),
        ]
    )
    ending = _last(chunks, names.END_FAULT, names.SWEEP)
    may_last = fault_may_last(chunks, errors)
    cut_short = "; ".join(dict.fromkeys(each.cut_short for each in chunks if each.cut_short))
    if run is None:
        return _without_fault(plan, chunks, trouble, cut_short, may_last=may_last)
    if may_last:
        told = (ending.told if ending else "") or trouble or "nobody saw it end"
        judged = judge(plan.hypothesis, observations, run)
        return replace(
            judged, status=Status.FAILED, message=f"THE FAULT MAY STILL BE THERE: {told}"
        )
    if cut_short or trouble:
        return aborted("; ".join(each for each in (cut_short, trouble) if each))
    judged = judge(plan.hypothesis, observations, run)
    after = _last(chunks, names.STEADY_AGAIN)
    if after is not None and after.go:
        return judged
    unsteady = f"not steady again: {after.told if after else 'nobody looked'}"
    told = unsteady if judged.status is Status.PASSED else f"{judged.message}; {unsteady}"
    return replace(judged, status=Status.FAILED, message=told)


def _without_fault(
    plan: Plan, chunks: Sequence[PhaseRecord], trouble: str, cut_short: str, *, may_last: bool
) -> Verdict:
    if may_last:
        return Verdict(Status.FAILED, f"THE FAULT MAY STILL BE THERE: {trouble}", ())
    for phase, what in ((names.PREFLIGHT, "refused"), (names.STEADY_STATE, "no steady state")):
        last = _last(chunks, phase)
        if last is not None and not last.go:
            return aborted(f"{what}: {last.told}")
    inject = _last(chunks, names.INJECT)
    told = inject.told if inject else ""
    if trouble or cut_short:
        return aborted(f"no fault was injected: {cut_short or trouble}")
    if not plan.enabled and told:
        return Verdict(Status.DRY_RUN, f"no fault was injected: {told}", ())
    return aborted(f"no fault was injected: {told or 'nobody knows why'}")


def _last(chunks: Sequence[PhaseRecord], *phases: str) -> PhaseRecord | None:
    found = [each for each in chunks if each.phase in phases]
    return found[-1] if found else None


def _phases(
    chunks: Sequence[PhaseRecord], errors: Mapping[str, str], now: float
) -> Sequence[Phase]:
    """The steps, each from its first call to its last."""
    found: dict[str, Phase] = {}
    for each in chunks:
        began = found[each.phase].began_at if each.phase in found else each.began_at
        found[each.phase] = Phase(each.phase.lower(), began, each.ended_at, each.told or "done")
    return [*found.values(), Phase(names.RECORD.lower(), now, now)]
