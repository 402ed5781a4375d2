"""The Lambda functions of a service's drills: the duty and the permissions of each.

One set of functions serves all drills of a service: each call carries the drill's plan. Functions
with the same duty share a role.
"""

from collections.abc import Iterable, Mapping, Sequence
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
    EXECUTIONS = "executions"
    """Executions of the service's drills."""
    EXPERIMENTS = "experiments"
    """FIS experiments: ``experiment/*``, since their ids are made when they start."""
    INSTANCES = "instances"
    """Instances that are targets of the service's drills."""
    JOURNAL_BUCKET = "journal bucket"
    """The bucket itself; it holds journals of the service's drills only."""
    JOURNAL_OBJECTS = "journal objects"
    """All objects in the bucket."""
    LOCK_HOLDERS = "lock holders"
    """Executions of all drills that the service ever had: the lock may be held by a run of a drill
    that has since been renamed or removed."""
    METRICS = "metrics"
    """``*``, limited to the namespace by the condition key cloudwatch:namespace."""
    STATE_MACHINES = "state machines"
    """State machines of the service's drills."""
    TEMPLATES = "templates"
    """FIS templates of the service's drills."""
    TOPIC = "topic"
    """The topic that verdicts are sent to."""


@dataclass(frozen=True, slots=True)
class Permission:
    """An IAM action and its resources."""

    action: str
    resource: Resource


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function.

    Attributes:
        name: By which ``definition`` is given its ARN.
        duty: What it is for; functions with the same duty share a role.
    """

    name: str
    duty: str
    timeout_seconds: int
    permissions: tuple[Permission, ...]
    memory_mebibytes: int = 256

    @property
    def handler(self) -> str:
        """The handler, in the form that Lambda takes."""
        return f"{_MODULE}.{self.name}"

    @property
    def construct_id(self) -> str:
        """The id of its construct."""
        return construct_id(self.name)


_SAVE: Final = (Permission("s3:PutObject", Resource.JOURNAL_OBJECTS),)
_LOAD: Final = (
    Permission("s3:GetObject", Resource.JOURNAL_OBJECTS),
    Permission("s3:ListBucket", Resource.JOURNAL_BUCKET),
)
_LOOK: Final = (
    Permission("cloudwatch:DescribeAlarms", Resource.ALARMS),
    Permission("route53:TestDNSAnswer", Resource.ANY),
)
_END: Final = (
    Permission("ec2:DescribeInstances", Resource.ANY),
    Permission("ec2:StartInstances", Resource.INSTANCES),
    Permission("fis:GetExperiment", Resource.EXPERIMENTS),
    Permission("fis:ListExperiments", Resource.ANY),
    Permission("fis:StopExperiment", Resource.EXPERIMENTS),
)
_RECORD: Final = (
    Permission("cloudwatch:PutMetricData", Resource.METRICS),
    Permission("sns:Publish", Resource.TOPIC),
)


def _function(
    name: str, timeout_seconds: int, *permissions: Permission, duty: str = ""
) -> Function:
    ordered = tuple(_in_order(permissions))
    return Function(name, duty or name, timeout_seconds, ordered)


def _in_order(permissions: Iterable[Permission]) -> Sequence[Permission]:
    """The permissions without duplicates, sorted by action and resource."""
    return sorted(set(permissions), key=lambda each: (each.action, each.resource.value))


PREFLIGHT: Final = _function(
    "preflight",
    90,
    Permission("cloudwatch:DescribeAlarms", Resource.ALARMS),
    Permission("ec2:DescribeInstances", Resource.ANY),
    Permission("fis:ListExperiments", Resource.ANY),
    Permission("s3:GetObject", Resource.JOURNAL_OBJECTS),
    Permission("ssm:DescribeInstanceInformation", Resource.ANY),
    Permission("states:DescribeExecution", Resource.LOCK_HOLDERS),
    *_SAVE,
)
"""Checks whether a run may begin, and takes the service's lock."""

STEADY_STATE: Final = _function("steady_state", 90, *_LOOK, *_SAVE, duty="observe")
"""Checks that the active host serves, by DNS and by ``/version/``."""

INJECT: Final = _function(
    "inject",
    120,
    Permission("fis:StartExperiment", Resource.TEMPLATES),
    Permission("fis:StartExperiment", Resource.EXPERIMENTS),
    Permission("fis:TagResource", Resource.EXPERIMENTS),
    Permission("fis:GetExperiment", Resource.EXPERIMENTS),
    Permission("fis:ListExperiments", Resource.ANY),
    *_LOOK,
    Permission("fis:ListExperimentResolvedTargets", Resource.EXPERIMENTS),
    *_LOAD,
    *_SAVE,
)
"""Starts the experiment and waits until its fault begins."""

OBSERVE: Final = _function(
    "observe",
    120,
    Permission("fis:GetExperiment", Resource.EXPERIMENTS),
    *_LOOK,
    *_LOAD,
    *_SAVE,
    duty="observe",
)
"""Observes what clients see while the fault lasts."""

END_FAULT: Final = _function("end_fault", 120, *_END, *_LOOK, *_LOAD, *_SAVE)
"""Ends the fault, waits until it is over, and goes on observing."""

FAILBACK: Final = _function("failback", 120, *_LOOK, *_LOAD, *_SAVE, duty="observe")
"""Observes what clients see once the fault is over."""

RECORD: Final = _function("record", 90, *_RECORD, *_LOAD, *_SAVE)
"""Records the verdict: journal, metrics, message."""

CLEANUP: Final = _function(
    "cleanup",
    900,
    Permission("states:DescribeStateMachineForExecution", Resource.EXECUTIONS),
    Permission("states:ListExecutions", Resource.STATE_MACHINES),
    *_END,
    *_LOOK,
    *_RECORD,
    *_LOAD,
    *_SAVE,
)
"""Ends the fault of a run that was aborted, timed out or failed, and records its verdict."""

WATCHDOG: Final = _function(
    "watchdog",
    120,
    Permission("cloudwatch:PutMetricData", Resource.METRICS),
    Permission("states:DescribeStateMachine", Resource.STATE_MACHINES),
    *_LOAD,
)
"""Publishes, for each drill, the days since it last passed, and its score."""

OF_THE_MACHINE: Final = (
    PREFLIGHT,
    STEADY_STATE,
    INJECT,
    OBSERVE,
    END_FAULT,
    FAILBACK,
    RECORD,
)
"""The functions that the state machine calls."""

ALL: Final = (*OF_THE_MACHINE, CLEANUP, WATCHDOG)
"""All functions."""


def construct_id(name: str) -> str:
    """The name of a function or duty in the form of a construct ID.

    Example:
        >>> construct_id("end_fault")
        'EndFault'
    """
    return "".join(word.title() for word in name.split("_"))


def by_duty() -> Mapping[str, Sequence[Function]]:
    """All functions, by their duties: those of one duty share a role."""
    found: dict[str, list[Function]] = {}
    for each in ALL:
        found.setdefault(each.duty, []).append(each)
    return found


def permissions_of(functions: Iterable[Function]) -> Sequence[Permission]:
    """The permissions of some functions together."""
    return _in_order(each for function in functions for each in function.permissions)
