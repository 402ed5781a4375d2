"""The Lambda functions of a service's drills, and what each asks of AWS.

One set serves all drills of a service: what they need to know comes with each call.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

RUNTIME_VERSION: Final = "3.14"
"""Python of the Lambda runtime."""

_MODULE: Final = "staged_resiliency.drills.runtime.handlers"


class Resource(Enum):
    """What a permission is scoped to."""

    ANY = "*"
    """The API has no narrower one."""
    ALARMS = "alarms"
    """``*``, held to the region: with anything narrower DescribeAlarms tells of no composite alarm,
    as if there were none, and a service may name some:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"""
    EXECUTIONS = "executions"
    """Executions of the service's drills."""
    EXPERIMENTS = "experiments"
    """FIS experiments: ``experiment/*``, whose ids nobody knows before."""
    INSTANCES = "instances"
    """Instances that the service's drills break."""
    JOURNAL_BUCKET = "journal bucket"
    """The bucket itself, all of it: it holds nothing but what the service's drills left."""
    JOURNAL_OBJECTS = "journal objects"
    """All objects in it."""
    LOCK_HOLDERS = "lock holders"
    """Executions of all drills that the service ever had: a drill that is renamed or taken out may
    be the last that took the lock, and whether it still runs must be asked."""
    METRICS = "metrics"
    """``*``, with the condition cloudwatch:namespace."""
    STATE_MACHINES = "state machines"
    """Those of the service's drills."""
    TEMPLATES = "templates"
    """FIS templates of the service's drills."""
    TOPIC = "topic"
    """That of the verdicts."""


@dataclass(frozen=True, slots=True)
class Permission:
    """An IAM action and what it is done to."""

    action: str
    resource: Resource


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function.

    Attributes:
        name: By which ``definition`` is given its ARN.
        handler: As Lambda takes it.
        timeout_seconds: Lambda's own timeout.
        permissions: All that it asks of AWS. An encrypted bucket or topic adds its key's.
        construct_id: Id of its construct; its name in camel case unless given.
        memory_mebibytes: Lambda's memory size.
    """

    name: str
    handler: str
    timeout_seconds: int
    permissions: tuple[Permission, ...]
    construct_id: str
    memory_mebibytes: int = 256


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
    name: str, timeout_seconds: int, *permissions: Permission, construct_id: str = ""
) -> Function:
    unique = dict.fromkeys(permissions)
    ordered = sorted(unique, key=lambda each: (each.action, each.resource.value))
    return Function(
        name,
        f"{_MODULE}.{name}",
        timeout_seconds,
        tuple(ordered),
        construct_id or "".join(each.title() for each in name.split("_")),
    )


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
"""Whether a run may begin. Takes the service's lock."""

STEADY_STATE: Final = _function("steady_state", 90, *_LOOK, *_SAVE)
"""Whether the active host serves, as DNS and ``/version/`` tell it."""

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
"""Starts the experiment and waits until the fault is there."""

OBSERVE: Final = _function(
    "observe", 120, Permission("fis:GetExperiment", Resource.EXPERIMENTS), *_LOOK, *_LOAD, *_SAVE
)
"""Watches what clients see while the fault lasts."""

END_FAULT: Final = _function("end_fault", 120, *_END, *_LOOK, *_LOAD, *_SAVE)
"""Ends the fault, waits until it is over, and watches on."""

FAILBACK: Final = _function("failback", 120, *_LOOK, *_LOAD, *_SAVE)
"""Watches what clients see once the fault is over."""

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
    construct_id="Sweep",
)
"""Ends the fault of a run that was aborted, timed out or failed, and records its verdict."""

WATCHDOG: Final = _function(
    "watchdog",
    120,
    Permission("cloudwatch:PutMetricData", Resource.METRICS),
    Permission("states:DescribeStateMachine", Resource.STATE_MACHINES),
    *_LOAD,
)
"""Publishes days since the last passed run, and the score, of each drill."""

OF_THE_MACHINE: Final = (
    PREFLIGHT,
    STEADY_STATE,
    INJECT,
    OBSERVE,
    END_FAULT,
    FAILBACK,
    RECORD,
)
"""Those that the state machine calls."""

ALL: Final = (*OF_THE_MACHINE, CLEANUP, WATCHDOG)
"""All of them."""
