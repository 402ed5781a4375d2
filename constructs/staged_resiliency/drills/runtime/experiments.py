"""The FIS experiment of a run: started once, found again, stopped, read."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from staged_resiliency.drills.runtime.context import AwsError, Context, JsonObject
from staged_resiliency.drills.runtime.plan import Plan

RUN_TAG: Final = "staged-resiliency:run"
"""Tag of an experiment: ARN of the execution that started it."""

_ACTIVE: Final = ("pending", "initiating", "running", "stopping")
_STOPPABLE: Final = ("pending", "initiating", "running")
_CUT_SHORT: Final = ("stopping", "stopped", "failed", "cancelled")
_TOKENS: Final = uuid.UUID("5a0b3cf2-7f1c-4a53-9a25-3f0d9e7c8b11")


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment as FIS tells it.

    Attributes:
        id: FIS's.
        status: FIS's word for it.
        reason: FIS's reason for it.
        acting_since: When its first action began, in seconds since the epoch; None before.
        ended_at: When it ended; None before.
    """

    id: str
    status: str
    reason: str
    acting_since: float | None
    ended_at: float | None

    @property
    def active(self) -> bool:
        """Whether something is still to come of it."""
        return self.status in _ACTIVE

    @property
    def stoppable(self) -> bool:
        """Whether stopping it makes sense."""
        return self.status in _STOPPABLE

    @property
    def cut_short(self) -> str:
        """Why it did not end by itself; empty where it did, or runs."""
        if self.status not in _CUT_SHORT:
            return ""
        return f"the experiment is {self.status}: {self.reason or 'FIS gives no reason'}"


def client_token(execution: str) -> str:
    """The token by which FIS knows a second order for the same run."""
    return str(uuid.uuid5(_TOKENS, execution))


def start(plan: Plan, execution: str, world: Context) -> Experiment:
    """Start the experiment of a run, or give the one that it has."""
    answer = world.aws(
        "fis",
        "StartExperiment",
        clientToken=client_token(execution),
        experimentTemplateId=plan.experiment_template_id,
        experimentOptions={"actionsMode": "run-all" if plan.enabled else "skip-all"},
        tags={
            RUN_TAG: execution,
            "staged-resiliency:service": plan.service,
            "staged-resiliency:drill": plan.drill,
        },
    )
    return _read(answer["experiment"])


def get(experiment_id: str, world: Context) -> Experiment:
    """The experiment as it is now."""
    return _read(world.aws("fis", "GetExperiment", id=experiment_id)["experiment"])


def stop(experiment_id: str, world: Context) -> None:
    """Stop an experiment; that it has ended meanwhile is no error."""
    try:
        world.aws("fis", "StopExperiment", id=experiment_id)
    except AwsError as error:
        if error.code not in ("ValidationException", "ConflictException"):
            raise
        world.log("experiment can't be stopped", experiment=experiment_id, error=str(error))


def of_run(plan: Plan, execution: str, world: Context) -> Sequence[str]:
    """Ids of the experiments that a run started, whatever became of them."""
    listed = _listed(world, experimentTemplateId=plan.experiment_template_id)
    return [str(each["id"]) for each in listed if each.get("tags", {}).get(RUN_TAG) == execution]


def active_of_others(plan: Plan, execution: str, world: Context) -> Sequence[str]:
    """Ids of the experiments of the service's drills that go on, but for the run's own."""
    return [
        str(each["id"])
        for each in _listed(world)
        if each["state"]["status"] in _ACTIVE
        and each["experimentTemplateId"] in plan.experiment_templates
        and each.get("tags", {}).get(RUN_TAG) != execution
    ]


def targets(experiment_id: str, world: Context) -> Sequence[str]:
    """ARNs of what an experiment is aimed at."""
    answer = world.aws("fis", "ListExperimentResolvedTargets", experimentId=experiment_id)
    found = answer.get("resolvedTargets", ())
    return sorted(arn for each in found for arn in _arns(each.get("targetInformation", {})))


def _arns(information: JsonObject) -> Sequence[str]:
    return [str(each) for each in information.values() if str(each).startswith("arn:")]


def _listed(world: Context, **which: str) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        answer = world.aws("fis", "ListExperiments", maxResults=100, **which, **more)
        found += answer["experiments"]
        if not answer.get("nextToken"):
            return found
        more = {"nextToken": answer["nextToken"]}


def _read(document: JsonObject) -> Experiment:
    state = document["state"]
    actions = document.get("actions", {}).values()
    began = [each["startTime"] for each in actions if each.get("startTime")]
    return Experiment(
        id=str(document["id"]),
        status=str(state["status"]),
        reason=" ".join(str(state.get("reason", "")).split())[:300],
        acting_since=_seconds(min(began)) if began else None,
        ended_at=_seconds(document.get("endTime")),
    )


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
