"""The phases of a run, each a function of its call and of the world."""

import math
from dataclasses import replace
from types import TracebackType

from staged_resiliency.drills.runtime import completion, experiments, fault_end, run_lock, states
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.experiments import Experiment
from staged_resiliency.drills.runtime.fault_end import FaultEndStatus
from staged_resiliency.drills.runtime.messages import PhaseInput, Result
from staged_resiliency.drills.runtime.phase_records import PhaseRecord, load, save
from staged_resiliency.drills.runtime.polling import Poller
from staged_resiliency.drills.runtime.preflight import reasons_against, reasons_against_injection
from staged_resiliency.drills.runtime.steady_state import LOOKS_IN_A_ROW, unsteady
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.experiment.observations import Observation, Source
from staged_resiliency.experiment.verdict import Run


class _Phase:
    """One call of a phase: what it sees, and how it ends.

    What was seen is left behind also where the call fails.
    """

    def __init__(self, call: PhaseInput, key: str, world: Context) -> None:
        self.call, self.plan, self.world = call, call.plan, world
        self.store = Store(world.aws, call.plan.journal)
        self.watcher = Poller(call.plan, world)
        self.called_at = world.clock()
        last = call.results.get(key)
        self.began_at = last.began_at if last and last.again else self.called_at
        inject = call.results.get("inject")
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
        self.world.log(self.call.phase, run=self.call.run.name, failed=str(error))
        try:
            ends = self.call.phase in (states.END_FAULT, states.SWEEP)
            self._save(go=True, told=f"failed: {error}", fault_may_last=ends)
        except AwsError as another:
            self.world.log(self.call.phase, run=self.call.run.name, lost=str(another))

    def until(self, seconds: float) -> float:
        """When this call must stop watching: at the phase's end, or at its own."""
        return min(self.called_at + self.plan.call_seconds, self.began_at + seconds)

    def over(self, seconds: float) -> bool:
        """Whether the phase's time is over."""
        return self.world.clock() >= self.began_at + seconds

    def former(self) -> list[Observation]:
        """What earlier calls saw."""
        chunks = load(self.store, self.plan, self.call.run.name)
        return [each for chunk in chunks for each in chunk.observations]

    def known_injection(self) -> float | None:
        """When the fault began, as earlier calls saw it; None also where nobody can be asked."""
        try:
            return completion.fault_times(self.former())[0]
        except (AwsError, ValueError) as error:  # what can't be reached, and what can't be read
            self.world.log(self.call.phase, run=self.call.run.name, unread=str(error))
            return None

    def ends(
        self,
        *,
        go: bool,
        again: bool = False,
        told: str = "",
        cut_short: str = "",
        fault_may_last: bool = False,
    ) -> Result:
        """Leave behind what was seen, and say how to go on."""
        self._save(go=go, told=told, cut_short=cut_short, fault_may_last=fault_may_last)
        self.world.log(
            self.call.phase,
            drill=self.plan.drill,
            run=self.call.run.name,
            go=go,
            again=again,
            told=told,
            seconds=round(self.world.clock() - self.called_at, 1),
        )
        return Result(go, again, self.began_at, self.experiment, told)

    def fault(self, at: float, value: str, detail: str) -> Observation:
        """An observation of the fault itself."""
        return Observation(at, Source.FAULT, self.plan.fault.told, value, detail)

    def latest(self, former: Experiment) -> Experiment:
        """The experiment as it is now; as it was, where FIS can't be asked at the moment."""
        try:
            return experiments.get(former.id, self.world)
        except AwsError as error:
            self.world.log("FIS can't be asked", experiment=former.id, error=str(error))
            return former

    def _save(
        self, *, go: bool, told: str, cut_short: str = "", fault_may_last: bool = False
    ) -> None:
        chunk = PhaseRecord(
            phase=self.call.phase,
            began_at=self.called_at,
            ended_at=self.world.clock(),
            go=go,
            told=told,
            cut_short=cut_short,
            fault_may_last=fault_may_last,
            observations=tuple(self.watcher.seen),
        )
        save(self.store, self.plan, self.call.run.name, chunk)


def preflight(call: PhaseInput, world: Context) -> Result:
    """Whether the run may begin."""
    with _Phase(call, "preflight", world) as phase:
        plan, execution = call.plan, call.run.execution
        if call.occurrence:
            former = run_lock.claim(phase.store, plan.drill, call.occurrence, execution)
            if former is not None:
                told = f"the run that was due at {call.occurrence} was started before: {former}"
                return phase.ends(go=False, told=told)
        reasons = reasons_against(plan, execution, world)
        return phase.ends(go=not reasons, told="; ".join(reasons) or "nothing speaks against it")


def steady_state(call: PhaseInput, world: Context) -> Result:
    """Whether the active host serves, several looks in a row."""
    with _Phase(call, "steady", world) as phase:
        until = phase.called_at + call.plan.timeouts.steady
        good = 0
        while True:
            reason = unsteady(call.plan, phase.watcher.look())
            good = 0 if reason else good + 1
            if good >= LOOKS_IN_A_ROW:
                return phase.ends(go=True, told=f"{call.plan.active.name} serves")
            if world.clock() >= until:
                return phase.ends(go=False, told=reason or "steady for too short a time")
            world.sleep(call.plan.sample_seconds)


def inject(call: PhaseInput, world: Context) -> Result:
    """Start the experiment, once, and wait until the fault is there."""
    with _Phase(call, "inject", world) as phase:
        plan = call.plan
        if phase.experiment is None:
            ids = experiments.of_run(plan, call.run.execution, world)
            if not ids:
                checked = call.results.get("preflight")
                at = checked.began_at if checked else None
                reasons = reasons_against_injection(plan, call.run, at, world)
                if reasons:
                    told = f"the run must not go on: {'; '.join(reasons)}; start a new one"
                    return phase.ends(go=False, told=told, cut_short=told)
                ids = [experiments.start(plan, call.run.execution, world).id]
            phase.experiment = ids[-1]
            world.log("experiment started", experiment=ids[-1], leashed=not plan.enabled)
        found = experiments.get(phase.experiment, world)

        def there() -> bool:
            nonlocal found
            found = phase.latest(found)
            return not found.active or (plan.enabled and found.acting_since is not None)

        seconds = plan.timeouts.inject
        if not phase.watcher.watch(phase.until(seconds), there):
            if not phase.over(seconds):
                return phase.ends(go=False, again=True)
            told = f"no fault within {seconds} s: experiment {found.id} is {found.status}"
            return phase.ends(go=False, told=told, cut_short="" if plan.enabled else told)
        if not plan.enabled:
            told, wrong = _aim(found, call, world)
            return phase.ends(go=False, told=told, cut_short=wrong)
        if found.acting_since is not None:
            phase.watcher.note(phase.fault(found.acting_since, completion.INJECTED, found.id))
        if found.cut_short or found.acting_since is None:
            told = found.cut_short or f"experiment {found.id} is {found.status} without an action"
            return phase.ends(go=False, told=told, cut_short=told)
        return phase.ends(go=True, told=f"experiment {found.id}")


def observe(call: PhaseInput, world: Context) -> Result:
    """Watch what must happen while the fault lasts."""
    with _Phase(call, "observe", world) as phase:
        plan, former = call.plan, phase.former()
        injected, _ = completion.fault_times(former)
        since = phase.began_at if injected is None else injected
        if phase.experiment is None:
            return phase.ends(go=False, told="there is no experiment to observe")
        found = experiments.get(phase.experiment, world)

        def enough() -> bool:
            nonlocal found
            found = phase.latest(found)
            if not found.active or found.cut_short:
                return True
            run = Run(since, None, world.clock())
            seen = [*former, *phase.watcher.seen]
            return plan.ends_early and completion.happened(completion.during_fault(plan), seen, run)

        end = since + plan.timeouts.observe
        done = phase.watcher.watch(min(phase.called_at + plan.call_seconds, end), enough)
        if found.cut_short:
            return phase.ends(go=False, told=found.cut_short, cut_short=found.cut_short)
        if done:
            told = "all happened" if found.active else f"the experiment is {found.status}"
            return phase.ends(go=True, told=told)
        if world.clock() >= end:
            return phase.ends(go=True, told="the time for it is over")
        return phase.ends(go=True, again=True)


def end_fault(call: PhaseInput, world: Context) -> Result:
    """End the fault, and watch until it is over."""
    with _Phase(call, "end", world) as phase:
        plan = call.plan
        injected = phase.known_injection()
        now = FaultEndStatus(False, phase.experiment, "")
        # What nobody heard of may only be late in FIS's list, where the order went wrong.
        settle = fault_end.SETTLE_SECONDS if "inject" in call.errors else 0.0
        # The machine comes here from the injection.
        begun_by: float | None = phase.began_at
        seconds = float(plan.timeouts.end)
        if call.phase == states.SWEEP:
            # The sweep may come from anywhere, and says itself when it gives up.
            settle, begun_by, seconds = fault_end.SWEEP_SETTLE_SECONDS, None, math.inf

        def over() -> bool:
            nonlocal now
            try:
                now = fault_end.push(
                    plan,
                    call.run.execution,
                    phase.experiment,
                    injected,
                    world,
                    begun_by=begun_by,
                )
            except AwsError as error:
                world.log("the fault's end can't be pushed", error=str(error))
                now = replace(now, over=False, told=str(error))
            if now.experiment is None:
                return now.over and phase.over(settle)
            phase.experiment = now.experiment
            return now.over

        # Nothing may come before the end of the fault: no look, and no look that fails.
        ended = over() or phase.watcher.watch(phase.until(seconds), over, must_see=False)
        if injected is None and plan.enabled and now.acting_since is not None:
            # The answer of what started it was lost.
            injected = now.acting_since
            phase.watcher.note(phase.fault(injected, completion.INJECTED, now.experiment or ""))
        if not ended:
            again = not phase.over(seconds)
            return phase.ends(go=False, again=again, told=now.told, fault_may_last=True)
        if now.fault_ended_at is not None and plan.enabled:
            phase.watcher.note(phase.fault(now.fault_ended_at, completion.ENDED, now.told))
        return phase.ends(go=injected is not None, told=now.told)


def failback(call: PhaseInput, world: Context) -> Result:
    """Watch what must happen once the fault is over."""
    with _Phase(call, "failback", world) as phase:
        plan, former = call.plan, phase.former()
        injected, ended = completion.fault_times(former)
        since = phase.began_at if ended is None else ended

        def enough() -> bool:
            run = Run(since if injected is None else injected, since, world.clock())
            seen = [*former, *phase.watcher.seen]
            return completion.happened(completion.after_fault(plan), seen, run)

        seconds = plan.timeouts.failback
        if phase.watcher.watch(phase.until(seconds), enough):
            return phase.ends(go=True, told="all is back")
        if phase.over(seconds):
            return phase.ends(go=False, told="the time for it is over")
        return phase.ends(go=True, again=True)


def _aim(found: Experiment, call: PhaseInput, world: Context) -> tuple[str, str]:
    """What a leashed drill is aimed at, in words; and what is wrong with it, if anything is."""
    if found.cut_short:
        return found.cut_short, found.cut_short
    aim = experiments.targets(found.id, world)
    wanted = f"instance/{call.plan.broken_host.instance_id}"
    told = f"aimed at {', '.join(aim) or 'nothing'}"
    if len(aim) != 1 or not aim[0].endswith(wanted):
        return told, f"{told}, not at {wanted} alone"
    return told, ""
