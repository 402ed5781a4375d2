"""What makes a single value of the configuration acceptable.

Each function raises ``ValueError`` with what was found, what is allowed and an example.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
RESERVED_METRICS = ("peer-connectivity", "probe-heartbeat", "probe-dropped")
INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
MAX_TIMEOUT = 60


def quoted(text: str, most: int = 60) -> str:
    """A text as messages quote it: printable ASCII, short."""
    shown = ascii(text[:most])
    return shown if len(shown) <= most and len(text) <= most else f"{shown[: most - 3]}..."


def plain(text: str) -> str:
    """A text as it is where it is printable ASCII, else with escapes."""
    return text if text.isascii() and text.isprintable() else ascii(text)[1:-1]


def _must_match(pattern: str, value: str, what: str, example: str) -> None:
    if re.fullmatch(pattern, value, re.ASCII) is None:
        raise ValueError(f"{quoted(value)} is not {what}; give one like {example}")


def slug(value: str) -> None:
    """The short name of a service."""
    what = "a short name (lower-case letters, digits, single hyphens, a letter first, at most 40)"
    _must_match(r"(?=.{1,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*", value, what, "bookstore")


def metric(value: str) -> None:
    """The name of a target's metric."""
    what = "a metric name (lower-case letters, digits, single hyphens, a letter first, at most 200)"
    _must_match(r"(?=.{1,200}$)[a-z][a-z0-9]*(-[a-z0-9]+)*", value, what, "db-connectivity")
    if value in RESERVED_METRICS:
        raise ValueError(f"{value} is a metric of the agent itself; give another one")


def namespace(value: str) -> None:
    """A CloudWatch namespace for custom metrics."""
    what = (
        "a CloudWatch namespace (letters, digits and . - _ / # : space, at most 255, none of the "
        "last two first, not of AWS)"
    )
    pattern = r"(?!AWS/)[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{0,254}"
    _must_match(pattern, value, what, "Bookstore")


def host(value: str) -> None:
    """A host's name: what CloudWatch takes for the value of a dimension."""
    what = "a host name that a metric can carry (1 to 255 printable ASCII characters, no : first)"
    _must_match(r"(?! *$)(?!:)[ -~]{1,255}", value, what, "bookstore-api-blue")


def region(value: str) -> None:
    """An AWS region."""
    _must_match(r"[a-z]{2,5}(-[a-z]+)+-\d{1,2}", value, "an AWS region", "us-west-2")


def url(value: str) -> None:
    """An http or https URL without path or credentials."""
    try:
        parts = urlsplit(value)
        name_or_address(parts.hostname or "")
        rest = (parts.username, parts.path.strip("/"), parts.query, parts.fragment)
        sound = parts.scheme in ("http", "https") and parts.port != 0 and not any(rest)
    except ValueError:
        sound = False
    if not sound or not re.fullmatch(r"[A-Za-z0-9.:/\[\]_-]+", value):
        raise ValueError(
            f"{quoted(value)} is not an endpoint's URL (scheme, host, a port if need be, "
            "nothing else); give one like https://monitoring.us-west-2.amazonaws.com"
        )


def interval(value: float) -> None:
    """Seconds between two samples: a minute holds a whole number of them."""
    if value not in INTERVALS:
        *most, last = INTERVALS
        raise ValueError(
            f"{value} s is not an interval: 60 s / interval must be a whole number of samples a "
            f"minute; give {', '.join(map(str, most))} or {last}"
        )


def timeout(value: float) -> None:
    """Seconds that a sample may take."""
    if not 0 < value <= MAX_TIMEOUT:
        raise ValueError(f"{value} s is not a timeout; give one above 0 and at most 60, such as 5")


def port(value: float) -> None:
    """A TCP or UDP port."""
    if not 1 <= value <= 65_535 or value != int(value):
        raise ValueError(f"{value} is not a port; allowed: 1 to 65535")


def address(value: str) -> None:
    """An IPv4 or IPv6 address, without a zone, as that may hold any character."""
    if version(value) is None:
        raise ValueError(f"{quoted(value)} is not an IP address; give one like 10.0.0.2")


def version(value: str) -> int | None:
    """4 or 6 for an address; None for everything else."""
    try:
        return None if "%" in value else ipaddress.ip_address(value).version
    except ValueError:
        return None


def domain_name(value: str) -> None:
    """A DNS name."""
    name = value[:-1] if value.endswith(".") else value
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(
            f"{quoted(value)} is not a DNS name (letters, digits, - and _, dots "
            "between labels of at most 63); give one like db.example.com"
        )


def name_or_address(value: str) -> None:
    """A DNS name or an address, without a port."""
    if re.fullmatch(r"[0-9.]+|.*:.*", value, re.DOTALL) is None:
        domain_name(value)
    elif version(value) is None:
        raise ValueError(
            f"{quoted(value)} is not a DNS name or an IP address, without scheme and port; give "
            "one like db.example.com or 10.0.0.2"
        )


def path(value: str) -> None:
    """A path and query of a URL."""
    what = "a path (a / first, printable ASCII without spaces, at most 1024)"
    _must_match(r"/[!-~]{0,1023}", value, what, "/health")


def host_header(value: str) -> None:
    """A name, or name and port, as the Host header carries it."""
    what = "a Host header (a name, and a port if need be)"
    _must_match(r"[A-Za-z0-9._:\[\]-]{1,260}", value, what, "shop.example.com")


def text(value: str) -> None:
    """A text to be found in a body."""
    if not 1 <= len(value) <= 255 or not value.isprintable():
        raise ValueError(
            f"{quoted(value)} is not a text of 1 to 255 printable characters; give one like ok"
        )


def status(value: float) -> None:
    """An HTTP status."""
    if not 100 <= value <= 599:
        raise ValueError(f"{value} is not an HTTP status; allowed: 100 to 599")


def days(value: float) -> None:
    """Days that a certificate must still be valid."""
    if not 0 <= value <= 3650 or value != int(value):
        raise ValueError(f"{value} is not a number of days; allowed: 0 to 3650")
