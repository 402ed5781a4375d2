"""How far a run is, told from the history of its execution; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from resiliency.drill_cli.safe_console import document, one_line
from staged_resiliency.drills.runtime import states

_KEYS: Final[Mapping[str, str]] = {
    states.PREFLIGHT: "preflight",
    states.STEADY_STATE: "steady",
    states.INJECT: "inject",
    states.OBSERVE: "observe",
    states.END_FAULT: "end",
    states.FAILBACK: "failback",
    states.STEADY_AGAIN: "steady_again",
    states.RECORD: "record",
}
"""The state of each phase, and where the machine keeps what it said."""

PHASES: Final = tuple(_KEYS)
"""All phases, in the order of a run in which nothing goes wrong."""

_FAILURES: Final[Mapping[str, str]] = {
    "TaskFailed": "taskFailedEventDetails",
    "TaskTimedOut": "taskTimedOutEventDetails",
    "TaskSubmitFailed": "taskSubmitFailedEventDetails",
    "TaskStartFailed": "taskStartFailedEventDetails",
}


@dataclass(frozen=True, slots=True)
class PhaseSeen:
    """A phase that was entered.

    Attributes:
        name: Name of its state.
        began_at: Seconds since the epoch.
        ended_at: The same; None while it goes on.
        told: What became of it, as it says.
        go: Whether the run went on as hoped.
        failures: Errors of its function that were tried again, or that ended it.
    """

    name: str
    began_at: float
    ended_at: float | None = None
    told: str = ""
    go: bool = True
    failures: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        phases: Those that were entered, in their order.
        experiment: Id of the FIS experiment, once it is known.
    """

    phases: Sequence[PhaseSeen]
    experiment: str | None


def progress_of(events: Iterable[Mapping[str, Any]]) -> Progress:
    """How far a run is.

    Args:
        events: Those of GetExecutionHistory, in any order.
    """
    phases: list[PhaseSeen] = []
    experiment = None
    for event in sorted(events, key=lambda each: int(each["id"])):
        kind, at = event["type"], _seconds(event["timestamp"])
        if kind == "TaskStateEntered":
            name = one_line(event["stateEnteredEventDetails"]["name"])
            if phases and phases[-1].name == name:
                phases[-1] = replace(phases[-1], ended_at=None)
            else:
                phases.append(PhaseSeen(name, at))
        elif kind == "TaskStateExited" and phases:
            said = _said(phases[-1].name, event["stateExitedEventDetails"].get("output", ""))
            found = said.get("experiment")
            experiment = found if isinstance(found, str) else experiment
            told = said.get("told")
            phases[-1] = replace(
                phases[-1],
                ended_at=at,
                told=told if isinstance(told, str) else "",
                go=said.get("go") is True,
            )
        elif kind in _FAILURES and phases:
            details = event.get(_FAILURES[kind], {})
            failure = one_line(f"{details.get('error', kind)}: {details.get('cause', '')}")
            failures = (*phases[-1].failures, failure[:200])
            phases[-1] = replace(phases[-1], failures=failures)
    return Progress(phases, experiment)


def _said(name: str, output: str) -> Mapping[str, object]:
    """What a phase said, from the machine's state after it."""
    try:
        state = document(output)
    except ValueError:
        return {}
    said = state.get(_KEYS.get(name, "")) if isinstance(state, dict) else None
    return said if isinstance(said, dict) else {}


def _seconds(moment: datetime) -> float:
    return moment.timestamp()
