"""What a director writes down: observations and phases, told on as they come."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from resiliency.rehearsal.clock import Clock
from staged_resiliency.experiment.observations import Observation, Source


class Recorder:
    """Observations and phases of one run.

    Args:
        clock: Stamps them.
        tell: Told each as an array for JSON.

    Attributes:
        observations: Those so far.
    """

    def __init__(self, clock: Clock, tell: Callable[[Sequence[object]], None]) -> None:
        self.observations: list[Observation] = []
        self._clock = clock
        self._tell = tell

    def see(
        self, source: Source, subject: str, value: str, detail: str = "", *, at: float | None = None
    ) -> None:
        """Write one observation down.

        Args:
            source: Who saw it.
            subject: What was looked at.
            value: What was found.
            detail: More for people.
            at: Its stamp; now unless given.
        """
        moment = self._clock.stamp() if at is None else at
        self.observations.append(Observation(moment, source, subject, value, detail))
        self._tell(["seen", moment, source.value, subject, value, detail])

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[None]:
        """Write down when a phase began and ended."""
        self._tell(["began", self._clock.stamp(), name])
        yield
        self._tell(["ended", self._clock.stamp(), name])

    def reachable(self, client: str, clock: str) -> None:
        """Tell how a client reaches the service, so that others can watch as one does.

        Args:
            client: ``client_process.Settings`` as JSON.
            clock: The rehearsal's clock as JSON.
        """
        self._tell(["reachable", client, clock])

    def done(self, injected_at: float, ended_at: float, until: float) -> None:
        """Write the times of the run down."""
        self._tell(["done", injected_at, ended_at, until])
