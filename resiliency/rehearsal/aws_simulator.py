"""What AWS does inside, minute by minute: status checks, alarms, health checks, the answer."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

from resiliency.failover_model.alarm_evaluation import AlarmState
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.graph import Alarm, AlarmCheck, EndpointCheck, Leaf
from resiliency.failover_model.route53 import Role
from resiliency.rehearsal.aws_state import Alarms, Checker, HealthChecks
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.endpoint_checker import run_checkers
from resiliency.rehearsal.moto_client import MotoClient
from resiliency.rehearsal.name_server import Zone
from resiliency.rehearsal.recorder import Recorder
from resiliency.rehearsal.simulated_hosts import SimulatedHosts
from staged_resiliency.experiment.observations import Source

MINUTE: Final = 60
FIRST_DATA_SECONDS: Final = 90
"""Until probes that just started have published a minute; before it they would seem silent."""

MESSAGES_SECONDS: Final = 0.5
"""Between two looks at the queue, in seconds here."""

Result = TypeVar("Result")


class AwsSimulator:
    """Evaluates what was published, and moves the answer.

    Data are read back through the API; what becomes of them is the failover-time model's. Delays
    that AWS has are drawn from the same spans that the model draws from.

    Args:
        world: What is rehearsed.
        assumptions: Spans of the delays.
        chance: Draws from them.
        clock: The rehearsal's.
        aws: The APIs.
        zone: What DNS answers.
        addresses: The address that DNS answers for each host.
        record: Where everything is written down.
        begin: Runs something beside everything else.
    """

    def __init__(
        self,
        world: Deployment,
        assumptions: Assumptions,
        chance: random.Random,
        clock: Clock,
        aws: MotoClient,
        zone: Zone,
        addresses: Mapping[str, str],
        record: Recorder,
        begin: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._world = world
        self._assumptions = assumptions
        self._chance = chance
        self._clock = clock
        self._aws = aws
        self._zone = zone
        self._addresses = addresses
        self._record = record
        self._begin = begin
        self._alarms = Alarms(world.alarms)
        self._checks = HealthChecks(world.pair)
        self._uptakes = {
            leaf: assumptions.health_check_uptake.draw(chance) for leaf in self._checks.leaves
        }
        self._delays = {
            host.name: assumptions.custom_metric_delay.draw(chance) for host in world.hosts
        }
        extra = round(assumptions.extra_periods.draw(chance))
        self._periods = {alarm.name: alarm.evaluation_periods + extra for alarm in world.alarms}
        self._role = Role.PRIMARY
        self._shown: dict[str, bool] = {}

    async def start(self, stage: SimulatedHosts) -> None:
        """Begin all of it, as if all had been well for some time."""
        self._record.see(Source.DNS, self._world.pair.name, ",".join(self._zone.addresses))
        self._answer_changes()
        now = self._clock.now() // MINUTE * MINUTE
        for host in stage.hosts.values():
            instance_id = host.host.instance_id
            if instance_id is not None:
                minutes = [now - MINUTE * back for back in range(self._history(), 0, -1)]
                await self._in_pool(self._aws.put_status, instance_id, minutes)
                self._begin(self._status_checks(instance_id, host.is_running))
        self._begin(self._evaluate_alarms())
        self._begin(self._read_streams())
        self._begin(self._receive())
        for leaf in self._checks.leaves:
            if isinstance(leaf, EndpointCheck) and not leaf.disabled:
                self._begin(self._check_endpoint(leaf, stage.place_of(leaf.address)))

    def _history(self) -> int:
        """How many minutes any alarm looks back."""
        spans = [
            self._periods[alarm.name] * alarm.period_seconds // MINUTE
            for alarm in self._world.alarms
        ]
        return max(spans, default=1)

    async def _status_checks(self, instance_id: str, running: Callable[[], bool]) -> None:
        """EC2's status check of an instance: once a minute while it runs, told a little later."""
        phase = MINUTE * self._chance.random()
        delay = self._assumptions.status_metric_delay.draw(self._chance)

        async def publish(minute: float) -> None:
            await self._clock.until(minute + phase + delay)
            await self._in_pool(self._aws.put_status, instance_id, [minute])

        async for at in self._each_minute(phase):
            if running():
                self._begin(publish(at - phase))

    async def _evaluate_alarms(self) -> None:
        """CloudWatch's evaluation of all alarms, each minute."""
        alarms = self._world.alarms
        if not alarms:
            return
        phase = MINUTE * self._chance.random()
        await self._clock.until(self._clock.now() + FIRST_DATA_SECONDS)
        async for at in self._each_minute(phase):
            statistics = await self._statistics(alarms, at)
            for alarm in alarms:
                latest = statistics[alarm.name][-1]
                subject = " ".join([alarm.metric.name, *(v for _, v in alarm.metric.dimensions)])
                value = "missing" if latest is None else f"{latest:g}"
                self._record.see(Source.SIGNAL, subject, value)
            formers = {alarm.name: each for alarm, each, _ in self._alarms.evaluate(statistics)}
            for alarm in alarms:
                # Also where it stays so: what was never seen since the fault shows nothing.
                now, former = self._alarms.states[alarm.name], formers.get(alarm.name)
                was = "" if former is None else f"was {former.value}"
                self._record.see(Source.ALARM, alarm.name, now.value, was)
                topics = self._world.actions.get(alarm.name, {}).get(now.value, ())
                if former is not None and topics:
                    self._begin(self._notify(topics, alarm, former, now))

    async def _notify(
        self, topics: Sequence[str], alarm: Alarm, former: AlarmState, now: AlarmState
    ) -> None:
        at = self._clock.now()
        await self._in_pool(self._aws.notify, topics, alarm.name, former, now, at)

    async def _receive(self) -> None:
        """Messages that topics were told, from the queue."""
        while True:
            for message in await self._in_pool(self._aws.received):
                self._record.see(Source.MESSAGE, message["AlarmName"], message["NewStateValue"])
            await asyncio.sleep(MESSAGES_SECONDS)

    async def _read_streams(self) -> None:
        """Route 53's reading of the alarms' data streams, each minute, at moments of its own."""
        leaves = [
            leaf
            for leaf in self._checks.leaves
            if isinstance(leaf, AlarmCheck)
            and not leaf.disabled
            and self._world.is_measured(leaf.alarm)
        ]
        if not leaves:
            return
        said: dict[Leaf, bool] = {}
        phase = MINUTE * self._chance.random()
        await self._clock.until(self._clock.now() + FIRST_DATA_SECONDS)
        async for at in self._each_minute(phase):
            statistics = await self._statistics([leaf.alarm for leaf in leaves], at)
            for leaf in leaves:
                now = self._checks.read(leaf, statistics[leaf.alarm.name])
                if said.get(leaf) is not now:
                    said[leaf] = now
                    self._begin(self._take(leaf, now))

    async def _check_endpoint(self, leaf: EndpointCheck, place: tuple[str, int]) -> None:
        """Route 53's health checkers of an endpoint."""
        count = round(self._assumptions.checkers.draw(self._chance))
        phases = [leaf.interval_seconds * self._chance.random() for _ in range(count)]
        former: bool | None = None

        def changed(checkers: Sequence[Checker]) -> None:
            nonlocal former
            now = self._checks.counted(leaf, checkers)
            if now is not former:
                former = now
                self._begin(self._take(leaf, now))

        await run_checkers(
            leaf, place, self._world.pair.name, self._world.path, phases, self._clock, changed
        )

    async def _take(self, leaf: Leaf, healthy: bool) -> None:
        """Let a new status count, after the time that Route 53 takes for it."""
        await asyncio.sleep(self._clock.real(self._uptakes[leaf]))
        self._checks.take(leaf, healthy)
        if self._answer_changes():
            role = self._role
            delay = self._assumptions.dns_propagation.draw(self._chance)
            await asyncio.sleep(self._clock.real(delay))
            if role is self._role:  # else a later change is on its way
                self._zone.addresses = [self._addresses[self._answering().name]]
                self._record.see(Source.DNS, self._world.pair.name, ",".join(self._zone.addresses))

    def _answer_changes(self) -> bool:
        """Write the statuses down that are new, and say whether the answer is another one."""
        for label, healthy in self._checks.shown():
            if self._shown.get(label) is not healthy:
                self._shown[label] = healthy
                self._record.see(Source.HEALTH_CHECK, label, "healthy" if healthy else "unhealthy")
        former, self._role = self._role, self._checks.role()
        return self._role is not former

    def _answering(self) -> Any:
        return self._world.active if self._role is Role.PRIMARY else self._world.standby

    async def _statistics(
        self, alarms: Sequence[Alarm], at: float
    ) -> Mapping[str, Sequence[float | None]]:
        """The evaluation ranges as they can be read at a moment, until the last whole minute.

        What a probe has sent can be read only after a delay, so it is read so much earlier.
        """
        end = at // MINUTE * MINUTE
        by_delay: dict[float, list[Alarm]] = {}
        for alarm in alarms:
            sender = alarm.metric.dimension("Observer") or alarm.metric.dimension("Host") or ""
            by_delay.setdefault(self._delays.get(sender, 0.0), []).append(alarm)
        found: dict[str, Sequence[float | None]] = {}
        for delay, alike in sorted(by_delay.items(), reverse=True, key=lambda each: each[0]):
            await self._clock.until(at - delay)
            found |= await self._in_pool(self._aws.statistics, alike, end, self._periods)
        await self._clock.until(at)
        return found

    async def _each_minute(self, phase: float) -> AsyncIterator[float]:
        """Each minute of the service, at the same moment of it or, if that is missed, at once.

        The moment is told a little before, so that data can be read at the right time.
        """
        ahead = max(self._delays.values(), default=0.0)
        at = self._clock.now() // MINUTE * MINUTE + phase
        while True:
            if at - ahead >= self._clock.now():
                await self._clock.until(at - ahead)
                yield at
            at += MINUTE

    async def _in_pool(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._aws.pool, work, *arguments)
