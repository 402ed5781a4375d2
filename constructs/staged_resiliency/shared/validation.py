"""Functions that validate single values, such as an instance id or a port.

Each is named after the value it validates. It returns the value in its canonical form or raises
``ValueError`` with what was found, what is allowed and, where it helps, an example. The service
file and the constructs use the same functions, so both give the same message.
"""

import difflib
import ipaddress
import math
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from staged_resiliency.shared import limits

_FIELDS_OF_ARN: Final = 5
_DNS_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
# Whole-value patterns, also shown to editors in the JSON Schema.
ACCOUNT_ID: Final = r"^\d{12}$"
INSTANCE_ID: Final = r"^i-([0-9a-f]{8}|[0-9a-f]{17})$"
SUBNET_ID: Final = r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$"
SECURITY_GROUP_ID: Final = r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$"
HOSTED_ZONE_ID: Final = r"^(/hostedzone/)?Z[A-Z0-9]{3,31}$"
MAX_SLUG_CHARACTERS: Final = 40
SLUG: Final = rf"^(?=.{{1,{MAX_SLUG_CHARACTERS}}}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_PARTITION = "aws(-[a-z]+)*"


def shown(value: object, most: int = 60) -> str:
    """Quote a value for a message: short, printable, on one line."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed word that a misspelt one most resembles, or None."""
    folded = {candidate.casefold(): candidate for candidate in allowed}
    wanted = word.casefold()
    found = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    if not found and len(wanted) > 2:  # "ttl" for ttl_seconds
        found = [candidate for candidate in folded if wanted in candidate]
    return folded[found[0]] if len(found) == 1 else None


def matching(
    value: str, pattern: str, what: str, example: str, flags: re.RegexFlag = re.ASCII
) -> str:
    """Validate a text by a pattern; ``what`` and ``example`` end the message."""
    if re.fullmatch(pattern, value, flags) is None:
        raise ValueError(f"{shown(value)} is not {what}; give one like {example}")
    return value


def by_pattern(
    pattern: str, what: str, example: str, flags: re.RegexFlag = re.ASCII
) -> Callable[[str], str]:
    """Make a function that validates a text by a pattern, with the message of ``matching``."""

    def validate(value: str) -> str:
        return matching(value, pattern, what, example, flags)

    return validate


def at_most(value: str, most: int, what: str) -> str:
    """Validate the length of a text, which ``what`` names in the message."""
    if len(value) > most:
        raise ValueError(f"{what} {shown(value)} has {len(value)} characters; at most {most} fit")
    return value


def in_range(least: int, most: int, otherwise: str = "out of range") -> Callable[[int], int]:
    """Make a function that validates a number; ``otherwise`` describes a number out of range."""

    def validate(value: int) -> int:
        if not least <= value <= most:
            raise ValueError(f"{value} is {otherwise}; allowed: {least} to {most}")
        return value

    return validate


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


slug = by_pattern(
    SLUG,
    "a name (lower-case letters, digits and single hyphens, a letter first, at most 40)",
    "bookstore",
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


def ip_address(value: str) -> str:
    """Validate an IPv4 or IPv6 address that clients can reach."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise ValueError(
            f"{shown(value)} is not an IPv4 or IPv6 address; give one like 52.11.79.9"
        ) from None
    if "%" in value or address.is_unspecified or address.is_multicast or address.is_loopback:
        raise ValueError(
            f"{shown(value)} is not the address of a host that clients can reach; "
            "give one like 52.11.79.9"
        )
    return str(address)


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_ipv6(address: str) -> bool:
    """Whether the text is an IPv6 address; False for IPv4 addresses and for any other text."""
    return is_address(address) and ipaddress.ip_address(address).version == 6


def ipv6_address(value: str) -> str:
    """Validate an IPv6 address that clients can reach."""
    try:
        address = ip_address(value)
    except ValueError:
        address = ""
    if not is_ipv6(address):
        raise ValueError(f"{shown(value)} is not an IPv6 address; give one like 2600:1f14::9")
    return address


def is_public(address: str) -> bool:
    """Whether the address is public, so that Route 53's health checkers can reach it."""
    return ipaddress.ip_address(address).is_global


def is_internal_balancer(dns_name: str) -> bool:
    """Whether a DNS name is that of an internal Application or Classic Load Balancer.

    That of an internal Network Load Balancer looks like any other:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-internal-load-balancers.html
    """
    name = dns_name.lower().removesuffix(".")
    return name.startswith("internal-") and name.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def domain_name(value: str) -> str:
    """Validate a DNS name; returned in lower case and without the final dot."""
    name = value.lower().removesuffix(".")
    labels = name.split(".")
    if (
        len(name) > limits.MAX_DOMAIN_NAME_CHARACTERS
        or len(labels) < 2
        or not all(_DNS_LABEL.fullmatch(label) for label in labels)
    ):
        raise ValueError(
            f"{shown(value)} is not a DNS name (labels of letters, digits and hyphens with dots "
            f"between them, at most {limits.MAX_DOMAIN_NAME_CHARACTERS} characters); "
            "give one like bookstore.example.com"
        )
    return name


def record_in_zone(record: str, zone: str) -> str:
    """Validate a DNS name in the hosted zone."""
    record, zone = domain_name(record), domain_name(zone)
    if record != zone and not record.endswith(f".{zone}"):
        raise ValueError(
            f"{record!r} is outside the hosted zone {zone!r}; give a name that ends in .{zone}"
        )
    return record


def dns_name_or_address(value: str) -> str:
    """Validate the address of a dependency: a DNS name or an IP address."""
    if re.fullmatch(r"[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", value):
        return ip_address(value)
    if ":" in value:
        raise ValueError(
            f"{shown(value)} is neither a DNS name nor an IP address (a port has a key of its "
            "own); give one like db.example.com"
        )
    return domain_name(value)


def cloudfront_zone(name: str) -> str | None:
    """Return the zone of aliases to a CloudFront distribution; None for any other name."""
    zones = limits.CLOUDFRONT_ZONES.items()
    return next((zone for end, zone in zones if domain_name(name).endswith(end)), None)


_OF_S3: Final = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?P<kind>-website)?(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?"
    r"\.amazonaws\.com(?:\.cn)?"
)


def s3_bucket(name: str) -> str | None:
    """Return the bucket in a DNS name of Amazon S3, "" if there is none; None for other names.

    Example:
        >>> s3_bucket("images.shop.example.s3-website-eu-west-1.amazonaws.com")
        'images.shop.example'
    """
    found = _OF_S3.fullmatch(domain_name(name))
    return found and (found["bucket"] or "")


def is_s3_website(name: str) -> bool:
    """Whether a DNS name is a website endpoint of Amazon S3, with a bucket or without."""
    found = _OF_S3.fullmatch(domain_name(name))
    return found is not None and found["kind"] is not None


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


phone_number = by_pattern(
    r"\+[1-9]\d{7,14}",
    "a phone number (a plus sign, the country code and digits alone)",
    "+15555550100",
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


gremlin_team = by_pattern(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "the ID of a Gremlin team",
    "9676868b-60d2-5ebe-aa66-c1de8162ff9d",
    re.ASCII | re.IGNORECASE,
)


gremlin_name = by_pattern(
    r"[\w.:/=+@-]([\w .:/=+@-]{0,253}[\w.:/=+@-])?",
    "an identifier or tag of a Gremlin client (letters, digits, spaces and _ . : / = + @ -)",
    "bookstore-api-blue",
)


def other_region(arn: str, region: str) -> str | None:
    """Return a message if the ARN of a regional resource is of another region, else None."""
    there = arn.split(":")[3] if arn.count(":") >= _FIELDS_OF_ARN else region
    return None if there == region else f"{arn} is in {there}; give one of {region}"


def days(value: str) -> str:
    """Validate a date, or the first and the last one with a slash between."""
    try:
        first, *last = [date.fromisoformat(each) for each in value.split("/", 1)]
    except ValueError:
        raise ValueError(
            f"{shown(value)} is no date; give one like 2026-12-24, or 2026-12-20/2027-01-04"
        ) from None
    if last and last[0] < first:
        raise ValueError(f"{shown(value)} ends before it begins; give the earlier date first")
    return value


notice_minutes = in_range(0, limits.MAX_NOTICE_MINUTES)
change_calendar_arn = by_pattern(
    rf"arn:{_PARTITION}:ssm:[a-z0-9-]+:\d{{12}}:document/[A-Za-z0-9_.-]{{3,128}}",
    "the ARN of a change calendar",
    "arn:aws:ssm:us-west-2:532151327118:document/freeze",
)


def email_address(value: str) -> str:
    """Validate an e-mail address."""
    if len(value) > 254 or _EMAIL.fullmatch(value) is None:
        raise ValueError(f"{shown(value)} is not an e-mail address; give one like ops@example.com")
    return value


def https_url(value: str) -> str:
    """Validate an https URL without credentials in it."""
    if re.match(r"[a-z]+://[^/?#]*@", value, re.IGNORECASE):  # first, as others show the value
        raise ValueError(
            "the URL carries a user name or password, which the template would show; "
            "leave them out and let the receiver verify SNS's signature"
        )
    try:
        parts = urlsplit(value)
        host, _ = domain_name(parts.hostname or ""), parts.port
    except ValueError:
        host = ""
    if not value.startswith("https://") or not host or re.search(r"\s", value):
        raise ValueError(
            f"{shown(value)} is not an https URL; give one like https://alerts.example.com/sns"
        )
    return value


def url_path(value: str) -> str:
    """Validate the path of a URL that a Route 53 health check requests."""
    at_most(value, limits.MAX_RESOURCE_PATH_CHARACTERS, "path")
    return matching(value, r"/[!-~]*", "a URL path that starts with /", "/version/")


version_field = by_pattern(r"[!-~]{1,64}", "a key of a JSON object", "environment")


def namespace(value: str) -> str:
    """Validate a CloudWatch namespace for custom metrics."""
    if value.startswith("AWS/"):
        raise ValueError(
            f"{shown(value)} starts with AWS/, which CloudWatch keeps for AWS services; "
            "give one like Bookstore"
        )
    return matching(
        value,
        rf"[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{{0,{limits.MAX_NAMESPACE_CHARACTERS - 1}}}",
        "a CloudWatch namespace (letters, digits and . - _ / # : space, at most 255)",
        "Bookstore",
    )


def one_line(value: str) -> str:
    """Validate a line of printable text for people to read."""
    if not value.strip() or not value.isprintable():
        raise ValueError(f"{shown(value)} is not a line of text; give one like Bookstore API")
    return value


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


def alarm_name(value: str) -> str:
    """Validate the name of a CloudWatch alarm."""
    if not value or not (value.isascii() and value.isprintable()):
        raise ValueError(f"{shown(value)} is not an alarm name (printable ASCII)")
    return at_most(value, limits.MAX_ALARM_NAME_CHARACTERS, "the alarm name")


dashboard_name = by_pattern(
    r"[A-Za-z0-9_-]{1,255}",
    "a dashboard's name (letters, digits, '_' and '-', at most 255)",
    "bookstore-production",
)


def ttl_seconds(value: int) -> int:
    """Validate a TTL of a DNS record, in seconds."""
    if not 0 <= value <= limits.MAX_TTL_SECONDS:
        raise ValueError(
            f"{value} s is not a TTL; allowed: 0 to {limits.MAX_TTL_SECONDS}, give 60 or less"
        )
    return value


port = in_range(1, 65_535, "not a TCP port")


def failover_period_seconds(value: int) -> int:
    """Validate a period in seconds of an alarm that a Route 53 health check can follow."""
    if value < limits.MIN_FAILOVER_PERIOD_SECONDS:
        raise ValueError(
            f"{value} s makes a high-resolution alarm, which Route 53 health checks can't follow; "
            f"give {limits.MIN_FAILOVER_PERIOD_SECONDS} or a multiple of it"
        )
    if value % 60:
        raise ValueError(f"{value} s is not a multiple of 60, which CloudWatch asks for")
    return value


def alarm_window_seconds(period_seconds: int, evaluation_periods: int) -> int:
    """Validate the time that an alarm evaluates, and return it in seconds."""
    window = period_seconds * evaluation_periods
    most = (
        limits.MAX_ALARM_WINDOW_SECONDS_SHORT_PERIOD
        if period_seconds < limits.SHORT_PERIOD_SECONDS
        else limits.MAX_ALARM_WINDOW_SECONDS
    )
    if window > most:
        raise ValueError(
            f"{evaluation_periods} periods of {period_seconds} s look back {window} s; "
            f"CloudWatch takes at most {most} s for this period"
        )
    return window


def failover_statistic(value: str) -> str:
    """Validate a statistic of an alarm that a Route 53 health check can follow."""
    if value not in limits.FAILOVER_STATISTICS:
        allowed = ", ".join(limits.FAILOVER_STATISTICS)
        near = nearest(value, limits.FAILOVER_STATISTICS)
        hint = f"did you mean {near}?" if near else f"allowed: {allowed}"
        raise ValueError(
            f"{shown(value)} is a statistic that Route 53 health checks can't follow "
            f"(percentiles and other extended statistics are not supported); {hint}"
        )
    return value


def all_datapoints(datapoints_to_alarm: int, evaluation_periods: int) -> int:
    """Validate datapoints of an alarm that decides failover: Route 53 needs all of them."""
    if datapoints_to_alarm != evaluation_periods:
        raise ValueError(
            f"{datapoints_to_alarm} out of {evaluation_periods} is an M-out-of-N alarm, which "
            f"Route 53 health checks can't follow; give {evaluation_periods}, or leave it out"
        )
    return datapoints_to_alarm


def some_datapoints(datapoints_to_alarm: int, evaluation_periods: int) -> int:
    """Validate datapoints of an alarm that decides nothing."""
    if not 1 <= datapoints_to_alarm <= evaluation_periods:
        raise ValueError(
            f"{datapoints_to_alarm} out of {evaluation_periods} can't breach; allowed: 1 to "
            f"{evaluation_periods}"
        )
    return datapoints_to_alarm


def threshold_between_0_and_1(value: float, statistic: str) -> float:
    """Validate a threshold that separates a metric's value 0 from 1."""
    most = math.inf if statistic in ("Sum", "SampleCount") else 1
    if not 0 < value <= most:
        allowed = "above 0" if most == math.inf else "above 0, at most 1"
        raise ValueError(
            f"{value:g} would never or always breach, as the metric is 0 or 1; "
            f"allowed for {statistic}: {allowed}"
        )
    return value


def statistic(value: str) -> str:
    """Validate a statistic of an alarm that decides nothing: a standard one or a percentile."""
    percentile = re.fullmatch(r"p([0-9]{1,2}(\.[0-9]{1,2})?|100)", value)
    if value in limits.FAILOVER_STATISTICS or percentile:
        return value
    raise ValueError(
        f"{shown(value)} is not a statistic; allowed: {', '.join(limits.FAILOVER_STATISTICS)}, and "
        "percentiles like p99"
    )


HOST_PLACEHOLDERS: Final = ("{host}", "{instance_id}")


def dimension_value(value: str) -> str:
    """Validate the value of a dimension; braces are allowed only in placeholders for the host."""
    rest = value
    for placeholder in HOST_PLACEHOLDERS:
        rest = rest.replace(placeholder, "")
    if "{" in rest or "}" in rest:
        raise ValueError(
            f"{shown(value)} has braces that are no placeholder; allowed: "
            f"{' and '.join(HOST_PLACEHOLDERS)}"
        )
    if not 1 <= len(value) <= limits.MAX_DIMENSION_VALUE_CHARACTERS or not value.isascii():
        raise ValueError(
            f"{shown(value)} is not a dimension's value (ASCII, 1 to "
            f"{limits.MAX_DIMENSION_VALUE_CHARACTERS} characters)"
        )
    return value
