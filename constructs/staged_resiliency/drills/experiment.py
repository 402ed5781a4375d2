"""An AWS FIS experiment: one fault and the alarms that stop it; and the role that FIS assumes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_fis as fis
from constructs import Construct

from staged_resiliency.drills.faults import FisFault, PairOfHosts, Statement
from staged_resiliency.drills.iam import (
    FIS_LOG_DELIVERY,
    acknowledge_wildcards,
    place_of,
    role,
    trust,
)
from staged_resiliency.drills.permissions import Scope
from staged_resiliency.drills.runtime import keys
from staged_resiliency.shared import alarm_settings, limits
from staged_resiliency.shared.errors import InvalidInputError

_LOG_SCHEMA: Final = 2
_Template = fis.CfnExperimentTemplate
Report = _Template.ExperimentTemplateExperimentReportConfigurationProperty


class FaultExperiment(Construct):
    """An AWS FIS experiment template that injects one fault, with at least one stop alarm.

    Creates an ``AWS::FIS::ExperimentTemplate`` with one target, the instance or the database of the
    fault. The experiment fails where that does not exist.

    Args:
        name: Name of the template, its tag ``Name``.
        fault: What is broken, where, for how long.
        guards: Names of the alarms that stop it, 1 to 5, in this account and region.
        log_group_arn: The log group that FIS writes; its ARN ends in ``:*``.
        role_arn: The role that FIS assumes, of ``experiment_role``.
        tags: Tags of the template besides its name.
        report: Where FIS writes its own report of each experiment; no report unless given.

    Raises:
        InvalidInputError: No guard, or more than FIS takes.

    Attributes:
        template_id: Id of the template.
        resource: The ``CfnExperimentTemplate``.

    See https://docs.aws.amazon.com/fis/latest/userguide/experiment-templates.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        fault: FisFault,
        guards: Sequence[str],
        log_group_arn: str,
        role_arn: str,
        tags: Mapping[str, str],
        report: Report | None = None,
    ) -> None:
        require_guards("FaultExperiment", guards)
        super().__init__(scope, construct_id)
        place = place_of(scope)
        action, target = fault.action(place), fault.target(place)
        alarm_arn = f"arn:{place.partition}:cloudwatch:{place.region}:{place.account}:alarm:"
        self.resource: Final = fis.CfnExperimentTemplate(
            self,
            "Resource",
            description=f"Drill {name}: {action.description}",
            role_arn=role_arn,
            stop_conditions=[
                _Template.ExperimentTemplateStopConditionProperty(
                    source="aws:cloudwatch:alarm", value=f"{alarm_arn}{guard}"
                )
                for guard in guards
            ],
            targets={
                target.name: _Template.ExperimentTemplateTargetProperty(
                    resource_type=target.resource_type,
                    resource_arns=[target.arn],
                    selection_mode="ALL",
                )
            },
            actions={
                "Fault": _Template.ExperimentTemplateActionProperty(
                    action_id=action.action_id,
                    description=action.description,
                    parameters=action.parameters,
                    targets={target.key: target.name},
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
            experiment_report_configuration=report,
            tags={"Name": name, **tags},
        )
        self.template_id: Final = self.resource.attr_id


def report_of(where: Scope, bucket_name: str) -> Report:
    """Where FIS writes its own reports, and the dashboard whose graphs they show."""
    dashboard_arn = where.dashboard_arn
    return Report(
        outputs=_Template.OutputsProperty(
            experiment_report_s3_configuration=_Template.ExperimentReportS3ConfigurationProperty(
                bucket_name=bucket_name, prefix=keys.REPORTS.rstrip("/")
            )
        ),
        data_sources=None
        if dashboard_arn is None
        else _Template.DataSourcesProperty(
            cloud_watch_dashboards=[
                _Template.CloudWatchDashboardProperty(dashboard_identifier=dashboard_arn)
            ]
        ),
    )


def experiment_role(
    scope: Construct, construct_id: str, fault: FisFault, where: Scope, report: Report | None
) -> str:
    """Create the role that FIS assumes for a fault and others like it, and return its ARN.

    It is kept when the stack is deleted: FIS ends the fault of an experiment that still runs with
    this role. It may change both hosts, so an exchange of the active host does not change it; that
    of a database may change that alone.
    """
    place = where.place
    pair = PairOfHosts(place, where.hosts, where.instances, where.volume_keys)
    wanted = fault.statements(pair)
    if report is not None:
        wanted += _write_report(where)
    if fault.database is None:
        wanted.append(_describe_instances(place.region, fault))
    statements = [*wanted, FIS_LOG_DELIVERY]
    aim = " and ".join(where.hosts) if fault.database is None else str(fault.database)
    made = role(
        scope,
        construct_id,
        description=f"Assumed by AWS FIS for experiments on {aim}.",
        trusted=trust("fis", place, where.arn("fis", "experiment/*")),
        statements=statements,
    )
    made.apply_removal_policy(RemovalPolicy.RETAIN)
    acknowledge_wildcards(scope, statements)
    return made.attr_arn


def _write_report(where: Scope) -> Iterator[Statement]:
    # https://docs.aws.amazon.com/fis/latest/userguide/experiment-report-configuration.html
    yield {
        "Sid": "WriteTheReport",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": f"{where.bucket_arn}/{keys.REPORTS}*",
    }
    if where.bucket_key is not None:
        yield {
            "Sid": "EncryptTheReport",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": where.bucket_key,
        }
    if where.dashboard_arn is not None:
        yield {
            "Sid": "ReadTheDashboard",
            "Effect": "Allow",
            "Action": "cloudwatch:GetDashboard",
            "Resource": where.dashboard_arn,
        }
        # It takes no resource. Graphs may be of several regions: health checks' are in us-east-1.
        yield {
            "Sid": "DrawItsGraphs",
            "Effect": "Allow",
            "Action": "cloudwatch:GetMetricWidgetImage",
            "Resource": "*",
        }


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
            alarm_settings.alarm_name(guard)
        except ValueError as error:
            raise InvalidInputError(f"{owner}: guards: {error}") from None
    twice = next((guard for guard in guards if guards.count(guard) > 1), None)
    if twice is not None:
        raise InvalidInputError(f"{owner}: guards: {twice!r} is a duplicate; name each alarm once")


def _describe_instances(region: str, fault: FisFault) -> Statement:
    actions = ["ec2:DescribeInstances", *fault.ec2_reads]
    return {
        "Sid": "DescribeInstances",
        "Effect": "Allow",
        "Action": actions if fault.ec2_reads else actions[0],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": region}},
    }
