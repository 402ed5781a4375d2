"""Injects faults by AWS FIS, by Gremlin if the plan has an attack, or by the functions.

The functions themselves deny a distribution its origin. All have the same functions: start, status,
list, end.
"""

from collections.abc import Sequence

from staged_resiliency.drills.runtime import fault, fis, gremlin_fault, origin_fault
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.ending import FaultToEnd
from staged_resiliency.drills.runtime.fault import FaultEndStatus
from staged_resiliency.drills.runtime.fis import Experiment
from staged_resiliency.drills.runtime.plan import Plan


def experiments_of_run(plan: Plan, execution: str, context: Context) -> Sequence[str]:
    """Return the IDs of the experiments that a run started, in whatever state they are.

    None where an origin is denied: to start that again does nothing new.
    """
    if plan.origin is not None:
        return ()
    if plan.gremlin is not None:
        return gremlin_fault.experiments_of_run(plan, execution, context)
    return fis.experiments_of_run(plan, execution, context)


def start_experiment(plan: Plan, execution: str, context: Context) -> Experiment:
    """Start the experiment of a run; where it is started already, start no second one."""
    if plan.origin is not None:
        return origin_fault.start(plan, plan.origin, execution, context)
    if plan.gremlin is not None:
        return gremlin_fault.start_experiment(plan, execution, context)
    return fis.start_experiment(plan, execution, context)


def get_experiment(plan: Plan, experiment_id: str, context: Context) -> Experiment:
    """Return the current state of an experiment."""
    if plan.origin is not None:
        return origin_fault.get(plan.ending, plan.origin, experiment_id, context)
    if plan.gremlin is not None:
        return gremlin_fault.get_experiment(plan.ending, experiment_id, context)
    return fis.get_experiment(experiment_id, context)


def aim_of_dry_run(plan: Plan, context: Context) -> tuple[str, str]:
    """Describe the target of a dry run without AWS FIS, and what is wrong with it, if anything."""
    if plan.origin is not None:
        return origin_fault.aim_of_dry_run(plan.origin, context)
    return gremlin_fault.aim_of_dry_run(plan, context)


def advance_fault_end(to_end: FaultToEnd, context: Context) -> FaultEndStatus:
    """Take the next step to end the fault; see ``fault.advance_fault_end``."""
    plan = to_end.plan
    if plan.origin is not None:
        return origin_fault.advance_fault_end(to_end, plan.origin, context)
    if plan.gremlin is not None:
        return gremlin_fault.advance_fault_end(to_end, context)
    if not plan.experiment_template_id:
        # Of a release whose attacks this one can't read: the host at least is started.
        if not plan.enabled:
            return FaultEndStatus(True, None, "no experiment was started")
        return fault.start_instance(plan, to_end.experiment, context)
    return fault.advance_fault_end(to_end, context)
