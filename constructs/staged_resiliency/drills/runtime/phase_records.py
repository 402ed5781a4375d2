"""What a run leaves behind while it goes on: one JSON object per call of a function.

They survive whatever becomes of the run; its verdict is told from them alone.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.store import Store
from staged_resiliency.experiment.json_codec import read
from staged_resiliency.experiment.observations import Observation

_FOLDER: Final = "runs"


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """What one call of a phase did and saw.

    Attributes:
        phase: Name of the state.
        began_at: Seconds since the epoch.
        ended_at: The same.
        go: Whether the run went on as hoped.
        told: What became of the phase; empty where it was under way.
        cut_short: Why the experiment ended before its time though nobody here asked for it; empty
            unless it did.
        fault_may_last: Whether the fault may still be there; told by what ends it alone.
        observations: What was seen.
    """

    phase: str
    began_at: float
    ended_at: float
    go: bool
    told: str
    cut_short: str
    fault_may_last: bool
    observations: tuple[Observation, ...]


def save(store: Store, plan: Plan, run_name: str, chunk: PhaseRecord) -> None:
    """Leave a chunk behind. The same one again changes nothing."""
    document = dataclasses.asdict(chunk)
    document["observations"] = [
        {**dataclasses.asdict(each), "source": each.source.value} for each in chunk.observations
    ]
    phase = chunk.phase.lower().replace(" ", "-")
    key = f"{folder(plan, run_name)}chunks/{round(chunk.began_at * 1000):014d}-{phase}.json"
    store.put(key, json.dumps(document))


def load(store: Store, plan: Plan, run_name: str) -> Sequence[PhaseRecord]:
    """All chunks of a run, in the order in which they began."""
    keys = store.keys(f"{folder(plan, run_name)}chunks/")
    return [read(PhaseRecord, json.loads(store.get(key)), key) for key in sorted(keys)]


def folder(plan: Plan, run_name: str) -> str:
    """Below the journal's prefix, where a run leaves things; ends in ``/``."""
    return f"{_FOLDER}/{plan.drill}/{run_name}/"
