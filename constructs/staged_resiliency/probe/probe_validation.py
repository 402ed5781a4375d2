"""Validates single values of the probe's settings.

As in ``staged_resiliency.shared.validation``, each function returns the value in its canonical
form, or raises ``ValueError`` with a sentence. The agent, which can't import the library, has
rules of its own in ``agent.config``; a value that passes here must pass there.
"""

import ipaddress
import re
from typing import Final

from staged_resiliency.shared import limits, network_names, validation

ROLE_NAME: Final = r"^[A-Za-z0-9_+=,.@-]{1,64}$"
BUCKET_NAME: Final = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
STATSD_PATTERN: Final = r"^(?=.{1,255}$)[!-)+-9;-{}~]+\*?$"
STATSD_TAG: Final = r"^[A-Za-z][A-Za-z0-9_./-]{0,254}$"
MAX_STATSD_METRICS: Final = 100
MAX_STATSD_TAGS: Final = 10
# Seconds between two samples, such that a minute holds a whole number of them.
INTERVALS_SECONDS: Final = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)


def interval_seconds(value: int) -> int:
    """Validate the seconds between two samples of a target."""
    if value not in INTERVALS_SECONDS:
        allowed = ", ".join(map(str, INTERVALS_SECONDS))
        raise ValueError(
            f"60 s / {value} s is not a whole number of samples a minute; give one of {allowed}"
        )
    return value


def timeout_seconds(value: float, interval: int) -> float:
    """Validate the deadline of a sample, which must end before the next one is due."""
    if not 0 < value < interval:
        raise ValueError(
            f"the timeout of {value:g} s is not within the interval of {interval} s; "
            f"give timeout_seconds above 0 and below {interval}"
        )
    return value


status = validation.in_range(100, 599, "not an HTTP status")


def body_text(value: str) -> str:
    """Validate a text to find in an answer's body."""
    if not value or not value.isprintable():
        raise ValueError(
            f"{validation.shown(value)} is not a text of printable characters; "
            "give one like bookstore-api"
        )
    return validation.at_most(value, limits.MAX_SEARCH_TEXT_CHARACTERS, "the text")


user_name = validation.by_pattern(
    r"[!-~]{1,80}",
    "the name of a user or a database (printable ASCII without spaces, at most 80)",
    "resiliency_probe",
)


def file_on_host(value: str) -> str:
    """Validate the path of a file on the hosts; below /home and /root the agent reads nothing."""
    if re.match(r"/(home|root|run/user)(/|$)", value):
        raise ValueError(
            f"{validation.shown(value)} can't be read by the agent, from which the system hides "
            "/home, /root and /run/user; give one like /etc/ssl/shop-ca.pem"
        )
    return validation.matching(
        value,
        r"/[!-~]{1,1023}",
        "an absolute path (printable ASCII without spaces)",
        "/etc/ssl/shop-ca.pem",
    )


def header_name(value: str) -> str:
    """Validate the name of a header, except of one that the protocol itself needs."""
    own = ("host", "connection", "content-length", "transfer-encoding", "accept-encoding")
    if value.lower() in own:
        raise ValueError(
            f"{validation.shown(value)} is a header that the probe sets itself; leave it out "
            "(host_header sets Host)"
        )
    return validation.matching(
        value, r"[A-Za-z0-9-]{1,64}", "the name of a header (letters, digits, -)", "X-Probe"
    )


header_value = validation.by_pattern(
    r"[ -~]{0,1024}", "the value of a header (printable ASCII)", "probe"
)


def exchanged_text(value: str) -> str:
    """Validate a text to send or to wait for: printable, with tabs and ends of lines."""
    if not value or not re.sub(r"[\t\r\n]", "", value + ".").isprintable():
        raise ValueError(
            f"{validation.shown(value)} is not a text of printable characters and ends of lines; "
            'give one like "QUIT\\r\\n"'
        )
    return validation.at_most(value, 1024, "the text")


days_to_expiry = validation.in_range(
    0, limits.MAX_DAYS_TO_EXPIRY, "not a number of days that certificates have left"
)


def dns_server(value: str) -> str:
    """Validate the address of a DNS server, which may be the host itself."""
    try:
        address = ipaddress.ip_address(value)
        sound = not (address.is_unspecified or address.is_multicast or "%" in value)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(
            f"{validation.shown(value)} is not the address of a DNS server; give one like 10.0.0.2"
        )
    return str(address)


def dns_answer(value: str, record_type: str) -> str:
    """Validate the value of a DNS record of a type."""
    if record_type == "CNAME":
        return network_names.domain_name(value)
    version = 6 if record_type == "AAAA" else 4
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        address = None
    if address is None or address.version != version or "%" in value:  # no zones
        example = "2600:1f14::9" if version == 6 else "10.0.0.5"
        raise ValueError(
            f"{validation.shown(value)} is not an IPv{version} address, which a record of type "
            f"{record_type} holds; give one like {example}"
        )
    return str(address)


bucket_name = validation.by_pattern(
    BUCKET_NAME,
    "the name of an S3 bucket (lower-case letters, digits, '.' and '-', 3 to 63)",
    "example-run-output",
)


schedule_expression = validation.by_pattern(
    r"(rate|cron)\([A-Za-z0-9 */?#,-]+\)",
    "a schedule of State Manager",
    "rate(1 day) or, in UTC, cron(0 3 ? * * *)",
)


def statsd_port(value: int) -> int:
    """Validate the port for StatsD, which the agent, without root, must be able to listen on."""
    if not 1024 <= value <= 65_535:
        raise ValueError(f"{value} is not a port for StatsD; allowed: 1024 to 65535, usually 8125")
    return value


statsd_metrics = validation.in_range(1, MAX_STATSD_METRICS, "not a number of metrics on a host")
statsd_pattern = validation.by_pattern(
    STATSD_PATTERN,
    "a metric's name, perhaps with a * as its end (printable ASCII without spaces, : and |, "
    "at most 255)",
    "orders.*",
)


def statsd_tag(value: str) -> str:
    """Validate a tag that becomes a dimension."""
    if value in ("Host", "Class", "Observer"):
        raise ValueError(f"{value!r} is a dimension that the probe sets itself; remove it")
    return validation.matching(
        value,
        STATSD_TAG,
        "the name of a tag (letters, digits and . _ / -, a letter first, at most 255)",
        "shop",
    )


def name_to_look_up(value: str) -> str:
    """Validate a name to look up."""
    if network_names.is_address(value):
        raise ValueError(
            f"{validation.shown(value)} is an address, not a DNS name; give one like db.example.com"
        )
    return network_names.domain_name(value)


def role_name(value: str) -> str:
    """Validate the name of an IAM role, without path or ARN, as a managed policy takes it."""
    if value.startswith("arn:"):
        raise ValueError(
            f"{validation.shown(value)} is an ARN; give the role's name alone, which is "
            f"{value.rpartition('/')[2]}"
        )
    return validation.matching(
        value,
        ROLE_NAME,
        "the name of an IAM role (letters, digits and + = , . @ _ -, at most 64)",
        "bookstore-api",
    )


def target_tag(value: str) -> str:
    """Validate the key of a tag that selects instances; keys of AWS are allowed."""
    most = limits.MAX_TARGET_TAG_CHARACTERS
    return validation.matching(
        value,
        rf"[\w .:/=+@-]{{1,{most}}}",
        "a tag that selects instances (letters, digits, spaces and _ . : / = + @ -, "
        f"at most {most})",
        "fleet",
        re.UNICODE,
    )


association_name = validation.by_pattern(
    r"[A-Za-z0-9_.-]{3,128}",
    "the name of an association (letters, digits, '_', '.' and '-', 3 to 128)",
    "shop-probe",
)


platform = validation.by_pattern(
    r"[a-z][a-z0-9._]{0,31}-[0-9][0-9.]{0,15}",
    "a platform (ID-VERSION_ID of /etc/os-release)",
    "almalinux-9",
)


max_concurrency = validation.by_pattern(
    r"[1-9][0-9]{0,6}|([1-9]|[1-9][0-9]|100)%", "a number or share of instances", "1 or 10%"
)


max_errors = validation.by_pattern(
    r"0|[1-9][0-9]{0,6}|([0-9]|[1-9][0-9]|100)%", "a number or share of instances", "0 or 10%"
)
