"""The permissions of drills as policy statements, scoped to one service."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.faults import Place, Statement, start_hosts
from staged_resiliency.drills.functions import Permission, Resource
from staged_resiliency.drills.runtime import keys
from staged_resiliency.shared.literals import is_literal

# Requests to Route 53 go to its one region, wherever the caller is.
_NOT_REGIONAL: Final = ("route53:TestDNSAnswer",)


@dataclass(frozen=True, slots=True)
class Scope:
    """The resources of one service's drills.

    Attributes:
        tags: Tags of the service's experiments and templates.
        topic_arns: Topics of the messages.
        any_machine: Pattern of the names of the state machines of all drills that the service has,
            had or will have.
        hosts: Names of the hosts.
        instances: IDs of the hosts' instances, as far as they are known.
        volume_keys: ARNs of the keys of their volumes.
        calendars: ARNs of the change calendars.
        stack: Name of the stack with records and alarms; None where it is not known.
        bucket_key: ARN of the key of the journal bucket; None for S3's own.
        dashboard_name: The dashboard that FIS's reports show; None for none.
        client_arn: ARN of the function in the VPC of private hosts; None where there is none.
        gremlin_secret: ARN of the secret with the key of Gremlin's API; None with AWS FIS.
        gremlin_key: ARN of the KMS key of that secret; None for the one that AWS manages.
    """

    place: Place
    bucket_arn: str
    namespace: str
    tags: Mapping[str, str]
    topic_arns: Sequence[str]
    any_machine: str
    hosts: Sequence[str]
    instances: Sequence[str]
    volume_keys: Sequence[str]
    calendars: Sequence[str]
    stack: str | None
    bucket_key: str | None
    dashboard_name: str | None = None
    client_arn: str | None = None
    gremlin_secret: str | None = None
    gremlin_key: str | None = None

    def arn(self, service: str, rest: str) -> str:
        """The ARN of a resource in the drills' account and region."""
        place = self.place
        return f"arn:{place.partition}:{service}:{place.region}:{place.account}:{rest}"

    @property
    def dashboard_arn(self) -> str | None:
        """The ARN of the dashboard that FIS's reports show; None without a dashboard."""
        if self.dashboard_name is None:
            return None
        place = self.place
        return f"arn:{place.partition}:cloudwatch::{place.account}:dashboard/{self.dashboard_name}"

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

    def resources(self, *kinds: Resource) -> Sequence[str]:
        """The resources of a statement."""
        return [arn for kind in kinds for arn in self._arns_of(kind)]

    def _arns_of(self, resource: Resource) -> Sequence[str]:
        match resource:
            case Resource.CALENDARS:
                return list(self.calendars)
            case Resource.CLIENT:
                return [self.client_arn or ""]
            case Resource.EBS_KEY:
                return [self.arn("kms", "key/*")]
            case Resource.GREMLIN_SECRET:
                return [] if self.gremlin_secret is None else [self.gremlin_secret]
            case Resource.EXECUTIONS:
                return [self.arn("states", f"execution:{self.any_machine}:*")]
            case Resource.EXPERIMENTS | Resource.NEW_EXPERIMENTS:
                return [self.arn("fis", "experiment/*")]
            case Resource.JOURNAL_BUCKET:
                return [self.bucket_arn]
            case Resource.JOURNAL_OBJECTS:
                return [f"{self.bucket_arn}/*"]
            case Resource.LOCKS:
                return [self.arn("ssm", f"parameter{keys.LOCKS}/*")]
            case Resource.OWN_OBJECTS:
                return [f"{self.bucket_arn}/{each}*" for each in keys.OWN_FOLDERS]
            case Resource.STACK:
                return [self.arn("cloudformation", f"stack/{self.stack}/*")]
            case Resource.STATE_MACHINES:
                return [self.any_machine_arn]
            case Resource.TEMPLATES:
                return [self.arn("fis", "experiment-template/*")]
            case Resource.TOPIC:
                return self.topic_arns
            case _:
                return ["*"]

    def condition(self, resource: Resource) -> Mapping[str, object] | None:
        """The condition that limits a permission on more resources than it needs."""
        match resource:
            case Resource.METRICS:
                return {"StringEquals": {"cloudwatch:namespace": self.namespace}}
            case Resource.ALARMS | Resource.ANY:
                return {"StringEquals": {"aws:RequestedRegion": self.place.region}}
            case Resource.EBS_KEY:
                return {"StringEquals": {"kms:RequestAlias": "alias/aws/ebs"}}
            case Resource.EXPERIMENTS | Resource.TEMPLATES:
                return {"StringEquals": self._tagged("aws:ResourceTag")}
            case Resource.NEW_EXPERIMENTS:
                return {"StringEquals": self._tagged("aws:RequestTag")}
        return None

    def _tagged(self, key: str) -> Mapping[str, str]:
        return {f"{key}/{name}": value for name, value in self.tags.items()}


def tags_of(service: str, environment: str) -> Mapping[str, str]:
    """The tags of a service's experiments and templates, by which permissions are limited."""
    return {keys.SERVICE_TAG: service, keys.ENVIRONMENT_TAG: environment}


def statements_of(permissions: Iterable[Permission], scope: Scope) -> Sequence[Statement]:
    """Policy statements for some permissions, one for all actions on the same resources."""
    permissions = list(permissions)
    actions: dict[tuple[Resource, bool], list[str]] = defaultdict(list)
    for each in permissions:
        if each.resource is not Resource.HOSTS:
            actions[each.resource, each.action not in _NOT_REGIONAL].append(each.action)
    return [
        *(_statement(on, actions[on, here], scope, regional=here) for on, here in actions),
        *_implied({each.action for each in permissions}, scope),
    ]


def _statement(
    resource: Resource, actions: Iterable[str], scope: Scope, *, regional: bool
) -> Statement:
    name = resource.name.title().replace("_", "")
    condition = scope.condition(resource) if regional else None
    return {
        "Sid": f"On{name}" if regional else f"On{name}Elsewhere",
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": scope.resources(resource),
        **({"Condition": condition} if condition else {}),
    }


def _implied(actions: Collection[str], scope: Scope) -> Iterator[Statement]:
    """The permissions that need more than a list of resources, or that other permissions imply."""
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
    if "secretsmanager:GetSecretValue" in actions and scope.gremlin_key is not None:
        # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
        service = f"secretsmanager.{place.region}.amazonaws.com"
        yield {
            "Sid": "DecryptTheKeyOfGremlin",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": scope.gremlin_key,
            "Condition": {
                "StringEquals": {
                    "kms:ViaService": service,
                    "kms:EncryptionContext:SecretARN": scope.gremlin_secret,
                }
            },
        }
    if "s3:PutObject" in actions and scope.bucket_key is not None:
        yield {
            "Sid": "EncryptJournals",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": scope.bucket_key,
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
        yield from start_hosts(scope.hosts, scope.instances, scope.volume_keys, place)
