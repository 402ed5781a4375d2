"""A runner that waits for the drill that watches: with its fault, and with its end.

On a busy machine a drill is late, as often as it calls functions and APIs.
"""

import asyncio
import os
from pathlib import Path

from resiliency.rehearsal.scenario_runner import ScenarioRunner, main
from staged_resiliency.shared.time_limits import MINUTE

FOLDER = "WATCHING_DRILL"
"""The environment variable with the folder of the files below."""

STARTED, ENDED = "started", "ended"
"""Files that are there once the drill has started its experiment, and once its run has ended."""


class WaitingRunner(ScenarioRunner):
    """Runs a scenario beside a drill."""

    async def until_fault(self) -> None:
        """Wait for the drill too, and then for the same second of a minute."""
        await super().until_fault()
        while not _is_there(STARTED):
            await self._clock.until(self._clock.now() + MINUTE)

    async def until_decided(
        self, injected_at: float, ended_at: float | None, least_seconds: float
    ) -> None:
        """Wait for the end of the drill too."""
        await super().until_decided(injected_at, ended_at, least_seconds)
        while ended_at is not None and not _is_there(ENDED):
            await asyncio.sleep(0.1)


def _is_there(name: str) -> bool:
    return Path(os.environ[FOLDER], name).exists()


if __name__ == "__main__":
    main(WaitingRunner)
