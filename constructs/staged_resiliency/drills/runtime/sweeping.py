"""What becomes of a run that was aborted, timed out or failed: nothing of its own runs any more.

Step Functions runs no Catch of an execution that ends as a whole. This is called with the event by
which EventBridge tells it.
"""

import json
from typing import Final

from staged_resiliency.drills import phase_names
from staged_resiliency.drills.plan import Plan
from staged_resiliency.drills.runtime import experiments, phases, recording
from staged_resiliency.drills.runtime.calls import Call, Result, RunName
from staged_resiliency.drills.runtime.world import AwsError, World
from staged_resiliency.drills.strict_json import DataError

PATIENCE_SECONDS: Final = 780.0
"""How long one call waits for the end of the fault; Lambda's own limit is 900."""


class FaultNotOverError(Exception):
    """The fault may still be there. Lambda calls the sweep again, as it does after any failure."""


def sweep(event: object, world: World) -> None:
    """End the fault of a run, and record its verdict if nobody did.

    Raises:
        FaultNotOverError: The verdict is recorded, and the fault may still be there.
        DataError: It is no event of an execution.
    """
    run, status = _run(event)
    plan = _plan(run, world)
    if _nothing_to_do(plan, run, world):
        world.log("nothing to sweep", run=run.name)
        return
    until = world.clock() + PATIENCE_SECONDS
    results: dict[str, Result] = {}
    while True:
        # A function of the run may still be about to start the experiment: that it was aborted
        # does not stop it. So one that nobody heard of is waited for.
        call = Call(phase_names.SWEEP, plan, run, results, {"inject": status})
        last = phases.end_fault(call, world)
        if not last.again or world.clock() >= until:
            break
        results = {"end": last}
    found = recording.record(plan, run, {}, f"the run was {status}", world)
    if last.again or found.fault_may_last:
        raise FaultNotOverError(f"{run.execution}: {last.told}")


def _nothing_to_do(plan: Plan, run: RunName, world: World) -> bool:
    try:
        recorded = recording.is_recorded(plan, run, world)
        return recorded and not experiments.of_run(plan, run.execution, world)
    except AwsError as error:
        world.log("sweeping anyway", run=run.name, error=str(error))
        return False


def _run(event: object) -> tuple[RunName, str]:
    detail = event.get("detail") if isinstance(event, dict) else None
    if not isinstance(detail, dict):
        raise DataError("event: must be an object with an object 'detail'")
    try:
        run = RunName(str(detail["executionArn"]), str(detail["name"]))
        status = str(detail["status"]).lower().replace("_", " ")
    except KeyError as error:
        raise DataError(f"event: detail: {error} is missing") from None
    return run, status


def _plan(run: RunName, world: World) -> Plan:
    """The plan that the run was made with, whatever was deployed since."""
    answer = world.aws(
        "stepfunctions", "DescribeStateMachineForExecution", executionArn=run.execution
    )
    states = json.loads(answer["definition"])["States"]
    return Plan.from_json(states[phase_names.PLAN]["Result"]["plan"])
