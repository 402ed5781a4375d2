"""The configuration file, read strictly.

The constructs have validated it already. The agent refuses the file at the first key that it can't
use, with one line that names the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, NamedTuple
from urllib.parse import urlsplit

from .checks import FAMILIES, Check, TcpCheck, TlsCheck
from .dns_check import RECORD_TYPES, DnsCheck
from .http_check import METHODS, HttpCheck, HttpsCheck
from .journal import printable
from .server_checks import ExchangeCheck, MysqlCheck, PostgresqlCheck, RedisCheck, Step
from .sockets import ip_version

# More samples a second would need more than about a tenth of a core.
MAX_SAMPLES_PER_SECOND = 1000
MAX_BYTES = 4_000_000
PEER_METRIC = "peer-connectivity"
HEARTBEAT_METRIC = "probe-heartbeat"
DROPPED_METRIC = "probe-dropped"
DROPPED_LINES_METRIC = "statsd-dropped"
_MAX_DIGITS = 20
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


class Target(NamedTuple):
    """A dependency: the metric it is published as, how and how often it is checked.

    ``latency`` publishes how long samples take, as ``statistics`` or as single ``values``;
    ``certificate`` publishes for how many days the certificate is still valid.
    """

    metric: str
    check: Check
    interval_seconds: int | None = None  # the configuration's
    timeout_seconds: float | None = None  # likewise
    latency: str = ""
    certificate: bool = False


class Statsd(NamedTuple):
    """What the application may send by StatsD to this host's loopback addresses.

    ``metrics`` are names, or beginnings of names with a ``*`` after them; ``tags`` are published as
    dimensions besides ``Host``, all others are ignored.
    """

    metrics: tuple[str, ...]
    max_metrics: int
    port: int = 8125
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """A valid configuration; its fields are the keys of the file.

    ``host``, ``region`` and ``endpoint_url`` are the instance's Name tag, its region and
    CloudWatch's endpoint there, unless given.
    """

    service: str
    namespace: str
    targets: tuple[Target, ...]
    peers: Mapping[str, Check] = field(default_factory=dict)  # by the name of the checked host
    interval_seconds: int = 10
    timeout_seconds: float = 5
    journal: str = "samples"  # a line for each; or "changes": one when a target's state changes
    host: str = ""
    region: str = ""
    endpoint_url: str = ""
    statsd: Statsd | None = None  # not received, unless given

    def pace_of(self, target: Target) -> tuple[int, float]:
        """Return the interval and the timeout of a target."""
        return (
            target.interval_seconds or self.interval_seconds,
            target.timeout_seconds or self.timeout_seconds,
        )


class ConfigError(Exception):
    """A configuration that can't be used; the message is one line."""


def load(file: Path) -> Config:
    """Read the configuration in a file; raises ``ConfigError``, which names the file."""
    try:
        with file.open("rb") as opened:
            return parse(opened.read(MAX_BYTES + 1))
    except OSError as error:
        problem = f"can't be read: {error.strerror}"
    except ConfigError as error:
        problem = str(error)
    raise ConfigError(f"{printable(file, 1000)}: {problem}")


def parse(data: bytes) -> Config:
    """Read the content of a configuration file; raises ``ConfigError``."""
    if len(data) > MAX_BYTES:
        raise ConfigError(f"must have at most {MAX_BYTES} bytes")
    try:
        content = json.loads(
            data.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_int=_integer
        )
        return _config(content)
    except RecursionError:
        raise ConfigError("is nested too deeply") from None
    except ValueError as error:
        raise ConfigError(f"is not JSON in UTF-8: {printable(error)}") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise ConfigError(f"{_key(key)}: is given twice")
        content[key] = value
    return content


def _integer(digits: str) -> float:
    """Convert an integer of any length: Python refuses, or takes long over, endless digits."""
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


# --- Rules for single values


class Rule(NamedTuple):
    """A condition that a JSON value, of any type, must meet."""

    description: str  # follows "must be" in messages
    allows: Callable[[Any], bool]


def _text(description: str, allows: Callable[[str], object]) -> Rule:
    return Rule(description, lambda value: isinstance(value, str) and bool(allows(value)))


def _pattern(description: str, pattern: str) -> Rule:
    return _text(description, re.compile(pattern, re.ASCII).fullmatch)


def _one_of(allowed: Sequence[str]) -> Rule:
    return _text(f"one of {', '.join(allowed)}", lambda value: value in allowed)


def _whole_number(lowest: int, highest: int) -> Rule:
    return Rule(
        f"a whole number from {lowest} to {highest}",
        lambda value: type(value) is int and lowest <= value <= highest,
    )


def _list_of(description: str, pattern: str) -> Rule:
    allows = re.compile(rf"(?=.{{1,255}}$){pattern}", re.ASCII).fullmatch
    return Rule(
        f"a list of {description}",
        lambda value: (
            isinstance(value, list)
            and all(isinstance(text, str) and allows(text) for text in value)
        ),
    )


def _is_domain_name(text: str) -> bool:
    name = text[:-1] if text.endswith(".") else text
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def _is_name_or_address(text: str) -> bool:
    is_name = _is_domain_name(text) and not re.fullmatch(r"[0-9.]+", text)
    return is_name or ip_version(text) is not None


def _is_endpoint(text: str) -> bool:
    try:
        url = urlsplit(text)
        is_valid = url.scheme in ("http", "https") and url.port != 0 and not url.path.strip("/")
        return is_valid and _is_name_or_address(url.hostname or "")
    except ValueError:
        return False


HOST = _pattern(
    "a metric dimension's value: 1 to 255 printable ASCII characters, no colon first",
    r"(?! *$)(?!:)[ -~]{1,255}",
)
REGION = _pattern("an AWS region", r"[a-z]{2,5}(-[a-z]+)+-\d{1,2}")
ENDPOINT = _text(
    "a URL of scheme, host and perhaps a port, such as https://monitoring.us-west-2.amazonaws.com",
    lambda text: re.fullmatch(r"[A-Za-z0-9.:/\[\]_-]+", text) and _is_endpoint(text),
)
_NAME = "lower-case letters, digits and single hyphens, a letter first, at most"
_OWN_METRICS = (PEER_METRIC, HEARTBEAT_METRIC, DROPPED_METRIC)
_METRIC = _pattern(
    f"{_NAME} 200, and not {', '.join(_OWN_METRICS)}",
    rf"(?!({'|'.join(_OWN_METRICS)})$)(?=.{{1,200}}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
)
_OBJECT = Rule("an object", lambda value: isinstance(value, dict))
_DOMAIN_NAME = _text("a DNS name", _is_domain_name)
_PORT = _whole_number(1, 65_535)
_NAME_OR_ADDRESS = _text("a DNS name or an IP address", _is_name_or_address)
_STATUS = _whole_number(100, 599)

_INTERVAL = Rule(
    "a whole number that divides 60",
    lambda value: type(value) is int and value > 0 and 60 % value == 0,
)
_TIMEOUT = Rule(
    "a number above 0 and at most 60",
    lambda value: type(value) in (int, float) and 0 < value <= 60,
)
_BOOLEAN = Rule("true or false", lambda value: isinstance(value, bool))
_TEXT = _text("1 to 1024 characters", lambda text: 1 <= len(text) <= 1024)

_CONFIG: Mapping[str, Rule] = {
    "service": _pattern(f"{_NAME} 40", r"(?=.{1,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*"),
    "namespace": _pattern(
        "a CloudWatch namespace for custom metrics",
        r"(?!AWS/)[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{0,254}",
    ),
    "interval_seconds": _INTERVAL,
    "timeout_seconds": _TIMEOUT,
    "targets": Rule("a list", lambda value: isinstance(value, list)),
    "peers": _OBJECT,
    "journal": _one_of(("samples", "changes")),
    "host": HOST,
    "region": REGION,
    "endpoint_url": ENDPOINT,
    "statsd": _OBJECT,
}
_STATSD: Mapping[str, Rule] = {
    "metrics": _list_of("names of metrics, perhaps with a * at the end", r"[!-)+-9;-{}~]+\*?"),
    "max_metrics": _whole_number(1, 100),
    "port": _whole_number(1024, 65_535),
    "tags": _list_of("names of tags", r"[A-Za-z][A-Za-z0-9_./-]*"),
}
_TARGET: Mapping[str, Rule] = {
    "metric": _METRIC,
    "interval_seconds": _INTERVAL,
    "timeout_seconds": _TIMEOUT,
    "latency": _one_of(("statistics", "values")),
    "certificate": _BOOLEAN,
}
_CONNECTION: Mapping[str, Rule] = {
    "host": _NAME_OR_ADDRESS,
    "port": _PORT,
    "family": _one_of(tuple(FAMILIES)),
}
_CERTIFICATE: Mapping[str, Rule] = {
    "server_name": _NAME_OR_ADDRESS,
    "days_to_expiry": _whole_number(0, 3650),
    "ca_file": _pattern("an absolute path", r"/[!-~]{1,1023}"),
}
_HEADERS = Rule(
    "an object of headers: names of letters, digits and hyphens, and printable ASCII",
    lambda value: (
        isinstance(value, dict)
        and all(
            re.fullmatch(r"[A-Za-z0-9-]{1,64}", name)
            and isinstance(text, str)
            and re.fullmatch(r"[ -~]{0,1024}", text)
            for name, text in value.items()
        )
    ),
)
_REQUEST: Mapping[str, Rule] = {
    "method": _one_of(METHODS),
    "headers": _HEADERS,
    "path": _pattern(
        "a path: a / first, printable ASCII without spaces, at most 1024", r"/[!-~]{0,1023}"
    ),
    "host_header": _pattern("a name, perhaps with a port", r"[A-Za-z0-9._:\[\]-]{1,260}"),
    "status": Rule(
        f"a list, each {_STATUS.description}",
        lambda value: isinstance(value, list) and bool(value) and all(map(_STATUS.allows, value)),
    ),
    "text": _text(
        "1 to 255 printable characters", lambda text: 1 <= len(text) <= 255 and text.isprintable()
    ),
}


_SERVER: Mapping[str, Rule] = {**_CONNECTION, **_CERTIFICATE, "tls": _BOOLEAN}
_USER = _pattern("a user's name of printable ASCII, at most 80", r"[!-~]{1,80}")
_STEPS = Rule("a list of one step or more", lambda value: isinstance(value, list) and bool(value))
_STEP: Mapping[str, Rule] = {"send": _TEXT, "expect": _TEXT, "starttls": _BOOLEAN}


class _Kind(NamedTuple):
    """A kind of check: its class, whose fields are the keys, and their rules."""

    make: Callable[..., Check]
    rules: Mapping[str, Rule]
    required: Sequence[str] = ("host",)


_KINDS: Mapping[str, _Kind] = {
    "tcp": _Kind(TcpCheck, _CONNECTION, ("host", "port")),
    "tls": _Kind(TlsCheck, {**_CONNECTION, **_CERTIFICATE}),
    "http": _Kind(HttpCheck, {**_CONNECTION, **_REQUEST}),
    "https": _Kind(HttpsCheck, {**_CONNECTION, **_REQUEST, **_CERTIFICATE}),
    "mysql": _Kind(MysqlCheck, {**_SERVER, "user": _USER}, ("host", "user")),
    "postgresql": _Kind(PostgresqlCheck, {**_SERVER, "user": _USER, "database": _USER}),
    "redis": _Kind(RedisCheck, _SERVER),
    "exchange": _Kind(ExchangeCheck, {**_SERVER, "steps": _STEPS}, ("host", "port", "steps")),
    "dns": _Kind(
        DnsCheck,
        {
            "host": _DOMAIN_NAME,
            "type": _one_of(tuple(RECORD_TYPES)),
            "answer": _text("a text", lambda text: True),
            "server": _text("an IP address", ip_version),
            "port": _PORT,
        },
    ),
}
_KIND = _one_of(tuple(_KINDS))
_ANSWERS: Mapping[str, Rule] = {
    "A": _text("an IPv4 address, as type A answers", lambda text: ip_version(text) == 4),
    "AAAA": _text("an IPv6 address, as type AAAA answers", lambda text: ip_version(text) == 6),
    "CNAME": _DOMAIN_NAME,
}


# --- Objects of the file


def _config(content: object) -> Config:
    given = _object(content, "", _CONFIG, ("service", "namespace"))
    targets: dict[str, Target] = {}
    for number, each in enumerate(given.get("targets", [])):
        path = f"targets[{number}]"
        check = _check(each, path, _TARGET, ("metric",))
        if each["metric"] in targets:
            raise ConfigError(f"{path}.metric: {each['metric']} is the metric of another target")
        settings = {key: value for key, value in each.items() if key in _TARGET}
        targets[each["metric"]] = Target(check=check, **settings)
    peers = {}
    for name, each in given.get("peers", {}).items():
        path = f"peers.{_key(name)}"
        require(name, HOST, path)
        peers[name] = _check(each, path, {}, ())
    if "statsd" in given:
        statsd = _object(given["statsd"], "statsd", _STATSD, ("metrics", "max_metrics"))
        lists = {key: tuple(value) for key, value in statsd.items() if isinstance(value, list)}
        given["statsd"] = Statsd(**{**statsd, **lists})
    config = Config(**{**given, "targets": tuple(targets.values()), "peers": peers})
    if len(peers) == 1:
        raise ConfigError("peers: must name two hosts or more, or none")
    paces = [("", config.interval_seconds, config.timeout_seconds)]
    paces += [(f"targets[{n}].", *config.pace_of(each)) for n, each in enumerate(config.targets)]
    for path, interval, timeout in paces:
        if timeout >= interval:
            raise ConfigError(
                f"{path}timeout_seconds: must be below interval_seconds ({interval}), not {timeout}"
            )
    others = max(0, len(peers) - 1)
    count = len(targets) + others
    if not count and config.statsd is None:
        raise ConfigError("targets: is empty, and there are no peers")
    a_minute = others * 60 // config.interval_seconds
    a_minute += sum(60 // interval for _, interval, _ in paces[1:])
    if a_minute > 60 * MAX_SAMPLES_PER_SECOND:
        raise ConfigError(
            f"targets: {count} targets and peers make {a_minute / 60:g} samples a second; at most "
            f"{MAX_SAMPLES_PER_SECOND} are allowed"
        )
    return config


def _check(
    content: Any, path: str, other: Mapping[str, Rule], also_required: Sequence[str]
) -> Check:
    require(content, _OBJECT, path)
    if "check" not in content:
        raise ConfigError(f"{path}.check: is missing")
    require(content["check"], _KIND, f"{path}.check")
    kind = _KINDS[content["check"]]
    rules = {**other, "check": _KIND, **kind.rules}
    given = _object(content, path, rules, (*also_required, *kind.required))
    version = ip_version(given["host"])
    if version and given.get("family", f"ipv{version}") != f"ipv{version}":
        raise ConfigError(f"{path}.family: must be left out, or that of the address in host")
    if "answer" in given:
        require(given["answer"], _ANSWERS[given.get("type", "A")], f"{path}.answer")
    settings = {key: value for key, value in given.items() if key in kind.rules}
    if "status" in settings:
        settings["status"] = tuple(settings["status"])
    if "headers" in settings:
        settings["headers"] = tuple(settings["headers"].items())
    if settings.get("method") == "HEAD" and "text" in settings:
        raise ConfigError(f"{path}.text: must be left out with method HEAD, which has no body")
    if "steps" in settings:
        settings["steps"] = tuple(
            Step(**_object(step, f"{path}.steps[{number}]", _STEP, ()))
            for number, step in enumerate(settings["steps"])
        )
    return kind.make(**settings)


def _object(
    content: Any, path: str, rules: Mapping[str, Rule], required: Sequence[str]
) -> dict[str, Any]:
    require(content, _OBJECT, path)
    for key, value in content.items():
        at = f"{path}.{_key(key)}" if path else _key(key)
        if key not in rules:
            raise ConfigError(f"{at}: is not a key here; allowed: {', '.join(rules)}")
        require(value, rules[key], at)
    for key in required:
        if key not in content:
            raise ConfigError(f"{path}.{key}: is missing" if path else f"{key}: is missing")
    return dict(content)


def require(value: object, rule: Rule, path: str) -> None:
    """Raise ``ConfigError`` unless a rule allows the value; ``path`` says where it is."""
    if not rule.allows(value):
        at = f"{path}: " if path else ""
        shown = printable(json.dumps(value), 60)
        raise ConfigError(f"{at}must be {rule.description}, not {shown}")


def _key(key: str) -> str:
    return printable(json.dumps(key)[1:-1], 60) or '""'
