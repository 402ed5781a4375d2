"""What each subcommand asks of AWS: the least rights that it needs.

docs/drill-command.md has the same as a table; a test holds both against recorded calls.
"""

from collections.abc import Mapping
from typing import Final

Operation = tuple[str, str]
"""An API as botocore names it, and its operation."""

IDENTITY: Final[Operation] = ("sts", "GetCallerIdentity")
"""Needs no right."""

STACK: Final[Operation] = ("cloudformation", "ListStackResources")
STATE_MACHINE: Final[Operation] = ("stepfunctions", "DescribeStateMachine")
EXECUTIONS: Final[Operation] = ("stepfunctions", "ListExecutions")
START: Final[Operation] = ("stepfunctions", "StartExecution")
EXECUTION: Final[Operation] = ("stepfunctions", "DescribeExecution")
HISTORY: Final[Operation] = ("stepfunctions", "GetExecutionHistory")
SCHEDULE: Final[Operation] = ("scheduler", "GetSchedule")
OBJECTS: Final[Operation] = ("s3", "ListObjectsV2")
OBJECT: Final[Operation] = ("s3", "GetObject")
INSTANCES: Final[Operation] = ("ec2", "DescribeInstances")
TEMPLATE: Final[Operation] = ("fis", "GetExperimentTemplate")
EXPERIMENTS: Final[Operation] = ("fis", "ListExperiments")
ALARMS: Final[Operation] = ("cloudwatch", "DescribeAlarms")
MANAGED: Final[Operation] = ("ssm", "DescribeInstanceInformation")

_FIND: Final = (IDENTITY, STACK, STATE_MACHINE)
_READ: Final = (OBJECTS, OBJECT)
_FOLLOW: Final = (*_FIND, EXECUTIONS, EXECUTION, HISTORY, *_READ)

NEEDS: Final[Mapping[str, tuple[Operation, ...]]] = {
    "list": (*_FIND, EXECUTIONS, SCHEDULE, *_READ),
    "preview": (*_FIND, EXECUTIONS, INSTANCES, TEMPLATE, EXPERIMENTS, ALARMS, MANAGED),
    "start": (*_FOLLOW, START),
    "follow": _FOLLOW,
    "report": (*_FIND, *_READ),
}
"""The operations of each subcommand. An encrypted bucket adds kms:Decrypt of its key."""

_PREFIXES: Final[Mapping[str, str]] = {"stepfunctions": "states"}
_ACTIONS: Final[Mapping[Operation, str]] = {OBJECTS: "s3:ListBucket"}


def action(service: str, operation: str) -> str:
    """The IAM action that authorizes an operation."""
    named = _ACTIONS.get((service, operation))
    return named or f"{_PREFIXES.get(service, service)}:{operation}"
