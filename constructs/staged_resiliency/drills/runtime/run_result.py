"""The result of a run, judged from its phase records; their order does not matter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

from staged_resiliency.drills.runtime import states
from staged_resiliency.drills.runtime.durations import LATE_SECONDS
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.drills.runtime.store import PhaseRecord
from staged_resiliency.experiment.expectations import AlarmRecovers, ClientsReturn, Expectation
from staged_resiliency.experiment.journal import Phase, RunInfo, RunResult
from staged_resiliency.experiment.measures import measure
from staged_resiliency.experiment.observations import (
    MISSING,
    NO_ANSWER,
    Observation,
    Source,
    of,
    ordered,
)
from staged_resiliency.experiment.verdict import (
    OK,
    Run,
    Status,
    Verdict,
    aborted,
    judge,
    longest_outage_seconds,
    outage_over_objective,
    outage_seconds,
)

INJECTED: Final = "injected"
ENDED: Final = "ended"

STABLE_SECONDS: Final = 30.0
"""How long clients and alarms must have returned to count as stable."""

UNANSWERED_OBSERVATIONS: Final = 3
"""So many observations in a row without an answer show that a host does not answer."""

UNREAD_GUARDS_SECONDS: Final = 60.0
"""How long a fault goes on while no guard can be read, where AWS FIS does not watch them."""

UNOBSERVED_SECONDS: Final = 60.0
"""How long the observations of clients may be apart, as where a call of a function is repeated."""

_MAY_LAST: Final = "THE FAULT MAY STILL BE THERE"


def all_happened(
    expectations: Sequence[Expectation], observations: Iterable[Observation], run: Run
) -> bool:
    """Whether everything expected has happened, even if too late, until ``run.until``.

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


def reason_to_stop(plan: Plan, observations: Sequence[Observation], run: Run) -> str:
    """Return why the fault must be ended at once; empty where it may go on.

    It must not go on while the other host does not answer, while an alarm does not guard it, or
    when clients were not served for so long that the drill has failed.

    Args:
        plan: The drill.
        observations: In the order in which they were made.
        run: The times of the run; ``until`` is now.
    """
    latest = {each.subject: each.value for each in of(observations, Source.ALARM)}
    reasons = [
        f"the guard {name} {'does not exist' if state == MISSING else f'is in {state}'}"
        for name in plan.guard_alarms
        if (state := latest.get(name, OK)) != OK
    ]
    read = [each.at for name in plan.guard_alarms for each in of(observations, Source.ALARM, name)]
    unread = run.until - max([run.injected_at, *read])
    if not plan.guarded_by_fis and plan.guard_alarms and unread > UNREAD_GUARDS_SECONDS:
        reasons.append(f"the guards can't be read for {unread:.0f} s")
    hosts = of(observations, Source.HOST, plan.without_fault)[-UNANSWERED_OBSERVATIONS:]
    if plan.database is not None:
        hosts = []  # both hosts lose the database, and may not answer without it
    if len(hosts) == UNANSWERED_OBSERVATIONS and {each.value for each in hosts} == {NO_ANSWER}:
        reasons.append(
            nobody_serves(plan, observations, run)
            or f"{plan.without_fault} does not answer ({hosts[-1].detail})"
        )
    if plan.origin is not None:
        # The fault leaves the hosts alone, so it ends where the service itself does not answer.
        clients = of(observations, Source.CLIENT, plan.record.name)[-UNANSWERED_OBSERVATIONS:]
        if len(clients) == UNANSWERED_OBSERVATIONS and {each.value for each in clients} == {
            NO_ANSWER
        }:
            reasons.append(f"{plan.record.name} does not answer ({clients[-1].detail})")
    outage = longest_outage_seconds(observations, run) or 0.0
    if outage > plan.objective_seconds + LATE_SECONDS:
        reasons.append("clients were not served for longer than the objective")
    return "; ".join(reasons)


def nobody_serves(plan: Plan, observations: Iterable[Observation], run: Run) -> str:
    """Return a message if no host or target answered several polls in a row, else an empty text.

    Empty too where both lose their database: only how long clients are not served counts then.
    """
    if plan.database is not None:
        return ""
    during = [each for each in ordered(observations) if run.injected_at <= each.at <= run.until]
    other = {each.at: each.value for each in of(during, Source.HOST, plan.without_fault)}
    row = 0
    for each in of(during, Source.CLIENT, plan.clients_record):
        unserved = each.value == other.get(each.at) == NO_ANSWER
        row = row + 1 if unserved else 0
        if row == UNANSWERED_OBSERVATIONS:
            seconds = run.seconds(each.at, run.injected_at)
            return (
                f"neither {plan.primary} nor {plan.secondary} answered {seconds:.0f} s "
                "after the fault"
            )
    return ""


def unobserved(plan: Plan, observations: Iterable[Observation], run: Run) -> str:
    """Return a message if an outage over the objective may be unobserved, else an empty text.

    Polls that fail are ignored while the fault is ended, so clients may be unobserved for minutes.
    """
    seen = of(ordered(observations), Source.CLIENT, plan.clients_record)
    seen = [each for each in seen if run.injected_at <= each.at <= run.until]
    starts = [run.injected_at, *(each.at for each in seen[1:])]
    blind = sum(
        end - start
        for each, start, end in zip(seen, starts, [*starts[1:], run.until], strict=False)
        if each.value != NO_ANSWER and end - start > UNOBSERVED_SECONDS
    )
    if not blind or (outage_seconds(seen, run) or 0.0) + blind <= plan.objective_seconds:
        return ""
    return (
        f"clients were not observed for {blind:.0f} s, and may not have been served for longer "
        f"than the objective of {plan.objective_seconds:g} s"
    )


def run_of(plan: Plan, injected_at: float, ended_at: float | None, until: float) -> Run:
    """Return the times of a run, with the objective of its drill."""
    return Run(injected_at, ended_at, until, objective_seconds=plan.objective_seconds)


def run_info(plan: Plan, run: RunName) -> RunInfo:
    """Return the part of a journal that describes the run."""
    return RunInfo(
        kind="drill",
        run_id=run.name,
        service=plan.service,
        environment=plan.environment,
        experiment=plan.drill,
        fault=plan.fault.description,
        host=plan.target if plan.origin is None else plan.primary,
        dependency=plan.dependency,
        record=plan.clients_record,
        active=plan.primary,
        standby=plan.secondary,
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
        run = run_of(plan, injected, ended, until)
        measures = measure(observations, run, record=plan.clients_record, active=plan.primary)
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
    harm = [outage_over_objective(observations, run), nobody_serves(plan, observations, run)]
    if cut_short or trouble:
        reasons = "; ".join(each for each in (cut_short, trouble) if each)
        unknown = [each for each in harm if each and each not in reasons]
        if not any(harm):
            return aborted(reasons)
        return replace(judged, status=Status.FAILED, message="; ".join([*unknown, reasons]))
    reason = harm[1] or unobserved(plan, observations, run)
    if reason:
        failed = [] if judged.status is Status.PASSED else [judged.message]
        return replace(judged, status=Status.FAILED, message="; ".join([reason, *failed]))
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
    found: dict[str, Phase] = {}
    for each in records:
        began = found[each.phase].began_at if each.phase in found else each.began_at
        name = each.phase.lower()
        found[each.phase] = Phase(name, began, each.ended_at, each.message or "done")
    return [*found.values(), Phase(states.RECORD.lower(), now, now)]
