"""Validates IDs, ARNs and names of AWS resources, as ``validation`` validates single values."""

import re
from typing import Final

from staged_resiliency.shared import limits
from staged_resiliency.shared.validation import by_pattern, matching, nearest, shown

_FIELDS_OF_ARN: Final = 5
# Whole-value patterns, also shown to editors in the JSON Schema.
ACCOUNT_ID: Final = r"^\d{12}$"
INSTANCE_ID: Final = r"^i-([0-9a-f]{8}|[0-9a-f]{17})$"
SUBNET_ID: Final = r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$"
SECURITY_GROUP_ID: Final = r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$"
HOSTED_ZONE_ID: Final = r"^(/hostedzone/)?Z[A-Z0-9]{3,31}$"
_PARTITION = "aws(-[a-z]+)*"


account_id = by_pattern(ACCOUNT_ID, "an AWS account id (12 digits)", '"532151327118"')


def region(value: str) -> str:
    """Validate an AWS region, one whose alarms a Route 53 health check can follow."""
    if value not in limits.ALARM_REGIONS:
        near = nearest(value, limits.ALARM_REGIONS)
        hint = f"did you mean {near}?" if near else "give one like us-west-2"
        raise ValueError(
            f"{shown(value)} is not a region whose alarms Route 53 health checks can follow; {hint}"
        )
    return value


instance_id = by_pattern(INSTANCE_ID, "an EC2 instance id", "i-0ab55a49288f1da24")


subnet_id = by_pattern(SUBNET_ID, "a subnet id", "subnet-0ab55a49288f1da24")


security_group_id = by_pattern(SECURITY_GROUP_ID, "a security group id", "sg-0123456789abcdef0")


host_name = by_pattern(
    r"[A-Za-z0-9]([\w .:/=+@-]{0,126}[\w.:/=+@-])?",
    "a Name tag (letters, digits, spaces and _ . : / = + @ -, at most 128)",
    "bookstore-api-blue",
)


stack_name = by_pattern(
    rf"[A-Za-z][A-Za-z0-9-]{{0,{limits.MAX_STACK_NAME_CHARACTERS - 1}}}",
    "the name of a stack (letters, digits and hyphens, a letter first)",
    "shop-failover",
)


rds_identifier = by_pattern(
    r"[a-z](?=.{0,62}$)[a-z0-9]*(-[a-z0-9]+)*",
    "an identifier of a DB instance or DB cluster (lower-case letters, digits and single "
    "hyphens, a letter first, at most 63)",
    "shop-db",
)


def distribution_id(value: str) -> str:
    """Validate the ID of a CloudFront distribution."""
    return matching(
        value,
        r"E[0-9A-Z]{5,19}",
        "the ID of a CloudFront distribution (E and capital letters or digits)",
        "E1PA6795UKMFR9",
    )


def bucket_name(value: str) -> str:
    """Validate the name of an S3 bucket."""
    return matching(
        value,
        r"[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]",
        "the name of an S3 bucket (3 to 63 lower-case letters, digits, '-' and '.')",
        "shop-images",
    )


def hosted_zone_id(value: str) -> str:
    """Validate a Route 53 hosted zone id; returned without the prefix ``/hostedzone/``."""
    zone_id = matching(
        value,
        HOSTED_ZONE_ID,
        "a Route 53 hosted zone id (Z and capital letters or digits)",
        "Z2EHK3FAEUNRMI",
    )
    return zone_id.removeprefix("/hostedzone/")


topic_name = by_pattern(
    rf"[A-Za-z0-9_-]{{1,{limits.MAX_TOPIC_NAME_CHARACTERS}}}",
    f"an SNS topic name (letters, digits, '_' and '-', at most {limits.MAX_TOPIC_NAME_CHARACTERS})",
    "PingPublicationsSNS",
)


topic_arn = by_pattern(
    rf"arn:{_PARTITION}:sns:[a-z0-9-]+:\d{{12}}:[A-Za-z0-9_-]{{1,256}}",
    "the ARN of an SNS topic",
    "arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS",
)


queue_arn = by_pattern(
    rf"arn:{_PARTITION}:sqs:[a-z0-9-]+:\d{{12}}:[A-Za-z0-9_-]{{1,80}}",
    "the ARN of a standard SQS queue",
    "arn:aws:sqs:us-west-2:532151327118:alerts",
)


function_arn = by_pattern(
    rf"arn:{_PARTITION}:lambda:[a-z0-9-]+:\d{{12}}:function:[A-Za-z0-9_-]{{1,64}}"
    r"(:[A-Za-z0-9_$-]{1,128})?",
    "the ARN of a Lambda function",
    "arn:aws:lambda:us-west-2:532151327118:function:alerts",
)


kms_key_arn = by_pattern(
    rf"arn:{_PARTITION}:kms:[a-z0-9-]+:\d{{12}}:key/"
    r"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})",
    "the ARN of a KMS key",
    "arn:aws:kms:us-west-2:532151327118:key/1234abcd-12ab-34cd-56ef-1234567890ab",
)


def secret_arn(value: str) -> str:
    """Validate the whole ARN of a secret; the message does not repeat what may be a key."""
    example = "arn:aws:secretsmanager:us-west-2:532151327118:secret:gremlin-AbC123"
    if not value.startswith("arn:"):
        raise ValueError(
            f"the value is not the ARN of a secret; give one like {example}, and keep keys out of "
            "the file"
        )
    return matching(
        value,
        rf"arn:{_PARTITION}:secretsmanager:[a-z0-9-]+:\d{{12}}:secret:"
        r"[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}",
        "the ARN of a secret, with the six characters that Secrets Manager adds to its name",
        example,
    )


def other_region(arn: str, region: str) -> str | None:
    """Return a message if the ARN of a regional resource is of another region, else None."""
    there = arn.split(":")[3] if arn.count(":") >= _FIELDS_OF_ARN else region
    return None if there == region else f"{arn} is in {there}; give one of {region}"


change_calendar_arn = by_pattern(
    rf"arn:{_PARTITION}:ssm:[a-z0-9-]+:\d{{12}}:document/[A-Za-z0-9_.-]{{3,128}}",
    "the ARN of a change calendar",
    "arn:aws:ssm:us-west-2:532151327118:document/freeze",
)


def tag_key(value: str) -> str:
    """Validate the key of a resource tag."""
    if value.lower().startswith("aws:"):
        raise ValueError(f"{shown(value)} starts with aws:, which AWS keeps for itself")
    return matching(
        value,
        r"[\w .:/=+@-]{1,128}",
        "a tag key (letters, digits, spaces and _ . : / = + @ -, 1 to 128)",
        "team",
        re.UNICODE,
    )


tag_value = by_pattern(
    r"[\w .:/=+@-]{0,256}",
    "a tag value (letters, digits, spaces and _ . : / = + @ -, at most 256)",
    "ops",
    re.UNICODE,
)
