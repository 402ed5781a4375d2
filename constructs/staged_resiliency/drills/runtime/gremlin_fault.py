"""The fault of a run that Gremlin injects: starts its attack, and ends it even if the run failed.

Gremlin knows no token by which it recognizes a repeated request. So a run writes down that it
requests its attack before it does, and requests none a second time: where the answer is lost it
looks for the attack, by the annotation that names the run.

A network attack ends by itself after its length, even where Gremlin can't be reached. A shutdown
has no end: the instance is started here, as soon as the fault is to end. Gremlin's agent stops with
the host, so EC2 shows whether the fault is in effect, not the state of the attack.
"""

import json
from collections.abc import Sequence
from typing import Final

from staged_resiliency.drills.runtime import fault, gremlin
from staged_resiliency.drills.runtime.client_view import require_guards
from staged_resiliency.drills.runtime.context import AwsError, Context, NotStartedError
from staged_resiliency.drills.runtime.ending import Ending, FaultToEnd
from staged_resiliency.drills.runtime.fault import FaultEndStatus
from staged_resiliency.drills.runtime.fault_settings import FaultKind, GremlinAttack
from staged_resiliency.drills.runtime.fis import Experiment
from staged_resiliency.drills.runtime.gremlin import Attack, GremlinError
from staged_resiliency.drills.runtime.hosts import Host
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.store import (
    Store,
    attack_refused_key,
    attack_requested_key,
)

SHUTDOWN_DELAY_SECONDS: Final = 60.0
"""How long the agent waits before it shuts its host down: Gremlin's default."""

SHUTDOWN_SETTLE_SECONDS: Final = 180.0
"""How long after that an instance that still runs may yet stop, *assumed*."""

INSTANCE_TAG: Final = "instance-id"
"""The tag that Gremlin's agent gives itself on EC2:
https://www.gremlin.com/docs/fault-injection-targets"""

_DOWN: Final = ("stopping", "stopped")
# The agent is gone since its host shut down; Gremlin may report either.
_SHUT_DOWN: Final = (gremlin.SUCCESSFUL, "LostCommunication")
_MAY_REMAIN: Final = ("TeardownFailed", "HaltFailed")
_NEVER_RAN: Final = ("InvalidArgument", "TargetNotFound", "InitializationFailed")
_SHUTDOWN_BEHAVIOR: Final = "instanceInitiatedShutdownBehavior"


def experiments_of_run(plan: Plan, execution: str, context: Context) -> Sequence[str]:
    """Return the IDs of the attacks that a run started, in whatever state they are."""
    return [each.id for each in gremlin.of_run(_attack_of(plan.ending), execution, context)]


def start_experiment(plan: Plan, execution: str, context: Context) -> Experiment:
    """Start the attack of a run, at most once.

    Raises:
        NotStartedError: It was not started: a guard is not OK, the host does not have exactly one
            client, or Gremlin refuses.
        AwsError: Whether it was started is unknown.
    """
    attack = _attack_of(plan.ending)
    require_guards(plan, context)
    target, reason = find_client(attack, plan.target_host, context)
    if reason:
        raise NotStartedError(reason)
    store, run = Store(context.aws, plan.journal_bucket), _run_name(execution)
    request = json.dumps({"at": context.clock(), "client": target})
    if not store.put_new(attack_requested_key(plan.drill, run), request):
        raise GremlinError("Unknown", "the attack was requested before, and is not found")
    try:
        identity = gremlin.create(attack, target, execution, context)
    except GremlinError as error:
        if not error.refused:
            raise
        store.put_new(attack_refused_key(plan.drill, run), "{}")
        raise NotStartedError(str(error)) from None
    try:
        found = gremlin.get(attack, identity, context)
        if found.targets and list(found.targets) != [target]:
            others = _listed(found.targets)
            context.log("the attack has other targets", attack=identity, targets=others)
            gremlin.halt(attack, identity, context)
    except AwsError as error:
        context.log("Gremlin can't be asked", attack=identity, error=str(error))
        return Experiment(identity, "pending", "", None, None)
    return _experiment(plan.ending, found, context)


def get_experiment(plan: Ending, identity: str, context: Context) -> Experiment:
    """Return the current state of an attack, in the words of AWS FIS."""
    return _experiment(plan, gremlin.get(_attack_of(plan), identity, context), context)


def aim_of_dry_run(plan: Plan, context: Context) -> tuple[str, str]:
    """Describe the target of a dry run's attack, and why no target was found, if so."""
    target, reason = find_client(_attack_of(plan.ending), plan.target_host, context)
    return reason or f"aimed at {target} on {plan.target_host.instance_id}", reason


def refusals(plan: Plan, execution: str, context: Context) -> list[str]:
    """Return why the attack must not start, such as a host that would not come back."""
    attack = _attack_of(plan.ending)
    try:
        _, reason = find_client(attack, plan.target_host, context)
        found = [reason] if reason else []
        found += [
            f"attack {each} of Gremlin is still running on a host of the service"
            for each in _other_active_attacks(plan, attack, execution, context)
        ]
    except AwsError as error:
        found = [f"Gremlin can't be asked: {error}"]
    if plan.fault is FaultKind.STOP_INSTANCE:
        answer = context.aws(
            "ec2",
            "DescribeInstanceAttribute",
            InstanceId=plan.target_host.instance_id or "",
            Attribute=_SHUTDOWN_BEHAVIOR,
        )
        behavior = answer.get("InstanceInitiatedShutdownBehavior", {}).get("Value")
        if behavior != "stop":
            found.append(
                f"EC2 would {behavior or 'perhaps terminate'} {plan.target} when it shuts itself "
                "down; set the instance's shutdown behavior to stop"
            )
    return found


def _other_active_attacks(
    plan: Plan, attack: GremlinAttack, execution: str, context: Context
) -> Sequence[str]:
    """Return the IDs of active attacks on a host of the pair that the run did not start."""
    hosts = set(attack.clients.values())
    if not hosts:
        hosts = {
            each.identifier
            for each in gremlin.clients(attack, context)
            if set(each.tags.get(INSTANCE_TAG, ())) & set(plan.instances)
        }
    return [
        each.id
        for each in gremlin.active(attack, context)
        if each.run != execution and hosts & set(each.targets)
    ]


def find_client(attack: GremlinAttack, host: Host, context: Context) -> tuple[str, str]:
    """Return the identifier of a host's client, and why there is not exactly one."""
    given = attack.clients.get(host.name)
    if given is not None:
        known = gremlin.client(attack, given, context)
        if known is None or not known.active:
            return "", f"Gremlin has no active client {given} in the team"
        instances = known.tags.get(INSTANCE_TAG, ())
        if instances and host.instance_id not in instances:
            return "", f"client {given} is on {_listed(instances)}, not on {host.instance_id}"
        return known.identifier, ""
    wanted = {**attack.tags, INSTANCE_TAG: host.instance_id or ""}
    found = [
        each.identifier
        for each in gremlin.clients(attack, context)
        if each.active and all(value in each.tags.get(tag, ()) for tag, value in wanted.items())
    ]
    if len(found) == 1:
        return found[0], ""
    tags = ", ".join(f"{tag}={value}" for tag, value in sorted(wanted.items()))
    if not found:
        return "", f"Gremlin has no active client with {tags} in the team"
    return "", f"Gremlin has {len(found)} clients with {tags}: {_listed(found)}"


def advance_fault_end(to_end: FaultToEnd, context: Context) -> FaultEndStatus:
    """Take the next step to end the fault, and return how far ending it has come.

    See ``fault.advance_fault_end``.

    Raises:
        AwsError: Gremlin or EC2 can't be asked.
    """
    plan, known = to_end.plan, to_end.experiment
    if not plan.enabled:
        return FaultEndStatus(True, None, "no experiment was started")
    attack = _attack_of(plan)
    requested = None if known else _requested_at(plan, to_end.execution, context)
    if known is None and requested is None:
        return FaultEndStatus(True, None, "no experiment was started")
    try:
        found = _halt(attack, to_end.execution, known, context)
    except AwsError as error:
        context.log("Gremlin can't be asked", error=str(error))
        begun = to_end.begun
        if begun is None and requested is not None:
            begun = requested + SHUTDOWN_DELAY_SECONDS
        # Nobody but the run starts the host again, so it waits for nothing.
        status = FaultEndStatus(True, known, fault.TIME_OVER, context.clock())
        if plan.fault is FaultKind.STOP_INSTANCE:
            status = fault.start_instance(plan, known, context)
        if not fault.is_late(plan, begun, context):
            raise
        return status
    if not found:
        return _end_unknown(plan, requested or 0.0, context)
    last = found[-1]
    if plan.fault is FaultKind.STOP_INSTANCE:
        return _end_shutdown(plan, last, context)
    return _end_network(plan, last, to_end.injected_at, context)


def _halt(
    attack: GremlinAttack, execution: str, known: str | None, context: Context
) -> Sequence[Attack]:
    """Halt the attacks of a run; return them as they were before."""
    if known:
        found: Sequence[Attack] = [gremlin.get(attack, known, context)]
    else:
        found = gremlin.of_run(attack, execution, context)
    for each in found:
        if each.lifecycle == gremlin.ACTIVE:
            context.log("halting the attack", attack=each.id, stage=each.stage)
            gremlin.halt(attack, each.id, context)
    return found


def _end_unknown(plan: Ending, requested: float, context: Context) -> FaultEndStatus:
    """End the fault of a run whose attack is not found: it may have been started all the same."""
    until = requested + plan.fault_seconds + fault.LATE_SECONDS
    if plan.fault is FaultKind.STOP_INSTANCE:
        status = fault.start_instance(plan, None, context)
        until = requested + SHUTDOWN_DELAY_SECONDS + SHUTDOWN_SETTLE_SECONDS
        if not status.over:
            return status
    if context.clock() < until:
        return FaultEndStatus(False, None, "the attack that was requested is not found")
    return FaultEndStatus(True, None, "no attack of the run is found")


def _end_shutdown(plan: Ending, attack: Attack, context: Context) -> FaultEndStatus:
    """Start the instance; where it runs, wait until the attack can no longer shut it down."""
    now, due = context.clock(), _due(attack)
    instance = fault.describe_instance(plan.instance_id, context)
    done = fault.state_of(instance) in _DOWN or attack.stage in _SHUT_DOWN
    acting = due if done and due is not None and due <= now else None
    status = fault.start_instance(plan, attack.id, context)
    if status.over and due is not None:
        settled = now >= due + SHUTDOWN_SETTLE_SECONDS
        expired = now >= due + plan.fault_seconds + fault.LATE_SECONDS
        if not (settled and (expired or not attack.active)):
            message = f"{plan.host} may yet shut down: attack {attack.id} is in {attack.stage}"
            status = FaultEndStatus(False, attack.id, message)
    return FaultEndStatus(
        status.over, attack.id, status.message, status.fault_ended_at, acting_since=acting
    )


def _end_network(
    plan: Ending, attack: Attack, injected_at: float | None, context: Context
) -> FaultEndStatus:
    now, began = context.clock(), attack.running_since
    since = injected_at if injected_at is not None else began or attack.created_at

    def status(*, over: bool, message: str, at: float | None = None) -> FaultEndStatus:
        return FaultEndStatus(over, attack.id, message, at, acting_since=began)

    if attack.active:
        return status(over=False, message=f"experiment {attack.id} is in {attack.stage}")
    if attack.stage in _MAY_REMAIN:
        return status(over=False, message=f"Gremlin reports {attack.stage}: reboot {plan.host}")
    if attack.lifecycle == gremlin.COMPLETE:
        recent = attack.ended_at is not None and now < attack.ended_at + fault.LATE_SECONDS
        return status(over=True, message=fault.RULE_REMOVED, at=attack.ended_at if recent else now)
    if attack.stage in _NEVER_RAN:
        return status(over=True, message=f"Gremlin reports {attack.stage}", at=now)
    if since is not None and now < since + plan.fault_seconds:
        left = since + plan.fault_seconds - now
        return status(over=False, message=f"{plan.host} removes the rule in {left:.0f} s")
    return status(over=True, message=fault.TIME_OVER, at=now)


def _experiment(plan: Ending, attack: Attack, context: Context) -> Experiment:
    if len(attack.targets) > 1:
        reason = f"it attacks {len(attack.targets)} clients: {_listed(attack.targets)}"
        return Experiment(attack.id, "failed", reason, attack.running_since, attack.ended_at)
    status = {
        gremlin.ACTIVE: "running" if attack.running_since else "initiating",
        gremlin.HALTING: "stopping",
        gremlin.COMPLETE: "completed" if attack.stage == gremlin.SUCCESSFUL else "stopped",
        gremlin.ERROR: "failed",
    }[attack.lifecycle]
    acting = attack.running_since
    if plan.fault is FaultKind.STOP_INSTANCE:
        status, acting = _shutdown_status(plan, attack, status, context)
    return Experiment(attack.id, status, f"Gremlin reports {attack.stage}", acting, attack.ended_at)


def _shutdown_status(
    plan: Ending, attack: Attack, status: str, context: Context
) -> tuple[str, float | None]:
    """Return the status of a shutdown as EC2 shows it, and since when the host is down."""
    now, due = context.clock(), _due(attack)
    if fault.state_of(fault.describe_instance(plan.instance_id, context)) in _DOWN:
        since = now if due is None else min(due, now)
        return ("running" if now < since + plan.fault_seconds else "completed"), since
    if attack.lifecycle == gremlin.ACTIVE:
        return "initiating", None
    if attack.stage in _SHUT_DOWN:
        stopping = due is None or now < due + SHUTDOWN_SETTLE_SECONDS
        return ("initiating" if stopping else "completed"), None
    return status, None


def _due(attack: Attack) -> float | None:
    began = attack.running_since or attack.created_at
    return None if began is None else began + SHUTDOWN_DELAY_SECONDS


def _requested_at(plan: Ending, execution: str, context: Context) -> float | None:
    """Return when the attack of a run was requested; None where it was not, or was refused.

    Where that can't be read it may have been requested just now. Where the bucket is unknown it
    can never be read, so nothing is waited for.
    """
    if not plan.journal_bucket:
        return 0.0
    store, run = Store(context.aws, plan.journal_bucket), _run_name(execution)
    key = attack_requested_key(plan.drill, run)
    try:
        keys = store.keys(key.rpartition("/")[0] + "/")
        if key not in keys or attack_refused_key(plan.drill, run) in keys:
            return None
        return float(json.loads(store.get(key))["at"])
    except (AwsError, ValueError, KeyError, TypeError) as error:
        context.log("the request of the attack can't be read", run=run, error=repr(error))
        return context.clock()


def _run_name(execution: str) -> str:
    return execution.rpartition(":")[2]


def _attack_of(plan: Ending) -> GremlinAttack:
    if plan.gremlin is None:
        raise GremlinError("NoAttack", "the plan has no attack of Gremlin", refused=True)
    return plan.gremlin


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
