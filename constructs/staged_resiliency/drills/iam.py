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
from staged_resiliency.shared.literals import is_literal

# Why a wildcard has no narrower form, by how it ends; for reviewers, beside the role.
_WHY_WILDCARD: Final[Mapping[str, str]] = {
    ".Arn>/*": "Keys of journals are made while a drill runs; the bucket holds nothing else.",
    ":experiment/*": "Ids of experiments are made when they start; templates are named one by one.",
    ":key/*": "Which key the topic has is known to the topic alone; allowed only through SNS.",
    ":GenerateDataKey*": "Both forms of one action, as SNS asks; allowed only through SNS.",
    "-drill-*:*": "The lock may be held by a run of a drill that has since been renamed or taken "
    "out; whether it runs is only read.",
    ":*": "Executions are named when they start; the state machine is this drill's.",
    "*": "The action takes no resource in a policy (Service Authorization Reference), or, as "
    "DescribeAlarms with composite alarms, needs all of them; it reads, or is held to the region, "
    "to the namespace, or to what the role itself began.",
}


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
    statements: Sequence[Statement],
    more: Callable[[], Sequence[Statement]] | None = None,
) -> iam.CfnRole:
    """A role with one inline policy, whose wildcards are acknowledged with their reasons.

    Args:
        scope: The parent.
        construct_id: Id below the parent.
        description: Who takes it, and for what.
        trusted: The trust policy.
        statements: What it may do.
        more: Gives the statements instead when the template is written, where they grow till then.
    """
    made = iam.CfnRole(
        scope,
        construct_id,
        description=description,
        assume_role_policy_document=trusted,
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="Drills",
                policy_document={
                    "Version": "2012-10-17",
                    "Statement": later(more) if more is not None else statements,
                },
            )
        ],
    )
    acknowledge_wildcards(made, statements)
    return made


def acknowledge_wildcards(made: iam.CfnRole, statements: Sequence[Statement]) -> None:
    """Tell cdk-nag why each wildcard of some statements has no narrower form.

    Args:
        made: The role that has the statements.
        statements: Those whose wildcards are told of.
    """
    found = {
        f"{kind}::{told}": told
        for statement in statements
        for kind in ("Action", "Resource")
        for value in _listed(statement[kind])
        for told in [_told(made, value)]
        if "*" in told
    }
    for finding, told in found.items():
        reason = next(why for end, why in _WHY_WILDCARD.items() if told.endswith(end))
        Validations.of(made).acknowledge(
            Acknowledgment(id=f"AwsSolutions-IAM5[{finding}]", reason=reason)
        )


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


def _told(made: iam.CfnRole, value: object) -> str:
    """An action or a resource as cdk-nag names it."""
    literal = isinstance(value, str) and is_literal(value)
    return str(value) if literal else _flat(Stack.of(made).resolve(value))


def _flat(resolved: object) -> str:
    """A resolved value as cdk-nag writes it: references by their names, in angle brackets."""
    match resolved:
        case str():
            return resolved
        case {"Ref": str() as name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str() as name, str() as attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [str() as separator, list() as parts]}:
            return separator.join(map(_flat, parts))
    return str(resolved)


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
