"""How a target is asked: as the agent's configuration has it, and what is refused."""

import json
from collections.abc import Callable

import pytest
from aws_cdk import Stack

from staged_resiliency import (
    DnsCheck,
    ExchangeCheck,
    HttpCheck,
    HttpsCheck,
    MysqlCheck,
    PostgresqlCheck,
    RedisCheck,
    Step,
    TargetCheck,
    TcpCheck,
    TlsCheck,
)
from staged_resiliency.probe.agent import config as agent
from tests.cases import cases
from tests.staged_resiliency.support import NO_DNS_NAME, number_parameter, refused, text_parameter
from tests.support import Data

DB = "db.example.com"
CHECKS: list[tuple[str, TargetCheck, Data]] = [
    ("connection", TcpCheck(DB, 5432), {"check": "tcp", "host": DB, "port": 5432}),
    (
        "connection over IPv6",
        TcpCheck(DB, 5432, family="ipv6"),
        {"check": "tcp", "host": DB, "port": 5432, "family": "ipv6"},
    ),
    ("handshake", TlsCheck(DB), {"check": "tls", "host": DB, "port": 443}),
    (
        "handshake with all settings",
        TlsCheck("10.0.0.5", 636, server_name="LDAP.example.com", days_to_expiry=14),
        {
            "check": "tls",
            "host": "10.0.0.5",
            "port": 636,
            "server_name": "ldap.example.com",
            "days_to_expiry": 14,
        },
    ),
    ("HTTP", HttpCheck(DB), {"check": "http", "host": DB, "port": 80, "path": "/"}),
    (
        "HTTP with all settings",
        HttpCheck("FD00::0:5", 8080, "/health?deep=1", "Db.example.com.", [200, 204], "up ✓"),
        {
            "check": "http",
            "host": "fd00::5",
            "port": 8080,
            "path": "/health?deep=1",
            "host_header": DB,
            "status": [200, 204],
            "text": "up ✓",
        },
    ),
    ("HTTPS", HttpsCheck(DB), {"check": "https", "host": DB, "port": 443, "path": "/"}),
    (
        "HTTPS with all settings",
        HttpsCheck(DB, 8443, "/h", "a.example.com", [301], "moved", "b.example.com", 7, "ipv6"),
        {
            "check": "https",
            "host": DB,
            "port": 8443,
            "path": "/h",
            "host_header": "a.example.com",
            "status": [301],
            "text": "moved",
            "server_name": "b.example.com",
            "days_to_expiry": 7,
            "family": "ipv6",
        },
    ),
    ("DNS", DnsCheck(DB), {"check": "dns", "host": DB, "type": "A"}),
    (
        "DNS with all settings",
        DnsCheck("DB.example.com", "AAAA", "FD00:0::5", "127.0.0.53", 5353),
        {
            "check": "dns",
            "host": DB,
            "type": "AAAA",
            "answer": "fd00::5",
            "server": "127.0.0.53",
            "port": 5353,
        },
    ),
    (
        "login to MySQL",
        MysqlCheck(DB, "probe", tls=True, ca_file="/etc/ssl/rds.pem", days_to_expiry=7),
        {
            **{"check": "mysql", "host": DB, "user": "probe", "port": 3306},
            **{"tls": True, "ca_file": "/etc/ssl/rds.pem", "days_to_expiry": 7},
        },
    ),
    (
        "PostgreSQL, slowly and with its latency",
        PostgresqlCheck(DB, interval_seconds=60, timeout_seconds=30, latency="statistics"),
        {
            **{"check": "postgresql", "host": DB, "port": 5432},
            **{"interval_seconds": 60, "timeout_seconds": 30, "latency": "statistics"},
        },
    ),
    (
        "session of PostgreSQL",
        PostgresqlCheck(DB, 5433, "probe", "shop", family="ipv6"),
        {
            **{"check": "postgresql", "host": DB, "port": 5433, "family": "ipv6"},
            **{"user": "probe", "database": "shop"},
        },
    ),
    ("Redis", RedisCheck(DB), {"check": "redis", "host": DB, "port": 6379}),
    (
        "exchange",
        ExchangeCheck(DB, 25, [Step(expect="220 "), Step("STARTTLS\r\n", "220 ", starttls=True)]),
        {
            **{"check": "exchange", "host": DB, "port": 25},
            "steps": [
                {"expect": "220 "},
                {"send": "STARTTLS\r\n", "expect": "220 ", "starttls": True},
            ],
        },
    ),
    (
        "HTTP with a method and headers",
        HttpCheck(DB, method="POST", headers={"X-Probe": "a"}),
        {
            **{"check": "http", "host": DB, "port": 80, "path": "/"},
            **{"method": "POST", "headers": {"X-Probe": "a"}},
        },
    ),
    (
        "DNS alias",
        DnsCheck(DB, "CNAME", "Edge.example.com."),
        {"check": "dns", "host": DB, "type": "CNAME", "answer": "edge.example.com"},
    ),
]
NAMED = [pytest.param(check, rendered, id=name) for name, check, rendered in CHECKS]


@pytest.mark.parametrize(("check", "rendered"), NAMED)
def test_a_check_is_rendered(check: TargetCheck, rendered: Data) -> None:
    assert check.rendered() == rendered


@pytest.mark.parametrize(("check", "rendered"), NAMED)
def test_the_agent_takes_it(check: TargetCheck, rendered: Data) -> None:
    content = {
        "service": "shop",
        "namespace": "Shop",
        "targets": [{"metric": "db-connectivity", **check.rendered()}],
    }
    (target,) = agent.parse(json.dumps(content).encode()).targets
    assert type(target.check).__name__ == type(check).__name__


def test_every_kind_is_among_them() -> None:
    kinds = {type(check) for _, check, _ in CHECKS}
    servers = {MysqlCheck, PostgresqlCheck, RedisCheck, ExchangeCheck}
    assert kinds == {TcpCheck, TlsCheck, HttpCheck, HttpsCheck, DnsCheck, *servers}


def test_two_spellings_of_one_target_are_equal() -> None:
    assert HttpCheck("DB.example.com.", status=[200]) == HttpCheck("db.example.com", status=(200,))


@cases(
    ("made", "message"),
    {
        "host with a port": (
            lambda: TcpCheck("db.example.com:5432", 5432),
            "TcpCheck: host: 'db.example.com:5432' is neither a DNS name nor an IP address (a port "
            "has a key of its own); give one like db.example.com",
        ),
        "port": (
            lambda: TcpCheck(DB, 70000),
            "TcpCheck: port: 70000 is not a TCP port; allowed: 1 to 65535",
        ),
        "family": (
            lambda: TcpCheck(DB, 5432, family="ipv5"),  # type: ignore[arg-type]
            "TcpCheck: family: 'ipv5' is not allowed; allowed: ipv4, ipv6",
        ),
        "family of an address": (
            lambda: TcpCheck("10.0.0.5", 5432, family="ipv6"),
            "TcpCheck: family: goes with names; '10.0.0.5' is an address",
        ),
        "server name": (
            lambda: TlsCheck(DB, server_name="db"),
            f"TlsCheck: server_name: 'db' {NO_DNS_NAME}",
        ),
        "days": (
            lambda: TlsCheck(DB, days_to_expiry=-1),
            "TlsCheck: days_to_expiry: -1 is not a number of days that certificates have left; "
            "allowed: 0 to 3650",
        ),
        "path": (
            lambda: HttpCheck(DB, path="health"),
            "HttpCheck: path: 'health' is not a URL path that starts with /; give one like "
            "/version/",
        ),
        "Host header": (
            lambda: HttpCheck(DB, host_header="db.example.com:80"),
            f"HttpCheck: host_header: 'db.example.com:80' {NO_DNS_NAME}",
        ),
        "status": (
            lambda: HttpCheck(DB, status=[200, 20]),
            "HttpCheck: status: 20 is not an HTTP status; allowed: 100 to 599",
        ),
        "no text": (
            lambda: HttpsCheck(DB, text=""),
            "HttpsCheck: text: '' is not a text of printable characters; give one like "
            "bookstore-api",
        ),
        "address as a name": (
            lambda: DnsCheck("10.0.0.5"),
            "DnsCheck: host: '10.0.0.5' is an address, not a DNS name; give one like "
            "db.example.com",
        ),
        "type": (
            lambda: DnsCheck(DB, "TXT"),  # type: ignore[arg-type]
            "DnsCheck: record_type: 'TXT' is not allowed; allowed: A, AAAA, CNAME",
        ),
        "answer": (
            lambda: DnsCheck(DB, answer="fd00::5"),
            "DnsCheck: answer: 'fd00::5' is not an IPv4 address, which a record of type A holds; "
            "give one like 10.0.0.5",
        ),
        "server": (
            lambda: DnsCheck(DB, server="ns.example.com"),
            "DnsCheck: server: 'ns.example.com' is not the address of a DNS server; give one like "
            "10.0.0.2",
        ),
        "port without a server": (
            lambda: DnsCheck(DB, port=5353),
            "DnsCheck: port: applies only together with server; give server, or leave port out",
        ),
        "port of a server": (
            lambda: DnsCheck(DB, server="10.0.0.2", port=0),
            "DnsCheck: port: 0 is not a TCP port; allowed: 1 to 65535",
        ),
        "user": (
            lambda: MysqlCheck(DB, "a b"),
            "MysqlCheck: user: 'a b' is not the name of a user or a database (printable ASCII "
            "without spaces, at most 80); give one like resiliency_probe",
        ),
        "certificate without TLS": (
            lambda: RedisCheck(DB, certificate=True),
            "RedisCheck: certificate: applies only with TLS; give tls=True",
        ),
        "database without a user": (
            lambda: PostgresqlCheck(DB, database="shop"),
            "PostgresqlCheck: database: applies only together with user",
        ),
        "no steps": (
            lambda: ExchangeCheck(DB, 25, []),
            "ExchangeCheck: steps: is empty; give one like Step(expect=...)",
        ),
        "TLS twice": (
            lambda: ExchangeCheck(DB, 25, [Step(starttls=True)], tls=True),
            "ExchangeCheck: steps: TLS can begin once",
        ),
        "text of HEAD": (
            lambda: HttpCheck(DB, method="HEAD", text="up"),
            "HttpCheck: text: can't be found with method HEAD, whose answer has no body; give GET, "
            "or leave text out",
        ),
    },
)
def test_a_check_refuses(made: Callable[[], object], message: str) -> None:
    with refused(message):
        made()


def test_what_only_the_deployment_knows_passes(stack: Stack) -> None:
    host, port = text_parameter(stack, "Host"), number_parameter(stack, "Port")
    rendered = HttpsCheck(host, port, server_name=host, family="ipv6").rendered()
    assert stack.resolve(rendered) == {
        "check": "https",
        "host": {"Ref": "Host"},
        "port": {"Ref": "Port"},
        "path": "/",
        "server_name": {"Ref": "Host"},
        "family": "ipv6",
    }
