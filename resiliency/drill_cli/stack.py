"""Finds a service's drills in the account: its location, its stack, and the drills in the stack."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resiliency.drill_cli.aws import EXECUTIONS, STACK, STATE_MACHINE, Aws, NotFoundError
from resiliency.drill_cli.safe_console import parse_json
from resiliency.errors import UsageError, UserError
from resiliency.service_file import Service, load
from resiliency.service_file.loader import DEFAULT_PATH
from staged_resiliency.drills.runtime import states
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import DataError
from staged_resiliency.shared.names import drills_stack
from staged_resiliency.shared.validation import nearest, shown

_MACHINE: Final = "AWS::StepFunctions::StateMachine"
_SCHEDULE: Final = "AWS::Scheduler::Schedule"
_GROUP: Final = "AWS::Scheduler::ScheduleGroup"


@dataclass(frozen=True, slots=True)
class Location:
    """The region and account of a service's environment.

    Attributes:
        region: None for that of the AWS configuration.
        account: None where there is no service file.
        source: Path of the service files with region and account; empty where there are none.
    """

    service: str
    environment: str
    region: str | None
    account: str | None
    source: str = ""


def find_location(
    service: str, environment: str, *, services: Path | None = None, region: str | None = None
) -> Location:
    """Return the region and account of an environment, from its service file if there is one.

    The file or folder is ``services`` unless given, if it exists; without one a region is required.

    Raises:
        UserError: The service file has no such service or environment, or another region.
        ServiceFileError: A service file is invalid, or the given one does not exist.
    """
    if services is None and not DEFAULT_PATH.exists():
        return Location(service, environment, region, None)
    path = services or DEFAULT_PATH
    loaded = {each.service: each for each in load(path)}
    found = loaded.get(service)
    if found is None:
        if region is not None and services is None:
            return Location(service, environment, region, None)
        raise UsageError(
            f"{path}: has no service {shown(service)}; {_hint(service, loaded)}, or --region for a "
            "service whose file is elsewhere"
        )
    return _location_in_file(path, found, environment, region)


def _location_in_file(
    path: Path, service: Service, environment: str, region: str | None
) -> Location:
    found = service.environments.get(environment)
    if found is None:
        raise UsageError(
            f"{path}: {service.service} has no environment {shown(environment)}; "
            f"{_hint(environment, service.environments)}"
        )
    if region is not None and region != found.region:
        raise UsageError(
            f"--region {region}: {path} says that {service.service} is in {found.region} in "
            f"{environment}; leave --region out"
        )
    return Location(service.service, environment, found.region, found.account, str(path))


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = nearest(name, names)
    return f"did you mean {near}?" if near else f"give {' or '.join(names)}"


@dataclass(frozen=True, slots=True)
class DeployedDrill:
    """A drill in the account, with its state machine's ARN and when that was created."""

    plan: Plan
    arn: str
    created_at: float

    @property
    def name(self) -> str:
        """The short name of the drill."""
        return self.plan.drill


@dataclass(frozen=True, slots=True)
class DeployedDrills:
    """A service's drills in the account, ordered by name, and the names of their schedules."""

    name: str
    drills: Sequence[DeployedDrill]
    schedules: Sequence[str]
    schedule_group: str

    def drill(self, name: str) -> DeployedDrill:
        """Return the drill with a name; raise UserError if there is none."""
        names = [each.name for each in self.drills]
        if name not in names:
            near = nearest(name, names)
            hint = f"did you mean {near}?" if near else f"it has {', '.join(names)}"
            raise UsageError(f"{self.name}: has no drill {shown(name)}; {hint}")
        return self.drills[names.index(name)]


def require_account(aws: Aws, location: Location) -> None:
    """Raise UserError if the credentials are another account's than the service file says."""
    if location.account is not None and aws.account != location.account:
        raise UserError(
            f"the credentials are those of account {aws.account} ({aws.identity}), but "
            f"{location.source} says that {location.service} is in {location.account} in "
            f"{location.environment}; give --profile with that account's"
        )


def find_stack(aws: Aws, location: Location) -> DeployedDrills:
    """Find the drills of a service's environment.

    Raises:
        UserError: The credentials are another account's; the stack does not exist; it holds no
            drills, or some that this release can't read.
    """
    require_account(aws, location)
    name = drills_stack(location.service, location.environment)
    try:
        resources = aws.all(STACK, "StackResourceSummaries", StackName=name)
    except NotFoundError:
        raise UserError(
            f"no stack {name} in account {aws.account}, region {aws.region}; deploy it (`npx cdk "
            f"deploy {name}`), or check --region and --profile"
        ) from None
    ids: dict[str, list[str]] = {}
    for each in resources:
        ids.setdefault(each["ResourceType"], []).append(each.get("PhysicalResourceId", ""))
    # A resource that is being created has no id yet; the id of a deleted one leads nowhere.
    drills = [_drill(aws, arn, location) for arn in ids.get(_MACHINE, ()) if arn]
    found = sorted((each for each in drills if each is not None), key=lambda each: each.name)
    if not found:
        raise UserError(
            f"{name}: holds no drills; give the service file some under `drills` and deploy it"
        )
    group = next(iter(ids.get(_GROUP, ())), "default")
    return DeployedDrills(name, found, [each for each in ids.get(_SCHEDULE, ()) if each], group)


def running_execution(aws: Aws, drill: DeployedDrill) -> str | None:
    """Return the ARN of a drill's run in progress; None where there is none."""
    found = aws(*EXECUTIONS, stateMachineArn=drill.arn, statusFilter="RUNNING", maxResults=1)
    return next((str(each["executionArn"]) for each in found["executions"]), None)


def _drill(aws: Aws, arn: str, location: Location) -> DeployedDrill | None:
    try:
        answer = aws(*STATE_MACHINE, stateMachineArn=arn)
    except NotFoundError:
        return None
    try:
        plan = _plan_in(parse_json(answer["definition"]))
        if plan is None:
            return None
        drill = DeployedDrill(Plan.from_json(plan), arn, answer["creationDate"].timestamp())
    except (DataError, ValueError) as error:
        raise UserError(
            f"{arn}: this release can't read its plan ({error}); use the release that deployed it, "
            "or deploy the drills again with this one"
        ) from None
    if (drill.plan.service, drill.plan.environment) != (location.service, location.environment):
        raise UserError(
            f"{arn}: is a drill of {drill.plan.service} in {drill.plan.environment}; name these"
        )
    return drill


def _plan_in(definition: object) -> object | None:
    """The plan in the first state of a drill's state machine; None for another state machine."""
    found = definition.get("States") if isinstance(definition, dict) else None
    state = found.get(states.PLAN) if isinstance(found, dict) else None
    result = state.get("Result") if isinstance(state, dict) else None
    return result.get("plan") if isinstance(result, dict) else None
