"""What a probe measures: the agent's configuration file, and what is refused."""

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import pytest
from aws_cdk import Stack

from staged_resiliency import (
    HttpCheck,
    HttpsCheck,
    MysqlCheck,
    ProbeConfiguration,
    StatsdMetrics,
    TcpCheck,
)
from staged_resiliency.probe.agent import config as agent
from staged_resiliency.probe.agent import server_checks
from staged_resiliency.probe.configuration import decoded
from staged_resiliency.probe.document import PARAMETER_BYTES
from tests.cases import cases
from tests.staged_resiliency.support import (
    NAMESPACE_OF_AWS,
    NO_NAME,
    NO_NAME_TAG,
    number_parameter,
    refused,
    text_parameter,
)
from tests.support import Data

DB = TcpCheck("10.0.0.5", 5432)
PEERS = {"shop-blue": HttpCheck("10.0.0.4"), "shop-green": HttpCheck("10.0.1.4")}


def configuration(**changes: Any) -> ProbeConfiguration:
    """A configuration, with settings changed."""
    usual: Data = {"service": "shop", "namespace": "Shop", "dependencies": {"db": DB}}
    return ProbeConfiguration(**{**usual, **changes})


def test_a_configuration_says_everything_that_the_agent_does() -> None:
    assert configuration(peers=PEERS).rendered() == {
        "service": "shop",
        "namespace": "Shop",
        "interval_seconds": 10,
        "timeout_seconds": 5,
        "journal": "samples",
        "targets": [
            {"metric": "db-connectivity", "check": "tcp", "host": "10.0.0.5", "port": 5432}
        ],
        "peers": {
            "shop-blue": {"check": "http", "host": "10.0.0.4", "port": 80, "path": "/"},
            "shop-green": {"check": "http", "host": "10.0.1.4", "port": 80, "path": "/"},
        },
    }


def test_settings_reach_the_agent() -> None:
    made = configuration(interval_seconds=2, timeout_seconds=1.5, journal="changes", peers=PEERS)
    read = agent.parse(b64decode(made.encoded()))
    assert (read.interval_seconds, read.timeout_seconds, read.journal) == (2, 1.5, "changes")
    assert [target.metric for target in read.targets] == ["db-connectivity"]
    assert list(read.peers) == ["shop-blue", "shop-green"]


def test_statsd_reaches_the_agent_with_its_defaults_written_out() -> None:
    made = configuration(dependencies={}, statsd=StatsdMetrics(["errors", "orders.*"], ["shop"]))
    assert made.rendered()["statsd"] == {
        "metrics": ["errors", "orders.*"],
        "tags": ["shop"],
        "max_metrics": 10,
        "port": 8125,
    }
    read = agent.parse(b64decode(made.encoded()))
    assert read.statsd == agent.Statsd(("errors", "orders.*"), 10, 8125, ("shop",))
    assert "statsd" not in configuration().rendered()


@cases(
    ("metrics", "tags", "most"),
    {
        "names": (["errors", "orders"], [], 2),
        "a beginning of names": (["errors", "orders.*"], [], 10),
        "a tag": (["errors"], ["shop"], 10),
    },
)
def test_how_many_metrics_an_application_can_create(
    metrics: list[str], tags: list[str], most: int
) -> None:
    assert StatsdMetrics(metrics, tags).most_metrics == most


@cases(
    ("changes", "message"),
    {
        "no metrics": ({"metrics": []}, "metrics: is empty, so no metric is allowed"),
        "tag twice": ({"tags": ["shop", "shop"]}, "tags: has a value twice; give each once"),
        "any name": (
            {"metrics": ["*"]},
            "metrics: '*' is not a metric's name, perhaps with a * as its end (printable ASCII "
            "without spaces, : and |, at most 255); give one like orders.*",
        ),
        "a dimension of the probe": (
            {"tags": ["Observer"]},
            "tags: 'Observer' is a dimension that the probe sets itself; remove it",
        ),
        "too many tags": ({"tags": ["a"] * 11}, "tags: has 11; allowed: 10"),
        "too many metrics": (
            {"max_metrics": 101},
            "max_metrics: 101 is not a number of metrics on a host; allowed: 1 to 100",
        ),
        "privileged port": (
            {"port": 514},
            "port: 514 is not a port for StatsD; allowed: 1024 to 65535, usually 8125",
        ),
    },
)
def test_statsd_that_the_agent_would_refuse_is_refused(changes: Data, message: str) -> None:
    with refused(f"StatsdMetrics: {message}"):
        StatsdMetrics(**{"metrics": ["errors"], **changes})


def test_an_application_can_not_send_what_the_probe_publishes() -> None:
    with refused(
        "ProbeConfiguration: statsd: metrics: allows db-latency, which the probe publishes itself; "
        "change the pattern"
    ):
        configuration(statsd=StatsdMetrics(["db-latency"]))
    assert configuration(statsd=StatsdMetrics(["db.latency"])).statsd


def test_what_is_encoded_is_what_is_rendered() -> None:
    made = configuration(dependencies={"web": HttpCheck("10.0.0.6", text="größer")})
    assert json.loads(b64decode(made.encoded())) == made.rendered()


def test_peers_alone_are_something_to_measure() -> None:
    assert agent.parse(b64decode(configuration(dependencies={}, peers=PEERS).encoded())).peers


def test_the_order_in_which_targets_are_named_changes_nothing() -> None:
    cache = TcpCheck("10.0.0.6", 6379)
    one = configuration(dependencies={"db": DB, "cache": cache}, peers=PEERS)
    other = configuration(
        dependencies={"cache": cache, "db": DB}, peers=dict(reversed(PEERS.items()))
    )
    assert one.encoded() == other.encoded()


@cases(
    ("changes", "message"),
    {
        "service": ({"service": "My Shop"}, f"service: 'My Shop' {NO_NAME}"),
        "namespace": ({"namespace": "AWS/Shop"}, f"namespace: 'AWS/Shop' {NAMESPACE_OF_AWS}"),
        "name of a dependency": (
            {"dependencies": {"My DB": DB}},
            f"dependencies: 'My DB' {NO_NAME}",
        ),
        "dependency with the metric of the peers": (
            {"dependencies": {"peer": DB}},
            "dependencies: 'peer' is reserved for the peer metric; give it another name",
        ),
        "name of a host": (
            {"peers": {"shop#blue": DB, "shop-green": DB}},
            f"peers: 'shop#blue' {NO_NAME_TAG}",
        ),
        "one peer": (
            {"peers": {"shop-blue": DB}},
            "peers: names one host; hosts check each other, so give two or more",
        ),
        "nothing": (
            {"dependencies": {}},
            "has neither dependencies nor peers: there is nothing to measure",
        ),
        "interval": (
            {"interval_seconds": 7},
            "interval_seconds: 60 s / 7 s is not a whole number of samples a minute; give one of "
            "1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60",
        ),
        "timeout": (
            {"interval_seconds": 5},
            "timeout_seconds: the timeout of 5 s is not within the interval of 5 s; "
            "give timeout_seconds above 0 and below 5",
        ),
        "no timeout": (
            {"timeout_seconds": 0},
            "timeout_seconds: the timeout of 0 s is not within the interval of 10 s; "
            "give timeout_seconds above 0 and below 10",
        ),
        "timeout that is no number": (
            {"timeout_seconds": float("nan")},
            "timeout_seconds: the timeout of nan s is not within the interval of 10 s; "
            "give timeout_seconds above 0 and below 10",
        ),
        "journal": ({"journal": "all"}, "journal: 'all' is not allowed; allowed: samples, changes"),
    },
)
def test_a_configuration_refuses(changes: Data, message: str) -> None:
    with refused(f"ProbeConfiguration: {message}"):
        configuration(**changes)


def test_it_is_known_whether_only_the_deployment_knows_something(stack: Stack) -> None:
    host, port = text_parameter(stack, "Host"), number_parameter(stack, "Port")
    assert configuration().is_literal
    assert not configuration(dependencies={"db": TcpCheck(host, 5432)}).is_literal
    assert not configuration(dependencies={"db": TcpCheck("10.0.0.5", port)}).is_literal
    assert not configuration(peers={**PEERS, "shop-red": TcpCheck(host, 80)}).is_literal
    assert not configuration(namespace=text_parameter(stack, "Namespace")).is_literal


def of_many_targets(count: int) -> ProbeConfiguration:
    """A configuration of HTTPS targets whose hosts and texts have little in common."""

    def check(number: int) -> HttpsCheck:
        digits = sha256(str(number).encode()).hexdigest()
        host = f"search-{digits[:12]}.us-west-2.es.amazonaws.com"
        return HttpsCheck(host, path=f"/service-{number}/health", text=digits[20:32])

    return configuration(dependencies={f"service-{n}": check(n) for n in range(count)})


def test_more_targets_than_a_document_carries_are_refused_with_how_many_fit() -> None:
    with pytest.raises(ValueError, match=r"^1000 targets make parameters of \d+ bytes, comp") as e:
        of_many_targets(1000).require_fit()
    reported = str(e.value)
    assert f"beside the agent there is room for {PARAMETER_BYTES}, so about " in reported
    fitting = int(reported.partition("so about ")[2].split()[0])
    assert fitting >= 200  # as docs/probe.md says
    of_many_targets(fitting * 9 // 10).require_fit()
    with pytest.raises(ValueError, match="targets make parameters"):
        of_many_targets(fitting + 20).require_fit()


def test_a_configuration_is_compressed_only_where_it_would_not_fit() -> None:
    few, many = of_many_targets(10), of_many_targets(150)
    assert b64decode(few.encoded()).startswith(b"{")
    assert b64decode(many.encoded()).startswith(b"BZh")
    for each in (few, many):
        assert decoded(each.encoded()) == each.rendered()


@pytest.mark.parametrize("content", [b"BZh91", b"BZ", b"{", b"\xff"])
def test_what_is_no_configuration_can_not_be_decoded(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(b64encode(content).decode())


def test_a_dependency_has_a_pace_and_measures_of_its_own() -> None:
    check = MysqlCheck(
        *("db.example.com", "probe"),
        tls=True,
        certificate=True,
        interval_seconds=5,
        timeout_seconds=2,
        latency="values",
    )
    (target,) = agent.parse(b64decode(configuration(dependencies={"db": check}).encoded())).targets
    assert (target.interval_seconds, target.timeout_seconds) == (5, 2)
    assert (target.latency, target.certificate) == ("values", True)
    assert target.check == server_checks.MysqlCheck("db.example.com", user="probe", tls=True)


@cases(
    ("changes", "message"),
    {
        "interval": (
            {"dependencies": {"db": TcpCheck("10.0.0.5", 1, interval_seconds=7)}},
            "dependencies: db: interval_seconds: 60 s / 7 s is not a whole number",
        ),
        "timeout of the configuration": (
            {"dependencies": {"db": TcpCheck("10.0.0.5", 1, interval_seconds=5)}},
            "dependencies: db: timeout_seconds: the timeout of 5 s is not within the interval of 5",
        ),
        "latency of a peer": (
            {"peers": {**PEERS, "shop-red": TcpCheck("10.0.2.4", 80, latency="values")}},
            "peers: shop-red: interval_seconds, timeout_seconds, latency and certificate apply to ",
        ),
    },
)
def test_a_pace_that_the_agent_would_refuse_is_refused(changes: Data, message: str) -> None:
    with pytest.raises(ValueError, match=f"^ProbeConfiguration: {re.escape(message)}"):
        configuration(**changes)
