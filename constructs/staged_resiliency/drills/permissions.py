"""What a function of drills may do: its list of actions, as statements scoped to one service."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from staged_resiliency.drills.faults import Place, Statement, start_with_encrypted_volumes
from staged_resiliency.drills.functions import Function, Resource

# Route 53 has one region only, and whoever asks it asks there.
_NOT_REGIONAL: Final = ("route53:TestDNSAnswer",)


@dataclass(slots=True)
class Scope:
    """What permissions of a service's drills are scoped to; lists grow with the drills.

    Attributes:
        place: Where the drills are.
        bucket_arn: The journals' bucket.
        namespace: CloudWatch namespace of the results.
        topic_arn: Topic of the verdicts.
        any_machine: Pattern of the names of the state machines of all drills that the service has,
            had or will have.
        machines: Names of the state machines.
        templates: Ids of the experiment templates.
        instances: ARNs of the instances that are broken.
        volume_keys: ARNs of the keys of their volumes.
    """

    place: Place
    bucket_arn: str
    namespace: str
    topic_arn: str
    any_machine: str
    machines: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    volume_keys: list[str] = field(default_factory=list)

    def arn(self, service: str, rest: str) -> str:
        """The ARN of something in the drills' account and region."""
        place = self.place
        return f"arn:{place.partition}:{service}:{place.region}:{place.account}:{rest}"

    @property
    def machine_arns(self) -> Sequence[str]:
        """ARNs of the state machines."""
        return [self.arn("states", f"stateMachine:{name}") for name in self.machines]

    def arns(self, resource: Resource) -> Sequence[str]:
        """The ARNs that a permission is for."""
        match resource:
            case Resource.EXECUTIONS:
                return [self.arn("states", f"execution:{name}:*") for name in self.machines]
            case Resource.EXPERIMENTS:
                return [self.arn("fis", "experiment/*")]
            case Resource.INSTANCES:
                return list(dict.fromkeys(self.instances))
            case Resource.LOCK_HOLDERS:
                return [self.arn("states", f"execution:{self.any_machine}:*")]
            case Resource.JOURNAL_BUCKET:
                return [self.bucket_arn]
            case Resource.JOURNAL_OBJECTS:
                return [f"{self.bucket_arn}/*"]
            case Resource.STATE_MACHINES:
                return self.machine_arns
            case Resource.TEMPLATES:
                return [self.arn("fis", f"experiment-template/{each}") for each in self.templates]
            case Resource.TOPIC:
                return [self.topic_arn]
            case _:
                return ["*"]

    def condition(self, resource: Resource) -> Mapping[str, object] | None:
        """What limits a permission on all resources."""
        if resource is Resource.METRICS:
            return {"StringEquals": {"cloudwatch:namespace": self.namespace}}
        if resource in (Resource.ALARMS, Resource.ANY):
            return {"StringEquals": {"aws:RequestedRegion": self.place.region}}
        return None


def statements_of(function: Function, scope: Scope) -> Sequence[Statement]:
    """What a function may do, one statement for all actions on the same resources."""
    resources: dict[str, list[Resource]] = defaultdict(list)
    for each in function.permissions:
        resources[each.action].append(each.resource)
    actions: dict[tuple[tuple[Resource, ...], bool], list[str]] = defaultdict(list)
    for action, found in resources.items():
        actions[tuple(found), action not in _NOT_REGIONAL].append(action)
    return [
        *(_statement(on, actions[on, here], scope, regional=here) for on, here in actions),
        *_besides(function, scope),
    ]


def _statement(
    resources: Sequence[Resource], actions: Iterable[str], scope: Scope, *, regional: bool
) -> Statement:
    words = "And".join(each.name.title().replace("_", "") for each in resources)
    condition = scope.condition(resources[0]) if regional else None
    return {
        "Sid": f"On{words}" if regional else f"On{words}Elsewhere",
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": [arn for each in resources for arn in scope.arns(each)],
        **({"Condition": condition} if condition else {}),
    }


def _besides(function: Function, scope: Scope) -> Iterator[Statement]:
    """What follows from an action, and is asked for by AWS under the caller's name."""
    place = scope.place
    actions = {each.action for each in function.permissions}
    if "sns:Publish" in actions:
        # An encrypted topic asks its key under the publisher's name. Which key is known to the
        # topic alone, so the permission is held to requests that come through SNS:
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        yield {
            "Sid": "EncryptForTheTopic",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": scope.arn("kms", "key/*"),
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
    if "ec2:StartInstances" in actions and scope.volume_keys:
        yield start_with_encrypted_volumes(scope.volume_keys, place)
