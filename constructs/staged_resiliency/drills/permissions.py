"""The permissions of drills as policy statements, scoped to one service."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aws_cdk import IResolvable

from staged_resiliency.drills.faults import Place, Statement, start_with_encrypted_volumes
from staged_resiliency.drills.functions import Permission, Resource
from staged_resiliency.drills.iam import lazy
from staged_resiliency.shared.literals import is_literal

# Requests to Route 53 go to its one region, wherever the caller is.
_NOT_REGIONAL: Final = ("route53:TestDNSAnswer",)
# Each drill adds to these, so they are complete only when the template is written.
_GROWING: Final = (
    Resource.EXECUTIONS,
    Resource.INSTANCES,
    Resource.STATE_MACHINES,
    Resource.TEMPLATES,
)


@dataclass(slots=True)
class Scope:
    """The resources of one service's drills; some lists grow with each drill.

    Attributes:
        topic_arns: Topics of the verdicts.
        any_machine: Pattern of the names of the state machines of all drills that the service has,
            had or will have.
        instances: ARNs of the instances that are broken.
        volume_keys: ARNs of the keys of their volumes.
    """

    place: Place
    bucket_arn: str
    namespace: str
    topic_arns: Sequence[str]
    any_machine: str
    machines: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    volume_keys: list[str] = field(default_factory=list)
    _lazy: dict[tuple[Resource, ...], IResolvable] = field(default_factory=dict)
    _volumes: IResolvable | None = None

    def arn(self, service: str, rest: str) -> str:
        """The ARN of a resource in the drills' account and region."""
        place = self.place
        return f"arn:{place.partition}:{service}:{place.region}:{place.account}:{rest}"

    @property
    def topic_keys(self) -> str | Sequence[str]:
        """The pattern of the ARNs of all keys of the accounts that the topics are in."""
        here = self.place.account
        accounts = dict.fromkeys(
            arn.split(":")[4] if is_literal(arn) else here for arn in self.topic_arns
        )
        found = [self.arn("kms", "key/*").replace(here, account) for account in accounts]
        return found[0] if len(found) == 1 else found

    @property
    def any_machine_arn(self) -> str:
        """The pattern of the ARNs of all state machines that the service has, had or will have."""
        return self.arn("states", f"stateMachine:{self.any_machine}")

    @property
    def machine_arns(self) -> Sequence[str]:
        """ARNs of the state machines."""
        return [self.arn("states", f"stateMachine:{name}") for name in self.machines]

    def execution_arns(self, *machines: str) -> Sequence[str]:
        """The pattern of the ARNs of all executions of each state machine, given its name."""
        return [self.arn("states", f"execution:{name}:*") for name in machines]

    def resources(self, *kinds: Resource) -> Sequence[str] | IResolvable:
        """The resources of a statement: a list, or one token for a list that still grows."""
        if not any(kind in _GROWING for kind in kinds):
            return self._arns(kinds)
        if kinds not in self._lazy:
            self._lazy[kinds] = lazy(lambda: self._arns(kinds))
        return self._lazy[kinds]

    def _arns(self, kinds: Sequence[Resource]) -> Sequence[str]:
        return [arn for kind in kinds for arn in self._arns_of(kind)]

    def _arns_of(self, resource: Resource) -> Sequence[str]:
        match resource:
            case Resource.EXECUTIONS:
                return self.execution_arns(*self.machines)
            case Resource.EXPERIMENTS:
                return [self.arn("fis", "experiment/*")]
            case Resource.INSTANCES:
                return list(dict.fromkeys(self.instances))
            case Resource.LOCK_HOLDERS:
                return self.execution_arns(self.any_machine)
            case Resource.JOURNAL_BUCKET:
                return [self.bucket_arn]
            case Resource.JOURNAL_OBJECTS:
                return [f"{self.bucket_arn}/*"]
            case Resource.STATE_MACHINES:
                return self.machine_arns
            case Resource.TEMPLATES:
                return [self.arn("fis", f"experiment-template/{each}") for each in self.templates]
            case Resource.TOPIC:
                return self.topic_arns
            case _:
                return ["*"]

    @property
    def start_with_encrypted_volumes(self) -> IResolvable:
        """The permission to use the KMS keys of all volumes; a token, empty without keys."""
        if self._volumes is None:
            self._volumes = lazy(
                lambda: (
                    start_with_encrypted_volumes(self.volume_keys, self.place)
                    if self.volume_keys
                    else None
                )
            )
        return self._volumes

    def condition(self, resource: Resource) -> Mapping[str, object] | None:
        """The condition that limits a permission on all resources."""
        if resource is Resource.METRICS:
            return {"StringEquals": {"cloudwatch:namespace": self.namespace}}
        if resource in (Resource.ALARMS, Resource.ANY):
            return {"StringEquals": {"aws:RequestedRegion": self.place.region}}
        return None


def statements_of(
    permissions: Iterable[Permission], scope: Scope
) -> Sequence[Statement | IResolvable]:
    """Policy statements for some permissions, one for all actions on the same resources."""
    resources: dict[str, list[Resource]] = defaultdict(list)
    for each in permissions:
        resources[each.action].append(each.resource)
    actions: dict[tuple[tuple[Resource, ...], bool], list[str]] = defaultdict(list)
    for action, found in resources.items():
        actions[tuple(found), action not in _NOT_REGIONAL].append(action)
    return [
        *(_statement(on, actions[on, here], scope, regional=here) for on, here in actions),
        *_implied(resources, scope),
    ]


def _statement(
    resources: Sequence[Resource], actions: Iterable[str], scope: Scope, *, regional: bool
) -> Statement:
    name = "And".join(each.name.title().replace("_", "") for each in resources)
    condition = scope.condition(resources[0]) if regional else None
    return {
        "Sid": f"On{name}" if regional else f"On{name}Elsewhere",
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": scope.resources(*resources),
        **({"Condition": condition} if condition else {}),
    }


def _implied(actions: Collection[str], scope: Scope) -> Iterator[Statement | IResolvable]:
    """The permissions for the calls that AWS makes on behalf of the caller of an action."""
    place = scope.place
    if "sns:Publish" in actions:
        # An encrypted topic uses its key in the publisher's name. Which key is known to the
        # topic alone, so the permission is limited to requests that come through SNS:
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        yield {
            "Sid": "EncryptForTheTopic",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": scope.topic_keys,
            "Condition": {"StringEquals": {"kms:ViaService": f"sns.{place.region}.amazonaws.com"}},
        }
    if "fis:StartExperiment" in actions:
        # The first experiment of an account makes FIS's own role:
        # https://docs.aws.amazon.com/fis/latest/userguide/using-service-linked-roles.html
        yield {
            "Sid": "MakeTheRoleOfFis",
            "Effect": "Allow",
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": (
                f"arn:{place.partition}:iam::{place.account}:role/aws-service-role/"
                "fis.amazonaws.com/AWSServiceRoleForFIS"
            ),
            "Condition": {"StringEquals": {"iam:AWSServiceName": "fis.amazonaws.com"}},
        }
    if "ec2:StartInstances" in actions:
        yield scope.start_with_encrypted_volumes
