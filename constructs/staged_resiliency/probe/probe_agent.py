"""The probe on instances: Systems Manager installs, repairs and removes it."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, Literal, NamedTuple

from aws_cdk import Aws, Fn, IResolvable, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.associated_document import associated_document
from staged_resiliency.probe.configuration import ProbeConfiguration, run_parameters
from staged_resiliency.probe.document import command_document
from staged_resiliency.probe.instances import Instances
from staged_resiliency.shared.acknowledge import acknowledge
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal, require_one_of

State = Literal["present", "absent"]
"""Whether the probe is installed on the instances, or removed from them."""

_ACTIONS: Final[Mapping[State, str]] = {"present": "Install", "absent": "Uninstall"}
_WHY_ANY_RESOURCE: Final = (
    "PutMetricData and DescribeTags support no resource-level permissions: the one is limited to "
    "the service's namespace, the other to reading tags in this region."
)


class _Permission(NamedTuple):
    """An action that the host's role may call, with its condition."""

    sid: str
    action: str
    condition: Mapping[str, Mapping[str, str]]
    resource: str = "*"


class ProbeAgent(Construct):
    """Installs the probe on instances, repairs drift, and lets the probe publish.

    Creates an ``AWS::SSM::Document`` that carries the agent, an ``AWS::SSM::Association`` that
    runs it on the instances (when it is created, when anything in it changes, once a day against
    drift, and on instances that join later), and an ``AWS::IAM::ManagedPolicy`` with the agent's
    permissions. The association takes instances one at a time and stops at the first failure, so
    that a broken agent never reaches both hosts of a pair.

    A document is never changed: a new version of the agent is a new document, to which the
    association moves before the old one is deleted. So a change set shows when hosts are changed,
    and a rollback returns to the previous version.

    The instances need the Systems Manager agent and a role with ``AmazonSSMManagedInstanceCore``
    and the policy created here. Removing this construct leaves the agents on the instances without
    their permissions: deploy ``state="absent"`` first.

    Args:
        configuration: What is measured.
        instances: ``InstancesByName``, ``InstancesById`` or ``InstancesByTag``.
        roles: Existing roles of the instances, which the policy is attached to; none unless
            given. See ``grant_publish`` for roles of the same application.
        state: ``absent`` uninstalls the agent, with all its files; ``present`` unless given.
        association_name: Name of the association; State Manager shows the document's name
            unless given.
        max_concurrency: How many instances run the document at a time, a number or a percentage;
            ``1`` unless given.
        max_errors: How many may fail before the rest is skipped, likewise; ``0`` unless given.
        platforms: Platforms of the instances besides the supported ones, as ``ID-VERSION_ID`` of
            their ``/etc/os-release``, such as ``almalinux-9``; none unless given. They need
            systemd, Python 3.9 or newer, and apt or dnf.
        schedule_expression: When the document runs against drift, in UTC; ``rate(1 day)`` unless
            given. Keep it away from times at which something stops the instances.
        output_bucket: Name of an existing S3 bucket in this account, to which Systems Manager
            writes the output of each run, below ``resiliency-probe/<service>/``. Without one, what
            a run that succeeds prints stays on the instance.

    Raises:
        InvalidInputError: A value that AWS would refuse, or too many targets for the document.

    Attributes:
        configuration: What is measured.
        document: The ``CfnDocument``.
        association: The ``CfnAssociation``.
        policy: The ``CfnManagedPolicy``.
        policy_arn: ARN of the policy, for roles that are created elsewhere.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import InstancesByName, PostgresqlCheck
        >>> agent = ProbeAgent(
        ...     Stack(App(), "Shop"),
        ...     "Probe",
        ...     configuration=ProbeConfiguration(
        ...         service="shop",
        ...         namespace="Shop",
        ...         dependencies={"db": PostgresqlCheck("db.example.com")},
        ...     ),
        ...     instances=InstancesByName(["shop-blue", "shop-green"]),
        ...     roles=["shop-instances"],
        ... )
        >>> agent.association.max_concurrency
        '1'

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-associations.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: ProbeConfiguration,
        instances: Instances,
        roles: Sequence[iam.IRole | str] = (),
        state: State = "present",
        association_name: str | None = None,
        max_concurrency: str = "1",
        max_errors: str = "0",
        platforms: Sequence[str] = (),
        schedule_expression: str = "rate(1 day)",
        output_bucket: str | None = None,
    ) -> None:
        owner = "ProbeAgent"
        role_names = [role if isinstance(role, str) else role.role_name for role in roles]
        for name in role_names:
            checked(owner, "roles", name, probe_validation.role_name)
        require_one_of(owner, "state", state, _ACTIONS)
        if association_name is not None:
            checked(owner, "association_name", association_name, probe_validation.association_name)
        checked(owner, "max_concurrency", max_concurrency, probe_validation.max_concurrency)
        checked(owner, "max_errors", max_errors, probe_validation.max_errors)
        for platform in platforms:
            checked(owner, "platforms", platform, probe_validation.platform)
        checked(
            owner, "schedule_expression", schedule_expression, probe_validation.schedule_expression
        )
        if output_bucket is not None:
            checked(owner, "output_bucket", output_bucket, probe_validation.bucket_name)
        if configuration.is_literal:
            try:
                configuration.require_fit()
            except ValueError as error:
                raise InvalidInputError(f"{owner}: configuration: {error}") from None
        super().__init__(scope, construct_id)
        self.configuration: Final = configuration
        self._output_bucket: Final = output_bucket
        self._output_prefix: Final = f"resiliency-probe/{configuration.service}"
        output = ssm.CfnAssociation.S3OutputLocationProperty(
            output_s3_bucket_name=output_bucket, output_s3_key_prefix=self._output_prefix
        )
        document, association = associated_document(
            self,
            _content(),
            instances,
            name=association_name,
            parameters=run_parameters(
                _ACTIONS[state],
                configuration.service,
                configuration.encoded()
                if configuration.is_literal
                else self._encoded_at_deployment(),
                platforms,
            ),
            schedule_expression=schedule_expression,
            max_concurrency=max_concurrency,
            max_errors=max_errors,
            output=output if output_bucket is not None else None,
        )
        self.document: Final = document
        self.association: Final = association
        self.document.add_metadata(
            "Description", "Carries the probe agent, and installs it on an instance or removes it."
        )
        if configuration.is_literal:
            # For reviewers: the parameter holds the same in base64.
            self.association.add_metadata("Configuration", configuration.rendered())
        self.policy: Final = iam.CfnManagedPolicy(
            self,
            "PublishPolicy",
            description=f"Lets the probe of {configuration.service} publish its metrics and read "
            "its host's Name tag.",
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": permission.sid,
                        "Effect": "Allow",
                        "Action": permission.action,
                        "Resource": permission.resource,
                        **({"Condition": permission.condition} if permission.condition else {}),
                    }
                    for permission in self._permissions()
                ],
            },
            roles=role_names or None,
        )
        acknowledge(self.policy, {"AwsSolutions-IAM5[Resource::*]": _WHY_ANY_RESOURCE})
        if output_bucket is not None and is_literal(output_bucket):
            runs = f"arn:<AWS::Partition>:s3:::{output_bucket}/{self._output_prefix}/*"
            why = "Each run writes to a folder of its own below the service's."
            acknowledge(self.policy, {f"AwsSolutions-IAM5[Resource::{runs}]": why})
        # An agent that starts may have to ask for its Name tag.
        self.association.node.add_dependency(self.policy)
        self.policy_arn: Final = self.policy.ref

    def grant_publish(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant a role, or an instance's role, permission to publish the probe's metrics.

        For Systems Manager the role also needs ``AmazonSSMManagedInstanceCore``. An agent that
        starts before the grant is effective tries again.

        Args:
            grantee: The instance, or its role.
        """
        first, *rest = [
            iam.Grant.add_to_principal(
                grantee=grantee,
                actions=[permission.action],
                resource_arns=[permission.resource],
                conditions=permission.condition or None,
            )
            for permission in self._permissions()
        ]
        for grant in rest:
            first = first.combine(grant)
        return first

    def _permissions(self) -> Sequence[_Permission]:
        """The agent's permissions, and that of Systems Manager's agent to write output.

        The agent's actions take no resource, so conditions limit them.
        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
        """
        write_output = _Permission(
            "WriteTheOutputOfRuns",
            "s3:PutObject",
            {},
            f"arn:{Aws.PARTITION}:s3:::{self._output_bucket}/{self._output_prefix}/*",
        )
        return [
            _Permission(
                "PublishToTheNamespace",
                "cloudwatch:PutMetricData",
                {"StringEquals": {"cloudwatch:namespace": self.configuration.namespace}},
            ),
            # Where instance metadata holds no tags, the agent asks EC2 for its Name tag.
            _Permission(
                "ReadTheNameTag",
                "ec2:DescribeTags",
                {"StringEquals": {"aws:RequestedRegion": Stack.of(self).region}},
            ),
            *([write_output] if self._output_bucket is not None else []),
        ]

    def _encoded_at_deployment(self) -> str:
        return Fn.base64(Stack.of(self).to_json_string(self.configuration.rendered()))


@cache
def _content() -> IResolvable:
    """The document as one token for all stacks, to save time: benchmarks/README.md."""
    return Token.as_any(command_document())
