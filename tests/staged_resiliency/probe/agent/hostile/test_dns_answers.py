"""DNS as servers should not speak it, over UDP and TCP."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from staged_resiliency.probe.agent import dns_check
from staged_resiliency.probe.agent.dns_check import DnsCheck
from tests.cases import cases
from tests.staged_resiliency.probe.agent.hostile.asking import WELL, Expected, ask, assert_ends
from tests.staged_resiliency.probe.agent.hostile.dns_server import (
    CNAME,
    A,
    Query,
    Replies,
    address,
    dns_serving,
    framed,
    message,
    name,
    over_tcp,
    record,
)
from tests.staged_resiliency.probe.agent.hostile.servers import HOST, Peer, Script, closed_port

NAME = "db.example.com"
TRUNCATED = 0x8380
EVIL = address("10.6.6.6")
SECOND = "127.0.0.2"


def saying(*records: bytes, **settings: Any) -> Replies:
    """Answers with records."""
    return lambda query: [message(query.data, *records, **settings)]


def silent(query: Query) -> Iterable[bytes]:
    """Answers nothing."""
    return ()


def raw(*parts: Callable[[bytes], bytes]) -> Replies:
    """Answers with what is made of the query."""
    return lambda query: [part(query.data) for part in parts]


def cut(query: Query) -> Iterable[bytes]:
    """Answers over UDP that the answer does not fit."""
    return [message(query.data, flags=TRUNCATED)]


def good(query: bytes) -> bytes:
    """A sound answer."""
    return message(query, address())


def evil(query: bytes) -> bytes:
    """An answer that must not be taken."""
    return message(query, EVIL)


def from_elsewhere(query: Query) -> Iterable[bytes]:
    """Answers from another port."""
    query.from_elsewhere(evil(query.data))
    return ()


def slowly(query: Query) -> Iterable[bytes]:
    """Answers after a while."""
    time.sleep(0.1)
    return [good(query.data)]


def garbage_first(query: Query) -> Iterable[bytes]:
    """Answers with all that is wrong, and then rightly."""
    data = good(query.data)
    return [b"\xff" * 600, b"", data[:-1], message(query.data, address(), number=1), data]


def without_question(flags: int) -> Replies:
    """Answers with a header alone."""
    return raw(lambda query: query[:2] + flags.to_bytes(2, "big") + b"\0" * 8)


@dataclass(frozen=True)
class Row:
    """What a server does, and how the sample must end."""

    name: str
    replies: Replies
    kind: str
    detail: str
    settings: dict[str, Any] = field(default_factory=dict)
    tcp: Script | None = None


def ignored(name: str, replies: Replies) -> Row:
    """A server that says something first that is no answer, and then the right thing."""
    return Row(name, lambda query: [*replies(query), good(query.data)], WELL, "10.0.0.5")


ASKING = rf"asking {HOST}: no answer within 0\.2 s"
ENDED = f"{HOST}: the connection ended within the answer"
ANOTHER = f"{HOST}: answers another question"
OVER_TCP = rf"asking {HOST} over TCP: no answer within 0\.2 s"

CODES = [
    Row("NXDOMAIN", saying(flags=0x8183), "dns", f"NXDOMAIN for {NAME}"),
    Row("SERVFAIL", saying(flags=0x8182), "dns", f"{HOST}: SERVFAIL"),
    Row("REFUSED", saying(flags=0x8185), "dns", f"{HOST}: REFUSED"),
    Row("NOTIMP", saying(flags=0x8184), "dns", f"{HOST}: NOTIMP"),
    Row("FORMERR without the question", without_question(0x8181), "dns", f"{HOST}: FORMERR"),
    Row("code without a name", saying(flags=0x818B), "dns", f"code 11 for {NAME}"),
    Row("failure with records", saying(address(), flags=0x8183), "dns", f"NXDOMAIN for {NAME}"),
    Row("no answer and no question", without_question(0x8180), "timeout", ASKING),
]

DATAGRAMS = [
    Row("silence", silent, "timeout", ASKING),
    ignored("answer of another port", from_elsewhere),
    ignored("answer to another number", saying(EVIL, number=1)),
    ignored("query sent back", raw(lambda query: query)),
    ignored("answer to another name", raw(lambda query: evil(query.replace(b"\x02db", b"\x02bd")))),
    ignored("answer to another type", raw(lambda query: evil(query[:-4] + b"\0\x1c\0\x01"))),
    ignored("nothing in a datagram", raw(lambda query: b"")),
    Row("garbage", raw(lambda query: query[:2] + b"\xff" * 500), "timeout", ASKING),
    ignored("header that is cut", raw(lambda query: evil(query)[:11])),
    ignored("question that is cut", raw(lambda query: evil(query)[:20])),
    ignored("record that is cut", raw(lambda query: evil(query)[:-1])),
    ignored("fewer records than said", saying(EVIL, count=2)),
    ignored("65535 records, it says", saying(EVIL, count=65_535)),
    Row("garbage and then the answer", garbage_first, WELL, "10.0.0.5"),
    Row("slow", slowly, WELL, "10.0.0.5"),
    Row(
        "name in other letters",
        raw(lambda query: good(query.replace(b"db", b"dB").replace(b"com", b"COM"))),
        WELL,
        "10.0.0.5",
    ),
]

NAMES = [
    ignored("name that points to itself", saying(address("10.6.6.6", owner=b"\xc0\x20"))),
    ignored(
        "two names that point to each other",
        saying(record(CNAME, b"\xc0\x3a"), record(CNAME, b"\xc0\x2c")),
    ),
    ignored("pointer beyond the end", saying(address("10.6.6.6", owner=b"\xff\xff"))),
    ignored("pointer that is cut", saying(record(CNAME, b"\xc0"))),
    ignored("label of a kind of its own", saying(address("10.6.6.6", owner=b"\x41a\0"))),
    ignored("name of 300 bytes", saying(address("10.6.6.6", owner=name("a" * 63 + ".") * 5))),
    ignored(
        "name that repeats its beginning", saying(record(CNAME, b"\x3f" + b"a" * 63 + b"\xc0\x2c"))
    ),
]

CHAIN = record(CNAME, name("a.example"))
RECORDS = [
    *(
        Row(what, saying(*records), "dns", f"{NAME} has no A record")
        for what, records in {
            "no record": (),
            "record of another name": (address(owner=name("evil.example")),),
            "record of another class": (record(A, b"\1\2\3\4", internet=3),),
            "record of another type": (address("fd00::5"),),
            "chain to nowhere": (CHAIN,),
            "chain with a poisoned end": (CHAIN, address(owner=name("b.example"))),
            "chain in a circle": (CHAIN, record(CNAME, name(NAME), owner=name("a.example"))),
        }.items()
    ),
    ignored("address of 16 bytes", saying(record(A, b"\1" * 16))),
    ignored("address of 3 bytes", saying(record(A, b"\1" * 3))),
    ignored("address of none", saying(record(A, b""))),
    Row(
        "chain of names",
        saying(
            CHAIN,
            record(CNAME, name("b.example"), owner=name("A.example")),
            address(owner=name("b.example")),
        ),
        WELL,
        "10.0.0.5",
    ),
    Row(
        "another address than expected",
        saying(address(), address("10.0.0.6")),
        "mismatch",
        r"answers 10\.0\.0\.5, 10\.0\.0\.6 and not 10\.0\.0\.7",
        {"answer": "10.0.0.7"},
    ),
    Row(
        "name with an escape sequence",
        saying(record(CNAME, name("\x1b[31mred\r\n<3>fire\0.example"))),
        WELL,
        r"\\027\\09131mred\\013\\010\\0603\\062fire\\000\.example",
        {"type": "CNAME"},
    ),
    Row(
        "name with an escape sequence that is not expected",
        saying(record(CNAME, name("\x1b[31m"))),
        "mismatch",
        r"answers \\027\\09131m and not cdn\.example",
        {"type": "CNAME", "answer": "cdn.example"},
    ),
    Row(
        "dot within a label",
        saying(record(CNAME, b"\x0bcdn.example\0")),
        "mismatch",
        r"answers cdn\\046example and not cdn\.example",
        {"type": "CNAME", "answer": "cdn.example"},
    ),
    Row("the root for a name", saying(record(CNAME, b"\0")), WELL, r"\.", {"type": "CNAME"}),
    Row("200 addresses", saying(*[address()] * 200), WELL, "10.0.0.5(, 10.0.0.5)*"),
    ignored("300 addresses", saying(*[EVIL] * 300)),
]


def heard(answer: Callable[[bytes], bytes]) -> Script:
    """Says over TCP a message that is made of the query, with its length before it."""
    return over_tcp(lambda query: framed(answer(query)))


LONG = b"\0" * 65_000
STREAMS = [
    Row(name, cut, kind, detail, tcp=tcp)
    for name, (tcp, kind, detail) in {
        "over TCP": (heard(good), WELL, "10.0.0.5"),
        "TCP refused": (None, "dns", f"{HOST}: Connection refused"),
        "silence over TCP": (Peer.hold, "timeout", OVER_TCP),
        "reset over TCP": (Peer.reset, "dns", f"{HOST}: (Connection reset by peer|Broken pipe)"),
        "drip over TCP": (
            over_tcp(lambda query: b"", then=lambda peer: peer.drip(b"\x20" * 99)),
            "timeout",
            OVER_TCP,
        ),
        "end over TCP": (over_tcp(lambda query: b"\0", then=Peer.end), "dns", ENDED),
        "cut over TCP": (
            over_tcp(lambda query: framed(good(query))[:-1], then=Peer.end),
            "dns",
            ENDED,
        ),
        "garbage over TCP": (heard(lambda query: b"\xff" * 600), "dns", ANOTHER),
        "message of no byte over TCP": (
            heard(lambda query: b""),
            "dns",
            rf"{HOST}: not a DNS message \(it is cut short\)",
        ),
        "record that is cut over TCP": (
            heard(lambda query: good(query)[:-1]),
            "dns",
            rf"{HOST}: not a DNS message \(a record is cut short\)",
        ),
        "another number over TCP": (
            heard(lambda query: message(query, address(), number=1)),
            "dns",
            ANOTHER,
        ),
        "truncated over TCP too": (
            heard(lambda query: message(query, address(), flags=TRUNCATED)),
            "dns",
            f"{NAME} has no A record",
        ),
        "NXDOMAIN over TCP": (
            heard(lambda query: message(query, flags=0x8183)),
            "dns",
            f"NXDOMAIN for {NAME}",
        ),
        "64 KB over TCP": (heard(lambda query: good(query) + LONG), WELL, "10.0.0.5"),
        "64 KB in single bytes over TCP": (
            over_tcp(
                lambda query: framed(good(query) + LONG)[:-20_000],
                then=lambda peer: peer.say(*[b"\0"] * 20_000),
            ),
            WELL,
            "10.0.0.5",
        ),
    }.items()
]

ROWS = [*CODES, *DATAGRAMS, *NAMES, *RECORDS, *STREAMS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_hostile_answer_has_the_right_class_and_detail(row: Row) -> None:
    expected = Expected(row.kind, row.detail)
    with dns_serving(row.replies, row.tcp) as port:
        check = DnsCheck(NAME, **{"server": HOST, "port": port, **row.settings})
        assert_ends(ask(check, expected.seconds), expected)


# Several servers, those of the host.


@pytest.fixture
def _two_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(f"nameserver {HOST}\nnameserver {SECOND}\n", encoding="ascii")
    monkeypatch.setattr(dns_check, "RESOLV_CONF", file)
    monkeypatch.setattr(dns_check, "_UDP_TIMEOUT_SECONDS", 0.05)


@pytest.mark.usefixtures("_two_servers")
@cases(
    ("first", "second", "expected"),
    {
        "the first says that there is no such name": (
            saying(flags=0x8183),
            saying(address()),
            Expected("dns", f"NXDOMAIN for {NAME}"),
        ),
        "the first is not there": (None, saying(address()), Expected(WELL, "10.0.0.5")),
        **{
            f"the first {what}": (first, saying(address()), Expected(WELL, "10.0.0.5"))
            for what, first in {
                "is silent": silent,
                "fails": saying(flags=0x8182),
                "refuses": saying(flags=0x8185),
                "answers garbage": raw(lambda query: b"garbage"),
                "truncates its answer and has no TCP": cut,
            }.items()
        },
        "none answers": (
            None,
            saying(flags=0x8182),
            Expected("dns", f"{HOST}: Connection refused, {SECOND}: SERVFAIL"),
        ),
    },
)
def test_two_servers_of_which(first: Replies | None, second: Replies, expected: Expected) -> None:
    with dns_serving(second, address=SECOND) as port, ExitStack() as stack:
        if first is not None:
            stack.enter_context(dns_serving(first, port=port))
        assert_ends(ask(DnsCheck(NAME, port=port)), expected)


@pytest.mark.usefixtures("_two_servers")
def test_servers_are_asked_in_turns_until_the_deadline() -> None:
    asked = []

    def never(query: Query) -> Iterable[bytes]:
        asked.append(query)
        return ()

    with dns_serving(never) as port, dns_serving(never, address=SECOND, port=port):
        expected = Expected("timeout", r"asking 127\.0\.0\.[12]: no answer within 0\.2 s")
        assert_ends(ask(DnsCheck(NAME, port=port), expected.seconds), expected)
    assert len(asked) >= 3


def test_a_server_that_must_not_be_asked_is_reported() -> None:
    result = ask(DnsCheck(NAME, server="255.255.255.255", port=closed_port()))
    assert_ends(
        result, Expected("dns", "255.255.255.255: (Permission denied|Network is unreachable)")
    )


def test_a_server_at_an_ipv6_address_is_asked() -> None:
    with dns_serving(saying(address()), address="::1") as port:
        assert_ends(ask(DnsCheck(NAME, server="::1", port=port)), Expected(WELL, "10.0.0.5"))
