"""An AWS FIS experiment: one fault, its role, and the alarms that stop it."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_fis as fis
from aws_cdk import aws_iam as iam
from constructs import Construct

from staged_resiliency.drills.faults import TARGET, Fault, Statement
from staged_resiliency.drills.iam import (
    FIS_LOG_DELIVERY,
    acknowledge_wildcards,
    place_of,
    role,
    trust,
)
from staged_resiliency.shared import limits, validation
from staged_resiliency.shared.errors import InvalidInputError

_LOG_SCHEMA: Final = 2
_Template = fis.CfnExperimentTemplate


class FaultExperiment(Construct):
    """An AWS FIS experiment template that injects one fault, with at least one stop alarm.

    Creates an ``AWS::FIS::ExperimentTemplate`` and the ``AWS::IAM::Role`` that FIS assumes, which
    may change this instance alone. The experiment fails where its target does not exist.

    Args:
        scope: The parent.
        construct_id: Id below the parent.
        name: Name of the template, its tag ``Name``.
        fault: What is broken, where, for how long.
        guards: Names of the alarms that stop it, 1 to 5, in this account and region.
        log_group_arn: The log group that FIS writes; its ARN ends in ``:*``.

    Raises:
        InvalidInputError: No guard, or more than FIS takes.

    Attributes:
        template_id: Id of the template.
        resource: The ``CfnExperimentTemplate``.
        role: The ``CfnRole`` that FIS assumes.

    See https://docs.aws.amazon.com/fis/latest/userguide/experiment-templates.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        fault: Fault,
        guards: Sequence[str],
        log_group_arn: str,
    ) -> None:
        require_guards("FaultExperiment", guards)
        super().__init__(scope, construct_id)
        place = place_of(self)
        statements = [*fault.statements(place), _describe_instances(place.region), FIS_LOG_DELIVERY]
        self.role: Final[iam.CfnRole] = role(
            self,
            "Role",
            description=f"Assumed by AWS FIS for the experiment {name}.",
            trusted=trust(
                "fis",
                place,
                f"arn:{place.partition}:fis:{place.region}:{place.account}:experiment/*",
            ),
            statements=statements,
        )
        acknowledge_wildcards(self, statements)
        action = fault.action(place)
        alarm_arn = f"arn:{place.partition}:cloudwatch:{place.region}:{place.account}:alarm:"
        self.resource: Final = fis.CfnExperimentTemplate(
            self,
            "Resource",
            description=f"Drill {name}: {action.description}",
            role_arn=self.role.attr_arn,
            stop_conditions=[
                _Template.ExperimentTemplateStopConditionProperty(
                    source="aws:cloudwatch:alarm", value=f"{alarm_arn}{guard}"
                )
                for guard in guards
            ],
            targets={
                TARGET: _Template.ExperimentTemplateTargetProperty(
                    resource_type="aws:ec2:instance",
                    resource_arns=[fault.instance_arn(place)],
                    selection_mode="ALL",
                )
            },
            actions={
                "Fault": _Template.ExperimentTemplateActionProperty(
                    action_id=action.action_id,
                    description=action.description,
                    parameters=action.parameters,
                    targets={"Instances": TARGET},
                )
            },
            experiment_options=_Template.ExperimentTemplateExperimentOptionsProperty(
                account_targeting="single-account", empty_target_resolution_mode="fail"
            ),
            log_configuration=_Template.ExperimentTemplateLogConfigurationProperty(
                log_schema_version=_LOG_SCHEMA,
                # PascalCase within: the CDK hands it on as it is.
                cloud_watch_logs_configuration={"LogGroupArn": log_group_arn},
            ),
            tags={"Name": name},
        )
        self.template_id: Final = self.resource.attr_id


def require_guards(owner: str, guards: Sequence[str]) -> None:
    """Check that the alarms that stop a fault are one to five, without duplicates.

    Raises:
        InvalidInputError: No guard, one twice, or more than FIS takes.
    """
    if not guards:
        raise InvalidInputError(
            f"{owner}: guards: no alarm would stop the fault; give one that shows whether the "
            "other host is healthy, such as its status alarm"
        )
    if len(guards) > limits.MAX_STOP_CONDITIONS:
        raise InvalidInputError(
            f"{owner}: guards: {len(guards)} are given; AWS FIS takes at most "
            f"{limits.MAX_STOP_CONDITIONS}"
        )
    for guard in guards:
        try:
            validation.alarm_name(guard)
        except ValueError as error:
            raise InvalidInputError(f"{owner}: guards: {error}") from None
    twice = next((guard for guard in guards if guards.count(guard) > 1), None)
    if twice is not None:
        raise InvalidInputError(f"{owner}: guards: {twice!r} is a duplicate; name each alarm once")


def _describe_instances(region: str) -> Statement:
    return {
        "Sid": "DescribeInstances",
        "Effect": "Allow",
        "Action": "ec2:DescribeInstances",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": region}},
    }
