"""Plan commands that take a failover over, so that its name always has an answer.

The account is made equal to the templates first: alarms, then health checks, then the records, in
one change batch, which is all or nothing. Then `cdk import` takes the resources over, which changes
nothing of them, and `cdk deploy` makes the rest.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from resiliency.adopt.comparison import ComparedResource, Comparison, record_of_api
from resiliency.adopt.draft import UNKNOWN_ADDRESS
from resiliency.adopt.existing import Existing, RecordPair
from resiliency.cloud_assembly import SynthesizedStack
from resiliency.service_file.loader import DEFAULT_PATH
from staged_resiliency.experiment.json_codec import JsonObject

RECORDS: Final = "change-batch.json"
UNDO: Final = "undo-batch.json"

_UPDATABLE: Final = (
    *("IPAddress", "Port", "ResourcePath", "FullyQualifiedDomainName", "SearchString"),
    *("FailureThreshold", "Inverted", "Disabled", "HealthThreshold", "ChildHealthChecks"),
    *("EnableSNI", "Regions", "AlarmIdentifier", "InsufficientDataHealthStatus"),
)
_RESETTABLE: Final = ("FullyQualifiedDomainName", "Regions", "ResourcePath", "ChildHealthChecks")
"""What an update returns to its default only where ResetElements names it."""


@dataclass(frozen=True)
class Step:
    """A step of the plan, with its commands for a shell in the application's folder."""

    title: str
    commands: Sequence[str] = ()
    because: str = ""


@dataclass
class AdoptionPlan:
    """The steps of an adoption, in order.

    Attributes:
        files: The files that the commands read, by name.
        actions: What becomes of each resource: its kind, its name, and the action.
    """

    steps: list[Step] = field(default_factory=list)
    files: dict[str, object] = field(default_factory=dict)
    actions: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, title: str, commands: Sequence[str], because: str = "") -> None:
        """Add a step, unless it has nothing to do."""
        if commands:
            self.steps.append(Step(title, commands, because))


def plan_of(existing: Existing, compared: Comparison, folder: str, file: Path) -> AdoptionPlan:
    """Plan the adoption; ``folder`` is where the plan's files will be."""
    made = AdoptionPlan()
    if any(
        UNKNOWN_ADDRESS in each.deployed.get("ResourceRecords", ())
        for each in compared.of("record")
    ):
        # Whoever ran a plan with it would send clients nowhere when the active host fails.
        made.add(
            f"Replace {UNKNOWN_ADDRESS} in the service file, then run adopt again for the plan",
            [f"resiliency adopt {existing.name} --service-file {file}"],
        )
        return made
    region = f"--region {existing.region}"
    made.add(
        "Write down what exists, to be able to go back",
        [
            f"aws route53 list-resource-record-sets --hosted-zone-id {existing.zone_id} "
            f"> {folder}/records-before.json",
            f"aws route53 list-health-checks > {folder}/health-checks-before.json",
            f"aws cloudwatch describe-alarms {region} > {folder}/alarms-before.json",
        ],
    )
    if file.parent.name != DEFAULT_PATH.name:
        made.add(
            "Put the service file where the application reads it",
            [f"cp {file} {DEFAULT_PATH}/"],
            "after an edit, run adopt again with --service-file: other templates are another plan",
        )
    made.add(
        "Deploy the new topics, which the alarms will notify",
        [
            f"npx cdk deploy {stack.name}"
            for stack in compared.stacks
            if stack.properties_of("AWS::SNS::Topic")
        ],
    )
    _plan_alarms(made, compared, folder)
    _plan_checks(made, existing, compared, folder)
    _plan_records(made, existing, compared, folder)
    _plan_import(made, compared, folder)
    made.add(
        "Deploy the rest",
        [f"npx cdk deploy {' '.join(stack.name for stack in compared.stacks)}"],
        "creates what nothing exists for, and changes nothing that was imported",
    )
    made.add(
        "Detect drift: no imported resource may have any",
        [
            f"aws cloudformation detect-stack-drift --stack-name {stack.name} "
            f"--region {stack.region}"
            for stack in compared.stacks
            if any(each.stack == stack.name for each in _imported(compared))
        ],
        "then describe-stack-resource-drifts shows the results",
    )
    _plan_rest(made, existing, compared)
    return made


def _imported(compared: Comparison) -> Sequence[ComparedResource]:
    """Return the resources to import: existing ones, and those that the plan makes before."""
    needed = _needed_alarms(compared)
    return [
        each
        for each in compared.resources
        if each.kind != "alarm" or each.existing is not None or each.logical_id in needed
    ]


def _needed_alarms(compared: Comparison) -> set[str]:
    """Return the alarms that health checks follow: these can't be made without them."""
    checks = {each.logical_id for each in compared.of("health check")}
    return {
        needed
        for stack in compared.stacks
        for logical_id, resource in stack.resources.items()
        if logical_id in checks
        for needed in resource.get("DependsOn", ())
    }


def _action(resource: ComparedResource) -> str:
    if resource.existing is None:
        return "created, then imported"
    return "changed, then imported" if resource.differences else "imported"


def _plan_alarms(made: AdoptionPlan, compared: Comparison, folder: str) -> None:
    needed = _needed_alarms(compared)
    regions = {stack.name: stack.region for stack in compared.stacks}
    commands = []
    for alarm in compared.of("alarm"):
        if alarm.existing is None and alarm.logical_id not in needed:
            made.actions.append(("alarm", alarm.name, "created by the deployment"))
            continue
        made.actions.append(("alarm", alarm.name, _action(alarm)))
        if alarm.existing is None or alarm.differences:
            file = f"alarm-{_safe(alarm.name)}.json"
            made.files[file] = alarm.deployed
            commands.append(
                f"aws cloudwatch put-metric-alarm --region {regions[alarm.stack]} "
                f"--cli-input-json file://{folder}/{file}"
            )
    made.add(
        "Make the alarms equal to the templates",
        commands,
        "an import changes nothing of a resource: what differs now would stay different",
    )


def _plan_checks(made: AdoptionPlan, existing: Existing, compared: Comparison, folder: str) -> None:
    changed = {each.name for each in compared.of("alarm") if each.differences}
    commands: list[str] = []
    waits = False
    for check in compared.of("health check"):
        if check.existing is None or check.is_replaced:
            waits = True
            action = "replaced without a gap" if check.is_replaced else _action(check)
            file = f"health-check-{check.logical_id}.json"
            config = {key: value for key, value in check.deployed.items() if key != "Name"}
            made.files[file] = {
                "CallerReference": f"adopt-{check.logical_id}",
                "HealthCheckConfig": config,
            }
            commands += [
                f"ID=$(aws route53 create-health-check --cli-input-json file://{folder}/{file} "
                "--query HealthCheck.Id --output text)",
                f"sed -i.bak s/{check.physical_id}/$ID/ {folder}/*.json",
                _tag("$ID", check),
            ]
        else:
            action = _action(check)
            identifier = check.deployed.get("AlarmIdentifier")
            stale = check.physical_id in existing.stale
            if any(each.field != "Name" for each in check.differences):
                file = f"health-check-{check.logical_id}.json"
                made.files[file] = _update(check)
                commands.append(
                    f"aws route53 update-health-check --cli-input-json file://{folder}/{file}"
                )
            elif identifier and (stale or identifier["Name"] in changed):
                # Route 53 reads an alarm only when the health check is made or updated.
                commands.append(
                    f"aws route53 update-health-check --health-check-id {check.physical_id} "
                    f"--alarm-identifier Region={identifier['Region']},Name={identifier['Name']}"
                )
            if any(each.field == "Name" for each in check.differences):
                commands.append(_tag(str(check.physical_id), check))
        made.actions.append(("health check", check.name, action))
    made.add("Make the health checks equal to the templates", commands)
    if waits:
        made.add(
            "Wait until the alarms are OK and the health check is healthy",
            [
                "aws cloudwatch describe-alarms --state-value ALARM "
                f"--region {compared.stacks[0].region} --query MetricAlarms[].AlarmName",
            ],
            "a primary with an unhealthy health check sends clients to the standby",
        )


def _tag(check_id: str, check: ComparedResource) -> str:
    return (
        "aws route53 change-tags-for-resource --resource-type healthcheck "
        f"--resource-id {check_id} --add-tags Key=Name,Value={check.deployed['Name']}"
    )


def _update(check: ComparedResource) -> JsonObject:
    deployed: dict[str, Any] = {
        key: check.deployed[key] for key in _UPDATABLE if key in check.deployed
    }
    existing = check.existing or {}
    deployed.setdefault("Inverted", False)
    if existing.get("Disabled"):
        deployed["Disabled"] = False
    reset = [name for name in _RESETTABLE if name in existing and name not in deployed]
    return {
        "HealthCheckId": check.physical_id,
        **deployed,
        **({"ResetElements": reset} if reset else {}),
    }


def _plan_records(
    made: AdoptionPlan, existing: Existing, compared: Comparison, folder: str
) -> None:
    """Plan the one change batch that makes the records equal to the templates."""
    records = compared.of("record")
    changes: list[dict[str, Any]] = []
    undo: list[dict[str, Any]] = []
    for name, pair in existing.all_pairs:
        wanted = [
            each
            for each in records
            if each.name.startswith(f"{name} ")
            and (pair.kind == "CNAME" or each.deployed["Type"] == pair.kind)
        ]
        if not any(each.differences or each.existing is None for each in wanted):
            made.actions += [("record", each.name, "imported") for each in wanted]
            continue
        if _keeps_identity(pair, wanted):
            for each in wanted:
                made.actions.append(("record", each.name, _action(each)))
                if each.differences or each.existing is None:
                    changes.append(_change("UPSERT", each.deployed))
            undo += [_change("UPSERT", record_of_api(each)) for each in pair.records]
            undo += [_change("DELETE", each.deployed) for each in wanted if each.existing is None]
        else:
            made.actions += [("record", each.name, "replaced without a gap") for each in wanted]
            old = [record_of_api(each) for each in pair.records]
            changes += [_change("DELETE", each) for each in old]
            changes += [_change("CREATE", each.deployed) for each in wanted]
            undo += [_change("DELETE", each.deployed) for each in wanted]
            undo += [_change("CREATE", each) for each in old]
    if not changes:
        return
    made.files[RECORDS] = {
        "Comment": "Make the records equal to the templates.",
        "Changes": changes,
    }
    made.files[UNDO] = {"Comment": "Return to the records of before.", "Changes": undo}
    made.add(
        "Change the records, in one batch, which is all or nothing",
        [
            f"aws route53 change-resource-record-sets --hosted-zone-id {existing.zone_id} "
            f"--change-batch file://{folder}/{RECORDS}"
        ],
        f"to go back, the same command with {UNDO}, before the import",
    )


def _keeps_identity(pair: RecordPair, wanted: Sequence[ComparedResource]) -> bool:
    """Return whether records keep type, identifier and role, so that an UPSERT changes them."""
    return pair.is_failover and all(
        each.existing is None
        or all(
            each.existing.get(key) == each.deployed[key]
            for key in ("Type", "SetIdentifier", "Failover")
        )
        for each in wanted
    )


def _change(action: str, record: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(record)
    if "ResourceRecords" in given:
        given["ResourceRecords"] = [{"Value": value} for value in given["ResourceRecords"]]
    return {"Action": action, "ResourceRecordSet": given}


def _plan_import(made: AdoptionPlan, compared: Comparison, folder: str) -> None:
    commands = []
    for stack in compared.stacks:
        mapping = {
            each.logical_id: identifier_of(each, stack)
            for each in _imported(compared)
            if each.stack == stack.name
        }
        if not mapping:
            continue
        file = f"import-{stack.name}.json"
        made.files[file] = mapping
        commands.append(f"npx cdk import {stack.name} --resource-mapping {folder}/{file}")
    made.add(
        "Import what exists",
        commands,
        "changes nothing of it. `--no-execute` makes the change set alone. If CloudFormation "
        "refuses a record (its schema lists it as importable, its user guide does not yet), "
        "nothing has changed: docs/adopting.md has the way over another name",
    )


def identifier_of(resource: ComparedResource, stack: SynthesizedStack) -> Mapping[str, str]:
    """Return the identifier of a resource for an import into CloudFormation."""
    if resource.kind == "alarm":
        return {"AlarmName": resource.name}
    if resource.kind == "health check":
        return {"HealthCheckId": str(resource.physical_id)}
    properties = stack.resources[resource.logical_id]["Properties"]
    return {key: properties[key] for key in ("Name", "HostedZoneId", "Type", "SetIdentifier")}


def _plan_rest(made: AdoptionPlan, existing: Existing, compared: Comparison) -> None:
    made.actions += [("topic", arn, "named in the service file") for arn in existing.topics]
    made.actions += [(kind, name, "left alone") for kind, name in compared.left_alone]
    if any(stack.name.endswith("-probe") for stack in compared.stacks):
        made.steps.append(
            Step(
                "Stop on the hosts what publishes the same metrics",
                because="the probe publishes them now; statistics of both would mix",
            )
        )
    made.add(
        "Delete the health checks that no record names any more, unless others use them",
        [
            f"aws route53 delete-health-check --health-check-id {name}"
            for kind, name in compared.left_alone
            if kind == "health check"
        ],
    )


def _safe(name: str) -> str:
    return "".join(each if each.isalnum() or each in "-_" else "-" for each in name)


def as_json(content: object) -> str:
    """Format a file of the plan as JSON."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
