"""The Lambda handlers of a service's drills, one for each role."""

from collections.abc import Callable, Mapping
from typing import Final

from staged_resiliency.drills.runtime import cleanup, client_view, drill_status, phases, states
from staged_resiliency.drills.runtime.context import Context, lambda_context
from staged_resiliency.drills.runtime.scheduled_tasks import WATCHDOG_TASK
from staged_resiliency.drills.runtime.states import PhaseInput, PhaseResult, ending_of
from staged_resiliency.experiment.json_codec import DataError, JsonObject

_PHASES: Final[Mapping[str, Callable[[PhaseInput, Context], PhaseResult]]] = {
    states.PREFLIGHT: phases.preflight,
    states.ANNOUNCE: phases.announce,
    states.PREFLIGHT_AGAIN: phases.preflight,
    states.STEADY_STATE: phases.steady_state,
    states.INJECT: phases.inject,
    states.OBSERVE: phases.observe,
    states.END_FAULT: phases.end_fault,
    states.FAILBACK: phases.failback,
    states.STEADY_AGAIN: phases.steady_state,
    states.RECORD: phases.record,
}


def observe(event: object, _: object) -> JsonObject:
    """Run a phase that only observes."""
    return _run_phase(event)


def inject(event: object, _: object) -> JsonObject:
    """Run the phase that injects the fault."""
    return _run_phase(event)


def end(event: object, _: object) -> JsonObject:
    """Run a phase that ends the fault or records the verdict; or the cleanup, or the watchdog."""
    if isinstance(event, dict) and "phase" in event:
        return _run_phase(event)
    if isinstance(event, dict) and event.get("task") == WATCHDOG_TASK:
        drill_status.publish(event, lambda_context())
    else:
        cleanup.clean_up(event, lambda_context())
    return {}


def client(event: object, _: object) -> JsonObject:
    """Resolve a name and ask the host behind it, in the VPC of private hosts; call no AWS API."""
    return client_view.client(event, lambda_context())


def _run_phase(event: object) -> JsonObject:
    context = lambda_context()
    try:
        call = PhaseInput.from_event(event)
    except DataError as error:
        # The fault is ended even where the plan can't be read.
        if not isinstance(event, dict) or event.get("phase") != states.END_FAULT:
            raise
        context.log("the event can't be read", error=str(error))
        ending, run, began_at = ending_of(event, context.clock())
        return phases.end_unread(ending, run, began_at, context).to_json()
    if call.phase not in _PHASES:
        raise DataError(f"event: phase: {call.phase!r} is not one of {', '.join(_PHASES)}")
    return _PHASES[call.phase](call, context).to_json()
