"""What Lambda calls."""

from collections.abc import Callable

from staged_resiliency.drills.runtime import cleanup as cleaning
from staged_resiliency.drills.runtime import phases, recorder
from staged_resiliency.drills.runtime import watchdog as watching
from staged_resiliency.drills.runtime.aws_context import the_world
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.messages import PhaseInput, Result
from staged_resiliency.experiment.json_codec import JsonObject

Handler = Callable[[object, object], JsonObject]
"""A function as Lambda calls it: event and context to an answer."""


def record_phase(call: PhaseInput, world: Context) -> Result:
    """Record the verdict, as a phase of the machine."""
    at = world.clock()
    found = recorder.record(call.plan, call.run, call.errors, "", world)
    return Result(not found.fault_may_last, False, at, None, f"{found.status}: {found.told}"[:500])


def _handler(phase: Callable[[PhaseInput, Context], Result]) -> Handler:
    def handle(event: object, context: object) -> JsonObject:
        return phase(PhaseInput.of(event), the_world()).to_json()

    return handle


preflight = _handler(phases.preflight)
steady_state = _handler(phases.steady_state)
inject = _handler(phases.inject)
observe = _handler(phases.observe)
end_fault = _handler(phases.end_fault)
failback = _handler(phases.failback)
record = _handler(record_phase)


def cleanup(event: object, context: object) -> None:
    """End the fault of a run that ended without doing so."""
    cleaning.sweep(event, the_world())


def watchdog(event: object, context: object) -> None:
    """Publish how each drill stands."""
    watching.watch(event, the_world())
