"""The experiments of AWS FIS by which faults are injected: starts, lists and stops them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.ending import Ending
from staged_resiliency.drills.runtime.keys import (
    DRILL_TAG,
    ENVIRONMENT_TAG,
    INSTANCE_TAG,
    RUN_TAG,
    SERVICE_TAG,
)
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import JsonObject

_ACTIVE: Final = ("pending", "initiating", "running", "stopping")
_STOPPABLE: Final = ("pending", "initiating", "running")
_CUT_SHORT: Final = ("stopping", "stopped", "failed", "cancelled")
_TOKENS: Final = uuid.UUID("5a0b3cf2-7f1c-4a53-9a25-3f0d9e7c8b11")


@dataclass(frozen=True, slots=True)
class Experiment:
    """A FIS experiment.

    Attributes:
        reason: FIS's reason for the status.
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
        """Whether the experiment has not ended yet."""
        return self.status in _ACTIVE

    @property
    def stoppable(self) -> bool:
        """Whether the experiment can be stopped."""
        return self.status in _STOPPABLE

    @property
    def cut_short(self) -> str:
        """Why the experiment ended early; empty if it completed or is still running."""
        if self.status not in _CUT_SHORT:
            return ""
        return f"the experiment is {self.status}: {self.reason or 'FIS gives no reason'}"


def client_token(execution: str) -> str:
    """Return the token by which FIS recognizes a repeated start for the same run."""
    return str(uuid.uuid5(_TOKENS, execution))


def start_experiment(plan: Plan, execution: str, context: Context) -> Experiment:
    """Start the experiment of a run; where it is started already, return it."""
    answer = context.aws(
        "fis",
        "StartExperiment",
        clientToken=client_token(execution),
        experimentTemplateId=plan.experiment_template_id,
        experimentOptions={"actionsMode": "run-all" if plan.enabled else "skip-all"},
        tags={
            RUN_TAG: execution,
            SERVICE_TAG: plan.service,
            ENVIRONMENT_TAG: plan.environment,
            DRILL_TAG: plan.drill,
            INSTANCE_TAG: plan.tagged,
        },
    )
    return _experiment(answer["experiment"])


def get_experiment(experiment_id: str, context: Context) -> Experiment:
    """Return the current state of an experiment."""
    return _experiment(context.aws("fis", "GetExperiment", id=experiment_id)["experiment"])


def stop_experiment(experiment_id: str, context: Context) -> None:
    """Stop an experiment; it is no error if it has ended meanwhile."""
    try:
        context.aws("fis", "StopExperiment", id=experiment_id)
    except AwsError as error:
        if error.code not in ("ValidationException", "ConflictException"):
            raise
        context.log("experiment can't be stopped", experiment=experiment_id, error=str(error))


def experiments_of_run(plan: Plan | Ending, execution: str, context: Context) -> Sequence[str]:
    """Return the IDs of the experiments that a run started, in whatever state they are."""
    template = plan.experiment_template_id
    listed = _pages("ListExperiments", "experiments", context, experimentTemplateId=template)
    return [str(each["id"]) for each in listed if each.get("tags", {}).get(RUN_TAG) == execution]


def other_active_experiments(plan: Plan, execution: str, context: Context) -> Sequence[str]:
    """Return the IDs of other runs' active experiments on an instance of the pair.

    They may be of another service that has the instance too.
    """
    active = [
        each
        for each in _pages("ListExperiments", "experiments", context)
        if each["state"]["status"] in _ACTIVE and each.get("tags", {}).get(RUN_TAG) != execution
    ]
    # One that somebody started by hand has no tags of ours, but its template has.
    by_hand = any(INSTANCE_TAG not in each.get("tags", {}) for each in active)
    instances = _instances_of_templates(context) if by_hand else {}
    return [
        str(each["id"])
        for each in active
        if each.get("tags", {}).get(INSTANCE_TAG, instances.get(each["experimentTemplateId"]))
        in plan.instances
    ]


def resolved_targets(experiment_id: str, context: Context) -> Sequence[str]:
    """Return the ARNs of an experiment's resolved targets."""
    answer = context.aws("fis", "ListExperimentResolvedTargets", experimentId=experiment_id)
    found = [each.get("targetInformation", {}) for each in answer.get("resolvedTargets", ())]
    values = [str(value) for each in found for value in each.values()]
    return sorted(each for each in values if each.startswith("arn:"))


def _instances_of_templates(context: Context) -> dict[str, str]:
    """Return the instance that each template of a drill breaks, by the ID of the template."""
    listed = _pages("ListExperimentTemplates", "experimentTemplates", context)
    return {
        str(each["id"]): str(each["tags"][INSTANCE_TAG])
        for each in listed
        if INSTANCE_TAG in each.get("tags", {})
    }


def _pages(operation: str, key: str, context: Context, **filters: str) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        answer = context.aws("fis", operation, maxResults=100, **filters, **more)
        found += answer[key]
        if not answer.get("nextToken"):
            return found
        more = {"nextToken": answer["nextToken"]}


def _experiment(document: JsonObject) -> Experiment:
    state = document["state"]
    actions = document.get("actions", {}).values()
    began = [each["startTime"] for each in actions if each.get("startTime")]
    ended = document.get("endTime")
    return Experiment(
        id=str(document["id"]),
        status=str(state["status"]),
        reason=" ".join(str(state.get("reason", "")).split())[:300],
        acting_since=min(began).timestamp() if began else None,
        ended_at=ended.timestamp() if ended else None,
    )
