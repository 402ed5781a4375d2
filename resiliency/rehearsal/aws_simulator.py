"""Simulates AWS minute by minute: status checks, alarms, health checks, and the DNS answer."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

from resiliency.failover_model.alarm_evaluation import AlarmState
from resiliency.failover_model.alarm_readings import draw_periods_read
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.graph import (
    DEFAULT_REGIONS,
    Alarm,
    AlarmCheck,
    BasicHealthCheck,
    EndpointCheck,
    Metric,
)
from resiliency.failover_model.route53 import Role
from resiliency.rehearsal.aws_state import Alarms, Checker, HealthChecks
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import STATUS_METRICS, Deployment
from resiliency.rehearsal.endpoint_checker import run_checkers
from resiliency.rehearsal.moto_client import MotoClient
from resiliency.rehearsal.name_server import Zone
from resiliency.rehearsal.recorder import Recorder
from resiliency.rehearsal.simulated_hosts import SimulatedHost, SimulatedHosts
from staged_resiliency.experiment.observations import Source
from staged_resiliency.shared.time_limits import MINUTE

FIRST_DATA_SECONDS: Final = 90
"""Until probes that just started have published a minute; before that they would seem silent."""

MESSAGES_SECONDS: Final = 0.5
"""Between two reads of the queue, in seconds here."""

Result = TypeVar("Result")


class AwsSimulator:
    """Evaluates published metrics, and changes the DNS answer.

    Data are read back through the API and evaluated with the failover-time model. AWS's delays are
    drawn from the same ranges that the model draws from. ``addresses`` are those that DNS answers
    for each host; ``begin`` starts a task of the run.
    """

    def __init__(
        self,
        deployment: Deployment,
        assumptions: Assumptions,
        chance: random.Random,
        clock: Clock,
        aws: MotoClient,
        zone: Zone,
        addresses: Mapping[str, str],
        record: Recorder,
        begin: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._deployment = deployment
        self._assumptions = assumptions
        self._chance = chance
        self._clock = clock
        self._aws = aws
        self._zone = zone
        self._addresses = addresses
        self._record = record
        self._begin = begin
        self._alarms = Alarms(deployment.alarms)
        self._checks = HealthChecks(deployment.pair)
        self._uptakes = {
            check: assumptions.health_check_uptake.draw(chance)
            for check in self._checks.basic_checks
        }
        self._delays = {
            host.name: assumptions.custom_metric_delay.draw(chance)
            for host in deployment.observers or deployment.hosts
        }
        self._periods = {
            alarm.name: draw_periods_read(alarm, assumptions, chance) for alarm in deployment.alarms
        }
        self._role = Role.PRIMARY
        self._shown: dict[str, bool] = {}
        self._undelivered = 0

    async def start(self, hosts: SimulatedHosts) -> None:
        """Start the simulation, as if everything had been healthy for some time."""
        self._record.see(Source.DNS, self._deployment.pair.name, ",".join(self._zone.addresses))
        self._answer_changes()
        # As many minutes of data as the alarms read.
        spans = [
            self._periods[alarm.name] * alarm.period_seconds // MINUTE
            for alarm in self._deployment.alarms
        ]
        now = self._clock.now() // MINUTE * MINUTE
        minutes = [now - MINUTE * back for back in range(max(spans, default=1), 0, -1)]
        for host in hosts.hosts.values():
            if host.host.instance_id is not None:
                of_instance = (("InstanceId", host.host.instance_id),)
                metrics = [Metric("AWS/EC2", name, of_instance) for name in STATUS_METRICS]
                await self._in_pool(self._aws.put, metrics, minutes, 0.0)
                self._begin(self._status_checks(host, metrics))
        for alarm in self._deployment.alarms:
            if alarm.name in self._deployment.failover_alarms:
                await self._in_pool(self._aws.put, [alarm.metric], minutes, 1.0)
                self._begin(self._publish_health(alarm.metric))
        self._begin(self._evaluate_alarms())
        self._begin(self._read_streams())
        self._begin(self._receive())
        for check in self._checks.basic_checks:
            if isinstance(check, EndpointCheck) and not check.disabled:
                self._begin(self._check_endpoint(check, hosts.place_of(check.address)))

    async def _status_checks(self, host: SimulatedHost, metrics: Sequence[Metric]) -> None:
        """Publish an instance's status check: once a minute while it runs, with EC2's delay."""
        phase = MINUTE * self._chance.random()
        delay = self._assumptions.status_metric_delay.draw(self._chance)

        async def publish(minute: float) -> None:
            await self._clock.until(minute + phase + delay)
            await self._in_pool(self._aws.put, metrics, [minute], 0.0)

        async for at in self._each_minute(phase):
            if host.running:
                self._begin(publish(at - phase))

    async def _publish_health(self, metric: Metric) -> None:
        """Publish the status of the primary's health check once a minute, as Route 53 does."""
        async for at in self._each_minute(MINUTE * self._chance.random()):
            await self._clock.until(at)
            _, healthy = next(self._checks.statuses())
            await self._in_pool(self._aws.put, [metric], [at // MINUTE * MINUTE], float(healthy))

    async def _evaluate_alarms(self) -> None:
        alarms = self._deployment.alarms
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
                # Unchanged states too: an alarm without observations since the fault shows nothing.
                now, former = self._alarms.states[alarm.name], formers.get(alarm.name)
                was = "" if former is None else f"was {former.value}"
                self._record.see(Source.ALARM, alarm.name, now.value, was)
                topics = self._deployment.actions.get(alarm.name, {}).get(now.value, ())
                if former is not None and topics:
                    self._begin(self._notify(topics, alarm, former, now))

    async def _notify(
        self, topics: Sequence[str], alarm: Alarm, former: AlarmState, now: AlarmState
    ) -> None:
        self._undelivered += len(topics)
        at = self._clock.now()
        await self._in_pool(self._aws.notify, topics, alarm.name, former, now, at)

    async def _receive(self) -> None:
        while True:
            for message in await self._in_pool(self._aws.received):
                self._undelivered -= 1
                self._record.see(Source.MESSAGE, message["AlarmName"], message["NewStateValue"])
            await asyncio.sleep(MESSAGES_SECONDS)

    async def delivered(self) -> None:
        """Wait until each message of an alarm that changed has arrived."""
        while self._undelivered > 0:
            await asyncio.sleep(MESSAGES_SECONDS / 5)

    async def _read_streams(self) -> None:
        """Read the alarms' data streams each minute as Route 53 does, apart from CloudWatch."""
        alarm_checks = [
            check
            for check in self._checks.basic_checks
            if isinstance(check, AlarmCheck)
            and not check.disabled
            and self._deployment.is_measured(check.alarm)
        ]
        if not alarm_checks:
            return
        statuses: dict[BasicHealthCheck, bool] = {}
        phase = MINUTE * self._chance.random()
        await self._clock.until(self._clock.now() + FIRST_DATA_SECONDS)
        async for at in self._each_minute(phase):
            statistics = await self._statistics([check.alarm for check in alarm_checks], at)
            for check in alarm_checks:
                now = self._checks.read(check, statistics[check.alarm.name])
                if statuses.get(check) is not now:
                    statuses[check] = now
                    self._begin(self._apply(check, now))

    async def _check_endpoint(self, check: EndpointCheck, place: tuple[str, int]) -> None:
        checkers = self._assumptions.checkers.draw(self._chance)
        count = max(1, round(checkers * check.regions / DEFAULT_REGIONS))
        phases = [check.interval_seconds * self._chance.random() for _ in range(count)]
        former: bool | None = None

        def changed(checkers: Sequence[Checker]) -> None:
            nonlocal former
            now = self._checks.counted(check, checkers)
            if now is not former:
                former = now
                self._begin(self._apply(check, now))

        await run_checkers(
            check,
            place,
            self._deployment.pair.name,
            self._deployment.path,
            phases,
            self._clock,
            changed,
        )

    async def _apply(self, check: BasicHealthCheck, healthy: bool) -> None:
        """Apply a health check's new status, after the time that Route 53 takes for it."""
        await asyncio.sleep(self._clock.real(self._uptakes[check]))
        self._checks.apply(check, healthy)
        if self._answer_changes():
            role = self._role
            delay = self._assumptions.dns_propagation.draw(self._chance)
            await asyncio.sleep(self._clock.real(delay))
            if role is self._role:  # else a later change is on its way
                hosts = self._deployment
                answering = hosts.active if role is Role.PRIMARY else hosts.standby
                self._zone.addresses = [self._addresses[answering.name]]
                self._record.see(
                    Source.DNS, self._deployment.pair.name, ",".join(self._zone.addresses)
                )

    def _answer_changes(self) -> bool:
        """Record changed statuses, and return whether the DNS answer changes."""
        for label, healthy in self._checks.statuses():
            if self._shown.get(label) is not healthy:
                self._shown[label] = healthy
                self._record.see(Source.HEALTH_CHECK, label, "healthy" if healthy else "unhealthy")
        former, self._role = self._role, self._checks.role()
        return self._role is not former

    async def _statistics(
        self, alarms: Sequence[Alarm], at: float
    ) -> Mapping[str, Sequence[float | None]]:
        """Read the evaluation range of each alarm at a moment, up to the last whole minute.

        Data of a probe can be read in AWS only after a delay, so they are read so much earlier.
        """
        end = at // MINUTE * MINUTE
        by_delay: dict[float, list[Alarm]] = {}
        for alarm in alarms:
            sender = alarm.metric.dimension("Observer") or alarm.metric.dimension("Host") or ""
            by_delay.setdefault(self._delays.get(sender, 0.0), []).append(alarm)
        statistics: dict[str, Sequence[float | None]] = {}
        for delay, alike in sorted(by_delay.items(), reverse=True, key=lambda each: each[0]):
            await self._clock.until(at - delay)
            statistics |= await self._in_pool(self._aws.statistics, alike, end, self._periods)
        await self._clock.until(at)
        return statistics

    async def _each_minute(self, phase: float) -> AsyncIterator[float]:
        """Yield a time at the same second of each simulated minute; skip missed minutes.

        The time is yielded a little before, so that data can be read at the right moment.
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
