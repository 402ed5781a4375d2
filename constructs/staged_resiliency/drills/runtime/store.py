"""The journal bucket: objects, the lock of a service's drills, and the records of a run's phases.

=========================================  ========================================================
key                                        object
=========================================  ========================================================
``journals/<drill>/<run>.json``            the journal of a run
``runs/<drill>/<run>/phases/*.json``       a record of each call of a phase
``runs/<drill>/<run>/done/*``              a mark for each part of the result that is delivered
``runs/<drill>/<run>/attack/*.json``       that an attack was requested, and that it was refused
``runs/<drill>/<run>/policy.json``         a bucket's policy, before the run denied reads of it
``begun/<drill>/<run>.json``               a run that began: its execution and its plan
``ended/<drill>/<run>.json``               the same run, once it needs no cleanup any more
``live/<drill>.json``                      the first run of a drill that injected its fault
``approvals/<drill>/<time>.json``          an approval of that first run, written by a person
``occurrences/<drill>/<time>.json``        the execution that ran for a time of the schedule
=========================================  ========================================================

The functions create objects and replace none: the policy of the bucket denies everything else.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime.context import Aws, AwsError
from staged_resiliency.drills.runtime.keys import APPROVALS, BEGUN, ENDED
from staged_resiliency.drills.runtime.states import RunName
from staged_resiliency.experiment.json_codec import JsonObject, Moment, read
from staged_resiliency.experiment.observations import Observation

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

    def put_new(self, key: str, text: str) -> bool:
        """Write an object unless the key exists; return whether it was written."""
        try:
            self.aws(
                "s3",
                "PutObject",
                Bucket=self.bucket,
                Key=key,
                Body=text.encode(),
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except AwsError as error:
            if error.code in _CONFLICTS:
                return False
            raise
        return True

    def get(self, key: str) -> str:
        """Return the text of an object."""
        answer = self.aws("s3", "GetObject", Bucket=self.bucket, Key=key)
        text: str = answer["Body"].read().decode()
        return text

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


def journal_key(drill: str, run_name: str) -> str:
    """Return the S3 key of a run's journal."""
    return f"{journal_folder(drill)}{run_name}.json"


def journal_folder(drill: str) -> str:
    """Return the S3 prefix of a drill's journals."""
    return f"journals/{drill}/"


def has_journal(store: Store, drill: str, run: RunName) -> bool:
    """Whether the journal of a run, and so its verdict, is written."""
    key = journal_key(drill, run.name)
    return key in store.keys(key)


def done_folder(drill: str, run_name: str) -> str:
    """Return the S3 prefix of the objects that mark parts of a run's result as delivered."""
    return f"runs/{drill}/{run_name}/done/"


def fault_over_key(drill: str, run_name: str) -> str:
    """Return the S3 key of the object that marks a run's fault as over; it is not ended again."""
    return f"{done_folder(drill, run_name)}fault-over"


def attack_requested_key(drill: str, run_name: str) -> str:
    """Return the S3 key of the object written before Gremlin is asked to start a run's attack."""
    return f"runs/{drill}/{run_name}/attack/requested.json"


def attack_refused_key(drill: str, run_name: str) -> str:
    """Return the S3 key of the object that marks a run's attack as refused, so not to be ended."""
    return f"runs/{drill}/{run_name}/attack/refused.json"


def policy_key(drill: str, run_name: str) -> str:
    """Return the S3 key under which a bucket's policy is saved before a run changes the policy."""
    return f"runs/{drill}/{run_name}/policy.json"


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that began, and that is not marked as ended.

    Attributes:
        plan: The JSON object of its plan, perhaps of another release.
        at: When it began, in seconds since the epoch.
    """

    drill: str
    run: RunName
    plan: JsonObject
    at: float


def begin(store: Store, drill: str, run: RunName, plan: JsonObject, at: float) -> None:
    """Record that a run began, so that the cleanup finds it whatever is deployed meanwhile."""
    document = {"execution": run.execution, "plan": plan, "at": at}
    store.put_new(f"{BEGUN}{drill}/{run.name}.json", json.dumps(document))


def end(store: Store, drill: str, run_name: str) -> None:
    """Record that a run needs no cleanup any more."""
    store.put_new(ended_key(drill, run_name), "{}")


def ended_key(drill: str, run_name: str) -> str:
    """Return the S3 key of the object that marks a run as needing no more cleanup."""
    return f"{ENDED}{drill}/{run_name}.json"


def open_runs(store: Store) -> Sequence[OpenRun]:
    """Return the runs that began and are not marked as ended, the oldest first."""
    ended = {key.removeprefix(ENDED) for key in store.keys(ENDED)}
    begun = [key for key in store.keys(BEGUN) if key.removeprefix(BEGUN) not in ended]
    return sorted((_open_run(store, key) for key in begun), key=lambda each: each.at)


def _open_run(store: Store, key: str) -> OpenRun:
    found = json.loads(store.get(key))
    drill, _, name = key.removeprefix(BEGUN).removesuffix(".json").partition("/")
    run = RunName(str(found["execution"]), name)
    return OpenRun(drill, run, found["plan"], float(found["at"]))


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's approval of a drill's first run with a fault."""

    approved_by: str
    approved_at: Moment
    expires_at: Moment


def approvals_folder(drill: str) -> str:
    """Return the S3 prefix of a drill's approvals."""
    return f"{APPROVALS}{drill}/"


def live_key(drill: str) -> str:
    """Return the S3 key of the object that marks a drill as having injected its fault before."""
    return f"live/{drill}.json"


def valid_approval(store: Store, drill: str, now: float) -> Approval | None:
    """Return an approval that has not expired; None where there is none."""
    for key in sorted(store.keys(approvals_folder(drill)), reverse=True):
        try:
            found = read(Approval, json.loads(store.get(key)), key)
        except ValueError:
            continue  # not an approval
        if found.approved_at <= now < found.expires_at:
            return found
    return None


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
    """Write the record of a call of a phase; to write the same one again changes nothing."""
    document = dataclasses.asdict(record)
    document["observations"] = [
        {**dataclasses.asdict(each), "source": each.source.value} for each in record.observations
    ]
    phase = record.phase.lower().replace(" ", "-")
    began = f"{round(record.began_at * 1000):014d}"
    store.put_new(f"{records_folder(drill, run_name)}{began}-{phase}.json", json.dumps(document))


def load_records(store: Store, drill: str, run_name: str) -> Sequence[PhaseRecord]:
    """Read the records of a run's calls of phases, ordered by when each call began."""
    keys = store.keys(records_folder(drill, run_name))
    return [read(PhaseRecord, json.loads(store.get(key)), key) for key in sorted(keys)]


def records_folder(drill: str, run_name: str) -> str:
    """Return the S3 prefix of the records of a run's calls of phases."""
    return f"runs/{drill}/{run_name}/phases/"
