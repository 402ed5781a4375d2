"""IAM roles of drills: who may assume them, what each may do, and the reason for each wildcard."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import (
    IResolvable,
    IStableAnyProducer,
    IStableStringProducer,
    Lazy,
    Stack,
)
from aws_cdk import aws_iam as iam
from constructs import Construct

from staged_resiliency.drills.faults import Place, Statement
from staged_resiliency.shared.acknowledge import acknowledge
from staged_resiliency.shared.stacks import region_of, stack_of

# Why a wildcard has no narrower form, by how it ends; for reviewers, beside the role.
_WHY_WILDCARD: Final[Mapping[str, str]] = {
    ".Arn>/*": "Keys of journals are made while a drill runs; the bucket holds nothing else.",
    ":experiment/*": "IDs of experiments are made when they start; limited to the tags of this "
    "service and environment.",
    ":experiment-template/*": "Limited to the tags of this service and environment, so that the "
    "role stays the same when a drill is added or removed.",
    ":instance/*": "A host must be started even if its instance was exchanged in the service "
    "file during a drill; limited to the Name tags of the two hosts.",
    ":key/*": "For a topic, whose key is known to the topic alone: allowed only through SNS. For "
    "EBS, whose key AWS manages: allowed only by the alias alias/aws/ebs, and only to describe.",
    ":GenerateDataKey*": "Both forms of one action, which SNS needs; allowed only through SNS.",
    "/drill-locks/*": "The lock of an instance that the service file no longer names is released "
    "too; the path holds nothing else.",
    "-drill-*": "All drills that the service has, had or will have: a run of a drill that was "
    "renamed or removed still ends its fault.",
    "-drill-*:*": "Executions are named when they start; of all drills that the service ever had.",
    "/*": "Objects are named while a drill runs; the folder is the functions' own.",
    "*": "The action takes no resource in a policy (Service Authorization Reference), or needs all "
    "of them, as DescribeAlarms with composite alarms does; it only reads, or is limited to the "
    "region, to the namespace, or to what the role itself began.",
}


@jsii.implements(IStableAnyProducer)
class _LazyValue:
    def __init__(self, value: Callable[[], object]) -> None:
        self._value = value

    def produce(self) -> object:
        """Return the value."""
        return self._value()


def lazy(value: Callable[[], object]) -> IResolvable:
    """A token whose value is computed when the template is written.

    Each costs some calls into Node, so share one wherever the value is the same.
    """
    return Lazy.any(_LazyValue(value))


@jsii.implements(IStableStringProducer)
class _LazyText:
    def __init__(self, value: Callable[[], str]) -> None:
        self._value = value

    def produce(self) -> str:
        """Return the text."""
        return self._value()


def lazy_text(value: Callable[[], str]) -> str:
    """A string token whose value is computed when the template is written."""
    return Lazy.string(_LazyText(value))


_PLACES: Final[WeakKeyDictionary[Stack, Place]] = WeakKeyDictionary()


def place_of(scope: Construct) -> Place:
    """The partition, region and account of a construct's stack."""
    stack = stack_of(scope)
    if stack not in _PLACES:
        _PLACES[stack] = Place(stack.partition, region_of(stack), stack.account)
    return _PLACES[stack]


def trust(
    service: str, place: Place, source_arn: str | None, *, like: bool = True
) -> Mapping[str, object]:
    """The trust policy that lets an AWS service assume a role, for this account alone.

    ``source_arn``, a pattern if ``like``, is for which of its resources; None for Lambda, which
    sends no such condition.
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
    statements: Sequence[Statement | IResolvable],
) -> iam.CfnRole:
    """Create a role with one inline policy; the caller then calls ``acknowledge_wildcards``."""
    return iam.CfnRole(
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


def acknowledge_wildcards(owner: Construct, statements: Iterable[Statement | IResolvable]) -> None:
    """Acknowledge for cdk-nag each wildcard of some statements, with the reason for it.

    What is lazy is left out: who adds to it acknowledges that. Pass all statements of the owner's
    roles at once, since each call into Node takes time.
    """
    known = [each for each in statements if isinstance(each, Mapping)]
    found = {kind: _texts(each[kind] for each in known) for kind in ("Action", "Resource")}
    if any("${Token[" in text for texts in found.values() for text in texts):
        found = stack_of(owner).resolve(found)
    wildcards = {
        f"AwsSolutions-IAM5[{kind}::{text}]": _why(text)
        for kind, values in found.items()
        for text in map(_flat, values)
        if "*" in text
    }
    if wildcards:
        acknowledge(owner, wildcards)


def _texts(values: Iterable[object]) -> Sequence[str]:
    """The actions or resources of statements, without lists that are still lazy."""
    listed = (each for value in values for each in (value if isinstance(value, list) else [value]))
    return list(dict.fromkeys(each for each in listed if isinstance(each, str)))


def _why(wildcard: str) -> str:
    return next(why for end, why in _WHY_WILDCARD.items() if wildcard.endswith(end))


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
"""The permissions that Step Functions needs to write a log."""

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
"""The permissions that FIS needs to write a log."""
