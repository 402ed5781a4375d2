"""The Lambda functions of a service's drills, one for each duty, and what each may do.

One set of functions serves all drills of a service: each call carries the drill's plan.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

RUNTIME_VERSION: Final = "3.14"
"""Python version of the Lambda runtime."""

_MODULE: Final = "staged_resiliency.drills.runtime.handlers"


class Resource(Enum):
    """The resources of a permission."""

    ANY = "*"
    """All resources, since the API supports no resource-level permissions."""
    ALARMS = "alarms"
    """``*``, limited to the region: with anything narrower DescribeAlarms returns no composite
    alarms, and a service may name some:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"""
    CLIENT = "client"
    """The function in the VPC of private hosts; no statement where there is none."""
    CALENDARS = "calendars"
    """The change calendars that runs obey; no statement where there are none."""
    EBS_KEY = "EBS key"
    """The key that AWS manages for EBS, by its alias."""
    EXECUTIONS = "executions"
    """Executions of all drills that the service ever had: a run may be of one that has since been
    renamed or removed."""
    GREMLIN_SECRET = "Gremlin secret"  # noqa: S105 - a kind of resource
    """The secret that holds the key of Gremlin's API; no statement with another engine."""
    EXPERIMENTS = "experiments"
    """FIS experiments with the tags of this service and environment."""
    HOSTS = "hosts"
    """Both instances of the pair, and any with the Name tag of one of the hosts: the right to start
    a host outlives an exchange of its instance."""
    JOURNAL_BUCKET = "journal bucket"
    """The bucket itself; it holds journals of the service's drills only."""
    JOURNAL_OBJECTS = "journal objects"
    """All objects in the bucket."""
    LOCKS = "locks"
    """The locks of instances in Parameter Store."""
    METRICS = "metrics"
    """``*``, limited to the namespace by the condition key cloudwatch:namespace."""
    NEW_EXPERIMENTS = "new experiments"
    """FIS experiments that are tagged with this service and environment as they start."""
    OWN_OBJECTS = "own objects"
    """The objects that the functions create: all but the approvals, which people write."""
    STACK = "stack"
    """The stack with records and alarms; no statement where it is not known."""
    STATE_MACHINES = "state machines"
    """State machines of all drills that the service has, had or will have."""
    TEMPLATES = "templates"
    """FIS templates with the tags of this service and environment."""
    TOPIC = "topic"
    """The topic that verdicts are sent to."""


@dataclass(frozen=True, slots=True)
class Permission:
    """An IAM action and its resources."""

    action: str
    resource: Resource


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function, with a role of its own.

    Attributes:
        name: By which ``definition`` is given its ARN.
        duty: What it does, for people.
        reserved: Executions that are reserved for it; None for none.
    """

    name: str
    duty: str
    timeout_seconds: int
    permissions: tuple[Permission, ...]
    reserved: int | None = None
    memory_mebibytes: int = 256

    @property
    def handler(self) -> str:
        """The handler, in the form that Lambda takes."""
        return f"{_MODULE}.{self.name}"

    @property
    def construct_id(self) -> str:
        """The id of its construct."""
        return self.name.title()


_SAVE: Final = (
    Permission("s3:ListBucket", Resource.JOURNAL_BUCKET),
    Permission("s3:PutObject", Resource.OWN_OBJECTS),
)
_LOAD_AND_SAVE: Final = (*_SAVE, Permission("s3:GetObject", Resource.JOURNAL_OBJECTS))
_ROUTE53_ANSWER: Final = "route53:TestDNSAnswer"
_LOOK: Final = (
    Permission("cloudwatch:DescribeAlarms", Resource.ALARMS),
    Permission("fis:GetExperiment", Resource.EXPERIMENTS),
    Permission("fis:ListExperiments", Resource.ANY),
    Permission("lambda:InvokeFunction", Resource.CLIENT),
    Permission(_ROUTE53_ANSWER, Resource.ANY),
    Permission("ssm:GetParametersByPath", Resource.LOCKS),
)


def _in_order(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    """The permissions without duplicates, sorted by action and resource."""
    return tuple(sorted(set(permissions), key=lambda each: (each.action, each.resource.value)))


OBSERVE: Final = Function(
    "observe",
    "checks whether a run may begin, takes the lock, and observes what clients see",
    120,
    _in_order(
        (
            *_LOOK,
            *_LOAD_AND_SAVE,
            Permission("cloudformation:DescribeStacks", Resource.STACK),
            Permission("ec2:DescribeInstances", Resource.ANY),
            Permission("ec2:DescribeVolumes", Resource.ANY),
            Permission("fis:ListExperimentTemplates", Resource.ANY),
            Permission("kms:DescribeKey", Resource.EBS_KEY),
            Permission("ssm:DeleteParameter", Resource.LOCKS),
            Permission("ssm:DescribeInstanceInformation", Resource.ANY),
            Permission("ssm:GetCalendarState", Resource.CALENDARS),
            Permission("ssm:PutParameter", Resource.LOCKS),
        )
    ),
)
"""Preflight, steady state, observation before, during and after the fault."""

INJECT: Final = Function(
    "inject",
    "starts the experiment, and waits until its fault begins",
    120,
    _in_order(
        (
            *_LOOK,
            *_SAVE,
            Permission("cloudformation:DescribeStacks", Resource.STACK),
            Permission("fis:ListExperimentResolvedTargets", Resource.EXPERIMENTS),
            Permission("fis:StartExperiment", Resource.NEW_EXPERIMENTS),
            Permission("fis:StartExperiment", Resource.TEMPLATES),
            Permission("fis:TagResource", Resource.NEW_EXPERIMENTS),
        )
    ),
)
"""The one function that can begin a fault."""

END: Final = Function(
    "end",
    "ends the fault, records the verdict, cleans up, and counts the days since a drill passed",
    900,
    _in_order(
        (
            *_LOOK,
            *_LOAD_AND_SAVE,
            Permission("cloudwatch:PutMetricData", Resource.METRICS),
            Permission("ec2:DescribeInstances", Resource.ANY),
            Permission("ec2:StartInstances", Resource.HOSTS),
            Permission("fis:StopExperiment", Resource.EXPERIMENTS),
            Permission("sns:Publish", Resource.TOPIC),
            Permission("ssm:ListCommandInvocations", Resource.ANY),
            Permission("ssm:PutParameter", Resource.LOCKS),
            Permission("states:DescribeExecution", Resource.EXECUTIONS),
            Permission("states:DescribeStateMachine", Resource.STATE_MACHINES),
            Permission("states:DescribeStateMachineForExecution", Resource.EXECUTIONS),
        )
    ),
    reserved=5,
)
"""End fault, record, announce; the cleanup; the watchdog. Its concurrency is reserved, so that no
other function of the account keeps a fault from being ended."""

ALL: Final = (OBSERVE, INJECT, END)
"""The functions that the state machine calls; none of them is in a VPC."""

CLIENT: Final = Function(
    "client",
    "resolves names and asks hosts as their clients do, from within their VPC",
    9,  # longer than a name and a host may take, shorter than its callers wait
    (),
)
"""Where hosts are private: what clients see. It is called by the others and calls nothing of AWS,
so its VPC needs neither NAT nor endpoints, and no fault is ended through that VPC."""

_READ_KEY: Final = Permission("secretsmanager:GetSecretValue", Resource.GREMLIN_SECRET)
GREMLIN: Final[Mapping[str, tuple[Permission, ...]]] = {
    OBSERVE.name: (_READ_KEY, Permission("ec2:DescribeInstanceAttribute", Resource.ANY)),
    INJECT.name: (_READ_KEY, Permission("ec2:DescribeInstances", Resource.ANY)),
    END.name: (_READ_KEY,),
}
"""The permissions of each function where Gremlin injects the faults, besides its own. The function
*inject* then starts no experiment of AWS FIS; *end* still ends those of runs that began before."""

_STARTS_EXPERIMENTS: Final = (Resource.NEW_EXPERIMENTS, Resource.TEMPLATES)


def permissions_of(
    function: Function, *, without: Collection[Resource], gremlin: bool = False
) -> Sequence[Permission]:
    """The permissions that a function needs, without those on resources that do not exist.

    In a VPC its resolver is asked, not Route 53, which shows its answer of public zones alone.
    """
    wanted = function.permissions
    if gremlin:
        without = [*without, *_STARTS_EXPERIMENTS]
        wanted = _in_order((*wanted, *GREMLIN[function.name]))
    in_vpc = Resource.CLIENT not in without
    return [
        each
        for each in wanted
        if each.resource not in without and not (in_vpc and each.action == _ROUTE53_ANSWER)
    ]
