"""Whether the service is as it should be: the active host serves, and DNS says so."""

from typing import Final

from staged_resiliency.drills.runtime.client_view import ClientView
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.observations import NO_ANSWER

LOOKS_IN_A_ROW: Final = 3
"""So many looks must find nothing wrong."""


def unsteady(plan: Plan, seen: ClientView) -> str:
    """What is not as it should be, in a line; empty where all is."""
    active = plan.active
    if seen.dns is None:
        return "Route 53 can't be asked for its answer"
    if active.addresses and not set(seen.dns) & set(active.addresses):
        return _other("Route 53 answers", seen.dns, active.addresses)
    if not seen.dns:
        return f"Route 53 answers nothing for {plan.record.name}"
    if active.addresses and not set(seen.resolved) & set(active.addresses):
        return _other("the resolver answers", seen.resolved, active.addresses)
    if seen.client == NO_ANSWER:
        return f"{plan.endpoint.path} is not answered ({seen.why})"
    if seen.client != active.name:
        return f"{plan.endpoint.path} is answered by {seen.client}, not by {active.name}"
    return ""


def _other(who: str, found: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    return f"{who} {', '.join(found) or 'nothing'}, not {' or '.join(wanted)}"
