"""Servers of databases and of lines of text, as their protocols' documentation has them.

The real servers are in tests/e2e/test_servers.py.
"""

import struct
import time
from collections.abc import Callable

import pytest

from staged_resiliency.probe.agent.attempt import MISMATCH, STATUS, TIMEOUT, TLS
from staged_resiliency.probe.agent.server_checks import (
    MAX_BYTES,
    ExchangeCheck,
    MysqlCheck,
    PostgresqlCheck,
    RedisCheck,
    ServerCheck,
    Step,
)
from tests.cases import cases
from tests.staged_resiliency.probe.agent.certificates import authority, issued
from tests.staged_resiliency.probe.agent.hostile.asking import WELL, Expected, ask, assert_ends
from tests.staged_resiliency.probe.agent.hostile.servers import HOST, Peer, serving

Script = Callable[[Peer], None]
OURS = authority()
CERTIFICATE = issued(OURS, addresses=[HOST])


def ends(make: Callable[[int], ServerCheck], script: Script, kind: str, detail: str) -> None:
    """A check of a server that behaves as scripted ends so."""
    expected = Expected(kind, detail)
    with serving(script) as server:
        assert_ends(ask(make(server.port), expected.seconds, OURS.trusted()), expected)


# MySQL


def packet(number: int, content: bytes) -> bytes:
    return struct.pack("<I", len(content) | number << 24) + content


def greeting(version: str = "8.4.3", *, tls: bool = True) -> bytes:
    low = 0xF7FF | (0x0800 if tls else 0)
    if not tls:
        low &= ~0x0800
    head = b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 7) + b"a" * 8 + b"\0"
    rest = struct.pack("<HBHHB10x", low, 255, 2, 0xDFFF, 21)
    return packet(0, head + rest + b"b" * 12 + b"\0caching_sha2_password\0")


LOGGED_IN = b"\0\0\0\2\0\0\0"


def received(peer: Peer) -> bytes:
    """A whole packet that the client sends."""
    head = peer.sock.recv(4)
    size = int.from_bytes(head[:3], "little")
    return head[3:] + (peer.sock.recv(size) if size else b"")


def mysql(port: int) -> MysqlCheck:
    return MysqlCheck(HOST, port, user="probe")


def mysql_by_tls(port: int) -> MysqlCheck:
    return MysqlCheck(HOST, port, user="probe", tls=True)


def test_a_user_without_a_password_logs_in_and_out_by_any_plugin() -> None:
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.say(greeting())
        heard.append(received(peer))
        peer.say(packet(2, b"\xfecaching_sha2_password\0" + b"c" * 20 + b"\0"))
        heard.append(received(peer))
        peer.say(packet(4, b"\x01\x03"))
        peer.say(packet(5, LOGGED_IN))
        heard.append(peer.hear(b"\x01\0\0\0\x01"))
        peer.end()

    ends(mysql, script, WELL, r"logged in, version 8\.4\.3")
    login, no_password, quit_command = heard
    assert login[0] == 1
    capabilities, _, charset = struct.unpack_from("<IIB", login, 1)
    assert capabilities & 0x80200 == 0x80200
    assert charset == 33
    assert login[33:].startswith(b"probe\0\0mysql_native_password\0")
    assert no_password == b"\x03"
    assert quit_command == b"\x01\0\0\0\x01"


def test_mysql_logs_in_by_tls_once_the_certificate_is_trusted() -> None:
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.say(greeting())
        heard.append(received(peer))
        peer.secure(CERTIFICATE.serving())
        heard.append(received(peer))
        peer.say(packet(3, LOGGED_IN))
        heard.append(peer.sock.recv(5))
        peer.sock.close()

    ends(mysql_by_tls, script, WELL, "logged in.*")
    request, login, quit_command = heard
    assert len(request) == 33
    assert struct.unpack_from("<I", request, 1)[0] & 0x800
    assert login[0] == 2
    assert quit_command == b"\x01\0\0\0\x01"


@cases(
    ("make", "answers", "kind", "detail"),
    {
        "the host is blocked": (
            mysql,
            [packet(0, b"\xff\x69\x04Host 'a' is blocked because of many connection errors")],
            STATUS,
            "error 1129: Host 'a' is blocked .*",
        ),
        "no such user": (
            mysql,
            [greeting(), packet(2, b"\xff\x15\x04#28000Access denied for user 'probe'@'a'")],
            STATUS,
            "error 1045: Access denied .*",
        ),
        "no TLS": (mysql_by_tls, [greeting(tls=False)], TLS, "the server does not offer TLS"),
        "SSH": (mysql, [b"SSH-2.0-a\r\n"], MISMATCH, "not a packet of MySQL: .*"),
        "too short": (mysql, [packet(0, b"\x0a8")], MISMATCH, "not a greeting .*"),
        "protocol 9": (mysql, [packet(0, b"\x098.0\0" + b"a" * 40)], MISMATCH, ".*"),
        "other": (mysql, [greeting(), packet(2, b"\x07")], MISMATCH, "not an an.*"),
        "endless": (mysql, [greeting(), packet(2, b"\x01") * 200], MISMATCH, "not an answer.*"),
        "cut off": (mysql, [greeting()[:9]], MISMATCH, "the connection ended .*"),
    },
)
def test_what_mysql_answers_besides(
    make: Callable[[int], ServerCheck], answers: list[bytes], kind: str, detail: str
) -> None:
    def script(peer: Peer) -> None:
        peer.say(*answers, pause=0.01)
        peer.end()

    ends(make, script, kind, detail)


# PostgreSQL

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


def postgresql(port: int) -> PostgresqlCheck:
    return PostgresqlCheck(HOST, port)


def postgresql_by_tls(port: int) -> PostgresqlCheck:
    return PostgresqlCheck(HOST, port, tls=True)


def postgresql_as_user(port: int) -> PostgresqlCheck:
    return PostgresqlCheck(HOST, port, user="probe", database="shop")


def message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack(">I", 4 + len(content)) + content


def test_postgresql_is_asked_for_tls_which_any_certificate_will_do_for() -> None:
    other = issued(authority("Another"), names=["elsewhere"])
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        heard.append(peer.sock.recv(8))
        peer.say(b"S")
        peer.secure(other.serving())
        heard.append(peer.sock.recv(1))  # nothing: the client ends the connection as TLS wants it
        peer.sock.close()

    ends(postgresql, script, WELL, "answered, with TLS")
    assert heard == [SSL_REQUEST, b""]


def test_postgresql_without_tls_is_well_unless_tls_is_asked_for() -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(8)
        peer.say(b"N")
        peer.end()

    ends(postgresql, script, WELL, "answered, without TLS")
    ends(postgresql_by_tls, script, TLS, "the server does not offer TLS")


@cases(
    ("answers", "kind", "detail"),
    {
        "password": (
            [message(b"R", struct.pack(">I", 10) + b"SCRAM-SHA-256\0\0")],
            WELL,
            "asked for the password, without TLS",
        ),
        "no password": (
            [message(b"R", bytes(4)), message(b"S", b"a\0b\0"), message(b"Z", b"I")],
            WELL,
            "ready for queries, without TLS",
        ),
        "starting up": (
            [message(b"E", b"SFATAL\0C57P03\0Mthe database system is starting up\0\0")],
            STATUS,
            "57P03: the database system is starting up",
        ),
        "HTTP": ([b"HTTP/1.1"], MISMATCH, "not a message of PostgreSQL: .*"),
        "endless": ([message(b"S", b"") * 200], MISMATCH, "not an answer of Po.*"),
    },
)
def test_a_session_of_postgresql_begins(answers: list[bytes], kind: str, detail: str) -> None:
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.sock.recv(8)
        peer.say(b"N")
        heard.append(peer.sock.recv(100))
        peer.say(*answers)
        peer.end()

    ends(postgresql_as_user, script, kind, detail)
    assert heard[0][4:] == b"\0\3\0\0user\0probe\0database\0shop\0\0"


# Redis


def redis(port: int) -> RedisCheck:
    return RedisCheck(HOST, port)


@cases(
    ("answers", "kind", "detail"),
    {
        "in parts": ([b"+PO", b"NG\r\n"], WELL, "PONG"),
        "a password": ([b"-NOAUTH Authentication required.\r\n"], WELL, "NOAUTH Auth.*"),
        "loading": ([b"-LOADING Redis is loading\r\n"], STATUS, "LOADING .*"),
        "another answer": ([b"$4\r\n"], MISMATCH, r"not an answer of Redis: .*"),
        "no end": ([b"a" * 2000], MISMATCH, r"not an answer of Redis: .*"),
        "cut off": ([b"+PONG"], MISMATCH, r"not an answer of Redis: .*"),
    },
)
def test_redis_is_pinged(answers: list[bytes], kind: str, detail: str) -> None:
    def script(peer: Peer) -> None:
        assert peer.hear(b"PING\r\n") == b"*1\r\n$4\r\nPING\r\n"
        peer.say(*answers, pause=0.01)
        peer.end()

    ends(redis, script, kind, detail)


def test_redis_is_pinged_by_tls() -> None:
    def script(peer: Peer) -> None:
        peer.secure(CERTIFICATE.serving())
        peer.hear(b"PING\r\n")
        peer.say(b"+PONG\r\n")
        peer.sock.recv(1)
        peer.sock.close()

    ends(lambda port: RedisCheck(HOST, port, tls=True), script, WELL, "PONG")


# Exchanges of text

STARTTLS = (
    Step(expect="220 "),
    Step("EHLO probe\r\n", "250 "),
    Step("STARTTLS\r\n", "220 ", starttls=True),
    Step("QUIT\r\n", "221 "),
)


def smtp(port: int) -> ExchangeCheck:
    return ExchangeCheck(HOST, port, steps=STARTTLS)


def before_tls(peer: Peer) -> None:
    peer.say(b"220 mail.example.com\r\n")
    peer.hear(b"EHLO probe\r\n")
    peer.say(b"250-mail.example.com\r\n250-STARTTLS\r\n250 HELP\r\n")
    peer.hear(b"STARTTLS\r\n")


def test_tls_starts_within_an_exchange() -> None:
    def script(peer: Peer) -> None:
        before_tls(peer)
        peer.say(b"22", b"0 go", b" ahead\r\n", pause=0.02)
        peer.secure(CERTIFICATE.serving())
        peer.hear(b"QUIT\r\n")
        peer.say(b"221 bye\r\n")
        peer.sock.recv(1)
        peer.sock.close()

    ends(smtp, script, WELL, "answered as expected")


def test_text_that_was_inserted_before_tls_is_refused() -> None:
    def script(peer: Peer) -> None:
        before_tls(peer)
        peer.say(b"220 go ahead\r\n221 bye\r\n")
        peer.hold()

    ends(smtp, script, MISMATCH, "text before TLS: .*")


@cases(
    ("answer", "detail"),
    {
        "no": (b"554 no\r\n", r"the connection ended without '220 ': b'554 no\\r\\n'"),
        "flood": (b"a" * (MAX_BYTES + 1), "too much was received without '220 '.*"),
    },
)
def test_what_is_not_the_expected_text(answer: bytes, detail: str) -> None:
    def script(peer: Peer) -> None:
        peer.say(answer)
        peer.end()

    ends(smtp, script, MISMATCH, detail)


# All of them


@pytest.mark.parametrize("make", [mysql, postgresql, redis, smtp], ids=lambda make: make.__name__)
def test_a_server_that_hangs_is_a_timeout_though_its_kernel_accepts_connections(
    make: Callable[[int], ServerCheck],
) -> None:
    ends(make, Peer.hold, TIMEOUT, "waiting for the server's answer: no answer within .*")


def test_the_latency_ends_with_the_answer_and_not_with_the_connection() -> None:
    def script(peer: Peer) -> None:
        peer.hear(b"PING\r\n")
        peer.say(b"+PONG\r\n")
        peer.hold()  # until the client has ended its side
        time.sleep(0.4)

    with serving(script) as server:
        result = ask(redis(server.port))
    assert result.failure is None
    assert result.seconds < 0.3
