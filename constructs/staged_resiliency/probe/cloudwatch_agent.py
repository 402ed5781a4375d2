"""The CloudWatch agent on instances: Systems Manager installs it and adds a configuration."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.associated_document import associated_document
from staged_resiliency.probe.cloudwatch_configuration import (
    MEMORY,
    NAMESPACE,
    CloudWatchAgentConfiguration,
    HostMetric,
    Processes,
    disk_metric,
)
from staged_resiliency.probe.cloudwatch_document import document_content, parameter_name
from staged_resiliency.probe.instances import Instances
from staged_resiliency.probe.probe_agent import State
from staged_resiliency.shared import aws_ids, validation
from staged_resiliency.shared.acknowledge import acknowledge
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, require_one_of

if TYPE_CHECKING:  # a module of two megabytes, needed for annotations only
    from aws_cdk import aws_ec2 as ec2


class CloudWatchAgent(Construct):
    """Installs the CloudWatch agent on instances and adds a configuration to it.

    Creates an ``AWS::SSM::Parameter`` with the configuration, an ``AWS::SSM::Document`` that first
    installs the package AmazonCloudWatchAgent and then adds the configuration, an
    ``AWS::SSM::Association`` that runs it on the instances (when it is created, when the
    configuration changes, once a day against drift, and on instances that join later), and an
    ``AWS::IAM::ManagedPolicy``. Two associations would have no order between them.

    The configuration is added beside those that the agent already has, and replaces none of them.
    Where that can't be done without changing the metrics of either, the run fails, and the agent
    keeps what it has: where another configuration has metrics with other dimensions, or the same
    section with other content.

    The instances need Linux, the Systems Manager agent, and a role with
    ``AmazonSSMManagedInstanceCore`` and the policy created here. Deploy ``state="absent"`` before
    you remove this construct: it removes the configuration from the agent, and stops the agent
    where it has no other. The package stays.

    Args:
        name: Name of the association, at most 100 letters, digits, ``_``, ``.`` and ``-``; after
            ``AmazonCloudWatch-`` that of the parameter.
        configuration: What is measured.
        instances: ``InstancesByName``, ``InstancesById`` or ``InstancesByTag``.
        roles: Names of existing roles of the instances, which the policy is attached to; none
            unless given.
        state: ``absent`` removes the configuration; ``present`` unless given.
        schedule_expression: When the document runs against drift, in UTC; ``rate(1 day)`` unless
            given.

    Raises:
        InvalidInputError: A value that AWS would refuse.

    Attributes:
        configuration: What is measured.
        parameter: The ``CfnParameter`` of Systems Manager.
        document: The ``CfnDocument``.
        association: The ``CfnAssociation``.
        policy: The ``CfnManagedPolicy``.
        policy_arn: ARN of the policy, for roles that are created elsewhere.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import InstancesByName, ProcessesByName
        >>> java = ProcessesByName("java")
        >>> agent = CloudWatchAgent(
        ...     Stack(App(), "Shop"),
        ...     "CloudWatchAgent",
        ...     name="shop-production",
        ...     configuration=CloudWatchAgentConfiguration(memory=True, processes=[java]),
        ...     instances=InstancesByName(["shop-blue", "shop-green"]),
        ... )
        >>> agent.metric_processes(java, "i-0ab55a49288f1da24").metric_name
        'procstat_lookup_pid_count'

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Install-CloudWatch-Agent.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        configuration: CloudWatchAgentConfiguration,
        instances: Instances,
        roles: Sequence[str] = (),
        state: State = "present",
        schedule_expression: str = "rate(1 day)",
    ) -> None:
        owner = "CloudWatchAgent"
        checked(owner, "name", name, agent_name)
        for role in roles:
            checked(owner, "roles", role, probe_validation.role_name)
        require_one_of(owner, "state", state, ("present", "absent"))
        checked(
            owner, "schedule_expression", schedule_expression, probe_validation.schedule_expression
        )
        super().__init__(scope, construct_id)
        self.configuration: Final = configuration
        self.parameter: Final = ssm.CfnParameter(
            self,
            "Configuration",
            type="String",
            name=parameter_name(name),
            description=f"Configuration of the CloudWatch agent: {name}.",
            value=configuration.rendered(),
        )
        document, association = associated_document(
            self,
            document_content(state),
            instances,
            name=name,
            # With the digest, an edit of the configuration is one of the association, which runs.
            parameters={
                "Parameter": [parameter_name(name)],
                **({"Digest": [configuration.digest]} if state == "present" else {}),
            },
            schedule_expression=schedule_expression,
        )
        self.document: Final = document
        self.association: Final = association
        self.policy: Final = iam.CfnManagedPolicy(
            self,
            "Policy",
            description=f"Lets the CloudWatch agent of {name} read its configuration and publish.",
            policy_document={"Version": "2012-10-17", "Statement": self._statements()},
            roles=list(roles) or None,
        )
        acknowledge(
            self.policy,
            {
                "AwsSolutions-IAM5[Resource::*]": "PutMetricData supports no resource-level "
                "permissions: it is limited to the agent's namespace."
            },
        )
        self.association.node.add_dependency(self.parameter)
        self.association.node.add_dependency(self.policy)
        self.policy_arn: Final = self.policy.ref

    def metric_memory(self, instance: "ec2.IInstance | str") -> cloudwatch.Metric:
        """Return the used memory of an instance in percent."""
        return self._metric(MEMORY, instance)

    def metric_disk(self, path: str, instance: "ec2.IInstance | str") -> cloudwatch.Metric:
        """Return the used space of one of the configuration's disks of an instance, in percent."""
        return self._metric(disk_metric(path), instance)

    def metric_processes(
        self, processes: Processes, instance: "ec2.IInstance | str"
    ) -> cloudwatch.Metric:
        """Return how many of the configuration's processes an instance runs."""
        return self._metric(processes.metric, instance)

    def _metric(self, metric: HostMetric, instance: "ec2.IInstance | str") -> cloudwatch.Metric:
        if metric not in self.configuration.metrics:
            raise InvalidInputError(
                f"CloudWatchAgent: {metric.name} {dict(metric.others)} is not among the metrics of "
                "the configuration, so no instance publishes it; add it there"
            )
        instance_id = instance if isinstance(instance, str) else instance.instance_id
        checked("CloudWatchAgent", "instance", instance_id, aws_ids.instance_id)
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric.name,
            dimensions_map=dict(metric.dimensions(instance_id)),
        )

    def _statements(self) -> Sequence[Mapping[str, object]]:
        """The agent's permissions, which are fewer than CloudWatchAgentServerPolicy has."""
        parameter = Stack.of(self).format_arn(
            service="ssm", resource="parameter", resource_name=str(self.parameter.name)
        )
        return [
            {
                "Sid": "PublishToTheNamespace",
                "Effect": "Allow",
                "Action": "cloudwatch:PutMetricData",
                "Resource": "*",
                "Condition": {"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
            },
            {
                "Sid": "ReadTheConfiguration",
                "Effect": "Allow",
                "Action": "ssm:GetParameter",
                "Resource": parameter,
            },
        ]


agent_name = validation.by_pattern(
    r"[A-Za-z0-9_.-]{3,100}",
    "the name of an association (letters, digits, '_', '.' and '-', 3 to 100)",
    "shop-production-cloudwatch-agent",
)
