"""The drills of a service, as the deployed stack tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.errors import NotThereError
from resiliency.drill_cli.location import Location
from resiliency.drill_cli.permissions import EXECUTIONS, STACK, STATE_MACHINE
from resiliency.drill_cli.safe_console import document
from resiliency.errors import UserError
from staged_resiliency.drills.runtime import states
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import DataError
from staged_resiliency.shared.names import drills_stack
from staged_resiliency.shared.validation import nearest, shown

_MACHINE: Final = "AWS::StepFunctions::StateMachine"
_SCHEDULE: Final = "AWS::Scheduler::Schedule"
_GROUP: Final = "AWS::Scheduler::ScheduleGroup"


@dataclass(frozen=True, slots=True)
class DeployedDrill:
    """A drill in the account.

    Attributes:
        plan: All that its runs know of it.
        arn: ARN of its state machine.
        made_at: When that was made, in seconds since the epoch.
    """

    plan: Plan
    arn: str
    made_at: float

    @property
    def name(self) -> str:
        """Its short name."""
        return self.plan.drill


@dataclass(frozen=True, slots=True)
class DrillsStack:
    """A service's drills in the account.

    Attributes:
        name: Name of the stack.
        drills: Its drills, by their names' order.
        schedules: Names of its schedules.
        schedule_group: Group of its schedules.
    """

    name: str
    drills: Sequence[DeployedDrill]
    schedules: Sequence[str]
    schedule_group: str

    def drill(self, name: str) -> DeployedDrill:
        """The drill of a name.

        Raises:
            UserError: There is none.
        """
        names = [each.name for each in self.drills]
        if name not in names:
            near = nearest(name, names)
            hint = f"did you mean {near}?" if near else f"it has {', '.join(names)}"
            raise UserError(f"{self.name}: has no drill {shown(name)}; {hint}")
        return self.drills[names.index(name)]


def find_stack(aws: Aws, place: Location) -> DrillsStack:
    """The drills of a service's environment.

    Raises:
        UserError: The credentials are another account's; there is no such stack; it holds
            no drills, or some that this release can't read.
    """
    if place.account is not None and aws.account != place.account:
        raise UserError(
            f"the credentials are those of account {aws.account} ({aws.identity}), but "
            f"{place.told_by} says that {place.service} is in {place.account} in "
            f"{place.environment}; give --profile with that account's"
        )
    name = drills_stack(place.service, place.environment)
    try:
        resources = aws.all(STACK, "StackResourceSummaries", StackName=name)
    except NotThereError:
        raise UserError(
            f"no stack {name} in account {aws.account}, region {aws.region}; deploy it (`npx cdk "
            f"deploy {name}`), or look at --region and --profile"
        ) from None
    ids: dict[str, list[str]] = {}
    for each in resources:
        ids.setdefault(each["ResourceType"], []).append(each.get("PhysicalResourceId", ""))
    # One that is being made or was taken away has no id, or one that leads nowhere.
    drills = [_drill(aws, arn, place) for arn in ids.get(_MACHINE, ()) if arn]
    found = sorted((each for each in drills if each is not None), key=lambda each: each.name)
    if not found:
        raise UserError(
            f"{name}: holds no drills; give the service file some under `drills` and deploy it"
        )
    group = next(iter(ids.get(_GROUP, ())), "default")
    return DrillsStack(name, found, [each for each in ids.get(_SCHEDULE, ()) if each], group)


def running(aws: Aws, drill: DeployedDrill) -> str | None:
    """ARN of the run of a drill that is under way; None where there is none."""
    found = aws(*EXECUTIONS, stateMachineArn=drill.arn, statusFilter="RUNNING", maxResults=1)
    return next((str(each["executionArn"]) for each in found["executions"]), None)


def _drill(aws: Aws, arn: str, place: Location) -> DeployedDrill | None:
    try:
        answer = aws(*STATE_MACHINE, stateMachineArn=arn)
    except NotThereError:
        return None
    try:
        definition = document(answer["definition"])
        plan = _plan_in(definition)
        if plan is None:
            return None
        drill = DeployedDrill(Plan.from_json(plan), arn, answer["creationDate"].timestamp())
    except (DataError, ValueError) as error:
        raise UserError(
            f"{arn}: this release can't read its plan ({error}); use the release that deployed it, "
            "or deploy the drills again with this one"
        ) from None
    if (drill.plan.service, drill.plan.environment) != (place.service, place.environment):
        raise UserError(
            f"{arn}: is a drill of {drill.plan.service} in {drill.plan.environment}; name these"
        )
    return drill


def _plan_in(definition: object) -> object | None:
    """The plan that the first state of a drill holds; None where it is no drill."""
    found = definition.get("States") if isinstance(definition, dict) else None
    state = found.get(states.PLAN) if isinstance(found, dict) else None
    result = state.get("Result") if isinstance(state, dict) else None
    return result.get("plan") if isinstance(result, dict) else None
