"""Roles of drills: who may take them, and exactly what each may do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import jsii
from aws_cdk import (
    Acknowledgment,
    IResolvable,
    IStableAnyProducer,
    IStableStringProducer,
    Lazy,
    Stack,
    Validations,
)
from aws_cdk import aws_iam as iam
from constructs import Construct

from staged_resiliency.drills.faults import Place, Statement

# What AWS has no narrower resource for. Each is held to the region, or to what the role itself did.
_WHY_ANY: Final = (
    "The actions of this statement take no resource in a policy (Service Authorization Reference); "
    "they read, or are about log deliveries and commands of the role itself."
)


@jsii.implements(IStableAnyProducer)
class _Later:
    """A value that is asked for when the template is written."""

    def __init__(self, value: Callable[[], object]) -> None:
        self._value = value

    def produce(self) -> object:
        """The value."""
        return self._value()


def later(value: Callable[[], object]) -> IResolvable:
    """A value that may still grow, such as the statements about all drills of a service.

    Args:
        value: Gives it when the template is written.
    """
    return Lazy.any(_Later(value))


@jsii.implements(IStableStringProducer)
class _LaterText:
    def __init__(self, value: Callable[[], str]) -> None:
        self._value = value

    def produce(self) -> str:
        """The text."""
        return self._value()


def later_text(value: Callable[[], str]) -> str:
    """A text that may still grow.

    Args:
        value: Gives it when the template is written.
    """
    return Lazy.string(_LaterText(value))


def place_of(scope: Construct) -> Place:
    """Where a construct stands."""
    stack = Stack.of(scope)
    return Place(stack.partition, stack.region, stack.account)


def trust(
    service: str, place: Place, source_arn: str | None, *, like: bool = True
) -> Mapping[str, object]:
    """The trust policy of a role that a service takes, for this account's sources alone.

    Args:
        service: Such as ``fis``.
        place: Where the role is.
        source_arn: For which of its resources; None for Lambda, which sends no such condition.
        like: Whether the ARN is a pattern.
    """
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    if source_arn is not None:
        operator = "ArnLike" if like else "ArnEquals"
        statement["Condition"] = {
            "StringEquals": {"aws:SourceAccount": place.account},
            operator: {"aws:SourceArn": source_arn},
        }
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(
    scope: Construct,
    construct_id: str,
    *,
    description: str,
    trusted: Mapping[str, object],
    statements: Sequence[Statement] | IResolvable,
    acknowledged: Mapping[str, str],
) -> iam.CfnRole:
    """A role with one inline policy.

    Args:
        scope: The parent.
        construct_id: Id below the parent.
        description: Who takes it, and for what.
        trusted: The trust policy.
        statements: What it may do.
        acknowledged: Wildcards in resources, as cdk-nag names them, with why there is no
            narrower one.
    """
    made = iam.CfnRole(
        scope,
        construct_id,
        description=description,
        assume_role_policy_document=trusted,
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="Drills",
                policy_document={"Version": "2012-10-17", "Statement": statements},
            )
        ],
    )
    for resource, reason in acknowledged.items():
        Validations.of(made).acknowledge(
            Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{resource}]", reason=reason)
        )
    return made


ANY_RESOURCE: Final[Mapping[str, str]] = {"*": _WHY_ANY}
"""The wildcard of actions that take no resource."""

LOG_DELIVERY: Final[Statement] = {
    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    "Sid": "DeliverLogs",
    "Effect": "Allow",
    "Action": [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ],
    "Resource": "*",
}
"""What Step Functions needs to write a log."""

FIS_LOG_DELIVERY: Final[Statement] = {
    # https://docs.aws.amazon.com/fis/latest/userguide/monitoring-logging.html
    "Sid": "DeliverLogs",
    "Effect": "Allow",
    "Action": [
        "logs:CreateLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:PutResourcePolicy",
    ],
    "Resource": "*",
}
"""What FIS needs to write a log."""
