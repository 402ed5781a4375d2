"""Any configuration is either taken as it is written or refused in one line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.agent.checks import TcpCheck, TlsCheck
from staged_resiliency.probe.agent.config import (
    DROPPED_METRIC,
    HEARTBEAT_METRIC,
    PEER_METRIC,
    Config,
    ConfigError,
    Target,
    load,
    parse,
)
from staged_resiliency.probe.agent.dns_check import DnsCheck
from staged_resiliency.probe.agent.http_check import HttpCheck, HttpsCheck
from tests.properties import fewer_examples
from tests.staged_resiliency.probe.agent.bad_configurations.cases import SOUND

LINE = re.compile(r"[ -~]+")


def outcome(data: bytes) -> Config | None:
    """The configuration, or None when it is refused in a line of printable ASCII."""
    try:
        return parse(data)
    except ConfigError as error:
        refusal = str(error)
    assert LINE.fullmatch(refusal), f"{refusal!r} is not a line of printable ASCII"
    return None


def test_a_small_configuration_has_the_documented_defaults() -> None:
    config = parse(
        b'{"service": "shop", "namespace": "Shop", "targets": ['
        b'{"metric": "a", "check": "tcp", "host": "a.example.com", "port": 5432},'
        b'{"metric": "b", "check": "tls", "host": "b.example.com"},'
        b'{"metric": "c", "check": "http", "host": "c.example.com"},'
        b'{"metric": "d", "check": "https", "host": "d.example.com"},'
        b'{"metric": "e", "check": "dns", "host": "e.example.com"}]}'
    )
    assert config == Config(
        service="shop",
        namespace="Shop",
        targets=(
            Target("a", TcpCheck("a.example.com", 5432, "ipv4")),
            Target("b", TlsCheck("b.example.com", 443, "ipv4", "", 0, "")),
            Target("c", HttpCheck("c.example.com", 80, "ipv4", "/", "", (), "GET", (), "")),
            Target(
                "d", HttpsCheck("d.example.com", 443, "ipv4", "", 0, "", "/", "", (), "GET", (), "")
            ),
            Target("e", DnsCheck("e.example.com", "A", "", "", 53)),
        ),
        peers={},
        interval_seconds=10,
        timeout_seconds=5,
        journal="samples",
        host="",
        region="",
        endpoint_url="",
    )


def test_all_that_is_given_is_taken() -> None:
    config = parse(SOUND.encode())
    assert config == Config(
        service="bookstore",
        namespace="Bookstore",
        targets=(
            Target("db-connectivity", TcpCheck("db.example.com", 5432)),
            Target(
                "tls-connectivity",
                TlsCheck("10.0.0.5", 443, server_name="a.example.com", days_to_expiry=14),
            ),
            Target(
                "cdn-connectivity",
                HttpsCheck(
                    host="cdn.example.com",
                    port=443,
                    family="ipv6",
                    path="/health?deep=1",
                    host_header="shop.example.com:8443",
                    status=(200, 204),
                    text="ok",
                ),
            ),
            Target(
                "dns-connectivity",
                DnsCheck("www.example.com", "CNAME", "cdn.example.com", "10.0.0.2", 5353),
            ),
        ),
        peers={
            "bookstore-api-blue": HttpCheck("10.0.1.1", 80),
            "bookstore-api-green": HttpCheck("10.0.1.2", 80),
        },
        interval_seconds=10,
        timeout_seconds=5,
        journal="samples",
        host="bookstore-api-blue",
        region="us-west-2",
        endpoint_url="https://monitoring.us-west-2.amazonaws.com",
    )


# Nothing raises but what is meant to.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def paths(content: Any) -> list[tuple[str | int, ...]]:
    """Where values stand in a content, itself included."""
    inner = list(
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    return [(), *((key, *path) for key, value in inner for path in paths(value))]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The sound configuration with some of its values, or of its characters, replaced."""
    content = json.loads(SOUND)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(paths(content)[1:] or [()]))
        if not path:
            break
        place = content
        for key in path[:-1]:
            place = place[key]
        way = draw(st.sampled_from(["value", "value", "key", "away"]))
        value = place.pop(path[-1])
        if way == "value":
            value = draw(JSON)
        if way != "away" and isinstance(place, dict):
            place[draw(st.text()) if way == "key" else path[-1]] = value
        elif way != "away":
            place.insert(path[-1], value)
    text = json.dumps(content, ensure_ascii=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.text(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
    return text


@given(JSON)
@example(1e999)
@example({"service": 10**30})
def test_any_json_is_taken_or_refused(content: Any) -> None:
    outcome(json.dumps(content).encode())


@given(mutated())
def test_any_change_of_a_valid_configuration_is_taken_or_refused(text: str) -> None:
    outcome(text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    outcome(data)


@given(
    st.sampled_from(["host", "server_name", "path", "host_header", "text", "answer", "server"]),
    st.text(min_size=1),
)
@example("host", "fe80::1%\n<3>fire")
@example("server", "fe80::1%\x1b[2J")
def test_what_a_check_sends_or_shows_is_printable_and_on_one_line(key: str, value: str) -> None:
    """Whatever text is taken, nothing of it can begin a line or move a cursor."""
    for kind in ("https", "dns"):
        target = {"metric": "a", "check": kind, "host": "a", key: value}
        top = {"service": "a", "namespace": "A", "targets": [target]}
        config = outcome(json.dumps(top).encode())
        if config is not None:
            check = config.targets[0].check
            assert LINE.fullmatch(check.label)
            if isinstance(check, HttpCheck):
                lines = check._request().split(b"\r\n")
                assert len(lines) == 8  # request, five headers, the empty line, nothing
                assert all(re.fullmatch(rb"[ -~]*", line) for line in lines)


# Any sound one is taken, and each of its values stays what it was.

LABELS = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9_])?", fullmatch=True)
NAMES = st.lists(LABELS.filter(lambda label: not label.isdigit()), min_size=1, max_size=3).map(
    ".".join
)
ADDRESSES = st.ip_addresses().map(str)
PORTS = st.integers(1, 65_535)
METRICS = st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){0,3}", fullmatch=True).filter(
    lambda metric: metric not in (PEER_METRIC, HEARTBEAT_METRIC, DROPPED_METRIC)
)
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
HOSTS = st.text(PRINTABLE, min_size=1, max_size=20).filter(
    lambda host: host.strip() and not host.startswith(":")
)
TLS = {"server_name": NAMES | ADDRESSES, "days_to_expiry": st.integers(0, 3650)}
HTTP = {
    "path": st.from_regex(r"/[!-~]{0,50}", fullmatch=True),
    "host_header": st.from_regex(r"[a-z0-9.-]{1,40}(:[0-9]{1,5})?", fullmatch=True),
    "status": st.lists(st.integers(100, 599), min_size=1, max_size=5),
    "text": st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20),
}
PLACE = {"host": NAMES | ADDRESSES}
CHECKS = st.one_of(
    st.fixed_dictionaries({"check": st.just("tcp"), **PLACE, "port": PORTS}),
    st.fixed_dictionaries(
        {"check": st.just("tcp"), "host": NAMES, "port": PORTS},
        optional={"family": st.sampled_from(["ipv4", "ipv6"])},
    ),
    st.fixed_dictionaries({"check": st.just("tls"), **PLACE}, optional={"port": PORTS, **TLS}),
    st.fixed_dictionaries({"check": st.just("http"), **PLACE}, optional={"port": PORTS, **HTTP}),
    st.fixed_dictionaries(
        {"check": st.just("https"), **PLACE}, optional={"port": PORTS, **HTTP, **TLS}
    ),
    st.fixed_dictionaries(
        {"check": st.just("dns"), "host": NAMES},
        optional={"server": ADDRESSES, "port": PORTS, "type": st.sampled_from(["A", "AAAA"])},
    ),
    st.fixed_dictionaries(
        {"check": st.just("dns"), "host": NAMES, "type": st.just("CNAME")},
        optional={"answer": NAMES},
    ),
    st.fixed_dictionaries(
        {"check": st.just("dns"), "host": NAMES, "type": st.just("AAAA")},
        optional={"answer": st.ip_addresses(v=6).map(str)},
    ),
    st.fixed_dictionaries(
        {"check": st.just("dns"), "host": NAMES}, optional={"answer": st.ip_addresses(v=4).map(str)}
    ),
)


@st.composite
def sound(draw: st.DrawFn) -> dict[str, Any]:
    """A configuration that must be taken."""
    interval = draw(st.sampled_from(probe_validation.INTERVALS_SECONDS))
    timeouts = st.floats(0, interval, exclude_min=True, exclude_max=True)
    metrics = draw(st.lists(METRICS, unique=True, min_size=1, max_size=4))
    content: dict[str, Any] = {
        "service": draw(st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){0,2}", fullmatch=True)),
        "namespace": draw(
            st.from_regex(r"[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{0,50}", fullmatch=True)
        ),
        "interval_seconds": interval,
        "timeout_seconds": draw(timeouts),
        "targets": [{"metric": metric, **draw(CHECKS)} for metric in metrics],
    }
    if content["namespace"].startswith("AWS/"):
        content["namespace"] = "Shop"
    optional = {
        "journal": st.sampled_from(["samples", "changes"]),
        "host": HOSTS,
        "region": st.sampled_from(
            ["us-west-2", "us-gov-east-1", "ap-southeast-4", "eusc-de-east-1"]
        ),
        "endpoint_url": st.builds("http://{}:{}".format, NAMES, PORTS),
        "peers": st.dictionaries(HOSTS, CHECKS, min_size=2, max_size=3),
    }
    return {**content, **draw(st.fixed_dictionaries({}, optional=optional))}


KINDS = {"tcp": TcpCheck, "tls": TlsCheck, "http": HttpCheck, "https": HttpsCheck, "dns": DnsCheck}


def assert_taken(check: object, given: dict[str, Any]) -> None:
    assert type(check) is KINDS[given["check"]]
    for key, value in given.items():
        if key not in ("check", "metric"):
            taken = getattr(check, key)
            assert (list(taken) if isinstance(value, list) else taken) == value


@given(sound())
@fewer_examples(2)
def test_any_sound_configuration_is_taken_with_each_of_its_values(content: dict[str, Any]) -> None:
    config = parse(json.dumps(content).encode())
    for key in ("service", "namespace", "interval_seconds", "timeout_seconds"):
        assert getattr(config, key) == content[key]
    for key, default in (
        ("journal", "samples"),
        ("host", ""),
        ("region", ""),
        ("endpoint_url", ""),
    ):
        assert getattr(config, key) == content.get(key, default)
    assert [target.metric for target in config.targets] == [
        target["metric"] for target in content["targets"]
    ]
    for target, given_target in zip(config.targets, content["targets"], strict=True):
        assert_taken(target.check, given_target)
    assert list(config.peers) == list(content.get("peers", {}))
    for name, check in config.peers.items():
        assert_taken(check, content["peers"][name])


def test_the_line_begins_with_the_files_name(tmp_path: Path) -> None:
    file = tmp_path / "probe.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert str(raised.value) == f"{file}: service: is missing"
