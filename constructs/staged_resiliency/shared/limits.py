"""AWS limits and the values that AWS accepts, each with its unit and its source.

All in one place, so that a limit that AWS raises is one changed line.
"""

from typing import Final

# CloudFormation quotas: AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_STACK_TAGS: Final = 50
MAX_STACK_NAME_CHARACTERS: Final = 128

# What PutMetricAlarm and Dimension take, in AmazonCloudWatch/latest/APIReference
MAX_ALARM_NAME_CHARACTERS: Final = 255
MAX_ALARM_ACTIONS: Final = 5  # for each state
MAX_ALARM_DESCRIPTION_CHARACTERS: Final = 1024
MAX_METRIC_NAME_CHARACTERS: Final = 255
MAX_NAMESPACE_CHARACTERS: Final = 255
MAX_DIMENSION_NAME_CHARACTERS: Final = 255
MAX_DIMENSION_VALUE_CHARACTERS: Final = 1024
MAX_DIMENSIONS: Final = 30
MAX_ALARM_WINDOW_SECONDS: Final = 604_800  # Period x EvaluationPeriods
MAX_ALARM_WINDOW_SECONDS_SHORT_PERIOD: Final = 86_400  # the same, for periods under one hour
SHORT_PERIOD_SECONDS: Final = 3_600

# Route 53: Route53/latest/APIReference/API_ResourceRecordSet.html and API_HealthCheckConfig.html
MAX_TTL_SECONDS: Final = 2_147_483_647
MAX_SET_IDENTIFIER_CHARACTERS: Final = 128
MAX_RESOURCE_PATH_CHARACTERS: Final = 255
MAX_SEARCH_TEXT_CHARACTERS: Final = 255
MAX_DOMAIN_NAME_CHARACTERS: Final = 253
MAX_CHILD_HEALTH_CHECKS: Final = 255
MAX_FAILURE_THRESHOLD: Final = 10
REQUEST_INTERVALS_SECONDS: Final = (10, 30)
CHECKER_REGIONS: Final = (
    "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "ap-southeast-2",
    "ap-northeast-1", "sa-east-1",
)  # fmt: skip
MIN_CHECKER_REGIONS: Final = 3

# Route 53 reads the alarm's data stream at standard resolution only, and with these statistics:
# Route53/latest/APIReference/API_AlarmIdentifier.html
MIN_FAILOVER_PERIOD_SECONDS: Final = 60
FAILOVER_STATISTICS: Final = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")

# The hosted zones of aliases to CloudFront, by the ending of a distribution's name:
# Route53/latest/APIReference/API_AliasTarget.html, and of the China regions
# AWSCloudFormation/latest/TemplateReference/aws-properties-route53-recordset-aliastarget.html
CLOUDFRONT_ZONES: Final = {
    ".cloudfront.net": "Z2FDTNDATAQYW2",
    ".cloudfront.cn": "Z3RFFRIM2A3IF5",
}

# Origins of CloudFront, in cloudfront/latest/APIReference: API_Origin and API_CustomOriginConfig
MAX_ORIGIN_ATTEMPTS: Final = 3
MAX_ORIGIN_CONNECTION_SECONDS: Final = 10
MAX_ORIGIN_RESPONSE_SECONDS: Final = 120
# AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html
ORIGIN_STATUS_CODES: Final = (400, 403, 404, 416, 429, 500, 502, 503, 504)

# What CreateTopic takes, in sns/latest/api
MAX_TOPIC_NAME_CHARACTERS: Final = 256

# Systems Manager: what CreateAssociation, Target and CreateDocument take, in
# systems-manager/latest/APIReference and general/latest/gr/ssm.html. The size of a document counts
# the parameters of a run too.
MAX_DOCUMENT_BYTES: Final = 65_536
MAX_TARGET_VALUES: Final = 50
MAX_TARGET_TAG_CHARACTERS: Final = 124  # 128 with "tag:" before it
MAX_PARAMETER_CHARACTERS: Final = 4_096  # of a parameter that is free of charge

# The most days that a TLS check may ask a certificate to be valid for; a limit of this package.
MAX_DAYS_TO_EXPIRY: Final = 3650

# AWS FIS: fis/latest/userguide/fis-quotas.html, and what CreateExperimentTemplate takes.
MAX_STOP_CONDITIONS: Final = 5
MAX_FAULT_MINUTES: Final = 720

# AWS Lambda: VpcConfig of lambda/latest/api/API_CreateFunction.html
MAX_FUNCTION_SUBNETS: Final = 16
MAX_FUNCTION_SECURITY_GROUPS: Final = 5

# A drill announces itself at most a day before its fault.
MAX_NOTICE_MINUTES: Final = 1_440

# What CreateStateMachine takes, in step-functions/latest/apireference
MAX_STATE_MACHINE_NAME_CHARACTERS: Final = 80

# A record that lives longer than this in resolvers makes every failover slower than it must be:
# Route53/latest/DeveloperGuide/dns-failover-types.html recommends 60 seconds or less.
RECOMMENDED_TTL_SECONDS: Final = 60

# Regions whose alarms a Route 53 health check can follow: the CloudWatchRegion values of
# Route53/latest/APIReference/API_AlarmIdentifier.html. A test holds them to botocore's model.
ALARM_REGIONS: Final = (
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
    "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
    "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1",
    "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-isoe-west-1",
    "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
    "eusc-de-east-1", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
    "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1",
    "us-isob-east-1", "us-isob-west-1", "us-isof-east-1", "us-isof-south-1", "us-west-1",
    "us-west-2",
)  # fmt: skip

# Partitions by the prefix of the region's name; all other regions are in "aws":
# IAM/latest/UserGuide/reference-arns.html
PARTITIONS: Final = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


# Regions without AWS FIS: those in which CloudFormation has no AWS::FIS::ExperimentTemplate. A test
# holds them to the types that CloudFormation's registry lists for each region.
REGIONS_WITHOUT_FIS: Final = (
    "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-west-1", "cn-north-1", "cn-northwest-1",
    "il-central-1", "mx-central-1",
)  # fmt: skip

# Metrics of health checks exist in one region of a partition, wherever the service runs: us-east-1,
# by Route53/latest/DeveloperGuide/monitoring-health-checks.html. For other partitions AWS does not
# document it: assumed to be the region of Route 53's API, to which a test holds them.
_HEALTH_CHECK_METRICS_REGIONS: Final = {
    "aws-cn": "cn-northwest-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}

_CONSOLES: Final = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def partition_of(region: str) -> str:
    """Return the ARN partition of a region, for example "aws"."""
    return next((name for start, name in PARTITIONS.items() if region.startswith(start)), "aws")


def health_check_metrics_region(region: str) -> str:
    """Return the region in which the metrics of health checks of a region's partition exist."""
    return _HEALTH_CHECK_METRICS_REGIONS.get(partition_of(region), "us-east-1")


def console_of(region: str) -> str | None:
    """Return the URL of the AWS console of a region; None where it is not known."""
    domain = _CONSOLES.get(partition_of(region))
    return domain and f"https://{region}.{domain}"
