"""One run, looked at again and again: its history, and what its functions saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.errors import NotThereError
from resiliency.drill_cli.permissions import EXECUTION, HISTORY
from resiliency.drill_cli.progress import Progress, progress_of
from resiliency.drill_cli.safe_console import document, one_line
from resiliency.drill_cli.stack import DeployedDrill
from resiliency.errors import UserError
from staged_resiliency.drills.runtime.phase_records import PhaseRecord, folder
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.experiment.json_codec import DataError, read
from staged_resiliency.experiment.observations import Observation, transitions

RUNNING: Final = "RUNNING"
"""Status of an execution that goes on."""

SUCCEEDED: Final = "SUCCEEDED"
"""Status of one that came to its end, whatever its verdict."""


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run at one moment.

    Attributes:
        status: Of the execution, as Step Functions has it.
        began_at: Seconds since the epoch.
        ended_at: The same; None while it goes on.
        progress: How far it is.
        seen: What its functions saw change so far.
        notes: What could not be read; one line each.
    """

    status: str
    began_at: float
    ended_at: float | None
    progress: Progress
    seen: Sequence[Observation]
    notes: Sequence[str]


class Watched:
    """A run that is looked at.

    Attributes:
        drill: The drill.
        execution: ARN of the run.
        latest: What was seen last; None before the first look.

    Args:
        aws: AWS.
        drill: The drill.
        execution: ARN of the run.
    """

    def __init__(self, aws: Aws, drill: DeployedDrill, execution: str) -> None:
        self._aws = aws
        self.drill = drill
        self.execution = execution
        self._events: dict[int, Any] = {}
        self._chunks: set[str] = set()
        self._seen: list[Observation] = []
        self._notes: list[str] = []
        self.latest: RunSnapshot | None = None

    @property
    def run(self) -> str:
        """Name of the run."""
        return self.execution.rsplit(":", 1)[-1]

    def look(self) -> RunSnapshot:
        """The run as it is now. Only what is new is asked for.

        Raises:
            UserError: There is no such run, or AWS does not tell.
        """
        try:
            state = self._aws(*EXECUTION, executionArn=self.execution)
        except NotThereError:
            raise UserError(
                f"{self.drill.name}: has no run {self.run}; Step Functions forgets runs after 90 "
                "days, their journals stay: see `resiliency drill report`"
            ) from None
        # The history comes after the status, so that an ended run is shown to its end.
        self._read_history()
        self._read_chunks()
        stopped = state.get("stopDate")
        self.latest = RunSnapshot(
            status=one_line(state["status"]),
            began_at=state["startDate"].timestamp(),
            ended_at=stopped.timestamp() if stopped else None,
            progress=progress_of(self._events.values()),
            seen=transitions(self._seen),
            notes=tuple(self._notes),
        )
        return self.latest

    def _read_history(self) -> None:
        """Read backwards, from the latest event to the first one that is known."""
        known = max(self._events, default=0)
        found = {}
        for page in self._aws.pages(HISTORY, executionArn=self.execution, reverseOrder=True):
            found.update({int(each["id"]): each for each in page["events"]})
            if any(each <= known for each in found):
                break
        self._events.update(found)

    def _read_chunks(self) -> None:
        plan = self.drill.plan
        below = f"{folder(plan, self.run)}chunks/"
        for key in sorted({*Store(self._aws, plan.journal).keys(below)} - self._chunks):
            where = f"{plan.journal.prefix}{key}"
            try:
                content = document(self._aws.text(plan.journal.bucket, where))
                self._seen += read(PhaseRecord, content, "chunk").observations
            except (DataError, ValueError) as error:
                self._notes.append(one_line(f"s3://{plan.journal.bucket}/{where}: {error}"))
            self._chunks.add(key)
