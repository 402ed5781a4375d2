"""Watching for part of a minute, and leaving behind what was seen."""

from collections.abc import Callable, Sequence
from typing import Final

from staged_resiliency.drills.runtime.client_view import ClientView, look
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.observations import Observation

LEAST_PAUSE_SECONDS: Final = 0.2
"""Between two looks, where one took longer than it should."""


class Poller:
    """Looks every few seconds, and keeps what it saw.

    Args:
        plan: The drill.
        world: Everything outside.
    """

    def __init__(self, plan: Plan, world: Context) -> None:
        self._plan = plan
        self._world = world
        self._seen: list[Observation] = []

    @property
    def seen(self) -> Sequence[Observation]:
        """All that was seen, in the order of seeing."""
        return self._seen

    def note(self, *observations: Observation) -> None:
        """Keep what was learned in another way."""
        self._seen += observations

    def look(self) -> ClientView:
        """Look once."""
        found = look(self._plan, self._world)
        self._seen += found.observations
        return found

    def watch(self, until: float, done: Callable[[], bool], *, must_see: bool = True) -> bool:
        """Look every few seconds until it is done, or time is over.

        Args:
            until: Seconds since the epoch.
            done: Asked after each look.
            must_see: Whether a look that fails is an error; else it is said in the log, and
                ``done`` is asked all the same.

        Returns:
            Whether it was done.
        """
        while True:
            began = self._world.clock()
            try:
                self.look()
            except Exception as error:
                if must_see:
                    raise
                self._world.log("a look failed", error=repr(error))
            if done():
                return True
            now = self._world.clock()
            if now >= until:
                return False
            pause = max(LEAST_PAUSE_SECONDS, began + self._plan.sample_seconds - now)
            self._world.sleep(min(pause, max(LEAST_PAUSE_SECONDS, until - now)))
