"""The simulated AWS, with a queue that is late."""

import asyncio
import contextlib
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from resiliency.failover_model.alarm_evaluation import AlarmState
from resiliency.rehearsal import aws_simulator
from resiliency.rehearsal.aws_simulator import AwsSimulator
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.moto_client import MotoClient
from resiliency.rehearsal.name_server import Zone
from resiliency.rehearsal.prediction import assumptions_for
from resiliency.rehearsal.recorder import Recorder
from staged_resiliency.experiment.observations import Source


class LateQueue:
    """An API whose queue has a message only at the third time of asking."""

    def __init__(self, name: str) -> None:
        self.pool = ThreadPoolExecutor(1)
        message = {"AlarmName": name, "NewStateValue": "OK"}
        self._answers: list[Sequence[Mapping[str, str]]] = [[], [], [message]]

    def notify(self, *_: object) -> None:
        """Take a message."""

    def received(self) -> Sequence[Mapping[str, str]]:
        """Return the messages since the last call."""
        return self._answers.pop(0) if self._answers else []


def test_a_run_does_not_end_before_its_messages_have_arrived(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_simulator, "MESSAGES_SECONDS", 0.01)
    alarm, clock = deployment.alarms[0], Clock.starting(20)
    record = Recorder(clock, lambda _: None)

    async def run() -> None:
        simulator = AwsSimulator(
            deployment,
            assumptions_for(deployment),
            random.Random(0),
            clock,
            cast(MotoClient, queue),
            Zone(deployment.pair.name, "A", 60, []),
            {},
            record,
            lambda _: None,
        )
        await simulator.delivered()  # nothing was sent
        await simulator._notify(["alarms"], alarm, AlarmState.ALARM, AlarmState.OK)
        receiving = asyncio.get_running_loop().create_task(simulator._receive())
        await simulator.delivered()
        receiving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await receiving

    queue = LateQueue(alarm.name)
    asyncio.run(asyncio.wait_for(run(), 30))
    queue.pool.shutdown()
    arrived = [(each.source, each.subject, each.value) for each in record.observations[alarm.name]]
    assert arrived == [(Source.MESSAGE, alarm.name, "OK")]
