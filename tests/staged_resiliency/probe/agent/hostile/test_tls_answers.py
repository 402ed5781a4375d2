"""TLS as servers should not speak it, and certificates as they should not have them."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from staged_resiliency.probe.agent.checks import Check, TlsCheck
from staged_resiliency.probe.agent.http_check import HttpsCheck
from tests.staged_resiliency.probe.agent.certificates import DAY, Certificate, authority, issued
from tests.staged_resiliency.probe.agent.hostile.asking import WELL, Expected, ask, assert_ends
from tests.staged_resiliency.probe.agent.hostile.servers import HOST, Peer, Script, serving

NAME = "shop.example.com"
OURS = authority()
GOOD = issued(OURS, [NAME], [HOST])
OK = b"HTTP/1.1 200 OK\r\n\r\n"
# A handshake record of 16 KB, of which there is no more than the beginning.
RECORD = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"

CheckAt = Callable[[int], Check]


def tls(name: str = NAME, days: int = 0) -> CheckAt:
    """A TLS check for a name."""
    return lambda port: TlsCheck(HOST, port, server_name=name, days_to_expiry=days)


def https(text: str = "", days: int = 0) -> CheckAt:
    """An HTTPS check for the name, and a text."""
    return lambda port: HttpsCheck(HOST, port, server_name=NAME, text=text, days_to_expiry=days)


def after_hello(*pieces: bytes, then: Callable[[Peer], None] = Peer.hold) -> Script:
    """Hears the client's first message and answers without TLS."""

    def script(peer: Peer) -> None:
        peer.sock.recv(65_536)
        peer.say(*pieces)
        then(peer)

    return script


def showing(
    certificate: Certificate,
    then: Callable[[Peer], None] = Peer.hold,
    edit: Callable[[ssl.SSLContext], None] = lambda context: None,
) -> Script:
    """Shakes hands with a certificate, and goes on."""

    def script(peer: Peer) -> None:
        context = certificate.serving()
        edit(context)
        peer.secure(context)
        then(peer)

    return script


def answering(*pieces: bytes, then: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """Hears an HTTPS request, answers and goes on."""

    def answer(peer: Peer) -> None:
        peer.hear()
        peer.say(*pieces)
        then(peer)

    return answer


def garbage(peer: Peer) -> None:
    """Says what is no TLS within the session."""
    peer.hear()
    peer.insecure()
    peer.flood(b"\xff" * 4096)


def wants_a_client_certificate(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=OURS.pem())


def at_most_tls_1_2(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def wants_one_in_tls_1_2(context: ssl.SSLContext) -> None:
    wants_a_client_certificate(context)
    at_most_tls_1_2(context)


@dataclass(frozen=True)
class Row:
    """What a server does to which check, and how the sample must end."""

    name: str
    script: Script
    check: CheckAt
    kind: str
    detail: str


REASON = "[A-Z0-9_/]+"
WARNING = b"\x15\x03\x03\x00\x02\x01\x5a"

HANDSHAKES = [
    Row(name, script, tls(), kind, detail)
    for kind, detail, scripts in (
        (
            "timeout",
            r"TLS handshake: no answer within 0\.2 s",
            {
                "silence": Peer.hold,
                "silence after the hello": after_hello(),
                "drip of a record": after_hello(then=lambda peer: peer.drip(RECORD * 99)),
            },
        ),
        (
            "tls",
            REASON,
            {
                "HTTP": after_hello(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
                "garbage": after_hello(b"\xff" * 4096),
                "alert without an end": after_hello(then=lambda peer: peer.flood(WARNING)),
            },
        ),
        (
            "tls",
            "[A-Z0-9_/]*ALERT_HANDSHAKE_FAILURE",
            {"alert": after_hello(b"\x15\x03\x03\x00\x02\x02\x28")},
        ),
        (
            "tls",
            f"{REASON}|the connection .*",
            {"end after the hello": after_hello(then=Peer.end)},
        ),
        (
            "refused",
            "Connection reset by peer|Broken pipe|Transport endpoint is not connected",
            {
                "reset at once": Peer.reset,
                "reset after the hello": after_hello(then=Peer.reset),
                "reset within a record": after_hello(RECORD, then=Peer.reset),
            },
        ),
    )
    for name, script in scripts.items()
]

MISMATCH = "Hostname mismatch, certificate is not valid for 'shop.example.com'."
CERTIFICATES = [
    *(
        Row(name, showing(certificate), tls(), "tls", detail)
        for name, (certificate, detail) in {
            "expired": (
                issued(OURS, [NAME], ends=timedelta(minutes=-1)),
                "certificate has expired",
            ),
            "not valid yet": (issued(OURS, [NAME], begins=DAY), "certificate is not yet valid"),
            "self-signed": (issued(None, [NAME]), "self[- ]signed certificate"),
            "of another authority": (
                issued(authority("Somebody else"), [NAME]),
                "unable to get local issuer certificate",
            ),
            "of an authority of the same name": (
                issued(authority(), [NAME]),
                "unable to get local issuer certificate|certificate signature failure",
            ),
            "of another name": (issued(OURS, ["other.example.com"]), MISMATCH),
            "of names that are nearly right": (
                issued(OURS, ["example.com", "*.shop.example.com", "*.com", "*"]),
                MISMATCH,
            ),
            "of names with escape sequences and zeros": (
                issued(OURS, ["\x1b[31mred\r\n<3>fire", NAME + "\0.evil.example"]),
                MISMATCH,
            ),
            "of no name": (issued(OURS), "Hostname mismatch, .*"),
        }.items()
    ),
    Row(
        "of another address",
        showing(issued(OURS, [HOST], ["127.0.0.2"])),
        lambda port: TlsCheck(HOST, port),
        "tls",
        "IP address mismatch, certificate is not valid for '127.0.0.1'.",
    ),
    Row(
        "too short-lived",
        showing(issued(OURS, [NAME], ends=13.5 * DAY)),
        tls(days=14),
        "tls",
        "the certificate expires in 13 days, fewer than 14",
    ),
    Row(
        "of the last day",
        showing(issued(OURS, [NAME], ends=timedelta(hours=23))),
        https(days=1),
        "tls",
        "the certificate expires in 0 days, fewer than 1",
    ),
    Row(
        "long-lived enough",
        showing(issued(OURS, [NAME], ends=14.5 * DAY)),
        tls(days=14),
        WELL,
        r"TLSv1\.\d, certificate for 14 days",
    ),
    Row("of the address", showing(GOOD), lambda port: TlsCheck(HOST, port), WELL, "TLSv1.*"),
    Row("of a wildcard", showing(issued(OURS, ["*.example.com"])), tls(), WELL, "TLSv1.*"),
    Row("of the name with its last dot", showing(GOOD), tls(f"{NAME}."), WELL, "TLSv1.*"),
    Row("of the name in capitals", showing(GOOD), tls(NAME.upper()), WELL, "TLSv1.*"),
]

SESSIONS = [
    Row(  # some versions of Python tell a reset TLS connection as an ended one
        "reset after the handshake",
        showing(GOOD, answering(then=Peer.reset)),
        https(),
        "refused|mismatch",
        "Connection reset by peer|the connection ended after b''",
    ),
    Row(
        "silence after the handshake",
        showing(GOOD),
        https(),
        "timeout",
        "waiting for the answer: .*",
    ),
    Row(
        "drip after the handshake",
        showing(GOOD, answering(then=lambda peer: peer.drip(OK * 99))),
        https("bookstore"),
        "timeout",
        "(waiting for the answer|reading the body): .*",
    ),
    *(
        Row(
            f"end without TLS's farewell, {name}",
            showing(GOOD, answering(answer, then=lambda peer: peer.sock.close())),
            https("bookstore"),
            kind,
            detail,
        )
        for name, answer, kind, detail in (
            ("all said", OK + b"bookstore", WELL, "status 200 with the text"),
            ("not all said", OK + b"book", "mismatch", "status 200 without the text 'bookstore'"),
            ("nothing said", b"", "mismatch", "the connection ended after b''"),
        )
    ),
    Row("garbage within the session", showing(GOOD, garbage), https(), "tls", REASON),
    Row(
        "a client's certificate is wanted, TLS 1.3",
        showing(GOOD, edit=wants_a_client_certificate),
        https(),
        "tls",
        "[A-Z0-9_/]*(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)",
    ),
    Row(
        "a client's certificate is wanted, TLS 1.2",
        showing(GOOD, edit=wants_one_in_tls_1_2),
        tls(),
        "tls",
        "[A-Z0-9_/]*(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)",
    ),
    Row(
        "TLS 1.2",
        showing(GOOD, edit=at_most_tls_1_2),
        tls(),
        WELL,
        r"TLSv1\.2, certificate for 89 days",
    ),
]

ROWS = [*HANDSHAKES, *CERTIFICATES, *SESSIONS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_hostile_answer_has_the_right_class_and_detail(row: Row) -> None:
    expected = Expected(row.kind, row.detail)
    with serving(row.script) as server:
        result = ask(row.check(server.port), expected.seconds, tls=OURS.trusted())
        assert_ends(result, expected)
        assert server.deserted(3), "the agent has left the connection open"


def test_the_system_s_authorities_are_those_that_are_trusted() -> None:
    with serving(showing(GOOD)) as server:
        result = ask(tls()(server.port))
    assert_ends(result, Expected("tls", "unable to get local issuer certificate"))
