"""The lock of instances: of all drills that could break an instance, one runs at a time.

Services may share an instance, so the lock is kept where all of them find it: in Parameter Store,
as ``/staged-resiliency/drill-locks/<instance>/<number>``. The parameter with the highest number
counts. A run takes the lock by creating the next number, in which of several runs one succeeds. It
is held until it is released, which happens once the fault of its run is over.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Final

from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.keys import LOCKS
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import JsonObject, read

EXPIRY_SECONDS: Final = 172_800.0
"""How long after the longest time of its run a lock that nobody released is held."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The latest lock of an instance; times are in seconds since the epoch.

    Attributes:
        until: When it expires even if it is not released.
        free_from: From when on another run may take it; None while it is held.
    """

    execution: str
    until: float
    free_from: float | None = None


def take(plan: Plan, execution: str, context: Context) -> str:
    """Take the lock of the pair's instances; return why it can't be taken, or an empty text.

    A run that has the lock already takes it again.
    """
    now = context.clock()
    wanted = Lock(execution, now + plan.timeouts.run + EXPIRY_SECONDS)
    taken: list[str] = []
    for instance in plan.instances:
        number, last = _latest(instance, context)
        reason = _refusal(last, execution, now) if last else ""
        if not reason and not (last and _is_held_by(last, execution)):
            created = _create(instance, number + 1, wanted, context)
            reason = "" if created else "another drill has just started"
            _forget(instance, number - 1, context)
        if reason:
            release(tuple(taken), execution, 0.0, context)
            return f"{instance}: {reason}"
        taken.append(instance)
    return ""


def holds(plan: Plan, execution: str, context: Context) -> bool:
    """Whether a run has the lock of all instances of its pair."""
    found = [_latest(each, context)[1] for each in plan.instances]
    return all(each is not None and _is_held_by(each, execution) for each in found)


def holders(plan: Plan, context: Context) -> tuple[str, ...]:
    """Return the executions that have the lock of an instance of the pair now."""
    found = [_latest(each, context)[1] for each in plan.instances]
    return tuple(
        each.execution
        for each in found
        if each is not None and each.free_from is None and context.clock() < each.until
    )


def refusals(plan: Plan, context: Context) -> tuple[str, ...]:
    """Return why a new run could not take the lock now; empty where it could."""
    found = [(each, _latest(each, context)[1]) for each in plan.instances]
    now = context.clock()
    return tuple(
        f"{instance}: {reason}"
        for instance, last in found
        if last is not None and (reason := _refusal(last, "", now))
    )


def release(instances: tuple[str, ...], execution: str, free_from: float, context: Context) -> None:
    """Release the locks that a run holds, so that others can take them from some time on.

    A lock that can't be released is logged: it expires.
    """
    for instance in instances:
        try:
            number, last = _latest(instance, context)
            if last is not None and _is_held_by(last, execution):
                _write(
                    instance, number, replace(last, free_from=free_from), context, overwrite=True
                )
        except AwsError as error:
            context.log("a lock can't be released", instance=instance, error=str(error))


def _is_held_by(lock: Lock, execution: str) -> bool:
    return lock.execution == execution and lock.free_from is None


def _refusal(last: Lock, execution: str, now: float) -> str:
    if _is_held_by(last, execution):
        return ""
    if last.free_from is None:
        return f"another drill is running: {last.execution}" if now < last.until else ""
    if now < last.free_from:
        at = datetime.fromtimestamp(last.free_from, timezone.utc)
        return (
            f"the last drill, {last.execution}, ended only just now; start the next one after "
            f"{at:%H:%M} UTC"
        )
    return ""


def _latest(instance: str, context: Context) -> tuple[int, Lock | None]:
    """Return the highest number of an instance's locks, 0 for none, and that lock."""
    found: dict[int, str] = {}
    more: dict[str, str] = {}
    while True:
        answer: JsonObject = context.aws(
            "ssm", "GetParametersByPath", Path=f"{LOCKS}/{instance}", **more
        )
        for each in answer["Parameters"]:
            found[int(str(each["Name"]).rpartition("/")[2])] = str(each["Value"])
        if not answer.get("NextToken"):
            break
        more = {"NextToken": str(answer["NextToken"])}
    if not found:
        return 0, None
    number = max(found)
    try:
        return number, read(Lock, json.loads(found[number]), "lock")
    except ValueError as error:
        context.log("a lock can't be read", instance=instance, error=str(error))
        return number, None


def _create(instance: str, number: int, lock: Lock, context: Context) -> bool:
    try:
        _write(instance, number, lock, context, overwrite=False)
    except AwsError as error:
        if error.code == "ParameterAlreadyExists":
            return False
        raise
    return True


def _write(instance: str, number: int, lock: Lock, context: Context, *, overwrite: bool) -> None:
    context.aws(
        "ssm",
        "PutParameter",
        Name=f"{LOCKS}/{instance}/{number}",
        Value=json.dumps(asdict(lock)),
        Type="String",
        Overwrite=overwrite,
    )


def _forget(instance: str, number: int, context: Context) -> None:
    """Delete an old lock; the one before the latest stays, in case a list is not up to date."""
    if number < 1:
        return
    try:
        context.aws("ssm", "DeleteParameter", Name=f"{LOCKS}/{instance}/{number}")
    except AwsError as error:
        if error.code != "ParameterNotFound":
            context.log("an old lock can't be deleted", instance=instance, error=str(error))
