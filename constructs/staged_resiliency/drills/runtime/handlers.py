"""The Lambda handlers of a service's drills."""

from collections.abc import Callable

from staged_resiliency.drills.runtime import cleanup as cleaning
from staged_resiliency.drills.runtime import drill_status, phases
from staged_resiliency.drills.runtime.context import Context, lambda_context
from staged_resiliency.drills.runtime.states import PhaseInput, PhaseResult
from staged_resiliency.experiment.json_codec import JsonObject

Handler = Callable[[object, object], JsonObject]
"""A Lambda handler, called with the event and Lambda's own context object."""


def _handler(phase: Callable[[PhaseInput, Context], PhaseResult]) -> Handler:
    def handle(event: object, _: object) -> JsonObject:
        return phase(PhaseInput.from_event(event), lambda_context()).to_json()

    return handle


preflight = _handler(phases.preflight)
steady_state = _handler(phases.steady_state)
inject = _handler(phases.inject)
observe = _handler(phases.observe)
end_fault = _handler(phases.end_fault)
failback = _handler(phases.failback)
record = _handler(phases.record)


def cleanup(event: object, _: object) -> None:
    """End the fault of a run that was aborted, timed out or failed, and record its verdict."""
    cleaning.clean_up(event, lambda_context())


def watchdog(event: object, _: object) -> None:
    """Publish the status of each drill."""
    drill_status.publish(event, lambda_context())
