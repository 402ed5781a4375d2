"""The roles of a service's functions, state machines and schedules of drills."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from staged_resiliency.drills import functions
from staged_resiliency.drills.faults import Statement
from staged_resiliency.drills.functions import Function, Resource
from staged_resiliency.drills.iam import LOG_DELIVERY, acknowledge_wildcards, role, trust
from staged_resiliency.drills.permissions import Scope, statements_of
from staged_resiliency.shared.acknowledge import acknowledge

_INTERFACES: Final = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]
_WHY_ANY_INTERFACE: Final = (
    "Lambda makes and removes network interfaces with these permissions, whose ids nobody knows "
    "before, in subnets that another account may share; the function's own code is denied them."
)


class Roles:
    """Creates the roles, a method for each kind; each returns the ARN.

    The wildcards of all are acknowledged together, since each call into Node takes time.

    Args:
        owner: The parent of the roles.
        where: The resources of the service's drills.
        service: Short name of the service.
        undelivered_arn: The dead-letter queue of calls.
    """

    def __init__(
        self, owner: Construct, where: Scope, *, service: str, undelivered_arn: str
    ) -> None:
        self._owner: Final = owner
        self._where: Final = where
        self._service: Final = service
        self._undelivered_arn: Final = undelivered_arn
        self._statements: Final[list[Statement]] = []
        self._of_functions: Final[dict[Function, iam.CfnRole]] = {}

    def of_function(self, function: Function, log_arn: str, client_arn: str | None) -> str:
        """Create a function's role; ``client_arn`` is that of the function in the VPC, if any."""
        missing = {
            Resource.CALENDARS: not self._where.calendars,
            Resource.CLIENT: client_arn is None,
            Resource.STACK: not self._where.stack,
        }
        wanted = functions.permissions_of(
            function,
            without=[each for each, is_missing in missing.items() if is_missing],
            gremlin=self._where.gremlin_secret is not None,
        )
        statements: list[Statement] = [
            *statements_of(wanted, replace(self._where, client_arn=client_arn)),
            self._write_the_log(log_arn),
        ]
        if function is functions.END:
            statements += self._keep_undelivered("KeepFailedCalls")
        made = self._of_functions[function] = self._role(
            function.construct_id,
            f"Assumed by Lambda for the drills of {self._service}: {function.duty}.",
            # Lambda sends no source ARN when it assumes a role, so no condition can name one.
            trust("lambda", self._where.place, None),
            statements,
        )
        return made.attr_arn

    def let_functions(self, construct_id: str, statement: Statement) -> None:
        """Attach a policy with one more statement to the functions that check and end faults."""
        iam.CfnPolicy(
            self._owner,
            construct_id,
            policy_name=construct_id,
            policy_document={"Version": "2012-10-17", "Statement": [statement]},
            roles=[self._of_functions[each].ref for each in (functions.OBSERVE, functions.END)],
        )

    def let(self, function: Function, construct_id: str, statements: Sequence[Statement]) -> None:
        """Attach a policy with more statements to a function."""
        iam.CfnPolicy(
            self._owner,
            construct_id,
            policy_name=construct_id,
            policy_document={"Version": "2012-10-17", "Statement": statements},
            roles=[self._of_functions[function].ref],
        )
        acknowledge_wildcards(self._owner, statements)

    def of_client(self, log_arn: str) -> str:
        """Create the role of the function *client*, which Lambda attaches to a VPC.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
        """
        made = role(
            self._owner,
            f"{functions.CLIENT.construct_id}Role",
            description=f"Assumed by Lambda for the drills of {self._service}: "
            f"{functions.CLIENT.duty}.",
            trusted=trust("lambda", self._where.place, None),
            statements=[
                {
                    "Sid": "AttachToTheVpc",
                    "Effect": "Allow",
                    "Action": _INTERFACES,
                    "Resource": "*",
                },
                {
                    "Sid": "NotFromItsCode",
                    "Effect": "Deny",
                    "Action": _INTERFACES,
                    "Resource": "*",
                    "Condition": {
                        "ArnLike": {
                            "lambda:SourceFunctionArn": self._where.arn("lambda", "function:*")
                        }
                    },
                },
                self._write_the_log(log_arn),
            ],
        )
        acknowledge(made, {"AwsSolutions-IAM5[Resource::*]": _WHY_ANY_INTERFACE})
        return made.attr_arn

    def of_machines(self, function_arns: Iterable[str]) -> str:
        """Create the role of all drills' state machines."""
        return self._role(
            "Machine",
            f"Assumed by Step Functions to run the drills of {self._service}.",
            trust("states", self._where.place, self._where.any_machine_arn),
            [
                {
                    "Sid": "CallTheFunctions",
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": list(function_arns),
                },
                LOG_DELIVERY,
            ],
        ).attr_arn

    def of_schedules(self, schedules_arn: str, end_arn: str) -> str:
        """Create the role of all schedules, which start drills and call the function *end*."""
        return self._role(
            "Scheduler",
            f"Assumed by EventBridge Scheduler for {self._service}: to start drills, and to "
            "call the cleanup and the watchdog.",
            trust("scheduler", self._where.place, schedules_arn, like=False),
            [
                {
                    "Sid": "StartDrills",
                    "Effect": "Allow",
                    "Action": "states:StartExecution",
                    "Resource": self._where.any_machine_arn,
                },
                {
                    "Sid": "CallCleanupAndWatchdog",
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": end_arn,
                },
                *self._keep_undelivered("KeepUndelivered"),
            ],
        ).attr_arn

    def acknowledge(self) -> None:
        """Acknowledge the wildcards of all roles, for cdk-nag."""
        acknowledge_wildcards(self._owner, self._statements)

    def _role(
        self,
        name: str,
        description: str,
        trusted: Mapping[str, object],
        statements: Sequence[Statement],
    ) -> iam.CfnRole:
        self._statements.extend(statements)
        return role(
            self._owner,
            f"{name}Role",
            description=description,
            trusted=trusted,
            statements=statements,
        )

    def _write_the_log(self, log_arn: str) -> Statement:
        return {
            "Sid": "WriteTheLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": log_arn,
        }

    def _keep_undelivered(self, sid: str) -> list[Statement]:
        """The permission to send undelivered events to the dead-letter queue."""
        send: Statement = {
            "Sid": sid,
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": self._undelivered_arn,
        }
        if self._where.bucket_key is None:
            return [send]
        encrypt: Statement = {
            "Sid": "EncryptForTheQueue",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": self._where.bucket_key,
        }
        return [send, encrypt]
