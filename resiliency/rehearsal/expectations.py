"""The expectations of each scenario: what a failover is for, and what the model predicts.

The purpose does not depend on the model. Clients must leave a host that stopped, and a host whose
endpoint or dependency decides when that fails; people must be notified. So a template whose alarms,
health checks or records no longer achieve that fails, however well the model explains why. Beyond
that, times must be within the model's worst case, and alarms unaffected by a fault must stay quiet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Effect, Fault
from resiliency.failover_model.graph import (
    Alarm,
    BasicHealthCheck,
    EndpointCheck,
)
from resiliency.failover_model.health_check_timeline import RESPONSE_SECONDS
from resiliency.failover_model.metric_stream import DATABASE_FAILOVER_SECONDS
from resiliency.failover_model.simulation import Percentiles, Verdict
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.endpoint_checker import LEAST_DEADLINE_SECONDS
from resiliency.rehearsal.prediction import (
    Firing,
    effect_on,
    fault_of,
    is_hidden,
    predict_firing,
    recovery_seconds,
    return_seconds,
)
from resiliency.rehearsal.scenarios import Action, Scenario
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
    Expectation,
)
from staged_resiliency.shared import names
from staged_resiliency.shared.time_limits import MINUTE

OBJECTIVE_SECONDS: Final = 600.0
"""Time for clients to leave a host, where there is no objective."""

ALERT_SECONDS: Final = 300.0
"""Time to notify people of a failure that is measured."""

SILENCE_SECONDS: Final = 720.0
"""Time to notify people of silence, on which CloudWatch acts only after some minutes."""

SLACK_SECONDS: Final = 1.0
"""Delay of processes on a busy machine, in seconds here."""

CLIENT_SECONDS: Final = 5.0
"""Delay of a client's view: it sends a request each two seconds, and probes each ten."""

SETTLED_SECONDS: Final = 60.0
"""How long a run goes on once all is as expected."""

_STEPS_TO_A_MESSAGE: Final = 3
"""From an alarm to its message: published, queued and read, each of which may be delayed."""

_LEAST_FAULT_SECONDS: Final = 300.0

_OF_DEPENDENCIES: Final = (Action.BLACKHOLE, Action.HANG_DEPENDENCY)
_HARMLESS: Final = (Action.KILL_PROBE, Action.DEGRADE, Action.LOSE_SECONDARY)
_LOST: Final = (Action.STOP, Action.LOSE_PRIMARY)
_DATABASE_SECONDS: Final = DATABASE_FAILOVER_SECONDS.high


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation, with the model's prediction and why the design does not meet it, if so.

    Attributes:
        predicted: The time that the model predicts, None where it predicts none.
        message_seconds: Time until people must get a message of it; None where they need not.
            Counted from the fault for an alarm that fires, from its end for one that recovers.
        not_covered: Why the design does not meet it, and the change that would; None where it
            must be met.
    """

    expectation: Expectation
    predicted: Percentiles | None = None
    message_seconds: float | None = None
    not_covered: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario with what is expected of it.

    Attributes:
        notes: What people should know apart from the verdict.
        predicted: The predicted time until clients reach the standby, None where they don't move.
        steady_seconds: How long all is well before the fault.
        fault_seconds: How long the fault lasts at least; a failover of a database just so long.
        settled_seconds: How long the run goes on once all is as expected.
    """

    scenario: Scenario
    expected: Sequence[Expected]
    notes: Sequence[str]
    predicted: Percentiles | None
    steady_seconds: float
    fault_seconds: float
    settled_seconds: float = SETTLED_SECONDS

    @property
    def hypothesis(self) -> tuple[Expectation, ...]:
        """The expectations alone."""
        return tuple(each.expectation for each in self.expected)

    @property
    def not_covered(self) -> Mapping[Expectation, str]:
        """The expectations that the design does not meet, each with a change that would."""
        return {
            each.expectation: each.not_covered
            for each in self.expected
            if each.not_covered is not None
        }

    @property
    def messages(self) -> Sequence[tuple[AlarmFires | AlarmRecovers, float]]:
        """The changes of alarms that must send a message, each with the seconds allowed."""
        return [
            (each.expectation, each.message_seconds)
            for each in self.expected
            if isinstance(each.expectation, AlarmFires | AlarmRecovers)
            and each.message_seconds is not None
        ]

    @property
    def moves(self) -> bool:
        """Whether clients are expected to move to the standby."""
        return any(isinstance(each.expectation, ClientsMove) for each in self.expected)


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run of one scenario, which ends once all that is expected of it is decided.

    Attributes:
        assumptions: Ranges from which delays are drawn.
        scale: Seconds of the service in one second here.
        folder: An empty folder for files of the run; who starts the run removes it.
    """

    deployment: Deployment
    plan: Plan
    assumptions: Assumptions
    seed: int
    scale: float
    folder: Path


def plan_of(
    deployment: Deployment,
    scenario: Scenario,
    assumptions: Assumptions,
    failovers: Mapping[Fault, Verdict],
    *,
    scale: float,
    seed: int = 0,
) -> Plan:
    """Derive the expectations of a scenario."""
    hidden = is_hidden(deployment, scenario)
    verdict = None if hidden else failovers.get(fault_of(scenario))
    planner = _Planner(deployment, scenario, assumptions, scale, seed, hidden, verdict)
    clients = list(planner.clients())
    expected = [*clients, *planner.alarms(), *planner.failover_alarms(clients)]
    moves = any(isinstance(each.expectation, ClientsMove) for each in expected)
    # What fires after a short fault is waited for.
    late = [
        each.expectation.within_seconds
        for each in expected
        if scenario.action is Action.FAIL_OVER and isinstance(each.expectation, AlarmRecovers)
    ]
    return Plan(
        scenario=scenario,
        expected=expected,
        notes=planner.notes,
        predicted=verdict.total if verdict is not None and moves else None,
        steady_seconds=_steady_seconds(deployment),
        fault_seconds=planner.fault_seconds(expected),
        settled_seconds=max([SETTLED_SECONDS, *late]),
    )


def common_notes(plans: Sequence[Plan]) -> Sequence[str]:
    """Return the notes that several scenarios have in common, to be printed once."""
    if len(plans) < 2:
        return []
    return [note for note in plans[0].notes if all(note in plan.notes for plan in plans)]


@dataclass(slots=True)
class _Planner:
    deployment: Deployment
    scenario: Scenario
    assumptions: Assumptions
    scale: float
    seed: int
    hidden: bool
    verdict: Verdict | None
    notes: list[str] = field(default_factory=list)

    @property
    def slack(self) -> float:
        return SLACK_SECONDS * self.scale + CLIENT_SECONDS

    @property
    def _never(self) -> str | None:
        return self.verdict.never if self.verdict is not None else None

    def clients(self) -> Iterator[Expected]:
        if self.hidden:
            self.notes.append(
                f"{self.scenario.dependency} is checked by tcp alone, and the system accepts "
                "connections for a server that hangs; let the check request an answer "
                "(check.protocol)"
            )
        record, action = self.deployment.pair.name, self.scenario.action
        active, standby = self.deployment.active.name, self.deployment.standby.name
        if action is Action.FAIL_OVER:
            yield from self._of_database(record, active, standby)
            return
        if len(self.scenario.hosts) > 1:
            never = "both hosts are down, and no change of a pair covers that"
            yield Expected(ClientsServed(record), not_covered=never)
            yield self._back()
            return
        deciding = self._deciding()
        total = self.verdict.total if self.verdict is not None else None
        if action in _LOST or (deciding and action not in _HARMLESS):
            limit = self.deployment.objective_seconds or OBJECTIVE_SECONDS
            if total is not None:
                limit = min(limit, self._worst(total))
            yield Expected(ClientsMove(record, standby, limit), total)
            yield self._back()
            if total is None and self.verdict is not None:
                self.notes.append(f"the model expects no failover: {self.verdict.never}")
            return
        if total is not None:
            if action is not Action.HANG:
                self.notes.append("clients are moved though they were served")
            yield Expected(ClientsMove(record, standby, self._worst(total)), total)
            yield self._back()
        else:
            if not self._connecting():
                yield Expected(ClientsStay(record, active))
            if action in _OF_DEPENDENCIES and self._never is not None:
                self.notes.append(
                    f"clients are not moved ({self._never}), and only {self.deployment.path} is "
                    f"requested here; if the service fails without {self.scenario.dependency}, "
                    f"{self._change()}"
                )
        not_covered = self._not_covered()
        if action is not Action.HANG or not_covered is not None:
            yield Expected(ClientsServed(record), not_covered=not_covered)

    def _of_database(self, record: str, active: str, standby: str) -> Iterator[Expected]:
        """Yield that nobody moves: both hosts lose the database, and have it back by themselves."""
        verdict, not_covered = self.verdict, None
        if verdict is not None and verdict.moved:
            not_covered = (
                f"{verdict.moved} of {verdict.outages} simulated failovers of the database send "
                f"clients to {standby}, which loses it too; to cover it, remove "
                f"{self.scenario.dependency} from failover_on, or let its alarm wait longer "
                "(evaluation_periods)"
            )
        yield Expected(ClientsStay(record, active), not_covered=not_covered)
        yield Expected(ClientsServed(record))

    def alarms(self) -> Iterator[Expected]:
        alarms = self.deployment.graph.alarms
        elsewhere = [alarm.name for alarm in alarms if not self.deployment.is_measured(alarm)]
        if elsewhere:
            self.notes.append(
                f"not rehearsed, as their metrics come from elsewhere: {', '.join(elsewhere)}"
            )
        for alarm in alarms:
            if alarm.name in (*elsewhere, *self.deployment.failover_alarms):
                continue
            effect = effect_on(self.deployment, self.scenario, alarm)
            if self._is_about_it(alarm) and alarm.connects_only:
                self.notes.append(f"{alarm.name}: a peer that only connects may not find it")
                continue
            if effect is Effect.NONE and not (self.hidden and self._is_about_it(alarm)):
                yield Expected(AlarmQuiet(alarm.name))
                continue
            recovers = AlarmRecovers(
                alarm.name, recovery_seconds(alarm, self.assumptions) + self.slack
            )
            if effect is Effect.INTERRUPTED:  # it may fire, or not
                yield Expected(recovers)
                continue
            firing = self._firing(alarm)
            limit = SILENCE_SECONDS if effect is Effect.SILENT else ALERT_SECONDS
            meant = self._must_notify(alarm)
            worst = None if firing.seconds is None else firing.seconds.worst + self.slack
            if firing.share == 1 and worst is not None and (worst < limit or not meant):
                limit = worst
            elif not meant:
                if not firing.share:
                    yield Expected(AlarmQuiet(alarm.name))
                    if self._is_about_it(alarm):
                        self.notes.append(f"{alarm.name} {effect.value}, so it notifies nobody")
                continue
            # An alarm without a topic is included: then no message ever arrives.
            message_seconds = limit + _STEPS_TO_A_MESSAGE * self.slack if meant else None
            yield Expected(AlarmFires(alarm.name, limit), firing.seconds, message_seconds)
            yield Expected(recovers)

    def failover_alarms(self, clients: Sequence[Expected]) -> Iterator[Expected]:
        """Yield the expectations of the alarms that fire while clients are sent to the standby."""
        # The minute of a health check's change, its publication and an evaluation.
        until_message = (
            MINUTE
            + self.assumptions.health_metric_delay.high
            + self.assumptions.evaluation_interval.high
        )
        limits = {type(each.expectation): each.expectation for each in clients}
        moves, back = limits.get(ClientsMove), limits.get(ClientsReturn)
        for name in sorted(self.deployment.failover_alarms):
            if any(
                each.not_covered and isinstance(each.expectation, ClientsStay) for each in clients
            ):
                continue  # clients may or may not be sent there
            if not isinstance(back, ClientsReturn):
                yield Expected(AlarmQuiet(name))
                continue
            predicted = self.verdict.message if self.verdict is not None else None
            if isinstance(moves, ClientsMove) and moves.within_seconds is not None:
                within = moves.within_seconds
            elif (both_down := self._both_down_within()) is not None:
                within, predicted = both_down, None
            else:
                continue  # both hosts are down, and nothing shows it
            for expectation, seconds in (
                (AlarmFires(name, within + until_message), predicted),
                (AlarmRecovers(name, back.within_seconds + until_message), None),
            ):
                message = expectation.within_seconds + _STEPS_TO_A_MESSAGE * self.slack
                yield Expected(expectation, seconds, message)

    def _both_down_within(self) -> float | None:
        """Return within how many seconds the primary's host counts as down when both are.

        The model's faults are of one host, while here no peer observes the other. An endpoint that
        decides is sooner than the alarms.
        """
        times = [
            firing.seconds.worst
            for alarm in self.deployment.pair.primary.alarms
            if (firing := self._firing(alarm)).share == 1 and firing.seconds is not None
        ]
        if not times:
            return None
        return min(times) + self.assumptions.health_check_uptake.high + self.slack

    def fault_seconds(self, expected: Sequence[Expected]) -> float:
        """Return how long a fault must last to show that nothing happens that must not happen."""
        if self.scenario.action is Action.FAIL_OVER:
            return _DATABASE_SECONDS
        if any(isinstance(each.expectation, ClientsMove | AlarmFires) for each in expected):
            return 0.0
        windows = [
            (alarm.evaluation_periods + self.assumptions.periods_beyond(alarm.period_seconds).high)
            * alarm.period_seconds
            for alarm in self.deployment.alarms
        ]
        return max([_LEAST_FAULT_SECONDS, *windows])

    def _back(self) -> Expected:
        within = return_seconds(self.deployment, self.assumptions) + self.slack
        return Expected(
            ClientsReturn(self.deployment.pair.name, self.deployment.active.name, within)
        )

    def _not_covered(self) -> str | None:
        """Return why clients are not moved from a host that does not serve, and the change."""
        if self.scenario.action in _HARMLESS or self._never is None:
            return None
        return f"{self._never}; {self._change()}"

    def _change(self) -> str:
        """Return the change of a service file that would cover the fault."""
        if self.scenario.action in _OF_DEPENDENCIES:
            return f"to cover it, add {self.scenario.dependency} to failover_on"
        if self._connecting():
            return "to cover it, let the check request a response (endpoint.check.protocol: http)"
        return "to cover it, add endpoint or peer to failover_on"

    def _connecting(self) -> Sequence[BasicHealthCheck]:
        """Return the deciding checks that only connect to an endpoint that hangs.

        The system accepts connections until a queue is full, which depends on the service and its
        clients: so they may or may not find it unhealthy, sooner or later.
        """
        if self.scenario.action is not Action.HANG:
            return []
        return [check for check in self.deployment.pair.primary.checks if check.connects_only]

    def _worst(self, total: Percentiles) -> float:
        worst = total.worst + self.slack
        if self.scenario.action is Action.HANG:
            thresholds = [
                check.failure_threshold
                for check in self._deciding()
                if isinstance(check, EndpointCheck)
            ]
            # On a busy machine a health checker waits longer than Route 53's does.
            later = max(0.0, LEAST_DEADLINE_SECONDS * self.scale - RESPONSE_SECONDS)
            worst += max(thresholds, default=0) * later
        return worst

    def _deciding(self) -> Sequence[BasicHealthCheck]:
        """Return the primary's health checks that are meant to detect this fault."""
        return [
            check for check in self.deployment.pair.primary.checks if self._is_meant_for_it(check)
        ]

    def _is_meant_for_it(self, check: BasicHealthCheck) -> bool:
        if isinstance(check, EndpointCheck):
            # One that only connects does not find a hanging endpoint unhealthy.
            return self.scenario.action is Action.HANG and not check.connects_only
        name = check.alarm.metric.name
        if self.scenario.action is Action.HANG:
            return name == names.PEER_METRIC and not check.connects_only
        if self.scenario.action in _OF_DEPENDENCIES:
            return name == names.connectivity_metric(self.scenario.dependency or "")
        return False

    def _must_notify(self, alarm: Alarm) -> bool:
        """Whether people must be notified of this fault by an alarm.

        Of several alarms on a host's status these are the ones that the primary's health check
        follows, or else those that fire: others may recover the host and notify nobody.
        """
        if self.scenario.action is not Action.STOP or not self._is_about_it(alarm):
            return self._is_about_it(alarm)
        host = self.deployment.host_of(alarm)
        alike = [
            each
            for each in self.deployment.alarms
            if self._is_about_it(each) and self.deployment.host_of(each) == host
        ]
        followed = [each for each in self.deployment.pair.primary.alarms if each in alike]
        firing = [each for each in alike if self._firing(each).share]
        return alarm in (followed or firing or alike)

    def _firing(self, alarm: Alarm) -> Firing:
        effect = effect_on(self.deployment, self.scenario, alarm)
        return predict_firing(alarm, effect, self.assumptions, self.seed)

    def _is_about_it(self, alarm: Alarm) -> bool:
        """Whether an alarm watches the part that breaks."""
        about = self.deployment.host_of(alarm)
        if about is None or about.name not in [host.name for host in self.scenario.hosts]:
            return False
        if self.scenario.action in _OF_DEPENDENCIES:
            return alarm.metric.name == names.connectivity_metric(self.scenario.dependency or "")
        if self.scenario.action is Action.KILL_PROBE:
            return alarm.metric.name == names.HEARTBEAT_METRIC
        if self.scenario.action is Action.STOP:
            return alarm.metric.namespace == "AWS/EC2"
        return alarm.metric.name == names.PEER_METRIC


def _steady_seconds(deployment: Deployment) -> float:
    """Return a time long enough for each alarm to evaluate all its periods.

    And for clients to have moved by then if they move even without a fault.
    """
    windows = [alarm.evaluation_periods * alarm.period_seconds for alarm in deployment.alarms]
    return max([120.0, *windows]) + 120.0
