"""States of a drill's machine by their names, which chunks and journals tell too."""

from typing import Final

PLAN: Final = "Plan"
"""The first state, whose result is ``{"plan": ...}``: where the sweep finds the plan."""

PREFLIGHT: Final = "Preflight"
STEADY_STATE: Final = "Steady state"
INJECT: Final = "Inject"
OBSERVE: Final = "Observe"
END_FAULT: Final = "End fault"
FAILBACK: Final = "Failback"
STEADY_AGAIN: Final = "Steady again"
RECORD: Final = "Record"
SWEEP: Final = "Sweep"
"""No state: what the sweep calls its own part."""
