"""What each scenario is expected to show: what the design is for, and what the model says.

What a design is for does not depend on the model. Clients must leave a host that stopped, and a
host whose endpoint or dependency decides when that fails; people must hear of it. So a template
whose alarms, health checks or records no longer do that fails, however well the model explains why.
Beyond that, times must be within the model's worst, and alarms that show nothing of a fault quiet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.faults import Effect, Fault
from resiliency.failover_model.graph import Alarm, AlarmCheck, EndpointCheck, Leaf, leaves
from resiliency.failover_model.simulation import Percentiles, Verdict
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.prediction import (
    Firing,
    effect_on,
    fault_of,
    firing_of,
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

OBJECTIVE_SECONDS: Final = 600.0
"""Within how long clients must leave a host, where nobody says otherwise."""

ALERT_SECONDS: Final = 300.0
"""Within how long people must hear of a failure that is measured."""

SILENCE_SECONDS: Final = 600.0
"""The same of silence, which CloudWatch takes some minutes to act on."""

SLACK_SECONDS: Final = 1.0
"""By how much processes on a busy machine may be late, in seconds here."""

CLIENT_SECONDS: Final = 5.0
"""By how much a client's view may be late: it asks each two seconds, and probes each ten."""

_STEPS_TO_A_MESSAGE: Final = 3
"""From an alarm to its message: published, queued and read, each of which may be late here."""

_LEAST_FAULT_SECONDS: Final = 300.0
_HEALTH_CHECKER_SECONDS: Final = 10.0
"""How much longer a health checker takes for an endpoint that hangs than for one that refuses."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation and where it comes from.

    Attributes:
        expectation: What is expected.
        why: What the design is for, or the model; in a few words.
        predicted: How long the model says it takes, None where it says nothing.
        heard_seconds: Within how long people must get a message of it; None where they need not.
    """

    expectation: Expectation
    why: str
    predicted: Percentiles | None = None
    heard_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario with what is expected of it.

    Attributes:
        scenario: What happens.
        expected: What is expected; at least one.
        notes: What people should know beside the verdict.
        predicted: How long the model says clients take to the standby, None where they don't move.
        steady_seconds: How long all is well before the fault.
        fault_seconds: How long the fault lasts at least.
        settled_seconds: How long is looked on once all is as expected.
    """

    scenario: Scenario
    expected: Sequence[Expected]
    notes: Sequence[str]
    predicted: Percentiles | None
    steady_seconds: float
    fault_seconds: float
    settled_seconds: float = 60.0

    @property
    def hypothesis(self) -> tuple[Expectation, ...]:
        """The expectations alone."""
        return tuple(each.expectation for each in self.expected)

    @property
    def messages(self) -> Mapping[str, float]:
        """The alarms of which people must get a message, and within how many seconds."""
        return {
            each.expectation.alarm: each.heard_seconds
            for each in self.expected
            if isinstance(each.expectation, AlarmFires) and each.heard_seconds is not None
        }


def plan_of(
    world: Deployment,
    scenario: Scenario,
    assumptions: Assumptions,
    failovers: Mapping[Fault, Verdict],
    *,
    scale: float,
    seed: int = 0,
) -> Plan:
    """What a scenario is expected to show.

    Args:
        world: What is rehearsed.
        scenario: What happens.
        assumptions: What no template tells.
        failovers: What the model says of clients.
        scale: Seconds of the service in one second here.
        seed: The same seed gives the same numbers.
    """
    verdict = failovers.get(fault_of(scenario))
    planner = _Planner(world, scenario, assumptions, scale, seed, world.objective_seconds, verdict)
    expected = [*planner.clients(), *planner.alarms()]
    moves = any(isinstance(each.expectation, ClientsMove) for each in expected)
    return Plan(
        scenario=scenario,
        expected=expected,
        notes=planner.notes,
        predicted=verdict.total if verdict is not None and moves else None,
        steady_seconds=_steady_seconds(world),
        fault_seconds=planner.fault_seconds(expected),
    )


def common_notes(plans: Sequence[Plan]) -> Sequence[str]:
    """What is noted of each of several scenarios, and so need be told but once."""
    if len(plans) < 2:
        return []
    return [note for note in plans[0].notes if all(note in plan.notes for plan in plans)]


@dataclass(slots=True)
class _Planner:
    world: Deployment
    scenario: Scenario
    assumptions: Assumptions
    scale: float
    seed: int
    objective: float | None
    verdict: Verdict | None
    notes: list[str] = field(default_factory=list)

    @property
    def slack(self) -> float:
        return SLACK_SECONDS * self.scale + CLIENT_SECONDS

    def clients(self) -> Iterator[Expected]:
        record, action = self.world.pair.name, self.scenario.action
        active, standby = self.world.active.name, self.world.standby.name
        if len(self.scenario.hosts) > 1:
            self.notes.append("nobody can be served while both hosts are down")
            yield self._back()
            return
        deciding = self._deciding()
        total = self.verdict.total if self.verdict is not None else None
        if action is Action.STOP or (deciding and action is not Action.KILL_PROBE):
            limit = self.objective or OBJECTIVE_SECONDS
            why = f"clients must leave within {limit:.0f} s"
            if total is not None and self._worst(total) < limit:
                limit, why = self._worst(total), "no later than the model's worst"
            yield Expected(ClientsMove(record, standby, limit), why, total)
            yield self._back()
            if total is None and self.verdict is not None:
                self.notes.append(f"the model expects no failover: {self.verdict.never}")
            return
        if total is not None:
            self.notes.append("clients are moved though they were served")
            worst = self._worst(total)
            yield Expected(ClientsMove(record, standby, worst), "the model's worst", total)
            yield self._back()
        else:
            yield Expected(ClientsStay(record, active), "no signal that decides shows it")
            never = self.verdict.never if self.verdict is not None else None
            if action is not Action.KILL_PROBE and never is not None:
                self.notes.append(f"nothing here would move clients: {never}")
        if action is not Action.HANG:
            yield Expected(ClientsServed(record), "the endpoint answers all the time")

    def alarms(self) -> Iterator[Expected]:
        alarms = self.world.graph.alarms
        elsewhere = [alarm.name for alarm in alarms if not self.world.is_measured(alarm)]
        if elsewhere:
            told = "not rehearsed, as what they watch comes from elsewhere"
            self.notes.append(f"{told}: {', '.join(elsewhere)}")
        for alarm in alarms:
            if not self.world.is_measured(alarm):
                continue
            shown = effect_on(self.world, self.scenario, alarm)
            if shown is Effect.NONE:
                yield Expected(AlarmQuiet(alarm.name), "its metric shows nothing of it")
                continue
            firing = self._firing(alarm)
            limit = SILENCE_SECONDS if shown is Effect.SILENT else ALERT_SECONDS
            why = f"people must hear of it within {limit:.0f} s"
            meant = self._must_tell(alarm)
            worst = None if firing.seconds is None else firing.seconds.worst + self.slack
            if firing.share == 1 and worst is not None and (worst < limit or not meant):
                limit, why = worst, "no later than the model's worst"
            elif not meant:
                if not firing.share:
                    yield Expected(AlarmQuiet(alarm.name), f"it {shown.value}, which is no alarm")
                    if self._is_about_it(alarm):
                        self.notes.append(f"{alarm.name} {shown.value}, so it tells nobody")
                continue
            # What has no topic is told of too: then no message ever arrives.
            heard = limit + _STEPS_TO_A_MESSAGE * self.slack if meant else None
            yield Expected(AlarmFires(alarm.name, limit), why, firing.seconds, heard)
            within = recovery_seconds(alarm, self.assumptions) + self.slack
            yield Expected(AlarmRecovers(alarm.name, within), "no later than the model's worst")

    def fault_seconds(self, expected: Sequence[Expected]) -> float:
        """Long enough for what must not happen, where nothing else takes time."""
        if any(isinstance(each.expectation, ClientsMove | AlarmFires) for each in expected):
            return 0.0
        spans = [
            (alarm.evaluation_periods + self.assumptions.extra_periods.high) * alarm.period_seconds
            for alarm in self.world.alarms
        ]
        return max([_LEAST_FAULT_SECONDS, *spans])

    def _back(self) -> Expected:
        within = return_seconds(self.world, self.assumptions) + self.slack
        back = ClientsReturn(self.world.pair.name, self.world.active.name, within)
        return Expected(back, "no later than the model's worst")

    def _worst(self, total: Percentiles) -> float:
        worst = total.worst + self.slack
        if self.scenario.action is Action.HANG:
            thresholds = [
                leaf.failure_threshold
                for leaf in self._deciding()
                if isinstance(leaf, EndpointCheck)
            ]
            later = max(thresholds, default=0) * _HEALTH_CHECKER_SECONDS
            worst += max(later, self.assumptions.probe_timeout.high)
        return worst

    def _deciding(self) -> Sequence[Leaf]:
        """The health checks of the primary that are there for this fault."""
        return [
            leaf
            for leaf in leaves(self.world.pair.primary.health_check)
            if self._is_meant_for_it(leaf)
        ]

    def _is_meant_for_it(self, leaf: Leaf) -> bool:
        if isinstance(leaf, EndpointCheck):
            return self.scenario.action is Action.HANG and _is_endpoint(leaf)
        name = leaf.alarm.metric.name
        if self.scenario.action is Action.HANG:
            return name == names.PEER_METRIC
        if self.scenario.action is Action.BLACKHOLE:
            return name == names.connectivity_metric(self.scenario.dependency or "")
        return False

    def _must_tell(self, alarm: Alarm) -> bool:
        """Whether an alarm is what people must hear of this fault by.

        Of several on a host's status those that the primary's health check follows, or else those
        that fire: others may be there to recover the host, not to tell of it.
        """
        if self.scenario.action is not Action.STOP or not self._is_about_it(alarm):
            return self._is_about_it(alarm)
        host = self.world.host_of(alarm)
        alike = [
            each
            for each in self.world.alarms
            if self._is_about_it(each) and self.world.host_of(each) == host
        ]
        followed = [
            leaf.alarm
            for leaf in leaves(self.world.pair.primary.health_check)
            if isinstance(leaf, AlarmCheck) and leaf.alarm in alike
        ]
        firing = [each for each in alike if self._firing(each).share]
        return alarm in (followed or firing or alike)

    def _firing(self, alarm: Alarm) -> Firing:
        shown = effect_on(self.world, self.scenario, alarm)
        return firing_of(alarm, shown, self.assumptions, self.seed)

    def _is_about_it(self, alarm: Alarm) -> bool:
        """Whether an alarm watches what breaks."""
        about = self.world.host_of(alarm)
        if about is None or about.name not in [host.name for host in self.scenario.hosts]:
            return False
        if self.scenario.action is Action.BLACKHOLE:
            return alarm.metric.name == names.connectivity_metric(self.scenario.dependency or "")
        if self.scenario.action is Action.KILL_PROBE:
            return alarm.metric.name == names.HEARTBEAT_METRIC
        if self.scenario.action is Action.STOP:
            return alarm.metric.namespace == "AWS/EC2"
        return alarm.metric.name == names.PEER_METRIC


def _is_endpoint(leaf: Leaf) -> bool:
    """Whether a hanging endpoint is unhealthy to it; one that only connects is satisfied."""
    return isinstance(leaf, EndpointCheck) and leaf.kind != "TCP"


def _steady_seconds(world: Deployment) -> float:
    """Long enough that each alarm has seen as many periods as it evaluates.

    And that clients would have been moved by now if what is there even without a fault moves them.
    """
    spans = [alarm.evaluation_periods * alarm.period_seconds for alarm in world.alarms]
    return max([120.0, *spans]) + 120.0
