"""The journal bucket: objects, the lock of a service's drills, and the records of a run's phases.

=========================================  ========================================================
key                                        object
=========================================  ========================================================
``journals/<drill>/<run>.json``            the journal of a run
``runs/<drill>/<run>/phases/*.json``       a record of each call of a phase
``runs/<drill>/<run>/done/*``              a mark for each part of the result that is delivered
``lock.json``                              the execution that took the lock last
``occurrences/<drill>/<time>.json``        the execution that ran for a time of the schedule
=========================================  ========================================================
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime.context import Aws, AwsError, Context
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.experiment.json_codec import read
from staged_resiliency.experiment.observations import Observation

_LOCK: Final = "lock.json"
_CONFLICTS: Final = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A key, and when its object was written, in seconds since the epoch."""

    key: str
    written_at: float


@dataclass(frozen=True, slots=True)
class Store:
    """The objects in the journal bucket of a service's drills."""

    aws: Aws
    bucket: str

    def put(self, key: str, text: str) -> None:
        """Write an object, replacing an existing one."""
        self._put(key, text)

    def put_new(self, key: str, text: str) -> bool:
        """Write an object unless the key exists; return whether it was written."""
        return self._put_if(key, text, IfNoneMatch="*")

    def replace(self, key: str, text: str, etag: str) -> bool:
        """Replace an object unless its entity tag has changed; return whether it was replaced."""
        return self._put_if(key, text, IfMatch=etag)

    def get(self, key: str) -> str:
        """Return the text of an object."""
        return self.get_with_etag(key)[0]

    def get_with_etag(self, key: str) -> tuple[str, str]:
        """Return the text of an object, and its entity tag."""
        answer = self.aws("s3", "GetObject", Bucket=self.bucket, Key=key)
        return answer["Body"].read().decode(), str(answer["ETag"])

    def keys(self, prefix: str) -> Sequence[str]:
        """List the keys that begin with a prefix."""
        return [each.key for each in self.objects(prefix)]

    def objects(self, prefix: str) -> Sequence[StoredObject]:
        """List the keys that begin with a prefix, with the time at which each was written."""
        found: list[StoredObject] = []
        more: dict[str, str] = {}
        while True:
            answer = self.aws("s3", "ListObjectsV2", Bucket=self.bucket, Prefix=prefix, **more)
            for each in answer.get("Contents", ()):
                found.append(StoredObject(str(each["Key"]), each["LastModified"].timestamp()))
            if not answer.get("IsTruncated"):
                return found
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _put(self, key: str, text: str, **condition: str) -> None:
        self.aws(
            "s3",
            "PutObject",
            Bucket=self.bucket,
            Key=key,
            Body=text.encode(),
            ContentType="application/json",
            **condition,
        )

    def _put_if(self, key: str, text: str, **condition: str) -> bool:
        try:
            self._put(key, text, **condition)
        except AwsError as error:
            if error.code in _CONFLICTS:
                return False
            raise
        return True


def journal_key(drill: str, run_name: str) -> str:
    """Return the key of a run's journal."""
    return f"{journal_folder(drill)}{run_name}.json"


def journal_folder(drill: str) -> str:
    """Return the prefix of the keys of a drill's journals."""
    return f"journals/{drill}/"


def has_journal(store: Store, drill: str, run: RunName) -> bool:
    """Whether the journal of a run, and so its verdict, is written."""
    key = journal_key(drill, run.name)
    return key in store.keys(key)


def done_folder(drill: str, run_name: str) -> str:
    """Return the prefix of the keys that mark the delivered parts of a run's result."""
    return f"runs/{drill}/{run_name}/done/"


# The lock: an object that names the last run that took it. It is held while that run's execution is
# running, so no run has to release it: a run that ended in whatever way has. It changes hands by a
# conditional write, so only one of two runs gets it.


def take_lock(store: Store, execution: str, context: Context) -> str | None:
    """Take the lock of a service's drills.

    Return None where the lock was taken, or had been by the same run; else the ARN of the execution
    that holds it.
    """
    mine = json.dumps({"execution": execution})
    if store.put_new(_LOCK, mine):
        return None
    text, etag = store.get_with_etag(_LOCK)
    holder = str(json.loads(text)["execution"])
    if holder == execution:
        return None
    if _is_running(holder, context):
        return holder
    if store.replace(_LOCK, mine, etag):
        return None
    return str(json.loads(store.get(_LOCK))["execution"])


def holds_lock(store: Store, execution: str) -> bool:
    """Whether an execution was the last to take the lock."""
    return store.keys(_LOCK) == [_LOCK] and bool(
        json.loads(store.get(_LOCK))["execution"] == execution
    )


def claim_occurrence(store: Store, drill: str, occurrence: str, execution: str) -> str | None:
    """Claim a scheduled time for one run, since Scheduler may start several for the same time.

    Return None where it was claimed, or had been by the same run; else the ARN of the execution
    that claimed it before.
    """
    key = f"occurrences/{drill}/{occurrence}.json"
    if store.put_new(key, json.dumps({"execution": execution})):
        return None
    holder = str(json.loads(store.get(key))["execution"])
    return None if holder == execution else holder


def _is_running(execution: str, context: Context) -> bool:
    try:
        answer = context.aws("stepfunctions", "DescribeExecution", executionArn=execution)
    except AwsError as error:
        if error.code == "ExecutionDoesNotExist":
            return False  # Step Functions deletes executions some time after they ended
        raise
    return str(answer["status"]) == "RUNNING"


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """A record of one call of a phase; a run's verdict is judged from its records alone.

    Attributes:
        go: Whether the run continued as planned.
        message: The outcome of the phase; empty where it was still in progress.
        cut_short: Why the experiment ended before its time although the run did not end it; empty
            otherwise.
        fault_may_last: Whether the fault may still be in effect; set by the phases that end it.
    """

    phase: str
    began_at: float
    ended_at: float
    go: bool
    message: str
    cut_short: str
    fault_may_last: bool
    observations: tuple[Observation, ...]


def save_record(store: Store, drill: str, run_name: str, record: PhaseRecord) -> None:
    """Write a record. Writing the same one again changes nothing."""
    document = dataclasses.asdict(record)
    document["observations"] = [
        {**dataclasses.asdict(each), "source": each.source.value} for each in record.observations
    ]
    phase = record.phase.lower().replace(" ", "-")
    began = f"{round(record.began_at * 1000):014d}"
    store.put(f"{records_folder(drill, run_name)}{began}-{phase}.json", json.dumps(document))


def load_records(store: Store, drill: str, run_name: str) -> Sequence[PhaseRecord]:
    """Read all records of a run, in the order in which the calls began."""
    keys = store.keys(records_folder(drill, run_name))
    return [read(PhaseRecord, json.loads(store.get(key)), key) for key in sorted(keys)]


def records_folder(drill: str, run_name: str) -> str:
    """Return the prefix of the keys of a run's records."""
    return f"runs/{drill}/{run_name}/phases/"
