"""How a target is asked: as the agent's configuration has it, and what is refused."""

import json

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
CHECKS: dict[str, tuple[TargetCheck, Data]] = {
    "connection": (TcpCheck(DB, 5432), {"check": "tcp", "port": 5432}),
    "connection over IPv6": (
        TcpCheck(DB, 5432, family="ipv6"),
        {"check": "tcp", "port": 5432, "family": "ipv6"},
    ),
    "handshake": (TlsCheck(DB), {"check": "tls", "port": 443}),
    "handshake with all settings": (
        TlsCheck("10.0.0.5", 636, server_name="LDAP.example.com", days_to_expiry=14),
        {
            "check": "tls",
            "host": "10.0.0.5",
            "port": 636,
            "server_name": "ldap.example.com",
            "days_to_expiry": 14,
        },
    ),
    "HTTP": (HttpCheck(DB), {"check": "http", "port": 80, "path": "/"}),
    "HTTP with all settings": (
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
    "HTTP with a method and headers": (
        HttpCheck(DB, method="POST", headers={"X-Probe": "a"}),
        {
            "check": "http",
            "port": 80,
            "path": "/",
            "method": "POST",
            "headers": {"X-Probe": "a"},
        },
    ),
    "HTTPS": (HttpsCheck(DB), {"check": "https", "port": 443, "path": "/"}),
    "HTTPS with all settings": (
        HttpsCheck(DB, 8443, "/h", "a.example.com", [301], "moved", "b.example.com", 7, "ipv6"),
        {
            "check": "https",
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
    "DNS": (DnsCheck(DB), {"check": "dns", "type": "A"}),
    "DNS with all settings": (
        DnsCheck("DB.example.com", "AAAA", "FD00:0::5", "127.0.0.53", 5353),
        {
            "check": "dns",
            "type": "AAAA",
            "answer": "fd00::5",
            "server": "127.0.0.53",
            "port": 5353,
        },
    ),
    "DNS alias": (
        DnsCheck(DB, "CNAME", "Edge.example.com."),
        {"check": "dns", "type": "CNAME", "answer": "edge.example.com"},
    ),
    "login to MySQL": (
        MysqlCheck(DB, "probe", tls=True, ca_file="/etc/ssl/rds.pem", days_to_expiry=7),
        {
            "check": "mysql",
            "user": "probe",
            "port": 3306,
            "tls": True,
            "ca_file": "/etc/ssl/rds.pem",
            "days_to_expiry": 7,
        },
    ),
    "PostgreSQL, slowly and with its latency": (
        PostgresqlCheck(DB, interval_seconds=60, timeout_seconds=30, latency="statistics"),
        {
            "check": "postgresql",
            "port": 5432,
            "interval_seconds": 60,
            "timeout_seconds": 30,
            "latency": "statistics",
        },
    ),
    "session of PostgreSQL": (
        PostgresqlCheck(DB, 5433, "probe", "shop"),
        {"check": "postgresql", "port": 5433, "user": "probe", "database": "shop"},
    ),
    "Redis": (RedisCheck(DB), {"check": "redis", "port": 6379}),
    "exchange": (
        ExchangeCheck(DB, 25, [Step(expect="220 "), Step("STARTTLS\r\n", "220 ", starttls=True)]),
        {
            "check": "exchange",
            "port": 25,
            "steps": [
                {"expect": "220 "},
                {"send": "STARTTLS\r\n", "expect": "220 ", "starttls": True},
            ],
        },
    ),
}


@cases(("check", "rendered"), CHECKS)
def test_a_check_is_rendered_as_the_agent_takes_it(check: TargetCheck, rendered: Data) -> None:
    assert check.rendered() == {"host": DB, **rendered}
    target = {"metric": "db-connectivity", **check.rendered()}
    content = {"service": "shop", "namespace": "Shop", "targets": [target]}
    (read,) = agent.parse(json.dumps(content).encode()).targets
    assert type(read.check).__name__ == type(check).__name__


def test_every_kind_is_among_them() -> None:
    kinds = {type(check) for check, _ in CHECKS.values()}
    servers = {MysqlCheck, PostgresqlCheck, RedisCheck, ExchangeCheck}
    assert kinds == {TcpCheck, TlsCheck, HttpCheck, HttpsCheck, DnsCheck, *servers}


def test_two_spellings_of_one_target_are_equal() -> None:
    assert HttpCheck("DB.example.com.", status=[200]) == HttpCheck("db.example.com", status=(200,))


@cases(
    ("kind", "given", "message"),
    {
        "host with a port": (
            TcpCheck,
            {"host": "db.example.com:5432", "port": 5432},
            "host: 'db.example.com:5432' is neither a DNS name nor an IP address (a port has a "
            "key of its own); give one like db.example.com",
        ),
        "port": (TcpCheck, {"port": 70000}, "port: 70000 is not a TCP port; allowed: 1 to 65535"),
        "family": (
            TcpCheck,
            {"port": 5432, "family": "ipv5"},
            "family: 'ipv5' is not allowed; allowed: ipv4, ipv6",
        ),
        "family of an address": (
            TcpCheck,
            {"host": "10.0.0.5", "port": 5432, "family": "ipv6"},
            "family: goes with names; '10.0.0.5' is an address",
        ),
        "server name": (TlsCheck, {"server_name": "db"}, f"server_name: 'db' {NO_DNS_NAME}"),
        "days": (
            TlsCheck,
            {"days_to_expiry": -1},
            "days_to_expiry: -1 is not a number of days that certificates have left; allowed: 0 to "
            "3650",
        ),
        "path": (
            HttpCheck,
            {"path": "health"},
            "path: 'health' is not a URL path that starts with /; give one like /version/",
        ),
        "Host header": (
            HttpCheck,
            {"host_header": "db.example.com:80"},
            f"host_header: 'db.example.com:80' {NO_DNS_NAME}",
        ),
        "status": (
            HttpCheck,
            {"status": [200, 20]},
            "status: 20 is not an HTTP status; allowed: 100 to 599",
        ),
        "no text": (
            HttpsCheck,
            {"text": ""},
            "text: '' is not a text of printable characters; give one like bookstore-api",
        ),
        "address as a name": (
            DnsCheck,
            {"host": "10.0.0.5"},
            "host: '10.0.0.5' is an address, not a DNS name; give one like db.example.com",
        ),
        "type": (
            DnsCheck,
            {"record_type": "TXT"},
            "record_type: 'TXT' is not allowed; allowed: A, AAAA, CNAME",
        ),
        "answer": (
            DnsCheck,
            {"answer": "fd00::5"},
            "answer: 'fd00::5' is not an IPv4 address, which a record of type A holds; give one "
            "like 10.0.0.5",
        ),
        "server": (
            DnsCheck,
            {"server": "ns.example.com"},
            "server: 'ns.example.com' is not the address of a DNS server; give one like 10.0.0.2",
        ),
        "port without a server": (
            DnsCheck,
            {"port": 5353},
            "port: applies only together with server; give server, or leave port out",
        ),
        "port of a server": (
            DnsCheck,
            {"server": "10.0.0.2", "port": 0},
            "port: 0 is not a TCP port; allowed: 1 to 65535",
        ),
        "user": (
            MysqlCheck,
            {"user": "a b"},
            "user: 'a b' is not the name of a user or a database (printable ASCII without spaces, "
            "at most 80); give one like resiliency_probe",
        ),
        "certificate without TLS": (
            RedisCheck,
            {"certificate": True},
            "certificate: applies only with TLS; give tls=True",
        ),
        "database without a user": (
            PostgresqlCheck,
            {"database": "shop"},
            "database: applies only together with user",
        ),
        "no steps": (
            ExchangeCheck,
            {"port": 25, "steps": []},
            "steps: is empty; give one like Step(expect=...)",
        ),
        "TLS twice": (
            ExchangeCheck,
            {"port": 25, "steps": [Step(starttls=True)], "tls": True},
            "steps: TLS can begin once",
        ),
        "text of HEAD": (
            HttpCheck,
            {"method": "HEAD", "text": "up"},
            "text: can't be found with method HEAD, whose answer has no body; give GET, or leave "
            "text out",
        ),
    },
)
def test_a_check_refuses(kind: type[TargetCheck], given: Data, message: str) -> None:
    with refused(f"{kind.__name__}: {message}"):
        kind(**{"host": DB, **given})


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
