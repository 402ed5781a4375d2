"""Worlds to rehearse, template edits that break them, and rehearsals of several at once."""

import asyncio
import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.expectations import Plan, plan_of
from resiliency.rehearsal.outcome import Outcome
from resiliency.rehearsal.prediction import OUTAGES, assumptions_for, predict_failovers
from resiliency.rehearsal.rehearse import rehearse
from resiliency.rehearsal.scenarios import chosen_scenarios
from tests.support import Data, Template, example, synthesize

Templates = Mapping[str, Template]
Edit = Callable[[dict[str, Data]], object]

STATUS_ALARM = "bookstore-api-blue-StatusCheckFailed"
RECOVERY_ALARM = "recover-blue"
FAILOVER_ALARM = "bookstore-production-clients-on-standby"
DB_ALARM = "bookstore-api-blue-db-connectivity-failed"


def all_signals(environment: Data) -> None:
    """The example, left on everything that can be a signal."""
    environment["failover_on"] = ["status", "endpoint", "peer", "db"]
    environment["probe"] = {"peer": True}


def templates_of(edit: Callable[[Data], object] | None = None) -> Templates:
    """The templates of the example, with its service file edited."""
    return synthesize([example(edit)])


def written(templates: Templates, folder: Path) -> list[str]:
    """The templates as files."""
    paths = []
    for stack, template in templates.items():
        paths.append(folder / f"{stack}.json")
        paths[-1].write_text(json.dumps(template), encoding="utf-8")
    return [str(path) for path in paths]


def edited(templates: Templates, edit: Edit) -> Templates:
    """The templates with something changed by hand."""
    changed = copy.deepcopy(dict(templates))
    edit(changed)  # type: ignore[arg-type]
    return changed


def properties(templates: Mapping[str, Data], kind: str, name: str | None = None) -> list[Data]:
    """The properties of resources of a type, of those alone whose AlarmName is given."""
    return [
        resource["Properties"]
        for template in templates.values()
        for resource in template["Resources"].values()
        if resource["Type"] == kind and name in (None, resource["Properties"].get("AlarmName"))
    ]


def set_alarm(name: str, **values: Any) -> Edit:
    """Sets properties of an alarm; None takes one away."""

    def edit(templates: dict[str, Data]) -> None:
        (alarm,) = properties(templates, "AWS::CloudWatch::Alarm", name)
        _set(alarm, values)

    return edit


def set_association(**parameters: Any) -> Edit:
    """Sets parameters of the one association; None takes one away."""

    def edit(templates: dict[str, Data]) -> None:
        (association,) = properties(templates, "AWS::SSM::Association")
        _set(association["Parameters"], parameters)

    return edit


def silence_alarms(templates: dict[str, Data]) -> None:
    """Takes all actions off all alarms."""
    for alarm in properties(templates, "AWS::CloudWatch::Alarm"):
        for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
            alarm.pop(key, None)


def add_recovery(templates: dict[str, Data]) -> None:
    """Adds an alarm that lets EC2 recover the host, as AWS's user guide shows it."""
    for template in templates.values():
        for resource in list(template["Resources"].values()):
            if resource.get("Properties", {}).get("AlarmName") == STATUS_ALARM:
                template["Resources"]["Recovery"] = {
                    "Type": "AWS::CloudWatch::Alarm",
                    "Properties": {
                        **resource["Properties"],
                        "AlarmName": RECOVERY_ALARM,
                        "MetricName": "StatusCheckFailed_System",
                        "TreatMissingData": "missing",
                        "AlarmActions": ["arn:aws:automate:us-west-2:ec2:recover"],
                    },
                }


def set_health_check(**values: Any) -> Edit:
    """Sets properties of the one health check."""

    def edit(templates: dict[str, Data]) -> None:
        (check,) = properties(templates, "AWS::Route53::HealthCheck")
        _set(check["HealthCheckConfig"], values)

    return edit


def records(templates: Mapping[str, Data]) -> tuple[Data, Data]:
    """The primary and the secondary record."""
    primary, secondary = properties(templates, "AWS::Route53::RecordSet")
    return primary, secondary


def set_ttl(seconds: int) -> Edit:
    """Sets the TTL of both records."""

    def edit(templates: dict[str, Data]) -> None:
        for record in records(templates):
            record["TTL"] = str(seconds)

    return edit


def swap_values(templates: dict[str, Data]) -> None:
    """Exchanges the records' values, and forgets the health check."""
    primary, secondary = records(templates)
    primary["ResourceRecords"], secondary["ResourceRecords"] = (
        secondary["ResourceRecords"],
        primary["ResourceRecords"],
    )


def swap_roles(templates: dict[str, Data]) -> None:
    """Exchanges the records' roles, and leaves the health check where it was."""
    primary, secondary = records(templates)
    primary["Failover"], secondary["Failover"] = "SECONDARY", "PRIMARY"


def remove_health_check(templates: dict[str, Data]) -> None:
    """Takes the health check off the primary record."""
    del records(templates)[0]["HealthCheckId"]


def _set(target: Data, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if value is None:
            target.pop(key)
        else:
            target[key] = value


def plans_of(
    deployment: Deployment,
    *names: str,
    scale: float,
    seed: int = 0,
    objective: float | None = None,
    outages: int = OUTAGES,
) -> Sequence[Plan]:
    """The plans of scenarios; of the usual ones unless some are named."""
    if objective is not None:
        deployment = replace(deployment, objective_seconds=objective)
    assumptions = assumptions_for(deployment)
    failovers = predict_failovers(deployment, assumptions, seed, outages=outages)
    return [
        plan_of(deployment, scenario, assumptions, failovers, scale=scale, seed=seed)
        for scenario in chosen_scenarios(deployment, names)
    ]


def children_of(pid: int) -> set[int]:
    """The processes that a process has started."""
    return {
        int(word)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for word in (task / "children").read_text(encoding="ascii").split()
    }


async def rehearsed(
    templates: Templates, *names: str, scale: float, seed: int = 0
) -> Sequence[Outcome]:
    """The outcomes of scenarios."""
    deployment = read_deployment(templates)
    plans = plans_of(deployment, *names, scale=scale, seed=seed)
    return await rehearse(deployment, plans, assumptions_for(deployment), scale=scale, seed=seed)


def rehearse_all(
    runs: Sequence[tuple[Templates, str]], *, scale: float, at_once: int, seed: int = 0
) -> Sequence[Outcome]:
    """One scenario of each of several templates, some at the same time."""

    async def run() -> Sequence[Outcome]:
        room = asyncio.Semaphore(at_once)

        async def one(templates: Templates, name: str) -> Outcome:
            async with room:
                (outcome,) = await rehearsed(templates, name, scale=scale, seed=seed)
                return outcome

        return await asyncio.gather(*(one(*each) for each in runs))

    return asyncio.run(run())
