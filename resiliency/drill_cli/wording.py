"""A drill in words: what it does, what is expected of it, how it is stopped by hand."""

import shlex
from collections.abc import Sequence

from resiliency.report import wording
from staged_resiliency.drills.runtime.plan import FaultKind, Plan
from staged_resiliency.experiment.expectations import Expectation, describe


def duration(seconds: float) -> str:
    """A duration as people say it: ``45 s``, ``10 min``, ``1 h 30 min``."""
    whole = round(seconds)
    if whole < 60 or (whole < 600 and whole % 60):
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return " ".join(
        f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min")) if number
    )


def fault(plan: Plan) -> str:
    """What a drill does."""
    lasts = duration(plan.fault_seconds)
    if plan.fault is FaultKind.STOP_INSTANCE:
        return f"stops {plan.broken} ({role(plan)}) for {lasts}"
    return (
        f"drops what {plan.broken} ({role(plan)}) sends to port {plan.port} "
        f"({plan.dependency}) for {lasts}"
    )


def role(plan: Plan) -> str:
    """The part of the host that is broken."""
    return "active" if plan.broken == plan.active.name else "standby"


def leash(plan: Plan) -> str:
    """Whether the drill injects its fault."""
    return "no" if plan.enabled else "yes: injects nothing"


def expectation(expected: Expectation) -> str:
    """An expectation with its bound."""
    return f"{describe(expected)}, {wording.bound(expected)}"


def by_hand(plan: Plan, execution: str | None, experiment: str | None) -> Sequence[tuple[str, str]]:
    """How to stop a run by hand, from the gentlest way on: commands, and what each does.

    Args:
        plan: The drill.
        execution: ARN of the run; None before there is one.
        experiment: Id of its FIS experiment; None where it is not known.
    """
    region = f"--region {shlex.quote(plan.region)}"
    run = "EXECUTION_ARN" if execution is None else shlex.quote(execution)
    found = [
        (
            f"aws stepfunctions stop-execution --execution-arn {run} {region}",
            "ends the run; the sweep then ends the fault and records the verdict (aborted)",
        )
    ]
    if experiment is None:
        template = shlex.quote(plan.experiment_template_id)
        found.append(
            (
                f"aws fis list-experiments --experiment-template-id {template} {region}",
                "tells the id of the experiment, for the next one",
            )
        )
    identity = "EXPERIMENT_ID" if experiment is None else shlex.quote(experiment)
    ends = "ends the fault itself; the run notices, and goes on to failback"
    if plan.fault is FaultKind.BLACKHOLE:
        ends = (
            "cancels the fault; the host lets the port go after "
            f"{duration(plan.fault_seconds)} at the latest, by itself"
        )
    found.append((f"aws fis stop-experiment --id {identity} {region}", ends))
    if plan.fault is FaultKind.STOP_INSTANCE:
        instance = shlex.quote(plan.broken_host.instance_id or "INSTANCE_ID")
        found.append(
            (
                f"aws ec2 start-instances --instance-ids {instance} {region}",
                "starts the host, should it still be stopped",
            )
        )
    return found
