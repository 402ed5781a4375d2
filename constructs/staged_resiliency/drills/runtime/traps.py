"""Checks whether the target instance would come back as it was, and whether the fault can work."""

from collections.abc import Sequence
from typing import Final

from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.fault_settings import FaultKind
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import JsonObject

SUPPORTED_SYSTEMS: Final = (
    ("amazon linux", ("2", "2023")),
    ("centos", ("9",)),
    ("red hat enterprise linux", ("8", "9")),
    ("ubuntu", ()),
)
"""Operating systems on which AWS supports its documents, by the beginning of the name that Systems
Manager reports, with their major versions; none for every version:
https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html#fis-ssm-docs"""

_GROUP_TAG: Final = "aws:autoscaling:groupName"
_EBS_ALIAS: Final = "alias/aws/ebs"


def of_instance(plan: Plan, instance: JsonObject, context: Context) -> list[str]:
    """Return why an instance that is stopped would not come back as it was."""
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
    found: list[JsonObject] = answer["InstanceInformationList"]
    return found[0] if found else {}


def of_agent(plan: Plan, agent: JsonObject) -> list[str]:
    """Return a reason if the FIS document does not support the operating system, else none."""
    name, version = str(agent.get("PlatformName", "")), str(agent.get("PlatformVersion", ""))
    if not name or _is_supported(name.lower(), version.partition(".")[0]):
        return []
    return [
        f"{plan.target} runs {name} {version}".rstrip()
        + ", on which AWS does not support the document that drops its packets; drill a host with "
        "Amazon Linux 2 or 2023, CentOS 9, Red Hat Enterprise Linux 8 or 9, or Ubuntu"
    ]


def _is_supported(name: str, major: str) -> bool:
    return any(
        name.startswith(system) and (not versions or major in versions)
        for system, versions in SUPPORTED_SYSTEMS
    )


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
