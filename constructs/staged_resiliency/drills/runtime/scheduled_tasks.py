"""The tasks that schedules of a service's drills start: the watchdog and the cleanup."""

from dataclasses import dataclass
from typing import Final

from staged_resiliency.experiment.json_codec import JsonObject, as_json, read, without_none

CLEANUP_TASK: Final = "cleanup"

WATCHDOG_TASK: Final = "watchdog"


@dataclass(frozen=True, slots=True)
class WatchedDrill:
    """A drill whose runs the watchdog follows.

    The days of one that never passed are counted from the creation of its state machine.
    """

    name: str
    state_machine_arn: str


@dataclass(frozen=True, slots=True)
class DrillSchedules:
    """The input of the schedules that call the watchdog and the cleanup.

    Attributes:
        task: Which of the two is called.
        client_function: That of the plans. The watchdog calls it each day: Lambda takes the network
            interface of a function that is idle for weeks, and then fails its next call.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """

    service: str
    environment: str
    drills: tuple[WatchedDrill, ...]
    journal_bucket: str
    namespace: str
    task: str = CLEANUP_TASK
    client_function: str | None = None

    def to_json(self) -> JsonObject:
        """Return the input as a JSON object; ``client_function`` is left out if it is empty."""
        return without_none(as_json(self), "client_function")

    @classmethod
    def from_json(cls, document: object) -> "DrillSchedules":
        """Read the input that ``to_json`` wrote; raise DataError where it is not such an input."""
        return read(cls, document, "event")
