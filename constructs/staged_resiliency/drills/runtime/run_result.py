"""The result of a run, judged from its phase records; their order does not matter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

from staged_resiliency.drills.runtime import states
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.drills.runtime.store import PhaseRecord
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    Expectation,
)
from staged_resiliency.experiment.journal import Phase, RunInfo, RunResult
from staged_resiliency.experiment.measures import measure
from staged_resiliency.experiment.observations import Observation, Source
from staged_resiliency.experiment.verdict import Run, Status, Verdict, aborted, judge

INJECTED: Final = "injected"
ENDED: Final = "ended"

STABLE_SECONDS: Final = 30.0
"""How long clients and alarms must have returned to count as stable."""

_MAY_LAST: Final = "THE FAULT MAY STILL BE THERE"


def expected_during_fault(plan: Plan) -> Sequence[Expectation]:
    """Return the expectations of what happens while the fault lasts."""
    return [each for each in plan.hypothesis if isinstance(each, (ClientsMove, AlarmFires))]


def expected_after_fault(plan: Plan) -> Sequence[Expectation]:
    """Return the expectations of what happens once the fault is over."""
    return [each for each in plan.hypothesis if isinstance(each, (ClientsReturn, AlarmRecovers))]


def all_happened(
    expectations: Sequence[Expectation], observations: Iterable[Observation], run: Run
) -> bool:
    """Whether everything expected has happened, even if too late; ``run.until`` is now.

    All has happened where there are no expectations. Each of them must have a time limit.
    """
    if not expectations:
        return True
    for each in judge(expectations, observations, run).judgements:
        if each.seconds is None:
            return False
        must_last = isinstance(each.expectation, (ClientsReturn, AlarmRecovers))
        since = (run.ended_at or run.injected_at) + each.seconds
        if must_last and run.until - since < STABLE_SECONDS:
            return False
    return True


def fault_times(observations: Iterable[Observation]) -> tuple[float | None, float | None]:
    """Return when the fault began and when it finally ended; None for what was not observed."""
    fault = [each for each in observations if each.source is Source.FAULT]
    injected = [each.at for each in fault if each.value == INJECTED]
    ended = [each.at for each in fault if each.value == ENDED]
    return min(injected, default=None), max(ended, default=None)


def run_info(plan: Plan, run: RunName) -> RunInfo:
    """Return the part of a journal that describes the run."""
    return RunInfo(
        kind="drill",
        run_id=run.name,
        service=plan.service,
        environment=plan.environment,
        experiment=plan.drill,
        fault=plan.fault.description,
        host=plan.target,
        dependency=plan.dependency,
        record=plan.record.name,
        active=plan.active.name,
        standby=plan.standby.name,
        objective_seconds=plan.objective_seconds,
    )


def conclude(
    plan: Plan,
    records: Sequence[PhaseRecord],
    errors: Mapping[str, str],
    interrupted: str,
    now: float,
) -> RunResult:
    """Judge a run by the records of its phases, in any order.

    The errors are those that failed phases ended with, by ``states.RESULT_KEYS``; ``interrupted``
    says why the run did not complete, and is empty where it did.
    """
    records = sorted(records, key=lambda each: (each.began_at, each.ended_at, each.phase))
    observations = [each for record in records for each in record.observations]
    injected, ended = fault_times(observations)
    run = measures = None
    if injected is not None:
        until = max(injected, *(each.ended_at for each in records))
        run = Run(injected, ended, until)
        measures = measure(observations, run, record=plan.record.name, active=plan.active.name)
    return RunResult(
        run=run,
        hypothesis=plan.hypothesis,
        verdict=_verdict(plan, records, errors, interrupted, observations, run),
        measures=measures,
        phases=_phases(records, now),
        observations=observations,
        predicted=asdict(plan.predicted) if plan.predicted else {},
    )


def fault_may_last(records: Sequence[PhaseRecord], errors: Mapping[str, str]) -> bool:
    """Whether the fault may still be in effect.

    The records are in the order in which they began; the errors are those that failed phases ended
    with, by ``states.RESULT_KEYS``.
    """
    last = _last(records, states.END_FAULT, states.CLEANUP)
    if last is not None:
        return last.fault_may_last
    injected, _ = fault_times(each for record in records for each in record.observations)
    return injected is not None or states.RESULT_KEYS[states.END_FAULT] in errors


def _verdict(
    plan: Plan,
    records: Sequence[PhaseRecord],
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
    may_last = fault_may_last(records, errors)
    cut_short = "; ".join(dict.fromkeys(each.cut_short for each in records if each.cut_short))
    if run is None:
        return _verdict_without_fault(plan, records, trouble, cut_short, may_last=may_last)
    judged = judge(plan.hypothesis, observations, run)
    if may_last:
        end = _last(records, states.END_FAULT, states.CLEANUP)
        reason = (end.message if end else "") or trouble or "its end was not observed"
        return replace(judged, status=Status.FAILED, message=f"{_MAY_LAST}: {reason}")
    if cut_short or trouble:
        return aborted("; ".join(each for each in (cut_short, trouble) if each))
    after = _last(records, states.STEADY_AGAIN)
    if after is not None and after.go:
        return judged
    unsteady = f"not steady again: {after.message if after else 'not checked'}"
    message = unsteady if judged.status is Status.PASSED else f"{judged.message}; {unsteady}"
    return replace(judged, status=Status.FAILED, message=message)


def _verdict_without_fault(
    plan: Plan, records: Sequence[PhaseRecord], trouble: str, cut_short: str, *, may_last: bool
) -> Verdict:
    if may_last:
        return Verdict(Status.FAILED, f"{_MAY_LAST}: {trouble}", ())
    for phase, what in (
        (states.PREFLIGHT, "refused"),
        (states.PREFLIGHT_AGAIN, "refused"),
        (states.STEADY_STATE, "no steady state"),
    ):
        last = _last(records, phase)
        if last is not None and not last.go:
            return aborted(f"{what}: {last.message}")
    inject = _last(records, states.INJECT)
    message = inject.message if inject else ""
    if trouble or cut_short:
        return aborted(f"no fault was injected: {cut_short or trouble}")
    if not plan.enabled and message:
        return Verdict(Status.DRY_RUN, f"no fault was injected: {message}", ())
    return aborted(f"no fault was injected: {message or 'for an unknown reason'}")


def _last(records: Sequence[PhaseRecord], *phases: str) -> PhaseRecord | None:
    found = [each for each in records if each.phase in phases]
    return found[-1] if found else None


def _phases(records: Sequence[PhaseRecord], now: float) -> Sequence[Phase]:
    """The phases of a run, each from its first call to its last."""
    found: dict[str, Phase] = {}
    for each in records:
        began = found[each.phase].began_at if each.phase in found else each.began_at
        name = each.phase.lower()
        found[each.phase] = Phase(name, began, each.ended_at, each.message or "done")
    return [*found.values(), Phase(states.RECORD.lower(), now, now)]
