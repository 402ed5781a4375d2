"""Traps of the target instance: why it would not come back as it was, or the fault would fail."""

from collections.abc import Sequence
from typing import Final

from staged_resiliency.drills.runtime.context import AwsError, Context, JsonObject
from staged_resiliency.drills.runtime.plan import FaultKind, Plan

SUPPORTED_SYSTEMS: Final = (
    "amazon linux",
    "centos",
    "fedora",
    "red hat enterprise linux",
    "ubuntu",
)
"""Operating systems, as Systems Manager names them, on which AWS verified the FIS documents:
https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html"""

_GROUP_TAG: Final = "aws:autoscaling:groupName"
_EBS_ALIAS: Final = "alias/aws/ebs"


def of_instance(plan: Plan, instance: JsonObject, context: Context) -> list[str]:
    """Return the traps of an instance that is to be stopped, from EC2's description of it."""
    if plan.fault is not FaultKind.STOP_INSTANCE or not instance:
        return []
    return [
        *_group_trap(plan, instance),
        *_address_trap(plan, instance),
        *_key_traps(plan, context),
    ]


def describe_agent(plan: Plan, context: Context) -> JsonObject:
    """Return Systems Manager's description of the target; an empty object where it is unknown."""
    answer = context.aws(
        "ssm",
        "DescribeInstanceInformation",
        Filters=[{"Key": "InstanceIds", "Values": [plan.target_host.instance_id or ""]}],
    )
    for each in answer["InstanceInformationList"]:
        found: JsonObject = each
        return found
    return {}


def of_agent(plan: Plan, agent: JsonObject) -> list[str]:
    """Return the trap of an operating system that the FIS document does not support."""
    name = str(agent.get("PlatformName", ""))
    if not name or name.lower().startswith(SUPPORTED_SYSTEMS):
        return []
    system = f"{name} {agent.get('PlatformVersion', '')}".strip()
    return [
        f"{plan.target} runs {system}, on which AWS has not verified the document that drops its "
        "packets; drill a host with Amazon Linux, CentOS, Fedora, Red Hat or Ubuntu"
    ]


def _group_trap(plan: Plan, instance: JsonObject) -> Sequence[str]:
    tags = {str(each["Key"]): str(each["Value"]) for each in instance.get("Tags", ())}
    if _GROUP_TAG not in tags:
        return ()
    return (
        f"{plan.target} is in the Auto Scaling group {tags[_GROUP_TAG]}, which would replace it "
        "while it is stopped; take it out of the group",
    )


def _address_trap(plan: Plan, instance: JsonObject) -> Sequence[str]:
    for interface in instance.get("NetworkInterfaces", ()):
        found = interface.get("Association", {})
        lent = found.get("IpOwnerId") == "amazon"
        if lent and found.get("PublicIp") in plan.target_host.addresses:
            return (
                f"{found['PublicIp']} of {plan.target} is no Elastic IP, so the instance would "
                "lose it when it stops; associate an Elastic IP, and give that as the address",
            )
    return ()


def _key_traps(plan: Plan, context: Context) -> Sequence[str]:
    answer = context.aws(
        "ec2",
        "DescribeVolumes",
        Filters=[
            {
                "Name": "attachment.instance-id",
                "Values": [plan.target_host.instance_id or ""],
            }
        ],
    )
    found = {str(each["KmsKeyId"]) for each in answer["Volumes"] if each.get("KmsKeyId")}
    unknown = sorted(found - set(plan.volume_keys))
    if unknown:
        own = _key_of_ebs(context)
        unknown = [each for each in unknown if each != own]
    return [
        f"a volume of {plan.target} is encrypted with {each}, which volume_keys does not name, so "
        "the instance might not start again; add the key"
        for each in unknown
    ]


def _key_of_ebs(context: Context) -> str:
    """Return the ARN of the key that AWS manages for EBS, which needs no grant; empty if none."""
    try:
        answer = context.aws("kms", "DescribeKey", KeyId=_EBS_ALIAS)
    except AwsError as error:
        context.log("the key of EBS can't be described", error=str(error))
        return ""
    return str(answer["KeyMetadata"]["Arn"])
