"""What injects a fault: AWS FIS, or Gremlin where the plan has an attack of it.

Both have the same functions: start, status, list, end.
"""

from collections.abc import Sequence

from staged_resiliency.drills.runtime import fault, gremlin_fault
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.fault import Experiment, FaultEndStatus
from staged_resiliency.drills.runtime.plan import Ending, Plan


def experiments_of_run(plan: Plan, execution: str, context: Context) -> Sequence[str]:
    """Return the IDs of the experiments that a run started, in whatever state they are."""
    if plan.gremlin is not None:
        return gremlin_fault.experiments_of_run(plan, execution, context)
    return fault.experiments_of_run(plan, execution, context)


def start_experiment(plan: Plan, execution: str, context: Context) -> Experiment:
    """Start the experiment of a run; where it is started already, start no second one."""
    if plan.gremlin is not None:
        return gremlin_fault.start_experiment(plan, execution, context)
    return fault.start_experiment(plan, execution, context)


def get_experiment(plan: Plan, experiment_id: str, context: Context) -> Experiment:
    """Return the current state of an experiment."""
    if plan.gremlin is not None:
        return gremlin_fault.get_experiment(plan.ending, experiment_id, context)
    return fault.get_experiment(experiment_id, context)


def advance_fault_end(
    plan: Ending,
    execution: str,
    known: str | None,
    injected_at: float | None,
    context: Context,
    *,
    begun_by: float | None = None,
) -> FaultEndStatus:
    """Take the next step to end the fault; see ``fault.advance_fault_end``."""
    if plan.gremlin is None and not plan.experiment_template_id:
        # Of a release whose attacks this one can't read: the host at least is started.
        if not plan.enabled:
            return FaultEndStatus(True, None, "no experiment was started")
        return fault.start_instance(plan, known, context)
    advance = fault.advance_fault_end
    if plan.gremlin is not None:
        advance = gremlin_fault.advance_fault_end
    return advance(plan, execution, known, injected_at, context, begun_by=begun_by)
