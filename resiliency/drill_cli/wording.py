"""Descriptions of a drill: its actions, its expectations, and how to stop it by hand."""

import shlex
from collections.abc import Sequence

from resiliency.report import wording
from staged_resiliency.drills.runtime.origin_fault import SID_START
from staged_resiliency.drills.runtime.plan import FaultKind, Plan
from staged_resiliency.experiment.expectations import Expectation, describe


def duration(seconds: float) -> str:
    """Return a duration like ``45 s``, ``10 min`` or ``1 h 30 min``."""
    whole = round(seconds)
    if whole < 60 or (whole < 600 and whole % 60):
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return " ".join(
        f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min")) if number
    )


def fault(plan: Plan) -> str:
    """Describe the fault of a drill."""
    if plan.database is not None:
        usual = f"which takes up to {duration(plan.fault_seconds)} as a rule"
        return f"{plan.effect} ({plan.dependency}), {usual}"
    if plan.origin is not None:
        return f"{plan.effect} ({plan.dependency}), for up to {duration(plan.fault_seconds)}"
    effect = plan.effect.replace(plan.target, f"{plan.target} ({role(plan)})", 1)
    dependency = f" ({plan.dependency})" if plan.dependency else ""
    return f"{effect}{dependency} for {duration(plan.fault_seconds)}"


def role(plan: Plan) -> str:
    """Return whether the fault's target is the active or the standby host."""
    return "active" if plan.target == plan.active.name else "standby"


def dry_run(plan: Plan) -> str:
    """Return whether the drill is a dry run."""
    return "no" if plan.enabled else "yes: injects no fault"


def expectation(expected: Expectation, plan: Plan) -> str:
    """Describe an expectation of a drill, with its time limit."""
    return f"{describe(expected)}, {wording.bound(expected, plan.objective_seconds)}"


def stop_commands(
    plan: Plan, execution: str | None, experiment: str | None
) -> Sequence[tuple[str, str]]:
    """Return the commands that stop a run by hand, the gentlest first, each with its effect.

    ``execution`` is its ARN, None before it is started; ``experiment`` None where it is not known.
    """
    region = f"--region {shlex.quote(plan.region)}"
    run = "EXECUTION_ARN" if execution is None else shlex.quote(execution)
    found = [
        (
            f"aws stepfunctions stop-execution --execution-arn {run} {region}",
            "ends the run; the cleanup then ends the fault and records the verdict (aborted)",
        )
    ]
    if plan.guarded_by_fis:
        found += _stop_experiment(plan, experiment, region)
    elif plan.origin is not None:
        bucket = shlex.quote(plan.origin.bucket)
        found.append(
            (
                f"aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text",
                f"shows the statement whose Sid begins with {SID_START}; to remove it from the "
                "policy ends the fault, as its own time limit does",
            )
        )
    else:
        found.append(
            (
                "halt the experiment in Gremlin's web application",
                "ends the fault; the run then continues with its failback",
            )
        )
    if plan.fault is FaultKind.STOP_INSTANCE:
        instance = shlex.quote(plan.target_host.instance_id or "INSTANCE_ID")
        found.append(
            (
                f"aws ec2 start-instances --instance-ids {instance} {region}",
                "starts the host if it is still stopped",
            )
        )
    if plan.guarded_by_fis:
        found.append(
            (
                f"aws fis update-safety-lever-state --id default {region} "
                "--state status=engaged,reason=REASON",
                "safety lever: stops all experiments of the account and refuses new ones until "
                "disengaged",
            )
        )
    return found


def _stop_experiment(plan: Plan, experiment: str | None, region: str) -> list[tuple[str, str]]:
    found = []
    if experiment is None:
        template = shlex.quote(plan.experiment_template_id)
        found.append(
            (
                f"aws fis list-experiments --experiment-template-id {template} {region}",
                "lists the ID of the experiment, for the next command",
            )
        )
    identity = "EXPERIMENT_ID" if experiment is None else shlex.quote(experiment)
    ends = "ends the fault; the run then continues with its failback"
    if plan.fault.runs_on_host:
        ends = (
            "cancels the fault; the host itself ends it after "
            f"{duration(plan.fault_seconds)} at the latest"
        )
    if plan.database is not None:
        ends = "ends the experiment; a failover that has begun goes on, and can't be undone"
    found.append((f"aws fis stop-experiment --id {identity} {region}", ends))
    return found
