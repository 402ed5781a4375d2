"""The progress of a run, from the history of its execution and the records of its phases."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from resiliency.drill_cli.aws import EXECUTION, HISTORY, Aws, NotFoundError
from resiliency.drill_cli.safe_console import one_line, parse_json
from resiliency.drill_cli.stack import DeployedDrill
from resiliency.errors import UserError
from staged_resiliency.drills.runtime.states import RECORD, RESULT_KEYS
from staged_resiliency.drills.runtime.store import PhaseRecord, Store, records_folder
from staged_resiliency.experiment.json_codec import DataError, read
from staged_resiliency.experiment.observations import Observation, transitions

RUNNING: Final = "RUNNING"
"""Status of an execution in progress."""

SUCCEEDED: Final = "SUCCEEDED"
"""Status of an execution that completed, whatever its verdict."""

_FAILURES: Final[Mapping[str, str]] = {
    "TaskFailed": "taskFailedEventDetails",
    "TaskTimedOut": "taskTimedOutEventDetails",
    "TaskSubmitFailed": "taskSubmitFailedEventDetails",
    "TaskStartFailed": "taskStartFailedEventDetails",
}


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """A phase that was entered.

    Attributes:
        ended_at: Seconds since the epoch; None while it is in progress.
        go: Whether the run continued as planned.
        failures: Errors of its function, whether retried or not.
    """

    name: str
    began_at: float
    ended_at: float | None = None
    message: str = ""
    go: bool = True
    failures: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The phases of a run, in the order in which they were entered, and its FIS experiment's ID."""

    phases: Sequence[PhaseProgress]
    experiment: str | None


def progress_of(events: Iterable[Mapping[str, Any]]) -> RunProgress:
    """Return the progress of a run from the events of GetExecutionHistory, in any order."""
    phases: list[PhaseProgress] = []
    experiment = None
    for event in sorted(events, key=lambda each: int(each["id"])):
        kind, at = event["type"], event["timestamp"].timestamp()
        if kind == "TaskStateEntered":
            name = one_line(event["stateEnteredEventDetails"]["name"])
            if phases and phases[-1].name == name:
                phases[-1] = replace(phases[-1], ended_at=None)
            else:
                phases.append(PhaseProgress(name, at))
        elif kind == "TaskStateExited" and phases:
            output = event["stateExitedEventDetails"].get("output", "")
            result = _result(phases[-1].name, output)
            found = result.get("experiment")
            experiment = found if isinstance(found, str) else experiment
            message = result.get("message")
            phases[-1] = replace(
                phases[-1],
                ended_at=at,
                message=message if isinstance(message, str) else "",
                go=result.get("go") is True,
            )
        elif kind in _FAILURES and phases:
            details = event.get(_FAILURES[kind], {})
            failure = one_line(f"{details.get('error', kind)}: {details.get('cause', '')}")
            failures = (*phases[-1].failures, failure[:200])
            phases[-1] = replace(phases[-1], failures=failures)
    return RunProgress(phases, experiment)


def _result(name: str, output: str) -> Mapping[str, object]:
    """The result of a phase, from the state machine's data after the phase."""
    try:
        data = parse_json(output)
    except ValueError:
        return {}
    # The last phase leaves nothing but its result.
    found = data.get(RESULT_KEYS.get(name, "")) if isinstance(data, dict) else None
    result = data if name == RECORD else found
    return result if isinstance(result, dict) else {}


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run at one moment.

    Attributes:
        ended_at: Seconds since the epoch; None while it is in progress.
        transitions: What its functions have observed to change so far.
        notes: Records that could not be read, and why; one line each.
    """

    status: str
    began_at: float
    ended_at: float | None
    progress: RunProgress
    transitions: Sequence[Observation]
    notes: Sequence[str]


class FollowedRun:
    """A run, named by its ARN, that is polled; ``latest`` is None before the first poll."""

    def __init__(self, aws: Aws, drill: DeployedDrill, execution: str) -> None:
        self._aws = aws
        self.drill = drill
        self.execution = execution
        self._events: dict[int, Any] = {}
        self._records: set[str] = set()
        self._observations: list[Observation] = []
        self._notes: list[str] = []
        self.latest: RunSnapshot | None = None

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.execution.rsplit(":", 1)[-1]

    def poll(self) -> RunSnapshot:
        """Return the current state of the run; read only what is new.

        Raises:
            UserError: The run does not exist, or AWS refuses.
        """
        try:
            state = self._aws(*EXECUTION, executionArn=self.execution)
        except NotFoundError:
            raise UserError(
                f"{self.drill.name}: has no run {self.name}; Step Functions keeps runs for 90 "
                "days, journals are kept longer: see `resiliency drill report`"
            ) from None
        # The history is read after the status, so that an ended run is shown to its end.
        self._read_history()
        self._read_records()
        stopped = state.get("stopDate")
        self.latest = RunSnapshot(
            status=one_line(state["status"]),
            began_at=state["startDate"].timestamp(),
            ended_at=stopped.timestamp() if stopped else None,
            progress=progress_of(self._events.values()),
            transitions=transitions(self._observations),
            notes=tuple(self._notes),
        )
        return self.latest

    def _read_history(self) -> None:
        """Read events from the latest back to one that was already read."""
        known = max(self._events, default=0)
        found = {}
        for page in self._aws.pages(HISTORY, executionArn=self.execution, reverseOrder=True):
            found.update({int(each["id"]): each for each in page["events"]})
            if any(each <= known for each in found):
                break
        self._events.update(found)

    def _read_records(self) -> None:
        bucket = self.drill.plan.journal_bucket
        keys = Store(self._aws, bucket).keys(records_folder(self.drill.plan.drill, self.name))
        for key in sorted({*keys} - self._records):
            try:
                content = parse_json(self._aws.text(bucket, key))
                record = read(PhaseRecord, content, "record")
                self._observations += record.observations
            except (DataError, ValueError) as error:
                self._notes.append(one_line(f"s3://{bucket}/{key}: {error}"))
            self._records.add(key)
