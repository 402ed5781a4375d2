"""Words of messages and commands: durations, faults, and how to stop a run by hand."""

import shlex
from collections.abc import Mapping

from staged_resiliency.drills.runtime.fault_settings import FaultKind
from staged_resiliency.drills.runtime.origin_fault import SID_START, sid_of
from staged_resiliency.drills.runtime.plan import Plan


def duration(seconds: float) -> str:
    """Return a duration like ``45 s``, ``10 min`` or ``1 h 30 min``."""
    whole = round(seconds)
    if whole < 60 or (whole < 600 and whole % 60):
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return " ".join(
        f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min")) if number
    )


def describe_fault(plan: Plan) -> str:
    """Describe the fault of a drill: what it breaks, and for how long."""
    if plan.database is not None:
        usual = f"which takes up to {duration(plan.fault_seconds)} as a rule"
        return f"{plan.effect} ({plan.dependency}), {usual}"
    if plan.origin is not None:
        return f"{plan.effect} ({plan.dependency}), for up to {duration(plan.fault_seconds)}"
    role = "active" if plan.target == plan.active.name else "standby"
    effect = plan.effect.replace(plan.target, f"{plan.target} ({role})", 1)
    dependency = f" ({plan.dependency})" if plan.dependency else ""
    return f"{effect}{dependency} for {duration(plan.fault_seconds)}"


def stop_commands(plan: Plan, execution: str | None, experiment: str | None) -> Mapping[str, str]:
    """Map each command that stops a run by hand to its effect, the gentlest first.

    ``execution`` is its ARN, None before it is started; ``experiment`` None where it is not known.
    """
    region = f"--region {shlex.quote(plan.region)}"
    run = "EXECUTION_ARN" if execution is None else shlex.quote(execution)
    found = {
        f"aws stepfunctions stop-execution --execution-arn {run} {region}": "ends the run; the "
        "cleanup then ends the fault and records the verdict (aborted)"
    }
    ends = "ends the fault; the run then continues with its failback"
    if plan.origin is not None:
        bucket = shlex.quote(plan.origin.bucket)
        command = f"aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text"
        sid = f"{SID_START}..." if execution is None else sid_of(execution)
        found[command] = (
            f"shows the statement {sid}; to remove it from the policy ends the fault, as its own "
            f"condition does after {duration(plan.fault_seconds)}"
        )
    elif plan.gremlin is not None:
        found["halt the experiment in Gremlin's web application"] = ends
    else:
        identity = "EXPERIMENT_ID" if experiment is None else shlex.quote(experiment)
        if experiment is None:
            template = shlex.quote(plan.experiment_template_id)
            command = f"aws fis list-experiments --experiment-template-id {template} {region}"
            found[command] = "lists the ID of the experiment, for the next command"
        if plan.fault.runs_on_host:
            lasts = duration(plan.fault_seconds)
            ends = f"cancels the fault; the host itself ends it after {lasts} at the latest"
        if plan.database is not None:
            ends = "ends the experiment; a failover that has begun goes on, and can't be undone"
        found[f"aws fis stop-experiment --id {identity} {region}"] = ends
    if plan.fault is FaultKind.STOP_INSTANCE:
        instance = shlex.quote(plan.target_host.instance_id or "INSTANCE_ID")
        command = f"aws ec2 start-instances --instance-ids {instance} {region}"
        found[command] = "starts the host if it is still stopped"
    if plan.guarded_by_fis:
        lever = f"aws fis update-safety-lever-state --id default {region}"
        found[f"{lever} --state status=engaged,reason=REASON"] = (
            "safety lever: stops all experiments of the account and refuses new ones until "
            "disengaged"
        )
    return found
