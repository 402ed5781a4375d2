"""Judges a scenario that is over, and writes its journal."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Final

from resiliency.rehearsal.client_process import Settings
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.expectations import Plan
from staged_resiliency.experiment.expectations import AlarmFires
from staged_resiliency.experiment.journal import (
    Phase,
    RunInfo,
    RunResult,
    journal_json,
    journal_of,
)
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.experiment.measures import measure
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source, of
from staged_resiliency.experiment.verdict import ALARM, OK, Run, Status, Verdict, judge

_CLIENT_LATE_SECONDS: Final = 3.0
"""How long a busy machine may keep the client from requesting anything, in seconds here."""


@dataclass(slots=True)
class Running:
    """One scenario while it runs.

    The last phase may not have ended. ``run`` is None until all is over; ``client``, how a client
    reaches the service, and ``clock`` are None until it has started.
    """

    plan: Plan
    observations: list[Observation] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    run: Run | None = None
    client: Settings | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a scenario; ``extra_failures`` are failures that concern no expectation."""

    plan: Plan
    run: Run
    observations: Sequence[Observation]
    verdict: Verdict
    journal: JsonObject
    extra_failures: Sequence[str] = ()


def judged(deployment: Deployment, running: Running, seed: int) -> Outcome:
    """Judge a scenario that is over."""
    plan, run = running.plan, running.run
    assert run is not None  # noqa: S101 - it is over
    extra_failures = _extra_failures(deployment, running, run)
    verdict = _judged(running, run, extra_failures)
    began = datetime.fromtimestamp(running.phases[0].began_at, timezone.utc)
    scenario, predicted = plan.scenario, plan.predicted
    # A name may have a pair for each type of addresses.
    experiment = scenario.name + ("" if deployment.address_type == "A" else "-ipv6")
    info = RunInfo(
        kind="rehearsal",
        run_id=f"{deployment.service}-{experiment}-{began:%Y%m%dT%H%M%SZ}-{seed}",
        service=deployment.service,
        environment=deployment.environment,
        experiment=experiment,
        fault=scenario.action.value,
        host=scenario.hosts[0].name,
        dependency=scenario.dependency,
        record=deployment.pair.name,
        active=deployment.active.name,
        standby=deployment.standby.name,
        objective_seconds=deployment.objective_seconds,
    )
    result = RunResult(
        run=run,
        hypothesis=plan.hypothesis,
        verdict=verdict,
        measures=measure(
            running.observations, run, record=deployment.pair.name, active=deployment.active.name
        ),
        phases=running.phases,
        observations=running.observations,
        predicted={} if predicted is None else asdict(predicted),
    )
    return Outcome(
        plan,
        run,
        running.observations,
        verdict,
        journal_json(journal_of(info, result)),
        extra_failures,
    )


def _judged(running: Running, run: Run, extra_failures: Sequence[str]) -> Verdict:
    """Return the verdict; failures that no expectation covers come first."""
    plan = running.plan
    verdict = judge(plan.hypothesis, running.observations, run, plan.not_covered)
    if not extra_failures:
        return verdict
    failed = [verdict.message] if verdict.status is Status.FAILED else []
    return Verdict(Status.FAILED, "; ".join([*extra_failures, *failed]), verdict.judgements)


def _extra_failures(deployment: Deployment, running: Running, run: Run) -> Sequence[str]:
    """List the failures that no expectation covers.

    A fault shows nothing if all was not well before it. Messages are judged here and not as
    expectations of the journal, as no drill sees them arrive.
    """
    minute = max(60 / run.time_scale, _CLIENT_LATE_SECONDS)
    # A request just before the fault may have been hit by it.
    before = [
        each
        for each in of(running.observations, Source.CLIENT, deployment.pair.name)
        if run.injected_at - minute <= each.at < run.injected_at and each.value != NO_ANSWER
    ]
    served_by = before[-1].value if before else "nobody"
    failures = []
    if served_by != deployment.active.name:
        failures.append(
            f"before the fault clients were served by {served_by}, not {deployment.active.name}"
        )
    return [*failures, *_missing_notifications(deployment, running, run)]


def _missing_notifications(deployment: Deployment, running: Running, run: Run) -> Iterator[str]:
    """Yield why a message did not arrive in time, for each that must."""
    for expected, within in running.plan.messages:
        alarm, fires = expected.alarm, isinstance(expected, AlarmFires)
        state, since = (ALARM, run.injected_at) if fires else (OK, run.ended_at)
        if not deployment.actions.get(alarm, {}).get(state):
            when = "when it fires" if fires else "when it recovers"
            yield f"nobody is notified of {alarm}: it has no topic as an action {when}"
            continue
        arrived = [
            each.at
            for each in of(running.observations, Source.MESSAGE, alarm)
            if each.value == state and since is not None and each.at >= since
        ]
        seconds = (min(arrived) - (since or 0)) * run.time_scale if arrived else None
        if seconds is None or seconds > within:
            arrival = "none came" if seconds is None else f"it came after {seconds:.0f} s"
            of_what = alarm if fires else f"{alarm} ({OK})"
            yield f"a message of {of_what}: not within {within:.0f} s ({arrival})"
    if running.plan.moves and not any(
        isinstance(expected, AlarmFires) for expected, _ in running.plan.messages
    ):
        yield (
            f"clients are sent to {deployment.standby.name} and nobody is notified: no alarm "
            "watches what decides it; add one on the metric HealthCheckStatus of the primary "
            "record's health check, in us-east-1"
        )
