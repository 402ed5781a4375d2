"""Reads the deployed templates of stacks, and which of their drills run."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from resiliency.account.account import Account
from resiliency.account.readers import STACK_TEMPLATE, template_of_stack
from resiliency.cloud_assembly import SynthesizedStack
from resiliency.drill_cli.aws import EXECUTIONS, STACK, Aws
from resiliency.errors import UserError
from resiliency.review.sides import require_template

NEEDS: Final = (STACK_TEMPLATE, STACK, EXECUTIONS)
_PERMISSIONS: Final = "docs/reviewing-change-sets.md lists the permissions that it needs"
_MACHINE: Final = "AWS::StepFunctions::StateMachine"


@dataclass(frozen=True, slots=True)
class DeployedTemplates:
    """The deployed templates of stacks, and the state machines that are running.

    Attributes:
        stacks: Those of the stacks asked for that exist.
        running: State machines with a run in progress, by stack and logical id.
        not_asked: Stacks of other accounts.
    """

    stacks: list[SynthesizedStack] = field(default_factory=list)
    running: dict[tuple[str, str], str] = field(default_factory=dict)
    not_asked: list[str] = field(default_factory=list)


def read_deployed(after: Sequence[SynthesizedStack], profile: str | None) -> DeployedTemplates:
    """Read the deployed templates of stacks, and which of their state machines run.

    Raises:
        UserError: AWS could not be asked, or all stacks are in another account.
    """
    found = DeployedTemplates()
    account = Account(_region(after[0]), profile, permissions=_PERMISSIONS)
    for stack in after:
        if stack.account in ("", "unknown-account", account.id):
            _read_stack(account.in_region(_region(stack) or account.region), stack, found)
        else:
            found.not_asked.append(stack.name)
    if len(found.not_asked) == len(after):
        raise UserError(
            f"the credentials are those of account {account.id}, and all stacks are in another "
            "one; give --profile with that account's"
        )
    return found


def as_deployed(stack: SynthesizedStack) -> SynthesizedStack:
    """Return a stack with its template as CloudFormation returns it: with ``?`` for non-ASCII."""
    text = re.sub(r"[^\x00-\x7f]", "?", json.dumps(stack.template, ensure_ascii=False))
    return replace(stack, template=json.loads(text))


def _region(stack: SynthesizedStack) -> str | None:
    return None if stack.region in ("", "unknown-region") else stack.region


def _read_stack(aws: Aws, stack: SynthesizedStack, found: DeployedTemplates) -> None:
    template = template_of_stack(aws, stack.name)
    if template is None:
        return  # it is new
    found.stacks.append(require_template(replace(stack, template=template)))
    for each in aws.all(STACK, "StackResourceSummaries", StackName=stack.name):
        arn = each.get("PhysicalResourceId")
        if each["ResourceType"] == _MACHINE and arn:
            runs = aws(*EXECUTIONS, stateMachineArn=arn, statusFilter="RUNNING", maxResults=1)
            for run in runs["executions"]:
                found.running[stack.name, each["LogicalResourceId"]] = str(run["name"])
