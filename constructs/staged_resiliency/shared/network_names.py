"""Validates IP addresses, DNS names, ports and URLs, as ``validation`` validates single values."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from staged_resiliency.shared import limits
from staged_resiliency.shared.validation import at_most, in_range, matching, shown

_DNS_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


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


def ttl_seconds(value: int) -> int:
    """Validate a TTL of a DNS record, in seconds."""
    if not 0 <= value <= limits.MAX_TTL_SECONDS:
        raise ValueError(
            f"{value} s is not a TTL; allowed: 0 to {limits.MAX_TTL_SECONDS}, give 60 or less"
        )
    return value


port = in_range(1, 65_535, "not a TCP port")
