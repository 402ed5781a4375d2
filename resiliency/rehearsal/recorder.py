"""Records a run in its process, and reports each event to the process that judges it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from resiliency.rehearsal.clock import Clock
from staged_resiliency.experiment.observations import Observation, Source


class Recorder:
    """Records observations and phases of a run; ``report`` gets each event as an array for JSON.

    ``observations`` has those of each subject, so that an expectation can be judged by a few of
    them, four times a second.
    """

    def __init__(self, clock: Clock, report: Callable[[Sequence[object]], None]) -> None:
        self.observations: dict[str, list[Observation]] = defaultdict(list)
        self._clock = clock
        self._report = report

    def see(
        self, source: Source, subject: str, value: str, detail: str = "", *, at: float | None = None
    ) -> None:
        """Record one observation, made now unless ``at`` is given."""
        moment = self._clock.stamp() if at is None else at
        self.observations[subject].append(Observation(moment, source, subject, value, detail))
        self._report(["seen", moment, source.value, subject, value, detail])

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[None]:
        """Record when a phase begins and ends."""
        self._report(["began", self._clock.stamp(), name])
        yield
        self._report(["ended", self._clock.stamp(), name])

    def reachable(self, client: str, clock: str) -> None:
        """Report, as JSON, how a client reaches the service, so that others can request it too."""
        self._report(["reachable", client, clock])

    def done(self, injected_at: float, ended_at: float, until: float) -> None:
        """Report the times of the run."""
        self._report(["done", injected_at, ended_at, until])
