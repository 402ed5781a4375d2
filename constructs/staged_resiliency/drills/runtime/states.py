"""The states of a drill's state machine, and the input and result of the functions they call."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from staged_resiliency.drills.runtime.ending import Ending
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import DataError, JsonObject, read

PLAN: Final = "Plan"
"""The first state, whose result is ``{"plan": ...}``; the cleanup reads the plan from it."""

PREFLIGHT: Final = "Preflight"
ANNOUNCE: Final = "Announce"
PREFLIGHT_AGAIN: Final = "Preflight again"
"""The preflight of a run that announced itself some time before."""

STEADY_STATE: Final = "Steady state"
INJECT: Final = "Inject"
OBSERVE: Final = "Observe"
END_FAULT: Final = "End fault"
FAILBACK: Final = "Failback"
STEADY_AGAIN: Final = "Steady again"
RECORD: Final = "Record"

CLEANUP: Final = "Cleanup"
"""Not a state: the name of the cleanup's own phase in journals."""

RESULT_KEYS: Final[Mapping[str, str]] = {
    PREFLIGHT: "preflight",
    ANNOUNCE: "announce",
    PREFLIGHT_AGAIN: "preflight_again",
    STEADY_STATE: "steady",
    INJECT: "inject",
    OBSERVE: "observe",
    END_FAULT: "end",
    FAILBACK: "failback",
    STEADY_AGAIN: "steady_again",
}
"""The key in the state machine's data under which each phase's result is kept."""

PHASES: Final = (*RESULT_KEYS, RECORD)
"""All phases, in the order of a run in which nothing goes wrong."""

_TIME: Final = re.compile(r"[0-9][0-9TZ:.+-]{9,39}")


@dataclass(frozen=True, slots=True)
class RunName:
    """The ARN of the execution of a run, and its name, unique among the runs of the drill."""

    execution: str
    name: str


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """The result that a phase returns to the state machine.

    Attributes:
        go: Whether the run continues as planned.
        again: Whether this phase must be called again.
        began_at: When the phase began, in seconds since the epoch.
        experiment: ID of the FIS experiment, once it is known.
        message: The outcome of the phase in one line; empty while it is in progress.
    """

    go: bool
    again: bool
    began_at: float
    experiment: str | None
    message: str

    def to_json(self) -> JsonObject:
        """Return the result as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PhaseInput:
    """The input of one call of a phase.

    Attributes:
        results: The latest result of each phase, by ``RESULT_KEYS``.
        errors: The error that each failed phase ended with, by ``RESULT_KEYS``.
        occurrence: The time for which the schedule started the run; empty for a run that was
            started by hand.
    """

    phase: str
    plan: Plan
    run: RunName
    results: Mapping[str, PhaseResult]
    errors: Mapping[str, str]
    occurrence: str = ""

    @classmethod
    def from_event(cls, event: object) -> "PhaseInput":
        """Read the input from a state machine's event; raise DataError if it has another form."""
        if not isinstance(event, dict) or not isinstance(event.get("state"), dict):
            raise DataError("event: must be an object with an object 'state'")
        state = dict(event["state"])
        phase, plan, run = event.get("phase"), state.pop("plan", None), state.pop("run", None)
        errors, given = state.pop("errors", {}), state.pop("input", None)
        if not isinstance(phase, str) or not isinstance(errors, dict):
            raise DataError("event: must have a text 'phase' and an object 'errors'")
        return cls(
            phase,
            Plan.from_json(plan),
            read(RunName, run, "run"),
            {
                key: read(PhaseResult, each, key)
                for key, each in state.items()
                if key in RESULT_KEYS.values()
            },
            {key: _error_message(each) for key, each in errors.items()},
            _occurrence(given),
        )


def ending_of(event: Mapping[str, object], now: float) -> tuple[Ending, RunName, float]:
    """Read only the settings for ending a run's fault from a state machine's event.

    The last value is when the phase that ends it began, ``now`` for its first call.

    Raises:
        DataError: Even that can't be read.
    """
    state = event.get("state")
    if not isinstance(state, dict):
        raise DataError("event: must be an object with an object 'state'")
    run = read(RunName, state.get("run"), "run")
    last = state.get(RESULT_KEYS[END_FAULT])
    began_at = last.get("began_at") if isinstance(last, dict) and last.get("again") else None
    return (
        Ending.from_plan(state.get("plan")),
        run,
        began_at if isinstance(began_at, (int, float)) else now,
    )


def _occurrence(given: object) -> str:
    """The occurrence in a run's input if that is a time; the input may hold any value."""
    found = given.get("occurrence") if isinstance(given, dict) else None
    return found if isinstance(found, str) and _TIME.fullmatch(found) else ""


def _error_message(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)[:300]
    return " ".join(f"{error.get('Error', '')}: {error.get('Cause', '')}".split())[:300]
