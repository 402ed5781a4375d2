"""What each check asks, what it takes for well, and how it names its target."""

import socket
import ssl
from collections.abc import Sequence
from contextlib import closing
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from staged_resiliency.probe.agent import dns_check
from staged_resiliency.probe.agent.attempt import TLS, Attempt, Failure, Tools
from staged_resiliency.probe.agent.checks import Check, TcpCheck, TlsCheck
from staged_resiliency.probe.agent.dns_check import DnsCheck, system_servers
from staged_resiliency.probe.agent.http_check import HttpCheck, HttpsCheck
from staged_resiliency.probe.agent.journal import printable
from staged_resiliency.probe.agent.loop import Loop
from staged_resiliency.probe.agent.sampler import Result
from tests.cases import cases
from tests.staged_resiliency.probe.agent.certificates import DAY, Certificate, authority, issued
from tests.staged_resiliency.probe.agent.hostile.asking import WELL, Expected, ask, assert_ends
from tests.staged_resiliency.probe.agent.hostile.dns_server import (
    CNAME,
    Query,
    address,
    dns_serving,
    message,
    name,
    record,
)
from tests.staged_resiliency.probe.agent.hostile.servers import HOST, Peer, serving

OURS = authority()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


@pytest.mark.parametrize(
    ("check", "place"),
    [
        (TcpCheck("db.example.com", 5432), "db.example.com:5432"),
        (TcpCheck("10.0.0.5", 5432), "10.0.0.5:5432"),
        (TlsCheck("fd00::5", 443), "[fd00::5]:443"),
        (HttpCheck("db.example.com", 80, path="/health"), "db.example.com:80"),
        (HttpsCheck("db.example.com", 8443), "db.example.com:8443"),
        (DnsCheck("db.example.com"), "db.example.com/A"),
        (DnsCheck("db.example.com", "AAAA", server="10.0.0.2"), "db.example.com/AAAA@10.0.0.2"),
    ],
)
def test_a_target_is_named_as_a_reader_of_the_journal_knows_it(check: Check, place: str) -> None:
    assert check.label == place


def test_a_check_can_be_compared_and_not_changed() -> None:
    check = HttpsCheck("a.example.com", 443, status=(200,))
    assert check == HttpsCheck("a.example.com", 443, status=(200,))
    assert hash(check) == hash(HttpsCheck("a.example.com", 443, status=(200,)))
    assert check != HttpsCheck("a.example.com", 443, status=(204,))
    assert check != TlsCheck("a.example.com", 443)
    with pytest.raises(FrozenInstanceError):
        check.port = 80  # type: ignore[misc]


def test_a_check_without_a_kind_can_t_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Check()  # type: ignore[abstract]


# What is asked


def asked_of(check_class: type[HttpCheck], **settings: Any) -> bytes:
    """The request that a check sends."""
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        heard.append(peer.hear())
        peer.say(OK)
        peer.end()

    with serving(script) as server:
        assert_ends(ask(check_class(HOST, server.port, **settings)), Expected(WELL, "status 200.*"))
    (request,) = heard
    return request.replace(b":%d" % server.port, b":PORT")


def test_a_request_asks_for_the_path_of_the_host_and_for_nothing_compressed() -> None:
    assert asked_of(HttpCheck) == (
        b"GET / HTTP/1.1\r\n"
        b"Host: 127.0.0.1:PORT\r\n"
        b"User-Agent: resiliency-probe\r\n"
        b"Accept: */*\r\n"
        b"Accept-Encoding: identity\r\n"
        b"Connection: close\r\n\r\n"
    )


def test_path_and_host_header_are_sent_as_given() -> None:
    lines = asked_of(HttpCheck, path="/a?b=c%20d", host_header="shop.example.com:8080").split(
        b"\r\n"
    )
    assert lines[:2] == [b"GET /a?b=c%20d HTTP/1.1", b"Host: shop.example.com:8080"]


def test_method_and_headers_are_sent_as_given_in_place_of_the_usual_ones() -> None:
    headers = (("X-Probe", "a b"), ("user-agent", "shop"))
    assert asked_of(HttpCheck, method="POST", headers=headers).split(b"\r\n") == [
        b"POST / HTTP/1.1",
        b"Host: 127.0.0.1:PORT",
        b"Accept: */*",
        b"Content-Length: 0",
        b"Accept-Encoding: identity",
        b"Connection: close",
        b"X-Probe: a b",
        b"user-agent: shop",
        b"",
        b"",
    ]


def test_the_authorities_in_a_file_are_trusted_and_no_others(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(OURS.pem(), encoding="ascii")
    ours = issued(OURS, addresses=[HOST])
    other = issued(authority("Another"), addresses=[HOST])

    def result(server_has: Certificate, ca_file: str) -> Result:
        def script(peer: Peer) -> None:
            peer.secure(server_has.serving())
            peer.hold()

        with serving(script) as server:
            return ask(TlsCheck(HOST, server.port, ca_file=ca_file), tls=OURS.trusted())

    assert result(ours, str(file)).certificate_days == 89
    assert_ends(result(other, str(file)), Expected(TLS, ".*"))
    missing = tmp_path / "missing.pem"
    assert_ends(
        result(ours, str(missing)),
        Expected(TLS, f"the authorities in {missing}: No such file or directory"),
    )
    file.write_text("none", encoding="ascii")
    assert_ends(result(ours, str(file)), Expected(TLS, f"the authorities in {file}: .+"))


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (HttpCheck("a.example", 80), "a.example"),
        (HttpCheck("a.example", 443), "a.example:443"),
        (HttpsCheck("a.example", 443), "a.example"),
        (HttpsCheck("a.example", 80), "a.example:80"),
        (HttpsCheck("::1", 443), "[::1]"),
        (HttpCheck("::1", 8080), "[::1]:8080"),
        (HttpCheck("a.example", 8080, host_header="shop.example.com"), "shop.example.com"),
    ],
)
def test_a_port_that_is_not_the_schemes_own_is_in_the_host_header(
    check: HttpCheck, name: str
) -> None:
    assert f"\r\nHost: {name}\r\n".encode() in check._request()


@pytest.mark.parametrize(
    ("settings", "indicated"),
    [
        ({"server_name": "shop.example.com"}, "shop.example.com"),
        ({"server_name": "shop.example.com."}, "shop.example.com"),
        ({}, None),  # an address is never indicated
    ],
)
def test_the_name_is_indicated_in_the_handshake(
    settings: dict[str, Any], indicated: str | None
) -> None:
    names: list[str | None] = []
    context = issued(OURS, ["shop.example.com"], [HOST]).serving()
    context.sni_callback = lambda _socket, server_name, _context: names.append(server_name)

    def script(peer: Peer) -> None:
        peer.secure(context)
        peer.hold()

    with serving(script) as server:
        ask(TlsCheck(HOST, server.port, **settings), tls=OURS.trusted())
    assert names == [indicated]


def test_a_dns_question_is_asked_of_the_given_server_with_a_number_of_its_own() -> None:
    asked: list[bytes] = []

    def replies(query: Query) -> Sequence[bytes]:
        asked.append(query.data)
        return [message(query.data, address())]

    with dns_serving(replies) as port:
        for _ in range(4):
            ask(DnsCheck("db.example.com", server=HOST, port=port))
    assert {query[2:] for query in asked} == {
        b"\1\0\0\1\0\0\0\0\0\0" + name("db.example.com") + b"\0\1\0\1"
    }
    assert len({query[:2] for query in asked}) > 1


# What is well


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_well_by_default(status: int) -> None:
    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(b"HTTP/1.1 %d OK\r\n\r\n" % status)
        peer.end()

    with serving(script) as server:
        assert_ends(ask(HttpCheck(HOST, server.port)), Expected(WELL, f"status {status}"))


def test_https_is_well_when_certificate_status_and_text_are() -> None:
    context = issued(OURS, addresses=[HOST], ends=30.5 * DAY).serving()

    def script(peer: Peer) -> None:
        peer.secure(context)
        peer.hear()
        peer.say(OK)
        peer.hold()

    with serving(script) as server:
        check = HttpsCheck(HOST, server.port, text="fine", status=(200,), days_to_expiry=30)
        result = ask(check, tls=OURS.trusted())
    assert_ends(result, Expected(WELL, "status 200 with the text"))


def test_a_tls_answer_has_version_and_days_of_the_certificate() -> None:
    context = issued(OURS, addresses=[HOST], ends=30.5 * DAY).serving()

    def script(peer: Peer) -> None:
        peer.secure(context)
        peer.hold()

    with serving(script) as server:
        result = ask(TlsCheck(HOST, server.port), tls=OURS.trusted())
    assert_ends(result, Expected(WELL, r"TLSv1\.[23], certificate for 30 days"))


class NoCertificate:
    """Stands for a connection whose certificate says nothing."""

    def __init__(self, certificate: dict[str, str] | None) -> None:
        self._certificate = certificate

    def getpeercert(self) -> dict[str, str] | None:
        return self._certificate


@pytest.mark.parametrize("certificate", [None, {}, {"notAfter": "some day"}])
def test_a_certificate_must_say_when_it_ends(certificate: dict[str, str] | None) -> None:
    with closing(Loop()) as loop, pytest.raises(Failure) as raised:
        TlsCheck._days_left(NoCertificate(certificate), Attempt(Tools(loop)))  # type: ignore[arg-type]
    assert str(raised.value) == "tls (the certificate has no expiry date)"


@cases(
    ("settings", "records", "answer"),
    {
        "any A": ({}, [address("10.0.0.5")], "10.0.0.5"),
        "one of the As": (
            {"answer": "10.0.0.6"},
            [address("10.0.0.5"), address("10.0.0.6")],
            r"10\.0\.0\.5, 10\.0\.0\.6",
        ),
        "AAAA": ({"type": "AAAA", "answer": "FD00:0::5"}, [address("fd00::5")], "fd00::5"),
        "CNAME": (
            {"type": "CNAME", "answer": "CDN.example.com."},
            [record(CNAME, name("cdn.EXAMPLE.com"))],
            r"cdn\.example\.com",
        ),
    },
)
def test_a_dns_answer_is_well_when_it_is_as_expected(
    settings: dict[str, Any], records: list[bytes], answer: str
) -> None:
    with dns_serving(lambda query: [message(query.data, *records)]) as port:
        check = DnsCheck("www.example.com", **{"server": HOST, "port": port, **settings})
        assert_ends(ask(check), Expected(WELL, answer))


@pytest.mark.parametrize(
    ("lines", "servers"),
    [
        ("nameserver 10.0.0.2\nnameserver fd00::2\n", ["10.0.0.2", "fd00::2"]),
        ("# nameserver 10.0.0.1\n; nameserver 10.0.0.3\n nameserver\t10.0.0.2 # x\n", ["10.0.0.2"]),
        ("nameserver\nnameserver dns.example.com\nsearch example.com\n", ["127.0.0.1"]),
        ("", ["127.0.0.1"]),
        ("nameserver 10.0.0.2\xff\n", ["127.0.0.1"]),
        (None, ["127.0.0.1"]),
    ],
)
def test_the_host_s_name_servers_are_read(
    lines: str | None, servers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "resolv.conf"
    monkeypatch.setattr(dns_check, "RESOLV_CONF", file)
    if lines is not None:
        file.write_text(lines, encoding="latin-1")
    assert system_servers() == servers


# Texts


def test_a_failure_is_printable_and_on_one_line() -> None:
    failure = Failure("tls", "a\x1b[31m\r\nb\0c\u202ed\udfff")
    assert str(failure) == "tls (a?[31m??b?c?d?)"
    assert failure.detail == "a?[31m??b?c?d?"


@pytest.mark.parametrize(
    ("length", "reported"), [(160, "a" * 160), (161, "a" * 157 + "..."), (10**6, "a" * 157 + "...")]
)
def test_a_failure_is_short(length: int, reported: str) -> None:
    assert printable("a" * length) == reported


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (Failure("status", "status 500"), "status (status 500)"),
        (socket.gaierror(-2, "Name or service not known"), "dns (Name or service not known)"),
        (UnicodeError("x"), "dns (the name can't be encoded)"),
        (ConnectionRefusedError(111, "x"), "refused (Connection refused)"),
        (BrokenPipeError(32, "x"), "refused (Broken pipe)"),
        (OSError(107, "x"), "refused (Transport endpoint is not connected)"),
        (TimeoutError(110, "x"), "timeout (Connection timed out)"),
        (OSError(113, "x"), "unreachable (No route to host)"),
        (ssl.SSLError("x"), "tls (the connection ended within the handshake)"),
        (OSError("x"), "unreachable (OSError: x)"),
        (RuntimeError("x"), "unreachable (RuntimeError: x)"),
    ],
)
def test_each_error_has_its_class(error: Exception, reported: str) -> None:
    assert str(Failure.from_error(error)) == reported
