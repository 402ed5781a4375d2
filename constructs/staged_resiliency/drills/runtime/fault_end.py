"""Making sure that a fault is over, whatever became of the run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from staged_resiliency.drills.runtime import experiments
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.experiments import Experiment
from staged_resiliency.drills.runtime.plan import FaultKind, Plan
from staged_resiliency.drills.runtime.preflight import instance_state

SETTLE_SECONDS: Final = 60.0
"""How long an experiment that nobody heard of is looked for: FIS's list may lag behind."""

SWEEP_SETTLE_SECONDS: Final = 180.0
"""The same after an abort, which does not stop the function that may just start one."""

LATE_SECONDS: Final = 60.0
"""After the fault's time; what FIS has not done by then is not waited for."""


@dataclass(frozen=True, slots=True)
class FaultEndStatus:
    """How far the end of the fault has come.

    Attributes:
        over: Whether it is over, as far as anything here can tell.
        experiment: The run's experiment; None where there is none.
        told: What is still to come, or what was found, in a line.
        fault_ended_at: When the fault was over; None while it is not.
        acting_since: When the experiment began to act, as FIS tells it; None where it did not.
    """

    over: bool
    experiment: str | None
    told: str
    fault_ended_at: float | None = None
    acting_since: float | None = None


def push(
    plan: Plan,
    execution: str,
    known: str | None,
    injected_at: float | None,
    world: Context,
    *,
    begun_by: float | None = None,
) -> FaultEndStatus:
    """Do what brings the end of the fault nearer, and say how far it is.

    Once the fault's time is over the host is looked after whatever FIS says, or does not.

    Args:
        plan: The drill.
        execution: ARN of the run's execution.
        known: Id of the experiment, if the run knows it.
        injected_at: When the fault began, if the run knows it.
        world: Everything outside.
        begun_by: By when it had begun at the latest, for a run that does not know when.

    Raises:
        AwsError: AWS can't be asked how far it is.
    """
    begun = injected_at if injected_at is not None else begun_by
    try:
        found = _stopped(plan, execution, known, world)
    except AwsError as error:
        if not _late(plan, begun, world):
            raise
        world.log("FIS can't be asked", error=str(error))
        return _without_fis(plan, known, world)
    if not found:
        return FaultEndStatus(True, None, "no experiment was started")
    began = min((each.acting_since for each in found if each.acting_since), default=None)
    ending = _after_stop(plan, found, injected_at, began if begun is None else begun, world)
    return replace(ending, acting_since=began)


def _stopped(plan: Plan, execution: str, known: str | None, world: Context) -> Sequence[Experiment]:
    """The experiments of a run as they were, each of which is told to stop."""
    ids = [known] if known else experiments.of_run(plan, execution, world)
    found = [experiments.get(each, world) for each in ids]
    for each in found:
        if each.stoppable:
            world.log("stopping the experiment", experiment=each.id, status=each.status)
            experiments.stop(each.id, world)
    return found


def _late(plan: Plan, begun: float | None, world: Context) -> bool:
    return begun is not None and world.clock() >= begun + plan.fault_seconds + LATE_SECONDS


def _without_fis(plan: Plan, known: str | None, world: Context) -> FaultEndStatus:
    """What can be done and told without FIS, once the fault's time is over."""
    if plan.enabled and plan.fault is FaultKind.STOP_INSTANCE:
        return _instance(plan, known, world)
    return FaultEndStatus(True, known, "the time of the fault is over", world.clock())


def _after_stop(
    plan: Plan,
    found: Sequence[Experiment],
    injected_at: float | None,
    begun: float | None,
    world: Context,
) -> FaultEndStatus:
    active = [each for each in found if each.active]
    last = found[-1]
    if active:
        told = f"experiment {active[0].id} is {active[0].status}"
        if plan.enabled and plan.fault is FaultKind.STOP_INSTANCE and _late(plan, begun, world):
            told = f"{told}; {_instance(plan, last.id, world).told}"
        return FaultEndStatus(False, last.id, told)
    if not plan.enabled:
        return FaultEndStatus(
            True, last.id, f"experiment {last.id} is {last.status}", world.clock()
        )
    if plan.fault is FaultKind.STOP_INSTANCE:
        return _instance(plan, last.id, world)
    return _blackhole(plan, last, injected_at, world)


def _instance(plan: Plan, experiment: str | None, world: Context) -> FaultEndStatus:
    """FIS starts the instance; where it did not, we do."""
    host = plan.broken_host
    state = instance_state(plan, world)
    if state == "running":
        told = f"instance {host.instance_id} runs"
        return FaultEndStatus(True, experiment, told, world.clock())
    if state == "stopped":
        world.log("starting the instance", instance=host.instance_id)
        try:
            world.aws("ec2", "StartInstances", InstanceIds=[host.instance_id])
        except AwsError as error:
            # Told in the verdict, if it stays so; the next look tries again.
            world.log("the instance can't be started", error=str(error))
            return FaultEndStatus(False, experiment, f"{host.name} can't be started: {error}")
    return FaultEndStatus(
        False, experiment, f"instance {host.instance_id} is {state or 'not found'}"
    )


def _blackhole(
    plan: Plan, experiment: Experiment, injected_at: float | None, world: Context
) -> FaultEndStatus:
    """The host itself lets the port go when its time is over.

    A command that is cancelled may not have reached it, and does not where the port is the one by
    which the agent is reached. So only an experiment that ended by itself is believed.
    """
    now = world.clock()
    began = injected_at if injected_at is not None else experiment.acting_since
    if experiment.status == "completed":
        return FaultEndStatus(
            True, experiment.id, "the port is open again", experiment.ended_at or now
        )
    if began is not None and now < began + plan.fault_seconds:
        left = began + plan.fault_seconds - now
        return FaultEndStatus(
            False, experiment.id, f"{plan.broken} lets port {plan.port} go in {left:.0f} s"
        )
    return FaultEndStatus(True, experiment.id, "the time of the fault is over", now)
