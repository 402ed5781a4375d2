"""A rehearsal that a drill watches: its state machine runs beside it, with the real functions.

How the parts are put together:

- The rehearsal is the command's: real processes on loopback, on its own faster clock.
- The drill is run by ``fake_aws.account``: moto interprets the state machine, which
  calls the functions for real. Their clock is the rehearsal's.
- They resolve at the rehearsal's DNS server with the stub resolver of the rehearsal's client, ask
  the loopback service in place of an address with their own code, and get the rehearsal's alarms
  and DNS answer from the AWS APIs that they call.
- FIS's experiment is the rehearsal's fault: it acts when that begins, and ends when that ends. The
  fault waits until the drill has started the experiment, and the rehearsal's end until the drill
  has ended.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rcode
import pytest

from resiliency.rehearsal import expectations as rehearsed
from resiliency.rehearsal.client_process import LEAST_DEADLINE_SECONDS, Settings, StubResolver
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.outcome import Outcome, Running
from resiliency.rehearsal.prediction import assumptions_for
from resiliency.rehearsal.rehearse import rehearse
from resiliency.rehearsal.scenarios import Action
from staged_resiliency.drills.runtime import network
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.durations import Timeouts
from staged_resiliency.drills.runtime.hosts import Endpoint, Host, Record
from staged_resiliency.drills.runtime.plan import Plan, Window
from staged_resiliency.experiment.expectations import AlarmFires, AlarmQuiet, ClientsMove
from staged_resiliency.experiment.observations import Observation, Source, of, transitions
from tests.fake_aws import plans
from tests.fake_aws.account import account
from tests.fake_aws.simulation import ApiError, SimulatedService, StartedExperiment
from tests.resiliency.rehearsal.support import Templates, plans_of
from tests.resiliency.rehearsal.waiting_runner import ENDED, FOLDER, STARTED

RUNNER = "tests.resiliency.rehearsal.waiting_runner"

ANY_TIME = Window(("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"), 0, 24, "UTC")

_DRILLS: Mapping[Action, Plan] = {
    Action.STOP: plans.SHUTDOWN,
    Action.BLACKHOLE: plans.BLACKHOLE,
}


@dataclass(frozen=True, slots=True)
class Drilled:
    """A rehearsal, and the drill that watched it.

    Attributes:
        rehearsal: What the rehearsal found.
        status: Of the drill's execution.
        journal: The drill's.
    """

    rehearsal: Outcome
    status: str
    journal: Mapping[str, Any]


class View:
    """The current state of a rehearsal.

    Args:
        running: The rehearsal, whose client can be reached.
    """

    def __init__(self, running: Running) -> None:
        assert running.client is not None
        assert running.clock is not None
        self.client: Settings = running.client
        self.clock: Clock = running.clock
        self._running = running
        self._resolver = StubResolver(self.client, self.clock)

    def resolve(self, name: str) -> Sequence[str]:
        """Addresses, as the rehearsal's client resolves them; an address is its own."""
        if name in self.client.places:
            return (name,)
        assert name == self.client.name
        try:
            return (asyncio.run(self._resolver.address()),)
        except OSError:
            return ()

    def ask(self, address: str, endpoint: Endpoint, host: str) -> str:
        """Ask the stand-in for an address, as the functions do."""
        listens, port = self.client.places[address]
        seconds = self.clock.real(network.DEADLINE_SECONDS)
        return network.ask(
            listens,
            replace(endpoint, port=port),
            host,
            seconds=max(LEAST_DEADLINE_SECONDS, seconds),
        )

    def answer(self) -> Sequence[str]:
        """What the DNS server answers now, whatever any resolver keeps."""
        query = dns.message.make_query(self.client.name, self.client.record_type)
        server, port = self.client.server
        try:
            found = dns.query.udp(query, server, LEAST_DEADLINE_SECONDS, port)
        except (dns.exception.DNSException, OSError) as error:
            raise ApiError("ServiceUnavailable", str(error)) from None
        assert found.rcode() == dns.rcode.NOERROR
        return [data.to_text() for rrset in found.answer for data in rrset]

    def alarm(self, name: str) -> Observation | None:
        """When an alarm came to its state; None before it was evaluated."""
        found = transitions(of(list(self._running.observations), Source.ALARM, name))
        return found[-1] if found else None

    def fault(self, value: str) -> float | None:
        """When the fault was injected, or ended; None before."""
        seen = of(list(self._running.observations), Source.FAULT)
        at = [each.at for each in seen if each.value == value]
        return self.moment(at[0]) if at else None

    def moment(self, stamp: float) -> float:
        """The moment of the service that a stamp of an observation is."""
        return self.clock.service + (stamp - self.clock.wall) * self.clock.scale

    def sleep(self, seconds: float) -> None:
        """Wait for seconds of the service."""
        time.sleep(self.clock.real(seconds))


class RehearsedService(SimulatedService):
    """The rehearsed service as AWS's APIs tell of it.

    Args:
        plan: The drill.
        view: What the rehearsal shows.
    """

    def __init__(self, plan: Plan, view: View) -> None:
        super().__init__(plan)
        self._view = view

    def StartExperiment(self, given: dict[str, Any]) -> Any:  # noqa: N802
        """Start the experiment, and let the rehearsal go on to its fault."""
        answer = super().StartExperiment(given)
        note(STARTED)
        return answer

    def status(self, each: StartedExperiment) -> str:
        """The experiment is the fault of the rehearsal, which can't be ended early."""
        if self.fault_ended_at is not None:
            return "completed" if each.stopped_at is None else "stopped"
        if each.stopped_at is not None:
            return "stopping"
        return "initiating" if self.fault_at is None else "running"

    def acting_since(self, each: StartedExperiment) -> float | None:
        """Since the rehearsal's fault began."""
        return self.fault_at

    def natural_end(self, each: StartedExperiment) -> float:
        """When the rehearsal's fault ended."""
        assert self.fault_ended_at is not None
        return self.fault_ended_at

    @property
    def fault_at(self) -> float | None:
        """When the rehearsal's fault began; None before."""
        return self._view.fault("injected")

    @property
    def fault_ended_at(self) -> float | None:
        """When the rehearsal's fault ended; None before."""
        return self._view.fault("ended")

    def addresses(self) -> tuple[str, ...]:
        """What the rehearsal's DNS server answers."""
        return tuple(self._view.answer())

    def alarm_state(self, name: str) -> tuple[str, float]:
        seen = self._view.alarm(name)
        if seen is None:
            return "INSUFFICIENT_DATA", self._view.clock.service
        return seen.value, self._view.moment(seen.at)


def note(name: str) -> None:
    """Let the rehearsal go on that waits for the drill."""
    Path(os.environ[FOLDER], name).touch()


def drill_of(deployment: Deployment, plan: rehearsed.Plan) -> Plan:
    """The drill that expects what a rehearsal expects."""
    drill, hypothesis = _DRILLS[plan.scenario.action], plan.hypothesis
    active, standby = (
        Host(each.name, each.instance_id, (each.address,), each.address)
        for each in deployment.hosts
    )
    # A rehearsal has its own limit for clients, a drill its objective.
    limits = [each.within_seconds or 0 for each in hypothesis if isinstance(each, ClientsMove)]
    objective_seconds = max([drill.objective_seconds, *limits])
    return replace(
        drill,
        service=deployment.service,
        environment=deployment.environment,
        active=active,
        standby=standby,
        target=plan.scenario.hosts[0].name,
        dependency=plan.scenario.dependency,
        record=Record(deployment.pair.name, drill.record.hosted_zone_id),
        endpoint=Endpoint("http", 80, deployment.path, "environment"),
        hypothesis=hypothesis,
        alarms=tuple(each.name for each in deployment.alarms),
        expected_alarms=tuple(each.alarm for each in hypothesis if isinstance(each, AlarmFires)),
        objective_seconds=objective_seconds,
        # Those of the host that the fault stops have no data meanwhile, so they guard nothing.
        guard_alarms=tuple(
            each.alarm
            for each in hypothesis
            if isinstance(each, AlarmQuiet) and each.alarm.startswith(standby.name)
        ),
        fault_seconds=600,
        # Functions that are late on a busy machine take minutes of the service.
        timeouts=replace(Timeouts.of(600, hypothesis, objective_seconds), steady=600, inject=1800),
        window=ANY_TIME,
    )


def drilled(templates: Templates, name: str, *, scale: float) -> Drilled:
    """Rehearse a scenario, and let a drill watch it.

    Args:
        templates: What is rehearsed.
        name: Name of the scenario.
        scale: Seconds of the service in one second here.
    """
    deployment = read_deployment(templates)
    (plan,) = plans_of(deployment, name, scale=scale)
    drill = drill_of(deployment, plan)
    with (
        account(drill) as made,
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setenv(FOLDER, folder)
        machine = made.machine(drill)
        executions: list[str] = []

        def watch(running: Running, observation: Observation | None) -> None:
            if executions and not made.is_running(executions[0]):
                note(STARTED)  # also where it was refused
                note(ENDED)
            if executions or running.client is None:
                return
            view = View(running)
            service = RehearsedService(drill, view)
            if any(service.alarm_state(each)[0] != "OK" for each in drill.alarms):
                return  # it has not begun to watch long enough ago
            made.service = service
            made.context = Context(
                aws=made.context.aws,
                resolve=view.resolve,
                ask=view.ask,
                clock=view.clock.now,
                sleep=view.sleep,
                log=made.context.log,
            )
            executions.append(made.start(machine))

        try:
            (outcome,) = asyncio.run(
                rehearse(
                    deployment,
                    [plan],
                    assumptions_for(deployment),
                    scale=scale,
                    watch=watch,
                    runner=RUNNER,
                )
            )
        except BaseException:
            for each in executions:
                made.stop(each)
            raise
        status = made.finish(executions[0])
        return Drilled(outcome, status, made.journal())
