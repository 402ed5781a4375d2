"""The phases of a run, each a function that the state machine calls."""

import math
from dataclasses import replace
from types import TracebackType

from staged_resiliency.drills.runtime import engine, fault, fis, recorder, states
from staged_resiliency.drills.runtime import preflight as checks
from staged_resiliency.drills.runtime.client_view import STEADY_POLLS, Poller, not_steady
from staged_resiliency.drills.runtime.context import AwsError, Context, NotStartedError
from staged_resiliency.drills.runtime.ending import Ending, FaultToEnd
from staged_resiliency.drills.runtime.fault import FaultEndStatus
from staged_resiliency.drills.runtime.fis import Experiment
from staged_resiliency.drills.runtime.run_result import (
    ENDED,
    INJECTED,
    all_happened,
    fault_times,
    reason_to_stop,
    run_of,
)
from staged_resiliency.drills.runtime.states import PhaseInput, PhaseResult, RunName
from staged_resiliency.drills.runtime.store import (
    PhaseRecord,
    Store,
    begin,
    claim_occurrence,
    end,
    fault_over_key,
    live_key,
    load_records,
    save_record,
)
from staged_resiliency.experiment.expectations import after_fault, during_fault
from staged_resiliency.experiment.observations import Observation, Source

_TIME_IS_OVER = "the time for it is over"
_UNREAD_CALL_SECONDS = 40.0
_UNREAD_PAUSE_SECONDS = 5.0


class _Phase:
    """One call of a phase: its observations, its times, and its result.

    A record of its observations is written even where the call fails.
    """

    def __init__(self, call: PhaseInput, state: str, context: Context) -> None:
        self.call, self.plan, self.context = call, call.plan, context
        self.store = Store(context.aws, call.plan.journal_bucket)
        self.poller = Poller(call.plan, context)
        self.called_at = context.clock()
        last = call.results.get(states.RESULT_KEYS[state])
        self.began_at = last.began_at if last and last.again else self.called_at
        inject = call.results.get(states.RESULT_KEYS[states.INJECT])
        self.experiment = inject.experiment if inject else None

    def __enter__(self) -> "_Phase":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return
        self.context.log(self.call.phase, run=self.call.run.name, failed=str(error))
        try:
            ends = self.call.phase in (states.END_FAULT, states.CLEANUP)
            self._save(go=True, message=f"failed: {error}", fault_may_last=ends)
        except AwsError as another:
            self.context.log(self.call.phase, run=self.call.run.name, not_saved=str(another))

    def deadline(self, seconds: float) -> float:
        """When this call must return: at the deadline of the phase or of the call."""
        return min(self.called_at + self.plan.call_seconds, self.began_at + seconds)

    def is_over(self, seconds: float) -> bool:
        """Whether the phase's time is over."""
        return self.context.clock() >= self.began_at + seconds

    def earlier_observations(self) -> list[Observation]:
        """Return the observations of earlier calls."""
        records = load_records(self.store, self.plan.drill, self.call.run.name)
        return [each for record in records for each in record.observations]

    def known_injection(self) -> float | None:
        """Return when the fault began, from earlier calls' records; None if they don't show it."""
        try:
            return fault_times(self.earlier_observations())[0]
        except (AwsError, ValueError) as error:  # S3 can't be reached, or a record can't be read
            self.context.log(self.call.phase, run=self.call.run.name, unread=str(error))
            return None

    def result(
        self,
        *,
        go: bool,
        again: bool = False,
        message: str = "",
        cut_short: str = "",
        fault_may_last: bool = False,
    ) -> PhaseResult:
        """Save the record of the call, and return its result."""
        self._save(go=go, message=message, cut_short=cut_short, fault_may_last=fault_may_last)
        self.context.log(
            self.call.phase,
            drill=self.plan.drill,
            run=self.call.run.name,
            go=go,
            again=again,
            message=message,
            seconds=round(self.context.clock() - self.called_at, 1),
        )
        return PhaseResult(go, again, self.began_at, self.experiment, message)

    def observe_fault(self, at: float, value: str, detail: str) -> None:
        """Keep an observation of the fault itself."""
        kind = self.plan.fault.description
        self.poller.observations.append(Observation(at, Source.FAULT, kind, value, detail))

    def refreshed(self, experiment: Experiment) -> Experiment:
        """Return the current state of an experiment, or the last known one if the API fails."""
        try:
            return engine.get_experiment(self.plan, experiment.id, self.context)
        except AwsError as error:
            self.context.log(
                "the experiment can't be asked for", experiment=experiment.id, error=str(error)
            )
            return experiment

    def _save(
        self, *, go: bool, message: str, cut_short: str = "", fault_may_last: bool = False
    ) -> None:
        record = PhaseRecord(
            phase=self.call.phase,
            began_at=self.called_at,
            ended_at=self.context.clock(),
            go=go,
            message=message,
            cut_short=cut_short,
            fault_may_last=fault_may_last,
            observations=tuple(self.poller.observations),
        )
        save_record(self.store, self.plan.drill, self.call.run.name, record)


def preflight(call: PhaseInput, context: Context) -> PhaseResult:
    """Decide whether the run may start."""
    with _Phase(call, call.phase, context) as phase:
        plan, execution = call.plan, call.run.execution
        begin(phase.store, plan.drill, call.run, plan.to_json(), phase.called_at)
        if call.occurrence:
            other = claim_occurrence(phase.store, plan.drill, call.occurrence, execution)
            if other is not None:
                message = f"the run that was due at {call.occurrence} was started before: {other}"
                return phase.result(go=False, message=message)
        reasons, approval = checks.check(plan, execution, context)
        message = "; ".join(reasons) or "; ".join(filter(None, (checks.PASSED, approval)))
        return phase.result(go=not reasons, message=message)


def announce(call: PhaseInput, context: Context) -> PhaseResult:
    """Send the message that the run will inject its fault in some minutes, and how to stop it."""
    with _Phase(call, states.ANNOUNCE, context) as phase:
        recorder.announce(call.plan, call.run, context)
        minutes = call.plan.notice_seconds // 60
        return phase.result(go=True, message=f"announced {minutes} min ahead")


def steady_state(call: PhaseInput, context: Context) -> PhaseResult:
    """Check that the active host serves clients, in several polls in a row."""
    with _Phase(call, call.phase, context) as phase:
        deadline = phase.called_at + call.plan.timeouts.steady
        steady = 0
        while True:
            reason = not_steady(call.plan, phase.poller.poll())
            steady = 0 if reason else steady + 1
            if steady >= STEADY_POLLS:
                return phase.result(go=True, message=f"{call.plan.active.name} serves")
            if context.clock() >= deadline:
                return phase.result(go=False, message=reason or "steady for too short a time")
            context.sleep(call.plan.sample_seconds)


def inject(call: PhaseInput, context: Context) -> PhaseResult:
    """Start the experiment, once, and wait until the fault has begun."""
    with _Phase(call, states.INJECT, context) as phase:
        plan = call.plan
        if not plan.guarded_by_fis and not plan.enabled:
            message, wrong = engine.aim_of_dry_run(plan, context)
            return phase.result(go=False, message=message, cut_short=wrong)
        if phase.experiment is None:
            ids = engine.experiments_of_run(plan, call.run.execution, context)
            if not ids:
                checked = [
                    call.results[states.RESULT_KEYS[name]].began_at
                    for name in (states.PREFLIGHT, states.PREFLIGHT_AGAIN)
                    if states.RESULT_KEYS[name] in call.results
                ]
                at = max(checked, default=None)
                reasons = checks.check_injection(plan, call.run, at, context)
                if reasons:
                    message = f"the run must not continue: {'; '.join(reasons)}; start a new one"
                    return phase.result(go=False, message=message, cut_short=message)
                try:
                    ids = [engine.start_experiment(plan, call.run.execution, context).id]
                except NotStartedError as error:
                    what = "attack" if plan.gremlin is not None else "fault"
                    message = f"the {what} was not started: {error}"
                    return phase.result(go=False, message=message, cut_short=message)
                if plan.enabled:
                    _mark_live(phase)
            phase.experiment = ids[-1]
            context.log("experiment started", experiment=ids[-1], dry_run=not plan.enabled)
        found = engine.get_experiment(plan, phase.experiment, context)

        stop = ""

        def has_begun() -> bool:
            nonlocal found, stop
            found = phase.refreshed(found)
            if not plan.guarded_by_fis:
                # AWS FIS watches the guards from the start of an experiment on.
                run = run_of(plan, phase.called_at, None, context.clock())
                stop = reason_to_stop(plan, phase.poller.observations, run)
            begun = plan.enabled and found.acting_since is not None
            return bool(stop) or not found.active or begun

        seconds = plan.timeouts.inject
        if not phase.poller.poll_until(phase.deadline(seconds), has_begun):
            if not phase.is_over(seconds):
                return phase.result(go=False, again=True)
            message = f"no fault within {seconds} s: experiment {found.id} is {found.status}"
            return phase.result(
                go=False, message=message, cut_short="" if plan.enabled else message
            )
        if not plan.enabled:
            message, wrong = _check_targets(found, call, context)
            return phase.result(go=False, message=message, cut_short=wrong)
        if found.acting_since is not None:
            phase.observe_fault(found.acting_since, INJECTED, found.id)
        if stop or found.cut_short or found.acting_since is None:
            unacted = f"experiment {found.id} is {found.status} without an action"
            message = found.cut_short or stop or unacted
            return phase.result(go=False, message=message, cut_short=message)
        return phase.result(go=True, message=f"experiment {found.id}")


def observe(call: PhaseInput, context: Context) -> PhaseResult:
    """Observe what is expected to happen while the fault lasts."""
    with _Phase(call, states.OBSERVE, context) as phase:
        plan, earlier = call.plan, phase.earlier_observations()
        injected, _ = fault_times(earlier)
        since = phase.began_at if injected is None else injected
        if phase.experiment is None:
            return phase.result(go=False, message="there is no experiment to observe")
        found = engine.get_experiment(plan, phase.experiment, context)
        stop = ""

        def is_done() -> bool:
            nonlocal found, stop
            found = phase.refreshed(found)
            run = run_of(plan, since, None, context.clock())
            observations = [*earlier, *phase.poller.observations]
            stop = reason_to_stop(plan, observations, run)
            if stop or not found.active or found.cut_short:
                return True
            expected = during_fault(plan.hypothesis)
            return plan.ends_early and all_happened(expected, observations, run)

        end = since + plan.timeouts.observe
        done = phase.poller.poll_until(min(phase.called_at + plan.call_seconds, end), is_done)
        stop = found.cut_short or stop
        if stop:
            return phase.result(go=False, message=stop, cut_short=stop)
        if done:
            message = (
                "everything expected happened"
                if found.active
                else f"the experiment is {found.status}"
            )
            return phase.result(go=True, message=message)
        if context.clock() >= end:
            return phase.result(go=True, message=_TIME_IS_OVER)
        return phase.result(go=True, again=True)


def end_fault(call: PhaseInput, context: Context) -> PhaseResult:
    """End the fault, and poll until it is over."""
    with _Phase(call, states.END_FAULT, context) as phase:
        plan, ending = call.plan, call.plan.ending
        injected = phase.known_injection()
        status = FaultEndStatus(False, phase.experiment, "")
        # An experiment that is not known may only be late in FIS's list, where the start failed.
        start_failed = states.RESULT_KEYS[states.INJECT] in call.errors
        settle = fault.SETTLE_SECONDS if start_failed else 0.0
        # In the state machine this phase follows the injection.
        begun_by: float | None = phase.began_at
        seconds = float(plan.timeouts.end)
        if call.phase == states.CLEANUP:
            # The cleanup may follow any phase, and decides itself when to give up.
            settle, begun_by, seconds = fault.CLEANUP_SETTLE_SECONDS, None, math.inf

        def is_over() -> bool:
            nonlocal status
            to_end = FaultToEnd(ending, call.run.execution, phase.experiment, injected, begun_by)
            try:
                status = engine.advance_fault_end(to_end, context)
            except AwsError as error:
                context.log("the fault's end can't be advanced", error=str(error))
                status = replace(status, over=False, message=str(error))
            if status.experiment is None:
                return status.over and phase.is_over(settle)
            phase.experiment = status.experiment
            return status.over

        # The fault is ended first of all: before any poll, which might fail.
        ended = is_over() or phase.poller.poll_until(
            phase.deadline(seconds), is_over, ignore_errors=True
        )
        if injected is None and plan.enabled and status.acting_since is not None:
            # The result of the phase that started it was lost.
            injected = status.acting_since
            phase.observe_fault(injected, INJECTED, status.experiment or "")
        if not ended:
            again = not phase.is_over(seconds)
            return phase.result(go=False, again=again, message=status.message, fault_may_last=True)
        mark_fault_over(phase.store, plan.drill, call.run.name)
        if status.fault_ended_at is not None and plan.enabled:
            phase.observe_fault(status.fault_ended_at, ENDED, status.message)
        return phase.result(go=injected is not None, message=status.message)


def end_unread(ending: Ending, run: RunName, began_at: float, context: Context) -> PhaseResult:
    """End the fault of a run whose plan another release wrote and this one can't read.

    Nothing is observed meanwhile, and the run will have no verdict.
    """
    deadline = context.clock() + _UNREAD_CALL_SECONDS
    while True:
        try:
            status = engine.advance_fault_end(FaultToEnd(ending, run.execution), context)
        except AwsError as error:
            status = FaultEndStatus(False, None, str(error))
        if status.over or context.clock() >= deadline:
            break
        context.sleep(_UNREAD_PAUSE_SECONDS)
    if status.over and ending.journal_bucket:
        mark_fault_over(Store(context.aws, ending.journal_bucket), ending.drill, run.name)
    context.log("the plan is of another release", run=run.name, over=status.over)
    again = not status.over and context.clock() < began_at + ending.fault_seconds + 600
    return PhaseResult(False, again, began_at, None, status.message)


def mark_fault_over(store: Store, drill: str, run_name: str) -> None:
    """Record that the fault of a run is over, so that nothing starts its host any more."""
    store.put_new(fault_over_key(drill, run_name), "{}")


def failback(call: PhaseInput, context: Context) -> PhaseResult:
    """Observe what is expected to happen once the fault is over."""
    with _Phase(call, states.FAILBACK, context) as phase:
        plan, earlier = call.plan, phase.earlier_observations()
        injected, ended = fault_times(earlier)
        since = phase.began_at if ended is None else ended
        alarms_seconds = 0 if plan.database is None else plan.database.alarms_seconds

        def is_done() -> bool:
            began = since if injected is None else injected
            if context.clock() < began + alarms_seconds:
                return False
            run = run_of(plan, began, since, context.clock())
            observations = [*earlier, *phase.poller.observations]
            return all_happened(after_fault(plan.hypothesis), observations, run)

        seconds = plan.timeouts.failback
        if phase.poller.poll_until(phase.deadline(seconds), is_done):
            return phase.result(go=True, message="everything is back to normal")
        if phase.is_over(seconds):
            return phase.result(go=False, message=_TIME_IS_OVER)
        return phase.result(go=True, again=True)


def record(call: PhaseInput, context: Context) -> PhaseResult:
    """Record the verdict."""
    result = recorder.record(call.plan, call.run, call.errors, "", context)
    if result.go:
        end(Store(context.aws, call.plan.journal_bucket), call.plan.drill, call.run.name)
    return result


def _mark_live(phase: _Phase) -> None:
    """Record that a fault of the drill was injected; where that fails the next run is approved."""
    try:
        phase.store.put_new(live_key(phase.plan.drill), "{}")
    except AwsError as error:
        phase.context.log("not marked as live", drill=phase.plan.drill, error=str(error))


def _check_targets(found: Experiment, call: PhaseInput, context: Context) -> tuple[str, str]:
    """Describe the targets of a dry run; return also the reason if they are wrong."""
    if found.cut_short:
        return found.cut_short, found.cut_short
    targets = fis.resolved_targets(found.id, context)
    expected = call.plan.aim
    message = f"aimed at {', '.join(targets) or 'nothing'}"
    if len(targets) != 1 or not targets[0].endswith(expected):
        return message, f"{message}, not at {expected} alone"
    return message, ""
