"""One run at a time, by a lock that can't leak.

The lock is an object that names the last run that took it. It is held while that run's execution
is running, and nobody has to let go of it: a run that ends in whatever way has let go. It changes
hands by a conditional write, so that of two runs only one gets it.
"""

import json
from typing import Final

from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.store import Store

_KEY: Final = "lock.json"


def take(store: Store, execution: str, world: Context) -> str | None:
    """Take the lock of a service's drills.

    Args:
        store: The service's.
        execution: ARN of the execution that wants it.
        world: Tells whether another execution runs.

    Returns:
        None where it was taken, or had been by the same run; else ARN of the execution that holds
        it.
    """
    mine = json.dumps({"execution": execution})
    if store.put_new(_KEY, mine):
        return None
    text, etag = store.get_tagged(_KEY)
    holder = str(json.loads(text)["execution"])
    if holder == execution:
        return None
    if _runs(holder, world):
        return holder
    if store.swap(_KEY, mine, etag):
        return None
    return str(json.loads(store.get(_KEY))["execution"])


def held(store: Store, execution: str) -> bool:
    """Whether an execution was the last to take the lock."""
    return store.keys(_KEY) == [_KEY] and bool(
        json.loads(store.get(_KEY))["execution"] == execution
    )


def claim(store: Store, drill: str, occurrence: str, execution: str) -> str | None:
    """Claim an occurrence of a drill's schedule, which starts its run at least once.

    Args:
        store: The service's.
        drill: Short name of the drill.
        occurrence: The time for which it was due.
        execution: ARN of the execution that claims it.

    Returns:
        None where it was claimed, or had been by the same run; else ARN of the execution that did.
    """
    key = f"occurrences/{drill}/{occurrence}.json"
    if store.put_new(key, json.dumps({"execution": execution})):
        return None
    holder = str(json.loads(store.get(key))["execution"])
    return None if holder == execution else holder


def _runs(execution: str, world: Context) -> bool:
    try:
        answer = world.aws("stepfunctions", "DescribeExecution", executionArn=execution)
    except AwsError as error:
        if error.code == "ExecutionDoesNotExist":
            return False  # Step Functions forgets those that ended long ago
        raise
    return str(answer["status"]) == "RUNNING"
