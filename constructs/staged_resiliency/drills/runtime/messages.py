"""What a function is called with, and what it says."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import DataError, JsonObject, read

_TIME: Final = re.compile(r"[0-9][0-9TZ:.+-]{9,39}")


@dataclass(frozen=True, slots=True)
class RunName:
    """Which run of a drill it is.

    Attributes:
        execution: ARN of the state machine's execution.
        name: Its name, unique among the runs of the drill.
    """

    execution: str
    name: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a phase says to the state machine.

    Attributes:
        go: Whether the run goes on as hoped.
        again: Whether this phase wants to be called again.
        began_at: When the phase began, in seconds since the epoch.
        experiment: Id of the FIS experiment, once it is known.
        told: What became of the phase, in a line; empty while it is under way.
    """

    go: bool
    again: bool
    began_at: float
    experiment: str | None
    told: str

    def to_json(self) -> JsonObject:
        """The result as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PhaseInput:
    """One call of a phase.

    Attributes:
        phase: Name of the state.
        plan: The drill.
        run: The run.
        results: What phases said last, by their keys in the machine's state.
        errors: What phases failed with, by their keys.
        occurrence: Of the schedule that started the run, as the time for which it was due; empty
            for a run that was started by hand.
    """

    phase: str
    plan: Plan
    run: RunName
    results: Mapping[str, Result]
    errors: Mapping[str, str]
    occurrence: str = ""

    @classmethod
    def of(cls, event: object) -> "PhaseInput":
        """The call in the event that the state machine made.

        Raises:
            DataError: It made no such event.
        """
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
            {key: read(Result, each, key) for key, each in state.items()},
            {key: _told(each) for key, each in errors.items()},
            _occurrence(given),
        )


def _occurrence(given: object) -> str:
    """The occurrence in a run's input, which may be anything; a time, and nothing else."""
    found = given.get("occurrence") if isinstance(given, dict) else None
    return found if isinstance(found, str) and _TIME.fullmatch(found) else ""


def _told(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)[:300]
    return " ".join(f"{error.get('Error', '')}: {error.get('Cause', '')}".split())[:300]
