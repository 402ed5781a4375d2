"""Runs the probe's agent as on a host, but on the rehearsal's clock.

``python -m resiliency.rehearsal.agent_process CONFIGURATION CLOCK``

Three things differ from a host: the loop's clock and its selector run faster, the wall clock is the
rehearsed one, and credentials do not come from the instance's metadata.
"""

import signal
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from resiliency.rehearsal.clock import Clock, ScaledSelector
from staged_resiliency.probe.agent.agent import Agent
from staged_resiliency.probe.agent.attempt import Tools
from staged_resiliency.probe.agent.config import load
from staged_resiliency.probe.agent.journal import Journal
from staged_resiliency.probe.agent.loop import Loop
from staged_resiliency.probe.agent.metadata import Metadata
from staged_resiliency.probe.agent.systemd import ServiceManager

READY = "<6>ready:"
"""The beginning of the line that the agent prints once it measures."""


class FixedCredentials(Metadata):
    """Credentials for simulated services, which accept any."""

    def credentials(self) -> dict[str, str]:
        """Return credentials in the form of the metadata service."""
        expiry = datetime.now(timezone.utc) + timedelta(days=1)
        return {
            "access_key": "rehearsal",
            "secret_key": "rehearsal",
            "token": "rehearsal",
            "expiry_time": expiry.isoformat(),
        }


def agent_of(file: Path, clock: Clock) -> tuple[Agent, Loop]:
    """Create the agent for a configuration, and the loop that runs it."""
    loop = Loop(clock.now, ScaledSelector(clock.scale))
    config = load(file)
    agent = Agent(
        file=file,
        config=config,
        state=None,
        tools=Tools(loop, wall=clock.now),
        metadata=FixedCredentials(),
        journal=Journal(every_sample=config.journal == "samples"),
        manager=ServiceManager({}),
    )
    return agent, loop


if __name__ == "__main__":
    agent, loop = agent_of(Path(sys.argv[1]), Clock.from_json(sys.argv[2]))
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon(agent.end))
    agent.run()
